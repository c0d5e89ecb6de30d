//! The file in which the history of balances is kept: one line with form and digest, then JSON. It is replaced in one step.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use quorate_gateway::console::paperwork::Grain;
use quorate_host::fault::Fault;
use quorate_terms::{Amount, AssetId, Digest, Timestamp, WalletId};
use serde::{Deserialize, Serialize};

use super::{DAYS, HOURS, History, SERIES_MAX, Series, Word, put};

/// What the first line begins with. A file of another form is not read.
const FORM: &str = "quorate-balances 1 ";
/// The largest file that is read, in bytes: more than the most that is ever kept, each word in 100.
const BYTES_MAX: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    wallet: WalletId,
    asset: AssetId,
    hours: Vec<(Timestamp, Amount)>,
    days: Vec<(Timestamp, Amount)>,
}

/// The bytes of a file.
///
/// # Errors
/// [`Fault`] only where a value has no JSON form, which none of these lacks.
pub(super) fn bytes(history: &History) -> Result<Vec<u8>, Fault> {
    let pair = |word: &Word| (word.at, word.amount);
    let kept = |((wallet, asset), series): (&(WalletId, AssetId), &Series)| Kept {
        wallet: wallet.clone(),
        asset: asset.clone(),
        hours: series.hours.values().map(pair).collect(),
        days: series.days.values().map(pair).collect(),
    };
    let all: Vec<Kept> = history.0.iter().map(kept).collect();
    let body = serde_json::to_vec(&all)
        .map_err(|e| Fault::new("balances", e.to_string(), "report this"))?;
    let mut bytes = format!("{FORM}{}\n", Digest::sha256(&body)).into_bytes();
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// What the bytes of a file say, or why they say nothing.
pub(super) fn read(bytes: &[u8]) -> Result<History, &'static str> {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (Some(head), Some(body)) = (parts.next(), parts.next()) else { return Err("is cut short") };
    let head = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix(FORM));
    let digest = head.ok_or("is of another form")?;
    if digest != Digest::sha256(body).to_string() {
        return Err("is damaged: its digest is another");
    }
    let all: Vec<Kept> = serde_json::from_slice(body).map_err(|_| "holds no history")?;
    let most =
        |words: &[(Timestamp, Amount)], most| u64::try_from(words.len()).is_ok_and(|n| n <= most);
    let fits = |kept: &Kept| most(&kept.hours, HOURS) && most(&kept.days, DAYS);
    if all.len() > SERIES_MAX || !all.iter().all(fits) {
        return Err("holds more than is ever kept");
    }
    let mut history = History::default();
    for kept in all {
        let series = history.0.entry((kept.wallet, kept.asset)).or_default();
        for (at, amount) in kept.hours {
            put(&mut series.hours, Grain::Hour, Word { at, amount });
        }
        for (at, amount) in kept.days {
            put(&mut series.days, Grain::Day, Word { at, amount });
        }
    }
    Ok(history)
}

/// What a file holds; nothing where there is none.
///
/// # Errors
/// [`Fault`] when it cannot be read.
pub(super) fn load(path: &Path) -> Result<History, Fault> {
    let meta = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(History::default()),
        meta => meta.map_err(|e| Fault::at(path, &e))?,
    };
    let bad = |why: &str| Fault::new(path.display().to_string(), why, MEND);
    if !meta.is_file() {
        return Err(bad("is no plain file"));
    }
    if meta.len() > BYTES_MAX {
        return Err(bad("is larger than is ever kept"));
    }
    read(&fs::read(path).map_err(|e| Fault::at(path, &e))?).map_err(bad)
}

const MEND: &str = "start the desk, which puts it aside and begins anew; no evidence is lost";

/// Whether a file can be read, for whoever looks from outside.
///
/// # Errors
/// [`Fault`] when it cannot.
pub(crate) fn look(path: &Path) -> Result<(), Fault> {
    load(path).map(drop)
}

/// Where a file that could not be read lies afterwards.
pub(crate) fn put_aside_at(path: &Path) -> PathBuf {
    path.with_extension("unread")
}

/// Moves a file that cannot be read out of the way, so that somebody can look at it.
pub(super) fn put_aside(path: &Path) {
    if let Err(error) = fs::rename(path, put_aside_at(path)) {
        tracing::error!(%error, "the file of balances could not be put aside; it is overwritten");
    }
}
