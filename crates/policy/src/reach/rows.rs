//! From single answers to what people read: ranges of amounts, and one row where the same holds of several.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::policy::PolicyDocument;
use quorate_terms::{Amount, AssetId};

use super::edges::Edges;
use super::probe::{Asked, Seen};
use super::{Answer, Row, Way};
use crate::words;

/// A run of amounts with the same two answers; the highest is none where it goes on without end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    from: Option<Amount>,
    to: Option<Amount>,
    way: Way,
    answers: (Answer, Answer),
}

/// Everything that is the same, and for whom, from where and to whom it is.
type Same = (AssetId, String, Run);

/// The answers to one question, by how much was asked for.
type ByAmount = BTreeMap<Amount, (Way, (Answer, Answer))>;

pub(super) fn of(
    seen: Vec<Seen>,
    edges: &Edges,
    (old, new): (&PolicyDocument, &PolicyDocument),
) -> Vec<Row> {
    let mut by_question: BTreeMap<Asked, ByAmount> = BTreeMap::new();
    for one in seen {
        by_question.entry(one.asked).or_default().insert(one.amount, (one.way, one.answers));
    }
    // First recipients join, then wallets, then who asks: what is true of all of them is one row.
    let mut tos: BTreeMap<(Same, String, String), BTreeSet<String>> = BTreeMap::new();
    for (asked, answers) in by_question {
        let amounts = edges.assets.get(&asked.asset).map(|(_, amounts)| amounts);
        let ends = amounts.map_or((None, None), |all| (all.first(), all.last()));
        for run in runs(&answers, ends) {
            let same = (asked.asset.clone(), asked.around.clone(), run);
            let key = (same, asked.who.clone(), asked.wallet.clone());
            tos.entry(key).or_default().insert(asked.to.clone());
        }
    }
    let mut wallets: BTreeMap<(Same, String, BTreeSet<String>), BTreeSet<String>> = BTreeMap::new();
    for ((same, who, wallet), to) in tos {
        wallets.entry((same, who, to)).or_default().insert(wallet);
    }
    let mut whos: BTreeMap<(Same, BTreeSet<String>, BTreeSet<String>), BTreeSet<String>> =
        BTreeMap::new();
    for ((same, who, to), wallet) in wallets {
        whos.entry((same, to, wallet)).or_default().insert(who);
    }
    let row = |((same, to, wallet), who): ((Same, _, _), _)| {
        let (way, (was, now)) = (same.2.way, same.2.answers.clone());
        let what = told(same, (who, wallet, to), edges);
        Row { way, what, was: was.told(old), now: now.told(new) }
    };
    whos.into_iter().map(row).collect()
}

/// Amounts with the same answers. `ends` are the lowest and the highest that there are to ask about, asked or not.
fn runs(answers: &ByAmount, ends: (Option<&Amount>, Option<&Amount>)) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut open = false;
    for (amount, (way, both)) in answers {
        if let Some(last) = runs.last_mut().filter(|_| open)
            && last.answers == *both
        {
            last.to = Some(*amount);
            continue;
        }
        open = *way != Way::Same;
        if open {
            // The lowest is one base unit: it is not worth telling.
            let from = (Some(amount) != ends.0).then_some(*amount);
            runs.push(Run { from, to: Some(*amount), way: *way, answers: both.clone() });
        }
    }
    // Above the highest edge nothing changes any more.
    if let Some(last) = runs.last_mut().filter(|_| open)
        && last.to.as_ref() == ends.1
    {
        last.to = None;
    }
    runs
}

fn told(
    (asset, around, run): Same,
    (who, wallet, to): (BTreeSet<String>, BTreeSet<String>, BTreeSet<String>),
    edges: &Edges,
) -> String {
    let info = edges.assets.get(&asset).map(|(info, _)| info);
    let sum = |amount: Amount| match info {
        Some(info) => amount.to_decimal(info.decimals),
        None => amount.to_string(),
    };
    let symbol = info.map_or_else(|| asset.to_string(), |info| info.symbol.clone());
    let much = match (run.from, run.to) {
        (None, None) => format!("any amount of {symbol}"),
        (None, Some(to)) => format!("up to {} {symbol}", sum(to)),
        (Some(from), None) => format!("{} {symbol} and more", sum(from)),
        (Some(from), Some(to)) => format!("{} to {} {symbol}", sum(from), sum(to)),
    };
    let who = words::listed(who, "and");
    let wallet = words::listed(wallet, "and");
    let to = words::listed(to, "or");
    let around = if around.is_empty() { around } else { format!(" ({around})") };
    format!("{who}: transfer {much} from {wallet} to {to}{around}")
}
