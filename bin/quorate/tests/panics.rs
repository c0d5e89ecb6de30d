//! A panic inside the process of the stdio door: answered under its request, and never a byte of it on standard output.
//!
//! The product has no switch that makes it panic, and shall have none. So the process is this program, started by itself; it
//! serves as `quorate mcp` does, by the same [`serve_process`] on the real standard streams with the same place for what
//! panics say, at a desk whose code breaks in each part of a call.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test stops at whatever surprises it"
)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use quorate_gateway::answer::Answer;
use quorate_gateway::desk::{Alarm, Caller, Desk, Progress};
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::limit::{Limiter, Rate};
use quorate_gateway::question::Question;
use quorate_gateway::stdio::serve_process;
use quorate_host::{SystemClock, telemetry};
use quorate_terms::Digest;
use quorate_terms::credential::Band;
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

/// How this program is told to be the door.
const DOOR: &str = "--be-the-door";
/// What is tested here.
const TEST: &str = "a_panic_in_the_doors_own_process_is_answered_and_stays_off_its_output";
/// What a panic says, and nobody may hear.
const SAID: &str = "broken on purpose: qrt_a-secret";

/// Which part of the next call breaks.
#[derive(Default)]
struct Breaking(Arc<AtomicU8>);

const NOTHING: u8 = 0;
const AUTHENTICATION: u8 = 1;
const CLOCK: u8 = 2;

#[async_trait]
impl Desk for Breaking {
    async fn authenticate(&self, _: Digest) -> Option<Caller> {
        if self
            .0
            .compare_exchange(AUTHENTICATION, NOTHING, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
        {
            panic!("{SAID}");
        }
        let (credential, agent) = ("bot-1".parse().ok()?, "bot".parse().ok()?);
        let wallets = BTreeSet::from(["ops".parse().ok()?]);
        let owner = "op".parse().ok()?;
        Some(Caller { credential, agent, band: Band::Broadcast, wallets, owner, role: None })
    }

    async fn ask(&self, _: &Caller, question: Question, _: Progress) -> Result<Answer, Complaint> {
        let Question::GetCase { case } = question else {
            return Err(Complaint::new(Code::NotConfigured, "this desk has cases only"));
        };
        match case.to_string().as_bytes()[0] {
            b'1' => panic!("{SAID}"),
            // On another task, and in a value that is no text.
            b'2' => tokio::spawn(async { std::panic::panic_any(7_u8) }).await.unwrap(),
            b'3' => self.0.store(AUTHENTICATION, Ordering::SeqCst),
            b'4' => self.0.store(CLOCK, Ordering::SeqCst),
            _ => {}
        }
        Err(Complaint::new(Code::CaseNotFound, "no such case"))
    }

    async fn alarm(&self, _: Alarm) {}
}

/// The process of the door, put together as `quorate mcp` is.
fn door(level: LevelFilter) {
    telemetry::start(telemetry::Format::Text, level, SystemClock::shared()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let desk = Breaking::default();
    let breaks = Arc::clone(&desk.0);
    let clock = Arc::new(move || {
        if breaks.compare_exchange(CLOCK, NOTHING, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            panic!("{SAID}");
        }
        0
    });
    let limiter = Arc::new(Limiter::new(Rate::default(), clock));
    let served = serve_process(Arc::new(desk), Band::Broadcast, Digest::ZERO, limiter);
    runtime.block_on(served).unwrap();
}

fn call(id: u64, digit: &str) -> Value {
    let call = json!({ "name": "get_case", "arguments": { "case": digit.repeat(64) } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call })
}

/// Each message once the one before is answered, so that what breaks in the next call is certain: the answers, any lines
/// after them, and what was said beside them.
fn talk(messages: &[Value], level: LevelFilter) -> (Vec<Value>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(DOOR).arg(level.to_string()).env("RUST_BACKTRACE", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let (output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let aside = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        text
    });
    let mut heard = BufReader::new(output).lines().map(|line| {
        let line = line.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    });
    let mut answers: Vec<Value> = Vec::new();
    for message in messages {
        writeln!(input, "{message}").unwrap();
        if message.get("id").is_some() {
            answers.extend(heard.next());
        }
    }
    drop(input);
    answers.extend(heard);
    let aside = aside.join().unwrap();
    assert!(child.wait().unwrap().success(), "{aside}");
    (answers, aside)
}

/// Whatever it says of itself, it says beside its output.
fn check(level: LevelFilter) {
    let client = json!({ "name": "t", "version": "1" });
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let mut messages = vec![
        json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    ];
    let digits = ["1", "5", "2", "5", "3", "5", "5", "4", "5", "5", "1", "5"];
    messages.extend((1..).zip(digits).map(|(id, digit)| call(id, digit)));
    let (answers, aside) = talk(&messages, level);
    let answered: BTreeSet<u64> = answers.iter().map(|a| a["id"].as_u64().unwrap()).collect();
    assert_eq!(answered, (0..=12).collect(), "each is answered under its own id: {answers:?}");
    let mut broke = 0;
    for answer in answers.iter().filter(|answer| answer["id"] != 0) {
        let text = answer["result"]["content"][0]["text"].as_str();
        let complaint: Value = serde_json::from_str(text.unwrap_or_default())
            .unwrap_or_else(|_| answer["error"]["data"].clone());
        let request = complaint["requestId"].as_str().unwrap_or_default();
        assert!(request.starts_with("req-"), "{answer}");
        assert!(!answer.to_string().contains("purpose"), "{answer}");
        broke += u32::from(complaint["code"] == "INTERNAL");
    }
    // Three in the asking, one in the authentication, one in the limiter's clock.
    assert_eq!(broke, 5, "{answers:?}");
    // Operators read where it broke. What a panic says may hold what nobody shall read.
    assert!(aside.matches("tests/panics.rs:").count() >= 5, "{aside}");
    assert!(!aside.contains("purpose"), "{aside}");
}

/// Speaks what test runners expect of a program of tests: it lists its one test, or runs it.
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let told = |word: &str| words.iter().any(|given| given == word);
    if told(DOOR) {
        door(words[1].parse().unwrap());
    } else if !told("--list") {
        check(LevelFilter::WARN);
        check(LevelFilter::TRACE);
        println!("test {TEST} ... ok");
    } else if !told("--ignored") {
        println!("{TEST}: test");
    }
}
