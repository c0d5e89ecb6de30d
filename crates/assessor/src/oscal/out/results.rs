//! What was found. The results file itself travels inside, so that nothing is lost and its digest can be compared.

use base64::Engine as _;
use serde_json::{Value, json};

use super::assessed::{Run, satisfied, tool};
use super::{Document, Done, close, put, time, token};
use crate::finding::{EvidenceRef, Finding, MachinePart, State};
use crate::oscal::carry::prop;
use crate::standard::Control;

/// The title of the resource that holds the results file.
pub(crate) const RESOURCE: &str = "Results file";

pub(super) fn results(run: &Run<'_>) -> Done<Document> {
    let found = run.it.results;
    let title = format!("What was found of {} against {}", run.it.system, run.it.catalogue.title);
    let mut props = vec![
        prop("standard", &found.standard.to_string()),
        prop("catalogue", &found.catalogue.to_string()),
        prop("reached", found.reached.overall.as_deref().unwrap_or("none")),
    ];
    props.extend(found.sought.iter().map(|level| prop("sought", level)));
    let mut result = json!({
        "uuid": run.id("result", ""),
        "title": title,
        "description": "Found by queries over verified books and by what people showed. It says how things stood, not that they are secure.",
        "start": time(found.period.from),
        "end": time(found.period.to),
        "props": props,
        "local-definitions": { "assessment-assets": run.assets() },
        "reviewed-controls": run.reviewed(),
    });
    let observations: Vec<Value> =
        run.sought().flat_map(|(finding, control)| observations(run, finding, control)).collect();
    put(&mut result, "observations", json!(observations));
    put(&mut result, "risks", json!(run.open().map(|(f, c)| risk(run, f, c)).collect::<Vec<_>>()));
    put(
        &mut result,
        "findings",
        json!(run.sought().map(|(f, c)| finding(run, f, c)).collect::<Vec<_>>()),
    );
    let resource = json!({
        "uuid": run.id("resource", "results"),
        "title": RESOURCE,
        "props": [prop("sha256", &run.digest)],
        "base64": {
            "filename": "results.json",
            "media-type": "application/json",
            "value": base64::engine::general_purpose::STANDARD.encode(&run.bytes),
        },
    });
    let body = json!({
        "metadata": run.metadata(&title).json(),
        "import-ap": { "href": run.file("assessment-plan") },
        "results": [result],
        "back-matter": { "resources": [resource] },
    });
    close(&run.file("assessment-results"), "assessment-results", body)
}

/// What was looked at: the machine's answer, and each thing that people showed.
pub(super) fn observations(run: &Run<'_>, finding: &Finding, control: &Control) -> Vec<Value> {
    let machine = finding.machine.iter().map(|part| asked(run, finding, control, part));
    let shown = finding.evidence.iter().map(|one| shown(run, finding, control, one));
    machine.chain(shown).collect()
}

fn asked(run: &Run<'_>, finding: &Finding, control: &Control, part: &MachinePart) -> Value {
    let mut evidence: Vec<Value> = part
        .heads
        .iter()
        .map(|head| json!({ "description": format!("{}: {} entries, root {}", head.book, head.size, head.root) }))
        .collect();
    let entry = |at: &crate::finding::EntryRef| format!("entry {} of {}", at.index, at.book);
    evidence.extend(part.cited.iter().map(|at| json!({ "description": entry(at) })));
    evidence.extend(part.shown.iter().map(|exception| {
        let place = exception.entry.as_ref().map_or("no entry".to_owned(), entry);
        json!({ "description": format!("exception, {place}: {}", exception.why) })
    }));
    let mut json = json!({
        "uuid": run.id("observation", &control.id),
        "title": format!("Records of {}", control.id),
        "description": format!("{} in the population, {} of them exceptions.", part.population, part.exceptions),
        "methods": ["TEST"],
        "types": ["control-objective"],
        "collected": time(finding.at),
        "origins": [{ "actors": [{ "type": "tool", "actor-uuid": tool() }] }],
        "props": [
            prop("query", &part.query.to_string()),
            prop("population", &part.population.to_string()),
            prop("exceptions", &part.exceptions.to_string()),
        ],
    });
    put(&mut json, "relevant-evidence", json!(evidence));
    json
}

fn shown(run: &Run<'_>, finding: &Finding, control: &Control, evidence: &EvidenceRef) -> Value {
    let method = if evidence.tag.starts_with("INTERVIEW") { "INTERVIEW" } else { "EXAMINE" };
    let mut json = json!({
        "uuid": shown_id(run, control, evidence),
        "title": evidence.tag,
        "description": format!("{} was shown for {}.", evidence.tag, control.id),
        "methods": [method],
        "types": ["control-objective"],
        "collected": time(finding.at),
    });
    put(
        &mut json,
        "props",
        json!(evidence.digest.iter().map(|d| prop("sha256", &d.to_string())).collect::<Vec<_>>()),
    );
    if let Some(expires) = evidence.expires {
        put(&mut json, "expires", json!(time(expires)));
    }
    json
}

/// A tag may stand twice for one control, with another digest.
fn shown_id(run: &Run<'_>, control: &Control, evidence: &EvidenceRef) -> String {
    let digest = evidence.digest.map_or(String::new(), |digest| digest.to_string());
    run.id(
        "observation",
        &format!("{} {} {digest} {:?}", control.id, evidence.tag, evidence.expires),
    )
}

/// What follows for one control.
pub(super) fn finding(run: &Run<'_>, finding: &Finding, control: &Control) -> Value {
    let state = if satisfied(finding.state) { "satisfied" } else { "not-satisfied" };
    let reason = match finding.state {
        State::Met | State::MetComparable => "pass",
        State::Gap => "fail",
        _ => "other",
    };
    let said = finding.reasons.join("\n");
    let description = if said.is_empty() { finding.state.words().to_owned() } else { said };
    let seen = observations(run, finding, control);
    let seen = seen.iter().map(|one| json!({ "observation-uuid": one.get("uuid") }));
    let mut json = json!({
        "uuid": run.id("finding", &control.id),
        "title": format!("{}: {}", control.id, control.title),
        "description": description,
        "props": [prop("state", finding.state.words())],
        "origins": [{ "actors": [{ "type": "tool", "actor-uuid": tool() }] }],
        "target": {
            "type": "statement-id",
            "target-id": format!("{}_smt", token(&control.id)),
            "status": { "state": state, "reason": reason },
        },
    });
    put(&mut json, "related-observations", json!(seen.collect::<Vec<_>>()));
    if !satisfied(finding.state) {
        put(&mut json, "related-risks", json!([{ "risk-uuid": run.id("risk", &control.id) }]));
    }
    json
}

/// What is open while a control is not satisfied.
pub(super) fn risk(run: &Run<'_>, finding: &Finding, control: &Control) -> Value {
    json!({
        "uuid": run.id("risk", &control.id),
        "title": format!("{}: {}", control.id, control.title),
        "description": format!("The control stands as {}.", finding.state.words()),
        "statement": control.rationale.as_deref().unwrap_or(&control.text),
        "status": "open",
    })
}
