//! A redacted copy: marks on fields, a copy in which each marked value is gone or a salted commitment, and a search that
//! finds it nowhere else.
//!
//! Who has the report and the strokes makes the same copy, so nobody has to be believed that the copy is one of it.

use std::collections::BTreeSet;

use quorate_terms::Malformed;
use quorate_terms::commitment::{Commitment, Opening};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::personal::{self, Committed, Openings, committed_at};

/// A wish to strike out every field at a place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// JSON pointer (RFC 6901); `*` stands for any key or place.
    pub at: String,
    /// Leave a salted commitment, so that the value can be shown later and not be changed.
    pub commit: bool,
    /// Why.
    pub why: String,
}

/// One field struck out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stroke {
    /// JSON pointer without `*`.
    pub at: String,
    /// Why.
    pub why: String,
    /// The commitment that stands there instead; none when the value is gone.
    pub commitment: Option<Commitment>,
}

/// The copy with what was done to make it. The openings stay with the auditor.
pub struct Copy {
    /// The redacted report.
    pub copy: Value,
    /// What was struck out.
    pub strokes: Vec<Stroke>,
    /// What opens the commitments.
    pub openings: Vec<Opening>,
}

/// Strikes out what is wished. `openings` are those of values that the report holds under commitments; `salt` draws 128 random
/// bits for each new commitment.
///
/// # Errors
/// [`Malformed`] for a wish that finds nothing or is no pointer, for a field that is no text, number or list of them, and
/// for a value that still stands elsewhere in the copy: the message names the places, never the value.
pub fn redact(
    report: &Value,
    wishes: &[Wish],
    openings: &Openings,
    salt: &mut dyn FnMut() -> [u8; 16],
) -> Result<Copy, Malformed> {
    let (mut strokes, mut made, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for wish in wishes {
        let places = places(report, &wish.at);
        if places.is_empty() {
            return Err(bad(&wish.at, "finds nothing", "mend the pointer"));
        }
        for at in places {
            if !seen.insert(at.clone()) {
                continue;
            }
            let here = report.pointer(&at).and_then(Committed::read);
            let commitment = if !wish.commit {
                None
            } else if let Some(held) = here {
                // Filed under a commitment: the same one stands in the copy, and its opening is kept already.
                Some(held.committed)
            } else {
                let opening = Opening::new(salt(), &at, &plain(report, &at)?)?;
                let commitment = opening.commitment()?;
                made.push(opening);
                Some(commitment)
            };
            strokes.push(Stroke { at, why: wish.why.clone(), commitment });
        }
    }
    let copy = apply(report, &strokes)?;
    holds_opened(report, &strokes, &copy, openings)?;
    Ok(Copy { copy, strokes, openings: made })
}

/// The copy that these strokes make of this report.
///
/// # Errors
/// As [`redact`].
pub fn apply(report: &Value, strokes: &[Stroke]) -> Result<Value, Malformed> {
    let mut copy = report.clone();
    for stroke in strokes {
        plain(report, &stroke.at)?;
        let place = copy.pointer_mut(&stroke.at);
        let place =
            place.ok_or_else(|| bad(&stroke.at, "is struck out twice", "strike it once"))?;
        *place = match &stroke.commitment {
            Some(commitment) => {
                json!({ "redacted": stroke.why, "commitment": commitment.digest().to_string() })
            }
            None => json!({ "redacted": stroke.why }),
        };
    }
    none_of(&leaks(report, strokes, &copy))?;
    Ok(copy)
}

/// Whether the copy, as its readers see it, is free of what was struck out: values under commitments are opened on both sides.
/// What was erased cannot be looked for, nor can it be read.
///
/// # Errors
/// [`Malformed`] naming the places, never the value.
pub fn holds_opened(
    report: &Value,
    strokes: &[Stroke],
    copy: &Value,
    openings: &Openings,
) -> Result<(), Malformed> {
    let (report, copy) = (personal::read(report, openings), personal::read(copy, openings));
    none_of(&leaks(&report, strokes, &copy))
}

fn none_of(leaks: &[String]) -> Result<(), Malformed> {
    if leaks.is_empty() {
        return Ok(());
    }
    let first: Vec<&str> = leaks.iter().take(5).map(String::as_str).collect();
    let why = format!("leaves struck-out values standing at {}", first.join(", "));
    Err(bad("redaction", &why, "strike them out there too, or write the text without them"))
}

/// Places of the copy where a struck-out value still stands, in any case and spacing. Values of up to three characters count
/// only as whole words. A value that is committed to is looked for only in a report that was opened ([`personal::read`]).
pub fn leaks(report: &Value, strokes: &[Stroke], copy: &Value) -> Vec<String> {
    let mut secrets = BTreeSet::new();
    for stroke in strokes {
        let mut values = Vec::new();
        if let Some(value) = report.pointer(&stroke.at).filter(|v| committed_at(v).is_none()) {
            texts(value, "", &mut values);
        }
        secrets.extend(
            values.into_iter().map(|(_, text)| even(&text)).filter(|text| !text.is_empty()),
        );
    }
    let mut all = Vec::new();
    texts(copy, "", &mut all);
    let holds = |text: &str| secrets.iter().any(|secret| stands_in(secret, &even(text)));
    let mut found: Vec<String> =
        all.into_iter().filter(|(_, text)| holds(text)).map(|(at, _)| at).collect();
    found.dedup();
    found
}

/// Whether a text says these words, in any case and spacing; words of up to three characters only as whole words.
pub fn repeats(words: &str, text: &str) -> bool {
    let words = even(words);
    !words.is_empty() && stands_in(&words, &even(text))
}

fn stands_in(secret: &str, text: &str) -> bool {
    if secret.chars().count() > 3 {
        return text.contains(secret);
    }
    text.split(|c: char| !c.is_alphanumeric()).any(|word| word == secret) || text == secret
}

/// Lower case, one space between words: so that a value is found however it is written.
fn even(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every text, number and key, each with its place. Numbers count as they are written; yes, no and nothing say too little.
fn texts(value: &Value, at: &str, into: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => into.push((at.to_owned(), text.clone())),
        Value::Number(number) => into.push((at.to_owned(), number.to_string())),
        Value::Array(list) => {
            for (place, value) in list.iter().enumerate() {
                texts(value, &format!("{at}/{place}"), into);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let at = format!("{at}/{}", escaped(key));
                into.push((at.clone(), key.clone()));
                texts(value, &at, into);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// The field's value as one text. Whole tables are not struck out at once: mark each field, so that the search is exact.
fn plain(report: &Value, at: &str) -> Result<String, Malformed> {
    let simple = |value: &Value| value.is_string() || value.is_number();
    match report.pointer(at) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Array(list)) if list.iter().all(simple) => {
            Ok(Value::Array(list.clone()).to_string())
        }
        Some(held) if committed_at(held).is_some() => Ok(held.to_string()),
        Some(_) => Err(bad(at, "is a table, a yes or no, or nothing", "mark its fields")),
        None => Err(bad(at, "is not in the report", "mend the pointer")),
    }
}

/// Every place that a pointer with `*` finds. Values that hold nothing are passed over.
pub fn places(report: &Value, pattern: &str) -> Vec<String> {
    let Some(path) = pattern.strip_prefix('/') else { return Vec::new() };
    let mut found = vec![(String::new(), report)];
    for part in path.split('/') {
        found = found.into_iter().flat_map(|(at, value)| below(&at, value, part)).collect();
    }
    let says =
        |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    found.into_iter().filter(|(_, value)| says(value)).map(|(at, _)| at).collect()
}

fn below<'a>(at: &str, value: &'a Value, part: &str) -> Vec<(String, &'a Value)> {
    match value {
        Value::Object(fields) if part == "*" => {
            fields.iter().map(|(key, value)| (format!("{at}/{}", escaped(key)), value)).collect()
        }
        Value::Array(list) if part == "*" => {
            list.iter().enumerate().map(|(place, value)| (format!("{at}/{place}"), value)).collect()
        }
        _ => value
            .pointer(&format!("/{part}"))
            .map(|value| (format!("{at}/{part}"), value))
            .into_iter()
            .collect(),
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn bad(field: &str, why: &str, mend: &str) -> Malformed {
    Malformed::new(field, why, mend)
}

#[cfg(test)]
mod tests;
