//! What ledger and chain must say after everybody was killed again and again (T30, rows 1 to 4).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{CYCLES, Payer, recipient};
use crate::Done;
use crate::run;
use crate::say;
use crate::stage::{COSIGNERS, Stage, text};

/// Every filed intent settled exactly once, on the chain too, and no case signed drafts that do not conflict.
pub(super) fn each_settled_once(stage: &Stage, _: &Payer, cases: &[String]) -> Done {
    let distinct: BTreeSet<&String> = cases.iter().collect();
    if distinct.len() != CYCLES as usize {
        return Err(format!("{CYCLES} keys gave {} cases", distinct.len()));
    }
    for case in cases {
        stage.done(case)?;
    }
    for cycle in 0..CYCLES {
        let to = recipient(stage, cycle)?;
        let paid = stage.token.balance(&stage.node, &to)?;
        if paid != 1 {
            return Err(format!("cycle {cycle} paid {paid} times"));
        }
    }
    let book = exported(stage)?;
    let nonces = nonces_of_signed(&book)?;
    for case in cases {
        let of = nonces.get(case).map_or(0, BTreeSet::len);
        if of != 1 {
            return Err(format!("case {case} signed drafts of {of} nonces"));
        }
    }
    let mut taken: BTreeMap<&u64, &String> = BTreeMap::new();
    for (case, nonces) in &nonces {
        for nonce in nonces {
            if let Some(other) = taken.insert(nonce, case) {
                return Err(format!("cases {case} and {other} both signed nonce {nonce}"));
            }
        }
    }
    let closings = count(&book, "Closed");
    if let Some((case, times)) = closings.iter().find(|(_, times)| **times != 1) {
        return Err(format!("case {case} was closed {times} times"));
    }
    say::line(format!(
        "kills: {} intents settled once each; no two non-conflicting drafts of one",
        cases.len()
    ));
    Ok(())
}

/// The budget was exactly what the kills took: had a reservation been lost one more would pass, had one been kept twice
/// the last would have been refused.
pub(super) fn no_reservation_was_lost(stage: &Stage, payer: &Payer) -> Done {
    let to = recipient(stage, CYCLES)?;
    let said = payer.agent.ask("explain_transfer", &payer.wish(&to))?;
    if text(&said, "/judgment/answer")? != "deny" || !said.to_string().contains("exact") {
        return Err(format!("one more than the budget would be judged {said}"));
    }
    say::line("kills: the budget is spent to the last unit, and no reservation was lost");
    Ok(())
}

/// Desk and cosigners hold the same book, nothing in it is void, and it adds up.
pub(super) fn everybody_tells_one_story(stage: &Stage) -> Done {
    let status = stage.status()?;
    let none = |status: &Value| {
        status.pointer("/voids").and_then(Value::as_array).is_some_and(Vec::is_empty)
    };
    if !none(&status) {
        return Err(format!("the desk holds void entries: {status}"));
    }
    let own = text(&status, "/charter")?;
    for name in COSIGNERS {
        let theirs = stage.cosigner_status(name)?;
        if !none(&theirs) || text(&theirs, "/charter")? != own {
            return Err(format!("{name} tells another story: {theirs}"));
        }
    }
    let (policy, note) = (stage.at("desk/verify.json"), stage.at("public/kills.checkpoint"));
    let book = stage.at("public/kills.jsonl");
    let words = ["ledger", &book, "--checkpoint", &note, "--policy", &policy, "--deep"];
    let said = stage.programs.run("quorate-verify", &words)?;
    said.exited(0)?;
    say::line("kills: desk and cosigners hold one book without a void entry, and it verifies");
    Ok(())
}

/// The bodies of all entries.
fn exported(stage: &Stage) -> Done<Vec<Value>> {
    let (book, note) = (stage.at("public/kills.jsonl"), stage.at("public/kills.checkpoint"));
    stage.desk(&["ledger", "export", "--out", &book, "--checkpoint-out", &note])?;
    let read = |line: &str| serde_json::from_str::<Value>(line).map_err(|e| format!("{book}: {e}"));
    let entries = run::read(book.as_ref())?.lines().map(read).collect::<Done<Vec<_>>>()?;
    Ok(entries.into_iter().filter_map(|entry| entry.get("body").cloned()).collect())
}

fn of_kind<'a>(book: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    book.iter().filter(move |body| body.get("type").and_then(Value::as_str) == Some(kind))
}

/// For each case, the nonces of the drafts that were signed for it.
fn nonces_of_signed(book: &[Value]) -> Done<BTreeMap<String, BTreeSet<u64>>> {
    let mut drafts: BTreeMap<String, u64> = BTreeMap::new();
    for body in of_kind(book, "Warranted") {
        let nonce = body.get("nonce").and_then(Value::as_u64).ok_or("a warrant has no nonce")?;
        drafts.insert(text(body, "/draft")?, nonce);
    }
    let mut nonces: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for body in of_kind(book, "Signed") {
        let (case, draft) = (text(body, "/case")?, text(body, "/draft")?);
        let nonce =
            drafts.get(&draft).ok_or_else(|| format!("{draft} was signed without a warrant"))?;
        nonces.entry(case).or_default().insert(*nonce);
    }
    Ok(nonces)
}

fn count(book: &[Value], kind: &str) -> BTreeMap<String, u32> {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for case in of_kind(book, kind).filter_map(|body| text(body, "/case").ok()) {
        let count = times.entry(case).or_default();
        *count = count.saturating_add(1);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn t30_two_non_conflicting_drafts_of_one_case_are_seen() {
        let warranted = |draft: &str, nonce: u64| json!({ "type": "Warranted", "draft": draft, "nonce": nonce });
        let signed =
            |case: &str, draft: &str| json!({ "type": "Signed", "case": case, "draft": draft });
        let book = [
            warranted("a", 1),
            warranted("b", 1),
            warranted("c", 2),
            signed("x", "a"),
            signed("x", "b"),
        ];
        assert_eq!(nonces_of_signed(&book).unwrap()["x"].len(), 1);
        let mut worse = book.to_vec();
        worse.push(signed("x", "c"));
        assert_eq!(nonces_of_signed(&worse).unwrap()["x"].len(), 2);
        worse.push(signed("x", "nowhere"));
        assert!(nonces_of_signed(&worse).is_err());
    }
}
