//! Why a command did not do what it was asked: one line for people, one object for programs, one exit code.

use std::fmt;

use quorate_custody::Refusal;
use quorate_host::Fault;
use quorate_host::findings::Complaint;
use quorate_host::link::CallError;
use quorate_host::seal::SealError;
use quorate_terms::Malformed;
use serde::Serialize;

/// What went wrong and what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Trouble {
    /// A short constant for programs.
    pub(crate) code: String,
    /// One lower-case line.
    pub(crate) message: String,
    /// What to do next, one lower-case line.
    pub(crate) next: String,
    /// Whether the answer is no, rather than that nothing could be asked.
    #[serde(skip)]
    pub(crate) refused: bool,
}

pub(crate) type Done<T> = Result<T, Trouble>;

impl Trouble {
    /// A no: something is not as it must be.
    pub(crate) fn refused(code: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), next: next.into(), refused: true }
    }

    /// The command could not be carried out.
    pub(crate) fn fault(code: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { refused: false, ..Self::refused(code, message, next) }
    }

    /// 1 for a refusal, 2 for anything else.
    pub(crate) const fn exit_code(&self) -> u8 {
        if self.refused { 1 } else { 2 }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}); {}", self.message, self.code, self.next)
    }
}

impl Complaint for Trouble {
    fn found(&self) -> String {
        self.message.clone()
    }

    fn mend(&self) -> String {
        self.next.clone()
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::refused(&refusal.code, refusal.message, refusal.next)
    }
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Self {
        Refusal::from(malformed).into()
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::fault("fault", format!("{}: {}", fault.what(), fault.why()), fault.mend())
    }
}

impl From<SealError> for Trouble {
    fn from(error: SealError) -> Self {
        let line = error.to_string();
        let (message, next) = line.split_once("; ").unwrap_or((&line, "try again"));
        Self::refused("sealed", message, next)
    }
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Self {
        if let CallError::Refused(refused) = error {
            let next = "compare the versions and the charter with the operators";
            return Self::refused(&refused.code, refused.message, next);
        }
        let line = error.to_string();
        let (message, next) = line.split_once("; ").unwrap_or((&line, "try again"));
        Self::fault("unreachable", message, next)
    }
}

impl From<quorate_ledger::Error> for Trouble {
    fn from(error: quorate_ledger::Error) -> Self {
        let next = "keep the checkpoint as evidence and call the operators";
        Self::refused("bad_checkpoint", error.to_string(), next)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::fault("fault", error.to_string(), "check the disk and the terminal")
    }
}
