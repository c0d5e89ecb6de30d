//! A whole ledger, one canonical entry a line, read once: against its checkpoint and every checkpoint kept from before.

use std::io::{self, BufRead, Read as _};

use quorate_ledger::{BookVerifier, Checkpoint, Error, LogPolicy, Prepared, Refuted};
use quorate_terms::entry::{ENTRY_BYTES_MAX, Entry};
use quorate_terms::{Malformed, Term as _};

use crate::report::Report;

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
            let (size, at) = (chain.next(), chain.at().utc());
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

/// Entries that are hashed at once; few enough to hold a page of the largest in memory.
const PAGE: usize = 4096;
/// Bytes after which a page is full, however few entries it holds.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

fn read(
    export: &mut impl BufRead,
    deep: bool,
    book: &mut BookVerifier,
) -> io::Result<Result<(), Refuted>> {
    let mut index = 0u64;
    loop {
        let page = page(export)?;
        if page.is_empty() {
            return Ok(Ok(()));
        }
        for (prepared, decoded) in prepare(&page, deep) {
            let claim = format!("entry {index}");
            let outcome = book
                .take(prepared)
                .and_then(|()| decoded.map_err(|e| Refuted::new(claim, e.to_string())));
            if outcome.is_err() {
                return Ok(outcome);
            }
            index = index.saturating_add(1);
        }
    }
}

/// The next lines, without their ends; none at the end of the export.
fn page(export: &mut impl BufRead) -> io::Result<Vec<Vec<u8>>> {
    let limit = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
    let (mut page, mut bytes) = (Vec::new(), 0usize);
    while page.len() < PAGE && bytes < PAGE_BYTES {
        let mut line = Vec::new();
        if export.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        bytes = bytes.saturating_add(line.len());
        page.push(line);
    }
    Ok(page)
}

type Read<'a> = (Prepared<'a>, Result<(), Malformed>);

/// Hashing and reading is nearly all of the work and needs no order, so every core takes its part of a page.
fn prepare(page: &[Vec<u8>], deep: bool) -> Vec<Read<'_>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let part = page.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = page
            .chunks(part)
            .map(|part| (part, scope.spawn(move || prepare_part(part, deep))))
            .collect();
        // Should a thread have ended early, its part is read here: no entry is ever passed over.
        let done = |(part, thread): (_, std::thread::ScopedJoinHandle<'_, _>)| {
            thread.join().unwrap_or_else(|_| prepare_part(part, deep))
        };
        parts.into_iter().flat_map(done).collect()
    })
}

fn prepare_part(part: &[Vec<u8>], deep: bool) -> Vec<Read<'_>> {
    let decoded = |entry| if deep { Entry::from_canonical(entry).map(drop) } else { Ok(()) };
    part.iter().map(|entry| (Prepared::of(entry), decoded(entry))).collect()
}
