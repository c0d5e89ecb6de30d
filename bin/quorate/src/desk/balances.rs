//! What the desk's nodes said of balances, as time goes by: the last word of each hour for a week, and of each UTC day for 400
//! days.
//!
//! It is for the eye. A node can lie and be away, so nothing is decided by it, it stands in no ledger, and losing it loses no
//! evidence. A node that is away leaves a gap and never a zero.

mod kept;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use quorate_gateway::console::paperwork::{Grain, Held};
use quorate_host::fault::Fault;
use quorate_host::random::Random;
use quorate_host::secret_file;
use quorate_terms::{Amount, AssetId, Timestamp, WalletId};

pub(crate) use kept::{look, put_aside_at};

/// Seconds between two rounds of questions.
pub const EVERY_S: u64 = 900;
/// Seconds from the end of a case to the next round.
pub const SOON_S: u64 = 10;
/// Seconds from the beginning of a round to the next one, however much moves meanwhile.
pub const GAP_S: u64 = 60;
/// Hours that are kept.
const HOURS: u64 = 7 * 24;
/// Days that are kept.
const DAYS: u64 = 400;
/// The most pairs of wallet and asset of which anything is kept.
const SERIES_MAX: usize = 1_000;

/// What was said once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Word {
    pub(crate) at: Timestamp,
    pub(crate) amount: Amount,
}

/// What was said of one asset of one wallet, by the number of the hour or day.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Series {
    hours: BTreeMap<u64, Word>,
    days: BTreeMap<u64, Word>,
}

impl Series {
    fn put(&mut self, word: Word) {
        put(&mut self.hours, Grain::Hour, word);
        put(&mut self.days, Grain::Day, word);
    }

    fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.days.is_empty()
    }
}

/// The last word of each hour or day stays.
fn put(words: &mut BTreeMap<u64, Word>, grain: Grain, word: Word) {
    let known = words.entry(grain.of(word.at)).or_insert(word);
    if known.at <= word.at {
        *known = word;
    }
}

fn keep(words: &mut BTreeMap<u64, Word>, grain: Grain, count: u64, now: Timestamp) {
    let last = grain.of(now);
    let first = last.saturating_sub(count.saturating_sub(1));
    words.retain(|number, _| (first..=last).contains(number));
}

/// All that is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct History(BTreeMap<(WalletId, AssetId), Series>);

impl History {
    /// Takes a word; says whether there was room for it.
    fn add(&mut self, wallet: WalletId, asset: AssetId, word: Word) -> bool {
        let key = (wallet, asset);
        if self.0.len() >= SERIES_MAX && !self.0.contains_key(&key) {
            return false;
        }
        self.0.entry(key).or_default().put(word);
        true
    }

    /// Forgets what is older than is kept, and what a wrong clock dated after `now`.
    fn forget(&mut self, now: Timestamp) {
        for series in self.0.values_mut() {
            keep(&mut series.hours, Grain::Hour, HOURS, now);
            keep(&mut series.days, Grain::Day, DAYS, now);
        }
        self.0.retain(|_, series| !series.is_empty());
    }

    fn since(&self, from: Timestamp, grain: Grain) -> Vec<Held> {
        let of_series = |((wallet, asset), series): (&(WalletId, AssetId), &Series)| {
            let words = match grain {
                Grain::Hour => &series.hours,
                Grain::Day => &series.days,
            };
            let held = |(_, word): (&u64, &Word)| Held {
                wallet: wallet.clone(),
                asset: asset.clone(),
                at: word.at,
                amount: word.amount,
            };
            words.range(grain.of(from)..).map(held).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_series).collect()
    }
}

/// The history of a running desk, and when the nodes are asked again.
#[derive(Default)]
pub struct Balances {
    history: Mutex<History>,
    file: OnceLock<(PathBuf, Random)>,
    due: AtomicU64,
    /// When the last round began.
    begun: AtomicU64,
}

impl Balances {
    /// Goes on from a file, and keeps what comes there. One that cannot be read is put aside, which the log tells, and the
    /// history begins anew: nothing of the desk waits for it.
    pub fn open(&self, path: &Path, random: Random) {
        match kept::load(path) {
            Ok(history) => *self.history() = history,
            Err(fault) => {
                tracing::error!(%fault, "the history of balances cannot be read; it begins anew");
                kept::put_aside(path);
            }
        }
        self.file.get_or_init(|| (path.to_owned(), random));
    }

    /// Whether a round is due; the next one then is due [`EVERY_S`] later.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        if now.as_millis() < self.due.load(Ordering::Relaxed) {
            return false;
        }
        self.begun.store(now.as_millis(), Ordering::Relaxed);
        self.due.store(now.plus_s(EVERY_S).as_millis(), Ordering::Relaxed);
        true
    }

    /// Something moved: a round is due [`SOON_S`] from now, and [`GAP_S`] after the last one began, unless it is sooner.
    pub(super) fn hasten(&self, now: Timestamp) {
        let begun = Timestamp::from_millis(self.begun.load(Ordering::Relaxed));
        let at = now.plus_s(SOON_S).max(begun.plus_s(GAP_S));
        self.due.fetch_min(at.as_millis(), Ordering::Relaxed);
    }

    /// Takes what a node said; says whether there was room for it.
    pub(super) fn add(&self, wallet: WalletId, asset: AssetId, word: Word) -> bool {
        self.history().add(wallet, asset, word)
    }

    /// Forgets what is old at `now`, and keeps the rest on disk.
    ///
    /// # Errors
    /// [`Fault`] when the disk does not take it; the file is as it was.
    pub(super) async fn save(&self, now: Timestamp) -> Result<(), Fault> {
        let history = {
            let mut history = self.history();
            history.forget(now);
            history.clone()
        };
        let Some((path, random)) = self.file.get().cloned() else { return Ok(()) };
        let saving = tokio::task::spawn_blocking(move || {
            secret_file::replace(&path, &kept::bytes(&history)?, random)
        });
        saving.await.map_err(|e| Fault::new("balances", e.to_string(), "restart the desk"))?
    }

    /// The last word of each hour or day from `from` on.
    pub(super) fn since(&self, from: Timestamp, grain: Grain) -> Vec<Held> {
        self.history().since(from, grain)
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
