//! Runs seeds: `cargo run -p quorate-sim -- --seeds 0..1000`, or one of them again: `-- --seed 17 --trace`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command line, read once, in main"
)]

use std::process::ExitCode;

use quorate_sim::{Adversary, Report, run_seed};

const USAGE: &str = "quorate-sim [--seed N | --seeds A..B] [--adversary nobody|desk|cosigner|chain] [--trace] [--json]";

/// What the command line asks for.
struct Asked {
    seeds: std::ops::Range<u64>,
    adversaries: Vec<Adversary>,
    trace: bool,
    json: bool,
}

fn main() -> ExitCode {
    let Some(asked) = read(std::env::args().skip(1)) else {
        println!("usage: {USAGE}");
        return ExitCode::from(2);
    };
    let mut broken = 0_u32;
    let total = asked.seeds.end;
    for seed in asked.seeds.clone() {
        for adversary in &asked.adversaries {
            let report = run_seed(seed, *adversary, asked.trace);
            broken = broken.saturating_add(u32::from(report.broken.is_some()));
            tell(&report, *adversary, asked.json);
        }
        if !asked.json && seed.checked_rem(50) == Some(0) {
            println!("seed {seed} of {total}");
        }
    }
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(mut args: impl Iterator<Item = String>) -> Option<Asked> {
    let all = [Adversary::Nobody, Adversary::Desk, Adversary::Cosigner, Adversary::Chain];
    let mut asked = Asked { seeds: 0..100, adversaries: all.to_vec(), trace: false, json: false };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--trace" => asked.trace = true,
            "--json" => asked.json = true,
            "--seed" => {
                let seed: u64 = args.next()?.parse().ok()?;
                asked.seeds = seed..seed.checked_add(1)?;
            }
            "--seeds" => {
                let text = args.next()?;
                let (from, to) = text.split_once("..")?;
                asked.seeds = from.parse().ok()?..to.parse().ok()?;
            }
            "--adversary" => {
                let name = args.next()?;
                let named = |kind: &Adversary| format!("{kind:?}").to_lowercase() == name;
                asked.adversaries = vec![all.into_iter().find(named)?];
            }
            _ => return None,
        }
    }
    Some(asked)
}

fn tell(report: &Report, adversary: Adversary, json: bool) {
    if json {
        let line = serde_json::json!({
            "seed": report.seed, "adversary": format!("{adversary:?}").to_lowercase(), "broken": report.broken,
            "entries": report.entries, "settled": report.settled,
        });
        println!("{line}");
    } else if let Some(why) = &report.broken {
        println!("{}", report.explain(adversary, why));
    }
}
