//! The evidence pack: results with every entry that they cite, proven, in one file for a machine without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use quorate_assessor::finding::EntryRef;
use quorate_assessor::mark::Signer;
use quorate_assessor::pack::build::{cited, own};
use quorate_assessor::pack::container::is_name;
use quorate_assessor::pack::{BookPart, Parts, Pins, Proven, Reached, build, verify};
use quorate_assessor::record::{Record, Results};
use quorate_ledger::{KeyKind, LogPolicy, Tree, VerifierKey, hash, proof};
use quorate_terms::{Digest, Term as _, canonical};
use serde_json::json;

use crate::book::Copy;
use crate::cli::Cli;
use crate::home::{self, Home};
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};
use crate::trust::{BookId, Trust};
use crate::{library, run};

/// What goes in.
#[derive(Args)]
pub(crate) struct Packing {
    /// SHA-256 of results; once for each. The newest of each standard, when none is named.
    #[arg(long = "results")]
    digests: Vec<Digest>,
    /// A receipt of a case; once for each.
    #[arg(long = "receipt")]
    receipts: Vec<PathBuf>,
    /// A report or another paper; once for each.
    #[arg(long = "paper")]
    papers: Vec<PathBuf>,
    /// Where the pack goes.
    #[arg(long)]
    out: PathBuf,
}

type Chosen = Vec<(Digest, String, Results)>;
type Wanted = BTreeMap<String, (BTreeSet<u64>, BTreeSet<(u64, Digest)>)>;

/// Puts the pack together, checks it as a stranger would, and only then writes it.
pub(crate) fn pack(cli: &Cli, home: &Home, office: &Office, asked: &Packing) -> Done<Screen> {
    let chosen = chosen(home, office, &asked.digests)?;
    let wanted = wanted(office, &chosen);
    let (mut books, mut policies) = (Vec::new(), Vec::new());
    for vault in home.pinned()? {
        for id in [vec![BookId::of(&vault)], home.own_ledgers(&vault)?].concat() {
            let trust = Trust::of(home, &id)?;
            if let Some((entries, heads)) = wanted.get(trust.origin()) {
                books.push(pinned_book(home, &trust, entries, heads)?);
            }
        }
        policies.push(home.read_pin(&vault)?);
    }
    let key = home.identity()?;
    let log = VerifierKey::new(office.origin(), KeyKind::Log, key.public_key())?;
    let note = office.head().sign(&log, |bytes| key.sign_bytes(bytes)).to_string();
    books.push(own_book(office, note, &wanted)?);
    let missing = wanted.keys().find(|origin| books.iter().all(|book| book.origin != **origin));
    if let Some(origin) = missing {
        let next = "pin its vault and take it in again, then pack";
        return Err(no("no_book", format!("the book `{origin}` is not here"), next));
    }
    let shelf = library::load(&cli.standards)?;
    let used: BTreeSet<_> = chosen.iter().map(|(_, _, results)| &results.standard).collect();
    let parts = Parts {
        office: office.name().clone(),
        origin: office.origin().to_owned(),
        made_at: office.now(),
        books,
        results: chosen.iter().map(|(_, text, _)| text.clone()).collect(),
        catalogues: used
            .into_iter()
            .map(|key| run::catalogue(&shelf.library, key).cloned())
            .collect::<Done<_>>()?,
        receipts: asked.receipts.iter().map(|path| home::read(path)).collect::<Done<_>>()?,
        papers: asked.papers.iter().map(|path| paper(path)).collect::<Done<_>>()?,
    };
    let sign = |bytes: &[u8]| key.sign_bytes(bytes);
    let bytes = build(&parts, &Signer { key: key.public_key(), sign: &sign })?;
    let office_key = log.to_string();
    holds(&bytes, log, policies)?;
    home::write(&asked.out, &bytes)?;
    let digest = Digest::sha256(&bytes);
    let (out, size) = (asked.out.display().to_string(), bytes.len());
    let text =
        format!("{out}: {size} bytes, sha256 {digest}\nverify it with --office {office_key}");
    Ok(Screen::new(
        text,
        json!({ "file": out, "sha256": digest, "size": size, "office": office_key }),
    ))
}

/// A pack that a stranger would refuse is not written.
fn holds(bytes: &[u8], office: VerifierKey, books: Vec<LogPolicy>) -> Done<()> {
    let verified = verify(bytes, &Pins { office, books });
    if verified.stands() {
        return Ok(());
    }
    let mut trouble = no("refuted", "the pack would not verify", "assess again, then pack");
    trouble.problems =
        verified.checks.into_iter().filter_map(|check| check.outcome.err()).collect();
    Err(trouble)
}

/// The results that are asked for, or the newest of each standard.
fn chosen(home: &Home, office: &Office, digests: &[Digest]) -> Done<Chosen> {
    let mut newest = BTreeMap::new();
    for line in office.lines() {
        if let Record::Assessed { standard, results, .. } = &line.body {
            newest.insert(standard.clone(), *results);
        }
    }
    let all = if digests.is_empty() { newest.into_values().collect() } else { digests.to_vec() };
    if all.is_empty() {
        return Err(no("no_results", "nothing was assessed yet", "run `quorate-assessor assess`"));
    }
    let found = |digest: &Digest| {
        let is_it =
            |body: &Record| matches!(body, Record::Assessed { results, .. } if results == digest);
        office.lines().iter().any(|line| is_it(&line.body))
    };
    if let Some(unknown) = all.iter().find(|digest| !found(digest)) {
        let message = format!("this office has found no results {}", unknown.short());
        return Err(no("no_results", message, "give a digest that `assess` printed"));
    }
    let read = |digest: Digest| {
        let text = home::read_text(&home.results(&format!("{digest}.json")))?;
        if Digest::sha256(text.as_bytes()) != digest {
            let message = format!("results {} on disk are other bytes", digest.short());
            return Err(no("damaged", message, "assess again"));
        }
        let results = canonical::from_bytes(text.as_bytes(), "results")?;
        Ok((digest, text, results))
    };
    all.into_iter().map(read).collect()
}

/// By book: the entries to prove, and the heads to extend.
fn wanted(office: &Office, chosen: &Chosen) -> Wanted {
    let mut wanted = Wanted::from([(office.origin().to_owned(), Default::default())]);
    for (digest, _, results) in chosen {
        for EntryRef { book, index } in cited(results) {
            wanted.entry(book).or_default().0.insert(index);
        }
        let parts = results.findings.iter().filter_map(|finding| finding.machine.as_ref());
        for head in results.heads.iter().chain(parts.flat_map(|part| &part.heads)) {
            wanted.entry(head.book.clone()).or_default().1.insert((head.size, head.root));
        }
        let lines = own(office.lines(), results, digest);
        wanted.entry(office.origin().to_owned()).or_default().0.extend(lines);
    }
    wanted
}

/// A vault's book, or a cosigner's own ledger.
fn pinned_book(
    home: &Home,
    trust: &Trust,
    entries: &BTreeSet<u64>,
    heads: &BTreeSet<(u64, Digest)>,
) -> Done<BookPart> {
    let (mut tree, mut found) = (Tree::new(), Vec::new());
    let copy = Copy::open(home, &trust.id, |_, seen| {
        tree.push(hash::leaf(seen.bytes));
        if entries.contains(&seen.index) {
            found.push((seen.index, seen.bytes.to_vec()));
        }
        Ok(())
    })?;
    let size = copy.must_reach()?.head.size;
    let note = home::read_text(&home.head(&trust.id))?;
    part(trust.origin(), note, (&tree, size), found, heads)
}

fn own_book(office: &Office, note: String, wanted: &Wanted) -> Done<BookPart> {
    let (mut tree, mut found) = (Tree::new(), Vec::new());
    let none = Default::default();
    let (entries, heads) = wanted.get(office.origin()).unwrap_or(&none);
    for line in office.lines() {
        let bytes = line.to_canonical()?;
        tree.push(hash::leaf(&bytes));
        if entries.contains(&line.index) {
            found.push((line.index, bytes));
        }
    }
    part(office.origin(), note, (&tree, office.head().size), found, heads)
}

fn part(
    origin: &str,
    note: String,
    (tree, size): (&Tree, u64),
    found: Vec<(u64, Vec<u8>)>,
    heads: &BTreeSet<(u64, Digest)>,
) -> Done<BookPart> {
    let text = |path: Vec<Digest>| path.iter().map(hash::to_base64).collect::<Vec<_>>();
    let fault = |e: quorate_ledger::Misuse| {
        Trouble::refused(
            "refuted",
            e.to_string(),
            "a head is longer than the book; take it in again",
        )
    };
    let mut part =
        BookPart { origin: origin.to_owned(), note, entries: Vec::new(), heads: Vec::new() };
    for (index, bytes) in found {
        let path = text(proof::inclusion(tree, index, size).map_err(fault)?);
        let entry = String::from_utf8(bytes).map_err(|_| {
            no("malformed", format!("entry {index} is not text"), "export it again")
        })?;
        part.entries.push(Proven { index, entry, path });
    }
    for (earlier, root) in heads {
        let proof = match *earlier {
            0 => Vec::new(),
            earlier => text(proof::consistency(tree, earlier, size).map_err(fault)?),
        };
        part.heads.push(Reached { size: *earlier, root: *root, proof });
    }
    Ok(part)
}

/// A paper under its file's name, made plain.
fn paper(path: &Path) -> Done<(String, Vec<u8>)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if !is_name(&name) {
        let next = "use letters, digits, dots, hyphens and underscores";
        return Err(no("name", format!("`{name}` is no plain name"), next));
    }
    Ok((name, home::read(path)?))
}

fn no(code: &'static str, message: impl Into<String>, next: &str) -> Trouble {
    Trouble::refused(code, message, next)
}
