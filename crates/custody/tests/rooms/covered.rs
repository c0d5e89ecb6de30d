//! What a desk tells is taken as a whole, under a checkpoint of exactly that, or leaves no trace.

use ed25519_dalek::Signer as _;
use proptest::prelude::*;
use quorate_custody::witness::{Covered, log_key};
use quorate_custody::{Follower, Refusal};
use quorate_ledger::{Checkpoint, Frontier, hash};
use quorate_terms::canonical::Term as _;
use quorate_terms::{Digest, Signature};

use crate::house::*;

/// A call: what is wrong, where it begins, its entries and note, and the code of the refusal.
type Told = (&'static str, u64, Vec<Vec<u8>>, String, &'static str);

/// A book of some length, and a party that has followed it up to `have`.
fn at(have: usize) -> (House, Vec<Vec<u8>>, Follower) {
    let house = House::new();
    let bytes: Vec<Vec<u8>> = house.entries.iter().map(|e| e.to_canonical().unwrap()).collect();
    let book = quorate_custody::Book::new(house.founding.clone()).unwrap();
    let mut follower = Follower::new(book, Frontier::default());
    follower.follow(&bytes[..have]).unwrap();
    (house, bytes, follower)
}

fn note(house: &House, by: &str, (size, root): (u64, Digest)) -> String {
    let key = log_key(&house.founding).unwrap();
    let checkpoint = Checkpoint { origin: house.founding.log.origin.clone(), size, root };
    let sign = |bytes: &[u8]| Signature::from_bytes(secret(by).sign(bytes).to_bytes());
    checkpoint.sign(&key, sign).to_string()
}

fn tree(entries: &[Vec<u8>]) -> (u64, Digest) {
    let mut frontier = Frontier::default();
    entries.iter().for_each(|bytes| frontier.append(hash::leaf(bytes)));
    (frontier.size(), frontier.root())
}

fn trace(follower: &Follower) -> (Vec<u8>, Frontier) {
    (follower.book().to_snapshot().unwrap(), follower.frontier().clone())
}

fn take(follower: &mut Follower, covered: Covered) {
    for news in covered.news {
        follower.take(&news).unwrap();
    }
}

#[test]
fn news_under_a_checkpoint_of_exactly_them_is_followed_from_anywhere_in_parts_and_twice() {
    for have in 0..6 {
        let (house, bytes, mut follower) = at(have);
        for to in have..=bytes.len() {
            let signed = note(&house, "log", tree(&bytes[..to]));
            for from in [0, have] {
                let covered = follower.covers(from as u64, bytes[from..to].to_vec(), &signed);
                let covered = covered.unwrap();
                assert_eq!(covered.head.size, to as u64);
                take(&mut follower, covered);
                assert_eq!(follower.size(), to as u64);
            }
        }
        assert_eq!(trace(&follower).0, house.book.to_snapshot().unwrap());
    }
}

#[test]
fn whatever_no_signed_checkpoint_covers_exactly_is_refused_and_leaves_no_trace() {
    let (house, bytes, follower) = at(3);
    let before = trace(&follower);
    let all = bytes.len();
    let whole = tree(&bytes);
    let honest = note(&house, "log", whole);
    let last = bytes[all - 1].clone();
    let spoilt: Vec<u8> = String::from_utf8(last).unwrap().replace("\"at\":", "\"at\": ").into();
    let with_last = |last: &[u8]| [&bytes[3..all - 1], &[last.to_vec()]].concat();
    let rewritten = {
        let mut entry = house.entries[1].clone();
        entry.at = entry.at.plus_s(1);
        entry.to_canonical().unwrap()
    };
    let told = |from: usize| bytes[from..].to_vec();
    let cases: [Told; 17] = [
        ("no checkpoint", 3, told(3), String::new(), "malformed"),
        ("no note", 3, told(3), "good".to_owned(), "malformed"),
        ("another's", 3, told(3), note(&house, "thief", whole), "bad_checkpoint"),
        ("of fewer", 3, told(3), note(&house, "log", tree(&bytes[..all - 1])), "uncovered"),
        ("of what is had", 3, told(3), note(&house, "log", tree(&bytes[..3])), "uncovered"),
        ("of less than is had", 3, told(3), note(&house, "log", tree(&bytes[..2])), "uncovered"),
        ("of more", 3, bytes[3..5].to_vec(), honest.clone(), "uncovered"),
        ("another root", 3, told(3), note(&house, "log", (whole.0, Digest::ZERO)), "uncovered"),
        ("a fork behind", 3, told(3), note(&house, "log", (2, Digest::ZERO)), "fork"),
        ("a fork here", 3, Vec::new(), note(&house, "log", (3, Digest::ZERO)), "fork"),
        ("a gap", 4, told(4), honest.clone(), "behind"),
        ("a head beyond", 3, Vec::new(), honest.clone(), "behind"),
        ("rewritten", 1, [vec![rewritten], told(2)].concat(), honest.clone(), "fork"),
        ("out of order", 3, [told(4), told(3)].concat(), honest.clone(), "broken_chain"),
        ("not canonical", 3, with_last(&spoilt), honest.clone(), "malformed"),
        ("no entry", 3, with_last(b"{}"), honest.clone(), "malformed"),
        ("no bytes", 3, with_last(b""), honest.clone(), "malformed"),
    ];
    for (what, from, entries, note, expected) in cases {
        assert_eq!(code(follower.covers(from, entries, &note)), expected, "{what}");
        assert!(trace(&follower) == before, "{what}");
    }
    let too_many = vec![bytes[3].clone(); quorate_custody::limits::ENTRIES_PER_FOLLOW_MAX + 1];
    assert_eq!(code(follower.covers(3, too_many, &honest)), "too_many");
    let covered: Result<Covered, Refusal> = follower.covers(3, told(3), &honest);
    assert_eq!(covered.unwrap().news.len(), all - 3, "the honest continuation stands");
}

proptest! {
    #[test]
    fn no_mutation_of_a_call_panics_or_is_half_taken(
        place in 0_usize..12, at_byte in any::<usize>(), with in 1_u8.., cut in any::<bool>(),
    ) {
        let (house, bytes, mut follower) = at(3);
        let mut told = bytes[3..].to_vec();
        let mut signed = note(&house, "log", tree(&bytes)).into_bytes();
        let line = if place < told.len() { &mut told[place] } else { &mut signed };
        let spot = at_byte % line.len();
        if cut { line.truncate(spot) } else { line[spot] ^= with }
        let signed = String::from_utf8_lossy(&signed).into_owned();
        let before = trace(&follower);
        // The note may carry lines of unknown keys; nothing else of a call can change and stand.
        match follower.covers(3, told, &signed) {
            Err(_) => prop_assert!(trace(&follower) == before),
            Ok(covered) => {
                take(&mut follower, covered);
                prop_assert_eq!(trace(&follower).0, house.book.to_snapshot().unwrap());
            }
        }
    }
}
