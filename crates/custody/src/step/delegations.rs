//! How delegations begin and end: with the credentials of whoever stands in, and without them.

use quorate_terms::delegation::{Delegation, Ending};
use quorate_terms::entry::{Body, Delegated, DelegationEnded};
use quorate_terms::{DelegationId, Timestamp};

use super::seats::{stands_in, stood_in};
use crate::book::Book;
use crate::case::Case;
use crate::delegation::Granted;
use crate::event::Step;
use crate::limits;
use crate::refusal::Refusal;

impl Book {
    pub(super) fn act_delegate(
        &self,
        case: &Case,
        delegation: &Delegation,
        at: Timestamp,
    ) -> Result<Step, Refusal> {
        self.check_delegation(delegation, at)?;
        let delegated = Delegated { delegation: delegation.clone(), case: case.id };
        let mut step = Step::recording(Body::Delegated(Box::new(delegated)));
        step.records.extend(stands_in(delegation, case.id));
        Ok(step)
    }

    pub(super) fn act_end_delegation(
        &self,
        case: &Case,
        id: &DelegationId,
        at: Timestamp,
    ) -> Result<Step, Refusal> {
        self.check_open_delegation(id, at)?;
        let granted = self.known_delegation(id)?;
        Ok(ended(granted, "case".to_owned(), "taken_back", (None, Some(case))))
    }

    /// A signed ending is recorded once. One that comes after the end records nothing.
    pub(super) fn step_ending(&self, ending: Ending) -> Result<Step, Refusal> {
        let granted = self.check_ending(&ending)?;
        if granted.ended.is_some() {
            return Ok(Step::default());
        }
        let by = ending.ender(&granted.delegation);
        Ok(ended(granted, by, "taken_back", (Some(ending), None)))
    }

    /// Delegations whose time is over are recorded as ended, so many at a time. They counted no more before that.
    pub(super) fn lapse_delegations(&self, at: Timestamp) -> Step {
        let over = self.delegations().map(|(_, granted)| granted);
        let over = over.filter(|one| one.ended.is_none() && at >= one.delegation.until);
        let mut step = Step::default();
        for granted in over.take(limits::CLOSED_PER_TICK_MAX) {
            step.absorb(ended(granted, "desk".to_owned(), "lapsed", (None, None)));
        }
        step
    }
}

/// The entry that ends a delegation, and those that take the stand-in's credentials.
fn ended(granted: &Granted, by: String, cause: &str, how: (Option<Ending>, Option<&Case>)) -> Step {
    let (signed, case) = (how.0, how.1.map(|case| case.id));
    let id = granted.delegation.id.clone();
    let over = DelegationEnded { id, by, cause: cause.to_owned(), signed, case };
    let mut step = Step::recording(Body::DelegationEnded(Box::new(over)));
    step.records.extend(stood_in(&granted.delegation, case, cause));
    step
}
