//! The desk: the one writer of a vault's book, its doors, its chain drivers, and the operator's command line.
//!
//! Reading order: the command line (`cli`), what the desk is told at start (`config`), and the desk itself (`desk`). What the
//! one says to the other is `quorate_gateway::office`.

mod bounded;
mod cli;
pub mod config;
pub mod desk;
mod shown;

use std::io::{self, Write as _};
use std::process::ExitCode;

use quorate_host::ui::Ui;
use quorate_host::usage::{self, Usage};

use crate::cli::{Cli, Ended, Environment, Tried, Trouble};

/// Refused, or found unhealthy.
const REFUSED: u8 = 1;
/// It could not be done: arguments, files, no desk.
const UNDONE: u8 = 2;

fn main() -> ExitCode {
    let environment = Environment {
        no_colour: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        has_display: cfg!(target_os = "macos")
            || ["DISPLAY", "WAYLAND_DISPLAY"]
                .iter()
                .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())),
        bands: std::env::var_os("MCP_BANDS").map(|value| value.into_string().map_err(drop)),
    };
    let cli: Cli = match usage::read(std::env::args_os(), |usage| misused(&environment, usage)) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let ui = cli.ui(&environment);
    match obey(&cli, &ui, &environment) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::from(REFUSED),
        Err(trouble) => {
            complain(&ui, &trouble, cli.is_door());
            ExitCode::from(UNDONE)
        }
    }
}

fn obey(cli: &Cli, ui: &Ui, environment: &Environment) -> Tried<Ended> {
    quorate_host::harden::harden()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| {
        Trouble::new("runtime", e.to_string(), "free memory or file descriptors, then try again")
    })?;
    runtime.block_on(cli.obey(ui, environment))
}

/// As [`complain`], about a command line that is none. Standard output stays a door's where one was wanted.
fn misused(environment: &Environment, Usage { field, why, mend, .. }: Usage) {
    let door = std::env::args_os().any(|word| word == "mcp");
    complain(&Ui::new(true, environment.no_colour), &Trouble::new(field, why, mend), door);
}

/// One line for people on standard error; with `--json` also one value on standard output, unless that is a door's.
fn complain(ui: &Ui, trouble: &Trouble, door: bool) {
    let line = quorate_host::telemetry::safe(&trouble.to_string());
    let _nobody_listens = writeln!(io::stderr(), "quorate: {line}");
    if ui.is_json() && !door {
        let _nobody_listens = ui.answer(&serde_json::json!({ "error": trouble }), "");
    }
}
