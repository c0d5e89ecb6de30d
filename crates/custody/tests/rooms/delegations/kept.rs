//! What is kept of delegations: in the fold's snapshot and in receipts.

use std::collections::BTreeSet;

use quorate_custody::Book;

use super::*;

/// The kinds of the entries in the receipt of a case.
fn held(house: &House, case: &CaseId) -> BTreeSet<String> {
    let kind = |index: &u64| {
        let body = &house.entries[usize::try_from(*index).unwrap()].body;
        serde_json::to_value(body).unwrap()["type"].as_str().unwrap().to_owned()
    };
    house.book.receipt_entries(case, None).unwrap().iter().map(kind).collect()
}

#[test]
fn a_fold_with_delegations_comes_back_from_its_snapshot() {
    let (mut house, _) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    let bytes = house.book.to_snapshot().unwrap();
    let restored = Book::from_snapshot(&house.founding, &bytes).unwrap();
    assert_eq!(restored.to_snapshot().unwrap(), bytes);
    assert_eq!(restored.case(&case), house.book.case(&case));
}

#[test]
fn a_receipt_holds_who_stood_in_and_how_it_ended() {
    let (mut house, given) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    let end = ending(&house, "sam", &given, Ender::StandIn);
    house.does(Event::EndingCame(Box::new(end)));
    let kinds = held(&house, &case);
    for wanted in ["Delegated", "DelegationEnded"] {
        assert!(kinds.contains(wanted), "{kinds:?}");
    }
}

/// Whether the receipt of a case names a delegation in any way.
fn names_any(house: &House, case: &CaseId) -> bool {
    held(house, case).iter().any(|kind| kind.starts_with("Delegat"))
}

#[test]
fn an_old_delegation_stands_in_no_later_receipt_and_a_new_one_in_no_earlier() {
    let mut house = House::new();
    let earlier = house.pay_through(50 * MILLI);
    house.later(1);
    let given = delegation(&house, "ann", "sam");
    delegate(&mut house, &given);
    let during = house.pay(2_000 * MILLI);
    house.later(1);
    let end = ending(&house, "sam", &given, Ender::StandIn);
    house.does(Event::EndingCame(Box::new(end)));
    house.later(1);
    let later = house.pay(50 * MILLI);
    assert!(!names_any(&house, &earlier), "it was granted after the case had ended");
    assert!(names_any(&house, &during), "nobody spoke under it, but somebody might have");
    assert!(!names_any(&house, &later), "it was taken back before the case was filed");
}

#[test]
fn a_delegation_whose_time_was_over_stands_in_no_later_receipt_written_down_or_not() {
    let (mut house, given) = house();
    house.later(AWAY_S);
    let case = house.pay(50 * MILLI);
    assert!(!names_any(&house, &case));
    house.does(Event::Ticked);
    assert!(house.book.delegation(&given.id).unwrap().ended.is_some());
    assert!(!names_any(&house, &case), "its end is written down after the case was filed");
}
