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
#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::path::Path;
use std::time::{Duration, Instant};

use desk::engine::Engine;
use house::{House, charter, filed, secret};
use quorate_custody::{Event, Follower, Verdict};
use quorate_host::clock::SystemClock;
use quorate_host::identity::Identity;
use quorate_host::store::{Append, Store};
use quorate_ledger::{Frontier, hash};
use quorate_terms::Amount;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::fact::Fate;

use row::Measured;

type Done<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ENTRIES: u64 = 1_000_000;
/// Entries after the snapshot: half of what makes a new one due.
const TAIL: u64 = 2048;
/// Entries of the ledger on which a restart without snapshot is measured.
const WITHOUT: u64 = 20_000;
const ROUNDS: usize = 5;
const PAGE: usize = 4096;

#[tokio::main]
async fn main() -> Done {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))?;
    let path = folder.path().join("ledger.db");
    let founding = founding();
    let begun = Instant::now();
    let (bytes, whole) = Ledger::write(&path, founding.clone()).await?;
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

/// As in the tests, with room in the budgets.
fn founding() -> CharterText {
    let mut text = charter();
    for budget in &mut text.policy.budgets {
        budget.amount = Some(Amount::from_u128(u128::MAX));
    }
    text
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

/// The desk's ledger as it grows.
struct Ledger {
    house: House,
    frontier: Frontier,
    store: Store,
    waiting: Vec<Vec<u8>>,
}

impl Ledger {
    /// Writes the ledger with its snapshot; gives the snapshot's size, and how long a restart without one would take.
    async fn write(path: &Path, text: CharterText) -> Done<(usize, Duration)> {
        let store = Store::open(path).await?;
        let mut house = House::founded(text.clone());
        house.open_wallet("ops", &[house::CHAIN, house::MAINNET]);
        house.admit_agent("trader", house::NOON.plus_s(366 * 86_400));
        let mut ledger = Self { house, frontier: Frontier::new(), store, waiting: Vec::new() };
        for entry in std::mem::take(&mut ledger.house.entries) {
            ledger.take(entry.to_canonical()?);
        }
        ledger.grow(WITHOUT).await?;
        ledger.flush().await?;
        let grown = ledger.house.book.size();
        ledger.store.clone().close().await;
        let part = restart(path, &text).await?;
        ledger.store = Store::open(path).await?;
        let whole = part.mul_f64(1_000_000.0 / f64::from(u32::try_from(grown)?));
        ledger.grow(ENTRIES - TAIL).await?;
        ledger.flush().await?;
        let follower = Follower::new(ledger.house.book.clone(), ledger.frontier.clone());
        let size = follower.size();
        let log = log();
        let begun = Instant::now();
        let blob = follower.to_snapshot(|digest| log.sign(digest)).map_err(|e| e.to_string())?;
        eprintln!("made in {:?}", begun.elapsed());
        let bytes = blob.len();
        ledger.store.put_snapshot("desk", size, blob).await?;
        ledger.grow(ENTRIES).await?;
        ledger.flush().await?;
        ledger.store.close().await;
        Ok((bytes, whole))
    }

    /// One settled transfer after another, a minute apart.
    async fn grow(&mut self, to: u64) -> Done {
        while self.house.book.size() < to {
            self.house.later(60);
            let intent = self.house.transfer_of(house::agent("trader"), 1);
            let snapshot = self.house.snapshot(house::CHAIN);
            let case = intent.case()?;
            self.does(filed(&intent, Some(snapshot)))?;
            let event = self.house.signature(&case);
            self.does(event)?;
            let txid = self.house.case(&case).signed.last().unwrap().txid.clone();
            self.does(Event::Published { case, txid: txid.clone() })?;
            let fact = self.house.finality(&case, &txid, Fate::Settled);
            self.does(Event::FinalityCame { case, fact: Box::new(fact) })?;
            self.house.nonce += 1;
            if self.waiting.len() >= PAGE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    fn does(&mut self, event: Event) -> Done {
        let step = self.house.book.step(event, self.house.now).map_err(|e| e.to_string())?;
        for entry in self.house.book.entries(step.records, self.house.now)? {
            let verdict = self.house.book.admit(&entry).map_err(|e| e.to_string())?;
            assert_eq!(verdict, Verdict::Good);
            self.take(entry.to_canonical()?);
        }
        Ok(())
    }

    fn take(&mut self, bytes: Vec<u8>) {
        self.frontier.append(hash::leaf(&bytes));
        self.waiting.push(bytes);
    }

    async fn flush(&mut self) -> Done {
        let entries = std::mem::take(&mut self.waiting);
        let append = Append { expected_size: self.store.size(), entries, ..Append::default() };
        self.store.submit(append)?.done().await?;
        Ok(())
    }
}
