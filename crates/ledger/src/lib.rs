//! The memory of the house: append, prove, verify. It knows bytes and proofs, and nothing of what entries mean.
//!
//! A ledger is an RFC 6962 Merkle tree over canonical entry bytes. Each entry also carries its index and the digest of
//! the entry before. Heads of the tree are C2SP checkpoints: signed by the log, cosigned by witnesses. Nothing here
//! reads a disk or a clock; hashes come through [`tree::ReadHashes`], keys stay with whoever signs.
//!
//! Reading order: hashes, the growing edge of a tree, proofs about it; then text that is signed; then what binds
//! entries to one another, a whole ledger, and one case of it.

pub mod error;
pub mod hash;

pub mod frontier;
pub mod tree;

pub mod proof;
pub mod tile;

pub mod note;

pub mod checkpoint;
pub mod cosignature;
pub mod policy;
pub mod witness;

pub mod chain;

pub mod book;
pub mod receipt;
pub mod tlog_proof;

pub use book::{BookVerifier, Prepared};
pub use chain::{Chain, Header};
pub use checkpoint::{Checkpoint, Divergence, Fork};
pub use error::{Error, Misuse, Refuted};
pub use frontier::Frontier;
pub use note::{KeyKind, Note, NoteSignature, VerifierKey};
pub use policy::{LogPolicy, WitnessKey, Witnessed};
pub use receipt::{Receipt, ReceiptEntry, VerifiedReceipt};
pub use tlog_proof::TlogProof;
pub use tree::{Node, ReadHashes, Tree};
pub use witness::AddCheckpoint;
