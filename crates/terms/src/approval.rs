//! An approval: a person's own signature over intent, policy and expiry. Doors carry it; no door can make it.

use serde::{Deserialize, Serialize};

use crate::canonical::Term;
use crate::digest::{Digest, tag};
use crate::error::Malformed;
use crate::id::{ApproverId, CredentialId, VaultId};
use crate::key::{PublicKey, Signature};
use crate::time::Timestamp;

/// What a person said of an intent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No; one rejection by a member of a required quorum closes the case.
    Reject,
}

/// The signed part of an approval (`docs/spec/approval.md`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalBody {
    /// Format version, 1.
    pub v: u8,
    /// The vault whose charter names the approver.
    pub vault: VaultId,
    /// Digest of the intent.
    pub intent: Digest,
    /// Digest of the policy under which the approver was asked.
    pub policy: Digest,
    /// The approver's seat.
    pub approver: ApproverId,
    /// The credential that signs.
    pub credential: CredentialId,
    /// Yes or no.
    pub verdict: Verdict,
    /// When the approver signed, by the approver's clock.
    pub issued_at: Timestamp,
    /// When the approval lapses.
    pub expires_at: Timestamp,
    /// Digest of the words that the approver was shown.
    pub display: Digest,
}

impl Term for ApprovalBody {
    const TAG: &'static str = tag::APPROVAL;
}

/// How the approver signed. New kinds (passkeys) join here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// An Ed25519 signature over the body's digest, by the key in the approver's seat.
    Ed25519 {
        /// The signature.
        signature: Signature,
    },
}

/// A signed approval or rejection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// What was signed.
    pub body: ApprovalBody,
    /// The signature.
    pub proof: Proof,
}

impl Approval {
    /// Whether the proof is `key`'s over the body.
    ///
    /// # Errors
    /// [`Malformed`] when the body has no canonical form.
    pub fn is_signed_by(&self, key: &PublicKey) -> Result<bool, Malformed> {
        let digest = self.body.digest()?;
        Ok(match &self.proof {
            Proof::Ed25519 { signature } => key.verifies(&digest, signature),
        })
    }
}
