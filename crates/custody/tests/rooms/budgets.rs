//! Idempotency, exact budgets, and whatever else may come in any order.

use proptest::prelude::*;
use quorate_custody::{Effect, Event, State};
use quorate_terms::entry::Stage;
use quorate_terms::fact::{CounterpartyCheck, Fate};
use quorate_terms::intent::Action;
use quorate_terms::judgment::Reason;
use quorate_terms::{Amount, CaseId, Digest, Timestamp};

use crate::house::*;

#[test]
fn the_same_intent_a_thousand_times_is_one_case() {
    let mut house = House::new();
    let intent = house.transfer_of(agent("trader"), 50 * MILLI);
    let case = house.file_with_snapshot(&intent);
    let size = house.book.size();
    for round in 0..1_000 {
        if round == 500 {
            let txid = house.sign(&case);
            house.settle(&case, &txid);
        }
        let before = house.book.size();
        assert_eq!(house.file(&intent).unwrap(), case);
        assert_eq!(house.book.size(), before);
    }
    assert_eq!(house.book.size(), size + 3);
    let mut other = house.transfer_of(agent("trader"), 51 * MILLI);
    other.key = intent.key;
    assert_eq!(code(house.file(&other)), "key_reused");
    other.requester = person("op");
    assert!(house.file(&other).is_ok(), "a key belongs to its requester");
}

#[test]
fn t29_a_thousand_requests_at_the_cap_settle_to_exactly_the_cap() {
    let mut house = House::new();
    // An agent may move 5 a day, fees included: ten of 0.49 with a ceiling of 0.01 fit exactly.
    house.pay_through(50 * MILLI);
    house.later(86_400);
    house.compare = false;
    let mut allowed = Vec::new();
    for _ in 0..1_000 {
        let case = house.pay(490 * MILLI);
        allowed.extend(house.book.case(&case).map(|case| case.id));
    }
    assert_eq!(allowed.len(), 10);
    for case in &allowed {
        house.mark(case);
        let event = house.signature(case);
        house.does(event);
        let txid = house.case(case).signed[0].txid.clone();
        house.settle(case, &txid);
    }
    let day = house.now.minus_s(3_600);
    let spent = house.book.usage().total(&coin(CHAIN), day);
    assert_eq!((spent.amount, spent.count), (Amount::from_u128(5_000 * MILLI), 10));
    let own = house.cosigners[0].spent().total(&coin(CHAIN), day);
    assert_eq!(own, spent, "each cosigner's own record says the same");
}

#[test]
fn row_36_and_row_37_neither_a_race_nor_splitting_passes_a_limit() {
    let mut house = House::new();
    let mut open = 0;
    for _ in 0..20 {
        let case = house.pay(3_000 * MILLI);
        open += usize::from(house.book.case(&case).is_some());
    }
    assert_eq!(open, 1, "60 per cent of the cap fit once");
    let mut house = House::new();
    for _ in 0..60 {
        let case = house.pay(90 * MILLI);
        if house.book.case(&case).is_some() {
            let txid = house.sign(&case);
            house.settle(&case, &txid);
        }
    }
    let spent = house.book.usage().total(&coin(CHAIN), NOON).amount;
    assert_eq!(spent, Amount::from_u128(5_000 * MILLI), "fifty of 0.1 with their fees, no more");
}

#[test]
fn t26_a_thousandfold_slip_meets_people_or_the_budget() {
    let mut house = House::new();
    let slip = house.pay(1_000 * 4 * MILLI);
    assert_eq!(house.case(&slip).state, State::AwaitApprovals);
    let slip = house.pay(1_000 * 50 * MILLI);
    assert_eq!(house.outcome(&slip), "Refused");
}

#[test]
fn many_open_cases_of_others_do_not_slow_down_a_filing_and_count_for_nobody_else() {
    let mut house = House::new();
    house.compare = false;
    for number in 0..300 {
        let requester = person(&format!("p-{number}"));
        let intent = house.intent(
            requester.clone(),
            Action::ListAddress {
                account: recipient(),
                beneficiary: serde_json::from_value(serde_json::json!("00".repeat(32))).unwrap(),
                owner_kind: quorate_terms::intent::OwnerKind::Own,
            },
        );
        house.file(&intent).unwrap();
        assert_eq!(house.book.cases_of(&requester).count(), 1);
    }
    assert_eq!(house.book.open_cases().count(), 300);
    house.later(90_000);
    let mut ticks = 0;
    while house.book.open_cases().count() > 0 {
        let closed = house.does(Event::Ticked).records.len();
        assert!(closed <= quorate_custody::limits::CLOSED_PER_TICK_MAX, "row 18: no mass deletion");
        ticks += 1;
    }
    assert_eq!(ticks, 5);
    assert_eq!(house.book.cases_of(&person("p-0")).count(), 0);
}

/// Something that may happen; the numbers choose among what there is.
#[derive(Clone, Debug)]
enum Happening {
    Pay(u16, bool),
    Approve(u8, u8),
    Draft(u8),
    Sign(u8),
    Fail(u8),
    Refuse(u8, bool, bool),
    Publish(u8),
    See(u8, u8),
    Final(u8, u8),
    Replace(u8),
    Cancel(u8),
    Freeze(u8),
    Policy,
    Pass(u16),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::{
        Approve, Cancel, Draft, Fail, Final, Freeze, Pass, Pay, Policy, Publish, Refuse, Replace,
        See, Sign,
    };
    let n = any::<u8>;
    prop_oneof![
        6 => (any::<u16>(), any::<bool>()).prop_map(|(a, b)| Pay(a, b)),
        6 => (n(), n()).prop_map(|(a, b)| Approve(a, b)),
        4 => n().prop_map(Draft),
        8 => n().prop_map(Sign),
        2 => n().prop_map(Fail),
        2 => (n(), any::<bool>(), any::<bool>()).prop_map(|(a, b, c)| Refuse(a, b, c)),
        4 => n().prop_map(Publish),
        2 => (n(), n()).prop_map(|(a, b)| See(a, b)),
        6 => (n(), n()).prop_map(|(a, b)| Final(a, b)),
        3 => n().prop_map(Replace),
        3 => n().prop_map(Cancel),
        1 => n().prop_map(Freeze),
        1 => Just(Policy),
        3 => any::<u16>().prop_map(Pass),
    ]
}

fn pick(house: &House, which: u8) -> Option<CaseId> {
    let ids: Vec<CaseId> = house.book.open_cases().map(|case| case.id).collect();
    let at = usize::from(which).checked_rem(ids.len())?;
    ids.get(at).copied()
}

/// Lets it happen as far as the desk agrees; refusals are fine, void entries are not (`good` insists).
fn happen(house: &mut House, what: &Happening) -> Option<()> {
    let reason = || {
        let text = "so".to_owned();
        Box::new(Reason {
            rule: text.clone(),
            code: text.clone(),
            message: text.clone(),
            next: text,
        })
    };
    match *what {
        Happening::Pay(amount, quick) => {
            let intent = house.transfer_of(agent("trader"), (u128::from(amount) / 20 + 1) * MILLI);
            let snapshot = quick.then(|| house.snapshot(CHAIN));
            let _ = house.event(filed(&intent, snapshot));
        }
        Happening::Approve(which, who) => {
            let case = pick(house, which)?;
            let approval = house.approval(APPROVERS[usize::from(who % 3)], &case);
            let _ = house.event(Event::ApprovalCame(Box::new(approval)));
        }
        Happening::Draft(which) => {
            let case = pick(house, which)?;
            let snapshot = Box::new(house.snapshot(CHAIN));
            let _ = house.event(Event::SnapshotCame { case, snapshot });
        }
        Happening::Sign(which) => {
            let case = pick(house, which)?;
            house.book.case(&case)?.live_draft()?;
            if house.warrant(&case).is_ok() {
                house.mark(&case);
                let event = house.signature(&case);
                let _ = house.event(event);
            }
        }
        Happening::Fail(which) => {
            let case = pick(house, which)?;
            let (phase, cause) = ("2".to_owned(), "timeout".to_owned());
            let culprits = Default::default();
            let _ =
                house.event(Event::RunFailed { case, run: Digest::ZERO, phase, cause, culprits });
        }
        Happening::Refuse(which, east, left) => {
            let case = pick(house, which)?;
            let cosigner = id(if east { "east" } else { "west" });
            let reason = reason();
            let _ = house.event(Event::CosignerRefused { case, cosigner, reason, left });
        }
        Happening::Freeze(who) => {
            let scope = quorate_terms::freeze::Scope::Agent { agent: id("nobody") };
            let freeze = house.freeze(APPROVERS[usize::from(who % 3)], scope);
            let _ = house.event(Event::FreezeCame(Box::new(freeze)));
        }
        Happening::Policy => {
            crate::warrant::change_policy(house);
        }
        Happening::Pass(seconds) => {
            house.later(u64::from(seconds) / 8);
            let _ = house.event(Event::Ticked);
        }
        _ => on_chain(house, what)?,
    }
    Some(())
}

/// What happens to a case once it is signed, or is to be given up.
fn on_chain(house: &mut House, what: &Happening) -> Option<()> {
    match *what {
        Happening::Publish(which) => {
            let case = pick(house, which)?;
            let txid = house.book.case(&case)?.signed.last()?.txid.clone();
            let _ = house.event(Event::Published { case, txid });
        }
        Happening::See(which, stage) => {
            let case = pick(house, which)?;
            let txid = "0x1".to_owned();
            let stages = [Stage::Pending, Stage::Included, Stage::Reorged, Stage::Dropped];
            let stage = stages[usize::from(stage % 4)];
            let _ = house.event(Event::Observed { case, txid, stage, block: None });
        }
        Happening::Final(which, fate) => {
            let case = pick(house, which)?;
            house.book.case(&case)?.live_draft()?;
            let signed = house.book.case(&case)?.signed.first().map(|s| s.txid.clone());
            let fate = [Fate::Settled, Fate::Reverted, Fate::Replaced][usize::from(fate % 3)];
            let txid = signed.unwrap_or_else(|| "0x2".to_owned());
            let fact = Box::new(house.finality(&case, &txid, fate));
            if house.event(Event::FinalityCame { case, fact }).is_ok() {
                house.nonce += 1;
            }
        }
        Happening::Replace(which) => {
            let case = pick(house, which)?;
            let _ = house.replace(&case);
        }
        Happening::Cancel(which) => {
            let case = pick(house, which)?;
            let intent = house.intent(person("op"), Action::Cancel { case });
            let _ = house.event(filed(&intent, None));
        }
        _ => {}
    }
    Some(())
}

/// Every case stands once in the order of filing, and a page goes on where the one before it ended.
fn in_order_of_filing(book: &quorate_custody::Book) -> Result<(), TestCaseError> {
    let open = book.open_cases().map(|case| (case.entries[0], case.id));
    let over = book.closed_cases().map(|(id, case)| (case.entries[0], *id));
    let mut all: Vec<(u64, CaseId)> = open.chain(over).collect();
    all.sort();
    let all: Vec<CaseId> = all.into_iter().rev().map(|(_, id)| id).collect();
    let (every, open): (Vec<CaseId>, Vec<CaseId>) =
        (book.cases_back(None).collect(), book.open_back(None).collect());
    prop_assert_eq!(&every, &all);
    for (at, last) in all.iter().enumerate() {
        let rest = &all[at + 1..];
        prop_assert!(book.cases_back(Some(last)).eq(rest.iter().copied()));
        let wanted = rest.iter().copied().filter(|id| book.case(id).is_some());
        prop_assert!(book.open_back(Some(last)).eq(wanted));
    }
    prop_assert!(open.iter().all(|id| book.case(id).is_some()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_an_honest_desk_writes_nothing_void_and_no_budget_is_passed(
        happenings in prop::collection::vec(happening(), 1..80)
    ) {
        let mut house = House::new();
        house.compare = false;
        for what in &happenings {
            happen(&mut house, what);
            for case in house.book.open_cases() {
                let nonces: Vec<u64> = case.drafts.iter().map(|draft| draft.nonce).collect();
                prop_assert!(nonces.iter().all(|nonce| Some(nonce) == nonces.first()), "drafts conflict");
            }
            let day = Timestamp::from_millis(house.now.as_millis() / 86_400_000 * 86_400_000);
            let total = house.book.usage().total(&coin(CHAIN), day).amount;
            // What is held counts in every window, so it may only be less than the cap and never more.
            prop_assert!(total <= Amount::from_u128(5_000 * MILLI), "{total}");
        }
        prop_assert_eq!(house.book.voids().count(), 0);
        prop_assert_eq!(
            house.book.to_snapshot().unwrap(),
            house.follower.book().to_snapshot().unwrap()
        );
        let snapshot = house.book.to_snapshot().unwrap();
        let restored = quorate_custody::Book::from_snapshot(&house.founding, &snapshot).unwrap();
        prop_assert_eq!(restored.to_snapshot().unwrap(), snapshot);
        in_order_of_filing(&house.book)?;
        prop_assert!(house.book.cases_back(None).eq(restored.cases_back(None)));
    }

    #[test]
    fn no_bytes_make_a_follower_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0_usize..4_000, with in any::<u8>()) {
        use quorate_terms::canonical::Term as _;
        let house = House::founded(charter());
        let mut follower = quorate_custody::Follower::new(
            quorate_custody::Book::new(charter()).unwrap(),
            quorate_ledger::Frontier::default(),
        );
        prop_assert!(follower.follow(&[bytes]).is_err());
        let mut entry = house.entries[0].to_canonical().unwrap();
        let at = at % entry.len();
        entry[at] ^= with;
        let outcome = follower.follow(&[entry]);
        prop_assert!(with == 0 || outcome.is_err() || !outcome.unwrap().voids.is_empty() || follower.book().last_at() != NOON);
    }
}

#[test]
fn effects_are_in_a_fixed_order_and_unscreened_cases_say_so() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    assert_eq!(house.book.pending_effects(), [Effect::Convene(case)]);
    let judged = house.case(&case).judged.clone().unwrap();
    assert_eq!(judged.counterparty_check, CounterpartyCheck::NotPerformed);
}
