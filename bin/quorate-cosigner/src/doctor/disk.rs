//! What lies in the directory: who can reach it, what the papers say, whether shares open and ledgers hold together.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use quorate_host::findings::{Findings, Grade};
use quorate_host::random::Random;
use quorate_host::{Fault, secret_file};
use quorate_terms::Timestamp;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;

use crate::cli::Passphrase;
use crate::files::{Home, LocalKeys};
use crate::rebuild::{self, Own, Stores};
use crate::settings::Settings;
use crate::shares::{self, Cabinet};
use crate::snapshot;
use crate::status::Status;
use crate::trouble::fault;

/// What the directory says of this cosigner, as far as it can be read.
pub(super) struct Known {
    pub(super) settings: Settings,
    pub(super) keys: Option<Arc<LocalKeys>>,
    pub(super) founding: Option<CharterText>,
}

/// Whether there is a directory to look into.
pub(super) fn folders(home: &Home, found: &mut Findings) -> bool {
    for folder in [home.dir().to_owned(), home.shares()] {
        match secret_file::check_dir(&folder) {
            Ok(()) => found.ok("folder", folder.display().to_string()),
            Err(fault) => found.bad("folder", &fault),
        }
    }
    home.dir().is_dir()
}

/// Settings, keys, charter and pins.
pub(super) fn papers(home: &Home, found: &mut Findings) -> Option<Known> {
    writable(&home.settings(), found);
    let keys = found.take("key", LocalKeys::load(home)).map(Arc::new);
    let settings = found.take("configuration", Settings::load(home));
    let founding = found.take("charter", home.accepted());
    let settings = settings?;
    found.ok("configuration", "every field is known");
    if let (Some(keys), Some(text)) = (&keys, &founding) {
        pins(&settings, keys, text, found);
    }
    Some(Known { settings, keys, founding })
}

fn pins(settings: &Settings, keys: &LocalKeys, text: &CharterText, found: &mut Findings) {
    if let Ok(digest) = text.digest() {
        found.ok("charter", format!("{digest}, as accepted here"));
    }
    let disagreements = settings.disagreements(keys, text);
    if disagreements.is_empty() {
        found.ok("pins", "desk and peers are pinned as the charter seats them");
    }
    for fault in disagreements {
        found.bad("pins", &fault);
    }
}

/// Who can write the settings can point this cosigner at other peers.
fn writable(path: &Path, found: &mut Findings) {
    if let Some(meta) = path.metadata().ok().filter(|meta| meta.mode() & 0o022 != 0) {
        let why = format!("{} can be written by others ({:o})", path.display(), meta.mode());
        found.add(Grade::Bad, "file", why, format!("chmod 600 {}", path.display()));
    }
}

/// Whether every share opens: with the passphrase, where it was given and no daemon has opened them already.
pub(super) async fn secrets(
    home: &Home,
    known: Option<&Known>,
    (passphrase, running): (&Passphrase, bool),
    found: &mut Findings,
) {
    let files = shares::share_files(&home.shares());
    let Some(files) = found.take("shares", files) else { return };
    let number = known
        .and_then(|known| known.founding.as_ref()?.party(&known.settings.cosigner))
        .filter(|_| Cabinet::is_set(&home.shares()));
    match (number, passphrase.is_given()) {
        _ if running => found.ok("shares", format!("{} opened by the daemon", files.len())),
        (Some(number), true) => {
            let opened = open(home, passphrase, number).await;
            if let Some(count) = found.take("shares", opened) {
                found.ok("shares", format!("{count} open with this passphrase"));
            }
        }
        (None, true) => {
            let opened = found.take("passphrase", passphrase.given());
            if opened.is_some() && files.is_empty() {
                found.ok("shares", "there are none yet; the first `run` sets their passphrase");
            }
        }
        (_, false) if files.is_empty() => found.ok("shares", "there are none yet"),
        (_, false) => {
            let mend = "give --passphrase-file to see whether each opens";
            found.add(Grade::Warn, "shares", format!("{} were not opened", files.len()), mend);
        }
    }
}

async fn open(home: &Home, passphrase: &Passphrase, number: u8) -> Result<usize, Fault> {
    let (dir, passphrase) = (home.shares(), passphrase.given()?);
    let opening = tokio::task::spawn_blocking(move || {
        Cabinet::unseal(dir, passphrase, number, Random::start()?)?.all().map(|all| all.len())
    });
    opening.await.map_err(|_| fault("shares", "could not be opened", "try again"))?
}

/// Folds what lies on the disk while no daemon does. A ledger that is not there is not made.
pub(super) async fn ledgers(
    home: &Home,
    known: Option<&Known>,
    now: Timestamp,
    found: &mut Findings,
) -> Option<Status> {
    let Known { settings, keys: Some(keys), founding: Some(text) } = known? else { return None };
    let held = shares::share_files(&home.shares()).is_ok_and(|files| !files.is_empty());
    if !home.own().exists() || !home.book().exists() {
        let replica = fs::metadata(home.book()).is_ok();
        if !home.own().exists() && (held || replica) {
            found.bad("own ledger", &fault("own.db", GONE, snapshot::LOST));
        } else if held {
            let mend = "start this cosigner; the desk tells the book again";
            found.add(Grade::Warn, "replica", "book.db is not there", mend);
        } else {
            found.ok("ledgers", "there are none yet; the first `run` makes them");
        }
        return None;
    }
    let stores = found.take("ledgers", Stores::open(home).await)?;
    let owner = keys.identity.public_key();
    let replica = found.take("replica", rebuild::follow(&stores.book, text, &owner).await);
    let own = Own::replay(&stores.own, &settings.cosigner, text, &owner).await;
    let own = found.take("own ledger", own);
    let (replica, own) = (replica?, own?);
    for (what, start) in [("replica", &replica.1), ("own ledger", &own.start)] {
        if let Some(why) = &start.trouble {
            let mend = "find out who changed this disk; the whole ledger is read instead";
            found.add(Grade::Warn, what, why.as_str(), mend);
        }
    }
    if own.fold.book.size() == 0 && (replica.0.size() > 0 || held) {
        found.bad("own ledger", &fault("own.db", GONE, snapshot::LOST));
    }
    let party = own.party(&settings.cosigner, Arc::clone(keys) as _, replica.0, now);
    let status = Status::of(&party, now);
    stores.close().await;
    Some(status)
}

/// Why a cosigner without its own ledger must not go on.
const GONE: &str = "is gone or empty, and a replica or a share lies here: marks of what this cosigner signed are gone";
