//! From single answers to what people read: ranges of amounts, and one row where the same holds of several.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::Excluded;

use quorate_terms::policy::PolicyDocument;
use quorate_terms::{Amount, AssetId, QuorumName};

use super::edges::Edges;
use super::question::{Around, Asked, Listing, Seen, To};
use super::{Answer, Row, Way};
use crate::words::{self, Names, span};

/// A run of amounts with the same two answers; it begins with the least amount there is where it begins with none, and goes on
/// without end where it ends with none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Run {
    pub(super) from: Option<Amount>,
    pub(super) to: Option<Amount>,
    pub(super) way: Way,
    /// By their numbers.
    pub(super) answers: (usize, usize),
}

/// The same of several: everybody, from everywhere, to everybody.
pub(super) struct Found {
    pub(super) asset: AssetId,
    pub(super) around: Around,
    pub(super) run: Run,
    pub(super) whos: BTreeSet<String>,
    pub(super) wallets: BTreeSet<String>,
    pub(super) tos: BTreeSet<To>,
}

/// Everything that is the same, and for whom, from where and to whom it is.
type Same = (AssetId, Around, Run);

/// The answers to one question, by how much was asked for.
type ByAmount = BTreeMap<Amount, (Way, (usize, usize))>;

/// What the two answer differently. First recipients join, then wallets, then who asks: what is true of all of them is one.
pub(super) fn found(seen: Vec<Seen>, edges: &Edges) -> Vec<Found> {
    let mut by_question: BTreeMap<Asked, ByAmount> = BTreeMap::new();
    for one in seen {
        by_question.entry(one.asked).or_default().insert(one.amount, (one.way, one.answers));
    }
    let mut tos: BTreeMap<(Same, String, String), BTreeSet<To>> = BTreeMap::new();
    for (asked, answers) in by_question {
        let Some((_, amounts)) = edges.assets.get(&asked.asset) else { continue };
        for run in runs(&answers, amounts, edges.is_cut) {
            let same = (asked.asset.clone(), asked.around, run);
            let key = (same, asked.who.clone(), asked.wallet.clone());
            tos.entry(key).or_default().insert(asked.to.clone());
        }
    }
    let mut wallets: BTreeMap<(Same, String, BTreeSet<To>), BTreeSet<String>> = BTreeMap::new();
    for ((same, who, wallet), to) in tos {
        wallets.entry((same, who, to)).or_default().insert(wallet);
    }
    let mut whos: BTreeMap<(Same, BTreeSet<To>, BTreeSet<String>), BTreeSet<String>> =
        BTreeMap::new();
    for ((same, who, to), wallet) in wallets {
        whos.entry((same, to, wallet)).or_default().insert(who);
    }
    let whole = |(((asset, around, run), tos, wallets), whos)| Found {
        asset,
        around,
        run,
        whos,
        wallets,
        tos,
    };
    whos.into_iter().map(whole).collect()
}

/// Amounts with the same answers. Only neighbours among all amounts that there are to ask about join: of what lies between two
/// that were asked, where one between them was not, nothing is known. Where amounts were cut, none join.
fn runs(answers: &ByAmount, amounts: &BTreeSet<Amount>, is_cut: bool) -> Vec<Run> {
    let (least, most) = (amounts.first(), amounts.last());
    let mut runs: Vec<Run> = Vec::new();
    // Where the last run ends, while it may go on.
    let mut open: Option<Amount> = None;
    for (amount, (way, both)) in answers {
        let skips =
            |end: Amount| amounts.range((Excluded(end), Excluded(*amount))).next().is_some();
        let goes_on = open.take().is_some_and(|end| !is_cut && !skips(end));
        if let Some(last) = runs.last_mut().filter(|_| goes_on)
            && last.answers == *both
        {
            last.to = Some(*amount);
            open = Some(*amount);
            continue;
        }
        if *way == Way::Same {
            continue;
        }
        open = Some(*amount);
        // The least is one base unit: it is not worth telling.
        let from = (is_cut || Some(amount) != least).then_some(*amount);
        runs.push(Run { from, to: Some(*amount), way: *way, answers: *both });
    }
    // Above the highest edge nothing changes any more.
    if let Some(last) = runs.last_mut().filter(|_| !is_cut)
        && last.to.as_ref() == most
    {
        last.to = None;
    }
    runs
}

impl Found {
    /// As people read it.
    pub(super) fn row(
        self,
        edges: &Edges,
        names: &Names,
        answers: &[Answer],
        (old, new): (&PolicyDocument, &PolicyDocument),
    ) -> Option<Row> {
        let what = self.told(edges, names);
        let (was, now) = (answers.get(self.run.answers.0)?, answers.get(self.run.answers.1)?);
        Some(Row { way: self.run.way, what, was: was.told(old), now: now.told(new) })
    }

    fn told(&self, edges: &Edges, names: &Names) -> String {
        let info = edges.assets.get(&self.asset).map(|(info, _)| info);
        let sum = |amount: Amount| match info {
            Some(info) => amount.to_decimal(info.decimals),
            None => amount.to_string(),
        };
        let symbol = info.map_or_else(|| self.asset.to_string(), |info| info.symbol.clone());
        let much = match (self.run.from, self.run.to) {
            (None, None) => format!("any amount of {symbol}"),
            (None, Some(to)) => format!("up to {} {symbol}", sum(to)),
            (Some(from), None) => format!("{} {symbol} and more", sum(from)),
            (Some(from), Some(to)) if from == to => format!("exactly {} {symbol}", sum(to)),
            (Some(from), Some(to)) => format!("{} to {} {symbol}", sum(from), sum(to)),
        };
        let who = words::listed(self.whos.iter().cloned(), "and");
        let wallet = words::listed(self.wallets.iter().cloned(), "and");
        let to = words::listed(recipients(&self.tos, !edges.accounts.is_empty(), names), "or");
        let around = self.around.told(edges);
        let around = if around.is_empty() { around } else { format!(" ({around})") };
        format!("{who}: transfer {much} from {wallet} to {to}{around}")
    }
}

/// Recipients in words. Of whom it holds whether paid before or not, that is not said.
fn recipients(tos: &BTreeSet<To>, is_other: bool, names: &Names) -> Vec<String> {
    let mut whether: BTreeMap<(Option<&_>, Listing), BTreeSet<bool>> = BTreeMap::new();
    for to in tos {
        whether.entry((to.account.as_ref(), to.listing)).or_default().insert(to.known);
    }
    let told = |((account, listing), known): ((Option<&_>, Listing), BTreeSet<bool>)| {
        let whom = match account {
            Some(account) => words::account(account, names),
            None => (if is_other { "any other recipient" } else { "any recipient" }).to_owned(),
        };
        let known = if known.len() > 1 { None } else { known.first().copied() };
        let how = match (listing, known) {
            (Listing::Not, None) => "not listed".to_owned(),
            (Listing::Not, Some(true)) => "not listed but paid before".to_owned(),
            (Listing::Not, Some(false)) => "neither listed nor paid before".to_owned(),
            (Listing::For { least_s, below_s }, known) => {
                let paid = match known {
                    None => "",
                    Some(true) => "paid before and ",
                    Some(false) => "never paid before but ",
                };
                let length = match below_s {
                    None => format!("{} or longer", span(least_s)),
                    Some(below_s) => {
                        format!("at least {} and less than {}", span(least_s), span(below_s))
                    }
                };
                format!("{paid}listed for {length}")
            }
        };
        format!("{whom} {how}")
    };
    whether.into_iter().map(told).collect()
}

/// Who agrees to administration, where that changes.
pub(super) fn acts(old: &PolicyDocument, new: &PolicyDocument) -> Vec<Row> {
    let (was, is) = (&old.administration, &new.administration);
    let require = |name: &QuorumName| Answer::Require { quorums: BTreeSet::from([name.clone()]) };
    [
        ("any person: open a wallet", &was.wallets, &is.wallets),
        ("any person: admit an agent", &was.credentials, &is.credentials),
        ("any person: list a recipient", &was.addresses, &is.addresses),
    ]
    .into_iter()
    .filter_map(|(what, was, is)| {
        let (was, now) = (require(was), require(is));
        let way = Way::between((&was, old), (&now, new));
        let (was, now) = (was.told(old), now.told(new));
        (way != Way::Same).then(|| Row { way, what: what.to_owned(), was, now })
    })
    .collect()
}
