//! What can go wrong here: bytes that cannot be read, a claim that is false, a caller that asks for the impossible.

use std::fmt;

use quorate_terms::Malformed;

/// Any failure of this crate, sorted by blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Bytes that we were given cannot be read.
    Malformed(Malformed),
    /// Bytes that can be read make a claim that is false.
    Refuted(Refuted),
    /// The caller asked for something that does not exist.
    Misuse(Misuse),
}

/// A claim that was checked and found false: what was claimed, and why it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refuted {
    claim: String,
    why: String,
}

impl Refuted {
    /// The claim named `claim` is false because of `why`; both one lower-case line.
    pub fn new(claim: impl Into<String>, why: impl Into<String>) -> Self {
        Self { claim: claim.into(), why: why.into() }
    }

    /// What was claimed (`checkpoint signature`, `entry 7`).
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// Why it does not hold.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for Refuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; do not rely on it", self.claim, self.why)
    }
}

impl std::error::Error for Refuted {}

/// A call that can never succeed, such as a proof about an entry beyond the end. Fixed by reading the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse(String);

impl Misuse {
    /// What was asked and why it cannot be, in one lower-case line.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(e) => e.fmt(f),
            Self::Refuted(e) => e.fmt(f),
            Self::Misuse(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<Malformed> for Error {
    fn from(e: Malformed) -> Self {
        Self::Malformed(e)
    }
}

impl From<Refuted> for Error {
    fn from(e: Refuted) -> Self {
        Self::Refuted(e)
    }
}

impl From<Misuse> for Error {
    fn from(e: Misuse) -> Self {
        Self::Misuse(e)
    }
}
