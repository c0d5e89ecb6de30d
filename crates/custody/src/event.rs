//! The complete list of what can happen to the desk, and of what it may ask of the world.

use std::collections::BTreeSet;

use quorate_chains::Snapshot;
use quorate_terms::approval::Approval;
use quorate_terms::delegation::Ending;
use quorate_terms::entry::{BackupStatement, Body, KeyStatement, Stage};
use quorate_terms::fact::{CounterpartyCheck, SignedFact};
use quorate_terms::freeze::{Freeze, Resume};
use quorate_terms::intent::Intent;
use quorate_terms::judgment::Reason;
use quorate_terms::{CaseId, CosignerId, Digest, WalletId};

/// Something happened. Past facts; everything the decision needs is inside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Somebody wants something.
    Filed {
        /// What is wanted.
        intent: Box<Intent>,
        /// Signed facts from outside.
        facts: Vec<SignedFact>,
        /// Whether the recipient was screened.
        screening: CounterpartyCheck,
        /// A fresh snapshot, where one is at hand: an allowed transfer is then drafted in the same append.
        snapshot: Option<Box<Snapshot>>,
    },
    /// An approver's word came in.
    ApprovalCame(Box<Approval>),
    /// A signed freeze came in.
    FreezeCame(Box<Freeze>),
    /// A delegation was taken back by the seat's person or by the stand-in.
    EndingCame(Box<Ending>),
    /// Enough approvers agreed to go on after a void entry.
    ResumesCame {
        /// The index of the void entry.
        voided: u64,
        /// Their signed agreements.
        resumes: Vec<Resume>,
    },
    /// The chain was read for a case that awaits its first draft.
    SnapshotCame {
        /// The case.
        case: CaseId,
        /// What was read.
        snapshot: Box<Snapshot>,
    },
    /// A new draft with the same nonce is wanted: higher fees, or nothing at all if the case was asked to be given up.
    ReplacementAsked {
        /// The case.
        case: CaseId,
        /// What was read.
        snapshot: Box<Snapshot>,
    },
    /// The cosigners signed.
    SignatureCame {
        /// The case.
        case: CaseId,
        /// The session.
        session: Digest,
        /// r and s.
        rs: [u8; 64],
        /// The recovery bit.
        recovery: u8,
        /// Who took part.
        cosigners: BTreeSet<CosignerId>,
        /// The size of the checkpoint that the session was bound to.
        checkpoint_size: u64,
    },
    /// A cosigner would not sign.
    CosignerRefused {
        /// The case.
        case: CaseId,
        /// Who.
        cosigner: CosignerId,
        /// Why.
        reason: Box<Reason>,
        /// Whether something secret-dependent may have left it for this case.
        left: bool,
    },
    /// A run failed; another may follow.
    RunFailed {
        /// The case.
        case: CaseId,
        /// The session.
        run: Digest,
        /// How far it had come.
        phase: String,
        /// Why.
        cause: String,
        /// Parties at fault.
        culprits: BTreeSet<CosignerId>,
    },
    /// A cosigner barred another: the key is frozen.
    PeerBarred {
        /// The wallet.
        wallet: WalletId,
        /// Who is barred.
        holder: CosignerId,
        /// Who bars.
        by: CosignerId,
        /// The check that failed.
        cause: String,
    },
    /// The cosigners generated a key.
    KeyCame {
        /// The case.
        case: CaseId,
        /// The library, with its version.
        library: String,
        /// Every holder's word.
        statements: Vec<KeyStatement>,
    },
    /// A cosigner proved a backup of its share.
    BackupCame(Box<BackupStatement>),
    /// The signed bytes were handed to a node.
    Published {
        /// The case.
        case: CaseId,
        /// The transaction.
        txid: String,
    },
    /// The chain was seen to have come so far with it.
    Observed {
        /// The case.
        case: CaseId,
        /// The transaction.
        txid: String,
        /// How far.
        stage: Stage,
        /// The block, where there is one.
        block: Option<u64>,
    },
    /// A source says what finally became of a nonce.
    FinalityCame {
        /// The case.
        case: CaseId,
        /// Its word.
        fact: Box<SignedFact>,
    },
    /// Something to remember that decides nothing (an agent's call, a heartbeat, a configuration).
    Noted(Box<Body>),
    /// Time went by.
    Ticked,
}

/// What the host is to do, after the records are durable. Idempotent: a crash repeats it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Effect {
    /// Tell the approvers that a case waits for them.
    Notify(CaseId),
    /// Read the chain once for this case.
    Fetch(CaseId),
    /// Ask the cosigners to sign the live draft.
    Convene(CaseId),
    /// Ask the cosigners to generate a key.
    Generate(CaseId),
    /// Hand the signed bytes to a node.
    Publish(CaseId),
    /// Follow the transaction until it is final.
    Watch(CaseId),
    /// Send this freeze to the cosigners at once.
    Spread(Digest),
    /// The case is over; its receipt can be made.
    Receipt(CaseId),
}

/// What should be recorded, and what should be done once it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Step {
    /// The bodies of the next entries, in order; none means that nothing happened.
    pub records: Vec<Body>,
    /// What to do after they are durable.
    pub effects: Vec<Effect>,
    /// The case that this is about.
    pub case: Option<CaseId>,
}
