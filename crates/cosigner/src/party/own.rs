//! A cosigner's own ledger: its head, and what of it has to be told to the book until the book says it.

use std::collections::BTreeMap;

use quorate_terms::canonical::Term;
use quorate_terms::delegation::Ending;
use quorate_terms::entry::{BackupStatement, Body, Entry, RULES_VERSION};
use quorate_terms::freeze::Freeze;
use quorate_terms::{CosignerId, DelegationId, Digest, Malformed, Timestamp, VaultId, WalletId};
use serde::{Deserialize, Serialize};

/// Where the next entry of a cosigner's own ledger goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

    /// Digest of its last entry.
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// When its last entry was made. This cosigner's time never falls behind it, so nothing lives longer than it should.
    pub const fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// The vault.
    pub const fn vault(&self) -> &VaultId {
        &self.vault
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
                "keep this directory as evidence; restore the share in a new one (`backup restore`)",
            ));
        }
        self.head = entry.digest()?;
        self.size = self.size.saturating_add(1);
        self.last_at = entry.at;
        Ok(())
    }

    /// Makes the next entry and moves past it. What could not be read back at the next start is not made.
    ///
    /// # Errors
    /// [`Malformed`] when the body has no canonical form, or one that does not come back the same.
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
        self.replay(&Entry::from_canonical(&entry.to_canonical()?)?)?;
        Ok(entry)
    }
}

/// What a cosigner has to tell the book until the book says it, and how it last ran. A fold over its own ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notes {
    /// The newest proof of each wallet's backup.
    pub(crate) statements: BTreeMap<WalletId, BackupStatement>,
    /// Signed freezes that were not lifted.
    pub(crate) freezes: BTreeMap<Digest, Freeze>,
    /// Signed ends of delegations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) endings: BTreeMap<DelegationId, Ending>,
    /// Who is barred for which wallet, and why.
    pub(crate) barred: BTreeMap<WalletId, (CosignerId, String)>,
    configuration: Option<Digest>,
}

impl Notes {
    /// Folds one entry.
    pub fn fold(&mut self, entry: &Entry) {
        match &entry.body {
            Body::BackupVerified(proven) => {
                self.statements.insert(proven.wallet.clone(), proven.statement.clone());
            }
            Body::Frozen(frozen) => {
                if let Some(signed) = &frozen.signed {
                    self.freezes.insert(frozen.freeze, signed.clone());
                }
            }
            Body::Unfrozen(unfrozen) => {
                self.freezes.retain(|digest, _| !unfrozen.lifts.contains(digest));
            }
            Body::DelegationEnded(ended) => {
                if let Some(signed) = &ended.signed {
                    self.endings.insert(ended.id.clone(), signed.clone());
                }
            }
            Body::PeerBanned(barred) => {
                let said = (barred.holder.clone(), barred.cause.clone());
                self.barred.entry(barred.wallet.clone()).or_insert(said);
            }
            Body::ConfigurationCaptured(captured) => self.configuration = Some(captured.digest),
            _ => {}
        }
    }

    /// Digest of the configuration that was captured last.
    pub const fn configuration(&self) -> Option<Digest> {
        self.configuration
    }
}
