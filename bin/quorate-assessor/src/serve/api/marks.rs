//! Trust Marks by programs: a claim counts by its auditor's signature, a mark by that of an assessor whom the token names, and
//! what the command line does is done by the same functions. Lifting a suspension and revoking stay with the command line.

use std::sync::Arc;

use quorate_assessor::mark::{MarkPolicy, Proposal, Register, Standing, WaitingClaim};
use quorate_ledger::note::NoteSignature;
use quorate_terms::{Digest, Signature, Timestamp, canonical};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::answers::still;
use super::form;
use crate::mark::claim::{self, Ground, Offer, Wish};
use crate::mark::{issue, withdrawn};
use crate::office::Office;
use crate::serve::hall::{Hall, Open};
use crate::token::Kept;
use crate::trouble::{Done, Trouble};

/// How many cosignatures a mark is finished with.
const COSIGNATURES_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToClaim {
    offer: Offer,
    results: Digest,
    exclusions: Vec<String>,
    until: Timestamp,
}

/// The claim as its auditor signs it. Nothing is recorded.
pub(super) async fn compose(hall: &Hall, audit: String, who: &Kept, body: Value) -> Done<Value> {
    let ToClaim { offer, results, exclusions, until } = form(body)?;
    let (standards, still) = (hall.standards().to_owned(), still(hall, who));
    let composed = hall.look(move |seen| {
        still()?;
        let ground = Ground { standards: &standards, shelf: seen.shelf, home: seen.home };
        let wish = Wish { offer, results, exclusions, until };
        claim::compose(&ground, seen.office, &audit, (wish, seen.office.now()))
    });
    Ok(json!({ "claim": composed.await?.waiting }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    claim: Value,
    answer: String,
}

/// The signature of the audit's auditor is what counts; the token only opens the door.
pub(super) async fn claim(hall: &Hall, audit: &str, who: &Kept, body: Value) -> Done<Value> {
    let Answered { claim: waiting, answer } = form(body)?;
    let answer: Signature = answer.trim().parse()?;
    let waiting = WaitingClaim::from_bytes(&canonical::to_bytes(&waiting, "claim")?)?;
    if waiting.audit != audit {
        let message = "the claim is of another audit than the path";
        return Err(Trouble::refused("malformed", message, "send it to its own audit"));
    }
    let (runtime, standards) = (Handle::current(), hall.standards().to_owned());
    let (still, token) = (still(hall, who), who.name.clone());
    let taken = hall.work(move |Open { home, office, .. }, shelf, _| {
        still()?;
        let ground = Ground { standards: &standards, shelf, home };
        let audit = waiting.audit.clone();
        let composed = claim::composed_before(&ground, office, waiting)?;
        let taken = runtime.block_on(claim::record(office, composed, answer))?;
        let claim::Taken { entry, mark, proposal, is_old } = taken;
        if !is_old {
            tracing::info!(%token, %audit, %mark, entry, "recorded a claim at the office");
        }
        Ok(json!({ "entry": entry, "mark": mark, "proposal": proposal }))
    });
    taken.await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToOffer {
    mark: String,
    list: String,
    issuer: String,
}

/// Gives out a place in the status list.
pub(super) async fn offer(hall: &Arc<Hall>, who: &Kept, body: Value) -> Done<Value> {
    let ToOffer { mark, list, issuer } = form(body)?;
    let (runtime, still, token) = (Handle::current(), still(hall, who), who.name.clone());
    let offered = hall.work(move |Open { home, office, .. }, _, _| {
        still()?;
        let asked = (mark.as_str(), list.as_str(), issuer.as_str());
        let (entry, offer) = runtime.block_on(issue::give_out(home, office, asked))?;
        tracing::info!(%token, %mark, entry, "gave out a place at the office");
        Ok(json!({ "entry": entry, "offer": offer }))
    });
    changed(hall, offered.await).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToIssue {
    proposal: Value,
}

/// Signs a claim of an assessor whom the token names, and logs it.
pub(super) async fn issue(hall: &Arc<Hall>, name: &str, who: &Kept, body: Value) -> Done<Value> {
    let ToIssue { proposal } = form(body)?;
    let read = Proposal::from_bytes(&canonical::to_bytes(&proposal, "proposal")?)?;
    if read.1.predicate.mark != name {
        let message = "the claim is for another mark than the path";
        return Err(Trouble::refused("malformed", message, "send it to its own mark"));
    }
    let (runtime, still, token) = (Handle::current(), still(hall, who), who.name.clone());
    let assessors = who.assessors.clone();
    let issued = hall.work(move |Open { home, office, .. }, shelf, _| {
        still()?;
        let signed = runtime.block_on(issue::sign(shelf, (home, office), read, &assessors))?;
        let issue::Signed { entry, mark, proposal } = signed;
        tracing::info!(%token, %mark, entry, "issued a mark at the office");
        Ok(json!({ "entry": entry, "mark": mark, "proposal": proposal }))
    });
    changed(hall, issued.await).await
}

/// The signed request to a witness that knows so many entries.
pub(super) async fn checkpoint(hall: &Hall, old: u64) -> Done<Value> {
    let request = hall.look(move |seen| issue::for_a_witness(seen.home, seen.office, old));
    Ok(json!({ "checkpoint": request.await?.to_string() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToFinish {
    checkpoint: String,
    cosignatures: Vec<String>,
    policy: Value,
}

impl ToFinish {
    fn read(&self) -> Done<issue::Witnessed> {
        if self.cosignatures.len() > COSIGNATURES_MAX {
            let message =
                format!("a mark is finished with {COSIGNATURES_MAX} cosignatures at most");
            return Err(Trouble::refused(
                "malformed",
                message,
                "send those that the policy counts",
            ));
        }
        let line = |line: &String| Ok(line.trim_end().parse::<NoteSignature>()?);
        Ok(issue::Witnessed {
            policy: MarkPolicy::from_json(&canonical::to_bytes(&self.policy, "policy")?)?,
            checkpoint: self.checkpoint.parse()?,
            cosignatures: self.cosignatures.iter().map(line).collect::<Done<_>>()?,
        })
    }
}

/// Binds everything to the mark's one file, once: a finished mark is finished anew only where the office lies, so that nobody
/// puts a worse file in its place from afar.
pub(super) async fn finish(hall: &Arc<Hall>, name: String, who: &Kept, body: Value) -> Done<Value> {
    let given = form::<ToFinish>(body)?.read()?;
    let (still, token) = (still(hall, who), who.name.clone());
    let finished = hall.work(move |Open { home, office, .. }, _, _| {
        still()?;
        is_issued(office, &name)?;
        let bytes = issue::bound(home, office, &name, given)?.to_bytes()?;
        match issue::finished(home, &name)? {
            Some(old) if old == bytes => {}
            Some(_) => {
                let message = "the mark was finished with something else";
                let next = "take its file, or finish it anew where the office lies";
                return Err(Trouble::refused("finished", message, next));
            }
            None => issue::keep(home, &name, &bytes)?,
        }
        tracing::info!(%token, mark = %name, "finished a mark at the office");
        Ok(canonical::from_bytes(&bytes, "mark")?)
    });
    changed(hall, finished.await).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToSuspend {
    reason: String,
}

/// Takes a mark out of sight until people have looked.
pub(super) async fn suspend(
    hall: &Arc<Hall>,
    name: String,
    who: &Kept,
    body: Value,
) -> Done<Value> {
    let ToSuspend { reason } = form(body)?;
    let (runtime, still, token) = (Handle::current(), still(hall, who), who.name.clone());
    let suspended = hall.work(move |Open { office, .. }, _, _| {
        still()?;
        is_issued(office, &name)?;
        let to = Standing::Suspended;
        let entry = runtime.block_on(withdrawn(office, &name, (to, &reason)))?;
        tracing::info!(%token, mark = %name, entry, "suspended a mark at the office");
        Ok(json!({ "entry": entry, "mark": name, "standing": to.word() }))
    });
    changed(hall, suspended.await).await
}

/// The answer, once nobody is told any more what stood before.
async fn changed(hall: &Arc<Hall>, done: Done<Value>) -> Done<Value> {
    if done.is_ok() {
        hall.marks_changed().await;
    }
    done
}

fn is_issued(office: &Office, mark: &str) -> Done<()> {
    let register = Register::of(office.lines());
    match register.find(mark) {
        Some((_, place)) if place.issued.is_some() => Ok(()),
        _ => {
            let message = "this register issued no such mark";
            Err(Trouble::refused("unknown_mark", message, "list the marks"))
        }
    }
}
