//! The Trust Mark: a statement about one assessment that anyone can verify offline, and its withdrawal.
//!
//! A mark says "assessed on", never "secure". It is one file: results, an in-toto statement about them in a DSSE envelope
//! that assessor and issuer signed, the entry of the issuer's register that issued it, and the proof that the entry stands
//! there under witnesses. Whether it still stands is told by a signed status list that may only be so old.
//!
//! Reading order: how bytes are signed ([`dsse`]), what is claimed ([`claim`]) and how it waits for its signature ([`waiting`]),
//! what withdraws it ([`status`]), the one file ([`mod@file`]), what its issuer remembers ([`register`]), whom a stranger trusts
//! and how he checks ([`mod@verify`]); then three wrappers: a W3C credential ([`credential`]), a picture ([`badge`]) and a public
//! page ([`page`]).

pub mod dsse;

pub mod claim;
pub mod status;
pub mod waiting;

pub mod file;
pub mod register;
pub mod verify;

pub mod badge;
pub mod credential;
pub mod page;

pub use claim::{Claim, Scope, Statement};
pub use dsse::{Envelope, Signer};
pub use file::{MarkFile, Proposal};
pub use register::Register;
pub use status::{Standing, StatusList, Withdrawal};
pub use verify::{Check, MarkPolicy, Question, Verified, verify};
pub use waiting::WaitingClaim;

#[cfg(test)]
pub(crate) mod tests;
