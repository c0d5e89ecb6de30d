//! The MCP conformance suite: all that each revision requires, and what any server must do whatever its tools are.

use std::path::Path;
use std::time::Duration;

use crate::Done;
use crate::build;
use crate::house;
use crate::process::{Process, free_port};
use crate::run;
use crate::say;
use crate::tools::{self, McpTools};

/// Revisions that the doors serve.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];
/// Scenarios for the product, one `REVISION SCENARIO` a line.
const SCENARIOS: &str = "crates/gateway/examples/conformance/product-scenarios.txt";

/// Every scenario that each revision requires, on the suite's own tools.
pub(super) fn fixture() -> Done<usize> {
    let mcp = tools::mcp()?;
    let (url, _process) = serve("conformance_fixture")?;
    let mut passed = 0_usize;
    for revision in REVISIONS {
        let words = ["server", "--url", &url, "--requirements", revision];
        let report = suite(&mcp, &words)?;
        let scored = scored(&report);
        if scored == 0 {
            return Err(format!("the suite scored nothing for {revision}:\n{report}"));
        }
        say::line(format!("clients: {scored} scenarios that {revision} requires pass"));
        passed = passed.saturating_add(scored);
    }
    Ok(passed)
}

/// The named scenarios on the product's own router.
pub(super) fn product() -> Done<usize> {
    let mcp = tools::mcp()?;
    let list = run::read(&house::root().join(SCENARIOS))?;
    let (url, _process) = serve("conformance_product")?;
    let mut passed = 0_usize;
    for (revision, scenario) in scenarios(&list) {
        let words = ["server", "--url", &url, "--scenario", scenario, "--spec-version", revision];
        suite(&mcp, &words)?;
        passed = passed.saturating_add(1);
    }
    if passed == 0 {
        return Err(format!("{SCENARIOS} names no scenario"));
    }
    say::line(format!("clients: {passed} generic scenarios pass on the product"));
    Ok(passed)
}

fn suite(mcp: &McpTools, words: &[&str]) -> Done<String> {
    let mut command = mcp.command(&mcp.conformance);
    run::text(command.args(words)).map_err(|e| format!("conformance: {e}"))
}

/// Starts an example of the gateway on a free port.
fn serve(example: &str) -> Done<(String, Process)> {
    let program = build::example(example);
    let log = program.with_extension("log");
    let port = free_port()?;
    let mut command = run::command(program, &[&port.to_string()]);
    let mut process = Process::start(example, &mut command, Path::new(&log))?;
    process.wait_for_port(port, Duration::from_secs(30))?;
    Ok((format!("http://127.0.0.1:{port}/mcp"), process))
}

fn scenarios(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.trim().split_once(' '))
}

/// How many scenarios counted: those above the total.
fn scored(report: &str) -> usize {
    let above = report.split("Not scored").next().unwrap_or_default();
    above.lines().filter(|line| line.starts_with('✓')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_and_scores_are_read() {
        let list = "# a note\n2025-11-25 ping\n\n2026-07-28 tools-list\n";
        let read: Vec<_> = scenarios(list).collect();
        assert_eq!(read, [("2025-11-25", "ping"), ("2026-07-28", "tools-list")]);
        let report = "✓ ping: 2 passed\n✓ list: 1 passed\nTotal\nNot scored for x\n✓ more\n";
        assert_eq!(scored(report), 2);
    }
}
