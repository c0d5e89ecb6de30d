//! Snapshots, so that a restart reads only the tails: of the replica's fold, and of what was folded from the own ledger. A
//! cosigner goes on from none that it did not sign itself.
//!
//! A snapshot that cannot be read is not used, and an alarm says so; one that another version of this program made is not used
//! either, and is no alarm. One of our own that the ledger on the disk does not go on from is worse: for the
//! replica it means that the desk's book is told again; for the own ledger it means that marks of what was signed are gone, and
//! then nothing starts here.

use quorate_cosigner::party::snapshot::{self, OwnFold};
use quorate_custody::snapshot::OTHER_FORM;
use quorate_custody::{Charter, Follower};
use quorate_host::{Fault, Store};
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::Entry;
use quorate_terms::{CosignerId, Digest, PublicKey};

use crate::trouble::fault;

/// The replica's snapshot in its store.
pub(crate) const REPLICA: &str = "replica";
/// The own ledger's snapshot in its store.
pub(crate) const OWN: &str = "own";

/// How a fold came to be.
#[derive(Default)]
pub(crate) struct Start {
    /// Entries that a snapshot held; the others were folded.
    pub(crate) held: u64,
    /// Why a snapshot was not used, if there was one.
    pub(crate) trouble: Option<String>,
}

/// A snapshot, or why there is none to go on from: nothing, if there never was one.
pub(crate) type Restored<T> = Result<T, Option<String>>;

/// The fold of the replica's latest snapshot of our own; without one the whole replica is folded.
pub(crate) async fn replica(
    store: &Store,
    founding: &CharterText,
    owner: &PublicKey,
) -> Result<Restored<Follower>, Fault> {
    let Some((_, blob)) = store.snapshot(REPLICA).await? else { return Ok(Err(None)) };
    let follower = match Follower::from_snapshot(founding, owner, &blob) {
        Ok(follower) => follower,
        // It is under our own signature: this is what an upgrade finds.
        Err(refusal) if refusal.code == OTHER_FORM => {
            tracing::info!(%refusal, "folding the whole replica");
            return Ok(Err(None));
        }
        Err(refusal) => return Ok(Err(Some(refusal.to_string()))),
    };
    let (size, head) = (follower.size(), follower.book().head());
    Ok(match ends_with(store, size, head).await? {
        true => Ok(follower),
        false => {
            Err(Some("the snapshot is of another replica than the one on the disk".to_owned()))
        }
    })
}

/// What the latest snapshot of the own ledger holds; without one the whole ledger is folded.
pub(crate) async fn own(
    store: &Store,
    me: &CosignerId,
    charter: Charter,
    owner: &PublicKey,
) -> Result<Restored<OwnFold>, Fault> {
    let Some((_, blob)) = store.snapshot(OWN).await? else { return Ok(Err(None)) };
    let fold = match snapshot::read(me, charter, owner, &blob) {
        Ok(fold) => fold,
        Err(refusal) if refusal.code == OTHER_FORM => {
            tracing::info!(%refusal, "folding the whole own ledger");
            return Ok(Err(None));
        }
        Err(refusal) => return Ok(Err(Some(refusal.to_string()))),
    };
    if ends_with(store, fold.book.size(), fold.book.head()).await? {
        return Ok(Ok(fold));
    }
    let why = format!(
        "does not hold the {} entries that this cosigner made a snapshot of: marks of what it signed are gone",
        fold.book.size()
    );
    Err(fault("own.db", &why, LOST))
}

/// What to do when the own ledger is not the one that was written here.
pub(crate) const LOST: &str = "keep this directory as evidence; put keys, cosigner.toml and charter.json into a new one and use `backup restore` there";

/// Whether the ledger in this store has at least `size` entries, and `head` is the digest of the last of those.
async fn ends_with(store: &Store, size: u64, head: Digest) -> Result<bool, Fault> {
    let Some(last) = size.checked_sub(1) else { return Ok(head == Digest::ZERO) };
    if size > store.size() {
        return Ok(false);
    }
    let bytes = store.read(last, 1).await?.into_iter().next().unwrap_or_default();
    Ok(Entry::from_canonical(&bytes).and_then(|entry| entry.digest()).is_ok_and(|d| d == head))
}
