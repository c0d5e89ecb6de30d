//! Controls broken on purpose, one at a time: exactly that control changes, and nothing else does.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::readiness::{self, Statement};
use crate::Done;
use crate::demo::Narrator;
use crate::stage::{Office, Stage, states};

/// What is broken, and which control must notice.
const BREAKS: &str = include_str!("breaks.toml");

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
    /// Who says so, and when.
    said: Statement,
    /// The controls that change, all of them.
    changes: BTreeSet<String>,
}

/// Breaks each of them in a copy of the office.
pub(super) fn tell(
    stage: &Stage,
    office: &Office<'_>,
    before: &Value,
    narrator: &mut Narrator,
) -> Done {
    let book: Book = toml::from_str(BREAKS).map_err(|e| format!("breaks.toml: {e}"))?;
    narrator.chapter("Broken on purpose, one at a time");
    let stood = states(before);
    for (at, broken) in book.breaks.iter().enumerate() {
        let copy = office.copy(stage.at(&format!("broken-{at}")))?;
        readiness::attest(stage, &copy, &broken.said)?;
        let stands = states(&readiness::assess(&copy)?);
        let changed: BTreeSet<String> = stands
            .iter()
            .filter(|(control, state)| stood.get(*control) != Some(*state))
            .map(|(control, _)| control.clone())
            .collect();
        let listed = broken.changes.iter().cloned().collect::<Vec<_>>().join(", ");
        if changed != broken.changes {
            narrator.tell(&format!("changed: {changed:?}"));
        }
        narrator.expect(
            changed == broken.changes,
            &format!("{}: {listed} and nothing else", broken.what),
        )?;
    }
    Ok(())
}
