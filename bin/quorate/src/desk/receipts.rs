//! Receipts: entries, proofs and a witnessed checkpoint in one file that stands for itself.

use quorate_custody::Refusal;
use quorate_host::fault::Fault;
use quorate_ledger::Receipt;
use quorate_ledger::tile::TileHashes;
use quorate_terms::{CaseId, WalletId};

use super::cosigners::Cosigners;
use super::engine::{Engine, Trouble};

/// The receipt of a case, under a checkpoint that the cosigners witnessed.
///
/// # Errors
/// [`Trouble`] when there is no such case, or its entries are not witnessed yet.
pub async fn make(
    engine: &Engine,
    cosigners: &Cosigners,
    case: CaseId,
) -> Result<Receipt, Trouble> {
    let indices = engine.look(move |book| {
        let wallet: Option<WalletId> = book.wallet_of(&case);
        book.receipt_entries(&case, wallet.as_ref())
    });
    let indices = indices.await?.map_err(Trouble::Refused)?;
    let last = indices.last().copied().unwrap_or_default();
    let witnessed = cosigners.witnessed(last.saturating_add(1)).await.map_err(Trouble::Refused)?;
    let mut entries = Vec::with_capacity(indices.len());
    for index in indices {
        let bytes = engine.store().read(index, 1).await.map_err(|e| unread(&e))?;
        let bytes = bytes.into_iter().next().ok_or_else(|| unread_text("an entry is missing"))?;
        entries.push((index, bytes));
    }
    let vault = engine.look(|book| book.vault().clone()).await?;
    let made = engine.store().with_hashes(move |hashes| {
        Receipt::make(&TileHashes(hashes), (vault, case), &entries, &witnessed.note)
    });
    made.await.map_err(|e| unread(&e))?.map_err(|e| unread_text(&e.to_string()))
}

fn unread(fault: &Fault) -> Trouble {
    unread_text(&fault.to_string())
}

fn unread_text(why: &str) -> Trouble {
    Trouble::Refused(Refusal::new("unreadable", why, "run `quorate doctor`"))
}
