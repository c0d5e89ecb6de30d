//! Keeping a link to one peer: connect, authenticate, and again after every end, with growing patience.

use std::sync::Arc;
use std::time::Duration;

use quorate_terms::PublicKey;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::mux::Guard;
use super::wire::{self, Frame};
use super::{CallError, Handler, Limits, Link, Peer, Subscription, tls};
use crate::fault::Fault;
use crate::identity::Identity;

/// The first wait after a failed attempt; it doubles up to [`Limits::backoff`].
const PATIENCE: Duration = Duration::from_millis(50);

/// What is known of the connection: a link, or why there is none.
type Status = Result<Link, String>;

/// A warm link to one peer, made again whenever it ends. Dropping it ends the link.
pub struct Client {
    status: watch::Receiver<Status>,
    wanted: Arc<Notify>,
    keeper: JoinHandle<()>,
}

struct Keeper {
    address: String,
    peer: PublicKey,
    tls: Arc<ClientConfig>,
    handler: Arc<dyn Handler>,
    limits: Limits,
    status: watch::Sender<Status>,
    wanted: Arc<Notify>,
}

impl Client {
    /// Starts to keep a link to `peer` at `address` (host and port). Returns at once; calls wait for the connection.
    ///
    /// # Errors
    /// [`Fault`] when TLS cannot be set up; never because the peer is away.
    pub fn start(
        address: &str,
        identity: &Identity,
        peer: PublicKey,
        handler: Arc<dyn Handler>,
        limits: Limits,
    ) -> Result<Self, Fault> {
        let tls = tls::client(identity, peer)?;
        let (sender, status) = watch::channel(Err("connecting".to_owned()));
        let wanted = Arc::new(Notify::new());
        let keeper = Keeper {
            address: address.to_owned(),
            peer,
            tls,
            handler,
            limits,
            status: sender,
            wanted: Arc::clone(&wanted),
        };
        Ok(Self { status, wanted, keeper: tokio::spawn(keeper.keep()) })
    }

    /// The link, if there is one now; else why not.
    ///
    /// # Errors
    /// The reason of the last failure.
    pub fn status(&self) -> Result<Link, String> {
        self.status.borrow().clone().and_then(|link| {
            if link.is_ended() { Err("the link ended".to_owned()) } else { Ok(link) }
        })
    }

    /// Waits for a link.
    ///
    /// # Errors
    /// [`CallError::Lost`] with the reason when there is none `within` the time.
    pub async fn link(&self, within: Duration) -> Result<Link, CallError> {
        self.wanted.notify_one();
        let mut status = self.status.clone();
        let ready = |status: &Status| status.as_ref().is_ok_and(|link| !link.is_ended());
        let found = timeout(within, status.wait_for(ready)).await;
        match found {
            Ok(Ok(link)) => link.clone().map_err(CallError::Lost),
            _ => Err(CallError::Lost(self.status().err().unwrap_or_else(|| "too late".to_owned()))),
        }
    }

    /// Asks the peer, connecting first if need be. The time covers both.
    ///
    /// # Errors
    /// As [`Link::call`].
    pub async fn call(
        &self,
        method: &str,
        body: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let start = Instant::now();
        let link = self.link(within).await?;
        link.call(method, body, within.saturating_sub(start.elapsed())).await
    }

    /// Sends a one-way message, connecting first if need be.
    ///
    /// # Errors
    /// As [`Link::notify`].
    pub async fn notify(
        &self,
        method: &str,
        body: Vec<u8>,
        within: Duration,
    ) -> Result<(), CallError> {
        self.link(within).await?.notify(method, body).await
    }

    /// Asks the peer for a stream, connecting first if need be.
    ///
    /// # Errors
    /// As [`Link::subscribe`].
    pub async fn subscribe(
        &self,
        method: &str,
        body: Vec<u8>,
        within: Duration,
    ) -> Result<Subscription, CallError> {
        self.link(within).await?.subscribe(method, body).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.keeper.abort();
        if let Ok(link) = &*self.status.borrow() {
            link.close("closed here");
        }
    }
}

impl Keeper {
    async fn keep(self) {
        let mut patience = PATIENCE;
        loop {
            match self.connect().await {
                Ok(link) => {
                    patience = PATIENCE;
                    let _before = self.status.send_replace(Ok(link.clone()));
                    let why = link.ended().await;
                    tracing::info!(peer = %self.peer, why, "link ended; connecting again");
                    let _before = self.status.send_replace(Err(why));
                }
                Err(why) => {
                    tracing::debug!(peer = %self.peer, why, "cannot connect");
                    let _before = self.status.send_replace(Err(why));
                }
            }
            // Somebody who wants to call shortens the wait, but not below the first patience.
            tokio::time::sleep(PATIENCE).await;
            let _time_or_wish = timeout(patience, self.wanted.notified()).await;
            patience = patience.saturating_mul(2).min(self.limits.backoff);
        }
    }

    async fn connect(&self) -> Result<Link, String> {
        let attempt = timeout(self.limits.handshake, self.handshake()).await;
        attempt.map_err(|_| "the peer does not answer".to_owned())?
    }

    async fn handshake(&self) -> Result<Link, String> {
        let stream = TcpStream::connect(&self.address).await.map_err(|e| e.to_string())?;
        let _only_slower = stream.set_nodelay(true);
        // Raw keys have no names; this one is never sent or compared.
        let name = ServerName::try_from("quorate.invalid").map_err(|e| e.to_string())?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let mut stream = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
        if tls::proven(stream.get_ref().1.peer_certificates()) != Some(self.peer) {
            return Err("the peer proved another key".to_owned());
        }
        // In TLS 1.3 we are through before the peer has looked at our key: its welcome says that it has.
        let (limits, peer) = (self.limits, Peer::Key(self.peer));
        let first = wire::read(&mut stream, limits.frame_bytes, limits.handshake, limits.handshake);
        match first.await {
            Ok(Frame::Welcome) => {}
            Ok(_) => return Err("the peer does not speak our protocol".to_owned()),
            Err(error) => return Err(format!("the peer did not welcome us: {error}")),
        }
        let handler = Arc::clone(&self.handler);
        Ok(Link::start(stream, peer, handler, limits, Guard::default(), false))
    }
}
