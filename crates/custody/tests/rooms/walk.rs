//! The walk of a transfer, and what every party knows of it.

use crate::house::*;
use quorate_custody::{Book, Effect, Event, Follower, State, Verdict};
use quorate_ledger::Frontier;
use quorate_terms::canonical::Term;
use quorate_terms::entry::Outcome;

#[test]
fn a_small_transfer_by_an_agent_walks_through_every_room() {
    let mut house = House::new();
    let intent = house.transfer_of(agent("trader"), 50 * MILLI);
    let snapshot = house.snapshot(CHAIN);
    let step = house.does(filed(&intent, Some(snapshot)));
    let case = intent.case().unwrap();
    assert_eq!(kinds(&step), ["Filed", "Judged", "Warranted"]);
    assert_eq!(step.effects, [Effect::Convene(case)]);
    let usage = house.book.usage();
    assert!(usage.is_open(&case), "amount and fee ceiling are held");
    house.mark(&case);
    let event = house.signature(&case);
    let step = house.does(event);
    assert_eq!(
        (kinds(&step), step.effects),
        (vec!["Signed".to_owned()], vec![Effect::Publish(case)])
    );
    let txid = house.case(&case).signed[0].txid.clone();
    let step = house.does(Event::Published { case, txid: txid.clone() });
    assert_eq!(
        (kinds(&step), step.effects),
        (vec!["Broadcast".to_owned()], vec![Effect::Watch(case)])
    );
    let fact = house.finality(&case, &txid, quorate_terms::fact::Fate::Settled);
    let step = house.does(Event::FinalityCame { case, fact: Box::new(fact) });
    assert_eq!(
        (kinds(&step), step.effects),
        (vec!["Closed".to_owned()], vec![Effect::Receipt(case)])
    );
    let closed = house.book.closed(&case).unwrap();
    assert_eq!(closed.outcome, Outcome::Settled);
    assert!(!house.book.usage().is_open(&case));
    let last = house.book.size() - 1;
    assert_eq!(closed.entries, (last - 5..=last).collect::<Vec<_>>());
    let receipt = house.book.receipt_entries(&case, Some(&id("ops"))).unwrap();
    assert!(receipt.is_sorted() && receipt.contains(&0));
    assert!(closed.entries.iter().all(|entry| receipt.contains(entry)));
}

#[test]
fn when_a_case_was_filed_stays_known_once_it_is_closed() {
    let mut house = House::new();
    let case = house.pay(5 * MILLI);
    let filed_at = house.case(&case).filed_at;
    assert_eq!(house.book.filed_at(&case), Some(filed_at));
    house.now = house.now.plus_s(1);
    let txid = house.sign(&case);
    house.settle(&case, &txid);
    assert!(house.book.case(&case).is_none() && house.book.last_at() > filed_at);
    assert_eq!(house.book.filed_at(&case), Some(filed_at));
    let other = house.transfer_of(agent("trader"), 6 * MILLI).case().unwrap();
    assert_eq!(house.book.filed_at(&other), None, "nobody filed it");
}

#[test]
fn a_large_transfer_waits_for_two_people() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(house.case(&case).state, State::AwaitApprovals);
    let step = house.approve("ann", &case);
    assert_eq!((kinds(&step), step.effects.len()), (vec!["Approved".to_owned()], 0));
    assert_eq!(house.case(&case).state, State::AwaitApprovals, "one of two");
    let step = house.approve("cy", &case);
    assert_eq!(step.effects, [Effect::Fetch(case)]);
    house.draft(&case);
    let txid = house.sign(&case);
    house.settle(&case, &txid);
    assert_eq!(house.outcome(&case), "Settled");
}

#[test]
fn a_restart_gives_the_same_book_from_any_prefix_and_from_a_snapshot() {
    let mut house = House::new();
    house.pay_through(50 * MILLI);
    let open = house.pay(2_000 * MILLI);
    house.approve("ann", &open);
    house.pay(60 * MILLI);
    let bytes: Vec<Vec<u8>> = house.entries.iter().map(|e| e.to_canonical().unwrap()).collect();
    for cut in 0..=bytes.len() {
        let mut follower =
            Follower::new(Book::new(house.founding.clone()).unwrap(), Frontier::default());
        follower.follow(&bytes[..cut]).unwrap();
        let snapshot = follower.book().to_snapshot().unwrap();
        let mut restored = Book::from_snapshot(&house.founding, &snapshot).unwrap();
        assert_eq!(restored.to_snapshot().unwrap(), snapshot, "it round-trips exactly");
        assert_eq!(restored.pending_effects(), follower.book().pending_effects());
        for entry in &house.entries[cut..] {
            assert_eq!(restored.admit(entry).unwrap(), Verdict::Good);
        }
        assert_eq!(restored.to_snapshot().unwrap(), house.book.to_snapshot().unwrap());
    }
}

#[test]
fn a_snapshot_of_another_vault_or_cut_short_is_refused_and_no_byte_makes_reading_it_panic() {
    let house = House::new();
    let snapshot = house.book.to_snapshot().unwrap();
    let mut other = house.founding.clone();
    other.log.origin = "example.org/other".to_owned();
    let refusal = Book::from_snapshot(&other, &snapshot).unwrap_err();
    assert_eq!(refusal.code, "bad_snapshot");
    assert!(refusal.message.ends_with("it is of another vault or ledger"), "{refusal}");
    for at in (0..snapshot.len()).step_by(97) {
        let mut bytes = snapshot.clone();
        bytes[at] ^= 1;
        // Its owner's signature covers every byte; here it is enough that none of them makes reading panic.
        let _ = Book::from_snapshot(&house.founding, &bytes);
        assert!(Book::from_snapshot(&house.founding, &snapshot[..at]).is_err());
    }
}

#[test]
fn after_a_crash_the_pending_effects_are_those_of_the_open_cases() {
    let mut house = House::new();
    let unsigned = house.pay(10 * MILLI);
    assert_eq!(house.book.pending_effects(), [Effect::Convene(unsigned)]);
    let txid = house.sign(&unsigned);
    assert_eq!(house.book.pending_effects(), [Effect::Publish(unsigned)]);
    house.does(Event::Published { case: unsigned, txid });
    let effects = house.book.pending_effects();
    assert!(
        effects.contains(&Effect::Publish(unsigned)) && effects.contains(&Effect::Watch(unsigned))
    );
    house.replace(&unsigned).unwrap();
    let effects = house.book.pending_effects();
    assert!(effects.contains(&Effect::Convene(unsigned)), "the replacement is to be signed");
    assert!(effects.contains(&Effect::Watch(unsigned)), "what it replaces may become final first");
}

#[test]
fn an_entry_that_does_not_chain_is_refused_and_not_even_void() {
    let mut house = House::new();
    let entry =
        house.book.entries(vec![house.entries[0].body.clone()], house.now).unwrap().remove(0);
    let before = house.book.to_snapshot().unwrap();
    let mut spoilt = Vec::new();
    for spoil in 0..5 {
        let mut entry = entry.clone();
        match spoil {
            0 => entry.index += 1,
            1 => entry.index -= 1,
            2 => entry.prev = quorate_terms::Digest::ZERO,
            3 => entry.vault = id("other"),
            _ => entry.at = NOON.minus_s(1),
        }
        spoilt.push(entry);
    }
    for entry in spoilt {
        assert_eq!(code(house.book.admit(&entry)), "broken_chain");
        let bytes = entry.to_canonical().unwrap();
        assert_eq!(code(house.follower.follow(&[bytes])), "broken_chain");
    }
    assert_eq!(before, house.book.to_snapshot().unwrap());
    assert_eq!(code(house.follower.follow(&[b"{}".to_vec()])), "malformed");
    assert_eq!(house.follower.size(), house.book.size());
    let root = house.follower.frontier().root();
    let size = house.follower.size();
    assert_eq!(code(house.follower.agrees(size, &root)), "ok");
    assert_eq!(code(house.follower.agrees(size, &quorate_terms::Digest::ZERO)), "fork");
    assert_eq!(code(house.follower.agrees(size - 1, &root)), "fork");
    assert_eq!(code(house.follower.agrees(size + 1, &root)), "behind");
}
