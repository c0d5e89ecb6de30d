//! Why something does not pass, for people: a rule's name, the reason, and what to do next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One reason against something. A value, not an error.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// The rule that objects, in the words of the workflow's data, for example `reviewer_is_of_another_firm`.
    pub rule: String,
    /// Why, one lower-case line.
    pub why: String,
    /// What to do next.
    pub mend: String,
}

impl Objection {
    /// An objection of `rule`.
    pub fn new(rule: &str, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), why: why.into(), mend: mend.into() }
    }

    /// An objection unless `holds`.
    pub fn unless(holds: bool, rule: &str, why: &str, mend: &str) -> Option<Self> {
        (!holds).then(|| Self::new(rule, why, mend))
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.rule, self.why, self.mend)
    }
}
