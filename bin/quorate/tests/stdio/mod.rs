//! The stdio door as a process with real pipes, at a desk that breaks.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::canned::{BREAKS, Desk};
use crate::common::quorate;

/// An agent's program, as it runs: `quorate mcp` with its pipes.
struct Agent {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Agent {
    fn at(desk: &Desk) -> Self {
        let token = desk.house.path("token");
        fs::write(&token, "qrt_a-token\n").unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        let mut command = quorate();
        command.args(["mcp", "--bands", "full", "--dir"]).arg(desk.house.desk());
        command.arg("--token-file").arg(&token);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, input, lines: BufReader::new(output).lines() }
    }

    fn says(&mut self, message: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{message}").unwrap();
    }

    /// The next line of standard output, which is a message whatever happened.
    fn hears(&mut self) -> Value {
        let line = self.lines.next().expect("the door ended").unwrap();
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    fn looks_at(&mut self, id: u32, digit: &str) {
        let call = json!({ "name": "get_case", "arguments": { "case": digit.repeat(64) } });
        self.says(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call }));
    }

    /// The complaint in the answer to a call.
    fn told(&mut self) -> (u64, Value) {
        let answer = self.hears();
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_default();
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        (answer["id"].as_u64().unwrap(), serde_json::from_str(text).unwrap())
    }
}

#[test]
fn row_53_a_desk_that_breaks_in_one_call_leaves_a_real_stdio_door_clean_and_at_work() {
    let caller = json!({ "credential": "bot-1", "agent": "bot", "owner": "op", "band": "broadcast", "wallets": ["ops"] });
    let unknown = json!({ "complaint": {
        "category": "not_available", "code": "CASE_NOT_FOUND", "message": "no such case",
        "requiredAction": null, "retryable": false, "retryAfter": null, "requestId": "",
    } });
    let desk = Desk::new(&[("mcp.authenticate", caller), ("mcp.ask", unknown)]);
    let mut agent = Agent::at(&desk);
    let client = json!({ "name": "t", "version": "1" });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    agent.says(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }));
    assert_eq!(agent.hears()["result"]["serverInfo"]["name"], "quorate");
    agent.says(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    // All at once: those that break and those that do not, each answered under its own id.
    for id in 1..=8 {
        agent.looks_at(id, if id % 2 == 1 { BREAKS } else { "1" });
    }
    for _ in 1..=8 {
        let (id, complaint) = agent.told();
        let broke = id % 2 == 1;
        assert_eq!(complaint["code"] != "CASE_NOT_FOUND", broke, "{id}: {complaint}");
        assert!(complaint["requestId"].as_str().unwrap().starts_with("req-"), "{complaint}");
        assert!(!complaint.to_string().contains("on purpose"), "{complaint}");
    }
    agent.says(&json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/list", "params": {} }));
    assert_eq!(agent.hears()["result"]["tools"].as_array().unwrap().len(), 16);
    // The input ends, and so does the door, with nothing more to say.
    drop(agent.input.take());
    assert!(agent.lines.next().is_none());
    assert!(agent.child.wait().unwrap().success());
}
