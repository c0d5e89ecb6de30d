//! What is assessed, with what, over which period.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::assessed::Run;
use super::component::product;
use super::{Document, Done, close, time, token, uuid};
use crate::standard::Automation;

pub(super) fn plan(run: &Run<'_>) -> Done<Document> {
    let period = run.it.results.period;
    let title = format!("Assessment of {} against {}", run.it.system, run.it.catalogue.title);
    let task = json!({
        "uuid": run.id("task", "assess"),
        "type": "action",
        "title": "Assess the period",
        "timing": { "within-date-range": { "start": time(period.from), "end": time(period.to) } },
    });
    let body = json!({
        "metadata": run.metadata(&title).json(),
        "import-ssp": { "href": run.file("ssp") },
        "local-definitions": { "activities": activities(run) },
        "reviewed-controls": run.reviewed(),
        "assessment-subjects": [{
            "type": "component",
            "include-subjects": [{ "subject-uuid": product(), "type": "component" }],
        }],
        "assessment-assets": run.assets(),
        "tasks": [task],
    });
    close(&run.file("assessment-plan"), "assessment-plan", body)
}

/// One activity for each way in which controls are decided.
fn activities(run: &Run<'_>) -> Vec<Value> {
    let mut by: BTreeMap<Automation, Vec<Value>> = BTreeMap::new();
    for (finding, control) in run.sought() {
        let decision = run.it.library.decisions.get(&finding.control);
        let how = decision.map_or(Automation::Human, |decision| decision.automation);
        by.entry(how).or_default().push(json!({ "control-id": token(&control.id) }));
    }
    let activity = |(how, ids): (Automation, Vec<Value>)| {
        let (title, what, methods) = words(how);
        let methods: Vec<Value> =
            methods.iter().map(|method| json!({ "name": "method", "value": method })).collect();
        json!({
            "uuid": uuid(&["activity", how.word()]),
            "title": title,
            "description": what,
            "props": methods,
            "related-controls": { "control-selections": [{ "include-controls": ids }] },
        })
    };
    by.into_iter().map(activity).collect()
}

/// Title, what is done, and OSCAL's names of the methods.
const fn words(how: Automation) -> (&'static str, &'static str, &'static [&'static str]) {
    match how {
        Automation::Ledger => (
            "Ask the ledger",
            "A pair of queries over verified entries: population and exceptions.",
            &["TEST"],
        ),
        Automation::Configuration => (
            "Ask the configuration",
            "A pair of queries over signed captures of configuration.",
            &["TEST"],
        ),
        Automation::Hybrid => (
            "Ask records and people",
            "Queries over verified entries, and what named persons attest.",
            &["TEST", "INTERVIEW"],
        ),
        Automation::Human => (
            "Ask people",
            "Documents, interviews, observations and inspections, each on file under a tag.",
            &["EXAMINE", "INTERVIEW"],
        ),
    }
}
