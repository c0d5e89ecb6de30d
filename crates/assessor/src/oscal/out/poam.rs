//! What is to be mended, by whom and by when.

use serde_json::{Value, json};

use super::assessed::{Remedy, Run};
use super::{Document, Done, close, put, results, time, uuid};
use crate::finding::Finding;
use crate::standard::Control;

/// None where nothing is to be mended: OSCAL has no empty plan of action.
pub(super) fn poam(run: &Run<'_>) -> Done<Option<Document>> {
    if run.open().next().is_none() {
        return Ok(None);
    }
    let title = format!("What {} mends", run.it.system);
    let mut metadata = run.metadata(&title).json();
    let mut parties: Vec<Value> =
        metadata.get("parties").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut owners: Vec<&str> =
        run.it.remedies.iter().map(|remedy| remedy.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    parties.extend(
        owners
            .iter()
            .map(|owner| json!({ "uuid": person(owner), "type": "person", "name": owner })),
    );
    put(&mut metadata, "parties", json!(parties));
    let observations =
        run.open().flat_map(|(finding, control)| results::observations(run, finding, control));
    let mut body = json!({
        "metadata": metadata,
        "import-ssp": { "href": run.file("ssp") },
        "local-definitions": { "assessment-assets": run.assets() },
    });
    put(&mut body, "observations", json!(observations.collect::<Vec<_>>()));
    put(&mut body, "risks", json!(run.open().map(|(f, c)| risk(run, f, c)).collect::<Vec<_>>()));
    put(
        &mut body,
        "findings",
        json!(run.open().map(|(f, c)| results::finding(run, f, c)).collect::<Vec<_>>()),
    );
    put(
        &mut body,
        "poam-items",
        json!(run.open().map(|(f, c)| item(run, f, c)).collect::<Vec<_>>()),
    );
    close(&run.file("poam"), "plan-of-action-and-milestones", body).map(Some)
}

fn person(owner: &str) -> String {
    uuid(&["person", owner])
}

fn remedy<'a>(run: &Run<'a>, control: &Control) -> Option<&'a Remedy> {
    run.it.remedies.iter().find(|remedy| remedy.control == control.id)
}

fn risk(run: &Run<'_>, finding: &Finding, control: &Control) -> Value {
    let mut json = results::risk(run, finding, control);
    let response = match remedy(run, control) {
        Some(remedy) => {
            put(&mut json, "deadline", json!(time(remedy.due)));
            json!({
                "uuid": run.id("response", &control.id),
                "lifecycle": "planned",
                "title": format!("Mend {}", control.id),
                "description": remedy.what,
                "origins": [{ "actors": [{ "type": "party", "actor-uuid": person(&remedy.owner) }] }],
                "tasks": [{
                    "uuid": run.id("milestone", &control.id),
                    "type": "milestone",
                    "title": format!("{} is mended", control.id),
                    "timing": { "on-date": { "date": time(remedy.due) } },
                }],
            })
        }
        None => json!({
            "uuid": run.id("response", &control.id),
            "lifecycle": "recommendation",
            "title": format!("Mend {}", control.id),
            "description": control.guide.as_deref().unwrap_or(&control.text),
        }),
    };
    put(&mut json, "remediations", json!([response]));
    json
}

fn item(run: &Run<'_>, finding: &Finding, control: &Control) -> Value {
    let reasons = finding.reasons.join("\n");
    json!({
        "uuid": run.id("item", &control.id),
        "title": format!("{}: {}", control.id, control.title),
        "description": if reasons.is_empty() { finding.state.words().to_owned() } else { reasons },
        "related-findings": [{ "finding-uuid": run.id("finding", &control.id) }],
        "related-risks": [{ "risk-uuid": run.id("risk", &control.id) }],
    })
}
