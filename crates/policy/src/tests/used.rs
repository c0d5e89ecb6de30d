//! How much of a budget is used, for people to look at: the same as the judge counts, at every edge of a window.

use proptest::prelude::*;

use quorate_terms::entry::Charge;
use quorate_terms::policy::{Budget, Dimension, Window};
use quorate_terms::{AgentId, WalletId};

use super::*;
use crate::spent::Total;
use crate::{Claim, Kept, Used, settled, used};

const HOUR: u64 = 3_600_000;

fn budget(window: Window, per: &[Dimension]) -> Budget {
    Budget {
        id: "b".parse().unwrap(),
        asset: USD.parse().unwrap(),
        per: per.iter().copied().collect(),
        wallets: BTreeSet::new(),
        agents: BTreeSet::new(),
        counterparties: BTreeSet::new(),
        window,
        amount: Some(Amount::MAX),
        count: Some(u32::MAX),
    }
}

fn claim(wallet: &str, by: Option<&str>, to: u8, units: Amount) -> Claim {
    let requester = match by {
        Some(name) => {
            Requester::Agent { agent: name.parse().unwrap(), credential: "c".parse().unwrap() }
        }
        None => person(),
    };
    Claim {
        wallet: wallet.parse().unwrap(),
        agent: by.map(|name| name.parse().unwrap()),
        requester,
        counterparty: format!("eip155:1:0x{to:040X}").parse().unwrap(),
        charges: vec![
            Charge { asset: USD.parse().unwrap(), amount: units },
            Charge { asset: ETH.parse().unwrap(), amount: amount("3") },
        ],
    }
}

fn policy(budgets: Vec<Budget>) -> Policy {
    let mut document = with_rules(&["permit (principal, action, resource);"]);
    document.budgets = budgets;
    load(&document)
}

fn all(budget: &Budget, usage: &Usage, now: u64) -> Used {
    used(&policy(vec![budget.clone()]), budget, usage, at(now)).remove(&Kept::default()).unwrap()
}

fn units(n: u64) -> Amount {
    Amount::from_u128(n.into())
}

#[test]
fn a_rolling_window_counts_what_is_less_than_its_length_ago_and_not_a_millisecond_more() {
    let hour = budget(Window::Rolling { seconds: 3600 }, &[]);
    let mut usage = Usage::default();
    usage.reserve(case(1), claim("hot", Some("bot"), 1, units(7)), at(NOON));
    usage.settle(&case(1), at(NOON));
    for (now, spent) in [(NOON, 7), (NOON + HOUR - 1, 7), (NOON + HOUR, 0), (NOON + 2 * HOUR, 0)] {
        assert_eq!(
            all(&hour, &usage, now).spent,
            Total { amount: units(spent), count: u64::from(spent > 0) },
            "{now}"
        );
    }
}

#[test]
fn a_calendar_day_begins_at_midnight_of_the_policy_s_zone_and_not_of_utc() {
    let day = budget(Window::Day, &[]);
    let mut document = with_rules(&["permit (principal, action, resource);"]);
    document.zone = "Asia/Tokyo".to_owned();
    let tokyo = load(&document);
    // 15:00 UTC is midnight in Tokyo.
    let midnight = NOON + 3 * HOUR;
    let mut usage = Usage::default();
    for (number, when) in [(1, midnight - 1), (2, midnight)] {
        usage.reserve(case(number), claim("hot", Some("bot"), 1, units(number)), at(when));
        usage.settle(&case(number), at(when));
    }
    let spent = |now| used(&tokyo, &day, &usage, at(now))[&Kept::default()].spent.amount;
    assert_eq!(spent(midnight), units(2));
    assert_eq!(spent(midnight - 1), units(3), "what is settled later than now still counts");
    assert_eq!(all(&day, &usage, midnight).spent.amount, units(3), "in UTC both are of one day");
}

#[test]
fn what_is_held_counts_however_old_and_stops_when_it_is_given_back_or_settled() {
    let hour = budget(Window::Rolling { seconds: 3600 }, &[]);
    let mut usage = Usage::default();
    usage.reserve(case(1), claim("hot", Some("bot"), 1, units(5)), at(NOON));
    usage.reserve(case(2), claim("hot", Some("bot"), 1, units(6)), at(NOON));
    let later = NOON + 100 * HOUR;
    assert_eq!(all(&hour, &usage, later).held, Total { amount: units(11), count: 2 });
    usage.release(&case(1));
    usage.settle(&case(2), at(later));
    let now = all(&hour, &usage, later);
    assert_eq!((now.held, now.spent), (Total::default(), Total { amount: units(6), count: 1 }));
}

#[test]
fn a_sum_beyond_the_largest_amount_stays_at_it_and_the_judge_refuses_on_it() {
    let day = budget(Window::Day, &[]);
    let mut usage = Usage::default();
    for number in 0..3 {
        usage.reserve(case(number), claim("hot", Some("bot"), 1, Amount::MAX), at(NOON));
        usage.settle(&case(number), at(NOON));
    }
    assert_eq!(all(&day, &usage, NOON).spent, Total { amount: Amount::MAX, count: 3 });
    let mut document = with_rules(&["permit (principal, action, resource);"]);
    document.budgets = vec![day];
    let mut house = House::of(&document).with(|t| t.fee_ceiling = Amount::ZERO);
    house.usage = usage;
    assert!(house.says().contains(&"budget_exceeded".to_owned()), "{:?}", house.says());
}

#[test]
fn a_budget_of_each_intent_uses_nothing_and_an_empty_one_for_all_shows_its_zero() {
    let each = Budget { count: None, ..budget(Window::Each, &[]) };
    let usage = Usage::default();
    assert!(used(&policy(vec![each.clone()]), &each, &usage, at(NOON)).is_empty());
    let day = budget(Window::Day, &[]);
    assert_eq!(all(&day, &usage, NOON), Used::default());
    let apart = budget(Window::Day, &[Dimension::Agent]);
    assert!(used(&policy(vec![apart.clone()]), &apart, &usage, at(NOON)).is_empty());
}

#[test]
fn two_spellings_of_one_recipient_are_one_account_and_fees_count_in_their_own_coin() {
    let mut usage = Usage::default();
    let mut lower = claim("hot", Some("bot"), 171, units(1));
    lower.counterparty = lower.counterparty.as_str().to_ascii_lowercase().parse().unwrap();
    usage.reserve(case(1), claim("hot", Some("bot"), 171, units(1)), at(NOON));
    usage.reserve(case(2), lower, at(NOON));
    let per = budget(Window::Day, &[Dimension::Counterparty]);
    let accounts = used(&policy(vec![per.clone()]), &per, &usage, at(NOON));
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    let fees = Budget { asset: ETH.parse().unwrap(), ..budget(Window::Day, &[]) };
    assert_eq!(
        all(&fees, &usage, NOON).held,
        Total { amount: amount("6"), count: 0 },
        "a fee is no intent"
    );
}

#[test]
fn what_left_is_told_from_a_moment_on_in_order() {
    let mut usage = Usage::default();
    for number in 1..4 {
        usage.reserve(case(number), claim("hot", None, 1, units(number)), at(NOON));
        usage.settle(&case(number), at(NOON + number));
    }
    let left = settled(&usage, &USD.parse().unwrap(), at(NOON + 2));
    let left: Vec<_> = left.into_iter().map(|one| (one.at, one.amount)).collect();
    assert_eq!(left, [(at(NOON + 2), units(2)), (at(NOON + 3), units(3))]);
}

/// Wallet, agent or person, recipient, units, hours ago, and what became of it: 0 held, 1 settled, 2 given back.
fn moves() -> impl Strategy<Value = Vec<(u8, u8, u8, u64, u64, u8)>> {
    prop::collection::vec((0..2_u8, 0..3_u8, 0..2_u8, 1..1000_u64, 0..60_u64, 0..3_u8), 0..40)
}

fn told(moves: &[(u8, u8, u8, u64, u64, u8)]) -> Usage {
    let mut usage = Usage::default();
    let mut moves = moves.to_vec();
    moves.sort_by_key(|one| std::cmp::Reverse(one.4));
    for (number, (wallet, who, to, n, ago, end)) in moves.into_iter().enumerate() {
        let id = case(number as u64);
        let by = ["bot", "other"].get(usize::from(who)).copied();
        let when = at(NOON - ago * HOUR);
        assert!(usage.reserve(
            id,
            claim(["hot", "cold"][usize::from(wallet)], by, to, units(n)),
            when
        ));
        match end {
            0 => {}
            1 => assert!(usage.settle(&id, when)),
            _ => assert!(usage.release(&id)),
        }
    }
    usage
}

proptest! {
    /// Every move stands in exactly one account, once: held, or spent if within the window, or nowhere.
    #[test]
    fn nothing_is_counted_twice_and_nothing_is_lost(moves in moves(), hours in 1..80_u64, per in 0..8_u8) {
        let kinds = [Dimension::Wallet, Dimension::Agent, Dimension::Counterparty];
        let per: Vec<_> = kinds.into_iter().enumerate().filter(|(n, _)| per & (1 << n) != 0).map(|(_, kind)| kind).collect();
        let budget = budget(Window::Rolling { seconds: hours * 3600 }, &per);
        let usage = told(&moves);
        let accounts = used(&policy(vec![budget.clone()]), &budget, &usage, at(NOON));
        let sum = |total: fn(&Used) -> Total| accounts.values().map(total).fold((Amount::ZERO, 0), |sum, one| {
            (sum.0.checked_add(one.amount).unwrap(), sum.1 + one.count)
        });
        let expected = |end: u8, hours: u64| {
            let mine = moves.iter().filter(|one| one.5 == end && one.4 < hours);
            let (n, count) = mine.fold((0, 0), |(n, count), one| (n + one.3, count + 1));
            (units(n), count)
        };
        prop_assert_eq!(sum(|used| used.spent), expected(1, hours));
        prop_assert_eq!(sum(|used| used.held), expected(0, u64::MAX));
    }

    /// What people are shown as used is what the judge holds against the next request.
    #[test]
    fn the_judge_counts_what_is_shown(moves in moves(), hours in 1..80_u64, mask in 0..8_u8, spare in 0..3_u64) {
        let kinds = [Dimension::Wallet, Dimension::Agent, Dimension::Counterparty];
        let per: Vec<_> = kinds.into_iter().enumerate().filter(|(n, _)| mask & (1 << n) != 0).map(|(_, kind)| kind).collect();
        let mut budget = budget(Window::Rolling { seconds: hours * 3600 }, &per);
        budget.count = None;
        let usage = told(&moves);
        let apart = |dimension| per.contains(&dimension);
        let kept = Kept {
            wallet: apart(Dimension::Wallet).then(|| "hot".parse::<WalletId>().unwrap()),
            agent: apart(Dimension::Agent).then(|| "bot".parse::<AgentId>().unwrap()),
            counterparty: apart(Dimension::Counterparty).then(|| "eip155:1:0x0000000000000000000000000000000000000001".parse().unwrap()),
        };
        let shown = used(&policy(vec![budget.clone()]), &budget, &usage, at(NOON)).remove(&kept).unwrap_or_default();
        let sum = shown.spent.amount.checked_add(shown.held.amount).unwrap();
        // One unit is asked: it passes exactly where one is left.
        budget.amount = sum.checked_add(units(spare));
        let mut document = with_rules(&["permit (principal, action, resource);"]);
        document.budgets = vec![budget];
        let mut house = House::of(&document).asks(USD, "1").with(|t| {
            t.fee_ceiling = Amount::ZERO;
            t.to = "eip155:1:0x0000000000000000000000000000000000000001".parse().unwrap();
        });
        house.usage = usage;
        prop_assert_eq!(house.says() == ["allow"], spare > 0, "{:?}", house.says());
    }
}
