//! A year of a vault: real processes, real approvals and signatures, a real chain, on a clock that the story sets. Each month
//! everybody starts again on another day, as after a month's maintenance.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::machines;
use crate::Done;
use crate::demo::Narrator;
use crate::run;
use crate::stage::{
    COSIGNERS, Clock, Node, Payer, Programs, Stage, WALLET, Wish, coin, late, text,
};

/// Months that pass. The last one is today's.
const MONTHS: i64 = 12;
/// Days from the start of one month to the next.
const MONTH_DAYS: i64 = 30;
/// Where each party stands: sites of their own, as the stage plays them.
const MACHINES: [(&str, &str); 4] = [
    ("desk", "office-1"),
    ("source", "office-2"),
    ("east", "alder-street-1"),
    ("west", "birch-road-1"),
];
/// Where the share of `east` runs from the eighth month on.
pub(super) const EAST_2: &str = "alder-street-2";
/// Who answers alarms.
const ON_CALL: &str = "person-ann";
/// Whom the vault pays each month.
pub(super) const SUPPLIERS: [(&str, u128); 2] = [
    ("0x00000000000000000000000000000000005a1e50", 20),
    ("0x00000000000000000000000000000000005a1e51", 45),
];

/// A room whose programs live under the story's clock.
pub(super) fn stage(room: &Path, narrator: &mut Narrator) -> Done<Stage> {
    narrator.tell("building every program (the first time takes minutes)");
    let clock = Clock::new(room)?;
    let programs = Programs::build(&room.join("outputs.log"))?.under(clock);
    let node = Node::start(&room.join("anvil.log"))?;
    narrator.begin_the_clock();
    Stage::set(room, programs, node)
}

/// Lives it.
pub(super) fn pass(mut stage: Stage, narrator: &mut Narrator) -> Done<Stage> {
    narrator.chapter("A year ago: the founding");
    go_to(&stage, MONTHS)?;
    for (who, machine) in MACHINES {
        machines::move_to(&stage, who, machine)?;
    }
    stage.found()?;
    stage.start_all()?;
    let wallet = stage.open_wallet()?;
    backups(&stage)?;
    stage.node.fund(&wallet, coin(100_000))?;
    for (to, _) in SUPPLIERS {
        list(&stage, to)?;
    }
    narrator.tell("three approvers, two cosigners, a wallet, and a proven backup of each share");
    narrator.chapter("Twelve months");
    for left in (0..MONTHS).rev() {
        let told = month(&mut stage, left)?;
        narrator.tell(&told);
    }
    let entries = stage.status()?.pointer("/size").and_then(Value::as_u64).unwrap_or_default();
    narrator.expect(entries > 300, &format!("the book of that year has {entries} entries"))?;
    Ok(stage)
}

/// So many months before today.
fn go_to(stage: &Stage, months_left: i64) -> Done {
    let clock = stage.programs.clock().ok_or("this stage has no clock of its own")?;
    clock.go_back(months_left.saturating_mul(MONTH_DAYS));
    Ok(())
}

/// Everybody ends, and starts again on another day. The desk tells that it was silent; who is on call takes the alert and ends
/// it.
pub(super) fn another_day(stage: &mut Stage, days_ago: i64) -> Done {
    for who in ["desk", "east", "west", "source"] {
        stage.kill(who);
    }
    let clock = stage.programs.clock().ok_or("this stage has no clock of its own")?;
    clock.go_back(days_ago);
    stage.start_all()?;
    answer(stage, "silence", "maintenance")
}

/// Waits for an alert of a rule; who is on call takes it and says what came of it.
pub(super) fn answer(stage: &Stage, rule: &str, disposition: &str) -> Done {
    let alert = raised(stage, rule)?;
    let on_call = ["--person", ON_CALL];
    stage.desk(&[&["alert", "take", &alert], &on_call[..]].concat())?;
    let close = ["alert", "close", &alert, "--disposition", disposition];
    stage.desk(&[&close, &on_call[..]].concat()).map(drop)
}

/// Waits until an alert of a rule is open, and gives it.
pub(super) fn raised(stage: &Stage, rule: &str) -> Done<String> {
    let until = Instant::now().checked_add(Duration::from_secs(60));
    loop {
        let open = stage.desk(&["alert", "list"])?;
        let is_it = |view: &&Value| text(view, "/rule").is_ok_and(|found| found == rule);
        if let Some(found) = open.as_array().into_iter().flatten().find(is_it) {
            return text(found, "/alert");
        }
        late(until, || format!("nobody raised `{rule}`: {open}"))?;
    }
}

fn month(stage: &mut Stage, left: i64) -> Done<String> {
    let number = MONTHS.saturating_sub(left);
    if number == 8 {
        machines::move_to(stage, "east", EAST_2)?;
    }
    another_day(stage, left.saturating_mul(MONTH_DAYS))?;
    let door = Door::opened(stage, &format!("payer-{number}"))?;
    for (at, (to, thousandths)) in SUPPLIERS.iter().enumerate() {
        let case = door.send(stage, to, *thousandths, &format!("invoice-{number}-{at}"))?;
        stage.done(&case)?;
    }
    let salaries = door.send(stage, SUPPLIERS[0].0, 400, &format!("salaries-{number}"))?;
    stage.agree(&salaries)?;
    stage.done(&salaries)?;
    let besides = special(stage, number, &door)?;
    door.closed(stage)?;
    Ok(format!("month {number:>2}: three payments, one of them approved by two{besides}"))
}

/// What does not happen each month.
fn special(stage: &Stage, number: i64, door: &Door) -> Done<&'static str> {
    match number {
        3 | 6 | 9 | 12 => backups(stage).map(|()| "; each backup proven by a drill"),
        4 => policy(stage).map(|()| "; a stricter policy, agreed by two"),
        7 => freeze(stage)
            .map(|()| "; an exercise: frozen by an approver and by a cosigner, resumed by two"),
        8 => Ok("; a share moves to a new machine"),
        10 => over(stage, door).map(|()| "; a payment over the budget, refused"),
        _ => Ok(""),
    }
}

/// A supplier joins the address book; two people agree.
fn list(stage: &Stage, to: &str) -> Done {
    let (to, chain) = (stage.node.checksummed(to)?, stage.node.chain()?);
    let words = ["address", "add", &to, "--chain", &chain, "--beneficiary", "a supplier"];
    let case = text(&stage.desk(&words)?, "/case")?;
    stage.agree(&case)?;
    stage.done(&case).map(drop)
}

/// Each cosigner makes a new backup of its share and proves it.
fn backups(stage: &Stage) -> Done {
    for name in COSIGNERS {
        let (dir, secret) =
            (stage.at(&format!("cosigners/{name}")), stage.at(&format!("secrets/{name}")));
        let folder = stage.room.join("backups");
        let made = std::fs::read_dir(&folder).map_or(0, Iterator::count);
        let file = folder.join(format!("{name}-{made}.backup")).display().to_string();
        let make = ["backup", "make", "--dir", &dir, "--wallet", WALLET, "--out", &file];
        let secrets = ["--passphrase-file", &secret, "--backup-passphrase-file", &secret];
        run_cosigner(stage, &[&make[..], &secrets].concat())?;
        let verify = ["backup", "verify", "--dir", &dir, "--file", &file];
        run_cosigner(stage, &[&verify[..], &["--passphrase-file", &secret]].concat())?;
    }
    Ok(())
}

fn run_cosigner(stage: &Stage, words: &[&str]) -> Done<Value> {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    stage.programs.run("quorate-cosigner", &words)?.good()
}

/// A policy with one more denied address.
fn policy(stage: &Stage) -> Done {
    let denied = stage.node.checksummed("0x000000000000000000000000000000000bad5eed")?;
    let account = format!("{}:{denied}", stage.node.chain()?);
    change_policy(stage, "stricter", |policy| {
        let list = policy.pointer_mut("/addresses/deny").and_then(Value::as_array_mut);
        list.ok_or("the policy has no deny list")?.push(json!(account));
        Ok(())
    })
}

/// Another policy; two people agree.
pub(super) fn change_policy(
    stage: &Stage,
    name: &str,
    change: impl FnOnce(&mut Value) -> Done,
) -> Done {
    let mut policy = stage.desk(&["policy", "show"])?;
    let text_of = policy.get("policy").cloned();
    let mut new = text_of.unwrap_or_else(|| policy.take());
    change(&mut new)?;
    let file = stage.room.join(format!("public/policy-{name}.json"));
    run::write(&file, &new.to_string())?;
    let path = file.display().to_string();
    let case = text(&stage.desk(&["policy", "propose", &path])?, "/case")?;
    stage.agree(&case)?;
    stage.done(&case).map(drop)
}

fn freeze(stage: &Stage) -> Done {
    let scope = format!("wallet:{WALLET}");
    let words = ["freeze", "--scope", &scope, "--cause", "exercise"];
    stage.approver("cy", &words)?.good()?;
    stage.cosigner("east", &words)?;
    let until = Instant::now().checked_add(Duration::from_secs(60));
    // The book hears of the cosigner's freeze with its next answer.
    while stage.status()?.pointer("/freezes").and_then(Value::as_object).is_none_or(|f| f.len() < 2)
    {
        late(until, || "the book never heard of both freezes".to_owned())?;
    }
    let case = text(&stage.desk(&["unfreeze", "--scope", &scope])?, "/case")?;
    stage.agree(&case)?;
    stage.done(&case).map(drop)
}

fn over(stage: &Stage, door: &Door) -> Done {
    let case = door.send(stage, SUPPLIERS[1].0, 1_900, "too-much")?;
    let outcome = text(&stage.ended(&case)?, "/outcome")?;
    if outcome == "refused" { Ok(()) } else { Err(format!("over the budget: {outcome}")) }
}

/// The agent of one month.
pub(super) struct Door {
    agent: Payer,
    credential: String,
}

impl Door {
    /// Admits it.
    pub(super) fn opened(stage: &Stage, name: &str) -> Done<Self> {
        let agent = Payer::admitted(stage, name)?;
        let listed = stage.desk(&["agent", "list"])?;
        let is_mine = |row: &&Value| row.get("agent").and_then(Value::as_str) == Some(name);
        let mine = listed.as_array().into_iter().flatten().find(is_mine);
        let credential = text(mine.ok_or("the new agent is not listed")?, "/credential")?;
        Ok(Self { agent, credential })
    }

    /// Sends thousandths of the chain's coin; gives the case.
    pub(super) fn send(
        &self,
        stage: &Stage,
        to: &str,
        thousandths: u128,
        key: &str,
    ) -> Done<String> {
        let to = stage.node.checksummed(to)?;
        let wish = Wish { to, units: coin(thousandths), token: None, memo: None };
        let sent = self.agent.send(&self.agent.prepare(&wish)?, key)?;
        text(&sent.ok_or_else(|| format!("`{key}`: its draft was stale at once"))?, "/case")
    }

    /// Its credential ends.
    pub(super) fn closed(&self, stage: &Stage) -> Done {
        stage.desk(&["agent", "revoke", &self.credential, "--wait"]).map(drop)
    }
}
