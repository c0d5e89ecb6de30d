//! How people audit: engagements, roles, exhibits, findings, reviews, as a machine whose workflow is data.
//!
//! `step(audit, event, now, rules)` gives a line for the assessor's own ledger and the next state, or a refusal. The state
//! is a fold over lines; [`machine::replay`] takes each step again, so a ledger with a step that nobody could have taken
//! is found out. Guards are named in the workflow and written here; those that no workflow may leave out stand always.
//!
//! Reading order: the data ([`workflow`]); what is recorded ([`record`], [`exhibit`], [`file`](mod@file), [`personal`],
//! [`signed`], [`waiting`]); what follows ([`state`], [`report`]); what is refused ([`conflict`], [`echo`], [`guards`]); the step
//! ([`machine`]); who sees what ([`redact`], [`view`](mod@view)); and when ([`calendar`]).

pub mod workflow;

pub mod exhibit;
pub mod file;
pub mod personal;
pub mod record;
pub mod signed;
pub mod waiting;

pub mod report;
pub mod state;

pub mod conflict;
pub mod echo;
pub mod guards;

pub mod machine;

pub mod redact;
pub mod view;

pub mod calendar;

pub use machine::{Event, Refusal, Rules, Step, before_signing, replay, step};
pub use record::{Line, Record};
pub use state::Audit;
pub use view::{closed_view, view};
pub use workflow::{Role, Workflow};

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests count small numbers")]
mod tests;
