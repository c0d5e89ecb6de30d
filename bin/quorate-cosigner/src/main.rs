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
mod export;
mod operate;
mod restore;
mod status;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = match &runtime {
        Ok(runtime) => runtime.block_on(cli::obey(cli, no_colour)),
        Err(error) => Err(trouble::fault("runtime", &error.to_string(), "try again")),
    };
    let Err(fault) = ended else { return ExitCode::SUCCESS };
    let _nobody_listens = writeln!(std::io::stderr(), "quorate-cosigner: {fault}");
    // At once, while the runtime stands: taking it down would close ledgers on a disk that may have failed.
    std::process::exit(1)
}
