//! What is wrong with a file of standards: which file and field, why, and how to mend it.

use std::fmt;

use serde::Serialize;

/// One complaint. Complaints are sorted, so that the same files give the same list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Problem {
    /// The file, below `standards/`.
    pub file: String,
    /// The control, field or line.
    pub field: String,
    /// Why it is refused.
    pub why: String,
    /// How to mend it.
    pub mend: String,
}

impl Problem {
    /// A complaint.
    pub fn new(
        file: impl Into<String>,
        field: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { file: file.into(), field: field.into(), why: why.into(), mend: mend.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`: {}; {}", self.file, self.field, self.why, self.mend)
    }
}
