use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use quorate_ledger::policy::WitnessKey;
use quorate_ledger::{
    Checkpoint, KeyKind, LogPolicy, TlogProof, Tree, VerifierKey, cosignature, hash, proof,
};
use quorate_terms::{Digest, PublicKey, Signature, Timestamp};

use super::claim::{Signatory, Standard, StatusRef};
use super::status::Withdrawal;
use super::verify::Accepted;
use super::*;
use crate::finding::Period;

const ORIGIN: &str = "marks.example/register";
const RESULTS: &str = r#"{"findings":[]}"#;
const DAY: u64 = 86_400;

pub(crate) fn secret(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn key(seed: u8) -> PublicKey {
    PublicKey::from_bytes(secret(seed).verifying_key().to_bytes()).unwrap()
}

pub(crate) fn signs(seed: u8) -> impl Fn(&[u8]) -> Signature {
    move |bytes| Signature::from_bytes(secret(seed).sign(bytes).to_bytes())
}

fn at(day: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).plus_s(day.saturating_mul(DAY))
}

const ASSESSOR: u8 = 1;
const ISSUER: u8 = 2;
const WITNESS: u8 = 3;
const STRANGER: u8 = 9;

fn claim() -> Claim {
    Claim {
        v: 1,
        mark: "mark-1".into(),
        standard: Standard {
            id: "wd".into(),
            version: "0.1.0".into(),
            digest: Digest::sha256(b"catalogue"),
            official: false,
        },
        level: "Baseline".into(),
        scope: Scope {
            entity: "Acme Treasury Ltd".into(),
            system: "vault acme".into(),
            designation: None,
            description: "two cosigners, three approvers".into(),
        },
        exclusions: vec!["the branch office".into()],
        assessor: Signatory { name: "Audit & Sons".into(), key: key(ASSESSOR) },
        issuer: Signatory { name: "Test registrar".into(), key: key(ISSUER) },
        period: Period { from: at(0), to: at(365) },
        heads: Vec::new(),
        assessed_on: at(366),
        valid_from: at(366),
        valid_until: at(366 + 365),
        status: StatusRef { list: "marks.example/2024".into(), place: 0 },
        certificate: None,
    }
}

pub(crate) fn statement() -> Statement {
    Statement::new(claim(), RESULTS.as_bytes()).unwrap()
}

fn log_key() -> VerifierKey {
    VerifierKey::new(ORIGIN, KeyKind::Log, key(ISSUER)).unwrap()
}

fn witness() -> WitnessKey {
    let name = format!("{ORIGIN}/w");
    let key = VerifierKey::new(name, KeyKind::Witness, key(WITNESS)).unwrap();
    WitnessKey { key, operator: "a third party".into() }
}

fn policy() -> MarkPolicy {
    MarkPolicy {
        v: 1,
        assessors: vec![key(ASSESSOR)],
        issuer: key(ISSUER),
        register: LogPolicy {
            v: 1,
            vault: "register".parse().unwrap(),
            charter: Digest::ZERO,
            log: log_key(),
            witnesses: vec![witness()],
            quorum: 1,
        },
        standards: vec![Accepted {
            id: "wd".into(),
            version: "0.1.0".into(),
            digest: Digest::sha256(b"catalogue"),
        }],
        status_max_age_s: 2 * DAY,
    }
}

/// Signs a claim by `signers`, logs it under `witnessed`, and wraps all of it.
fn made(claim: Claim, signers: &[u8], witnessed: bool) -> MarkFile {
    let bytes = Statement::new(claim.clone(), RESULTS.as_bytes()).unwrap().to_bytes().unwrap();
    let functions: Vec<_> = signers.iter().map(|seed| (key(*seed), signs(*seed))).collect();
    let signers: Vec<Signer<'_>> =
        functions.iter().map(|(key, sign)| Signer { key: *key, sign }).collect();
    let envelope = Envelope::seal(dsse::IN_TOTO, &bytes, &signers);
    let body = serde_json::json!({
        "type": "MarkIssued", "mark": claim.mark, "envelope": envelope.digest().unwrap(),
    });
    let entry = serde_json::json!({ "body": body }).to_string();
    let proof = logged(&entry, witnessed).to_string();
    MarkFile { v: 1, envelope, results: RESULTS.into(), entry, proof }
}

fn logged(entry: &str, witnessed: bool) -> TlogProof {
    let mut tree = Tree::new();
    [b"first".as_slice(), entry.as_bytes(), b"third"]
        .iter()
        .for_each(|bytes| tree.push(hash::leaf(bytes)));
    let path = proof::inclusion(&tree, 1, 3).unwrap();
    let head = Checkpoint { origin: ORIGIN.into(), size: 3, root: tree.root() };
    let mut note = head.sign(&log_key(), signs(ISSUER));
    if witnessed {
        let line = cosignature::cosign(&witness().key, 1_731_000_000, &note.text, signs(WITNESS));
        note.signatures.push(line);
    }
    TlogProof { index: 1, path, checkpoint: note.to_string() }
}

fn good() -> MarkFile {
    made(claim(), &[ASSESSOR, ISSUER], true)
}

fn list() -> StatusList {
    StatusList {
        v: 1,
        list: "marks.example/2024".into(),
        places: 1,
        withdrawn: std::collections::BTreeMap::new(),
        register_size: 3,
        signed_at: at(399),
        fresh_until: at(402),
    }
}

fn sealed(list: &StatusList, by: u8) -> Envelope {
    list.seal(&Signer { key: key(by), sign: &signs(by) }).unwrap()
}

/// The checks that failed, at day 400.
fn failing(mark: &MarkFile, status: Option<&Envelope>) -> Vec<&'static str> {
    let question = Question { mark, status, entity: None, system: None, now: at(400) };
    failed(&verify(&question, &policy()))
}

fn failed(verified: &Verified) -> Vec<&'static str> {
    let failed = verified.checks.iter().filter(|check| check.outcome.is_err());
    let names: Vec<_> = failed.map(|check| check.name).collect();
    assert_eq!(names.is_empty(), verified.stands());
    names
}

#[test]
fn a_good_mark_stands_and_is_read_as_it_is_written() {
    let mark = good();
    assert!(failing(&mark, Some(&sealed(&list(), ISSUER))).is_empty());
    assert_eq!(MarkFile::from_bytes(&mark.to_bytes().unwrap()).unwrap(), mark);
}

#[test]
fn what_is_missing_or_false_fails_its_own_check() {
    let status = sealed(&list(), ISSUER);
    let changed = |change: fn(&mut Claim)| {
        let mut claim = claim();
        change(&mut claim);
        made(claim, &[ASSESSOR, ISSUER], true)
    };
    let mut other_results = good();
    other_results.results = r#"{"findings":[1]}"#.into();
    let mut other_entry = good();
    other_entry.entry = other_entry.entry.replace("mark-1", "mark-2");
    let mut borrowed = good();
    let foreign = changed(|c| c.scope.system = "another".into());
    (borrowed.entry, borrowed.proof) = (foreign.entry, foreign.proof);
    let table: Vec<(MarkFile, &[&str])> = vec![
        (made(claim(), &[ISSUER], true), &["assessor"]),
        (made(claim(), &[ASSESSOR], true), &["issuer"]),
        (made(claim(), &[ASSESSOR, STRANGER], true), &["issuer"]),
        (made(claim(), &[ASSESSOR, ISSUER], false), &["register"]),
        (changed(|c| c.assessor.key = key(STRANGER)), &["assessor"]),
        (changed(|c| c.issuer.key = key(STRANGER)), &["issuer"]),
        (changed(|c| c.issuer.key = key(ASSESSOR)), &["issuer"]),
        (changed(|c| c.standard.version = "0.2.0".into()), &["standard"]),
        (changed(|c| c.standard.digest = Digest::ZERO), &["standard"]),
        (changed(|c| c.valid_from = at(401)), &["validity"]),
        (changed(|c| c.valid_until = at(399)), &["validity"]),
        (changed(|c| c.status.list = "marks.example/2025".into()), &["status"]),
        (changed(|c| c.status.place = 1), &["status"]),
        (other_results, &["results"]),
        (other_entry, &["register"]),
        (borrowed, &["register"]),
    ];
    for (row, (mark, expected)) in table.iter().enumerate() {
        assert_eq!(failing(mark, Some(&status)), *expected, "row {row}");
    }
}

#[test]
fn status_that_is_missing_stale_foreign_or_from_the_future_is_no_status() {
    let fresh = list();
    let with = |change: fn(&mut StatusList)| {
        let mut list = fresh.clone();
        change(&mut list);
        sealed(&list, ISSUER)
    };
    assert_eq!(failing(&good(), None), ["status"]);
    let bad = [
        sealed(&fresh, STRANGER),
        with(|l| l.fresh_until = at(399).plus_s(1)),
        with(|l| (l.signed_at, l.fresh_until) = (at(397), at(500))),
        with(|l| (l.signed_at, l.fresh_until) = (at(401), at(402))),
        with(|l| l.places = 0),
    ];
    for (row, status) in bad.iter().enumerate() {
        assert_eq!(failing(&good(), Some(status)), ["status"], "row {row}");
    }
}

#[test]
fn a_revoked_and_a_suspended_mark_do_not_stand_and_the_reason_is_told() {
    for standing in [Standing::Revoked, Standing::Suspended] {
        let mut list = list();
        let reason = "major change".to_owned();
        list.withdrawn.insert(0, Withdrawal { standing, at: at(398), reason, entry: 2 });
        let status = sealed(&list, ISSUER);
        let mark = good();
        let question = Question {
            mark: &mark,
            status: Some(&status),
            entity: None,
            system: None,
            now: at(400),
        };
        let verified = verify(&question, &policy());
        assert_eq!(failed(&verified), ["status"]);
        let said = verified.checks.last().unwrap().outcome.clone().unwrap_err();
        assert_eq!(said, format!("{}: major change", standing.word()));
    }
}

#[test]
fn a_mark_for_another_entity_or_system_is_refused() {
    let (mark, status) = (good(), sealed(&list(), ISSUER));
    let ask = |entity, system| {
        let question =
            Question { mark: &mark, status: Some(&status), entity, system, now: at(400) };
        failed(&verify(&question, &policy()))
    };
    assert!(ask(Some("Acme Treasury Ltd"), Some("vault acme")).is_empty());
    assert_eq!(ask(Some("Acme"), None), ["scope"]);
    assert_eq!(ask(None, Some("vault acme 2")), ["scope"]);
}

#[test]
fn a_claim_that_runs_backwards_or_hides_text_is_not_made() {
    type Change = fn(&mut Claim);
    let table: [(&str, Change); 7] = [
        ("claim.v", |c| c.v = 2),
        ("claim.level", |c| c.level = " ".into()),
        ("claim.scope.system", |c| c.scope.system = "a\u{202e}b".into()),
        ("claim.exclusions", |c| c.exclusions = vec![String::new()]),
        ("claim.period", |c| c.period.from = at(366)),
        ("claim.valid_until", |c| c.valid_until = c.valid_from),
        ("claim.valid_until", |c| c.valid_from = at(1)),
    ];
    for (field, change) in table {
        let mut claim = claim();
        change(&mut claim);
        assert_eq!(Statement::new(claim, b"x").unwrap_err().field(), field);
    }
}

#[test]
fn a_list_that_contradicts_itself_is_not_signed() {
    let gone = Withdrawal { standing: Standing::Revoked, at: at(1), reason: "x".into(), entry: 0 };
    let beyond = Withdrawal { entry: 3, ..gone.clone() };
    let mut lists = vec![list(), list(), list(), list()];
    lists[0].v = 2;
    lists[1].withdrawn.insert(1, gone);
    lists[2].fresh_until = lists[2].signed_at;
    lists[3].withdrawn.insert(0, beyond);
    for list in lists {
        assert!(list.seal(&Signer { key: key(ISSUER), sign: &signs(ISSUER) }).is_err());
    }
}

#[test]
fn every_flipped_bit_of_a_mark_is_noticed() {
    let (good, status) = (good().to_bytes().unwrap(), sealed(&list(), ISSUER));
    for at_byte in 0..good.len() {
        let mut bad = good.clone();
        bad[at_byte] ^= 1;
        let stands =
            MarkFile::from_bytes(&bad).is_ok_and(|mark| failing(&mark, Some(&status)).is_empty());
        assert!(!stands, "byte {at_byte}");
    }
}

#[test]
fn a_badge_carries_the_mark_and_escapes_what_it_shows() {
    let mut claim = claim();
    claim.scope.system = "<script>&\"a very long name of a system\"".into();
    let mark = made(claim.clone(), &[ASSESSOR, ISSUER], true);
    let day = |_| "2024-11-15".to_owned();
    let svg = badge::svg(&mark, &claim, "https://marks.example/mark-1", day).unwrap();
    assert!(!svg.contains("<script>") && svg.contains("unofficial draft"));
    assert!(svg.contains(&Digest::sha256(&mark.to_bytes().unwrap()).to_string()));
    assert!(badge::svg(&mark, &claim, "javascript:alert(1)", day).is_err());
}

#[test]
fn a_credential_discloses_what_its_holder_chooses_and_no_more() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claim = claim();
    let signer = Signer { key: key(ISSUER), sign: &signs(ISSUER) };
    let salts = [[1; 16], [2; 16], [3; 16], [4; 16]];
    let day = |_| "2024-11-15T00:00:00Z".to_owned();
    let made = credential::issue(&good(), &claim, &signer, &salts, day).unwrap();
    let parts: Vec<&str> = made.split('~').collect();
    assert_eq!(parts.len(), 6);
    let (message, signature) = parts[0].rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signature = Signature::from_bytes(bytes.try_into().unwrap());
    assert!(key(ISSUER).verifies_bytes(message.as_bytes(), &signature));
    let payload = message.split_once('.').unwrap().1;
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert!(!payload.contains("Acme") && payload.contains("\"_sd\""));
    for disclosure in &parts[1..5] {
        let digest = Digest::sha256(disclosure.as_bytes());
        assert!(payload.contains(&URL_SAFE_NO_PAD.encode(digest.as_bytes())));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = MarkFile::from_bytes(&bytes);
        let _ = MarkPolicy::from_json(&bytes);
        let _ = Statement::from_bytes(&bytes);
        let envelope = Envelope {
            payload_type: String::from_utf8_lossy(&bytes).into_owned(),
            payload: String::from_utf8_lossy(&bytes).into_owned(),
            signatures: Vec::new(),
        };
        let _ = StatusList::open(&envelope, &key(ISSUER));
    }
}
