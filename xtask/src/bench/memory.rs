//! `idle_memory`: what each process of a founded house holds in memory when nothing happens.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::row::Measured;
use crate::Done;
use crate::process::Process;
use crate::run;
use crate::stage::{COSIGNERS, Stage};

const MIB_MAX: f64 = 60.0;
/// Founding and key generation are over; what was needed for them alone may be given back.
const REST: Duration = Duration::from_secs(5);

/// Founds a vault with a wallet, on optimised binaries, and looks at every process.
pub(super) fn idle_memory() -> Done<Vec<Measured>> {
    let stage = super::stage("target/memory")?;
    std::thread::sleep(REST);
    let mut rows = Vec::new();
    for who in ["desk", "source"].into_iter().chain(COSIGNERS) {
        let pid = stage.pid(who).ok_or_else(|| format!("`{who}` does not run"))?;
        rows.push(row(who, mib(pid, "VmRSS:")?));
    }
    rows.push(row("verify", verifier(&stage)?));
    Ok(rows)
}

fn row(who: &str, mib: f64) -> Measured {
    let name = format!("idle_memory_{who}");
    Measured::new(&name, (mib, "MiB"), None, ("< 60 MiB", &|mib, _| mib < MIB_MAX), 1)
}

/// A field of the kernel's account of a process, in MiB.
fn mib(pid: u32, field: &str) -> Done<f64> {
    let text = run::read(Path::new(&format!("/proc/{pid}/status")))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("the kernel does not tell {field} of {pid}"))
}

/// The most that the verifier has held once it has read every entry; it waits for the end of a pipe, so it can be seen.
fn verifier(stage: &Stage) -> Done<f64> {
    let (book, note) = (stage.at("receipts/ledger.jsonl"), stage.at("receipts/checkpoint"));
    stage.desk(&["ledger", "export", "--out", &book, "--checkpoint-out", &note])?;
    let pipe = stage.at("receipts/pipe");
    run::text(&mut run::command("mkfifo", &[&pipe]))?;
    let policy = stage.at("desk/verify.json");
    let words = ["ledger", &pipe, "--checkpoint", &note, "--policy", &policy, "--deep"];
    let mut command = run::command(stage.programs.path("quorate-verify"), &words);
    let log = stage.room.join("logs/verify.log");
    let mut process = Process::start("quorate-verify", command.stdin(Stdio::null()), &log)?;
    let trouble = |e: std::io::Error| format!("{pipe}: {e}");
    let mut writer = OpenOptions::new().write(true).open(&pipe).map_err(trouble)?;
    writer.write_all(&fs::read(&book).map_err(trouble)?).map_err(trouble)?;
    std::thread::sleep(Duration::from_secs(1));
    process.alive()?;
    mib(process.pid(), "VmHWM:")
}
