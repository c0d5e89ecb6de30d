//! A mapping collection that we wrote.

use quorate_terms::Malformed;
use serde_json::{Map, Value, json};

use super::term;
use crate::oscal::carry::{self, named};
use crate::oscal::document::text;
use crate::oscal::imports::{list, mappings};
use crate::oscal::out::RELATIONS;
use crate::oscal::{Document, Model};
use crate::standard::mapping::Mappings;

/// Reads a mapping collection that we wrote.
///
/// # Errors
/// [`Malformed`] for another model, and for a collection of somebody else.
pub fn mapping(document: &Document) -> Result<Mappings, Malformed> {
    let nothing = Value::Null;
    let body = document.body();
    let mut fields = carry::back(body.get("metadata").unwrap_or(&nothing));
    if document.model != Model::Mapping || !fields.contains_key("from") {
        let mend = "give a collection that `standards export` wrote";
        return Err(Malformed::new("mapping", "was written by somebody else", mend));
    }
    let provenance = body.get("provenance").unwrap_or(&nothing);
    fields.insert("note".into(), json!(text(provenance, &["mapping-description"])));
    let mut maps = Vec::new();
    for mapping in mappings(document) {
        let standard = mapping.get("target-resource").and_then(|end| named(end, "standard"));
        for one in list(mapping.get("maps")) {
            maps.push((named(one, "place").unwrap_or_default().to_owned(), map(one, standard)));
        }
    }
    maps.sort_by(|one, other| one.0.cmp(&other.0));
    let maps: Vec<Value> = maps.into_iter().map(|(_, map)| Value::Object(map)).collect();
    fields.insert("map".into(), json!(maps));
    term("mapping", fields)
}

fn map(map: &Value, standard: Option<&str>) -> Map<String, Value> {
    let end = |key: &str| list(map.get(key)).first().and_then(|item| named(item, "label"));
    let word = text(map, &["relationship"]).unwrap_or_default();
    let relation = RELATIONS.iter().find(|(_, known)| *known == word).map(|(relation, _)| relation);
    let confidence = match text(map, &["confidence-score", "category"]) {
        Some("high") => "T",
        Some("medium") => "S",
        _ => "K",
    };
    let fields = [
        ("control", json!(end("sources"))),
        ("standard", json!(standard)),
        ("to", json!(end("targets"))),
        ("relation", json!(relation)),
        ("confidence", json!(confidence)),
        ("rationale", json!(text(map, &["remarks"]))),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
