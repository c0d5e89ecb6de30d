//! Checkpoints of the book: whether a signed one is this replica's own, and this party's cosignature on it.

use quorate_ledger::{Checkpoint, KeyKind, Note, VerifierKey, cosignature, policy};
use quorate_terms::charter::CharterText;
use quorate_terms::{CosignerId, Digest, Malformed, Signature, Timestamp};

use crate::follower::Follower;
use crate::refusal::Refusal;

/// A checkpoint that its log signed and that is this replica's own head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    text: String,
}

/// The key that signs checkpoints of a charter's ledger.
///
/// # Errors
/// [`Malformed`] when the origin is no key name.
pub fn log_key(charter: &CharterText) -> Result<VerifierKey, Malformed> {
    VerifierKey::new(charter.log.origin.clone(), KeyKind::Log, charter.log.key)
}

impl Follower {
    /// Opens a signed note and compares it with this replica.
    ///
    /// # Errors
    /// [`Refusal`]: not the log's signature, another log, or a size or root that is not this replica's.
    pub fn head(&self, note: &str) -> Result<Head, Refusal> {
        let refuse = |why: String| {
            Refusal::new("bad_checkpoint", why, "send the log's own signed checkpoint")
        };
        let note: Note = note.parse()?;
        let key = log_key(self.book().charter())?;
        let checkpoint = Checkpoint::open(&note, &key).map_err(|e| refuse(e.to_string()))?;
        self.agrees(checkpoint.size, &checkpoint.root)?;
        Ok(Head { size: checkpoint.size, root: checkpoint.root, text: note.text })
    }
}

impl Head {
    /// This cosigner's cosignature line on the checkpoint. `sign` signs with its witness key.
    ///
    /// # Errors
    /// [`Refusal`] when the charter seats no such cosigner.
    pub fn cosign(
        &self,
        charter: &CharterText,
        me: &CosignerId,
        now: Timestamp,
        sign: impl FnOnce(&[u8]) -> Signature,
    ) -> Result<String, Refusal> {
        let seat = charter.cosigner(me).ok_or_else(|| {
            Refusal::new("no_seat", "the charter seats no such cosigner", "accept the charter here")
        })?;
        let key = policy::witness_key(&charter.log.origin, seat)?;
        let time_s = now.as_millis().checked_div(1000).unwrap_or_default();
        Ok(cosignature::cosign(&key, time_s, &self.text, sign).to_string())
    }
}
