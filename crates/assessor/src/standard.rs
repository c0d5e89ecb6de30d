//! Standards as data: catalogues, levels, decisions, mappings, profiles, clocks. No code knows an id of any of them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One control of one version of one standard. Ids are reused between versions, so both belong to the key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlKey {
    /// The standard, for example `ccss`.
    pub standard: String,
    /// Its version, for example `9.0`.
    pub version: String,
    /// The control's id there, for example `1.01.1.1`.
    pub id: String,
}

impl fmt::Display for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.standard, self.version, self.id)
    }
}
