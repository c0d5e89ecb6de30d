//! Other people's MCP programs against our doors: Inspector, the Python client, the conformance suite.
//!
//! The clients speak to the product: a founded vault, its desk, stdio and HTTP. The suite's fixtures are tools that a wallet
//! must not ship, so they stand in `conformance_fixture`, over the same transport; the scenarios that any server must pass
//! run on the product's own router, `conformance_product`.

mod conformance;
mod doors;

use serde_json::Value;

use crate::Done;
use crate::check::Verdict;
use crate::demo;
use crate::house;
use crate::run;
use crate::say;
use crate::stage::{Agent, McpHttp, Node, Programs, Stage};
use crate::tools;

/// Lets every outside client at the doors.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let mut told = conformance::fixture()?;
    told = told.saturating_add(conformance::product()?);
    let mut stage = set()?;
    stage.found()?;
    stage.start_all()?;
    stage.open_wallet()?;
    let agent = stage.admit("ops", "full")?;
    told = told.saturating_add(listings_agree(&stage, &agent)?);
    told = told.saturating_add(doors::strangers(&stage, &agent)?);
    told = told.saturating_add(doors::pure(&stage, &agent)?);
    let (secrets, places) = stage.no_secret_leaked()?;
    say::line(format!("clients: none of {secrets} secrets in {places} files (row 46)"));
    Ok(Verdict::Passed(told.saturating_add(1)))
}

fn set() -> Done<Stage> {
    let room = demo::fresh(&house::root().join("target/clients"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    Stage::set(&room, programs, node)
}

/// What one client saw.
#[derive(PartialEq, Debug)]
struct Seen {
    tools: Vec<String>,
    called: Value,
}

/// Every client must see the same tools in the same order, over both doors and in both revisions, and be answered alike.
fn listings_agree(stage: &Stage, agent: &Agent) -> Done<usize> {
    let arguments =
        serde_json::json!({ "wallet": crate::stage::WALLET, "chain": stage.node.chain()? });
    let url = format!("http://{}/mcp", stage.address("http"));
    let first = Seen {
        tools: agent.tools(stage, "full")?,
        called: agent.call(stage, "get_wallet_address", &arguments)?,
    };
    if first.tools.len() != 16 || first.called.get("address").is_none() {
        return Err(format!("Inspector on stdio sees {first:?}"));
    }
    let token = run::read(agent.token_file.as_ref())?;
    let header = format!("Authorization: Bearer {}", token.trim());
    let mut agreed = 1_usize;
    for era in ["legacy", "modern"] {
        let target = ["--server-url", &url, "--transport", "http", "--header", &header];
        let tools = inspector(&target, era)?;
        agree(&format!("Inspector on HTTP, {era}"), &first.tools, &tools)?;
        agreed = agreed.saturating_add(1);
    }
    let http = python(&arguments, &["--http", &url, &agent.token_file])?;
    let (program, desk) = (stage.programs.path("quorate").display().to_string(), stage.at("desk"));
    let mut words = vec![program.as_str(), "mcp", "--dir", &desk];
    words.extend(["--token-file", &agent.token_file, "--bands", "full"]);
    let stdio = python(&arguments, &words)?;
    for (door, seen) in [("HTTP", http), ("stdio", stdio)] {
        if seen != first {
            return Err(format!("Python on {door} sees {seen:?}, Inspector on stdio {first:?}"));
        }
        agreed = agreed.saturating_add(1);
    }
    let bare = McpHttp::new(&stage.address("http"), &agent.token_file)?;
    if bare.call("get_wallet_address", &arguments)? != first.called {
        return Err("a bare request over HTTP is answered differently".to_owned());
    }
    say::line(format!("clients: {agreed} outside clients see the same 16 tools and answers"));
    Ok(agreed.saturating_add(1))
}

fn agree(who: &str, wanted: &[String], seen: &[String]) -> Done {
    if wanted == seen {
        return Ok(());
    }
    Err(format!("{who} sees {seen:?}, Inspector on stdio {wanted:?}"))
}

fn inspector(target: &[&str], era: &str) -> Done<Vec<String>> {
    let mcp = tools::mcp()?;
    let mut command = mcp.command(&mcp.inspector);
    command.args(["--cli", "-q", "--format", "json", "--protocol-era", era]);
    command.args(target).args(["--method", "tools/list"]);
    let text = run::text(&mut command)?;
    names(&text)
}

fn python(arguments: &Value, words: &[&str]) -> Done<Seen> {
    let script = house::root().join("xtask/tools/python/tools.py");
    let mut command = run::command(tools::python()?, &[]);
    command.arg(script).args(["get_wallet_address", &arguments.to_string()]).args(words);
    let text = run::text(&mut command)?;
    let said: Value = serde_json::from_str(&text).map_err(|e| format!("no JSON ({e})"))?;
    Ok(Seen { tools: names(&text)?, called: said.get("called").cloned().unwrap_or_default() })
}

/// The names of the tools in a listing, in order.
fn names(listing: &str) -> Done<Vec<String>> {
    let value: Value =
        serde_json::from_str(listing).map_err(|e| format!("the listing is not JSON ({e})"))?;
    let value = value.get("result").unwrap_or(&value);
    let tools = value.get("tools").and_then(Value::as_array).ok_or("the listing has no tools")?;
    let name = |tool: &Value| tool.get("name").and_then(Value::as_str).map(str::to_owned);
    Ok(tools.iter().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tools_are_read_in_order() {
        assert_eq!(names(r#"{"tools":[{"name":"b"},{"name":"a"}]}"#).unwrap(), ["b", "a"]);
        assert!(names("{}").is_err());
        assert!(names("not json").is_err());
    }
}
