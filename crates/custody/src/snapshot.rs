//! The whole fold as bytes, so that a restart reads only the tail of the ledger. Its owner signs it; a party restores only
//! from a snapshot that it signed itself.

mod history;

use std::collections::BTreeMap;

use quorate_ledger::Frontier;
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::digest::tag;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{Digest, PublicKey, Signature};
use serde::{Deserialize, Serialize};

use crate::book::{Book, BookState, load};
use crate::follower::Follower;
use crate::refusal::Refusal;

use history::History;

/// The form of the state. A snapshot of another form is not used: the ledger is folded anew.
const FORM: u8 = 6;
/// The code of a refusal of another form, which is what an upgrade leaves and no alarm.
pub const OTHER_FORM: &str = "other_form";

/// Refuses a snapshot of another form than this program's.
#[must_use]
pub fn other_form() -> Refusal {
    let message = "the snapshot is of another version of this program";
    Refusal::new(OTHER_FORM, message, "nothing: the ledger is folded anew")
}

/// The shortest tail, in entries, that is worth a snapshot.
const TAIL_MIN: u64 = 256;
/// The longest tail, in entries, that a restart should have to fold.
const TAIL_MAX: u64 = 4096;

/// Whether a new snapshot is worth making once `size` entries are folded and the newest one holds the first `held`.
///
/// A tail may grow to an eighth of the ledger: making snapshots then costs about as much per entry however long the
/// ledger is, and a party that is restarted again and again does not fold its whole ledger each time.
#[must_use]
pub fn is_due(size: u64, held: u64) -> bool {
    let (eighth, tail) = (size >> 3, size.saturating_sub(held));
    tail >= eighth.clamp(TAIL_MIN, TAIL_MAX)
}

/// What a snapshot holds: the charter and the policy in force, the state, and what of it is about cases that are over.
#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    charter: &'a CharterText,
    policy: &'a PolicyDocument,
    state: &'a BookState,
    history: History,
}

/// The form alone, whatever else there is.
#[derive(Deserialize)]
struct Form {
    v: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    /// Read before as [`Form`]; here so that it is no unknown field.
    #[serde(rename = "v")]
    _v: u8,
    charter: CharterText,
    policy: PolicyDocument,
    state: BookState,
    history: History,
}

impl Book {
    /// The fold as bytes. Equal folds give equal bytes.
    ///
    /// # Errors
    /// [`Refusal`] never happens for a fold of entries.
    pub fn to_snapshot(&self) -> Result<Vec<u8>, Refusal> {
        let written = Written {
            v: FORM,
            charter: &self.charter,
            policy: self.policy.document(),
            state: &self.state,
            history: History::of(&self.state),
        };
        serde_json::to_vec(&written).map_err(|e| bad(&e.to_string()))
    }

    /// The fold that a snapshot holds. `charter` is any charter of the same vault and ledger, the founding one for instance.
    ///
    /// The bytes are believed: check their owner's signature over `quorate/snapshot/v1` first.
    ///
    /// # Errors
    /// [`Refusal`] for bytes that are no snapshot of this vault, or that hold a charter or policy which does not load; with the
    /// code [`OTHER_FORM`] for those of another version of this program.
    pub fn from_snapshot(charter: &CharterText, bytes: &[u8]) -> Result<Self, Refusal> {
        // First of all: another form has other fields, and is nobody's wrong.
        let form: Form = serde_json::from_slice(bytes).map_err(|e| bad(&e.to_string()))?;
        if form.v != FORM {
            return Err(other_form());
        }
        let read: Read = serde_json::from_slice(bytes).map_err(|e| bad(&e.to_string()))?;
        let ours = read.charter.vault == charter.vault
            && read.charter.log.origin == charter.log.origin
            && read.policy.vault == charter.vault;
        if !ours {
            return Err(bad("it is of another vault or ledger"));
        }
        read.charter.check()?;
        let policy = load(&read.policy)?;
        let charter_digest = read.charter.digest()?;
        let mut state = read.state;
        read.history.restore(&mut state)?;
        state.of_requester = BTreeMap::new();
        let over = state.closed.iter().map(|(id, case)| (case.entries.first(), *id));
        state.filed = over.filter_map(|(first, id)| Some((*first?, id))).collect();
        for case in std::mem::take(&mut state.cases).into_values() {
            state.put(case);
        }
        Ok(Self { charter: read.charter, charter_digest, policy, state })
    }
}

/// What is signed: the tree, and the digest of the fold's bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    v: u8,
    frontier: Frontier,
    book: Digest,
}

impl Follower {
    /// The fold and its tree as bytes under their owner's signature: the head as JSON, the signature over it, and the
    /// fold, each but the last on a line. `sign` signs a digest with the owner's key.
    ///
    /// # Errors
    /// As [`Book::to_snapshot`].
    pub fn to_snapshot(&self, sign: impl FnOnce(&Digest) -> Signature) -> Result<Vec<u8>, Refusal> {
        let book = self.book().to_snapshot()?;
        let head = Head {
            v: 1,
            frontier: self.frontier().clone(),
            book: Digest::of(tag::SNAPSHOT, &book),
        };
        let head = serde_json::to_vec(&head).map_err(|e| bad(&e.to_string()))?;
        let signature = sign(&Digest::of(tag::SNAPSHOT, &head)).to_string();
        Ok([head.as_slice(), b"\n", signature.as_bytes(), b"\n", &book].concat())
    }

    /// The replica that a snapshot of `owner` holds. `charter` is any charter of the same vault and ledger.
    ///
    /// # Errors
    /// [`Refusal`] for bytes that `owner` did not sign, or that hold no fold of this vault; with the code [`OTHER_FORM`] for what
    /// `owner` signed under another version of this program.
    pub fn from_snapshot(
        charter: &CharterText,
        owner: &PublicKey,
        bytes: &[u8],
    ) -> Result<Self, Refusal> {
        let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
        let (Some(head), Some(signature), Some(book)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(bad("it is cut short"));
        };
        let signature = std::str::from_utf8(signature).ok().and_then(|s| s.parse().ok());
        let signed =
            signature.is_some_and(|s| owner.verifies(&Digest::of(tag::SNAPSHOT, head), &s));
        if !signed {
            return Err(bad("its owner did not sign it"));
        }
        let head: Head = serde_json::from_slice(head).map_err(|e| bad(&e.to_string()))?;
        if head.v != 1 || head.book != Digest::of(tag::SNAPSHOT, book) {
            return Err(bad("its fold is not the one that was signed"));
        }
        let book = Book::from_snapshot(charter, book)?;
        if book.size() != head.frontier.size() {
            return Err(bad("fold and tree are of different sizes"));
        }
        Ok(Self::new(book, head.frontier))
    }
}

fn bad(why: &str) -> Refusal {
    let next = "restore from another snapshot that this party signed, or replay the ledger";
    Refusal::new("bad_snapshot", format!("the snapshot cannot be read: {why}"), next)
}
