//! What the program refuses, and why.

use std::process::Output;

/// That a command was refused, and for this reason.
pub(crate) fn refused(words: &[&str], output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
    assert!(said.contains(why), "{why}: {said}");
}
