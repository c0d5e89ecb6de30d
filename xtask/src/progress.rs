//! What a long child process is at, told while it runs: on a terminal by one line that is rewritten in place, elsewhere by a
//! plain line each minute. Both go to standard error: nothing that reads a child's or our own standard output meets them.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::Done;
use crate::run;
use crate::say;

/// How often a silent child is looked at; what ends sooner than this is not told of on a terminal.
const TICK: Duration = Duration::from_secs(1);
/// Where the first word of a line ends by which cargo and nextest say what they do now.
const COLUMN: usize = 12;
/// Those first words. A line of a compiler's complaint that ends one of its words there begins otherwise.
const DOING: [&str; 20] = [
    "Adding",
    "Blocking",
    "Building",
    "Checking",
    "Compiling",
    "Dirty",
    "Doc-tests",
    "Documenting",
    "Downloaded",
    "Downloading",
    "Finished",
    "Fresh",
    "Generated",
    "Installed",
    "Installing",
    "Locking",
    "Running",
    "Scraping",
    "Starting",
    "Updating",
];

/// Runs to the end, showing what it prints but for cargo's word of what it does now, as under `--quiet`.
pub(crate) fn shown(name: &'static str, command: &mut Command) -> Done {
    let called = run::name_of(command);
    command.stderr(Stdio::piped());
    keep_colour(command);
    let show = |line: &str, is_doing: bool| {
        if !is_doing {
            say::aside(line);
        }
    };
    let status = watched(name, command, show)?;
    if status.success() { Ok(()) } else { Err(format!("`{called}` failed ({status})")) }
}

/// Runs to the end, and gives every line of both its outputs to `hear` as it comes. Gives how it ended.
pub(crate) fn heard(
    name: &'static str,
    command: &mut Command,
    mut hear: impl FnMut(&str),
) -> Done<ExitStatus> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    watched(name, command, |line, _| hear(line))
}

/// Runs to the end, and gives each line that comes through its pipes, with whether it only says what is done now.
fn watched(
    name: &'static str,
    command: &mut Command,
    mut hear: impl FnMut(&str, bool),
) -> Done<ExitStatus> {
    let called = run::name_of(command);
    let mut child = command.spawn().map_err(|e| format!("`{called}` did not start ({e})"))?;
    let (says, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        read(stdout, says.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read(stderr, says.clone());
    }
    // The lines end when the last of those who read does.
    drop(says);
    follow(Watch::of(name), &lines, &mut hear);
    child.wait().map_err(|e| format!("`{called}` was lost ({e})"))
}

/// Reads a pipe line by line, whatever its bytes, on a thread of its own.
fn read(pipe: impl Read + Send + 'static, says: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if says.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
}

/// Hands on lines until nobody says any more, and tells meanwhile how far it is.
fn follow(mut watch: Watch, lines: &Receiver<String>, hear: &mut impl FnMut(&str, bool)) {
    let (begun, in_place) = (Instant::now(), say::can_rewrite());
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => hear(&line, watch.takes(&line)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        match watch.tells(begun.elapsed(), in_place) {
            Some(told) if in_place => say::rewritten(&told),
            Some(told) => say::aside(&told),
            None => {}
        }
    }
    say::wipe();
}

/// What a child is at.
struct Watch {
    name: &'static str,
    newest: String,
    minutes: u64,
}

impl Watch {
    const fn of(name: &'static str) -> Self {
        Self { name, newest: String::new(), minutes: 0 }
    }

    /// Takes in a line. Tells whether it only says what is done now.
    fn takes(&mut self, line: &str) -> bool {
        let Some(doing) = doing(line) else { return false };
        self.newest = doing;
        true
    }

    /// What is told after so long: in place from the first second on, otherwise once in each minute.
    fn tells(&mut self, elapsed: Duration, in_place: bool) -> Option<String> {
        let minutes = elapsed.as_secs() / 60;
        let is_due = if in_place { elapsed >= TICK } else { minutes > self.minutes };
        self.minutes = minutes;
        is_due.then(|| self.said(elapsed.as_secs()))
    }

    fn said(&self, seconds: u64) -> String {
        let mut said = format!("{}: {}m{:02}", self.name, seconds / 60, seconds % 60);
        if !self.newest.is_empty() {
            said.push_str(", ");
            said.push_str(&self.newest);
        }
        said
    }
}

/// What a line says is done now, if it says only that.
fn doing(line: &str) -> Option<String> {
    let bare = say::bare(line);
    let words = bare.trim_start();
    let (first, rest) = words.split_once(' ')?;
    let ends = bare.len().saturating_sub(words.len()).saturating_add(first.len());
    (ends == COLUMN && DOING.contains(&first)).then(|| format!("{first} {}", rest.trim()))
}

/// A child that writes through a pipe leaves colours out, unless it is told that a terminal is behind it.
fn keep_colour(command: &mut Command) {
    let is_said = |name: &str| std::env::var_os(name).is_some();
    if std::io::stderr().is_terminal() && !is_said("NO_COLOR") && !is_said("CARGO_TERM_COLOR") {
        command.env("CARGO_TERM_COLOR", "always");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn after(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn shell(text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]);
        command
    }

    #[test]
    fn only_lines_that_say_what_is_done_now_are_taken_for_that() {
        for (line, said) in [
            ("   Compiling axum v0.8.4", Some("Compiling axum v0.8.4")),
            ("\u{1b}[1m\u{1b}[92m    Checking\u{1b}[0m syn v2.0.1\r", Some("Checking syn v2.0.1")),
            (
                "    Blocking waiting for file lock on build directory",
                Some("Blocking waiting for file lock on build directory"),
            ),
            (" Documenting quorate v0.1.0 (/house)", Some("Documenting quorate v0.1.0 (/house)")),
            ("    Finished `dev` profile in 0.2s", Some("Finished `dev` profile in 0.2s")),
            ("Compiling axum v0.8.4", None),
            ("     Compiling is what it does", None),
            ("    |     Running is a word", None),
            ("   --> src/lib.rs:3:1", None),
            ("warning: unused variable: `Compiling`", None),
            ("error: could not compile `quorate`", None),
            ("        PASS [   0.005s] quorate a_test", None),
            ("", None),
        ] {
            assert_eq!(doing(line).as_deref(), said, "{line}");
        }
    }

    #[test]
    fn away_from_a_terminal_there_is_one_line_in_each_minute() {
        let mut watch = Watch::of("clippy");
        assert_eq!(watch.tells(after(59), false), None);
        assert_eq!(watch.tells(after(60), false).as_deref(), Some("clippy: 1m00"));
        assert!(watch.takes("   Compiling axum v0.8"));
        assert!(!watch.takes("warning: this is shown"));
        assert_eq!(watch.tells(after(119), false), None);
        let told = watch.tells(after(120), false);
        assert_eq!(told.as_deref(), Some("clippy: 2m00, Compiling axum v0.8"));
        assert_eq!(watch.tells(after(121), false), None);
    }

    #[test]
    fn on_a_terminal_the_line_is_there_from_the_first_second_on() {
        let mut watch = Watch::of("build");
        assert_eq!(watch.tells(Duration::from_millis(900), true), None);
        assert!(watch.takes("    Checking syn v2.0.1"));
        for (seconds, told) in [(1, "0m01"), (2, "0m02"), (3_600, "60m00")] {
            let told = format!("build: {told}, Checking syn v2.0.1");
            assert_eq!(watch.tells(after(seconds), true), Some(told));
        }
    }

    #[test]
    fn every_line_of_both_outputs_is_heard_whatever_its_bytes() {
        let text = "echo '   Compiling a v1' >&2; printf 'b\\377\\n\\n'; printf last >&2; exit 3";
        let mut lines = Vec::new();
        let status = heard("test", &mut shell(text), |line| lines.push(line.to_owned())).unwrap();
        lines.sort();
        assert_eq!(lines, ["", "   Compiling a v1", "b\u{fffd}", "last"]);
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn only_the_word_of_what_is_done_now_is_kept_back() {
        let text = "echo '   Compiling a v1' >&2; echo 'warning: b' >&2; echo '  note' >&2";
        let mut command = shell(text);
        let mut shown = Vec::new();
        let show = |line: &str, is_doing: bool| shown.push((line.to_owned(), is_doing));
        watched("test", command.stderr(Stdio::piped()), show).unwrap();
        let told: Vec<(&str, bool)> = shown.iter().map(|(l, doing)| (l.as_str(), *doing)).collect();
        assert_eq!(told, [("   Compiling a v1", true), ("warning: b", false), ("  note", false)]);
    }

    #[test]
    fn a_child_that_fails_or_is_not_there_is_an_error() {
        assert!(shown("test", &mut shell("exit 0")).is_ok());
        let why = shown("test", &mut shell("exit 3")).unwrap_err();
        assert!(why.starts_with("`sh -c exit 3` failed"), "{why}");
        let why = shown("test", &mut Command::new("/nowhere/none")).unwrap_err();
        assert!(why.starts_with("`none` did not start"), "{why}");
    }
}
