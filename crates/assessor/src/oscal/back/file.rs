//! A catalogue as the file that `standards/` holds.

use std::fmt::Write as _;

use quorate_terms::Malformed;
use serde_json::{Map, Value};

use crate::standard::Catalogue;

/// The text of a `catalogue.toml`: a field on a line of its own, nothing that is not set.
///
/// # Errors
/// [`Malformed`] never happens for a catalogue that was read.
pub fn to_toml(catalogue: &Catalogue) -> Result<String, Malformed> {
    let json = serde_json::to_value(catalogue)
        .map_err(|e| Malformed::new("catalogue", format!("has no form ({e})"), "report this"))?;
    let mut text = String::new();
    if let Value::Object(fields) = &json {
        table(&mut text, "", fields);
    }
    Ok(text)
}

/// Plain fields first, then lists of tables, as TOML asks.
fn table(text: &mut String, path: &str, fields: &Map<String, Value>) {
    let is_tables =
        |value: &Value| value.as_array().is_some_and(|items| items.iter().any(Value::is_object));
    for (key, value) in fields.iter().filter(|(_, value)| !is_tables(value)) {
        let unset = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !unset {
            let _ = writeln!(text, "{} = {}", name(key), plain(value));
        }
    }
    for (key, value) in fields.iter().filter(|(_, value)| is_tables(value)) {
        let path = if path.is_empty() { name(key) } else { format!("{path}.{}", name(key)) };
        for inner in value.as_array().into_iter().flatten().filter_map(Value::as_object) {
            let _ = writeln!(text, "\n[[{path}]]");
            table(text, &path, inner);
        }
    }
}

/// JSON's strings, numbers and lists are TOML's; its objects are inline tables.
fn plain(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{} = {}", name(key), plain(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        // TOML takes every escape that JSON writes; a raw DEL it does not take.
        value => value.to_string().replace('\u{7f}', "\\u007f"),
    }
}

fn name(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !key.is_empty() && key.chars().all(bare) {
        return key.to_owned();
    }
    plain(&Value::from(key))
}
