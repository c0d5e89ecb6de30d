//! The console on the real stage: an operator files a transfer in a browser, two people agree at their own tools, and the page
//! tells live that it settled; a viewer can file nothing; whoever is revoked is signed out at the next click.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use crate::Done;
use crate::demo;
use crate::house;
use crate::say;
use crate::stage::{Node, Programs, Stage, coin, text};
use crate::tools::BrowserTools;

/// Gives how many things were seen.
pub(super) fn end_to_end(tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let room = demo::fresh(&house::root().join("target/console"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let mut stage = Stage::set(&room, programs, node)?;
    stage.found()?;
    stage.start_all()?;
    let account = stage.open_wallet()?;
    stage.node.fund(&account, coin(10_000))?;
    stage.admit_person("olga", "operator")?;
    stage.admit_person("vera", "viewer")?;
    stage.admit("trader", "full")?;
    walk(&stage, tools, folder)
}

/// Runs the script, and does what people outside the browser do whenever it asks: `do WHAT ARGUMENT`, answered by a line.
fn walk(stage: &Stage, tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let mut command = tools.command("console.mjs");
    command.arg(format!("http://localhost:{}", stage.port("console"))).arg(folder);
    command.arg(stage.at("secrets")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("console.mjs: {e}"))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (mut stdin, stdout) = stdin.zip(stdout).ok_or("console.mjs has no pipes")?;
    let mut seen = 0_usize;
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|e| e.to_string())?;
        if let Some(asked) = line.strip_prefix("do ") {
            obey(stage, asked)?;
            writeln!(stdin, "done").map_err(|e| e.to_string())?;
            continue;
        }
        seen = seen.saturating_add(usize::from(line.starts_with("ok ")));
        say::line(&line);
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    if !status.success() || seen == 0 {
        return Err(format!("console.mjs ended with {status} after {seen} things"));
    }
    Ok(seen)
}

fn obey(stage: &Stage, asked: &str) -> Done {
    match asked.split_once(' ') {
        Some(("agree", case)) => stage.agree(case),
        Some(("settle", case)) => stage.done(case).map(drop),
        Some(("resume", case)) => {
            stage.agree(case)?;
            stage.done(case).map(drop)
        }
        Some(("revoke", credential)) => {
            let case = text(&stage.desk(&["member", "revoke", credential])?, "/case")?;
            stage.done(&case).map(drop)
        }
        _ => Err(format!("console.mjs asks for `{asked}`")),
    }
}
