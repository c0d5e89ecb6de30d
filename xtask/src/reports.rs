//! Reports of the auditor's office through the real Typst compiler: a tagged PDF in time, the same bytes again, and a plain
//! answer where there is no compiler.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Done;
use crate::check::Verdict;
use crate::demo;
use crate::house;
use crate::say;
use crate::stage::{Office, Programs};
use crate::tools;

/// What a full report may take, of a build for tests on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(20);
const KINDS: [&str; 4] = ["readiness", "wss", "regulators", "gaps"];

/// Writes every report of the office that the demo's walk leaves behind, in every form.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let typst = tools::typst()?.display().to_string();
    let room = demo::fresh(&house::root().join("target/reports"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let office = demo::walked(&programs, room.join("walked").display().to_string())?;
    for standard in ["ccss 9.0", "wd 0.1.0"] {
        office.assess(standard, &[])?;
    }
    let write = |kind: &str, form: &str, name: &str, typst: &str| {
        report(&office, kind, form, &room.join(format!("{kind}-{name}")), typst)
    };
    let mut told = 0_usize;
    for kind in KINDS {
        let pdf = |name: &str| write(kind, "pdf", name, &typst);
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
            if write(kind, form, form, &typst)?.is_empty() {
                return Err(format!("{kind}: an empty {form}"));
            }
        }
        say::line(format!("reports: {kind}, {} bytes in {}", one.len(), say::lasted(took)));
        told = told.saturating_add(1);
    }
    let none = write("gaps", "pdf", "none.pdf", "/nowhere/typst");
    match none {
        Err(why) if why.contains("cargo xtask tools typst") => {
            Ok(Verdict::Passed(told.saturating_add(1)))
        }
        Err(why) => Err(format!("without a compiler it says something else: {why}")),
        Ok(_) => Err("there was a PDF without a compiler".to_owned()),
    }
}

/// Writes one report, and gives its bytes.
fn report(office: &Office<'_>, kind: &str, form: &str, to: &Path, typst: &str) -> Done<Vec<u8>> {
    let out = to.display().to_string();
    let words = ["report", kind, "--format", form, "--out", &out, "--typst", typst];
    office.run(&words)?.exited(0)?;
    std::fs::read(to).map_err(|e| format!("{out}: {e}"))
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
