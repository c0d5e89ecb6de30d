//! What the desk says to a cosigner and what it answers. The host carries it, as JSON, over a mutual-TLS link.

pub mod book;

use std::collections::BTreeSet;

use quorate_terms::delegation::Ending;
use quorate_terms::entry::{BackupStatement, KeyStatement};
use quorate_terms::freeze::Freeze;
use quorate_terms::judgment::Reason;
use quorate_terms::{CaseId, CosignerId, Digest, WalletId};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The entries that the cosigner has not seen, and the checkpoint over all of them. They are taken together or not at all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The index of the first of them.
    pub from: u64,
    /// Canonical bytes, which are text.
    pub entries: Vec<String>,
    /// The signed note over everything up to exactly the last of them. Whoever is far behind is told in parts, each with the
    /// note of its own end.
    pub checkpoint: String,
}

/// What the desk wants besides being followed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Nothing more.
    Follow,
    /// Sign the live draft of a case.
    Sign {
        /// The case.
        case: CaseId,
        /// Which attempt this is; one more after each failed run.
        attempt: u64,
        /// Who is to take part.
        parties: BTreeSet<CosignerId>,
    },
    /// Generate the key of a case that opens a wallet.
    Generate {
        /// The case.
        case: CaseId,
        /// Which attempt this is.
        attempt: u64,
    },
}

/// One call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// News of the book.
    pub told: Told,
    /// The request.
    pub ask: Ask,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Who answers.
    pub cosigner: CosignerId,
    /// How many entries of the book it has.
    pub size: u64,
    /// Its cosignature line on the checkpoint, if the checkpoint is its own head.
    pub cosignature: Option<String>,
    /// Its clock, in milliseconds since the epoch.
    pub clock: quorate_terms::Timestamp,
    /// Entries that it holds void.
    pub voids: Vec<(u64, Refusal)>,
    /// What it has to tell the book of its own accord.
    pub outbox: Outbox,
    /// What came of the request.
    pub came: Came,
}

/// What a cosigner has to tell the book of its own accord. Sent until the book says it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbox {
    /// Backups that it has proven.
    pub backups: Vec<BackupStatement>,
    /// Freezes at its own door.
    pub freezes: Vec<Freeze>,
    /// Delegations that were taken back at its own door.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endings: Vec<Ending>,
    /// Peers that it has barred: wallet, peer, the check that failed.
    pub barred: Vec<(WalletId, CosignerId, String)>,
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "came", rename_all = "snake_case")]
pub enum Came {
    /// It follows the book.
    Followed,
    /// It cannot follow: it has other entries than those before `from`. `size` says how many.
    Behind,
    /// The signature, verified by this cosigner.
    Signed {
        /// The session.
        session: Digest,
        /// r and s, 64 bytes lower-case hex.
        rs: String,
        /// The recovery bit.
        recovery: u8,
        /// The size of the checkpoint that the session was bound to.
        checkpoint_size: u64,
    },
    /// It would not.
    Refused {
        /// Why, and what to do next.
        reason: Reason,
        /// Whether a secret-dependent message of its may have left for this case.
        left: bool,
    },
    /// The run failed; another attempt may follow.
    Aborted {
        /// The session.
        run: Digest,
        /// How far it had come.
        phase: String,
        /// Why.
        cause: String,
        /// Parties at fault.
        culprits: BTreeSet<CosignerId>,
    },
    /// The key is made; its share is sealed on this cosigner's disk.
    KeyMade {
        /// The library, with its version.
        library: String,
        /// Its signed word on the key.
        statement: Box<KeyStatement>,
    },
}
