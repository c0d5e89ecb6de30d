//! What is wrong with an office, and how to mend it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::desk::Desk;
use super::room::Room;
use super::vault::Vault;

fn room() -> (Room, Vault) {
    let mut vault = Vault::found("house");
    vault.add_key("w-1", "dkg");
    let room = Room::pinned(&vault);
    room.take_in(&vault);
    let _results = room.answer(&["assess", "ccss 9.0"]);
    (room, vault)
}

/// What has to be mended: each thing with what is wrong and the mend.
fn faults(room: &Room) -> Vec<(String, String, String)> {
    let seen = room.answer(&["doctor"]);
    let looks = seen["findings"].as_array().unwrap();
    let faults: Vec<&Value> = looks.iter().filter(|look| look["grade"] == "bad").collect();
    assert_eq!(seen["healthy"], faults.is_empty());
    let text = |look: &Value, name: &str| look[name].as_str().unwrap_or_default().to_owned();
    let told = |look: &&Value| (text(look, "what"), text(look, "found"), text(look, "mend"));
    faults.iter().map(told).collect()
}

#[test]
fn an_office_in_order_has_nothing_to_mend() {
    let (room, vault) = room();
    assert_eq!(faults(&room), []);
    let desk = Desk::open(vault, room.key());
    room.follow(&desk);
    assert_eq!(faults(&room), []);
    let looks = room.good(&["doctor"])["findings"].as_array().unwrap().len();
    assert!(looks >= 11, "everything was looked at: {looks}");
}

#[test]
fn each_fault_of_an_office_is_named_with_its_mend() {
    type Break = fn(&Room);
    let table: [(&str, &str, &str, Break); 8] = [
        ("directory", "open to others", "chmod 700", |room| {
            fs::set_permissions(room.path("office"), fs::Permissions::from_mode(0o755)).unwrap();
        }),
        ("key", "not the key", "put the key of this office back", |room| {
            fs::remove_file(room.path("office/office.key")).unwrap();
            let random = quorate_host::random::Random::start().unwrap();
            quorate_host::Identity::create(&room.path("office/office.key"), random).unwrap();
        }),
        ("results", "gone or altered", "assess again", |room| {
            let mut all = fs::read_dir(room.path("office/results")).unwrap();
            let one = all.next().unwrap().unwrap().path();
            fs::write(one, b"{\"met\":\"all\"}").unwrap();
        }),
        ("copy of house", "altered", "keep the files", |room| {
            let book = room.path("office/books/house.jsonl");
            let text = fs::read_to_string(&book).unwrap().replace("w-1", "w-9");
            fs::write(book, text).unwrap();
        }),
        ("copy of house", "never taken in", "import", |room| {
            fs::remove_file(room.path("office/books/house.checkpoint")).unwrap();
        }),
        ("settings", "unknown field", "", |room| {
            fs::write(room.path("office/assessor.toml"), "colour = \"blue\"\n").unwrap();
        }),
        ("own ledger", "", "", |room| {
            fs::write(room.path("office/office.db"), b"not a database, not at all").unwrap();
            // What a process had no time to fold into the file would bring it back.
            for beside in ["office.db-wal", "office.db-shm"] {
                let _was_there = fs::remove_file(room.path("office").join(beside));
            }
        }),
        ("books", "no book is pinned", "quorate-verify pin", |room| {
            fs::remove_file(room.path("office/books/house.policy.json")).unwrap();
        }),
    ];
    for (what, found, mend, break_it) in table {
        let (room, _) = room();
        break_it(&room);
        let all = faults(&room);
        let named = all
            .iter()
            .any(|(w, f, m)| w == what && f.contains(found) && m.contains(mend) && !m.is_empty());
        assert!(named, "{what}: {all:?}");
    }
}

#[test]
fn a_desk_that_does_not_answer_is_named_with_its_mend() {
    let (room, vault) = room();
    let desk = Desk::open(vault, room.key());
    room.follow(&desk);
    drop(desk);
    let all = faults(&room);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].0, "desk of house");
    assert!(all[0].2.contains("[readers]"), "{all:?}");
}
