//! What a person reads: one line at a time, in colour where a terminal is listening.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

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
    drop(writeln!(std::io::stdout(), "{}", spoken(SPEAKER.get(), &text.to_string())));
}

fn spoken(speaker: Option<&str>, text: &str) -> String {
    let Some(name) = speaker else { return text.to_owned() };
    let lines: Vec<String> = text.lines().map(|line| format!("{name:<8}| {line}")).collect();
    lines.join("\n")
}

/// Prints what went wrong, to standard error.
pub(crate) fn error(text: impl Display) {
    drop(writeln!(std::io::stderr(), "{}: {text}", paint(Colour::Red, "error")));
}

/// The text in a colour, or bare when nobody would see it (`NO_COLOR`, a pipe, a file).
pub(crate) fn paint(colour: Colour, text: &str) -> String {
    if std::env::var_os("NO_COLOR").is_some() || !std::io::stdout().is_terminal() {
        return text.to_owned();
    }
    format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code())
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
