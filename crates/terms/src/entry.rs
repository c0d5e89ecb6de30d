//! Entries: what happened, in order. The ledger is the database, so these types are its schema.
//!
//! Field names follow the evidence model of the draft Wallet Security Standard where the act is the same
//! (`docs/spec/entries.md` holds the binding table); the rest is what replay needs.

mod body;
mod checklists;
mod delegations;
mod keys;
mod people;
mod watch;

pub use body::{
    Body, Broadcast, CancelAsked, Charge, Closed, Filed, Judged, Marked, Outcome, Party,
    PrincipalKind, Refused, RiskClass, Signed, Stage, TransferObserved, Warranted,
};
pub use checklists::{ChecklistAttested, ChecklistClosed, ChecklistEnd, ChecklistOpened, Done};
pub use delegations::{Delegated, DelegationEnded};
pub use keys::{
    BackupStatement, BackupStatementBody, BackupVerified, DrillJoined, KeyGenerated, KeyStatement,
    KeyStatementBody, PeerBanned, PlacementAttested, RunAborted, ShareRestored, WalletOpened,
};
pub use people::{
    AddressListed, AddressRemoved, AgentActed, AgentEnrolled, AgentRetired, Approved,
    CharterActivated, CharterApproved, CredentialEnrolled, CredentialRevoked, Founded, Frozen,
    ManifestPinned, PolicyActivated, Resumed, RoleEnded, RoleGranted, Unfrozen,
};
pub use watch::{
    AdminActed, AlertAcknowledged, AlertClosed, AlertRaised, CheckpointWitnessed, ClockChecked,
    ConfigurationCaptured, Deployed, Erased, Heartbeat, RollbackDetected, RulesChanged, Severity,
};

use serde::{Deserialize, Serialize};

use crate::canonical::Term;
use crate::digest::{Digest, tag};
use crate::error::Malformed;
use crate::id::VaultId;
use crate::time::Timestamp;

/// The version of the rules (judging, folding, warranting) that this build carries. An upgrade is an entry.
pub const RULES_VERSION: &str = "quorate-rules/1";

/// The largest entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = 1024 * 1024;

/// One numbered line of a ledger (`docs/spec/entry.md`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Format version, 1.
    pub v: u8,
    /// The vault whose book this is.
    pub vault: VaultId,
    /// Place in the ledger, from 0.
    pub index: u64,
    /// Digest of the entry before; [`Digest::ZERO`] for the first.
    pub prev: Digest,
    /// When, never before the entry before.
    pub at: Timestamp,
    /// The rules version that made it.
    pub rules: String,
    /// What happened.
    pub body: Body,
}

impl Term for Entry {
    const TAG: &'static str = tag::ENTRY;

    fn from_canonical(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > ENTRY_BYTES_MAX {
            let mend = format!("send at most {ENTRY_BYTES_MAX} bytes");
            return Err(Malformed::new("entry", "is too large", mend));
        }
        let entry: Self = crate::canonical::from_bytes(bytes, Self::TAG)?;
        if entry.v == 1 {
            return Ok(entry);
        }
        Err(Malformed::new("entry.v", "is not 1", "use a program that knows this version"))
    }
}

impl Entry {
    /// Reads an entry of one's own ledger once more, for pages and answers: its bytes were found canonical when they were
    /// appended, and are not encoded again to compare. What authority hangs on is read by [`Term::from_canonical`].
    ///
    /// # Errors
    /// [`Malformed`] for bytes that are no entry.
    pub fn read_again(bytes: &[u8]) -> Result<Self, Malformed> {
        serde_json::from_slice(bytes).map_err(|e| {
            let why = format!("cannot be read ({e})");
            Malformed::new("entry", why, "run `quorate doctor`; restore the ledger from a replica")
        })
    }
}
