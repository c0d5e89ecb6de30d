//! The cosigner: holds shares, follows the book, judges for itself, and takes part in signatures only on its own warrant.
//!
//! It has no doors: the desk, its peers and the approvers reach it over mutual TLS with pinned identities, its operator
//! over a Unix socket in its own directory. The machine that decides is `quorate_cosigner::Party`; this program gives it
//! a disk, a wire, a clock and keys.
//!
//! Reading order: the command line; what lies in the directory (files, settings, shares); founding and pairing; how a
//! party is built again from disk; the daemon that hosts it; backups.

mod cli;
mod trouble;

mod files;
mod settings;
mod shares;

mod found;
mod rebuild;
mod snapshot;

mod captured;
mod daemon;

mod backup;
mod doctor;
mod export;
mod operate;
mod restore;
mod status;

use std::io::Write as _;
use std::process::ExitCode;

use quorate_host::Fault;
use quorate_host::ui::Ui;
use quorate_host::usage::{self, Usage};

use crate::cli::Ended;

fn main() -> ExitCode {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let misused = |Usage { field, why, mend, .. }| {
        complain(Ui::new(true, no_colour), &Fault::new(field, why, mend));
    };
    let cli: cli::Cli = match usage::read(std::env::args_os(), misused) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let ui = cli.ui(no_colour);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = match &runtime {
        Ok(runtime) => runtime.block_on(cli::obey(cli, ui)),
        Err(error) => Err(trouble::fault("runtime", &error.to_string(), "try again")),
    };
    let fault = match ended {
        Ok(Ended::Well) => return ExitCode::SUCCESS,
        Ok(Ended::Badly) => return ExitCode::FAILURE,
        Err(fault) => fault,
    };
    complain(ui, &fault);
    // At once, while the runtime stands: taking it down would close ledgers on a disk that may have failed.
    std::process::exit(1)
}

/// One line for people on standard error; with `--json` also one value on standard output.
fn complain(ui: Ui, fault: &Fault) {
    let line = quorate_host::telemetry::safe(&fault.to_string());
    let _nobody_listens = writeln!(std::io::stderr(), "quorate-cosigner: {line}");
    if ui.is_json() {
        let (field, why, mend) = (fault.what(), fault.why(), fault.mend());
        let error = serde_json::json!({ "field": field, "why": why, "mend": mend });
        let _nobody_listens = ui.answer(&serde_json::json!({ "error": error }), "");
    }
}
