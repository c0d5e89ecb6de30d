//! Every kind of entry, and the life of a case.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{checklists, delegations, keys, people, watch};
use crate::amount::Amount;
use crate::caip::{AccountId, AssetId, ChainId};
use crate::digest::Digest;
use crate::fact::{CounterpartyCheck, SignedFact};
use crate::id::{ApproverId, BudgetId, CaseId, CosignerId, IdempotencyKey, WalletId};
use crate::intent::{Intent, Requester, SchemeName};
use crate::judgment::{Judgment, Reason};
use crate::time::Timestamp;

/// What happened. In JSON the kind stands in `type`, the fields beside it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "each variant is documented at the type that it holds")]
pub enum Body {
    Founded(Box<people::Founded>),
    Filed(Box<Filed>),
    Judged(Box<Judged>),
    Approved(Box<people::Approved>),
    Warranted(Box<Warranted>),
    Marked(Box<Marked>),
    Refused(Refused),
    Signed(Box<Signed>),
    Broadcast(Broadcast),
    TransferObserved(Box<TransferObserved>),
    CancelAsked(CancelAsked),
    Closed(Box<Closed>),

    KeyGenerated(Box<keys::KeyGenerated>),
    WalletOpened(Box<keys::WalletOpened>),
    PlacementAttested(Box<keys::PlacementAttested>),
    BackupVerified(Box<keys::BackupVerified>),
    ShareRestored(Box<keys::ShareRestored>),
    DrillJoined(Box<keys::DrillJoined>),
    RunAborted(keys::RunAborted),
    PeerBanned(keys::PeerBanned),

    Frozen(Box<people::Frozen>),
    Unfrozen(people::Unfrozen),
    Resumed(Box<people::Resumed>),
    PolicyActivated(Box<people::PolicyActivated>),
    CharterApproved(Box<people::CharterApproved>),
    CharterActivated(Box<people::CharterActivated>),
    AddressListed(Box<people::AddressListed>),
    AddressRemoved(people::AddressRemoved),
    AgentEnrolled(Box<people::AgentEnrolled>),
    AgentRetired(people::AgentRetired),
    AgentActed(Box<people::AgentActed>),
    ManifestPinned(people::ManifestPinned),
    RoleGranted(Box<people::RoleGranted>),
    RoleEnded(Box<people::RoleEnded>),
    CredentialEnrolled(Box<people::CredentialEnrolled>),
    CredentialRevoked(people::CredentialRevoked),
    Delegated(Box<delegations::Delegated>),
    DelegationEnded(Box<delegations::DelegationEnded>),
    ChecklistOpened(Box<checklists::ChecklistOpened>),
    ChecklistAttested(Box<checklists::ChecklistAttested>),
    ChecklistClosed(Box<checklists::ChecklistClosed>),

    AlertRaised(Box<watch::AlertRaised>),
    AlertAcknowledged(watch::AlertAcknowledged),
    AlertClosed(watch::AlertClosed),
    Heartbeat(watch::Heartbeat),
    Deployed(Box<watch::Deployed>),
    ConfigurationCaptured(Box<watch::ConfigurationCaptured>),
    ClockChecked(watch::ClockChecked),
    CheckpointWitnessed(watch::CheckpointWitnessed),
    RollbackDetected(watch::RollbackDetected),
    Erased(watch::Erased),
    AdminActed(watch::AdminActed),
    RulesChanged(watch::RulesChanged),
}

/// An intent was received. Opens its case; judged in the same append.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Filed {
    /// The case, which is the intent's digest.
    pub case: CaseId,
    /// The intent, in full.
    pub intent: Intent,
}

/// An intent was judged under a policy; amounts are reserved here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// The case.
    pub case: CaseId,
    /// Digest of the intent.
    pub intent: Digest,
    /// The kind of the intent's action.
    pub kind: String,
    /// Who filed it: an agent or a person.
    pub principal: String,
    /// Which of the two.
    pub principal_kind: PrincipalKind,
    /// Digest of the policy in force.
    pub policy: Digest,
    /// The answer.
    pub judgment: Judgment,
    /// How many members must agree, over all required quorums (the largest); none if nobody need.
    pub quorum_m: Option<u32>,
    /// Who may agree, over all required quorums.
    pub quorum_members: BTreeSet<ApproverId>,
    /// The reasons, as in the answer.
    pub reasons: Vec<Reason>,
    /// The wallet, for a transfer.
    pub wallet: Option<WalletId>,
    /// The chain, for a transfer.
    pub chain: Option<ChainId>,
    /// The asset, for a transfer.
    pub asset: Option<AssetId>,
    /// Base units, for a transfer.
    pub amount: Option<Amount>,
    /// The amount's worth in cents of the policy's currency, rounded up; none when no price was known.
    pub value: Option<Amount>,
    /// Decimal places of the asset.
    pub decimals: Option<u8>,
    /// The recipient, for a transfer.
    pub recipient: Option<AccountId>,
    /// The budgets that it counts towards.
    pub budget: Vec<BudgetId>,
    /// What is held in them until the case closes: amount and fee ceiling.
    pub reserved: Vec<Charge>,
    /// The requester's key.
    pub idempotency_key: IdempotencyKey,
    /// How grave a mistake would be.
    pub risk_class: RiskClass,
    /// The signed facts that the answer rests on.
    pub facts: Vec<SignedFact>,
    /// Whether the recipient was screened.
    pub counterparty_check: CounterpartyCheck,
    /// When the case expires unless signing has begun.
    pub expires_at: Timestamp,
}

/// An amount of one asset that a case holds or spends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Charge {
    /// The asset.
    pub asset: AssetId,
    /// Base units.
    pub amount: Amount,
}

/// Agent or person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A program.
    Agent,
    /// A person.
    Person,
}

/// How grave a mistake would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskClass {
    /// Transfers, and acts that only tighten.
    Standard,
    /// Policy, charter, credentials, recipients, keys, unfreezing.
    High,
}

/// A party found that exact draft bytes carry out the intent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Warranted {
    /// The case.
    pub case: CaseId,
    /// Who found it.
    pub party: Party,
    /// Digest of the draft.
    pub draft: Digest,
    /// The unsigned transaction bytes, lower-case hex.
    pub bytes: String,
    /// The chain they are for.
    pub chain: ChainId,
    /// The decoder that read them back, with its version.
    pub decoders: Vec<String>,
    /// Digest of the intent that the bytes carry out.
    pub decoded_intent: Digest,
    /// The account whose nonce they use.
    pub account: AccountId,
    /// The nonce.
    pub nonce: u64,
    /// The largest fee that the bytes allow, in the chain's own coin.
    pub fee_max: Amount,
    /// The draft that this one conflicts with and replaces, if any.
    pub replaces: Option<Digest>,
}

/// A cosigner is about to take part in signing a draft. Only in its own ledger: what it holds itself to have signed and
/// spent, whatever the book says later.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Marked {
    /// The case.
    pub case: CaseId,
    /// The protocol session, used once.
    pub session: Digest,
    /// Digest of the draft.
    pub draft: Digest,
    /// The account whose nonce it uses.
    pub account: AccountId,
    /// The nonce.
    pub nonce: u64,
    /// The wallet.
    pub wallet: WalletId,
    /// Who wants it.
    pub requester: Requester,
    /// Who gets it.
    pub counterparty: AccountId,
    /// What it spends at most.
    pub charges: Vec<Charge>,
    /// The size of the book's checkpoint that the session is bound to.
    pub checkpoint_size: u64,
}

/// The desk or one cosigner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Party {
    /// The desk.
    Desk,
    /// A cosigner.
    Cosigner {
        /// Its seat.
        cosigner: CosignerId,
    },
}

/// A desk or cosigner would not go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refused {
    /// The case.
    pub case: CaseId,
    /// Who refused.
    pub party: Party,
    /// Why, and what to do next.
    pub reason: Reason,
    /// Whether a secret-dependent message of that party may have left for this case.
    pub left: bool,
}

/// A threshold signature was completed and checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed {
    /// The case.
    pub case: CaseId,
    /// The wallet.
    pub wallet: WalletId,
    /// The epoch of its shares.
    pub key_epoch: u64,
    /// How it was signed.
    pub scheme: SchemeName,
    /// The library that signed, with its version.
    pub library: String,
    /// Digest of the draft.
    pub draft: Digest,
    /// The 32 bytes that were signed, lower-case hex.
    pub sighash: String,
    /// r and s (s low) and the recovery bit, 65 bytes lower-case hex.
    pub signature: String,
    /// The wallet's public key, 33 bytes lower-case hex.
    pub public_key: String,
    /// The signed transaction, lower-case hex: what is broadcast, and nothing else ever is.
    pub transaction: String,
    /// Its identifier on the chain.
    pub txid: String,
    /// Who took part.
    pub cosigners: BTreeSet<CosignerId>,
    /// The protocol session.
    pub session: Digest,
    /// The size of the checkpoint that the session was bound to.
    pub checkpoint_size: u64,
    /// The independent library that verified the signature.
    pub verified_by: String,
    /// What the signature is for.
    pub purpose: String,
}

/// Signed bytes were published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Broadcast {
    /// The case.
    pub case: CaseId,
    /// The transaction.
    pub txid: String,
}

/// A transfer that touches our wallets was seen on chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransferObserved {
    /// The transaction.
    pub txid: String,
    /// The wallet.
    pub wallet: WalletId,
    /// The chain.
    pub chain: ChainId,
    /// `out` or `in`.
    pub direction: String,
    /// The asset.
    pub asset: AssetId,
    /// Base units.
    pub amount: Amount,
    /// The other side.
    pub counterparty: AccountId,
    /// How far it has come.
    pub stage: Stage,
    /// The block, where it is in one.
    pub block: Option<u64>,
    /// The case that explains it.
    pub case: Option<CaseId>,
}

/// How far a transaction has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// In a pool.
    Pending,
    /// In a block.
    Included,
    /// In a block that left the chain again.
    Reorged,
    /// In no pool and no block, though it was.
    Dropped,
    /// Another transaction with the same nonce is in a block.
    Replaced,
}

/// A cancel intent asks that this case be given up; it will be, by expiry or by a conflicting draft.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CancelAsked {
    /// The case to give up.
    pub case: CaseId,
    /// The cancel intent's own case.
    pub by: CaseId,
}

/// A case ended. The last entry of every case, whatever its exit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Closed {
    /// The case.
    pub case: CaseId,
    /// How.
    pub outcome: Outcome,
    /// Why, in one line.
    pub reason: String,
    /// Parties at fault, where a protocol named them.
    pub culprits: BTreeSet<CosignerId>,
    /// The transaction, where there is one.
    pub txid: Option<String>,
    /// What moved, in base units of the intent's asset.
    pub amount: Option<Amount>,
    /// The fee that was paid, in the chain's own coin.
    pub fee: Option<Amount>,
    /// The source's signed word on finality, where something had been signed.
    pub finality: Option<SignedFact>,
}

/// How a case ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened, finally.
    Settled,
    /// It is on chain, finally, and failed there: only the fee was paid.
    Reverted,
    /// Another transaction of ours took its nonce, finally: it can never happen.
    Replaced,
    /// Policy or a party would not.
    Refused,
    /// An approver said no.
    Rejected,
    /// A protocol failed; see culprits.
    Aborted,
    /// Nobody agreed in time.
    Expired,
    /// The requester gave it up before anything was signed.
    Cancelled,
    /// An administrative act took effect.
    Done,
}
