//! The pages of auditors' offices: an empty one, the one that the demo's walk leaves behind with its real book, and the story's,
//! with audits and marks, where the story was told before.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::Done;
use crate::demo;
use crate::house;
use crate::process::{Process, free_port};
use crate::run;
use crate::say;
use crate::stage::{Office, Programs, text};
use crate::tools::BrowserTools;

/// How long an office may take to open.
const OPENS_WITHIN: Duration = Duration::from_secs(60);

/// Gives how many things were seen.
pub(super) fn end_to_end(tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let room = demo::fresh(&house::root().join("target/office"))?;
    let programs = Programs::of(&["quorate-assessor-bin"], &room.join("outputs.log"))?;
    let at = |name: &str| room.join(name).display().to_string();
    let empty = Office::at(&programs, at("empty"));
    empty.says(&["init", "--office", "empty", "--origin", "empty.example/office"])?;
    let mut seen = looked(&programs, &empty, ("empty", &room), (tools, folder))?;
    let walked = house::root().join("target/walk/auditor");
    if !walked.join("office.db").is_file() {
        demo::walk()?;
    }
    let office = Office::at(&programs, walked.display().to_string()).copy(at("walked"))?;
    for standard in ["ccss 9.0", "wd 0.1.0"] {
        office.assess(standard, &[])?;
    }
    office.run(&["watch", "--once"])?.exited(0)?;
    seen = seen.saturating_add(looked(&programs, &office, ("walked", &room), (tools, folder))?);
    let told = house::root().join("target/story");
    for (name, place) in [("audited", "alder"), ("register", "auditors/register")] {
        let place = told.join(place);
        if place.join("office.db").is_file() {
            let office = Office::at(&programs, place.display().to_string()).copy(at(name))?;
            let one = looked(&programs, &office, (name, &room), (tools, folder))?;
            seen = seen.saturating_add(one);
        }
    }
    Ok(seen)
}

/// Serves an office's pages and looks at them.
fn looked(
    programs: &Programs,
    office: &Office<'_>,
    (name, room): (&str, &Path),
    (tools, folder): (&BrowserTools, &Path),
) -> Done<usize> {
    let listen = format!("127.0.0.1:{}", free_port()?);
    let standards = house::root().join("standards").display().to_string();
    let words = ["--json", "--dir", office.dir(), "--standards", &standards, "serve", "--listen"];
    let mut command = programs.command("quorate-assessor", &words);
    let log = room.join(format!("{name}.log"));
    let mut serving = Process::start(name, command.arg(&listen), &log)?;
    let line = serving.wait_for_line("\"code\"", OPENS_WITHIN)?;
    let said: Value = serde_json::from_str(&line).map_err(|e| format!("{name}: {e}"))?;
    let (open, code) = (text(&said, "/open")?, text(&said, "/code")?);
    let mut script = tools.command("assessor.mjs");
    let said = run::text(script.arg(open).arg(folder).arg(code).arg(name))?;
    said.lines().for_each(say::line);
    super::looked(&said)
}
