//! The operator's commands on a cosigner that runs, and on one that does not.

use std::sync::Arc;
use std::time::Duration;

use quorate_cosigner::party::Event;
use quorate_host::link::{CallError, Silent};
use quorate_host::ui::Ui;
use quorate_host::{Fault, unix};
use quorate_terms::Timestamp;
use quorate_terms::canonical::Term as _;
use quorate_terms::freeze::Scope;
use serde_json::json;

use crate::daemon::{FreezeAsk, limits};
use crate::files::Home;
use crate::rebuild;
use crate::settings::Settings;
use crate::status::Status;
use crate::trouble::{fault, malformed, not_appended};

/// How long the daemon may take; a drill has 30 s of its own.
const WITHIN: Duration = Duration::from_secs(60);

/// Asks the daemon of this directory.
pub(crate) async fn ask(home: &Home, method: &str, body: Vec<u8>) -> Result<Vec<u8>, Fault> {
    let link = unix::connect(&home.socket(), Arc::new(Silent), limits()).await?;
    link.call(method, body, WITHIN).await.map_err(|error| match error {
        CallError::Refused(refused) => fault(method, &refused.message, "see the reason"),
        other => fault(method, &other.to_string(), "see the daemon's log"),
    })
}

/// Whether a daemon answers at the control socket.
pub(crate) async fn runs(home: &Home) -> bool {
    unix::connect(&home.socket(), Arc::new(Silent), limits()).await.is_ok()
}

/// The daemon's word, or, while none runs, what the directory says.
pub(crate) async fn status_of(home: &Home, now: Timestamp) -> Result<Status, Fault> {
    if runs(home).await {
        let answer = ask(home, "status", Vec::new()).await?;
        return serde_json::from_slice(&answer)
            .map_err(|e| fault("status", &e.to_string(), "compare the versions"));
    }
    let (_, stores, party) = rebuild::offline(home, now).await?;
    let status = Status::of(&party, now);
    stores.close().await;
    Ok(status)
}

/// `status`
pub(crate) async fn status(ui: Ui, home: Home, now: Timestamp) -> Result<(), Fault> {
    let status = status_of(&home, now).await?;
    ui.answer(&status, status.to_text(ui))
}

/// `freeze`: by the daemon, or straight into the own ledger, where the next start finds it.
pub(crate) async fn freeze(
    ui: Ui,
    home: Home,
    scope: Scope,
    cause: String,
    now: Timestamp,
) -> Result<(), Fault> {
    let running = runs(&home).await;
    if running {
        let asked = FreezeAsk { scope: scope.clone(), cause: cause.clone() };
        let body = serde_json::to_vec(&asked)
            .map_err(|e| fault("freeze", &e.to_string(), "report this"))?;
        ask(&home, "freeze", body).await?;
    } else {
        freeze_offline(&home, scope.clone(), cause.clone(), now).await?;
    }
    let answer = json!({ "frozen": scope, "cause": cause, "running": running });
    ui.answer(&answer, "frozen; only the charter's quorum lifts it, by an unfreeze intent")
}

async fn freeze_offline(
    home: &Home,
    scope: Scope,
    cause: String,
    now: Timestamp,
) -> Result<(), Fault> {
    let (_, stores, mut party) = rebuild::offline(home, now).await?;
    let size = party.own().size();
    let step = party.step(Event::FreezeHere { scope, cause }, now);
    let entries = step.records.iter().map(|e| e.to_canonical()).collect::<Result<Vec<_>, _>>();
    let entries = entries.map_err(|e| malformed("freeze", &e))?;
    stores.own.append(size, entries).await.map_err(not_appended)?;
    stores.close().await;
    Ok(())
}

/// `stop`
pub(crate) async fn stop(ui: Ui, home: Home) -> Result<(), Fault> {
    ask(&home, "stop", Vec::new()).await?;
    ui.answer(&json!({ "stopping": true }), "it stops")
}

/// This cosigner's party number in the charter that it accepted.
pub(crate) fn party_number(home: &Home) -> Result<u8, Fault> {
    let settings = Settings::load(home)?;
    let number = home.accepted()?.party(&settings.cosigner);
    number.ok_or_else(|| {
        fault("charter", "seats no cosigner of this name", "accept it on the machine that it seats")
    })
}
