//! The one error of this crate: bytes that we were given are not what they claim to be.

use std::fmt;

/// Outside bytes or text that cannot be a term: which field, why, and how to mend it.
///
/// The message is lower case, one line, and never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    field: String,
    why: String,
    mend: String,
}

impl Malformed {
    /// A complaint about `field`: `why` it is refused and how to `mend` it.
    pub fn new(field: impl Into<String>, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into(), mend: mend.into() }
    }

    /// The field, as the caller wrote it (`amount`, `to`, `intent.action`).
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Why it was refused.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What to do next.
    pub fn mend(&self) -> &str {
        &self.mend
    }

    /// The same complaint about a field inside another one.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}; {}", self.field, self.why, self.mend)
    }
}

impl std::error::Error for Malformed {}
