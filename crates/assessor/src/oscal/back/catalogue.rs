//! A catalogue that we wrote.

use quorate_terms::Malformed;
use serde_json::{Map, Value, json};

use super::term;
use crate::oscal::carry::{self, named};
use crate::oscal::document::text;
use crate::oscal::imports::list;
use crate::oscal::out::PARTS;
use crate::oscal::{Document, Model};
use crate::standard::Catalogue;

/// Reads a catalogue that we wrote; what [`foreign`](super::foreign()) reads differs.
///
/// # Errors
/// [`Malformed`] for another model, and for a catalogue of somebody else.
pub fn catalogue(document: &Document) -> Result<Catalogue, Malformed> {
    let nothing = Value::Null;
    let body = document.body();
    let metadata = body.get("metadata").unwrap_or(&nothing);
    let mut fields = carry::back(metadata);
    if document.model != Model::Catalog || !fields.contains_key("id") {
        let mend = "import it under an id of your own";
        return Err(Malformed::new("catalogue", "was written by somebody else", mend));
    }
    let party = list(metadata.get("parties")).first().and_then(|party| text(party, &["name"]));
    let said = [
        ("title", text(metadata, &["title"])),
        ("version", text(metadata, &["version"])),
        ("publisher", party),
        ("note", Some(text(metadata, &["remarks"]).unwrap_or_default())),
    ];
    fields.extend(said.into_iter().map(|(name, text)| (name.to_owned(), json!(text))));
    let (mut groups, mut controls) = (Vec::new(), Vec::new());
    for group in list(body.get("groups")) {
        let mut own = carry::back(group);
        own.insert("title".into(), json!(text(group, &["title"])));
        let id = own.get("id").cloned().unwrap_or_default();
        for one in list(group.get("controls")) {
            controls
                .push((named(one, "sort-id").unwrap_or_default().to_owned(), control(one, &id)));
        }
        groups.push(Value::Object(own));
    }
    controls.sort_by(|one, other| one.0.cmp(&other.0));
    let controls: Vec<Value> =
        controls.into_iter().map(|(_, control)| Value::Object(control)).collect();
    fields.insert("group".into(), json!(groups));
    fields.insert("control".into(), json!(controls));
    term("catalogue", fields)
}

fn control(control: &Value, group: &Value) -> Map<String, Value> {
    let mut fields = carry::back(control);
    fields.insert("id".into(), json!(named(control, "label")));
    fields.insert("title".into(), json!(text(control, &["title"])));
    fields.insert("group".into(), group.clone());
    for part in list(control.get("parts")) {
        let (name, prose) =
            (text(part, &["name"]).unwrap_or_default(), json!(text(part, &["prose"])));
        if name == "statement" {
            let items = list(part.get("parts")).iter().map(|item| json!(text(item, &["prose"])));
            fields.insert("criteria".into(), json!(items.collect::<Vec<_>>()));
            fields.insert("text".into(), prose);
        } else if let Some((field, _)) = PARTS.iter().find(|(_, known)| *known == name) {
            fields.insert((*field).into(), prose);
        }
    }
    let links = list(control.get("links")).iter().map(|link| json!(text(link, &["text"])));
    fields.insert("depends_on".into(), json!(links.collect::<Vec<_>>()));
    let params = list(control.get("params")).iter().map(|param| {
        let mut own = carry::back(param);
        own.insert("name".into(), json!(text(param, &["label"])));
        Value::Object(own)
    });
    fields.insert("parameter".into(), json!(params.collect::<Vec<_>>()));
    fields
}
