//! The whole house on one thread, with seeded faults (development only; no product links it).
//!
//! The desk is the product's `Book` on a disk, the cosigners are the product's `Party` machines; clocks, wires, disks, the
//! chain and the people are simulated. One seed gives one history. `quorate-sim --seed N --trace` tells it again.
//!
//! Reading order: chance and people, the stand-in scheme, the chain, one story of the book, a cosigner's machine, what must
//! never happen, the desk's host, the people, the liars, the world, and last a run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test bench: whatever surprises it must stop it, with the seed on the screen"
)]

pub mod people;
pub mod rng;

pub mod chain;
pub mod line;
pub mod scheme;
pub mod seat;
pub mod watch;

pub mod desk;
pub mod folk;
pub mod junk;
pub mod lies;
pub mod world;

pub mod run;

pub use run::{Report, founded, run_seed};
pub use world::{Adversary, World};

/// The kind of an entry, in one word.
pub fn kind(body: &quorate_terms::entry::Body) -> String {
    use std::fmt::Write as _;
    let mut word = Word(String::new());
    // It stops after the first word, and says so as an error.
    let _ = write!(word, "{body:?}");
    word.0
}

struct Word(String);

impl std::fmt::Write for Word {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
        self.0.push_str(text.get(..end).unwrap_or_default());
        if end == text.len() { Ok(()) } else { Err(std::fmt::Error) }
    }
}

#[expect(clippy::print_stderr, reason = "--trace is for the screen")]
pub(crate) fn show(line: &str) {
    eprintln!("{line}");
}
