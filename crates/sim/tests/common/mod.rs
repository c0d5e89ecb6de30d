//! What every test of one fault begins and ends with.
#![expect(clippy::unwrap_used, reason = "a test stops at whatever surprises it")]

use quorate_sim::World;
use quorate_sim::people::*;
use quorate_terms::CaseId;
use quorate_terms::entry::Outcome;
use quorate_terms::intent::Intent;

/// As much as an agent may pay without a person.
pub(crate) const AMOUNT: u128 = 50 * MILLI;

/// A payment of it is filed.
pub(crate) fn small(world: &mut World) -> (Intent, CaseId) {
    let intent = world.pay(AGENTS[0], AMOUNT, FRIENDS[0]);
    let case = world.file(&intent);
    (intent, case)
}

/// Runs until the case is closed; nothing broke on the way.
pub(crate) fn close(world: &mut World, case: &CaseId) -> Outcome {
    let closed = world.run(4 * 3_600, |world| world.watch.outcome(case).is_some());
    assert!(closed, "{:?} {}\n{:#?}", world.broken, world.state_of(case), world.log);
    assert_eq!(world.broken, None);
    world.watch.outcome(case).unwrap()
}
