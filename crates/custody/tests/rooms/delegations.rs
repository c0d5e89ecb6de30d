//! Delegations: a stand-in counts as the seat, on transfers alone, for a while, and never beside the seat.

mod counting;
mod ending;
mod granting;
mod kept;

use quorate_custody::{Event, Phase};
use quorate_terms::CaseId;
use quorate_terms::approval::{Approval, Verdict as Word};
use quorate_terms::charter::ApproverSeat;
use quorate_terms::delegation::{Delegation, Ender, Ending, EndingBody, StandIn};
use quorate_terms::entry::Body;
use quorate_terms::intent::Action;

use crate::house::*;
use crate::people::{approved, change_charter, next_charter};

/// How long ann is away, in seconds.
const AWAY_S: u64 = 7 * 86_400;

fn delegation(house: &House, seat: &str, name: &str) -> Delegation {
    Delegation {
        id: id(&format!("{seat}-by-{name}")),
        seat: id(seat),
        stand_in: stand_in(name),
        from: house.now,
        until: house.now.plus_s(AWAY_S),
        above: None,
    }
}

fn delegate(house: &mut House, delegation: &Delegation) -> CaseId {
    let case = house.administer(Action::Delegate { delegation: Box::new(delegation.clone()) });
    assert_eq!(house.outcome(&case), "Done");
    case
}

/// What becomes of asking for a delegation.
fn asked(house: &mut House, delegation: &Delegation) -> String {
    let action = Action::Delegate { delegation: Box::new(delegation.clone()) };
    let intent = house.intent(person("op"), action);
    code(house.file(&intent))
}

/// A house whose charters come without a delay, in which sam stands in for ann.
fn house() -> (House, Delegation) {
    let mut text = charter();
    text.change_delay_s = 0;
    let mut house = House::with(text);
    let given = delegation(&house, "ann", "sam");
    delegate(&mut house, &given);
    (house, given)
}

/// What whoever bears this name would sign for a seat.
fn word(house: &House, (name, seat): (&str, &str), case: &CaseId, verdict: Word) -> Approval {
    let mut body = house.approval(seat, case).body;
    body.credential = id(&format!("key-{name}"));
    body.verdict = verdict;
    approval_of(name, body)
}

fn says(house: &mut House, who: (&str, &str), case: &CaseId) -> String {
    let said = word(house, who, case, Word::Approve);
    code(house.event(Event::ApprovalCame(Box::new(said))))
}

/// A stand-in's yes that the desk refuses, and that is void where a desk writes it all the same.
fn refused(house: &mut House, who: (&str, &str), case: &CaseId, expected: &str) {
    let said = word(house, who, case, Word::Approve);
    refused_word(house, said, expected);
}

fn refused_word(house: &mut House, said: Approval, expected: &str) {
    let event = Event::ApprovalCame(Box::new(said.clone()));
    assert_eq!(code(house.event(event)), expected);
    let lie = house.lie(Body::Approved(Box::new(approved(said))));
    assert_eq!(lie.code, expected);
    resume(house);
}

/// Goes on after a lie, so that what follows is not stopped by it.
fn resume(house: &mut House) {
    let voids: Vec<u64> = house.book.voids().map(|(index, _)| index).collect();
    for voided in voids {
        let resumes = ["bo", "cy"].map(|name| house.resume(name, voided)).to_vec();
        house.does(Event::ResumesCame { voided, resumes });
    }
}

fn ending(house: &House, signer: &str, given: &Delegation, by: Ender) -> Ending {
    let body =
        EndingBody { v: 1, vault: id(VAULT), delegation: given.id.clone(), by, at: house.now };
    Ending { signature: signed(signer, &body), body }
}

fn counted(house: &House, case: &CaseId) -> String {
    let book = &house.book;
    let tallies = house.case(case).tallies(book.charter(), book.policy(), house.now);
    tallies.iter().map(ToString::to_string).collect()
}

/// A seat of a charter, and who sits in it.
fn seat(name: &str, who: &str) -> ApproverSeat {
    ApproverSeat {
        approver: id(name),
        person: id(&format!("p-{who}")),
        credential: id(&format!("key-{name}")),
        key: public(name),
        link: public(&format!("{name}-link")),
        device: None,
        passkeys: Vec::new(),
    }
}
