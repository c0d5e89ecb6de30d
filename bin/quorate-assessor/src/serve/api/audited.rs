//! What is asked of one audit beside the auditor's view: dates, the report, what is on file, and a step made ready for its
//! person's signature. All of it is looked at on a thread of its own.

use quorate_assessor::audit::personal::Openings;
use quorate_assessor::audit::{Record as Act, Role, closed_view, view as seen_by};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::answers::{row, still};
use super::form;
use crate::audit::{self, Held, files, open_with, papers, personal};
use crate::serve::hall::{Hall, Seen};
use crate::token::Kept;
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
        let (role, rules) = (Role::Auditor, held.rules());
        let view = match openings(&runtime, seen, held, is_open)? {
            Some(openings) => seen_by(&held.state, role, &rules, &openings),
            None => closed_view(&held.state, role, &rules),
        };
        let mut json = row(&audit, held, seen.office.now());
        if let Some(json) = json.as_object_mut() {
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
        Ok(files::register(held, openings(&runtime, seen, held, is_open)?.as_ref()))
    };
    of(hall, id, register).await
}

fn openings(
    runtime: &Handle,
    seen: &Seen<'_>,
    held: &Held,
    is_open: bool,
) -> Done<Option<Openings>> {
    let opened = || runtime.block_on(personal::openings(seen.office, &held.state));
    is_open.then(opened).transpose()
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
pub(super) async fn compose(hall: &Hall, id: String, who: &Kept, body: Value) -> Done<Value> {
    let ToCompose { by, record } = form(body)?;
    audit::begun_or_made_here(&record, &hall.sent().of(&id))?;
    let (runtime, standards) = (Handle::current(), hall.standards().to_owned());
    let still = still(hall, who);
    let composed = hall.look(move |seen| {
        still()?;
        let ours = (seen.home, seen.office);
        let made = audit::compose(&standards, ours, Some(id.as_str()), (by.as_str(), record));
        runtime.block_on(made)
    });
    Ok(json!({ "step": composed.await?.waiting }))
}
