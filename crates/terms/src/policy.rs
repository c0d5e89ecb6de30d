//! The policy document: Cedar text for who, what, where and when; exact budgets and quorums as typed data beside it.
//! One document, one digest. What it means is for the crate `policy`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::caip::{AccountId, AssetId};
use crate::canonical::Term;
use crate::digest::{Digest, tag};
use crate::id::{AgentId, BudgetId, QuorumName, RuleId, VaultId, WalletId};
use crate::quorum::Quorum;

/// A whole policy, versioned by digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// Format version, 1.
    pub v: u8,
    /// The vault that it governs.
    pub vault: VaultId,
    /// 1 for the founding policy, one more with each change.
    pub version: u64,
    /// Digest of the policy that this one replaces; none for the first.
    pub previous: Option<Digest>,
    /// IANA time zone of calendar windows and of the hours and days that rules see.
    pub zone: String,
    /// ISO 4217 code of the currency in which values are reckoned.
    pub currency: String,
    /// The assets that the vault knows. An asset that is not here is denied.
    pub assets: Vec<AssetInfo>,
    /// Cedar rules, each in the canonical form that the lint enforces.
    pub rules: Vec<CedarRule>,
    /// The approval quorums that rules and actions may name.
    pub quorums: Vec<Quorum>,
    /// Exact limits.
    pub budgets: Vec<Budget>,
    /// How recipients come to be listed.
    pub addresses: AddressRules,
    /// Which quorums agree to administration.
    pub administration: Administration,
    /// Bounds on what one credential may hold open, and on time.
    pub limits: Limits,
}

impl Term for PolicyDocument {
    const TAG: &'static str = tag::POLICY;
}

/// What people call an asset, and how to write its amounts. Approvers' screens take it from here, never from a chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetInfo {
    /// The asset.
    pub asset: AssetId,
    /// Its symbol, 1 to 16 of A-Z, a-z, 0-9.
    pub symbol: String,
    /// Its name.
    pub name: String,
    /// Decimal places of its whole unit.
    pub decimals: u8,
}

/// One Cedar rule with a name of its own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CedarRule {
    /// The name that reasons cite.
    pub id: RuleId,
    /// One Cedar policy.
    pub text: String,
}

/// What a budget keeps apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// One account for each wallet.
    Wallet,
    /// One account for each agent.
    Agent,
    /// One account for each counterparty.
    Counterparty,
}

/// The time over which a budget counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "window", rename_all = "snake_case")]
pub enum Window {
    /// Each single intent on its own.
    Each,
    /// The `seconds` before now.
    Rolling {
        /// The length, at least 1.
        seconds: u64,
    },
    /// The present day in the policy's time zone.
    Day,
    /// The present week, from Monday, in the policy's time zone.
    Week,
    /// The present month in the policy's time zone.
    Month,
}

/// An exact limit on what leaves: sum of amounts, number of intents, or both.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The name that reasons cite.
    pub id: BudgetId,
    /// The asset that is counted. Fee ceilings count towards budgets of the chain's own coin.
    pub asset: AssetId,
    /// What is kept apart; empty means one account for the whole vault.
    pub per: BTreeSet<Dimension>,
    /// Only these wallets; empty means all.
    pub wallets: BTreeSet<WalletId>,
    /// Only these agents; empty means everyone, people included.
    pub agents: BTreeSet<AgentId>,
    /// Only these counterparties; empty means all.
    pub counterparties: BTreeSet<AccountId>,
    /// The time over which it counts.
    pub window: Window,
    /// The largest sum of base units, if sums are limited.
    pub amount: Option<Amount>,
    /// The largest number of intents, if their number is limited.
    pub count: Option<u32>,
}

/// How recipients come to be listed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRules {
    /// Seconds between listing and first use.
    pub wait_s: u64,
    /// Recipients that are always refused.
    pub deny: BTreeSet<AccountId>,
}

/// Which quorums agree to administration. Policy, charter, unfreezing and resuming belong to the charter's own quorum.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administration {
    /// Opens wallets.
    pub wallets: QuorumName,
    /// Admits agents.
    pub credentials: QuorumName,
    /// Lists recipients.
    pub addresses: QuorumName,
}

/// Bounds on what one credential may hold open, and on time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Cases that one requester may have open.
    pub open_cases: u32,
    /// Cases that one requester may have waiting for approval with an amount reserved.
    pub pending_reservations: u32,
    /// Seconds from filing until a case without a signature expires.
    pub case_ttl_s: u64,
    /// The longest life of an approval, in seconds.
    pub approval_ttl_s: u64,
    /// Seconds after which a signed fact is stale.
    pub fact_age_s: u64,
}
