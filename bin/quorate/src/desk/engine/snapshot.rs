//! Snapshots of the desk's fold, so that a restart reads only the tail of the ledger. The desk restores only from one that
//! its own log key signed and that the ledger on the disk goes on from; the whole ledger is verified in the background.

use std::sync::Arc;

use quorate_custody::snapshot::{OTHER_FORM, is_due};
use quorate_custody::{Book, Follower};
use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::store::Store;
use quorate_ledger::chain::entry_digest;
use quorate_ledger::{BookVerifier, Checkpoint, Frontier};
use quorate_terms::charter::CharterText;
use tokio::task::JoinHandle;

/// The snapshot's name in the store.
const NAME: &str = "desk";
/// Entries that are verified between two looks at what else there is to do.
const PAGE: u64 = 512;

/// Makes snapshots beside the writer, one at a time.
pub(super) struct Keeper {
    store: Store,
    log: Arc<Identity>,
    /// Entries in the newest one.
    at: u64,
    making: Option<JoinHandle<()>>,
    verifying: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn new(store: Store, log: Arc<Identity>) -> Self {
        Self { store, log, at: 0, making: None, verifying: None }
    }

    /// Book and tree of the newest snapshot of our own, or none: then the whole ledger is folded.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    pub(super) async fn restore(
        &mut self,
        founding: &CharterText,
    ) -> Result<Option<(Book, Frontier)>, Fault> {
        let Some((size, blob)) = self.store.snapshot(NAME).await? else { return Ok(None) };
        let follower = match Follower::from_snapshot(founding, &self.log.public_key(), &blob) {
            Ok(follower) if follower.size() == size => follower,
            Ok(_) => return Ok(None),
            Err(why) if why.code == OTHER_FORM => {
                tracing::info!(%why, "folding the whole ledger");
                return Ok(None);
            }
            Err(why) => {
                tracing::warn!(%why, "folding the whole ledger");
                return Ok(None);
            }
        };
        let Some(last) = size.checked_sub(1).filter(|_| size <= self.store.size()) else {
            tracing::warn!("the snapshot is ahead of the ledger; folding the whole ledger");
            return Ok(None);
        };
        let last = self.store.read(last, 1).await?;
        let goes_on = |bytes: &Vec<u8>| entry_digest(bytes) == follower.book().head();
        if !last.first().is_some_and(goes_on) {
            tracing::warn!("the snapshot is of another ledger; folding the whole of this one");
            return Ok(None);
        }
        self.at = size;
        Ok(Some(follower.into_parts()))
    }

    /// Makes a snapshot if one is due. Everything in `book` must be durable.
    pub(super) fn consider(&mut self, book: &Book, frontier: &Frontier) {
        let size = book.size();
        let busy = self.making.as_ref().is_some_and(|making| !making.is_finished());
        if busy || !is_due(size, self.at) {
            return;
        }
        self.at = size;
        let follower = Follower::new(book.clone(), frontier.clone());
        let (store, log) = (self.store.clone(), Arc::clone(&self.log));
        self.making = Some(tokio::spawn(async move {
            if let Err(why) = keep(follower, store, log).await {
                tracing::warn!(%why, "no snapshot was kept; a restart will take longer");
            }
        }));
    }

    /// What a snapshot let us skip is verified while the desk works; should it not hold, the desk ends.
    pub(super) fn verify_beside(&mut self, vault: String, head: Checkpoint) {
        let (store, size) = (self.store.clone(), head.size);
        let verifying = tokio::spawn(async move {
            match verify(store, vault, head).await {
                Ok(()) => tracing::info!(size, "the whole ledger is verified"),
                Err(fault) => {
                    // As in `Engine::serve`: not while the runtime is being taken down.
                    tokio::time::sleep(super::TAKEN_DOWN).await;
                    tracing::error!(%fault, "the desk stops");
                    std::process::exit(70);
                }
            }
        });
        if let Some(before) = self.verifying.replace(verifying) {
            before.abort();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.verifying.iter().for_each(JoinHandle::abort);
    }
}

async fn keep(follower: Follower, store: Store, log: Arc<Identity>) -> Result<(), String> {
    let size = follower.size();
    let blob = tokio::task::spawn_blocking(move || follower.to_snapshot(|digest| log.sign(digest)));
    let blob = blob.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    store.put_snapshot(NAME, size, blob).await.map_err(|e| e.to_string())
}

/// Reads every entry of the ledger up to this head and checks hashes, chain and tree.
///
/// # Errors
/// [`Fault`] naming the entry that was altered.
async fn verify(store: Store, vault: String, head: Checkpoint) -> Result<(), Fault> {
    let broken = |why: String| {
        Fault::new("ledger", why, "restore the ledger from a cosigner's replica; see the README")
    };
    let mut verifier = BookVerifier::new(vault);
    let mut from = 0_u64;
    while from < head.size {
        let page = store.read(from, PAGE.min(head.size.saturating_sub(from))).await?;
        if page.is_empty() {
            return Err(broken(format!("entry {from} is missing")));
        }
        from = from.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
        page.iter()
            .try_for_each(|entry| verifier.push(entry))
            .map_err(|e| broken(e.to_string()))?;
        tokio::task::yield_now().await;
    }
    verifier.finish(&head).map(drop).map_err(|e| broken(e.to_string()))
}

#[cfg(test)]
mod tests;
