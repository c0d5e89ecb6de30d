//! People who come and leave, and keys that are lost, as the command line asks for them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use quorate_host::Identity;
use quorate_terms::charter::ApproverSeat;
use serde_json::{Value, json};

use crate::canned::{Desk, case};

fn list(item: &Value) -> Value {
    json!({
        "checklist": "ab".repeat(32), "person": "person-ben", "change": "mover", "post": "approver",
        "by": "operator", "opened_at": 1_700_000_000_000_u64, "template": "0".repeat(64),
        "items": [item], "end": null, "ended_at": null,
    })
}

fn task() -> Value {
    json!({
        "item": "ceremony", "words": "Watched \u{1b}[31mred\nforged line", "due_at": 1_700_000_000_000_u64,
        "shown_by_the_book": false, "done": false, "overdue": true, "by": null, "at": null, "reference": null,
    })
}

#[test]
fn a_checklist_is_shown_with_what_is_overdue_and_outside_text_cannot_forge_lines() {
    let desk = Desk::new(&[("desk.checklists", json!({ "Ok": [list(&task())] }))]);
    let shown = desk.run(&["member", "checklist", "list"]);
    assert!(shown.ok() && shown.stdout.contains("overdue, 1 left"), "{shown:?}");
    let shown = desk.run(&["member", "checklist", "show", "abab"]);
    assert!(shown.ok() && shown.stdout.contains("ceremony"), "{shown:?}");
    assert!(!shown.stdout.contains('\u{1b}') && !shown.stdout.contains("\nforged"), "{shown:?}");
    let none = desk.run(&["member", "checklist", "show", "ffff"]);
    assert!(none.code == 2 && none.stderr.contains("none begins with `ffff`"), "{none:?}");
    let json = desk.run(&["--json", "member", "checklist", "list"]).json();
    assert_eq!(json[0]["person"], "person-ben");
}

#[test]
fn whoever_attests_shows_the_desk_the_token_itself_and_it_is_printed_nowhere() {
    let desk = Desk::new(&[
        ("desk.checklists", json!({ "Ok": [list(&task())] })),
        ("desk.checklist", json!({ "Ok": list(&task()) })),
    ]);
    let file = desk.house.path("vera.token");
    fs::write(&file, "qrt_secret").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let file = file.display().to_string();
    let attest = ["member", "checklist", "attest", "abab", "ceremony"];
    let bare = desk.run(&attest);
    assert!(bare.code == 2 && bare.stderr.contains("--token-file"), "{bare:?}");
    let done = desk.run(&[&attest[..], &["--token-file", &file, "--reference", "hr-1"]].concat());
    assert!(done.ok(), "{done:?}");
    let asked = &desk.asked("desk.checklist")[0];
    assert_eq!(asked["act"]["reference"], "hr-1");
    assert_eq!(asked["token"], "qrt_secret", "its digest would show nothing");
    assert!(!done.all().contains("secret"), "{done:?}");
    let open =
        ["member", "checklist", "open", "person-cy", "--change", "left", "--post", "approver"];
    let bad = desk.run(&open);
    assert!(bad.code == 2 && bad.stderr.contains("joiner, mover, leaver"), "{bad:?}");
}

/// The enrolment of a new machine for a seat.
fn new_machine(desk: &Desk, approver: &str) -> String {
    let key = |seed: u8| Identity::from_seed(&[seed; 32]).unwrap().public_key();
    let seat = ApproverSeat {
        approver: approver.parse().unwrap(),
        person: approver.parse().unwrap(),
        credential: "key-new".parse().unwrap(),
        key: key(201),
        link: key(202),
        device: None,
        passkeys: Vec::new(),
    };
    let file = desk.house.path("new.json");
    fs::write(&file, serde_json::to_vec(&seat).unwrap()).unwrap();
    file.display().to_string()
}

#[test]
fn a_lost_machine_is_filed_as_a_charter_without_its_key_and_opens_a_checklist() {
    let filed = case(json!("await_approvals"));
    let desk = Desk::new(&[
        ("desk.file", json!({ "Ok": filed })),
        ("desk.checklist", json!({ "Ok": list(&task()) })),
    ]);
    let file = new_machine(&desk, "bo");
    let done = desk.run(&["charter", "lost", "--approver", "bo", "--enrolment", &file]);
    assert!(done.ok(), "{done:?}");
    assert!(done.stderr.contains("approvers will see charter digest"), "{done:?}");
    assert!(done.stderr.contains("member checklist show"), "{done:?}");
    let asked = &desk.asked("desk.file")[0]["action"];
    assert_eq!(
        (&asked["kind"], &asked["charter"]["version"]),
        (&json!("change_charter"), &json!(2))
    );
    assert_eq!(asked["charter"]["approvers"][1]["credential"], "key-new");
    let act = &desk.asked("desk.checklist")[0]["act"];
    assert_eq!((&act["person"], &act["change"]), (&json!("bo"), &json!("mover")));
}

#[test]
fn nothing_is_filed_where_too_few_are_left_or_nothing_such_is_held() {
    let desk = Desk::new(&[]);
    let file = new_machine(&desk, "bo");
    for (args, words) in [
        (vec!["--approver", "bo", "--enrolment", &file, "--person", "ann"], "2 people must agree"),
        (vec!["--approver", "cy", "--enrolment", &file], "another seat"),
        (vec!["--approver", "bo", "--passkey", "pk"], "no passkey `pk`"),
        (vec!["--approver", "eve", "--unseat"], "has no seat"),
        (vec!["--approver", "bo"], "--passkey"),
        (vec!["--approver", "bo", "--unseat", "--passkey", "pk"], "cannot be used with"),
    ] {
        let done = desk.run(&[&["charter", "lost"][..], &args].concat());
        assert!(done.code == 2 && done.stderr.contains(words), "{args:?}: {done:?}");
    }
    assert!(desk.asked("desk.file").is_empty());
}
