//! One run of a protocol between cosigners: what it is bound to, its signed messages, and which of them count.
//!
//! No byte reaches a protocol before it has passed here: right session, right recipient, known sender, round and size
//! within bounds, and the sender's signature under its pinned key.

mod envelope;
mod terms;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use quorate_terms::{CosignerId, Digest, Malformed, PublicKey, Signature};
use zeroize::Zeroizing;

pub use envelope::{ENVELOPE_OVERHEAD, Envelope};
pub use terms::{CheckpointMark, Purpose, Seat, SessionTerms, Task};

use crate::error::{Error, Misuse};

/// Signs digests with a party's identity key, which stays with the caller.
pub trait Identity {
    /// The identity key's signature over the digest.
    fn sign(&self, digest: &Digest) -> Signature;
}

impl<F: Fn(&Digest) -> Signature> Identity for F {
    fn sign(&self, digest: &Digest) -> Signature {
        self(digest)
    }
}

/// All messages of one round, by the sender's party number.
pub type Inbox = BTreeMap<u8, Zeroizing<Vec<u8>>>;

/// Why a message was dropped. Nothing has changed, nobody is banned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not a message at all.
    Malformed(Malformed),
    /// Of another session: old, replayed or misrouted.
    OtherSession,
    /// Not for us.
    OtherRecipient,
    /// From a party that is not in this session, or from ourselves.
    UnknownSender,
    /// A round that this protocol does not have.
    UnknownRound,
    /// Larger than this round's messages may be.
    Oversize,
    /// Not signed by the sender's pinned key.
    BadSignature,
    /// The sender signed two different messages for one round. The first one counts.
    Conflict(CosignerId),
    /// The run is over.
    Over,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(e) => e.fmt(f),
            Self::OtherSession => f.write_str("message of another session; start a new attempt"),
            Self::OtherRecipient => f.write_str("message for another party; check the routing"),
            Self::UnknownSender => f.write_str("sender is not in this session; check the charter"),
            Self::UnknownRound => f.write_str("no such round; use the same version on both sides"),
            Self::Oversize => f.write_str("message is too large for its round; send less"),
            Self::BadSignature => {
                f.write_str("message signature is wrong; check the peer's identity")
            }
            Self::Conflict(who) => {
                write!(f, "`{who}` signed two messages for one round; raise an alarm")
            }
            Self::Over => f.write_str("the run is over; start a new attempt"),
        }
    }
}

/// What an accepted message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// New; kept until its round is complete.
    New,
    /// Heard before, byte for byte; nothing changed.
    Duplicate,
}

struct Peer {
    cosigner: CosignerId,
    key: PublicKey,
}

/// The receiving and sending end of one session.
pub struct Session {
    digest: Digest,
    me: u8,
    peers: BTreeMap<u8, Peer>,
    caps: &'static [usize],
    round: u8,
    heard: BTreeMap<(u8, u8), Digest>,
    waiting: BTreeMap<(u8, u8), Zeroizing<Vec<u8>>>,
}

impl Session {
    /// Opens our end. `keys` are the identity keys of the charter; `caps` the largest payload of each round.
    ///
    /// # Errors
    /// [`Misuse`] when a party of the session has no pinned key.
    pub fn open(
        task: &Task,
        keys: &BTreeMap<CosignerId, PublicKey>,
        caps: &'static [usize],
    ) -> Result<Self, Error> {
        let mut peers = BTreeMap::new();
        for seat in task.peers() {
            let key = keys.get(&seat.cosigner).ok_or(Misuse::new(
                "a party of the session has no pinned identity",
                "open sessions only between cosigners of the charter",
            ))?;
            peers.insert(seat.party, Peer { cosigner: seat.cosigner.clone(), key: *key });
        }
        Ok(Self {
            digest: task.session(),
            me: task.party(),
            peers,
            caps,
            round: 1,
            heard: BTreeMap::new(),
            waiting: BTreeMap::new(),
        })
    }

    /// The session's digest, which names it on the wire.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The name of a peer by party number.
    pub fn peer(&self, party: u8) -> Option<&CosignerId> {
        self.peers.get(&party).map(|p| &p.cosigner)
    }

    /// Authenticates and files one message. Each check costs more than the one before it.
    ///
    /// # Errors
    /// A [`Refusal`]; the session is as it was.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Arrival, Refusal> {
        let envelope = Envelope::from_bytes(bytes).map_err(Refusal::Malformed)?;
        let peer = self.admit(&envelope)?;
        let digest = envelope.digest();
        if !peer.key.verifies(&digest, &envelope.signature()) {
            return Err(Refusal::BadSignature);
        }
        let slot = (envelope.round(), envelope.from());
        match self.heard.get(&slot) {
            Some(known) if *known == digest => Ok(Arrival::Duplicate),
            Some(_) => Err(Refusal::Conflict(peer.cosigner.clone())),
            None if slot.0 < self.round => Err(Refusal::Over),
            None => {
                self.heard.insert(slot, digest);
                self.waiting.insert(slot, envelope.into_payload());
                Ok(Arrival::New)
            }
        }
    }

    /// The cheap checks, before any signature is computed.
    fn admit(&self, envelope: &Envelope) -> Result<&Peer, Refusal> {
        if envelope.session() != self.digest {
            return Err(Refusal::OtherSession);
        }
        if envelope.to() != self.me {
            return Err(Refusal::OtherRecipient);
        }
        let peer = self.peers.get(&envelope.from()).ok_or(Refusal::UnknownSender)?;
        let index = envelope.round().checked_sub(1).map(usize::from);
        let cap = index.and_then(|i| self.caps.get(i)).ok_or(Refusal::UnknownRound)?;
        if envelope.payload().len() > *cap { Err(Refusal::Oversize) } else { Ok(peer) }
    }

    /// The current round's messages, once every peer's has come; the next round is then current.
    pub fn take_round(&mut self) -> Option<Inbox> {
        let complete = self.peers.keys().all(|p| self.waiting.contains_key(&(self.round, *p)));
        if !complete || usize::from(self.round) > self.caps.len() {
            return None;
        }
        let mut inbox = Inbox::new();
        for party in self.peers.keys() {
            inbox.insert(*party, self.waiting.remove(&(self.round, *party))?);
        }
        self.round = self.round.saturating_add(1);
        Some(inbox)
    }

    /// A signed message of the current round to one peer.
    pub fn seal(
        &self,
        to: u8,
        payload: Zeroizing<Vec<u8>>,
        identity: &dyn Identity,
    ) -> Zeroizing<Vec<u8>> {
        Envelope::sign(self.digest, self.me, to, self.round, payload, identity).to_bytes()
    }

    /// Digest over the accepted messages so far, in order of round and sender.
    pub fn transcript(&self) -> Digest {
        let mut bytes = self.digest.as_bytes().to_vec();
        for ((round, from), digest) in &self.heard {
            bytes.extend_from_slice(&[*round, *from]);
            bytes.extend_from_slice(digest.as_bytes());
        }
        Digest::of(quorate_terms::digest::tag::TRANSCRIPT, &bytes)
    }
}
