//! What policy says of an intent. A refusal is a value with reasons, never an error.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::QuorumName;

/// Why, in words that people and programs can act on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The rule, budget or built-in check that spoke (`rule:large-needs-two`, `budget:ops-daily`, `check:deny-list`).
    pub rule: String,
    /// One of the published codes (`docs/spec/reasons.md`).
    pub code: String,
    /// One lower-case line.
    pub message: String,
    /// What to do next, one lower-case line.
    pub next: String,
}

/// The answer of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Judgment {
    /// Go on.
    Allow {
        /// The rules that allow it.
        because: Vec<Reason>,
    },
    /// Never, under this policy and these facts.
    Deny {
        /// At least one reason, sorted.
        reasons: Vec<Reason>,
    },
    /// Go on once every one of these quorums has agreed.
    Require {
        /// At least one quorum.
        quorums: BTreeSet<QuorumName>,
        /// The rules that ask for them, sorted.
        reasons: Vec<Reason>,
    },
}

impl Judgment {
    /// Whether the answer is a refusal.
    pub const fn is_deny(&self) -> bool {
        matches!(self, Self::Deny { .. })
    }

    /// The reasons, whatever the answer.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Allow { because } => because,
            Self::Deny { reasons } | Self::Require { reasons, .. } => reasons,
        }
    }

    /// The quorums that must agree; empty unless the answer is `Require`.
    pub fn quorums(&self) -> BTreeSet<QuorumName> {
        match self {
            Self::Require { quorums, .. } => quorums.clone(),
            Self::Allow { .. } | Self::Deny { .. } => BTreeSet::new(),
        }
    }
}
