//! `cargo xtask test`: all that CI runs, in numbered steps, ending in a table and a line that CI can read.

mod beside;

use std::process::Command;
use std::time::{Duration, Instant};

use crate::Done;
use crate::api;
use crate::bites;
use crate::browser;
use crate::build;
use crate::clients;
use crate::demo;
use crate::disk;
use crate::golden;
use crate::guide;
use crate::kills;
use crate::oscal;
use crate::progress;
use crate::reports;
use crate::run;
use crate::say::{self, Colour};
use crate::tidy;
use crate::tools;

/// How a step ended, when it did not fail.
pub(crate) enum Verdict {
    /// It passed; how many tests that was, where the step counts tests.
    Passed(usize),
    /// It could not run, and why. In CI that is a failure.
    Skipped(String),
}

type Step = fn() -> Done<Verdict>;

type Named = (&'static str, Step);

/// Steps that compile and use every core: one after another. What they build, the others run.
const ALONE: [Named; 6] = [
    ("fmt", fmt),
    ("clippy", clippy),
    ("build", build),
    ("test", test),
    ("docs", docs),
    ("schemas", schemas),
];

/// Steps that mostly wait for processes of their own, the longest first; before them the walk, whose office others look at.
const BESIDE: [Named; 11] = [
    ("walk", demo::walk),
    ("kills", kills::end_to_end),
    ("browser", browser::end_to_end),
    ("guide", guide::end_to_end),
    ("api", api::end_to_end),
    ("clients", clients::end_to_end),
    ("reports", reports::end_to_end),
    ("deny", deny),
    ("oscal", oscal::end_to_end),
    ("tidy", || passed(tidy::tidy())),
    ("bites", || passed(bites::bites())),
];

struct Row {
    name: &'static str,
    took: Duration,
    end: Result<Verdict, String>,
}

/// Runs every step, then looks whether the tree is as clean as before.
pub(crate) fn all() -> Done {
    let before = changes()?;
    disk::warn_if_small();
    let begun = Instant::now();
    let total = ALONE.len().saturating_add(BESIDE.len()).saturating_add(1);
    let mut rows: Vec<Row> = Vec::new();
    for (at, (name, step)) in ALONE.into_iter().enumerate() {
        rows.push(run_step(name, at.saturating_add(1), total, step));
    }
    rows.extend(beside::run(&BESIDE, ALONE.len(), total));
    rows.push(run_step("clean", total, total, || clean(&before)));
    summary(&rows, begun.elapsed())
}

/// Runs one step.
pub(crate) fn one(wanted: &str) -> Done {
    let steps = || ALONE.into_iter().chain(BESIDE);
    let found = steps().find(|(name, _)| *name == wanted);
    let (name, step) = found.ok_or_else(|| {
        let names: Vec<&str> = steps().map(|(name, _)| name).collect();
        format!("no step `{wanted}`; there are {}", names.join(", "))
    })?;
    let row = run_step(name, 1, 1, step);
    let took = row.took;
    summary(&[row], took)
}

fn run_step(
    name: &'static str,
    at: usize,
    total: usize,
    step: impl FnOnce() -> Done<Verdict>,
) -> Row {
    say::line(say::paint(Colour::Bold, &format!("[{at}/{total}] {name}")));
    let begun = Instant::now();
    let end = match step() {
        Ok(Verdict::Skipped(why)) if in_ci() => Err(format!("skipped in CI: {why}")),
        end => end,
    };
    let took = begun.elapsed();
    if let Err(why) = &end {
        say::line(format!("{} {name}: {why}", say::paint(Colour::Red, "failed")));
    }
    say::line(format!("[{at}/{total}] {name}: {} in {}", word(&end), say::lasted(took)));
    Row { name, took, end }
}

fn word(end: &Result<Verdict, String>) -> String {
    match end {
        Ok(Verdict::Passed(0)) => say::paint(Colour::Green, "ok"),
        Ok(Verdict::Passed(tests)) => {
            format!("{}, {tests} tests", say::paint(Colour::Green, "ok"))
        }
        Ok(Verdict::Skipped(why)) => format!("{} ({why})", say::paint(Colour::Yellow, "skipped")),
        Err(_) => say::paint(Colour::Red, "FAILED"),
    }
}

fn summary(rows: &[Row], took: Duration) -> Done {
    say::line("");
    let (mut passed, mut failed, mut skipped, mut tests) = (0_usize, 0_usize, 0_usize, 0_usize);
    for Row { name, took, end } in rows {
        say::line(format!("  {name:<8} {:>8}  {}", say::lasted(*took), word(end)));
        match end {
            Ok(Verdict::Passed(n)) => {
                passed = passed.saturating_add(1);
                tests = tests.saturating_add(*n);
            }
            Ok(Verdict::Skipped(_)) => skipped = skipped.saturating_add(1),
            Err(_) => failed = failed.saturating_add(1),
        }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    // Steps that count their tests stand for those; every other step is one check.
    let counted = rows.iter().filter(|r| matches!(r.end, Ok(Verdict::Passed(n)) if n > 0)).count();
    let checks = passed.saturating_sub(counted).saturating_add(tests);
    say::line(format!(
        "\ntest result: {result}. {checks} passed; {failed} failed; {skipped} ignored; 0 measured; \
         0 filtered out; finished in {:.2}s",
        took.as_secs_f64()
    ));
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} steps failed", rows.len())) }
}

fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

fn passed(done: Done) -> Done<Verdict> {
    done.map(|()| Verdict::Passed(0))
}

fn fmt() -> Done<Verdict> {
    passed(run::shown(&mut run::cargo(&["fmt", "--all", "--check"])))
}

fn clippy() -> Done<Verdict> {
    let wanted = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    passed(progress::shown("clippy", &mut run::cargo(&wanted)))
}

fn build() -> Done<Verdict> {
    passed(build::everything())
}

/// nextest where it is installed, plus the doc tests that it cannot run; otherwise `cargo test`. Tests of the desk's own way to
/// a chain start a node, which is there before them.
fn test() -> Done<Verdict> {
    drop(tools::anvil()?);
    if tools::may_have_fido2() {
        drop(tools::fido2()?);
    }
    if !run::is_there("cargo-nextest") {
        return counted(run::cargo(&["test", "--workspace", "--locked"])).map(Verdict::Passed);
    }
    let nextest = ["nextest", "run", "--workspace", "--locked", "--no-fail-fast"];
    let tests = counted(run::cargo(&nextest))?;
    let docs = counted(run::cargo(&["test", "--workspace", "--locked", "--doc"]))?;
    Ok(Verdict::Passed(tests.saturating_add(docs)))
}

/// Shows what a test runner prints and adds up the tests that passed.
fn counted(mut command: Command) -> Done<usize> {
    let mut passed = 0_usize;
    let status = progress::heard("test", &mut command, |line| {
        say::line(line);
        passed = passed.saturating_add(passed_in(line));
    })?;
    if status.success() { Ok(passed) } else { Err("tests failed; they are named above".to_owned()) }
}

/// Tests that a closing line of `cargo test` or nextest reports as passed.
fn passed_in(line: &str) -> usize {
    let plain = say::bare(line);
    let is_closing =
        plain.starts_with("test result:") || plain.trim_start().starts_with("Summary [");
    let words: Vec<&str> = plain.split_whitespace().collect();
    let before = |pair: &[&str]| match pair {
        [number, word] if word.trim_matches([';', ',']) == "passed" => number.parse().ok(),
        _ => None,
    };
    if is_closing { words.windows(2).find_map(before).unwrap_or(0) } else { 0 }
}

fn docs() -> Done<Verdict> {
    let wanted = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    let mut command = run::cargo(&wanted);
    command.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    passed(progress::shown("docs", &mut command))
}

/// Licences, bans and sources always; advisories where their database can be reached.
fn deny() -> Done<Verdict> {
    let program = tools::deny()?;
    let check = |what: &[&str]| {
        let mut command = run::command(&program, &["--log-level", "error", "--locked", "check"]);
        command.args(what);
        command
    };
    run::shown(&mut check(&["licenses", "bans", "sources"]))?;
    let output = run::kept(&mut check(&["advisories"]))?;
    if output.status.success() {
        say::line("advisories: checked against the live database");
        return Ok(Verdict::Passed(0));
    }
    let why = String::from_utf8_lossy(&output.stderr);
    if why.contains("failed to fetch advisory database") || why.contains("failed to load advisory")
    {
        say::line("advisories: NOT checked, their database cannot be reached from here");
        return Ok(Verdict::Passed(0));
    }
    Err(format!("advisories:\n{}", why.trim_end()))
}

fn schemas() -> Done<Verdict> {
    let files = golden::compare()?;
    say::line(format!("schemas: {files} files are fresh"));
    Ok(Verdict::Passed(0))
}

fn changes() -> Done<String> {
    run::text(&mut run::command("git", &["status", "--porcelain"]))
}

/// The steps left nothing behind; in CI there was nothing before either.
fn clean(before: &str) -> Done<Verdict> {
    let after = changes()?;
    if in_ci() && !after.is_empty() {
        return Err(format!("the tree is not clean:\n{after}"));
    }
    if after == before {
        return Ok(Verdict::Passed(0));
    }
    Err(format!("the steps changed the tree; before:\n{before}after:\n{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        for (line, passed) in [
            ("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out", 12),
            ("     Summary [   1.234s] 57 tests run: 57 passed, 0 skipped", 57),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   1.2s] \u{1b}[1m3\u{1b}[0m tests run: \u{1b}[1m3\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, 0 skipped",
                3,
            ),
            ("the 9 passed tests", 0),
            ("test a_test_that_passed ... ok", 0),
        ] {
            assert_eq!(passed_in(line), passed, "{line}");
        }
    }
}
