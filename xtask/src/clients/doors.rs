//! What outside clients never send: other tokens, other origins, lines that are no protocol.

use serde_json::{Value, json};

use crate::Done;
use crate::run;
use crate::say;
use crate::stage::{Agent, Stage, http_status};

/// Requests that the HTTP door must refuse, and with which status.
pub(super) fn strangers(stage: &Stage, agent: &Agent) -> Done<usize> {
    let url = format!("http://{}/mcp", stage.address("http"));
    let token = format!("Bearer {}", run::read(agent.token_file.as_ref())?.trim());
    let right = ("Authorization", token.as_str());
    let accept = ("Accept", "application/json, text/event-stream");
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let answers = |what: &str, headers: &[(&str, &str)], wanted: u16| {
        let status = http_status(&url, headers, &body)?;
        if status == wanted {
            return Ok(());
        }
        Err(format!("{what}: the door answers {status}, not {wanted}"))
    };
    answers("no token", &[accept], 401)?;
    answers("another token", &[accept, ("Authorization", "Bearer qrt_nobody")], 401)?;
    answers("another origin", &[accept, right, ("Origin", "https://evil.example")], 403)?;
    answers("the right token", &[accept, right], 200)?;
    say::line("clients: other tokens and origins are refused over HTTP");
    Ok(4)
}

/// Whatever comes in on stdio, only protocol goes out (row 53), and bad bands stop the start.
pub(super) fn pure(stage: &Stage, agent: &Agent) -> Done<usize> {
    let desk = stage.at("desk");
    let words = ["mcp", "--dir", &desk, "--token-file", &agent.token_file];
    let opening = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "x", "version": "1" } } });
    let opened = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let input = format!("{opening}\n{opened}\nnot json\n\n{{\"a\":1,\"a\":2}}\n[]\n{list}\n");
    let said = stage.programs.run_with("quorate", &words, input.as_bytes())?;
    let lines: Vec<&str> = said.out.lines().collect();
    for line in &lines {
        let message: Value = serde_json::from_str(line)
            .map_err(|e| format!("standard output holds what is no protocol ({e}): {line}"))?;
        if message.get("jsonrpc") != Some(&json!("2.0")) {
            return Err(format!("standard output holds what is no protocol: {line}"));
        }
    }
    if !lines.iter().any(|line| line.contains("\"id\":2") && line.contains("get_balance")) {
        return Err(format!("the list did not come after bad lines: {} {}", said.out, said.err));
    }
    for bad in ["", "admin", "read,sign", "prepare"] {
        let words: Vec<&str> = words.iter().copied().chain(["--bands", bad]).collect();
        let said = stage.programs.run_with("quorate", &words, input.as_bytes())?;
        if said.code == Some(0) || !said.out.is_empty() || said.err.is_empty() {
            return Err(format!("bands `{bad}` did not stop the start: {} {}", said.out, said.err));
        }
    }
    say::line(format!("clients: {} lines on stdio, all of them protocol (row 53)", lines.len()));
    Ok(5)
}
