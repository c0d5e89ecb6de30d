//! The report on compliance as one value, before anyone decides how it looks. Its digest is what reviewer and summary bind.

use quorate_terms::Timestamp;
use serde_json::{Map, Value, json};

use super::record::{Party, Summary};
use super::state::Audit;
use super::workflow::Role;
use crate::ccss::requirement::Requirement;

/// The report as the audit stands.
pub fn report(audit: &Audit, requirements: &[Requirement]) -> Value {
    let mut whole = Map::new();
    let mut put = |key: &str, value: Value| drop(whole.insert(key.to_owned(), value));
    if let Some(e) = &audit.engagement {
        put("audit", json!(e.audit));
        put("standard", json!({ "id": e.standard, "version": e.version }));
        put("entity", json!(e.entity));
        put("system", json!(e.system));
        put("designation", json!({ "is": e.designation, "why": e.designation_why }));
        put("sought", json!(e.sought));
        put("period", json!({ "testing": e.period, "first": e.first }));
        put("retention", json!(e.retention));
        // Reports of older ledgers say nothing of it, and their digests are on file.
        if e.signed_steps == Some(false) {
            put("steps", json!("steps were not signed"));
        }
    }
    put("parties", parties(audit));
    put("scope", json!(audit.scope));
    put("grade", json!(audit.grade(requirements)));
    put("findings", json!(audit.findings));
    put("inherited", json!({ "shares": audit.shares, "providers": audit.providers }));
    put("exhibits", json!(audit.exhibits));
    put("struck", json!(audit.struck));
    put("samples", json!(audit.samples));
    Value::Object(whole)
}

/// The summary of the report on file; none before there is one. Only its description is anybody's own words.
pub fn summary(
    audit: &Audit,
    requirements: &[Requirement],
    description: &str,
    on: Timestamp,
) -> Option<Summary> {
    let e = audit.engagement.as_ref()?;
    let grade = audit.grade(requirements);
    let level = |rank: u8| rank.min(e.sought);
    let aspects = grade.aspects.iter();
    let named = |party: &Party| match &party.number {
        Some(number) => format!("{} ({number})", party.name),
        None => party.name.clone(),
    };
    Some(Summary {
        entity: e.entity.clone(),
        standard: e.standard.clone(),
        version: e.version.clone(),
        system: e.system.clone(),
        designation: e.designation,
        sought: e.sought,
        level: level(grade.level),
        aspects: aspects.map(|(id, aspect)| (id.clone(), level(aspect.level))).collect(),
        description: description.to_owned(),
        period: e.period,
        auditor: audit.party(Role::Auditor).map(named)?,
        reviewer: audit.party(Role::Reviewer).map(named),
        report: audit.report?,
        on,
    })
}

fn parties(audit: &Audit) -> Value {
    let of = |role: Role| {
        let party = |p: &Party| json!({ "name": p.name, "number": p.number, "firm": p.firm });
        audit.parties.values().filter(|p| p.role == role).map(party).collect::<Vec<_>>()
    };
    json!({
        "entity": of(Role::Entity), "implementer": of(Role::Implementer),
        "auditor": of(Role::Auditor), "reviewer": of(Role::Reviewer),
    })
}
