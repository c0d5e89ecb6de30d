//! The whole HTTP door over a desk of tests, and clients of both revisions.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test root uses a part of the door, so nothing can be expected of all"
)]

#[path = "../api/office.rs"]
mod office;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use quorate_gateway::desk::Desk;
use quorate_gateway::http::{Allowed, Limits, Setup, router};
use quorate_gateway::limit::Rate;
use quorate_terms::credential::Band;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::common::FakeDesk;
use office::FakeOffice;

pub(crate) const OLD: &str = "2025-11-25";
pub(crate) const NEW: &str = "2026-07-28";
pub(crate) const ADDRESS: &str = "0x00000000000000000000000000000000000000Aa";

pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) desk: Arc<FakeDesk>,
    pub(crate) now: Arc<AtomicU64>,
}

/// A reply, with the JSON messages of its body or of its event stream.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) messages: Vec<Value>,
}

impl Reply {
    pub(crate) fn last(&self) -> &Value {
        self.messages.last().unwrap_or(&Value::Null)
    }

    pub(crate) fn check(&self, status: u16, rpc: i64) {
        assert_eq!(
            (self.status.as_u16(), self.last()["error"]["code"].as_i64()),
            (status, Some(rpc)),
            "{self:?}"
        );
    }

    pub(crate) fn complaint(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The object in a tool error.
    pub(crate) fn tool_error(&self) -> Value {
        let result = &self.last()["result"];
        assert_eq!(result["isError"], true, "{self:?}");
        assert!(result.get("structuredContent").is_none());
        serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
    }
}

pub(crate) fn app_with(stateful: bool, limits: Limits) -> App {
    let desk = Arc::new(FakeDesk::default());
    let now = Arc::new(AtomicU64::new(0));
    let hand = Arc::clone(&now);
    let setup = Setup {
        allowed: Allowed::new(["127.0.0.1:3000"], ["http://localhost:3000"]),
        public_url: "http://127.0.0.1:3000".into(),
        stateful,
        tokens: None,
        limits,
        clock: Arc::new(move || hand.load(Ordering::SeqCst)),
        ready: Arc::new(|| false),
        metrics: Arc::new(|| "quorate_cases 1\n".into()),
    };
    let as_desk: Arc<dyn Desk> = desk.clone();
    let office = Arc::new(FakeOffice::default());
    App { router: router(as_desk, office, Band::Broadcast, setup).unwrap(), desk, now }
}

pub(crate) fn app(stateful: bool) -> App {
    app_with(
        stateful,
        Limits { rate: Rate { burst: 10_000, ..Rate::default() }, ..Limits::default() },
    )
}

impl App {
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let whole = serde_json::from_str(&text).ok();
        let messages = match whole {
            Some(message) => vec![message],
            None => text
                .lines()
                .filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok())
                .collect(),
        };
        Reply { status: parts.status, headers: parts.headers, text, messages }
    }

    pub(crate) async fn post(&self, who: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        self.send(post(who, headers, body)).await
    }

    /// A call by the newer revision, with all that it demands.
    pub(crate) async fn modern(&self, who: &str, method: &str, params: Value) -> Reply {
        let name = params["name"].as_str().map(str::to_owned);
        let body = modern(method, params);
        let mut headers = vec![("mcp-protocol-version", NEW), ("mcp-method", method)];
        headers.extend(name.as_deref().map(|name| ("mcp-name", name)));
        self.post(who, &headers, &body.to_string()).await
    }

    pub(crate) async fn legacy(&self, who: &str, method: &str, params: Value) -> Reply {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.post(who, &[("mcp-protocol-version", OLD)], &body.to_string()).await
    }

    pub(crate) async fn open_session(&self, who: &str) -> Reply {
        let params = json!({ "protocolVersion": OLD, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        self.post(who, &[], &body.to_string()).await
    }
}

pub(crate) fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(NEW);
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "t", "version": "1" });
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

pub(crate) fn post(who: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::post("/mcp")
        .header("host", "127.0.0.1:3000")
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    if !who.is_empty() {
        request = request.header("authorization", format!("Bearer token-{who}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

pub(crate) fn get(path: &str) -> axum::http::request::Builder {
    Request::get(path).header("host", "127.0.0.1:3000")
}

pub(crate) fn send_arguments() -> Value {
    json!({ "wallet": "ops", "chain": "eip155:31337", "draft": "0".repeat(64), "idempotencyKey": "k",
        "confirmBroadcast": true })
}

pub(crate) fn names(reply: &Reply) -> Vec<String> {
    let tools = reply.last()["result"]["tools"].as_array().unwrap_or_else(|| panic!("{reply:?}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}
