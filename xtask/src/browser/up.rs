//! `quorate up` in an empty folder: a vault is founded in a browser without script, everybody joins it, and the first person
//! signs in to the console.

use std::path::Path;

use crate::Done;
use crate::demo;
use crate::house;
use crate::stage::{Node, Programs, Stage};
use crate::tools::BrowserTools;

/// What stands before each address on the terminal.
const INVITATION: &str = "/enter?token=";

/// Gives how many things were seen.
pub(super) fn end_to_end(tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let room = demo::fresh(&house::root().join("target/up"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let mut stage = Stage::set(&room, programs, node)?;
    stage.prepare()?;
    let origin = format!("http://localhost:{}", stage.port("view"));
    stage.view(&[
        "view",
        "init",
        "--name",
        "front",
        "--origin",
        &origin,
        "--operator",
        "front ltd",
    ])?;
    stage.start("founding")?;
    let url = stage.said("founding", INVITATION, 1)?;
    let mut command = tools.command("up.mjs");
    command.arg(&url).arg(folder).arg(&stage.room);
    for who in ["east", "west", "source", "book", "console"] {
        command.arg(format!("{who}={}", stage.address(who)));
    }
    command.arg(format!("chain={}", stage.node.chain()?));
    command.arg(format!("node={}", stage.node.url()));
    super::walk("up.mjs", command, |asked| obey(&mut stage, asked))
}

fn obey(stage: &mut Stage, asked: &str) -> Done<String> {
    let words: Vec<&str> = asked.split(' ').collect();
    match words.as_slice() {
        // As a power cut would, and on again from what is kept: the newest address is another one.
        ["restart", times] => {
            stage.kill("founding");
            stage.start("founding")?;
            stage.said("founding", INVITATION, times.parse().map_err(|_| "no number")?)
        }
        ["again", times] => {
            stage.said("founding", INVITATION, times.parse().map_err(|_| "no number")?)
        }
        ["run", kind, name, line @ ..] => {
            stage.told(&format!("{kind} {name}"), &line.join(" ")).map(|()| "done".to_owned())
        }
        ["agree", case] => {
            stage.agree(case)?;
            stage.done(case).map(|_| "done".to_owned())
        }
        _ => Err(format!("up.mjs asks for `{asked}`")),
    }
}
