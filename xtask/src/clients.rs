//! Other people's MCP programs against our doors: Inspector, the Python client, the conformance suite.
//!
//! The servers are examples of a crate: `mcp_stdio` serves every tool on stdio; `conformance_fixture PORT` serves the
//! suite's fixtures over our transport on loopback, at `/mcp`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::Done;
use crate::check::Verdict;
use crate::golden::packages_with_example;
use crate::house;
use crate::process::{Process, free_port};
use crate::run;
use crate::say;
use crate::tools;

/// Revisions that the doors serve.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// Lets every outside client at the servers that exist.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let mut told = 0_usize;
    for (package, _) in packages_with_example(|name| name == "mcp_stdio")? {
        told = told.saturating_add(listings_agree(&example(&package, "mcp_stdio")?)?);
    }
    for (package, _) in packages_with_example(|name| name == "conformance_fixture")? {
        told = told.saturating_add(conforms(&example(&package, "conformance_fixture")?)?);
    }
    if told == 0 {
        return Ok(Verdict::Skipped("no crate has an example `mcp_stdio`".to_owned()));
    }
    Ok(Verdict::Passed(told))
}

/// Builds an example and gives its program.
fn example(package: &str, name: &str) -> Done<PathBuf> {
    run::shown(&mut run::cargo(&[
        "build",
        "--quiet",
        "--locked",
        "-p",
        package,
        "--example",
        name,
    ]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| house::root().join("target"));
    Ok(target.join("debug/examples").join(name))
}

/// Inspector and the Python client must see the same tools, in the same order.
fn listings_agree(server: &PathBuf) -> Done<usize> {
    let (inspector, python) = (inspector_tools(server)?, python_tools(server)?);
    if inspector.is_empty() || inspector != python {
        return Err(format!("Inspector sees {inspector:?}, the Python client {python:?}"));
    }
    say::line(format!("clients: Inspector and Python see the same {} tools", inspector.len()));
    Ok(2)
}

fn inspector_tools(server: &PathBuf) -> Done<Vec<String>> {
    let mcp = tools::mcp()?;
    let mut command = mcp.command(&mcp.inspector);
    command.arg("--cli").arg(server).args(["--method", "tools/list"]);
    names(&run::text(&mut command)?)
}

fn python_tools(server: &PathBuf) -> Done<Vec<String>> {
    let script = house::root().join("xtask/tools/python/tools.py");
    let mut command: Command = run::command(tools::python()?, &[]);
    command.arg(script).arg(server);
    names(&run::text(&mut command)?)
}

/// Every scenario that each revision requires.
fn conforms(server: &PathBuf) -> Done<usize> {
    let mcp = tools::mcp()?;
    let log = house::root().join("target/conformance_fixture.log");
    let port = free_port()?;
    let mut command = run::command(server, &[&port.to_string()]);
    let mut process = Process::start("conformance_fixture", &mut command, &log)?;
    process.wait_for_port(port, Duration::from_secs(30))?;
    let url = format!("http://127.0.0.1:{port}/mcp");
    for revision in REVISIONS {
        let mut command = mcp.command(&mcp.conformance);
        command.args(["server", "--url", &url, "--requirements", revision]);
        let report = run::text(&mut command).map_err(|e| format!("conformance {revision}: {e}"))?;
        say::line(report.lines().last().unwrap_or_default());
    }
    Ok(REVISIONS.len())
}

fn names(listing: &str) -> Done<Vec<String>> {
    let value: Value =
        serde_json::from_str(listing).map_err(|e| format!("the listing is not JSON ({e})"))?;
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
