//! A whole ledger, checked entry by entry in one pass: hashes, chain, tree, and the checkpoints that it must pass through.

use std::collections::BTreeMap;

use quorate_terms::{Digest, Malformed, Timestamp};

use crate::chain::{Chain, Header, entry_digest};
use crate::checkpoint::Checkpoint;
use crate::error::Refuted;
use crate::frontier::Frontier;
use crate::hash;

/// Reads a ledger once, from its first entry, and holds no more than the edge of its tree.
///
/// Each entry is hashed twice and its outer fields are read; that is all that a million entries in ten seconds allow,
/// and enough to find any changed byte.
#[derive(Clone, Debug)]
pub struct BookVerifier {
    chain: Chain,
    frontier: Frontier,
    earlier: BTreeMap<u64, Digest>,
    suspect: bool,
}

/// An entry that was read and hashed: the costly part of verifying it, which needs nothing that came before and so can be
/// done for many entries at once.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    header: Result<Header<'a>, Malformed>,
    leaf: Digest,
    digest: Digest,
}

impl<'a> Prepared<'a> {
    /// Reads and hashes an entry in canonical bytes.
    pub fn of(entry: &'a [u8]) -> Self {
        Self { header: Header::read(entry), leaf: hash::leaf(entry), digest: entry_digest(entry) }
    }
}

impl BookVerifier {
    /// Begins the ledger of a vault.
    pub fn new(vault: impl Into<String>) -> Self {
        Self {
            chain: Chain::new(vault),
            frontier: Frontier::new(),
            earlier: BTreeMap::new(),
            suspect: false,
        }
    }

    /// Adds a checkpoint that the ledger must pass through: one that the verifier kept from before.
    ///
    /// # Errors
    /// [`Refuted`] when another checkpoint of this size has another root: those two alone prove a fork.
    pub fn must_pass(&mut self, known: &Checkpoint) -> Result<(), Refuted> {
        let kept = *self.earlier.entry(known.size).or_insert(known.root);
        if kept == known.root {
            return Ok(());
        }
        let claim = format!("checkpoint of {} entries", known.size);
        Err(Refuted::new(claim, "the log shows two histories; keep both checkpoints"))
    }

    /// How many entries were read.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The time of the last entry read.
    pub const fn at(&self) -> Timestamp {
        self.chain.at()
    }

    /// Takes the next entry, in canonical bytes.
    ///
    /// # Errors
    /// [`Refuted`] naming the entry that was altered, which may be the one before this.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), Refuted> {
        self.take(Prepared::of(entry))
    }

    /// As [`BookVerifier::push`], for an entry that was prepared beside others.
    ///
    /// # Errors
    /// As [`BookVerifier::push`].
    pub fn take(&mut self, entry: Prepared<'_>) -> Result<(), Refuted> {
        let Prepared { header, leaf, digest } = entry;
        if self.suspect {
            return Err(self.culprit(header.is_ok_and(|h| h.prev == self.chain.last())));
        }
        let here = format!("entry {}", self.chain.next());
        let header = header.map_err(|e| Refuted::new(here, e.why()))?;
        if header.prev == self.chain.last() {
            self.chain.check(&header)?;
        } else {
            // Either this entry or the one before was altered. The next one tells: it names this one's digest.
            self.suspect = true;
        }
        self.chain.advance(&header, digest);
        self.frontier.append(leaf);
        self.passes()
    }

    fn passes(&self) -> Result<(), Refuted> {
        let size = self.frontier.size();
        match self.earlier.get(&size) {
            Some(root) if !self.suspect && *root != self.frontier.root() => {
                let why = "is not what an earlier checkpoint saw; keep that checkpoint";
                Err(Refuted::new(format!("the history up to {size} entries"), why))
            }
            _ => Ok(()),
        }
    }

    /// Ends the ledger and compares it with a checkpoint that the caller has verified.
    ///
    /// # Errors
    /// [`Refuted`] when entries are missing, spare, altered or from another history.
    pub fn finish(self, checkpoint: &Checkpoint) -> Result<Chain, Refuted> {
        let size = self.frontier.size();
        if self.suspect {
            let last = size.saturating_sub(1);
            let claim = format!("entry {} or entry {last}", last.saturating_sub(1));
            return Err(Refuted::new(claim, "was altered: the second does not name the first"));
        }
        if size != checkpoint.size {
            let why = format!("has {size} entries and the checkpoint says {}", checkpoint.size);
            return Err(Refuted::new("ledger", why));
        }
        if let Some((kept, _)) = self.earlier.range(size.saturating_add(1)..).next() {
            let why = format!("had {kept} entries once and has {size} now");
            return Err(Refuted::new("ledger", why));
        }
        if self.frontier.root() != checkpoint.root {
            let claim = format!("entry {}", size.saturating_sub(1));
            let why =
                "was altered, or the whole history is another: the root is not the checkpoint's";
            return Err(Refuted::new(claim, why));
        }
        Ok(self.chain)
    }

    /// The last entry read does not name the one before it. `follows`: whether the next entry names the last one read.
    fn culprit(&self, follows: bool) -> Refuted {
        let read = self.chain.next();
        let back = if follows { 2 } else { 1 };
        let why = "was altered: its neighbours do not agree with it";
        Refuted::new(format!("entry {}", read.saturating_sub(back)), why)
    }
}

#[cfg(test)]
mod tests;
