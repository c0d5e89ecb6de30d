//! What people are reminded of as time goes by: cases that wait for them, and tasks of checklists that are overdue. Each
//! alert is raised once, because the book remembers that it was.

use quorate_terms::Timestamp;
use quorate_terms::entry::{AlertRaised, Body, Severity};

use crate::book::Book;
use crate::case::{Case, State};
use crate::checklist::{OVERDUE, subject};
use crate::event::Step;
use crate::limits;
use crate::nearing::Nearing;

impl Book {
    /// The alerts that are due, so many at a time.
    pub(super) fn remind(&self, at: Timestamp) -> Step {
        let cases = self.open_cases().filter_map(|case| self.reminder(case, at));
        let tasks = self.untold(at).map(|(checklist, _, item)| {
            raised(OVERDUE, Severity::High, subject(checklist, &item.item))
        });
        let records = cases.chain(tasks).take(limits::ALERTS_PER_TICK_MAX).collect();
        Step { records, ..Step::default() }
    }

    /// The reminder that is due for a case that waits for people and of which it was not said yet.
    fn reminder(&self, case: &Case, at: Timestamp) -> Option<Body> {
        let waits = case.state == State::AwaitApprovals;
        let nearing = Nearing::of(case.filed_at, case.expires_at(), at).filter(|_| waits)?;
        let severity = match nearing {
            Nearing::Half => Severity::Low,
            Nearing::Tenth => Severity::High,
        };
        (case.reminded < Some(nearing))
            .then(|| raised(nearing.rule(), severity, format!("case {}", case.id)))
    }
}

/// An alert, named as every alert of the desk is: by its rule and what it is about.
fn raised(rule: &str, severity: Severity, subject: String) -> Body {
    Body::AlertRaised(Box::new(AlertRaised::of(rule, severity, subject)))
}
