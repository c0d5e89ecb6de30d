//! Books that must not be taken in, and what an office rests on when it was cut off while it worked.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use serde_json::Value;

use super::room::Room;
use super::said;
use super::vault::{COSIGNERS, Vault};

const MADE_TOGETHER: &str = "ccss 9.0 1.01.1.1";

fn vault(entries: usize) -> Vault {
    let mut vault = Vault::found("house");
    vault.add_key("w-1", "dkg");
    (2..entries).for_each(|_| vault.add_noise());
    vault
}

/// The same book with more entries.
fn grown(vault: &Vault, entries: usize) -> Vault {
    let mut vault = vault.clone();
    (vault.entries.len()..entries).for_each(|_| vault.add_noise());
    vault
}

/// The code with which an export is refused.
fn refusal(room: &Room, vault: &Vault, note: &str) -> (String, String) {
    let (export, file) = room.exported(vault, note);
    room.refused(&["import", "--vault", "house", &export, "--checkpoint", &file])
}

#[test]
fn row_74_forged_evidence_is_refused_whole_and_the_refusal_recorded() {
    let honest = vault(6);
    let room = Room::pinned(&honest);
    type Forge = fn(&mut Vault) -> Option<String>;
    let table: [(&str, &str, Forge); 9] = [
        ("a log that is not the pinned one", "refuted", |vault| {
            vault.keys = "thief".into();
            None
        }),
        ("too few witnesses", "refuted", |vault| Some(vault.note(&COSIGNERS[..1]))),
        ("one witness twice", "refuted", |vault| Some(vault.note(&["east", "east"]))),
        ("a cosignature by another key", "refuted", |vault| {
            let mut thief = vault.clone();
            thief.keys = "thief".into();
            let good = vault.note(&["east"]);
            let line = thief.note(&["west"]).lines().last().unwrap().to_owned();
            Some(format!("{good}{line}\n"))
        }),
        ("a note with a flipped letter", "refuted", |vault| {
            let note = vault.note(&COSIGNERS);
            let mut letters: Vec<char> = note.chars().collect();
            let last = letters.iter().rposition(|letter| *letter == 'A').unwrap();
            letters[last] = 'B';
            Some(letters.into_iter().collect())
        }),
        ("an entry that is not there", "refuted", |vault| {
            let note = vault.note(&COSIGNERS);
            vault.entries.remove(3);
            Some(note)
        }),
        ("an entry too many", "refuted", |vault| {
            let note = vault.note(&COSIGNERS);
            vault.add_noise();
            Some(note)
        }),
        ("a line that is no entry", "refuted", |vault| {
            let note = vault.note(&COSIGNERS);
            vault.entries[2] = b"{\"v\":1}".to_vec();
            Some(note)
        }),
        ("another vault's book, founded as another", "refuted", |vault| {
            let keys = vault.keys.clone();
            *vault = Vault::found("other");
            vault.keys = keys;
            None
        }),
    ];
    let mut refused = 0;
    for (what, code, forge) in table {
        let mut forged = honest.clone();
        let note = forge(&mut forged).unwrap_or_else(|| forged.note(&COSIGNERS));
        let (got, said) = refusal(&room, &forged, &note);
        refused += 1;
        assert!(got == code || got == "malformed", "{what}: {said}");
        assert_eq!(room.good(&["status"])["refused"], refused, "{what}");
        let (code, _) = room.refused(&["assess", "ccss 9.0"]);
        assert_eq!(code, "no_book", "{what}: nothing is assessed on it");
    }
    assert_eq!(room.take_in(&honest), 6);
}

#[test]
fn row_74_any_flipped_byte_of_a_book_is_found() {
    let honest = vault(4);
    let room = Room::pinned(&honest);
    let note = honest.note(&COSIGNERS);
    let size: usize = honest.entries.iter().map(Vec::len).sum();
    for at in (0..size).step_by(97) {
        let (mut forged, mut left) = (honest.clone(), at);
        for entry in &mut forged.entries {
            if let Some(byte) = entry.get_mut(left) {
                *byte ^= 1;
                break;
            }
            left -= entry.len();
        }
        let (code, said) = refusal(&room, &forged, &note);
        assert!(["refuted", "malformed"].contains(&code.as_str()), "byte {at}: {said}");
    }
}

#[test]
fn row_74_a_fork_of_the_book_that_is_there_is_refused_though_all_signed_it() {
    let honest = vault(6);
    let room = Room::pinned(&honest);
    room.take_in(&honest);
    let mut fork = vault(4);
    (0..4).for_each(|_| fork.add_key("w-2", "dkg"));
    let (code, said) = refusal(&room, &fork, &fork.note(&COSIGNERS));
    assert_eq!(code, "refuted", "{said}");
    let (code, _) = refusal(&room, &vault(5), &vault(5).note(&COSIGNERS));
    assert_eq!(code, "shrunk", "an older head is not taken for the newest");
    assert_eq!(room.good(&["status"])["books"][0]["head"]["size"], 6);
    assert_eq!(room.state(MADE_TOGETHER), "met", "the copy is as it was");
}

#[test]
fn row_74_a_copy_altered_on_disk_is_evidence_of_nothing() {
    let honest = vault(6);
    let room = Room::pinned(&honest);
    room.take_in(&honest);
    let book = room.path("office/books/house.jsonl");
    let text = fs::read_to_string(&book).unwrap();
    for forged in [
        text.replace("\"dkg\"", "\"dke\""),
        text.replace("w-1", "w-2"),
        text.lines().take(4).map(|line| format!("{line}\n")).collect(),
        String::new(),
    ] {
        fs::write(&book, forged).unwrap();
        for words in [["assess", "ccss 9.0"], ["show", MADE_TOGETHER]] {
            let (code, said) = room.refused(&words);
            assert!(["refuted", "malformed"].contains(&code.as_str()), "{said}");
        }
    }
    fs::write(&book, text).unwrap();
    assert_eq!(room.state(MADE_TOGETHER), "met");
}

#[test]
fn row_74_evidence_past_its_day_is_stale_and_never_met() {
    let honest = vault(3);
    let room = Room::pinned(&honest);
    room.take_in(&honest);
    let reviewed = "ccss 9.0 1.01.2.1";
    room.attest_review();
    let show = |expires: &str, tag: &str| {
        room.good(&["evidence", reviewed, "--tag", tag, "--by", "p-ann", "--expires", expires])
    };
    show("2020-01-02", "DOCUMENT_1");
    assert_eq!(room.state(reviewed), "stale");
    show("2990-01-01", "DOCUMENT_2");
    assert_eq!(room.state(reviewed), "met");
}

/// Runs a command that may write no file beyond so many blocks of 512 bytes; more, and it is killed where it stands.
fn cut_off(command: &Command, blocks: u32) -> bool {
    let mut words =
        vec!["-c".to_owned(), format!("ulimit -c 0; ulimit -f {blocks}; exec \"$0\" \"$@\"")];
    words.push(command.get_program().to_string_lossy().into_owned());
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    let output = Command::new("sh").args(words).output().unwrap();
    // Killed by the limit, or told of it by a library that caught it.
    output.status.signal().is_some() || output.status.code() == Some(2)
}

#[test]
fn row_75_an_intake_that_is_cut_off_at_any_write_is_taken_up_again() {
    let small = vault(6);
    let large = grown(&small, 60);
    let mut cut = 0;
    for blocks in (0..40).step_by(3) {
        let room = Room::pinned(&small);
        room.take_in(&small);
        let (export, note) = room.exported(&large, &large.note(&COSIGNERS));
        let words = ["import", "--vault", "house", &export, "--checkpoint", &note];
        cut += usize::from(cut_off(&room.command(&words), blocks));
        let state = room.state(MADE_TOGETHER);
        assert_eq!(state, "met", "what was there before still holds, at {blocks}");
        assert_eq!(room.take_in(&large), 60, "at {blocks}");
        assert_eq!(room.good(&["doctor"])["healthy"], true, "at {blocks}");
    }
    assert!(cut >= 5, "{cut} were cut off");
}

#[test]
fn row_75_a_run_that_is_cut_off_never_happened_and_the_next_one_is_whole() {
    let vault = vault(6);
    let room = Room::pinned(&vault);
    room.take_in(&vault);
    let whole = room.answer(&["assess", "ccss 9.0"]);
    let count = |value: &Value| value["results"]["findings"].as_array().unwrap().len();
    let (mut cut, mut lines) = (0, room.good(&["status"])["entries"].as_u64().unwrap());
    for blocks in (0..240).step_by(12) {
        if !cut_off(&room.command(&["assess", "ccss 9.0"]), blocks) {
            lines += 1;
            continue;
        }
        cut += 1;
        assert_eq!(
            room.good(&["status"])["entries"],
            lines,
            "no line without its results, at {blocks}"
        );
        assert_eq!(room.good(&["doctor"])["healthy"], true, "at {blocks}");
    }
    assert!(cut >= 5, "{cut} were cut off");
    let again = room.answer(&["assess", "ccss 9.0"]);
    assert_eq!(count(&again), count(&whole));
    let states = |value: &Value| -> Vec<Value> {
        value["results"]["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["state"].clone())
            .collect()
    };
    assert_eq!(states(&again), states(&whole), "every control is asked again");
}

#[test]
fn row_75_between_any_two_writes_of_an_intake_lies_a_copy_that_holds() {
    let small = vault(6);
    let large = grown(&small, 12);
    let line = |vault: &Vault, n: usize| String::from_utf8(vault.entries[n].clone()).unwrap();
    let whole =
        |vault: &Vault| (0..vault.entries.len()).map(|n| line(vault, n) + "\n").collect::<String>();
    let torn = whole(&small)
        + &line(&large, 6)
        + "\n"
        + &line(&large, 7).chars().take(90).collect::<String>();
    let (short, long) = (small.note(&COSIGNERS), large.note(&COSIGNERS));
    for (what, book, head, beside) in [
        ("the new copy half written beside", whole(&small), &short, Some(torn.clone())),
        ("entries appended, the last one torn", torn, &short, None),
        ("all entries appended, the head not yet", whole(&large), &short, None),
        ("the head too, its line not yet", whole(&large), &long, None),
    ] {
        let room = Room::pinned(&small);
        room.take_in(&small);
        let books = room.path("office/books");
        fs::write(books.join("house.jsonl"), book).unwrap();
        fs::write(books.join("house.checkpoint"), head).unwrap();
        if let Some(beside) = beside {
            fs::write(books.join("house.importing"), beside).unwrap();
        }
        assert_eq!(room.state(MADE_TOGETHER), "met", "{what}");
        let desk = super::desk::Desk::open(large.clone(), room.key());
        assert_eq!(room.follow(&desk)["head"]["size"], 12, "{what}");
        assert_eq!(room.good(&["doctor"])["healthy"], true, "{what}");
    }
}

#[test]
fn a_command_line_that_is_none_is_answered_in_json_where_that_was_asked_for() {
    for (words, said) in [
        (&["--json"][..], "command: none was given"),
        (&["--json", "asses"], "asses: unrecognized subcommand"),
        (&["--json", "status", "--all"], "--all: unexpected argument"),
    ] {
        let mut command = said::command();
        let output = command.args(words).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let error = &answer["error"];
        assert_eq!((output.status.code(), error["code"].as_str()), (Some(2), Some("usage")));
        assert!(error["message"].as_str().unwrap().starts_with(said), "{answer}");
        assert!(!error["next"].as_str().unwrap().is_empty(), "{answer}");
    }
}
