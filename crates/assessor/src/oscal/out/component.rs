//! How this product meets controls, as an OSCAL component definition.

use serde_json::{Value, json};

use super::{Document, Done, Metadata, catalogue_file, close, put, token, uuid};
use crate::oscal::carry::prop;
use crate::standard::{Decision, Library, StandardKey};

/// The id of the component that stands for this product, everywhere.
pub(super) fn product() -> String {
    uuid(&["component", "quorate"])
}

/// The file of the component definition.
pub(super) const FILE: &str = "quorate.component-definition.json";

/// Writes what every decision says of this product, one implementation for each standard.
///
/// # Errors
/// What does not fit OSCAL.
pub fn component(library: &Library) -> Done<Document> {
    let newest = library.catalogues.values().map(|catalogue| catalogue.as_of.as_str()).max();
    let maker = Metadata {
        title: "How Quorate meets controls",
        version: "1",
        modified: format!("{}T00:00:00Z", newest.unwrap_or("2026-01-01")),
        role: ("provider", "Who makes the product"),
        party: "Quorate",
    };
    let all: Vec<Value> =
        library.catalogues.keys().filter_map(|key| implementation(library, key)).collect();
    let mut one = json!({
        "uuid": product(),
        "type": "software",
        "title": "Quorate",
        "description": "A self-hosted custody system: keys exist only as shares, every act is first written in an append-only ledger.",
        "responsible-roles": [{ "role-id": "provider", "party-uuids": [maker.party_uuid()] }],
    });
    put(&mut one, "control-implementations", json!(all));
    close(FILE, "component-definition", json!({ "metadata": maker.json(), "components": [one] }))
}

fn implementation(library: &Library, key: &StandardKey) -> Option<Value> {
    let decisions = library.decisions.iter().filter(|(control, _)| control.of() == *key);
    let met: Vec<Value> =
        decisions.filter_map(|(_, decision)| requirement(key, decision)).collect();
    (!met.is_empty()).then(|| {
        json!({
            "uuid": uuid(&["implementation", &key.to_string()]),
            "source": catalogue_file(key),
            "description": format!("What the product does for {key}. Whether it holds in one deployment, an assessment says."),
            "implemented-requirements": met,
        })
    })
}

fn requirement(key: &StandardKey, decision: &Decision) -> Option<Value> {
    let description = decision.satisfied_by.as_deref()?;
    let mut json = json!({
        "uuid": uuid(&["implemented", &key.to_string(), &decision.control]),
        "control-id": token(&decision.control),
        "description": description,
        "props": [prop("decided-by", decision.automation.word())],
    });
    if let Some(human) = decision.human.as_deref() {
        put(&mut json, "remarks", json!(format!("A person still supplies: {human}")));
    }
    Some(json)
}
