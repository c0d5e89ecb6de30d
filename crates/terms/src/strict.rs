//! Strict JSON from outside, before anything else reads it: UTF-8, bounded in bytes and depth, no key twice.
//!
//! Readers differ on what a repeated key means, and a difference between two readers of one message is a way around a
//! check. So such a document is refused, not interpreted. (Terms themselves need none of this: [`crate::canonical`].)

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How many characters of a repeated key an error repeats.
const KEY_SHOWN: usize = 64;

/// What a reader takes at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The largest document, in bytes.
    pub bytes: usize,
    /// How often values may stand in one another. The parser itself stops before 128.
    pub depth: usize,
}

/// Why a document was not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It is longer than the limit, and was not looked at.
    TooLarge,
    /// It is not strict JSON; the words say where.
    Unreadable(String),
}

/// Reads one document.
///
/// # Errors
/// [`Refused`]; its words are bounded.
pub fn read(bytes: &[u8], limits: Limits) -> Result<Value, Refused> {
    if bytes.len() > limits.bytes {
        return Err(Refused::TooLarge);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Strict { depth: 0, limit: limits.depth }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|e| Refused::Unreadable(e.to_string()))
}

/// Builds a value and refuses what parsers disagree about.
struct Strict {
    depth: usize,
    limit: usize,
}

impl Strict {
    fn deeper<E: de::Error>(&self) -> Result<Self, E> {
        let depth = self.depth.saturating_add(1);
        if depth > self.limit {
            return Err(E::custom(format!("nested deeper than {}", self.limit)));
        }
        Ok(Self { depth, limit: self.limit })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
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

    #[expect(clippy::disallowed_types, reason = "decimals are carried, never counted with")]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.deeper()?)?;
            if object.contains_key(&key) {
                let shown: String = key.chars().take(KEY_SHOWN).collect();
                return Err(de::Error::custom(format!("`{shown}` is given twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { bytes: 400, depth: 4 };

    fn check(text: &str, expected: Option<&str>) {
        let said = match read(text.as_bytes(), LIMITS) {
            Ok(_) => None,
            Err(Refused::TooLarge) => Some("too large".to_owned()),
            Err(Refused::Unreadable(why)) => Some(why),
        };
        match (expected, &said) {
            (None, None) => {}
            (Some(words), Some(said)) if said.contains(words) => {}
            _ => panic!("{text}: expected {expected:?}, got {said:?}"),
        }
    }

    #[test]
    fn row_54_each_key_once_bounded_depth_and_bounded_size() {
        check(r#"{"a":[1,-2,1.5,"x",null,true]}"#, None);
        check("[[[[1]]]]", None);
        check("[[[[[1]]]]]", Some("nested deeper than 4"));
        check(r#"{"a":{"b":1,"c":2,"b":3}}"#, Some("`b` is given twice"));
        check(r#"{"a":1,"\u0061":2}"#, Some("`a` is given twice"));
        check(r#"{"a":1e999}"#, Some("out of range"));
        check(r#"{"a":NaN}"#, Some("expected value"));
        check("1 2", Some("trailing characters"));
        check(&"[".repeat(401), Some("too large"));
        check(&"[".repeat(400), Some("nested deeper"));
    }

    #[test]
    fn row_54_an_error_repeats_little_of_a_long_key() {
        let key = "k".repeat(150);
        check(&format!(r#"{{"{key}":1,"{key}":2}}"#), Some("kkk` is given twice"));
        let Err(Refused::Unreadable(why)) =
            read(format!(r#"{{"{key}":1,"{key}":2}}"#).as_bytes(), LIMITS)
        else {
            panic!("a repeated key was read");
        };
        assert!(why.len() < 120, "{why}");
    }

    #[test]
    fn no_changed_byte_and_no_cut_makes_it_panic_or_read_otherwise_than_serde() {
        let good = br#"{"a":[1,-2,1.5,"\u00e9\ud83d\ude00",null,true],"b":{"c":"d"}}"#;
        let same = |bytes: &[u8]| {
            if let Ok(ours) = read(bytes, LIMITS) {
                assert_eq!(ours, serde_json::from_slice::<Value>(bytes).unwrap());
            }
        };
        for at in 0..good.len() {
            same(&good[..at]);
            for byte in 0..=u8::MAX {
                let mut bent = good.to_vec();
                bent[at] = byte;
                same(&bent);
            }
        }
    }
}
