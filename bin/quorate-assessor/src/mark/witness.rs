//! The witness's part: its own key, its own memory of what it cosigned, and no word about what the entries mean.

use std::fs::OpenOptions;
use std::path::PathBuf;

use clap::Args;
use quorate_host::clock::Clock as _;
use quorate_host::{Fault, Identity, SystemClock};
use quorate_ledger::{AddCheckpoint, Checkpoint, KeyKind, VerifierKey, cosignature};
use serde_json::json;

use super::no;
use crate::home;
use crate::screen::Screen;
use crate::trouble::Done;

/// What a witness is asked.
#[derive(Args)]
pub(crate) struct Witnessing {
    /// The log's request.
    request: PathBuf,
    /// The log's key, as `mark policy` writes it; compared out of band.
    #[arg(long)]
    log: VerifierKey,
    /// The witness's name, as verifiers pin it.
    #[arg(long)]
    name: String,
    /// The witness's key file.
    #[arg(long)]
    key: PathBuf,
    /// What it cosigned last; made when it is not there. Never lose it.
    #[arg(long)]
    memory: PathBuf,
    /// Where the cosignature goes.
    #[arg(long)]
    out: PathBuf,
}

/// Judges, remembers durably, and only then signs.
pub(super) fn witness(asked: &Witnessing) -> Done<Screen> {
    let lock = asked.memory.with_extension("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
    let lock = open.map_err(|e| Fault::at(&lock, &e))?;
    if lock.try_lock().is_err() {
        return Err(no(
            "busy",
            "another process cosigns with this memory",
            "wait until it is done",
        ));
    }
    let known: Option<Checkpoint> = match asked.memory.exists() {
        true => Some(home::read_text(&asked.memory)?.parse()?),
        false => None,
    };
    if known.as_ref().is_some_and(|known| known.origin != asked.log.name()) {
        return Err(no("another_log", "this memory is of another log", "give each log its own"));
    }
    let request: AddCheckpoint = home::read_text(&asked.request)?.parse()?;
    let shown = request.judge(&asked.log, known.as_ref())?;
    let key = Identity::load(&asked.key)?;
    let name = VerifierKey::new(&asked.name, KeyKind::Witness, key.public_key())?;
    home::write(&asked.memory, shown.to_string().as_bytes())?;
    let time_s = SystemClock::new().now().as_millis() / 1000;
    let text = &request.note.text;
    let line = cosignature::cosign(&name, time_s, text, |bytes| key.sign_bytes(bytes));
    home::write(&asked.out, line.to_string().as_bytes())?;
    let said = format!("`{}` cosigned {} entries of `{}`", asked.name, shown.size, shown.origin);
    Ok(Screen::new(
        said,
        json!({ "size": shown.size, "root": shown.root, "key": name.to_string() }),
    ))
}
