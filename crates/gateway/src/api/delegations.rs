//! Delegations over HTTP: who stands in for whom. To grant one and to end one are intents in the caller's own name; the first
//! waits for the charter's quorum, the second takes effect at once.

use axum::body::Bytes;
use quorate_terms::DelegationId;
use quorate_terms::delegation::Delegation;
use quorate_terms::intent::Action;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::asked::Asked;
use super::brake::file;
use super::people::{say, told, whole};
use crate::desk::Caller;
use crate::errors::{Code, Complaint};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delegating {
    delegation: Value,
}

/// Every delegation, the last granted first.
pub(super) async fn look(api: &Api) -> Result<Bytes, Complaint> {
    say(&json!({ "delegations": told(api.office.delegations().await)? }))
}

/// Asks the charter's quorum to let somebody stand in.
pub(super) async fn delegate(
    api: &Api,
    caller: &Caller,
    asked: &Asked,
) -> Result<Bytes, Complaint> {
    let Delegating { delegation: given } = asked.body()?;
    let delegation: Delegation = whole(&given, "delegation")?;
    file(api, caller, asked.key()?, Action::Delegate { delegation: Box::new(delegation) }).await
}

/// Ends a delegation at once.
pub(super) async fn end(api: &Api, caller: &Caller, asked: &Asked) -> Result<Bytes, Complaint> {
    let delegation: DelegationId = asked.segment("delegation")?;
    let all = told(api.office.delegations().await)?;
    if !all.iter().any(|one| one.id == delegation) {
        let message = "there is no such delegation; see `/delegations`";
        return Err(Complaint::new(Code::PathNotFound, message));
    }
    file(api, caller, asked.key()?, Action::EndDelegation { delegation }).await
}
