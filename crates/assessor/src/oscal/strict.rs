//! JSON from outside, bounded: no key twice, nothing deep, nothing large.

use std::fmt;

use quorate_terms::Malformed;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The largest document, in bytes. NIST's largest catalogue has 10 MB.
pub const DOCUMENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Reads JSON. serde_json itself refuses what nests deeper than 128.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        let mend = format!("give at most {DOCUMENT_BYTES_MAX} bytes");
        return Err(Malformed::new("document", "is too large", mend));
    }
    let strict: Strict = serde_json::from_slice(bytes).map_err(|e| {
        let why = format!("cannot be read ({e})");
        Malformed::new("document", why, "give OSCAL in JSON, each key once")
    })?;
    Ok(strict.0)
}

/// Any JSON in which no object has a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Once).map(Self)
    }
}

struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    #[expect(
        clippy::disallowed_types,
        reason = "OSCAL has decimals; they are carried, never counted with"
    )]
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            let Strict(value) = fields.next_value()?;
            if map.contains_key(&key) {
                return Err(Error::custom(format!("`{key}` is given twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
