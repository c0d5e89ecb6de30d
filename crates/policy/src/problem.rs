//! What is wrong with a policy document, where, and how to mend it.

use std::fmt;

use serde::Serialize;

/// One complaint about a policy document. Complaints come sorted and are the same on every run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Problem {
    /// The field, as a path (`rules.large-needs-two`, `budgets.ops-daily.window`).
    pub field: String,
    /// The line within the rule's text, from 1, where there is one.
    pub line: Option<u32>,
    /// Why it is refused, one lower-case line.
    pub why: String,
    /// How to mend it, one lower-case line.
    pub mend: String,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, why: impl Into<String>, mend: &str) -> Self {
        Self { field: field.into(), line: None, why: one_line(&why.into()), mend: one_line(mend) }
    }

    pub(crate) const fn at(mut self, line: Option<u32>) -> Self {
        self.line = line;
        self
    }
}

/// The longest message that quotes outside text.
const MESSAGE_CHARS_MAX: usize = 300;

pub(crate) fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect()
}

/// The line, from 1, of a byte offset in a text.
pub(crate) fn line_of(text: &str, offset: usize) -> Option<u32> {
    let before = text.bytes().take(offset).filter(|b| *b == b'\n').count();
    u32::try_from(before).ok()?.checked_add(1)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "`{}`, line {line}: {}; {}", self.field, self.why, self.mend),
            None => write!(f, "`{}`: {}; {}", self.field, self.why, self.mend),
        }
    }
}
