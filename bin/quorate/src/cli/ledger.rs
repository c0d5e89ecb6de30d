//! The ledger, entry by entry: what `quorate-verify ledger` reads.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use quorate_host::Fault;
use quorate_host::ui::Ui;
use quorate_ledger::Note;
use serde_json::json;

use super::client::Desk;
use super::filing::At;
use super::trouble::{Tried, Trouble};
use super::{Ended, read};
use quorate_gateway::office::{BookAnswer, BookRequest};

/// Entries in one question; the desk may give fewer.
const BATCH: u64 = 256;

/// What to do with the ledger.
#[derive(Subcommand, Debug)]
pub(crate) enum LedgerCommand {
    /// Write every entry under the newest checkpoint, one canonical line each, to a new file.
    Export {
        #[command(flatten)]
        at: At,
        /// The new file.
        #[arg(long)]
        out: PathBuf,
        /// A new file for the checkpoint that the entries add up to.
        #[arg(long)]
        checkpoint_out: Option<PathBuf>,
    },
}

/// Obeys a `ledger` command.
pub(crate) async fn obey(ui: &Ui, command: &LedgerCommand) -> Tried<Ended> {
    let LedgerCommand::Export { at, out, checkpoint_out } = command;
    if let Some(path) = checkpoint_out.as_ref().filter(|path| path.exists()) {
        let mend = "choose another path; nothing is overwritten";
        return Err(Trouble::new(path.display().to_string(), "exists", mend));
    }
    let desk = Desk::at(&at.dir).await?;
    let mut file = create(out)?;
    let written = export(ui, &desk, &mut file, out).await;
    let (count, checkpoint) = match written {
        Ok(done) => done,
        Err(trouble) => {
            fs::remove_file(out).map_err(|e| Fault::at(out, &e))?;
            return Err(trouble);
        }
    };
    if let Some(path) = checkpoint_out {
        read::write_new(path, checkpoint.as_bytes())?;
    }
    let out = out.display().to_string();
    ui.answer(
        &json!({ "entries": count, "file": out, "checkpoint": checkpoint }),
        format!("{count} entries in {out}"),
    )?;
    Ok(Ended::Well)
}

fn create(path: &Path) -> Tried<BufWriter<File>> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    Ok(BufWriter::new(file.map_err(|e| Fault::at(path, &e))?))
}

async fn export(
    ui: &Ui,
    desk: &Desk,
    file: &mut BufWriter<File>,
    path: &Path,
) -> Tried<(u64, String)> {
    let trouble = |e: std::io::Error| Fault::at(path, &e);
    let done = each(ui, desk, |line| {
        file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(trouble)?;
        Ok(())
    });
    let done = done.await?;
    file.flush().and_then(|()| file.get_ref().sync_all()).map_err(trouble)?;
    Ok(done)
}

/// Gives every entry under the newest checkpoint to `take`, in order; then how many there were, and the checkpoint.
///
/// # Errors
/// [`Trouble`] when the desk has no checkpoint yet or leaves entries out, or of `take`.
pub(crate) async fn each(
    ui: &Ui,
    desk: &Desk,
    mut take: impl FnMut(&str) -> Tried<()>,
) -> Tried<(u64, String)> {
    let mut answer: BookAnswer =
        desk.ask("desk.book", &BookRequest { from: 0, limit: BATCH }).await?;
    let checkpoint = answer.checkpoint.take().ok_or_else(|| {
        Trouble::new("checkpoint", "there is none yet", "wait until the desk has signed one")
    })?;
    let size = size_of(&checkpoint)?;
    let mut progress = ui.progress("reading entries", size);
    let mut next = 0_u64;
    while next < size {
        if answer.entries.is_empty() {
            let why = format!("gave {next} entries of {size}");
            return Err(Trouble::new("desk.book", why, "ask again; check the desk's disk"));
        }
        for line in &answer.entries {
            if next < size {
                take(line)?;
                next = next.saturating_add(1);
                progress.advance(1);
            }
        }
        if next < size {
            answer = desk.ask("desk.book", &BookRequest { from: next, limit: BATCH }).await?;
        }
    }
    Ok((size, checkpoint))
}

/// The number of entries under a checkpoint: the second line of its note (C2SP tlog-checkpoint).
fn size_of(checkpoint: &str) -> Tried<u64> {
    let note: Note = checkpoint.parse()?;
    let size = note.text.lines().nth(1).and_then(|line| line.parse().ok());
    size.ok_or_else(|| {
        Trouble::new("checkpoint", "has no size", "run the command line of the desk's version")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_checkpoint_of_arbitrary_text_never_panics(text in "(?s).{0,200}") {
            let _ = size_of(&text);
        }
    }
}
