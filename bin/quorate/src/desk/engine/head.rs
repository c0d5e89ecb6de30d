//! The newest signed checkpoint, with the newest entries beside it.

use std::collections::VecDeque;

use quorate_host::identity::Identity;
use quorate_ledger::{Checkpoint, Frontier, Note, VerifierKey};
use quorate_terms::Digest;

/// A signed head of the ledger. Everything under it is durable.
#[derive(Clone, Debug)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The signed note, without cosignatures.
    pub note: String,
    tail: VecDeque<(u64, String)>,
}

impl Head {
    /// Before anything was recorded.
    pub(super) fn none() -> Self {
        Self { size: 0, root: Frontier::new().root(), note: String::new(), tail: VecDeque::new() }
    }

    pub(super) fn sign(
        frontier: &Frontier,
        key: &VerifierKey,
        log: &Identity,
        tail: &VecDeque<(u64, String)>,
    ) -> Self {
        let (size, root) = (frontier.size(), frontier.root());
        let note = note(key, log, (size, root));
        // Only the newest entries travel with each head: a cosigner that is further behind is fed from the disk.
        let skip = tail.len().saturating_sub(TRAVEL);
        Self { size, root, note, tail: tail.iter().skip(skip).cloned().collect() }
    }

    /// The entries from `from` to this head, if they are few enough to be at hand.
    pub fn entries_from(&self, from: u64) -> Option<Vec<String>> {
        if from == self.size {
            return Some(Vec::new());
        }
        let first = self.tail.front()?.0;
        if from < first || from > self.size {
            return None;
        }
        let entries = self.tail.iter().filter(|(index, _)| *index >= from);
        Some(entries.map(|(_, text)| text.clone()).collect())
    }
}

/// The log's signed note of a tree of ours whose entries are durable.
pub(super) fn note(key: &VerifierKey, log: &Identity, (size, root): (u64, Digest)) -> String {
    let checkpoint = Checkpoint { origin: key.name().to_owned(), size, root };
    let note: Note = checkpoint.sign(key, |bytes| log.sign_bytes(bytes));
    note.to_string()
}

/// Entries that travel with a head.
const TRAVEL: usize = 64;
