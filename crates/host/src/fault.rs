//! The world failed: a disk, a network, a file that is not what it should be.

use std::fmt;
use std::io;
use std::path::Path;

/// What failed, why, and what to do next. One line, lower case, never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    what: String,
    why: String,
    mend: String,
}

impl Fault {
    /// A fault of `what`: the reason, and how to mend it.
    pub fn new(what: impl Into<String>, why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), mend: mend.into() }
    }

    /// A fault of the operating system at a path.
    pub fn at(path: &Path, error: &io::Error) -> Self {
        let mend = match error.kind() {
            io::ErrorKind::NotFound => "check the path, or run `init` first",
            io::ErrorKind::PermissionDenied => "run as the user who owns it",
            io::ErrorKind::AlreadyExists => "choose another path; nothing is overwritten",
            io::ErrorKind::StorageFull => "free space on this disk",
            _ => "check the disk and the path",
        };
        Self::new(path.display().to_string(), error.to_string(), mend)
    }

    /// What failed: a path, a peer, a subsystem.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Why.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// What to do next.
    pub fn mend(&self) -> &str {
        &self.mend
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.what, self.why, self.mend)
    }
}

impl std::error::Error for Fault {}

impl From<quorate_ledger::Misuse> for Fault {
    fn from(misuse: quorate_ledger::Misuse) -> Self {
        Self::new("ledger", misuse.to_string(), "report this")
    }
}
