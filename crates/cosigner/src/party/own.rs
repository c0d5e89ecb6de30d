//! The head of a cosigner's own ledger.

use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, Entry, RULES_VERSION};
use quorate_terms::{Digest, Malformed, Timestamp, VaultId};

/// Where the next entry of a cosigner's own ledger goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnBook {
    vault: VaultId,
    size: u64,
    head: Digest,
    last_at: Timestamp,
}

impl OwnBook {
    /// An empty ledger.
    pub const fn new(vault: VaultId) -> Self {
        Self { vault, size: 0, head: Digest::ZERO, last_at: Timestamp::ZERO }
    }

    /// How many entries it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Moves past an entry that was read back from disk.
    ///
    /// # Errors
    /// [`Malformed`] when it is not the next one.
    pub fn replay(&mut self, entry: &Entry) -> Result<(), Malformed> {
        let next = entry.vault == self.vault
            && entry.index == self.size
            && entry.prev == self.head
            && entry.at >= self.last_at;
        if !next {
            return Err(Malformed::new(
                format!("own entry {}", entry.index),
                "does not follow the one before",
                "restore this cosigner's data folder from its newest backup",
            ));
        }
        self.size = self.size.saturating_add(1);
        self.head = entry.digest()?;
        self.last_at = entry.at;
        Ok(())
    }

    /// Makes the next entry and moves past it.
    ///
    /// # Errors
    /// [`Malformed`] when the body has no canonical form.
    pub fn next(&mut self, body: Body, now: Timestamp) -> Result<Entry, Malformed> {
        let entry = Entry {
            v: 1,
            vault: self.vault.clone(),
            index: self.size,
            prev: self.head,
            at: now.max(self.last_at),
            rules: RULES_VERSION.to_owned(),
            body,
        };
        self.replay(&entry)?;
        Ok(entry)
    }
}
