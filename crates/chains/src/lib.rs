//! Intent to transaction bytes, and bytes back to what they do.
//!
//! EVM chains: native and ERC-20 transfers, EIP-1559 and EIP-155. Everything else is refused with a reason.
//! Two paths that share no code: [`draft`] writes bytes with alloy (`compose`, the one file that names it);
//! [`read_back`] reads them with `rlp` and `sha3` alone (`fields`, `meaning`). A [`Draft`] exists only as something that was
//! read back, whoever wrote the bytes.
//!
//! No node, no clock, no key and no policy is known here: a [`Snapshot`] is an argument, and a signature is checked, not made.
//!
//! Reading order: what is refused and how addresses are written, bytes to fields to meaning, then drafting, replacing,
//! signing, what people are shown, and what a node thinks that a transaction would change.

mod refusal;

mod address;
mod chain;
mod snapshot;

mod fields;
mod meaning;
mod read;

mod compose;
mod fees;
mod replace;

mod sign;

mod describe;
mod simulate;

#[cfg(test)]
mod testing;

pub use address::{account, asset_of, look_alike, native_asset, parse_account, parse_asset};
pub use chain::{DEVELOPMENT_CHAINS, is_development};
pub use compose::draft;
pub use describe::describe;
pub use meaning::{
    Effect, GAS_LIMIT_MAX, Meaning, NONCE_MAX, cancels, carries_out, conflicts, leaves,
};
pub use read::{DECODER, Draft, SignedReading, read_back, read_signed};
pub use refusal::{Code, Refusal};
pub use replace::{Replacement, replace};
pub use sign::{SignedTransaction, normalise, sign, verify};
pub use simulate::{
    Allowance, Allowed, Attempt, Change, Note, SIMULATE, Signed, Simulated, TokenSays, Told,
    reverted,
};
pub use snapshot::{FeeMode, Snapshot};
