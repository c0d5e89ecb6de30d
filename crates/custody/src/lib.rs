//! The heart of the house: the case, from filing to receipt, and the only mint of warrants.
//!
//! The ledger is the database. [`Book`] is the fold of its entries; the desk, every cosigner and every approver's view run
//! this same fold and so reach the same answers. [`Book::step`] says what should be recorded next; the host appends it, folds
//! it, and only then acts ([`Effect`]). [`Warrant::issue`] says whether exact bytes may be signed; a cosigner signs
//! nothing else. There is no I/O, clock or randomness here: time is an argument.
//!
//! Reading order: how things are refused, one case, the book and its fold, what happens next, and last the charter, the
//! dossier and the warrant, which hold the safety of the house.

pub mod limits;
pub mod refusal;

pub mod case;
pub mod delegation;
pub mod nearing;

pub mod book;
pub mod checklist;
mod fold;
mod names;
pub mod replay;
pub mod rulings;

pub mod event;
pub mod snapshot;
mod step;

pub mod charter;
pub mod commission;
pub mod dossier;
pub mod follower;
pub mod protocol;
pub mod receipt;
pub mod warrant;
pub mod witness;

pub use book::{Book, Verdict};
pub use case::{Case, State};
pub use charter::{Charter, Memory};
pub use checklist::Checklist;
pub use commission::{Commission, Drill};
pub use delegation::{Granted, Phase};
pub use dossier::Dossier;
pub use event::{Effect, Event, Step};
pub use fold::check_freeze;
pub use follower::Follower;
pub use nearing::Nearing;
pub use refusal::Refusal;
pub use replay::Replay;
pub use step::founding;
pub use warrant::Warrant;

/// Reads draft bytes back into their meaning, for cosigners, who know no chain by themselves.
pub use quorate_chains::{Draft, read_back};
