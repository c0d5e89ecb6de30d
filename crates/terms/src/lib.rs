//! The language of the house: every noun that crosses a crate, with one byte form and one digest each.
//!
//! Nothing here knows a wire, a chain, a clock or a disk. Bytes are RFC 8785 JSON ([`canonical`]);
//! a digest is SHA-256 over a tag, a newline and those bytes ([`digest`]). Words are defined in `GLOSSARY.md`.
//!
//! Reading order: how bytes and digests are made, the small nouns, what people and programs want and agree to,
//! and last the entries in which all of it is remembered, and how they are read.

pub mod canonical;
pub mod digest;
pub mod error;
pub mod strict;

pub mod amount;
pub mod caip;
pub mod commitment;
pub mod id;
pub mod key;
pub mod parties;
pub mod passkey;
pub mod time;

pub mod approval;
pub mod charter;
pub mod checklist;
pub mod credential;
pub mod delegation;
pub mod fact;
pub mod freeze;
pub mod intent;
pub mod judgment;
pub mod policy;
pub mod quorum;

pub mod bulletin;
pub mod entry;
pub mod reading;

pub use amount::Amount;
pub use caip::{AccountId, AssetId, ChainId};
pub use canonical::Term;
pub use digest::Digest;
pub use error::Malformed;
pub use id::{
    AgentId, ApproverId, BudgetId, CaseId, CosignerId, CredentialId, DelegationId, IdempotencyKey,
    ItemId, PersonId, QuorumName, RuleId, SourceId, VaultId, ViewId, WalletId,
};
pub use intent::Intent;
pub use key::{PublicKey, Signature};
pub use time::Timestamp;
