//! What a server that browsers reach shows: its certificate, looked at from outside. Whether a browser knows who issued it is the
//! browser's question; whether it is of this name and in date is looked at here.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quorate_terms::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::pair::{provider, valid};
use crate::fault::Fault;

/// Until when the certificate is valid that `origin` (`https://host` or `https://host:port`) shows.
///
/// # Errors
/// [`Fault`] when nothing answers there in time, or what it shows is of another name or not valid now.
pub async fn shown(origin: &str, now: Timestamp, patience: Duration) -> Result<Timestamp, Fault> {
    through(None, origin, now, patience).await
}

/// As [`shown`], at another address than the name's own.
pub(super) async fn through(
    address: Option<SocketAddr>,
    origin: &str,
    now: Timestamp,
    patience: Duration,
) -> Result<Timestamp, Fault> {
    let bad = |why: String, mend: &str| Fault::new(origin.to_owned(), why, mend);
    let at = origin.strip_prefix("https://").unwrap_or(origin);
    let (host, port) = at.rsplit_once(':').unwrap_or((at, "443"));
    let parsed = port.parse::<u16>().ok().zip(ServerName::try_from(host.to_owned()).ok());
    let Some((port, name)) = parsed else {
        return Err(bad("is no address of a server".to_owned(), "write it as `https://host`"));
    };
    let asked = async {
        let socket = match address {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect((host, port)).await,
        };
        chain(socket.map_err(|e| e.to_string())?, name.clone()).await
    };
    let asked = tokio::time::timeout(patience, asked).await;
    let reach =
        "ask who runs it whether it is up; from here it must be reached as browsers reach it";
    let chain = match asked {
        Ok(Ok(chain)) => chain,
        Ok(Err(error)) => return Err(bad(format!("is not reached: {error}"), reach)),
        Err(_) => return Err(bad("does not answer in time".to_owned(), reach)),
    };
    let is_of = |leaf: &CertificateDer<'_>| -> Result<(), Error> {
        verify_server_name(&ParsedCertificate::try_from(leaf)?, &name)
    };
    if chain.first().is_none_or(|leaf| is_of(leaf).is_err()) {
        let mend =
            "have one issued for the name in the charter, and let who runs it put it in place";
        return Err(bad(format!("shows a certificate that is not for `{host}`"), mend));
    }
    valid(Path::new(origin), &chain, now)
}

/// One handshake, which ends with the chain that was shown.
async fn chain(
    socket: TcpStream,
    name: ServerName<'static>,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| words(&e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Any(provider())))
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, socket).await.map_err(|e| words(&e))?;
    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
    Ok(shown.iter().map(|one| one.clone().into_owned()).collect())
}

/// Takes any chain, to look at it; nothing is sent over such a connection. The server must hold the certificate's key.
#[derive(Debug)]
struct Any(Arc<CryptoProvider>);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
