//! TLS of servers that browsers and programs reach, from PEM files. Only TLS 1.3, and only HTTP/1.1 under it.
//!
//! A certificate that is renewed on disk is taken up by the next handshake, without a restart: connections that stand keep
//! theirs, and no request fails. A pair that cannot be used is told and refused; the one before stays.

mod pair;
mod shown;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use quorate_terms::Timestamp;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use self::pair::Pair;
use crate::clock::Clock;
use crate::fault::Fault;

pub use self::shown::shown;

/// A certificate that ends in less than this should have been renewed, in seconds: 14 days.
pub const RENEW_S: u64 = 14 * 24 * 60 * 60;

/// How long a pair that was refused is left alone, in seconds: it may only be too early for it.
const AGAIN_S: u64 = 10;

/// The certificate and key of a server, as they last could be used.
pub struct Https {
    certificate: PathBuf,
    key: PathBuf,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// How a server's certificate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Until when the certificate that is shown is valid.
    pub until: Timestamp,
    /// Why the files on disk are not the pair that is shown, if they are not.
    pub refused: Option<Fault>,
}

struct State {
    stamp: Stamp,
    pair: Pair,
    /// Why the files are refused, and when they are read again.
    refused: Option<(Fault, Timestamp)>,
}

/// By what a changed pair of files is known: the time and length of each.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Https {
    /// The pair of files that is named, if one is; half a pair is refused.
    ///
    /// # Errors
    /// [`Fault`] naming the file that cannot be used: no PEM, a key of another certificate, not valid now.
    pub fn load(
        certificate: Option<&Path>,
        key: Option<&Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Arc<Self>>, Fault> {
        let (certificate, key) = match (certificate, key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate.to_owned(), key.to_owned()),
            _ => {
                let why = "is half a pair: there is a certificate or a key, not both";
                return Err(Fault::new("certificate and key", why, "name both, or neither"));
            }
        };
        // The stamp is taken first: what changes while it is read is read again.
        let stamp = stamp(&certificate, &key);
        let pair = Pair::read(&certificate, &key, clock.now())?;
        let state = Mutex::new(State { stamp, pair, refused: None });
        Ok(Some(Arc::new(Self { certificate, key, clock, state })))
    }

    /// One handshake, with the files as they are now. The caller bounds its time.
    ///
    /// # Errors
    /// What the socket or the peer did wrong.
    pub async fn accept(self: Arc<Self>, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = self.newest(|state| state.pair.acceptor());
        acceptor.accept(socket).await
    }

    /// How the certificate stands now.
    pub fn standing(&self) -> Standing {
        self.newest(|state| Standing {
            until: state.pair.until(),
            refused: state.refused.as_ref().map(|(fault, _)| fault.clone()),
        })
    }

    /// Looks at the files; while they are no pair, as half way through a renewal, that of before goes on.
    fn newest<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        let found = stamp(&self.certificate, &self.key);
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_changed = state.stamp != found;
        let is_due = state.refused.as_ref().is_some_and(|(_, again)| now >= *again);
        if is_changed || is_due {
            state.stamp = found;
            state.take(Pair::read(&self.certificate, &self.key, now), now, is_changed);
        }
        look(&state)
    }
}

impl State {
    fn take(&mut self, read: Result<Pair, Fault>, now: Timestamp, is_news: bool) {
        match read {
            Ok(pair) => {
                tracing::info!(until = %pair.until().utc(), "a new certificate is in use");
                (self.pair, self.refused) = (pair, None);
            }
            Err(fault) => {
                if is_news {
                    tracing::warn!(%fault, "the changed certificate cannot be used; the one before stays");
                }
                self.refused = Some((fault, now.plus_s(AGAIN_S)));
            }
        }
    }
}

/// Until when a pair of files could serve, as a doctor asks.
///
/// # Errors
/// As [`Https::load`].
pub fn look(certificate: &Path, key: &Path, now: Timestamp) -> Result<Timestamp, Fault> {
    Pair::read(certificate, key, now).map(|pair| pair.until())
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| {
        let meta = path.metadata().ok()?;
        Some((meta.modified().ok()?, meta.len()))
    })
}

#[cfg(test)]
mod tests;
