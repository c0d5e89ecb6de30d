//! Reports of the auditor's office through the real Typst compiler: a tagged PDF in time, the same bytes again, and a plain
//! answer where there is no compiler.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Done;
use crate::check::Verdict;
use crate::demo;
use crate::house;
use crate::run;
use crate::say;
use crate::tools;

/// What a full report may take, of a build for tests on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(20);
const KINDS: [&str; 4] = ["readiness", "wss", "regulators", "gaps"];

/// Writes every report of the office that the demo's walk leaves behind, in every form.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let typst = tools::typst()?.display().to_string();
    let room = demo::fresh(&house::root().join("target/reports"))?;
    run::shown(&mut run::cargo(&["build", "--locked", "--quiet", "-p", "quorate-assessor-bin"]))?;
    let walked = house::root().join("target/walk/auditor");
    if !walked.join("office.db").is_file() {
        demo::walk()?;
    }
    let office = Office { room: &room, dir: walked };
    for standard in ["ccss 9.0", "wd 0.1.0"] {
        // Exit code 1 where there are gaps; without results the reports below say so.
        run::kept(&mut office.command(&["assess", standard]))?;
    }
    let mut told = 0_usize;
    for kind in KINDS {
        let pdf = |name: &str| office.report(kind, "pdf", name, &typst);
        let begun = Instant::now();
        let (one, other) = (pdf("1.pdf")?, pdf("2.pdf")?);
        let took = begun.elapsed().checked_div(2).unwrap_or_default();
        if one != other {
            return Err(format!("{kind}: the same record gave two different files"));
        }
        if !one.starts_with(b"%PDF-1.7") || !holds(&one, b"/MarkInfo") {
            return Err(format!("{kind}: this is no tagged PDF"));
        }
        if took > TIME_MAX {
            return Err(format!("{kind}: a PDF took {took:?}"));
        }
        for form in ["html", "csv", "fields-json", "fields-csv", "typst"] {
            if office.report(kind, form, form, &typst)?.is_empty() {
                return Err(format!("{kind}: an empty {form}"));
            }
        }
        say::line(format!("reports: {kind}, {} bytes in {}", one.len(), say::lasted(took)));
        told = told.saturating_add(1);
    }
    let none = office.report("gaps", "pdf", "none.pdf", "/nowhere/typst");
    match none {
        Err(why) if why.contains("cargo xtask tools typst") => {
            Ok(Verdict::Passed(told.saturating_add(1)))
        }
        Err(why) => Err(format!("without a compiler it says something else: {why}")),
        Ok(_) => Err("there was a PDF without a compiler".to_owned()),
    }
}

struct Office<'a> {
    room: &'a Path,
    dir: PathBuf,
}

impl Office<'_> {
    fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = run::command(house::root().join("target/debug/quorate-assessor"), &[]);
        command.arg("--dir").arg(&self.dir);
        command.arg("--standards").arg(house::root().join("standards")).args(words);
        command
    }

    fn asked(&self, words: &[&str]) -> Done<String> {
        run::text(&mut self.command(words))
    }

    fn report(&self, kind: &str, form: &str, name: &str, typst: &str) -> Done<Vec<u8>> {
        let path = self.room.join(format!("{kind}-{name}"));
        let out = path.display().to_string();
        self.asked(&["report", kind, "--format", form, "--out", &out, "--typst", typst])?;
        std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
