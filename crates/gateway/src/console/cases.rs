//! Cases: all of them, and one as a line of entries from filing to receipt, each of them one click from its proof.

use axum::Router;
use axum::extract::{Form, Path, Query};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::{get, post};
use quorate_custody::State;
use quorate_pages::{
    Markup, Press, digest, elsewhere, empty, facts, heading, link, outside, paragraph, progress,
    table, timeline, when,
};
use quorate_terms::CaseId;
use quorate_terms::intent::Action;
use quorate_terms::judgment::{Judgment, Reason};
use serde::Deserialize;

use super::filing::Yes;
use super::paperwork::Tried;
use super::visit::{Answered, Ask, Visit, asked};
use super::{Here, Page, paper, runbook};
use crate::office::{CaseView, PageRequest, Reply};

pub(crate) const PAGE: Page = Page {
    path: "/cases",
    label: "Cases",
    routes: |router: Router<Here>| {
        router
            .route("/cases", get(all))
            .route("/cases/{case}", get(one))
            .route("/cases/{case}/runbook", get(runbook::shown))
            .route("/cases/{case}/simulation", get(simulation))
            .route("/cases/{case}/receipt", get(receipt))
            .route("/cases/{case}/replace", post(replace))
    },
};

/// Cases on a page.
const SHOWN: u32 = 25;

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    open: bool,
    after: Option<CaseId>,
}

async fn all(visit: Visit, Query(wanted): Query<Wanted>) -> Answered {
    let Wanted { open, after } = wanted;
    let ask = PageRequest { all: !open, limit: SHOWN, after };
    let page = visit.console.office.page(ask).await?;
    let cases: Vec<&CaseView> = page.cases.iter().rev().collect();
    let none = ("There are no cases.", "file a transfer, or admit an agent that does");
    let caption = match (open, after) {
        (true, _) => "Open cases, the newest first",
        (false, None) => "The newest cases",
        (false, Some(_)) => "Older cases",
    };
    let also = match open {
        true => link("/cases", "All cases"),
        false => link("/cases?open=true", "Open cases only"),
    };
    let older = page.next_after.map_or_else(Markup::default, |last| {
        let path = format!("/cases?open={open}&after={last}");
        Markup::all([Markup::text(" "), link(&path, "Older cases")])
    });
    let ways = paragraph(Markup::all([also, older]));
    visit.page("Cases", [paper::cases((caption, visit.status.now), &cases, none), ways])
}

async fn one(visit: Visit, Path(id): Path<String>) -> Answered {
    let id: CaseId = id.parse()?;
    let case = visit.console.office.case(id).await?;
    let story = visit.console.office.story(id).await?;
    let moments = story.iter().map(|moment| {
        let entry = link(&format!("/ledger/{}", moment.index), &format!("entry {}", moment.index));
        let words = Markup::text(&format!("{} ", moment.kind));
        let said = match moment.said.as_str() {
            "" => Markup::default(),
            said => outside(said),
        };
        (moment.at, Markup::all([words, said, Markup::text(" · "), entry]))
    });
    let body = [
        about(&case),
        proposal(&case),
        quorums(&visit, &case),
        heading("What happened"),
        timeline(moments.collect()),
        doing(&visit, &case)?,
    ];
    visit.page(&format!("Case {}", id.intent().short()), body)
}

fn about(case: &CaseView) -> Markup {
    let mut rows = vec![
        ("What", outside(&case.summary)),
        ("State", paper::state(&case.state)),
        ("Asked by", outside(&case.requester)),
        ("Filed", when(case.filed_at)),
        ("Case", digest(&case.case.intent().to_string())),
    ];
    if let (Some(at), false) = (case.expires_at, matches!(case.state, State::Closed(_))) {
        rows.push(("Expires unless signing begins", when(at)));
    }
    if let Some(txid) = &case.txid {
        rows.push(("Transaction", digest(txid.strip_prefix("0x").unwrap_or(txid))));
    }
    if let Some(reason) = &case.reason {
        rows.push(("Why it ended so", outside(reason)));
    }
    if case.kind == "transfer" && !matches!(case.state, State::Closed(_)) {
        let path = format!("/cases/{}/simulation", case.case);
        rows.push(("Simulation", link(&path, "What the desk's node thinks that it would change")));
    }
    if case.kind == "open_wallet" {
        let path = format!("/cases/{}/runbook", case.case);
        rows.push(("Key generation", link(&path, "The runbook, live")));
    }
    if matches!(case.state, State::Closed(_)) {
        let path = format!("/cases/{}/receipt", case.case);
        rows.push(("Receipt", link(&path, "Take the receipt, to verify it elsewhere")));
    }
    Markup::all([
        facts(rows),
        case.judgment.as_ref().map(|one| reasons(one, &case.state)).unwrap_or_default(),
    ])
}

/// The way to what a change of policy does, while it can still be refused.
fn proposal(case: &CaseView) -> Markup {
    if case.kind != "change_policy" || matches!(case.state, State::Closed(_)) {
        return Markup::default();
    }
    let path = format!("/policy/cases/{}", case.case);
    let words = "What it changes, what it newly allows, and the last 90 days under it";
    paragraph(link(&path, words))
}

/// Why policy says so, and what to do next as long as that can still be done: nobody is asked once enough have agreed.
fn reasons(judgment: &Judgment, state: &State) -> Markup {
    if judgment.reasons().is_empty() {
        return Markup::default();
    }
    let asks = matches!(judgment, Judgment::Require { .. });
    let is_over = asks && !matches!(state, State::AwaitApprovals);
    // What is asked for names nothing but quorums; other advice may hold words of others.
    let next = |next: &str| if asks { Markup::running(next) } else { outside(next) };
    let row = |reason: &Reason| {
        let said = [outside(&reason.rule), outside(&reason.message)];
        said.into_iter().chain((!is_over).then(|| next(&reason.next))).collect::<Vec<_>>()
    };
    let rows = judgment.reasons().iter().map(row).collect();
    let headings = ["Rule", "Reason", "What to do next"];
    let most = if is_over { 2 } else { headings.len() };
    table("Why policy says so", headings.get(..most).unwrap_or(&headings), rows)
}

/// How far each quorum has come, and where people say their word: never here.
fn quorums(visit: &Visit, case: &CaseView) -> Markup {
    let bars = case.tallies.iter().map(|tally| {
        let have = u32::try_from(tally.counted.len()).unwrap_or(u32::MAX);
        let who: Vec<&str> = tally.counted.iter().map(|who| who.as_str()).collect();
        let words = match who.as_slice() {
            [] => format!("{} agree", tally.quorum),
            _ => format!("{} agree: {}", tally.quorum, who.join(", ")),
        };
        progress(have, tally.need, &words)
    });
    let bars = Markup::all(bars);
    if !matches!(case.state, State::AwaitApprovals) {
        return bars;
    }
    let views = &visit.status.charter_text.views;
    let places = views.iter().map(|view| {
        let origin = elsewhere(&format!("{}/cases/{}", view.origin, case.case));
        paragraph(Markup::all([outside(&view.operator), Markup::text(": "), origin]))
    });
    let said = "Approvers say their word at their own view or with their own tool, which this desk does not run.";
    Markup::all([bars, paragraph(Markup::text(said))].into_iter().chain(places))
}

/// What an operator can do about a case.
fn doing(visit: &Visit, case: &CaseView) -> Reply<Markup> {
    let mut all = Vec::new();
    if case.kind == "transfer" && !matches!(case.state, State::Closed(_)) {
        let action = Action::Cancel { case: case.case };
        all.push(visit.offer(action, ("Give this case up", Press::No))?);
    }
    if matches!(case.state, State::AwaitConfirmation) {
        let ask = (format!("/cases/{}/replace", case.case), Markup::default());
        let words = ("Give the stuck transaction a higher fee", Press::Aside);
        all.push(visit.question(Ask::Replace(case.case), (&ask.0, ask.1), words)?);
    }
    Ok(Markup::all(all))
}

async fn replace(visit: Visit, Path(id): Path<String>, Form(yes): Form<Yes>) -> Answered {
    visit.operator()?;
    let Ask::Replace(case) = visit.answered(&yes.ask)? else { return Err(asked().into()) };
    if id != case.to_string() {
        return Err(asked().into());
    }
    visit.console.office.replace(case).await?;
    Ok(Redirect::to(&format!("/cases/{case}")).into_response())
}

/// A page of its own, because it waits for a node.
async fn simulation(visit: Visit, Path(id): Path<String>) -> Answered {
    let id: CaseId = id.parse()?;
    let found = visit.console.office.simulated(Tried::Case(id)).await?;
    let shown = match &found {
        Some(found) => paper::simulation(found),
        None => empty("There is nothing to try.", "only an open transfer is simulated"),
    };
    let back = paragraph(link(&format!("/cases/{id}"), "The case"));
    visit.page(&format!("Simulation of case {}", id.intent().short()), [shown, back])
}

async fn receipt(visit: Visit, Path(id): Path<String>) -> Answered {
    let id: CaseId = id.parse()?;
    let receipt = visit.console.office.receipt(id).await?.receipt;
    let name = format!("attachment; filename=\"receipt-{}.json\"", id.intent().short());
    let kind = "application/json".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], receipt)
        .into_response())
}
