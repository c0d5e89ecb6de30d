//! What a person reads: one line at a time, in colour where a terminal is listening.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many letters a line that is rewritten in place has at most: one that wraps could not be wiped.
const IN_PLACE_MAX: usize = 78;

/// The colours that are used, as SGR codes.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Dim,
    Bold,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "36",
            Self::Dim => "2",
            Self::Bold => "1",
        }
    }
}

/// Whether a line that is rewritten in place stands at the end of the terminal.
static STANDS: Mutex<bool> = Mutex::new(false);

thread_local! {
    /// Whose lines these are, where several speak at once.
    static SPEAKER: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Does something, and begins every line that this thread prints meanwhile with a name.
pub(crate) fn under<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let before = SPEAKER.replace(Some(name));
    let done = work();
    SPEAKER.set(before);
    done
}

/// Prints one line. A reader that went away is no reason to stop.
pub(crate) fn line(text: impl Display) {
    let _alone = wiped();
    drop(writeln!(std::io::stdout(), "{}", spoken(SPEAKER.get(), &text.to_string())));
}

fn spoken(speaker: Option<&str>, text: &str) -> String {
    let Some(name) = speaker else { return text.to_owned() };
    let lines: Vec<String> = text.lines().map(|line| format!("{name:<8}| {line}")).collect();
    lines.join("\n")
}

/// Prints one line as it is, to standard error.
pub(crate) fn aside(text: impl Display) {
    let _alone = wiped();
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Whether people read standard error on a terminal that can rewrite a line.
pub(crate) fn can_rewrite() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Shows a line in place of the one that was shown so before. It goes when anything else is printed.
pub(crate) fn rewritten(text: &str) {
    let mut stands = wiped();
    let short: String = text.chars().take(IN_PLACE_MAX).collect();
    *stands = write!(std::io::stderr(), "{short}").is_ok();
}

/// Takes away the line that is rewritten in place.
pub(crate) fn wipe() {
    drop(wiped());
}

/// Makes room for what is printed next; nobody else prints while this is held.
fn wiped() -> MutexGuard<'static, bool> {
    let mut stands = STANDS.lock().unwrap_or_else(PoisonError::into_inner);
    if std::mem::take(&mut *stands) {
        drop(write!(std::io::stderr(), "\r\u{1b}[2K"));
    }
    stands
}

/// Prints what went wrong, to standard error.
pub(crate) fn error(text: impl Display) {
    let _alone = wiped();
    drop(writeln!(std::io::stderr(), "{}: {text}", paint(Colour::Red, "error")));
}

/// The text in a colour, or bare when nobody would see it (`NO_COLOR`, a pipe, a file).
pub(crate) fn paint(colour: Colour, text: &str) -> String {
    if std::env::var_os("NO_COLOR").is_some() || !std::io::stdout().is_terminal() {
        return text.to_owned();
    }
    format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code())
}

/// The text without colours.
pub(crate) fn bare(text: &str) -> String {
    let mut bare = String::new();
    for (at, piece) in text.split("\u{1b}[").enumerate() {
        let rest = if at == 0 { piece } else { piece.split_once('m').map_or("", |(_, rest)| rest) };
        bare.push_str(rest);
    }
    bare
}

/// A duration as people say it.
pub(crate) fn lasted(time: std::time::Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, s) if s < 10 => format!("{s}.{}s", time.subsec_millis() / 100),
        (0, s) => format!("{s}s"),
        (m, s) => format!("{m}m {s:02}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_line_of_somebody_who_speaks_beside_others_begins_with_their_name() {
        assert_eq!(spoken(Some("kills"), "one\ntwo"), "kills   | one\nkills   | two");
        assert_eq!(spoken(None, "one\ntwo"), "one\ntwo");
    }

    #[test]
    fn durations_read_as_people_say_them() {
        for (millis, shown) in [(0, "0.0s"), (1_490, "1.4s"), (59_000, "59s"), (61_000, "1m 01s")] {
            assert_eq!(lasted(Duration::from_millis(millis)), shown);
        }
    }
}
