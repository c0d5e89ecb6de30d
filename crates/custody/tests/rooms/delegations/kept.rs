//! What is kept of delegations: in the fold's snapshot and in receipts.

use std::collections::BTreeSet;

use quorate_custody::Book;

use super::*;

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
    let held = house.book.receipt_entries(&case, None).unwrap();
    let kind = |index: &u64| {
        let body = &house.entries[usize::try_from(*index).unwrap()].body;
        serde_json::to_value(body).unwrap()["type"].as_str().unwrap().to_owned()
    };
    let kinds: BTreeSet<String> = held.iter().map(kind).collect();
    for wanted in ["Delegated", "DelegationEnded"] {
        assert!(kinds.contains(wanted), "{kinds:?}");
    }
}
