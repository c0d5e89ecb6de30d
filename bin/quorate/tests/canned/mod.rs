//! A desk of canned answers on a real control socket, with the status and the case that it tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use quorate_host::link::{BoxFuture, Handler, Limits, Refused, Request, Sink};
use quorate_host::unix::Control;
use quorate_terms::Term as _;
use quorate_terms::charter::CharterText;
use serde_json::{Value, json};

use crate::common::{Done, House, run};

/// The digit of the case on which the desk breaks.
pub(crate) const BREAKS: &str = "0";

/// A desk that answers each method with one canned value, and remembers what it was asked.
struct Canned {
    answers: BTreeMap<&'static str, Value>,
    asked: Mutex<Vec<(String, Value)>>,
}

impl Handler for Canned {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        let body = serde_json::from_slice(&request.body).unwrap();
        self.asked.lock().unwrap().push((request.method.clone(), body));
        let answer = self.answers.get(request.method.as_str()).cloned();
        Box::pin(async move {
            let answer = answer.ok_or_else(|| Refused::new("unknown_method", "not canned"))?;
            Ok(serde_json::to_vec(&answer).unwrap())
        })
    }

    /// A question of the stdio door. The desk breaks on a case of [`BREAKS`].
    fn stream(&self, request: Request, sink: Sink) -> BoxFuture<'_, Result<(), Refused>> {
        let asked = String::from_utf8(request.body).unwrap();
        let answer = self.answers.get(request.method.as_str()).cloned();
        Box::pin(async move {
            if asked.contains(&BREAKS.repeat(64)) {
                std::panic::resume_unwind(Box::new("the canned desk breaks here on purpose"));
            }
            let part = serde_json::to_vec(&answer.unwrap()).unwrap();
            drop(sink.send(part).await);
            Ok(())
        })
    }
}

/// A founded vault and its desk.
pub(crate) struct Desk {
    pub(crate) house: House,
    _runtime: tokio::runtime::Runtime,
    canned: Arc<Canned>,
    _control: Control,
}

impl Desk {
    /// A founded vault whose desk gives these answers.
    pub(crate) fn new(answers: &[(&'static str, Value)]) -> Self {
        Self::found(answers, |_| ())
    }

    /// The same, with a status in which something is broken.
    pub(crate) fn telling(broken: impl FnOnce(&mut Value)) -> Self {
        Self::found(&[], broken)
    }

    fn found(answers: &[(&'static str, Value)], broken: impl FnOnce(&mut Value)) -> Self {
        let house = House::new();
        assert!(house.init(&[]).ok());
        let mut status = status(&house.desk());
        broken(&mut status);
        let mut all = BTreeMap::from([
            ("desk.status", json!({ "Ok": status })),
            ("desk.names", json!({ "Ok": {} })),
        ]);
        all.extend(answers.iter().cloned());
        let canned = Arc::new(Canned { answers: all, asked: Mutex::default() });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let entered = runtime.enter();
        let socket = house.desk().join("run/desk.sock");
        let handler: Arc<dyn Handler> = Arc::<Canned>::clone(&canned);
        let control = Control::bind(&socket, handler, Limits::default()).unwrap();
        drop(entered);
        Self { house, _runtime: runtime, canned, _control: control }
    }

    /// Runs `quorate` against this desk.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        let dir = self.house.desk().display().to_string();
        run(&[args, &["--dir", &dir]].concat())
    }

    /// What it was asked by a method, in order.
    pub(crate) fn asked(&self, method: &str) -> Vec<Value> {
        let asked = self.canned.asked.lock().unwrap();
        asked.iter().filter(|(name, _)| name == method).map(|(_, body)| body.clone()).collect()
    }
}

/// The account of the wallet `ops`.
pub(crate) const ACCOUNT: &str = "eip155:31337:0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

fn status(dir: &Path) -> Value {
    let text = CharterText::from_canonical(&fs::read(dir.join("charter.json")).unwrap()).unwrap();
    json!({
        "vault": text.vault, "charter": text.digest().unwrap(),
        "policy": [text.policy.digest().unwrap(), 1],
        "policy_document": text.policy, "charter_text": text,
        "size": 7, "checkpoint": null,
        "cosigners": [
            { "cosigner": "c1", "up": true, "size": 7, "clock_offset_ms": 3, "trouble": null },
            { "cosigner": "c2", "up": false, "size": null, "clock_offset_ms": null, "trouble": null },
        ],
        "chains": { "eip155:31337": { "Ok": 12 } },
        "wallets": [{
            "wallet": "ops", "accounts": { "eip155:31337": ACCOUNT },
            "holders": ["c1", "c2"], "backups": ["c1"], "barred": null,
        }],
        "freezes": { "1".repeat(64): { "scope": "wallet", "wallet": "ops" } },
        "alerts": [{
            "alert": "3".repeat(64), "rule": "clock_skew", "severity": "low", "subject": "cosigner:c1",
            "raised_at": 1_699_999_000_000_u64, "taken_by": null,
        }],
        "voids": [], "open_cases": 1, "now": 1_700_000_000_000_u64, "writes": true,
        "credentials": [{
            "credential": "bot-1", "agent": "bot", "owner": "op", "band": "sign", "wallets": ["ops"],
            "expires_at": 1_800_000_000_000_u64, "revoked": false,
        }],
    })
}

/// A case in a state.
pub(crate) fn case(state: Value) -> Value {
    json!({
        "case": "ab".repeat(32), "kind": "transfer", "requester": "operator", "state": state,
        "filed_at": 1_700_000_000_000_u64, "expires_at": 1_700_000_100_000_u64,
        "judgment": { "answer": "require", "quorums": ["treasury"], "reasons": [{
            "rule": "rule:large", "code": "quorum", "message": "large transfers take the treasury",
            "next": "wait for approvals",
        }] },
        "tallies": [{ "quorum": "treasury", "need": 2, "counted": ["ann"] }],
        "summary": "1 ETH to \u{1b}[31mmallory\nforged line", "wallet": "ops",
        "txid": null, "reason": null, "outcome": null,
    })
}
