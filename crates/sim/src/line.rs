//! One story of the book: the fold, its tree and the bytes on the desk's disk. An honest desk has one; a forking desk two.

use quorate_custody::protocol::Told;
use quorate_custody::witness::log_key;
use quorate_custody::{Book, Verdict};
use quorate_ledger::{Checkpoint, Frontier, hash};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, Entry};
use quorate_terms::{Signature, Timestamp};

use crate::people::{empty_book, sign_bytes};

/// A book with its bytes.
#[derive(Clone)]
pub struct Line {
    /// The fold.
    pub book: Book,
    /// Canonical bytes of every entry that is durable.
    pub disk: Vec<Vec<u8>>,
    frontier: Frontier,
}

impl Line {
    /// Nothing yet.
    pub fn empty() -> Self {
        let book = empty_book();
        Self { book, disk: Vec::new(), frontier: Frontier::default() }
    }

    /// What a restart finds: every whole entry of the disk, folded again.
    pub fn replay(disk: &[Vec<u8>]) -> Self {
        let mut line = Self::empty();
        for bytes in disk {
            // A torn tail is no entry.
            let Ok(entry) = Entry::from_canonical(bytes) else { break };
            line.admit(&entry);
        }
        line
    }

    /// Makes the next entries, writes them and folds them.
    pub fn append(&mut self, bodies: Vec<Body>, now: Timestamp) -> Vec<(Entry, Verdict)> {
        let entries = self.book.entries(bodies, now).unwrap();
        entries
            .into_iter()
            .map(|entry| {
                let verdict = self.admit(&entry);
                (entry, verdict)
            })
            .collect()
    }

    /// Writes one entry as it stands.
    pub fn admit(&mut self, entry: &Entry) -> Verdict {
        let bytes = entry.to_canonical().unwrap();
        let verdict = self.book.admit(entry).unwrap();
        self.frontier.append(hash::leaf(&bytes));
        self.disk.push(bytes);
        verdict
    }

    /// The log's signed checkpoint over all of it.
    pub fn checkpoint(&self) -> String {
        self.sign(&self.frontier)
    }

    /// A story that ends after `keep` entries, with a checkpoint that says so.
    pub fn cut(&self, keep: usize) -> Told {
        let mut shorter = Frontier::default();
        self.disk[..keep].iter().for_each(|bytes| shorter.append(hash::leaf(bytes)));
        Told { from: keep as u64, entries: Vec::new(), checkpoint: self.sign(&shorter) }
    }

    /// The checkpoint over all of it, signed by somebody.
    pub fn checkpoint_by(&self, sign: impl FnOnce(&[u8]) -> Signature) -> String {
        self.note(&self.frontier, sign)
    }

    fn sign(&self, frontier: &Frontier) -> String {
        self.note(frontier, |bytes| sign_bytes("log", bytes))
    }

    fn note(&self, frontier: &Frontier, sign: impl FnOnce(&[u8]) -> Signature) -> String {
        let key = log_key(self.book.charter()).unwrap();
        let origin = self.book.charter().log.origin.clone();
        let checkpoint = Checkpoint { origin, size: frontier.size(), root: frontier.root() };
        checkpoint.sign(&key, sign).to_string()
    }

    /// The entries from `from` on, with the checkpoint.
    pub fn told(&self, from: u64) -> Told {
        let at = usize::try_from(from).unwrap().min(self.disk.len());
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let entries = self.disk[at..].iter().map(text).collect();
        Told { from: at as u64, entries, checkpoint: self.checkpoint() }
    }
}
