//! How a stand-in's word is counted: as the seat's, and never beside it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use quorate_custody::State;
use quorate_terms::approval::Proof;
use quorate_terms::canonical::Term as _;

use super::*;
use crate::authenticator::{Authenticator, Said, view};

#[test]
fn a_stand_in_and_another_approver_suffice_and_a_cosigner_counts_alike() {
    let (mut house, given) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    assert_eq!(counted(&house, &case), "1 of 2 approved");
    house.approve("bo", &case);
    let book = &house.book;
    let votes = house.case(&case).votes(book.charter(), house.now);
    let people: Vec<_> = votes.iter().map(|vote| vote.person.as_str()).collect();
    assert_eq!(people, ["p-sam", "p-bo"]);
    assert_eq!(book.delegation(&given.id).unwrap().phase(house.now), Phase::Standing);
    house.draft(&case);
    house.warrant(&case).unwrap();
    let txid = house.sign(&case);
    house.settle(&case, &txid);
    assert_eq!(house.outcome(&case), "Settled");
}

#[test]
fn both_voices_of_a_seat_are_one() {
    let (mut house, _) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    refused(&mut house, ("sam", "ann"), &case, "duplicate");
    house.approve("ann", &case);
    assert_eq!(counted(&house, &case), "1 of 2 approved");
    assert_eq!(house.case(&case).state, State::AwaitApprovals);
    let votes = house.case(&case).votes(house.book.charter(), house.now);
    assert_eq!(votes.first().unwrap().person.as_str(), "p-ann", "the seat's own word displaces");
    let other = house.pay(1_500 * MILLI);
    house.approve("ann", &other);
    refused(&mut house, ("sam", "ann"), &other, "duplicate");
}

#[test]
fn the_seats_own_no_closes_what_a_stand_in_approved() {
    let (mut house, _) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    let no = word(&house, ("ann", "ann"), &case, Word::Reject);
    house.does(Event::ApprovalCame(Box::new(no)));
    assert_eq!(house.outcome(&case), "Rejected");
    let other = house.pay(1_500 * MILLI);
    let no = word(&house, ("sam", "ann"), &other, Word::Reject);
    house.does(Event::ApprovalCame(Box::new(no)));
    assert_eq!(house.outcome(&other), "Rejected", "a stand-in's no is the seat's");
}

#[test]
fn a_requester_who_stands_in_does_not_count() {
    let (mut house, _) = house();
    for asker in ["p-sam", "p-ann"] {
        let intent = house.transfer_of(person(asker), 1_500 * MILLI);
        let case = house.file_with_snapshot(&intent);
        refused(&mut house, ("sam", "ann"), &case, "own_request");
    }
}

#[test]
fn a_word_by_another_key_than_the_stand_in_s_own_counts_nothing() {
    let (mut house, _) = house();
    let case = house.pay(2_000 * MILLI);
    for signer in ["bo", "ann", "sam-link"] {
        let word = word(&house, ("sam", "ann"), &case, Word::Approve);
        refused_word(&mut house, approval_of(signer, word.body), "bad_signature");
    }
}

#[test]
fn one_person_for_two_seats_is_one() {
    let (mut house, _) = house();
    let mut second = delegation(&house, "bo", "sam-2");
    second.stand_in.person = id("p-sam");
    delegate(&mut house, &second);
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    assert_eq!(says(&mut house, ("sam-2", "bo"), &case), "ok");
    assert_eq!(counted(&house, &case), "1 of 2 approved");
    assert_eq!(house.case(&case).state, State::AwaitApprovals);
    house.approve("cy", &case);
    assert_eq!(house.case(&case).state, State::AwaitSnapshot);
}

#[test]
fn a_stand_ins_own_passkey_counts_at_its_view_and_onwards_only() {
    let phone = Authenticator::new();
    let home = view("home", 7800);
    let mut text = charter();
    text.views = vec![home.clone()];
    let mut house = House::with(text);
    let mut given = delegation(&house, "ann", "sam");
    given.stand_in.passkeys = vec![phone.passkey("sam-phone", &home)];
    let lost = Delegation {
        stand_in: StandIn {
            passkeys: vec![phone.passkey("sam-phone", &view("away", 7801))],
            ..given.stand_in.clone()
        },
        ..given.clone()
    };
    assert_eq!(asked(&mut house, &lost), "bad_delegation");
    delegate(&mut house, &given);
    let said = |house: &House, case: &CaseId, counter| {
        let mut body = house.approval("ann", case).body;
        body.credential = id("sam-phone");
        let assertion = phone.asserts_at(&Said::at(&home, &body.digest().unwrap()), counter);
        Approval { body, proof: Proof::Passkey { view: home.view.clone(), assertion } }
    };
    let first = house.pay(1_500 * MILLI);
    let good = said(&house, &first, 7);
    assert_eq!(code(house.event(Event::ApprovalCame(Box::new(good)))), "ok");
    let party = house.case(&first).votes(house.book.charter(), house.now)[0].party.clone();
    assert_eq!(party, Some(home.operator.clone()), "parties are counted through it");
    let second = house.pay(1_600 * MILLI);
    let back = said(&house, &second, 7);
    assert_eq!(code(house.event(Event::ApprovalCame(Box::new(back)))), "counter_went_back");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is said in whatever order, each seat and each person counts once, and nobody outside a delegation.
    #[test]
    fn whatever_is_said_each_seat_and_each_person_counts_once(
        acts in prop::collection::vec(0_u8..9, 1..12),
    ) {
        let (mut house, given) = house();
        let case = house.pay(2_000 * MILLI);
        for act in acts {
            let _any = match act {
                0 => says(&mut house, ("ann", "ann"), &case),
                1 => says(&mut house, ("bo", "bo"), &case),
                2..=4 => says(&mut house, ("sam", "ann"), &case),
                5 => says(&mut house, ("sam", "bo"), &case),
                6 => {
                    let end = ending(&house, "ann", &given, Ender::Seat);
                    code(house.event(Event::EndingCame(Box::new(end))))
                }
                _ => {
                    house.later(700);
                    String::new()
                }
            };
            let Some(open) = house.book.case(&case) else { break };
            let votes = open.votes(house.book.charter(), house.now);
            let seats: BTreeSet<_> = votes.iter().map(|vote| &vote.approver).collect();
            let people: BTreeSet<_> = votes.iter().map(|vote| &vote.person).collect();
            prop_assert_eq!((seats.len(), people.len()), (votes.len(), votes.len()));
            let stood = votes.iter().any(|vote| vote.person.as_str() == "p-sam");
            let phase = house.book.delegation(&given.id).unwrap().phase(house.now);
            prop_assert!(!stood || phase == Phase::Standing);
            prop_assert_eq!(house.follower.book().case(&case), house.book.case(&case));
        }
    }
}
