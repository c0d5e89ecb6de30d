//! How a control is decided: by whom or what, in plain words, and where a machine decides, as queries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::catalogue::Fixed;

/// The decisions of one version of one standard.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// The standard.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// One for each control that is decided here.
    #[serde(default, rename = "decision")]
    pub decisions: Vec<Decision>,
}

/// How one control is decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The control's id.
    pub control: String,
    /// By whom or what.
    pub automation: Automation,
    /// The question in plain words; none where only a person judges. Names in backticks are kinds, fields or configuration
    /// keys; names in braces are parameters.
    pub predicate: Option<String>,
    /// What an empty population means.
    pub on_empty: Option<OnEmpty>,
    /// The newest evidence may be no older than this (ISO 8601).
    pub freshness: Option<String>,
    /// What a person must still supply; none when nothing.
    pub human: Option<String>,
    /// How this product meets it.
    pub satisfied_by: Option<String>,
    /// How far a certified provider can carry it.
    pub provider: Option<Provider>,
    /// What else to know.
    pub note: Option<String>,
    /// Kinds of entries that the question reads.
    #[serde(default)]
    pub entries: Vec<String>,
    /// Configuration keys that the question reads.
    #[serde(default)]
    pub configuration: Vec<String>,
    /// Values that a profile may tighten and never loosen.
    #[serde(default)]
    pub parameters: BTreeMap<String, Fixed>,
    /// SQL: every row that the control speaks about. None while this build does not record what it reads.
    pub population: Option<String>,
    /// SQL: the rows that break it, each with `why`.
    pub exceptions: Option<String>,
    /// SQL: the rows of which the records do not tell whether they keep to it, each with `why`. Any makes it unproven.
    pub unknown: Option<String>,
    /// Whether no verdict on a row rests on entries of other cases, but for whether there are any and which came first: then
    /// a new entry of a case needs its own case looked at, and not the whole book. A question that counts or pairs rows of
    /// several cases is not local.
    #[serde(default)]
    pub local: bool,
}

/// Who or what decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Automation {
    /// Entries alone, all of kind system.
    Ledger,
    /// Signed configuration captures alone.
    Configuration,
    /// More than one of these, or attested entries, or a person's part besides.
    Hybrid,
    /// A person.
    Human,
}

impl Automation {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Configuration => "configuration",
            Self::Hybrid => "hybrid",
            Self::Human => "human",
        }
    }
}

/// What an empty population means. It is never met.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnEmpty {
    /// Shown, by the record being empty, that nothing falls under it; an auditor must accept that.
    NotApplicable,
    /// A gap.
    Gap,
    /// Not shown.
    Unproven,
}

/// How far a certified provider can carry a control. Our judgement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Where the customer holds a share.
    pub customer_holds_a_share: Cover,
    /// Where certified operators hold every share and every backup.
    pub operators_hold_all_shares: Cover,
    /// Why.
    pub why: String,
}

/// How much of a control a provider can carry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// Alone.
    Wholly,
    /// Its own part.
    Partly,
    /// Nothing.
    None,
}

impl Decision {
    /// Whether a machine can answer its part in this build.
    pub fn is_encoded(&self) -> bool {
        self.population.is_some() && self.exceptions.is_some()
    }
}
