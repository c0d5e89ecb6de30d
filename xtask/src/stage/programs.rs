//! The programs as they were built, and what they say. Everything that they print is kept, so that it can be searched.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;

use super::clock::Clock;
use crate::Done;
use crate::build;
use crate::run;

/// Programs of a story that are no product.
const EXAMPLES: [&str; 2] = ["lying_desk", "auditors"];

/// Every binary, and a desk that was taken over.
pub(crate) struct Programs {
    folder: PathBuf,
    transcript: Mutex<std::fs::File>,
    clock: Option<Clock>,
}

/// What a program answered.
#[derive(Debug)]
pub(crate) struct Said {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    what: String,
}

impl Programs {
    /// Builds everything; `transcript` will hold all that the programs print.
    pub(crate) fn build(transcript: &Path) -> Done<Self> {
        build::everything()?;
        Self::lying(build::target(), transcript)
    }

    /// As they are shipped. Whoever asks has built them.
    pub(crate) fn released(transcript: &Path) -> Done<Self> {
        Self::lying(build::target().with_file_name("release"), transcript)
    }

    fn lying(folder: PathBuf, transcript: &Path) -> Done<Self> {
        let file = std::fs::File::create(transcript)
            .map_err(|e| format!("{}: {e}", transcript.display()))?;
        Ok(Self { folder, transcript: Mutex::new(file), clock: None })
    }

    /// Everything that starts from here on lives under this clock.
    pub(crate) fn under(self, clock: Clock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The clock that a story sets, if it does.
    pub(crate) const fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// Where they lie.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that starts a program of ours.
    pub(crate) fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = run::command(self.path(program), words);
        if let Some(clock) = &self.clock {
            clock.under(&mut command);
        }
        command
    }

    /// Where a program lies.
    pub(crate) fn path(&self, program: &str) -> PathBuf {
        let folder = if EXAMPLES.contains(&program) { "examples" } else { "" };
        self.folder.join(folder).join(program)
    }

    /// Runs a program to its end.
    pub(crate) fn run(&self, program: &str, words: &[&str]) -> Done<Said> {
        self.run_with(program, words, b"")
    }

    /// Runs a program to its end with something on its standard input.
    pub(crate) fn run_with(&self, program: &str, words: &[&str], input: &[u8]) -> Done<Said> {
        let what =
            format!("{program} {}", words.iter().take(3).copied().collect::<Vec<_>>().join(" "));
        self.finish(what, self.command(program, words), input)
    }

    /// Runs a command to its end with something on its standard input.
    pub(crate) fn finish(&self, what: String, mut command: Command, input: &[u8]) -> Done<Said> {
        command.env("NO_COLOR", "1");
        let wrap = |e: std::io::Error| format!("`{what}`: {e}");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().map_err(wrap)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends without reading is no trouble.
            drop(stdin.write_all(input));
        }
        let output = child.wait_with_output().map_err(wrap)?;
        let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = Said {
            code: output.status.code(),
            out: of(&output.stdout),
            err: of(&output.stderr),
            what,
        };
        self.keep(&said);
        Ok(said)
    }

    /// Keeps what somebody printed.
    pub(crate) fn keep(&self, said: &Said) {
        if let Ok(mut file) = self.transcript.lock() {
            drop(writeln!(file, "$ {}\n{}{}", said.what, said.out, said.err));
        }
    }
}

impl Said {
    /// What a program of somebody else printed.
    pub(crate) fn of(what: &str, output: &std::process::Output) -> Self {
        let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (of(&output.stdout), of(&output.stderr));
        Self { code: output.status.code(), out, err, what: what.to_owned() }
    }

    /// The JSON that it printed.
    pub(crate) fn json(&self) -> Done<Value> {
        serde_json::from_str(self.out.trim()).map_err(|e| {
            format!("`{}` printed no JSON ({e}):\n{}{}", self.what, self.out, self.err)
        })
    }

    /// The JSON of a good answer.
    pub(crate) fn good(&self) -> Done<Value> {
        self.exited(0)?;
        self.json()
    }

    /// Checks the exit code.
    pub(crate) fn exited(&self, code: i32) -> Done {
        if self.code == Some(code) {
            return Ok(());
        }
        let (had, what) = (self.code, &self.what);
        Err(format!("`{what}` exited with {had:?}, not {code}:\n{}{}", self.out, self.err))
    }
}
