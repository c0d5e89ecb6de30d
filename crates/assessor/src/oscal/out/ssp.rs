//! The assessed system, as far as the assessment knows it.

use serde_json::{Value, json};

use super::assessed::{Run, satisfied};
use super::component::product;
use super::{Document, Done, baseline_file, close, put, token, uuid};
use crate::finding::{Finding, State};
use crate::oscal::carry::prop;
use crate::standard::Control;

pub(super) fn ssp(run: &Run<'_>) -> Done<Document> {
    let results = run.it.results;
    let level = results.sought.as_deref().filter(|_| !run.it.catalogue.levels.is_empty());
    let requirements: Vec<Value> =
        run.sought().map(|(finding, control)| requirement(run, finding, control)).collect();
    let title = format!("{}, as assessed", run.it.system);
    let body = json!({
        "metadata": run.metadata(&title).json(),
        "import-profile": { "href": baseline_file(&run.it.catalogue.key(), level) },
        "system-characteristics": characteristics(run),
        "system-implementation": { "components": [this_system(run), custody()] },
        "control-implementation": {
            "description": "What the product does for each control, and how it was found to stand.",
            "implemented-requirements": requirements,
        },
    });
    close(&run.file("ssp"), "system-security-plan", body)
}

fn characteristics(run: &Run<'_>) -> Value {
    let books: Vec<String> = run.it.results.heads.iter().map(|head| head.book.clone()).collect();
    json!({
        "system-ids": [{ "id": run.it.system }],
        "system-name": run.it.system,
        "description": "A custody system for digital assets: wallets whose keys exist only as shares.",
        "system-information": { "information-types": [{
            "uuid": uuid(&["information", run.it.system]),
            "title": "Digital assets in custody",
            "description": "Key shares, approvals, policies, and the ledger of what was done.",
        }] },
        "status": { "state": "operational" },
        "authorization-boundary": {
            "description": format!("Everything that writes to these ledgers: {}.", books.join(", ")),
        },
    })
}

fn this_system(run: &Run<'_>) -> Value {
    json!({
        "uuid": uuid(&["system", run.it.system]),
        "type": "this-system",
        "title": run.it.system,
        "description": "The assessed system as a whole.",
        "status": { "state": "operational" },
    })
}

fn custody() -> Value {
    json!({
        "uuid": product(),
        "type": "software",
        "title": "Quorate",
        "description": "Desk, cosigners and approvers' programs.",
        "status": { "state": "operational" },
    })
}

fn requirement(run: &Run<'_>, finding: &Finding, control: &Control) -> Value {
    let decision = run.it.library.decisions.get(&finding.control);
    let said = decision.and_then(|decision| decision.satisfied_by.as_deref());
    let state = match finding.state {
        State::EvidencedNotApplicable => "not-applicable",
        State::MetComparable => "alternative",
        State::Qualified => "partial",
        state if satisfied(state) => "implemented",
        _ => "planned",
    };
    let mut part = json!({
        "uuid": run.id("by-component", &control.id),
        "component-uuid": product(),
        "description": said.unwrap_or("Not described; the assessment says how it stands."),
        "implementation-status": { "state": state },
    });
    put(&mut part, "props", json!([prop("state", finding.state.words())]));
    json!({
        "uuid": run.id("requirement", &control.id),
        "control-id": token(&control.id),
        "by-components": [part],
    })
}
