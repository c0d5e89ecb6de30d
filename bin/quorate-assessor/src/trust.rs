//! Which book, and under whose word: the vault's book under its log and enough witnesses, a cosigner's own ledger under the
//! key with which that cosigner witnesses.
//!
//! A cosigner's own ledger is that cosigner's word alone, and counts only where it speaks of itself.

use std::fmt;

use quorate_assessor::evidence::speaks_of_itself;
use quorate_ledger::{Checkpoint, LogPolicy, Note, VerifierKey, hash, policy, proof};
use quorate_terms::{CosignerId, VaultId};
use serde_json::Value as Json;

use crate::book::Proven;
use crate::home::Home;
use crate::trouble::{Done, Trouble};

/// One book of a vault: the vault's, or one cosigner's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct BookId {
    pub(crate) vault: VaultId,
    /// Whose own ledger; none for the vault's book.
    pub(crate) cosigner: Option<CosignerId>,
}

impl BookId {
    /// The vault's book.
    pub(crate) fn of(vault: &VaultId) -> Self {
        Self { vault: vault.clone(), cosigner: None }
    }
}

/// As files and people name it. No vault's name holds an `@`.
impl fmt::Display for BookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cosigner {
            None => self.vault.fmt(f),
            Some(cosigner) => write!(f, "{}@{cosigner}", self.vault),
        }
    }
}

/// What is pinned of a book.
pub(crate) struct Trust {
    pub(crate) id: BookId,
    pub(crate) policy: LogPolicy,
    /// The key that signs the book's heads; its name is the origin.
    pub(crate) log: VerifierKey,
}

impl Trust {
    /// What is pinned of the vault, and of a cosigner through it.
    pub(crate) fn of(home: &Home, id: &BookId) -> Done<Self> {
        let policy = home.read_pin(&id.vault)?;
        let log = match &id.cosigner {
            None => policy.log.clone(),
            Some(cosigner) => {
                let name = format!("{}/{cosigner}", policy.log.name());
                let seat = policy.witnesses.iter().find(|witness| witness.key.name() == name);
                let Some(seat) = seat else {
                    let message =
                        format!("the charter of `{}` seats no cosigner `{cosigner}`", id.vault);
                    let next = "give a cosigner that the pinned policy names as a witness";
                    return Err(Trouble::refused("unknown_cosigner", message, next));
                };
                policy::own_key(&seat.key)?
            }
        };
        Ok(Self { id: id.clone(), policy, log })
    }

    /// Whether the vault's witnesses stand for the book.
    pub(crate) const fn is_witnessed(&self) -> bool {
        self.id.cosigner.is_none()
    }

    /// The origin of the book.
    pub(crate) fn origin(&self) -> &str {
        self.log.name()
    }

    /// The head that a note claims, under the log's signature alone.
    pub(crate) fn signed(&self, note: &str) -> Done<Checkpoint> {
        Ok(Checkpoint::open(&note.parse()?, &self.log)?)
    }

    /// The head that a note proves: signed, and cosigned by enough where there are witnesses.
    pub(crate) fn open(&self, note: &str) -> Done<Checkpoint> {
        if self.is_witnessed() { Ok(self.policy.open(note)?.checkpoint) } else { self.signed(note) }
    }

    /// Whether as many witnesses signed as must, whatever their signatures are worth.
    pub(crate) fn has_enough(&self, note: &Note) -> bool {
        let witnesses = self.policy.witnesses.iter();
        let lines = witnesses.filter(|witness| witness.key.find(note).is_some()).count();
        !self.is_witnessed() || lines >= self.policy.quorum
    }

    /// Checks a proof as a stranger would.
    pub(crate) fn verify(&self, (entry, given): &Proven) -> Done<()> {
        let head = self.open(&given.checkpoint)?;
        let leaf = hash::leaf(entry);
        proof::verify_inclusion(&leaf, given.index, head.size, &given.path, &head.root)?;
        Ok(())
    }

    /// Whether an entry of this book is evidence. A cosigner's own is only where it speaks of itself.
    pub(crate) fn may_say(&self, body: &Json) -> bool {
        let Some(cosigner) = &self.id.cosigner else { return true };
        speaks_of_itself(cosigner.as_str(), body)
    }

    /// Who vouches for the book besides its log.
    pub(crate) fn signer(&self) -> Option<String> {
        self.id.cosigner.as_ref().map(|cosigner| format!("cosigner:{cosigner}"))
    }
}
