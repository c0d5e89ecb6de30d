//! A key generation as the book tells it: who said what of the key, which runs failed, and which backups are proven.

use std::collections::BTreeSet;

use quorate_custody::{Book, Refusal};
use quorate_gateway::console::paperwork::{HolderSaid, KeyMade, RunFailed, Runbook};
use quorate_gateway::office::Reply;
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::{Body, Entry};
use quorate_terms::intent::{Action, OpenWallet};
use quorate_terms::{CaseId, CosignerId, Digest};

use super::refusal;
use crate::desk::engine::Engine;

/// The most entries of one case that are read.
const READ_MAX: usize = 500;

/// The runbook of a case; none for a case that makes no key.
///
/// # Errors
/// [`Refusal`] for a case that is unknown, or a ledger that cannot be read.
pub(super) async fn of(engine: &Engine, case: CaseId) -> Reply<Option<Runbook>> {
    let found = engine.look(move |book| {
        let open = book.case(&case).map(|case| case.entries.clone());
        open.or_else(|| book.closed(&case).map(|case| case.entries.clone()))
    });
    let indices = found.await.map_err(refusal)?.ok_or_else(|| {
        let next = "look at `quorate case list --all`";
        Refusal::new("unknown_case", "there is no such case", next)
    })?;
    let mut entries = Vec::new();
    for index in indices.into_iter().take(READ_MAX) {
        entries.push(entry(engine, index).await?);
    }
    let wanted = entries.iter().find_map(|entry| match &entry.body {
        Body::Filed(filed) if filed.case == case => match &filed.intent.action {
            Action::OpenWallet(open) => Some(open.clone()),
            _ => None,
        },
        _ => None,
    });
    let Some(open) = wanted else { return Ok(None) };
    engine.look(move |book| Some(told(book, case, open, &entries))).await.map_err(refusal)
}

async fn entry(engine: &Engine, index: u64) -> Reply<Entry> {
    let unread = |why: String| Refusal::new("unreadable", why, "run `quorate doctor`");
    let page = engine.store().read(index, 1).await.map_err(|e| unread(e.to_string()))?;
    let bytes = page.first().ok_or_else(|| unread(format!("entry {index} is missing")))?;
    Ok(Entry::from_canonical(bytes)?)
}

fn told(book: &Book, case: CaseId, open: OpenWallet, entries: &[Entry]) -> Runbook {
    let wallet = book.wallets().find(|(id, wallet)| **id == open.wallet && wallet.case == case);
    let wallet = wallet.map(|(_, wallet)| wallet);
    let backups = wallet.map(|wallet| wallet.backups.clone()).unwrap_or_default();
    let (mut key, mut opened, mut failed) = (None, None, Vec::new());
    let mut words: Vec<(CosignerId, Digest, String)> = Vec::new();
    for entry in entries {
        match &entry.body {
            Body::KeyGenerated(made) if made.case == case => {
                words = made
                    .statements
                    .iter()
                    .map(|one| &one.body)
                    .map(|one| (one.cosigner.clone(), one.transcript, one.public_key.clone()))
                    .collect();
                key = Some(KeyMade {
                    index: entry.index,
                    at: entry.at,
                    ceremony: made.ceremony,
                    public_key: made.public_key.clone(),
                    method: made.method.clone(),
                    library: made.library.clone(),
                    quorum: (made.threshold, made.shares),
                });
            }
            Body::WalletOpened(body) if body.case == case => {
                opened = Some((entry.at, entry.index));
            }
            Body::RunAborted(run) if run.case == Some(case) => failed.push(RunFailed {
                index: entry.index,
                at: entry.at,
                why: format!("{}: {}", run.phase, run.cause),
                culprits: run.culprits.iter().cloned().collect(),
            }),
            _ => {}
        }
    }
    let holder = |seat: &quorate_terms::charter::CosignerSeat| {
        let word = words.iter().find(|(cosigner, ..)| *cosigner == seat.cosigner);
        HolderSaid {
            cosigner: seat.cosigner.clone(),
            operator: seat.operator.clone(),
            word: word.map(|(_, transcript, key)| (*transcript, key.clone())),
            backup: backups.contains(&seat.cosigner),
        }
    };
    // Who took part, once that is known; before, everybody whom the charter seats.
    let part: Option<&BTreeSet<CosignerId>> = wallet.map(|wallet| &wallet.holders);
    let seats = book.charter().cosigners.iter();
    let seats = seats.filter(|seat| part.is_none_or(|part| part.contains(&seat.cosigner)));
    Runbook {
        is_development: open.chains.iter().all(quorate_chains::is_development),
        charter: book.charter_digest(),
        holders: seats.map(holder).collect(),
        failed,
        key,
        opened,
        accounts: wallet.map(|w| w.accounts.values().cloned().collect()).unwrap_or_default(),
        open,
    }
}
