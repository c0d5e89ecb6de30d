//! What is asked of one audit beside the auditor's view: dates, the report, what is on file, and a step made ready for its
//! person's signature. All of it is looked at on a thread of its own.

use quorate_assessor::audit::personal::Openings;
use quorate_assessor::audit::{Record as Act, Role, view as seen_by};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::answers::row;
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

/// As `audit view --role auditor` says it, values about people opened for who may read them.
pub(super) async fn view(hall: &Hall, id: String, is_open: bool) -> Done<Value> {
    let (runtime, audit) = (Handle::current(), id.clone());
    let seen = move |seen: &Seen<'_>, held: &Held| -> Done<Value> {
        let openings = openings(&runtime, seen, held, is_open)?;
        let mut json = row(&audit, held, seen.office.now());
        if let Some(json) = json.as_object_mut() {
            let view = seen_by(&held.state, Role::Auditor, &held.rules(), &openings);
            json.insert("seen".to_owned(), json!(view));
        }
        Ok(json)
    };
    of(hall, id, seen).await
}

/// As `audit evidence list` says it, values about people opened for who may read them.
pub(super) async fn evidence(hall: &Hall, id: String, is_open: bool) -> Done<Value> {
    let runtime = Handle::current();
    let register = move |seen: &Seen<'_>, held: &Held| -> Done<Value> {
        Ok(files::list(held, &openings(&runtime, seen, held, is_open)?).json)
    };
    of(hall, id, register).await
}

fn openings(runtime: &Handle, seen: &Seen<'_>, held: &Held, is_open: bool) -> Done<Openings> {
    match is_open {
        true => runtime.block_on(personal::openings(seen.office, &held.state)),
        false => Ok(Openings::new()),
    }
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
