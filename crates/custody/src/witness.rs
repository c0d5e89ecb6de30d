//! Checkpoints of the book: whether a signed one is this replica's own or covers news of it, and this party's cosignature on it.

use quorate_ledger::{Chain, Checkpoint, KeyKind, Note, VerifierKey, cosignature, hash, policy};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::Entry;
use quorate_terms::{CosignerId, Digest, Malformed, Signature, Timestamp};

use crate::follower::Follower;
use crate::limits;
use crate::refusal::Refusal;

/// One entry that a signed checkpoint covers and that this replica does not have yet.
#[derive(Clone, Debug)]
pub struct News {
    pub(crate) entry: Entry,
    pub(crate) leaf: Digest,
    bytes: Vec<u8>,
}

impl News {
    /// Its canonical bytes, to be made durable.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// What a desk told, checked as a whole before any of it is taken.
#[derive(Clone, Debug)]
pub struct Covered {
    /// The head whose signed checkpoint covers exactly this replica with the news, or a head that this replica had before.
    pub head: Head,
    /// Entries to take, in order.
    pub news: Vec<News>,
}

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
        let head = self.signed(note)?;
        self.agrees(head.size, &head.root)?;
        Ok(head)
    }

    /// What the log signed, under the key of the charter in force here; not compared with anything yet.
    fn signed(&self, note: &str) -> Result<Head, Refusal> {
        let refuse = |why: String| {
            Refusal::new("bad_checkpoint", why, "send the log's own signed checkpoint")
        };
        let note: Note = note.parse()?;
        let key = log_key(self.book().charter())?;
        let checkpoint = Checkpoint::open(&note, &key).map_err(|e| refuse(e.to_string()))?;
        Ok(Head { size: checkpoint.size, root: checkpoint.root, text: note.text })
    }

    /// Checks all that a desk told at once: that the entries, the first of which is said to be number `from`, go on from this
    /// replica, and that the log signed a checkpoint of exactly the tree that results. Nothing is folded here, so a call that
    /// no checkpoint covers leaves no trace.
    ///
    /// # Errors
    /// [`Refusal`]: `behind` when the desk has to start from another entry, `bad_checkpoint` for a note that the log did not
    /// sign, `uncovered` for entries that its checkpoint does not cover, `fork` as [`Follower::known`] and
    /// [`Follower::agrees`], `malformed` and `broken_chain` for what is no next entry.
    pub fn covers(&self, from: u64, entries: Vec<Vec<u8>>, note: &str) -> Result<Covered, Refusal> {
        let head = self.signed(note)?;
        let known = self.known(from, &entries)?;
        if entries.len() == known {
            self.agrees(head.size, &head.root)?;
            return Ok(Covered { head, news: Vec::new() });
        }
        if entries.len().saturating_sub(known) > limits::ENTRIES_PER_FOLLOW_MAX {
            let next = format!("send at most {} at a time", limits::ENTRIES_PER_FOLLOW_MAX);
            return Err(Refusal::new("too_many", "too many entries came at once", next));
        }
        let book = self.book();
        let vault = book.vault().to_string();
        let mut chain = Chain::resume(vault, book.size(), book.head(), book.last_at());
        let mut tree = self.frontier().clone();
        let mut news = Vec::new();
        for bytes in entries.into_iter().skip(known) {
            let entry = Entry::from_canonical(&bytes)?;
            chain.push(&bytes).map_err(|e| broken(&e.to_string()))?;
            let leaf = hash::leaf(&bytes);
            tree.append(leaf);
            news.push(News { entry, leaf, bytes });
        }
        if (head.size, head.root) == (tree.size(), tree.root()) {
            return Ok(Covered { head, news });
        }
        if head.size <= self.size() {
            self.agrees(head.size, &head.root)?;
        }
        Err(uncovered(head.size, tree.size()))
    }
}

fn broken(why: &str) -> Refusal {
    Refusal::new("broken_chain", why, "send the entries as they stand in the ledger")
}

fn uncovered(signed: u64, told: u64) -> Refusal {
    let message = if signed == told {
        format!("the checkpoint of {signed} entries is not of those that came with it")
    } else {
        format!("entries up to {told} came under a checkpoint of {signed}")
    };
    Refusal::new("uncovered", message, "send entries under the log's checkpoint of exactly them")
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
