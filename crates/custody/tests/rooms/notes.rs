//! What is recorded beside the cases: seats that change hands, credentials that lapse, tool lists, alerts, new rules.

use quorate_custody::{Book, Event};
use quorate_terms::credential::Band;
use quorate_terms::entry::{
    AlertAcknowledged, AlertClosed, AlertRaised, Body, ManifestPinned, RULES_VERSION, Severity,
};
use quorate_terms::intent::Action;
use quorate_terms::{Digest, Term as _};

use crate::house::*;

fn noted(body: Body) -> Event {
    Event::Noted(Box::new(body))
}

fn pin(band: Option<Band>, list: &str) -> Body {
    let manifest = Digest::of("quorate/test/v1", list.as_bytes());
    Body::ManifestPinned(ManifestPinned { manifest, case: None, band, tools: Vec::new() })
}

#[test]
fn row_57_t23_an_agent_is_admitted_under_the_tool_list_that_its_band_sees_then() {
    let mut house = House::new();
    house.does(noted(pin(Some(Band::Read), "another band's")));
    house.does(noted(pin(None, "nobody's")));
    house.admit_agent("before", NOON.plus_s(86_400));
    house.does(noted(pin(Some(Band::Broadcast), "first")));
    house.admit_agent("after", NOON.plus_s(86_400));
    house.does(noted(pin(Some(Band::Broadcast), "second")));
    let of = |name: &str| house.book.credential(&id(&format!("cred-{name}"))).unwrap().manifest;
    assert_eq!(of("before"), None);
    assert_eq!(of("after"), Some(Digest::of("quorate/test/v1", b"first")));
    assert_ne!(of("after"), house.book.manifest(Band::Broadcast), "the drift shows");
}

#[test]
fn row_57_an_agent_that_is_enrolled_under_another_tool_list_than_the_pinned_one_is_void() {
    let mut house = House::new();
    house.does(noted(pin(Some(Band::Broadcast), "first")));
    let credential = credential("late", NOON.plus_s(86_400));
    let intent = house.intent(person("op"), Action::IssueCredential { credential });
    house.file(&intent).unwrap();
    let case = intent.case().unwrap();
    let ann = house.approval("ann", &case);
    house.does(Event::ApprovalCame(Box::new(ann)));
    let bo = house.approval("bo", &case);
    let step = house.book.step(Event::ApprovalCame(Box::new(bo)), house.now).unwrap();
    for body in step.records {
        match body {
            Body::AgentEnrolled(mut enrolled) => {
                enrolled.manifest = None;
                house.lie(Body::AgentEnrolled(enrolled));
                return;
            }
            before => house.good(vec![before]),
        }
    }
    panic!("nobody was enrolled");
}

#[test]
fn a_credential_that_lapsed_is_retired_once_and_never_before_its_time() {
    let mut house = House::new();
    house.admit_agent("brief", NOON.plus_s(600));
    house.later(599);
    assert!(house.does(Event::Ticked).records.is_empty());
    house.later(1);
    assert_eq!(kinds(&house.does(Event::Ticked)), ["AgentRetired"]);
    assert!(house.book.credential(&id("cred-brief")).unwrap().revoked);
    assert!(house.does(Event::Ticked).records.is_empty(), "once");
    let mut liar = House::new();
    liar.admit_agent("brief", NOON.plus_s(600));
    let early = house.entries.last().unwrap().body.clone();
    liar.good(vec![early]);
    assert!(!liar.book.credential(&id("cred-brief")).unwrap().revoked, "no word ends it early");
}

#[test]
fn a_new_charter_says_who_lost_and_who_received_which_role_and_credential() {
    let mut house = House::new();
    let mut text = house.book.charter().clone();
    text.version += 1;
    text.previous = Some(house.book.charter_digest());
    text.approvers[2].person = id("p-dee");
    text.approvers[2].credential = id("key-dee");
    text.approvers[2].key = public("dee");
    house.administer(Action::ChangeCharter { charter: Box::new(text.clone()) });
    house.later(86_400);
    let step = house.does(Event::Ticked);
    let expected = [
        "CharterActivated",
        "RoleEnded",
        "CredentialRevoked",
        "RoleGranted",
        "CredentialEnrolled",
        "Closed",
    ];
    assert_eq!(kinds(&step), expected);
    let said = serde_json::to_value(&step.records).unwrap();
    assert_eq!((&said[1]["person"], &said[3]["person"]), (&"p-cy".into(), &"p-dee".into()));
    assert_eq!(said[3]["role"], "governor");
    let kept = house.book.charter().clone();
    assert_eq!(kept, text);
}

#[test]
fn an_alert_stays_open_until_a_person_closes_it() {
    let mut house = House::new();
    let alert = Digest::of("quorate/test/v1", b"alert");
    let raise = || {
        let (rule, subject) = ("clock_skew".to_owned(), "cosigner:east".to_owned());
        Body::AlertRaised(Box::new(AlertRaised { alert, rule, severity: Severity::High, subject }))
    };
    let take = AlertAcknowledged { alert, person: id("op") };
    let close = AlertClosed { alert, person: id("op"), disposition: "mended".to_owned() };
    let early = house.event(noted(Body::AlertAcknowledged(take.clone())));
    assert_eq!(code(early), "unknown_alert");
    house.does(noted(raise()));
    house.later(60);
    house.does(noted(raise()));
    house.does(noted(Body::AlertAcknowledged(take)));
    let open: Vec<_> = house.book.alerts().map(|(_, open)| open.clone()).collect();
    assert_eq!((open.len(), open[0].raised_at), (1, NOON), "the same alert, since the first time");
    assert_eq!(open[0].taken_by, Some(id("op")));
    house.does(noted(Body::AlertClosed(close.clone())));
    assert_eq!(house.book.alerts().count(), 0);
    assert_eq!(code(house.event(noted(Body::AlertClosed(close)))), "unknown_alert");
}

#[test]
fn a_transaction_leads_to_its_case_while_it_is_open_and_long_after() {
    let mut house = House::new();
    let first = house.pay(5 * MILLI);
    let txid = house.sign(&first);
    assert_eq!(house.book.case_of_txid(&txid), Some(first));
    house.settle(&first, &txid);
    for _ in 0..70 {
        house.later(3_600);
        house.pay_through(MILLI);
    }
    assert_eq!(house.book.case_of_txid(&txid), Some(first), "70 cases later");
    assert_eq!(house.book.case_of_txid("0x00"), None);
}

#[test]
fn a_book_under_older_rules_is_upgraded_by_an_entry_before_anything_else() {
    let house = House::new();
    assert!(house.book.upgrade().is_none());
    let mut old: serde_json::Value =
        serde_json::from_slice(&house.book.to_snapshot().unwrap()).unwrap();
    old["state"]["rules"] = "quorate-rules/0".into();
    let bytes = serde_json::to_vec(&old).unwrap();
    let mut book = Book::from_snapshot(&house.founding, &bytes).unwrap();
    let note = book.upgrade().unwrap();
    let step = book.step(noted(note), NOON).unwrap();
    assert_eq!(kinds(&step), ["RulesChanged"]);
    for entry in book.entries(step.records, NOON).unwrap() {
        assert_eq!(book.admit(&entry).unwrap(), quorate_custody::Verdict::Good);
        assert_eq!(entry.rules, RULES_VERSION);
        assert!(entry.digest().is_ok());
    }
    assert!(book.upgrade().is_none());
}

#[test]
fn a_snapshot_of_another_form_is_not_read() {
    let house = House::new();
    let mut old: serde_json::Value =
        serde_json::from_slice(&house.book.to_snapshot().unwrap()).unwrap();
    old["v"] = 1.into();
    let bytes = serde_json::to_vec(&old).unwrap();
    assert!(Book::from_snapshot(&house.founding, &bytes).is_err());
}
