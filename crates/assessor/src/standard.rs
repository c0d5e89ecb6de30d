//! Standards as data: catalogues, levels, decisions, mappings, profiles, clocks. No code knows an id of any of them.
//!
//! A standard is a folder of TOML files (`standards/README.md`). A caller reads the files and hands their text to
//! [`Library::load`], which refuses the whole with a list of [`Problem`]s or gives everything by key.
//!
//! Reading order: what is asked ([`catalogue`]), how it is decided ([`decision`]), how standards touch ([`mapping`]), what a
//! deployment must keep to ([`profile`]), when something is due ([`clock`]); then the whole ([`library`]), what is wrong with
//! it ([`lint`]) and what changed ([`diff`]).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use quorate_terms::Malformed;
use serde::{Deserialize, Serialize};

pub mod guard;
pub mod problem;

pub mod catalogue;
pub mod decision;

pub mod mapping;
pub mod measure;
pub mod profile;

pub mod clock;

pub mod library;

pub mod diff;
pub mod lint;

pub use catalogue::{Catalogue, Control, Group, Level};
pub use clock::{Clock, Limit};
pub use decision::{Automation, Decision, OnEmpty};
pub use diff::Change;
pub use library::Library;
pub use mapping::{Map, Relation};
pub use problem::Problem;
pub use profile::{Profile, Setting};

#[cfg(test)]
mod tests;

/// One version of one standard.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardKey {
    /// The standard, for example `ccss`.
    pub standard: String,
    /// Its version, for example `9.0`.
    pub version: String,
}

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

/// The order of versions: runs of digits count as numbers, all else as text.
pub fn version_order(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (a, rest_a) = run(one);
        let (b, rest_b) = run(other);
        let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = if digits(a) && digits(b) {
            let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            a.cmp(b)
        };
        if order != Ordering::Equal || (rest_a.is_empty() && rest_b.is_empty()) {
            return order;
        }
        (one, other) = (rest_a, rest_b);
    }
}

/// The first run of digits or of anything else, and the rest.
fn run(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

impl StandardKey {
    /// The key of a control of this standard.
    pub fn control(&self, id: impl Into<String>) -> ControlKey {
        ControlKey { standard: self.standard.clone(), version: self.version.clone(), id: id.into() }
    }
}

impl ControlKey {
    /// The standard that the control belongs to.
    pub fn of(&self) -> StandardKey {
        StandardKey { standard: self.standard.clone(), version: self.version.clone() }
    }
}

impl fmt::Display for StandardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.standard, self.version)
    }
}

impl FromStr for StandardKey {
    type Err = Malformed;

    /// `ccss 9.0`.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad =
            || Malformed::new("standard", "is not an id and a version", "write them as `ccss 9.0`");
        let (standard, version) = text.split_once(' ').ok_or_else(bad)?;
        if standard.is_empty() || version.is_empty() || version.contains(' ') {
            return Err(bad());
        }
        Ok(Self { standard: standard.to_owned(), version: version.to_owned() })
    }
}

impl fmt::Display for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.standard, self.version, self.id)
    }
}
