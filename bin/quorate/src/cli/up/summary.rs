//! What would be founded, in words, and founding it. The form carries the name of what was shown: had the answers changed since,
//! nothing is founded.

mod tables;

use axum::Router;
use axum::extract::Form;
use axum::routing::{get, post};
use quorate_pages::{Markup, facts, form, heading, hidden, link, outside, paragraph};
use quorate_policy::words::span;
use quorate_terms::charter::CharterText;

use super::door::Here;
use super::kept::Kept;
use super::paper::say;
use super::steps::{self, next};
use super::visit::{Answered, Typed, Visit, said};
use crate::cli::found::plan::Plan;
use crate::cli::trouble::{Tried, Trouble};

/// Adds the first page, the summary and the founding itself.
pub(super) fn routes(router: Router<Here>) -> Router<Here> {
    router.route("/", get(first)).route("/summary", get(shown)).route("/found", post(found))
}

async fn first(visit: Visit) -> Answered {
    let path = visit.founder.kept(|kept| match kept.is_founded() {
        true => "/next",
        false => next(kept.answers()),
    });
    Visit::go(path)
}

async fn shown(visit: Visit) -> Answered {
    show(&visit, None)
}

fn show(visit: &Visit, trouble: Option<&Trouble>) -> Answered {
    if visit.founder.kept(|kept| kept.is_founded()) {
        return Visit::go("/next");
    }
    let body = visit.founder.kept(|kept| {
        let told = planned(kept).and_then(|(plan, shown)| words(kept, &plan, &shown));
        told.unwrap_or_else(|trouble| missing(&trouble))
    });
    visit.page("What will be founded", body, trouble)
}

fn planned(kept: &Kept) -> Tried<(Plan, String)> {
    let answers = kept.resolved();
    if let Some(field) = answers.missing().first() {
        return Err(Trouble::new(*field, "is missing", "answer it in its step"));
    }
    Ok((Plan::of(&answers)?, kept.digest()?.to_string()))
}

fn missing(trouble: &Trouble) -> Markup {
    // The first page leads to a step that is not done, and back to this one where each is done.
    let way = match steps::owner(&trouble.field) {
        Some(step) => link(step.path, &format!("Go to: {}", step.label)),
        None => Markup::text("Each step stands at the top of this page."),
    };
    Markup::all([
        say("It cannot be founded yet. Nothing was written."),
        facts(vec![
            ("What", outside(&trouble.field)),
            ("Why", outside(&trouble.why)),
            ("What to do next", outside(&trouble.mend)),
        ]),
        paragraph(way),
    ])
}

fn words(kept: &Kept, plan: &Plan, shown: &str) -> Tried<Markup> {
    let charter = plan.draft();
    Ok(Markup::all([
        sentences(charter),
        tables::weak(charter),
        tables::parties(plan),
        tables::world(plan),
        tables::assets(kept)?,
        heading("What it writes"),
        tables::written(kept),
        form("/found", hidden(&[("shown", shown)]), "Found this vault"),
        paragraph(link(steps::STEPS.last().map_or("/", |step| step.path), "Back")),
    ]))
}

fn sentences(charter: &CharterText) -> Markup {
    let (m, n) = (charter.governance.m, charter.governance.members.len());
    let rows = vec![
        ("Vault", outside(charter.vault.as_str())),
        (
            "People",
            Markup::text(&format!(
                "{n} approvers. Any {m} of them together change the charter and the policy, and resume after a stop. Any one of them stops everything."
            )),
        ),
        (
            "Signing",
            Markup::text(&format!(
                "Any {} of {} cosigners together sign. No one of them can, and no one of them ever holds a whole key.",
                charter.threshold,
                charter.cosigners.len()
            )),
        ),
        (
            "Changes",
            Markup::text(&format!(
                "A changed charter waits {} after people agreed, on each cosigner's own clock.",
                span(charter.change_delay_s)
            )),
        ),
        (
            "Finality",
            Markup::text(&format!(
                "A transaction is final with {} blocks on it, its own among them.",
                charter.finality_depth
            )),
        ),
        ("Checkpoints", outside(&charter.log.origin)),
    ];
    facts(rows)
}

async fn found(visit: Visit, Form(typed): Form<Typed>) -> Answered {
    let done = visit.founder.kept(|kept| {
        let (_, shown) = planned(kept)?;
        if shown != said(&typed, "shown") {
            let mend = "read the summary again, and press the button under it";
            return Err(Trouble::new("summary", "is not of what stands there now", mend));
        }
        kept.found().map(drop)
    });
    match done {
        Ok(()) => {
            visit.founder.is_founded_now();
            Visit::go("/next")
        }
        Err(trouble) => show(&visit, Some(&trouble)),
    }
}
