//! The first page: what waits, what moved, how everything is.

use axum::routing::get;
use quorate_custody::State;
use quorate_pages::{Markup, Tone, badge, facts, heading, link, outside, paragraph, table, when};

use super::gate::COSIGNER_EVENTS;
use super::visit::{Answered, Visit};
use super::{Page, paper};
use crate::office::{CaseView, CasesRequest};

pub(crate) const PAGE: Page =
    Page { path: "/", label: "Home", routes: |router| router.route("/", get(home)) };

/// Cases that are over, on the page.
const OVER: u32 = 10;
/// Open cases on the page.
const OPEN: u32 = 50;

async fn home(visit: Visit) -> Answered {
    let visit = Visit { events: COSIGNER_EVENTS, ..visit };
    let office = &visit.console.office;
    let open = office.cases(CasesRequest { all: false, limit: OPEN }).await?;
    // However many of the newest are open, so many beyond them are not.
    let limit = OVER.saturating_add(u32::try_from(open.len()).unwrap_or(OPEN));
    let newest = office.cases(CasesRequest { all: true, limit }).await?;
    let is_over = |case: &&CaseView| matches!(case.state, State::Closed(_));
    let over: Vec<&CaseView> = newest.iter().filter(is_over).collect();
    let open: Vec<&CaseView> = open.iter().collect();
    let waits = ("Nothing is open.", "a new transfer or an agent's request will stand here");
    let none = ("Nothing is over yet.", "what settles or is refused will stand here");
    let more = match visit.status.open_cases > open.len() {
        true => paragraph(link("/cases?open=true", "Every open case")),
        false => Markup::default(),
    };
    let body = [
        heading("What waits"),
        paper::cases(("Open cases", visit.status.now), &open, waits),
        more,
        heading("What moved"),
        paper::cases(("Cases that are over", visit.status.now), &over, none),
        heading("How everything is"),
        health(&visit),
    ];
    visit.page("Home", body)
}

fn health(visit: &Visit) -> Markup {
    let status = &visit.status;
    let alerts = status.alerts.len();
    let tone = if alerts == 0 { Tone::Good } else { Tone::Warn };
    let words = if alerts == 0 { "none open".to_owned() } else { format!("{alerts} open") };
    let checkpoint = if status.checkpoint.is_some() { Tone::Good } else { Tone::Warn };
    let signed = if status.checkpoint.is_some() { "signed" } else { "not signed yet" };
    let summary = facts(vec![
        (
            "Alerts",
            Markup::all([badge(tone, &words), Markup::text(" "), link("/alerts", "Alerts")]),
        ),
        ("Entries in the ledger", Markup::text(&status.size.to_string())),
        ("Newest checkpoint", badge(checkpoint, signed)),
        ("Policy in force", Markup::text(&format!("version {}", status.policy.1))),
        ("The desk's clock", when(status.now)),
    ]);
    Markup::all([summary, cosigners(visit), chains(visit)])
}

/// Who signs, and how far each follows.
pub(crate) fn cosigners(visit: &Visit) -> Markup {
    let row = |one: &crate::office::CosignerView| {
        let (tone, words) = if one.up { (Tone::Good, "up") } else { (Tone::Bad, "away") };
        let follows = one.size.map_or_else(|| "not heard".to_owned(), |size| size.to_string());
        let trouble = one.trouble.as_deref().map_or_else(|| Markup::text("none"), outside);
        vec![outside(&one.cosigner), badge(tone, words), Markup::text(&follows), trouble]
    };
    let rows = visit.status.cosigners.iter().map(row).collect();
    table("Cosigners", &["Cosigner", "Link", "Follows to", "Last refusal"], rows)
}

fn chains(visit: &Visit) -> Markup {
    let row = |(chain, height): (&quorate_terms::ChainId, &Result<u64, String>)| {
        let said = match height {
            Ok(height) => Markup::text(&format!("block {height}")),
            Err(why) => Markup::all([badge(Tone::Bad, "no answer"), outside(why)]),
        };
        vec![outside(chain.as_str()), said]
    };
    table("Chains", &["Chain", "Node"], visit.status.chains.iter().map(row).collect())
}
