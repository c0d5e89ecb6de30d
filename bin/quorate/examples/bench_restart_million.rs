//! `restart_million`: from an opened file to a signed head that doors can show, over a ledger of a million entries.
//!
//! The ledger is a real one: transfers that were filed, judged, drafted, signed, broadcast and settled, each entry
//! folded as a desk folds it. The newest snapshot is as old as a snapshot is on average when a desk stops. Reading the file
//! was paid for before (its pages are in the cache, as they are after a crash of the process). The baseline is a restart
//! without snapshot, measured on the first part of the same ledger and scaled up.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its rows, and may end at the first surprise"
)]

/// The desk's engine, and nothing else of it.
#[path = "../src/desk"]
pub mod desk {
    pub mod engine;
}
#[path = "../../../crates/custody/tests/house/mod.rs"]
mod house;
mod ledger;
#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::path::Path;
use std::time::{Duration, Instant};

use desk::engine::Engine;
use house::secret;
use ledger::{Done, Ledger, founding};
use quorate_host::clock::SystemClock;
use quorate_host::identity::Identity;
use quorate_host::store::Store;
use quorate_terms::charter::CharterText;

use row::Measured;

const ENTRIES: u64 = 1_000_000;
/// Entries after the snapshot: half of what makes a new one due.
const TAIL: u64 = 2048;
/// Entries of the ledger on which a restart without snapshot is measured.
const WITHOUT: u64 = 20_000;
const ROUNDS: usize = 5;
/// A transfer a minute.
const PACE: (u64, u64) = (60, 1);

#[tokio::main]
async fn main() -> Done {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))?;
    let path = folder.path().join("ledger.db");
    let founding = founding();
    let begun = Instant::now();
    let (bytes, whole) = write(&path, founding.clone()).await?;
    eprintln!("a ledger of {ENTRIES} entries in {:?}, snapshot of {bytes} bytes", begun.elapsed());
    let mut taken = Vec::new();
    for _ in 0..ROUNDS {
        taken.push(restart(&path, &founding).await?);
    }
    taken.sort();
    let seconds = taken[ROUNDS / 2].as_secs_f64();
    let rows = [Measured::new(
        "restart_million",
        (seconds, "s"),
        Some(whole.as_secs_f64()),
        ("< 2 s", &|seconds, _| seconds < 2.0),
        u64::try_from(ROUNDS)?,
    )];
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

fn log() -> Identity {
    Identity::from_seed(secret("log").as_bytes()).unwrap()
}

async fn restart(path: &Path, founding: &CharterText) -> Done<Duration> {
    let begun = Instant::now();
    let store = Store::open(path).await?;
    let (engine, _effects) =
        Engine::start(founding.clone(), store.clone(), log(), SystemClock::shared()).await?;
    let taken = begun.elapsed();
    assert!(engine.head().size == store.size() && !engine.head().note.is_empty());
    drop(engine);
    // Until the verification beside has heard that it is over.
    tokio::time::sleep(Duration::from_millis(300)).await;
    store.close().await;
    Ok(taken)
}

/// Writes the ledger with its snapshot; gives the snapshot's size, and how long a restart without one would take.
async fn write(path: &Path, text: CharterText) -> Done<(usize, Duration)> {
    let mut ledger = Ledger::founded(path, text.clone()).await?;
    ledger.grow(WITHOUT, PACE).await?;
    let grown = ledger.house.book.size();
    ledger.store.clone().close().await;
    let part = restart(path, &text).await?;
    ledger.store = Store::open(path).await?;
    let whole = part.mul_f64(1_000_000.0 / f64::from(u32::try_from(grown)?));
    ledger.grow(ENTRIES - TAIL, PACE).await?;
    let begun = Instant::now();
    let bytes = ledger.keep_snapshot(&log()).await?;
    eprintln!("made in {:?}", begun.elapsed());
    ledger.grow(ENTRIES, PACE).await?;
    ledger.store.close().await;
    Ok((bytes, whole))
}
