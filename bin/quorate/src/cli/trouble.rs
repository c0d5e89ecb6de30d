//! Why a command did not do what it was asked: which field, why, and how to mend it. One line.

use std::fmt;

use quorate_custody::Refusal;
use quorate_host::Fault;
use quorate_host::findings::Complaint;
use quorate_host::link::CallError;
use quorate_policy::Problem;
use quorate_terms::Malformed;
use serde::Serialize;

/// A complaint for the operator: `field: why; mend`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Trouble {
    /// The flag, file or field.
    pub(crate) field: String,
    /// Why it is refused.
    pub(crate) why: String,
    /// What to do next.
    pub(crate) mend: String,
}

/// What a command gives when it gives up.
pub(crate) type Tried<T> = Result<T, Trouble>;

impl Trouble {
    /// A complaint about `field`.
    pub(crate) fn new(
        field: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), why: why.into(), mend: mend.into() }
    }

    /// The same complaint about something inside `outer`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.field = format!("{outer}.{}", self.field);
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.field, self.why, self.mend)
    }
}

impl Complaint for Trouble {
    fn found(&self) -> String {
        format!("{}: {}", self.field, self.why)
    }

    fn mend(&self) -> String {
        self.mend.clone()
    }
}

impl From<Malformed> for Trouble {
    fn from(e: Malformed) -> Self {
        Self::new(e.field(), e.why(), e.mend())
    }
}

impl From<Fault> for Trouble {
    fn from(e: Fault) -> Self {
        Self::new(e.what(), e.why(), e.mend())
    }
}

impl From<Refusal> for Trouble {
    fn from(e: Refusal) -> Self {
        Self::new(e.code, e.message, e.next)
    }
}

impl From<quorate_chains::Refusal> for Trouble {
    fn from(e: quorate_chains::Refusal) -> Self {
        Refusal::from(e).into()
    }
}

impl From<Problem> for Trouble {
    fn from(e: Problem) -> Self {
        let why = match e.line {
            Some(line) => format!("line {line}: {}", e.why),
            None => e.why,
        };
        Self::new(e.field, why, e.mend)
    }
}

impl From<CallError> for Trouble {
    fn from(e: CallError) -> Self {
        match e {
            CallError::Refused(refused) => {
                Self::new(refused.code, refused.message, "ask `quorate status` how the desk is")
            }
            CallError::Late => Self::new(
                "desk",
                "gave no answer in time",
                "look with `quorate case list` what became of it, then ask again with the same --key",
            ),
            CallError::Lost(why) => {
                let why = format!("ended the connection ({why})");
                Self::new("desk", why, "check that `quorate up` runs, then ask again")
            }
            CallError::TooLong => {
                Self::new("request", "is too long for the desk", "send a smaller document")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_complaint_is_one_line_of_field_why_and_mend() {
        for trouble in [
            Trouble::from(Malformed::new("amount", "is not a number", "give digits")),
            Trouble::from(Fault::new("desk.sock", "is missing", "start it")),
            Trouble::from(Refusal::new("no_case", "no such case", "list the cases")),
            Trouble::from(CallError::Late),
            Trouble::from(CallError::Lost("reset".to_owned())),
            Trouble::from(CallError::TooLong),
        ] {
            let line = trouble.to_string();
            assert!(line.contains(": ") && line.contains("; ") && !line.contains('\n'), "{line}");
        }
    }
}
