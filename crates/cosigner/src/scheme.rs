//! What a threshold scheme is to this house: two protocols as step machines, and a share that can be put away and loaded.
//!
//! A machine takes all messages of a round at once and answers with the next round's, its output, or the reason why it
//! stops. It is consumed by each step, so no state can be used twice. It knows nothing of wires, signatures on messages,
//! bans or disks: [`crate::run`] adds those for every scheme alike. The product's scheme is [`crate::dkls23::Dkls23`]; the
//! simulator brings its own.

use std::any::Any;
use std::sync::Arc;

use quorate_terms::Digest;
use quorate_terms::Malformed;
use quorate_terms::intent::SchemeName;
use zeroize::Zeroizing;

use crate::abort::Abort;
use crate::error::{Bug, Error};
use crate::session::{Inbox, Task};
use crate::share::{KeyShare, ShareFacts, WalletKey};

/// A threshold signature scheme over secp256k1.
pub trait Scheme: Send + Sync {
    /// Its name in intents and entries.
    fn name(&self) -> SchemeName;

    /// The library and its version, for the entry on a key's making.
    fn library(&self) -> &'static str;

    /// The largest payload of each round of key generation.
    fn generate_caps(&self) -> &'static [usize];

    /// The largest payload of each round of signing.
    fn sign_caps(&self) -> &'static [usize];

    /// Starts key generation as the task's party.
    ///
    /// # Errors
    /// [`Error`] when the task does not fit this scheme or the machine below us fails.
    fn generate(&self, task: &Task) -> Result<Begun<Generated>, Error>;

    /// Starts signing the task's message; the output is r and s, not yet verified.
    ///
    /// # Errors
    /// As [`Scheme::generate`], and when the share is of another scheme.
    fn sign(&self, share: Arc<KeyShare>, task: &Task) -> Result<Begun<[u8; 64]>, Error>;

    /// Reads a share's secret part and checks it against the public facts.
    ///
    /// # Errors
    /// [`Malformed`] for anything that is not this share in full.
    fn load(&self, facts: &ShareFacts, material: &[u8]) -> Result<Box<dyn Material>, Malformed>;
}

/// The secret part of a share, as its scheme holds it in memory. It must zeroize itself on drop.
pub trait Material: Any + Send + Sync {
    /// The bytes that [`Scheme::load`] reads back.
    ///
    /// # Errors
    /// [`Bug`] when it has no encoding.
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Bug>;
}

/// A protocol between two rounds.
pub trait Machine<T>: Send {
    /// Where it stands, as aborts cite it (`sign 2`).
    fn phase(&self) -> &'static str;

    /// Takes the awaited round's messages, one from each peer, by party number.
    fn step(self: Box<Self>, inbox: Inbox) -> Step<T>;
}

/// What a machine answers.
pub enum Step<T> {
    /// Send these and come back with the next round.
    Next(Begun<T>),
    /// Done.
    Done(T),
    /// Over, without an output.
    Stopped(Stop),
}

/// Why a machine stops.
pub enum Stop {
    /// The protocol failed.
    Aborted(Abort),
    /// We are wrong.
    Bug(Bug),
}

impl From<Abort> for Stop {
    fn from(abort: Abort) -> Self {
        Self::Aborted(abort)
    }
}

impl From<Bug> for Stop {
    fn from(bug: Bug) -> Self {
        Self::Bug(bug)
    }
}

/// A machine that waits for a round, and what it has to say first.
pub struct Begun<T> {
    /// The machine.
    pub machine: Box<dyn Machine<T>>,
    /// Its messages of this round.
    pub send: Vec<Outgoing>,
}

/// A payload for one party.
pub struct Outgoing {
    /// The recipient's party number.
    pub to: u8,
    /// What to say.
    pub payload: Zeroizing<Vec<u8>>,
}

/// What key generation yields.
pub struct Generated {
    /// Our secret part.
    pub material: Box<dyn Material>,
    /// The wallet's public key.
    pub public_key: WalletKey,
    /// Each party's public share, in order of party numbers.
    pub public_shares: Vec<WalletKey>,
    /// Digest over what all parties saw alike, equal for all of them.
    pub transcript: Digest,
}
