//! The view on the real stage: people make passkeys in a browser, a vault is founded with them, and a payment is approved by two
//! people in two browsers, while a look-alike page and a copied passkey get nowhere.

use std::path::Path;

use serde_json::Value;

use crate::Done;
use crate::demo;
use crate::house;
use crate::run;
use crate::say;
use crate::stage::{Node, Programs, Stage, WALLET, coin, text};
use crate::tools::BrowserTools;

/// The people who have passkeys.
const PEOPLE: [&str; 2] = ["ann", "bo"];

/// Gives how many things were seen.
pub(super) fn end_to_end(tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let room = demo::fresh(&house::root().join("target/view"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let mut stage = Stage::set(&room, programs, node)?;
    let mut seen = 0_usize;
    stage.found_after(|stage| {
        seen = enrol(stage, tools, folder)?;
        Ok(())
    })?;
    stage.start_all()?;
    stage.start("view")?;
    let account = stage.open_wallet()?;
    stage.node.fund(&account, coin(10_000))?;
    let (first, second) = (pay(&stage)?, pay(&stage)?);
    let policy = loosen(&stage)?;
    let said = script(&stage, tools, folder, &["approve", &first, &second, &policy])?;
    stage.done(&first)?;
    super::nothing_leaked(&stage, "view")?;
    Ok(seen.saturating_add(said))
}

/// The view comes about, and each person makes a passkey at it.
fn enrol(stage: &mut Stage, tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let origin = format!("http://localhost:{}", stage.port("view"));
    let words = ["view", "init", "--name", "home", "--origin", &origin, "--operator", "Home Ltd"];
    stage.view(&words)?;
    stage.founding.view = Some(stage.at("view/view.json"));
    stage.start("view")?;
    let log = run::read(&stage.room.join("logs/view.log"))?;
    let is_code = |word: &&str| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let code = log.split_whitespace().find(is_code).ok_or("the view printed no code")?.to_owned();
    let seen = script(stage, tools, folder, &["enrol", &code])?;
    stage.kill("view");
    for who in PEOPLE {
        let file = stage.at(&format!("view/passkey-{who}-phone.json"));
        stage.approver(who, &["passkey", &file])?.good()?;
    }
    Ok(seen)
}

/// A payment that two people must agree to.
fn pay(stage: &Stage) -> Done<String> {
    let chain = stage.node.chain()?;
    let (asset, to) = (format!("{chain}/slip44:60"), "0x00000000000000000000000000000000000000bb");
    let what = ["transfer", "--wallet", WALLET, "--asset", &asset, "--to", to];
    let words = [&what[..], &["--amount", "0.3", "--fee-ceiling", "0.01"]].concat();
    text(&stage.desk(&words)?, "/case")
}

/// A policy under which people need nobody to agree.
fn loosen(stage: &Stage) -> Done<String> {
    let mut policy = stage.desk(&["policy", "show"])?;
    let rules = policy.get_mut("rules").and_then(Value::as_array_mut).ok_or("no rules")?;
    rules.retain(|rule| rule.get("id").and_then(Value::as_str) != Some("people-need-treasury"));
    let file = stage.room.join("public/policy-loose.json");
    run::write(&file, &policy.to_string())?;
    text(&stage.desk(&["policy", "propose", &file.display().to_string()])?, "/case")
}

fn script(stage: &Stage, tools: &BrowserTools, folder: &Path, words: &[&str]) -> Done<usize> {
    let mut command = tools.command("view.mjs");
    command.arg(format!("http://localhost:{}", stage.port("view"))).arg(folder);
    command.arg(stage.at("secrets")).args(words);
    let said = run::text(&mut command)?;
    said.lines().for_each(say::line);
    super::looked(&said)
}
