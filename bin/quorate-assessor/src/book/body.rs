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
    let body = Outer(is_wanted).deserialize(&mut read).and_then(|body| read.end().map(|()| body));
    body.map_err(|e| {
        Trouble::refused("malformed", format!("an entry cannot be read ({e})"), "export it again")
    })
}

/// An entry, of which the body is kept.
struct Outer<'a>(&'a dyn Fn(&str) -> bool);

/// A body, of which these fields are kept.
struct Fields<'a>(&'a dyn Fn(&str) -> bool);

impl<'de> DeserializeSeed<'de> for Outer<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Outer<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut body = None;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name == "body" {
                body = Some(map.next_value_seed(Fields(self.0))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        body.ok_or_else(|| serde::de::Error::missing_field("body"))
    }
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if (self.0)(&name) {
                fields.insert(name.into_owned(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Json::Object(fields))
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
