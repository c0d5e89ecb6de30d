//! The evidence pack: results, the entries that they cite, proofs and papers in one file that verifies on a machine without
//! a network, against keys that were pinned beforehand (`docs/spec/pack.md`).
//!
//! Reading order: the one container ([`container`]), what is listed and signed ([`manifest`]), how a pack is put together
//! ([`mod@build`]), how a stranger checks it ([`mod@verify`]).

pub mod container;

pub mod manifest;

pub mod build;
pub mod verify;

pub use build::{BookPart, Parts, build};
pub use manifest::{Book, FileRef, Manifest, Proven, Reached};
pub use verify::{Pins, Verified, verify};

#[cfg(test)]
mod tests;
