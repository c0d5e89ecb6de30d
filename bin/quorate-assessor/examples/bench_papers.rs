//! `mark_verify`, `pack_verify`: what a stranger waits for, by the shipped verifier in a process of its own.
//!
//! A mark is verified from files, offline, with its register's proof, its witness and a fresh status list; the baseline is the
//! start of the same program for its version. A pack is of a book of a hundred thousand entries with a thousand keys under
//! assessment, as many of them cited as a finding cites; the baseline is the making of that pack.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench reads a clock, prints its rows, and may end at the first surprise"
)]
#![expect(dead_code, reason = "helpers of tests, of which a bench uses a part")]

#[path = "../tests/marks/hands.rs"]
mod hands;
#[path = "../tests/audit/no.rs"]
mod no;
#[path = "../../../xtask/src/bench/row.rs"]
mod row;
#[path = "../tests/office/said.rs"]
mod said;
#[path = "../tests/office/vault.rs"]
mod vault;

use std::process::Command;
use std::time::{Duration, Instant};

use hands::Office;
use row::Measured;
use vault::Vault;

const MARKS: u64 = 50;
const PACKS: u64 = 5;
const KEYS: u64 = 1_000;
/// Entries between one key and the next.
const BETWEEN: u64 = 99;

fn main() {
    let rows = [mark(), pack()];
    println!("{}", row::as_json(&rows).unwrap());
}

fn mark() -> Measured {
    let office = Office::marked();
    let path = |name: &str| office.path(name).display().to_string();
    let words = [path("mark.json"), path("policy.json"), path("status.json")];
    let words = ["mark", &words[0], "--policy", &words[1], "--status", &words[2]];
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..MARKS {
        ours.push(timed(|| assert_eq!(office.verify(&words).0, 0)));
        let version = || Command::new(hands::verifier()).arg("--version").output().unwrap();
        bare.push(timed(|| assert!(version().status.success())));
    }
    let ms = |times| median(times).as_secs_f64() * 1000.0;
    let met = |value: f64, _: f64| value < 20.0;
    let bare = Some(ms(bare));
    Measured::new("mark_verify", (ms(ours), "ms"), bare, ("< 20 ms", &met), MARKS)
}

fn pack() -> Measured {
    let mut vault = Vault::founded_ago("large", 2 * KEYS * (BETWEEN + 1));
    for number in 0..KEYS {
        vault.add_key(&format!("wallet-{number}"), "dkg");
        (0..BETWEEN).for_each(|_| vault.add_noise());
    }
    let office = Office::over(&vault);
    let path = |name: &str| office.path(name).display().to_string();
    office.assessor(&["assess", "wd 0.1.0"]);
    let (out, policy) = (path("evidence.pack"), path("vault.policy.json"));
    let (mut ours, mut making, mut key) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..PACKS {
        let _first_time = std::fs::remove_file(&out);
        making.push(timed(|| {
            let made = office.assessor(&["pack", "--out", &out]);
            key = made["office"].as_str().unwrap().to_owned();
        }));
        let words = ["pack", &out, "--office", &key, "--policy", &policy];
        ours.push(timed(|| {
            let (code, said) = office.verify(&words);
            assert!(code == 0 && said.contains("cited entries included"), "{said}");
            assert!(!said.contains(" 0 cited entries"), "a pack that cites nothing proves nothing");
        }));
    }
    let (ours, making) = (median(ours).as_secs_f64(), median(making).as_secs_f64());
    let met = |value: f64, _: f64| value < 10.0;
    Measured::new("pack_verify", (ours, "s"), Some(making), ("< 10 s", &met), PACKS)
}

fn timed(run: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    run();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
