//! The page that founds a vault by hand, run line by line as a reader would, so that no command on it grows old.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::Done;
use crate::check::Verdict;
use crate::demo;
use crate::house;
use crate::process::free_port;
use crate::run;
use crate::say;
use crate::stage::{Node, Programs};

const PAGE: &str = "docs/found-a-vault.md";
/// Where the page lets everybody listen. Here each gets a free port, so that runs do not meet.
const PORTS: [&str; 4] = ["7300", "7301", "7302", "7303"];
/// What the end of the page must show: everything went on to the last command, and that stopped the vault.
const PROVEN: [&str; 3] = ["proven", "hot", "frozen"];
/// How much of what was said is told when a command fails, in lines.
const TOLD: usize = 25;

/// Runs every shell block of the page in one shell, in a folder of its own.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let room = demo::fresh(&house::root().join("target/guide"))?;
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&room, private).map_err(|e| format!("{}: {e}", room.display()))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let blocks = blocks(&run::read(&house::root().join(PAGE))?);
    let script = script(&blocks)?;
    let shell = ["-c", "exec bash -s < \"$0\" 2>&1", "page.sh"];
    run::write(&room.join("page.sh"), &script)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = run::command("bash", &shell);
    command
        .current_dir(&room)
        .env("PATH", format!("{}:{path}", programs.folder().display()))
        .env("CHAIN", node.chain()?)
        .env("NODE", node.url());
    let output = run::kept(&mut command)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    run::write(&room.join("said.log"), &said)?;
    judged(&room, output.status.success(), &said)?;
    say::line(format!("{} blocks of {PAGE} run as they are written", blocks.len()));
    Ok(Verdict::Passed(blocks.len()))
}

fn judged(room: &Path, well: bool, said: &str) -> Done {
    let missing = PROVEN.iter().find(|word| !said.contains(*word));
    if well && missing.is_none() {
        return Ok(());
    }
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(TOLD)..).unwrap_or_default().join("\n");
    let what = missing.map_or_else(String::new, |word| format!(" (it never says `{word}`)"));
    Err(format!("{PAGE} does not run as it is written{what}; see {}\n{last}", room.display()))
}

/// The text of each fenced block that is marked `sh`.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match (&mut open, line) {
            (None, "```sh") => open = Some(String::new()),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), _) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    blocks
}

/// One script that stops at the first failure and leaves no process behind.
fn script(blocks: &[String]) -> Done<String> {
    let mut script =
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null; wait' EXIT\n".to_owned();
    script.push_str(&blocks.join("\n"));
    for port in PORTS {
        script =
            script.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{}", free_port()?));
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_run_and_a_page_that_says_too_little_is_refused() {
        let page = "a\n```sh\none\ntwo\n```\n```json\n{}\n```\n```sh\nthree\n```\n";
        assert_eq!(blocks(page), ["one\ntwo\n", "three\n"]);
        assert!(judged(Path::new("x"), true, "proven hot frozen").is_ok());
        assert!(judged(Path::new("x"), true, "proven hot").is_err());
        assert!(judged(Path::new("x"), false, "proven hot frozen").is_err());
    }
}
