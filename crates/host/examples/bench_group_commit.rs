//! `group_commit`: entries a second when 32 writers share commits, over one commit for each entry in the same run.
//!
//! Both stores lie on the same disk, beside this build, and both keep every promise: WAL, `synchronous=FULL`, hashes and
//! tiles in the same transaction. The 32 writers are as a desk has them: they hand their entry to the one who
//! numbers it and wait until it is durable before they come with the next.
#![expect(
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a bench prints its rows and nothing else; it counts far below 2^52"
)]

#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quorate_host::Store;
use quorate_host::store::{Append, AppendError, Ticket};

use row::Measured;

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const WRITERS: usize = 32;
const TIMES_MIN: f64 = 20.0;
const PER_SECOND_MIN: f64 = 20_000.0;
/// Rounds of both, one after the other, so that a slow disk slows both.
const ROUNDS: u32 = 5;
const ROUND: Duration = Duration::from_millis(1500);

#[tokio::main]
async fn main() -> Done {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))?;
    let alone = Store::open(&folder.path().join("alone.db")).await?;
    let shared = Arc::new(Desk::open(&folder.path().join("shared.db")).await?);
    let (mut single, mut grouped, mut n) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        single.push(one_by_one(&alone).await?);
        let (rate, entries) = together(&shared).await?;
        grouped.push(rate);
        n += entries;
    }
    let (single, grouped) = (median(single), median(grouped));
    let met = |rate: f64, ratio: f64| ratio >= TIMES_MIN || rate >= PER_SECOND_MIN;
    let rows = [Measured::new(
        "group_commit",
        (grouped, "entries/s"),
        Some(single),
        (">= 20x or >= 20000/s", &met),
        n,
    )];
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// Of the size of a real entry.
fn entry(number: u64) -> Vec<u8> {
    format!(r#"{{"body":"{}","index":{number:020}}}"#, "x".repeat(600)).into_bytes()
}

async fn one_by_one(store: &Store) -> Done<f64> {
    let (begun, first) = (Instant::now(), store.size());
    while begun.elapsed() < ROUND {
        let size = store.size();
        store.append(size, vec![entry(size)]).await?;
    }
    Ok(rate(store.size() - first, begun))
}

/// Numbers entries in the order in which they come, as the desk's one writer does.
struct Desk {
    store: Store,
    next: Mutex<u64>,
}

impl Desk {
    async fn open(path: &Path) -> Done<Self> {
        let store = Store::open(path).await?;
        let next = Mutex::new(store.size());
        Ok(Self { store, next })
    }

    fn submit(&self) -> Result<Ticket, AppendError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let append =
            Append { expected_size: *next, entries: vec![entry(*next)], ..Append::default() };
        let ticket = self.store.submit(append)?;
        *next += 1;
        Ok(ticket)
    }
}

async fn together(desk: &Arc<Desk>) -> Done<(f64, u64)> {
    let (begun, first) = (Instant::now(), desk.store.size());
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let desk = Arc::clone(desk);
            tokio::spawn(async move {
                while begun.elapsed() < ROUND {
                    desk.submit()?.done().await?;
                }
                Ok::<(), AppendError>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    let entries = desk.store.size() - first;
    Ok((rate(entries, begun), entries))
}

#[expect(clippy::cast_precision_loss, reason = "counts of a bench are far below 2^52")]
fn rate(count: u64, begun: Instant) -> f64 {
    count as f64 / begun.elapsed().as_secs_f64()
}
