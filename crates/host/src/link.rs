//! Links: one warm, authenticated connection between two processes, on which both may call, notify and stream.
//!
//! Reading order: the frames (`wire`), who is at the other end (`tls`), the two directions of a connection (`mux`), and
//! the two ways to get one ([`Server`], [`Client`]).
//!
//! Invariant: no byte from the network reaches a [`Handler`] before the peer has proven a key that is pinned here, and
//! no connection waits for another.

mod client;
mod mux;
mod server;
mod tls;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use quorate_terms::PublicKey;

pub use client::Client;
pub(crate) use mux::Guard;
pub use mux::{Cancelled, Link, Sink, Subscription};
pub use server::Server;

/// A future on the heap, as trait methods return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How much a peer may ask of us, and how long we wait for it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest frame, in bytes. A longer one ends the connection.
    pub frame_bytes: usize,
    /// Bytes received and not yet handled, for each connection.
    pub pending_bytes: usize,
    /// Calls and streams that are being handled at once, for each connection.
    pub pending_calls: usize,
    /// Authenticated connections in all.
    pub connections: usize,
    /// Authenticated connections for each peer.
    pub connections_per_peer: usize,
    /// Connections that have not proven who they are; the oldest makes room for a new one.
    pub strangers: usize,
    /// To connect and to authenticate.
    pub handshake: Duration,
    /// For a frame that has begun, and for a peer to take one from us.
    pub frame: Duration,
    /// Silence after which a connection is dead. A third of it sends a sign of life.
    pub idle: Duration,
    /// The longest wait between two attempts to connect.
    pub backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 8 * 1024 * 1024,
            pending_bytes: 32 * 1024 * 1024,
            pending_calls: 256,
            connections: 128,
            connections_per_peer: 8,
            strangers: 256,
            handshake: Duration::from_secs(5),
            frame: Duration::from_secs(30),
            idle: Duration::from_secs(45),
            backoff: Duration::from_secs(5),
        }
    }
}

/// The keys that may speak to us; shared, and changeable while links are open. A removed peer's next frame ends its link.
#[derive(Clone, Default)]
pub struct Pins(Arc<RwLock<BTreeSet<PublicKey>>>);

impl Pins {
    /// Exactly these keys.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(Arc::new(RwLock::new(keys.into_iter().collect())))
    }

    /// Replaces them all.
    pub fn set(&self, keys: impl IntoIterator<Item = PublicKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys.into_iter().collect();
    }

    /// Adds one.
    pub fn add(&self, key: PublicKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Removes one.
    pub fn remove(&self, key: &PublicKey) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Whether this key may speak.
    #[must_use]
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(key)
    }
}

/// Who is at the other end, proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process that holds this pinned key.
    Key(PublicKey),
    /// A process of this user on this machine, over a Unix socket.
    User(u32),
}

impl Peer {
    /// The key, if it is a process on a TLS link.
    #[must_use]
    pub fn key(&self) -> Option<PublicKey> {
        match self {
            Self::Key(key) => Some(*key),
            Self::User(_) => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "{key}"),
            Self::User(uid) => write!(f, "user {uid}"),
        }
    }
}

/// A call, notice or stream that a peer asked for.
pub struct Request {
    /// Who asks.
    pub peer: Peer,
    /// What for.
    pub method: String,
    /// With what.
    pub body: Vec<u8>,
    /// The link that it came over, to call back on.
    pub link: Link,
    /// When nobody waits for the answer any more.
    pub cancelled: Cancelled,
}

/// Whether a text is an address to listen at or to dial: `HOST:PORT`.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-[]:".contains(&b));
        !host.is_empty() && plain && port.parse::<u16>().is_ok()
    })
}

/// The other side says no. It is an answer, not a failure of the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// A short constant for programs, for example `unknown_method`.
    pub code: String,
    /// For people: what to do next.
    pub message: String,
}

impl Refused {
    /// A refusal. Code and message are cut at 64 and 4096 bytes on the wire.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    fn unknown_method() -> Self {
        Self::new("unknown_method", "this peer does not do that; compare the versions")
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The peer refused.
    Refused(Refused),
    /// No answer in time. The peer was told to stop; it may have acted.
    Late,
    /// The connection ended, with this reason. The peer may have acted.
    Lost(String),
    /// The request is longer than a frame may be. Nothing was sent.
    TooLong,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => write!(f, "the peer refused: {refused}"),
            Self::Late => {
                f.write_str("the peer gave no answer in time; ask again what became of it")
            }
            Self::Lost(why) => write!(f, "no connection to the peer ({why}); check that it runs"),
            Self::TooLong => {
                f.write_str("the request is too long for one frame; send less at once")
            }
        }
    }
}

impl std::error::Error for CallError {}

/// What a process does when a peer speaks to it. Each method's default says no.
pub trait Handler: Send + Sync + 'static {
    /// Answers a call. It is never dropped half way; one that takes long watches [`Request::cancelled`].
    fn call(&self, _request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(async { Err(Refused::unknown_method()) })
    }

    /// Takes a one-way message. Those of one connection come one after another, in the order of sending.
    fn notice(&self, _request: Request) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Feeds a stream until it returns. When the subscriber goes away, sending fails and [`Request::cancelled`] resolves.
    fn stream(&self, _request: Request, _sink: Sink) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(async { Err(Refused::unknown_method()) })
    }
}

/// A handler for a side that only calls.
pub struct Silent;

impl Handler for Silent {}
