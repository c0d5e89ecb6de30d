//! The stdio door: one message a line, nothing else, whatever comes in.
#![cfg(test)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{FakeDesk, token_of};
use proptest::prelude::*;
use quorate_gateway::answer::Answer;
use quorate_gateway::desk::{Alarm, Caller, Desk, Progress};
use quorate_gateway::door::Door;
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::limit::{Limiter, Rate};
use quorate_gateway::question::Question;
use quorate_gateway::stdio::serve;
use quorate_terms::Digest;
use quorate_terms::credential::Band;
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};

const OLD: &str = "2025-11-25";
const NEW: &str = "2026-07-28";

struct Client {
    out: WriteHalf<DuplexStream>,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    desk: Arc<FakeDesk>,
    serving: tokio::task::JoinHandle<()>,
}

fn limiter() -> Arc<Limiter> {
    Arc::new(Limiter::new(Rate::default(), Arc::new(|| 0)))
}

async fn client_under(who: &str, ceiling: Band) -> Client {
    let desk = Arc::new(FakeDesk::default());
    let as_desk: Arc<dyn Desk> = desk.clone();
    Client { desk, ..client_of(as_desk, who, ceiling).await }
}

async fn client_of(desk: Arc<dyn Desk>, who: &str, ceiling: Band) -> Client {
    let door = Door::for_process(desk, ceiling, token_of(who), limiter()).await.unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (reader, writer) = tokio::io::split(theirs);
    let serving = tokio::spawn(async move {
        let _ = serve(door, reader, writer).await;
    });
    let (read, out) = tokio::io::split(ours);
    Client { out, lines: BufReader::new(read).lines(), desk: Arc::default(), serving }
}

async fn client(who: &str) -> Client {
    client_under(who, Band::Broadcast).await
}

impl Client {
    async fn raw(&mut self, bytes: &[u8]) {
        self.out.write_all(bytes).await.unwrap();
        self.out.write_all(b"\n").await.unwrap();
    }

    async fn send(&mut self, message: Value) {
        self.raw(message.to_string().as_bytes()).await;
    }

    /// The next line. Whatever it is, it is one JSON-RPC message.
    async fn next(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    async fn initialize(&mut self) -> Value {
        let params = json!({ "protocolVersion": OLD, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        self.send(json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }))
            .await;
        let reply = self.next().await;
        self.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        reply
    }

    async fn ask(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        loop {
            let message = self.next().await;
            if message["id"] == id {
                return message;
            }
        }
    }

    /// Ends the input and returns what was still said.
    async fn end(mut self) -> Vec<Value> {
        self.out.shutdown().await.unwrap();
        let mut rest = Vec::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        self.serving.await.unwrap();
        rest
    }
}

fn modern(id: u32, method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(NEW);
    params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "t", "version": "1" });
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

#[tokio::test]
async fn the_older_revision_is_spoken_after_a_handshake() {
    let mut client = client("sign").await;
    let opened = client.initialize().await;
    assert_eq!(opened["result"]["protocolVersion"], OLD);
    assert_eq!(opened["result"]["serverInfo"]["name"], "quorate");
    let listed = client.ask(1, "tools/list", json!({})).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 15);
    assert!(client.end().await.is_empty());
}

#[tokio::test]
async fn the_newer_revision_is_spoken_without_one() {
    let mut client = client("broadcast").await;
    client.send(modern(1, "server/discover", json!({}))).await;
    assert_eq!(client.next().await["result"]["supportedVersions"], json!([OLD, NEW]));
    client.send(modern(2, "tools/list", json!({}))).await;
    let listed = client.next().await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 16);
    assert_eq!(listed["result"]["resultType"], "complete");
    assert!(client.end().await.is_empty());
}

#[tokio::test]
async fn row_53_nothing_but_messages_comes_out_whatever_goes_in() {
    let mut client = client("broadcast").await;
    client.initialize().await;
    let long = vec![b'x'; 400_000];
    let bad: [&[u8]; 8] = [
        b"hello",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"a\"}",
        b"{\"jsonrpc\":\"2.0\",\"id\":9,\"id\":9,\"method\":\"tools/list\"}",
        &long,
        b"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":7}}",
    ];
    for line in bad {
        client.raw(line).await;
        let reply = client.next().await;
        assert!(reply["error"]["code"].is_i64(), "{reply}");
        assert_ne!(reply.get("id"), Some(&Value::Null), "no null id");
    }
    client.raw(b"").await;
    client.raw(b"   ").await;
    // The fake desk panics here.
    let call = json!({ "name": "get_receipt", "arguments": { "case": "0".repeat(64) } });
    let reply = client.ask(6, "tools/call", call).await;
    assert!(
        reply["result"]["content"][0]["text"].as_str().unwrap().contains("INTERNAL"),
        "{reply}"
    );
    let listed = client.ask(7, "tools/list", json!({})).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 16, "still served");
    assert!(client.end().await.is_empty());
}

/// A desk with a bug outside of answering: it breaks while it recognises who asks, in every second call.
#[derive(Default)]
struct Fragile {
    desk: FakeDesk,
    recognised: AtomicUsize,
}

#[async_trait::async_trait]
impl Desk for Fragile {
    async fn authenticate(&self, token: Digest) -> Option<Caller> {
        if self.recognised.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
            std::panic::resume_unwind(Box::new("the fragile desk breaks here on purpose"));
        }
        self.desk.authenticate(token).await
    }

    async fn ask(
        &self,
        caller: &Caller,
        question: Question,
        progress: Progress,
    ) -> Result<Answer, Complaint> {
        self.desk.ask(caller, question, progress).await
    }

    async fn alarm(&self, alarm: Alarm) {
        self.desk.alarm(alarm).await;
    }
}

#[tokio::test]
async fn row_53_a_panic_anywhere_in_a_call_is_an_answer_with_a_request_id_and_others_are_served() {
    let fragile: Arc<dyn Desk> = Arc::new(Fragile::default());
    let mut client = client_of(fragile, "broadcast", Band::Broadcast).await;
    client.initialize().await;
    let call = json!({ "name": "get_wallet_address", "arguments": { "wallet": "ops", "chain": "eip155:31337" } });
    for id in 1..=6 {
        let reply = client.ask(id, "tools/call", call.clone()).await;
        let breaks = id % 2 == 1;
        assert_eq!(reply["result"]["isError"] == true, breaks, "{id}: {reply}");
        if breaks {
            let text = reply["result"]["content"][0]["text"].as_str().unwrap();
            let complaint: Complaint = serde_json::from_str(text).unwrap();
            assert_eq!(complaint.code, Code::Internal);
            assert!(complaint.request_id.starts_with("req-"), "{text}");
            assert!(!text.contains("on purpose"), "what a panic says stays inside");
        }
    }
    assert!(client.end().await.is_empty());
}

#[tokio::test]
async fn after_a_cancellation_nothing_more_is_said_for_that_id() {
    let mut client = client("broadcast").await;
    client.send(modern(1, "server/discover", json!({}))).await;
    client.next().await;
    // The fake desk never answers this one.
    client
        .send(modern(
            7,
            "tools/call",
            json!({ "name": "get_case", "arguments": { "case": "0".repeat(64) } }),
        ))
        .await;
    client.send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } })).await;
    client.send(modern(8, "tools/list", json!({}))).await;
    assert_eq!(client.next().await["id"], 8);
    let rest = client.end().await;
    assert!(rest.iter().all(|message| message["id"] != 7), "{rest:?}");
}

#[tokio::test]
async fn an_unknown_credential_stops_the_start() {
    let desk: Arc<dyn Desk> = Arc::new(FakeDesk::default());
    let door = Door::for_process(desk, Band::Broadcast, token_of("nobody"), limiter()).await;
    assert_eq!(door.err().map(|complaint| complaint.code), Some(Code::CredentialInvalid));
}

#[tokio::test]
async fn a_person_s_credential_opens_no_door_for_agents() {
    let desk: Arc<dyn Desk> = Arc::new(FakeDesk::default());
    let door = Door::for_process(desk, Band::Broadcast, token_of("person"), limiter()).await;
    assert_eq!(door.err().map(|complaint| complaint.code), Some(Code::CredentialInvalid));
}

#[tokio::test]
async fn the_ceiling_of_the_process_binds_the_credential() {
    let mut client = client_under("broadcast", Band::Read).await;
    client.initialize().await;
    let listed = client.ask(1, "tools/list", json!({})).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 10);
    let reply =
        client.ask(2, "tools/call", json!({ "name": "send_transaction", "arguments": {} })).await;
    assert_eq!(reply["error"]["code"], -32602);
}

#[tokio::test]
async fn a_credential_revoked_meanwhile_is_refused_at_the_next_call() {
    let mut client = client("read").await;
    client.initialize().await;
    client.desk.revoked.store(true, Ordering::SeqCst);
    let reply = client.ask(1, "tools/call", json!({ "name": "list_cases", "arguments": {} })).await;
    assert!(reply["result"]["content"][0]["text"].as_str().unwrap().contains("CREDENTIAL_INVALID"));
    assert!(client.desk.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn row_59_a_loop_over_stdio_meets_the_same_bounds() {
    let mut client = client("read").await;
    client.initialize().await;
    let mut refused = 0;
    for id in 1..200 {
        let reply =
            client.ask(id, "tools/call", json!({ "name": "list_cases", "arguments": {} })).await;
        refused += usize::from(reply["result"]["isError"] == true);
    }
    assert_eq!((refused, client.desk.asked.lock().unwrap().len()), (139, 60));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn row_53_arbitrary_lines_never_break_the_stream(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut client = client("read").await;
            client.initialize().await;
            for line in lines {
                client.raw(&line).await;
            }
            let listed = client.ask(99, "tools/list", json!({})).await;
            assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 10);
        });
    }
}
