//! What a deployment must keep to when several regulators watch: the strictest value of each parameter, and the conflicts
//! that no value can settle.

use serde::{Deserialize, Serialize};

use super::catalogue::Fixed;

/// A choice of standards with the strictest of their values.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How firm it is.
    pub status: String,
    /// The rule in plain words.
    pub rule: String,
    /// The standards that it draws from: id and version.
    pub imports: Vec<String>,
    /// The strictest values.
    #[serde(default, rename = "setting")]
    pub settings: Vec<Setting>,
    /// What cannot be merged, and the way through.
    #[serde(default, rename = "conflict")]
    pub conflicts: Vec<Conflict>,
}

/// One parameter and its strictest value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name.
    pub parameter: String,
    /// Which value wins.
    pub merge: Merge,
    /// The value; none where each jurisdiction keeps its own.
    pub value: Option<Fixed>,
    /// What kind of value it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The controls that it comes from.
    pub from: Vec<String>,
    /// What else to know.
    pub note: Option<String>,
}

/// Which of several values wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// The largest number or longest duration.
    Max,
    /// The smallest number or shortest duration; immediate comes before any duration.
    Min,
    /// The narrowest word, forbidden first.
    Strictest,
    /// They cannot be merged.
    None,
}

/// Demands that no single value satisfies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What kind of conflict.
    pub kind: String,
    /// What clashes.
    pub what: String,
    /// The controls that clash.
    pub controls: Vec<String>,
    /// The way through.
    pub way_through: String,
}
