//! An approval: a person's own signature over intent, policy and expiry. Doors carry it; no door can make it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::canonical::Term;
use crate::charter::{ApproverSeat, CharterText};
use crate::digest::{Digest, tag};
use crate::error::Malformed;
use crate::id::{ApproverId, CredentialId, VaultId, ViewId};
use crate::key::Signature;
use crate::passkey::Assertion;
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

/// How the approver signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// An Ed25519 signature over the body's digest, by the key in the approver's seat.
    Ed25519 {
        /// The signature.
        signature: Signature,
    },
    /// What a passkey of the seat said, at its own view, with the body's digest as the challenge.
    Passkey {
        /// The view.
        view: ViewId,
        /// What the authenticator gave.
        assertion: Assertion,
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

/// Why an approval is not its seat's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotSeated {
    /// The seat holds no such credential.
    Credential,
    /// The signature is not by the seat's key.
    Signature,
    /// A step of checking the passkey failed, or the body has no canonical form.
    Malformed(Malformed),
}

impl From<Malformed> for NotSeated {
    fn from(why: Malformed) -> Self {
        Self::Malformed(why)
    }
}

impl fmt::Display for NotSeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential => f.write_str("the credential is not the seat's"),
            Self::Signature => f.write_str("the signature is not the approver's"),
            Self::Malformed(why) => why.fmt(f),
        }
    }
}

impl Approval {
    /// The party through whose view it came, by the charter in force; none for a key in a file, which belongs to no view.
    pub fn party<'a>(&self, charter: &'a CharterText) -> Option<&'a str> {
        match &self.proof {
            Proof::Ed25519 { .. } => None,
            Proof::Passkey { view, .. } => charter.view(view).map(|seat| seat.operator.as_str()),
        }
    }

    /// Checks that a credential of `seat` signed the body; a passkey, at its own view of `charter`. Gives the counter that a
    /// passkey told.
    ///
    /// # Errors
    /// [`NotSeated`] says why it did not.
    pub fn check_seat(
        &self,
        charter: &CharterText,
        seat: &ApproverSeat,
    ) -> Result<Option<u32>, NotSeated> {
        let credential = &self.body.credential;
        match &self.proof {
            Proof::Ed25519 { .. } if *credential != seat.credential => Err(NotSeated::Credential),
            Proof::Ed25519 { signature } if seat.key.verifies(&self.body.digest()?, signature) => {
                Ok(None)
            }
            Proof::Ed25519 { .. } => Err(NotSeated::Signature),
            Proof::Passkey { view, assertion } => {
                let passkey = seat.passkey(credential).filter(|passkey| passkey.view == *view);
                let (Some(passkey), Some(view)) = (passkey, charter.view(view)) else {
                    return Err(NotSeated::Credential);
                };
                Ok(Some(assertion.check(view, &passkey.key, &self.body.digest()?)?))
            }
        }
    }
}
