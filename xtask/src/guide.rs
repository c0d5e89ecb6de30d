//! The pages that found a vault by hand, that go away for a while and that lose a key, run line by line as a reader would, so
//! that no command on them grows old.

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

/// Each page, and what its end must show: everything went on to the last command.
const PAGES: [(&str, &[&str]); 3] = [
    ("docs/found-a-vault.md", &["proven", "hot", "frozen"]),
    ("docs/stand-in.md", &["ann-on-leave", "above_delegation", "taken back", "proven"]),
    ("docs/lose-a-key.md", &["frozen", "ceremony", "by vera", "the book shows it"]),
];
/// Where the pages let everybody listen. Here each gets a free port, so that runs do not meet.
const PORTS: [&str; 4] = ["7300", "7301", "7302", "7303"];
/// How much of what was said is told when a command fails, in lines.
const TOLD: usize = 25;

/// Runs every shell block of each page in one shell, in a folder of its own.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let mut count = 0_usize;
    for (page, proven) in PAGES {
        count = count.saturating_add(run_page(page, proven)?);
    }
    Ok(Verdict::Passed(count))
}

fn run_page(page: &str, proven: &[&str]) -> Done<usize> {
    let name = Path::new(page).file_stem().unwrap_or_default();
    let room = demo::fresh(&house::root().join("target/guide").join(name))?;
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&room, private).map_err(|e| format!("{}: {e}", room.display()))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let blocks = blocks(&run::read(&house::root().join(page))?);
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
    judged((page, proven), &room, output.status.success(), &said)?;
    say::line(format!("{} blocks of {page} run as they are written", blocks.len()));
    Ok(blocks.len())
}

fn judged((page, proven): (&str, &[&str]), room: &Path, well: bool, said: &str) -> Done {
    let missing = proven.iter().find(|word| !said.contains(*word));
    if well && missing.is_none() {
        return Ok(());
    }
    let lines: Vec<&str> = said.lines().collect();
    let last = lines.get(lines.len().saturating_sub(TOLD)..).unwrap_or_default().join("\n");
    let what = missing.map_or_else(String::new, |word| format!(" (it never says `{word}`)"));
    Err(format!("{page} does not run as it is written{what}; see {}\n{last}", room.display()))
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
        let judged = |well, said| judged(("p", &["hot", "frozen"]), Path::new("x"), well, said);
        assert!(judged(true, "hot frozen").is_ok());
        assert!(judged(true, "hot").is_err());
        assert!(judged(false, "hot frozen").is_err());
    }
}
