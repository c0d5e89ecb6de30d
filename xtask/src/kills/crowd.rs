//! Many requests at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{CAP, Payer};
use crate::Done;
use crate::say;
use crate::stage::{Stage, text};

/// Requests in all.
const REQUESTS: u32 = 1000;
/// Requests under way at a time, for each agent.
const LANES: u32 = 8;
/// Agents in the crowd: each has a rate of its own at the door.
const AGENTS: u32 = 5;

/// The agents of the crowd.
pub(super) fn names() -> Vec<String> {
    (0..AGENTS).map(|n| format!("crowd-{n}")).collect()
}

/// A thousand parallel requests for one unit each, by agents that share a budget.
pub(super) fn a_thousand_at_the_cap_settle_to_exactly_the_cap(stage: &Stage) -> Done {
    let to = stage.node.checksummed("0x000000000000000000000000000000000000ca99")?;
    let payers = names().iter().map(|name| Payer::named(stage, name)).collect::<Done<Vec<_>>>()?;
    let mut tallies: BTreeMap<String, u32> = BTreeMap::new();
    let mut allowed = Vec::new();
    let answers = std::thread::scope(|scope| {
        let lanes: Vec<_> = payers
            .iter()
            .map(|payer| {
                scope.spawn(|| crowd(payer, &to, REQUESTS / AGENTS, |n| format!("cap-{n}")))
            })
            .collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().map_err(|_| "a lane was lost".to_owned())?)
            .collect::<Done<Vec<_>>>()
    })?;
    for (case, answer) in answers.into_iter().flatten() {
        if answer == "allow" {
            allowed.push(case);
        }
        let count = tallies.entry(answer).or_default();
        *count = count.saturating_add(1);
    }
    let wanted = BTreeMap::from([
        ("allow".to_owned(), CAP),
        ("deny".to_owned(), REQUESTS.saturating_sub(CAP)),
    ]);
    if tallies != wanted {
        return Err(format!("{REQUESTS} requests at a cap of {CAP} were judged {tallies:?}"));
    }
    for case in &allowed {
        stage.done(case)?;
    }
    let paid = stage.token.balance(&stage.node, &to)?;
    if paid != u128::from(CAP) {
        return Err(format!("a cap of {CAP} paid {paid}"));
    }
    say::line(format!(
        "kills: {REQUESTS} parallel requests at a cap of {CAP} settled to exactly {CAP}"
    ));
    Ok(())
}

/// One request, a thousand times at once.
pub(super) fn the_same_key_a_thousand_times_pays_once(stage: &Stage, payer: &Payer) -> Done {
    let to = stage.node.checksummed("0x0000000000000000000000000000000000001000")?;
    let answers = crowd(payer, &to, REQUESTS, |_| "one-key".to_owned())?;
    let cases: BTreeSet<&String> = answers.iter().map(|(case, _)| case).collect();
    let [case] = cases.iter().copied().collect::<Vec<_>>()[..] else {
        return Err(format!("one key gave {} cases", cases.len()));
    };
    stage.done(case)?;
    let paid = stage.token.balance(&stage.node, &to)?;
    if answers.len() != REQUESTS as usize || paid != 1 {
        return Err(format!("{} requests under one key paid {paid}", answers.len()));
    }
    say::line(format!("kills: the same key {REQUESTS} times gave one case and paid once"));
    Ok(())
}

/// So many requests by one agent, `LANES` at a time; gives each one's case and judgment.
fn crowd(
    payer: &Payer,
    to: &str,
    requests: u32,
    key: impl Fn(u32) -> String + Sync,
) -> Done<Vec<(String, String)>> {
    let first = payer.prepare(to)?;
    let next = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let lane = || {
            let (mut answers, mut draft) = (Vec::new(), first.clone());
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return Ok(answers);
                }
                let said = payer.send(&mut draft, to, &key(number))?;
                answers.push((text(&said, "/case")?, text(&said, "/judgment/answer")?));
            }
        };
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
        let mut all = Vec::new();
        for lane in lanes {
            let answers: Done<Vec<_>> = lane.join().map_err(|_| "a lane was lost".to_owned())?;
            all.extend(answers?);
        }
        Ok(all)
    })
}
