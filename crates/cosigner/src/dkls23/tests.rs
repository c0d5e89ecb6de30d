#![expect(clippy::arithmetic_side_effects, reason = "tests count places in short messages")]

use std::collections::{BTreeMap, BTreeSet};

use dkls23_core::protocols::signing::{Broadcast3to4, TransmitPhase1to2, TransmitPhase2to3};
use k256::{AffinePoint, Scalar, Secp256k1};
use proptest::prelude::*;
use secp256k1::Message;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha3::Digest as _;
use zeroize::Zeroizing;

use super::generate::{Committed, Opened};
use super::*;
use crate::abort::Failure;
use crate::fixture::*;
use crate::session::Purpose;
use crate::{SignRun, State, sign};

fn address(key: &secp256k1::PublicKey) -> Vec<u8> {
    sha3::Keccak256::digest(&key.serialize_uncompressed()[1..])[12..].to_vec()
}

fn recovered(message: [u8; 32], signature: &sign::WalletSignature) -> secp256k1::PublicKey {
    let id = RecoveryId::try_from(i32::from(signature.recovery)).unwrap();
    let signature = RecoverableSignature::from_compact(&signature.rs, id).unwrap();
    signature.recover(Message::from_digest(message)).unwrap()
}

#[test]
fn two_parties_make_a_key_and_sign_and_the_signature_recovers_the_address() {
    let terms = terms(Purpose::Generate, 2, 2, &[1, 2], 1);
    let mut ends = drive(start_generate(&terms), |_, _, bytes| bytes);
    let (one, two) = (done(ends.remove(&1)), done(ends.remove(&2)));
    assert_eq!(one.statement.public_key, two.statement.public_key);
    assert_eq!(one.statement.transcript, two.statement.transcript);
    assert_eq!(one.statement.ceremony, task(&terms, 1).session());
    assert_eq!(one.share.facts().public_shares, two.share.facts().public_shares);
    assert_eq!(one.share.facts().charter, terms.charter);
    let key = one.share.facts().public_key;
    let shares = BTreeMap::from([(1, one.share.shared()), (2, two.share.shared())]);

    let terms = sign_terms("transfer", 1);
    let mut ends = drive(start_sign(&terms, &shares), |_, _, bytes| bytes);
    let (first, second) = (done(ends.remove(&1)), done(ends.remove(&2)));
    assert_eq!(first, second);
    let message = terms.message().unwrap().unwrap();
    assert_eq!(sign::verify(&key, &message, &first.rs), Some(first));
    let public = secp256k1::PublicKey::from_byte_array_compressed(*key.as_bytes()).unwrap();
    assert_eq!(address(&recovered(message, &first)), address(&public));
    assert_eq!(sign::verify(&key, digest("another").as_bytes(), &first.rs), None);
}

#[test]
fn any_two_of_three_holders_sign_and_one_alone_has_no_session() {
    let make = terms(Purpose::Generate, 2, 3, &[1, 2, 3], 1);
    let ends = drive(start_generate(&make), |_, _, bytes| bytes);
    let made: BTreeMap<u8, _> = ends.into_iter().map(|(p, s)| (p, done(Some(s)))).collect();
    let said: BTreeSet<_> = made.values().map(|k| k.statement.transcript).collect();
    assert_eq!(said.len(), 1);
    let shares: BTreeMap<u8, _> = made.into_iter().map(|(p, k)| (p, k.share.shared())).collect();
    for pair in [[1, 2], [1, 3], [2, 3]] {
        let purpose = Purpose::Sign { draft: digest("d"), sighash: digest("m") };
        let mut ends = drive(start_sign(&terms(purpose, 2, 3, &pair, 1), &shares), |_, _, b| b);
        assert_eq!(done(ends.remove(&pair[0])), done(ends.remove(&pair[1])));
    }
    let purpose = Purpose::Sign { draft: digest("d"), sighash: digest("m") };
    assert!(terms(purpose, 2, 3, &[1], 1).check().is_err());
}

/// How party 1 ends when party 2 flips one bit of its payload of a round and signs that.
fn flipped(round: u8, at: usize, bit: u8) -> &'static str {
    let shares = shares();
    let ends = drive(start_sign(&sign_terms("tampered", 1), &shares), |from, r, bytes| {
        if (from, r) != (2, round) {
            return bytes;
        }
        resign(&bytes, 2, |payload| payload[at] ^= 1 << bit)
    });
    match ends.get(&1) {
        Some(State::Done(_)) => "accepted",
        Some(State::Failed(Failure::Banned(pending))) => {
            assert_eq!(pending.ban().holder, name(2));
            assert!(shares[&1].is_frozen(), "frozen before anyone is told");
            assert!(!pending.ban().cause.contains("library failed"), "a panic: {pending:?}");
            "banned"
        }
        Some(State::Failed(Failure::Aborted(abort))) => {
            assert_eq!(abort.culprits, [name(2)].into(), "{abort}");
            assert!(!shares[&1].is_frozen());
            "aborted"
        }
        _ => "no end",
    }
}

/// What party 2 truly says in each round of signing.
fn truly() -> BTreeMap<u8, Vec<u8>> {
    let mut said = BTreeMap::new();
    drive(start_sign(&sign_terms("truth", 1), &shares()), |from, round, bytes| {
        let envelope = crate::session::Envelope::from_bytes(&bytes).unwrap();
        if from == 2 {
            said.insert(round, envelope.payload().to_vec());
        }
        bytes
    });
    said
}

fn size<T: Serialize>(field: &T) -> usize {
    postcard::to_allocvec(field).unwrap().len()
}

/// The first and the last byte of every field of a payload.
fn edges(round: u8, payload: &[u8]) -> BTreeSet<usize> {
    let sizes = match round {
        1 => {
            let m: TransmitPhase1to2 = decode(payload).unwrap();
            let o = &m.mul_transmit;
            let before = [size(&m.parties.sender), size(&m.parties.receiver)];
            let hashes = [size(&m.session_binding), size(&m.commitment), size(&o.nonce)];
            let after = [size(&o.verify_x), size(&o.verify_t)];
            let known: usize = before.iter().chain(&hashes).chain(&after).sum();
            [&before[..], &hashes, &[payload.len() - known], &after].concat()
        }
        2 => {
            let m: TransmitPhase2to3<Secp256k1> = decode(payload).unwrap();
            let o = &m.mul_transmit;
            vec![
                size(&m.parties.sender),
                size(&m.parties.receiver),
                size(&m.session_binding),
                size(&m.gamma_u),
                size(&m.gamma_v),
                size(&m.psi),
                size(&m.public_share),
                size(&m.instance_point),
                size(&m.salt),
                size(&o.vector_of_tau),
                size(&o.ote_salt),
                size(&o.verify_r),
                size(&o.verify_u),
                size(&o.gamma_sender),
            ]
        }
        _ => {
            let m: Broadcast3to4<Secp256k1> = decode(payload).unwrap();
            vec![size(&m.u), size(&m.w)]
        }
    };
    let mut edges = BTreeSet::new();
    let mut at = 0;
    for size in sizes {
        edges.extend([at, at + size - 1]);
        at += size;
    }
    assert_eq!(at, payload.len(), "every byte belongs to a field");
    edges
}

#[test]
fn row_25_one_flipped_bit_of_a_lying_cosigner_is_never_accepted_in_any_round() {
    let truth = truly();
    for (round, places, bans) in [(1, 40, true), (2, 60, true), (3, 66, false)] {
        let payload = &truth[&round];
        let step = (payload.len() / places).max(1);
        let spread = (0..payload.len()).step_by(step);
        let ats: BTreeSet<usize> = edges(round, payload).into_iter().chain(spread).collect();
        let mut tally = BTreeMap::new();
        for at in ats {
            let end = flipped(round, at, u8::try_from(at % 8).unwrap());
            *tally.entry(end).or_insert(0) += 1;
            assert!(matches!(end, "banned" | "aborted"), "round {round}, byte {at}: {end}");
        }
        assert_eq!(tally.contains_key("banned"), bans, "round {round}: {tally:?}");
    }
}

/// Runs key generation with party 2's payload of one round rewritten and signed again; gives how party 1 ended.
fn generate_against<T: Serialize + DeserializeOwned>(
    round: u8,
    change: impl Fn(&mut T, &[Vec<u8>]),
) -> State<crate::NewKey> {
    let terms = terms(Purpose::Generate, 2, 2, &[1, 2], 1);
    let mut heard: Vec<Vec<u8>> = Vec::new();
    // Party 1 speaks first in each later round, so that party 2 can lie with what it has heard.
    let mut sides = start_generate(&terms);
    sides.reverse();
    let mut ends = drive(sides, |from, r, bytes| {
        if from == 1 {
            let envelope = crate::session::Envelope::from_bytes(&bytes).unwrap();
            heard.push(envelope.payload().to_vec());
        }
        if (from, r) != (2, round) {
            return bytes;
        }
        resign(&bytes, 2, |payload| {
            let mut value: T = decode(payload).unwrap();
            change(&mut value, &heard);
            *payload = postcard::to_allocvec(&value).unwrap();
        })
    });
    ends.remove(&1).unwrap()
}

#[track_caller]
fn refused(state: &State<crate::NewKey>, cause: &str) {
    let State::Failed(Failure::Aborted(abort)) = state else { panic!("{cause}: not refused") };
    assert!(abort.cause.contains(cause), "{abort}");
    assert_eq!(abort.culprits, [name(2)].into(), "{abort}");
}

fn point() -> AffinePoint {
    AffinePoint::GENERATOR
}

#[test]
fn a_proof_swapped_after_its_commitment_is_refused() {
    let end = generate_against::<Opened>(3, |opened, _| {
        let session = task(&terms(Purpose::Generate, 2, 2, &[1, 2], 1), 1).session();
        let (proof, _) = dkls23_core::utilities::proofs::DLogProof::<Secp256k1>::prove_commit(
            &Scalar::from(77u64),
            session.as_bytes(),
        )
        .unwrap();
        opened.proof = proof;
    });
    refused(&end, "proof verification failed");
}

#[test]
fn a_proof_from_another_session_is_refused() {
    let end = generate_against::<Committed>(2, |committed, _| {
        let (_, commitment) = dkls23_core::utilities::proofs::DLogProof::<Secp256k1>::prove_commit(
            &Scalar::from(77u64),
            b"an older session",
        )
        .unwrap();
        committed.proof = commitment;
    });
    refused(&end, "proof verification failed");
}

#[test]
fn a_copied_commitment_is_refused_so_no_proof_serves_two_provers() {
    type Copy = fn(&mut Committed, &Committed);
    let copies: [Copy; 3] = [
        |mine, theirs| mine.proof = theirs.proof,
        |mine, theirs| mine.chain_code = theirs.chain_code,
        |mine, theirs| mine.zero_seed = theirs.chain_code,
    ];
    for copy in copies {
        let end = generate_against::<Committed>(2, |mine, heard| {
            let theirs: Committed = decode(heard.last().unwrap()).unwrap();
            copy(mine, &theirs);
        });
        refused(&end, "a commitment is a copy");
    }
}

#[test]
fn commitments_under_party_zero_or_another_number_are_refused() {
    for index in [0, 1, 3, 255] {
        let end = generate_against::<Committed>(2, |c, _| c.index = index);
        refused(&end, "another party's number");
    }
}

#[test]
fn row_30_openings_with_the_identity_a_wrong_length_or_another_opening_are_refused() {
    type Change = fn(&mut Opened);
    let cases: [(Change, &str); 9] = [
        (|o| o.proof.point = AffinePoint::IDENTITY, "identity"),
        (|o| o.mul.dlog_proof.point = AffinePoint::IDENTITY, "identity"),
        (|o| o.proof.point = point(), "proof verification failed"),
        (|o| o.proof.proofs.truncate(1), "proof verification failed"),
        (|o| o.zero_salt.truncate(3), "wrong length"),
        (|o| o.chain_code[0] ^= 1, "chain code"),
        (|o| o.zero_seed[0] ^= 1, "zero-share"),
        (|o| o.mul.enc_proofs.truncate(9), "multiplication verification"),
        (|o| o.mul.enc_proofs.clear(), "multiplication verification"),
    ];
    for (change, cause) in cases {
        refused(&generate_against::<Opened>(3, |opened, _| change(opened)), cause);
    }
}

#[test]
fn parties_that_saw_different_things_end_without_a_key() {
    let end = generate_against::<[u8; 32]>(4, |seen, _| seen[31] ^= 1);
    refused(&end, "saw different");
}

#[test]
fn a_short_or_zero_fragment_is_refused() {
    let end = generate_against::<Scalar>(1, |fragment, _| *fragment = Scalar::ZERO);
    refused(&end, "bad fragment");
    let terms = terms(Purpose::Generate, 2, 2, &[1, 2], 1);
    let mut ends = drive(start_generate(&terms), |from, round, bytes| match (from, round) {
        (2, 1) => resign(&bytes, 2, |payload| payload.truncate(5)),
        _ => bytes,
    });
    refused(&ends.remove(&1).unwrap(), "bad fragment");
}

#[test]
fn round_two_carries_commitments_and_nothing_that_they_hide() {
    let terms = terms(Purpose::Generate, 2, 2, &[1, 2], 1);
    let mut said: BTreeMap<(u8, u8), Vec<u8>> = BTreeMap::new();
    drive(start_generate(&terms), |from, round, bytes| {
        let envelope = crate::session::Envelope::from_bytes(&bytes).unwrap();
        said.insert((from, round), envelope.payload().to_vec());
        bytes
    });
    assert_eq!(said[&(1, 2)].len(), 97, "an index and three digests");
    let opened: Opened = decode(&said[&(1, 3)]).unwrap();
    let hidden = [&opened.zero_seed[..], &opened.chain_code[..]];
    for value in hidden {
        assert!(!said[&(1, 2)].windows(32).any(|w| w == value));
    }
}

#[test]
fn row_25_the_identity_in_a_signing_message_is_refused_before_the_library_sees_it() {
    type Change = fn(&mut TransmitPhase2to3<Secp256k1>);
    let cases: [Change; 4] = [
        |m| m.gamma_u = AffinePoint::IDENTITY,
        |m| m.gamma_v = AffinePoint::IDENTITY,
        |m| m.public_share = AffinePoint::IDENTITY,
        |m| m.instance_point = AffinePoint::IDENTITY,
    ];
    for change in cases {
        let shares = shares();
        let mut ends = drive(start_sign(&sign_terms("m", 1), &shares), |from, round, bytes| {
            if (from, round) != (2, 2) {
                return bytes;
            }
            resign(&bytes, 2, |payload| {
                let mut message: TransmitPhase2to3<Secp256k1> = decode(payload).unwrap();
                change(&mut message);
                *payload = postcard::to_allocvec(&message).unwrap();
            })
        });
        let Some(State::Failed(Failure::Aborted(abort))) = ends.remove(&1) else { panic!() };
        assert!(abort.cause.contains("identity"), "{abort}");
    }
}

#[test]
fn a_ban_stops_every_other_run_of_the_same_share_at_once() {
    let shares = shares();
    let mut bystander = start_sign(&sign_terms("bystander", 1), &shares);
    let (_, _, from_two) = bystander.pop().unwrap();
    let (_, mut waiting, _) = bystander.pop().unwrap();
    let ends = drive(start_sign(&sign_terms("victim", 1), &shares), |from, round, bytes| {
        match (from, round) {
            (2, 1) => resign(&bytes, 2, |payload| payload[9000] ^= 1),
            _ => bytes,
        }
    });
    let Some(State::Failed(Failure::Banned(_))) = ends.get(&1) else { panic!("no ban") };
    let progress = waiting.hear(&from_two[0].bytes, 1);
    assert!(progress.send.is_empty(), "nothing leaves after a ban");
    let State::Failed(Failure::Aborted(abort)) = progress.state else { panic!("went on") };
    assert!(abort.cause.contains("frozen"), "{abort}");
    let terms = sign_terms("later", 2);
    let start = SignRun::start(&Dkls23, shares[&1].clone(), task(&terms, 1), &keys(), &identity(1));
    assert!(matches!(start, Err(Error::Misuse(_))));
}

#[test]
fn t18_two_hundred_signatures_repeat_no_nonce() {
    let shares = shares();
    let mut seen = BTreeSet::new();
    for attempt in 1..=200 {
        let mut ends = drive(start_sign(&sign_terms("same", attempt), &shares), |_, _, b| b);
        let signature = done(ends.remove(&1));
        assert!(seen.insert(signature.rs[..32].to_vec()), "r repeated at attempt {attempt}");
        assert!(signature.recovery < 2);
    }
}

#[test]
fn t18_the_same_terms_run_twice_draw_two_nonces() {
    let shares = shares();
    let terms = sign_terms("same", 1);
    let run = || done(drive(start_sign(&terms, &shares), |_, _, b| b).remove(&1)).rs;
    assert_ne!(run()[..32], run()[..32]);
}

#[test]
fn t20_a_drill_signs_its_own_tagged_message_and_joins_no_transfer() {
    let shares = shares();
    let drill = terms(Purpose::Drill { backup: digest("transfer") }, 2, 2, &[1, 2], 1);
    let mut ends = drive(start_sign(&drill, &shares), |_, _, b| b);
    let signature = done(ends.remove(&1));
    let key = shares[&1].facts().public_key;
    assert!(sign::verify(&key, &drill.message().unwrap().unwrap(), &signature.rs).is_some());
    assert!(sign::verify(&key, digest("transfer").as_bytes(), &signature.rs).is_none());

    let transfer = sign_terms("transfer", 1);
    let (_, mut run, _) = start_sign(&transfer, &shares).remove(0);
    let (_, _, parcels) = start_sign(&drill, &shares).remove(1);
    let state = run.hear(&parcels[0].bytes, 1).state;
    assert!(matches!(state, State::Refused(crate::session::Refusal::OtherSession)));
}

#[test]
fn t20_a_share_signs_for_no_other_wallet_epoch_or_purpose() {
    let share = shares().remove(&1).unwrap();
    let mut other = [sign_terms("m", 1), sign_terms("m", 1), sign_terms("m", 1)];
    other[0].wallet = quorate_terms::WalletId::new("another").unwrap();
    other[1].epoch = 1;
    other[2].purpose = Purpose::Generate;
    for terms in other {
        let start = SignRun::start(&Dkls23, share.clone(), task(&terms, 1), &keys(), &identity(1));
        assert!(matches!(start, Err(Error::Misuse(_))));
    }
}

#[test]
fn row_28_a_random_source_that_repeats_itself_is_refused() {
    start_up_test().unwrap();
    let good = [[1, 2].repeat(16), [3, 4].repeat(16)].map(|v| <[u8; 32]>::try_from(v).unwrap());
    assert!(plausible(&good).is_ok());
    assert!(plausible(&[]).is_err());
    assert!(plausible(&[good[0], good[0]]).is_err());
    assert!(plausible(&[good[0], [0; 32]]).is_err());
    assert!(plausible(&[good[0], [255; 32]]).is_err());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the vectors lie outside the repository")]
fn row_29_wycheproof_signatures_are_released_only_when_valid_and_then_with_a_low_s() {
    let folder = option_env!("QUORATE_VECTORS")
        .unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors"));
    let path = format!("{folder}/wycheproof/ecdsa_secp256k1_sha256_test.json");
    let Ok(file) = std::fs::File::open(&path) else {
        println!("skipped: no vectors at {path}; set QUORATE_VECTORS when building");
        return;
    };
    let vectors: serde_json::Value = serde_json::from_reader(file).unwrap();
    let mut tried = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = hex::decode(group["publicKey"]["uncompressed"].as_str().unwrap()).unwrap();
        let public = secp256k1::PublicKey::from_slice(&key).unwrap();
        let key = WalletKey::from_bytes(public.serialize()).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let message = hex::decode(test["msg"].as_str().unwrap()).unwrap();
            let message: [u8; 32] = sha2::Sha256::digest(message).into();
            let der = hex::decode(test["sig"].as_str().unwrap()).unwrap();
            let parsed = Signature::from_der(&der).ok().map(|s| s.serialize_compact());
            let released = parsed.and_then(|rs| sign::verify(&key, &message, &rs));
            let valid = test["result"] == "valid";
            assert_eq!(released.is_some(), valid, "{}", test["comment"]);
            if let Some(signature) = released {
                let mut low = Signature::from_compact(&signature.rs).unwrap();
                low.normalize_s();
                assert_eq!(low.serialize_compact(), signature.rs);
                assert_eq!(recovered(message, &signature), public);
            }
            tried += 1;
        }
    }
    assert!(tried > 400);
}

#[test]
fn the_raw_baseline_makes_real_signatures() {
    let pair = raw::RawPair::deal().unwrap();
    let hash = *digest("raw").as_bytes();
    let rs = raw::raw_sign_once(&pair, 1, hash).unwrap();
    assert!(sign::verify(&pair.public_key().unwrap(), &hash, &rs).is_some());
}

/// Whether decoding, and encoding what was decoded, went without a panic.
fn tolerate<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Some(value) = decode::<T>(bytes) {
        let _ = postcard::to_allocvec(&value).map(Zeroizing::new);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn row_25_any_flipped_bit_anywhere_is_refused(
        round in 1u8..=3, place in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        static TRUTH: std::sync::OnceLock<BTreeMap<u8, Vec<u8>>> = std::sync::OnceLock::new();
        let at = place.index(TRUTH.get_or_init(truly)[&round].len());
        let end = flipped(round, at, bit);
        prop_assert!(matches!(end, "banned" | "aborted"), "round {}, byte {}: {}", round, at, end);
    }
}

proptest! {
    #[test]
    fn no_payload_parser_panics_on_arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
        tolerate::<Scalar>(&bytes);
        tolerate::<Committed>(&bytes);
        tolerate::<Opened>(&bytes);
        tolerate::<TransmitPhase1to2>(&bytes);
        tolerate::<TransmitPhase2to3<Secp256k1>>(&bytes);
        tolerate::<Broadcast3to4<Secp256k1>>(&bytes);
    }
}
