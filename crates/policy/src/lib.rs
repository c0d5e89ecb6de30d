//! Judges an intent against rules and facts.
//!
//! Cedar says who, what, where and when; exact budgets and quorums stand beside it as typed data. The answer is
//! `Allow`, `Deny` with reasons, or `Require` quorums. Any evaluation error is a denial, and so is silence.
//! Nothing here knows a chain, a ledger or a clock: time and everything else from outside is a fact.
//!
//! Reading order: what a policy may say ([`schema`], the lints), what it compiles to ([`policy`]), what it is asked
//! ([`ask`]), what has been spent ([`usage`]), the answer ([`judge()`]), and last what people need around it.

mod form;
pub mod lint;
mod nesting;
pub mod problem;
pub mod schema;

pub mod policy;
mod slice;

pub mod ask;
mod context;

pub mod calendar;
mod spent;
pub mod usage;
pub mod used;

mod administration;
mod budget;
pub mod checks;
pub mod judge;
pub mod oracle;
pub mod reason;

pub mod diff;
pub mod reach;
pub mod sample;
pub mod starter;
pub mod words;

pub use ask::{Ask, Facts, Ruling};
pub use diff::{Change, diff};
pub use judge::judge;
pub use policy::Policy;
pub use problem::Problem;
pub use starter::{StarterAsset, starter};
pub use usage::{Claim, Usage};
pub use used::{Kept, Settled, Used, settled, used};
pub use words::{Names, Sentence, words};

#[cfg(test)]
mod tests;
