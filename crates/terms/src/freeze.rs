//! Stopping at once, and starting again with a quorum.

use serde::{Deserialize, Serialize};

use crate::canonical::Term;
use crate::digest::{Digest, tag};
use crate::id::{AgentId, ApproverId, CosignerId, VaultId, WalletId};
use crate::key::Signature;
use crate::time::Timestamp;

/// What is frozen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum Scope {
    /// Everything in the vault.
    Vault,
    /// One wallet.
    Wallet {
        /// The wallet.
        wallet: WalletId,
    },
    /// Everything that one agent files.
    Agent {
        /// The agent.
        agent: AgentId,
    },
}

/// Who froze.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Freezer {
    /// An approver that the charter seats.
    Approver {
        /// The seat.
        approver: ApproverId,
    },
    /// A cosigner, on the spot.
    Cosigner {
        /// The cosigner.
        cosigner: CosignerId,
    },
}

/// The signed part of a freeze.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreezeBody {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// Who freezes.
    pub by: Freezer,
    /// What is frozen.
    pub scope: Scope,
    /// When, by the freezer's clock. Makes each freeze one of its own.
    pub at: Timestamp,
    /// Why, as a short code without personal data (`lost-device`, `drill`).
    pub cause: String,
}

impl Term for FreezeBody {
    const TAG: &'static str = tag::FREEZE;
}

/// A signed freeze: honoured at once, durably, from any channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// What was signed.
    pub body: FreezeBody,
    /// The freezer's signature over the body's digest.
    pub signature: Signature,
}

/// The signed part of one approver's yes to going on after a void entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeBody {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// The charter under which the approver speaks.
    pub charter: Digest,
    /// The index of the void entry.
    pub index: u64,
    /// The digest of the void entry.
    pub entry: Digest,
    /// The approver's seat.
    pub approver: ApproverId,
    /// When the yes lapses.
    pub expires_at: Timestamp,
}

impl Term for ResumeBody {
    const TAG: &'static str = tag::RESUME;
}

/// One approver's signed yes to going on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// What was signed.
    pub body: ResumeBody,
    /// The approver's signature over the body's digest.
    pub signature: Signature,
}
