//! The policy: what it says in words, how much of each budget is used, who agrees to what, and what a proposed change does.

mod proposal;

use axum::Router;
use axum::extract::{Form, Path};
use axum::routing::get;
use quorate_custody::Refusal;
use quorate_pages::{
    Field, Markup, Press, Tone, badge, details, digest, empty, facts, form, gauge, heading, link,
    long_field, outside, paragraph, table,
};
use quorate_terms::CaseId;
use quorate_terms::intent::Action;
use quorate_terms::policy::PolicyDocument;
use serde::Deserialize;

use super::paperwork::{BudgetUse, Said};
use super::visit::{Answered, Visit};
use super::{Here, Page, paper};

pub(crate) const PAGE: Page = Page {
    path: "/policy",
    label: "Policy",
    routes: |router: Router<Here>| {
        router.route("/policy", get(shown).post(read)).route("/policy/cases/{case}", get(proposed))
    },
};

async fn shown(visit: Visit) -> Answered {
    let budgets = visit.console.office.budgets().await?;
    let (own, version) = &visit.status.policy;
    let about = facts(vec![
        ("Version", Markup::text(&version.to_string())),
        ("Digest", digest(&own.to_string())),
        ("Time zone", outside(&visit.status.policy_document.zone)),
    ]);
    let used = match budgets.as_slice() {
        [] => empty("No budget counts anything now.", "a transfer that counts will show here"),
        all => gauges(&visit.status.policy_document, all),
    };
    let words = visit.console.office.words().await?;
    let said = [heading("What it says"), sentences(&words)];
    let mut body = vec![about, heading("Budgets"), used];
    body.extend(said.into_iter().chain([rules(&visit), quorums(&visit)]));
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

/// How much of each budget is used.
fn gauges(policy: &PolicyDocument, budgets: &[BudgetUse]) -> Markup {
    Markup::all(budgets.iter().map(|one| used(policy, one)))
}

fn used(policy: &PolicyDocument, one: &BudgetUse) -> Markup {
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

/// Each part in words. A rule that is not told in words is shown as it was written, and that is said.
fn sentences(words: &[Said]) -> Markup {
    let line = |said: &Said| {
        let text = match said.caution {
            None => outside(&said.text),
            Some(caution) => Markup::all([
                badge(Tone::Warn, "not told in words"),
                paragraph(Markup::text(caution)),
                outside(&said.text),
            ]),
        };
        vec![outside(&said.field), text]
    };
    table("What the policy says", &["Part", "In words"], words.iter().map(line).collect())
}

fn rules(visit: &Visit) -> Markup {
    let rules = visit.status.policy_document.rules.iter();
    let folded = rules.map(|rule| details(rule.id.as_str(), outside(&rule.text)));
    Markup::all([heading("Rules as they are written")].into_iter().chain(folded))
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
    let looked = proposal::look(&visit, &review).await;
    let action = Action::ChangePolicy { policy: Box::new(review.document) };
    let button = visit.offer(action, ("Propose this policy", Press::Main))?;
    visit.page("Look at the policy", [looked, button])
}

/// The policy that a case would put in force, for whoever may look.
async fn proposed(mut visit: Visit, Path(id): Path<String>) -> Answered {
    // Each look reads the whole book, so the page does not bring itself up to date.
    visit.is_live = false;
    let case: CaseId = id.parse()?;
    let Some(review) = visit.console.office.proposed(case).await? else {
        let message = "the case is not about a policy";
        return Err(Refusal::new("unknown_case", message, "look at the list of cases").into());
    };
    let back = paragraph(link(&format!("/cases/{case}"), "The case, with who has agreed so far"));
    let looked = proposal::look(&visit, &review).await;
    visit.page("A proposed policy", [back, looked])
}
