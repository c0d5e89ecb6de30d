//! Snapshots of the replica's fold, so that a restart reads only the tail. A cosigner restores only from one that it
//! signed itself, and only if its own replica goes on from there.
//!
//! A blob is three parts: the head as JSON, the owner's signature over it, each on a line, and the fold's bytes.

use quorate_cosigner::party::Keys;
use quorate_custody::{Book, Follower};
use quorate_host::{Fault, Store};
use quorate_ledger::Frontier;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::digest::tag;
use quorate_terms::entry::Entry;
use quorate_terms::{Digest, PublicKey, Signature};
use serde::{Deserialize, Serialize};

use crate::trouble::{fault, refused};

/// The snapshot's name in the store.
pub(crate) const NAME: &str = "replica";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    v: u8,
    size: u64,
    frontier: Frontier,
    book: Digest,
}

/// The present fold, signed.
pub(crate) fn write(follower: &Follower, keys: &dyn Keys) -> Result<Vec<u8>, Fault> {
    let book = follower.book().to_snapshot().map_err(|e| refused("snapshot", &e))?;
    let head = Head {
        v: 1,
        size: follower.size(),
        frontier: follower.frontier().clone(),
        book: Digest::of(tag::SNAPSHOT, &book),
    };
    let head =
        serde_json::to_vec(&head).map_err(|e| fault("snapshot", &e.to_string(), "report this"))?;
    let signature = keys.identity(&Digest::of(tag::SNAPSHOT, &head)).to_string();
    Ok([head.as_slice(), b"\n", signature.as_bytes(), b"\n", &book].concat())
}

/// The fold of the latest snapshot of our own, or none: then the whole replica is replayed.
pub(crate) async fn restore(
    store: &Store,
    founding: &CharterText,
    owner: &PublicKey,
) -> Result<Option<Follower>, Fault> {
    let Some((_, blob)) = store.snapshot(NAME).await? else { return Ok(None) };
    let Some(follower) = read(&blob, founding, owner) else {
        tracing::warn!("the snapshot is not ours or is damaged; replaying the whole replica");
        return Ok(None);
    };
    let size = follower.size();
    if size == 0 || size > store.size() {
        return Ok(None);
    }
    let last = store.read(size.saturating_sub(1), 1).await?.into_iter().next().unwrap_or_default();
    let goes_on = Entry::from_canonical(&last)
        .and_then(|e| e.digest())
        .is_ok_and(|d| d == follower.book().head());
    if !goes_on {
        tracing::warn!("the snapshot is of another replica; replaying this one whole");
    }
    Ok(goes_on.then_some(follower))
}

fn read(blob: &[u8], founding: &CharterText, owner: &PublicKey) -> Option<Follower> {
    let mut parts = blob.splitn(3, |byte| *byte == b'\n');
    let (head, signature, book) = (parts.next()?, parts.next()?, parts.next()?);
    let signature: Signature = std::str::from_utf8(signature).ok()?.parse().ok()?;
    if !owner.verifies(&Digest::of(tag::SNAPSHOT, head), &signature) {
        return None;
    }
    let head: Head = serde_json::from_slice(head).ok()?;
    if head.v != 1 || head.book != Digest::of(tag::SNAPSHOT, book) {
        return None;
    }
    let book = Book::from_snapshot(founding, book).ok()?;
    (book.size() == head.size).then(|| Follower::new(book, head.frontier))
}
