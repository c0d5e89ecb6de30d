//! Controls broken on purpose, one at a time: exactly those change that are about it, in every standard that is asked.
//!
//! Some breaks are things that people say of the outside world; the others are acts on the deployment, which still runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::live::Act;
use super::readiness::{self, Statement};
use crate::Done;
use crate::demo::Narrator;
use crate::house;
use crate::run;
use crate::stage::{COSIGNERS, Office, Stage, states};

/// What is broken, and which controls must notice.
const BREAKS: &str = include_str!("breaks.toml");
/// The standards that are asked, each at every level.
const STANDARDS: [&str; 2] = ["ccss 9.0", "wd 0.1.0"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    #[serde(rename = "break")]
    breaks: Vec<Break>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Break {
    /// What happened, in words.
    what: String,
    /// What is done to the deployment.
    act: Option<Act>,
    /// What people say of it.
    #[serde(default)]
    said: Vec<Statement>,
    /// The controls that change, all of them, as `ccss 9.0 1.01.1.1`.
    changes: BTreeSet<String>,
}

/// How each control of each standard stands.
type Stand = BTreeMap<String, String>;

/// Breaks each of them. What people say is said in a copy of the office; what is done to the deployment stays done, and is
/// compared with what was before it.
pub(super) fn tell(stage: &mut Stage, office: &str, narrator: &mut Narrator) -> Done {
    let book: Book = toml::from_str(BREAKS).map_err(|e| format!("breaks.toml: {e}"))?;
    narrator.chapter("Broken on purpose, one at a time");
    let stood = stand(&Office::at(&stage.programs, office.to_owned()))?;
    let (acts, words): (Vec<Break>, Vec<Break>) =
        book.breaks.into_iter().partition(|broken| broken.act.is_some());
    let many = acts.len().saturating_add(words.len());
    for (at, broken) in words.iter().enumerate() {
        let copy = stage.at(&format!("broken-{at}"));
        let copy = Office::at(&stage.programs, office.to_owned()).copy(copy)?;
        told(stage, &copy, broken)?;
        broken.noticed(&stood, &stand(&copy)?, narrator)?;
    }
    let mut stood = stood;
    for (at, broken) in acts.iter().enumerate() {
        let said = broken.act.map(|act| act.done(stage)).transpose()?.unwrap_or_default();
        let copy = stage.at(&format!("broken-live-{at}"));
        let copy = Office::at(&stage.programs, office.to_owned()).copy(copy)?;
        copy.take_book(stage)?;
        for cosigner in COSIGNERS {
            copy.own_ledger(stage, cosigner, cosigner)?;
        }
        for statement in said {
            readiness::attest(stage, &copy, &statement)?;
        }
        told(stage, &copy, broken)?;
        let stands = stand(&copy)?;
        broken.noticed(&stood, &stands, narrator)?;
        stood = stands;
    }
    narrator.expect(
        many >= 10 && !acts.is_empty(),
        &format!("{many} breaks in all, {} of them acts on the deployment", acts.len()),
    )
}

fn told(stage: &Stage, office: &Office<'_>, broken: &Break) -> Done {
    broken.said.iter().try_for_each(|statement| readiness::attest(stage, office, statement))
}

/// Asks every standard.
fn stand(office: &Office<'_>) -> Done<Stand> {
    let mut all = Stand::new();
    for standard in STANDARDS {
        let results = office.assess(standard, &[])?;
        let named = |(id, state): (String, String)| (format!("{standard} {id}"), state);
        all.extend(states(&results).into_iter().map(named));
    }
    Ok(all)
}

impl Break {
    /// Checks that exactly the expected controls stand otherwise now, and that each of them is mapped to another of them.
    fn noticed(&self, stood: &Stand, stands: &Stand, narrator: &mut Narrator) -> Done {
        let is_other = |(control, state): &(&String, &String)| stood.get(*control) != Some(*state);
        let changed: BTreeMap<&String, &String> = stands.iter().filter(is_other).collect();
        let controls: BTreeSet<String> = changed.keys().map(|control| (*control).clone()).collect();
        if controls != self.changes {
            narrator.tell(&format!("changed: {changed:?}"));
        }
        let listed: Vec<&str> = self.changes.iter().map(String::as_str).collect();
        narrator.expect(
            controls == self.changes && changed.values().all(|state| *state == "gap"),
            &format!("{}: a gap in {} and nowhere else", self.what, listed.join(", ")),
        )?;
        if controls.len() > 1 {
            let maps = maps()?;
            let alone = controls.iter().find(|control| !maps.bind(control, &controls));
            let alone = alone.map_or(String::new(), |control| format!(" ({control} is not)"));
            let holds = alone.is_empty();
            return narrator.expect(holds, &format!("these are mapped to one another{alone}"));
        }
        Ok(())
    }
}

/// Which control is mapped to which.
struct Maps(BTreeSet<(String, String)>);

impl Maps {
    /// Whether a control is mapped to another of these, or to what another of these is mapped to.
    fn bind(&self, control: &str, all: &BTreeSet<String>) -> bool {
        let near = |control: &str| -> BTreeSet<&str> {
            let ends = self.0.iter().filter_map(|(a, b)| match (a == control, b == control) {
                (true, _) => Some(b.as_str()),
                (_, true) => Some(a.as_str()),
                _ => None,
            });
            ends.collect()
        };
        let own = near(control);
        let others = all.iter().filter(|other| *other != control);
        let mut others = others.map(|other| (other.as_str(), near(other)));
        others.any(|(other, theirs)| own.contains(other) || !own.is_disjoint(&theirs))
    }
}

/// The draft's own map to CCSS.
fn maps() -> Done<Maps> {
    let text = run::read(&house::root().join("standards/mappings/wd-0.1.0.toml"))?;
    let file: Value = toml::from_str(&text).map_err(|e| format!("wd-0.1.0.toml: {e}"))?;
    let part = |map: &Value, name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let pair = |map: &Value| {
        let to = format!("{} {}", part(map, "standard")?, part(map, "to")?);
        Some((format!("wd 0.1.0 {}", part(map, "control")?), to))
    };
    let all = file.get("map").and_then(Value::as_array).into_iter().flatten();
    Ok(Maps(all.filter_map(pair).collect()))
}
