//! The ledger: entries page by page, one whole with its canonical bytes, and the newest checkpoint.

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use quorate_custody::Refusal;
use quorate_pages::{
    Markup, Tone, badge, details, digest, facts, heading, link, outside, paragraph, recompute,
    table, when,
};
use quorate_terms::Term as _;
use quorate_terms::digest::tag;
use quorate_terms::entry::Entry;
use serde::Deserialize;

use super::visit::{Answered, Visit};
use super::{Here, Page};
use crate::office::BookRequest;

pub(crate) const PAGE: Page = Page {
    path: "/ledger",
    label: "Ledger",
    routes: |router: Router<Here>| {
        router.route("/ledger", get(browse)).route("/ledger/{index}", get(one))
    },
};

/// Entries on a page.
const SHOWN: u64 = 50;

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
    let body = [checkpoint(&visit), table(&caption, &headings, rows), paragraph(Markup::all(ways))];
    visit.page("Ledger", body)
}

fn row(line: &str) -> Result<Vec<Markup>, Refusal> {
    let entry = Entry::from_canonical(line.as_bytes())?;
    Ok(vec![
        link(&format!("/ledger/{}", entry.index), &format!("Entry {}", entry.index)),
        outside(&kind(line)),
        when(entry.at),
        outside(&entry.digest()?.short()),
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
    let note = match &visit.status.checkpoint {
        Some(note) => details("The newest checkpoint, as it was signed", outside(note)),
        None => paragraph(badge(Tone::Warn, "no checkpoint was signed yet")),
    };
    Markup::all([state, note])
}

async fn one(visit: Visit, Path(index): Path<u64>) -> Answered {
    let book = visit.console.office.book(BookRequest { from: index, limit: 1 }).await?;
    let Some(line) = book.entries.first() else {
        let next = "look at the entries that there are";
        return Err(Refusal::new("nothing_here", "there is no such entry", next).into());
    };
    let entry = Entry::from_canonical(line.as_bytes())?;
    let own = entry.digest()?.to_string();
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
    let said = "Your browser hashes the bytes below itself. Only the checkpoint and the cosigners say that the ledger holds them.";
    let body = [
        about,
        heading("Its bytes"),
        paragraph(Markup::text(said)),
        recompute(tag::ENTRY, &own, line),
        paragraph(Markup::all(ways)),
    ];
    visit.page(&format!("Entry {index}"), body)
}
