//! Accepting links: strangers are bounded and short-lived, peers are pinned, and no connection waits for another.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_terms::PublicKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::mux::Guard;
use super::{Handler, Limits, Link, Peer, Pins, tls};
use crate::fault::Fault;
use crate::identity::Identity;

/// A listening socket. Dropping it stops accepting; links that are open stay.
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
    links: Arc<Links>,
}

/// The links that are open, for counting and closing.
#[derive(Default)]
struct Links(Mutex<BTreeMap<u64, Link>>);

struct Door {
    acceptor: TlsAcceptor,
    handler: Arc<dyn Handler>,
    pins: Pins,
    limits: Limits,
    room: Arc<Semaphore>,
    links: Arc<Links>,
    peers: Arc<Mutex<BTreeMap<PublicKey, usize>>>,
}

impl Server {
    /// Listens at `address` for peers that hold a key of `pins`.
    ///
    /// # Errors
    /// [`Fault`] when the address cannot be bound.
    pub async fn bind(
        address: &str,
        identity: &Identity,
        pins: Pins,
        handler: Arc<dyn Handler>,
        limits: Limits,
    ) -> Result<Self, Fault> {
        let config = tls::server(identity, &pins)?;
        let trouble = |error: std::io::Error| {
            Fault::new(
                address,
                error.to_string(),
                "free the port, or give another address of this machine in the configuration",
            )
        };
        let listener = TcpListener::bind(address).await.map_err(trouble)?;
        let bound = listener.local_addr().map_err(trouble)?;
        let links = Arc::new(Links::default());
        let door = Arc::new(Door {
            acceptor: TlsAcceptor::from(config),
            handler,
            pins,
            limits,
            room: Arc::new(Semaphore::new(limits.connections)),
            links: Arc::clone(&links),
            peers: Arc::default(),
        });
        let accepting = tokio::spawn(accept_all(listener, door));
        Ok(Self { address: bound, accepting, links })
    }

    /// Where it listens, with the port that the system chose for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The links that are open now.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        self.links.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Stops accepting and ends every link.
    pub fn close(&self) {
        self.accepting.abort();
        self.links().iter().for_each(|link| link.close("the server stops"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all(listener: TcpListener, door: Arc<Door>) {
    let mut strangers: VecDeque<AbortHandle> = VecDeque::new();
    let mut number = 0_u64;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                // Out of file descriptors: accepting at once again would spin.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        strangers.retain(|stranger| !stranger.is_finished());
        if strangers.len() >= door.limits.strangers
            && let Some(oldest) = strangers.pop_front()
        {
            oldest.abort();
        }
        number = number.saturating_add(1);
        let welcome = Arc::clone(&door).welcome(stream, number);
        strangers.push_back(tokio::spawn(welcome).abort_handle());
    }
}

impl Door {
    /// Lets a stranger prove who it is, and makes a link of it.
    async fn welcome(self: Arc<Self>, stream: TcpStream, number: u64) {
        let _only_slower = stream.set_nodelay(true);
        let shaken = timeout(self.limits.handshake, self.acceptor.accept(stream)).await;
        let stream = match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::debug!(%error, "a stranger was refused"),
            Err(_) => return tracing::debug!("a stranger was too slow"),
        };
        let Some(key) = tls::proven(stream.get_ref().1.peer_certificates()) else { return };
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            return tracing::warn!(peer = %key, "refused: too many connections");
        };
        let Some(seat) = Seat::take(&self.peers, key, self.limits.connections_per_peer) else {
            return tracing::warn!(peer = %key, "refused: too many connections of this peer");
        };
        let listed = Listed { links: Arc::clone(&self.links), number };
        let guard = Guard {
            pins: Some(self.pins.clone()),
            _held: vec![Box::new(room), Box::new(seat), Box::new(listed)],
        };
        let (handler, links) = (Arc::clone(&self.handler), Arc::clone(&self.links));
        let mut open = links.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Listed before it can end, because its end takes it off the list.
        let link = Link::start(stream, Peer::Key(key), handler, self.limits, guard, true);
        open.insert(number, link);
    }
}

/// One of the connections that a peer may have.
struct Seat {
    peers: Arc<Mutex<BTreeMap<PublicKey, usize>>>,
    key: PublicKey,
}

impl Seat {
    fn take(
        peers: &Arc<Mutex<BTreeMap<PublicKey, usize>>>,
        key: PublicKey,
        most: usize,
    ) -> Option<Self> {
        let mut taken = peers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key).or_default();
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Self { peers: Arc::clone(peers), key })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.key).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.key);
        } else {
            taken.insert(self.key, left);
        }
    }
}

struct Listed {
    links: Arc<Links>,
    number: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.links.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}
