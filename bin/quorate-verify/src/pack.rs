//! An evidence pack, from file to report: the pure checks of `quorate-assessor`, and each receipt by the vault's own policy.

use quorate_assessor::pack::{self, Pins};
use quorate_ledger::LogPolicy;

use crate::receipt;
use crate::report::Report;

/// Verifies a pack against pinned keys.
pub(crate) fn verify(bytes: &[u8], pins: &Pins) -> Report {
    let mut report = Report::new("evidence pack");
    let verified = pack::verify(bytes, pins);
    for check in &verified.checks {
        report.record(check.name, check.outcome.clone());
    }
    for (name, bytes) in &verified.receipts {
        let outcome = match pins.books.iter().find(|policy| proves(bytes, policy)) {
            Some(policy) => Ok(format!("{name}: proven, vault `{}`", policy.vault)),
            None => Err(format!("{name}: it does not verify under any policy that was given")),
        };
        report.record("receipt", outcome);
    }
    report.not_shown(
        "beyond this",
        "that a query asks the right thing: queries are data of the standards, to be read; and nothing here says certified",
    );
    report
}

fn proves(bytes: &[u8], policy: &LogPolicy) -> bool {
    !receipt::verify(bytes, policy).is_refuted()
}
