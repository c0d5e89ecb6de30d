//! Who is at the other end: TLS 1.3 only, and on both sides a raw Ed25519 public key (RFC 7250) that is pinned here.
//!
//! There is no certificate, so there is no name, no date and no issuer to be fooled by: the key is the identity. The
//! proof that the peer holds it is TLS's own signature over the handshake, verified by rustls.

use std::sync::Arc;

use quorate_terms::PublicKey;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    PeerIncompatible, ServerConfig, SignatureScheme,
};

use super::Pins;
use crate::fault::Fault;
use crate::identity::Identity;

/// The protocol that both sides must name (ALPN).
const PROTOCOL: &[u8] = b"quorate-link/1";

/// An Ed25519 key as SubjectPublicKeyInfo is this, then the key (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The accepting side: any pinned key may connect.
pub(super) fn server(identity: &Identity, pins: &Pins) -> Result<Arc<ServerConfig>, Fault> {
    let provider = provider();
    let verifier =
        Arc::new(Pinned { accepts: Accepts::Pins(pins.clone()), provider: Arc::clone(&provider) });
    let key = certified(identity)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| trouble(&e))?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // A resumed session would outlive the removal of its peer's pin.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// The connecting side: exactly one key may answer.
pub(super) fn client(identity: &Identity, peer: PublicKey) -> Result<Arc<ClientConfig>, Fault> {
    let provider = provider();
    let verifier =
        Arc::new(Pinned { accepts: Accepts::One(peer), provider: Arc::clone(&provider) });
    let key = certified(identity)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| trouble(&e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(key)));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// The key that the peer has proven, after the handshake.
pub(super) fn proven(certificates: Option<&[CertificateDer<'_>]>) -> Option<PublicKey> {
    match certificates? {
        [only] => key_of(only),
        _ => None,
    }
}

/// Named here and nowhere else, so that no other provider in the build can take its place.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certified(identity: &Identity) -> Result<Arc<CertifiedKey>, Fault> {
    let pkcs8 = identity.to_pkcs8();
    let key = ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(pkcs8.as_slice()));
    let public = identity.public_key();
    let spki = [SPKI_PREFIX.as_slice(), public.as_bytes()].concat();
    let key = key.map_err(|e| trouble(&e))?;
    Ok(Arc::new(CertifiedKey::new(vec![CertificateDer::from(spki)], key)))
}

fn key_of(spki: &CertificateDer<'_>) -> Option<PublicKey> {
    let key = spki.as_ref().strip_prefix(&SPKI_PREFIX)?;
    PublicKey::from_bytes(key.try_into().ok()?).ok()
}

fn trouble(error: &Error) -> Fault {
    Fault::new("link", error.to_string(), "report this")
}

#[derive(Debug)]
struct Pinned {
    accepts: Accepts,
    provider: Arc<CryptoProvider>,
}

enum Accepts {
    One(PublicKey),
    Pins(Pins),
}

impl std::fmt::Debug for Accepts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accepts")
    }
}

impl Pinned {
    fn check(&self, spki: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<(), Error> {
        let accepted = key_of(spki).is_some_and(|key| match &self.accepts {
            Accepts::One(one) => *one == key,
            Accepts::Pins(pins) => pins.contains(&key),
        });
        if accepted && others.is_empty() {
            return Ok(());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify(
        &self,
        message: &[u8],
        spki: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let spki = SubjectPublicKeyInfoDer::from(spki.as_ref());
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature_with_raw_key(message, &spki, signature, algorithms)
    }
}

fn no_tls12() -> Error {
    Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
}

/// How signatures are checked, the same on both sides; rustls has a trait for each.
macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _spki: &CertificateDer<'_>,
            _signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(no_tls12())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            spki: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.verify(message, spki, signature)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates).map(|()| ServerCertVerified::assertion())
    }

    signatures!();
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, intermediates).map(|()| ClientCertVerified::assertion())
    }

    signatures!();
}
