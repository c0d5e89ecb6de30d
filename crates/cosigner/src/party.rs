//! A cosigner: follows the book, judges for itself, keeps its own ledger, and takes part in protocols only on its own warrant.
//!
//! `step` is a pure machine but for the signing library's randomness. The host makes a step's replica and records durable in
//! one transaction, then runs its effects, in order. No message and no answer exists before its record does. Only what a run
//! says may pass the records of other runs ([`Pace`]).

mod drill;
mod follow;
mod generate;
mod open;
mod own;
mod pace;
mod running;
mod shares;
mod sign;
pub mod snapshot;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use quorate_custody::protocol::{Answer, Call};
use quorate_custody::{Charter, Follower, Refusal};
use quorate_terms::delegation::Ending;
use quorate_terms::entry::{BackupStatement, Entry, ShareRestored};
use quorate_terms::freeze::{Freeze, Scope};
use quorate_terms::{CosignerId, Digest, PublicKey, Signature, Timestamp, WalletId};
use zeroize::Zeroizing;

use crate::abort::{AbortCount, BanPending};
use crate::scheme::Scheme;
use crate::session::Identity;
use crate::share::KeyShare;

pub use drill::DrillCall;
pub use own::{Notes, OwnBook};
pub use pace::Pace;
pub(crate) use running::{Early, Running};
use shares::Shares;
pub use work::{Work, Worked};

/// Names a call of the host's, so that its answer finds its way back.
pub type CallId = u64;

/// Seconds after which a run that has not ended is given up (row 21).
pub const RUN_DEADLINE_S: u64 = 30;
/// Runs that may be open at once.
pub const RUNS_MAX: usize = 256;

/// The keys with which a cosigner speaks. They stay with the host.
pub trait Keys: Send + Sync {
    /// The identity key's signature over a digest.
    fn identity(&self, digest: &Digest) -> Signature;
    /// The witness key's signature over bytes.
    fn witness(&self, bytes: &[u8]) -> Signature;
}

/// Something happened to this cosigner.
pub enum Event {
    /// The desk called.
    Called {
        /// The call.
        id: CallId,
        /// What it says.
        call: Box<Call>,
    },
    /// A peer sent a protocol message, over its authenticated link.
    PeerSpoke {
        /// Who.
        from: CosignerId,
        /// What.
        bytes: Vec<u8>,
    },
    /// A piece of work of an earlier step is done.
    Worked(Box<Worked>),
    /// A signed freeze came, from whatever channel.
    FreezeCame(Box<Freeze>),
    /// A delegation was taken back, as whoever did it signed it, from whatever channel.
    EndingCame(Box<Ending>),
    /// The operator froze on the spot.
    FreezeHere {
        /// What.
        scope: Scope,
        /// Why, as a short code.
        cause: String,
    },
    /// The operator has a backup of a share and wants it proven.
    BackupRead {
        /// The call.
        id: CallId,
        /// The share, as read from the backup.
        share: Arc<KeyShare>,
        /// SHA-256 of the sealed file.
        backup: Digest,
    },
    /// A peer asks this cosigner to take part in a drill.
    DrillAsked {
        /// The call.
        id: CallId,
        /// Who asks.
        from: CosignerId,
        /// What it says.
        call: DrillCall,
    },
    /// The operator puts a share back from a backup; the host writes it once this is durable.
    Restored(ShareRestored),
    /// The host unsealed the shares that it holds, at its start: where each runs is said again.
    Unsealed,
    /// The host's wall clock was set, or this cosigner's own ledger is ahead of it at the start.
    ClockJumped {
        /// What it should have shown.
        expected: Timestamp,
        /// What it showed.
        found: Timestamp,
    },
    /// The host found something wrong that people must hear of.
    Noticed {
        /// The rule that fired.
        rule: &'static str,
        /// What it is about.
        subject: String,
    },
    /// Time went by.
    Ticked,
}

/// What the host is to do, in order, once replica and records are durable.
pub enum Effect {
    /// Send protocol bytes to a peer.
    Send {
        /// To whom.
        to: CosignerId,
        /// What.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// Answer a call of the desk.
    Answer {
        /// The call.
        id: CallId,
        /// The answer.
        answer: Box<Answer>,
    },
    /// A ban is durable now: take the abort out and answer with it.
    Banned {
        /// The call, if one waits.
        id: Option<CallId>,
        /// The ban.
        pending: BanPending,
        /// The answer.
        answer: Option<Box<Answer>>,
    },
    /// Seal a new share and sync it to disk. Whatever follows waits for that.
    Seal {
        /// The share.
        share: Arc<KeyShare>,
    },
    /// Ask every peer of a drill to take part.
    AskDrill {
        /// Whom.
        to: CosignerId,
        /// What.
        call: DrillCall,
    },
    /// Answer a drill that a peer or the operator asked for.
    Drilled {
        /// The call.
        id: CallId,
        /// The statement, or why not; none for a peer that only took part.
        result: Result<Option<Box<BackupStatement>>, Refusal>,
    },
    /// Call people.
    Alarm {
        /// The rule that fired.
        rule: &'static str,
        /// What it is about.
        subject: String,
    },
    /// Something could not be recorded, so nothing of this step may be done or said: end the process.
    Halt,
}

/// What to make durable, and what to do then.
#[derive(Default)]
pub struct Step {
    /// Entries of the book, as canonical bytes, to append to the replica.
    pub replica: Vec<Vec<u8>>,
    /// Entries of this cosigner's own ledger.
    pub records: Vec<Entry>,
    /// What to do once both are durable.
    pub effects: Vec<Effect>,
    /// Protocol runs that it began or moved on.
    pub runs: BTreeSet<Digest>,
    /// To be run at any time and anywhere, and to come back as [`Event::Worked`]; empty unless the party is
    /// [`working_apart`](Party::working_apart).
    pub work: Vec<Work>,
}

/// A cosigner.
pub struct Party {
    me: CosignerId,
    keys: Arc<dyn Keys>,
    scheme: Arc<dyn Scheme>,
    follower: Follower,
    charter: Charter,
    own: OwnBook,
    shares: Shares,
    running: BTreeMap<Digest, Running>,
    /// Runs that are worked on elsewhere, and what peers said meanwhile.
    away: BTreeMap<Digest, VecDeque<Vec<u8>>>,
    /// Whether work leaves the machine.
    apart: bool,
    early: Early,
    aborts: AbortCount,
    notes: Notes,
    placement: Option<Placement>,
    /// Alarms of each rule that were recorded since a time: a peer that makes noise fills no disk.
    noise: BTreeMap<&'static str, (Timestamp, u32)>,
    unrecorded: bool,
}

/// Where a cosigner's shares run, as its host declares it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// A pseudonym of the machine, distinct for distinct machines.
    pub host: Digest,
    /// The legal entity that runs it.
    pub operator: String,
    /// `process`, `tee` or `hsm`.
    pub hardware: String,
}

impl Party {
    /// A cosigner with its replica, its charter as folded from its own ledger, and the shares that it could unseal.
    pub fn new(
        me: CosignerId,
        keys: Arc<dyn Keys>,
        scheme: Arc<dyn Scheme>,
        follower: Follower,
        charter: Charter,
        own: OwnBook,
    ) -> Self {
        Self {
            me,
            keys,
            scheme,
            follower,
            charter,
            own,
            shares: Shares::default(),
            running: BTreeMap::new(),
            away: BTreeMap::new(),
            apart: false,
            early: Early::default(),
            aborts: AbortCount::default(),
            notes: Notes::default(),
            placement: None,
            noise: BTreeMap::new(),
            unrecorded: false,
        }
    }

    /// Declares where this cosigner runs: recorded with every share that it comes to hold, and again at [`Event::Unsealed`].
    pub fn declare(&mut self, placement: Placement) {
        self.placement = Some(placement);
    }

    /// Its name.
    pub const fn me(&self) -> &CosignerId {
        &self.me
    }

    /// Its replica of the book.
    pub const fn follower(&self) -> &Follower {
        &self.follower
    }

    /// Its charter.
    pub const fn charter(&self) -> &Charter {
        &self.charter
    }

    /// Its own ledger.
    pub const fn own(&self) -> &OwnBook {
        &self.own
    }

    /// The wallets whose shares are in memory.
    pub fn wallets(&self) -> impl Iterator<Item = &WalletId> {
        self.shares.wallets()
    }

    /// The share in memory that is the wallet's key in the book; while the book names none, the newest.
    pub fn share(&self, wallet: &WalletId) -> Option<&Arc<KeyShare>> {
        self.shares.of(wallet, self.follower.book())
    }

    /// Takes a share that the host unsealed, later ones over earlier ones. Says whether it is of use: one that is not the
    /// key of the book, once the book names it, signs nothing and is not kept.
    pub fn load(&mut self, share: KeyShare) -> bool {
        let known = self.follower.book().wallet(&share.facts().wallet);
        let own =
            known.is_none_or(|wallet| wallet.public_key == share.facts().public_key.to_string());
        if self.charter.is_barred(&share.facts().wallet) {
            share.freeze();
        }
        if own {
            self.shares.put(share.shared());
        }
        own
    }

    /// What to tell the book again after a restart, as the own ledger remembers it.
    pub fn remember(&mut self, entry: &Entry) {
        self.notes.fold(entry);
    }

    /// As [`Party::remember`], for all entries at once.
    #[must_use]
    pub fn remembering(self, notes: Notes) -> Self {
        Self { notes, ..self }
    }

    /// What was folded from the own ledger, as bytes under this cosigner's signature.
    ///
    /// # Errors
    /// As [`snapshot::write`].
    pub fn own_snapshot(&self) -> Result<Vec<u8>, Refusal> {
        let fold = (&self.own, &self.charter, &self.notes);
        snapshot::write(&self.me, fold, |digest| self.keys.identity(digest))
    }

    /// What follows from an event. The party's memory has moved on when this returns: if the host cannot make replica and
    /// records durable it must stop and start again from disk.
    ///
    /// Time is never earlier than the own ledger's last entry: a clock that was set back makes nothing live longer.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Step {
        let now = now.max(self.own.last_at());
        let mut step = self.happened(event, now);
        if self.unrecorded {
            step.effects = vec![Effect::Halt];
            step.work.clear();
        }
        step
    }

    fn happened(&mut self, event: Event, now: Timestamp) -> Step {
        match event {
            Event::Called { id, call } => self.called(id, &call, now),
            Event::PeerSpoke { from, bytes } => self.peer_spoke(&from, &bytes, now),
            Event::Worked(worked) => self.worked(*worked, now),
            Event::FreezeCame(freeze) => self.freeze_came(&freeze, now),
            Event::EndingCame(ending) => self.ending_came(&ending, now),
            Event::FreezeHere { scope, cause } => self.freeze_here(scope, cause, now),
            Event::BackupRead { id, share, backup } => self.backup_read(id, share, backup, now),
            Event::DrillAsked { id, from, call } => self.drill_asked(id, &from, &call, now),
            Event::Restored(restored) => self.restored(restored, now),
            Event::Unsealed => self.unsealed(now),
            Event::ClockJumped { expected, found } => {
                let way = if found < expected { "back" } else { "forward" };
                let subject =
                    format!("the clock was set {way}: it shows {found}, due was {expected}");
                self.noticed("clock_jump", &subject, now)
            }
            Event::Noticed { rule, subject } => self.noticed(rule, &subject, now),
            Event::Ticked => self.tick(now),
        }
    }

    fn identity(&self) -> impl Identity + use<> {
        let keys = self.keys.clone();
        move |digest: &Digest| keys.identity(digest)
    }

    fn pinned(&self) -> BTreeMap<CosignerId, PublicKey> {
        let seats = &self.charter.text().cosigners;
        seats.iter().map(|seat| (seat.cosigner.clone(), seat.identity)).collect()
    }
}
