//! Entries about keys, shares and the cosigners that hold them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::caip::{AccountId, ChainId};
use crate::canonical::Term;
use crate::digest::{Digest, tag};
use crate::id::{CaseId, CosignerId, VaultId, WalletId};
use crate::intent::{SchemeName, Tier};
use crate::key::Signature;
use crate::time::Timestamp;

/// A wallet key was created.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyGenerated {
    /// The wallet.
    pub wallet: WalletId,
    /// The case that opened it.
    pub case: CaseId,
    /// The protocol session of the ceremony.
    pub ceremony: Digest,
    /// `dkg`: no full key ever existed.
    pub method: String,
    /// How it signs.
    pub scheme: SchemeName,
    /// The library, with its version.
    pub library: String,
    /// How many holders must take part.
    pub threshold: u8,
    /// How many shares there are.
    pub shares: u8,
    /// Who holds them.
    pub holders: BTreeSet<CosignerId>,
    /// The public key, 33 bytes lower-case hex.
    pub public_key: String,
    /// Every holder's signed word on the key.
    pub statements: Vec<KeyStatement>,
    /// What the key is for.
    pub purpose: String,
}

/// What one holder says of a key that it helped to make.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyStatementBody {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// The wallet.
    pub wallet: WalletId,
    /// The epoch of the shares; 0 at generation.
    pub epoch: u64,
    /// The holder.
    pub cosigner: CosignerId,
    /// The session of the ceremony, which binds intent, charter and checkpoint.
    pub ceremony: Digest,
    /// The public key, 33 bytes lower-case hex.
    pub public_key: String,
    /// Digest over all messages of the ceremony, in order.
    pub transcript: Digest,
}

impl Term for KeyStatementBody {
    const TAG: &'static str = tag::KEY_STATEMENT;
}

/// A key statement under its holder's signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyStatement {
    /// What is said.
    pub body: KeyStatementBody,
    /// By the holder's identity key, over the body's digest.
    pub signature: Signature,
}

/// A wallet was put into service and classified.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WalletOpened {
    /// The wallet.
    pub wallet: WalletId,
    /// The case that opened it.
    pub case: CaseId,
    /// How exposed it is.
    pub tier: Tier,
    /// The chains on which it may be used.
    pub chains: BTreeSet<ChainId>,
    /// Its account on each of them.
    pub accounts: BTreeSet<AccountId>,
    /// What it is for.
    pub reason: String,
}

/// A holder declared where its share runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlacementAttested {
    /// The wallet.
    pub wallet: WalletId,
    /// The holder.
    pub holder: CosignerId,
    /// A pseudonym of the host, distinct for distinct machines.
    pub host: Digest,
    /// The legal entity that runs it.
    pub operator: String,
    /// `process`, `tee` or `hsm`.
    pub hardware: String,
}

/// A share's backup was made and proven by a signing drill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackupVerified {
    /// The wallet.
    pub wallet: WalletId,
    /// The holder's signed word.
    pub statement: BackupStatement,
}

/// A holder put a share back from a backup. Stands in the holder's own ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareRestored {
    /// The wallet.
    pub wallet: WalletId,
    /// The epoch of the share.
    pub epoch: u64,
    /// The holder.
    pub holder: CosignerId,
    /// SHA-256 of the sealed file.
    pub backup: Digest,
    /// When the backup was made, by the holder's clock then.
    pub made_at: Timestamp,
    /// Whether the holder's own record of what it has signed reaches back to the share's making. If not, it starts frozen.
    pub record_kept: bool,
}

/// A holder is about to take part in a drill: its session is used up from here. Stands in the holder's own ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrillJoined {
    /// The wallet.
    pub wallet: WalletId,
    /// SHA-256 of the sealed backup that is tried.
    pub backup: Digest,
    /// The session.
    pub session: Digest,
}

/// What a holder says of a backup that it made and tried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupStatementBody {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// The wallet.
    pub wallet: WalletId,
    /// The epoch of the share.
    pub epoch: u64,
    /// The holder.
    pub cosigner: CosignerId,
    /// SHA-256 of the sealed file.
    pub backup: Digest,
    /// The session of the drill: a signature over a message that is no transaction.
    pub drill: Digest,
    /// When, by the holder's clock.
    pub at: Timestamp,
}

impl Term for BackupStatementBody {
    const TAG: &'static str = tag::BACKUP;
}

/// A backup statement under its holder's signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupStatement {
    /// What is said.
    pub body: BackupStatementBody,
    /// By the holder's identity key, over the body's digest.
    pub signature: Signature,
}

/// A signing or ceremony run failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunAborted {
    /// The session.
    pub run: Digest,
    /// The wallet.
    pub wallet: WalletId,
    /// The case.
    pub case: Option<CaseId>,
    /// How far it had come.
    pub phase: String,
    /// Why, in one line.
    pub cause: String,
    /// Parties at fault.
    pub culprits: BTreeSet<CosignerId>,
}

/// A holder was barred for a wallet; the key is frozen until new shares are made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeerBanned {
    /// The wallet.
    pub wallet: WalletId,
    /// Who is barred.
    pub holder: CosignerId,
    /// Who bars.
    pub by: CosignerId,
    /// The check that failed, in one line.
    pub cause: String,
}
