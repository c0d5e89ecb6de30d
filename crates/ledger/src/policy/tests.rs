use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use quorate_terms::{PublicKey, Signature};

use super::*;
use crate::hash;

pub(crate) const ORIGIN: &str = "example.org/vault";

pub(crate) fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn sign(seed: u8) -> impl FnOnce(&[u8]) -> Signature {
    move |m| Signature::from_bytes(secret(seed).sign(m).to_bytes())
}

fn key(seed: u8, name: &str, kind: KeyKind) -> VerifierKey {
    let key = PublicKey::from_bytes(secret(seed).verifying_key().to_bytes()).unwrap();
    VerifierKey::new(name, kind, key).unwrap()
}

fn witness(n: u8) -> WitnessKey {
    let key = key(n.wrapping_add(10), &format!("{ORIGIN}/c{n}"), KeyKind::Witness);
    WitnessKey { key, operator: format!("operator {n}") }
}

/// A policy of `quorum` of `n` witnesses with the keys 11, 12, ... and the log key 10.
pub(crate) fn pinned(n: u8, quorum: usize) -> LogPolicy {
    LogPolicy {
        v: 1,
        vault: "acme".parse().unwrap(),
        charter: Digest::ZERO,
        log: key(10, ORIGIN, KeyKind::Log),
        witnesses: (1..=n).map(witness).collect(),
        quorum,
    }
}

/// A note over this head, cosigned by the witnesses `by`.
pub(crate) fn note(size: u64, root: Digest, by: &[u8]) -> Note {
    let checkpoint = Checkpoint { origin: ORIGIN.into(), size, root };
    let mut note = checkpoint.sign(&key(10, ORIGIN, KeyKind::Log), sign(10));
    for n in by {
        let line = cosignature::cosign(
            &witness(*n).key,
            1_700_000_000,
            &note.text,
            sign(n.wrapping_add(10)),
        );
        note.signatures.push(line);
    }
    note
}

fn head(by: &[u8]) -> String {
    note(3, hash::leaf(b"x"), by).to_string()
}

#[test]
fn enough_witnesses_make_a_checkpoint_good() {
    assert_eq!(pinned(2, 2).open(&head(&[1, 2])).unwrap().witnesses.len(), 2);
    assert!(pinned(2, 2).open(&head(&[1])).is_err());
    assert_eq!(pinned(3, 2).open(&head(&[3, 1])).unwrap().witnesses.len(), 2);
    let with_stranger = pinned(2, 2).open(&head(&[1, 2, 9])).unwrap();
    assert_eq!((with_stranger.witnesses.len(), with_stranger.unknown), (2, 1));
    assert!(pinned(2, 2).open(&head(&[1, 9])).is_err(), "a stranger counts for nothing");
}

#[test]
fn a_bad_line_of_a_known_witness_refutes_even_a_met_quorum() {
    let mut note = note(3, hash::leaf(b"x"), &[1, 2, 3]);
    note.signatures[3].bytes[20] ^= 1;
    assert!(pinned(3, 2).open(&note.to_string()).is_err());
}

#[test]
fn every_flipped_bit_of_a_fully_witnessed_checkpoint_is_refuted() {
    let (policy, good) = (pinned(2, 2), head(&[1, 2]).into_bytes());
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            let accepted = String::from_utf8(bad).is_ok_and(|text| policy.open(&text).is_ok());
            assert!(!accepted, "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn policies_are_read_as_written_and_checked() {
    let good = pinned(2, 2);
    assert_eq!(LogPolicy::from_json(&good.to_json().unwrap()).unwrap(), good);
    let check = |change: fn(&mut LogPolicy)| {
        let mut bad = pinned(2, 2);
        change(&mut bad);
        assert!(LogPolicy::from_json(&bad.to_json().unwrap()).is_err(), "{bad:?}");
    };
    check(|p| p.v = 2);
    check(|p| p.quorum = 0);
    check(|p| p.quorum = 3);
    check(|p| p.witnesses[1] = p.witnesses[0].clone());
    check(|p| p.log = p.witnesses[0].key.clone());
    check(|p| p.witnesses[0].key = p.log.clone());
    check(|p| p.witnesses[0].key = key(10, "other", KeyKind::Witness));
}

#[test]
fn the_text_form_names_log_witnesses_and_quorum() {
    let text = pinned(2, 2).to_text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("log example.org/vault+"), "{text}");
    assert_eq!(lines[3], "group cosigners 2 example.org/vault/c1 example.org/vault/c2");
    assert_eq!(lines[4], "quorum cosigners");
}

proptest! {
    #[test]
    fn arbitrary_policies_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,100}") {
        prop_assert!(LogPolicy::from_json(&bytes).is_err());
        prop_assert!(pinned(2, 2).open(&text).is_err());
    }
}
