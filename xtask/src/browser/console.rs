//! The console on the real stage: an operator files a transfer in a browser, two people agree at their own tools, and the page
//! tells live that it settled; a viewer can file nothing; whoever is revoked is signed out at the next click.

use std::path::Path;

use crate::Done;
use crate::demo;
use crate::house;
use crate::run;
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
    let policy = stage.desk(&["policy", "show"])?;
    run::write(&stage.room.join("public/policy.json"), &policy.to_string())?;
    let seen = walk(&mut stage, tools, folder)?;
    super::nothing_leaked(&stage, "console")?;
    Ok(seen)
}

/// Runs the script, and does what people outside the browser do whenever it asks.
fn walk(stage: &mut Stage, tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let mut command = tools.command("console.mjs");
    command.arg(format!("http://localhost:{}", stage.port("console"))).arg(folder);
    command.arg(stage.at("secrets"));
    super::walk("console.mjs", command, |asked| obey(stage, asked).map(|()| "done".to_owned()))
}

fn obey(stage: &mut Stage, asked: &str) -> Done {
    match asked.split_once(' ') {
        Some(("agree", case)) => stage.agree(case),
        Some(("settle", case)) => stage.done(case).map(drop),
        Some(("open", wallet)) => {
            let chain = stage.node.chain()?;
            let words = ["wallet", "new", wallet, "--chain", &chain, "--key", wallet];
            stage.desk(&words).map(drop)
        }
        Some(("reported", directive)) => reported(stage, directive),
        Some(("stand-in", seat)) => stage.enrol_stand_in("sam", seat),
        Some(("stop", who)) => {
            stage.kill(who);
            Ok(())
        }
        Some(("start", who)) => stage.start(who),
        Some(("back-up", who)) => back_up(stage, who, "savings"),
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

/// A browser's report of what a page was kept from stands in the desk's log, and nothing of a query in it.
fn reported(stage: &mut Stage, directive: &str) -> Done {
    let line = stage.said("desk", &format!("directive=\"{directive}\""), 1)?;
    match line.contains("a browser kept a page from") && !line.contains("in-a-query") {
        true => Ok(()),
        false => Err(format!("the desk says of a browser's report: {line}")),
    }
}

/// A cosigner makes a backup of its share and proves it by a drill.
fn back_up(stage: &Stage, who: &str, wallet: &str) -> Done {
    let file = stage.at(&format!("backups/{who}-{wallet}.backup"));
    let secret = stage.at(&format!("secrets/{who}"));
    let secrets = ["--passphrase-file", &secret, "--backup-passphrase-file", &secret];
    let make = ["backup", "make", "--wallet", wallet, "--out", &file];
    stage.cosigner(who, &[&make[..], &secrets].concat())?;
    let verify = ["backup", "verify", "--file", &file, "--passphrase-file", &secret];
    stage.cosigner(who, &verify).map(drop)
}
