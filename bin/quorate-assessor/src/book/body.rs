//! What an entry says, read without the parts that nobody asks for: most of a million entries is bytes of transactions.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value as Json};

use crate::trouble::{Done, Trouble};

/// The kind of an entry, read without the rest of it.
pub(crate) fn kind(entry: &[u8]) -> Option<&str> {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        body: Typed<'a>,
    }
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    serde_json::from_slice::<Outer<'_>>(entry).ok().map(|outer| outer.body.kind)
}

/// The fields of an entry's body whose names are wanted.
pub(crate) fn body(entry: &[u8], is_wanted: &dyn Fn(&str) -> bool) -> Done<Json> {
    let mut read = serde_json::Deserializer::from_slice(entry);
    let outer = Fields { is_wanted, is_body: false };
    let found = outer.deserialize(&mut read).and_then(|found| read.end().map(|()| found));
    let malformed = |why: String| {
        Trouble::refused("malformed", format!("an entry cannot be read ({why})"), "export it again")
    };
    let mut found = found.map_err(|e| malformed(e.to_string()))?;
    found.remove(BODY).ok_or_else(|| malformed("it has no body".to_owned()))
}

/// What holds the body in an entry.
const BODY: &str = "body";

/// The fields that are kept: of an entry its body, of a body those that are wanted.
struct Fields<'a> {
    is_wanted: &'a dyn Fn(&str) -> bool,
    is_body: bool,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Map<String, Json>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Map<String, Json>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_body { "the body of an entry" } else { "an entry" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { is_wanted, is_body } = self;
        let mut kept = Map::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let value = match is_body {
                true if is_wanted(&name) => map.next_value()?,
                false if name == BODY => {
                    Json::Object(map.next_value_seed(Fields { is_wanted, is_body: true })?)
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            kept.insert(name.into_owned(), value);
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {

    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_wanted_of_a_body_is_kept() {
        let entry = br#"{"at":1,"body":{"a":{"b":[1,2]},"c":"x","type":"T"},"index":0}"#;
        let some = body(entry, &|name| name == "a" || name == "type").unwrap();
        assert_eq!(some, json!({ "a": { "b": [1, 2] }, "type": "T" }));
        assert_eq!(kind(entry), Some("T"));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for bad in ["", "{}", "[]", r#"{"body":7}"#, r#"{"body":{"a":}}"#, r#"{"body":{}} more"#] {
            assert_eq!(body(bad.as_bytes(), &|_| true).unwrap_err().code, "malformed", "{bad}");
        }
    }
}
