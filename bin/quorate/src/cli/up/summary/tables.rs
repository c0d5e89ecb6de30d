//! Everything that a founding would fix, in tables: what a charter names, and what the desk is configured with. What stands in
//! none of them would be founded unread.

use std::collections::BTreeSet;

use quorate_pages::{Markup, Tone, badge, facts, outside, paragraph, table};
use quorate_terms::charter::{ApproverSeat, CharterText, CosignerSeat, SourceSeat};
use quorate_terms::fact::FactKind;
use quorate_terms::passkey::{Passkey, ViewSeat};

use super::super::kept::Kept;
use super::super::paper::say;
use super::super::steps::{host, kinds};
use crate::cli::found::answers::AssetAnswer;
use crate::cli::found::plan::{self, Plan};
use crate::cli::trouble::Tried;
use crate::config::SourceConfig;

/// What stands, and gives something up.
pub(super) fn weak(charter: &CharterText) -> Markup {
    let mut all = Vec::new();
    let mut say = |words: &str| {
        all.push(paragraph(Markup::all([
            badge(Tone::Warn, "to look at"),
            Markup::text(" "),
            Markup::text(words),
        ])));
    };
    if !charter.sources.iter().any(|seat| seat.kinds.contains(&FactKind::Finality)) {
        say("No source of finality is named: nothing that is signed can close before one is.");
    }
    if charter.governance.m == 1 {
        say("One person alone can change every rule.");
    }
    if is_one(charter.cosigners.iter().map(|seat| seat.operator.as_str())) {
        say("One company runs every cosigner: whoever rules it can sign without the others.");
    }
    if charter.views.is_empty() {
        say(
            "No view is seated: everybody approves with a tool of their own, and nobody with a passkey.",
        );
    }
    if is_one(charter.views.iter().map(|seat| seat.operator.as_str())) {
        say(
            "One company runs every view: a view that lies shows one thing and has another approved, unless somebody looks at the \
             same case elsewhere.",
        );
    }
    if charter.approvers.len() == usize::try_from(charter.governance.m).unwrap_or(usize::MAX) {
        say("All approvers must agree to a change: one lost key stops every change for good.");
    }
    Markup::all(all)
}

/// Whether all of them, and there are some, are one and the same.
fn is_one<'a>(operators: impl Iterator<Item = &'a str>) -> bool {
    operators.map(str::trim).collect::<BTreeSet<_>>().len() == 1
}

/// Whoever gets a seat.
pub(super) fn parties(plan: &Plan) -> Markup {
    let charter = plan.draft();
    Markup::all([
        people(charter),
        passkeys(charter),
        views(charter),
        cosigners(plan),
        sources(plan),
    ])
}

/// A table, unless it would be empty.
fn some(caption: &str, headings: &[&str], rows: Vec<Vec<Markup>>) -> Markup {
    if rows.is_empty() { Markup::default() } else { table(caption, headings, rows) }
}

fn people(charter: &CharterText) -> Markup {
    let row = |seat: &ApproverSeat| {
        vec![
            outside(seat.approver.as_str()),
            outside(seat.person.as_str()),
            outside(&seat.key.to_string()),
        ]
    };
    let rows = charter.approvers.iter().map(row).collect();
    table("Approvers; compare each key with its person", &["Seat", "Person", "Key"], rows)
}

fn passkeys(charter: &CharterText) -> Markup {
    let row = |seat: &ApproverSeat, one: &Passkey| {
        vec![
            outside(seat.approver.as_str()),
            outside(one.credential.as_str()),
            outside(one.view.as_str()),
            outside(&one.key.to_string()),
        ]
    };
    let seats = charter.approvers.iter();
    let all = seats.flat_map(|seat| seat.passkeys.iter().map(move |one| (seat, one)));
    let rows = all.map(|(seat, one)| row(seat, one)).collect();
    let headings = ["Seat", "Passkey", "Works at view", "Key"];
    some("Passkeys that approve in the name of a seat", &headings, rows)
}

fn views(charter: &CharterText) -> Markup {
    let row = |seat: &ViewSeat| {
        vec![
            outside(seat.view.as_str()),
            outside(&seat.operator),
            outside(&seat.origin),
            outside(&seat.link.to_string()),
        ]
    };
    let rows = charter.views.iter().map(row).collect();
    let headings = ["View", "Run by", "Where", "Link key"];
    some("Views; compare each link key with its operator", &headings, rows)
}

fn cosigners(plan: &Plan) -> Markup {
    let row = |seat: &CosignerSeat| {
        let place = plan.cosigners.get(&seat.cosigner).map_or("", String::as_str);
        vec![
            outside(seat.cosigner.as_str()),
            outside(&seat.operator),
            outside(place),
            outside(&seat.identity.to_string()),
        ]
    };
    let rows = plan.draft().cosigners.iter().map(row).collect();
    let headings = ["Cosigner", "Run by", "Listens at", "Identity"];
    table("Cosigners; compare each identity with its operator", &headings, rows)
}

fn sources(plan: &Plan) -> Markup {
    let row = |seat: &SourceSeat| {
        let place = match plan.sources.get(seat.source.as_str()) {
            Some(SourceConfig::Link { address, .. }) => address.clone(),
            Some(SourceConfig::File { path }) => format!("file {}", path.display()),
            Some(SourceConfig::Http { url }) => host(url),
            None => String::new(),
        };
        vec![
            outside(seat.source.as_str()),
            outside(&kinds(seat)),
            outside(&place),
            outside(&seat.key.to_string()),
        ]
    };
    let rows = plan.draft().sources.iter().map(row).collect();
    let headings = ["Source", "Speaks on", "From", "Key"];
    some("Sources; compare each key with its operator", &headings, rows)
}

/// What the desk reaches, and where it is reached.
pub(super) fn world(plan: &Plan) -> Markup {
    let row = |(chain, url): (&quorate_terms::ChainId, &String)| {
        vec![outside(chain.as_str()), outside(&host(url))]
    };
    let rows = plan.chains.iter().map(row).collect();
    let console = match &plan.console_listen {
        Some(listen) => outside(listen),
        None => Markup::text("nowhere; it is closed"),
    };
    Markup::all([
        table("Networks", &["Network", "Node at"], rows),
        facts(vec![
            ("Others follow the book at", outside(&plan.book_listen)),
            ("The console listens at", console),
        ]),
    ])
}

/// The first rules.
pub(super) fn assets(kept: &Kept) -> Tried<Markup> {
    let answers = kept.answers();
    if answers.policy.is_some() {
        return Ok(say("The policy is a file of your own, as `--policy` named it."));
    }
    let row = |one: &AssetAnswer| {
        let (unit, sum) = (&one.symbol, |text: &str| outside(&format!("{text} {}", one.symbol)));
        vec![
            outside(unit),
            outside(&one.asset),
            sum(&one.alone),
            sum(&one.strangers),
            sum(&one.agent_daily),
            sum(&one.vault_daily),
        ]
    };
    let rows = plan::assets(answers)?.iter().map(row).collect();
    let headings = [
        "Symbol",
        "Asset",
        "An agent alone up to",
        "To somebody new",
        "An agent a day",
        "All in 24 hours",
    ];
    let caption = "The first rules; above what an agent may pay alone, two people must agree";
    Ok(table(caption, &headings, rows))
}

/// The files.
pub(super) fn written(kept: &Kept) -> Markup {
    let home = kept.home().display();
    let path = |file: &str| outside(&format!("{home}/{file}"));
    facts(vec![
        (
            "The desk's keys, made now",
            Markup::all([path("keys/log.seed"), Markup::text(" and "), path("keys/link.seed")]),
        ),
        ("The charter, for everybody", path("charter.json")),
        ("What receipts are verified against", path("verify.json")),
        ("The desk's configuration", path("desk.toml")),
    ])
}
