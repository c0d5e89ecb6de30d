//! Which questions there are, and how many of them are put to both policies.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use quorate_terms::credential::Band;
use quorate_terms::intent::Requester;
use quorate_terms::policy::AssetInfo;
use quorate_terms::{AccountId, Amount, ChainId, WalletId};

use super::Answer;
use super::edges::{self, Edges};
use super::question::{Around, Listing, Numbered, Question, Screened, Seen, To, Who};
use crate::policy::Policy;
use crate::words::quoted;

/// What both policies said.
pub(super) struct Said {
    pub(super) seen: Vec<Seen>,
    /// The answers, by their numbers.
    pub(super) answers: Vec<Answer>,
    /// How many questions there are.
    pub(super) total: usize,
}

/// Asks both policies at most so many questions.
///
/// Questions are numbered and never listed: a policy may name so many that a list of them would not fit.
pub(super) fn ask((old, new): (&Policy, &Policy), edges: &Edges, most: usize) -> Said {
    let space = Space::of(old, new, edges);
    let share = most.checked_div(edges.assets.len()).unwrap_or(0).max(1);
    let (mut seen, mut total, mut numbered) = (Vec::new(), 0_usize, Numbered::default());
    let mut of_chain: BTreeMap<Option<ChainId>, Vec<&To>> = BTreeMap::new();
    for to in &space.tos {
        of_chain.entry(to.account.as_ref().map(AccountId::chain)).or_default().push(to);
    }
    let mut unnamed: BTreeMap<ChainId, Option<[AccountId; 2]>> = BTreeMap::new();
    let mut by_step: BTreeMap<i64, Vec<Option<i64>>> = BTreeMap::new();
    for (info, amounts) in edges.assets.values() {
        let amounts: Vec<Amount> = amounts.iter().copied().collect();
        let chain = info.asset.chain();
        let to_both =
            unnamed.entry(chain.clone()).or_insert_with(|| edges.unnamed_accounts(&chain));
        let step = fee_step([old, new], &chain);
        let whole = |fee: &i64| fee.checked_rem(step) == Some(0);
        let fees = || with_none(edges.fees.iter().copied().filter(whole));
        let fees = by_step.entry(step).or_insert_with(fees);
        let reached = [Some(chain), None];
        let tos = reached.iter().filter_map(|chain| of_chain.get(chain)).flatten();
        let tos: Vec<&To> = tos.copied().collect();
        let of = Lists { info, amounts: &amounts, tos: &tos, fees };
        let sizes = space.sizes(&of);
        let all = sizes.iter().fold(1_usize, |all, size| all.saturating_mul(*size));
        total = total.saturating_add(all);
        let Some(to_both) = to_both else { continue };
        let step = stride(all, share);
        let numbers = std::iter::successors(Some(0_usize), |n| n.checked_add(step));
        let left = most.saturating_sub(seen.len());
        for number in numbers.take_while(|n| *n < all).take(left) {
            let digits = digits(number, &sizes);
            let question = space.question(digits, &of, to_both);
            seen.extend(question.and_then(|one| one.ask((old, new), &mut numbered)));
        }
    }
    Said { seen, answers: numbered.all(), total }
}

/// Fees are whole base units: how many millionths one is, of the coin that either policy knows on this chain with fewer places. A
/// fee between two of them would be told, and another one asked.
fn fee_step(policies: [&Policy; 2], chain: &ChainId) -> i64 {
    let coins = policies.into_iter().filter_map(|policy| policy.coin(chain));
    coins.filter_map(|coin| edges::step(coin.decimals)).max().unwrap_or(1)
}

/// None as well: the least fee, and an amount of which nobody knows what it is worth.
fn with_none(numbers: impl Iterator<Item = i64>) -> Vec<Option<i64>> {
    std::iter::once(None).chain(numbers.map(Some)).collect()
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

/// What is asked about one asset.
struct Lists<'a> {
    info: &'a AssetInfo,
    amounts: &'a [Amount],
    tos: &'a [&'a To],
    fees: &'a [Option<i64>],
}

/// Everything that questions are put together from.
struct Space<'a> {
    edges: &'a Edges,
    whos: Vec<Who>,
    wallets: Vec<(WalletId, String)>,
    tos: Vec<To>,
    values: Vec<Option<i64>>,
    bands: &'static [Option<Band>],
    screenings: &'static [Option<Screened>],
}

impl<'a> Space<'a> {
    fn of(old: &Policy, new: &Policy, edges: &'a Edges) -> Self {
        Self {
            edges,
            whos: whos(edges),
            wallets: wallets(edges),
            tos: tos(old, new, edges),
            values: with_none(edges.values.iter().copied()),
            bands: match edges.bands {
                true => &[Some(Band::Sign), Some(Band::Broadcast)],
                false => &[None],
            },
            screenings: match edges.screening {
                true => &[Some(Screened::Not), Some(Screened::Clear), Some(Screened::Unanswered)],
                false => &[None],
            },
        }
    }

    const fn sizes(&self, of: &Lists<'_>) -> [usize; DIGITS] {
        [
            of.amounts.len(),
            self.screenings.len(),
            self.bands.len(),
            self.values.len(),
            of.fees.len(),
            self.edges.times.len(),
            of.tos.len(),
            self.wallets.len(),
            self.whos.len(),
        ]
    }

    fn question<'q>(
        &'q self,
        digits: [usize; DIGITS],
        of: &Lists<'q>,
        [stranger, own]: &[AccountId; 2],
    ) -> Option<Question<'q>> {
        let [amount, screened, band, value, fee, time, to, wallet, who] = digits;
        let who = self.whos.get(who)?;
        let around = Around {
            when: *self.edges.times.get(time)?,
            fee: *of.fees.get(fee)?,
            value: *self.values.get(value)?,
            // People have no band, so for them both questions are one.
            band: self.bands.get(band)?.filter(|_| who.requester.agent().is_some()),
            screened: *self.screenings.get(screened)?,
        };
        let to = *of.tos.get(to)?;
        Some(Question {
            info: of.info,
            who,
            wallet: self.wallets.get(wallet)?,
            to,
            account: to.account.clone().unwrap_or_else(|| stranger.clone()),
            own: own.clone(),
            around,
            amount: *of.amounts.get(amount)?,
        })
    }
}

/// An id that is not among those that a policy names: whoever writes one must not know what will be asked.
fn unnamed<T: FromStr + Ord>(base: &str, named: &BTreeSet<T>) -> Option<T> {
    let numbered = |number: usize| match number {
        0 => base.to_owned(),
        number => format!("{base}-{number}"),
    };
    let mut ids = (0..=named.len()).filter_map(|number| numbered(number).parse().ok());
    ids.find(|id| !named.contains(id))
}

/// `any agent` where none is named, or else `any other agent`.
fn other(named: bool, one: &str) -> String {
    if named { format!("any other {one}") } else { format!("any {one}") }
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
    let named = edges.agents.iter();
    all.extend(named.filter_map(|id| agent(format!("agent {}", quoted(id.as_str())), id.as_str())));
    let unnamed_agent = unnamed("an-agent-that-nobody-names", &edges.agents);
    all.extend(
        unnamed_agent.and_then(|id| agent(other(!edges.agents.is_empty(), "agent"), id.as_str())),
    );
    let named = edges.people.iter();
    all.extend(
        named.filter_map(|id| person(format!("person {}", quoted(id.as_str())), id.as_str())),
    );
    let unnamed_person = unnamed("a-person-whom-nobody-names", &edges.people);
    all.extend(
        unnamed_person
            .and_then(|id| person(other(!edges.people.is_empty(), "person"), id.as_str())),
    );
    all
}

fn wallets(edges: &Edges) -> Vec<(WalletId, String)> {
    let named = edges.wallets.iter();
    let mut all: Vec<_> =
        named.map(|id| (id.clone(), format!("wallet {}", quoted(id.as_str())))).collect();
    let rest = other(!all.is_empty(), "wallet");
    all.extend(unnamed("a-wallet-that-nobody-names", &edges.wallets).map(|id| (id, rest)));
    all
}

fn tos(old: &Policy, new: &Policy, edges: &Edges) -> Vec<To> {
    let waits = [old.document().addresses.wait_s, new.document().addresses.wait_s];
    let (least, most) = (*waits.iter().min().unwrap_or(&0), *waits.iter().max().unwrap_or(&0));
    let mut listings = vec![Listing::Not, Listing::For { least_s: most, below_s: None }];
    if least != most {
        listings.push(Listing::For { least_s: least, below_s: Some(most) });
    }
    let named = edges.accounts.iter().cloned().map(Some);
    let mut all = Vec::new();
    for account in named.chain([None::<AccountId>]) {
        for listing in &listings {
            for known in [false, true] {
                all.push(To { account: account.clone(), listing: *listing, known });
            }
        }
    }
    all
}
