//! What people see: colour where it is wanted, aligned tables, progress, one JSON answer, and asking for a passphrase.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;

use serde::Serialize;

use crate::fault::Fault;
use crate::secret::Secret;
use crate::{secret_file, telemetry};

/// The longest passphrase that is read from a pipe, in bytes.
const PASSPHRASE_MAX: usize = 4096;

/// How a command speaks to its caller.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    json: bool,
    colour: bool,
    terminal: bool,
}

/// What a word means, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Done, met, allowed.
    Good,
    /// Waits for somebody.
    Wait,
    /// Refused, failed.
    Bad,
    /// Less important.
    Faint,
    /// A heading.
    Strong,
}

impl Ui {
    /// A command's voice: `json` from its flag, `no_colour` from `NO_COLOR` as `main` read it.
    #[must_use]
    pub fn new(json: bool, no_colour: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        Self { json, colour: terminal && !no_colour && !json, terminal }
    }

    /// Whether the caller asked for JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A word in its colour, or as it is where colour is not wanted. Text from outside is made safe.
    #[must_use]
    pub fn tone(&self, tone: Tone, word: &str) -> String {
        let word = telemetry::safe(word);
        let code = match tone {
            Tone::Good => "32",
            Tone::Wait => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        if self.colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word }
    }

    /// Gives the answer: `value` as one JSON document, or `text` for people. The only writer to standard output.
    ///
    /// # Errors
    /// [`Fault`] when nobody reads it.
    pub fn answer(&self, value: &impl Serialize, text: impl fmt::Display) -> Result<(), Fault> {
        let line = if self.json {
            serde_json::to_string(value)
                .map_err(|e| Fault::new("output", e.to_string(), "report this"))?
        } else {
            text.to_string()
        };
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{}", line.trim_end_matches('\n')).and_then(|()| out.flush());
        written.map_err(|e| Fault::new("output", e.to_string(), "read the output to its end"))
    }

    /// Progress over `total` steps, shown on standard error while both ends are a terminal.
    #[must_use]
    pub fn progress(&self, what: &str, total: u64) -> Progress {
        let shown = self.terminal && !self.json && io::stderr().is_terminal();
        Progress { what: telemetry::safe(what), total, done: 0, drawn: None, shown }
    }
}

/// A line that fills. It is wiped when dropped.
pub struct Progress {
    what: String,
    total: u64,
    done: u64,
    drawn: Option<u64>,
    shown: bool,
}

impl Progress {
    /// So many more steps are done.
    pub fn advance(&mut self, steps: u64) {
        self.done = self.done.saturating_add(steps).min(self.total);
        let percent = self.percent();
        if self.shown && self.drawn != Some(percent) {
            self.drawn = Some(percent);
            let _cosmetic = write!(io::stderr(), "\r{}", self.line(percent));
        }
    }

    fn percent(&self) -> u64 {
        self.done.saturating_mul(100).checked_div(self.total).unwrap_or(100)
    }

    fn line(&self, percent: u64) -> String {
        let full = usize::try_from(percent / 5).unwrap_or(0);
        let bar: String = (0..20).map(|at| if at < full { '█' } else { '░' }).collect();
        format!("{} {bar} {percent:3} %", self.what)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _cosmetic = write!(io::stderr(), "\r\u{1b}[2K");
        }
    }
}

/// Rows under headings, aligned with spaces. Cells are made safe and stay one line.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    #[must_use]
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|h| telemetry::safe(h)).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push(cells.into_iter().map(|cell| telemetry::safe(cell.as_ref())).collect());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| {
            self.rows.iter().filter_map(move |row| row.get(at)).map(|c: &String| c.chars().count())
        };
        (0..columns).map(|at| width(at).max().unwrap_or(0)).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Where a passphrase comes from.
#[derive(Clone, Copy, Debug)]
pub enum PassphraseFrom<'a> {
    /// Asked for on the terminal, without echo.
    Terminal,
    /// The first line of standard input, for automation.
    Stdin,
    /// A file of mode 0600, for automation. `/dev/fd/N` is not accepted: use standard input.
    File(&'a Path),
}

/// Gets a passphrase; `twice` asks again, for a new one.
///
/// # Errors
/// [`Fault`] when there is no terminal, the two differ, the file is open to others, or it is empty.
pub fn passphrase(from: PassphraseFrom<'_>, prompt: &str, twice: bool) -> Result<Secret, Fault> {
    let secret = match from {
        PassphraseFrom::Terminal => ask(prompt, twice)?,
        PassphraseFrom::Stdin => first_line(&mut io::stdin().lock())?,
        PassphraseFrom::File(path) => secret_file::read(path)?.without_line_break(),
    };
    if secret.expose().is_empty() {
        return Err(Fault::new("passphrase", "is empty", "choose one of several words"));
    }
    Ok(secret)
}

fn ask(prompt: &str, twice: bool) -> Result<Secret, Fault> {
    let trouble = |e: io::Error| {
        Fault::new("passphrase", e.to_string(), "run it on a terminal, or give a file or a pipe")
    };
    let one = Secret::from(rpassword::prompt_password(format!("{prompt}: ")).map_err(trouble)?);
    if twice {
        let again = rpassword::prompt_password(format!("{prompt}, again: ")).map_err(trouble)?;
        if !one.same(&Secret::from(again)) {
            return Err(Fault::new("passphrase", "the two differ", "try again"));
        }
    }
    Ok(one)
}

/// Reads byte by byte, so that what follows the line stays in the pipe.
fn first_line(input: &mut dyn io::Read) -> Result<Secret, Fault> {
    let room = PASSPHRASE_MAX;
    let mut line = zeroize::Zeroizing::new(Vec::with_capacity(room));
    let mut byte = zeroize::Zeroizing::new([0_u8; 1]);
    while line.len() < room {
        let trouble = |e: io::Error| Fault::new("passphrase", e.to_string(), "give it on one line");
        if input.read(byte.as_mut()).map_err(trouble)? == 0 || *byte == [b'\n'] {
            break;
        }
        line.extend_from_slice(byte.as_slice());
    }
    Ok(Secret::new(std::mem::take(&mut *line)).without_line_break())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_its_cells_stay_in_their_lines() {
        let mut table = Table::new(&["case", "state"]);
        table.row(["c1", "settled"]);
        table.row(["case-2", "waits\nforged  row"]);
        table.row(["ä"]);
        let shown = table.to_string();
        assert_eq!(shown, "case    state\nc1      settled\ncase-2  waits\\u{a}forged  row\nä\n");
    }

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let plain = Ui { json: false, colour: false, terminal: false };
        assert_eq!(plain.tone(Tone::Good, "settled\u{1b}[31m"), "settled\\u{1b}[31m");
        let colour = Ui { json: false, colour: true, terminal: true };
        assert_eq!(colour.tone(Tone::Bad, "refused"), "\u{1b}[31mrefused\u{1b}[0m");
        assert!(!Ui::new(true, false).colour);
    }

    #[test]
    fn progress_fills_and_never_overflows() {
        let mut progress = Ui::new(true, true).progress("verifying", 3);
        progress.advance(2);
        assert_eq!(progress.line(progress.percent()), "verifying █████████████░░░░░░░  66 %");
        progress.advance(u64::MAX);
        assert_eq!(progress.percent(), 100);
        assert_eq!(Ui::new(true, true).progress("nothing", 0).percent(), 100);
    }

    #[test]
    fn a_passphrase_from_a_pipe_is_its_first_line() {
        let mut pipe: &[u8] = b"correct horse\r\nrest";
        let read = first_line(&mut pipe).unwrap();
        assert_eq!(read.expose(), b"correct horse");
        assert_eq!(pipe, b"rest");
    }

    #[test]
    fn a_passphrase_file_open_to_others_or_empty_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let path = dir.path().join("pass");
        for (content, mode, good) in
            [("word\n", 0o600, true), ("word\n", 0o644, false), ("\n", 0o600, false)]
        {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let got = passphrase(PassphraseFrom::File(&path), "passphrase", false);
            assert_eq!(got.is_ok(), good, "{content:?} {mode:o}");
        }
    }
}
