//! A catalogue of ours as an OSCAL catalogue.

use serde_json::{Value, json};

use super::{Document, Done, Metadata, catalogue_file, close, put, token};
use crate::oscal::carry::{NAMESPACE, fields, props};
use crate::standard::catalogue::{Fixed, Parameter};
use crate::standard::{Catalogue, Control};

/// Texts that become parts of a control: our name, and OSCAL's where it has one.
pub(crate) const PARTS: [(&str, &str); 9] = [
    ("guide", "guidance"),
    ("shown_to", "shown-to"),
    ("sampled", "sampled"),
    ("rejected", "rejected"),
    ("rationale", "rationale"),
    ("citation", "citation"),
    ("not_applicable", "not-applicable"),
    ("applies_when", "applies-when"),
    ("note", "note"),
];

/// Writes a catalogue. Groups nest their controls; `sort-id` keeps the reading order across groups.
///
/// # Errors
/// What does not fit OSCAL: a title of several lines, ids that become the same token.
pub fn catalogue(catalogue: &Catalogue) -> Done<Document> {
    let publisher = Metadata {
        title: &catalogue.title,
        version: &catalogue.version,
        modified: format!("{}T00:00:00Z", catalogue.as_of),
        role: ("publisher", "Publisher of the standard"),
        party: &catalogue.publisher,
    };
    let mut metadata = publisher.json();
    let mut own = fields(catalogue);
    for native in ["title", "version", "publisher", "note", "group", "control"] {
        own.remove(native);
    }
    put(&mut metadata, "props", json!(props(&own)));
    put(&mut metadata, "remarks", json!(catalogue.note));
    let groups: Vec<Value> = catalogue.groups.iter().map(|each| group(catalogue, each)).collect();
    let mut body = json!({ "metadata": metadata });
    put(&mut body, "groups", json!(groups));
    close(&catalogue_file(&catalogue.key()), "catalog", body)
}

fn group(catalogue: &Catalogue, group: &crate::standard::Group) -> Value {
    let mut own = fields(group);
    own.remove("title");
    let mut json = json!({ "id": format!("group-{}", token(&group.id)), "title": group.title, "props": props(&own) });
    let of_it =
        catalogue.controls.iter().enumerate().filter(|(_, control)| control.group == group.id);
    let controls: Vec<Value> = of_it.map(|(place, each)| control(place, each)).collect();
    put(&mut json, "controls", json!(controls));
    json
}

fn control(place: usize, control: &Control) -> Value {
    let id = token(&control.id);
    let mut own = fields(control);
    for native in ["id", "title", "group", "text", "criteria", "depends_on", "parameter"] {
        own.remove(native);
    }
    let mut parts = vec![statement(&id, control)];
    for (field, name) in PARTS {
        if let Some(prose) = own.remove(field) {
            parts.push(part(&format!("{id}_{name}"), name, &prose));
        }
    }
    let mut json = json!({ "id": id, "title": control.title, "parts": parts });
    let mut all = vec![
        json!({ "name": "label", "value": control.id }),
        json!({ "name": "sort-id", "value": format!("{place:06}") }),
    ];
    all.extend(props(&own));
    put(&mut json, "props", json!(all));
    let link = |other: &String| json!({ "href": format!("#{}", token(other)), "rel": "required", "text": other });
    put(&mut json, "links", json!(control.depends_on.iter().map(link).collect::<Vec<_>>()));
    let params = control.parameters.iter().map(|each| parameter(&id, each));
    put(&mut json, "params", json!(params.collect::<Vec<_>>()));
    json
}

fn statement(id: &str, control: &Control) -> Value {
    let mut json = json!({ "id": format!("{id}_smt"), "name": "statement", "prose": control.text });
    let items = control.criteria.iter().zip(1_u32..);
    let items = items
        .map(|(prose, n)| json!({ "id": format!("{id}_smt.{n}"), "name": "item", "prose": prose }));
    put(&mut json, "parts", json!(items.collect::<Vec<_>>()));
    json
}

/// OSCAL knows `guidance`; the other names are ours.
fn part(id: &str, name: &str, prose: &Value) -> Value {
    let mut json = json!({ "id": id, "name": name, "prose": prose });
    if name != "guidance" {
        put(&mut json, "ns", json!(NAMESPACE));
    }
    json
}

fn parameter(control: &str, parameter: &Parameter) -> Value {
    let id = format!("{control}_prm-{}", token(&parameter.name));
    let mut own = fields(parameter);
    own.remove("name");
    let mut json = json!({ "id": id, "label": parameter.name, "props": props(&own) });
    put(&mut json, "values", json!(values(parameter.value.as_ref())));
    json
}

/// A value as readers of OSCAL see it; the exact one is carried beside.
pub(super) fn values(value: Option<&Fixed>) -> Vec<String> {
    let word = |fixed: &Fixed| match fixed {
        Fixed::Text(text) if crate::oscal::kind::is_string(text) => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    };
    match value {
        None => Vec::new(),
        Some(Fixed::List(items)) => items.iter().map(word).collect(),
        Some(one) => vec![word(one)],
    }
}
