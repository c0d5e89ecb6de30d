//! The view on the real stage: people make passkeys in a browser, a vault is founded with them, and a payment is approved by two
//! people in two browsers, while a look-alike page and a copied passkey get nowhere.

use std::path::Path;

use serde_json::Value;

use crate::Done;
use crate::demo;
use crate::house;
use crate::run;
use crate::say;
use crate::stage::{Node, Programs, Stage, Token, WALLET, coin, text, tokens};
use crate::tools::BrowserTools;

/// The people who have passkeys.
const PEOPLE: [&str; 2] = ["ann", "bo"];
/// Whom they pay.
const TO: &str = "0x00000000000000000000000000000000000000bb";

/// Gives how many things were seen.
pub(super) fn end_to_end(tools: &BrowserTools, folder: &Path) -> Done<usize> {
    let room = demo::fresh(&house::root().join("target/view"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let mut stage = Stage::set(&room, programs, node)?;
    let greedy = Token::deploy_greedy(&stage.node)?;
    stage.founding.tokens.push(("GREED", "Greedy Dollar", greedy.address.clone()));
    let mut seen = 0_usize;
    stage.found_after(|stage| {
        seen = enrol(stage, tools, folder)?;
        Ok(())
    })?;
    stage.start_all()?;
    stage.start("view")?;
    let account = stage.open_wallet()?;
    stage.node.fund(&account, coin(10_000))?;
    for token in [&stage.token, &greedy] {
        token.give(&stage.node, &account, tokens(1_000))?;
    }
    let (first, second) = (pay(&stage)?, pay(&stage)?);
    let honest = pay_token(&stage, &stage.token)?;
    let takes = pay_token(&stage, &greedy)?;
    let policy = loosen(&stage)?;
    shown_at_the_terminal(&stage, &takes)?;
    let words = ["approve", &first, &second, &policy, &honest, &takes];
    let said = script(&stage, tools, folder, &words)?;
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
    // It listens before it says so.
    let said = stage.said("view", "enrolment code", 1)?;
    let code = said.split_whitespace().last().ok_or("the view printed no code")?.to_owned();
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
    let asset = format!("{chain}/slip44:60");
    let what = ["transfer", "--wallet", WALLET, "--asset", &asset, "--to", TO];
    let words = [&what[..], &["--amount", "0.3", "--fee-ceiling", "0.01"]].concat();
    text(&stage.desk(&words)?, "/case")
}

/// A payment of twenty-five of a token that two people must agree to.
fn pay_token(stage: &Stage, token: &Token) -> Done<String> {
    let asset = format!("{}/erc20:{}", stage.node.chain()?, token.address);
    let what = ["transfer", "--wallet", WALLET, "--asset", &asset, "--to", TO];
    let words = [&what[..], &["--amount", "25", "--fee-ceiling", "0.01"]].concat();
    text(&stage.desk(&words)?, "/case")
}

/// An approver's own tool warns of the same, and without a node says that it has none.
fn shown_at_the_terminal(stage: &Stage, case: &str) -> Done {
    let node = format!("{}={}", stage.node.chain()?, stage.node.url());
    let shown = stage.approver("bo", &["show", case, "--node", &node])?.good()?;
    let warned = shown.pointer("/simulation/warnings").map(Value::to_string).unwrap_or_default();
    for part in ["somebody else receives", "lets somebody take more", "by the token's own books"] {
        if !warned.contains(part) {
            return Err(format!("`show --node` does not warn that {part}: {shown}"));
        }
    }
    let shown = stage.approver("bo", &["show", case])?.good()?.to_string();
    match shown.contains("this machine has no node of its own") {
        true => Ok(()),
        false => Err(format!("`show` without a node does not say so: {shown}")),
    }
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
