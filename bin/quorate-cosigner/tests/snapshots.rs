//! Starting from a snapshot of the own ledger, from a bad one, and under a clock that was set.
#![cfg(test)]

mod house;

use house::*;
use quorate_cosigner::party::OwnBook;
use quorate_host::{Identity, Store};
use quorate_ledger::Frontier;
use quorate_terms::Digest;
use quorate_terms::canonical::Term;
use quorate_terms::digest::tag::{OWN_SNAPSHOT, SNAPSHOT};
use quorate_terms::entry::{Body, Entry, Heartbeat};

fn alarms(cosigner: &Cosigner, rule: &str) -> u64 {
    cosigner.status()["alarms"][rule].as_u64().unwrap_or_default()
}

async fn own_snapshot(cosigner: &Cosigner) -> (u64, Vec<u8>) {
    let store = Store::open(&cosigner.dir.join("own.db")).await.unwrap();
    let snapshot = store.snapshot("own").await.unwrap().unwrap();
    store.close().await;
    snapshot
}

async fn plant(cosigner: &Cosigner, (size, blob): (u64, Vec<u8>)) {
    let store = Store::open(&cosigner.dir.join("own.db")).await.unwrap();
    store.put_snapshot("own", size, blob).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_from_the_snapshot_and_from_no_bad_one() {
    let mut house = House::open().await;
    let case = house.pay(10 * MILLI);
    house.signs(&case).await;
    house.cosigners["east"]
        .told(&["freeze", "--scope", "agent:other", "--cause", "drill"])
        .unwrap();
    for name in COSIGNERS {
        house.cosigners.get_mut(name).unwrap().stop();
    }
    let (east, west) = (&house.cosigners["east"], &house.cosigners["west"]);
    let good = own_snapshot(east).await;
    let damaged = {
        let (size, mut blob) = good.clone();
        let at = blob.len() / 2;
        blob[at] ^= 1;
        (size, blob)
    };
    let forged = {
        let (size, blob) = good.clone();
        let text = String::from_utf8(blob).unwrap();
        let thawed = text.replacen("\"type\":\"agent\"", "\"type\":\"agenu\"", 1);
        let thawed = if thawed == text { text.replacen("other", "otter", 1) } else { thawed };
        assert_ne!(thawed, text);
        (size, thawed.into_bytes())
    };
    let foreign = own_snapshot(west).await;
    let cut = (good.0, good.1[..good.1.len() / 3].to_vec());
    for (what, bad) in
        [("damaged", damaged), ("forged", forged), ("foreign", foreign), ("cut", cut)]
    {
        let east = house.cosigners.get_mut("east").unwrap();
        plant(east, bad).await;
        house.start("east").await;
        let east = house.cosigners.get_mut("east").unwrap();
        assert_eq!(alarms(east, "own_snapshot_refused"), 1, "{what}");
        assert_eq!(east.status()["freezes"].as_array().unwrap().len(), 1, "{what}");
        east.stop();
        // The next start has a good one again, and the alarm stands in the own ledger.
        let raised = |entry: &Entry| matches!(&entry.body, Body::AlertRaised(a) if a.rule == "own_snapshot_refused");
        assert!(east.own_entries().await.iter().any(raised), "{what}");
    }
    house.start_all().await;
    assert_eq!(alarms(&house.cosigners["east"], "own_snapshot_refused"), 0);
    let again = house.sign(&case).await;
    assert_eq!(refusal(&again[0]), "other_draft", "signed and recorded before");
    let case = house.pay(10 * MILLI);
    house.signs(&case).await;
}

/// A snapshot of the replica in a form that this program does not have, under its owner's own signature.
fn replica_of_form(owner: &Identity, form: u8) -> Vec<u8> {
    let book = format!("{{\"v\":{form}}}");
    let digest = Digest::of(SNAPSHOT, book.as_bytes());
    let head = serde_json::json!({ "v": 1, "frontier": Frontier::default(), "book": digest });
    let head = head.to_string();
    let signature = owner.sign(&Digest::of(SNAPSHOT, head.as_bytes()));
    format!("{head}\n{signature}\n{book}").into_bytes()
}

/// The same of the own ledger.
fn own_of_form(owner: &Identity, form: u8) -> Vec<u8> {
    let body = format!("{{\"v\":{form}}}");
    let signature = owner.sign(&Digest::of(OWN_SNAPSHOT, body.as_bytes()));
    format!("{signature}\n{body}").into_bytes()
}

/// An upgrade finds a snapshot of its own under its own signature, in a form that it does not read.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_version_left_is_folded_anew_and_is_no_alarm() {
    let mut house = House::open().await;
    house.cosigners.get_mut("east").unwrap().stop();
    let owner = Identity::load(&house.cosigners["east"].dir.join("identity.key")).unwrap();
    for (file, name, rule, blob, raised) in [
        ("book.db", "replica", "snapshot_refused", replica_of_form(&owner, 5), 0),
        ("book.db", "replica", "snapshot_refused", replica_of_form(&owner, 6), 1),
        ("own.db", "own", "own_snapshot_refused", own_of_form(&owner, 2), 0),
        ("own.db", "own", "own_snapshot_refused", own_of_form(&owner, 1), 1),
    ] {
        let east = &house.cosigners["east"];
        let store = Store::open(&east.dir.join(file)).await.unwrap();
        let size = store.size();
        assert!(size > 0, "there is something to fold");
        store.put_snapshot(name, size, blob).await.unwrap();
        store.close().await;
        house.start("east").await;
        let east = house.cosigners.get_mut("east").unwrap();
        assert_eq!(alarms(east, rule), raised, "{name}");
        east.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_27_a_ledger_that_lost_what_its_snapshot_holds_does_not_start() {
    let mut house = House::open().await;
    let image = house.image_before_a_signature("east").await;
    let east = &house.cosigners["east"];
    let later = own_snapshot(east).await;
    east.lose(&[".db"]);
    for (path, bytes) in &image {
        secret_file(path, "");
        std::fs::write(path, bytes).unwrap();
    }
    plant(east, later).await;
    let why = east.fails_to_start();
    assert!(why.contains("marks of what it signed are gone"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_17_18_a_clock_that_was_set_forward_and_back_is_noted_and_lets_nothing_live_longer() {
    let mut house = House::open().await;
    house.cosigners.get_mut("east").unwrap().stop();
    let east = &house.cosigners["east"];
    // A week ahead, something was recorded; then the clock was set back and the process started.
    let mut own = OwnBook::new(id(VAULT));
    for entry in east.own_entries().await {
        own.replay(&entry).unwrap();
    }
    let ahead = house.now().plus_s(7 * 86_400);
    let beat = Body::Heartbeat(Heartbeat { source: "cosigner:east".to_owned(), sequence: 1 });
    let entry = own.next(beat, ahead).unwrap();
    let store = Store::open(&east.dir.join("own.db")).await.unwrap();
    store.append(entry.index, vec![entry.to_canonical().unwrap()]).await.unwrap();
    store.close().await;
    house.start("east").await;
    assert_eq!(alarms(&house.cosigners["east"], "clock_jump"), 1);
    // Good by the desk's clock and by west's, and long expired by the latest time that east has known.
    let case = house.pay(10 * MILLI);
    let answers = house.sign(&case).await;
    assert_eq!(refusal(&answers[0]), "expired");
    let east = house.cosigners.get_mut("east").unwrap();
    east.stop();
    let entries = east.own_entries().await;
    assert!(entries.iter().any(
        |entry| matches!(&entry.body, Body::AlertRaised(a) if a.rule == "clock_jump" && a.subject.contains("back"))
    ));
    assert!(east.marks().await.is_empty());
}
