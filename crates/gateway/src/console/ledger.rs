//! The ledger: entries page by page, one whole with its canonical bytes, and the newest checkpoint.

use axum::extract::{Path, Query};
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use quorate_custody::Refusal;
use quorate_pages::{
    Markup, Proof, Tone, badge, digest, facts, heading, link, outside, paragraph, proof, recompute,
    table, when,
};
use quorate_terms::digest::tag;
use quorate_terms::{Digest, Timestamp};
use serde::Deserialize;

use super::gate::COSIGNER_EVENTS;
use super::visit::{Answered, Visit};
use super::{Here, Page};
use crate::office::{BookRequest, ProofRequest, Reply};

pub(crate) const PAGE: Page = Page {
    path: "/ledger",
    label: "Ledger",
    routes: |router: Router<Here>| {
        router
            .route("/ledger", get(browse))
            .route("/ledger/consistency", get(consistency))
            .route("/ledger/{index}", get(one))
    },
};

/// Entries on a page.
const SHOWN: u64 = 50;
/// Where a page gets proofs that the ledger only grew.
const EXTENDS: &str = "/ledger/consistency";

#[derive(Deserialize)]
struct Wanted {
    from: Option<u64>,
}

async fn browse(visit: Visit, Query(wanted): Query<Wanted>) -> Answered {
    let visit = Visit { events: COSIGNER_EVENTS, ..visit };
    let size = visit.status.size;
    let newest = size.saturating_sub(SHOWN);
    let from = wanted.from.unwrap_or(newest).min(newest);
    let book = visit.console.office.book(BookRequest { from, limit: SHOWN }).await?;
    let mut rows = Vec::new();
    for text in book.entries.iter().rev() {
        rows.push(row(text)?);
    }
    let caption = format!("Entries from {from}, the newest first");
    let mut ways = Vec::new();
    if from > 0 {
        ways.push(link(&format!("/ledger?from={}", from.saturating_sub(SHOWN)), "Older entries"));
        ways.push(Markup::text(" "));
    }
    if from < newest {
        ways.push(link(&format!("/ledger?from={}", from.saturating_add(SHOWN)), "Newer entries"));
    }
    let headings = ["Entry", "Kind", "When", "Digest"];
    let body = [
        checkpoint(&visit),
        growth(&visit).await?,
        heading("Entries"),
        table(&caption, &headings, rows),
        paragraph(Markup::all(ways)),
    ];
    visit.page("Ledger", body)
}

/// What every entry says of itself, whatever happened. A page shows the bytes and their digest, so it judges no form.
#[derive(Deserialize)]
struct Line {
    index: u64,
    prev: Digest,
    at: Timestamp,
    rules: String,
    body: Kind,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    name: String,
}

impl Line {
    fn read(text: &str) -> Result<Self, Refusal> {
        serde_json::from_str(text).map_err(|e| {
            let why = format!("an entry cannot be read ({e})");
            Refusal::new("unreadable", why, "run `quorate doctor`")
        })
    }
}

fn row(text: &str) -> Result<Vec<Markup>, Refusal> {
    let line = Line::read(text)?;
    Ok(vec![
        link(&format!("/ledger/{}", line.index), &format!("Entry {}", line.index)),
        outside(&line.body.name),
        when(line.at),
        outside(&Digest::of(tag::ENTRY, text.as_bytes()).short()),
    ])
}

fn checkpoint(visit: &Visit) -> Markup {
    let cosigners = visit.status.cosigners.iter();
    let behind = cosigners.filter(|one| one.size != Some(visit.status.size)).count();
    let follow = match behind {
        0 => badge(Tone::Good, "every cosigner follows to the end"),
        1 => badge(Tone::Note, "one cosigner has not been heard to the end yet"),
        _ => badge(Tone::Note, &format!("{behind} cosigners have not been heard to the end yet")),
    };
    let state = facts(vec![
        ("Entries", Markup::text(&visit.status.size.to_string())),
        ("Cosigners", follow),
        ("Void entries", Markup::text(&visit.status.voids.len().to_string())),
    ]);
    match &visit.status.checkpoint {
        Some(_) => state,
        None => Markup::all([state, paragraph(badge(Tone::Warn, "no checkpoint was signed yet"))]),
    }
}

/// The newest checkpoint, for the browser to compare with the one that it knew.
async fn growth(visit: &Visit) -> Reply<Markup> {
    let answer = visit.console.office.proof(ProofRequest::Newest).await?;
    if answer.checkpoint.is_empty() {
        return Ok(Markup::default());
    }
    let shown = proof(&Proof {
        vault: &visit.status.vault,
        log: &answer.log,
        note: &answer.checkpoint,
        entry: None,
        extends: EXTENDS,
    });
    Ok(Markup::all([heading("Checked in this browser"), shown]))
}

/// Sizes of the ledger.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    from: u64,
    to: u64,
}

async fn consistency(visit: Visit, Query(Sizes { from, to }): Query<Sizes>) -> Answered {
    let answer = visit.console.office.proof(ProofRequest::Extension { from, to }).await?;
    Ok(Json(answer).into_response())
}

async fn one(visit: Visit, Path(index): Path<u64>) -> Answered {
    let book = visit.console.office.book(BookRequest { from: index, limit: 1 }).await?;
    let Some(text) = book.entries.first() else {
        let next = "look at the entries that there are";
        return Err(Refusal::new("nothing_here", "there is no such entry", next).into());
    };
    let line = Line::read(text)?;
    let own = Digest::of(tag::ENTRY, text.as_bytes()).to_string();
    let mut ways = Vec::new();
    if index > 0 {
        ways.push(link(&format!("/ledger/{}", index.saturating_sub(1)), "The entry before"));
        ways.push(Markup::text(" "));
    }
    let after = index.saturating_add(1);
    if after < visit.status.size {
        ways.push(link(&format!("/ledger/{after}"), "The entry after"));
    }
    let about = facts(vec![
        ("Kind", outside(&line.body.name)),
        ("When", when(line.at)),
        ("Rules", outside(&line.rules)),
        ("Digest", digest(&own)),
        ("Digest of the entry before", digest(&line.prev.to_string())),
    ]);
    let said = "Your browser hashes the bytes below itself, and checks that the ledger holds them under a checkpoint of the log. \
                This page comes from the desk: what does not depend on it at all is `quorate-verify`, with an export or a receipt.";
    let answer = visit.console.office.proof(ProofRequest::Entry { index }).await?;
    let shown = proof(&Proof {
        vault: &visit.status.vault,
        log: &answer.log,
        note: &answer.checkpoint,
        entry: Some((index, &answer.hashes)),
        extends: EXTENDS,
    });
    let body = [
        about,
        heading("Its bytes"),
        paragraph(Markup::running(said)),
        recompute(tag::ENTRY, &own, text),
        heading("Its place in the ledger"),
        shown,
        paragraph(Markup::all(ways)),
    ];
    visit.page(&format!("Entry {index}"), body)
}
