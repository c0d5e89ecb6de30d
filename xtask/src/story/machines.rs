//! Machines that the shares of the story run on: where each stood, as the cosigners' own ledgers tell, and what became of the
//! machine that a share left.

use serde_json::Value;

use super::readiness::{Day, Statement};
use crate::Done;
use crate::run;
use crate::stage::{COSIGNERS, Stage, text};

/// From its next start on, a party stands on this machine.
pub(super) fn move_to(stage: &Stage, who: &str, machine: &str) -> Done {
    let clock = stage.programs.clock().ok_or("this stage has no clock of its own")?;
    clock.move_to(who, machine, &stage.room)
}

/// That every machine which a share has left was wiped, as whoever did it says.
pub(super) fn wiped(stage: &Stage) -> Done<Vec<Statement>> {
    let mut said = Vec::new();
    for cosigner in COSIGNERS {
        let places = places(stage, cosigner)?;
        for pair in places.windows(2) {
            if let [(old, _), (new, at)] = pair
                && old != new
            {
                said.push(statement(old, *at));
            }
        }
    }
    Ok(said)
}

fn statement(host: &str, at: i64) -> Statement {
    let medium = format!("disk of the machine {host}");
    let fields = [
        ("medium", medium.as_str()),
        ("person", "person-bo"),
        ("method", "purge"),
        ("tool", "nvme sanitize"),
        ("settings", "block erase"),
        ("result", "verified"),
    ];
    // A moment after the share ran elsewhere for the first time.
    Statement::new("MediaSanitized", "bo", Day::At(at.saturating_add(1_000)), &fields)
}

/// Where a cosigner said that its share runs, and when, oldest first.
fn places(stage: &Stage, cosigner: &str) -> Done<Vec<(String, i64)>> {
    let out = stage.room.join(format!("public/{cosigner}-own.jsonl"));
    let (file, head) = (out.display().to_string(), format!("{}.checkpoint", out.display()));
    for old in [&file, &head] {
        // An export never replaces a file.
        drop(std::fs::remove_file(old));
    }
    stage.cosigner(cosigner, &["export", "--out", &file, "--checkpoint-out", &head])?;
    let mut places = Vec::new();
    for line in run::read(&out)?.lines() {
        let entry: Value = serde_json::from_str(line).map_err(|e| format!("{file}: {e}"))?;
        if entry.pointer("/body/type").and_then(Value::as_str) == Some("PlacementAttested") {
            let at = entry.get("at").and_then(Value::as_i64).unwrap_or_default();
            places.push((text(&entry, "/body/host")?, at));
        }
    }
    Ok(places)
}
