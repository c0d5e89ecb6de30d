//! `assess_million`, `assess_memory`, `assess_entry`: every control that a machine decides, over a million entries.
//!
//! Entries have the form of real ones: transfers by a program, approved, checked by three parties, signed, seen and settled, with
//! the rounds of the machines between them. They are made a page at a time between measurements, because a reader holds no more
//! than a page either. Timed is what `quorate-assessor assess` does with them on one core: chain and tree verified, what queries
//! read loaded into tables, and each control of each standard asked. The baseline is the verification alone. Then one new entry
//! at a time is loaded, and the controls that read its kind are asked again.
#![expect(dead_code, reason = "the assessor's own modules, of which a bench uses a part")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reads a clock, prints its rows, and may end at the first surprise"
)]

/// The assessor's own modules, and nothing else of it.
#[path = "../src"]
mod parts {
    pub(crate) mod book;
    pub(crate) mod engine;
    pub(crate) mod home;
    pub(crate) mod library;
    pub(crate) mod trouble;
    pub(crate) mod trust;
}
#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use quorate_assessor::assess::{self, Question};
use quorate_assessor::finding::{Finding, Period, State};
use quorate_assessor::standard::ControlKey;
use quorate_ledger::chain::entry_digest;
use quorate_ledger::{BookVerifier, Checkpoint, Frontier, hash};
use quorate_terms::{Digest, Timestamp};
use serde_json::{Value as Json, json};

use parts::engine::{Engine, Near, Reads};
use parts::library::Shelf;
use parts::{book, home, library, trouble, trust};
use row::Measured;

const ENTRIES: u64 = 1_000_000;
const PAGE: u64 = 4096;
const VAULT: &str = "house";
/// The first entry's time, and between one entry and the next: a million fill the year before the assessment.
const BEGAN: u64 = 1_767_787_200_000;
const STEP_MS: u64 = 30_000;
/// New entries of each kind that are measured.
const ROUNDS: u64 = 5;

type Done<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Done {
    let shelf = library::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../standards"))
        .map_err(|trouble| format!("{trouble} {:?}", trouble.problems))?;
    let mut engine = Engine::new(shelf.model.clone(), &shelf.views)?;
    let readers = readers(&shelf, &engine);
    for reads in readers.values() {
        engine.want(reads.clone());
    }
    let mut writer = Writer { next: 0, prev: Digest::ZERO };
    let (verifying, loading) = take_in(&mut writer, &engine)?;
    let begun = Instant::now();
    let found = assess_all(&shelf, &engine, &shelf.library.decisions.keys().collect());
    let asking = begun.elapsed();
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    found.values().for_each(|finding| *states.entry(finding.state).or_default() += 1);
    eprintln!("verified in {verifying:?}, loaded in {loading:?}, asked in {asking:?}: {states:?}");
    let encoded = shelf.library.decisions.values().filter(|d| d.is_encoded()).count();
    if states.values().sum::<usize>() != shelf.library.decisions.len() || encoded < 50 {
        return Err("not every control was asked".into());
    }
    let memory = peak_mib()?;
    let mut again = again((&shelf, &engine), &readers, &found, &mut writer)?;
    again.sort();
    let median = again[again.len() / 2];
    let cold = verifying + loading + asking;
    let under = |limit: f64| move |value: f64, _: f64| value < limit;
    let rows = [
        Measured::new(
            "assess_million",
            (cold.as_secs_f64(), "s"),
            Some(verifying.as_secs_f64()),
            ("< 30 s", &under(30.0)),
            ENTRIES,
        ),
        Measured::new("assess_memory", (memory, "MiB"), None, ("< 500 MiB", &under(500.0)), 1),
        Measured::new(
            "assess_entry",
            (median.as_secs_f64() * 1000.0, "ms"),
            None,
            ("< 200 ms", &under(200.0)),
            u64::try_from(again.len())?,
        ),
    ];
    println!("{}", row::as_json(&rows)?);
    Ok(())
}

/// What each control reads.
fn readers(shelf: &Shelf, engine: &Engine) -> BTreeMap<ControlKey, Reads> {
    let reads = |decision: &quorate_assessor::standard::Decision| {
        let queries = [&decision.population, &decision.exceptions, &decision.unknown];
        let mut all = Reads::new();
        for (kind, columns) in queries.into_iter().flatten().flat_map(|q| engine.reads(q).unwrap())
        {
            all.entry(kind).or_default().extend(columns);
        }
        all
    };
    shelf.library.decisions.iter().map(|(key, decision)| (key.clone(), reads(decision))).collect()
}

/// Verifies and loads, page by page. Gives the time for each.
fn take_in(writer: &mut Writer, engine: &Engine) -> Done<(Duration, Duration)> {
    let mut verifier = BookVerifier::new(VAULT);
    let mut frontier = Frontier::new();
    let (mut verifying, mut loading) = (Duration::ZERO, Duration::ZERO);
    engine.batch(true)?;
    while writer.next < ENTRIES {
        let first = writer.next;
        let page = writer.page(PAGE.min(ENTRIES - first));
        page.iter().for_each(|entry| frontier.append(hash::leaf(entry)));
        let begun = Instant::now();
        page.iter().try_for_each(|entry| verifier.push(entry))?;
        verifying += begun.elapsed();
        let begun = Instant::now();
        (first..).zip(&page).try_for_each(|(index, entry)| load(engine, (index, entry)))?;
        loading += begun.elapsed();
    }
    let begun = Instant::now();
    engine.batch(false)?;
    loading += begun.elapsed();
    let head = Checkpoint { origin: "bench".to_owned(), size: ENTRIES, root: frontier.root() };
    let begun = Instant::now();
    verifier.finish(&head)?;
    Ok((verifying + begun.elapsed(), loading))
}

/// As the assessor loads a verified entry: its kind is looked at first, and the rest read only where some query wants it.
fn load(engine: &Engine, (index, entry): (u64, &[u8])) -> Done {
    if let Some(kind) = book::kind(entry).filter(|kind| engine.wants(kind)) {
        let body = book::body(entry, &|name| engine.reads_of(kind, name))
            .map_err(|trouble| trouble.to_string())?;
        engine.load(("bench", index), time_of(index), &body, None)?;
    }
    Ok(())
}

const fn time_of(index: u64) -> Timestamp {
    Timestamp::from_millis(BEGAN + index * STEP_MS)
}

fn question<'a>(shelf: &'a Shelf, control: &ControlKey) -> Question<'a> {
    let now = Timestamp::from_millis(BEGAN + ENTRIES * STEP_MS);
    let decision = shelf.library.decisions.get(control);
    Question {
        control: control.clone(),
        decision,
        parameters: decision.map(|d| d.parameters.clone()).unwrap_or_default(),
        not_recorded: Vec::new(),
        period: Period { from: now.minus_s(365 * 86_400), to: now },
        now,
        heads: &[],
        newest: now,
        evidence: Vec::new(),
    }
}

fn assess_all(
    shelf: &Shelf,
    engine: &Engine,
    controls: &BTreeSet<&ControlKey>,
) -> BTreeMap<ControlKey, Finding> {
    let mut found = BTreeMap::new();
    for control in controls {
        let begun = Instant::now();
        let finding = assess::assess(&question(shelf, control), engine);
        if begun.elapsed() > Duration::from_millis(500) {
            eprintln!("{control}: {:?}", begun.elapsed());
        }
        let failed = finding.reasons.iter().find(|why| why.contains("has no answer"));
        assert!(failed.is_none(), "{control}: {failed:?}");
        found.insert((*control).clone(), finding);
    }
    found
}

/// One new entry at a time, each kind of a transfer in turn: loaded, and every control asked again that reads its kind; the
/// local ones first of what is near, as `quorate-assessor watch` does.
fn again(
    (shelf, engine): (&Shelf, &Engine),
    readers: &BTreeMap<ControlKey, Reads>,
    found: &BTreeMap<ControlKey, Finding>,
    writer: &mut Writer,
) -> Done<Vec<Duration>> {
    let is_local = |key: &ControlKey| shelf.library.decisions[key].local;
    let local = readers.iter().filter(|(key, _)| is_local(key)).map(|(_, reads)| reads.clone());
    let mut near = Near::of(engine, &shelf.views, local)?;
    let mut taken = Vec::new();
    for (index, entry) in (writer.next..).zip(writer.page(ROUNDS * KINDS)) {
        let kind = book::kind(&entry).ok_or("no kind")?.to_owned();
        let begun = Instant::now();
        load(engine, (index, &entry))?;
        load(near.rare(), (index, &entry))?;
        let filled: Vec<&str> = engine.filled_by(&kind).collect();
        let reads = |reads: &Reads| filled.iter().any(|kind| reads.contains_key(*kind));
        let mut touched: BTreeSet<&ControlKey> =
            readers.iter().filter(|(_, r)| reads(r)).map(|(key, _)| key).collect();
        let all = touched.len();
        if filled.iter().all(|kind| near.is_of_cases(kind)) {
            let local = touched.iter().filter(|key| is_local(key));
            let asked = |key: &&ControlKey| {
                Some((question(shelf, key), found.get(*key).and_then(Near::may_tell)?))
            };
            let questions: Vec<_> = local.filter_map(asked).collect();
            let unchanged = near.unchanged(engine, &questions)?;
            touched.retain(|key| !unchanged.contains(*key));
        }
        assess_all(shelf, engine, &touched);
        taken.push(begun.elapsed());
        let took = taken[taken.len() - 1];
        eprintln!("{kind}: {all} controls, {} of the whole book, in {took:?}", touched.len());
    }
    Ok(taken)
}

/// The most memory that this process ever held.
fn peak_mib() -> Done<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

/// Entries of one transfer, one after another.
const KINDS: u64 = 12;

struct Writer {
    next: u64,
    prev: Digest,
}

impl Writer {
    fn page(&mut self, count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.entry()).collect()
    }

    fn entry(&mut self) -> Vec<u8> {
        let (index, prev) = (self.next, self.prev);
        let at = time_of(index).as_millis();
        let body = if index < 12 { founding(index, at) } else { step(index, at) };
        let entry = format!(
            r#"{{"at":{at},"body":{body},"index":{index},"prev":"{prev}","rules":"quorate-rules/1","v":1,"vault":"{VAULT}"}}"#
        );
        let entry = entry.into_bytes();
        self.next = index + 1;
        self.prev = entry_digest(&entry);
        entry
    }
}

const TO: &str = "eip155:1:0xab5801a7d398351b8be11c439e05c5b3259aec9b";
const ASSET: &str = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7";

/// A wallet of two cosigners, two approvers, a program and a recipient.
fn founding(index: u64, at: u64) -> Json {
    match index {
        0 | 1 => {
            json!({ "type": "CredentialEnrolled", "person": format!("p-{index}"), "credential": format!("k-{index}"),
            "kind": "ed25519_file", "phishing_resistant": false, "factors": ["possession", "knowledge"] })
        }
        2 | 3 => {
            json!({ "type": "RoleGranted", "person": format!("p-{}", index - 2), "role": "approver",
            "scope": { "scope": "vault" } })
        }
        4 => {
            json!({ "type": "KeyGenerated", "wallet": "hot", "case": "c-0", "ceremony": "s-0", "method": "dkg",
            "scheme": "dkls23", "library": "dkls23-core 0.6.2", "threshold": 2, "shares": 2, "holders": ["east", "west"],
            "statements": [{ "body": { "transcript": "aa" } }, { "body": { "transcript": "aa" } }], "purpose": "ops" })
        }
        5 => {
            json!({ "type": "WalletOpened", "wallet": "hot", "case": "c-0", "tier": "hot", "chains": ["eip155:1"],
            "accounts": ["eip155:1:0x00000000000000000000000000000000000000aa"], "reason": "ops" })
        }
        6 | 7 => {
            json!({ "type": "PlacementAttested", "wallet": "hot", "holder": if index == 6 { "east" } else { "west" },
            "host": format!("h-{index}"), "operator": format!("Operator {index} Ltd"), "hardware": "process" })
        }
        8 => {
            json!({ "type": "AddressListed", "address": TO, "case": "c-1", "chain": "eip155:1", "owner_kind": "third_party",
            "beneficiary": "b", "usable_from": at })
        }
        9 => {
            json!({ "type": "AgentEnrolled", "agent": "trader", "case": "c-2", "owner": "p-9", "band": "broadcast",
            "manifest": "m-0", "expires_at": at + 90 * 86_400_000 })
        }
        10 => {
            json!({ "type": "ManifestPinned", "manifest": "m-0", "case": null, "band": "broadcast", "tools": ["transfer"] })
        }
        _ => {
            json!({ "type": "ConfigurationCaptured", "party": "desk", "digest": "d", "previous": null,
            "values": { "monitor.silence_limit_s": 600, "policy.default": "deny", "policy.delegatecall": "deny",
                "policy.unlimited_allowance": "deny" } })
        }
    }
}

fn step(index: u64, at: u64) -> Json {
    let (number, kind) = (index / KINDS, index % KINDS);
    let name = |what: &str| Digest::sha256(format!("{what} {number}").as_bytes()).to_string();
    let (case, draft) = (name("case"), name("draft"));
    let warrant = |party: Json| {
        json!({ "type": "Warranted", "case": case, "party": party, "draft": draft, "bytes": "02".repeat(120), "chain": "eip155:1",
            "decoders": ["quorate-evm 1", "alloy 1"], "decoded_intent": case, "account": TO, "nonce": number,
            "fee_max": "3000000000000000", "replaces": null })
    };
    let approval = |seat: u64| {
        json!({ "type": "Approved", "case": case, "intent": case, "policy": "pol-1", "approver": format!("a-{seat}"),
            "credential": format!("k-{seat}"), "verdict": "approve", "device": null, "display_digest": name("words"),
            "user_verified": true, "expires_at": at + 3_600_000, "approval": { "signature": "00".repeat(64) } })
    };
    match kind {
        0 => {
            json!({ "type": "AgentActed", "agent": "trader", "tool": "transfer", "band": "broadcast", "manifest": "m-0",
            "untrusted_input": false, "case": case, "result": "ok" })
        }
        1 => {
            json!({ "type": "Judged", "case": case, "intent": case, "kind": "transfer", "principal": "trader",
            "principal_kind": "agent", "policy": "pol-1", "judgment": { "answer": "require", "quorums": ["payers"], "reasons": [] },
            "quorum_m": 2, "quorum_members": ["a-0", "a-1"], "reasons": [], "wallet": "hot", "chain": "eip155:1",
            "asset": ASSET, "amount": "25000000", "value": "2500", "decimals": 6, "recipient": TO, "budget": ["day"],
            "reserved": [{ "asset": ASSET, "amount": "25000000" }], "idempotency_key": format!("key-{number}"),
            "risk_class": "standard", "facts": [], "counterparty_check": { "result": "none" }, "expires_at": at + 3_600_000 })
        }
        2 => approval(0),
        3 => approval(1),
        4 => warrant(json!({ "role": "desk" })),
        5 => warrant(json!({ "role": "cosigner", "cosigner": "east" })),
        6 => warrant(json!({ "role": "cosigner", "cosigner": "west" })),
        7 => {
            json!({ "type": "Signed", "case": case, "wallet": "hot", "key_epoch": 0, "scheme": "dkls23",
            "library": "dkls23-core 0.6.2", "draft": draft, "sighash": name("hash"), "signature": "00".repeat(65),
            "public_key": "02".repeat(33), "transaction": "02".repeat(180), "txid": name("txid"), "cosigners": ["east", "west"],
            "session": name("session"), "checkpoint_size": index, "verified_by": "k256 0.13", "purpose": "transaction" })
        }
        8 => json!({ "type": "Broadcast", "case": case, "txid": name("txid") }),
        9 => {
            json!({ "type": "TransferObserved", "txid": name("txid"), "wallet": "hot", "chain": "eip155:1", "direction": "out",
            "asset": ASSET, "amount": "25000000", "counterparty": TO, "stage": "included", "block": index, "case": case })
        }
        10 => json!({ "type": "Heartbeat", "source": "desk", "sequence": number }),
        _ => {
            json!({ "type": "Closed", "case": case, "outcome": "settled", "reason": "final", "culprits": [],
            "txid": name("txid"), "amount": "25000000", "fee": "21000", "finality": null })
        }
    }
}
