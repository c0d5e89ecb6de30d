//! Snapshots on a real store, over the book of the custody tests' house.

use quorate_host::store::Append;
use quorate_ledger::hash;
use quorate_terms::Digest;
use quorate_terms::canonical::Term as _;
use quorate_terms::digest::tag;
use serde_json::json;

use super::super::house::{House, MILLI, secret};
use super::*;

fn log(name: &str) -> Arc<Identity> {
    Arc::new(Identity::from_seed(secret(name).as_bytes()).unwrap())
}

/// A house with a settled transfer, and its ledger on disk; `alter` may change an entry before it is written.
async fn ledger(alter: impl Fn(usize, &mut Vec<u8>)) -> (House, Store, tempfile::TempDir) {
    let mut house = House::new();
    house.pay_through(5 * MILLI);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("ledger.db")).await.unwrap();
    let mut entries: Vec<Vec<u8>> =
        house.entries.iter().map(|entry| entry.to_canonical().unwrap()).collect();
    entries.iter_mut().enumerate().for_each(|(at, bytes)| alter(at, bytes));
    store.submit(Append { entries, ..Append::default() }).unwrap().done().await.unwrap();
    (house, store, folder)
}

async fn restored(house: &House, store: &Store, name: &str) -> Option<(Book, Frontier)> {
    Keeper::new(store.clone(), log(name)).restore(&house.founding).await.unwrap()
}

#[tokio::test]
async fn the_desk_goes_on_from_a_snapshot_that_its_own_key_signed() {
    let (house, store, _folder) = ledger(|_, _| ()).await;
    assert!(restored(&house, &store, "log").await.is_none(), "there is none yet");
    keep(house.follower.clone(), store.clone(), log("log")).await.unwrap();
    let (book, frontier) = restored(&house, &store, "log").await.unwrap();
    assert_eq!(book.to_snapshot().unwrap(), house.book.to_snapshot().unwrap());
    assert_eq!(&frontier, house.follower.frontier());
    assert!(restored(&house, &store, "east").await.is_none(), "nobody else signs for the desk");
}

#[tokio::test]
async fn a_snapshot_of_another_ledger_or_ahead_of_this_one_is_not_used() {
    let (house, store, _folder) = ledger(|_, _| ()).await;
    let mut other = House::new();
    other.later(5);
    other.pay_through(5 * MILLI);
    assert_eq!(other.book.size(), house.book.size());
    keep(other.follower.clone(), store.clone(), log("log")).await.unwrap();
    assert!(restored(&house, &store, "log").await.is_none(), "the last entry is another");
    let mut ahead = house;
    ahead.pay_through(6 * MILLI);
    keep(ahead.follower.clone(), store.clone(), log("log")).await.unwrap();
    assert!(restored(&ahead, &store, "log").await.is_none(), "the ledger is shorter");
}

#[tokio::test]
async fn a_snapshot_that_another_version_left_is_not_used_and_the_next_one_is() {
    let (house, store, _folder) = ledger(|_, _| ()).await;
    let (book, size) = ("{\"v\":1,\"field\":\"of old\"}", house.follower.size());
    let digest = Digest::of(tag::SNAPSHOT, book.as_bytes());
    let head = json!({ "v": 1, "frontier": house.follower.frontier(), "book": digest }).to_string();
    let signature = log("log").sign(&Digest::of(tag::SNAPSHOT, head.as_bytes()));
    let of_old = format!("{head}\n{signature}\n{book}").into_bytes();
    store.put_snapshot(NAME, size, of_old).await.unwrap();
    assert!(restored(&house, &store, "log").await.is_none(), "the whole ledger is folded");
    keep(house.follower.clone(), store.clone(), log("log")).await.unwrap();
    assert!(restored(&house, &store, "log").await.is_some(), "of the same size, in our form");
}

#[tokio::test]
async fn the_background_verification_finds_an_entry_that_the_snapshot_passed_over() {
    for altered in [None, Some(0), Some(4)] {
        let change = |at: usize, bytes: &mut Vec<u8>| {
            if Some(at) == altered {
                let place = bytes.len() / 2;
                bytes[place] ^= 1;
            }
        };
        let (house, store, _folder) = ledger(change).await;
        let mut frontier = Frontier::new();
        for entry in &house.entries {
            frontier.append(hash::leaf(&entry.to_canonical().unwrap()));
        }
        let origin = house.founding.log.origin.clone();
        let head = Checkpoint { origin, size: frontier.size(), root: frontier.root() };
        let verified = verify(store, house.founding.vault.to_string(), head).await;
        assert_eq!(verified.is_err(), altered.is_some(), "{altered:?}");
    }
}
