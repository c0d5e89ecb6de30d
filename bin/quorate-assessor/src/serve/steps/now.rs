//! What can be done now: the steps that the workflow has a place for in this stage, for who is signed in, and what is still to
//! be judged.

use std::collections::BTreeMap;

use quorate_assessor::finding::Finding;
use quorate_pages::{Markup, details, digest, empty, facts, link, outside, table};
use quorate_terms::Digest;

use super::table::{self, act};
use crate::audit::Held;
use crate::serve::paper::{Page, listed, path, state};
use crate::serve::visitor::Visitor;

/// Links to the forms of every step that this visitor can compose in this stage.
pub(in crate::serve) fn steps(id: &str, held: &Held, who: &Visitor) -> Markup {
    if held.state.void().is_some() {
        return empty("Nothing is to be done: the audit is void.", "Begin a new engagement.");
    }
    let here = held.state.stage();
    let here = if here.is_empty() { held.workflow.first_stage() } else { here };
    let mut rows = Vec::new();
    for form in table::steps() {
        let Some(step) = held.workflow.step(act(form.id)) else { continue };
        if !step.stages.contains(here) {
            continue;
        }
        let parties = who.takes(&held.state, &step.roles);
        if parties.is_empty() {
            continue;
        }
        let by: Vec<&str> = parties.iter().map(|party| party.person.as_str()).collect();
        let href = format!("{}/steps/{}", path("/audits", id), form.id);
        let says = Markup::running(form.says);
        rows.push(vec![link(&href, form.title), listed(by), says]);
    }
    if rows.is_empty() {
        let next = "Others take the next step; the dates below say until when.";
        return empty("Nothing is to be done by you in this stage.", next);
    }
    table("Steps that have a place in this stage", &["Step", "Taken by", "What it is for"], rows)
}

/// Requirements without a finding, each with a link to its form.
pub(in crate::serve) fn to_judge(id: &str, held: &Held, who: &Visitor) -> Markup {
    let roles = held.workflow.step("found").map(|step| step.roles.clone()).unwrap_or_default();
    let here = held.state.stage();
    let has_place = held.workflow.step("found").is_some_and(|step| step.stages.contains(here));
    if !has_place || who.takes(&held.state, &roles).is_empty() {
        return Markup::default();
    }
    let open = held.requirements.iter().filter(|requirement| {
        let id = &requirement.id;
        !held.state.findings().contains_key(id) && !held.state.shares().contains_key(id)
    });
    let head = path("/audits", id);
    let links: Vec<Markup> = open
        .map(|requirement| {
            let href = format!("{head}/steps/found?on={}", requirement.id);
            Markup::all([link(&href, &requirement.id), Markup::text(" ")])
        })
        .collect();
    if links.is_empty() {
        return empty("Every requirement is judged.", "Write the report.");
    }
    let title = format!("{} requirements are still to be judged", links.len());
    details(&title, Markup::all(links))
}

/// What the requirement asks and what the machine found, beside the form that judges it.
pub(super) fn beside_a_finding(
    page: &mut Page,
    held: &Held,
    machine: &BTreeMap<String, (Digest, Finding)>,
    on: &str,
) {
    let Some(asked) = held.requirements.iter().find(|requirement| requirement.id == on) else {
        return;
    };
    let mut rows = vec![("It asks", outside(&asked.text))];
    match machine.get(on) {
        Some((name, finding)) => {
            rows.push(("The machine found", state(finding.state)));
            rows.push(("Because", listed(finding.reasons.iter().map(String::as_str))));
            rows.push(("Its finding", digest(&name.to_string())));
        }
        None => {
            let next = "nothing yet: quorate-assessor assess writes findings for every requirement";
            rows.push(("The machine found", Markup::text(next)));
        }
    }
    page.body.insert(1, facts(rows));
}
