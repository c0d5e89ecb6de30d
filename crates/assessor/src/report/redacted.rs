//! The copy of results and plan that others may read: words of single rows and names of people are struck out.
//!
//! It goes through the same strokes as an auditor's report ([`crate::audit::redact`]), so that a value that still stands
//! somewhere else refuses the copy.

use std::collections::BTreeSet;

use quorate_terms::Malformed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::plan::Plan;
use crate::audit::redact::{Stroke, apply, leaks, places};
use crate::record::Results;

/// How often a value that stands elsewhere is struck out there too, before the copy is refused.
const ROUNDS: usize = 4;
/// Places that may be struck out when a value of theirs stands elsewhere.
const WORDS: [&str; 2] = ["/reasons/", "/machine/shown/"];

/// What reports are made from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The results.
    pub results: Results,
    /// The plan.
    pub plan: Plan,
}

impl Source {
    /// The copy.
    ///
    /// # Errors
    /// [`Malformed`] when a struck-out value still stands where it may not be struck out; the message names the places.
    pub fn redacted(&self) -> Result<Self, Malformed> {
        let whole = json!(self);
        let mut strokes = self.strokes(&whole);
        for _ in 0..ROUNDS {
            let copy = struck(&whole, &strokes);
            let known: BTreeSet<String> = strokes.iter().map(|stroke| stroke.at.clone()).collect();
            let more: Vec<String> = leaks(&whole, &strokes, &copy)
                .into_iter()
                .filter(|at| WORDS.iter().any(|word| at.contains(word)) && !known.contains(at))
                .filter(|at| whole.pointer(at).is_some_and(Value::is_string))
                .collect();
            if more.is_empty() {
                break;
            }
            strokes.extend(more.into_iter().map(|at| stroke(at, "repeats what was struck out")));
        }
        let copy = apply(&whole, &strokes)?;
        serde_json::from_value(flat(copy)).map_err(|e| {
            Malformed::new("redaction", format!("leaves no results ({e})"), "please report this")
        })
    }

    fn strokes(&self, whole: &Value) -> Vec<Stroke> {
        let mut strokes = Vec::new();
        let mut strike = |pattern: &str, why: &str| {
            strokes.extend(places(whole, pattern).into_iter().map(|at| stroke(at, why)));
        };
        strike("/results/findings/*/machine/shown/*/why", "tells of a single row");
        strike("/plan/step/*/owner", "a person");
        strike("/plan/step/*/action", "tells how the entity works");
        for (place, finding) in self.results.findings.iter().enumerate() {
            // The first reason gives counts; those after it quote rows.
            let quoted = finding.machine.is_some();
            for reason in (1..finding.reasons.len()).filter(|_| quoted) {
                strike(
                    &format!("/results/findings/{place}/reasons/{reason}"),
                    "tells of a single row",
                );
            }
        }
        strokes
    }
}

fn stroke(at: String, why: &str) -> Stroke {
    Stroke { at, why: why.to_owned(), commitment: None }
}

/// The copy with the strokes made, unchecked.
fn struck(whole: &Value, strokes: &[Stroke]) -> Value {
    let mut copy = whole.clone();
    for stroke in strokes {
        if let Some(place) = copy.pointer_mut(&stroke.at) {
            *place = json!({ "redacted": stroke.why });
        }
    }
    copy
}

/// The copy with each struck-out place as words, so that it reads like what it is a copy of.
pub fn flat(value: Value) -> Value {
    match value {
        Value::Object(fields) => match fields.get("redacted").and_then(Value::as_str) {
            Some(why) if fields.keys().all(|key| key == "redacted" || key == "commitment") => {
                let commitment = fields.get("commitment").and_then(Value::as_str);
                let bound = commitment.map_or(String::new(), |c| format!("; commitment {c}"));
                json!(format!("[redacted: {why}{bound}]"))
            }
            _ => Value::Object(fields.into_iter().map(|(key, value)| (key, flat(value))).collect()),
        },
        Value::Array(list) => Value::Array(list.into_iter().map(flat).collect()),
        value => value,
    }
}
