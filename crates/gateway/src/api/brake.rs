//! The brake over HTTP: one person stops, a quorum resumes. Both are intents in the caller's own name, the same that the console
//! files: a freeze takes effect at once, and a resume waits for the charter's quorum.

use std::collections::BTreeSet;

use axum::body::Bytes;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Action;
use quorate_terms::{Digest, IdempotencyKey};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::asked::Asked;
use super::people::{say, told, whole};
use crate::desk::Caller;
use crate::errors::{Code, Complaint};
use crate::office::{FileRequest, FreezeView};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stopping {
    scope: Value,
}

/// Freezes in force.
pub(super) async fn look(api: &Api) -> Result<Bytes, Complaint> {
    say(&json!({ "freezes": told(api.office.freezes().await)? }))
}

/// Stops a scope.
pub(super) async fn freeze(api: &Api, caller: &Caller, asked: &Asked) -> Result<Bytes, Complaint> {
    let Stopping { scope: given } = asked.body()?;
    let scope: Scope = whole(&given, "scope")?;
    file(api, caller, asked.key()?, Action::Freeze { scope }).await
}

/// Asks the quorum to lift what is in force of a scope: of a part of it, the rest would stay frozen.
pub(super) async fn resume(api: &Api, caller: &Caller, asked: &Asked) -> Result<Bytes, Complaint> {
    let named: Digest = asked.segment("freeze")?;
    let all: Vec<FreezeView> = told(api.office.freezes().await)?;
    let found = all.iter().find(|one| one.freeze == named).map(|one| one.scope.clone());
    let scope = found.ok_or_else(|| {
        let message = "no such freeze is in force; see `/freezes`";
        Complaint::new(Code::PathNotFound, message)
    })?;
    let same = all.into_iter().filter(|one| one.scope == scope);
    let lifts: BTreeSet<Digest> = same.map(|one| one.freeze).collect();
    file(api, caller, asked.key()?, Action::Unfreeze { scope, lifts }).await
}

pub(super) async fn file(
    api: &Api,
    caller: &Caller,
    key: IdempotencyKey,
    action: Action,
) -> Result<Bytes, Complaint> {
    let (person, openings) = (caller.owner.clone(), Vec::new());
    say(&told(api.office.file(FileRequest { person, key, action, openings }).await)?)
}
