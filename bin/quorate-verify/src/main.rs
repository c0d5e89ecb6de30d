//! The stranger's tool: verifies receipts, ledgers and marks with public keys that were pinned beforehand, offline,
//! trusting nobody's word. It links the language (`terms`), the proofs (`ledger`), the marks (`assessor`), and an
//! independent library for wallet signatures; no code of the desk or of a cosigner.
//!
//! Reading order: the command line, what a report is; a receipt's story, then its checks in the order in which a case
//! goes; a whole ledger; a Trust Mark; an evidence pack.

mod cli;
mod report;

mod receipt;
mod stood;
mod story;

mod charter;
mod judged;

mod key;
mod signed;
mod transaction;

mod closed;

mod book;

mod mark;
mod pack;

#[cfg(test)]
#[path = "../../../crates/terms/tests/passkeys/authenticator.rs"]
mod authenticator;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::cli::{Cli, Output, Unread, Usage};

/// Everything that was claimed is proven.
const PROVEN: u8 = 0;
/// At least one claim is false.
const REFUTED: u8 = 1;
/// The question could not be asked: arguments, files.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Unread::Shown(code)) => return ExitCode::from(code),
        Err(Unread::Untold(line)) => return unasked(true, &line),
    };
    let answered = answer(&cli, colours()).and_then(|(text, code)| {
        let written = io::stdout().write_all(text.as_bytes());
        written.map(|()| code).map_err(|e| Usage(format!("cannot write the answer: {e}")))
    });
    match answered {
        Ok(code) => ExitCode::from(code),
        Err(Usage(line)) => unasked(cli.json, &line),
    }
}

/// One line for people on standard error; with `--json` also one value on standard output.
fn unasked(json: bool, line: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "quorate-verify: {line}");
    if json {
        let next = "see `quorate-verify --help`";
        let error = serde_json::json!({ "code": "usage", "message": line, "next": next });
        let _ = writeln!(io::stdout(), "{}", serde_json::json!({ "error": error }));
    }
    ExitCode::from(USAGE)
}

/// What is printed, and the exit code.
fn answer(cli: &Cli, colours: bool) -> Result<(String, u8), Usage> {
    let report = match cli::run(cli)? {
        Output::Text(text) => return Ok((text, PROVEN)),
        Output::Report(report) => report,
    };
    let code = if report.is_refuted() { REFUTED } else { PROVEN };
    Ok((if cli.json { report.to_json() } else { report.to_text(colours) }, code))
}

/// Colours only where a person looks and has not said no (no-color.org).
fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !refused
}
