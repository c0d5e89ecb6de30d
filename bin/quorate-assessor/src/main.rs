//! The auditor's office: follows the book read-only, with its own key, ledger, command line and origin.
//!
//! Reading order: the command line; what lies on this disk; copies of books, and how verified entries become tables; the
//! office's own ledger; the standards; one run of an assessment; looking closer and watching; audits by people;
//! reports; its own pages; what is shown.
//!
//! Invariant: nothing counts as evidence unless it verifies under keys that were pinned out of band. Invariant: it holds no
//! shares and links no desk code.

mod cli;
mod commands;

mod trouble;

mod home;

mod book;
mod desk;
mod engine;
mod trust;

mod office;

mod library;
mod standards;

mod run;

mod doctor;
mod look;
mod watch;

mod audit;
mod person;

mod bulletin;
mod mark;
mod oscal;
mod pack;
mod report;

mod serve;
mod token;

mod screen;

#[cfg(test)]
mod fixtures;

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
        Ok(screen) => said(&ui, &screen),
        Err(trouble) => troubled(&ui, &trouble),
    }
}

/// What must hold before anything is read.
fn ground(cli: &Cli) -> Done<tokio::runtime::Runtime> {
    harden::harden()?;
    let level = if cli.serves() { LevelFilter::INFO } else { LevelFilter::WARN };
    telemetry::start(telemetry::Format::Text, level, SystemClock::shared())?;
    // Whoever serves does so on several threads: one visitor's long question holds up no other.
    let mut runtime = match cli.serves() {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.enable_all().build();
    runtime.map_err(|e| Trouble::fault("runtime", e.to_string(), "free memory, then try again"))
}

fn said(ui: &Ui, screen: &Screen) -> ExitCode {
    match ui.answer(&screen.json, &screen.text) {
        Ok(()) => ExitCode::from(u8::from(!screen.well)),
        Err(fault) => troubled(ui, &fault.into()),
    }
}

/// One line for people on standard error (and one for each problem of a list), one object for programs on standard output.
fn troubled(ui: &Ui, trouble: &Trouble) -> ExitCode {
    if ui.is_json() {
        let _nobody_listens = ui.answer(&serde_json::json!({ "error": trouble }), "");
    } else {
        let mut lines = vec![trouble.to_string()];
        lines.extend(trouble.problems.iter().map(|problem| format!("  {problem}")));
        for line in lines {
            let line = telemetry::safe(&line);
            let _nobody_listens = writeln!(std::io::stderr(), "quorate-assessor: {line}");
        }
    }
    ExitCode::from(trouble.exit_code())
}
