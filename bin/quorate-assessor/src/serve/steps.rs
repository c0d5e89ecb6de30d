//! Steps of audits, taken in the pages: a form, a question that shows what will be recorded, the person's signature from where
//! the key is, and the same functions as the command line's that judge and write it.
//!
//! Reading order: the forms ([`table`]), what they take from the audit ([`made`]), lists in them ([`rows`]), from fields to a
//! record ([`given`]), buttons beside the main one ([`press`]), files ([`upload`]), the pages ([`drawn`], [`form`]), and what can
//! be done now ([`now`]).
//!
//! Invariant: a step is taken once for each question, and only with its person's signature, whoever is signed in.

mod drawn;
mod form;
mod given;
mod made;
pub(super) mod now;
mod press;
#[cfg(test)]
mod probe;
mod rows;
mod table;
mod upload;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, Form, Multipart, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::personal::Openings;
use quorate_assessor::audit::waiting::Answer as Signed;
use serde::Deserialize;

use self::form::Takers;
use self::given::{Bad, Given, Places};
use self::made::Grounds;
use self::table::{ENGAGED, StepForm};
use super::audits;
use super::hall::{Ask, Hall, Open};
use super::paper::{Nav, Page};
use super::routes::{Answer, Refused, at_once, file};
use super::visitor::{Visit, Visitor};
use crate::audit::{self, Held, Taken, compose, machine, open_with, personal, workflows};
use crate::trouble::{Done, Trouble};

type Here = State<Arc<Hall>>;

/// The most objections to one record that are shown at once.
const REASONS_MAX: usize = 100;

pub(super) use upload::{ARRIVES_WITHIN, BODY, REQUEST_BYTES};

#[cfg(test)]
pub(super) use probe::{read_again, shown_for};

/// The kinds of record that have a form.
#[cfg(test)]
pub(super) fn forms() -> Vec<&'static str> {
    table::steps().chain([&ENGAGED]).map(|form| table::act(form.id)).collect()
}

/// Adds what audits answer. Everything but the forms that bring files has its body come at once, also what was there before.
pub(super) fn routes(router: Router<Arc<Hall>>) -> Router<Arc<Hall>> {
    let forms = Router::new()
        .route("/engage", get(ask_engagement).post(engage))
        .route("/audits/{audit}/steps/{step}", get(ask_step).post(take_step))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES));
    router
        .route("/audits", get(all))
        .route("/audits/{audit}", get(one))
        .route("/audits/{audit}/waiting", post(waiting))
        .route("/audits/{audit}/answer", post(answer))
        .route("/audits/{audit}/file", post(fetch))
        .layer(from_fn(at_once))
        .merge(forms)
}

fn page(hall: &Hall, visit: &Visit, here: &str, page: Page) -> Response {
    Html(page.render(hall.name(), here, Nav::of(Some(&visit.who)))).into_response()
}

async fn all(State(hall): Here, Extension(visit): Extension<Visit>) -> Answer {
    let (standards, who) = (hall.standards().to_owned(), visit.who.clone());
    let made = hall.look(move |seen| audits::audits(seen, &standards, &who)).await?;
    Ok(page(&hall, &visit, "/audits", made))
}

async fn one(
    State(hall): Here,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Answer {
    let made = audits::audit(&hall, &visit.who, &id).await?;
    Ok(page(&hall, &visit, "", made))
}

/// What a form is about.
#[derive(Deserialize, Default)]
struct On {
    #[serde(default)]
    on: String,
}

async fn ask_engagement(hall: Here, Extension(visit): Extension<Visit>) -> Answer {
    shown(&hall, &visit, (None, &ENGAGED), &On::default().on).await
}

async fn ask_step(
    hall: Here,
    Extension(visit): Extension<Visit>,
    Path((id, step)): Path<(String, String)>,
    Query(about): Query<On>,
) -> Answer {
    shown(&hall, &visit, (Some(&id), known(&step)?), &about.on).await
}

fn known(step: &str) -> Done<&'static StepForm> {
    table::form(step).ok_or_else(|| {
        Trouble::refused("unknown_step", "there is no such step", "choose one of the audit's page")
    })
}

async fn engage(hall: Here, Extension(visit): Extension<Visit>, parts: Multipart) -> Answer {
    came(&hall, &visit, (None, &ENGAGED), parts).await
}

async fn take_step(
    hall: Here,
    Extension(visit): Extension<Visit>,
    Path((id, step)): Path<(String, String)>,
    parts: Multipart,
) -> Answer {
    came(&hall, &visit, (Some(&id), known(&step)?), parts).await
}

/// What a form stands on, read from the open office.
struct Ground {
    held: Option<Held>,
    takers: Takers,
    kept: Openings,
    machine: BTreeMap<String, (quorate_terms::Digest, quorate_assessor::finding::Finding)>,
    workflows: Vec<quorate_assessor::audit::Workflow>,
    standards: Vec<String>,
}

impl Ground {
    /// Fails for who takes no part, and for a step that this visitor has nobody to take for.
    async fn of(
        hall: &Hall,
        open: &Open,
        who: &Visitor,
        about: (Option<&str>, &StepForm),
    ) -> Done<Self> {
        let (Some(id), form) = about else { return Self::first(hall, who) };
        let held = seen(hall, open, who, id)?;
        let step = held.workflow.step(table::act(form.id));
        let roles = step.map(|step| step.roles.clone()).unwrap_or_default();
        let parties = who.takes(&held.state, &roles);
        let words = |p: &&quorate_assessor::audit::record::Party| {
            (p.person.clone(), format!("{}, {} of {}", p.person, p.name, p.firm))
        };
        let takers: Takers = parties.iter().map(words).collect();
        if takers.is_empty() {
            let next = "let the right person sign in; the workflow says who may";
            return Err(Trouble::refused(
                "not_yours",
                "this step is not for you in this audit",
                next,
            ));
        }
        Ok(Self {
            kept: personal::openings(&open.office, &held.state).await?,
            machine: machine::newest(&open.home, &open.office, &held)?,
            held: Some(held),
            takers,
            workflows: Vec::new(),
            standards: Vec::new(),
        })
    }

    fn first(hall: &Hall, who: &Visitor) -> Done<Self> {
        if !who.sees_office() {
            let next = "ask the office; it begins audits";
            return Err(Trouble::refused("not_yours", "this page is for the office", next));
        }
        let standards = hall.shelf().library.catalogues.values();
        Ok(Self {
            held: None,
            takers: Takers::new(),
            kept: Openings::new(),
            machine: BTreeMap::new(),
            workflows: workflows(hall.standards())?,
            standards: standards.map(|catalogue| catalogue.key().to_string()).collect(),
        })
    }

    fn grounds<'a>(
        &'a self,
        open: &'a Open,
        (id, on): (&'a str, &'a str),
        file: Option<&'a upload::Upload>,
    ) -> Grounds<'a> {
        Grounds {
            held: self.held.as_ref(),
            kept: &self.kept,
            now: open.office.now(),
            on,
            id,
            machine: &self.machine,
            workflows: &self.workflows,
            standards: self.standards.clone(),
            file,
            report: None,
            copy: OnceLock::new(),
        }
    }
}

/// An audit, for who takes part in it; for others it is not there.
pub(super) fn seen(hall: &Hall, open: &Open, who: &Visitor, id: &str) -> Done<Held> {
    let none = || {
        let next = "see the page Audits";
        Trouble::refused("no_audit", "no audit of that id names you", next)
    };
    match open_with(hall.standards(), &open.home, &open.office, id) {
        Ok(held) if who.role(&held.state).is_some() => Ok(held),
        Err(trouble) if who.sees_office() => Err(trouble),
        _ => Err(none()),
    }
}

fn action(about: (Option<&str>, &StepForm)) -> String {
    match about {
        (Some(id), form) => format!("{}/steps/{}", super::paper::path("/audits", id), form.id),
        (None, _) => "/engage".to_owned(),
    }
}

/// An empty form.
async fn shown(hall: &Hall, visit: &Visit, about: (Option<&str>, &StepForm), on: &str) -> Answer {
    let open = hall.enter().await?;
    let made = async {
        let ground = Ground::of(hall, &open, &visit.who, about).await?;
        let grounds = ground.grounds(&open, (about.1.id, on), None);
        let parts = (about.1, &grounds);
        let mut made = form::page(parts, &action(about), &ground.takers, (None, &Bad::new()));
        if let Some(held) = &ground.held
            && about.1.id == "found"
        {
            now::beside_a_finding(&mut made, held, &ground.machine, on);
        }
        Ok::<_, Trouble>(made)
    };
    let made = made.await;
    open.close().await;
    Ok(page(hall, visit, "", made?))
}

/// What became of a form.
enum Outcome {
    /// It is shown again with what is wrong.
    Form(Page),
    /// It is shown again because another button than the main one was pressed.
    Shown(Page),
    /// It waits for its signature.
    Composed(Arc<audit::Composed>, Option<upload::Upload>),
}

/// By whom a form is sent, and for what: asked before a file is read.
struct Door<'a> {
    hall: &'a Hall,
    visit: &'a Visit,
    about: (Option<&'a str>, &'a StepForm),
}

impl Door<'_> {
    /// A key and a place for a file, where the step takes one and the visitor may take the step.
    async fn room(&self) -> Done<upload::Room> {
        let Self { hall, visit, about } = self;
        if !about.1.fields.iter().any(|field| matches!(field.kind, table::Kind::File)) {
            let next = "send the page's form; evidence is put on file by a step of its own";
            return Err(Trouble::refused("upload", "this step takes no file", next));
        }
        let key = hall.key()?;
        let open = hall.enter().await?;
        let may = Ground::of(hall, &open, &visit.who, *about).await.map(drop);
        open.close().await;
        may?;
        Ok(upload::Room { key, place: hall.place().await? })
    }
}

async fn came(
    hall: &Hall,
    visit: &Visit,
    about: (Option<&str>, &StepForm),
    parts: Multipart,
) -> Answer {
    let upload::Form { given, file } = upload::read(&Door { hall, visit, about }, parts).await?;
    let open = hall.enter().await?;
    let outcome = match judged(hall, (&open, visit), about, (given, file)).await {
        // While the folder is held: to anybody else, a file that is being written looks like a leftover.
        Ok(Outcome::Composed(composed, Some(file))) => {
            let sealed = open.last(move |home| upload::seal(home, file)).await;
            sealed.map(|()| Outcome::Composed(composed, None))
        }
        outcome => {
            open.close().await;
            outcome
        }
    };
    match outcome? {
        Outcome::Form(made) => {
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(hall, visit, "", made)).into_response())
        }
        Outcome::Shown(made) => Ok(page(hall, visit, "", made)),
        Outcome::Composed(composed, _) => {
            let ask = hall.ask(visit, Ask::Step(Arc::clone(&composed)))?;
            let made = form::question(about.1.title, &composed.waiting, &ask, None)?;
            Ok(page(hall, visit, "", made))
        }
    }
}

async fn judged(
    hall: &Hall,
    (open, visit): (&Open, &Visit),
    about: (Option<&str>, &StepForm),
    (mut given, file): (Given, Option<upload::Upload>),
) -> Done<Outcome> {
    let ground = Ground::of(hall, open, &visit.who, about).await?;
    let mut grounds = ground.grounds(open, (about.1.id, ""), file.as_ref());
    let by = given.get("taker").cloned().unwrap_or_default();
    let is_taker = ground.held.is_none() || ground.takers.iter().any(|(id, _)| *id == by);
    if !is_taker {
        return Err(Trouble::refused(
            "not_yours",
            "this step is not for you in this audit",
            "sign in as who takes it",
        ));
    }
    let pressed = press::pressed(about.1.fields, &mut given)?;
    grounds.report = made::read_report(about.1.fields, &grounds, &given);
    let beside = match pressed {
        Some(pressed) => Some(pressed.done(about.1, &grounds, &mut given)?),
        None => None,
    };
    let again = |bad: &Bad| {
        let given = Some(&given);
        form::page((about.1, &grounds), &action(about), &ground.takers, (given, bad))
    };
    if let Some(bad) = beside {
        let made = again(&bad);
        return Ok(if bad.is_empty() { Outcome::Shown(made) } else { Outcome::Form(made) });
    }
    let (record, places) = match given::record(about.1, &grounds, &given) {
        Ok(Ok(read)) => read,
        Ok(Err(bad)) => return Ok(Outcome::Form(again(&bad))),
        Err(trouble) if trouble.refused => return Ok(Outcome::Form(again(&said(&trouble)))),
        Err(trouble) => return Err(trouble),
    };
    let ours = (&open.home, &open.office);
    match compose(hall.standards(), ours, about.0, (&by, record.clone())).await {
        Ok(composed) => {
            let copy = grounds.copy.get().cloned().unwrap_or_default();
            Ok(Outcome::Composed(Arc::new(audit::Composed { copy, ..composed }), file))
        }
        Err(trouble) if trouble.refused => {
            let (bad, others) = marked(about.1, (&record, &places), reasons(&trouble));
            let mut made = again(&bad);
            others.into_iter().for_each(|why| made.alert(quorate_pages::Tone::Bad, why));
            Ok(Outcome::Form(made))
        }
        Err(trouble) => Err(trouble),
    }
}

/// What is said against a record: beside the fields of which it speaks, and the others. Nobody reads more than the first
/// [`REASONS_MAX`], and one form must not hold the office up.
fn marked(
    form: &StepForm,
    (record, places): (&Act, &Places),
    mut reasons: Vec<String>,
) -> (Bad, Vec<String>) {
    let (mut bad, mut others) = (Bad::new(), Vec::new());
    let rest = reasons.len().saturating_sub(REASONS_MAX);
    reasons.truncate(REASONS_MAX);
    let mut about = (form.about)(record, &reasons).into_iter();
    for why in reasons {
        let speaks_of = about.next().unwrap_or_default();
        let fields: Vec<&String> =
            speaks_of.iter().filter_map(|at| given::filled(places, at)).collect();
        for field in &fields {
            let said = bad.entry((*field).clone()).or_default();
            if !said.is_empty() {
                said.push_str("; ");
            }
            // Beside its field the rule's name says nothing more.
            said.push_str(why.split_once(": ").map_or(why.as_str(), |(_, said)| said));
        }
        if fields.is_empty() {
            others.push(why);
        }
    }
    if rest > 0 {
        others.push(format!("{rest} more objections; mend these first"));
    }
    (bad, others)
}

fn reasons(trouble: &Trouble) -> Vec<String> {
    let message = match trouble.message.strip_prefix("`file` ") {
        Some(rest) => format!("the file {rest}"),
        None => trouble.message.clone(),
    };
    let own = format!("{message} ({})", trouble.next);
    if trouble.problems.is_empty() { vec![own] } else { trouble.problems.clone() }
}

fn said(trouble: &Trouble) -> Bad {
    Bad::from([(String::new(), reasons(trouble).join("; "))])
}

/// The question that is answered, by its name.
#[derive(Deserialize)]
struct Asked {
    ask: String,
    #[serde(default)]
    answer: String,
}

fn over() -> Refused {
    let next = "go back to the audit and compose the step again";
    let message = "this question was answered, or waited too long";
    Trouble::refused("answered", message, next).into()
}

fn step_of(
    hall: &Hall,
    visit: &Visit,
    asked: &Asked,
    id: &str,
) -> Result<Arc<audit::Composed>, Refused> {
    match hall.answered(visit, &asked.ask) {
        Some(Ask::Step(composed)) if composed.waiting.audit == id => Ok(composed),
        _ => Err(over()),
    }
}

/// The step as a file, for where the key is. The question goes on.
async fn waiting(
    State(hall): Here,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Answer {
    let composed = step_of(&hall, &visit, &asked, &id)?;
    hall.ask_again(&visit, &asked.ask, Ask::Step(Arc::clone(&composed)));
    let bytes = composed.waiting.to_bytes().map_err(Trouble::from)?;
    file(&form::file_name(&composed.waiting), "application/json", bytes)
}

/// The person's answer: the step is taken, or the question stands as it was.
async fn answer(
    State(hall): Here,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Answer {
    let composed = step_of(&hall, &visit, &asked, &id)?;
    let outcome = match asked.answer.parse::<Signed>() {
        Ok(signed) => taken(&hall, &composed, &signed).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(taken) => {
            let (by, step) = (&composed.waiting.by, composed.waiting.record.kind());
            let who = visit.who.name();
            tracing::info!(who, %by, audit = %id, step, "recorded a step at the office");
            // The step is on record: what fails from here on is said beside it, and takes nothing back.
            let file = taken.opened.clone().map(|(name, digest)| Ask::File(name, digest));
            let ticket = file.map(|file| hall.ask(&visit, file)).transpose();
            Ok(page(&hall, &visit, "", form::done(&composed.waiting, &taken, ticket)))
        }
        // A fault settles nothing: the step's own place keeps it from being taken twice.
        Err(trouble) if is_about_the_answer(&trouble) || !trouble.refused => {
            hall.ask_again(&visit, &asked.ask, Ask::Step(Arc::clone(&composed)));
            if let Some(left_out) = hall.known().now() {
                let (who, code) = (visit.who.name(), trouble.code);
                tracing::warn!(who, audit = %id, code, left_out, "no step was recorded at the office");
            }
            let trouble = Trouble { message: reasons(&trouble).join("; "), ..trouble };
            let made = form::question(
                "Nothing was recorded",
                &composed.waiting,
                &asked.ask,
                Some(&trouble),
            )?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&hall, &visit, "", made)).into_response())
        }
        Err(trouble) => Err(trouble.into()),
    }
}

fn is_about_the_answer(trouble: &Trouble) -> bool {
    let signature =
        |p: &String| p.starts_with("step_is_signed") || p.starts_with("signature_is_true");
    trouble.code == "malformed" || trouble.problems.iter().any(signature)
}

async fn taken(hall: &Hall, composed: &audit::Composed, signed: &Signed) -> Done<Taken> {
    let mut open = hall.enter().await?;
    let ground = (&open.home, &mut open.office);
    let taken = audit::answer(hall.standards(), ground, composed, signed).await;
    open.close().await;
    taken
}

/// Gives a file whose opening is on record: a download, whatever is in it.
async fn fetch(
    State(hall): Here,
    Extension(visit): Extension<Visit>,
    Path(_): Path<String>,
    Form(asked): Form<Asked>,
) -> Answer {
    let Some(Ask::File(name, digest)) = hall.answered(&visit, &asked.ask) else {
        return Err(over());
    };
    // Asked again at once: whatever goes wrong, and whoever goes away meanwhile, the opening on record keeps its file.
    hall.ask_again(&visit, &asked.ask, Ask::File(name.clone(), digest));
    let given = file(&name, "application/octet-stream", hall.opened(digest).await?)?;
    hall.answered(&visit, &asked.ask).ok_or_else(over)?;
    Ok(given)
}
