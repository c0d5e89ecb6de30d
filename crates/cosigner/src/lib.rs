//! Key shares, key generation and threshold signing between cosigners.
//!
//! Everything here is a pure machine: messages in, messages out. Wires, disks, clocks and identity keys stay with the
//! caller. The signing library is *unaudited*; what it leaves to its caller is done here.
//!
//! Reading order: what can go wrong, what a run is bound to, what a share is, what a scheme is, how a run is driven, the two
//! protocols, the product's scheme, and last the cosigner itself.

pub mod abort;
pub mod error;
pub mod limits;

pub mod session;

pub mod share;

pub mod scheme;

mod run;

pub mod generate;
pub mod sign;

pub mod dkls23;

pub mod party;

#[cfg(test)]
mod fixture;

pub use abort::{Abort, AbortKind, Ban, BanPending, Failure};
pub use error::{Bug, Error, Misuse};
pub use generate::{GenerateRun, NewKey};
pub use party::Party;
pub use run::{Parcel, Progress, State};
pub use share::{KeyShare, RawKeyShare, ShareFacts, WalletKey};
pub use sign::{SignRun, WalletSignature};
