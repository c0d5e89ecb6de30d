//! What a query may hold: numbers, and a text.

use std::collections::BTreeMap;

use axum::extract::Query as Pairs;
use axum::http::Uri;

use super::no::No;
use super::table::{Number, Route, Text};

/// What a request holds of its route's query.
pub(super) struct Query {
    numbers: BTreeMap<&'static str, u64>,
    text: String,
}

impl Query {
    /// Reads it. A route takes the names of its own query and no other, each once.
    pub(super) fn read(route: &Route, uri: &Uri) -> Result<Self, No> {
        let other = || {
            let message = "the query holds something else than it may";
            No::new(400, "query", message, "see /api/v1/openapi.json")
        };
        let Pairs(pairs) =
            Pairs::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| other())?;
        let (mut numbers, mut given) = (BTreeMap::new(), None);
        for (name, value) in pairs {
            if route.text.as_ref().is_some_and(|text| text.name == name) && given.is_none() {
                given = Some(value);
                continue;
            }
            let known = route.query.iter().find(|known| known.name == name);
            let known = known.filter(|known| !numbers.contains_key(known.name));
            let known = known.ok_or_else(other)?;
            numbers.insert(known.name, known.value(&value)?);
        }
        for known in route.query {
            if let Some(otherwise) = known.otherwise {
                numbers.entry(known.name).or_insert(otherwise);
            }
        }
        let text = match &route.text {
            Some(text) => text.value(given)?,
            None => String::new(),
        };
        Ok(Self { numbers, text })
    }

    /// A number, given or by default.
    pub(super) fn get(&self, name: &str) -> Option<u64> {
        self.numbers.get(name).copied()
    }

    /// The text; empty where the route has none.
    pub(super) fn text(self) -> String {
        self.text
    }
}

impl Text {
    fn value(&self, given: Option<String>) -> Result<String, No> {
        let Self { name, most, .. } = self;
        given.filter(|text| (1..=*most).contains(&text.len())).ok_or_else(|| {
            let message = format!("`{name}` is missing, empty or too long");
            No::new(422, name, message, &format!("give {name}=TEXT, 1 to {most} bytes"))
        })
    }
}

impl Number {
    fn value(&self, text: &str) -> Result<u64, No> {
        let Self { name, least, most, .. } = self;
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let read = is_plain.then(|| text.parse().ok()).flatten();
        read.filter(|value| (least..=most).contains(&value)).ok_or_else(|| {
            let message = format!("`{name}` is none of its numbers");
            No::new(422, name, message, &format!("give {least} to {most}"))
        })
    }
}
