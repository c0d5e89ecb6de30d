use proptest::prelude::*;
use quorate_terms::Amount;
use secp256k1::SecretKey;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::testing::{
    any_transfer, chain, erc20, json, native, public_key, secret, snapshot, vectors, wallet,
};
use crate::{FeeMode, Snapshot, draft};

fn signature(sighash: [u8; 32], key: &SecretKey) -> ([u8; 64], u8) {
    let signature =
        RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(sighash), key);
    let (id, rs) = signature.serialize_compact();
    (rs, id.to_u8())
}

fn drafted() -> Draft {
    draft(&native(), &wallet(), &snapshot()).unwrap()
}

fn high(rs: [u8; 64]) -> [u8; 64] {
    let (_, s) = halves(&rs).unwrap();
    let mut high = rs;
    high[32..].copy_from_slice(&ORDER.wrapping_sub(s).to_be_bytes::<32>());
    high
}

/// The example of EIP-155: nonce 9, 20 gwei, 21,000 gas, 1 ether to 0x3535..., key 0x4646....
#[test]
fn the_example_of_eip_155_gives_its_published_bytes() {
    let unsigned = "ec098504a817c800825208943535353535353535353535353535353535353535\
                    880de0b6b3a764000080018080";
    let signed = "0xf86c098504a817c800825208943535353535353535353535353535353535353535\
                  880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620\
                  aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    let sighash = "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53";
    let chain = "eip155:1".parse().unwrap();
    let draft = read_back(&chain, &hex::decode(unsigned).unwrap()).unwrap();
    let m = draft.meaning();
    assert_eq!(hex::encode(m.sighash), sighash);
    assert_eq!((m.nonce, m.gas_limit, m.fee_mode), (9, 21_000, FeeMode::Legacy));
    assert_eq!(m.amount, Amount::from_u128(1_000_000_000_000_000_000));
    let (rs, recovery) = signature(m.sighash, &secret());
    let done = sign(&draft, rs, recovery, &public_key()).unwrap();
    assert_eq!(format!("0x{}", hex::encode(&done.bytes)), signed);
    assert_eq!(read_signed(&chain, &done.bytes).unwrap().draft, draft);
}

#[test]
fn signed_drafts_read_back_as_themselves() {
    for (t, s) in [(native(), snapshot()), erc20()] {
        for fee_mode in [FeeMode::Eip1559, FeeMode::Legacy] {
            let draft = draft(&t, &wallet(), &Snapshot { fee_mode, ..s.clone() }).unwrap();
            let (rs, recovery) = signature(draft.meaning().sighash, &secret());
            let done = sign(&draft, rs, recovery, &public_key()).unwrap();
            let reading = read_signed(&chain(), &done.bytes).unwrap();
            assert_eq!((reading.draft, reading.account), (draft, wallet()));
            assert_eq!((reading.txid, reading.rs), (txid(&done.bytes), rs));
        }
    }
}

fn check(rs: [u8; 64], recovery: u8, key: &[u8; 33], code: Code) {
    assert_eq!(sign(&drafted(), rs, recovery, key).unwrap_err().code, code);
}

#[test]
fn a_signature_of_another_key_draft_or_parity_is_refused() {
    let draft = drafted();
    let (rs, recovery) = signature(draft.meaning().sighash, &secret());
    let other = SecretKey::from_secret_bytes([0x47; 32]).unwrap();
    let other_key = PublicKey::from_secret_key(&other).serialize();
    assert!(sign(&draft, rs, recovery, &public_key()).is_ok());
    check(rs, recovery ^ 1, &public_key(), Code::BadSignature);
    check(rs, recovery + 2, &public_key(), Code::BadSignature);
    check(rs, recovery, &other_key, Code::BadSignature);
    let (foreign, foreign_recovery) = signature(draft.meaning().sighash, &other);
    check(foreign, foreign_recovery, &public_key(), Code::BadSignature);
    let (elsewhere, id) = signature([7; 32], &secret());
    check(elsewhere, id, &public_key(), Code::BadSignature);
}

#[test]
fn a_cancel_is_signed_only_by_the_account_that_it_pays() {
    let s = snapshot();
    let cancel = crate::replace(&drafted(), crate::Replacement::Cancel, &s, Amount::MAX).unwrap();
    let (rs, recovery) = signature(cancel.meaning().sighash, &secret());
    assert!(sign(&cancel, rs, recovery, &public_key()).is_ok());
    let other = SecretKey::from_secret_bytes([0x47; 32]).unwrap();
    let (rs, recovery) = signature(cancel.meaning().sighash, &other);
    let other = PublicKey::from_secret_key(&other).serialize();
    assert_eq!(sign(&cancel, rs, recovery, &other).unwrap_err().code, Code::ZeroAmount);
}

#[test]
fn row_29_a_high_s_is_refused_until_it_is_normalised() {
    let draft = drafted();
    let (rs, recovery) = signature(draft.meaning().sighash, &secret());
    let malleated = high(rs);
    check(malleated, recovery ^ 1, &public_key(), Code::HighS);
    assert_eq!(normalise(malleated, recovery ^ 1).unwrap(), (rs, recovery));
    assert_eq!(normalise(rs, recovery).unwrap(), (rs, recovery), "a low s stays as it is");

    // In signed bytes that somebody else wrote, too.
    let bytes = attach(draft.meaning(), &malleated, recovery == 0).unwrap();
    assert_eq!(read_signed(&chain(), &bytes).unwrap_err().code, Code::HighS);
}

#[test]
fn row_30_zero_and_too_large_scalars_are_refused() {
    let draft = drafted();
    let (rs, recovery) = signature(draft.meaning().sighash, &secret());
    for half in [0, 32] {
        for word in [U256::ZERO, ORDER, ORDER + U256::from(1), U256::MAX] {
            let mut bad = rs;
            bad[half..half + 32].copy_from_slice(&word.to_be_bytes::<32>());
            check(bad, recovery, &public_key(), Code::BadSignature);
            assert_eq!(normalise(bad, recovery).unwrap_err().code, Code::BadSignature);
        }
    }
    check(rs, recovery, &[0; 33], Code::BadPublicKey);
}

/// Strict DER (X.690 section 10): one sequence of two minimal positive integers of at most 32 bytes, and nothing after.
fn strict_der(der: &[u8]) -> Option<[u8; 64]> {
    fn take(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
        let (&[found, len], rest) = bytes.split_first_chunk::<2>()?;
        (found == tag && len < 0x80).then(|| rest.split_at_checked(len.into()))?
    }
    fn integer(body: &[u8]) -> Option<[u8; 32]> {
        let bare = match body {
            [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => return None,
            [0, rest @ ..] => rest,
            all => all,
        };
        let mut word = [0; 32];
        word.get_mut(32_usize.checked_sub(bare.len())?..)?.copy_from_slice(bare);
        Some(word)
    }
    let (body, after) = take(der, 0x30)?;
    let (r, rest) = take(body, 2)?;
    let (s, end) = take(rest, 2)?;
    let both: Vec<u8> = [integer(r)?, integer(s)?].concat();
    (after.is_empty() && end.is_empty()).then(|| both.try_into().ok())?
}

fn compressed(uncompressed: &str) -> Option<[u8; 33]> {
    let bytes: [u8; 65] = hex::decode(uncompressed).ok()?.try_into().ok()?;
    PublicKey::from_byte_array_uncompressed(bytes).ok().map(|key| key.serialize())
}

/// Whether this crate takes the signature: as it is, or after the one mend that it offers.
fn accepted(case: &serde_json::Value, key: &[u8; 33]) -> Option<bool> {
    let message = hex::decode(case["msg"].as_str().unwrap()).unwrap();
    let sighash: [u8; 32] = Sha256::digest(message).into();
    let rs = strict_der(&hex::decode(case["sig"].as_str().unwrap()).unwrap())?;
    let (low, _) = normalise(rs, 0).ok()?;
    let taken = verify(&sighash, &rs, key);
    if low != rs {
        assert_eq!(taken.unwrap_err().code, Code::HighS, "test {}", case["tcId"]);
    }
    Some(verify(&sighash, &low, key).is_ok())
}

#[test]
fn row_29_row_30_wycheproof_signatures_are_accepted_exactly_where_they_are_valid() {
    let Some(path) = vectors("wycheproof/ecdsa_secp256k1_sha256_test.json") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for group in json(&path)["testGroups"].as_array().unwrap() {
        let key = compressed(group["publicKey"]["uncompressed"].as_str().unwrap()).unwrap();
        for case in group["tests"].as_array().unwrap() {
            let expected = case["result"] == "valid";
            let found = accepted(case, &key).unwrap_or(false);
            assert_eq!(found, expected, "test {}: {}", case["tcId"], case["comment"]);
            valid += usize::from(expected);
            invalid += usize::from(!expected);
        }
    }
    assert!(valid > 100 && invalid > 100, "{valid} valid and {invalid} invalid");
}

proptest! {
    #[test]
    fn every_signed_draft_reads_back_as_itself((t, s) in any_transfer()) {
        let draft = draft(&t, &s.account, &s).unwrap();
        let (rs, recovery) = signature(draft.meaning().sighash, &secret());
        let (rs, recovery) = normalise(high(rs), recovery ^ 1).unwrap();
        let done = sign(&draft, rs, recovery, &public_key()).unwrap();
        let reading = read_signed(&s.chain, &done.bytes).unwrap();
        prop_assert_eq!(&reading.draft, &draft);
        prop_assert_eq!((reading.account, reading.txid), (s.account, done.txid));
    }

    #[test]
    fn row_29_no_change_of_a_signature_is_accepted(at in 0_usize..64, flip in 1_u8..=255) {
        let draft = drafted();
        let (mut rs, recovery) = signature(draft.meaning().sighash, &secret());
        rs[at] ^= flip;
        for recovery in [recovery, recovery ^ 1] {
            prop_assert!(sign(&draft, rs, recovery, &public_key()).is_err());
        }
    }

    #[test]
    fn checking_never_panics_on_arbitrary_signatures(
        rs in proptest::collection::vec(any::<u8>(), 64), key in proptest::collection::vec(any::<u8>(), 33), id: u8
    ) {
        let rs: [u8; 64] = rs.try_into().unwrap();
        prop_assert!(sign(&drafted(), rs, id, &key.try_into().unwrap()).is_err());
        prop_assert!(sign(&drafted(), rs, id, &public_key()).is_err());
        drop(normalise(rs, id));
    }
}
