//! The shares in memory. A wallet may have several until the book names its key: each ceremony that ended made one.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_custody::{Book, Refusal};
use quorate_terms::WalletId;

use crate::share::KeyShare;

/// Ceremonies of one wallet that may end before the book names its key: each leaves a sealed file behind.
const CEREMONIES_MAX: usize = 8;

/// Shares by wallet, in the order in which they came.
#[derive(Default)]
pub(super) struct Shares(BTreeMap<WalletId, Vec<Arc<KeyShare>>>);

impl Shares {
    pub(super) fn put(&mut self, share: Arc<KeyShare>) {
        self.0.entry(share.facts().wallet.clone()).or_default().push(share);
    }

    /// The share that is the book's key; while the book names none, the newest.
    pub(super) fn of(&self, wallet: &WalletId, book: &Book) -> Option<&Arc<KeyShare>> {
        let held = self.0.get(wallet)?;
        match book.wallet(wallet) {
            None => held.last(),
            Some(known) => held.iter().find(|share| {
                let facts = share.facts();
                facts.epoch == known.epoch && facts.public_key.to_string() == known.public_key
            }),
        }
    }

    pub(super) fn wallets(&self) -> impl Iterator<Item = &WalletId> {
        self.0.keys()
    }

    /// Forgets the shares of keys that the book did not take.
    pub(super) fn settle(&mut self, book: &Book) {
        for (wallet, held) in &mut self.0 {
            if let Some(known) = book.wallet(wallet).filter(|_| held.len() > 1) {
                held.retain(|share| share.facts().public_key.to_string() == known.public_key);
            }
        }
    }

    pub(super) fn freeze(&self, wallet: &WalletId) {
        self.0.get(wallet).into_iter().flatten().for_each(|share| share.freeze());
    }

    /// Whether one more ceremony of this wallet may begin.
    pub(super) fn has_room(&self, wallet: &WalletId) -> Result<(), Refusal> {
        if self.0.get(wallet).map_or(0, Vec::len) < CEREMONIES_MAX {
            return Ok(());
        }
        Err(Refusal::new(
            "too_many_ceremonies",
            "too many ceremonies of this wallet ended without the book naming a key",
            "find out why the desk records none, then open a wallet under another name",
        ))
    }
}
