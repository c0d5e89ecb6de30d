//! What each route answers: the JSON of the command that does the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::waiting::{Answer, Waiting};
use quorate_assessor::record::Record;
use quorate_assessor::standard::StandardKey;
use quorate_host::SystemClock;
use quorate_host::clock::Clock as _;
use quorate_host::ui::Ui;
use quorate_terms::{Digest, canonical};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::query::Query;
use super::{Answer as Told, Brought, audited, files, form, marks as marked};
use crate::audit::{self, Taken, open_with};
use crate::bulletin;
use crate::cli::Standards;
use crate::commands::{self, control_key};
use crate::report::recorded;
use crate::run::{self, Asked, Evidence, Run};
use crate::serve::hall::{Hall, Open, Seen};
use crate::serve::marks;
use crate::token::{self, Kept, Scope};
use crate::trouble::{Done, Trouble};
use crate::{look as looking, screen, standards};

/// What is only looked at.
pub(super) async fn look(
    hall: &Arc<Hall>,
    id: &str,
    name: String,
    (who, query): (Option<&Kept>, Query),
) -> Done<Value> {
    // What is about people is for tokens that may do an auditor's work.
    let is_open = who.is_some_and(|who| who.scope == Scope::File);
    match id {
        "status" => hall.look(|seen| Ok(commands::status(seen.home, seen.office)?.json)).await,
        "standards" => hall.look(all_standards).await,
        "assessments" => hall.look(move |seen| Ok(assessments(seen, &query))).await,
        "assessment" => hall.look(move |seen| assessment(seen, &name)).await,
        "control" => hall.look(move |seen| control(seen, &name)).await,
        "history" => hall.look(move |seen| history(seen, &query)).await,
        "bulletin" => hall.look(told).await,
        "workflows" => workflows(hall).await,
        "audits" => audits(hall).await,
        "audit" => audited::view(hall, name, is_open).await,
        "calendar" => audited::calendar(hall, name).await,
        "report" => audited::report(hall, name).await,
        "evidence" => audited::evidence(hall, name, is_open).await,
        "marks" => Ok(marks::data(hall.register().await?.as_ref())),
        "mark" => marks::one(hall.register().await?.as_ref(), &name),
        "mark_file" => marks::whole(hall.register().await?.as_ref(), &name),
        "status_list" => Ok(hall.status().await?.as_ref().clone()),
        "checkpoint" => marked::checkpoint(hall, query.get("old").unwrap_or_default()).await,
        _ => Err(Trouble::fault("route", "this route answers nothing yet", "report this")),
    }
}

/// What changes something.
pub(super) async fn change(
    hall: &Arc<Hall>,
    (id, name): (&str, String),
    who: &Kept,
    brought: Brought,
) -> Done<Told> {
    let body = match brought {
        Brought::Form(body) => body,
        Brought::File(file) => return Ok(files::seal(hall, name, who, file).await?.into()),
    };
    let told = match id {
        "open_file" => return files::open(hall, &name, who, body).await,
        "assess" => assess(hall, who, body).await,
        "compose_step" => audited::compose(hall, name, who, body).await,
        "take_step" => take_step(hall, &name, who, body).await,
        "compose_claim" => marked::compose(hall, name, who, body).await,
        "take_claim" => marked::claim(hall, &name, who, body).await,
        "offer_mark" => marked::offer(hall, who, body).await,
        "issue_mark" => marked::issue(hall, &name, who, body).await,
        "finish_mark" => marked::finish(hall, name, who, body).await,
        "suspend_mark" => marked::suspend(hall, name, who, body).await,
        _ => Err(Trouble::fault("route", "this route changes nothing yet", "report this")),
    };
    told.map(Told::from)
}

/// Whose token it is.
pub(super) fn me(who: &Kept) -> Value {
    json!({
        "name": who.name, "scope": who.scope, "expires": who.expires, "assessors": who.assessors,
    })
}

/// As a program reads it: no colours.
fn plain() -> Ui {
    Ui::new(true, true)
}

fn all_standards(seen: &Seen<'_>) -> Done<Value> {
    let mut json = standards::run(seen.shelf, &plain(), &Standards::List)?.json;
    let all = json.get_mut("standards").and_then(Value::as_array_mut);
    for one in all.into_iter().flatten().filter_map(Value::as_object_mut) {
        let text =
            |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key = StandardKey { standard: text("standard"), version: text("version") };
        let newest = seen.office.lines().iter().rev().find_map(|line| match &line.body {
            Record::Assessed { standard, results, reached, .. } if *standard == key => {
                Some((line.at, *results, reached.clone()))
            }
            _ => None,
        });
        if let Some((at, results, reached)) = newest {
            let counts = recorded(seen.home, &results)?.reached.counts;
            one.insert("results".to_owned(), json!(results));
            one.insert("assessed".to_owned(), json!(at));
            one.insert("reached".to_owned(), json!(reached));
            one.insert("counts".to_owned(), json!(counts));
        }
    }
    Ok(json)
}

fn assessments(seen: &Seen<'_>, query: &Query) -> Value {
    let after = query.get("after").unwrap_or(u64::MAX);
    let limit = query.get("limit").and_then(|limit| usize::try_from(limit).ok());
    let older = seen.office.lines().iter().rev().filter(|line| line.index < after);
    let mut all = older.filter_map(|line| match &line.body {
        Record::Assessed { standard, results, sought, reached, .. } => Some((
            line.index,
            json!({
                "standard": standard.to_string(), "results": results, "at": line.at,
                "entry": line.index, "sought": sought, "reached": reached,
            }),
        )),
        _ => None,
    });
    let page: Vec<(u64, Value)> = all.by_ref().take(limit.unwrap_or_default()).collect();
    let last = page.last().map(|(index, _)| *index);
    let next_after = all.next().and(last);
    let page: Vec<Value> = page.into_iter().map(|(_, one)| one).collect();
    json!({ "assessments": page, "next_after": next_after })
}

fn assessment(seen: &Seen<'_>, digest: &str) -> Done<Value> {
    let digest: Digest = digest.parse()?;
    let is_it =
        |body: &Record| matches!(body, Record::Assessed { results, .. } if *results == digest);
    if !seen.office.lines().iter().any(|line| is_it(&line.body)) {
        let message = format!("no assessment {} is on record", digest.short());
        return Err(Trouble::refused("unknown_results", message, "list the assessments"));
    }
    let results = recorded(seen.home, &digest)?;
    Ok(json!({ "results": results, "sha256": digest }))
}

fn control(seen: &Seen<'_>, key: &str) -> Done<Value> {
    let key = control_key(seen.shelf, key)?;
    let ours = (seen.home, seen.office, seen.shelf);
    Ok(looking::show(&plain(), ours, (&key, seen.asked), None)?.json)
}

fn history(seen: &Seen<'_>, query: &Query) -> Done<Value> {
    let days = query.get("days").and_then(|days| u32::try_from(days).ok()).unwrap_or_default();
    Ok(looking::history(&plain(), seen.office, seen.shelf, None, days)?.json)
}

/// What `bulletin` writes, in the order of its file: a desk believes no other.
fn told(seen: &Seen<'_>) -> Done<Value> {
    let signed = bulletin::signed(seen.home, seen.office, seen.shelf)?;
    Ok(canonical::from_bytes(&signed.to_bytes()?, "bulletin")?)
}

async fn workflows(hall: &Hall) -> Done<Value> {
    let standards = hall.standards().to_owned();
    hall.look(move |_| Ok(audit::list(&standards)?.json)).await
}

async fn audits(hall: &Arc<Hall>) -> Done<Value> {
    let standards = hall.standards().to_owned();
    let made = hall.look(move |seen| {
        let steps = seen.office.lines().iter().filter_map(|line| match &line.body {
            Record::Audited(step) => Some(step.audit.as_str()),
            _ => None,
        });
        let ids: BTreeSet<&str> = steps.collect();
        let one = |id: &str| match open_with(&standards, seen.home, seen.office, id) {
            Ok(held) => row(id, &held, seen.office.now()),
            Err(trouble) => json!({ "audit": id, "error": trouble }),
        };
        Ok(json!({ "audits": ids.into_iter().map(one).collect::<Vec<_>>() }))
    });
    made.await
}

pub(super) fn row(id: &str, held: &audit::Held, now: quorate_terms::Timestamp) -> Value {
    let engagement = held.state.engagement();
    json!({
        "audit": id,
        "entity": engagement.map(|e| &e.entity),
        "system": engagement.map(|e| &e.system),
        "standard": engagement.map(|e| format!("{} {}", e.standard, e.version)),
        "stage": held.state.stage(),
        "word": held.state.word(now),
        "steps": held.state.done().len(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToAssess {
    standard: String,
    #[serde(default)]
    level: Option<String>,
}

/// As `assess` does it, in the scope that the pages were started with.
async fn assess(hall: &Hall, who: &Kept, body: Value) -> Done<Value> {
    let ToAssess { standard, level } = form(body)?;
    let key: StandardKey = standard.parse()?;
    let (runtime, token) = (Handle::current(), who.name.clone());
    let still = still(hall, who);
    let assessed = hall.work(move |open, shelf, asked| {
        still()?;
        let asked = Asked { level, ..asked.clone() };
        let catalogue = run::catalogue(&shelf.library, &key)?;
        let Open { home, office, .. } = open;
        let evidence = Evidence::load(home, office, shelf, &asked)?;
        let run = Run::new(office, shelf, &asked, &evidence);
        let (results, digest) = runtime.block_on(run::assess(home, office, &run, &key))?;
        tracing::info!(%token, standard = %key, results = %digest, "assessed at the office");
        Ok(screen::results(&plain(), catalogue, &results, &digest, false).json)
    });
    assessed.await
}

/// A step that was composed here or elsewhere, with its person's answer.
pub(super) struct Signed {
    pub(super) waiting: Waiting,
    pub(super) answer: Answer,
}

impl Signed {
    /// Reads it, if it is of this audit.
    pub(super) fn read(audit: &str, body: Value) -> Done<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Sent {
            step: Value,
            answer: String,
        }
        let Sent { step, answer } = form(body)?;
        let answer: Answer = answer.parse()?;
        let waiting = Waiting::from_bytes(&canonical::to_bytes(&step, "step")?)?;
        if waiting.audit != audit {
            let message = "the step is of another audit than the path";
            return Err(Trouble::refused("malformed", message, "send it to its own audit"));
        }
        Ok(Self { waiting, answer })
    }
}

async fn take_step(hall: &Hall, audit: &str, who: &Kept, body: Value) -> Done<Value> {
    let signed = Signed::read(audit, body)?;
    if matches!(signed.waiting.record, Act::ExhibitOpened(_)) {
        let message = "a file is opened where it is given out";
        return Err(Trouble::refused(
            "not_composed",
            message,
            "send it to /audits/AUDIT/files/opened",
        ));
    }
    Ok(take(hall, who, signed).await?.json())
}

/// Takes a step. The signature of its person is what counts; the token only opens the door.
pub(super) async fn take(hall: &Hall, who: &Kept, signed: Signed) -> Done<Taken> {
    let Signed { waiting, answer } = signed;
    let (runtime, standards) = (Handle::current(), hall.standards().to_owned());
    let (still, token, sent) = (still(hall, who), who.name.clone(), hall.sent().clone());
    let taken = hall.work(move |open, _, _| {
        still()?;
        let files = sent.of(&waiting.audit);
        let composed = audit::composed_elsewhere(&open.office, waiting, &files)?;
        let Waiting { audit, by, record, .. } = &composed.waiting;
        let ground = (&open.home, &mut open.office);
        let taken = runtime.block_on(audit::answer(&standards, ground, &composed, &answer))?;
        if let Act::ExhibitFiled(filing) = record
            && let Some(file) = &filing.exhibit.file
        {
            sent.named(audit, file);
        }
        tracing::info!(%token, %by, audit, step = record.kind(), "recorded a step at the office");
        Ok(taken)
    });
    taken.await
}

/// Asks whether a token is still in force. It is asked when the office's turn has come, which may be long after the request.
pub(super) fn still(hall: &Hall, who: &Kept) -> impl FnOnce() -> Done<()> + Send + use<> {
    let (dir, token, clock) = (hall.dir().to_owned(), who.token, SystemClock::new());
    move || token::demanded(&dir, token, clock.now()).map(drop)
}
