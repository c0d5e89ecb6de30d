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
    let entries = read(engine, &kept(indices)).await?;
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

/// What is read of a case with more entries than that: its filing, and the newest.
fn kept(mut indices: Vec<u64>) -> Vec<u64> {
    let over = indices.len().saturating_sub(READ_MAX);
    if over > 0 {
        indices.drain(1..=over);
    }
    indices
}

async fn read(engine: &Engine, wanted: &[u64]) -> Reply<Vec<Entry>> {
    let found = engine.store().read_these(wanted).await.map_err(|e| unread(e.to_string()))?;
    whole(wanted, &found)
}

/// The entries, each of which must be there.
fn whole(wanted: &[u64], found: &[(u64, Vec<u8>)]) -> Reply<Vec<Entry>> {
    if !found.iter().map(|(index, _)| index).eq(wanted) {
        let missing = wanted.iter().find(|index| found.iter().all(|(found, _)| found != *index));
        return Err(unread(match missing {
            Some(index) => format!("entry {index} is missing"),
            None => "the entries came in another order".to_owned(),
        }));
    }
    found.iter().map(|(_, bytes)| Ok(Entry::from_canonical(bytes)?)).collect()
}

fn unread(why: String) -> Refusal {
    Refusal::new("unreadable", why, "run `quorate doctor`")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_case_the_filing_and_the_newest_entries_are_read() {
        for (count, first, second) in [(0, None, None), (1, Some(0), None), (2, Some(0), Some(1))] {
            let kept = kept((0..count).collect());
            assert_eq!((kept.first().copied(), kept.get(1).copied()), (first, second));
        }
        let most = u64::try_from(READ_MAX).unwrap();
        assert_eq!(kept((0..most).collect()).len(), READ_MAX);
        let cut = kept((0..most + 7).collect());
        assert_eq!((cut.len(), cut[0], cut[1], cut.last()), (READ_MAX, 0, 8, Some(&(most + 6))));
    }

    #[test]
    fn an_entry_that_is_missing_is_named_and_nothing_is_told() {
        let found = |indices: &[u64]| -> Vec<(u64, Vec<u8>)> {
            indices.iter().map(|index| (*index, Vec::new())).collect()
        };
        for (there, words) in [
            (&[3, 9][..], "entry 5 is missing"),
            (&[][..], "entry 3 is missing"),
            (&[5, 3, 9][..], "another order"),
        ] {
            let no = whole(&[3, 5, 9], &found(there)).unwrap_err();
            assert!(no.code == "unreadable" && no.message.contains(words), "{no}");
        }
        assert!(whole(&[3], &found(&[3])).is_err(), "no entry stands in no bytes");
        assert!(whole(&[], &[]).unwrap().is_empty());
    }
}
