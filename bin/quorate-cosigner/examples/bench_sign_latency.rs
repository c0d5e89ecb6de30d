//! `sign_latency`: one signature at a time, from filed intent to durable and verified, between two real cosigner
//! processes over mutual TLS on loopback.
//!
//! The baseline is taken in turn with it: the bare protocol of both parties on one thread, and three bare 4 KiB appends
//! with fsync on the same disk, one for each record that must be durable (judged, the cosigner's mark, signed).
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench prints its rows, and may end at the first surprise"
)]

mod desk;
#[path = "../tests/house/mod.rs"]
mod house;
#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use desk::{Desk, Done, Raw};
use row::Measured;

const WARM: usize = 10;
const ROUNDS: u32 = 200;
const TIMES_MAX: f64 = 1.5;

#[tokio::main]
async fn main() -> Done {
    let desk = Desk::open().await?;
    let mut raw = Raw::deal()?;
    let mut disk = File::create(desk.room().join("bare"))?;
    for _ in 0..WARM {
        desk.sign().await?;
        raw.sign()?;
    }
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(desk.sign().await?);
        bare.push(baseline(&mut raw, &mut disk)?);
    }
    let met = |_: f64, ratio: f64| ratio <= TIMES_MAX;
    let n = u64::from(ROUNDS);
    let (p50, p99) = (part(&mut ours, 50), part(&mut ours, 99));
    let (bare_p50, bare_p99) = (part(&mut bare, 50), part(&mut bare, 99));
    let rows = [
        Measured::new("sign_latency", (p50, "ms p50"), Some(bare_p50), ("<= 1.5x", &met), n),
        Measured::new(
            "sign_latency_p99",
            (p99, "ms p99"),
            Some(bare_p99),
            ("told, not judged", &|_, _| true),
            n,
        ),
    ];
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

fn baseline(raw: &mut Raw, disk: &mut File) -> Done<Duration> {
    let begun = Instant::now();
    raw.sign()?;
    for _ in 0..3 {
        disk.write_all(&[7; 4096])?;
        disk.sync_all()?;
    }
    Ok(begun.elapsed())
}

fn part(taken: &mut [Duration], percent: usize) -> f64 {
    taken.sort();
    taken[(taken.len() * percent / 100).min(taken.len() - 1)].as_secs_f64() * 1000.0
}
