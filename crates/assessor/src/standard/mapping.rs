//! How the controls of one standard touch those of others.

use serde::{Deserialize, Serialize};

use super::catalogue::Confidence;

/// Maps from one standard to others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mappings {
    /// Its id.
    pub id: String,
    /// The standard that maps: id and version.
    pub from: String,
    /// Who judged.
    pub note: String,
    /// The maps.
    #[serde(default, rename = "map")]
    pub maps: Vec<Map>,
}

/// One control's relation to one control elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The control's id in the mapping standard.
    pub control: String,
    /// The other standard: id and version.
    pub standard: String,
    /// The control's id there.
    pub to: String,
    /// How the first relates to the second.
    pub relation: Relation,
    /// How sure we are.
    pub confidence: Confidence,
    /// Why.
    pub rationale: String,
}

/// How one demand relates to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Same demand in substance.
    Equal,
    /// The first asks for part of what the second asks.
    Subset,
    /// The first asks for all of it and more.
    Superset,
    /// They overlap; neither covers the other.
    Intersects,
}

impl Relation {
    /// Whether meeting the first meets the second.
    pub const fn covers(self) -> bool {
        matches!(self, Self::Equal | Self::Superset)
    }

    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Subset => "subset",
            Self::Superset => "superset",
            Self::Intersects => "intersects",
        }
    }
}
