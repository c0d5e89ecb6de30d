//! What a scope, an inheritance and other papers from outside take from the audit, how each form begins, and of which field an
//! objection speaks.

use std::collections::BTreeMap;

use quorate_assessor::audit::{Record as Act, Role};
use quorate_assessor::ccss::inherit::Imported;
use quorate_assessor::ccss::requirement::top;
use quorate_assessor::mark::Envelope;
use serde_json::{Map, Value, json};

use super::super::given::Given;
use super::super::table::{FieldText, Kind};
use super::{Grounds, put, take};
use crate::commands::moment;
use crate::trouble::{Done, Trouble};

/// The entity is the engagement's.
pub(in crate::serve::steps) fn scoped(grounds: &Grounds<'_>) -> Done<Value> {
    let engagement = grounds.audit()?.engagement();
    Ok(json!({ "entity": engagement.map(|engagement| &engagement.entity) }))
}

/// The scope that stands, or the beginnings of one.
pub(in crate::serve::steps) fn scope_begins(grounds: &Grounds<'_>) -> Value {
    let Some(held) = grounds.held else { return json!({}) };
    if let Some(scope) = held.state.scope() {
        return json!(scope);
    }
    let Some(e) = held.state.engagement() else { return json!({}) };
    let auditor = held.state.party_of(Role::Auditor).map(|party| &party.name);
    let today = moment(&grounds.now.written("%Y-%m-%d")).unwrap_or(grounds.now);
    json!({ "systems": [{
        "name": e.system, "sought": e.sought, "custody": { "holds_every_key": true },
        "environment": { "validated": { "by": auditor, "at": today } },
    }] })
}

/// The ranks of the standard's levels.
pub(in crate::serve::steps) fn ranks(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    let Some(held) = grounds.held else { return Vec::new() };
    let sought = held.state.engagement().map_or(0, |engagement| engagement.sought);
    let highest = top(&held.requirements).max(sought);
    (1..=highest).map(|rank| (rank.to_string(), format!("rank {rank}"))).collect()
}

/// The holes of the scope that are said in these words, by their places. What the scope says is worked out once.
pub(in crate::serve::steps) fn about_scope(record: &Act, reasons: &[String]) -> Vec<Vec<String>> {
    let Act::ScopeSet(scope) = record else { return Vec::new() };
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (at, hole) in scope.placed_holes() {
        said.entry(hole.to_string()).or_default().push(at);
    }
    reasons.iter().map(|why| said.get(why).cloned().unwrap_or_default()).collect()
}

/// What follows from the engagement.
pub(in crate::serve::steps) fn inheriting(grounds: &Grounds<'_>) -> Done<Value> {
    let engagement = grounds.audit()?.engagement();
    let using = engagement
        .map(|e| json!({ "standard": e.standard, "version": e.version, "sought": e.sought }));
    Ok(json!({ "using": using }))
}

pub(in crate::serve::steps) fn inherited_begins(_: &Grounds<'_>) -> Value {
    json!({ "using": { "review_months": 12 } })
}

/// How a report is used is asked when it has been read.
pub(in crate::serve::steps) fn inherited_asks(grounds: &Grounds<'_>, name: &str) -> bool {
    name == "envelope" || grounds.report.is_some()
}

/// Reads something that was signed outside. Who signed it, the step's own judgement says.
pub(in crate::serve::steps) fn envelope(text: &str) -> Result<Envelope, String> {
    serde_json::from_str(text).map_err(|e| format!("This is no signed envelope: {e}."))
}

/// Which objections are to the envelope that is filed.
pub(in crate::serve::steps) fn about_envelope(_: &Act, reasons: &[String]) -> Vec<Vec<String>> {
    let place = |why: &String| -> Vec<String> {
        let is_about = why.starts_with("paper_is_the_registrars: ");
        is_about.then(|| "/envelope".to_owned()).into_iter().collect()
    };
    reasons.iter().map(place).collect()
}

/// Reads a report by the function that judges it, under the registrars whom the office believes.
pub(in crate::serve::steps) fn imported(
    grounds: &Grounds<'_>,
    text: &str,
) -> Result<(Envelope, Imported), String> {
    let held = grounds.held.ok_or_else(|| "Open the form from an audit.".to_owned())?;
    let envelope = envelope(text)?;
    let report = Imported::from_envelope(&envelope, held.rules().pins)
        .map_err(|e| format!("This report {}: {}.", e.why(), e.mend()))?;
    Ok((envelope, report))
}

/// The report that stands in a form, where the form has a place for one and it is believed.
pub(in crate::serve::steps) fn report(
    fields: &[FieldText],
    grounds: &Grounds<'_>,
    given: &Given,
) -> Option<Imported> {
    let place = fields.iter().find(|field| matches!(field.kind, Kind::Report))?;
    imported(grounds, given.get(place.name)?.trim()).ok().map(|(_, report)| report)
}

pub(in crate::serve::steps) fn services(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    let Some(read) = &grounds.report else { return Vec::new() };
    let services = read.report().services.iter();
    services.map(|service| (json!(service).to_string(), service.clone())).collect()
}

/// The requirements of which the report speaks, each with what it says.
pub(in crate::serve::steps) fn owned(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    let (Some(held), Some(read)) = (grounds.held, &grounds.report) else { return Vec::new() };
    let statuses = &read.report().statuses;
    let carried = held.requirements.iter().filter_map(|requirement| {
        let status = statuses.get(&requirement.id)?;
        let title = requirement.text.split(". ").next().unwrap_or_default();
        let said = format!("{title}. The report says: {}.", status.words());
        Some((requirement.id.clone(), said))
    });
    carried.collect()
}

/// Older versions become a map; none stands in it twice.
pub(in crate::serve::steps) fn inherited(_: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let rows = take(record, "grace");
    let mut grace = Map::new();
    for row in rows.as_array().into_iter().flatten() {
        let version = row.get("version").and_then(Value::as_str).unwrap_or_default();
        let until = row.get("until").cloned().unwrap_or_default();
        if grace.insert(version.to_owned(), until).is_some() {
            let message = format!("version {version} stands twice among the older versions");
            return Err(Trouble::refused("twice", message, "keep one line of each"));
        }
    }
    if let Some(using) = record.get_mut("using") {
        put(using, "grace", Value::Object(grace));
    }
    Ok(())
}

/// Of what the rules about providers speak.
pub(in crate::serve::steps) fn about_inherited(
    record: &Act,
    reasons: &[String],
) -> Vec<Vec<String>> {
    reasons.iter().map(|why| about_provider(record, why)).collect()
}

fn about_provider(record: &Act, why: &str) -> Vec<String> {
    let Act::Inherited(held) = record else { return Vec::new() };
    let Some((rule, said)) = why.split_once(": ") else { return Vec::new() };
    let at = match rule {
        "provider_in_date" | "provider_is_good" => "/envelope",
        "provider_version" => "/_/grace",
        "provider_scope" => "/using/service",
        "provider_level" => "/using/owners",
        "provider_reviewed" => "/using/reviewed",
        "provider_carries" => {
            let names = |id: &&String| said.split([' ', ';']).any(|word| word == id.as_str());
            let named = held.using.owners.keys().filter(names);
            return named.map(|id| format!("/using/owners/{id}")).collect();
        }
        _ => return Vec::new(),
    };
    vec![at.to_owned()]
}
