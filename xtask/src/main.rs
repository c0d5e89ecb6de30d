//! All automation of the house: `cargo xtask <command>`.
//!
//! Reading order: [`house`] (what is in the tree), [`run`], [`process`], [`progress`], [`disk`] and [`say`] (how commands are run
//! and told), then one module for each command.

mod disk;
mod house;
mod process;
mod progress;
mod run;
mod say;

mod api;
mod bench;
mod bites;
mod browser;
mod build;
mod check;
mod clients;
mod demo;
mod golden;
mod guide;
mod kills;
mod oscal;
mod reports;
#[cfg(test)]
mod spec;
mod stage;
mod story;
mod tidy;
mod tools;

use std::process::ExitCode;

/// What a command gives back: a value, or one line that says what went wrong and what to do.
pub(crate) type Done<T = ()> = Result<T, String>;

const USAGE: &str = "cargo xtask <command>

  demo [--once] [--rpc URL]    build everything, start it and tell the story of a transfer
  story audit                  a year of a vault, assessed and audited, told and checked
  test [--step NAME]           all that CI runs, or one step of it
  tidy [--ratchet]             the rules of STYLE.md; --ratchet lowers the ceilings to today's values
  bites                        every ban and every denied lint, shown to bite
  bench [--json] [--only NAME] [--check]
                               measurements against their targets; with --check a miss is an error
  schemas                      write the golden files again
  tools [NAME]                 install the pinned outside tools: anvil, mcp, python, deny, ...";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say::error(&why);
            disk::told_if_full();
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str]) -> Done {
    match words {
        ["demo", flags @ ..] => demo::demo(flags),
        ["story", name] => story::tell(name),
        ["test"] => check::all(),
        ["test", "--step", name] => check::one(name),
        ["tidy"] => tidy::tidy(),
        ["tidy", "--ratchet"] => tidy::ratchet_down(),
        ["bites"] => bites::bites(),
        ["bench", flags @ ..] => bench::bench(flags),
        ["schemas"] => golden::write(),
        ["tools"] => tools::all(),
        ["tools", name] => tools::told(name),
        ["help" | "--help" | "-h"] => {
            say::line(USAGE);
            Ok(())
        }
        _ => Err(format!("no such command\n\n{USAGE}")),
    }
}
