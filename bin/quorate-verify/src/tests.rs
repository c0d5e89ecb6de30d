//! One true receipt, and every way of bending it.

use clap::Parser as _;
use proptest::prelude::*;
use quorate_ledger::LogPolicy;
use quorate_terms::approval::{Proof, Verdict as Word};
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::{Body, Outcome};
use quorate_terms::intent::Action;
use quorate_terms::judgment::Judgment;
use quorate_terms::{Amount, Digest};

use crate::authenticator::{Authenticator, Said, view};
use crate::cli::{Cli, Usage};
use crate::report::{Report, Verdict};
use crate::testing::*;
use crate::{book, receipt};

mod parties;
mod stood;

fn verify(bodies: Vec<Body>) -> Report {
    receipt::verify(&receipt(bodies), &pinned())
}

fn verdicts(report: &Report, check: &str) -> Vec<Verdict> {
    report.findings().iter().filter(|f| f.check == check).map(|f| f.verdict).collect()
}

#[test]
fn a_true_receipt_is_proven_in_every_part() {
    let report = verify(story());
    assert!(!report.is_refuted(), "{}", report.to_text(false));
    for check in [
        "checkpoint",
        "witnesses",
        "inclusion",
        "case",
        "charter",
        "judgment",
        "approvals",
        "agreement",
        "key",
        "draft",
        "signature",
        "what it does",
        "outcome",
        "finality",
    ] {
        assert_eq!(
            verdicts(&report, check),
            [Verdict::Proven],
            "{check}\n{}",
            report.to_text(false)
        );
    }
    let said = report.to_text(false);
    for part in
        ["example.org/acme/c1 (c1 ltd)", "ann (p-ann) yes", "2 of 2 needed", "moves 1000000"]
    {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn a_legacy_transaction_and_a_token_transfer_are_read_too() {
    let report = verify(story_of(&unsigned_legacy(&RECIPIENT, 1_000_000)));
    assert!(!report.is_refuted(), "{}", report.to_text(false));
    let data =
        [hex::decode("a9059cbb").unwrap(), vec![0; 12], RECIPIENT.to_vec(), vec![0; 32]].concat();
    let report = verify(story_of(&unsigned(&[0x33; 20], 0, &data)));
    assert!(report.to_text(false).contains("move another asset"), "{}", report.to_text(false));
}

#[test]
fn row_10_every_flipped_byte_of_a_receipt_is_refuted() {
    let (good, policy) = (receipt(story()), pinned());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(receipt::verify(&bad, &policy).is_refuted(), "byte {at}");
    }
}

/// A book in which one entry is false, witnessed all the same: `check` must say so.
fn check_refuted(check: &str, bend: impl FnOnce(&mut Vec<Body>)) {
    let mut bodies = story();
    bend(&mut bodies);
    let report = verify(bodies);
    assert!(
        verdicts(&report, check).contains(&Verdict::Refuted),
        "{check}\n{}",
        report.to_text(false)
    );
}

macro_rules! bent {
    ($kind:ident, $at:literal, |$body:ident| $change:expr) => {
        |bodies: &mut Vec<Body>| {
            let Body::$kind($body) = &mut bodies[$at] else { panic!("another kind") };
            $change;
        }
    };
}

#[test]
fn row_38_approvals_count_only_if_distinct_seated_unexpired_and_signed() {
    check_refuted("agreement", |b| drop(b.remove(5)));
    check_refuted("agreement", |b| b[5] = b[4].clone());
    check_refuted("agreement", |b| b[5] = approved("bo", 42, Word::Approve, 12_000));
    check_refuted("agreement", |b| b[5] = approved("bo", 42, Word::Reject, 80_000));
    check_refuted("approvals", |b| b[5] = approved("bo", 41, Word::Approve, 80_000));
    check_refuted("approvals", |b| b[5] = approved("dee", 44, Word::Approve, 80_000));
    check_refuted("agreement", |b| b.swap(5, 6));
    check_refuted("approvals", bent!(Approved, 5, |a| a.verdict = Word::Reject));
    check_refuted("approvals", bent!(Approved, 5, |a| a.approval.body.policy = Digest::ZERO));
    check_refuted("approvals", bent!(Approved, 5, |a| a.approval.body.intent = Digest::ZERO));
    check_refuted(
        "approvals",
        bent!(Approved, 5, |a| a.approval.body.display = Digest::ZERO.max(case().intent())),
    );
}

/// The true story, but that ann uses a passkey at the view of the charter, and what the world says of it is `bend`'s.
fn with_passkey(bend: impl FnOnce(&mut Said)) -> Report {
    let (home, mut phone) = (view("home", 7800), Authenticator::new());
    let mut bodies = story();
    let Body::Founded(founded) = &mut bodies[0] else { panic!("another kind") };
    founded.charter.views = vec![home.clone()];
    founded.charter.approvers[0].passkeys = vec![phone.passkey("ann-phone", &home)];
    let charter = founded.charter.digest().unwrap();
    let Body::Approved(approved) = &mut bodies[4] else { panic!("another kind") };
    approved.credential = id("ann-phone");
    let body = &mut approved.approval.body;
    body.credential = id("ann-phone");
    let mut said = Said::at(&home, &body.digest().unwrap());
    bend(&mut said);
    let assertion = phone.asserts(&said);
    approved.approval.proof = Proof::Passkey { view: home.view, assertion };
    receipt::verify(&receipt(bodies), &LogPolicy { charter, ..pinned() })
}

#[test]
fn t03_an_approval_by_passkey_is_proven_at_its_own_view_and_refuted_elsewhere() {
    let report = with_passkey(|_| {});
    assert_eq!(verdicts(&report, "approvals"), [Verdict::Proven], "{}", report.to_text(false));
    assert!(!report.is_refuted(), "{}", report.to_text(false));
    let lies: [fn(&mut Said); 4] = [
        |said| said.origin = "http://localhost:7801".to_owned(),
        |said| said.challenge.push('A'),
        |said| said.rp_id = "example.org".to_owned(),
        |said| said.flags = 0x01,
    ];
    for lie in lies {
        let report = with_passkey(lie);
        let refuted = verdicts(&report, "approvals").contains(&Verdict::Refuted);
        assert!(refuted, "{}", report.to_text(false));
    }
}

#[test]
fn a_denied_case_that_went_on_and_a_foreign_policy_are_refuted() {
    check_refuted("agreement", |b| b[3] = judged(Judgment::Deny { reasons: vec![reason()] }));
    check_refuted("story", bent!(Judged, 3, |j| j.policy = Digest::ZERO));
    check_refuted("judgment", bent!(Judged, 3, |j| j.reasons.clear()));
    check_refuted("case", bent!(Judged, 3, |j| j.intent = Digest::ZERO));
}

#[test]
fn another_charter_than_the_pinned_one_is_refuted() {
    check_refuted("story", bent!(Founded, 0, |f| f.charter.approvers[0].key = key(99)));
    check_refuted("story", |b| drop(b.remove(0)));
}

#[test]
fn an_intent_that_is_not_the_case_is_refuted() {
    check_refuted("case", bent!(Filed, 2, |f| f.intent.v = 2));
    check_refuted("case", |b| b.swap(2, 3));
    check_refuted("case", |b| b.push(b[2].clone()));
    check_refuted(
        "entries",
        bent!(Closed, 9, |c| c.case = quorate_terms::CaseId::of_intent(Digest::ZERO)),
    );
}

#[test]
fn bytes_that_do_something_else_than_the_intent_are_refuted() {
    let check = |bytes: &[u8]| check_refuted("what it does", |b| *b = story_of(bytes));
    check(&unsigned(&[0x66; 20], 1_000_000, &[]));
    check(&unsigned(&RECIPIENT, 1_000_001, &[]));
    check(&unsigned(&RECIPIENT, 1_000_000, b"call"));
    check_refuted("what it does", bent!(Warranted, 6, |w| w.nonce = 8));
    check_refuted("what it does", bent!(Warranted, 6, |w| w.fee_max = Amount::ZERO));
    let Action::Transfer(transfer) = intent().action else { panic!("no transfer") };
    check_refuted("what it does", bent!(Warranted, 6, |w| w.account = transfer.to));
}

#[test]
fn a_signature_of_other_bytes_or_another_key_is_refuted() {
    let other = unsigned(&RECIPIENT, 5, &[]);
    let flip = |text: &mut String, at: usize| {
        let with = if text.as_bytes()[at] == b'0' { "1" } else { "0" };
        text.replace_range(at..=at, with);
    };
    check_refuted("draft", bent!(Warranted, 6, |w| w.decoded_intent = Digest::ZERO));
    check_refuted("draft", bent!(Warranted, 6, |w| w.bytes = hex::encode(other)));
    check_refuted("draft", bent!(Signed, 7, |s| flip(&mut s.sighash, 3)));
    check_refuted("signature", bent!(Signed, 7, |s| flip(&mut s.signature, 9)));
    check_refuted("signature", bent!(Signed, 7, |s| flip(&mut s.signature, 129)));
    check_refuted("signature", bent!(Signed, 7, |s| flip(&mut s.transaction, 30)));
    check_refuted("signature", bent!(Signed, 7, |s| flip(&mut s.txid, 9)));
    check_refuted("signature", bent!(Signed, 7, |s| flip(&mut s.public_key, 9)));
    check_refuted("story", |b| drop(b.remove(6)));
}

#[test]
fn a_key_that_a_holder_did_not_sign_for_is_refuted() {
    check_refuted("story", |b| drop(b.remove(1)));
    check_refuted("story", bent!(KeyGenerated, 1, |k| drop(k.statements.pop())));
    check_refuted(
        "story",
        bent!(KeyGenerated, 1, |k| k.statements[0].signature = k.statements[1].signature),
    );
    check_refuted("story", bent!(KeyGenerated, 1, |k| k.public_key = "02".repeat(33)));
}

#[test]
fn an_end_that_nobody_signed_is_refuted() {
    check_refuted("broadcast", bent!(Broadcast, 8, |b| b.txid = "0x00".into()));
    check_refuted("outcome", bent!(Closed, 9, |c| c.txid = None));
    check_refuted("finality", |b| {
        let Body::Closed(c) = &mut b[9] else { panic!("another kind") };
        c.finality = Some(finality(c.txid.as_ref().unwrap(), 3, 62));
    });
    check_refuted("finality", |b| {
        let Body::Closed(c) = &mut b[9] else { panic!("another kind") };
        c.finality = Some(finality(c.txid.as_ref().unwrap(), 2, 61));
    });
    check_refuted("finality", bent!(Closed, 9, |c| c.finality = Some(finality("0x00", 3, 61))));
}

#[test]
fn a_denied_case_has_a_receipt_that_shows_nothing_signed() {
    let mut bodies = story();
    bodies.truncate(3);
    bodies.push(judged(Judgment::Deny { reasons: vec![reason()] }));
    bodies.push(closed(Outcome::Refused, None, None));
    let report = verify(bodies);
    assert!(!report.is_refuted(), "{}", report.to_text(false));
    assert_eq!(verdicts(&report, "signature"), [Verdict::NotShown]);
}

#[test]
fn an_open_case_is_said_to_be_open() {
    let mut bodies = story();
    bodies.truncate(5);
    let report = verify(bodies);
    assert!(!report.is_refuted(), "{}", report.to_text(false));
    assert_eq!(verdicts(&report, "outcome"), [Verdict::NotShown]);
    assert_eq!(verdicts(&report, "agreement"), [Verdict::NotShown]);
}

proptest! {
    #[test]
    fn arbitrary_and_mutated_receipts_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        prop_assert!(receipt::verify(&bytes, &pinned()).is_refuted());
        let mut bad = receipt(story());
        let at = at.index(bad.len());
        bad[at] = with;
        let _ = receipt::verify(&bad, &pinned());
    }

    #[test]
    fn arbitrary_transaction_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120), cut in any::<prop::sample::Index>()) {
        let _ = crate::transaction::Transaction::read(&bytes);
        let good = unsigned(&RECIPIENT, 7, b"data");
        prop_assert!(crate::transaction::Transaction::read(&good[..cut.index(good.len())]).is_err());
    }
}

fn export(entries: &[Vec<u8>]) -> Vec<u8> {
    entries.iter().flat_map(|entry| [entry.as_slice(), b"\n"].concat()).collect()
}

fn ledger(lines: &[u8], checkpoint: String, earlier: Vec<String>) -> Report {
    book::verify(lines, &book::Asked { checkpoint, earlier, deep: true }, &pinned()).unwrap()
}

#[test]
fn a_whole_ledger_is_proven_against_checkpoints_old_and_new() {
    let all = entries(story());
    let earlier = vec![checkpoint(&all[..3]).to_string(), checkpoint(&all[..8]).to_string()];
    let report = ledger(&export(&all), checkpoint(&all).to_string(), earlier);
    assert!(!report.is_refuted(), "{}", report.to_text(false));
}

#[test]
fn row_10_a_flipped_byte_of_a_ledger_row_is_refuted_with_its_index() {
    let all = entries(story());
    for (index, row) in all.iter().enumerate() {
        for at in (0..row.len()).step_by(7) {
            let mut bad = all.clone();
            bad[index][at] ^= 1;
            let report = ledger(&export(&bad), checkpoint(&all).to_string(), vec![]);
            let said = report.to_text(false);
            assert!(
                report.is_refuted() && said.contains(&format!("entry {index}")),
                "{index} {at}\n{said}"
            );
        }
    }
}

#[test]
fn row_13_a_cut_ledger_is_refuted_by_a_checkpoint_kept_from_before() {
    let all = entries(story());
    let (cut, kept) = (&all[..6], checkpoint(&all).to_string());
    let report = ledger(&export(cut), checkpoint(cut).to_string(), vec![kept]);
    assert!(
        report.to_text(false).contains("had 20 entries once and has 6 now"),
        "{}",
        report.to_text(false)
    );
}

/// A folder with everything that the command line reads.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let all = entries(story());
    let other = entries(story_of(&unsigned(&RECIPIENT, 5, &[])));
    let files: [(&str, Vec<u8>); 7] = [
        ("receipt.json", receipt(story())),
        ("policy.json", pinned().to_json().unwrap()),
        ("book.jsonl", export(&all)),
        ("head.txt", checkpoint(&all).to_string().into_bytes()),
        ("early.txt", checkpoint(&all[..8]).to_string().into_bytes()),
        ("other.txt", checkpoint(&other).to_string().into_bytes()),
        ("charter.json", serde_json::to_vec_pretty(&charter()).unwrap()),
    ];
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// Runs a line in which `@name` stands for a file of the folder: the answer and the exit code, 2 for usage.
fn run(folder: &tempfile::TempDir, line: &str) -> (String, u8) {
    let word = |w: &str| {
        w.strip_prefix('@').map_or(w.to_owned(), |f| folder.path().join(f).display().to_string())
    };
    let words = std::iter::once("quorate-verify".to_owned()).chain(line.split(' ').map(word));
    let cli = Cli::try_parse_from(words).unwrap();
    crate::answer(&cli, false).unwrap_or_else(|Usage(why)| (why, crate::USAGE))
}

fn check_run(line: &str, code: u8, says: &str) {
    let (text, got) = run(&folder(), line);
    assert!(got == code && text.contains(says), "{line}: {got}\n{text}");
}

#[test]
fn the_command_line_answers_with_its_exit_code() {
    check_run("receipt @receipt.json --policy @policy.json", 0, "receipt of vault `acme`: proven");
    check_run("receipt @receipt.json --policy @policy.json --json", 0, "\"result\": \"proven\"");
    check_run("receipt @book.jsonl --policy @policy.json", 1, "REFUTED");
    check_run("receipt @receipt.json --policy @charter.json", 2, "policy");
    check_run("receipt @nowhere --policy @policy.json", 2, "cannot open");
    check_run(
        "ledger @book.jsonl --checkpoint @head.txt --policy @policy.json --earlier @early.txt --deep",
        0,
        "proven",
    );
    check_run(
        "ledger @book.jsonl --checkpoint @early.txt --policy @policy.json",
        1,
        "20 entries and the checkpoint says 8",
    );
    check_run("completions bash", 0, "quorate-verify");
}

#[test]
fn row_43_two_stories_of_one_size_are_proven_against_the_log() {
    check_run("fork @head.txt @other.txt --policy @policy.json", 1, "two histories of 20 entries");
    check_run("fork @head.txt @head.txt --policy @policy.json", 0, "the same 20 entries");
    check_run("fork @head.txt @receipt.json --policy @policy.json", 1, "note");
    check_run(
        "ledger @book.jsonl --checkpoint @head.txt --policy @policy.json --earlier @other.txt",
        1,
        "two histories",
    );
}

#[test]
fn a_policy_can_be_pinned_from_a_founding_charter() {
    let (text, code) = run(&folder(), "pin @charter.json");
    assert_eq!((code, LogPolicy::from_json(text.as_bytes()).unwrap()), (0, pinned()));
}
