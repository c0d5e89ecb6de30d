//! A refusal is a value: what was refused, why, and what to do next. It is not an error.

use std::fmt;

use quorate_terms::Malformed;
use quorate_terms::judgment::Reason;
use serde::{Deserialize, Serialize};

/// Why this party will not go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// A short constant for programs, published in `docs/spec/refusals.md`; in `docs/spec/reasons.md` where it is a reason of a
    /// judgment.
    pub code: String,
    /// One lower-case line.
    pub message: String,
    /// What to do next, one lower-case line.
    pub next: String,
}

impl Refusal {
    /// A refusal with its code, message and next step.
    pub fn new(code: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), next: next.into() }
    }

    /// The same as a reason given by the built-in check `check`.
    pub fn into_reason(self, check: &str) -> Reason {
        Reason {
            rule: format!("check:{check}"),
            code: self.code,
            message: self.message,
            next: self.next,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}); {}", self.message, self.code, self.next)
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        let message = format!("`{}` {}", malformed.field(), malformed.why());
        Self::new("malformed", message, malformed.mend())
    }
}

impl From<quorate_chains::Refusal> for Refusal {
    fn from(refusal: quorate_chains::Refusal) -> Self {
        Self::new(refusal.code.as_str(), refusal.message, refusal.next)
    }
}
