//! TLS of the HTTP door, from PEM files. A certificate that is renewed on disk is taken up by the next handshake, without a
//! restart: connections that stand keep theirs, and no request fails.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use quorate_host::fault::Fault;
use quorate_host::secret_file;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::HttpConfig;

/// The certificate and key of the door, as they last could be used.
pub(super) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    newest: Mutex<(Stamp, TlsAcceptor)>,
}

/// By what a changed pair of files is known: the time and length of each.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// The pair that the configuration names, if it names one; half a pair is refused.
    ///
    /// # Errors
    /// [`Fault`] naming the file that cannot be used.
    pub(super) fn load(
        config: &HttpConfig,
        resolve: impl Fn(&Path) -> PathBuf,
    ) -> Result<Option<Arc<Self>>, Fault> {
        let (certificate, key) = match (&config.certificate, &config.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (resolve(certificate), resolve(key)),
            _ => {
                return Err(Fault::new(
                    "http",
                    "has a certificate or a key, not both",
                    "name both in desk.toml, or neither",
                ));
            }
        };
        // The stamp is taken first: what changes while it is read is read again.
        let stamp = stamp(&certificate, &key);
        let newest = Mutex::new((stamp, acceptor(&certificate, &key)?));
        Ok(Some(Arc::new(Self { certificate, key, newest })))
    }

    /// The acceptor of the files as they are now; while they are no pair, as half way through a renewal, that of before.
    fn newest(&self) -> TlsAcceptor {
        let now = stamp(&self.certificate, &self.key);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.0 != now {
            newest.0 = now;
            match acceptor(&self.certificate, &self.key) {
                Ok(acceptor) => {
                    newest.1 = acceptor;
                    tracing::info!(path = %self.certificate.display(), "a new certificate is in use");
                }
                Err(fault) => {
                    tracing::warn!(%fault, "the changed certificate cannot be used; the one before stays");
                }
            }
        }
        newest.1.clone()
    }
}

fn stamp(certificate: &Path, key: &Path) -> Stamp {
    [certificate, key].map(|path| {
        let meta = path.metadata().ok()?;
        Some((meta.modified().ok()?, meta.len()))
    })
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Fault> {
    let bad = |path: &Path, why: String| {
        Fault::new(
            path.display().to_string(),
            why,
            "give PEM files: the chain, and its private key",
        )
    };
    let pem = std::fs::read(certificate).map_err(|e| Fault::at(certificate, &e))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|e| bad(certificate, e.to_string()))?;
    let secret = secret_file::read(key)?;
    let private = PrivateKeyDer::from_pem_slice(secret.expose())
        .map_err(|_| bad(key, "holds no private key".to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| bad(certificate, e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|e| bad(certificate, e.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(server)))
}

/// One handshake. The door bounds its time.
pub(super) async fn wrap(tls: Arc<Tls>, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    tls.newest().accept(socket).await
}
