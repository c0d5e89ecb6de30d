//! How the desk and those around it are.

use std::collections::BTreeMap;

use quorate_custody::Book;
use quorate_terms::Timestamp;

use super::Told;
use crate::desk::effects::World;
use quorate_gateway::office::{AlertView, CosignerView, CredentialView, StatusView, WalletView};

pub(super) async fn of(world: &World) -> Told<StatusView> {
    let chains = world.heights().await;
    let cosigners = world.cosigners.views().await;
    let checkpoint = world.cosigners.newest().await.map(|newest| newest.note.to_string());
    let checkpoint = checkpoint
        .or_else(|| Some(world.engine.head().note.clone()).filter(|note| !note.is_empty()));
    let (now, writes) = (world.engine.clock().now(), world.engine.writes());
    let of_book = move |book: &Book| StatusView {
        chains,
        cosigners,
        checkpoint,
        writes,
        ..of_book(book, now)
    };
    world.engine.look(of_book).await
}

fn of_book(book: &Book, now: Timestamp) -> StatusView {
    StatusView {
        vault: book.vault().to_string(),
        charter: book.charter_digest(),
        policy: (book.policy().digest(), book.policy().document().version),
        policy_document: book.policy().document().clone(),
        charter_text: book.charter().clone(),
        size: book.size(),
        checkpoint: None,
        cosigners: Vec::<CosignerView>::new(),
        chains: BTreeMap::new(),
        wallets: book.wallets().map(|(id, wallet)| view(id, wallet)).collect(),
        freezes: book.freezes().map(|(digest, scope)| (*digest, scope.clone())).collect(),
        voids: book.voids().collect(),
        open_cases: book.open_cases().count(),
        now,
        writes: false,
        alerts: alerts(book),
        credentials: book.credentials().map(credential).collect(),
    }
}

fn alerts(book: &Book) -> Vec<AlertView> {
    let mut open: Vec<AlertView> = book
        .alerts()
        .map(|(alert, open)| AlertView { alert: *alert, open: open.clone() })
        .collect();
    open.sort_by_key(|view| (view.open.raised_at, view.alert));
    open
}

fn view(id: &quorate_terms::WalletId, wallet: &quorate_custody::book::Wallet) -> WalletView {
    WalletView {
        wallet: id.clone(),
        accounts: wallet.accounts.clone(),
        holders: wallet.holders.iter().map(ToString::to_string).collect(),
        backups: wallet.backups.iter().map(ToString::to_string).collect(),
        barred: wallet.barred.as_ref().map(ToString::to_string),
    }
}

fn credential(admitted: &quorate_custody::book::Admitted) -> CredentialView {
    let c = &admitted.credential;
    CredentialView {
        credential: c.credential.clone(),
        agent: c.agent.clone(),
        owner: c.owner.clone(),
        band: c.band,
        wallets: c.wallets.clone(),
        role: c.role,
        expires_at: c.expires_at,
        revoked: admitted.revoked,
    }
}
