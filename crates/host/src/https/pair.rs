//! A certificate and its key, read from PEM files and found to be a pair that a server can show now.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quorate_terms::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::fault::Fault;
use crate::secret_file;

/// What is spoken under TLS: what a client wants beside it is refused in the handshake (RFC 7301).
const SPOKEN: &[u8] = b"http/1.1";

/// What a handshake needs, and until when the certificate is valid.
pub(super) struct Pair {
    acceptor: TlsAcceptor,
    until: Timestamp,
}

impl Pair {
    /// Reads both files.
    pub(super) fn read(certificate: &Path, key: &Path, now: Timestamp) -> Result<Self, Fault> {
        let chain = chain(certificate)?;
        let until = valid(certificate, &chain, now)?;
        let acceptor = TlsAcceptor::from(Arc::new(config((certificate, chain), key)?));
        Ok(Self { acceptor, until })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    pub(super) const fn until(&self) -> Timestamp {
        self.until
    }
}

fn bad(path: &Path, why: impl Into<String>, mend: &str) -> Fault {
    Fault::new(path.display().to_string(), why, mend)
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let pem = std::fs::read(path).map_err(|e| Fault::at(path, &e))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let mend = "give the certificate and those above it as PEM";
    match chain {
        Ok(chain) if chain.is_empty() => Err(bad(path, "holds no certificate", mend)),
        Ok(chain) => Ok(chain),
        Err(error) => Err(bad(path, error.to_string(), mend)),
    }
}

fn config(
    (certificate, chain): (&Path, Vec<CertificateDer<'static>>),
    key: &Path,
) -> Result<ServerConfig, Fault> {
    let mend = "give a chain and its own private key, both as PEM";
    let secret = secret_file::read(key)?;
    let private = PrivateKeyDer::from_pem_slice(secret.expose())
        .map_err(|_| bad(key, "holds no private key", mend))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| bad(certificate, e.to_string(), mend))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            Error::InconsistentKeys(_) => {
                bad(key, format!("is not the key of {}", certificate.display()), mend)
            }
            other => bad(key, other.to_string(), mend),
        })?;
    config.alpn_protocols = vec![SPOKEN.to_vec()];
    Ok(config)
}

pub(super) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Until when the first certificate of the chain is valid, if it is valid now and for servers.
pub(super) fn valid(
    path: &Path,
    chain: &[CertificateDer<'static>],
    now: Timestamp,
) -> Result<Timestamp, Fault> {
    let renew = "renew it, and see that this machine's clock is right";
    let until = match complaint(chain, UnixTime::since_unix_epoch(Duration::MAX)) {
        Ok(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Timestamp::from_millis(not_after.as_secs().saturating_mul(1000))
        }
        Ok(error) | Err(error) => {
            let mend = "give an X.509 certificate of version 3 (RFC 5280)";
            return Err(bad(path, error.to_string(), mend));
        }
    };
    let at = UnixTime::since_unix_epoch(Duration::from_millis(now.as_millis()));
    match complaint(chain, at) {
        Ok(Error::InvalidCertificate(CertificateError::ExpiredContext { .. })) => {
            Err(bad(path, format!("ran out at {}", until.utc()), renew))
        }
        Ok(Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => {
            let from = Timestamp::from_millis(not_before.as_secs().saturating_mul(1000));
            Err(bad(path, format!("is not valid before {}", from.utc()), renew))
        }
        Ok(Error::InvalidCertificate(CertificateError::InvalidPurposeContext { .. })) => {
            Err(bad(path, "is not for servers", "have one issued for TLS server authentication"))
        }
        // Whether clients know who issued it is their question.
        Ok(_) | Err(_) => Ok(until),
    }
}

/// What a client that trusts this very certificate would find wrong with it at a time: first whether it is valid, then the
/// rest, of which the name is always wrong.
fn complaint(chain: &[CertificateDer<'static>], at: UnixTime) -> Result<Error, Error> {
    let none = Error::NoCertificatesPresented;
    let (leaf, above) = chain.split_first().ok_or(none)?;
    let mut roots = RootCertStore::empty();
    roots.add(leaf.clone())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|e| Error::General(e.to_string()))?;
    let name = ServerName::try_from("name.invalid").map_err(|e| Error::General(e.to_string()))?;
    match verifier.verify_server_cert(leaf, above, &name, &[], at) {
        Ok(_) => Ok(Error::General("nothing is wrong with it".to_owned())),
        Err(error) => Ok(error),
    }
}
