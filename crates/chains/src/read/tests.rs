use super::*;
use crate::testing::{chain, honest, honest_erc20};

/// RFC 8785 text of the digest, written out by hand.
#[test]
fn the_digest_is_over_chain_and_bytes_in_canonical_form() {
    let draft = read_back(&chain(), &honest().unsigned()).unwrap();
    let hex = hex::encode(honest().unsigned());
    let text = format!(r#"{{"bytes":"{hex}","chain":"eip155:31337"}}"#);
    assert_eq!(draft.digest(), Digest::of(tag::DRAFT, text.as_bytes()));
    assert_eq!(draft.bytes(), honest().unsigned());
}

/// Every byte, every value: refused, or read as something else that shows.
fn check_mutations(bytes: &[u8]) {
    let honest = read_back(&chain(), bytes).unwrap();
    for at in 0..bytes.len() {
        for with in (0..=u8::MAX).filter(|with| *with != bytes[at]) {
            let mut mutated = bytes.to_vec();
            mutated[at] = with;
            if let Ok(other) = read_back(&chain(), &mutated) {
                assert_ne!(other.meaning().sighash, honest.meaning().sighash, "byte {at} {with}");
                assert_ne!(other.digest(), honest.digest());
                let mut same_hash = other.meaning().clone();
                same_hash.sighash = honest.meaning().sighash;
                assert_ne!(
                    &same_hash,
                    honest.meaning(),
                    "byte {at} to {with} shows in the meaning"
                );
            }
        }
    }
}

#[test]
fn row_31_every_change_of_a_byte_is_refused_or_shows() {
    for fields in [honest(), honest_erc20()] {
        check_mutations(&fields.unsigned());
        let mut legacy = fields;
        legacy.mode = crate::FeeMode::Legacy;
        legacy.priority_fee = legacy.max_fee;
        check_mutations(&legacy.unsigned());
    }
}

#[test]
fn a_cut_or_oversize_draft_is_refused() {
    let bytes = honest_erc20().unsigned();
    for len in 0..bytes.len() {
        assert!(read_back(&chain(), &bytes[..len]).is_err(), "{len}");
    }
    let refusal = read_back(&chain(), &[0xff; BYTES_MAX + 1]).unwrap_err();
    assert_eq!(refusal.code, Code::Oversize);
}

#[test]
fn the_reading_path_names_nothing_of_the_drafting_path() {
    for source in [
        include_str!("../fields.rs"),
        include_str!("../meaning.rs"),
        include_str!("../read.rs"),
        include_str!("../address.rs"),
        include_str!("../chain.rs"),
    ] {
        assert!(!source.contains("alloy") && !source.contains("compose"));
    }
}
