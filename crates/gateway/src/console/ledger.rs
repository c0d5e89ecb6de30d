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
use quorate_terms::entry::Entry;
use quorate_terms::{Digest, Term as _};
use serde::Deserialize;

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
    let size = visit.status.size;
    let newest = size.saturating_sub(SHOWN);
    let from = wanted.from.unwrap_or(newest).min(newest);
    let book = visit.console.office.book(BookRequest { from, limit: SHOWN }).await?;
    let mut rows = Vec::new();
    for line in book.entries.iter().rev() {
        rows.push(row(line)?);
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

fn row(line: &str) -> Result<Vec<Markup>, Refusal> {
    let entry = Entry::from_canonical(line.as_bytes())?;
    Ok(vec![
        link(&format!("/ledger/{}", entry.index), &format!("Entry {}", entry.index)),
        outside(&kind(line)),
        when(entry.at),
        // The bytes are canonical, or they would not have been read.
        outside(&Digest::of(tag::ENTRY, line.as_bytes()).short()),
    ])
}

/// The kind of an entry, as it stands in its bytes.
fn kind(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    value.pointer("/body/type").and_then(serde_json::Value::as_str).unwrap_or("unknown").to_owned()
}

fn checkpoint(visit: &Visit) -> Markup {
    let cosigners = visit.status.cosigners.iter();
    let behind = cosigners.filter(|one| one.size != Some(visit.status.size)).count();
    let follow = match behind {
        0 => badge(Tone::Good, "every cosigner follows to the end"),
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
    let Some(last) = visit.status.size.checked_sub(1) else { return Ok(Markup::default()) };
    let answer = visit.console.office.proof(ProofRequest::Entry { index: last }).await?;
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
    let Some(line) = book.entries.first() else {
        let next = "look at the entries that there are";
        return Err(Refusal::new("nothing_here", "there is no such entry", next).into());
    };
    let entry = Entry::from_canonical(line.as_bytes())?;
    let own = Digest::of(tag::ENTRY, line.as_bytes()).to_string();
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
        ("Kind", outside(&kind(line))),
        ("When", when(entry.at)),
        ("Rules", outside(&entry.rules)),
        ("Digest", digest(&own)),
        ("Digest of the entry before", digest(&entry.prev.to_string())),
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
        recompute(tag::ENTRY, &own, line),
        heading("Its place in the ledger"),
        shown,
        paragraph(Markup::all(ways)),
    ];
    visit.page(&format!("Entry {index}"), body)
}
