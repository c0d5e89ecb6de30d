//! Copies of books: taken in only when every entry, the chain, the tree and the witnesses hold, and only as a continuation of
//! the copy that is there. Verified again whenever they are read, because a copy lies on a disk.
//!
//! Invariant: an entry is evidence only under a head that enough witnesses cosigned. What was fetched beyond it waits, and may
//! be lost in a crash: it is fetched again.

mod body;

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use quorate_assessor::finding::Head;
use quorate_host::Fault;
use quorate_ledger::{BookVerifier, Checkpoint, LogPolicy, Refuted, TlogProof, Tree, hash, proof};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::ENTRY_BYTES_MAX;
use quorate_terms::{Digest, Term as _, Timestamp, canonical};

use crate::home::{self, Home};
use crate::trouble::{Done, Trouble};
use crate::trust::{BookId, Trust};

pub(crate) use body::{body, kind};

/// Entries that may wait in memory for a head that covers them.
const PENDING_MAX: usize = 16_384;

/// What a copy came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reached {
    /// The verified head.
    pub(crate) head: Head,
    /// The newest entry's time.
    pub(crate) newest: Timestamp,
}

/// A verified entry: its place, its time, its canonical bytes.
pub(crate) struct Seen<'a> {
    pub(crate) index: u64,
    pub(crate) at: Timestamp,
    pub(crate) bytes: &'a [u8],
}

/// One pinned book as this office has it.
pub(crate) struct Copy {
    pub(crate) trust: Trust,
    book: BookVerifier,
    /// The newest witnessed head, its note, and the time of its last entry.
    head: Option<(Checkpoint, String)>,
    newest: Timestamp,
    /// Bytes of the file under the head on disk, and entries under it.
    saved: (u64, u64),
    /// Bytes and entries in the file beyond the head: fetched, and waiting for a head that covers them.
    tail: (u64, u64),
    /// Entries beyond all that, with their times.
    pending: Vec<(Timestamp, Vec<u8>)>,
}

impl Copy {
    /// Reads the copy up to its head and verifies it; `take` sees each entry on the way. Nothing that it saw counts unless this
    /// returns well.
    pub(crate) fn open(
        home: &Home,
        id: &BookId,
        mut take: impl FnMut(&Trust, &Seen<'_>) -> Done<()>,
    ) -> Done<Self> {
        let trust = Trust::of(home, id)?;
        let head = known(home, &trust)?;
        let book = BookVerifier::new(id.vault.as_str());
        let mut copy = Self {
            trust,
            book,
            head: None,
            newest: Timestamp::ZERO,
            saved: (0, 0),
            tail: (0, 0),
            pending: Vec::new(),
        };
        let Some((head, note)) = head else { return Ok(copy) };
        let path = home.book(id);
        let bytes = each_line(&path, head.size, |line| {
            let index = copy.book.size();
            let at = copy.verify(line)?;
            take(&copy.trust, &Seen { index, at, bytes: line })
        })?;
        copy.book.clone().finish(&head)?;
        copy.newest = copy.book.at();
        copy.saved = (bytes, head.size);
        copy.head = Some((head, note));
        Ok(copy)
    }

    /// How many entries it has, those that wait included.
    pub(crate) const fn size(&self) -> u64 {
        self.book.size()
    }

    /// Whether more was witnessed than is written.
    pub(crate) fn has_news(&self) -> bool {
        self.head.as_ref().is_some_and(|(head, _)| head.size > self.saved.1) || self.is_full()
    }

    /// Whether so much waits that it must be written before more is fetched.
    pub(crate) const fn is_full(&self) -> bool {
        self.pending.len() >= PENDING_MAX
    }

    /// The witnessed head, if there is one.
    pub(crate) fn reached(&self) -> Option<Reached> {
        let (head, _) = self.head.as_ref()?;
        Some(Reached { head: as_head(head), newest: self.newest })
    }

    /// As [`Copy::reached`], for a book that must have been taken in.
    pub(crate) fn must_reach(&self) -> Done<Reached> {
        self.reached().ok_or_else(|| {
            let message = format!("the book of `{}` was never taken in", self.trust.id);
            let next = "run `quorate-assessor import` or `quorate-assessor follow` first";
            Trouble::refused("no_book", message, next)
        })
    }

    fn verify(&mut self, bytes: &[u8]) -> Done<Timestamp> {
        self.book.push(bytes)?;
        if self.book.size() == 1 && self.trust.is_witnessed() {
            founded(bytes, &self.trust.policy)?;
        }
        Ok(self.book.at())
    }

    /// Takes the next entry. It waits until a witnessed head covers it.
    pub(crate) fn push(&mut self, bytes: Vec<u8>) -> Done<()> {
        let at = self.verify(&bytes)?;
        self.pending.push((at, bytes));
        Ok(())
    }

    /// The head that a note of this log claims, under the log's signature alone.
    pub(crate) fn signed(&self, note: &str) -> Done<Checkpoint> {
        self.trust.signed(note)
    }

    /// Compares a note of exactly these entries. A note of too few witnesses settles nothing and is no lie; every other fault
    /// of it is.
    pub(crate) fn agree(&mut self, note: &str) -> Done<bool> {
        self.book.clone().finish(&self.trust.signed(note)?)?;
        if !self.trust.has_enough(&note.parse()?) {
            return Ok(false);
        }
        let head = self.trust.open(note)?;
        self.newest = self.book.at();
        self.head = Some((head, note.to_owned()));
        Ok(true)
    }

    /// Whether the copy on disk is still the one that this one continues.
    pub(crate) fn is_newest(&self, home: &Home) -> Done<bool> {
        let on_disk = known(home, &self.trust)?;
        Ok(on_disk.map_or(0, |(head, _)| head.size) == self.saved.1)
    }

    /// Writes what waits behind the saved head, where there is too much of it to hold.
    pub(crate) fn spill(&mut self, home: &Home) -> Done<()> {
        if self.is_full() {
            let count = u64::try_from(self.pending.len()).unwrap_or(u64::MAX);
            let waiting = std::mem::take(&mut self.pending);
            let bytes = self.append(home, &waiting)?;
            self.tail = (self.tail.0.saturating_add(bytes), self.tail.1.saturating_add(count));
        }
        Ok(())
    }

    /// Writes what waits, then the head that covers it. Gives the entries that are evidence from now on, or none when they are
    /// too many to hold and must be read from the copy.
    pub(crate) fn save(&mut self, home: &Home) -> Done<Option<Fresh>> {
        let (bytes, size) = self.saved;
        let Some((head, note)) = self.head.clone().filter(|(head, _)| head.size > size) else {
            return Ok(Some(Fresh::new()));
        };
        let written = size.saturating_add(self.tail.1);
        let count = usize::try_from(head.size.saturating_sub(written)).unwrap_or(usize::MAX);
        let beyond = self.pending.split_off(count.min(self.pending.len()));
        let fresh = std::mem::replace(&mut self.pending, beyond);
        let added = self.append(home, &fresh)?;
        home::write(&home.head(&self.trust.id), note.as_bytes())?;
        self.saved = (bytes.saturating_add(self.tail.0).saturating_add(added), head.size);
        let is_whole = std::mem::take(&mut self.tail) == (0, 0);
        let fresh = (size..).zip(fresh).map(|(index, (at, bytes))| (index, at, bytes));
        Ok(is_whole.then(|| fresh.collect()))
    }

    /// Entries under the head, each with its proof, read from the copy.
    pub(crate) fn prove(&self, home: &Home, wanted: &BTreeSet<u64>) -> Done<Vec<Proven>> {
        let Some((head, note)) = &self.head else { return Ok(Vec::new()) };
        let mut tree = Tree::new();
        let mut entries = Vec::new();
        each_line(&home.book(&self.trust.id), head.size, |line| {
            if wanted.contains(&tree.size()) {
                entries.push((tree.size(), line.to_vec()));
            }
            tree.push(hash::leaf(line));
            Ok(())
        })?;
        let prove = |(index, entry): (u64, Vec<u8>)| {
            let path = proof::inclusion(&tree, index, head.size)?;
            let proof = TlogProof { index, path, checkpoint: note.clone() };
            let proven = (entry, proof);
            self.trust.verify(&proven)?;
            Ok(proven)
        };
        entries.into_iter().map(prove).collect()
    }

    /// Cuts the file to what is known of it, and appends. A crash leaves a tail that nobody reads.
    fn append(&self, home: &Home, fresh: &[(Timestamp, Vec<u8>)]) -> Done<u64> {
        let path = home.book(&self.trust.id);
        let from = self.saved.0.saturating_add(self.tail.0);
        Ok(append(&path, from, fresh).map_err(|e| Fault::at(&path, &e))?)
    }
}

/// An entry with its proof.
pub(crate) type Proven = (Vec<u8>, TlogProof);

/// Entries that became evidence: place, time and canonical bytes.
pub(crate) type Fresh = Vec<(u64, Timestamp, Vec<u8>)>;

fn append(path: &Path, from: u64, fresh: &[(Timestamp, Vec<u8>)]) -> std::io::Result<u64> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.set_len(from)?;
    let mut out = BufWriter::new(file);
    out.seek(SeekFrom::Start(from))?;
    let mut written = 0_u64;
    for (_, line) in fresh {
        out.write_all(line)?;
        out.write_all(b"\n")?;
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        written = written.saturating_add(length).saturating_add(1);
    }
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(written)
}

/// Takes in an export with the note of its head. The old copy stays until the new one is whole and verified.
pub(crate) fn import(home: &Home, id: &BookId, export: &Path, note: &Path) -> Done<Reached> {
    let trust = Trust::of(home, id)?;
    let note = home::read_text(note)?;
    let known = known(home, &trust)?.map(|(head, _)| head);
    let path = home.book(id);
    let new = path.with_extension("importing");
    let reached = match copy(export, &new, &trust, &note, known.as_ref()) {
        Ok(reached) => reached,
        Err(trouble) => {
            let _may_not_exist = std::fs::remove_file(&new);
            return Err(trouble);
        }
    };
    std::fs::rename(&new, &path).map_err(|e| Fault::at(&path, &e))?;
    home::write(&home.head(id), note.as_bytes())?;
    Ok(reached)
}

/// The head of the copy that is there, with its note.
fn known(home: &Home, trust: &Trust) -> Done<Option<(Checkpoint, String)>> {
    let path = home.head(&trust.id);
    if !path.exists() {
        return Ok(None);
    }
    let note = home::read_text(&path)?;
    Ok(Some((trust.open(&note)?, note)))
}

fn copy(
    export: &Path,
    new: &Path,
    trust: &Trust,
    note: &str,
    known: Option<&Checkpoint>,
) -> Done<Reached> {
    let head = trust.open(note)?;
    if let Some(known) = known {
        not_shrunk(known.size, head.size)?;
    }
    let file = File::create(new).map_err(|e| Fault::at(new, &e))?;
    let mut out = BufWriter::new(file);
    let mut book = verifier(&trust.policy, &head, known)?;
    each_line(export, u64::MAX, |line| {
        book.push(line)?;
        if book.size() == 1 && trust.is_witnessed() {
            founded(line, &trust.policy)?;
        }
        let written = out.write_all(line).and_then(|()| out.write_all(b"\n"));
        Ok(written.map_err(|e| Fault::at(new, &e))?)
    })?;
    let newest = book.at();
    book.finish(&head)?;
    let flushed = out.flush().and_then(|()| out.get_ref().sync_all());
    flushed.map_err(|e| Fault::at(new, &e))?;
    Ok(Reached { head: as_head(&head), newest })
}

/// A book only grows.
pub(crate) fn not_shrunk(known: u64, shown: u64) -> Done<()> {
    if known <= shown {
        return Ok(());
    }
    let message = format!("the book has {shown} entries, the copy here {known}");
    let next = "ask for the whole book; if it is the whole, it was cut: keep both and tell";
    Err(Trouble::refused("shrunk", message, next))
}

fn verifier(
    policy: &LogPolicy,
    head: &Checkpoint,
    known: Option<&Checkpoint>,
) -> Done<BookVerifier> {
    let mut book = BookVerifier::new(policy.vault.as_str());
    if let Some(known) = known {
        book.must_pass(known)?;
        // On a copy: the head itself is compared at the end.
        book.clone().must_pass(head)?;
    }
    Ok(book)
}

fn as_head(checkpoint: &Checkpoint) -> Head {
    Head { book: checkpoint.origin.clone(), size: checkpoint.size, root: checkpoint.root }
}

/// The first entry must found the vault under the charter whose digest was compared out of band.
fn founded(entry: &[u8], policy: &LogPolicy) -> Done<()> {
    let body = body(entry, &|_| true)?;
    let charter = body.get("charter").filter(|_| kind(entry) == Some("Founded"));
    let digest = match charter {
        Some(text) => Digest::of(CharterText::TAG, &canonical::to_bytes(text, "charter")?),
        None => Digest::ZERO,
    };
    if digest == policy.charter {
        return Ok(());
    }
    let why = "does not found the vault under the pinned charter: this is another vault's book";
    Err(Refuted::new("entry 0", why).into())
}

/// Gives each line of a file, without its end, until there were `most`; a line longer than an entry may be is refused before it
/// is held. Gives the bytes that were read.
fn each_line(path: &Path, most: u64, mut take: impl FnMut(&[u8]) -> Done<()>) -> Done<u64> {
    let file = File::open(path).map_err(|e| Fault::at(path, &e))?;
    let mut reader = BufReader::with_capacity(1024 * 1024, file);
    let limit = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let (mut line, mut bytes) = (Vec::new(), 0_u64);
    for _ in 0..most {
        line.clear();
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut line);
        let read = read.map_err(|e| Fault::at(path, &e))?;
        if read == 0 {
            break;
        }
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > ENTRY_BYTES_MAX {
            let message = format!("{} holds a line that is no entry", path.display());
            return Err(Trouble::refused("malformed", message, "export the ledger again"));
        }
        take(&line)?;
    }
    Ok(bytes)
}
