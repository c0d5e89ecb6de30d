//! The policy: its rules, how much of each budget is used, who agrees to what, and what a proposed change does.

use axum::Router;
use axum::extract::Form;
use axum::routing::get;
use quorate_pages::{
    Field, Markup, Press, Tone, badge, details, digest, empty, facts, form, gauge, heading,
    long_field, outside, paragraph, table,
};
use quorate_terms::intent::Action;
use serde::Deserialize;

use super::paperwork::{BudgetUse, Way};
use super::visit::{Answered, Visit};
use super::{Here, Page, paper};

pub(crate) const PAGE: Page = Page {
    path: "/policy",
    label: "Policy",
    routes: |router: Router<Here>| router.route("/policy", get(shown).post(read)),
};

async fn shown(visit: Visit) -> Answered {
    let budgets = visit.console.office.budgets().await?;
    let (own, version) = &visit.status.policy;
    let about = facts(vec![
        ("Version", Markup::text(&version.to_string())),
        ("Digest", digest(&own.to_string())),
        ("Time zone", outside(&visit.status.policy_document.zone)),
    ]);
    let gauges = match budgets.as_slice() {
        [] => empty("No budget counts anything now.", "a transfer that counts will show here"),
        all => Markup::all(all.iter().map(|one| used(&visit, one))),
    };
    let mut body = vec![about, heading("Budgets"), gauges, rules(&visit), quorums(&visit)];
    if visit.may_file() {
        let field = Field {
            name: "policy",
            label: "A changed policy, as JSON or TOML",
            hint: "Version and predecessor are set for you. The next page tells in words what changes.",
            ..Field::default()
        };
        body.push(heading("Propose a change"));
        body.push(form("/policy", long_field(field), "Look at what it changes"));
    }
    visit.page("Policy", body)
}

fn used(visit: &Visit, one: &BudgetUse) -> Markup {
    let policy = &visit.status.policy_document;
    let mut parts = Vec::new();
    if let Some(limit) = one.limit {
        let said = |units| paper::sum_words(policy, &one.asset, units);
        let words = format!(
            "{}: {} of {} used",
            one.words,
            said(one.spent.checked_add(one.held).unwrap_or(one.spent)),
            said(limit)
        );
        parts.push(gauge(&words, one.spent, one.held, limit));
    }
    if let (have, Some(most)) = one.count {
        let words = format!("{}: {have} of {most} intents", one.words);
        parts.push(paragraph(Markup::text(&words)));
    }
    Markup::all(parts)
}

fn rules(visit: &Visit) -> Markup {
    let rules = visit.status.policy_document.rules.iter();
    let folded = rules.map(|rule| details(rule.id.as_str(), outside(&rule.text)));
    Markup::all([heading("Rules")].into_iter().chain(folded))
}

fn quorums(visit: &Visit) -> Markup {
    let policy = &visit.status.policy_document;
    let all = policy.quorums.iter().chain([&visit.status.charter_text.governance]);
    let row = |quorum: &quorate_terms::quorum::Quorum| {
        let members: Vec<&str> = quorum.members.iter().map(|who| who.as_str()).collect();
        vec![
            outside(quorum.name.as_str()),
            Markup::text(&format!("{} of {}", quorum.m, quorum.members.len())),
            outside(&members.join(", ")),
        ]
    };
    table("Quorums", &["Quorum", "Must agree", "Members"], all.map(row).collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    policy: String,
}

async fn read(visit: Visit, Form(proposed): Form<Proposed>) -> Answered {
    visit.operator()?;
    let review = visit.console.office.review(proposed.policy).await?;
    let rows = review.changes.iter().map(|(way, text)| {
        let way = match way {
            Way::Widens => badge(Tone::Bad, "widens"),
            Way::Unclear => badge(Tone::Warn, "read this"),
            Way::Tightens => badge(Tone::Good, "tightens"),
        };
        vec![way, outside(text)]
    });
    let changes = match review.changes.as_slice() {
        [] => empty("Nothing changes.", "change something and look again"),
        _ => table("What changes, what widens first", &["Way", "Change"], rows.collect()),
    };
    let about = facts(vec![
        ("Version", Markup::text(&review.document.version.to_string())),
        ("Digest that approvers will see", digest(&review.digest.to_string())),
    ]);
    let action = Action::ChangePolicy { policy: Box::new(review.document) };
    let button = visit.offer(action, ("Propose this policy", Press::Main))?;
    visit.page("Look at the policy", [about, changes, button])
}
