//! People who come, change post and leave: who may open, attest and close, what only the book can show, and what is overdue.

use quorate_custody::{Book, Event, Refusal, State};
use quorate_terms::checklist::{Change, Item, Post, Shown, WITHIN_S_MAX, name};
use quorate_terms::credential::{Band, Role};
use quorate_terms::entry::{
    Body, ChecklistAttested, ChecklistClosed, ChecklistEnd, ChecklistOpened,
};
use quorate_terms::intent::Action;
use quorate_terms::{Digest, IdempotencyKey};

use crate::house::*;

const DAY: u64 = 86_400;

/// A house in which `olga` and `otto` are operators and `vera` looks.
fn staffed() -> House {
    let mut house = House::new();
    for (name, role) in [("olga", Role::Operator), ("otto", Role::Operator), ("vera", Role::Viewer)]
    {
        let mut credential = credential(name, NOON.plus_s(30 * DAY));
        credential.role = Some(role);
        credential.owner = id(name);
        credential.band = Band::Read;
        credential.wallets.clear();
        house.administer(Action::IssueCredential { credential });
    }
    house
}

fn item(name: &str, shown: Option<Shown>) -> Item {
    Item { item: id(name), words: format!("{name} is done."), due_at: NOON.plus_s(DAY), shown }
}

fn opened(by: &str, person: &str, key: &str) -> ChecklistOpened {
    let key = IdempotencyKey::new(key).unwrap();
    ChecklistOpened {
        checklist: name(&id(VAULT), &id(by), &key).unwrap(),
        key,
        person: id(person),
        change: Change::Leaver,
        post: Post::Approver,
        template: Digest::ZERO,
        items: vec![
            item("laptop", None),
            item("badge", None),
            item("seat", Some(Shown::SeatEnded)),
        ],
        by: id(by),
        credential: Some(id(&format!("cred-{by}"))),
    }
}

fn attested(list: &ChecklistOpened, what: &str, by: &str) -> ChecklistAttested {
    ChecklistAttested {
        checklist: list.checklist,
        item: id(what),
        person: list.person.clone(),
        by: id(by),
        credential: id(&format!("cred-{by}")),
        reference: Some(IdempotencyKey::new("hr-2041").unwrap()),
    }
}

/// How `by` would close it, with what is done of it in the book.
fn closing(book: &Book, list: &ChecklistOpened, by: &str, end: ChecklistEnd) -> ChecklistClosed {
    let one = book.checklist(&list.checklist).unwrap();
    ChecklistClosed {
        checklist: list.checklist,
        person: list.person.clone(),
        change: list.change,
        post: list.post,
        end,
        done: book.done(one, book.last_at()),
        by: id(by),
        credential: Some(id(&format!("cred-{by}"))),
    }
}

trait Says {
    fn says(self) -> Body;
}

impl Says for ChecklistOpened {
    fn says(self) -> Body {
        Body::ChecklistOpened(Box::new(self))
    }
}

impl Says for ChecklistAttested {
    fn says(self) -> Body {
        Body::ChecklistAttested(Box::new(self))
    }
}

impl Says for ChecklistClosed {
    fn says(self) -> Body {
        Body::ChecklistClosed(Box::new(self))
    }
}

fn told(house: &mut House, said: impl Says) -> Result<(), Refusal> {
    house.event(Event::Noted(Box::new(said.says()))).map(drop)
}

/// The desk refuses it with this code, and whoever writes it all the same writes a void entry.
fn refused(house: &mut House, said: impl Says + Clone, code: &str) {
    let refusal = told(house, said.clone()).unwrap_err();
    assert_eq!(refusal.code, code, "{refusal:?}");
    assert!(!refusal.next.is_empty());
    assert_eq!(house.lie(said.says()).code, code);
}

/// The charter without cy's seat comes into force.
fn unseat_cy(house: &mut House) {
    let mut text = house.book.charter().clone();
    text.version += 1;
    text.previous = Some(house.book.charter_digest());
    text.approvers.retain(|seat| seat.approver != id("cy"));
    text.governance.members.remove(&id("cy"));
    for quorum in &mut text.policy.quorums {
        quorum.members.remove(&id("cy"));
    }
    if text.policy != *house.book.policy().document() {
        let mut policy = text.policy.clone();
        policy.version += 1;
        policy.previous = Some(house.book.policy().digest());
        house.administer(Action::ChangePolicy { policy: Box::new(policy.clone()) });
        text.policy = policy;
    }
    house.administer(Action::ChangeCharter { charter: Box::new(text) });
    house.later(86_400);
    house.does(Event::Ticked);
    assert!(house.book.charter().approver(&id("cy")).is_none());
}

#[test]
fn a_leaver_is_done_when_others_attested_and_the_book_shows_the_rest() {
    let mut house = staffed();
    let list = opened("olga", "p-cy", "k1");
    told(&mut house, list.clone()).unwrap();
    told(&mut house, attested(&list, "laptop", "otto")).unwrap();
    told(&mut house, attested(&list, "badge", "vera")).unwrap();
    let early = closing(&house.book, &list, "olga", ChecklistEnd::Done);
    assert_eq!(early.done.len(), 2);
    refused(&mut house, early, "not_done");
    unseat_cy(&mut house);
    let end = closing(&house.book, &list, "olga", ChecklistEnd::Done);
    let by: Vec<_> = end.done.iter().map(|done| done.by.clone()).collect();
    assert_eq!(by, [Some(id("otto")), Some(id("vera")), None]);
    told(&mut house, end.clone()).unwrap();
    assert!(!house.book.checklist(&list.checklist).unwrap().is_open());
    refused(&mut house, end, "unknown_checklist");
    refused(&mut house, attested(&list, "laptop", "otto"), "unknown_checklist");
    let later = Item { due_at: house.now.plus_s(DAY), ..item("laptop", None) };
    let again = ChecklistOpened { items: vec![later], ..opened("olga", "p-cy", "k2") };
    told(&mut house, again).unwrap();
}

#[test]
fn nobody_opens_attests_or_closes_about_themselves() {
    let mut house = staffed();
    refused(&mut house, opened("olga", "olga", "k1"), "own_checklist");
    let list = opened("olga", "otto", "k2");
    told(&mut house, list.clone()).unwrap();
    refused(&mut house, attested(&list, "laptop", "otto"), "own_checklist");
    let own = closing(&house.book, &list, "otto", ChecklistEnd::Withdrawn);
    refused(&mut house, own, "own_checklist");
    let bare = ChecklistClosed {
        credential: None,
        ..closing(&house.book, &list, "otto", ChecklistEnd::Withdrawn)
    };
    refused(&mut house, bare, "own_checklist");
}

#[test]
fn a_task_that_the_book_shows_is_attested_by_nobody() {
    let mut house = staffed();
    let list = opened("olga", "p-cy", "k1");
    told(&mut house, list.clone()).unwrap();
    refused(&mut house, attested(&list, "seat", "otto"), "shown_by_the_book");
    refused(&mut house, attested(&list, "nothing", "otto"), "unknown_item");
    let other = ChecklistAttested { person: id("p-bo"), ..attested(&list, "laptop", "otto") };
    refused(&mut house, other, "unknown_item");
    told(&mut house, attested(&list, "laptop", "otto")).unwrap();
    refused(&mut house, attested(&list, "laptop", "vera"), "attested");
}

#[test]
fn a_word_is_under_the_speakers_own_credential_in_force() {
    let mut house = staffed();
    refused(&mut house, opened("vera", "p-cy", "k0"), "role");
    let list = opened("olga", "p-cy", "k1");
    told(&mut house, list.clone()).unwrap();
    let borrowed =
        ChecklistAttested { credential: id("cred-olga"), ..attested(&list, "laptop", "otto") };
    refused(&mut house, borrowed, "no_credential");
    let agents =
        ChecklistAttested { credential: id("cred-trader"), ..attested(&list, "laptop", "otto") };
    refused(&mut house, agents, "no_credential");
    refused(&mut house, attested(&list, "laptop", "nobody"), "no_credential");
    let by_viewer = closing(&house.book, &list, "vera", ChecklistEnd::Withdrawn);
    refused(&mut house, by_viewer, "role");
    house.administer(Action::RevokeCredential { credential: id("cred-otto") });
    refused(&mut house, attested(&list, "laptop", "otto"), "no_credential");
    house.later(30 * DAY);
    refused(&mut house, attested(&list, "laptop", "vera"), "no_credential");
}

#[test]
fn a_checklist_has_its_own_name_some_items_and_stands_once_for_each_change() {
    let mut house = staffed();
    let list = opened("olga", "p-cy", "k1");
    let other = ChecklistOpened { checklist: Digest::ZERO, ..list.clone() };
    refused(&mut house, other, "checklist_name");
    refused(&mut house, ChecklistOpened { items: vec![], ..list.clone() }, "malformed");
    let late = Item { due_at: NOON.plus_s(WITHIN_S_MAX + DAY), ..item("laptop", None) };
    refused(&mut house, ChecklistOpened { items: vec![late], ..list.clone() }, "malformed");
    told(&mut house, list.clone()).unwrap();
    refused(&mut house, list, "key_reused");
    refused(&mut house, opened("otto", "p-cy", "k1"), "checklist_open");
    let mover = ChecklistOpened { change: Change::Mover, ..opened("otto", "p-cy", "k2") };
    told(&mut house, mover).unwrap();
}

#[test]
fn what_was_done_is_said_as_it_was_and_an_error_is_withdrawn() {
    let mut house = staffed();
    let list = opened("olga", "p-cy", "k1");
    told(&mut house, list.clone()).unwrap();
    told(&mut house, attested(&list, "laptop", "otto")).unwrap();
    let end = closing(&house.book, &list, "olga", ChecklistEnd::Withdrawn);
    refused(&mut house, ChecklistClosed { done: vec![], ..end.clone() }, "checklist_done");
    refused(&mut house, ChecklistClosed { person: id("p-bo"), ..end.clone() }, "checklist_done");
    told(&mut house, end).unwrap();
    let one = house.book.checklist(&list.checklist).unwrap();
    let (how, _, done) = one.ended.clone().unwrap();
    assert_eq!((how, done.len()), (ChecklistEnd::Withdrawn, 1));
}

#[test]
fn the_book_shows_seats_keys_credentials_and_agents() {
    let mut house = staffed();
    let says = |house: &House, person: &str, shown| {
        house.book.shows(&id(person), shown, house.book.last_at())
    };
    for (person, shown, said) in [
        ("p-cy", Shown::SeatHeld, true),
        ("p-cy", Shown::SeatEnded, false),
        ("olga", Shown::SeatHeld, false),
        ("olga", Shown::SeatEnded, true),
        ("p-cy", Shown::TwoKeysHeld, false),
        ("olga", Shown::CredentialHeld, true),
        ("olga", Shown::CredentialsEnded, false),
        ("p-cy", Shown::CredentialHeld, false),
        ("p-cy", Shown::CredentialsEnded, true),
        ("olga", Shown::AgentsHandedOver, true),
    ] {
        assert_eq!(says(&house, person, shown), said, "{person} {shown:?}");
    }
    let owner = house.book.credential(&id("cred-trader")).unwrap().credential.owner.clone();
    assert!(!says(&house, owner.as_str(), Shown::AgentsHandedOver));
    house.administer(Action::RevokeCredential { credential: id("cred-trader") });
    assert!(says(&house, owner.as_str(), Shown::AgentsHandedOver));
    house.administer(Action::RevokeCredential { credential: id("cred-olga") });
    assert!(says(&house, "olga", Shown::CredentialsEnded));
}

#[test]
fn a_seat_that_a_waiting_charter_gives_back_has_not_ended() {
    let mut house = staffed();
    unseat_cy(&mut house);
    assert!(house.book.shows(&id("p-cy"), Shown::SeatEnded, house.now));
    let mut text = house.book.charter().clone();
    text.version += 1;
    text.previous = Some(house.book.charter_digest());
    text.approvers.push(charter().approvers[2].clone());
    house.administer(Action::ChangeCharter { charter: Box::new(text) });
    assert!(house.book.coming().is_some());
    assert!(!house.book.shows(&id("p-cy"), Shown::SeatEnded, house.now));
    assert!(!house.book.shows(&id("p-cy"), Shown::SeatHeld, house.now), "nor is it held yet");
}

/// The alerts that one tick raises: rule and subject.
fn alarms(house: &mut House) -> Vec<(String, String)> {
    let step = house.does(Event::Ticked);
    let alarm = |body: &Body| match body {
        Body::AlertRaised(raised) => Some((raised.rule.clone(), raised.subject.clone())),
        _ => None,
    };
    step.records.iter().filter_map(alarm).collect()
}

/// The house again from its own snapshot, as after a restart.
fn restart(house: &mut House) {
    let bytes = house.book.to_snapshot().unwrap();
    house.book = Book::from_snapshot(&house.founding, &bytes).unwrap();
}

#[test]
fn an_overdue_task_is_told_once_also_over_a_restart_and_never_when_it_is_done() {
    let mut house = staffed();
    let list = opened("olga", "p-cy", "k1");
    told(&mut house, list.clone()).unwrap();
    told(&mut house, attested(&list, "badge", "vera")).unwrap();
    house.later(DAY - 1);
    assert_eq!(alarms(&mut house), []);
    house.later(1);
    let about = |item: &str| {
        ("checklist_overdue".to_owned(), format!("{item} of checklist {}", list.checklist))
    };
    assert_eq!(alarms(&mut house), [about("laptop"), about("seat")]);
    let open: Vec<Digest> = house.book.alerts().map(|(alert, _)| *alert).collect();
    for alert in open {
        let (person, disposition) = (id("olga"), "expected".to_owned());
        let closed = quorate_terms::entry::AlertClosed { alert, person, disposition };
        house.does(Event::Noted(Box::new(Body::AlertClosed(closed))));
    }
    restart(&mut house);
    house.later(DAY);
    assert_eq!(alarms(&mut house), [], "closed by a person, and not said again");
}

#[test]
fn a_case_that_waits_is_told_at_half_and_at_a_tenth_each_once_also_over_a_restart() {
    let mut house = House::new();
    let intent = house.transfer_of(agent("trader"), 4_000 * MILLI);
    let case = house.file(&intent).unwrap();
    let life = house.book.case(&case).unwrap().expires_at().since(house.now) / 1000;
    house.later(life / 2 - 1);
    assert_eq!(alarms(&mut house), []);
    house.later(1);
    assert_eq!(alarms(&mut house), [("case_waits".to_owned(), format!("case {case}"))]);
    restart(&mut house);
    assert_eq!(alarms(&mut house), []);
    house.later(life * 4 / 10);
    assert_eq!(alarms(&mut house), [("case_ends_soon".to_owned(), format!("case {case}"))]);
    restart(&mut house);
    assert_eq!(alarms(&mut house), []);
    house.later(life);
    assert_eq!(alarms(&mut house), [], "it is over");
    assert!(house.book.case(&case).is_none());
}

#[test]
fn a_desk_that_was_away_reminds_once_and_of_what_is_agreed_not_at_all() {
    let mut house = House::new();
    let intent = house.transfer_of(agent("trader"), 4_000 * MILLI);
    let case = house.file(&intent).unwrap();
    let life = house.book.case(&case).unwrap().expires_at().since(house.now) / 1000;
    house.later(life - life / 20);
    assert_eq!(alarms(&mut house), [("case_ends_soon".to_owned(), format!("case {case}"))]);
    assert_eq!(alarms(&mut house), []);
    house.later(life);
    assert_eq!(alarms(&mut house), [], "it is over");
    let other = house.transfer_of(agent("trader"), 4_000 * MILLI);
    let other = house.file(&other).unwrap();
    let state = |house: &House| house.book.case(&other).map(|case| case.state);
    for name in ["ann", "bo"] {
        if state(&house) == Some(State::AwaitApprovals) {
            house.approve(name, &other);
        }
    }
    assert_eq!(state(&house), Some(State::AwaitSnapshot), "it awaits the chain, and nobody");
    house.later(life / 2 + 60);
    assert_eq!(alarms(&mut house), []);
}
