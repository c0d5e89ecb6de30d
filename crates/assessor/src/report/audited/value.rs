//! Reading a report's value, whole or with strokes: what was struck out reads as its words, what is missing as nothing.

use quorate_terms::Timestamp;
use serde_json::Value;

use crate::report::Fact;
use crate::report::text::moment;

/// A value that may be a copy with strokes.
#[derive(Clone, Copy)]
pub(super) struct V<'a>(pub(super) &'a Value);

impl<'a> V<'a> {
    pub(super) fn at(&self, at: &str) -> Option<Self> {
        self.0.pointer(at).filter(|value| !value.is_null()).map(V)
    }

    /// Text, a number, or a list of them.
    pub(super) fn text(&self, at: &str) -> String {
        self.at(at).map_or_else(String::new, |v| words(v.0))
    }

    /// A word of ours, with spaces.
    pub(super) fn word(&self, at: &str) -> String {
        let text = self.text(at);
        if text.starts_with('[') { text } else { text.replace('_', " ") }
    }

    pub(super) fn number(&self, at: &str) -> u64 {
        self.at(at).and_then(|v| v.0.as_u64()).unwrap_or(0)
    }

    pub(super) fn moment(&self, at: &str) -> String {
        match self.at(at) {
            Some(V(Value::Number(number))) => {
                moment(Timestamp::from_millis(number.as_u64().unwrap_or(0)))
            }
            Some(v) => words(v.0),
            None => String::new(),
        }
    }

    pub(super) fn period(&self, at: &str) -> String {
        format!("{} to {}", self.moment(&format!("{at}/from")), self.moment(&format!("{at}/to")))
    }

    pub(super) fn list(&self, at: &str) -> Vec<V<'a>> {
        let list = self.0.pointer(at).and_then(Value::as_array);
        list.map_or_else(Vec::new, |list| list.iter().map(V).collect())
    }

    pub(super) fn table(&self, at: &str) -> Vec<(String, V<'a>)> {
        let table = self.0.pointer(at).and_then(Value::as_object);
        table.map_or_else(Vec::new, |table| {
            table.iter().map(|(key, value)| (key.clone(), V(value))).collect()
        })
    }

    /// The one key of a value that says by it what it is.
    pub(super) fn kind(&self, at: &str) -> String {
        let table = self.table(at);
        table.first().map_or_else(String::new, |(kind, _)| kind.replace('_', " "))
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        Value::Object(_) => value.to_string(),
        value => value.to_string(),
    }
}

/// Every text of a value, labelled by its place; moments written as such.
pub(super) fn facts_of(value: &Value) -> Vec<Fact> {
    let mut facts = Vec::new();
    walk(value, &mut Vec::new(), &mut facts);
    facts
}

/// Keys under which a number is a moment.
const MOMENTS: [&str; 6] = ["at", "from", "to", "expires", "on", "drawn_at"];

fn walk<'a>(value: &'a Value, path: &mut Vec<&'a str>, facts: &mut Vec<Fact>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                path.push(key);
                walk(value, path, facts);
                path.pop();
            }
        }
        Value::Array(list) if list.iter().any(Value::is_object) => {
            for value in list {
                walk(value, path, facts);
            }
        }
        value => {
            let last = path.last().copied().unwrap_or_default();
            let said = match value {
                Value::Number(_) if MOMENTS.contains(&last) => V(value).moment(""),
                value => words(value),
            };
            let exact = said.len() == 64 && said.bytes().all(|b| b.is_ascii_hexdigit());
            // `item document title` says twice what the card says already.
            let skip = if path.first() == Some(&"item") && path.len() > 2 { 2 } else { 0 };
            let label = path.get(skip..).unwrap_or_default().join(" ").replace('_', " ");
            if !said.is_empty() {
                facts.push(Fact { label, value: said, exact });
            }
        }
    }
}
