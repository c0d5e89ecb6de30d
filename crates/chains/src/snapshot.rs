//! What a draft is made from: one look at the chain, taken before drafting begins.

use quorate_terms::{AccountId, Amount, ChainId, Timestamp};
use serde::{Deserialize, Serialize};

/// One look at a chain by a node that we do not trust: it can make a draft fail or be slow, never make it pay more than agreed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The chain.
    pub chain: ChainId,
    /// The paying account.
    pub account: AccountId,
    /// The nonce to use.
    pub nonce: u64,
    /// Base fee of the latest block, per gas.
    pub base_fee: Amount,
    /// Suggested priority fee, per gas.
    pub priority_fee: Amount,
    /// Gas that the transaction may use.
    pub gas_limit: u64,
    /// How the chain takes fees.
    pub fee_mode: FeeMode,
    /// Number of the latest block.
    pub block: u64,
    /// When the node was asked, by the desk's clock.
    pub at: Timestamp,
}

/// How a transaction offers its fee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeMode {
    /// Maximum and priority fee (EIP-1559).
    Eip1559,
    /// One gas price, bound to the chain (EIP-155).
    Legacy,
}
