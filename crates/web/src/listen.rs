//! Listening: loopback unless TLS, a bounded number of connections, and no patience with slow heads and bodies.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tower::ServiceExt;

use quorate_terms::Malformed;

use crate::peers::{Peer, Peers};
use crate::timed::Timed;

/// Whether a door may listen here.
///
/// # Errors
/// [`Malformed`] for an address other than loopback without TLS.
pub fn listen_check(address: &SocketAddr, tls: bool) -> Result<(), Malformed> {
    if tls || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let why = format!("is {address}, which is not loopback, and there is no TLS");
    Err(Malformed::new("listen", why, "listen on 127.0.0.1, or give `certificate` and `key`"))
}

/// How long accepting rests after it failed.
const PAUSE: Duration = Duration::from_millis(20);

/// Marks an answer to somebody who proved who they are: others give way first when room is made.
#[derive(Clone, Copy, Debug)]
pub struct Known;

/// Bounds on connections.
#[derive(Clone, Debug)]
pub struct Connections {
    /// From where they are taken; others are closed before a byte is read.
    pub from: Peers,
    /// Connections at the same time. A sixteenth, and at least one, is never filled by those on which a credential was served:
    /// whoever is known must not keep everybody else out. When a further one comes, the known beyond their share give way, those
    /// who connected first before the others; else the stranger who connected first makes room for whoever connected after them.
    pub most: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the head of a request may take, and how long a connection may idle.
    pub head: Duration,
    /// How long the body of a request may take in all. A large file on a slow line is in it.
    pub body: Duration,
    /// How long open requests get when the desk stops.
    pub drain: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            from: Peers::default(),
            most: 1024,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            body: Duration::from_secs(60),
            drain: Duration::from_secs(5),
        }
    }
}

/// As [`serve`], after the handshake that `tls` makes of a socket, or in plain text if there is none.
pub async fn serve_tls<W, F, T>(
    listener: TcpListener,
    tls: Option<W>,
    router: Router,
    bounds: Connections,
    stop: impl Future<Output = ()> + Send,
) where
    W: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<T>> + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match tls {
        Some(shaken) => serve(listener, shaken, router, bounds, stop).await,
        None => {
            let plain = |socket| std::future::ready(Ok(socket));
            serve(listener, plain, router, bounds, stop).await;
        }
    }
}

/// Serves a router until `stop` completes. `wrap` turns a socket into a stream: itself, or a TLS handshake's outcome.
///
/// A broken connection ends that connection and nothing else.
pub async fn serve<W, F, T>(
    listener: TcpListener,
    wrap: W,
    router: Router,
    bounds: Connections,
    stop: impl Future<Output = ()> + Send,
) where
    W: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<T>> + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut places = Places::new(bounds.most);
    let (stopping, stopped) = watch::channel(false);
    tokio::pin!(stop);
    loop {
        let (socket, peer) = tokio::select! {
            () = &mut stop => break,
            Some(_) = places.open.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) if bounds.from.admits(peer.ip()) => {
                    (socket, Peer(peer.ip().to_canonical()))
                }
                Ok(_) => continue,
                // One connection that broke, or no descriptor left: others go on, and the queue is not spun on.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        places.make_room().await;
        let served = Arc::new(AtomicBool::new(false));
        let known = Arc::clone(&served);
        let router = router.clone().layer(axum::Extension(peer));
        let one = connection(wrap(socket), router, bounds.clone(), stopped.clone(), served);
        places.take(one, known);
    }
    let _ = stopping.send(true);
    let drain = async { while places.open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(bounds.drain, drain).await;
}

/// A connection, and whether a credential was served on it.
type Held = (AbortHandle, Arc<AtomicBool>);

/// The open connections, the oldest first.
struct Places {
    most: usize,
    /// So many of them may be known. The rest is for whoever is new.
    known_most: usize,
    open: JoinSet<()>,
    order: VecDeque<Held>,
}

impl Places {
    fn new(most: usize) -> Self {
        let most = most.max(1);
        let known_most = most.saturating_sub((most / 16).max(1));
        Self { most, known_most, open: JoinSet::new(), order: VecDeque::new() }
    }

    fn take(&mut self, one: impl Future<Output = ()> + Send + 'static, known: Arc<AtomicBool>) {
        let handle = self.open.spawn(one);
        self.order.push_back((handle, known));
    }

    /// Makes room for one more: neither sockets that only sit there nor somebody who is known keep anybody out. Strangers make
    /// room for strangers; of the known beyond their share, each makes room for whoever connected after them.
    async fn make_room(&mut self) {
        loop {
            while self.open.try_join_next().is_some() {}
            // What has ended since then is still in `open`, and takes no place.
            self.order.retain(|(task, _)| !task.is_finished());
            let known = self.order.iter().filter(|held| is_known(held)).count();
            let too_many = known > self.known_most;
            if !too_many && self.order.len() < self.most {
                return;
            }
            // None where the last stranger was served a credential just now: then there are too many who are known.
            let gives = self.order.iter().position(|held| is_known(held) == too_many);
            if let Some((task, _)) = gives.and_then(|at| self.order.remove(at)) {
                task.abort();
                self.open.join_next().await;
            }
        }
    }
}

fn is_known((_, known): &Held) -> bool {
    known.load(Ordering::Relaxed)
}

async fn connection<T>(
    wrapping: impl Future<Output = io::Result<T>>,
    router: Router,
    bounds: Connections,
    mut stopped: watch::Receiver<bool>,
    served: Arc<AtomicBool>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(Ok(stream)) = tokio::time::timeout(bounds.handshake, wrapping).await else { return };
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(64 * 1024);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, served) = (router.clone(), Arc::clone(&served));
        async move {
            let request = request.map(|body| Timed::new(body, bounds.body));
            let answer = router.oneshot(request).await;
            if answer.as_ref().is_ok_and(|answer| answer.extensions().get::<Known>().is_some()) {
                served.store(true, Ordering::Relaxed);
            }
            answer
        }
    });
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        _ = stopped.wait_for(|stop| *stop) => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}
