//! What people ask, by their role. Whoever files, takes or erases does it in the name of the credential's owner, whatever the
//! body says.

use axum::body::Bytes;
use quorate_terms::approval::Approval;
use quorate_terms::commitment::Opening;
use quorate_terms::intent::Action;
use quorate_terms::{CaseId, Digest, Malformed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::asked::{Asked, invalid, left_over};
use super::once::Turn;
use super::refused::complaint;
use super::table::Act;
use super::{Api, brake, checklists, delegations, internal};
use crate::desk::Caller;
use crate::errors::{Code, Complaint};
use crate::office::{
    AlertRequest, BookAnswer, BookRequest, CasePage, EraseRequest, FileRequest, PageRequest,
    ProofRequest, Reply, StatusView,
};
use crate::proposal::{ReplayRequest, Whom};

/// The most cases or entries on one page.
pub(super) const PAGE_MAX: u32 = 100;
/// How many there are unless the caller says.
pub(super) const PAGE: u32 = 20;

type Said = Result<Bytes, Complaint>;

/// What a person wants done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filing {
    action: Value,
    #[serde(default)]
    openings: Vec<Opening>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposing {
    policy: Value,
    #[serde(default)]
    days: Option<u32>,
}

/// How many days a replay looks back unless the caller says.
pub(super) const DAYS: u32 = 90;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    disposition: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Erasing {
    subject: String,
}

/// Answers what only looks.
pub(super) async fn look(api: &Api, caller: &Caller, act: Act, asked: &Asked) -> Said {
    match act {
        Act::Cases => return cases(api, asked).await,
        Act::Entries => return entries(api, asked).await,
        Act::Consistency => return consistency(api, asked).await,
        Act::Checklists | Act::Checklist => return checklists::look(api, act, asked).await,
        _ => asked.only(&[])?,
    }
    match act {
        Act::Me => say(&me(caller)),
        Act::Case => say(&told(api.office.case(asked.segment("case")?).await)?),
        Act::Freezes => brake::look(api).await,
        Act::Delegations => delegations::look(api).await,
        Act::Addresses => say(&json!({ "addresses": told(api.office.addresses().await)? })),
        Act::Replay => replay(api, asked).await,
        Act::Receipt => {
            let answer = told(api.office.receipt(asked.segment("case")?).await)?;
            Ok(answer.receipt.into())
        }
        Act::Entry => entry(api, asked).await,
        Act::EntryProof => {
            let ask = ProofRequest::Entry { index: index(asked)? };
            say(&told(api.office.proof(ask).await)?)
        }
        Act::Checkpoint => {
            let answer = told(api.office.book(BookRequest { from: 0, limit: 0 }).await)?;
            say(&json!({ "checkpoint": answer.checkpoint }))
        }
        _ => of_status(act, told(api.office.status().await)?),
    }
}

/// What a status holds, taken apart: documents that seldom change stand at paths of their own.
fn of_status(act: Act, status: StatusView) -> Said {
    match act {
        Act::Wallets => say(&json!({ "wallets": status.wallets })),
        Act::Credentials => say(&json!({ "credentials": status.credentials })),
        Act::Alerts => say(&json!({ "alerts": status.alerts })),
        Act::Policy => say(&status.policy_document),
        Act::Charter => say(&status.charter_text),
        Act::Status => say(&status),
        _ => Err(internal()),
    }
}

/// Does what changes something, once for each key.
pub(super) async fn change(api: &Api, caller: &Caller, act: Act, asked: &Asked) -> Said {
    asked.only(&[])?;
    match act {
        // The ledger itself keeps the keys of intents, and an approval is the same one however often it comes.
        Act::File => return file(api, caller, asked).await,
        Act::Freeze => return brake::freeze(api, caller, asked).await,
        Act::Delegate => return delegations::delegate(api, caller, asked).await,
        Act::Approve => return approve(api, asked).await,
        _ => {}
    }
    let what = json!([format!("{act:?}"), asked.segments, asked.body]).to_string();
    match api.once.begin(&caller.credential, &asked.key()?, Digest::sha256(what.as_bytes()))? {
        Turn::Again(answer) => Ok(answer),
        Turn::First(first) => {
            let answer = note(api, caller, act, asked).await?;
            first.done(&answer);
            Ok(answer)
        }
    }
}

async fn note(api: &Api, caller: &Caller, act: Act, asked: &Asked) -> Said {
    let person = caller.owner.clone();
    match act {
        Act::Replace => say(&told(api.office.replace(asked.segment("case")?).await)?),
        Act::Erase => {
            let (case, Erasing { subject }) = (asked.segment("case")?, asked.body()?);
            let erased = api.office.erase(EraseRequest { case, subject, person }).await;
            say(&json!({ "erased": told(erased)? }))
        }
        Act::TakeAlert | Act::CloseAlert => {
            let alert = asked.segment("alert")?;
            let disposition = match act {
                Act::CloseAlert => Some(asked.body::<Closing>()?.disposition),
                _ => None,
            };
            let left = api.office.alert(AlertRequest { alert, person, disposition }).await;
            say(&json!({ "alerts": told(left)? }))
        }
        Act::Resume => brake::resume(api, caller, asked).await,
        Act::EndDelegation => delegations::end(api, caller, asked).await,
        Act::OpenChecklist | Act::AttestChecklist | Act::CloseChecklist => {
            checklists::deal(api, caller, act, asked).await
        }
        _ => Err(internal()),
    }
}

async fn file(api: &Api, caller: &Caller, asked: &Asked) -> Said {
    let Filing { action: given, openings } = asked.body()?;
    let action: Action = whole(&given, "action")?;
    let (person, key) = (caller.owner.clone(), asked.key()?);
    say(&told(api.office.file(FileRequest { person, key, action, openings }).await)?)
}

async fn replay(api: &Api, asked: &Asked) -> Said {
    let Proposing { policy: given, days } = asked.body()?;
    let policy = whole(&given, "policy")?;
    let ask = ReplayRequest { policy, days: days.unwrap_or(DAYS) };
    say(&told(api.office.replay(ask, Whom::Typed).await)?)
}

async fn approve(api: &Api, asked: &Asked) -> Said {
    let approval: Approval = whole(&Value::Object(asked.body.clone()), "approval")?;
    say(&told(api.office.approve(approval).await)?)
}

/// A term out of JSON, of which every field must be one of the term's.
pub(super) fn whole<T>(given: &Value, what: &str) -> Result<T, Complaint>
where
    T: serde::de::DeserializeOwned + Serialize,
{
    let read: T = serde_json::from_value(given.clone()).map_err(|e| {
        let message = format!("the {what} does not fit: {e}; see /api/v1/openapi.json");
        Complaint::new(Code::InvalidInput, message)
    })?;
    let again = serde_json::to_value(&read).map_err(|_| internal())?;
    match left_over(given, &again) {
        None => Ok(read),
        Some(name) => Err(invalid(&Malformed::new(name, "is unknown", "leave it out"))),
    }
}

async fn cases(api: &Api, asked: &Asked) -> Said {
    asked.only(&["all", "limit", "after"])?;
    let ask = PageRequest {
        all: asked.value("all", "give `true` or `false`")?.unwrap_or_default(),
        limit: limit(asked)?,
        after: asked.value::<CaseId>("after", "give the `next_after` of the page before")?,
    };
    let page: CasePage = told(api.office.page(ask).await)?;
    say(&page)
}

async fn entries(api: &Api, asked: &Asked) -> Said {
    asked.only(&["from", "limit"])?;
    let from: u64 = asked.value("from", "give an index of the ledger")?.unwrap_or_default();
    let limit = u64::from(limit(asked)?);
    let BookAnswer { entries, checkpoint } =
        told(api.office.book(BookRequest { from, limit }).await)?;
    let count = u64::try_from(entries.len()).unwrap_or_default();
    let next = (count > 0).then(|| from.saturating_add(count));
    say(&json!({ "from": from, "entries": entries, "next_from": next, "checkpoint": checkpoint }))
}

async fn entry(api: &Api, asked: &Asked) -> Said {
    let from = index(asked)?;
    let answer = told(api.office.book(BookRequest { from, limit: 1 }).await)?;
    let entry = answer.entries.into_iter().next();
    entry.map(Bytes::from).ok_or_else(|| {
        Complaint::new(Code::PathNotFound, "the ledger has no such entry yet; see `/entries`")
    })
}

fn index(asked: &Asked) -> Result<u64, Complaint> {
    let text = asked.segments.first().map(|(_, text)| text.as_str()).unwrap_or_default();
    text.parse().map_err(|_| {
        invalid(&Malformed::new("index", "is not an index", "give a whole number from 0"))
    })
}

async fn consistency(api: &Api, asked: &Asked) -> Said {
    asked.only(&["from", "to"])?;
    let mend = "give a size that the ledger has had, from 1";
    let size = |name| {
        let missing = || invalid(&Malformed::new(name, "is missing", mend));
        asked.value::<u64>(name, mend)?.ok_or_else(missing)
    };
    let ask = ProofRequest::Extension { from: size("from")?, to: size("to")? };
    say(&told(api.office.proof(ask).await)?)
}

fn limit(asked: &Asked) -> Result<u32, Complaint> {
    let mend = format!("give 1 to {PAGE_MAX}");
    let limit: u32 = asked.value("limit", &mend)?.unwrap_or(PAGE);
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(invalid(&Malformed::new("limit", "is out of range", mend)))
}

fn me(caller: &Caller) -> Value {
    json!({
        "credential": caller.credential,
        "agent": caller.agent,
        "owner": caller.owner,
        "band": caller.band,
        "wallets": caller.wallets,
        "role": caller.role,
    })
}

pub(super) fn told<T>(reply: Reply<T>) -> Result<T, Complaint> {
    reply.map_err(|refusal| complaint(&refusal))
}

pub(super) fn say<T: Serialize>(answer: &T) -> Said {
    serde_json::to_vec(answer).map(Bytes::from).map_err(|_| internal())
}
