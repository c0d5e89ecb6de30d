//! `verify_million`: hashes, chain and tree of a million entries, as `quorate-verify ledger` reads them.
//!
//! The entries have the size of real ones (770 bytes on average in the story of `cargo xtask demo`). They are made a
//! page at a time between measurements, because a reader has no more than a page in memory either; only the verifier is
//! timed. The baseline is one core hashing the same bytes twice, the work that no verifier of leaf and chain can avoid.
#![expect(clippy::print_stdout, reason = "a bench prints its rows and nothing else")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads a clock and computes ratios; no money is weighed here"
)]

#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use quorate_ledger::chain::entry_digest;
use quorate_ledger::{BookVerifier, Checkpoint, Frontier, Prepared, hash};
use quorate_terms::Digest;

use row::Measured;

const ENTRIES: u64 = 1_000_000;
const PAGE: u64 = 4096;
const VAULT: &str = "house";

fn main() -> Result<(), Box<dyn Error>> {
    let mut verifier = BookVerifier::new(VAULT);
    let mut frontier = Frontier::new();
    let mut writer = Writer { next: 0, prev: Digest::ZERO };
    let (mut taken, mut hashing, mut bytes) = (Duration::ZERO, Duration::ZERO, 0_usize);
    while writer.next < ENTRIES {
        let page = writer.page(PAGE.min(ENTRIES.saturating_sub(writer.next)));
        for entry in &page {
            frontier.append(hash::leaf(entry));
            bytes = bytes.saturating_add(entry.len());
        }
        let begun = Instant::now();
        prepare(&page).into_iter().try_for_each(|entry| verifier.take(entry))?;
        taken = taken.saturating_add(begun.elapsed());
        let begun = Instant::now();
        for entry in &page {
            black_box(hash::leaf(black_box(entry)));
            black_box(entry_digest(black_box(entry)));
        }
        hashing = hashing.saturating_add(begun.elapsed());
    }
    let checkpoint =
        Checkpoint { origin: "bench".to_owned(), size: ENTRIES, root: frontier.root() };
    let begun = Instant::now();
    let chain = verifier.finish(&checkpoint)?;
    taken = taken.saturating_add(begun.elapsed());
    if chain.next() != ENTRIES || bytes < 500_000_000 {
        return Err("the entries were not all read, or were smaller than real ones".into());
    }
    let rows = [Measured::new(
        "verify_million",
        (taken.as_secs_f64(), "s"),
        Some(hashing.as_secs_f64()),
        ("< 10 s", &|seconds, _| seconds < 10.0),
        ENTRIES,
    )];
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

/// Every core takes its part of a page, as in `quorate-verify`.
fn prepare(page: &[Vec<u8>]) -> Vec<Prepared<'_>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let part = page.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = page
            .chunks(part)
            .map(|part| {
                scope.spawn(move || part.iter().map(|e| Prepared::of(e)).collect::<Vec<_>>())
            })
            .collect();
        parts.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

struct Writer {
    next: u64,
    prev: Digest,
}

impl Writer {
    fn page(&mut self, count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.entry()).collect()
    }

    /// An entry in the form of a real `Filed`: the fields nest and need reading over.
    fn entry(&mut self) -> Vec<u8> {
        let (index, prev) = (self.next, self.prev);
        let at = index.saturating_add(1_767_787_200_000);
        let entry = format!(
            concat!(
                r#"{{"at":{at},"body":{{"Filed":{{"case":"{prev}","channel":"mcp","intent":{{"action":{{"amount":"{index}","#,
                r#""asset":"eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7","fee_ceiling":"3000000000000000","#,
                r#""kind":"transfer","memo":"invoice 2026-0117, the second half of the retainer for June","to":"eip155:1:0xab5801a7d398351b8be11c439e05c5b3259aec9b","wallet":"hot"}},"#,
                r#""key":"key-{index}","requester":{{"agent":"trader","credential":"trader-1","kind":"agent"}},"v":1,"vault":"house"}},"#,
                r#""intent_digest":"{prev}"}}}},"index":{index},"prev":"{prev}","rules":"quorate-rules/1","v":1,"vault":"house"}}"#
            ),
            at = at,
            prev = prev,
            index = index,
        )
        .into_bytes();
        self.next = index.saturating_add(1);
        self.prev = entry_digest(&entry);
        entry
    }
}
