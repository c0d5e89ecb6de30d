//! A protocol message on the wire. Fixed layout, so there is exactly one encoding:
//!
//! ```text
//! version 1 | session 32 | from 1 | to 1 | round 1 | length 4, big-endian | payload | Ed25519 signature 64
//! ```
//!
//! The signature is over the digest, under the message tag, of everything before it.

use std::fmt;

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed, Signature};
use zeroize::Zeroizing;

use super::Identity;

const VERSION: u8 = 1;
const HEADER: usize = 40;
const SIGNATURE: usize = 64;

/// Bytes of a message besides its payload.
pub const ENVELOPE_OVERHEAD: usize = HEADER + SIGNATURE;

/// One signed message from one party to another.
#[derive(Clone)]
pub struct Envelope {
    session: Digest,
    from: u8,
    to: u8,
    round: u8,
    payload: Zeroizing<Vec<u8>>,
    signature: Signature,
}

impl Envelope {
    /// Makes and signs a message.
    pub fn sign(
        session: Digest,
        from: u8,
        to: u8,
        round: u8,
        payload: Zeroizing<Vec<u8>>,
        identity: &dyn Identity,
    ) -> Self {
        let signature = Signature::from_bytes([0; SIGNATURE]);
        let mut envelope = Self { session, from, to, round, payload, signature };
        envelope.signature = identity.sign(&envelope.digest());
        envelope
    }

    /// The bytes for the wire.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = self.signed_bytes();
        bytes.extend_from_slice(self.signature.as_bytes());
        bytes
    }

    /// Reads a message; its signature is not checked here.
    ///
    /// # Errors
    /// [`Malformed`] for any other length or version than it states.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::split(bytes).ok_or_else(|| {
            Malformed::new("message", "is not a protocol message", "send the form of docs/spec")
        })
    }

    fn split(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (session, rest) = rest.split_first_chunk::<32>()?;
        let ([from, to, round], rest) = rest.split_first_chunk::<3>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (payload, signature) = rest.split_last_chunk::<SIGNATURE>()?;
        let stated = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        (*version == VERSION && stated == payload.len()).then(|| Self {
            session: Digest::from_bytes(*session),
            from: *from,
            to: *to,
            round: *round,
            payload: Zeroizing::new(payload.to_vec()),
            signature: Signature::from_bytes(*signature),
        })
    }

    /// What the signature is over.
    pub fn digest(&self) -> Digest {
        Digest::of(tag::MESSAGE, &self.signed_bytes())
    }

    fn signed_bytes(&self) -> Zeroizing<Vec<u8>> {
        let room = self.payload.len().saturating_add(ENVELOPE_OVERHEAD);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.session.as_bytes());
        bytes.extend_from_slice(&[self.from, self.to, self.round]);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// The session.
    pub fn session(&self) -> Digest {
        self.session
    }

    /// The sender's party number, as it states.
    pub fn from(&self) -> u8 {
        self.from
    }

    /// The recipient's party number.
    pub fn to(&self) -> u8 {
        self.to
    }

    /// The round, from 1.
    pub fn round(&self) -> u8 {
        self.round
    }

    /// What the protocol says.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(crate) fn into_payload(self) -> Zeroizing<Vec<u8>> {
        self.payload
    }

    /// The signature, as it came.
    pub fn signature(&self) -> Signature {
        self.signature
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("session", &self.session.short())
            .field("from", &self.from)
            .field("to", &self.to)
            .field("round", &self.round)
            .field("bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}
