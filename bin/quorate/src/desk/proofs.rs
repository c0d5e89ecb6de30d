//! Proofs for whoever checks the ledger in a browser or over the API: that an entry stands in it, and that it only grew.

use quorate_custody::Refusal;
use quorate_gateway::office::{ProofAnswer, ProofRequest, Reply};
use quorate_host::fault::Fault;
use quorate_ledger::{KeyKind, VerifierKey, proof};
use quorate_terms::Digest;

use super::book_door::refusal;
use super::cosigners::Cosigners;
use super::engine::Engine;

/// The proof that is asked for, against the newest checkpoint.
///
/// # Errors
/// [`Refusal`] for an entry or a size that no checkpoint covers, or when the ledger cannot be read.
pub(crate) async fn make(
    engine: &Engine,
    cosigners: &Cosigners,
    ask: ProofRequest,
) -> Reply<ProofAnswer> {
    let head = engine.head();
    let size = head.size;
    match ask {
        ProofRequest::Entry { index } if index >= size => {
            let next = "look at the entries that there are, and ask again in a moment";
            let message = "no checkpoint covers such an entry";
            return Err(Refusal::new("unknown_entry", message, next));
        }
        ProofRequest::Extension { from, to } if from == 0 || from > to || to > size => {
            let next = format!("give 1 <= from <= to <= {size}");
            return Err(Refusal::new("malformed", "the ledger had no such sizes", &next));
        }
        _ => {}
    }
    let unread =
        |fault: Fault| Refusal::new("unreadable", fault.to_string(), "run `quorate doctor`");
    let made = engine.store().with_hashes(move |hashes| -> Result<Vec<Digest>, Fault> {
        match ask {
            ProofRequest::Newest => Ok(Vec::new()),
            ProofRequest::Entry { index } => proof::inclusion(hashes, index, size),
            ProofRequest::Extension { from, to } => proof::consistency(hashes, from, to),
        }
    });
    let hashes = made.await.map_err(unread)?.map_err(unread)?;
    let newest = cosigners.newest().await.filter(|witnessed| witnessed.size == size);
    let checkpoint =
        newest.map_or_else(|| head.note.clone(), |witnessed| witnessed.note.to_string());
    let log = engine.look(|book| book.charter().log.clone()).await.map_err(refusal)?;
    let log = VerifierKey::new(log.origin, KeyKind::Log, log.key)?.to_string();
    Ok(ProofAnswer { hashes, checkpoint, log })
}
