//! How controls of one standard relate to those of others, as an OSCAL mapping collection.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Document, Done, Metadata, catalogue_file, close, put, token, uuid};
use crate::oscal::carry::prop;
use crate::standard::catalogue::Confidence;
use crate::standard::mapping::{Map, Mappings, Relation};
use crate::standard::{Library, StandardKey};

/// Writes one collection; each other standard is one mapping in it.
///
/// # Errors
/// What does not fit OSCAL, and a standard that is not loaded.
pub fn mapping(mappings: &Mappings, library: &Library) -> Done<Document> {
    let file = format!("{}.mapping.json", mappings.id);
    let from: StandardKey = mappings.from.parse().map_err(|no| super::told(&file, &no))?;
    let source = library.catalogues.get(&from);
    let as_of = source.map_or("2026-01-01", |catalogue| catalogue.as_of.as_str());
    let maker = Metadata {
        title: &format!("From {} to others", mappings.from),
        version: "1",
        modified: format!("{as_of}T00:00:00Z"),
        role: ("creator", "Who judged"),
        party: "Quorate",
    };
    let mut metadata = maker.json();
    put(&mut metadata, "props", json!([prop("id", &mappings.id), prop("from", &mappings.from)]));
    let mut by_standard: BTreeMap<&str, Vec<(usize, &Map)>> = BTreeMap::new();
    for (place, map) in mappings.maps.iter().enumerate() {
        by_standard.entry(&map.standard).or_default().push((place, map));
    }
    let mut all = Vec::new();
    for (standard, maps) in by_standard {
        let to: StandardKey = standard.parse().map_err(|no| super::told(&file, &no))?;
        all.push(one(mappings, &from, &to, &maps));
    }
    let provenance = json!({
        "method": "human",
        "matching-rationale": "semantic",
        "status": "draft",
        "mapping-description": mappings.note,
        "responsible-parties": [{ "role-id": "creator", "party-uuids": [maker.party_uuid()] }],
    });
    let mut body = json!({ "metadata": metadata, "provenance": provenance, "mappings": all });
    let ends: Vec<StandardKey> = ends(mappings, &from);
    put(
        &mut body,
        "back-matter",
        json!({ "resources": ends.iter().map(resource).collect::<Vec<_>>() }),
    );
    close(&file, "mapping-collection", body)
}

fn ends(mappings: &Mappings, from: &StandardKey) -> Vec<StandardKey> {
    let named = mappings.maps.iter().filter_map(|map| map.standard.parse().ok());
    let mut all: Vec<StandardKey> = named.chain([from.clone()]).collect();
    all.sort();
    all.dedup();
    all
}

fn resource(key: &StandardKey) -> Value {
    json!({
        "uuid": uuid(&["resource", &key.to_string()]),
        "title": key.to_string(),
        "rlinks": [{ "href": catalogue_file(key), "media-type": "application/oscal.catalog+json" }],
    })
}

fn one(mappings: &Mappings, from: &StandardKey, to: &StandardKey, maps: &[(usize, &Map)]) -> Value {
    let end = |key: &StandardKey| {
        let href = format!("#{}", uuid(&["resource", &key.to_string()]));
        json!({ "type": "catalog", "href": href, "props": [prop("standard", &key.to_string())] })
    };
    let maps: Vec<Value> = maps.iter().map(|(place, each)| map(mappings, *place, each)).collect();
    json!({
        "uuid": uuid(&["mapping", &mappings.id, &to.to_string()]),
        "source-resource": end(from),
        "target-resource": end(to),
        "maps": maps,
    })
}

/// OSCAL's own words for how they relate; `superset` of ours is its `superset-of`.
pub(crate) const RELATIONS: [(Relation, &str); 4] = [
    (Relation::Equal, "equivalent-to"),
    (Relation::Subset, "subset-of"),
    (Relation::Superset, "superset-of"),
    (Relation::Intersects, "intersects-with"),
];

fn map(mappings: &Mappings, place: usize, map: &Map) -> Value {
    let word = RELATIONS
        .iter()
        .find(|(relation, _)| *relation == map.relation)
        .map_or("", |(_, word)| *word);
    let confidence = match map.confidence {
        Confidence::T => "high",
        Confidence::S => "medium",
        Confidence::K => "low",
    };
    let item = |id: &str| json!([{ "type": "control", "id-ref": token(id), "props": [prop("label", id)] }]);
    json!({
        "uuid": uuid(&["map", &mappings.id, &map.control, &map.standard, &map.to]),
        "relationship": word,
        "sources": item(&map.control),
        "targets": item(&map.to),
        "confidence-score": { "category": confidence },
        "remarks": map.rationale,
        "props": [prop("place", &format!("{place:06}"))],
    })
}
