//! MCP over HTTP, as small as it can be: one request, one answer, a bearer token.

use std::path::Path;

use serde_json::{Value, json};

use super::json_rpc::{Answered, post};
use crate::Done;
use crate::run;

/// A client of the HTTP door. It may be used by many threads at once.
#[derive(Clone)]
pub(crate) struct McpHttp {
    url: String,
    token: String,
}

impl McpHttp {
    /// A client at a loopback address, with the token of a file.
    pub(crate) fn new(address: &str, token_file: &str) -> Done<Self> {
        let token = run::read(Path::new(token_file))?.trim().to_owned();
        Ok(Self { url: format!("http://{address}/mcp"), token })
    }

    /// Calls a tool; `None` when the door asks for patience.
    pub(crate) fn try_call(&self, tool: &str, arguments: &Value) -> Done<Option<Value>> {
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let token = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", token.as_str()),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2025-11-25"),
        ];
        let Answered { status, text, .. } = post(&self.url, &headers, &body.to_string())?;
        if status == 429 || status == 503 {
            return Ok(None);
        }
        let message = message(&text).ok_or_else(|| format!("{tool}: {status} {text}"))?;
        let result = message.get("result").ok_or_else(|| format!("{tool}: {message}"))?;
        let content = result.get("structuredContent").or_else(|| result.get("content"));
        let content = content.cloned().ok_or_else(|| format!("{tool}: {message}"))?;
        if content.pointer("/category").and_then(Value::as_str) == Some("rate_limit") {
            return Ok(None);
        }
        Ok(Some(content))
    }

    /// Calls a tool, however long the door asks for patience.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Done<Value> {
        for _ in 0..1200 {
            if let Some(answer) = self.try_call(tool, arguments)? {
                return Ok(answer);
            }
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
        Err(format!("{tool}: the door asked for patience for five minutes"))
    }
}

/// The status with which a door answers a body under some headers.
pub(crate) fn http_status(url: &str, headers: &[(&str, &str)], body: &str) -> Done<u16> {
    Ok(post(url, headers, body)?.status)
}

/// The message in a body: plain JSON, or the last event of a stream.
fn message(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let data = text.lines().rev().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|line| serde_json::from_str(line.trim()).ok()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_from_a_body_and_from_a_stream() {
        assert_eq!(message("{\"a\":1}").unwrap()["a"], 1);
        assert_eq!(message("data:\n\nevent: message\ndata: {\"a\":2}\n\n").unwrap()["a"], 2);
        assert!(message("").is_none());
        assert!(message("data: nothing").is_none());
    }
}
