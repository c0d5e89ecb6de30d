//! How an office puts a pack together. The same parts give the same bytes.

use std::collections::BTreeSet;

use quorate_terms::{Digest, Malformed, Timestamp, VaultId, canonical};

use super::container::{self, Files};
use super::manifest::{Book, FileRef, MANIFEST, Manifest, Proven, Reached};
use crate::finding::EntryRef;
use crate::mark::Signer;
use crate::record::{Line, Record, Results};
use crate::standard::Catalogue;

/// What the reader is told to do.
const INSTRUCTIONS: &str = "\
This pack verifies on a machine without a network, in seconds:

    quorate-verify pack PACK --office OFFICE-KEY --policy POLICY ...

OFFICE-KEY is the key of the auditor's office, as `name+id+key`; POLICY is the pinned policy of a book, one for each book
that the results cite (quorate-verify pin CHARTER makes it). Get both from somebody you trust and never from this pack.

It shows that every result is the one that the office recorded, that every entry a finding cites stands in its book under
the checkpoint that its witnesses cosigned, and that the standards are the texts that were used. It does not show that a
query asks the right thing: the queries are data of the standards, to be read. A pack says `assessed`; nothing here is a
registrar's certificate.
";

/// What goes in.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The office.
    pub office: VaultId,
    /// The origin of its own ledger.
    pub origin: String,
    /// When.
    pub made_at: Timestamp,
    /// Books, the office's own among them.
    pub books: Vec<BookPart>,
    /// Results, each exactly as it was digested.
    pub results: Vec<String>,
    /// Catalogues that they use.
    pub catalogues: Vec<Catalogue>,
    /// Receipts of cases.
    pub receipts: Vec<Vec<u8>>,
    /// Reports and other papers, by a plain name.
    pub papers: Vec<(String, Vec<u8>)>,
}

/// One book.
#[derive(Clone, Debug)]
pub struct BookPart {
    /// Its origin.
    pub origin: String,
    /// The note of its checkpoint, cosignatures included.
    pub note: String,
    /// Entries that are cited.
    pub entries: Vec<Proven>,
    /// Heads that results rest on.
    pub heads: Vec<Reached>,
}

/// Puts a pack together.
///
/// # Errors
/// [`Malformed`] when a name is not plain or something is too large.
pub fn build(parts: &Parts, office: &Signer<'_>) -> Result<Vec<u8>, Malformed> {
    let mut files = Files::from([("verify.txt".to_owned(), INSTRUCTIONS.as_bytes().to_vec())]);
    let mut books = Vec::new();
    for (number, part) in parts.books.iter().enumerate() {
        let checkpoint = format!("books/{number}/checkpoint.note");
        let entries = format!("books/{number}/entries.jsonl");
        files.insert(checkpoint.clone(), part.note.clone().into_bytes());
        files.insert(entries.clone(), lines(&part.entries)?);
        let (origin, heads) = (part.origin.clone(), part.heads.clone());
        books.push(Book { origin, checkpoint, entries, heads });
    }
    for results in &parts.results {
        let name = format!("results/{}.json", Digest::sha256(results.as_bytes()));
        files.insert(name, results.clone().into_bytes());
    }
    for catalogue in &parts.catalogues {
        let name = format!("standards/{}-{}.json", catalogue.id, catalogue.version);
        files.insert(name, canonical::to_bytes(catalogue, "catalogue")?);
    }
    for (number, receipt) in parts.receipts.iter().enumerate() {
        files.insert(format!("receipts/{number:04}.json"), receipt.clone());
    }
    for (name, bytes) in &parts.papers {
        if files.insert(format!("papers/{name}"), bytes.clone()).is_some() {
            return Err(Malformed::new("paper", "has the name of another", "rename it"));
        }
    }
    let listed = |bytes: &Vec<u8>| FileRef {
        sha256: Digest::sha256(bytes),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    };
    let manifest = Manifest {
        v: 1,
        office: parts.office.clone(),
        origin: parts.origin.clone(),
        made_at: parts.made_at,
        books,
        files: files.iter().map(|(name, bytes)| (name.clone(), listed(bytes))).collect(),
    };
    files.insert(MANIFEST.to_owned(), manifest.seal(office)?);
    container::write(&files)
}

fn lines(entries: &[Proven]) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend(canonical::to_bytes(entry, "entry")?);
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// Every entry that a result's findings cite.
pub fn cited(results: &Results) -> BTreeSet<EntryRef> {
    let machine = results.findings.iter().filter_map(|finding| finding.machine.as_ref());
    machine
        .flat_map(|part| {
            let shown = part.shown.iter().filter_map(|exception| exception.entry.clone());
            part.cited.iter().cloned().chain(shown)
        })
        .collect()
}

/// Lines of the office's own ledger that results rest on: that they were found, and each piece of evidence that was shown.
pub fn own(lines: &[Line], results: &Results, digest: &Digest) -> BTreeSet<u64> {
    let rests = |line: &&Line| match &line.body {
        Record::Assessed { results: found, .. } => found == digest,
        Record::EvidenceShown { control, evidence, .. } => {
            results.findings.iter().any(|f| f.control == *control && f.evidence.contains(evidence))
        }
        _ => false,
    };
    lines.iter().filter(rests).map(|line| line.index).collect()
}
