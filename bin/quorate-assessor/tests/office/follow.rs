//! Following a book at its desk's door.

use super::desk::{DESK, Desk};
use super::room::Room;
use super::vault::{COSIGNERS, Vault, identity};

type Lie = fn(&mut Vault);

fn vault(entries: usize) -> Vault {
    let mut vault = Vault::found("house");
    (1..entries).for_each(|_| vault.add_noise());
    vault
}

#[test]
fn a_book_is_followed_page_by_page_and_goes_on_where_it_was() {
    let vault = vault(20);
    let room = Room::pinned(&vault);
    let desk = Desk::open(vault, room.key());
    assert_eq!(room.follow(&desk)["head"]["size"], 20);
    (0..3).for_each(|_| desk.told().vault.add_noise());
    // The desk is remembered.
    assert_eq!(room.good(&["follow"])["head"]["size"], 23);
    let status = room.good(&["status"]);
    assert_eq!(status["entries"], 4, "opened, pinned, and two heads reached: {status}");
    assert_eq!(room.good(&["follow"])["head"]["size"], 23);
    assert_eq!(room.good(&["status"])["entries"], 4, "nothing new is no act");
}

#[test]
fn entries_count_only_under_a_head_that_enough_witnesses_cosigned() {
    let vault = vault(9);
    let room = Room::pinned(&vault);
    let desk = Desk::open(vault, room.key());
    desk.told().witnesses = 1;
    let (address, key) = (desk.address(), identity(DESK).public_key().to_string());
    let (code, said) = room.refused(&["follow", "--desk", &address, "--identity", &key]);
    assert_eq!(code, "unwitnessed", "{said}");
    {
        let mut told = desk.told();
        told.witnessed = Some(told.vault.note(&COSIGNERS));
        (0..4).for_each(|_| told.vault.add_noise());
    }
    assert_eq!(room.good(&["follow"])["head"]["size"], 9, "the four newest wait for a witness");
}

#[test]
fn a_desk_that_cannot_prove_its_key_is_not_spoken_to() {
    let vault = vault(3);
    let room = Room::pinned(&vault);
    let desk = Desk::open(vault, room.key());
    let other = identity("somebody else").public_key().to_string();
    let (code, _) = room.refused(&["follow", "--desk", &desk.address(), "--identity", &other]);
    assert_eq!(code, "desk");
}

#[test]
fn row_74_a_desk_that_tells_another_story_is_refused_and_its_note_kept() {
    let mut first = vault(8);
    let room = Room::pinned(&first);
    let desk = Desk::open(first.clone(), room.key());
    room.follow(&desk);
    let size = room.good(&["status"])["books"][0]["head"]["size"].clone();
    assert_eq!(size, 8);
    first.entries.truncate(4);
    let lies: [(&str, &str, Lie); 4] = [
        ("taken back", "shrunk", |vault| vault.entries.truncate(5)),
        ("same size, other entries", "refuted", |vault| {
            *vault = super::follow::vault(7);
            vault.add_key("w", "dealer");
        }),
        ("longer, other history", "refuted", |vault| {
            *vault = super::follow::vault(6);
            (0..5).for_each(|_| vault.add_key("w", "dkg"));
        }),
        ("one byte of a new entry flipped after signing", "refuted", |vault| {
            *vault = super::follow::vault(8);
            vault.add_noise();
            vault.keys = "thief".into();
        }),
    ];
    for (what, code, lie) in lies {
        let honest = desk.told().vault.clone();
        lie(&mut desk.told().vault);
        let (refused, said) = room.refused(&["follow"]);
        assert_eq!(refused, code, "{what}: {said}");
        desk.told().vault = honest;
        assert_eq!(room.good(&["follow"])["head"]["size"], 8, "{what}: the copy is as it was");
    }
    let kept = std::fs::read_dir(room.path("office/books")).unwrap();
    let kept =
        kept.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains(".refused-"));
    assert!(kept.count() >= 3, "notes of the lies are kept");
    assert_eq!(room.good(&["status"])["refused"], 4, "each is on record");
}
