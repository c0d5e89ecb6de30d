//! Watching a book as it grows.

use serde_json::{Value, json};

use super::desk::Desk;
use super::room::{Room, Watch};
use super::vault::{COSIGNERS, Vault};

const MADE_TOGETHER: &str = "ccss 9.0 1.01.1.1";

fn vault() -> Vault {
    let mut vault = Vault::found("house");
    vault.add_key("w-1", "dkg");
    vault
}

fn followed(vault: Vault) -> (Room, Desk) {
    let room = Room::pinned(&vault);
    let desk = Desk::open(vault, room.key());
    room.follow(&desk);
    (room, desk)
}

fn is_of(event: &Value, control: &str) -> bool {
    let key = &event["finding"]["control"];
    let name = ["standard", "version", "id"].map(|part| key[part].as_str().unwrap_or_default());
    event["event"] == "finding_changed" && name.join(" ") == control
}

fn evaluated(watch: &mut Watch) -> u64 {
    watch.wait(|event| event["event"] == "evaluated")["controls"].as_u64().unwrap()
}

#[test]
fn a_broken_control_changes_its_finding_in_time_and_raises_an_alert_on_record() {
    let (room, desk) = followed(vault());
    let mut watch = room.watch();
    let first = watch.seen.iter().find(|event| is_of(event, MADE_TOGETHER));
    assert!(first.is_none(), "a control that is met is no news");
    desk.told().vault.add_key("w-2", "dealer");
    let event = watch.wait_in_time(|event| is_of(event, MADE_TOGETHER));
    assert_eq!((&event["alert"], &event["before"]), (&json!(true), &json!("met")));
    assert_eq!(event["finding"]["state"], "gap");
    drop(watch);
    let history = room.good(&["history", MADE_TOGETHER]);
    let changes = history["history"][0]["changes"].as_array().unwrap();
    let states: Vec<&Value> = changes.iter().map(|change| &change["state"]).collect();
    assert_eq!(states, ["met", "gap"]);
    let alerts = history["history"][0]["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{history}");
    assert_eq!(alerts[0]["entry"], json!({ "book": "house.example/book", "index": 2 }));
    assert!(alerts[0]["why"].as_str().unwrap().contains("w-2"), "{history}");
}

#[test]
fn only_controls_that_read_the_kind_of_a_new_entry_are_asked_again() {
    let (room, desk) = followed(vault());
    let mut watch = room.watch();
    desk.told().vault.add_noise();
    assert_eq!(evaluated(&mut watch), 0, "nobody reads noise");
    desk.told().vault.add_key("w-2", "dkg");
    let some = evaluated(&mut watch);
    let all: u64 = watch
        .seen
        .iter()
        .filter(|event| event["event"] == "watching")
        .map(|event| {
            event["counts"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>()
        })
        .sum();
    assert!(some > 0 && some < all / 3, "{some} of {all}");
}

#[test]
fn what_people_show_meanwhile_counts_at_once() {
    let (room, _desk) = followed(vault());
    let mut watch = room.watch();
    let reviewed = "ccss 9.0 1.01.2.1";
    room.attest_review();
    assert!(evaluated(&mut watch) > 0);
    room.good(&["evidence", reviewed, "--tag", "INTERVIEW_1", "--by", "p-ann"]);
    let event = watch.wait(|event| is_of(event, reviewed) && event["finding"]["state"] == "met");
    assert_eq!(event["alert"], false);
}

#[test]
fn row_75_a_watch_that_was_killed_goes_on_and_tells_what_changed_meanwhile() {
    let (room, desk) = followed(vault());
    room.watch().kill();
    desk.told().vault.add_key("w-2", "dealer");
    let watch = room.watch();
    let event = watch.seen.iter().find(|event| is_of(event, MADE_TOGETHER)).unwrap();
    assert_eq!((&event["before"], &event["alert"]), (&json!("met"), &json!(true)));
    drop(watch);
    let again = room.watch();
    assert!(!again.seen.iter().any(|event| is_of(event, MADE_TOGETHER)), "told once");
}

#[test]
fn row_74_a_fork_ends_the_watch_is_told_and_recorded() {
    let (room, desk) = followed(vault());
    let mut watch = room.watch();
    let mut other = Vault::found("house");
    other.add_key("w-1", "dkg");
    other.add_key("w-2", "dkg");
    desk.told().vault = other;
    let event = watch.wait(|event| event["event"] == "book_refused");
    assert_eq!(event["alert"], true);
    let (well, last) = watch.ended();
    assert!(!well && last.is_some_and(|last| last["error"]["code"] == "refuted"));
    assert_eq!(room.good(&["status"])["refused"], 1, "on record");
}

#[test]
fn what_is_not_witnessed_yet_changes_nothing_until_it_is() {
    let (room, desk) = followed(vault());
    let mut watch = room.watch();
    {
        let mut told = desk.told();
        told.witnessed = Some(told.vault.note(&COSIGNERS));
        told.witnesses = 1;
        told.vault.add_key("w-2", "dealer");
    }
    room.good(&["evidence", "ccss 9.0 1.01.2.1", "--tag", "INTERVIEW_1", "--by", "p-ann"]);
    assert!(evaluated(&mut watch) < 20, "the control that was shown, and its maps");
    assert!(!watch.seen.iter().any(|event| is_of(event, MADE_TOGETHER)));
    desk.told().witnesses = 2;
    watch.wait(|event| is_of(event, MADE_TOGETHER) && event["alert"] == true);
}
