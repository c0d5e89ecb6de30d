//! Questions that nobody asked, put to two policies.

use std::collections::BTreeSet;

use quorate_terms::credential::Band;
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Action, Intent, Requester, Transfer};
use quorate_terms::policy::{AssetInfo, PolicyDocument};
use quorate_terms::quorum::Quorum;
use quorate_terms::{AccountId, Amount, AssetId, IdempotencyKey, QuorumName, Timestamp, WalletId};

use super::edges::{Edges, base_units};
use super::{Answer, PROBES_MAX, Row, Way};
use crate::ask::{Ask, Facts};
use crate::policy::Policy;
use crate::usage::Usage;
use crate::words::{fraction, millionths, quoted, span, weekday};

/// All of a question but the amount, as people call it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) asset: AssetId,
    pub(super) around: String,
    pub(super) who: String,
    pub(super) wallet: String,
    pub(super) to: String,
}

/// One question with both answers.
pub(super) struct Seen {
    pub(super) asked: Asked,
    pub(super) amount: Amount,
    pub(super) answers: (Answer, Answer),
    pub(super) way: Way,
}

/// Somebody who asks.
struct Who {
    label: String,
    requester: Requester,
}

/// To whom, and how well known.
struct To {
    label: String,
    account: Option<AccountId>,
    known: bool,
    /// Listed so long ago, in seconds.
    listed_s: Option<u64>,
}

/// What is weighed beside the transfer itself.
struct Circumstance {
    /// With its hour and day, where those are weighed.
    when: (Timestamp, Option<(i64, i64)>),
    fee: Option<i64>,
    value: Option<i64>,
    screened: bool,
    band: Band,
}

/// Asks both policies; gives what they said, how many questions that were, and how many there are.
///
/// Questions are numbered and never listed: a policy may name so many that a list of them would not fit.
pub(super) fn ask(old: &Policy, new: &Policy, edges: &Edges) -> (Vec<Seen>, usize, usize) {
    let space = Space::of(old, new, edges);
    let share = PROBES_MAX.checked_div(edges.assets.len()).unwrap_or(0).max(1);
    let (mut seen, mut total) = (Vec::new(), 0_usize);
    for (info, amounts) in edges.assets.values() {
        let amounts: Vec<Amount> = amounts.iter().copied().collect();
        let chain = info.asset.chain();
        let on_chain = |to: &&To| to.account.as_ref().is_none_or(|named| named.chain() == chain);
        let tos: Vec<&To> = space.tos.iter().filter(on_chain).collect();
        let sizes = space.sizes(amounts.len(), tos.len());
        let all = sizes.iter().fold(1_usize, |all, size| all.saturating_mul(*size));
        total = total.saturating_add(all);
        let step = stride(all, share);
        let numbers = std::iter::successors(Some(0_usize), |n| n.checked_add(step));
        for number in numbers.take_while(|n| *n < all) {
            let digits = digits(number, &sizes);
            let question = space.question(digits, (info, &amounts, &tos));
            seen.extend(question.and_then(|question| question.ask(old, new)));
        }
    }
    let asked = seen.len();
    (seen, asked, total)
}

/// A step that asks at most `share` of `all`. It shares no factor with `all`, so that no one circumstance is always skipped.
fn stride(all: usize, share: usize) -> usize {
    let gcd = |mut a: usize, mut b: usize| {
        while b != 0 {
            (a, b) = (b, a.checked_rem(b).unwrap_or(0));
        }
        a
    };
    let mut step = all.div_ceil(share).max(1);
    while step > 1 && gcd(all, step) > 1 {
        step = step.saturating_add(1);
    }
    step
}

const DIGITS: usize = 9;

/// The place of a question in each of its lists.
fn digits(mut number: usize, sizes: &[usize; DIGITS]) -> [usize; DIGITS] {
    sizes.map(|size| {
        let digit = number.checked_rem(size).unwrap_or(0);
        number = number.checked_div(size).unwrap_or(0);
        digit
    })
}

/// Everything that questions are put together from.
struct Space<'a> {
    edges: &'a Edges,
    whos: Vec<Who>,
    wallets: Vec<(WalletId, String)>,
    tos: Vec<To>,
    fees: Vec<Option<i64>>,
    values: Vec<Option<i64>>,
    bands: &'static [Band],
    screenings: &'static [bool],
}

impl<'a> Space<'a> {
    fn of(old: &Policy, new: &Policy, edges: &'a Edges) -> Self {
        let around = |numbers: &BTreeSet<i64>| -> Vec<Option<i64>> {
            let each = numbers.iter().flat_map(|n| [Some(*n), n.checked_add(1)]);
            let distinct: BTreeSet<i64> = each.flatten().collect();
            std::iter::once(None).chain(distinct.into_iter().map(Some)).collect()
        };
        Self {
            edges,
            whos: whos(edges),
            wallets: wallets(edges),
            tos: tos(old, new, edges),
            fees: around(&edges.fees),
            values: around(&edges.values),
            bands: if edges.bands { &[Band::Sign, Band::Broadcast] } else { &[Band::Broadcast] },
            screenings: if edges.screening { &[false, true] } else { &[false] },
        }
    }

    const fn sizes(&self, amounts: usize, tos: usize) -> [usize; DIGITS] {
        [
            amounts,
            self.screenings.len(),
            self.bands.len(),
            self.values.len(),
            self.fees.len(),
            self.edges.times.len(),
            tos,
            self.wallets.len(),
            self.whos.len(),
        ]
    }

    fn question<'q>(
        &'q self,
        digits: [usize; DIGITS],
        (info, amounts, tos): (&'q AssetInfo, &[Amount], &[&'q To]),
    ) -> Option<Question<'q>> {
        let [amount, screened, band, value, fee, time, to, wallet, who] = digits;
        let around = Circumstance {
            when: *self.edges.times.get(time)?,
            fee: *self.fees.get(fee)?,
            value: *self.values.get(value)?,
            band: *self.bands.get(band)?,
            screened: *self.screenings.get(screened)?,
        };
        Some(Question {
            info,
            who: self.whos.get(who)?,
            wallet: self.wallets.get(wallet)?,
            to: tos.get(to)?,
            label: self.label(&around),
            around,
            amount: *amounts.get(amount)?,
        })
    }

    /// What is weighed beside the transfer itself, as far as either policy weighs it.
    fn label(&self, around: &Circumstance) -> String {
        let said = [
            around
                .when
                .1
                .map(|(hour, day)| format!("{}, {hour:02}:00 to {hour:02}:59", weekday(day))),
            around.fee.map(|fee| format!("a fee of {} coins", millionths(fee))),
            match around.value {
                Some(cents) => Some(format!("worth {}", fraction(cents, 2))),
                None => (self.values.len() > 1).then(|| "of unknown worth".to_owned()),
            },
            self.edges.bands.then(|| format!("band {}", around.band)),
            self.edges.screening.then(|| match around.screened {
                true => "screened and clear".to_owned(),
                false => "not screened".to_owned(),
            }),
        ];
        said.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

struct Question<'a> {
    info: &'a AssetInfo,
    who: &'a Who,
    wallet: &'a (WalletId, String),
    to: &'a To,
    around: Circumstance,
    label: String,
    amount: Amount,
}

impl Question<'_> {
    /// Both answers; none where the asset's chain has no account to pay.
    fn ask(&self, old: &Policy, new: &Policy) -> Option<Seen> {
        let asset = &self.info.asset;
        let chain = asset.chain();
        let account = |last: &str| format!("{chain}:0x{last:0>40}").parse::<AccountId>().ok();
        let to = match &self.to.account {
            Some(named) if named.chain() == chain => named.clone(),
            Some(_) => return None,
            None => account("a11ce")?,
        };
        let answers = (
            self.answer(old, (&to, account("0fee")?))?,
            self.answer(new, (&to, account("0fee")?))?,
        );
        let way = Way::between((&answers.0, old.document()), (&answers.1, new.document()));
        let asked = Asked {
            asset: asset.clone(),
            around: self.label.clone(),
            who: self.who.label.clone(),
            wallet: self.wallet.1.clone(),
            to: self.to.label.clone(),
        };
        Some(Seen { asked, amount: self.amount, answers, way })
    }

    fn answer(&self, policy: &Policy, (to, own): (&AccountId, AccountId)) -> Option<Answer> {
        let asset = &self.info.asset;
        let coin = policy.coin(&asset.chain());
        // An agent that can pay no fee can pay nothing, so a token is never asked about without one.
        let least = if asset.is_native() { Amount::ZERO } else { Amount::from_u128(1) };
        let fee = self.around.fee.zip(coin).and_then(|(fee, coin)| base_units(fee, coin.decimals));
        let intent = Intent {
            v: 1,
            vault: policy.document().vault.clone(),
            requester: self.who.requester.clone(),
            key: IdempotencyKey::new("probe").ok()?,
            action: Action::Transfer(Transfer {
                wallet: self.wallet.0.clone(),
                asset: asset.clone(),
                to: to.clone(),
                amount: self.amount,
                fee_ceiling: fee.unwrap_or(least),
                memo: None,
            }),
        };
        let listed = self.to.listed_s.map(|ago| self.around.when.0.minus_s(ago));
        let facts = Facts {
            band: self.who.requester.agent().map(|_| self.around.band),
            credential_wallets: BTreeSet::from([self.wallet.0.clone()]),
            credential_expires_at: Some(self.around.when.0.plus_s(1)),
            wallet_exists: true,
            wallet_chains: BTreeSet::from([asset.chain()]),
            wallet_account: Some(own),
            recipient_usable_from: listed.map(|listed| policy.usable_from(listed)),
            recipient_known: self.to.known,
            value_cents: self
                .around
                .value
                .and_then(|cents| u128::try_from(cents).ok())
                .map(Amount::from_u128),
            screening: match self.around.screened {
                true => {
                    CounterpartyCheck::Performed { provider: "probe".to_owned(), flagged: false }
                }
                false => CounterpartyCheck::NotPerformed,
            },
            ..Facts::default()
        };
        // Policy, charter and unfreezing are not asked about, so whose the charter's quorum is does not matter.
        let governance =
            Quorum { name: "probe".parse().ok()?, m: 1, members: BTreeSet::new(), parties: None };
        let ask = Ask {
            intent: &intent,
            at: self.around.when.0,
            facts: &facts,
            governance: &governance,
            exclude: None,
        };
        Some(Answer::of(&crate::judge(policy, &ask, &Usage::default()).judgment))
    }
}

fn whos(edges: &Edges) -> Vec<Who> {
    let mut all = Vec::new();
    let agent = |label: String, id: &str| -> Option<Who> {
        let requester =
            Requester::Agent { agent: id.parse().ok()?, credential: "probe".parse().ok()? };
        Some(Who { label, requester })
    };
    let person = |label: String, id: &str| -> Option<Who> {
        Some(Who { label, requester: Requester::Person { person: id.parse().ok()? } })
    };
    let other =
        |any: bool, one: &str| if any { format!("any {one}") } else { format!("any other {one}") };
    all.extend(
        edges
            .agents
            .iter()
            .filter_map(|id| agent(format!("agent {}", quoted(id.as_str())), id.as_str())),
    );
    all.extend(agent(other(edges.agents.is_empty(), "agent"), "an-agent-that-nobody-names"));
    all.extend(
        edges
            .people
            .iter()
            .filter_map(|id| person(format!("person {}", quoted(id.as_str())), id.as_str())),
    );
    all.extend(person(other(edges.people.is_empty(), "person"), "a-person-whom-nobody-names"));
    all
}

fn wallets(edges: &Edges) -> Vec<(WalletId, String)> {
    let named = edges.wallets.iter();
    let mut all: Vec<_> =
        named.map(|id| (id.clone(), format!("wallet {}", quoted(id.as_str())))).collect();
    let other = if all.is_empty() { "any wallet" } else { "any other wallet" };
    let unnamed = "a-wallet-that-nobody-names".parse().ok();
    all.extend(unnamed.map(|id| (id, other.to_owned())));
    all
}

fn tos(old: &Policy, new: &Policy, edges: &Edges) -> Vec<To> {
    let waits = [old.document().addresses.wait_s, new.document().addresses.wait_s];
    let (least, most) = (*waits.iter().min().unwrap_or(&0), *waits.iter().max().unwrap_or(&0));
    let mut all = Vec::new();
    let named =
        edges.accounts.iter().map(|account| (quoted(account.as_str()), Some(account.clone())));
    let mut whoms: Vec<_> = named.collect();
    whoms.push(("a recipient".to_owned(), None));
    for (whom, account) in whoms {
        let mut push = |how: String, known, listed_s| {
            all.push(To {
                label: format!("{whom} {how}"),
                account: account.clone(),
                known,
                listed_s,
            });
        };
        push("never paid before".to_owned(), false, None);
        push("paid before".to_owned(), true, None);
        push(format!("listed for {} or longer", span(most)), false, Some(most));
        if least != most {
            push(format!("listed {} ago", span(least)), false, Some(least));
        }
    }
    all
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
