//! Values about people: a salted commitment in the ledger, the opening beside it in a store that can be erased.
//!
//! Steps, reports and copies bind the commitment, so every digest and every replay holds when an opening is destroyed.
//! Ledgers from before hold such values in plain text; they are still read.

use std::collections::BTreeMap;

use quorate_terms::commitment::{Commitment, Opening};
use quorate_terms::{Digest, Malformed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A value about a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Personal {
    /// As it is said, before it is filed.
    Plain(String),
    /// As it is filed.
    Committed(Committed),
}

/// What the ledger has of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// The commitment; its opening is elsewhere, or was erased.
    pub committed: Commitment,
}

impl Committed {
    /// What stands here in the place of a value.
    pub fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }
}

/// Openings that were not erased, by commitment.
pub type Openings = BTreeMap<Digest, Opening>;

impl Personal {
    /// The value, where it stands in plain text.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Committed(_) => None,
        }
    }

    /// The commitment, where there is one.
    pub const fn commitment(&self) -> Option<Commitment> {
        match self {
            Self::Plain(_) => None,
            Self::Committed(held) => Some(held.committed),
        }
    }

    /// Puts a commitment in the place of the value and gives its opening; none for what is committed or blank.
    ///
    /// # Errors
    /// [`Malformed`] for a value that is longer than [`quorate_terms::commitment::VALUE_BYTES_MAX`].
    pub fn commit(&mut self, path: &str, salt: [u8; 16]) -> Result<Option<Opening>, Malformed> {
        let Self::Plain(text) = self else { return Ok(None) };
        if text.trim().is_empty() {
            return Ok(None);
        }
        let opening = Opening::new(salt, path, text)?;
        *self = Self::Committed(Committed { committed: opening.commitment()? });
        Ok(Some(opening))
    }
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain"),
            Self::Committed(held) => held.fmt(f),
        }
    }
}

impl From<&str> for Personal {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

/// The digest of the commitment that stands here in the place of a value.
pub fn committed_at(value: &Value) -> Option<Digest> {
    Committed::read(value).map(|held| held.committed.digest())
}

/// The value with each commitment's opening beside it, so that a reader can check the one by the other; what was erased says so.
pub fn beside(value: &Value, openings: &Openings) -> Value {
    open(value, &|digest| match openings.get(digest) {
        Some(Opening { salt, path, value }) => {
            json!({ "committed": digest, "salt": salt, "path": path, "value": value })
        }
        None => json!({ "committed": digest, "erased": true }),
    })
}

/// The value as it reads: what was committed as text, what was erased as words that name the commitment.
pub fn read(value: &Value, openings: &Openings) -> Value {
    open(value, &|digest| match openings.get(digest) {
        Some(opening) => json!(opening.value),
        None => json!(format!("[erased; commitment {digest}]")),
    })
}

fn open(value: &Value, shown: &dyn Fn(&Digest) -> Value) -> Value {
    if let Some(digest) = committed_at(value) {
        return shown(&digest);
    }
    match value {
        Value::Array(list) => list.iter().map(|value| open(value, shown)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), open(value, shown)));
            Value::Object(fields.collect())
        }
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(text: &str) -> (Personal, Opening) {
        let mut value = Personal::from(text);
        let opening = value.commit("exhibit.owner", [7; 16]).unwrap().unwrap();
        (value, opening)
    }

    #[test]
    fn row_44_what_is_filed_says_nothing_of_the_person_and_debug_does_neither() {
        let (value, opening) = committed("Greta Holm");
        let filed = json!(value).to_string();
        assert!(!filed.contains("Greta") && !filed.contains(&opening.salt), "{filed}");
        assert_eq!(value.commitment(), Some(opening.commitment().unwrap()));
        for shown in [format!("{:?}", Personal::from("Greta Holm")), format!("{value:?}")] {
            assert!(!shown.contains("Greta"), "{shown}");
        }
    }

    #[test]
    fn a_value_is_committed_once_and_a_blank_never() {
        let (mut value, _) = committed("Greta Holm");
        assert!(value.commit("exhibit.owner", [8; 16]).unwrap().is_none());
        let mut blank = Personal::from("  ");
        assert!(blank.commit("exhibit.owner", [8; 16]).unwrap().is_none());
        assert_eq!(blank.plain(), Some("  "));
        let mut long = Personal::Plain("x".repeat(5000));
        assert!(long.commit("exhibit.owner", [8; 16]).is_err());
    }

    #[test]
    fn row_44_values_are_shown_while_they_are_kept_and_said_to_be_erased_after() {
        let (value, opening) = committed("Greta Holm");
        let digest = value.commitment().unwrap().digest();
        let report = json!({ "exhibits": [{ "owner": value, "at": 3 }] });
        let kept = Openings::from([(digest, opening)]);
        assert_eq!(read(&report, &kept)["exhibits"][0]["owner"], "Greta Holm");
        let shown = &beside(&report, &kept)["exhibits"][0]["owner"];
        assert_eq!((&shown["value"], &shown["committed"]), (&json!("Greta Holm"), &json!(digest)));
        let erased = Openings::new();
        assert_eq!(beside(&report, &erased)["exhibits"][0]["owner"]["erased"], true);
        let read = read(&report, &erased)["exhibits"][0]["owner"].to_string();
        assert!(read.contains("erased") && read.contains(&digest.to_string()), "{read}");
    }

    #[test]
    fn plain_values_of_older_ledgers_are_read_and_written_as_they_were() {
        for text in [r#""Otto""#, r#"{"committed":"00"}"#, r#"{"committed":1}"#, "7", "null"] {
            let read: Result<Personal, _> = serde_json::from_str(text);
            assert_eq!(read.is_ok(), text == r#""Otto""#, "{text}");
            if let Ok(value) = read {
                assert_eq!(json!(value).to_string(), text);
            }
        }
        let (value, _) = committed("Otto");
        let with_more = json!(value).to_string().replace('}', r#","value":"Otto"}"#);
        assert!(serde_json::from_str::<Personal>(&with_more).is_err());
    }
}
