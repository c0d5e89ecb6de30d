//! `console_*`: how long the desk takes for a page of the console, over a bare JSON echo and the questions behind the page.
//!
//! The desk is the product's own process over a ledger of a million entries and some 140,000 cases; its cosigners are away.
//! The echo is a server of one line on the same stack; the questions are asked at the desk's control door. A page, the echo
//! and the questions are asked one after the other on connections that stay open, so that a busy machine slows all of them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its rows, and may end at the first surprise"
)]

#[path = "../../../crates/custody/tests/house/mod.rs"]
mod house;
mod ledger;
#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use house::{charter, id, secret};
use ledger::{Done, Ledger, founding};
use quorate_gateway::http::{Connections, serve};
use quorate_gateway::office::FileRequest;
use quorate_host::identity::Identity;
use quorate_host::link::{Limits, Link, Silent};
use quorate_host::random::Random;
use quorate_host::{secret_file, unix};
use quorate_terms::canonical::Term as _;
use quorate_terms::credential::{AgentCredential, Band, Role};
use quorate_terms::digest::tag;
use quorate_terms::intent::Action;
use quorate_terms::{CaseId, Digest, IdempotencyKey};
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use row::Measured;

const ENTRIES: u64 = 1_000_000;
/// Four transfers a second: the ledger ends before the present.
const PACE: (u64, u64) = (1, 4);
const ROUNDS: usize = 300;
const EVENTS: u32 = 50;
const TOKEN: &str = "qrt_bench";
/// How long the desk may take to open its doors.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> Done {
    let _already = rustls::crypto::ring::default_provider().install_default();
    // The desk takes no home that others may look into.
    let folder = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"))?;
    let doors = Doors { console: free()?, echo: echo().await? };
    write_home(folder.path(), &doors)?;
    let begun = Instant::now();
    let case = write_ledger(&folder.path().join("data").join("ledger.db")).await?;
    eprintln!("a ledger of {} entries in {:?}", entries(), begun.elapsed());
    let _desk = Desk::up(folder.path())?;
    let visitor = Visitor::signed_in(folder.path(), &doors).await?;
    let (one, entry) = (format!("/cases/{case}"), format!("/ledger/{}", entries() / 2));
    let status = ("desk.status", json!({}));
    let cases = |all, limit| ("desk.cases", json!({ "all": all, "limit": limit }));
    let book = |from, limit| ("desk.book", json!({ "from": from, "limit": limit }));
    let newest = ("desk.proof", json!({ "of": "newest" }));
    let of_entry = ("desk.proof", json!({ "of": "entry", "index": entries() / 2 }));
    let pages = [
        ("console_home", "/", vec![status.clone(), cases(false, 50), cases(true, 10)]),
        ("console_cases", "/cases", vec![status.clone(), cases(true, 25)]),
        ("console_case", &one, vec![status.clone(), ("desk.case", json!({ "case": case }))]),
        ("console_ledger", "/ledger", vec![status.clone(), book(entries() - 50, 50), newest]),
        ("console_entry", &entry, vec![status, book(entries() / 2, 1), of_entry]),
    ];
    let mut rows = Vec::new();
    for (name, page, questions) in pages {
        rows.push(visitor.measure(name, page, &questions).await?);
    }
    rows.push(visitor.event().await?);
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

/// So many as the one argument says.
fn entries() -> u64 {
    std::env::args().nth(1).map_or(ENTRIES, |number| number.parse().unwrap())
}

/// Where the console listens, and the bare server beside it.
struct Doors {
    console: SocketAddr,
    echo: SocketAddr,
}

fn free() -> Done<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A server that says back what it is asked, and nothing else.
async fn echo() -> Done<SocketAddr> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let says = |body: axum::Json<Value>| async move { body };
    let router = axum::Router::new().route("/", axum::routing::post(says));
    let (plain, never) = (|socket| std::future::ready(Ok(socket)), std::future::pending());
    tokio::spawn(serve(listener, plain, router, Connections::default(), never));
    Ok(address)
}

/// What a founding leaves, with keys that are known.
fn write_home(dir: &Path, doors: &Doors) -> Done {
    let random = Random::start()?;
    for folder in ["keys", "data"] {
        secret_file::make_dir(&dir.join(folder))?;
    }
    for (file, key) in [("log.seed", "log"), ("link.seed", "desk")] {
        let seed = URL_SAFE_NO_PAD.encode(secret(key).as_bytes());
        let line = format!("quorate-identity/1 {seed}\n");
        secret_file::create(&dir.join("keys").join(file), line.as_bytes(), random)?;
    }
    secret_file::create(&dir.join("charter.json"), &founding().to_canonical()?, random)?;
    let away: Vec<String> = charter()
        .cosigners
        .iter()
        .map(|seat| format!("\"{}\" = \"127.0.0.1:1\"", seat.cosigner))
        .collect();
    let text = format!(
        "charter = \"charter.json\"\ndata = \"data\"\nbook_listen = \"{}\"\nlog = \"json\"\n[cosigners]\n{}\n[chains]\n\
         [console]\nlisten = \"{}\"\n",
        free()?,
        away.join("\n"),
        doors.console,
    );
    secret_file::create(&dir.join("desk.toml"), text.as_bytes(), random)?;
    Ok(())
}

/// A person's credential that only looks, the one of this number.
fn credential(number: u32) -> AgentCredential {
    AgentCredential {
        credential: id(&format!("cred-{number}")),
        agent: id("console"),
        owner: id("p-olga"),
        band: Band::Read,
        wallets: std::collections::BTreeSet::new(),
        role: Some(Role::Auditor),
        token: Digest::of(tag::TOKEN, &number.to_be_bytes()),
        expires_at: house::NOON.plus_s(366 * 86_400),
    }
}

/// The ledger with a snapshot at its end; gives its newest case.
async fn write_ledger(path: &Path) -> Done<CaseId> {
    let mut ledger = Ledger::founded(path, founding()).await?;
    let credential =
        AgentCredential { token: Digest::of(tag::TOKEN, TOKEN.as_bytes()), ..credential(EVENTS) };
    ledger.house.administer(Action::IssueCredential { credential });
    ledger.take_up()?;
    ledger.grow(entries(), PACE).await?;
    ledger.keep_snapshot(&Identity::from_seed(secret("log").as_bytes())?).await?;
    let newest = ledger.house.book.cases_back(None).next().unwrap();
    ledger.store.close().await;
    Ok(newest)
}

/// The desk's process; ends with the bench.
struct Desk(Child);

impl Desk {
    fn up(dir: &Path) -> Done<Self> {
        let program = std::env::current_exe()?.with_file_name("../quorate");
        let mut up = Command::new(program);
        up.args(["up", "--dir"]).arg(dir).stdout(Stdio::null());
        up.stderr(std::fs::File::create(dir.join("desk.log"))?);
        Ok(Self(up.spawn()?))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// A method of the control door, and what it is asked.
type Question = (&'static str, Value);

/// Somebody with a session at the console, and beside it at the control door.
struct Visitor {
    client: Client,
    console: String,
    echo: String,
    cookie: String,
    desk: Link,
}

/// The end of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

impl Visitor {
    async fn signed_in(dir: &Path, doors: &Doors) -> Done<Self> {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let console = format!("http://{}", doors.console);
        let begun = Instant::now();
        let answer = loop {
            let ask = client.post(format!("{console}/sign-in")).header(ORIGIN, &console);
            let form = ask.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            match form.body(format!("token={TOKEN}")).send().await {
                Ok(answer) => break answer,
                Err(error) if begun.elapsed() > PATIENCE => {
                    let log = std::fs::read_to_string(dir.join("desk.log"))?;
                    return Err(format!("{error}; the desk's log ends so: {}", tail(&log)).into());
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        };
        assert!(answer.headers().contains_key(LOCATION), "not signed in: {}", answer.status());
        let cookie = answer.headers()[SET_COOKIE].to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let socket = dir.join("run").join("desk.sock");
        let desk = unix::connect(&socket, Arc::new(Silent), Limits::default()).await?;
        let echo = format!("http://{}/", doors.echo);
        Ok(Self { client, console, echo, cookie, desk })
    }

    /// The median time of a page over that of an echo and its questions.
    async fn measure(&self, name: &str, page: &str, questions: &[Question]) -> Done<Measured> {
        let (mut pages, mut bare) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS + ROUNDS / 10 {
            let page = format!("{}{page}", self.console);
            let taken = timed(self.client.get(page).header(COOKIE, &self.cookie)).await?;
            let mut answered = timed(self.client.post(&self.echo).json(&json!({ "a": 1 }))).await?;
            for question in questions {
                answered += self.asked(question).await?;
            }
            // The first rounds warm both and are not counted.
            if round >= ROUNDS / 10 {
                pages.push(taken);
                bare.push(answered);
            }
        }
        let (value, baseline) = (median(pages), median(bare));
        let is_met = |value: f64, ratio: f64| value < 5.0 && ratio <= 2.0;
        let n = u64::try_from(ROUNDS)?;
        let target = ("< 5 ms and <= 2x", &is_met as &dyn Fn(f64, f64) -> bool);
        Ok(Measured::new(name, (value, "ms"), Some(baseline), target, n))
    }

    /// The median time from filing something to an open page's being told; the baseline is the filing itself, which ends
    /// with its commit.
    async fn event(&self) -> Done<Measured> {
        let (mut told, mut filed) = (Vec::new(), Vec::new());
        for number in 0..EVENTS {
            let page = self.client.get(format!("{}/events", self.console));
            let mut page = page.header(COOKIE, &self.cookie).send().await?;
            let action = Action::IssueCredential { credential: credential(number) };
            let key = IdempotencyKey::new(format!("00000000-0000-4000-8000-{number:012}"))?;
            let ask = FileRequest { person: id("p-olga"), key, action, openings: Vec::new() };
            let question = ("desk.file", serde_json::to_value(&ask)?);
            let begun = Instant::now();
            let heard = async {
                let mut text = String::new();
                while !text.contains("changed") {
                    let piece = page.chunk().await?.ok_or("the desk said no more")?;
                    text.push_str(&String::from_utf8_lossy(&piece));
                }
                Done::Ok(begun.elapsed().as_secs_f64() * 1e3)
            };
            let (heard, asked) = tokio::join!(heard, self.asked(&question));
            told.push(heard?);
            filed.push(asked?);
        }
        let is_met = |value: f64, _| value < 100.0;
        let target = ("< 100 ms", &is_met as &dyn Fn(f64, f64) -> bool);
        let (value, baseline) = ((median(told), "ms"), Some(median(filed)));
        Ok(Measured::new("console_event", value, baseline, target, u64::from(EVENTS)))
    }

    /// Milliseconds until a question to the book was answered.
    async fn asked(&self, (method, ask): &Question) -> Done<f64> {
        let begun = Instant::now();
        let answer = self.desk.call(method, serde_json::to_vec(ask)?, PATIENCE).await?;
        let taken = begun.elapsed().as_secs_f64() * 1e3;
        let answer: Value = serde_json::from_slice(&answer)?;
        match answer.get("Ok") {
            Some(_) => Ok(taken),
            None => Err(format!("{method}: {answer}").into()),
        }
    }
}

/// Milliseconds until the whole answer was there.
async fn timed(ask: reqwest::RequestBuilder) -> Done<f64> {
    let begun = Instant::now();
    let answer = ask.send().await?;
    let (status, url) = (answer.status(), answer.url().clone());
    let body = answer.bytes().await?;
    let taken = begun.elapsed().as_secs_f64() * 1e3;
    match status {
        StatusCode::OK => Ok(taken),
        _ => Err(format!("{url}: {status}: {}", String::from_utf8_lossy(&body)).into()),
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
