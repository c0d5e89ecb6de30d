//! `sign_throughput`: eight signatures at a time, from filed intent to durable and verified, between two real cosigner
//! processes over mutual TLS on loopback.
//!
//! The baseline is taken in turn with it on the same cores: the bare protocol of two pairs, one thread each. It writes
//! nothing and says nothing to anybody.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench prints its rows, and may end at the first surprise"
)]

#[expect(dead_code, reason = "only the other bench writes beside the house")]
mod desk;
#[path = "../tests/house/mod.rs"]
mod house;
#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::{Desk, Done, Raw};
use row::Measured;

const AT_A_TIME: u32 = 8;
const PAIRS: usize = 2;
/// Rounds of both, one after the other.
const ROUNDS: usize = 5;
/// Signatures of each of the eight in one round.
const EACH: u32 = 25;
const RAW_FOR: Duration = Duration::from_secs(2);
const SHARE_MIN: f64 = 0.6;

#[tokio::main]
async fn main() -> Done {
    let desk = Arc::new(Desk::open().await?);
    let mut pairs = (0..PAIRS).map(|_| Raw::deal()).collect::<Done<Vec<_>>>()?;
    together(&desk, 2).await?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(together(&desk, EACH).await?);
        bare.push(tokio::task::block_in_place(|| raw(&mut pairs))?);
    }
    let (ours, bare) = (median(ours), median(bare));
    let n = u64::from(AT_A_TIME * EACH) * u64::try_from(ROUNDS)?;
    let met = |_: f64, ratio: f64| ratio >= SHARE_MIN;
    let row =
        Measured::new("sign_throughput", (ours, "signatures/s"), Some(bare), (">= 0.6x", &met), n);
    println!("{}", row::as_json(&[row])?);
    Ok(())
}

async fn together(desk: &Arc<Desk>, each: u32) -> Done<f64> {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..AT_A_TIME)
        .map(|_| {
            let desk = Arc::clone(desk);
            tokio::spawn(async move {
                for _ in 0..each {
                    desk.sign().await?;
                }
                Done::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(f64::from(AT_A_TIME * each) / begun.elapsed().as_secs_f64())
}

/// Each pair signs on a thread of its own until the time is over.
fn raw(pairs: &mut [Raw]) -> Done<f64> {
    let begun = Instant::now();
    let counted: Done<Vec<u32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = pairs
            .iter_mut()
            .map(|pair| {
                scope.spawn(move || -> Done<u32> {
                    let mut count = 0;
                    while begun.elapsed() < RAW_FOR {
                        pair.sign()?;
                        count += 1;
                    }
                    Ok(count)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    Ok(f64::from(counted?.iter().sum::<u32>()) / begun.elapsed().as_secs_f64())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
