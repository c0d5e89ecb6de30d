//! Fields of ours that OSCAL has no place for travel as properties under our namespace, and come back the same.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::document::text;
use super::imports::list;
use super::kind::is_string;

/// The namespace of our properties and part names.
pub const NAMESPACE: &str = "urn:quorate:oscal:1";

/// A property of ours.
pub(super) fn prop(name: &str, value: &str) -> Value {
    json!({ "name": name, "ns": NAMESPACE, "value": value })
}

/// The fields of a term as JSON, without those that are not set.
pub(super) fn fields<T: Serialize>(term: &T) -> Map<String, Value> {
    match serde_json::to_value(term) {
        Ok(Value::Object(map)) => map.into_iter().filter(|(_, value)| is_set(value)).collect(),
        _ => Map::new(),
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

/// Every field as properties: a line as it is, a list of lines as one property each, anything else as JSON.
pub(super) fn props(fields: &Map<String, Value>) -> Vec<Value> {
    let mut all = Vec::new();
    for (name, value) in fields {
        let name = name.replace('_', "-");
        match lines(value) {
            Some(lines) => {
                let class = if value.is_array() { "item" } else { "line" };
                all.extend(lines.iter().map(
                    |line| json!({ "name": name, "ns": NAMESPACE, "class": class, "value": line }),
                ));
            }
            None => {
                let value = value.to_string();
                all.push(json!({ "name": name, "ns": NAMESPACE, "class": "json", "value": value }));
            }
        }
    }
    all
}

fn lines(value: &Value) -> Option<Vec<&str>> {
    let one = |value| Value::as_str(value).filter(|text| is_string(text));
    match value {
        Value::Array(items) => items.iter().map(one).collect(),
        value => one(value).map(|line| vec![line]),
    }
}

/// The fields that [`props`] carried.
pub(super) fn back(holder: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    for prop in list(holder.get("props")) {
        let (Some(name), Some(value)) = (text(prop, &["name"]), text(prop, &["value"])) else {
            continue;
        };
        if text(prop, &["ns"]) != Some(NAMESPACE) {
            continue;
        }
        let name = name.replace('-', "_");
        match text(prop, &["class"]) {
            Some("item") => {
                if let Value::Array(items) = fields.entry(name).or_insert_with(|| json!([])) {
                    items.push(json!(value));
                }
            }
            Some("json") => {
                fields.insert(name, serde_json::from_str(value).unwrap_or(Value::Null));
            }
            _ => {
                fields.insert(name, json!(value));
            }
        }
    }
    fields
}

/// A property of any namespace.
pub(super) fn named<'v>(holder: &'v Value, name: &str) -> Option<&'v str> {
    let mut props = list(holder.get("props")).iter();
    props.find(|prop| text(prop, &["name"]) == Some(name)).and_then(|prop| text(prop, &["value"]))
}
