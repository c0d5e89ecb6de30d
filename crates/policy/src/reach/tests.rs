//! Against brute force: of random small policies and random questions, whatever the two answer differently is found, and nothing
//! is found that they do not answer so.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "tests add small numbers, and overflow checks are on"
)]

use proptest::prelude::*;

use quorate_terms::credential::Band;
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Action, Requester};
use quorate_terms::policy::{AddressRules, CedarRule, PolicyDocument, Window};
use quorate_terms::{Amount, AssetId};

use super::edges::Edges;
use super::question::{Listing, Screened, To};
use super::rows::{Found, found};
use super::{Answer, Way, probe};
use crate::checks::comparable;
use crate::policy::Policy;
use crate::tests::*;
use crate::{Ask, Usage, judge};

const STRANGER: &str = "eip155:1:0x00000000000000000000000000000000000000bb";
const MICRO_ETH: u128 = 1_000_000_000_000;

const OPERATORS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];
const FLAGS: [&str; 9] = [
    "context.recipient.known",
    "!context.recipient.known",
    "context.recipient.usable",
    "context.recipient.listed",
    "context.native",
    "context.screening == \"failed\"",
    "context.screening == \"clear\"",
    "context.band == \"sign\"",
    "context.recipient.account == \"eip155:1:0xab5801a7d398351b8be11c439e05c5b3259aec9b\"",
];
const SCOPES: [&str; 4] = [
    "principal, action, resource",
    "principal == Agent::\"bot\", action, resource",
    "principal is Person, action == Action::\"transfer\", resource",
    "principal, action, resource == Wallet::\"hot\"",
];

fn any_atom() -> impl Strategy<Value = String> {
    let operator = || prop::sample::select(OPERATORS.to_vec());
    let number = |name: &'static str, most: i64| {
        (operator(), 0..most).prop_map(move |(how, n)| format!("context.{name} {how} {n}"))
    };
    prop_oneof![
        4 => number("amount", 9),
        1 => number("fee", 4),
        1 => number("hour", 27),
        1 => number("weekday", 9),
        2 => prop::sample::select(FLAGS.to_vec()).prop_map(str::to_owned),
        2 => (operator(), 0..5_i64).prop_map(|(how, n)| format!("context has value_cents && context.value_cents {how} {n}")),
    ]
}

fn any_rule() -> impl Strategy<Value = String> {
    let atoms = prop::collection::vec(any_atom(), 1..3);
    let scope = prop::sample::select(SCOPES.to_vec());
    (0..3_u8, scope, atoms).prop_map(|(kind, scope, atoms)| {
        let body = atoms.join(" && ");
        match kind {
            0 => format!("permit ({scope}) when {{ {body} }};"),
            1 => format!("forbid ({scope}) unless {{ {body} }};"),
            _ => format!(
                "@require(\"treasury\") forbid ({scope}) unless {{ {body} }} \
                 unless {{ context.approved_by.contains(\"treasury\") }};"
            ),
        }
    })
}

/// The typed data of a policy, small enough for the numbers of the questions: how much of a token and of the coin, whether the
/// shop is refused, how long a recipient waits, whether all is permitted, and whether the coin's budget is the bot's alone.
type Typed = (u64, u64, bool, u64, bool, bool);

/// Of the coin two amounts only: often the two policies differ in whose budget it is, and in nothing that a fee could tell.
fn any_typed() -> impl Strategy<Value = Typed> {
    let wait = prop::sample::select(vec![60_u64, 3_600]);
    let coin = prop::sample::select(vec![9_u64, 12]);
    let bots = prop::bool::weighted(0.3);
    (2..12_u64, coin, any::<bool>(), wait, any::<bool>(), bots)
}

fn policy_of(rules: &[String], (token, coin, denies, wait_s, any, bots): Typed) -> PolicyDocument {
    let mut document = document();
    let rules = rules.iter().enumerate();
    document.rules = rules
        .map(|(n, text)| CedarRule { id: format!("r{n}").parse().unwrap(), text: text.clone() })
        .collect();
    if any {
        document.rules.push(rule("any", "permit (principal, action, resource);"));
    }
    document.budgets.retain(|budget| budget.id.as_str().starts_with("agent"));
    for budget in &mut document.budgets {
        let most = match budget.asset.is_native() {
            true => u128::from(coin) * MICRO_ETH,
            false => token.into(),
        };
        (budget.amount, budget.window) = (Some(Amount::from_u128(most)), Window::Each);
        if bots && budget.asset.is_native() {
            budget.agents = ["bot".parse().unwrap()].into();
        }
    }
    let deny = denies.then(|| SHOP.parse().unwrap()).into_iter().collect();
    document.addresses = AddressRules { wait_s, deny };
    document
}

/// One question of the grid.
#[derive(Clone, Debug)]
struct Point {
    native: bool,
    amount: u64,
    /// 0 and 1 are agents, `bot` first; 2 is a person.
    who: u8,
    hot: bool,
    shop: bool,
    known: bool,
    listed_s: Option<u64>,
    fee: Option<i64>,
    value: Option<i64>,
    hours_back: u64,
    sign: bool,
    screened: Screened,
}

fn any_point() -> impl Strategy<Value = Point> {
    let listed = prop::sample::select(vec![0_u64, 59, 60, 61, 3_599, 3_600, 9_999]);
    let screened = prop::sample::select(vec![Screened::Not, Screened::Clear, Screened::Unanswered]);
    let transfer = (any::<bool>(), 1..16_u64, 0..3_u8, any::<bool>());
    let to = (any::<bool>(), any::<bool>(), prop::option::of(listed));
    let around = (
        prop::option::of(0..17_i64),
        prop::option::of(0..7_i64),
        0..168_u64,
        any::<bool>(),
        screened,
    );
    (transfer, to, around).prop_map(
        |(
            (native, amount, who, hot),
            (shop, known, listed_s),
            (fee, value, hours_back, sign, screened),
        )| {
            Point {
                native,
                amount,
                who,
                hot,
                shop,
                known,
                listed_s,
                fee,
                value,
                hours_back,
                sign,
                screened,
            }
        },
    )
}

impl Point {
    /// Of a chain's own coin the fee counts towards the same budget, so a fee beside those that are asked about is another class.
    /// Where no fee is asked about, the least is all that is spoken of. What pays no fee at all is of no budget of the coin, and
    /// for a token that is never spoken of.
    fn snapped(mut self, edges: &Edges) -> Self {
        self.fee = self.fee.filter(|fee| self.native || *fee > 0);
        if self.native || edges.fees.is_empty() {
            self.fee = self.fee.and_then(|fee| near(edges.fees.iter().copied(), fee));
        }
        self
    }

    fn units(&self) -> Amount {
        let units = u128::from(self.amount);
        // Half a millionth above and below, too.
        Amount::from_u128(if self.native { units * MICRO_ETH / 2 } else { units })
    }

    fn at(&self) -> quorate_terms::Timestamp {
        at(NOON - self.hours_back * 3_600_000)
    }

    fn answer(&self, policy: &Policy) -> Answer {
        let mut house = House::of(&document()).asks(if self.native { ETH } else { USD }, "1");
        let fee = self.fee.map(|fee| u128::try_from(fee).unwrap() * MICRO_ETH);
        let least = u128::from(!self.native);
        let requester = match self.who {
            2 => person(),
            who => Requester::Agent {
                agent: if who == 0 { "bot" } else { "another" }.parse().unwrap(),
                credential: "cred-1".parse().unwrap(),
            },
        };
        let wallet: quorate_terms::WalletId =
            if self.hot { "hot" } else { "cold" }.parse().unwrap();
        house.facts.credential_wallets = [wallet.clone()].into();
        house = house.with(|transfer| {
            transfer.amount = self.units();
            transfer.fee_ceiling = Amount::from_u128(fee.unwrap_or(least));
            transfer.to = if self.shop { SHOP } else { STRANGER }.parse().unwrap();
            transfer.wallet = wallet;
        });
        let is_agent = matches!(requester, Requester::Agent { .. });
        house.intent.requester = requester;
        house.facts.band = is_agent.then_some(if self.sign { Band::Sign } else { Band::Broadcast });
        house.facts.recipient_known = self.known;
        house.facts.recipient_usable_from =
            self.listed_s.map(|ago| policy.usable_from(self.at().minus_s(ago)));
        house.facts.value_cents =
            self.value.map(|cents| Amount::from_u128(cents.try_into().unwrap()));
        let provider = "p".to_owned();
        house.facts.screening = match self.screened {
            Screened::Not => CounterpartyCheck::NotPerformed,
            Screened::Clear => CounterpartyCheck::Performed { provider, flagged: false },
            Screened::Unanswered => CounterpartyCheck::Failed { provider, error: "x".into() },
        };
        let governance = governance();
        let ask = Ask {
            intent: &house.intent,
            at: self.at(),
            facts: &house.facts,
            governance: &governance,
            exclude: None,
        };
        assert!(matches!(ask.intent.action, Action::Transfer(_)));
        Answer::of(&judge(policy, &ask, &Usage::default()).judgment)
    }

    /// Whether this is one of the transfers that a finding speaks about.
    fn is_of(&self, found: &Found, edges: &Edges, waits: (u64, u64)) -> bool {
        let amount = self.units();
        let (around, run) = (&found.around, &found.run);
        let label = |named: bool, exact: String, kind: &str| {
            if named { exact } else { kind.to_owned() }
        };
        let bot = edges.agents.iter().any(|id| id.as_str() == "bot");
        let hot = edges.wallets.iter().any(|id| id.as_str() == "hot");
        let any = |some: bool, one: &str| {
            if some { format!("any other {one}") } else { format!("any {one}") }
        };
        let who = match self.who {
            0 => label(bot, "agent `bot`".into(), &any(bot, "agent")),
            1 => any(bot, "agent"),
            _ => any(!edges.people.is_empty(), "person"),
        };
        let wallet = label(hot && self.hot, "wallet `hot`".into(), &any(hot, "wallet"));
        let shop = comparable(&SHOP.parse().unwrap());
        let listing = match self.listed_s {
            None => Listing::Not,
            Some(ago) if ago >= waits.1 => Listing::For { least_s: waits.1, below_s: None },
            // Usable under neither.
            Some(ago) if ago < waits.0 => return false,
            Some(_) => Listing::For { least_s: waits.0, below_s: Some(waits.1) },
        };
        let account = (self.shop && edges.accounts.contains(&shop)).then_some(shop);
        let to = To { account, listing, known: self.known };
        let when =
            crate::calendar::hour_and_weekday(self.at(), &crate::calendar::zone("UTC").unwrap());
        let (hour, day) = when.unwrap();
        let hours = edges.times.iter().filter_map(|moment| moment.hour);
        let days = edges.times.iter().filter_map(|moment| moment.day);
        let band = if self.sign { Band::Sign } else { Band::Broadcast };
        let fees = edges.fees.iter().copied();
        let fee = self.fee.and_then(|fee| near(fees, fee));
        let value = self.value.and_then(|value| near(edges.values.iter().copied(), value));
        found.asset.is_native() == self.native
            && run.from.is_none_or(|from| from <= amount)
            && run.to.is_none_or(|to| amount <= to)
            && found.whos.contains(&who)
            && found.wallets.contains(&wallet)
            && found.tos.contains(&to)
            && around.when.hour == near(hours, hour)
            && around.when.day == near(days, day)
            && around.fee == fee
            && around.value == value
            && around.band.is_none_or(|asked| asked == band)
            && around.screened.is_none_or(|asked| asked == self.screened)
    }
}

/// The number that was asked about for this one: the next below it, or else the next above.
fn near(asked: impl Iterator<Item = i64> + Clone, number: i64) -> Option<i64> {
    asked.clone().filter(|n| *n <= number).max().or_else(|| asked.min())
}

fn two_policies() -> impl Strategy<Value = (PolicyDocument, PolicyDocument)> {
    let rules = || prop::collection::vec(any_rule(), 0..2);
    (rules(), rules(), rules(), any_typed(), any_typed(), any::<bool>()).prop_map(
        |(both, old, new, was, is, typed)| {
            let with = |more: &[String]| [both.as_slice(), more].concat();
            let is = if typed { is } else { was };
            (policy_of(&with(&old), was), policy_of(&with(&new), is))
        },
    )
}

/// Every question of the grid against what was found when at most so many were asked.
fn held(
    (old, new): &(PolicyDocument, PolicyDocument),
    points: &[Point],
    most: usize,
) -> Result<(), TestCaseError> {
    let (Ok(old), Ok(new)) = (Policy::load(old), Policy::load(new)) else {
        return Err(TestCaseError::reject("does not load"));
    };
    let edges = Edges::of(&old, &new, at(NOON));
    prop_assert!(edges.unreached.is_empty(), "{:?}", edges.unreached);
    let probe::Said { seen, answers: said, total } = probe::ask((&old, &new), &edges, most);
    let asked = seen.len();
    let found = found(seen, &edges);
    let waits = [old.document().addresses.wait_s, new.document().addresses.wait_s];
    let waits = (waits[0].min(waits[1]), waits[0].max(waits[1]));
    let between = |point: &Point| {
        let answers = (point.answer(&old), point.answer(&new));
        let way = Way::between((&answers.0, old.document()), (&answers.1, new.document()));
        (answers, way)
    };
    for asked_for in points {
        let point = asked_for.clone().snapped(&edges);
        // Where no fee is asked about, nothing is answered differently with any that is not with the least.
        if asked == total && edges.fees.is_empty() && asked_for.fee > Some(0) {
            let (answers, way) = between(asked_for);
            prop_assert!(
                way == Way::Same || found.iter().any(|one| point.is_of(one, &edges, waits)),
                "{asked_for:?} is {answers:?} and was not found with the least fee"
            );
        }
        let (answers, way) = between(&point);
        let told: Vec<&Found> =
            found.iter().filter(|one| point.is_of(one, &edges, waits)).collect();
        for one in &told {
            let (was, is) = one.run.answers;
            let both = (said[was].clone(), said[is].clone());
            prop_assert!(
                both == answers && one.run.way == way,
                "{point:?} is {answers:?} and was told to be {both:?}"
            );
        }
        if asked == total {
            prop_assert!(
                way == Way::Same || !told.is_empty(),
                "{point:?} is {answers:?} and was not found"
            );
        }
    }
    Ok(())
}

/// Across a change of the clocks one week lacks an hour, and the other has one twice.
#[test]
fn every_hour_of_every_day_is_asked_about_whenever_clocks_change() {
    let mut zurich = document();
    zurich.zone = "Europe/Zurich".into();
    let policy = load(&zurich);
    // Noon of 31 March, 27 October and 7 July 2026.
    for noon in [1_774_958_400_000, 1_793_102_400_000, 1_783_425_600_000] {
        let (hours, days) = ((0..=23).collect(), (1..=7).collect());
        let all = super::times::moments((&policy, &policy), at(noon), (&hours, &days));
        assert_eq!(all.len(), 7 * 24, "{noon}");
    }
}

#[test]
fn where_decimals_change_the_upper_end_of_both_is_asked_about() {
    let old = document();
    let mut new = old.clone();
    new.assets[1].decimals = 8;
    let edges = Edges::of(&load(&old), &load(&new), at(NOON));
    let (_, amounts) = &edges.assets[&USD.parse::<AssetId>().unwrap()];
    let ends = [6, 8].map(|places| super::edges::base_units(i64::MAX, places).unwrap());
    assert!(ends.iter().all(|end| amounts.contains(end)), "{amounts:?}");
}

/// A coin may have very many limits, and there may be very many fees for each of very many coins.
#[test]
fn what_limits_leave_beside_fees_is_reckoned_no_further_than_it_is_taken() {
    let reckoned = std::cell::Cell::new(0_u32);
    let count = &reckoned;
    let fees = move || {
        (0..1_000_000_u128).map(move |fee| {
            count.set(count.get() + 1);
            Some(Amount::from_u128(fee))
        })
    };
    let limits = std::iter::repeat_n(Amount::from_u128(5), 1_000);
    let left: Vec<Option<Amount>> = super::edges::left(limits, fees).take(7).collect();
    assert_eq!(left.first(), Some(&Some(Amount::from_u128(5))));
    assert_eq!(left.last(), Some(&None), "a fee beyond the limit leaves nothing");
    assert_eq!(reckoned.get(), 7);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_global_rejects: 4096, ..ProptestConfig::default() })]

    #[test]
    fn whatever_two_small_policies_answer_differently_is_found(
        two in two_policies(), points in prop::collection::vec(any_point(), 60),
    ) {
        held(&two, &points, 4_000)?;
    }

    /// Where questions were left out, less is found, and what is found is true of all that it speaks about.
    #[test]
    fn what_is_found_among_few_questions_is_true(
        two in two_policies(), points in prop::collection::vec(any_point(), 60), most in 20..400_usize,
    ) {
        held(&two, &points, most)?;
    }
}
