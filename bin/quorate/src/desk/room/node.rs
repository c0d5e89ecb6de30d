//! A chain node over HTTP that takes everything and mines when it is told to.

use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::chain::Chain;
use super::super::engine::house::*;

/// What it has seen.
#[derive(Default)]
pub(in crate::desk) struct Node {
    state: Mutex<State>,
    gate: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Every request as it came: its heads and its body.
    heard: Vec<String>,
    sent: Vec<String>,
    known: Vec<String>,
    mined: u64,
    /// Whether it answers nothing that makes sense.
    away: bool,
    /// Whether its tokens tell no balance.
    bad_tokens: bool,
}

impl Node {
    pub(super) async fn start() -> (Arc<Self>, Chain) {
        let node = Arc::new(Self::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&node);
        let answer = move |heads: HeaderMap, body: String| {
            let shared = Arc::clone(&shared);
            async move {
                drop(shared.gate.lock().await);
                shared.state.lock().unwrap().heard.push(format!("{heads:?}\n{body}"));
                Json(shared.answer(&serde_json::from_str(&body).unwrap()))
            }
        };
        let app = Router::new().route("/", post(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let chain = Chain::connect(&id(CHAIN), &format!("http://{address}/")).unwrap();
        (node, chain)
    }

    /// One more transaction of the wallet is in a block.
    pub(super) fn mined(&self) {
        self.state.lock().unwrap().mined += 1;
    }

    /// From now on it answers nothing that makes sense, or does again.
    pub(super) fn goes_away(&self, away: bool) {
        self.state.lock().unwrap().away = away;
    }

    /// As long as this is held it answers nothing at all.
    pub(super) async fn hangs(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.gate.lock().await
    }

    /// From now on each of its tokens tells nothing where it should tell a balance.
    pub(super) fn breaks_tokens(&self) {
        self.state.lock().unwrap().bad_tokens = true;
    }

    /// Everything that it was asked, with the heads of each request.
    pub(super) fn heard(&self) -> Vec<String> {
        self.state.lock().unwrap().heard.clone()
    }

    /// Different transactions that it was given.
    pub(in crate::desk) fn taken(&self) -> usize {
        self.state.lock().unwrap().known.len()
    }

    fn answer(&self, ask: &Value) -> Value {
        let mut state = self.state.lock().unwrap();
        let result = match ask["method"].as_str().unwrap() {
            _ if state.away => Value::Null,
            "eth_call" if state.bad_tokens => json!("0x"),
            "eth_call" if is_balance(&ask["params"][0]) => json!(format!("0x{:064x}", 5_000_000)),
            "eth_chainId" => json!("0x7a69"),
            "eth_blockNumber" => json!("0x9"),
            "eth_getBlockByNumber" => json!({
                "number": "0x9", "timestamp": "0x1", "baseFeePerGas": "0x64", "transactions": [],
            }),
            "eth_maxPriorityFeePerGas" => json!("0xa"),
            "eth_estimateGas" => json!("0x5208"),
            "eth_getBalance" => json!("0xffffffffffffffff"),
            "eth_getTransactionCount" => json!(format!("{:#x}", state.mined)),
            "eth_sendRawTransaction" => {
                let raw = ask["params"][0].as_str().unwrap().to_owned();
                if !state.known.contains(&raw) {
                    state.known.push(raw.clone());
                }
                state.sent.push(raw);
                json!("0x00")
            }
            "eth_getTransactionByHash" => json!({ "hash": ask["params"][0] }),
            "eth_getLogs" => json!([]),
            "eth_simulateV1" => simulated(&ask["params"][0]["blockStateCalls"][0]["calls"][0]),
            _ => Value::Null,
        };
        json!({ "jsonrpc": "2.0", "id": 1, "result": result })
    }
}

/// Whether a call asks a token's contract what somebody holds.
fn is_balance(call: &Value) -> bool {
    call["data"].as_str().is_some_and(|data| data.starts_with("0x70a08231"))
}

/// A payment of the chain's own coin that goes through, with its one traced transfer.
fn simulated(call: &Value) -> Value {
    let topic = |name: &str| {
        let address = call[name].as_str().unwrap().to_ascii_lowercase();
        format!("0x{:0>64}", address.trim_start_matches("0x"))
    };
    let units = format!("0x{:0>64}", call["value"].as_str().unwrap().trim_start_matches("0x"));
    let transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
    let log = json!({
        "address": "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
        "topics": [transfer, topic("from"), topic("to")],
        "data": units,
    });
    let done = json!({ "returnData": "0x", "logs": [log], "gasUsed": "0x5208", "status": "0x1" });
    json!([{ "number": "0xa", "calls": [done] }])
}
