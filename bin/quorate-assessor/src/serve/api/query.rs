//! The numbers that a query may hold.

use std::collections::BTreeMap;

use super::no::No;
use super::table::{Number, Route};

/// What a request holds of its route's numbers.
pub(super) struct Query(BTreeMap<&'static str, u64>);

impl Query {
    /// Reads it. A route takes the names of its own query and no other, each once.
    pub(super) fn read(route: &Route, query: Option<&str>) -> Result<Self, No> {
        let mut read = BTreeMap::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let known = route.query.iter().find(|known| known.name == name);
            let Some(known) = known.filter(|known| !read.contains_key(known.name)) else {
                let message = "the query holds something else than it may";
                return Err(No::new(400, "query", message, "see /api/v1/openapi.json"));
            };
            read.insert(known.name, known.value(value)?);
        }
        for known in route.query {
            if let Some(otherwise) = known.otherwise {
                read.entry(known.name).or_insert(otherwise);
            }
        }
        Ok(Self(read))
    }

    /// A number, given or by default.
    pub(super) fn get(&self, name: &str) -> Option<u64> {
        self.0.get(name).copied()
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
