//! The command line: what can be asked, and where the bytes come from.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use quorate_assessor::mark::MarkPolicy;
use quorate_assessor::pack::Pins;
use quorate_ledger::{Checkpoint, Fork, LogPolicy, Note, VerifierKey};
use quorate_terms::Timestamp;
use quorate_terms::charter::CharterText;

use crate::report::Report;
use crate::{book, mark, pack, receipt};

/// The largest file that is read whole. Ledgers are read line by line.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The largest evidence pack.
const PACK_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Verifies receipts and ledgers of a Quorate vault, offline.
#[derive(Parser, Debug)]
#[command(
    name = "quorate-verify",
    version,
    after_help = "exit codes: 0 proven, 1 refuted, 2 the question could not be asked"
)]
pub(crate) struct Cli {
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Verify one case's receipt.
    Receipt {
        /// The receipt.
        file: PathBuf,
        /// The pinned policy: log key, witnesses, founding charter.
        #[arg(long)]
        policy: PathBuf,
    },
    /// Verify a whole ledger, exported as one canonical entry a line.
    Ledger {
        /// The export.
        file: PathBuf,
        /// The checkpoint note that it must add up to.
        #[arg(long)]
        checkpoint: PathBuf,
        /// The pinned policy.
        #[arg(long)]
        policy: PathBuf,
        /// Checkpoint notes kept from before, which the ledger must pass through.
        #[arg(long)]
        earlier: Vec<PathBuf>,
        /// Also decode every entry in full (slower).
        #[arg(long)]
        deep: bool,
    },
    /// Compare two checkpoint notes: do they prove that the log told two stories?
    Fork {
        /// One note.
        one: PathBuf,
        /// The other.
        other: PathBuf,
        /// The pinned policy.
        #[arg(long)]
        policy: PathBuf,
    },
    /// Print the policy to pin from a founding charter whose digest you have compared out of band.
    Pin {
        /// The charter's text, JSON.
        charter: PathBuf,
    },
    /// Verify a Trust Mark against a pinned policy and the newest status list. Offline; it fails closed.
    Mark {
        /// The mark.
        file: PathBuf,
        /// The pinned policy: assessors, issuer, register, standards, how old a status may be.
        #[arg(long)]
        policy: PathBuf,
        /// The newest status list of the issuer. Without one no mark stands.
        #[arg(long)]
        status: Option<PathBuf>,
        /// The entity that you mean to deal with.
        #[arg(long)]
        entity: Option<String>,
        /// The system that you mean to deal with.
        #[arg(long)]
        system: Option<String>,
        /// Judge as of this moment, in milliseconds since 1970, instead of this machine's clock.
        #[arg(long)]
        at: Option<u64>,
    },
    /// Verify an evidence pack of an auditor's office against pinned keys. Offline; it fails closed.
    Pack {
        /// The pack.
        file: PathBuf,
        /// The key of the office's own ledger, as `name+id+key`, compared out of band.
        #[arg(long)]
        office: VerifierKey,
        /// The pinned policy of a book; once for each that the results cite.
        #[arg(long)]
        policy: Vec<PathBuf>,
    },
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// What a command answers.
pub(crate) enum Output {
    /// Plain text.
    Text(String),
    /// A verdict with its findings.
    Report(Report),
}

/// A question that could not be asked, in one line.
pub(crate) struct Usage(pub(crate) String);

/// Why there is no command.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Text was shown, as help or to people; this is the exit code.
    Shown(u8),
    /// Whoever asked for JSON has not heard this line yet.
    Untold(String),
}

/// Reads the command line. With `--json` what is wrong with it is told as every other error is.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, Unread> {
    let args: Vec<OsString> = args.into_iter().collect();
    let json = args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    Cli::try_parse_from(&args).map_err(|error| {
        if json && error.use_stderr() {
            let text = error.render().to_string();
            let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
            let line = lines.collect::<Vec<_>>().join(" ");
            return Unread::Untold(line.trim_start_matches("error: ").to_owned());
        }
        let _nobody_listens = error.print();
        Unread::Shown(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

pub(crate) fn run(cli: &Cli) -> Result<Output, Usage> {
    match &cli.command {
        Command::Receipt { file, policy } => {
            let (policy, bytes) = (pinned(policy)?, read(file)?);
            Ok(Output::Report(receipt::verify(&bytes, &policy)))
        }
        Command::Ledger { file, checkpoint, policy, earlier, deep } => {
            let policy = pinned(policy)?;
            let earlier = earlier.iter().map(|p| text(p)).collect::<Result<Vec<_>, _>>()?;
            let asked = book::Asked { checkpoint: text(checkpoint)?, earlier, deep: *deep };
            let export = BufReader::new(open(file)?);
            book::verify(export, &asked, &policy)
                .map(Output::Report)
                .map_err(|e| Usage(format!("cannot read `{}`: {e}", file.display())))
        }
        Command::Fork { one, other, policy } => {
            let (policy, one, other) = (pinned(policy)?, text(one)?, text(other)?);
            Ok(Output::Report(fork(&one, &other, &policy)))
        }
        Command::Mark { file, policy, status, entity, system, at } => {
            let policy = MarkPolicy::from_json(&read(policy)?)
                .map_err(|e| Usage(format!("`{}`: {e}", policy.display())))?;
            let bytes = read(file)?;
            let status = status.as_deref().map(read).transpose()?;
            let asked = mark::Asked {
                mark: &bytes,
                status: status.as_deref(),
                entity: entity.as_deref(),
                system: system.as_deref(),
                now: at.map_or_else(now, Timestamp::from_millis),
            };
            Ok(Output::Report(mark::verify(&asked, &policy)))
        }
        Command::Pack { file, office, policy } => {
            let books = policy.iter().map(|path| pinned(path)).collect::<Result<_, _>>()?;
            let pins = Pins { office: office.clone(), books };
            Ok(Output::Report(pack::verify(&read_to(file, PACK_BYTES_MAX)?, &pins)))
        }
        Command::Pin { charter } => pin(&read(charter)?).map(Output::Text),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "quorate-verify", &mut script);
            Ok(Output::Text(String::from_utf8_lossy(&script).into_owned()))
        }
    }
}

/// This machine's clock. A clock before 1970 reads as 1970, when no mark was valid yet.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn fork(one: &str, other: &str, policy: &LogPolicy) -> Report {
    let mut report = Report::new("two checkpoints");
    let parse = |text: &str| text.parse::<Note>().map_err(quorate_ledger::Error::from);
    let found = parse(one).and_then(|a| {
        let b = parse(other)?;
        let sizes =
            (Checkpoint::open(&a, &policy.log)?.size, Checkpoint::open(&b, &policy.log)?.size);
        Ok((Fork::between(&a, &b, &policy.log)?, sizes))
    });
    match found {
        Err(e) => report.refuted("checkpoints", e.to_string()),
        Ok((Some(fork), _)) => report.refuted(
            "one history",
            format!("the log signed two histories of {} entries; keep both notes, together they prove it", fork.size),
        ),
        Ok((None, (a, b))) if a == b => {
            report.proven("one history", format!("both notes show the same {a} entries"));
        }
        Ok((None, (a, b))) => report.not_shown(
            "one history",
            format!("the notes are of {a} and {b} entries; verify the longer ledger with `--earlier`"),
        ),
    }
    report
}

fn pin(charter: &[u8]) -> Result<String, Usage> {
    let text: CharterText = serde_json::from_slice(charter)
        .map_err(|e| Usage(format!("the charter cannot be read ({e}); give its text as JSON")))?;
    let usage = |e: quorate_terms::Malformed| Usage(e.to_string());
    text.check().map_err(usage)?;
    let policy = LogPolicy::of_founding(&text).map_err(usage)?;
    let json = policy.to_json().map_err(usage)?;
    Ok(format!("{}\n", String::from_utf8_lossy(&json)))
}

fn open(path: &Path) -> Result<File, Usage> {
    File::open(path)
        .map_err(|e| Usage(format!("cannot open `{}`: {e}; check the path", path.display())))
}

fn read(path: &Path) -> Result<Vec<u8>, Usage> {
    read_to(path, FILE_BYTES_MAX)
}

fn read_to(path: &Path, max: u64) -> Result<Vec<u8>, Usage> {
    let mut bytes = Vec::new();
    let mut limited = open(path)?.take(max.saturating_add(1));
    let count = limited
        .read_to_end(&mut bytes)
        .map_err(|e| Usage(format!("cannot read `{}`: {e}", path.display())))?;
    if u64::try_from(count).is_ok_and(|count| count <= max) {
        return Ok(bytes);
    }
    Err(Usage(format!("`{}` is larger than {max} bytes", path.display())))
}

fn text(path: &Path) -> Result<String, Usage> {
    String::from_utf8(read(path)?).map_err(|_| Usage(format!("`{}` is not text", path.display())))
}

fn pinned(path: &Path) -> Result<LogPolicy, Usage> {
    LogPolicy::from_json(&read(path)?).map_err(|e| Usage(format!("`{}`: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str]) -> Result<Cli, Unread> {
        parse(std::iter::once(&"quorate-verify").chain(words).map(Into::into))
    }

    #[test]
    fn with_json_a_command_line_that_is_none_is_told_as_every_other_error() {
        for (words, part) in [
            (&["--json", "recipt"][..], "unrecognized subcommand"),
            (&["receipt", "--json"], "not provided: --policy"),
            (&["pin", "a", "b", "--json"], "unexpected argument 'b'"),
        ] {
            let Err(Unread::Untold(line)) = told(words) else { panic!("{words:?}") };
            assert!(line.contains(part) && !line.contains('\n'), "{line}");
        }
        assert!(matches!(told(&["--json", "--help"]), Err(Unread::Shown(0))));
        assert!(matches!(told(&["recipt"]), Err(Unread::Shown(2))));
        assert!(told(&["pin", "a", "--json"]).unwrap().json);
    }
}
