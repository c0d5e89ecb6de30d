//! `cargo xtask bench`: measurements against their targets, as a table or as JSON.
//!
//! Any example named `bench_*` in a crate or binary is a bench: built for release, it prints a JSON array of rows and
//! nothing else on standard output. Here the rows are gathered; what needs the whole workspace is measured here.

mod memory;
mod paint;
mod row;

use std::path::Path;
use std::time::Instant;

use self::row::Measured;
use crate::Done;
use crate::demo::fresh;
use crate::golden::packages_with_example;
use crate::house;
use crate::run;
use crate::say::{self, Colour};
use crate::stage::{Node, Programs, Stage};
use crate::tidy::packages;

const COLD_BUILD_S_MAX: f64 = 20.0 * 60.0;
const BINARIES: [&str; 5] = [
    "quorate",
    "quorate-cosigner-bin",
    "quorate-approvals",
    "quorate-verify",
    "quorate-assessor-bin",
];

/// Runs the benches that the flags ask for.
pub(crate) fn bench(flags: &[&str]) -> Done {
    let (mut json, mut is_checked, mut only) = (false, false, None);
    let mut words = flags.iter();
    while let Some(word) = words.next() {
        match *word {
            "--json" => json = true,
            "--check" => is_checked = true,
            "--only" => only = Some(*words.next().ok_or("`--only` needs the name of a bench")?),
            other => {
                let flags = "`--json`, `--check` and `--only NAME`";
                return Err(format!("`{other}`: there are {flags}"));
            }
        }
    }
    let rows = measure(only)?;
    if rows.is_empty() {
        return Err(format!(
            "no bench `{}`; there are {}",
            only.unwrap_or(""),
            names()?.join(", ")
        ));
    }
    if json {
        say::line(row::as_json(&rows).map_err(|e| e.to_string())?);
    } else {
        table(&rows);
    }
    if is_checked { all_met(&rows) } else { Ok(()) }
}

/// Names the rows that missed their targets.
fn all_met(rows: &[Measured]) -> Done {
    let missed = rows.iter().filter(|row| !row.met);
    let words: Vec<String> = missed
        .map(|row| {
            let ratio = row.ratio.map(|ratio| format!(", {ratio:.3}x")).unwrap_or_default();
            format!("{}: {:.3} {}{ratio}, and not {}", row.name, row.value, row.unit, row.target)
        })
        .collect();
    match words.as_slice() {
        [] => Ok(()),
        words => Err(format!("missed their targets: {}", words.join("; "))),
    }
}

fn names() -> Done<Vec<String>> {
    let mut names =
        ["cold_build", "packages", "idle_memory", "first_paint"].map(str::to_owned).to_vec();
    for (_, example) in packages_with_example(|name| name.starts_with("bench_"))? {
        names.push(example.trim_start_matches("bench_").to_owned());
    }
    Ok(names)
}

fn measure(only: Option<&str>) -> Done<Vec<Measured>> {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut rows = Vec::new();
    for (package, example) in packages_with_example(|name| name.starts_with("bench_"))? {
        if wanted(example.trim_start_matches("bench_")) {
            rows.extend(example_rows(&package, &example)?);
        }
    }
    if wanted("idle_memory") {
        build_binaries()?;
        rows.extend(memory::idle_memory()?);
    }
    if wanted("first_paint") {
        build_binaries()?;
        rows.push(paint::first_paint()?);
    }
    if wanted("packages") {
        rows.extend(package_rows()?);
    }
    if wanted("cold_build") {
        rows.push(cold_build()?);
    }
    Ok(rows)
}

fn example_rows(package: &str, example: &str) -> Done<Vec<Measured>> {
    // A bench of processes starts the binary that lies one folder above it, which cargo does not build for an example.
    if BINARIES.contains(&package) {
        let wanted = ["build", "--release", "--quiet", "--locked", "--bins", "-p", package];
        run::text(&mut run::cargo(&wanted))?;
    }
    let wanted = ["run", "--release", "--quiet", "--locked", "-p", package, "--example", example];
    let text = run::text(&mut run::cargo(&wanted))?;
    read_rows(&text).map_err(|e| format!("{package}, {example}: {e}"))
}

/// A founded vault with a wallet, on optimised binaries.
fn stage(room: &str) -> Done<Stage> {
    let room = fresh(&house::root().join(room))?;
    let programs = Programs::released(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let mut stage = Stage::set(&room, programs, node)?;
    stage.found()?;
    stage.start_all()?;
    stage.open_wallet()?;
    Ok(stage)
}

fn build_binaries() -> Done {
    let mut build = run::cargo(&["build", "--release", "--quiet", "--locked", "--bins"]);
    build.args(BINARIES.iter().flat_map(|binary| ["-p", binary]));
    run::text(&mut build).map(drop)
}

fn read_rows(text: &str) -> Done<Vec<Measured>> {
    let rows: Vec<Measured> =
        serde_json::from_str(text.trim()).map_err(|e| format!("rows cannot be read ({e})"))?;
    match rows.iter().find(|row| row.n == 0 || !row.value.is_finite()) {
        Some(row) => Err(format!("`{}` measured nothing", row.name)),
        None => Ok(rows),
    }
}

fn package_rows() -> Done<Vec<Measured>> {
    let row = |(package, count, under): (String, usize, usize)| {
        let name = format!("packages_{package}");
        let value = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        Measured::new(
            &name,
            (value, "packages"),
            None,
            (&format!("< {under}"), &|_, _| count < under),
            1,
        )
    };
    Ok(packages()?.into_iter().map(row).collect())
}

/// All binaries, optimised as shipped, into an empty folder. The baseline is the work itself, spread over two cores that
/// have nothing else to do, so that a ratio far above one tells of a busy machine.
fn cold_build() -> Done<Measured> {
    let folder = house::root().join("target/cold");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut command = run::cargo(&["build", "--release", "--locked", "--quiet"]);
    command.args(BINARIES.iter().flat_map(|binary| ["-p", binary]));
    command.env("CARGO_TARGET_DIR", &folder);
    let (begun, before) = (Instant::now(), work_of_children()?);
    run::text(&mut command)?;
    let seconds = begun.elapsed().as_secs_f64();
    let on_two_cores = (work_of_children()? - before) / 2.0;
    std::fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let target = format!("< {COLD_BUILD_S_MAX} s on two cores");
    let is_met = |seconds, _| seconds < COLD_BUILD_S_MAX;
    let baseline = Some(on_two_cores);
    Ok(Measured::new("cold_build", (seconds, "s"), baseline, (&target, &is_met), 1))
}

/// Seconds of one core that the children of this process, and theirs, have used and been waited for: fields 16 and 17 of
/// `/proc/self/stat`, in hundredths of a second (proc_pid_stat(5)).
fn work_of_children() -> Done<f64> {
    let text = run::read(Path::new("/proc/self/stat"))?;
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = |place| after_name.split_whitespace().nth(place)?.parse::<f64>().ok();
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err("the kernel does not tell what the build used".to_owned()),
    }
}

fn table(rows: &[Measured]) {
    let head = ["bench", "value", "unit", "baseline", "ratio", "target", "met", "n"];
    let [name, value, unit, baseline, ratio, target, met, n] = head;
    say::line(format!(
        "{name:<34} {value:>14} {unit:<12} {baseline:>12} {ratio:>8}  {target:<24} {met:<4} {n:>8}"
    ));
    for row in rows {
        let (met, colour) = if row.met { ("yes", Colour::Green) } else { ("NO", Colour::Red) };
        let shown =
            |number: Option<f64>| number.map_or_else(|| "-".to_owned(), |x| format!("{x:.3}"));
        say::line(format!(
            "{:<34} {:>14.3} {:<12} {:>12} {:>8}  {:<24} {} {:>8}",
            row.name,
            row.value,
            row.unit,
            shown(row.baseline),
            shown(row.ratio),
            row.target,
            say::paint(colour, &format!("{met:<4}")),
            row.n
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"[{"name":"x","value":1.5,"unit":"ms","baseline":1.0,"ratio":1.5,"target":"<= 1.5x","met":true,"n":N}]"#;

    #[test]
    fn rows_of_a_bench_are_read_and_an_empty_measurement_is_refused() {
        assert_eq!(read_rows(&ROW.replace('N', "10")).unwrap().len(), 1);
        assert!(read_rows(&ROW.replace('N', "0")).is_err());
        assert!(read_rows("[{}]").is_err());
        assert!(read_rows("a greeting\n[]").is_err());
    }

    #[test]
    fn a_row_that_missed_its_target_is_named_and_no_other() {
        let row = |name: &str, value: f64| {
            Measured::new(name, (value, "us"), Some(1.0), ("< 2x", &|_, ratio| ratio < 2.0), 9)
        };
        assert!(all_met(&[row("good", 1.9), row("better", 0.5)]).is_ok());
        let why = all_met(&[row("good", 1.9), row("bad", 2.0)]).unwrap_err();
        assert!(why.contains("bad: 2.000 us, 2.000x, and not < 2x"), "{why}");
        assert!(!why.contains("good"), "{why}");
    }
}
