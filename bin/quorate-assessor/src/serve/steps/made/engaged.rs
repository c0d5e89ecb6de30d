//! What an engagement takes from the office, how its form begins, and of which field an objection to it or to a list of reviewers
//! speaks.

use std::collections::BTreeMap;

use quorate_assessor::audit::record::Readiness;
use quorate_assessor::audit::{Record as Act, Role, Workflow, conflict};
use quorate_assessor::ccss::Designation;
use quorate_assessor::standard::StandardKey;
use serde_json::{Value, json};

use super::{Grounds, put, take};
use crate::trouble::{Done, Trouble};

/// As what somebody can take part from the start, in the order in which it is offered. A reviewer comes from a list.
const ROLES: [(Role, &str); 4] = [
    (Role::Auditor, "auditor"),
    (Role::Entity, "of the audited body"),
    (Role::Implementer, "implementer, who helped to build the system"),
    (Role::Registrar, "registrar"),
];

pub(in crate::serve::steps) fn workflows(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    let one = |w: &Workflow| {
        (json!(w.digest).to_string(), format!("{}, for {}", w.text.title, w.text.standard))
    };
    grounds.workflows.iter().map(one).collect()
}

pub(in crate::serve::steps) fn standards(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    grounds.standards.iter().map(|key| (json!(key).to_string(), key.clone())).collect()
}

pub(in crate::serve::steps) fn designations(_: &Grounds<'_>) -> Vec<(String, String)> {
    let all = [Designation::SelfCustody, Designation::Provider, Designation::FullSystem];
    all.iter().map(|one| (json!(one).to_string(), one.words().to_owned())).collect()
}

pub(in crate::serve::steps) fn roles(_: &Grounds<'_>) -> Vec<(String, String)> {
    ROLES.iter().map(|(role, words)| (json!(role).to_string(), (*words).to_owned())).collect()
}

/// What an earlier assessment can have said, and that there was none.
pub(in crate::serve::steps) fn readiness(_: &Grounds<'_>) -> Vec<(String, String)> {
    let said = |ready, helped_build| json!(Readiness { ready, helped_build }).to_string();
    let all = [
        (Value::Null.to_string(), "there was none"),
        (said(true, false), "it said ready"),
        (said(true, true), "it said ready, and the auditor then helped to build"),
        (said(false, false), "it said not ready, and the auditor did not help to build"),
        (said(false, true), "it said not ready, and the auditor then helped to build"),
    ];
    all.into_iter().map(|(value, words)| (value, words.to_owned())).collect()
}

pub(in crate::serve::steps) fn engaged(_: &Grounds<'_>) -> Done<Value> {
    Ok(json!({ "signed_steps": true }))
}

pub(in crate::serve::steps) fn engaged_start(_: &Grounds<'_>, name: &str) -> String {
    if name == "sought" { "1".to_owned() } else { String::new() }
}

/// The two without whom no audit begins.
pub(in crate::serve::steps) fn engaged_begins(_: &Grounds<'_>) -> Value {
    json!({ "parties": [{ "role": Role::Auditor }, { "role": Role::Entity }] })
}

/// Splits the chosen standard into its id and version. Whose audits nobody counted has completed none.
pub(in crate::serve::steps) fn engage(_: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let key = take(record, "standard");
    let key: StandardKey = key.as_str().unwrap_or_default().parse().map_err(Trouble::from)?;
    put(record, "standard", json!(key.standard));
    put(record, "version", json!(key.version));
    let parties = record.get_mut("parties").and_then(Value::as_array_mut);
    for party in parties.into_iter().flatten() {
        if party.get("audits").is_none_or(Value::is_null) {
            put(party, "audits", json!(0));
        }
    }
    Ok(())
}

/// What stands against the parties by the places of which it speaks, and the fields of the other rules.
pub(in crate::serve::steps) fn about_engaged(record: &Act, reasons: &[String]) -> Vec<Vec<String>> {
    let Act::Engaged(engagement) = record else { return Vec::new() };
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (places, objection) in conflict::placed(engagement) {
        said.entry(objection.to_string()).or_default().extend(places);
    }
    let about = |why: &String| match why.split_once(": ").map(|(rule, _)| rule) {
        Some("workflow_is_this_one") => vec!["/workflow".to_owned()],
        Some("period_fits") => vec!["/period/from".to_owned()],
        _ => said.get(why).cloned().unwrap_or_default(),
    };
    reasons.iter().map(about).collect()
}

/// A list is refused for having nobody on it, or for its id.
pub(in crate::serve::steps) fn about_listed(record: &Act, reasons: &[String]) -> Vec<Vec<String>> {
    let Act::OptionsListed(options) = record else { return Vec::new() };
    let at = if options.reviewers.is_empty() { "/reviewers" } else { "/list" };
    let about = |why: &String| -> Vec<String> {
        why.starts_with("list_is_new: ").then(|| at.to_owned()).into_iter().collect()
    };
    reasons.iter().map(about).collect()
}
