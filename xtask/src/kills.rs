//! Kills: many transfers through the real processes while one of them after another is ended with SIGKILL, a thousand
//! requests at a budget's cap, and one request a thousand times. Ledger and chain must tell the same, exact story.

mod crowd;
mod proof;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Done;
use crate::check::Verdict;
use crate::demo;
use crate::house;
use crate::run;
use crate::say;
use crate::stage::{self, APPROVERS, Node, Programs, Stage, Wish, coin, late, text};

/// Kills in all: of the desk, and of each cosigner.
const CYCLES: u32 = 200;
/// Who is killed.
const VICTIMS: [&str; 3] = ["desk", "east", "west"];
/// What the crowd of agents may move together, in base units of the token.
const CAP: u32 = 25;
/// The longest that a transfer waits for its victim, in milliseconds.
const PAUSE_MS: usize = 900;
/// Open cases at which filing pauses, so that cases also end while things break.
const OPEN_MAX: u64 = 12;

/// Runs it all, and proves from ledger and chain what came of it.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let mut stage = set()?;
    let wallet = stage.open_wallet()?;
    stage.node.fund(&wallet, coin(10_000))?;
    stage.token.give(&stage.node, &wallet, 1_000_000)?;
    let payer = Payer::new(&stage)?;
    // The kills first: a book that is short is folded quickly at each start.
    let cases = kill_and_kill_again(&mut stage, &payer)?;
    crowd::a_thousand_at_the_cap_settle_to_exactly_the_cap(&stage)?;
    crowd::the_same_key_a_thousand_times_pays_once(&stage, &payer)?;
    proof::each_settled_once(&stage, &payer, &cases)?;
    proof::no_reservation_was_lost(&stage, &payer)?;
    proof::everybody_tells_one_story(&stage)?;
    let (secrets, places) = stage.no_secret_leaked()?;
    say::line(format!("kills: none of {secrets} secrets in {places} files (row 46)"));
    Ok(Verdict::Passed(6))
}

fn set() -> Done<Stage> {
    let room = demo::fresh(&house::root().join("target/kills"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let mut stage = Stage::set(&room, programs, node)?;
    let policy = stage.room.join("public/policy.json");
    run::write(&policy, &policy_text(&stage)?)?;
    stage.founding.policy = Some(policy.display().to_string());
    stage.found()?;
    stage.start_all()?;
    Ok(stage)
}

/// Agents pay alone; the crowd has its cap, and the payer exactly what the kills and the one repeated request take.
fn policy_text(stage: &Stage) -> Done<String> {
    let chain = stage.node.chain()?;
    let (ether, token) =
        (format!("{chain}/slip44:60"), format!("{chain}/erc20:{}", stage.token.address));
    let budget = |id: &str, asset: &str, agents: &[String], amount: String| {
        json!({
            "id": id, "asset": asset, "per": [], "wallets": [], "agents": agents, "counterparties": [],
            "window": { "window": "rolling", "seconds": 86_400 }, "amount": amount, "count": null,
        })
    };
    let exact = CYCLES.saturating_add(1).to_string();
    Ok(json!({
        "v": 1, "vault": "demo", "version": 1, "previous": null, "zone": "UTC", "currency": "USD",
        "assets": [
            { "asset": ether, "symbol": "ETH", "name": "Ether", "decimals": 18 },
            { "asset": token, "symbol": "DEMO", "name": "Demo Dollar", "decimals": 6 },
        ],
        "rules": [{
            "id": "agents-may-transfer",
            "text": "permit (principal is Agent, action == Action::\"transfer\", resource);",
        }],
        "quorums": [{ "name": "treasury", "m": 2, "members": APPROVERS }],
        "budgets": [
            budget("fees", &ether, &[], coin(1_000_000).to_string()),
            budget("crowd", &token, &crowd::names(), CAP.to_string()),
            budget("exact", &token, &["payer".to_owned()], exact),
        ],
        "addresses": { "wait_s": 3600, "deny": [] },
        "administration": { "wallets": "treasury", "credentials": "treasury", "addresses": "treasury" },
        "limits": {
            "open_cases": 5000, "pending_reservations": 5000, "case_ttl_s": 86_400,
            "approval_ttl_s": 3600, "fact_age_s": 300,
        },
    })
    .to_string())
}

/// An agent that pays one unit of the token at a time.
#[derive(Clone)]
struct Payer {
    agent: stage::Payer,
    token: String,
}

impl Payer {
    fn new(stage: &Stage) -> Done<Self> {
        Self::named(stage, "payer")
    }

    fn named(stage: &Stage, name: &str) -> Done<Self> {
        let agent = stage::Payer::admitted(stage, name)?;
        Ok(Self { agent, token: stage.token.address.clone() })
    }

    fn wish(&self, to: &str) -> Wish {
        Wish { to: to.to_owned(), units: 1, token: Some(self.token.clone()), memo: None }
    }

    /// A draft that pays somebody one unit.
    fn prepare(&self, to: &str) -> Done<String> {
        self.agent.prepare(&self.wish(to))
    }

    /// Pays one unit under a key, with this draft or, once it is stale, with the next one.
    fn send(&self, draft: &mut String, to: &str, key: &str) -> Done<Value> {
        for _ in 0..1000 {
            if let Some(said) = self.agent.send(draft, key)? {
                return Ok(said);
            }
            *draft = self.prepare(to)?;
        }
        Err(format!("`{key}`: every draft was stale"))
    }

    /// Pays somebody one unit, however often the desk dies meanwhile; gives the case.
    fn pay(&self, to: &str, key: &str) -> Done<String> {
        let until = Instant::now().checked_add(Duration::from_secs(120));
        loop {
            match self.prepare(to).and_then(|mut draft| self.send(&mut draft, to, key)) {
                Ok(said) => return text(&said, "/case"),
                Err(why) => late(until, || format!("`{key}` was never taken: {why}"))?,
            }
        }
    }
}

/// Whom the transfer of a cycle pays: nobody twice.
fn recipient(stage: &Stage, cycle: u32) -> Done<String> {
    stage.node.checksummed(&format!("0x{:040x}", u64::from(cycle).saturating_add(0x00c0_ffee_0000)))
}

/// Files a transfer in each cycle and ends somebody meanwhile; gives the cases.
fn kill_and_kill_again(stage: &mut Stage, payer: &Payer) -> Done<Vec<String>> {
    let seed = seed();
    say::line(format!("kills: {CYCLES} cycles with seed {seed}"));
    let mut dice = Dice(seed);
    let begun = Instant::now();
    let mut cases = Vec::new();
    for cycle in 0..CYCLES {
        let victim = VICTIMS.get(dice.below(VICTIMS.len())).copied().unwrap_or("desk");
        let pause = Duration::from_millis(u64::try_from(dice.below(PAUSE_MS)).unwrap_or(0));
        let (to, key) = (recipient(stage, cycle)?, format!("cycle-{cycle}"));
        let filing = std::thread::spawn({
            let payer = payer.clone();
            move || payer.pay(&to, &key)
        });
        std::thread::sleep(pause);
        stage.kill(victim);
        stage.start(victim)?;
        let filed = filing.join().map_err(|_| "the filing thread was lost".to_owned())?;
        cases.push(filed.map_err(|why| format!("cycle {cycle}, {victim} after {pause:?}: {why}"))?);
        breathe(stage)?;
        if cycle % 20 == 19 {
            let done = cycle.saturating_add(1);
            say::line(format!("kills: {done} cycles in {}", say::lasted(begun.elapsed())));
        }
    }
    Ok(cases)
}

/// Waits while too much is open.
fn breathe(stage: &Stage) -> Done {
    let until = Instant::now().checked_add(Duration::from_secs(120));
    loop {
        let status = stage.status()?;
        let open = status.pointer("/open_cases").and_then(Value::as_u64).unwrap_or(u64::MAX);
        if open < OPEN_MAX {
            return Ok(());
        }
        late(until, || format!("{open} cases stay open: {status}"))?;
    }
}

/// From `QUORATE_SEED`, or the clock.
fn seed() -> u64 {
    let given = std::env::var("QUORATE_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |now| u64::from(now.subsec_nanos()))
    })
}

/// A linear congruential generator (Knuth's constants): repeatable, and good enough to pick moments.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = usize::try_from(self.0 >> 33).unwrap_or(0);
        drawn.checked_rem(sides).unwrap_or(0)
    }
}
