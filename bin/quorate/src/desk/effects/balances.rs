//! Asking the nodes what each wallet holds, four times an hour and soon after a case was carried out.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_chains::native_asset;
use quorate_custody::Book;
use quorate_terms::{AccountId, AssetId, WalletId};

use super::World;
use crate::desk::balances::Word;

impl World {
    /// Asks again and again, as long as the desk lives.
    pub async fn record_balances(self: Arc<Self>) {
        loop {
            if self.balances.is_due(self.engine.clock().now()) {
                self.ask_balances().await;
            }
            tokio::time::sleep(self.poll).await;
        }
    }

    /// Asks every node once. One that is away is asked no further in this round, and leaves a gap.
    pub async fn ask_balances(&self) {
        // It fails only where the desk is stopping.
        let looked = self.engine.look(|book| (wanted(book), book.last_at())).await;
        let Ok((wanted, last)) = looked else { return };
        // A clock that is behind the book would date words back and forget every one that it takes for a later one.
        let now = || self.engine.clock().now().max(last);
        let mut away = BTreeSet::new();
        for (wallet, account, asset) in wanted {
            let chain = account.chain();
            let node = self.chains.get(&chain).filter(|_| !away.contains(&chain));
            let Some(node) = node else { continue };
            match node.balance(&account, &asset).await {
                Ok(amount) => {
                    let word = Word { at: now(), amount };
                    if !self.balances.add(wallet.clone(), asset, word) {
                        tracing::warn!(%wallet, "too many balances are kept; this one is not");
                    }
                }
                Err(upset) => {
                    tracing::warn!(%wallet, %asset, %upset, "a balance is not known now");
                    // One token that answers nonsense hides no other; a node that is away is not waited for again.
                    if node.height().await.is_err() {
                        away.insert(chain);
                    }
                }
            }
        }
        if let Err(fault) = self.balances.save(now()).await {
            tracing::warn!(%fault, "what nodes said of balances was not kept");
        }
    }
}

/// Each wallet's accounts with the chain's own coin and the policy's assets there.
fn wanted(book: &Book) -> Vec<(WalletId, AccountId, AssetId)> {
    let listed = &book.policy().document().assets;
    let mut all = Vec::new();
    for (wallet, known) in book.wallets() {
        for account in known.accounts.values() {
            let chain = account.chain();
            let own = listed.iter().map(|info| &info.asset).filter(|asset| asset.chain() == chain);
            let assets: BTreeSet<AssetId> = own.cloned().chain(native_asset(&chain).ok()).collect();
            all.extend(assets.into_iter().map(|asset| (wallet.clone(), account.clone(), asset)));
        }
    }
    all
}
