//! Exact budgets and the fold of usage.

use quorate_terms::entry::Charge;
use quorate_terms::policy::{Budget, Dimension, Window};

use proptest::prelude::*;

use super::*;
use crate::Claim;

fn budget(window: Window, limit: Option<&str>, count: Option<u32>) -> Budget {
    Budget {
        id: "b".parse().unwrap(),
        asset: USD.parse().unwrap(),
        per: BTreeSet::new(),
        wallets: BTreeSet::new(),
        agents: BTreeSet::new(),
        counterparties: BTreeSet::new(),
        window,
        amount: limit.map(amount),
        count,
    }
}

fn house(budgets: Vec<Budget>) -> House {
    let mut document = with_rules(&["permit (principal, action, resource);"]);
    document.budgets = budgets;
    let mut house = House::of(&document).with(|t| t.fee_ceiling = Amount::ZERO);
    house.facts.credential_expires_at = Some(at(NOON * 2));
    house
}

fn units(mut house: House, units: &str) -> House {
    if let Action::Transfer(transfer) = &mut house.intent.action {
        transfer.amount = amount(units);
    }
    house
}

const DAY: u64 = 86_400_000;

#[test]
fn t29_a_thousand_requests_at_the_cap_settle_to_exactly_the_cap() {
    let day = Window::Rolling { seconds: 86_400 };
    // 1,000 requests of 7 against 1,001: 143 fit exactly.
    let mut house = units(house(vec![budget(day, Some("1001"), None)]), "7");
    let allowed: Vec<u64> = (0..1000).filter(|n| house.spend(*n)).collect();
    assert_eq!(allowed.len(), 143);
    for number in &allowed {
        assert!(house.usage.settle(&case(*number), at(NOON + number)));
    }
    let asset = USD.parse().unwrap();
    assert_eq!(house.usage.total(&asset, at(0)).amount, amount("1001"), "exactly the cap");
    assert!(!house.spend(5000));
}

#[test]
fn row_36_of_a_hundred_intents_of_sixty_percent_exactly_one_passes() {
    let mut house = units(house(vec![budget(Window::Day, Some("100"), None)]), "60");
    assert_eq!((0..100).filter(|n| house.spend(*n)).count(), 1);
}

#[test]
fn windows_end_where_they_should() {
    let check = |window: Window, zone: &str, spent: u64, asked: u64, fits: bool| {
        let mut document = with_rules(&["permit (principal, action, resource);"]);
        document.budgets = vec![budget(window.clone(), Some("10"), None)];
        document.zone = zone.into();
        let mut house = units(House::of(&document).with(|t| t.fee_ceiling = Amount::ZERO), "10");
        house.facts.credential_expires_at = Some(at(NOON * 2));
        house.at = at(spent);
        assert!(house.spend(1));
        assert!(house.usage.settle(&case(1), at(spent)));
        house.at = at(asked);
        assert_eq!(house.spend(2), fits, "{window:?} {zone} {spent} {asked}");
    };
    let rolling = Window::Rolling { seconds: 60 };
    check(rolling.clone(), "UTC", NOON, NOON + 59_999, false);
    check(rolling, "UTC", NOON, NOON + 60_000, true);
    let midnight = NOON + DAY / 2;
    check(Window::Day, "UTC", midnight - 1, midnight - 1, false);
    check(Window::Day, "UTC", midnight - 1, midnight, true);
    check(Window::Day, "America/New_York", midnight - 1, midnight, false);
    // Wednesday 2026-01-07; Monday is the 12th, February begins 25 days later.
    check(Window::Week, "UTC", NOON, midnight + 4 * DAY - 1, false);
    check(Window::Week, "UTC", NOON, midnight + 4 * DAY, true);
    check(Window::Month, "UTC", NOON, midnight + 24 * DAY - 1, false);
    check(Window::Month, "UTC", NOON, midnight + 24 * DAY, true);
    check(Window::Each, "UTC", NOON, NOON, true);
}

#[test]
fn a_day_of_twenty_three_hours_is_one_day() {
    // Zurich, 2026-03-29: 00:00 is 23:00Z on the 28th, the next midnight is 22:00Z on the 29th.
    let zone = crate::calendar::zone("Europe/Zurich").unwrap();
    let noon = 1_774_778_400_000; // 2026-03-29T10:00:00Z
    let start = |millis| crate::calendar::start(&Window::Day, at(millis), &zone).unwrap().unwrap();
    assert_eq!(start(noon), at(noon - 11 * 3_600_000));
    assert_eq!(start(noon + 12 * 3_600_000 - 1), at(noon - 11 * 3_600_000));
    assert_eq!(start(noon + 12 * 3_600_000), at(noon + 12 * 3_600_000));
}

#[test]
fn a_reservation_counts_however_old_it_is_until_it_is_released() {
    let mut house = units(house(vec![budget(Window::Day, Some("10"), None)]), "10");
    assert!(house.spend(1));
    house.at = at(NOON + 40 * DAY);
    assert!(!house.spend(2), "waiting makes no room");
    house.exclude = Some(case(1));
    assert!(!house.judge().judgment.is_deny(), "a case is not counted against itself");
    house.exclude = None;
    assert!(house.usage.is_open(&case(1)));
    assert!(house.usage.release(&case(1)));
    assert!(!house.usage.release(&case(1)));
    assert!(house.spend(2));
}

#[test]
fn spending_counts_from_the_later_of_judgment_and_settlement() {
    let mut house = units(house(vec![budget(Window::Day, Some("10"), None)]), "10");
    assert!(house.spend(1));
    house.usage.settle(&case(1), at(NOON + DAY));
    house.at = at(NOON + DAY);
    assert!(!house.spend(2));
    house.at = at(NOON + 2 * DAY);
    assert!(house.spend(3));
    house.usage.settle(&case(3), at(0));
    assert!(!house.spend(4), "a backdated settlement makes no room");
}

#[test]
fn a_case_that_cost_only_its_fee_gives_the_rest_back() {
    let mut house = units(house(vec![budget(Window::Day, Some("10"), None)]), "10");
    assert!(house.spend(1));
    let spent = |units| vec![Charge { asset: USD.parse().unwrap(), amount: amount(units) }];
    assert!(house.usage.settle_at_most(&case(1), &spent("4"), house.at));
    assert_eq!(house.usage.total(&USD.parse().unwrap(), at(0)).amount, amount("4"));
    let mut house = units(house, "6");
    assert!(house.spend(2));
    assert!(house.usage.settle_at_most(&case(2), &spent("999"), house.at), "held at the claim");
    assert_eq!(house.usage.total(&USD.parse().unwrap(), at(0)).amount, amount("10"));
}

#[test]
fn row_37_splitting_a_payment_does_not_evade_the_sum_or_the_count() {
    let mut house =
        units(house(vec![budget(Window::Rolling { seconds: 60 }, Some("10"), None)]), "1");
    assert_eq!((0..50).filter(|n| house.spend(*n)).count(), 10);
    let mut house = units(self::house(vec![budget(Window::Day, Some("1000"), Some(3))]), "1");
    assert_eq!((0..50).filter(|n| house.spend(*n)).count(), 3);
    assert_eq!(house.says(), ["budget_count_exceeded"]);
}

#[test]
fn budgets_keep_apart_what_they_are_told_to() {
    let other = "eip155:1:0x00000000000000000000000000000000000000bb";
    // Which change of the second transfer finds a fresh account.
    for (per, wallet, agent, counterparty) in [
        (None, false, false, false),
        (Some(Dimension::Wallet), true, false, false),
        (Some(Dimension::Agent), false, true, false),
        (Some(Dimension::Counterparty), false, false, true),
    ] {
        let one = || {
            let mut budget = budget(Window::Day, Some("10"), None);
            budget.per.extend(per);
            let mut house = units(house(vec![budget]), "10");
            assert!(house.spend(1));
            assert!(!house.spend(2));
            house
        };
        let mut house = one().with(|t| t.wallet = "cold".parse().unwrap());
        house.facts.credential_wallets.insert("cold".parse().unwrap());
        assert_eq!(house.spend(3), wallet, "{per:?}");
        let mut house = one();
        house.intent.requester =
            Requester::Agent { agent: "b2".parse().unwrap(), credential: "c2".parse().unwrap() };
        assert_eq!(house.spend(4), agent, "{per:?}");
        assert_eq!(one().with(|t| t.to = other.parse().unwrap()).spend(5), counterparty, "{per:?}");
        let respelled = SHOP.to_ascii_lowercase();
        assert!(
            !one().with(|t| t.to = respelled.parse().unwrap()).spend(6),
            "spelling is no new account"
        );
    }
}

#[test]
fn a_budget_binds_only_those_it_names_and_covers_only_them() {
    let narrow = |change: fn(&mut Budget)| {
        let mut b = budget(Window::Day, Some("10"), None);
        change(&mut b);
        units(house(vec![b]), "10")
    };
    assert_eq!(narrow(|b| _ = b.agents.insert("bot".parse().unwrap())).says(), ["allow"]);
    assert_eq!(narrow(|b| _ = b.agents.insert("x".parse().unwrap())).says(), ["no_budget"]);
    assert_eq!(narrow(|b| _ = b.wallets.insert("hot".parse().unwrap())).says(), ["allow"]);
    assert_eq!(narrow(|b| _ = b.wallets.insert("x".parse().unwrap())).says(), ["no_budget"]);
    let shop = SHOP.to_ascii_lowercase();
    let mut b = budget(Window::Day, Some("10"), None);
    b.counterparties.insert(shop.parse().unwrap());
    assert_eq!(units(house(vec![b]), "10").says(), ["allow"]);
    let x = |b: &mut Budget| _ = b.counterparties.insert("eip155:1:0xbb".parse().unwrap());
    assert_eq!(narrow(x).says(), ["no_budget"]);
}

#[test]
fn an_agent_without_a_budget_is_denied_and_a_person_is_not() {
    let mut none = house(Vec::new());
    assert_eq!(none.says(), ["no_budget"]);
    none.intent.requester = person();
    assert_eq!(none.says(), ["allow"]);
    let count_only = house(vec![budget(Window::Day, None, Some(5))]);
    assert_eq!(count_only.says(), ["no_budget"], "a count limits no sum");
}

#[test]
fn native_budgets_count_the_fee_ceilings_of_token_transfers() {
    let mut coin = budget(Window::Day, Some("10"), Some(1));
    coin.asset = ETH.parse().unwrap();
    let token = Budget { id: "token".parse().unwrap(), ..budget(Window::Day, Some("1000"), None) };
    let fee = |fee: &str| {
        let fee = amount(fee);
        units(house(vec![coin.clone(), token.clone()]), "1").with(|t| t.fee_ceiling = fee)
    };
    assert_eq!(fee("11").says(), ["budget_exceeded"]);
    let mut house = fee("5");
    assert!(house.spend(1) && house.spend(2), "fees use the coin's sum, not its count");
    assert!(!house.spend(3));
    let native = |fee: &str| {
        let fee = amount(fee);
        units(self::house(vec![coin.clone()]), "1")
            .with(|t| t.asset = ETH.parse().unwrap())
            .with(|t| t.amount = amount("6"))
            .with(|t| t.fee_ceiling = fee)
    };
    assert_eq!(native("4").says(), ["allow"]);
    assert_eq!(native("5").says(), ["budget_exceeded"]);
    let uncovered =
        units(self::house(vec![token.clone()]), "1").with(|t| t.fee_ceiling = amount("1"));
    assert_eq!(uncovered.says(), ["no_budget"], "an agent's fees need a budget too");
}

#[test]
fn sums_beyond_all_amounts_are_over_budget() {
    let mut house = units(house(vec![budget(Window::Day, Some("10"), None)]), "10");
    let claim = |units: Amount| Claim {
        charges: vec![Charge { asset: USD.parse().unwrap(), amount: units }],
        ..house.judge().claim.unwrap()
    };
    let (a, b) = (claim(Amount::MAX), claim(Amount::MAX));
    house.usage.reserve(case(1), a, at(NOON));
    house.usage.reserve(case(2), b, at(NOON));
    house.usage.settle(&case(1), at(NOON));
    assert_eq!(house.says(), ["budget_exceeded"]);
}

#[test]
fn the_first_claim_of_a_case_stands() {
    let mut house = units(house(vec![budget(Window::Day, Some("10"), None)]), "10");
    assert!(house.spend(1));
    let other = Claim { charges: Vec::new(), ..house.usage.claim(&case(1)).unwrap().clone() };
    assert!(!house.usage.reserve(case(1), other, at(NOON)));
    assert_eq!(house.usage.claim(&case(1)).unwrap().charges[0].amount, amount("10"));
    assert_eq!(house.usage.held_by(&agent()), 1);
}

/// A hundred thousand settled cases, one a minute.
fn long_history() -> House {
    let mut day = budget(Window::Day, Some("100000000"), None);
    day.per.insert(Dimension::Agent);
    let month = Budget {
        id: "m".parse().unwrap(),
        ..budget(Window::Month, Some("100000000"), Some(90_000))
    };
    let mut house = units(house(vec![day, month]), "1");
    let claim = house.judge().claim.unwrap();
    for number in 0..100_000 {
        house.usage.reserve(case(number), claim.clone(), at(NOON + number * 1000));
        house.usage.settle(&case(number), at(NOON + number * 1000));
    }
    house.at = at(NOON + 100_000_000);
    house
}

#[test]
fn a_long_history_is_summed_from_chunks_and_exactly() {
    let house = long_history();
    let asset = USD.parse().unwrap();
    for from in
        [0, NOON, NOON + 1, NOON + 511_000, NOON + 512_000, NOON + 50_000_500, NOON + 99_999_001]
    {
        let plain = (0..100_000_u64).filter(|n| NOON + n * 1000 >= from).count();
        assert_eq!(house.usage.total(&asset, at(from)).count, plain as u64, "{from}");
    }
    // A year of questions over a hundred thousand cases: with a plain scan this test would take minutes.
    for _ in 0..2_000 {
        assert_eq!(house.says(), ["budget_count_exceeded"]);
    }
}

#[test]
fn what_no_window_can_see_any_more_is_forgotten() {
    let mut house = long_history();
    let claim = Claim {
        charges: vec![Charge { asset: USD.parse().unwrap(), amount: amount("1") }],
        ..{
            let mut fresh = units(self::house(vec![budget(Window::Day, Some("10"), None)]), "1");
            fresh.at = at(NOON);
            fresh.judge().claim.unwrap()
        }
    };
    house.usage.reserve(case(999_999), claim, at(NOON + 400 * DAY));
    house.usage.settle(&case(999_999), at(NOON + 400 * DAY));
    assert!(house.usage.total(&USD.parse().unwrap(), at(0)).count < 512);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The same acts give the same fold; a fold that was written and read again answers the same.
    #[test]
    fn usage_is_a_deterministic_fold_that_survives_a_snapshot(acts in prop::collection::vec((0..3_u8, 0..40_u64, 1..50_u64), 1..200)) {
        let mut house = units(house(vec![budget(Window::Rolling { seconds: 30 }, Some("100"), None)]), "1");
        let template = house.judge().claim.unwrap();
        let mut plain: Vec<(u64, u64)> = Vec::new();
        let mut held = std::collections::BTreeMap::new();
        let mut now = NOON;
        for (act, number, units) in acts {
            now += units * 100;
            match act {
                0 => {
                    let charges = vec![Charge { asset: USD.parse().unwrap(), amount: Amount::from_u128(units.into()) }];
                    if house.usage.reserve(case(number), Claim { charges, ..template.clone() }, at(now)) {
                        held.insert(number, units);
                    }
                }
                1 => {
                    if house.usage.settle(&case(number), at(now)) {
                        plain.push((now, held.remove(&number).unwrap()));
                    }
                }
                _ => prop_assert_eq!(house.usage.release(&case(number)), held.remove(&number).is_some()),
            }
            let from = now.saturating_sub(3000);
            let sum: u64 = plain.iter().filter(|(when, _)| *when >= from).map(|(_, u)| u).sum::<u64>() + held.values().sum::<u64>();
            prop_assert_eq!(house.usage.total(&USD.parse().unwrap(), at(from)).amount, Amount::from_u128(sum.into()));
        }
        let bytes = serde_json::to_vec(&house.usage).unwrap();
        let back: Usage = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&back, &house.usage);
        prop_assert_eq!(serde_json::to_vec(&back).unwrap(), bytes);
        let before = house.judge();
        house.usage = back;
        prop_assert_eq!(house.judge(), before);
    }

    /// Whatever is asked in whatever order, what is allowed never exceeds the budget.
    #[test]
    fn row_37_no_order_of_requests_exceeds_the_budget(asks in prop::collection::vec((1..60_u64, 0..3000_u64), 1..60)) {
        let mut house = house(vec![budget(Window::Rolling { seconds: 10 }, Some("100"), None)]);
        let mut allowed: Vec<(u64, u64)> = Vec::new();
        let mut now = NOON;
        for (number, (units, step)) in asks.into_iter().enumerate() {
            now += step;
            house = self::units(house, &units.to_string());
            house.at = at(now);
            if house.spend(number as u64) {
                house.usage.settle(&case(number as u64), at(now));
                allowed.push((now, units));
            }
            let sum: u64 = allowed.iter().filter(|(when, _)| now - when < 10_000).map(|(_, u)| u).sum();
            prop_assert!(sum <= 100, "{sum}");
        }
    }
}
