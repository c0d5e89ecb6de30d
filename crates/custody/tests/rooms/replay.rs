//! The past under another policy: the same under the same, exact at the edges, and honest where the book does not tell.

use proptest::prelude::*;
use quorate_custody::Replay;
use quorate_custody::replay::{Report, Row};
use quorate_policy::reach::{Answer, Way};
use quorate_terms::entry::Outcome;
use quorate_terms::fact::Fact;
use quorate_terms::intent::{Action, OwnerKind};
use quorate_terms::policy::{CedarRule, PolicyDocument};
use quorate_terms::{Amount, Timestamp};

use crate::house::*;

/// The whole past of a house under its founding policy, changed.
fn replay(house: &House, change: impl FnOnce(&mut PolicyDocument)) -> Report {
    replay_of(house, change, (Timestamp::ZERO, house.now))
}

fn replay_of(
    house: &House,
    change: impl FnOnce(&mut PolicyDocument),
    window: (Timestamp, Timestamp),
) -> Report {
    let mut other = house.founding.policy.clone();
    change(&mut other);
    let mut replay = Replay::new(house.founding.clone(), &other, window).unwrap();
    for entry in &house.entries {
        replay.take(entry).unwrap();
    }
    replay.report()
}

fn ways(report: &Report) -> Vec<(String, String, Option<Outcome>)> {
    let now = |row: &Row| row.now_said.clone().unwrap_or_else(|| "unknown".to_owned());
    report.rows.iter().map(|row| (row.was_said.clone(), now(row), row.outcome)).collect()
}

fn agent_daily(policy: &mut PolicyDocument, milli: u128) {
    let budget = policy.budgets.iter_mut().find(|budget| budget.id.as_str() == "agent-dev-0");
    budget.unwrap().amount = Some(Amount::from_u128(milli * MILLI));
}

fn rule(id: &str, text: &str) -> CedarRule {
    CedarRule { id: id.parse().unwrap(), text: text.to_owned() }
}

#[test]
fn under_its_own_policy_the_past_is_what_it_was() {
    let mut house = House::new();
    for milli in [50, 90, 3_000, 4_000] {
        house.pay(milli * MILLI);
    }
    let report = replay(&house, |_| {});
    assert!(report.rows.is_empty(), "{:#?}", report.rows);
    assert_eq!((report.looser, report.stricter, report.otherwise, report.unknown), (0, 0, 0, 0));
    // Wallet, credential and four transfers.
    assert_eq!((report.cases, report.then), (6, report.now));
    assert!(report.then.denied >= 1 && report.then.required >= 2, "{report:?}");
    assert_eq!(report.size, house.book.size());
}

#[test]
fn a_tighter_budget_counts_only_what_it_would_have_let_pass() {
    let mut house = House::new();
    // A stranger takes people, so the first payment makes the recipient known; each is charged with a fee ceiling of 10.
    for _ in 0..4 {
        let case = house.pay(80 * MILLI);
        if house.case(&case).signed.is_empty() && house.case(&case).drafts.is_empty() {
            house.approve("ann", &case);
            house.approve("bo", &case);
            house.draft(&case);
        }
        let txid = house.sign(&case);
        house.settle(&case, &txid);
    }
    // 90 each: three fit in 270, the fourth does not.
    let report = replay(&house, |policy| agent_daily(policy, 270));
    assert_eq!(report.stricter, 1, "{:#?}", ways(&report));
    let [row] = report.rows.as_slice() else { panic!("{report:#?}") };
    assert_eq!((&row.was, &row.now), (&Answer::Allow, &Some(Answer::Deny)));
    assert_eq!(row.outcome, Some(Outcome::Settled), "it is told that it was paid then");
    assert!(row.reasons.iter().any(|reason| reason.code == "budget_exceeded"), "{row:?}");
    // One unit less, and two are left: the third was refused, so it did not count against the fourth.
    let report = replay(&house, |policy| {
        let budget = policy.budgets.iter_mut().find(|b| b.id.as_str() == "agent-dev-0").unwrap();
        budget.amount = Some(Amount::from_u128(270 * MILLI - 1));
    });
    assert_eq!(report.stricter, 2, "{:#?}", ways(&report));
}

#[test]
fn what_was_refused_and_would_pass_counts_from_its_filing() {
    let mut house = House::new();
    // 5,000 a day: each of these is more.
    for _ in 0..3 {
        house.pay(6_000 * MILLI);
    }
    let report = replay(&house, |policy| {
        agent_daily(policy, 13_000);
        for budget in &mut policy.budgets {
            if budget.id.as_str().starts_with("vault-dev") {
                budget.amount = Some(Amount::MAX);
            }
        }
    });
    // Two fit, and the third is refused still.
    assert_eq!((report.looser, report.now.denied), (2, 1), "{:#?}", ways(&report));
    assert!(report.rows.iter().all(|row| row.was == Answer::Deny && row.way == Some(Way::Looser)));
}

#[test]
fn the_window_takes_in_both_of_its_ends_and_nothing_beyond() {
    let mut house = House::new();
    let mut times = Vec::new();
    for _ in 0..3 {
        house.later(3_600);
        house.pay(50 * MILLI);
        times.push(house.now);
    }
    let deny = |policy: &mut PolicyDocument| {
        policy.rules.push(rule("none", "forbid (principal is Agent, action, resource);"));
    };
    let count = |from: Timestamp, to: Timestamp| replay_of(&house, deny, (from, to)).cases;
    let one =
        |at: Timestamp, by: i64| Timestamp::from_millis(at.as_millis().saturating_add_signed(by));
    assert_eq!(count(times[0], times[2]), 3);
    assert_eq!(count(times[1], times[1]), 1);
    assert_eq!(count(one(times[0], 1), one(times[2], -1)), 1);
    let refused = Replay::new(house.founding.clone(), &house.founding.policy, (times[1], times[0]));
    assert_eq!(refused.unwrap_err().code, "no_window");
}

#[test]
fn what_the_past_did_not_record_is_said_to_be_unknown() {
    let mut house = House::new();
    house.pay(50 * MILLI);
    let worth = "forbid (principal is Agent, action, resource) unless { context has value_cents && context.value_cents <= 500 };";
    let report = replay(&house, |policy| policy.rules.push(rule("worth", worth)));
    let [row] = report.rows.as_slice() else { panic!("{report:#?}") };
    assert_eq!(row.unknown.iter().collect::<Vec<_>>(), ["what the amount was worth"]);
    assert_eq!((report.unknown, row.now.clone()), (1, Some(Answer::Deny)));
    assert!(report.caveats().iter().any(|said| said.starts_with("Of 1 cases")));
}

#[test]
fn facts_that_would_have_been_too_old_leave_the_answer_open() {
    let mut house = House::new();
    let price = |house: &House| {
        house.fact(
            "price-1",
            Fact::Price { asset: coin(CHAIN), decimals: 18, micro: Amount::from_u128(2_000_000) },
        )
    };
    let fact = price(&house);
    house.later(120);
    let intent = house.transfer_of(agent("trader"), 50 * MILLI);
    let quorate_custody::Event::Filed { intent, screening, snapshot, .. } = filed(&intent, None)
    else {
        panic!()
    };
    house.does(quorate_custody::Event::Filed { intent, facts: vec![fact], screening, snapshot });
    let report = replay(&house, |policy| policy.limits.fact_age_s = 60);
    let [row] = report.rows.as_slice() else { panic!("{report:#?}") };
    assert_eq!((&row.now, &row.way, report.unknown), (&None, &None, 1));
    assert!(row.unknown.iter().any(|what| what.contains("stale")), "{row:?}");
    assert!(replay(&house, |_| {}).rows.is_empty());
}

#[test]
fn another_waiting_time_moves_when_a_listed_recipient_could_have_been_paid() {
    let mut house = House::new();
    let to = transfer(1).to;
    let opening =
        quorate_terms::commitment::Opening::new([7; 16], "intent.beneficiary", "shop").unwrap();
    house.administer(Action::ListAddress {
        account: to,
        beneficiary: opening.commitment().unwrap(),
        owner_kind: OwnerKind::ThirdParty,
    });
    house.later(1_800);
    house.pay(50 * MILLI);
    assert_eq!(replay(&house, |_| {}).then.denied, 1, "an hour is not over");
    let report = replay(&house, |policy| policy.addresses.wait_s = 1_800);
    assert_eq!((report.looser, report.now.denied), (1, 0), "{:#?}", ways(&report));
    let report = replay(&house, |policy| policy.addresses.wait_s = 1_801);
    assert_eq!(report.looser, 0);
}

#[test]
fn changes_that_no_policy_weighs_are_left_out_and_that_is_said() {
    let mut house = House::new();
    let mut policy = house.book.policy().document().clone();
    policy.version += 1;
    policy.previous = Some(house.book.policy().digest());
    policy.limits.open_cases += 1;
    house.administer(Action::ChangePolicy { policy: Box::new(policy) });
    house.pay(50 * MILLI);
    let report = replay(&house, |_| {});
    assert_eq!((report.beyond, report.cases, report.rows.len()), (1, 3, 0));
    assert!(report.caveats().iter().any(|said| said.contains("no policy weighs them")));
}

#[test]
fn a_policy_of_another_vault_and_an_entry_out_of_order_are_refused() {
    let house = House::new();
    let mut other = house.founding.policy.clone();
    other.vault = "another".parse().unwrap();
    let window = (Timestamp::ZERO, house.now);
    assert_eq!(
        Replay::new(house.founding.clone(), &other, window).unwrap_err().code,
        "wrong_vault"
    );
    other = house.founding.policy.clone();
    other.rules.push(rule("broken", "permit"));
    assert_eq!(Replay::new(house.founding.clone(), &other, window).unwrap_err().code, "bad_policy");
    let mut replay = Replay::new(house.founding.clone(), &house.founding.policy, window).unwrap();
    assert_eq!(replay.take(&house.entries[1]).unwrap_err().code, "broken_chain");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What the book answered, the fold of the book under the same policy answers again, whatever was asked.
    #[test]
    fn the_past_under_its_own_policy_never_differs(amounts in prop::collection::vec(1..6_000_u64, 1..8)) {
        let mut house = House::new();
        house.compare = false;
        for milli in &amounts {
            house.later(600);
            house.pay(u128::from(*milli) * MILLI);
        }
        let same = replay(&house, |_| {});
        prop_assert!(same.rows.is_empty() && same.left_out == 0);
    }
}
