//! How a stranger checks a pack: every check must hold, and one that cannot be made has failed.

mod shown;

use std::collections::{BTreeMap, BTreeSet};

use quorate_ledger::{LogPolicy, VerifierKey};
use quorate_terms::{Digest, Malformed, Term as _, canonical};

use super::build::cited;
use super::container::{self, Files};
use super::manifest::Manifest;
use crate::finding::{EntryRef, Finding, Head};
use crate::mark::Check;
use crate::record::{Line, Record, Results};
use crate::standard::Catalogue;

use self::shown::{Shown, shown};

/// Whom the stranger trusts, pinned beforehand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pins {
    /// The office's ledger key.
    pub office: VerifierKey,
    /// A policy for each book.
    pub books: Vec<LogPolicy>,
}

/// What verification came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// All checks, in order.
    pub checks: Vec<Check>,
    /// Receipts to be verified by who knows their cases.
    pub receipts: Vec<(String, Vec<u8>)>,
}

impl Verified {
    /// Whether every check holds.
    pub fn stands(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.outcome.is_ok())
    }

    fn check(&mut self, name: &'static str, outcome: Result<String, String>) -> bool {
        let good = outcome.is_ok();
        self.checks.push(Check { name, outcome });
        good
    }
}

type Books = BTreeMap<String, Shown>;

/// Checks a pack against pinned keys.
pub fn verify(bytes: &[u8], pins: &Pins) -> Verified {
    let mut verified = Verified::default();
    let opened = container::read(bytes).and_then(|files| {
        let manifest = Manifest::open(&files, pins.office.key())?;
        Ok((files, manifest))
    });
    let (files, manifest) = match opened {
        Ok(opened) => opened,
        Err(e) => {
            verified.check("file", Err(e.to_string()));
            return verified;
        }
    };
    let listed = manifest.lists(&files).and_then(|()| {
        let same = manifest.origin == pins.office.name();
        let why = || format!("the pack is of the office `{}`", manifest.origin);
        same.then(|| format!("{} files, signed by `{}`", files.len(), manifest.origin))
            .ok_or_else(why)
    });
    if !verified.check("file", listed) {
        return verified;
    }
    let Some(books) = books(&files, &manifest, pins, &mut verified) else { return verified };
    let catalogues = catalogues(&files);
    let outcome = catalogues.as_ref().map(|all| format!("{} standards, by digest", all.len()));
    verified.check("standards", outcome.map_err(Clone::clone));
    let catalogues = catalogues.unwrap_or_default();
    let mut count = 0_u32;
    for (name, bytes) in under(&files, "results/") {
        verified.check("results", results(name, bytes, &books, &catalogues, &manifest.origin));
        count = count.saturating_add(1);
    }
    if count == 0 {
        verified.check("results", Err("the pack holds no results".to_owned()));
    }
    verified.receipts =
        under(&files, "receipts/").map(|(n, b)| (n.to_owned(), b.to_vec())).collect();
    verified
}

fn under<'a>(files: &'a Files, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    let within = files.iter().filter(move |(name, _)| name.starts_with(folder));
    within.map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
}

fn books(
    files: &Files,
    manifest: &Manifest,
    pins: &Pins,
    verified: &mut Verified,
) -> Option<Books> {
    let mut books = Books::new();
    for book in &manifest.books {
        match shown(files, book, pins) {
            Ok((shown, says)) => {
                verified.check("book", Ok(says));
                if books.insert(book.origin.clone(), shown).is_some() {
                    verified.check("book", Err(format!("`{}` is there twice", book.origin)));
                }
            }
            Err(why) => drop(verified.check("book", Err(format!("`{}`: {why}", book.origin)))),
        }
    }
    verified.stands().then_some(books)
}

fn catalogues(files: &Files) -> Result<BTreeMap<Digest, String>, String> {
    let mut all = BTreeMap::new();
    for (name, bytes) in under(files, "standards/") {
        let read = || -> Result<(Digest, String), Malformed> {
            let catalogue: Catalogue = canonical::from_bytes(bytes, "catalogue")?;
            Ok((catalogue.digest()?, format!("{} {}", catalogue.id, catalogue.version)))
        };
        let (digest, key) = read().map_err(|e| format!("`{name}`: {e}"))?;
        all.insert(digest, key);
    }
    Ok(all)
}

/// One file of results: found by the office, by a standard that is here, on heads that are proven, citing what is included.
fn results(
    name: &str,
    bytes: &[u8],
    books: &Books,
    catalogues: &BTreeMap<Digest, String>,
    origin: &str,
) -> Result<String, String> {
    let digest = Digest::sha256(bytes);
    if name != format!("results/{digest}.json") {
        return Err(format!("`{name}` is not named by its digest"));
    }
    let results: Results = canonical::from_bytes(bytes, "results").map_err(|e| e.to_string())?;
    let standard = results.standard.to_string();
    if catalogues.get(&results.catalogue) != Some(&standard) {
        return Err(format!("{standard}: the text that was used is not in the pack"));
    }
    let known = |head: &Head| books.get(&head.book).is_some_and(|book| book.heads.contains(head));
    let parts = results.findings.iter().filter_map(|finding| finding.machine.as_ref());
    let mut heads = results.heads.iter().chain(parts.flat_map(|part| &part.heads));
    if let Some(head) = heads.find(|head| !known(head)) {
        return Err(format!(
            "{standard}: nothing proves the head of `{}` at {}",
            head.book, head.size
        ));
    }
    let lines = own_lines(books, origin)?;
    let recorded = |line: &Line| matches!(&line.body, Record::Assessed { results: found, heads, .. } if *found == digest && *heads == results.heads);
    if !lines.iter().any(recorded) {
        return Err(format!("{standard}: the office's ledger does not say that it found this"));
    }
    let cited = cited(&results);
    let sizes: BTreeMap<&str, u64> =
        results.heads.iter().map(|h| (h.book.as_str(), h.size)).collect();
    for entry in &cited {
        included(entry, books, &sizes).map_err(|why| format!("{standard}: {why}"))?;
    }
    let shown: BTreeSet<&str> =
        results.findings.iter().filter_map(|f| unshown(f, &lines)).collect();
    if !shown.is_empty() {
        let all = shown.into_iter().collect::<Vec<_>>().join(", ");
        return Err(format!("{standard}: evidence was never recorded as shown: {all}"));
    }
    let count = results.findings.len();
    Ok(format!("{standard}: {count} findings as recorded, {} cited entries included", cited.len()))
}

fn own_lines(books: &Books, origin: &str) -> Result<Vec<Line>, String> {
    let own = books.get(origin).ok_or("the office's own ledger is not in the pack")?;
    let read = |entry: &String| Line::from_canonical(entry.as_bytes()).map_err(|e| e.to_string());
    own.entries.values().map(read).collect()
}

fn included(entry: &EntryRef, books: &Books, sizes: &BTreeMap<&str, u64>) -> Result<(), String> {
    let (book, index) = (&entry.book, entry.index);
    if sizes.get(book.as_str()).is_none_or(|size| index >= *size) {
        return Err(format!("entry {index} of `{book}` is beyond the head that was assessed"));
    }
    let found = books.get(book).is_some_and(|shown| shown.entries.contains_key(&index));
    found
        .then_some(())
        .ok_or_else(|| format!("entry {index} of `{book}` is cited and not included"))
}

/// The first piece of evidence of a finding that no line of the office's ledger shows.
fn unshown<'a>(finding: &'a Finding, lines: &[Line]) -> Option<&'a str> {
    let on_record = |wanted| {
        lines.iter().any(|line| {
            matches!(&line.body, Record::EvidenceShown { control, evidence, .. } if *control == finding.control && evidence == wanted)
        })
    };
    finding.evidence.iter().find(|wanted| !on_record(*wanted)).map(|missing| missing.tag.as_str())
}
