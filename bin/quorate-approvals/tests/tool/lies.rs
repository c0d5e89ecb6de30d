//! Desks that lie: the tool shows the truth or refuses, and keeps the proof.

use std::fs;

use quorate_custody::Event;
use quorate_ledger::Note;
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::{Body, Entry, Heartbeat};
use quorate_terms::intent::Action;

use super::desk::{Desk, now};
use super::house::{self, House, MILLI, other_recipient, person};
use super::office::Office;

/// Re-chains entries after a change, as a desk with the whole log in its hands can.
pub(crate) fn rechained(entries: &[Entry]) -> Vec<Vec<u8>> {
    let mut prev = quorate_terms::Digest::ZERO;
    let mut told = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let entry = Entry { prev, index: index as u64, ..entry.clone() };
        prev = entry.digest().unwrap();
        told.push(entry.to_canonical().unwrap());
    }
    told
}

/// Everybody's recipient swapped for the thief's, wherever it stands, and all digests made to fit again but the case's.
pub(crate) fn swapped(desk: &Desk) -> Vec<Entry> {
    let mut entries = desk.house.entries.clone();
    for entry in &mut entries {
        if let Body::Filed(filed) = &mut entry.body
            && let Action::Transfer(transfer) = &mut filed.intent.action
        {
            transfer.to = other_recipient();
        }
    }
    entries
}

fn evidence(office: &Office) -> Vec<Note> {
    let names = fs::read_dir(office.path("home")).unwrap().map(|e| e.unwrap().path());
    let kept = names.filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with("evidence-"));
    kept.map(|path| fs::read_to_string(path).unwrap().parse().unwrap()).collect()
}

#[test]
fn a_book_that_is_cut_short_is_a_rollback_and_its_signed_note_is_kept() {
    let office = Office::new();
    office.asked();
    office.run(&["list"]).good();
    let mut story = office.desk().bytes();
    story.truncate(story.len() - 2);
    office.desk().story = Some(story);
    for command in [&["list"][..], &["status"], &["show", "00000000"]] {
        assert_eq!(office.run(command).trouble(), "rollback");
    }
    assert_eq!(evidence(&office).len(), 1, "one lie, one proof");
    // The truth is taken again: the replica was not touched.
    office.desk().story = None;
    office.run(&["list"]).good();
}

#[test]
fn a_forked_book_is_refused_across_runs_even_when_it_is_longer() {
    let office = Office::new();
    office.run(&["list"]).good();
    let beat = |sequence| Body::Heartbeat(Heartbeat { source: "desk".to_owned(), sequence });
    let mut desk = office.desk();
    let mut other = desk.house.entries.clone();
    other.pop();
    let mut story = rechained(&other);
    let last: Entry = other.last().unwrap().clone();
    for sequence in 0..3 {
        let prev = quorate_terms::Digest::of(Entry::TAG, story.last().unwrap());
        let entry = Entry { index: story.len() as u64, prev, body: beat(sequence), ..last.clone() };
        story.push(entry.to_canonical().unwrap());
    }
    // The same size with another end, then more on top of it.
    let same = story[..desk.house.entries.len()].to_vec();
    desk.story = Some(same);
    drop(desk);
    assert_eq!(office.run(&["list"]).trouble(), "fork");
    office.desk().story = Some(story.clone());
    assert_eq!(office.run(&["list"]).trouble(), "broken_chain");
    assert_eq!(evidence(&office).len(), 2);
    // Losing the replica is no way around the remembered checkpoint.
    fs::remove_file(office.path("home/book.jsonl")).unwrap();
    assert_eq!(office.run(&["list"]).trouble(), "fork");
    office.desk().story = None;
    office.run(&["list"]).good();
}

#[test]
fn a_checkpoint_under_another_key_is_no_checkpoint() {
    let office = Office::new();
    office.desk().log = "mallory";
    assert_eq!(office.run(&["list"]).trouble(), "bad_checkpoint");
    assert!(!office.path("home/book.jsonl").exists(), "nothing was taken");
}

#[test]
fn a_cosignature_that_does_not_verify_refutes_the_whole_note() {
    let office = Office::new();
    office.desk().witnesses[1].1 = "mallory".to_owned();
    assert_eq!(office.run(&["list"]).trouble(), "bad_witness");
}

#[test]
fn what_no_cosigner_has_witnessed_is_not_approved() {
    let office = Office::new();
    office.desk().witnesses.clear();
    let case = office.asked().to_string();
    let none = office.run(&["approve", &case, "--yes", "--wait", "0"]);
    assert_eq!(none.trouble(), "unwitnessed");
    assert!(office.desk().house.case(&case.parse().unwrap()).approvals.is_empty());
    office.run(&["approve", &case, "--yes", "--allow-unwitnessed"]).good();
}

#[test]
fn one_witness_is_enough_and_a_later_head_without_one_takes_nothing_back() {
    let office = Office::new();
    let case = office.asked().to_string();
    office.desk().witnesses.truncate(1);
    office.run(&["list"]).good();
    office.desk().witnesses.clear();
    let bo = office.desk().house.approval("bo", &case.parse().unwrap());
    office.desk().house.does(Event::ApprovalCame(Box::new(bo)));
    office.run(&["approve", &case, "--yes"]).good();
}

#[test]
fn t3_a_recipient_swapped_in_the_book_is_never_shown_as_what_was_asked() {
    let office = Office::new();
    let case = office.asked().to_string();
    // From the beginning: the swapped filing is void here, so the case does not exist.
    let lie = rechained(&swapped(&office.desk()));
    office.desk().story = Some(lie.clone());
    for command in ["show", "approve"] {
        let args: &[&str] =
            if command == "show" { &["show", &case] } else { &["approve", &case, "--yes"] };
        let said = office.run(args);
        assert_eq!(said.trouble(), "unknown_case", "{command}");
        assert!(!said.out.contains(other_recipient().address()), "{}", said.out);
    }
    let listed = office.run(&["list", "--all"]).good().json();
    assert!(listed["cases"].as_array().unwrap().is_empty());
    assert!(listed["warnings"].to_string().contains("void entry"), "{listed}");
    // The truth after the lie is a fork: this machine remembers the first story that it was told.
    office.desk().story = None;
    assert_ne!(office.run(&["list"]).code, 0);
}

#[test]
fn t3_a_recipient_swapped_after_the_approver_saw_it_is_refused() {
    let office = Office::new();
    let case = office.asked().to_string();
    office.run(&["show", &case]).good();
    let lie = rechained(&swapped(&office.desk()));
    office.desk().story = Some(lie);
    assert_eq!(office.run(&["approve", &case, "--yes"]).trouble(), "fork");
    assert!(office.desk().house.case(&case.parse().unwrap()).approvals.is_empty());
}

#[test]
fn the_book_of_a_vault_that_was_founded_on_another_charter_is_refused() {
    let office = Office::new();
    let mut other = office.charter.clone();
    other.change_delay_s += 1;
    let house = House::founded(other);
    let story = house.entries.iter().map(|entry| entry.to_canonical().unwrap()).collect();
    office.desk().story = Some(story);
    assert_eq!(office.run(&["list"]).trouble(), "other_founding");
}

#[test]
fn a_desk_that_signs_for_entries_that_it_does_not_give_is_refused() {
    let office = Office::new();
    office.run(&["list"]).good();
    let mut desk = office.desk();
    desk.house.now = now();
    let intent = desk.house.transfer_of(person("op"), 2_000 * MILLI);
    desk.house.file(&intent).unwrap();
    let entries = desk.bytes();
    // A note over more than is given: the last entry is no entry at all.
    let story = [entries, vec![b"{}".to_vec()]].concat();
    desk.story = Some(story);
    drop(desk);
    assert_eq!(office.run(&["list"]).trouble(), "malformed");
}

#[test]
fn a_desk_that_proves_another_key_is_not_spoken_to() {
    let office = Office::new();
    let config = office.path("home/approvals.toml");
    let text = fs::read_to_string(&config).unwrap();
    let east = text.lines().find_map(|line| line.strip_prefix("\"east\" = ")).unwrap().to_owned();
    super::office::private(&config, format!("timeout_s = 1\ndesk = {east}\n").as_bytes());
    assert_eq!(office.run(&["list"]).trouble(), "unreachable");
    let unknown = format!("timeout_s = 1\ndesk = {east}\nproxy = \"x\"\n");
    super::office::private(&config, unknown.as_bytes());
    assert!(office.run(&["list"]).out.contains("unknown field"));
    let _house = house::VAULT;
}
