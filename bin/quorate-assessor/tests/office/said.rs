//! What the program said, as its user reads it.

use std::process::Output;

use serde_json::Value;

/// The answer of a command that went well.
pub(crate) fn good(words: &[&str], output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said} {told}");
    serde_json::from_str(&said).unwrap()
}
