//! Checklists over HTTP: everything is in the name of the caller, under the caller's own credential.

use axum::body::Bytes;
use quorate_terms::checklist::{Change, Post};
use quorate_terms::{Digest, IdempotencyKey, ItemId, PersonId};
use serde::Deserialize;
use serde_json::json;

use super::asked::Asked;
use super::people::{say, told};
use super::table::Act;
use super::{Api, internal};
use crate::desk::Caller;
use crate::errors::{Code, Complaint};
use crate::office::{ChecklistAct, ChecklistRequest};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    person: PersonId,
    change: Change,
    post: Post,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attesting {
    item: ItemId,
    #[serde(default)]
    reference: Option<IdempotencyKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    #[serde(default)]
    withdraw: bool,
}

pub(super) async fn look(api: &Api, act: Act, asked: &Asked) -> Result<Bytes, Complaint> {
    asked.only(&[])?;
    let all = told(api.office.checklists().await)?;
    if act == Act::Checklists {
        return say(&json!({ "checklists": all }));
    }
    let wanted: Digest = asked.segment("checklist")?;
    let found = all.into_iter().find(|view| view.checklist == wanted);
    let missing = || Complaint::new(Code::PathNotFound, "there is no such checklist; list them");
    say(&found.ok_or_else(missing)?)
}

pub(super) async fn deal(
    api: &Api,
    caller: &Caller,
    act: Act,
    asked: &Asked,
) -> Result<Bytes, Complaint> {
    let act = match act {
        Act::OpenChecklist => {
            let Opening { person, change, post } = asked.body()?;
            ChecklistAct::Open { key: asked.key()?, person, change, post }
        }
        Act::AttestChecklist => {
            let Attesting { item, reference } = asked.body()?;
            ChecklistAct::Attest { checklist: asked.segment("checklist")?, item, reference }
        }
        Act::CloseChecklist => {
            let Closing { withdraw } = asked.body()?;
            ChecklistAct::Close { checklist: asked.segment("checklist")?, withdraw }
        }
        _ => return Err(internal()),
    };
    let (by, credential) = (caller.owner.clone(), Some(caller.credential.clone()));
    say(&told(api.office.checklist(ChecklistRequest { by, credential, act }).await)?)
}
