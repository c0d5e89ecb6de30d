//! The approver's own tool, on the approver's own machine. It follows the book, folds it from its own charter, decodes intents
//! and drafts itself, shows them in plain words, and signs. It links no desk code and holds no shares.
//!
//! Reading order: the command line; what lies on this disk and how keys come about; the replica and what it remembers; the
//! peers; what is shown, and what a node adds to it; what is signed, and by which key.
//!
//! Invariant: nothing that the desk says is shown as true unless the charter, a digest or a signature proves it.

mod cli;
mod commands;

mod trouble;
mod words;

mod enrol;
mod home;
mod key;

mod memory;
mod replica;

mod desk;

mod list;
mod screen;
mod show;
mod simulate;
mod status;

mod decide;
mod fido2;
mod stop;

mod view;

use std::io::Write as _;
use std::process::ExitCode;

use quorate_host::ui::Ui;
use quorate_host::usage::{self, Usage};
use quorate_host::{SystemClock, harden, telemetry};
use tracing::level_filters::LevelFilter;

use crate::cli::Cli;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

fn main() -> ExitCode {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let misused = |Usage { field, why, mend, .. }| {
        let trouble = Trouble::fault("usage", format!("{field}: {why}"), mend);
        troubled(&Ui::new(true, no_colour), &trouble);
    };
    let cli: Cli = match usage::read(std::env::args_os(), misused) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let ui = Ui::new(cli.json, no_colour);
    match ground(&cli).and_then(|runtime| runtime.block_on(commands::run(&cli, &ui))) {
        Ok((screen, code)) => said(&ui, &screen, code),
        Err(trouble) => troubled(&ui, &trouble),
    }
}

/// What must hold before anything is read. Who serves also logs what went well.
fn ground(cli: &Cli) -> Done<tokio::runtime::Runtime> {
    harden::harden()?;
    let level = if cli.serves() { LevelFilter::INFO } else { LevelFilter::WARN };
    telemetry::start(telemetry::Format::Text, level, SystemClock::shared())?;
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn said(ui: &Ui, screen: &Screen, code: u8) -> ExitCode {
    match ui.answer(&screen.document(), screen.text(ui)) {
        Ok(()) => ExitCode::from(code),
        Err(fault) => troubled(ui, &fault.into()),
    }
}

/// One line for people on standard error, one object for programs on standard output.
fn troubled(ui: &Ui, trouble: &Trouble) -> ExitCode {
    if ui.is_json() {
        let _nobody_listens = ui.answer(&serde_json::json!({ "error": trouble }), "");
    } else {
        let line = telemetry::safe(&trouble.to_string());
        let _nobody_listens = writeln!(std::io::stderr(), "quorate-approvals: {line}");
    }
    ExitCode::from(trouble.exit_code())
}
