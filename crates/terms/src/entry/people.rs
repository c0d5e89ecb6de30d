//! Entries about people, programs and the rules between them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::approval::{Approval, Verdict};
use crate::caip::{AccountId, ChainId};
use crate::charter::CharterText;
use crate::commitment::Commitment;
use crate::credential::{AgentCredential, Band};
use crate::digest::Digest;
use crate::freeze::{Freeze, Resume, Scope};
use crate::id::{AgentId, ApproverId, CaseId, CredentialId, PersonId};
use crate::intent::{OwnerKind, Requester};
use crate::policy::PolicyDocument;
use crate::time::Timestamp;

/// The vault was founded. Always entry 0; the charter's digest was compared out of band.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Founded {
    /// The founding charter, in full.
    pub charter: CharterText,
}

/// An approver's own signature over intent, policy and expiry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Approved {
    /// The case.
    pub case: CaseId,
    /// Digest of the intent.
    pub intent: Digest,
    /// Digest of the policy.
    pub policy: Digest,
    /// The seat.
    pub approver: ApproverId,
    /// The credential.
    pub credential: CredentialId,
    /// Yes or no.
    pub verdict: Verdict,
    /// The approver's device, as the charter commits to it.
    pub device: Option<Commitment>,
    /// Digest of the words shown.
    pub display_digest: Digest,
    /// Whether the credential proved that the user was there (always so for a passphrase-sealed key).
    pub user_verified: bool,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// The whole signed approval.
    pub approval: Approval,
}

/// Signing was stopped for a scope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Frozen {
    /// What is frozen.
    pub scope: Scope,
    /// Who froze: an approver or cosigner by signature, or the case of a freeze intent.
    pub by: String,
    /// Why, as a short code.
    pub cause: String,
    /// The name under which it is lifted again.
    pub freeze: Digest,
    /// The signed freeze, unless a case did it.
    pub signed: Option<Freeze>,
    /// The case, if one did it.
    pub case: Option<CaseId>,
}

/// Signing was allowed again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unfrozen {
    /// What was frozen.
    pub scope: Scope,
    /// The case.
    pub case: CaseId,
    /// The freezes that ended.
    pub lifts: BTreeSet<Digest>,
}

/// After a void entry, the charter's quorum agreed to go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Resumed {
    /// The index of the void entry.
    pub voided: u64,
    /// The digest of the void entry.
    pub entry: Digest,
    /// The signed agreements.
    pub resumes: Vec<Resume>,
}

/// A policy came into force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyActivated {
    /// Digest of the policy.
    pub policy: Digest,
    /// The case.
    pub case: CaseId,
    /// Digest of the policy before.
    pub previous: Digest,
    /// Who proposed it.
    pub proposer: Requester,
    /// The policy, in full.
    pub document: PolicyDocument,
}

/// A charter was approved and waits for its delay, which each cosigner counts on its own clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CharterApproved {
    /// Digest of the charter.
    pub charter: Digest,
    /// The case.
    pub case: CaseId,
    /// The charter, in full.
    pub text: CharterText,
}

/// An approved charter came into force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CharterActivated {
    /// Digest of the charter.
    pub charter: Digest,
    /// The case.
    pub case: CaseId,
    /// Digest of the charter before.
    pub previous: Digest,
}

/// A recipient joined the allow list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressListed {
    /// The recipient.
    pub address: AccountId,
    /// The case.
    pub case: CaseId,
    /// The chain.
    pub chain: ChainId,
    /// Who that is.
    pub beneficiary: Commitment,
    /// What the recipient is to us.
    pub owner_kind: OwnerKind,
    /// When it may first be used.
    pub usable_from: Timestamp,
}

/// A recipient left the allow list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressRemoved {
    /// The recipient.
    pub address: AccountId,
    /// The case.
    pub case: CaseId,
    /// The chain.
    pub chain: ChainId,
}

/// A program was admitted with a capability band.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentEnrolled {
    /// The program.
    pub agent: AgentId,
    /// The case.
    pub case: CaseId,
    /// Who answers for it.
    pub owner: PersonId,
    /// Its band.
    pub band: Band,
    /// Digest of the tool list of that band, if pinned.
    pub manifest: Option<Digest>,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// The credential, in full.
    pub credential: AgentCredential,
}

/// A program's access ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentRetired {
    /// The program.
    pub agent: AgentId,
    /// `revoked` or `lapsed`.
    pub cause: String,
    /// The credential that ended.
    pub credential: CredentialId,
    /// The case.
    pub case: Option<CaseId>,
}

/// A program called a tool that files, signs or broadcasts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentActed {
    /// The program.
    pub agent: AgentId,
    /// The tool.
    pub tool: String,
    /// The band of its credential.
    pub band: Band,
    /// Digest of the tool list that it saw.
    pub manifest: Digest,
    /// Whether free text from outside came with the call.
    pub untrusted_input: bool,
    /// The case, if the call made or touched one.
    pub case: Option<CaseId>,
    /// A published result code.
    pub result: String,
}

/// A tool list was pinned by digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ManifestPinned {
    /// Digest of the tool list.
    pub manifest: Digest,
    /// The case, if one pinned it; none for the list that a new release of the desk brings.
    pub case: Option<CaseId>,
    /// The band that sees this list; none for a list that belongs to no band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// The names of the tools, in order.
    pub tools: Vec<String>,
}

/// A person received a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RoleGranted {
    /// The person.
    pub person: PersonId,
    /// The case; none at founding.
    pub case: Option<CaseId>,
    /// `approver` or `governor`.
    pub role: String,
    /// The vault or wallet.
    pub scope: Scope,
}

/// A person lost a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RoleEnded {
    /// The person.
    pub person: PersonId,
    /// The case that changed the charter.
    pub case: CaseId,
    /// `approver` or `governor`.
    pub role: String,
    /// The vault or wallet.
    pub scope: Scope,
    /// Why, as a short code: `charter`.
    pub cause: String,
}

/// A credential was bound to a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CredentialEnrolled {
    /// The person.
    pub person: PersonId,
    /// The case; none at founding.
    pub case: Option<CaseId>,
    /// The credential.
    pub credential: CredentialId,
    /// `ed25519_file` or `passkey`.
    pub kind: String,
    /// Whether it resists phishing.
    pub phishing_resistant: bool,
    /// What it takes to use it: `possession`, and `knowledge` or `user_verification`.
    pub factors: Vec<String>,
    /// The device.
    pub device: Option<Commitment>,
}

/// A credential was cancelled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CredentialRevoked {
    /// The person; none for an agent's credential.
    pub person: Option<PersonId>,
    /// The credential.
    pub credential: CredentialId,
    /// The case.
    pub case: Option<CaseId>,
    /// Why, as a short code.
    pub cause: String,
}
