//! What CCSS adds: scope, designations, statuses, levels, inheritance, sampling.
//!
//! No level, aspect or id stands here: requirements come from a catalogue ([`Requirement`]), tables and bounds from the
//! workflow that is data. What stands here are the rules by which they are put together.
//!
//! Reading order: what is audited ([`scope`]) and as what ([`designation`]); what may be found ([`status`]) and what
//! follows ([`grade`]); over which time ([`period`]) and which sample ([`sampling`]); what a provider has shown already
//! ([`inherit`]); what a listing costs ([`fee`]).

pub mod objection;
pub mod requirement;

pub mod designation;
pub mod scope;

pub mod grade;
pub mod status;

pub mod period;
pub mod sampling;

pub mod inherit;

pub mod fee;

pub use designation::{Custody, Designation, Ruling};
pub use grade::{Grade, Judged};
pub use objection::Objection;
pub use requirement::Requirement;
pub use scope::{Scope, System};
pub use status::{NotApplicable, Status};
