//! When things are due: from the workflow's deadlines and the steps that were taken.

use quorate_terms::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::Audit;
use super::workflow::{Deadline, Workflow};
use crate::ccss::period::{plus_months, plus_working_days};

/// One date.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// The deadline's id.
    pub id: String,
    /// For people.
    pub title: String,
    /// The last instant.
    pub by: Timestamp,
    /// When it was met; none while it waits.
    pub met: Option<Timestamp>,
}

impl Due {
    /// Whether it was missed, or is.
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.met.unwrap_or(now) > self.by
    }
}

/// Every date that has begun to run, soonest first. The newest start counts; what ended before it does not.
pub fn due(audit: &Audit, workflow: &Workflow) -> Vec<Due> {
    let mut all: Vec<Due> = workflow.text.deadline.iter().filter_map(|d| runs(audit, d)).collect();
    all.sort_by(|a, b| (a.by, &a.id).cmp(&(b.by, &b.id)));
    all
}

fn runs(audit: &Audit, deadline: &Deadline) -> Option<Due> {
    let place = audit.done.iter().rposition(|done| done.act == deadline.from)?;
    let start = audit.done.get(place)?.at;
    let by = plus_working_days(plus_months(start, deadline.months)?, deadline.working_days);
    let met = deadline.until.as_ref().and_then(|until| {
        audit.done.iter().skip(place).find(|done| done.act == *until).map(|done| done.at)
    });
    Some(Due { id: deadline.id.clone(), title: deadline.title.clone(), by, met })
}
