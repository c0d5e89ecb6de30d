//! A second machine, whose person stands in for a seat of the same house.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use quorate_custody::Phase;
use quorate_host::link::Server;
use quorate_terms::Amount;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::ApproverSeat;
use quorate_terms::delegation::{Delegation, StandIn};
use quorate_terms::intent::Action;
use serde_json::Value;
use tempfile::TempDir;

use super::desk::{listen, now};
use super::house::{MILLI, coin, id, person, public};
use super::office::{Office, Said, private, tool};
use super::walk::words;

/// Sam's machine. Sam stands in for ann, who signs nothing in these tests.
struct Away {
    office: Office,
    dir: TempDir,
    given: Delegation,
    _servers: Vec<Server>,
    _runtime: tokio::runtime::Runtime,
}

impl Away {
    /// Enrolled, with the founding charter accepted and nothing delegated yet.
    fn new() -> Self {
        let office = Office::new();
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        private(&dir.path().join("passphrase"), b"correct horse\n");
        let enrol = ["enrol", "--approver", "ann", "--person", "p-sam", "--stand-in", "--json"];
        let said = tool(dir.path(), &enrol, "").good();
        let seat: ApproverSeat = serde_json::from_value(said.json()["seat"].clone()).unwrap();
        let given = delegation("leave-1", "ann", &seat);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let servers: Vec<Server> =
            ["desk", "east"].map(|name| listen(&runtime, (name, seat.link), &office.desk)).into();
        let this = Self { office, dir, given, _servers: servers, _runtime: runtime };
        let charter = this.office.path("charter.json");
        let digest = this.office.charter.digest().unwrap().to_string();
        let at = this._servers[0].address().to_string();
        let east = format!("east={}", this._servers[1].address());
        let accept = ["accept", "--charter", charter.to_str().unwrap(), "--digest", &digest];
        let where_ = ["--desk", &at, "--cosigner", &east, "--joining"];
        this.run(&[&accept[..], &where_[..]].concat()).good();
        this
    }

    fn run(&self, args: &[&str]) -> Said {
        tool(self.dir.path(), &[args, &["--json"]].concat(), "")
    }

    fn grant(&self) {
        delegate(&self.office, &self.given);
    }

    fn shown(&self, case: &str) -> String {
        words(&self.run(&["show", case]).good().json())
    }
}

fn delegation(name: &str, seat: &str, by: &ApproverSeat) -> Delegation {
    Delegation {
        id: id(name),
        seat: id(seat),
        stand_in: StandIn {
            person: by.person.clone(),
            credential: by.credential.clone(),
            key: by.key,
            link: by.link,
            passkeys: by.passkeys.clone(),
        },
        from: now(),
        until: now().plus_s(86_400),
        above: None,
    }
}

fn delegate(office: &Office, given: &Delegation) {
    let mut desk = office.desk();
    desk.house.now = now();
    desk.house.administer(Action::Delegate { delegation: Box::new(given.clone()) });
    assert!(desk.house.book.delegation(&given.id).is_some());
}

fn listed(document: &Value) -> usize {
    document["cases"].as_array().unwrap().len()
}

#[test]
fn a_stand_in_lists_shows_and_approves_as_the_seat_and_the_book_holds_it() {
    let away = Away::new();
    let case = away.office.asked();
    let text = case.to_string();
    let early = away.run(&["approve", &text, "--yes"]);
    assert_eq!(early.trouble(), "other_seat", "nobody agreed to a delegation yet");
    away.grant();
    let list = away.run(&["list"]).good().json();
    assert_eq!(listed(&list), 1);
    assert!(words(&list).contains("you stand in for"), "{list}");
    assert!(away.shown(&text).contains("seat ann (person p-ann), until "), "{}", away.shown(&text));
    let done = away.run(&["approve", &text, "--yes"]).good().json();
    assert_eq!(done["recorded"], true);
    {
        let desk = away.office.desk();
        let open = desk.house.case(&case);
        assert!(open.approvals.is_empty());
        let person = &open.stand_ins.get(&id("ann")).unwrap().delegation.stand_in.person;
        assert_eq!(person.as_str(), "p-sam");
    }
    assert_eq!(listed(&away.run(&["list"]).good().json()), 0);
    let seen = words(&away.office.run(&["show", &text]).good().json());
    assert!(seen.contains("by p-sam standing in"), "another approver sees who it was: {seen}");
    assert!(seen.contains("treasury: 1 of 2 agree: ann"), "{seen}");
}

#[test]
fn a_stand_in_is_told_where_the_seat_itself_must_speak() {
    let mut away = Away::new();
    away.given.above = Some([(coin(super::house::CHAIN), Amount::from_u128(1_500 * MILLI))].into());
    away.grant();
    let above = away.office.asked().to_string();
    assert!(away.shown(&above).contains("above your delegation's limit"));
    assert_eq!(away.run(&["approve", &above, "--yes"]).trouble(), "above_delegation");
    let further = ApproverSeat {
        person: id("p-sue"),
        credential: id("key-sue"),
        key: public("sue"),
        link: public("sue-link"),
        ..away.office.charter.approvers[0].clone()
    };
    let further = delegation("leave-2", "bo", &further);
    let act = {
        let mut desk = away.office.desk();
        desk.house.now = now();
        let act = Action::Delegate { delegation: Box::new(further) };
        let intent = desk.house.intent(person("op"), act);
        desk.house.file(&intent).unwrap().to_string()
    };
    let shown = away.shown(&act);
    assert!(shown.contains("a stand-in speaks on transfers alone"), "{shown}");
    assert!(shown.contains("stands in: p-sue") || shown.contains("p-sue"), "{shown}");
    assert_eq!(away.run(&["approve", &act, "--yes"]).trouble(), "not_delegated");
    assert_eq!(listed(&away.run(&["list"]).good().json()), 0, "neither waits for sam");
}

#[test]
fn a_stand_in_takes_it_back_at_the_desk_and_at_a_cosigner_and_signs_no_more() {
    let away = Away::new();
    away.grant();
    let case = away.office.asked().to_string();
    let ended = away.run(&["delegation", "end", "leave-1"]).good().json();
    let holds = ended["peers"].as_array().unwrap().iter().filter(|peer| peer["holds"] == true);
    assert_eq!(holds.count(), 2, "{ended}");
    {
        let desk = away.office.desk();
        let granted = desk.house.book.delegation(&away.given.id).unwrap();
        assert_eq!(granted.ended.as_ref().unwrap().by, "stand_in:p-sam");
        desk.house.book.check_ending(&desk.ended_at_cosigner[0]).unwrap();
    }
    assert_eq!(away.run(&["approve", &case, "--yes"]).trouble(), "not_standing");
    let again = away.run(&["delegation", "end", "leave-9"]);
    assert_ne!(again.code, 0, "the desk knows no such delegation");
}

#[test]
fn the_seat_sees_who_stands_in_for_it_and_takes_it_back() {
    let office = Office::new();
    let mut sue = office.charter.approvers[0].clone();
    (sue.person, sue.credential) = (id("p-sue"), id("key-sue"));
    (sue.key, sue.link) = (public("sue"), public("sue-link"));
    let given = delegation("leave-1", "cy", &sue);
    delegate(&office, &given);
    let shown = words(&office.run(&["delegation", "show"]).good().json());
    assert!(shown.contains("stands in for you") && shown.contains("p-sue"), "{shown}");
    office.run(&["delegation", "end", "leave-1"]).good();
    let desk = office.desk();
    let granted = desk.house.book.delegation(&given.id).unwrap();
    assert_eq!(granted.phase(now()), Phase::Ended);
    assert_eq!(granted.ended.as_ref().unwrap().by, "approver:cy");
}
