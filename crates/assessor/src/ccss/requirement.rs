//! What a level needs to know of one requirement. It comes from a catalogue.

use serde::{Deserialize, Serialize};

/// One requirement, as far as grading and auditing must know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its id in the catalogue.
    pub id: String,
    /// The aspect or domain that it belongs to.
    pub group: String,
    /// The rank of its level, from 1. Its place in the id says nothing about it.
    pub rank: u8,
    /// Title, our paraphrase and criteria as one text: what a finding must not merely echo.
    pub text: String,
}

/// The highest rank among the requirements; 0 for none.
pub fn top(requirements: &[Requirement]) -> u8 {
    requirements.iter().map(|r| r.rank).max().unwrap_or(0)
}
