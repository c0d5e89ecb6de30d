//! What is asked of one audit beside the auditor's view: dates, the report, what is on file, and a step made ready for its
//! person's signature. All of it is looked at on a thread of its own.

use quorate_assessor::audit::Record as Act;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::form;
use crate::audit::{self, Held, files, open_with, papers, personal};
use crate::serve::hall::{Hall, Seen};
use crate::trouble::Done;

/// As `audit calendar` says it.
pub(super) async fn calendar(hall: &Hall, id: String) -> Done<Value> {
    of(hall, id, |seen, held| Ok(audit::calendar(held, seen.office).json)).await
}

/// What `audit report` writes, with what it says.
pub(super) async fn report(hall: &Hall, id: String) -> Done<Value> {
    of(hall, id, |_, held| Ok(papers::Report::of(held)?.json())).await
}

/// As `audit evidence list` says it: a token is the office's own.
pub(super) async fn evidence(hall: &Hall, id: String) -> Done<Value> {
    let runtime = Handle::current();
    let register = move |seen: &Seen<'_>, held: &Held| -> Done<Value> {
        let openings = runtime.block_on(personal::openings(seen.office, &held.state))?;
        Ok(files::list(held, &openings).json)
    };
    of(hall, id, register).await
}

async fn of(
    hall: &Hall,
    id: String,
    look: impl FnOnce(&Seen<'_>, &Held) -> Done<Value> + Send + 'static,
) -> Done<Value> {
    let standards = hall.standards().to_owned();
    let made = hall.look(move |seen| {
        let held = open_with(&standards, seen.home, seen.office, &id)?;
        look(seen, &held)
    });
    made.await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToCompose {
    by: String,
    record: Act,
}

/// The step as its person signs it, values about people committed to. Nothing is recorded.
pub(super) async fn compose(hall: &Hall, id: String, body: Value) -> Done<Value> {
    let ToCompose { by, record } = form(body)?;
    audit::begun_or_made_here(&record)?;
    let (runtime, standards) = (Handle::current(), hall.standards().to_owned());
    let composed = hall.look(move |seen| {
        let ours = (seen.home, seen.office);
        let made = audit::compose(&standards, ours, Some(id.as_str()), (by.as_str(), record));
        runtime.block_on(made)
    });
    Ok(json!({ "step": composed.await?.waiting }))
}
