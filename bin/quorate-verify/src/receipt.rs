//! A receipt, from bytes to report. Each check says what it proved; what nobody can prove from a receipt is said too.

use quorate_ledger::{LogPolicy, Receipt, VerifiedReceipt};
use quorate_terms::Timestamp;

use crate::charter::Charters;
use crate::report::Report;
use crate::story::Story;
use crate::{closed, judged, signed};

/// Verifies a receipt's bytes against a pinned policy. One newline at the end is forgiven.
pub(crate) fn verify(bytes: &[u8], policy: &LogPolicy) -> Report {
    let mut report = Report::new(format!("receipt of vault `{}`", policy.vault));
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let verified = Receipt::from_bytes(bytes).map_err(Into::into).and_then(|r| r.verify(policy));
    match verified {
        Ok(verified) => told(&verified, policy, &mut report),
        Err(e) => report.refuted("receipt", e.to_string()),
    }
    report
}

fn told(verified: &VerifiedReceipt, policy: &LogPolicy, report: &mut Report) {
    in_the_book(verified, policy, report);
    match Story::read(verified.case, &verified.entries) {
        Ok(story) => {
            report
                .record("case", story.check_frame().map(|says| format!("{}: {says}", story.case)));
            if let Err(why) = walk(&story, policy, report) {
                report.refuted("story", why);
            }
        }
        Err(why) => report.refuted("entries", why),
    }
    report.not_shown(
        "beyond this",
        "that the book holds nothing else of this case (verify the whole ledger), and who the people behind the names are",
    );
}

fn in_the_book(verified: &VerifiedReceipt, policy: &LogPolicy, report: &mut Report) {
    let head = &verified.head;
    let (size, root) = (head.checkpoint.size, head.checkpoint.root.short());
    report.proven(
        "checkpoint",
        format!("log `{}` signed {size} entries, root {root}…", policy.log.name()),
    );
    let seen: Vec<String> = head
        .witnesses
        .iter()
        .map(|w| {
            format!(
                "{} ({}) at {}",
                w.witness,
                w.operator,
                Timestamp::from_millis(w.time_s.saturating_mul(1000)).utc()
            )
        })
        .collect();
    let need = policy.quorum;
    report.proven(
        "witnesses",
        format!("{} cosigned, {need} needed: {}", seen.len(), seen.join(", ")),
    );
    let indexes: Vec<String> = verified.entries.iter().map(|(i, _)| i.to_string()).collect();
    report.proven("inclusion", format!("entries {} stand in that log", indexes.join(", ")));
}

/// The case in its own order. An error means that the story cannot even be told.
fn walk(story: &Story, policy: &LogPolicy, report: &mut Report) -> Result<(), String> {
    let charters = Charters::read(story, policy)?;
    report.proven("charter", charters.says());
    judged::check(story, &charters, report)?;
    signed::check(story, &charters, report)?;
    closed::check(story, &charters, report)
}
