//! What one version of one standard asks.

use std::collections::BTreeMap;

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed, canonical};
use serde::{Deserialize, Serialize};

use super::StandardKey;

/// The controls of one version of one standard, with its levels and groups.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The standard, a word of lower-case letters, digits and hyphens.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its name.
    pub title: String,
    /// Who publishes it.
    pub publisher: String,
    /// Where it applies, if it is a regulator's (ISO 3166).
    pub jurisdiction: Option<String>,
    /// The language of the text (BCP 47).
    pub language: String,
    /// The day on which we last looked.
    pub as_of: String,
    /// Whether the publisher issued this very text. Paraphrases, summaries and drafts are not official.
    pub official: bool,
    /// What a reader must know first.
    pub note: String,
    /// How levels follow from controls, in plain words.
    pub level_rule: Option<String>,
    /// What the rules come from.
    #[serde(default)]
    pub instruments: Vec<String>,
    /// From lowest to highest; none where the standard knows no levels.
    #[serde(default, rename = "level")]
    pub levels: Vec<Level>,
    /// Aspects, domains or instruments, in reading order.
    #[serde(default, rename = "group")]
    pub groups: Vec<Group>,
    /// In reading order.
    #[serde(default, rename = "control")]
    pub controls: Vec<Control>,
}

/// A level of a standard. Levels add up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its name.
    pub id: String,
    /// From 1 upwards.
    pub rank: u8,
    /// What it means.
    pub meaning: String,
}

/// Controls that belong together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How firm the group itself is, in a draft.
    pub status: Option<String>,
    /// Why it is so firm.
    pub status_basis: Option<String>,
    /// What it is about.
    pub scope: Option<String>,
}

/// One demand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its id in this version.
    pub id: String,
    /// The group that it belongs to.
    pub group: String,
    /// The id of the publisher's control above this requirement, where there is one.
    pub objective: Option<String>,
    /// Its title.
    pub title: String,
    /// Its level, where the standard has levels.
    pub level: Option<String>,
    /// What it asks, in our words.
    pub text: String,
    /// Parts that must all hold.
    #[serde(default)]
    pub criteria: Vec<String>,
    /// Why it is asked.
    pub rationale: Option<String>,
    /// Where it stands.
    pub citation: String,
    /// How sure we are: `T` text read, `S` secondary, `K` general knowledge.
    pub confidence: Confidence,
    /// How binding it is: rule, circular, guidance.
    pub binding: Option<String>,
    /// The first day on which it applies.
    pub effective_from: Option<String>,
    /// The day by which to look again.
    pub review_by: Option<String>,
    /// Kinds of evidence that an auditor looks for.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// Kinds that are at the auditor's choice.
    #[serde(default)]
    pub evidence_optional: Vec<String>,
    /// How often.
    pub cadence: Option<String>,
    /// When it may not apply.
    pub not_applicable: Option<String>,
    /// Controls that this one leans on.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// What to show a person who decides: which documents, records, sights and talks.
    pub guide: Option<String>,
    /// Who shows it to whom.
    pub shown_to: Option<String>,
    /// Of what, how many, from when.
    pub sampled: Option<String>,
    /// What a reviewer does not accept.
    pub rejected: Option<String>,
    /// Incidents and faults that it answers.
    #[serde(default)]
    pub threats: Vec<String>,
    /// Whom it binds.
    pub who: Option<String>,
    /// Which assets it is about.
    pub assets: Option<String>,
    /// When it applies.
    pub applies_when: Option<String>,
    /// What else to know.
    pub note: Option<String>,
    /// Numbers and words that the rule fixes.
    #[serde(default, rename = "parameter")]
    pub parameters: Vec<Parameter>,
}

/// How sure we are of a control's wording.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Confidence {
    /// The text was read.
    T,
    /// From a secondary source; confirm first.
    S,
    /// General knowledge, not confirmed; also our own drafts.
    K,
}

/// A number or a word that a rule fixes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What kind of value it is.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// The value; none where the rule names the parameter and fixes nothing.
    pub value: Option<Fixed>,
}

/// Kinds of parameters. `immediate` is a kind of its own and not zero hours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Of a hundred.
    Percent,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// ISO 8601.
    Duration,
    /// At once.
    Immediate,
    /// ISO 8601.
    Date,
    /// `04-15`.
    MonthDay,
    /// One word.
    Word,
    /// Several values.
    List,
    /// Named values.
    Object,
    /// Nothing is fixed.
    Null,
}

/// A value in a standard's file. There are no floats: a ratio is a decimal string.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fixed {
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A word, a duration, a decimal.
    Text(String),
    /// Several.
    List(Vec<Self>),
    /// Named.
    Table(BTreeMap<String, Self>),
}

impl Control {
    /// The guide for people, part by part, each with its label. A part that was not written is left out.
    pub fn guided(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [
            ("Show", &self.guide),
            ("Shown to", &self.shown_to),
            ("Sampled", &self.sampled),
            ("Rejected", &self.rejected),
        ];
        parts.into_iter().filter_map(|(label, said)| Some((label, said.as_deref()?)))
    }
}

impl Catalogue {
    /// The key.
    pub fn key(&self) -> StandardKey {
        StandardKey { standard: self.id.clone(), version: self.version.clone() }
    }

    /// The control with this id.
    pub fn control(&self, id: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.id == id)
    }

    /// The rank of a level, from 1; 0 for a control of no level.
    pub fn rank(&self, level: Option<&str>) -> u8 {
        let named = |wanted: &str| self.levels.iter().find(|l| l.id == wanted).map(|l| l.rank);
        level.and_then(named).unwrap_or(0)
    }

    /// The digest under which assessments name the text that they used.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a catalogue that was read.
    pub fn digest(&self) -> Result<Digest, Malformed> {
        Ok(Digest::of(tag::STANDARD, &canonical::to_bytes(self, "catalogue")?))
    }
}
