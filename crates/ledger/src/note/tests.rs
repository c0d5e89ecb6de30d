use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use signed_note::{Note as TheirNote, StandardVerifier, VerifierList};

use super::*;

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn key(seed: u8, name: &str, kind: KeyKind) -> VerifierKey {
    let key = PublicKey::from_bytes(secret(seed).verifying_key().to_bytes()).unwrap();
    VerifierKey::new(name, kind, key).unwrap()
}

fn signed(seed: u8, name: &str, text: &str) -> Note {
    let key = key(seed, name, KeyKind::Log);
    let line = sign(&key, text, |m| Signature::from_bytes(secret(seed).sign(m).to_bytes()));
    Note { text: text.to_owned(), signatures: vec![line] }
}

/// The key and note of the Go documentation of `sumdb/note`.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_note_of_the_go_documentation_verifies() {
    let key: VerifierKey = GO_KEY.parse().unwrap();
    assert_eq!(key.to_string(), GO_KEY);
    let note: Note = GO_NOTE.parse().unwrap();
    verify(&key, &note).unwrap();
    assert_eq!(note.to_string(), GO_NOTE);
}

#[test]
fn an_independent_library_accepts_our_notes_and_keys() {
    let (name, text) = ("example.org/vault", "example.org/vault\n3\nabc\n");
    let note = signed(3, name, text);
    let ours = key(3, name, KeyKind::Log);
    let verifier = StandardVerifier::new(&ours.to_string()).unwrap();
    let theirs = TheirNote::from_bytes(note.to_string().as_bytes()).unwrap();
    let list = VerifierList::new(vec![Box::new(verifier)]);
    let (verified, unknown) = theirs.verify(&list).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 0));
    assert_eq!(theirs.to_bytes(), note.to_string().as_bytes());
    assert_eq!(
        signed_note::key_id(name, &[&[1], ours.key().as_bytes().as_slice()].concat()).to_be_bytes(),
        ours.id()
    );
}

#[test]
fn every_flipped_byte_of_a_note_is_refused_or_refuted() {
    let key = key(3, "log", KeyKind::Log);
    let good = signed(3, "log", "log\n1\nroot\n").to_string().into_bytes();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            let accepted = String::from_utf8(bad)
                .is_ok_and(|text| text.parse::<Note>().is_ok_and(|n| verify(&key, &n).is_ok()));
            assert!(!accepted, "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn every_flipped_byte_of_a_key_is_refused() {
    let text = key(3, "example.org/w", KeyKind::Witness).to_string();
    for at in 0..text.len() {
        let mut bad = text.clone().into_bytes();
        bad[at] ^= 1;
        let parsed = String::from_utf8(bad).map(|t| t.parse::<VerifierKey>());
        assert!(!matches!(parsed, Ok(Ok(_))), "byte {at}");
    }
}

#[test]
fn a_witness_key_signs_no_notes_as_a_log() {
    let note = signed(3, "log", "x\n");
    assert!(verify(&key(3, "log", KeyKind::Witness), &note).is_err());
    assert!(verify(&key(3, "other", KeyKind::Log), &note).is_err());
    assert!(verify(&key(4, "log", KeyKind::Log), &note).is_err());
}

fn check_refused(text: &str) {
    assert!(text.parse::<Note>().is_err(), "{text:?}");
}

#[test]
fn texts_that_are_not_notes_are_refused() {
    let good = signed(3, "log", "x\n").to_string();
    for bad in
        ["", "\n\n", "x\n", "x\n\n", "x\n\ny\n", "x\n\n\u{2014} log AAAA\n", "x\n\n\u{2014} log\n"]
    {
        check_refused(bad);
    }
    check_refused(good.trim_end());
    check_refused(&good.replace('x', "x\r"));
    check_refused(&format!("{good}{}", good.rsplit_once("\n\n").unwrap().1));
    check_refused(&"x".repeat(NOTE_BYTES_MAX + 1));
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\n"] {
        assert!(
            VerifierKey::new(name, KeyKind::Log, *key(3, "a", KeyKind::Log).key()).is_err(),
            "{name:?}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = text.parse::<Note>();
        let _ = text.parse::<VerifierKey>();
        let _ = text.parse::<NoteSignature>();
        let _ = String::from_utf8_lossy(&bytes).parse::<Note>();
    }

    #[test]
    fn a_note_that_is_read_is_written_the_same(text in "[a-z\n]{0,40}\n\n\u{2014} [a-z]{1,5} [A-Za-z0-9+/]{8,12}\n") {
        if let Ok(note) = text.parse::<Note>() {
            prop_assert_eq!(note.to_string(), text);
        }
    }
}
