//! Listening: loopback unless TLS, a bounded number of connections, and no patience with slow heads.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use quorate_terms::Malformed;

/// Whether a door may listen here.
///
/// # Errors
/// [`Malformed`] for an address other than loopback without TLS.
pub fn listen_check(address: &SocketAddr, tls: bool) -> Result<(), Malformed> {
    if tls || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let why = format!("is {address}, which is not loopback, and there is no TLS");
    Err(Malformed::new("listen", why, "listen on 127.0.0.1, or set up a certificate"))
}

/// How long accepting rests after it failed.
const PAUSE: Duration = Duration::from_millis(20);

/// Bounds on connections.
#[derive(Clone, Copy, Debug)]
pub struct Connections {
    /// Connections at the same time; further ones are closed at once.
    pub most: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the head of a request may take, and how long a connection may idle.
    pub head: Duration,
    /// How long open requests get when the desk stops.
    pub drain: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: 1024,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            drain: Duration::from_secs(5),
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
    let places = Arc::new(Semaphore::new(bounds.most));
    let (stopping, stopped) = watch::channel(false);
    let mut open = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let socket = tokio::select! {
            () = &mut stop => break,
            Some(_) = open.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                // One connection that broke, or no descriptor left: others go on, and the queue is not spun on.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let one = connection(wrap(socket), router.clone(), bounds, stopped.clone());
        open.spawn(async move {
            one.await;
            drop(place);
        });
    }
    let _ = stopping.send(true);
    let drain = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(bounds.drain, drain).await;
}

async fn connection<T>(
    wrapping: impl Future<Output = io::Result<T>>,
    router: Router,
    bounds: Connections,
    mut stopped: watch::Receiver<bool>,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(Ok(stream)) = tokio::time::timeout(bounds.handshake, wrapping).await else { return };
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(64 * 1024);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        _ = stopped.wait_for(|stop| *stop) => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}
