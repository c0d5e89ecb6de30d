//! The ledger, entry by entry: what `quorate-verify ledger` reads.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use quorate_host::Fault;
use quorate_host::telemetry::safe;
use quorate_host::ui::{Tone, Ui};
use quorate_ledger::{Checkpoint, Note, VerifierKey, hash, proof};
use quorate_terms::digest::tag;
use quorate_terms::{Digest, Timestamp};
use serde_json::{Value, json};

use super::client::Desk;
use super::filing::At;
use super::table::{Cell, Table};
use super::trouble::{Tried, Trouble};
use super::{Ended, read};
use quorate_gateway::office::{BookAnswer, BookRequest, ProofAnswer, ProofRequest};

/// Entries in one question; the desk may give fewer.
const BATCH: u64 = 256;

/// What to do with the ledger.
#[derive(Subcommand, Debug)]
pub(crate) enum LedgerCommand {
    /// One entry: what it says, and the proof that it stands under the newest checkpoint, checked here.
    Show {
        #[command(flatten)]
        at: At,
        /// The entry's index, from 0.
        index: u64,
    },
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
    match command {
        LedgerCommand::Show { at, index } => show(ui, &at.dir, *index).await,
        LedgerCommand::Export { at, out, checkpoint_out } => {
            written(ui, &at.dir, out, checkpoint_out.as_deref()).await
        }
    }
}

/// One entry with its proof. The checkpoint's key is the desk's word: who trusts no desk exports, and verifies with a policy.
async fn show(ui: &Ui, dir: &Path, index: u64) -> Tried<Ended> {
    let desk = Desk::at(dir).await?;
    let book: BookAnswer = desk.ask("desk.book", &BookRequest { from: index, limit: 1 }).await?;
    let text = book.entries.first().ok_or_else(|| {
        let mend = "`quorate status` says how many entries there are; the first is 0";
        Trouble::new("INDEX", "there is no such entry", mend)
    })?;
    let proof: ProofAnswer = desk.ask("desk.proof", &ProofRequest::Entry { index }).await?;
    let head = proven(text, index, &proof)?;
    let unread = |e: serde_json::Error| {
        let why = format!("cannot be read ({e})");
        Trouble::new("the entry", why, "run the command line of the desk's version")
    };
    let entry: Value = serde_json::from_str(text).map_err(unread)?;
    let at = entry.get("at").cloned().unwrap_or_default();
    let at: Timestamp = serde_json::from_value(at).map_err(unread)?;
    let digest = Digest::of(tag::ENTRY, text.as_bytes());
    let stands = format!("among {} entries under the newest checkpoint", head.size);
    let mut table = Table::plain();
    table.row(["when".into(), at.utc().into()]);
    table.row(["digest".into(), digest.to_string().into()]);
    table.row(["proven".into(), Cell::toned(Tone::Good, stands)]);
    table.row(["root".into(), head.root.to_string().into()]);
    table.row(["log key".into(), proof.log.as_str().into()]);
    let body = serde_json::to_string_pretty(&entry.get("body")).map_err(unread)?;
    let body: Vec<String> = body.lines().map(safe).collect();
    let said = json!({
        "entry": entry, "digest": digest, "size": head.size, "root": head.root, "log": proof.log,
        "hashes": proof.hashes, "checkpoint": proof.checkpoint,
    });
    ui.answer(&said, format!("{}\n{}", table.show(ui), body.join("\n")))?;
    Ok(Ended::Well)
}

/// The checkpoint under which the bytes stand at the index.
fn proven(text: &str, index: u64, proof: &ProofAnswer) -> Tried<Checkpoint> {
    let (note, log): (Note, VerifierKey) = (proof.checkpoint.parse()?, proof.log.parse()?);
    let mend =
        "keep what you see, and run `quorate doctor`: this desk's ledger is not what it signed";
    let refuted = |why: String| Trouble::new("proof", why, mend);
    let head = Checkpoint::open(&note, &log).map_err(|e| refuted(e.to_string()))?;
    let leaf = hash::leaf(text.as_bytes());
    proof::verify_inclusion(&leaf, index, head.size, &proof.hashes, &head.root)
        .map_err(|e| refuted(e.to_string()))?;
    Ok(head)
}

async fn written(ui: &Ui, dir: &Path, out: &Path, checkpoint_out: Option<&Path>) -> Tried<Ended> {
    if let Some(path) = checkpoint_out.filter(|path| path.exists()) {
        let mend = "choose another path; nothing is overwritten";
        return Err(Trouble::new(path.display().to_string(), "exists", mend));
    }
    let desk = Desk::at(dir).await?;
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
