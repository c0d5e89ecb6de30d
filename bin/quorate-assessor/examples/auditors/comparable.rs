//! Comparable controls that the story's auditor accepts where the machine finds a gap: each for one requirement, with the
//! reason why this deployment's control is as strong.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

const LIST: &str = include_str!("comparable.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    accepted: Vec<Accepted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    standard: String,
    control: String,
    rationale: String,
}

/// The rationale for a requirement, if the auditor accepts another control in its place.
pub(crate) fn rationale(standard: &str, control: &str) -> Option<&'static str> {
    static ACCEPTED: OnceLock<BTreeMap<(String, String), String>> = OnceLock::new();
    let accepted = ACCEPTED.get_or_init(|| {
        let list: List = toml::from_str(LIST).unwrap();
        let named = |a: Accepted| ((a.standard, a.control), a.rationale);
        list.accepted.into_iter().map(named).collect()
    });
    accepted.get(&(standard.to_owned(), control.to_owned())).map(String::as_str)
}
