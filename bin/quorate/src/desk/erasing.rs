//! Destroying the personal values of a case for good, as a person may ask for: first the entry that says so, then the values.
//! Proofs and folds read none of them, so every receipt still verifies.

use std::time::Duration;

use quorate_custody::{Event, Refusal};
use quorate_host::store::AppendError;
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::{AdminActed, Body, Entry, Erased};
use quorate_terms::intent::Action;
use quorate_terms::{CaseId, Digest};

use super::engine::{Engine, Trouble};
use quorate_gateway::office::EraseRequest;

/// How often a log that a reader holds is tried, and how long between.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Erases; gives the commitments whose values are no longer there.
///
/// # Errors
/// [`Trouble`] while the case is open, where nothing is kept of it, and when the disk does not let go of the values: then
/// asking again ends it.
pub(super) async fn erase(engine: &Engine, ask: EraseRequest) -> Result<Vec<Digest>, Trouble> {
    let EraseRequest { case, subject, person } = ask;
    let all: Vec<Digest> = committed(engine, case).await?.into_iter().collect();
    let mut fields = Vec::new();
    for field in &all {
        if engine.store().opening(field).await.map_err(|e| unfinished(&e))?.is_some() {
            fields.push(*field);
        }
    }
    if fields.is_empty() {
        // An erasure that was interrupted may have left them in the disk's log.
        destroy(engine, all).await?;
        let why = "nothing that could be erased is kept of this case";
        let next = "nothing: it has no such values, or they are gone";
        return Err(refused("nothing_kept", why, next));
    }
    let (party, action) = ("desk".to_owned(), "erase".to_owned());
    let acted = AdminActed { person, party, action, case: Some(case) };
    let erased = Erased { subject, case: Some(case), fields: fields.clone() };
    for body in [Body::AdminActed(acted), Body::Erased(erased)] {
        engine.tell(Event::Noted(Box::new(body))).await?;
    }
    destroy(engine, fields.clone()).await?;
    Ok(fields)
}

/// Destroys values. Somebody who reads the book holds the disk's log for a moment; then it is tried again.
async fn destroy(engine: &Engine, fields: Vec<Digest>) -> Result<(), Trouble> {
    if fields.is_empty() {
        return Ok(());
    }
    for _ in 0..TRIES {
        match engine.store().erase(fields.clone()).await {
            Err(AppendError::Busy) => tokio::time::sleep(PAUSE).await,
            ended => return ended.map_err(|e| unfinished(&e)),
        }
    }
    Err(unfinished(&AppendError::Busy))
}

/// The commitments of the intent behind a case that is over.
async fn committed(engine: &Engine, case: CaseId) -> Result<Option<Digest>, Trouble> {
    let looked = engine.look(move |book| {
        (book.case(&case).is_some(), book.closed(&case).map(|closed| closed.entries.clone()))
    });
    let (open, entries) = looked.await?;
    if open {
        let next = "wait until it is over, or give it up with `quorate cancel`";
        return Err(refused("case_open", "people still have to read what this case says", next));
    }
    let unknown = || {
        let next = "look at `quorate case list --all`";
        refused("unknown_case", "there is no such case", next)
    };
    for index in entries.ok_or_else(unknown)? {
        let bytes = engine.store().read(index, 1).await.map_err(|e| unfinished(&e))?;
        let entry = bytes.first().and_then(|bytes| Entry::from_canonical(bytes).ok());
        if let Some(Body::Filed(filed)) = entry.map(|entry| entry.body) {
            return Ok(match &filed.intent.action {
                Action::Transfer(transfer) => transfer.memo.map(|memo| memo.digest()),
                Action::ListAddress { beneficiary, .. } => Some(beneficiary.digest()),
                _ => None,
            });
        }
    }
    Ok(None)
}

fn refused(code: &str, why: &str, next: &str) -> Trouble {
    Trouble::Refused(Refusal::new(code, why, next))
}

fn unfinished(why: &impl ToString) -> Trouble {
    let next = "ask again; until then the values may still be there";
    refused("not_erased", &why.to_string(), next)
}
