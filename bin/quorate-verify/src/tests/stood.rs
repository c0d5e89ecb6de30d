//! Receipts of cases in which somebody stood in for a seat.

use quorate_terms::Term as _;
use quorate_terms::delegation::{Delegation, StandIn};
use quorate_terms::entry::{CharterActivated, CharterApproved, Delegated, DelegationEnded};
use quorate_terms::intent::{Intent, Requester};
use quorate_terms::{CaseId, Timestamp};

use super::*;
use crate::stood::Stood;

const SAM: u8 = 45;
/// Where the first approval stands in the true story, and where the draft does, once the delegation stands before them.
const FIRST: usize = 5;
const DRAFT: usize = 7;

/// Somebody with the key of this seed stands in for a seat, until so many milliseconds.
fn delegation(seat: &str, seed: u8, until: u64) -> Delegation {
    Delegation {
        id: id(&format!("leave-{seed}")),
        seat: id(seat),
        stand_in: StandIn {
            person: id("p-sam"),
            credential: id(&format!("k-{seed}")),
            key: key(seed),
            link: key(seed.wrapping_add(100)),
            passkeys: Vec::new(),
        },
        from: Timestamp::from_millis(1),
        until: Timestamp::from_millis(until),
        above: None,
    }
}

fn granted(delegation: &Delegation) -> Body {
    let case = CaseId::of_intent(Digest::ZERO);
    Body::Delegated(Box::new(Delegated { delegation: delegation.clone(), case }))
}

fn taken_back(delegation: &str) -> Body {
    Body::DelegationEnded(Box::new(DelegationEnded {
        id: id(delegation),
        by: "case".into(),
        cause: "taken_back".into(),
        signed: None,
        case: Some(CaseId::of_intent(Digest::ZERO)),
    }))
}

/// A stand-in's word for a seat.
fn word(seat: &str, seed: u8, verdict: Word) -> Body {
    let Body::Approved(mut approved) = approved(seat, seed, verdict, 80_000) else {
        panic!("another kind")
    };
    approved.credential = id(&format!("k-{seed}"));
    let body = &mut approved.approval.body;
    body.credential = approved.credential.clone();
    let signature = sign(seed, body.digest().unwrap().as_bytes());
    approved.approval.proof = Proof::Ed25519 { signature };
    Body::Approved(approved)
}

/// The true story, but that sam approves for ann.
fn told(delegation: &Delegation) -> Vec<Body> {
    let mut bodies = story();
    bodies.insert(1, granted(delegation));
    bodies[FIRST] = word("ann", SAM, Word::Approve);
    bodies
}

fn check(bodies: Vec<Body>, what: &str, expected: Verdict, words: &str) {
    check_report(&verify(bodies), what, expected, words);
}

fn check_report(report: &Report, what: &str, expected: Verdict, words: &str) {
    let text = report.to_text(false);
    assert!(verdicts(report, what).contains(&expected), "{what}\n{text}");
    assert_eq!(report.is_refuted(), expected == Verdict::Refuted, "{text}");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains(words), "{words}\n{text}");
}

#[test]
fn a_receipt_names_who_stood_in_and_counts_the_word_as_the_seat_s() {
    let bodies = told(&delegation("ann", SAM, 60_000));
    check(bodies.clone(), "agreement", Verdict::Proven, "ann (p-sam standing in) yes");
    check(bodies, "delegations", Verdict::Proven, "`leave-45`: p-sam for ann");
}

#[test]
fn a_word_before_the_beginning_or_after_the_end_or_without_its_delegation_is_no_approval() {
    check(
        told(&delegation("ann", SAM, 10_000)),
        "approvals",
        Verdict::Refuted,
        "while delegation `leave-45` did not stand",
    );
    let mut late = delegation("ann", SAM, 60_000);
    late.from = Timestamp::from_millis(11_000);
    check(told(&late), "approvals", Verdict::Refuted, "did not stand");
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    let late = bodies.remove(1);
    check(bodies.clone(), "approvals", Verdict::Refuted, "is not `ann`'s");
    bodies.insert(FIRST, late);
    check(bodies, "approvals", Verdict::Refuted, "is not `ann`'s");
}

#[test]
fn a_word_given_in_time_lapses_with_the_delegation() {
    let bodies = told(&delegation("ann", SAM, 14_000));
    check(bodies, "agreement", Verdict::Refuted, "1 of 2 needed");
    check(told(&delegation("ann", SAM, 14_001)), "agreement", Verdict::Proven, "2 of 2 needed");
}

#[test]
fn a_delegation_that_was_taken_back_before_the_draft_counts_nothing() {
    for (at, expected, words) in [
        (FIRST, Verdict::Refuted, "did not stand"),
        (DRAFT, Verdict::Refuted, "1 of 2 needed"),
        (DRAFT + 1, Verdict::Proven, "2 of 2 needed"),
    ] {
        let mut bodies = told(&delegation("ann", SAM, 60_000));
        bodies.insert(at, taken_back("leave-45"));
        let what = if at == FIRST { "approvals" } else { "agreement" };
        check(bodies, what, expected, words);
    }
}

#[test]
fn above_the_limit_the_seat_itself_must_speak() {
    for (limit, what, expected) in
        [(1_100_000, "agreement", Verdict::Proven), (1_099_999, "approvals", Verdict::Refuted)]
    {
        let mut given = delegation("ann", SAM, 60_000);
        let asset = id("eip155:31337/slip44:60");
        given.above = Some([(asset, Amount::from_u128(limit))].into());
        check(told(&given), what, expected, "");
    }
}

#[test]
fn both_voices_of_a_seat_are_one_and_the_seat_s_no_stands() {
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    bodies[FIRST + 1] = approved("ann", 41, Word::Approve, 80_000);
    check(bodies, "agreement", Verdict::Refuted, "1 of 2 needed");
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    bodies.insert(DRAFT, approved("ann", 41, Word::Reject, 80_000));
    check(bodies, "agreement", Verdict::Refuted, "`ann` said no");
}

#[test]
fn one_person_for_two_seats_is_one() {
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    bodies[FIRST + 1] = word("bo", 46, Word::Approve);
    bodies.insert(2, granted(&delegation("bo", 46, 60_000)));
    check(bodies, "agreement", Verdict::Refuted, "1 of 2 needed");
}

#[test]
fn whoever_has_a_seat_stands_in_for_nobody_and_a_key_stands_in_once() {
    let mut seated = delegation("ann", SAM, 60_000);
    seated.stand_in.person = id("p-bo");
    let mut shared = delegation("ann", SAM, 60_000);
    shared.stand_in.link = key(42);
    for wrong in [seated, shared] {
        assert!(verify(told(&wrong)).is_refuted());
    }
    let mut again = told(&delegation("ann", SAM, 60_000));
    let twice = Delegation { id: id("other"), ..delegation("ann", SAM, 60_000) };
    again.insert(2, granted(&twice));
    assert!(verify(again).is_refuted(), "one key, two delegations");
}

#[test]
fn a_delegation_that_was_over_when_it_was_granted_is_none() {
    // It stands in entry 2, two seconds into the book.
    let words = "its time was over when it was granted";
    check(told(&delegation("ann", SAM, 2_000)), "story", Verdict::Refuted, words);
    check(told(&delegation("ann", SAM, 2_001)), "approvals", Verdict::Refuted, "did not stand");
}

#[test]
fn a_person_has_one_open_delegation_at_most() {
    let twice = "another of the same person had not ended";
    // The other is granted in entry 2, and sam's in entry 4, four seconds into the book.
    for (until, what, expected, words) in [
        (4_000, "agreement", Verdict::Proven, "2 of 2 needed"),
        (4_001, "story", Verdict::Refuted, twice),
    ] {
        let mut bodies = told(&delegation("ann", SAM, 60_000));
        bodies.insert(1, granted(&delegation("ann", 46, until)));
        check(bodies, what, expected, words);
    }
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    let other = granted(&delegation("ann", 46, 60_000));
    bodies.splice(1..1, [other, taken_back("leave-46")]);
    check(bodies, "agreement", Verdict::Proven, "2 of 2 needed");
}

#[test]
fn a_person_in_two_seats_has_one_open_delegation_for_both() {
    let mut text = charter();
    text.approvers[2].person = id("p-ann");
    let policy = LogPolicy { charter: text.digest().unwrap(), ..pinned() };
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    bodies.insert(1, granted(&delegation("cy", 46, 60_000)));
    let Body::Founded(founded) = &mut bodies[0] else { panic!("another kind") };
    founded.charter = text;
    let report = receipt::verify(&receipt(bodies), &policy);
    let words = "another of the same person had not ended";
    check_report(&report, "story", Verdict::Refuted, words);
}

/// Another charter, which seats sam, in two entries at a place.
fn seat_sam(bodies: &mut Vec<Body>, at: usize) {
    let mut text = charter();
    let previous = text.digest().unwrap();
    text.version = 2;
    text.previous = Some(previous);
    let mut dee = text.approvers[2].clone();
    (dee.approver, dee.person, dee.credential) = (id("dee"), id("p-sam"), id("k-dee"));
    (dee.key, dee.link) = (key(47), key(147));
    text.approvers.push(dee);
    let (digest, case) = (text.digest().unwrap(), case());
    let coming = CharterApproved { charter: digest, case, text };
    let now = CharterActivated { charter: digest, case, previous };
    let changes = [Body::CharterApproved(Box::new(coming)), Body::CharterActivated(Box::new(now))];
    bodies.splice(at..at, changes);
}

#[test]
fn a_stand_in_who_is_seated_before_the_draft_stands_no_more() {
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    seat_sam(&mut bodies, DRAFT);
    check(bodies, "agreement", Verdict::Refuted, "1 of 2 needed");
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    seat_sam(&mut bodies, FIRST);
    check(bodies, "approvals", Verdict::Refuted, "after a charter had ended");
}

#[test]
fn a_stand_in_speaks_on_transfers_alone_and_on_no_request_of_the_person_stood_in_for() {
    let (given, holder) = (delegation("ann", SAM, 60_000), id("p-ann"));
    let stood = Stood { delegation: given, from: 1, until: Some(9) };
    let Body::Approved(approved) = word("ann", SAM, Word::Approve) else { panic!("another kind") };
    let said = &approved.approval.body;
    let (at, true_intent) = ((5, Timestamp::from_millis(5_000)), intent());
    assert_eq!(stood.allows(at, said, (&true_intent, &holder)), Ok(()));
    let person = |name| Requester::Person { person: id(name) };
    let asked = |requester| Intent { requester, ..intent() };
    let act = Action::RemoveAddress { account: id("eip155:31337:0x00") };
    for (wrong, words) in [
        (Intent { action: act, ..intent() }, "something else than a transfer"),
        (asked(person("p-ann")), "a request of the person stood in for"),
    ] {
        let why = stood.allows(at, said, (&wrong, &holder)).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
    assert_eq!(stood.allows(at, said, (&asked(person("p-olga")), &holder)), Ok(()));
    let after = (10, Timestamp::from_millis(5_000));
    assert!(stood.allows(after, said, (&true_intent, &holder)).is_err(), "ended before it");
    let mut early = said.clone();
    early.issued_at = Timestamp::ZERO;
    assert!(stood.allows(at, &early, (&true_intent, &holder)).is_err(), "signed too early");
}

#[test]
fn a_person_who_speaks_in_another_seat_is_back() {
    let mut text = charter();
    text.approvers[2].person = id("p-ann");
    let policy = LogPolicy { charter: text.digest().unwrap(), ..pinned() };
    let mut bodies = told(&delegation("ann", SAM, 60_000));
    let Body::Founded(founded) = &mut bodies[0] else { panic!("another kind") };
    founded.charter = text;
    bodies[FIRST + 1] = approved("cy", 43, Word::Approve, 80_000);
    let report = receipt::verify(&receipt(bodies), &policy);
    check_report(&report, "agreement", Verdict::Refuted, "1 of 2 needed");
}
