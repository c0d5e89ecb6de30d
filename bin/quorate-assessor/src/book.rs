//! Copies of books: taken in only when every entry, the chain, the tree and the witnesses hold, and only as a continuation of
//! the copy that is there. Verified again whenever they are read, because a copy lies on a disk.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

use quorate_assessor::finding::Head;
use quorate_host::Fault;
use quorate_ledger::{BookVerifier, Checkpoint, LogPolicy};
use quorate_terms::entry::ENTRY_BYTES_MAX;
use quorate_terms::{Timestamp, VaultId};
use serde_json::Value as Json;

use crate::engine::Engine;
use crate::home::{self, Home};
use crate::trouble::{Done, Trouble};

/// What a copy came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reached {
    /// The verified head.
    pub(crate) head: Head,
    /// The newest entry's time.
    pub(crate) newest: Timestamp,
}

/// Takes in an export with the note of its head. The old copy stays until the new one is whole and verified.
pub(crate) fn import(home: &Home, vault: &VaultId, export: &Path, note: &Path) -> Done<Reached> {
    let policy = home.read_pin(vault)?;
    let note = home::read_text(note)?;
    let known = known(home, vault, &policy)?;
    let path = home.book(vault);
    let new = path.with_extension("importing");
    let taken = copy(export, &new, &policy, &note, known.as_ref());
    let reached = match taken {
        Ok(reached) => reached,
        Err(trouble) => {
            let _may_not_exist = std::fs::remove_file(&new);
            return Err(trouble);
        }
    };
    std::fs::rename(&new, &path).map_err(|e| Fault::at(&path, &e))?;
    home::write(&home.head(vault), note.as_bytes())?;
    Ok(reached)
}

/// The head of the copy that is there.
fn known(home: &Home, vault: &VaultId, policy: &LogPolicy) -> Done<Option<Checkpoint>> {
    let path = home.head(vault);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(policy.open(&home::read_text(&path)?)?.checkpoint))
}

fn copy(
    export: &Path,
    new: &Path,
    policy: &LogPolicy,
    note: &str,
    known: Option<&Checkpoint>,
) -> Done<Reached> {
    let head = policy.open(note)?.checkpoint;
    if let Some(known) = known.filter(|known| known.size > head.size) {
        let message = format!("the export has {} entries, the copy here {}", head.size, known.size);
        let next = "ask for the whole book; if it is the whole, it was cut: keep both and tell";
        return Err(Trouble::refused("shrunk", message, next));
    }
    let mut out = File::create(new).map_err(|e| Fault::at(new, &e))?;
    let mut out_buffer = std::io::BufWriter::new(&mut out);
    let mut book = verifier(policy, &head, known)?;
    let mut newest = Timestamp::ZERO;
    each_line(export, |line| {
        book.push(line)?;
        newest = quorate_ledger::Header::read(line)?.at;
        out_buffer
            .write_all(line)
            .and_then(|()| out_buffer.write_all(b"\n"))
            .map_err(|e| Fault::at(new, &e))?;
        Ok(())
    })?;
    book.finish(&head)?;
    out_buffer.flush().map_err(|e| Fault::at(new, &e))?;
    drop(out_buffer);
    out.sync_all().map_err(|e| Fault::at(new, &e))?;
    Ok(Reached { head: as_head(&head), newest })
}

/// Loads a copy into the tables, verifying every entry on the way. Nothing counts unless the whole holds.
pub(crate) fn load(home: &Home, vault: &VaultId, engine: &Engine) -> Done<Reached> {
    let policy = home.read_pin(vault)?;
    let path = home.book(vault);
    let Some(head) = known(home, vault, &policy)? else {
        let message = format!("the book of `{vault}` was never taken in");
        let next = "run `quorate-assessor import` with an export and its checkpoint";
        return Err(Trouble::refused("no_book", message, next));
    };
    let mut book = verifier(&policy, &head, None)?;
    let mut newest = Timestamp::ZERO;
    let mut index = 0_u64;
    each_line(&path, |line| {
        book.push(line)?;
        let header = quorate_ledger::Header::read(line)?;
        newest = header.at;
        let body = body(line)?;
        engine.load((head.origin.as_str(), index), header.at, &body, None)?;
        index = index.saturating_add(1);
        Ok(())
    })?;
    book.finish(&head)?;
    Ok(Reached { head: as_head(&head), newest })
}

fn verifier(
    policy: &LogPolicy,
    head: &Checkpoint,
    known: Option<&Checkpoint>,
) -> Done<BookVerifier> {
    let mut book = BookVerifier::new(policy.vault.as_str());
    if let Some(known) = known {
        book.must_pass(known)?;
        // On a copy: the head itself is compared at the end.
        book.clone().must_pass(head)?;
    }
    Ok(book)
}

fn as_head(checkpoint: &Checkpoint) -> Head {
    Head { book: checkpoint.origin.clone(), size: checkpoint.size, root: checkpoint.root }
}

fn body(line: &[u8]) -> Done<Json> {
    let mut entry: Json = serde_json::from_slice(line).map_err(|e| {
        Trouble::refused("malformed", format!("an entry cannot be read ({e})"), "export it again")
    })?;
    Ok(entry.get_mut("body").map(Json::take).unwrap_or_default())
}

/// Gives each line of a file, without its end; a line longer than an entry may be is refused before it is held.
fn each_line(path: &Path, mut take: impl FnMut(&[u8]) -> Done<()>) -> Done<()> {
    let file = File::open(path).map_err(|e| Fault::at(path, &e))?;
    let mut reader = BufReader::with_capacity(1024 * 1024, file);
    let limit = u64::try_from(ENTRY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(limit).read_until(b'\n', &mut line);
        if read.map_err(|e| Fault::at(path, &e))? == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > ENTRY_BYTES_MAX {
            let message = format!("{} holds a line that is no entry", path.display());
            return Err(Trouble::refused("malformed", message, "export the ledger again"));
        }
        take(&line)?;
    }
}
