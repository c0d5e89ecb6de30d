//! The pages of auditors' offices: an empty one, the one that the demo's walk leaves behind with its real book, and the story's,
//! with audits and marks, where the story was told before.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
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
    let programs = Programs::build(&room.join("outputs.log"))?;
    let at = |name: &str| room.join(name).display().to_string();
    let empty = Office::at(&programs, at("empty"));
    empty.says(&["init", "--office", "empty", "--origin", "empty.example/office"])?;
    let mut seen = looked(&programs, &empty, ("empty", &room), (tools, folder))?;
    seen = seen.saturating_add(worked(&programs, &room, (tools, folder))?);
    let office = demo::walked(&programs, at("walked"))?;
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

/// An audit is done in the pages of an office of its own.
fn worked(
    programs: &Programs,
    room: &Path,
    (tools, folder): (&BrowserTools, &Path),
) -> Done<usize> {
    let office = Office::at(programs, room.join("working").display().to_string());
    office.says(&["init", "--office", "working", "--origin", "working.example/office"])?;
    let people = room.join("people");
    let words = people.join("words");
    run::write(&words, "twelve long words\n")?;
    for (path, mode) in [(&people, 0o700), (&words, 0o600)] {
        let trouble = |e: std::io::Error| format!("{}: {e}", path.display());
        std::fs::set_permissions(path, Permissions::from_mode(mode)).map_err(trouble)?;
    }
    let passphrase = words.display().to_string();
    let more = ["--passphrase-file", passphrase.as_str()];
    let (_serving, open, code) = served(programs, &office, ("working", room), &more)?;
    let program = programs.path("quorate-assessor");
    let mut script = tools.command("audit.mjs");
    let script = script.arg(open).arg(folder).arg(code).arg(program).arg(&people).arg(office.dir());
    let said = run::text(script.current_dir(house::root()))?;
    said.lines().for_each(say::line);
    super::looked(&said)
}

/// Serves an office's pages and looks at them.
fn looked(
    programs: &Programs,
    office: &Office<'_>,
    (name, room): (&str, &Path),
    (tools, folder): (&BrowserTools, &Path),
) -> Done<usize> {
    let (_serving, open, code) = served(programs, office, (name, room), &[])?;
    let mut script = tools.command("assessor.mjs");
    let said = run::text(script.arg(open).arg(folder).arg(code).arg(name))?;
    said.lines().for_each(say::line);
    super::looked(&said)
}

/// Serves an office's pages; gives where, and the code that opens them.
fn served(
    programs: &Programs,
    office: &Office<'_>,
    (name, room): (&str, &Path),
    more: &[&str],
) -> Done<(Process, String, String)> {
    let listen = format!("127.0.0.1:{}", free_port()?);
    let standards = house::root().join("standards").display().to_string();
    let words = ["--json", "--dir", office.dir(), "--standards", &standards, "serve", "--listen"];
    let mut command = programs.command("quorate-assessor", &words);
    let log = room.join(format!("{name}.log"));
    let mut serving = Process::start(name, command.arg(&listen).args(more), &log)?;
    let line = serving.wait_for_line("\"code\"", OPENS_WITHIN)?;
    let said: Value = serde_json::from_str(&line).map_err(|e| format!("{name}: {e}"))?;
    Ok((serving, text(&said, "/open")?, text(&said, "/code")?))
}
