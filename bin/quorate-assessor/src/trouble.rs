//! Why a command did not do what it was asked: one line for people, one object for programs, one exit code.

use std::fmt;

use quorate_host::Fault;
use quorate_host::findings::Complaint;
use quorate_host::store::AppendError;
use quorate_terms::Malformed;
use serde::Serialize;

/// What went wrong and what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Trouble {
    /// A short constant for programs.
    pub(crate) code: &'static str,
    /// One lower-case line.
    pub(crate) message: String,
    /// What to do next, one lower-case line.
    pub(crate) next: String,
    /// Everything that is wrong, where it is a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<String>,
    /// Whether the answer is no, rather than that nothing could be asked.
    #[serde(skip)]
    pub(crate) refused: bool,
}

pub(crate) type Done<T> = Result<T, Trouble>;

impl Trouble {
    /// A no: something is not as it must be.
    pub(crate) fn refused(
        code: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let (message, next) = (message.into(), next.into());
        Self { code, message, next, problems: Vec::new(), refused: true }
    }

    /// The command could not be carried out.
    pub(crate) fn fault(
        code: &'static str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { refused: false, ..Self::refused(code, message, next) }
    }

    /// What is malformed of what is kept here is nobody's mistake who asks.
    pub(crate) fn damaged(self) -> Self {
        match self.code {
            "malformed" => Self { code: "damaged", refused: false, ..self },
            _ => self,
        }
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
    /// With the first few of its problems: a line is no list.
    fn found(&self) -> String {
        let first = self.problems.iter().take(3).map(String::as_str);
        std::iter::once(self.message.as_str()).chain(first).collect::<Vec<_>>().join("; ")
    }

    fn mend(&self) -> String {
        self.next.clone()
    }
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Self {
        let message = format!("`{}` {}", malformed.field(), malformed.why());
        Self::refused("malformed", message, malformed.mend())
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::fault("fault", format!("{}: {}", fault.what(), fault.why()), fault.mend())
    }
}

impl From<AppendError> for Trouble {
    fn from(error: AppendError) -> Self {
        Self::fault("ledger", error.to_string(), "nothing was recorded; try again")
    }
}

impl From<quorate_ledger::Error> for Trouble {
    fn from(error: quorate_ledger::Error) -> Self {
        Self::refused("refuted", error.to_string(), "keep the files and ask the operators")
    }
}

impl From<quorate_ledger::Refuted> for Trouble {
    fn from(refuted: quorate_ledger::Refuted) -> Self {
        quorate_ledger::Error::from(refuted).into()
    }
}

impl From<quorate_ledger::Misuse> for Trouble {
    fn from(misuse: quorate_ledger::Misuse) -> Self {
        Self::fault("bug", misuse.to_string(), "report this with the command that was run")
    }
}
