//! Handing this cosigner's own ledger to an auditor: every entry, and a note of its head under the key with which it witnesses.
//!
//! Nothing is signed that does not hold together from its first entry on.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use quorate_host::ui::Ui;
use quorate_host::{Fault, Store};
use quorate_ledger::{Chain, Checkpoint, Frontier, hash, policy};
use quorate_terms::reading::{READ_MAX, ReadRequest};
use serde_json::json;

use crate::files::{Home, LocalKeys};
use crate::operate;
use crate::settings::Settings;
use crate::trouble::{fault, malformed};

/// What the control socket calls it.
pub(crate) const OWN_READ: &str = "own.read";

/// Bytes of one page, in all; a frame holds more.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// `export`: writes the own ledger, one entry a line, and the note of its head. The daemon may run.
pub(crate) async fn export(ui: Ui, home: Home, out: &Path, note_out: &Path) -> Result<(), Fault> {
    let settings = Settings::load(&home)?;
    let charter = home.accepted()?;
    let keys = LocalKeys::load(&home)?;
    let seat = charter.cosigners.iter().find(|seat| seat.cosigner == settings.cosigner);
    let seat = seat.filter(|seat| seat.witness == keys.witness.public_key()).ok_or_else(|| {
        fault("charter", "seats no cosigner of this name and key", "export where it is seated")
    })?;
    let named = policy::witness_key(&charter.log.origin, seat).and_then(|w| policy::own_key(&w));
    let key = named.map_err(|e| malformed("charter", &e))?;

    let mut ledger =
        Ledger { chain: Chain::new(charter.vault.as_str()), frontier: Frontier::new() };
    let mut file = create(out)?;
    copy(&home, &mut ledger, &mut file, out).await?;
    let ended = file.flush().and_then(|()| file.get_ref().sync_all());
    ended.map_err(|e| Fault::at(out, &e))?;

    let (origin, size, root) =
        (key.name().to_owned(), ledger.frontier.size(), ledger.frontier.root());
    let note = Checkpoint { origin, size, root }.sign(&key, |bytes| keys.witness.sign_bytes(bytes));
    let mut head = create(note_out)?;
    let written = head.write_all(note.to_string().as_bytes()).and_then(|()| head.flush());
    written.and_then(|()| head.get_ref().sync_all()).map_err(|e| Fault::at(note_out, &e))?;
    let answer = json!({ "cosigner": settings.cosigner, "entries": size, "root": root });
    ui.answer(
        &answer,
        format!("{size} entries in {}, head in {}", out.display(), note_out.display()),
    )
}

/// What the entries so far come to.
struct Ledger {
    chain: Chain,
    frontier: Frontier,
}

fn create(path: &Path) -> Result<BufWriter<File>, Fault> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    Ok(BufWriter::new(file.map_err(|e| Fault::at(path, &e))?))
}

/// Reads page after page, of the daemon where one runs and else of the disk, until there is no more.
async fn copy(
    home: &Home,
    ledger: &mut Ledger,
    file: &mut BufWriter<File>,
    path: &Path,
) -> Result<(), Fault> {
    let store =
        if operate::runs(home).await { None } else { Some(Store::open(&home.own()).await?) };
    loop {
        let from = ledger.frontier.size();
        let entries = match &store {
            Some(store) => page(store, from).await?,
            None => ask(home, from).await?,
        };
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            let bytes = entry.as_bytes();
            ledger.chain.push(bytes).map_err(|e| {
                fault("own.db", &e.to_string(), "restore it from a copy; nothing was signed")
            })?;
            ledger.frontier.append(hash::leaf(bytes));
            let written = file.write_all(bytes).and_then(|()| file.write_all(b"\n"));
            written.map_err(|e| Fault::at(path, &e))?;
        }
    }
    if let Some(store) = store {
        store.close().await;
    }
    Ok(())
}

async fn ask(home: &Home, from: u64) -> Result<Vec<String>, Fault> {
    let bad = |e: serde_json::Error| fault(OWN_READ, &e.to_string(), "compare the versions");
    let request = serde_json::to_vec(&ReadRequest { from, limit: READ_MAX }).map_err(bad)?;
    let answer = operate::ask(home, OWN_READ, request).await?;
    serde_json::from_slice(&answer).map_err(bad)
}

/// Entries from `from` on, as many as fit.
pub(crate) async fn page(store: &Store, from: u64) -> Result<Vec<String>, Fault> {
    let limit = store.size().saturating_sub(from).min(READ_MAX);
    let mut entries: Vec<String> = Vec::new();
    let mut bytes = 0_usize;
    for entry in store.read(from, limit).await? {
        bytes = bytes.saturating_add(entry.len());
        if bytes > PAGE_BYTES_MAX && !entries.is_empty() {
            break;
        }
        entries.push(String::from_utf8(entry).map_err(|_| {
            fault("own.db", "holds an entry that is not text", "restore it from a copy")
        })?);
    }
    Ok(entries)
}
