//! The chapter in which the desk is taken over between approval and signing. The thief has its machine, its keys and its
//! ledger; what the thief has not is two cosigners that take a desk's word for anything.

use serde_json::Value;

use super::narrate::Narrator;
use super::story::{agreed, outcome};
use crate::Done;
use crate::run;
use crate::stage::{Agent, COSIGNERS, Stage, Wish, text};

/// Tells it; gives the case, which the honest desk settles in the end.
pub(super) fn tell(
    stage: &mut Stage,
    narrator: &mut Narrator,
    agent: &Agent,
    wish: &Wish,
    wallet: &str,
) -> Done<String> {
    narrator.chapter("The desk is taken over");
    let paid = stage.node.balance(&wish.to)?;
    let case = text(&agent.send(stage, wish, "invoice-6")?, "/case")?;
    stage.approve("ann", &case)?;
    stage.wait_for(&case, |view| agreed(view) == 1)?;
    let approval = stage.approve_offline("bo", &case)?;
    narrator.tell(
        "0.3 ETH to the supplier: ann has agreed, bo signs at home and carries the file over",
    );
    stage.kill("desk");
    let thief = stage.node.checksummed("0x000000000000000000000000000000000bad5eed")?;
    let entry = lie(stage, narrator, (&case, &approval), (&thief, wallet))?;
    unmoved(stage, narrator, &thief)?;
    stage.start("desk")?;
    mend(stage, narrator, &entry)?;
    let view = stage.ended(&case)?;
    narrator
        .expect(outcome(&view) == "settled", "the honest desk finishes what people agreed to")?;
    let now = stage.node.balance(&wish.to)?;
    narrator.expect(now == paid.saturating_add(wish.units), "the supplier was paid, once")?;
    Ok(case)
}

/// The thief's turn: real keys, real approvals, other bytes. Gives the index of the thief's entry.
fn lie(
    stage: &Stage,
    narrator: &mut Narrator,
    (case, approval): (&str, &str),
    (thief, wallet): (&str, &str),
) -> Done<String> {
    narrator.tell("the desk is stopped; a thief with its keys and its ledger runs another one");
    let (desk, nonce) = (stage.at("desk"), stage.node.nonce(wallet)?.to_string());
    let said = stage.programs.run("lying_desk", &[&desk, case, approval, thief, &nonce])?;
    let said = said.good()?;
    narrator.tell("it records bo's approval, then a warrant over bytes that pay the thief, and asks for signatures");
    let entry = said.pointer("/entry").map(ToString::to_string).unwrap_or_default();
    for name in COSIGNERS {
        let answer = said.pointer(&format!("/answers/{name}")).cloned().unwrap_or_default();
        let came = text(&answer, "/came/came")?;
        narrator.expect(came == "refused", &format!("{name} reads the bytes and refuses"))?;
        let void = answer.pointer("/voids/0/0").map(ToString::to_string).unwrap_or_default();
        narrator
            .expect(void == entry, &format!("{name} tells the desk that entry {entry} is void"))?;
        let status = stage.cosigner_status(name)?;
        let holds =
            |field: &str| status.pointer(field).is_some_and(|v| v.to_string().contains(&entry));
        narrator.expect(holds("/voids"), &format!("{name} holds entry {entry} void"))?;
        let alarms = status.pointer("/alarms").and_then(Value::as_object);
        narrator.expect(
            alarms.is_some_and(|a| !a.is_empty()),
            &format!("{name} has raised an alarm"),
        )?;
        let log = run::read(&stage.room.join(format!("logs/{name}.log")))?;
        let why =
            log.lines().rev().find_map(|line| line.split_once("subject=")).unwrap_or_default();
        narrator.tell(&format!("  {}", why.1));
    }
    Ok(entry)
}

fn unmoved(stage: &Stage, narrator: &mut Narrator, thief: &str) -> Done {
    let stolen = stage.node.balance(thief)?;
    narrator.expect(stolen == 0, "the thief has nothing")
}

/// People look at what happened and agree to go on.
fn mend(stage: &Stage, narrator: &mut Narrator, entry: &str) -> Done {
    narrator.tell("the honest desk is back, on a ledger that holds the thief's entry for ever");
    let status = stage.status()?;
    let void = status.pointer("/voids").is_some_and(|voids| voids.to_string().contains(entry));
    narrator.expect(void, "it holds the entry void too; nobody signs until people have looked")?;
    stage.resume(entry)?;
    narrator.tell("ann and bo looked, and agreed to go on after that entry");
    Ok(())
}
