//! The tables that queries read, and how an entry's fields become their columns.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Value;
use crate::standard::{Decision, Problem, guard};

/// `standards/evidence/model.toml`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// One table each.
    #[serde(rename = "kind")]
    pub kinds: Vec<Kind>,
    /// The configuration keys that captures may hold.
    #[serde(rename = "configuration")]
    pub configuration: Vec<Key>,
}

/// One kind of entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// The name of the entry and of its table.
    pub name: String,
    /// Whether software writes it or a person says it.
    pub origin: Origin,
    /// What happened.
    pub meaning: String,
    /// Whether this build writes it.
    pub recorded: Recorded,
    /// Why the act cannot happen in this build, where it never does.
    pub why: Option<String>,
    /// The entry of ours that it is read from, where the names differ.
    pub source: Option<String>,
    /// Columns besides `book`, `idx`, `at` and `signer`.
    pub fields: Vec<String>,
    /// Fields of the evidence model that this build does not record: columns that are always empty.
    #[serde(default)]
    pub unrecorded: Vec<String>,
    /// Fields that tie entries of one case to one another. A kind that has any is written by every case, and its rows are
    /// many; the rows of all other kinds are few.
    #[serde(default)]
    pub links: Vec<String>,
    /// Where a field stands in our entry, if not under its own name: names joined by dots, `[]` for each of a list.
    #[serde(default)]
    pub paths: BTreeMap<String, String>,
}

/// A configuration key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The key.
    pub key: String,
    /// What it says.
    pub meaning: String,
    /// Whether this build captures it.
    #[serde(default)]
    pub captured: bool,
}

/// Who says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A by-product of the act, or checkable by signature.
    System,
    /// A named person, about the outside world.
    Attested,
}

/// Whether there are entries of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// The software writes it with the act.
    Written,
    /// People attest it in the assessor's own book.
    Attested,
    /// The act cannot happen in this build, so that no entry is the truth.
    Never,
    /// Nothing writes it yet: a question that reads it has no answer.
    No,
}

impl Model {
    /// Reads the model.
    ///
    /// # Errors
    /// [`Problem`] for text that is no model, or names a kind twice.
    pub fn load(text: &str) -> Result<Self, Problem> {
        let file = "evidence/model.toml";
        let bad = |field: &str, why: String| {
            Problem::new(file, field, why, "see standards/README.md for the shape")
        };
        guard::check(file, text)?;
        let model: Self =
            toml::from_str(text).map_err(|e| bad("model", e.message().replace('\n', " ")))?;
        let mut names = BTreeSet::new();
        for kind in &model.kinds {
            if !is_word(&kind.name)
                || !kind.fields.iter().chain(&kind.unrecorded).all(|f| is_word(f))
            {
                return Err(bad(&kind.name, "is not a word, or has a field that is none".into()));
            }
            if !kind.links.iter().all(|link| kind.fields.contains(link)) {
                return Err(bad(&kind.name, "links by what is no field of it".into()));
            }
            if !names.insert(&kind.name) {
                return Err(bad(&kind.name, "is given twice".into()));
            }
        }
        Ok(model)
    }

    /// The kind with this name.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// The kinds that an entry of ours of this type fills.
    pub fn filled_by<'a>(&'a self, entry: &'a str) -> impl Iterator<Item = &'a Kind> {
        self.kinds.iter().filter(move |kind| kind.source.as_deref().unwrap_or(&kind.name) == entry)
    }

    /// What a decision needs and this build does not record: kinds, configuration keys that no party captures, and fields that
    /// its predicate names.
    pub fn missing(&self, decision: &Decision) -> Vec<String> {
        let captured = |name: &str| self.configuration.iter().any(|k| k.key == name && k.captured);
        let keys = decision.configuration.iter().filter(|name| !captured(name)).cloned();
        let words = decision.predicate.iter().flat_map(|text| text.split('`').skip(1).step_by(2));
        let fields = words.filter(|word| self.is_unrecorded(word)).map(str::to_owned);
        let mut names = self.not_recorded(decision.entries.iter());
        names.extend(keys.chain(fields));
        names.dedup();
        names
    }

    /// Whether `Kind.field` is a field that this build leaves empty.
    fn is_unrecorded(&self, word: &str) -> bool {
        let Some((kind, field)) = word.split_once('.') else { return false };
        self.kind(kind).is_some_and(|kind| kind.unrecorded.iter().any(|name| name == field))
    }

    /// The names of kinds that a question may read and this build does not record.
    pub fn not_recorded<'a>(&self, kinds: impl Iterator<Item = &'a String>) -> Vec<String> {
        kinds
            .filter(|name| self.kind(name).is_none_or(|kind| kind.recorded == Recorded::No))
            .cloned()
            .collect()
    }
}

impl Kind {
    /// The columns of one row, in the order of [`Kind::fields`].
    pub fn row(&self, body: &Json) -> Vec<Value> {
        self.fields.iter().map(|field| self.column(field, body)).collect()
    }

    /// The field of an entry's body that holds a column, or from which the path to it begins.
    pub fn head<'a>(&'a self, field: &'a str) -> &'a str {
        let path = self.paths.get(field).map_or(field, String::as_str);
        let head = path.split_once('.').map_or(path, |(head, _)| head);
        head.strip_suffix("[]").unwrap_or(head)
    }

    /// One column of a row.
    pub fn column(&self, field: &str, body: &Json) -> Value {
        let path = self.paths.get(field).map_or(field, String::as_str);
        let found = walk(body, path);
        let is_time = field.ends_with("_at");
        if let Some(millis) = found.as_ref().and_then(Json::as_u64).filter(|_| is_time) {
            return Value::Text(instant(Timestamp::from_millis(millis)));
        }
        found.as_ref().map_or(Value::Null, value)
    }
}

/// What stands at a path: names joined by dots, `[]` behind a name for each of a list.
fn walk(body: &Json, path: &str) -> Option<Json> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    if let Some(name) = head.strip_suffix("[]") {
        let Some(Json::Array(items)) = body.get(name) else { return None };
        let found = items.iter().map(|item| match rest {
            Some(rest) => walk(item, rest).unwrap_or(Json::Null),
            None => item.clone(),
        });
        return Some(Json::Array(found.collect()));
    }
    let found = body.get(head)?;
    match rest {
        Some(rest) => walk(found, rest),
        None => Some(found.clone()),
    }
}

/// A JSON value as a column: text as it is, lists and objects as JSON text, yes and no as 1 and 0.
pub fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Integer(i64::from(*yes)),
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Text(number.to_string()), Value::Integer)
        }
        Json::Array(_) | Json::Object(_) => Value::Text(json.to_string()),
    }
}

/// A moment as queries compare it: RFC 3339, UTC, milliseconds, of one length, so that the order of texts is that of times.
pub fn instant(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let Ok(at) = jiff::Timestamp::from_millisecond(millis) else { return String::new() };
    format!("{at:.3}")
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn our_model_names_every_kind_once_and_says_why_some_acts_never_happen() {
        let model = Model::load(include_str!("../../../../standards/evidence/model.toml")).unwrap();
        assert_eq!((model.kinds.len(), model.configuration.len()), (101, 62));
        for kind in &model.kinds {
            assert_eq!(kind.recorded == Recorded::Never, kind.why.is_some(), "{}", kind.name);
            let attested = kind.origin == Origin::Attested;
            assert_eq!(kind.recorded == Recorded::Attested, attested, "{}", kind.name);
        }
    }

    #[test]
    fn a_row_takes_fields_by_name_or_path_and_times_as_text() {
        let kind: Kind = toml::from_str(
            r#"name = "K"
               origin = "system"
               meaning = "m"
               recorded = "written"
               fields = ["wallet", "said", "expires_at", "yes", "gone"]
               paths = { said = "statements[].body.transcript" }"#,
        )
        .unwrap();
        let body = json!({
            "wallet": "ops", "yes": true, "expires_at": 1_700_000_000_001_u64,
            "statements": [{ "body": { "transcript": "aa" } }, { "body": {} }],
        });
        let expected = [
            Value::Text("ops".into()),
            Value::Text(r#"["aa",null]"#.into()),
            Value::Text("2023-11-14T22:13:20.001Z".into()),
            Value::Integer(1),
            Value::Null,
        ];
        assert_eq!(kind.row(&body), expected);
    }

    #[test]
    fn the_order_of_instants_is_the_order_of_their_texts() {
        let texts: Vec<String> = [0, 999, 1000, 1_700_000_000_000, 1_700_000_000_001]
            .map(|millis| instant(Timestamp::from_millis(millis)))
            .into();
        assert!(texts.is_sorted() && texts.iter().all(|t| t.len() == 24), "{texts:?}");
    }

    #[test]
    fn a_model_that_names_a_kind_twice_or_with_other_than_words_is_refused() {
        let kind = |name: &str| {
            format!(
                "[[kind]]\nname = {name:?}\norigin = \"system\"\nmeaning = \"m\"\nrecorded = \"no\"\nfields = []\n"
            )
        };
        let head = "id = \"x\"\nversion = \"1\"\nconfiguration = []\n";
        assert!(Model::load(&format!("{head}{}", kind("A"))).is_ok());
        for bad in [format!("{head}{}{}", kind("A"), kind("A")), format!("{head}{}", kind("A; --"))]
        {
            assert!(Model::load(&bad).is_err());
        }
    }
}
