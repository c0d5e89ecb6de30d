//! What each role sees: its part and no more. Which parts, the workflow says; the reviewer never sees raw evidence, whatever
//! it says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calendar::due;
use super::machine::Rules;
use super::personal::{Openings, beside};
use super::redact::apply;
use super::report::report;
use super::state::Audit;
use super::workflow::Role;
use crate::ccss::inherit::left;

/// A part of an audit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Entity, system, level, period, parties by name.
    Engagement,
    /// Systems, environments, inventory.
    Scope,
    /// Reviewers on the list.
    Options,
    /// Who declared independence.
    Declarations,
    /// Evidence, raw, with its access log.
    Exhibits,
    /// Samples with their populations.
    Samples,
    /// Findings, raw.
    Findings,
    /// Requirements that are not in place: what an implementer mends.
    Gaps,
    /// What is left after inheritance.
    Left,
    /// The report on compliance.
    Report,
    /// The redacted copy of it.
    Redacted,
    /// Comments and answers.
    Review,
    /// The summary.
    Summary,
    /// The request for a certificate.
    Request,
    /// Certificate and mark.
    Certificate,
    /// Changes that were disclosed.
    Changes,
    /// Deadlines.
    Calendar,
}

/// What a role sees of an audit. Values about people are opened for those who see exhibits; to all others only what the
/// redacted copy leaves standing.
pub fn view(
    audit: &Audit,
    role: Role,
    rules: &Rules<'_>,
    openings: &Openings,
) -> BTreeMap<Part, Value> {
    let sees = rules.workflow.role(role).map(|text| &text.sees);
    let all = sees.is_some_and(|sees| sees.contains(&Part::Exhibits));
    let mut view = closed_view(audit, role, rules);
    for (part, value) in &mut view {
        if all || *part == Part::Redacted {
            *value = beside(value, openings);
        }
    }
    view
}

/// As [`view`], with values about people as their commitments, whether they were erased or not.
pub fn closed_view(audit: &Audit, role: Role, rules: &Rules<'_>) -> BTreeMap<Part, Value> {
    let Some(text) = rules.workflow.role(role) else { return BTreeMap::new() };
    text.sees.iter().map(|part| (*part, seen(audit, *part, rules))).collect()
}

fn seen(audit: &Audit, part: Part, rules: &Rules<'_>) -> Value {
    match part {
        Part::Engagement => engagement(audit),
        Part::Scope => json!(audit.scope),
        Part::Options => json!(audit.options.as_ref().map(|o| {
            o.reviewers
                .iter()
                .map(|r| json!({ "person": r.person, "firm": r.firm }))
                .collect::<Vec<_>>()
        })),
        Part::Declarations => json!(audit.declared),
        Part::Exhibits => {
            json!({ "on_file": audit.exhibits, "struck": audit.struck, "opened": audit.opened })
        }
        Part::Samples => json!(audit.samples),
        Part::Findings => json!(audit.findings),
        Part::Gaps => gaps(audit, rules),
        Part::Left => {
            json!(left(rules.requirements, &audit.shares).iter().map(|r| &r.id).collect::<Vec<_>>())
        }
        Part::Report => match audit.report {
            Some(digest) => {
                json!({ "digest": digest, "report": report(audit, rules.requirements) })
            }
            None => Value::Null,
        },
        Part::Redacted => redacted(audit, rules),
        Part::Review => json!({ "comments": audit.comments, "complete": audit.reviewed }),
        Part::Summary => json!(audit.summary),
        Part::Request => json!(audit.request),
        Part::Certificate => {
            json!({ "certificate": audit.certificate, "mark": audit.mark, "granted": audit.granted })
        }
        Part::Changes => json!({ "disclosed": audit.changes, "void": audit.void }),
        Part::Calendar => json!(due(audit, rules.workflow)),
    }
}

fn engagement(audit: &Audit) -> Value {
    let Some(e) = &audit.engagement else { return Value::Null };
    let party = |p: &super::record::Party| json!({ "person": p.person, "name": p.name, "firm": p.firm, "role": p.role });
    json!({
        "audit": e.audit, "standard": e.standard, "version": e.version, "entity": e.entity, "system": e.system,
        "designation": e.designation, "sought": e.sought, "period": e.period, "first": e.first, "stage": audit.stage,
        "parties": audit.parties.values().map(party).collect::<Vec<_>>(),
    })
}

/// Only ids, and only once the report is written: an implementer sees no finding in the making.
fn gaps(audit: &Audit, rules: &Rules<'_>) -> Value {
    if audit.report.is_none() {
        return Value::Null;
    }
    let grade = audit.grade(rules.requirements);
    json!(grade.aspects.iter().map(|(id, aspect)| (id, &aspect.stops)).collect::<BTreeMap<_, _>>())
}

/// The copy, made again from the report and the strokes on file; nothing while the two do not fit.
fn redacted(audit: &Audit, rules: &Rules<'_>) -> Value {
    let Some(redaction) = &audit.redaction else { return Value::Null };
    let copy = apply(&report(audit, rules.requirements), &redaction.strokes);
    let fits =
        |copy: &Value| super::signed::digest_of(copy).is_ok_and(|digest| digest == redaction.copy);
    copy.ok()
        .filter(fits)
        .map_or(Value::Null, |copy| json!({ "digest": redaction.copy, "copy": copy }))
}
