//! Facts from outside: signed by a source that the charter names, or of no weight except to tighten.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::caip::{AccountId, AssetId, ChainId};
use crate::canonical::Term;
use crate::digest::{Digest, tag};
use crate::error::Malformed;
use crate::id::{SourceId, VaultId};
use crate::key::{PublicKey, Signature};
use crate::time::Timestamp;

/// The kinds of facts that a source may speak on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Prices of assets.
    Price,
    /// What became of a transaction.
    Finality,
    /// Whether a counterparty is listed somewhere.
    Screening,
}

/// What became of a nonce that we have signed for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Our transaction is in a final block and succeeded.
    Settled,
    /// Our transaction is in a final block and failed; only the fee was paid.
    Reverted,
    /// Another transaction with the same nonce is in a final block; ours can never be included.
    Replaced,
}

/// One fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// The price of one whole unit of an asset in millionths of the policy's reference currency.
    Price {
        /// The asset.
        asset: AssetId,
        /// Decimal places of the asset's whole unit.
        decimals: u8,
        /// Millionths of the reference currency for one whole unit.
        micro: Amount,
    },
    /// What became of a nonce, at a depth that the source calls final.
    Finality {
        /// The chain.
        chain: ChainId,
        /// The account whose nonce was used.
        account: AccountId,
        /// The nonce.
        nonce: u64,
        /// The transaction that used it, as the chain writes it (`0x` and 64 hex digits).
        txid: String,
        /// The number of the block that holds it.
        block: u64,
        /// How many blocks stand on it, itself included.
        depth: u64,
        /// What that means for the transaction that we signed.
        fate: Fate,
        /// The fee that was paid, in the chain's own coin.
        fee: Amount,
    },
    /// Whether a counterparty stands on a list of the source.
    Screening {
        /// The counterparty.
        account: AccountId,
        /// Whether it is listed.
        flagged: bool,
    },
}

impl Fact {
    /// The kind that a source needs to be named for.
    pub const fn kind(&self) -> FactKind {
        match self {
            Self::Price { .. } => FactKind::Price,
            Self::Finality { .. } => FactKind::Finality,
            Self::Screening { .. } => FactKind::Screening,
        }
    }
}

/// The signed part of a fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactBody {
    /// Format version, 1.
    pub v: u8,
    /// The vault that it is told to.
    pub vault: VaultId,
    /// Who says so.
    pub source: SourceId,
    /// When it was so, by the source's clock.
    pub at: Timestamp,
    /// The fact.
    pub fact: Fact,
}

impl Term for FactBody {
    const TAG: &'static str = tag::FACT;
}

/// A fact under its source's signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFact {
    /// What is said.
    pub body: FactBody,
    /// The source's signature over the body's digest.
    pub signature: Signature,
}

impl SignedFact {
    /// Whether the signature is `key`'s over the body.
    ///
    /// # Errors
    /// [`Malformed`] when the body has no canonical form.
    pub fn is_signed_by(&self, key: &PublicKey) -> Result<bool, Malformed> {
        let digest: Digest = self.body.digest()?;
        Ok(key.verifies(&digest, &self.signature))
    }
}

/// Whether a counterparty was screened. Recorded on every case, whatever the answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum CounterpartyCheck {
    /// A source answered.
    Performed {
        /// Who was asked.
        provider: String,
        /// Whether the counterparty is on a list.
        flagged: bool,
    },
    /// A source was asked and did not answer.
    Failed {
        /// Who was asked.
        provider: String,
        /// What went wrong, in one line.
        error: String,
    },
    /// No source is configured, or the intent has no counterparty.
    NotPerformed,
}
