//! A whole ledger, one canonical entry a line, read once: against its checkpoint and every checkpoint kept from before.

use std::io::{self, BufRead, Read as _};

use quorate_ledger::{BookVerifier, Checkpoint, Error, LogPolicy, Refuted};
use quorate_terms::Term as _;
use quorate_terms::entry::{ENTRY_BYTES_MAX, Entry};

use crate::report::{Report, utc};

/// What the ledger is measured against.
pub(crate) struct Asked {
    /// The checkpoint note that it must add up to.
    pub(crate) checkpoint: String,
    /// Notes that were kept from before.
    pub(crate) earlier: Vec<String>,
    /// Whether to decode every entry in full.
    pub(crate) deep: bool,
}

/// Verifies an export. An error is a file that cannot be read; all else is in the report.
pub(crate) fn verify(
    mut export: impl BufRead,
    asked: &Asked,
    policy: &LogPolicy,
) -> io::Result<Report> {
    let mut report = Report::new(format!("ledger of vault `{}`", policy.vault));
    let (head, mut book) = match begin(asked, policy, &mut report) {
        Ok(begun) => begun,
        Err(e) => {
            report.refuted("checkpoint", e.to_string());
            return Ok(report);
        }
    };
    if let Err(e) = read(&mut export, asked.deep, &mut book)? {
        report.refuted("entries", e.to_string());
        return Ok(report);
    }
    match book.finish(&head) {
        Ok(chain) => {
            let (size, at) = (chain.next(), utc(chain.at().as_millis()));
            report.proven(
                "chain",
                format!("{size} entries, each naming the one before; the last at {at}"),
            );
            report.proven(
                "tree",
                "they add up to the witnessed root: no byte was changed, added or cut",
            );
            if asked.deep {
                report.proven("entries", "each is in the canonical form and of a known kind");
            }
            if !asked.earlier.is_empty() {
                report.proven(
                    "history",
                    format!("it passes through {} earlier checkpoints", asked.earlier.len()),
                );
            }
        }
        Err(e) => report.refuted("tree", e.to_string()),
    }
    report.not_shown(
        "beyond this",
        "that what the entries say was judged rightly: the cosigners check that as they follow",
    );
    Ok(report)
}

fn begin(
    asked: &Asked,
    policy: &LogPolicy,
    report: &mut Report,
) -> Result<(Checkpoint, BookVerifier), Error> {
    let head = policy.open(&asked.checkpoint)?;
    let size = head.checkpoint.size;
    report.proven(
        "checkpoint",
        format!(
            "log `{}` signed {size} entries, {} witnesses cosigned, {} needed",
            policy.log.name(),
            head.witnesses.len(),
            policy.quorum
        ),
    );
    let mut book = BookVerifier::new(policy.vault.as_str());
    for note in &asked.earlier {
        // An earlier note may be older than its cosignatures: the log's own signature is what convicts it.
        book.must_pass(&Checkpoint::open(&note.parse()?, &policy.log)?)?;
    }
    // On a copy: a note of the same size may contradict the head, but the head itself is compared at the end.
    book.clone().must_pass(&head.checkpoint)?;
    Ok((head.checkpoint, book))
}

fn read(
    export: &mut impl BufRead,
    deep: bool,
    book: &mut BookVerifier,
) -> io::Result<Result<(), Refuted>> {
    let limit = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
    let mut line = Vec::new();
    let mut index = 0u64;
    loop {
        line.clear();
        if export.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(Ok(()));
        }
        let entry = line.strip_suffix(b"\n").unwrap_or(&line);
        let decoded = if deep { Entry::from_canonical(entry).map(|_| ()) } else { Ok(()) };
        let claim = format!("entry {index}");
        let outcome =
            book.push(entry).and_then(|()| decoded.map_err(|e| Refuted::new(claim, e.to_string())));
        if outcome.is_err() {
            return Ok(outcome);
        }
        index = index.saturating_add(1);
    }
}
