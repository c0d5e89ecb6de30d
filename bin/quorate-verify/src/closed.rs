//! How a case ended: which transaction, and whose signed word says that the chain will not undo it.

use quorate_terms::entry::{Closed, Outcome};
use quorate_terms::fact::{Fact, FactKind, Fate, SignedFact};

use crate::charter::Charters;
use crate::report::Report;
use crate::story::{At, Story};

/// Checks the end of the case, and that only signed transactions were published.
pub(crate) fn check(story: &Story, charters: &Charters, report: &mut Report) -> Result<(), String> {
    let signed = story.signed();
    let txids: Vec<&str> = signed.iter().map(|s| s.body.txid.as_str()).collect();
    let strays = story.broadcast();
    if let Some(stray) = strays.iter().find(|b| !txids.contains(&b.body.txid.as_str())) {
        report.refuted(
            "broadcast",
            format!("entry {} publishes what nobody signed", stray.entry.index),
        );
    }
    let Some(closed) = story.closed()? else {
        report.not_shown("outcome", "the receipt does not show that the case is closed");
        return Ok(());
    };
    report.record("outcome", outcome(&closed, &txids));
    let final_word =
        matches!(closed.body.outcome, Outcome::Settled | Outcome::Reverted | Outcome::Replaced);
    match &closed.body.finality {
        Some(fact) => report.record("finality", finality(fact, &closed, charters)),
        None if final_word => {
            report.not_shown("finality", "no source signed for it; ask a node of your own")
        }
        None => {}
    }
    Ok(())
}

fn outcome(closed: &At<'_, Closed>, txids: &[&str]) -> Result<String, String> {
    let body = closed.body;
    let ours = matches!(body.outcome, Outcome::Settled | Outcome::Reverted);
    let named = body.txid.as_deref();
    if ours && !named.is_some_and(|txid| txids.contains(&txid)) {
        return Err("the case is closed by a transaction that it did not sign".into());
    }
    let word = format!("{:?}", body.outcome).to_lowercase();
    let at = closed.entry.at.utc();
    Ok(format!("entry {}: {word} at {at} ({})", closed.entry.index, body.reason))
}

/// The source's own signature, from a seat that may speak on finality, about this transaction and this fate.
fn finality(
    fact: &SignedFact,
    closed: &At<'_, Closed>,
    charters: &Charters,
) -> Result<String, String> {
    let charter = charters.at(closed.entry.index)?;
    let source = &fact.body.source;
    let seat = charter
        .source(source, FactKind::Finality)
        .ok_or_else(|| format!("`{source}` may not speak on finality"))?;
    if fact.body.vault != charter.vault
        || !fact.is_signed_by(&seat.key).map_err(|e| e.to_string())?
    {
        return Err(format!("the signature is not `{source}`'s"));
    }
    let Fact::Finality { txid, block, depth, fate, .. } = &fact.body.fact else {
        return Err("the source speaks of something else".into());
    };
    let expected = match closed.body.outcome {
        Outcome::Settled => Some(Fate::Settled),
        Outcome::Reverted => Some(Fate::Reverted),
        Outcome::Replaced => Some(Fate::Replaced),
        _ => None,
    };
    if expected.is_some_and(|expected| expected != *fate) {
        return Err("the source says another fate than the entry".into());
    }
    let ours = matches!(fate, Fate::Settled | Fate::Reverted);
    if ours && closed.body.txid.as_ref() != Some(txid) {
        return Err("the source speaks of another transaction".into());
    }
    if *depth < charter.finality_depth {
        return Err(format!(
            "only {depth} blocks deep, the charter asks for {}",
            charter.finality_depth
        ));
    }
    Ok(format!("source `{source}` signed: block {block}, {depth} deep"))
}
