//! What the program said, as its user reads it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// The program. A bench is given no path to it, and finds it one folder above itself.
pub(crate) fn program() -> PathBuf {
    let beside =
        || std::env::current_exe().unwrap().parent().unwrap().with_file_name("quorate-assessor");
    option_env!("CARGO_BIN_EXE_quorate-assessor").map_or_else(beside, PathBuf::from)
}

/// A command line of the program.
pub(crate) fn command() -> Command {
    Command::new(program())
}

/// The answer of a command that went well.
pub(crate) fn good(words: &[&str], output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said} {told}");
    serde_json::from_str(&said).unwrap()
}
