//! `cargo xtask story NAME`: longer stories than the demonstration, told and checked in the same way.
//!
//! `audit`: a year of a vault, on a clock that the story sets, and what auditors make of its ledger.

mod audits;
mod backups;
mod breaks;
mod facts;
mod live;
mod machines;
mod readiness;
mod words;
mod year;

use crate::Done;
use crate::check::Verdict;
use crate::demo::{self, Narrator};
use crate::house;

/// Tells one story.
pub(crate) fn tell(name: &str) -> Done {
    match name {
        "audit" => audit().map(drop),
        _ => Err(format!("no story `{name}`; there is `audit`")),
    }
}

/// A year of a vault, assessed and audited.
pub(crate) fn audit() -> Done<Verdict> {
    let mut narrator = Narrator::new();
    let room = demo::fresh(&house::root().join("target/story"))?;
    narrator.chapter("The stage");
    let stage = year::stage(&room, &mut narrator)?;
    let stage = year::pass(stage, &mut narrator)?;
    let office = readiness::take_in(&stage, &mut narrator)?;
    readiness::tell(&stage, &office, &mut narrator)?;
    let sound = office.copy(stage.at("alder-sound"))?.dir().to_owned();
    audits::tell(&stage, &office, &mut narrator)?;
    let mut stage = stage;
    breaks::tell(&mut stage, &sound, &mut narrator)?;
    drop(stage);
    Ok(Verdict::Passed(narrator.claims()))
}
