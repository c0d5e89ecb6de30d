//! A share comes back from its backup: where nothing is lost, where the record of what was signed is lost, and where it
//! must not.
#![cfg(test)]

mod house;

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use house::*;
use quorate_custody::Event;
use quorate_custody::protocol::{Answer, Ask};
use quorate_terms::entry::Body;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Action;

/// The passphrase for backups of shares whose key every cosigner has read in the book.
async fn backup_passphrase(house: &mut House) -> PathBuf {
    house.ask_both(Ask::Follow).await;
    let pass = house.file("backup.pass");
    secret_file(&pass, "another canary of several words");
    pass
}

fn alarms(cosigner: &Cosigner, rule: &str) -> u64 {
    cosigner.status()["alarms"][rule].as_u64().unwrap_or_default()
}

/// The desk records what a cosigner's outbox holds, and the charter's quorum lifts it.
fn lift(house: &mut House, answer: &Answer) {
    let mut lifts = std::collections::BTreeSet::new();
    for freeze in &answer.outbox.freezes {
        assert_eq!(freeze.body.scope, Scope::Vault);
        lifts.insert(quorate_terms::canonical::Term::digest(&freeze.body).unwrap());
        house.does(Event::FreezeCame(Box::new(freeze.clone())));
    }
    assert!(!lifts.is_empty());
    house.administer(Action::Unfreeze { scope: Scope::Vault, lifts });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_share_comes_back_beside_its_own_ledger_and_nothing_else_does() {
    let mut house = House::open().await;
    let pass = backup_passphrase(&mut house).await;
    let (file, other) =
        (house.cosigners["east"].back_up(&pass), house.cosigners["west"].back_up(&pass));
    let why = house.cosigners["east"].restore(&file, &pass).unwrap_err();
    assert!(why.contains("while the daemon runs"), "{why}");
    house.cosigners.get_mut("east").unwrap().stop();
    let east = &house.cosigners["east"];
    // A share that is there is never replaced, however good the backup.
    let share = east.share_file();
    let why = east.restore(&file, &pass).unwrap_err();
    assert!(why.contains("is there already") && why.contains(".share"), "{why}");
    let sealed = fs::read(&share).unwrap();
    fs::remove_file(&share).unwrap();
    // Another holder's, a wrong passphrase, a changed byte in facts, header or share: nothing is written.
    let good = fs::read(&file).unwrap();
    let why = east.restore(&other, &pass).unwrap_err();
    assert!(why.contains("another cosigner's"), "{why}");
    let why = east.restore(&file, &east.passphrase).unwrap_err();
    assert!(why.contains("wrong passphrase") && !why.contains("canary"), "{why}");
    let facts = good.iter().position(|byte| *byte == b'{').unwrap();
    for at in
        [3, facts + 20, facts + 330, good.len() - 60_000.min(good.len() - 600), good.len() - 1]
    {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&file, &bad).unwrap();
        assert!(east.restore(&file, &pass).is_err(), "byte {at}");
    }
    for (from, to) in
        [("\"epoch\":0", "\"epoch\":1"), ("\"party\":1", "\"party\":2"), ("\"ops\"", "\"opt\"")]
    {
        let text = String::from_utf8_lossy(&good[..facts + 700]).replacen(from, to, 1);
        fs::write(&file, [text.as_bytes(), &good[facts + 700..]].concat()).unwrap();
        assert!(east.restore(&file, &pass).is_err(), "{from}");
    }
    fs::write(&file, &good).unwrap();
    let before = east.own_entries().await.len();
    assert!(!share.exists());
    // The share itself: sealed anew, under its own name, and noted.
    let restored = east.restore(&file, &pass).unwrap();
    assert_eq!(restored["restored"]["record_kept"], true, "{restored}");
    assert_eq!(east.share_file(), share);
    assert_ne!(fs::read(&share).unwrap(), sealed);
    let entries = east.own_entries().await;
    assert!(matches!(&entries[before..], [entry] if matches!(entry.body, Body::ShareRestored(_))));
    house.start("east").await;
    assert_eq!(house.cosigners["east"].status()["freezes"].as_array().unwrap().len(), 0);
    let case = house.pay(10 * MILLI);
    house.signs(&case).await;
}

/// A new disk with the keys, the settings and the charter that the operator kept, and nothing else.
fn new_disk(cosigner: &Cosigner) {
    let old = cosigner.dir.with_extension("old");
    fs::rename(&cosigner.dir, &old).unwrap();
    fs::DirBuilder::new().mode(0o700).create(&cosigner.dir).unwrap();
    for name in ["identity.key", "witness.key", "cosigner.toml", "charter.json"] {
        fs::copy(old.join(name), cosigner.dir.join(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_65_a_share_restored_on_a_new_disk_signs_nothing_until_the_quorum_lifts_its_freeze() {
    let mut house = House::open().await;
    let pass = backup_passphrase(&mut house).await;
    let file = house.cosigners["east"].back_up(&pass);
    // Something is signed that the backup cannot know of.
    let case = house.pay(10 * MILLI);
    house.signs(&case).await;
    house.cosigners.get_mut("east").unwrap().stop();
    let east = &house.cosigners["east"];
    new_disk(east);
    let restored = east.restore(&file, &pass).unwrap();
    assert_eq!(restored["restored"]["record_kept"], false, "{restored}");
    let next = restored["next"].as_str().unwrap();
    assert!(next.contains("does not know what the share signed since"), "{next}");
    assert!(next.contains("quorum"), "{next}");
    house.start("east").await;
    let east = &house.cosigners["east"];
    let status = east.status();
    assert_eq!(status["wallets"][0]["share"], true, "{status}");
    assert_eq!(status["freezes"].as_array().unwrap().len(), 1, "{status}");
    assert!(status["forgotten_until"].is_number() || status["forgotten_until"].is_string());
    let case = house.pay(10 * MILLI);
    let answers = house.sign(&case).await;
    assert_eq!(refusal(&answers[0]), "frozen");
    // kill -9 thaws nothing.
    house.cosigners.get_mut("east").unwrap().kill();
    house.start("east").await;
    let answers = house.sign(&case).await;
    assert_eq!(refusal(&answers[0]), "frozen");
    lift(&mut house, &answers[0]);
    house.signs(&case).await;
    assert_eq!(alarms(&house.cosigners["east"], "own_ledger_behind"), 0, "it said so once, itself");
    // Restoring again on this disk starts frozen again: this disk does not reach back either.
    house.cosigners.get_mut("east").unwrap().stop();
    let east = &house.cosigners["east"];
    fs::remove_file(east.share_file()).unwrap();
    assert_eq!(east.restore(&file, &pass).unwrap()["restored"]["record_kept"], false);
}

/// Copies of the two ledgers, put back over the present ones.
fn put_back(cosigner: &Cosigner, ledgers: &[(PathBuf, Vec<u8>)]) {
    cosigner.lose(&[".db"]);
    let write = |(path, bytes): &(PathBuf, Vec<u8>)| secret_bytes(path, bytes);
    ledgers.iter().for_each(write);
}

fn secret_bytes(path: &Path, bytes: &[u8]) {
    secret_file(path, "");
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_14_27_a_disk_image_from_before_a_signature_freezes_itself_when_the_book_shows_it() {
    let mut house = House::open().await;
    let image = house.image_before_a_signature("east").await;
    put_back(&house.cosigners["east"], &image);
    house.start("east").await;
    assert_eq!(alarms(&house.cosigners["east"], "own_ledger_behind"), 1);
    let case = house.pay(10 * MILLI);
    let answers = house.sign(&case).await;
    assert_eq!(refusal(&answers[0]), "frozen");
    let east = house.cosigners.get_mut("east").unwrap();
    east.stop();
    assert!(east.marks().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn row_27_a_cosigner_whose_own_ledger_is_gone_does_not_start() {
    let mut house = House::open().await;
    house.cosigners.get_mut("east").unwrap().stop();
    let east = &house.cosigners["east"];
    let whole = east.ledgers();
    east.lose(&["own.db"]);
    let why = east.fails_to_start();
    assert!(why.contains("marks of what this cosigner signed are gone"), "{why}");
    // Without a replica neither: the share says that there was something to remember.
    east.lose(&[".db"]);
    assert!(east.fails_to_start().contains("marks of what"));
    put_back(east, &whole);
    // The replica alone may go: the desk tells its book again.
    east.lose(&["book.db"]);
    house.start("east").await;
    let case = house.pay(10 * MILLI);
    house.signs(&case).await;
}
