//! TLS of the HTTP door, from PEM files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_host::fault::Fault;
use quorate_host::secret_file;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::HttpConfig;

/// An acceptor, where the configuration names a certificate and its key; one without the other is refused.
pub(super) fn acceptor(
    config: &HttpConfig,
    resolve: impl Fn(&Path) -> PathBuf,
) -> Result<Option<TlsAcceptor>, Fault> {
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
    let bad = |path: &Path, why: String| {
        Fault::new(
            path.display().to_string(),
            why,
            "give PEM files: the chain, and its private key",
        )
    };
    let pem = std::fs::read(&certificate).map_err(|e| Fault::at(&certificate, &e))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|e| bad(&certificate, e.to_string()))?;
    let secret = secret_file::read(&key)?;
    let private = PrivateKeyDer::from_pem_slice(secret.expose())
        .map_err(|_| bad(&key, "holds no private key".to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| bad(&certificate, e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|e| bad(&certificate, e.to_string()))?;
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

/// One handshake. The door bounds its time.
pub(super) async fn wrap(
    acceptor: TlsAcceptor,
    socket: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    acceptor.accept(socket).await
}
