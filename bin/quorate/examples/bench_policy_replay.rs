//! `policy_replay`: the last 90 days under a proposed policy, over a book of 100,000 cases that were all judged within them.
//!
//! The ledger is a real one: transfers that were filed, judged, drafted, signed, broadcast and settled. The baseline is a bare
//! fold of the same ledger, which a replay cannot do without. Both read the same pages of the same file as a desk does, one
//! after the other, so that a busy machine slows both. A number as its argument asks for a book of so many cases.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its rows, and may end at the first surprise"
)]

#[path = "../../../crates/custody/tests/house/mod.rs"]
mod house;
#[expect(dead_code, reason = "no snapshot is kept: a replay begins with the founding")]
mod ledger;
#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::path::Path;
use std::time::{Duration, Instant};

use ledger::{Done, Ledger, founding};
use quorate_custody::replay::Report;
use quorate_custody::{Book, Replay};
use quorate_host::store::Store;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::Entry;
use quorate_terms::policy::{CedarRule, PolicyDocument};
use quorate_terms::{Term as _, Timestamp};

use row::Measured;

const CASES: u64 = 100_000;
/// Filed, judged, drafted, marked or signed, published, settled: what a transfer leaves behind.
const ENTRIES_EACH: u64 = 7;
/// 100,000 of them within 90 days.
const PACE: (u64, u64) = (75, 1);
const DAYS: u64 = 90;
/// Entries that are read at a time, as the desk reads them.
const PAGE: u64 = 1_000;
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() -> Done {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))?;
    let path = folder.path().join("ledger.db");
    let founding = founding();
    let cases = std::env::args().nth(1).map_or(Ok(CASES), |number| number.parse())?;
    let begun = Instant::now();
    let now = write(&path, founding.clone(), cases).await?;
    let store = Store::open(&path).await?;
    eprintln!("a ledger of {} entries in {:?}", store.size(), begun.elapsed());
    let window = (now.minus_s(DAYS * 86_400), now);
    let other = proposed(&founding)?;
    let (mut bare, mut replayed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(fold(&store, founding.clone()).await?);
        let (taken, report) = replay(&store, founding.clone(), &other, window).await?;
        assert!(report.cases >= cases && report.size == store.size(), "{} cases", report.cases);
        assert!(report.stricter > 0 && report.looser == 0, "{report:?}");
        replayed.push(taken);
    }
    store.close().await;
    bare.sort();
    replayed.sort();
    let (bare, replayed) = (bare[ROUNDS / 2].as_secs_f64(), replayed[ROUNDS / 2].as_secs_f64());
    let rows = [Measured::new(
        "policy_replay",
        (replayed, "s"),
        Some(bare),
        ("<= 2x a bare fold", &|_, ratio| ratio <= 2.0),
        u64::try_from(ROUNDS)?,
    )];
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

/// Writes the ledger; gives the time of its last entry.
async fn write(path: &Path, text: CharterText, cases: u64) -> Done<Timestamp> {
    let mut ledger = Ledger::founded(path, text).await?;
    let first = ledger.house.book.size();
    ledger.grow(first + cases * ENTRIES_EACH, PACE).await?;
    ledger.store.close().await;
    Ok(ledger.house.book.last_at())
}

/// Nothing between midnight and eight: a third of the cases go another way.
fn proposed(founding: &CharterText) -> Done<PolicyDocument> {
    let mut other = founding.policy.clone();
    let text = "forbid (principal is Agent, action, resource) when { context.hour < 8 };";
    other.rules.push(CedarRule { id: "nights".parse()?, text: text.to_owned() });
    Ok(other)
}

async fn fold(store: &Store, founding: CharterText) -> Done<Duration> {
    let begun = Instant::now();
    let mut book = Book::new(founding).map_err(|e| e.to_string())?;
    let mut next = 0;
    loop {
        let page = store.read(next, PAGE).await?;
        if page.is_empty() {
            break;
        }
        next += u64::try_from(page.len())?;
        for bytes in &page {
            book.admit(&Entry::from_canonical(bytes)?).map_err(|e| e.to_string())?;
        }
    }
    assert_eq!(book.size(), store.size());
    Ok(begun.elapsed())
}

async fn replay(
    store: &Store,
    founding: CharterText,
    other: &PolicyDocument,
    window: (Timestamp, Timestamp),
) -> Done<(Duration, Report)> {
    let begun = Instant::now();
    let mut replay = Replay::new(founding, other, window).map_err(|e| e.to_string())?;
    let mut next = 0;
    loop {
        let page = store.read(next, PAGE).await?;
        if page.is_empty() {
            break;
        }
        next += u64::try_from(page.len())?;
        for bytes in &page {
            replay.take(&Entry::from_canonical(bytes)?).map_err(|e| e.to_string())?;
        }
    }
    Ok((begun.elapsed(), replay.report()))
}
