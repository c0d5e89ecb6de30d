//! The pages in a browser: a sample site with every component and hostile text, served with the headers that belong to it, under
//! axe, a virtual authenticator and a camera.
//!
//! Screenshots go to `target/browser`. What a machine cannot see, whether a page is calm and clear, people see there.

mod assessor;
mod console;
mod up;
mod view;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::Done;
use crate::build;
use crate::check::Verdict;
use crate::house;
use crate::run;
use crate::say;
use crate::stage::Stage;
use crate::tools;

/// Makes the sample site and looks at it.
pub(crate) fn end_to_end() -> Done<Verdict> {
    if !tools::may_have_browser() {
        return Ok(Verdict::Skipped("there is no Chromium; install `chromium`".to_owned()));
    }
    let tools = tools::browser()?;
    let folder = house::root().join("target/browser");
    build::everything()?;
    let site = run::text(&mut run::command(build::example("sample"), &[]))?;
    let file = folder.join("site.json");
    run::write(&file, &site)?;
    let said = run::text(tools.command("pages.mjs").arg(&file).arg(&folder))?;
    said.lines().for_each(say::line);
    let parts = [
        looked(&said)?,
        assessor::end_to_end(&tools, &folder)?,
        view::end_to_end(&tools, &folder)?,
        console::end_to_end(&tools, &folder)?,
        up::end_to_end(&tools, &folder)?,
    ];
    Ok(Verdict::Passed(parts.iter().sum()))
}

/// Runs a script, and does what people outside the browser do whenever it asks: `do WHAT ARGUMENT`, answered by a line. Gives how
/// many things it saw.
fn walk(
    name: &str,
    mut command: Command,
    mut obey: impl FnMut(&str) -> Done<String>,
) -> Done<usize> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{name}: {e}"))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (mut stdin, stdout) = stdin.zip(stdout).ok_or_else(|| format!("{name} has no pipes"))?;
    let mut seen = 0_usize;
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|e| e.to_string())?;
        if let Some(asked) = line.strip_prefix("do ") {
            let answer = obey(asked)?;
            writeln!(stdin, "{answer}").map_err(|e| e.to_string())?;
            continue;
        }
        seen = seen.saturating_add(usize::from(line.starts_with("ok ")));
        say::line(&line);
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    if !status.success() || seen == 0 {
        return Err(format!("{name} ended with {status} after {seen} things"));
    }
    Ok(seen)
}

/// Searches everything that the stage wrote for secrets (row 46).
fn nothing_leaked(stage: &Stage, what: &str) -> Done {
    let (secrets, places) = stage.no_secret_leaked()?;
    say::line(format!("{what}: none of {secrets} secrets in {places} files (row 46)"));
    Ok(())
}

/// How many things a script says that it saw.
fn looked(said: &str) -> Done<usize> {
    match said.lines().filter(|line| line.starts_with("ok ")).count() {
        0 => Err("the browser looked at nothing".to_owned()),
        seen => Ok(seen),
    }
}
