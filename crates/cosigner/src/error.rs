//! Whose mistake it was. Aborts of a protocol are not here: they are outcomes ([`crate::abort`]).

use std::fmt;

use quorate_terms::Malformed;

/// Something that ended before, or beside, the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Bytes that we were given are not what they claim to be.
    Malformed(Malformed),
    /// Our caller asked for what it may not have.
    Misuse(Misuse),
    /// We are wrong, or the machine that we run on is.
    Bug(Bug),
}

/// Our caller's mistake: what, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    what: &'static str,
    mend: &'static str,
}

/// Our own mistake; never a peer's doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    what: &'static str,
}

impl Misuse {
    /// The caller did `what`; it should `mend`.
    pub const fn new(what: &'static str, mend: &'static str) -> Self {
        Self { what, mend }
    }
}

impl Bug {
    /// `what` cannot happen, and did.
    pub const fn new(what: &'static str) -> Self {
        Self { what }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.mend)
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; stop this process and report it", self.what)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(e) => e.fmt(f),
            Self::Misuse(e) => e.fmt(f),
            Self::Bug(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for Error {}
impl std::error::Error for Misuse {}
impl std::error::Error for Bug {}

impl From<Malformed> for Error {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl From<Misuse> for Error {
    fn from(error: Misuse) -> Self {
        Self::Misuse(error)
    }
}

impl From<Bug> for Error {
    fn from(error: Bug) -> Self {
        Self::Bug(error)
    }
}
