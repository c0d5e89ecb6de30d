//! The signatures of tokens, by the arithmetic that TLS here stands on. Asymmetric ones only: a shared secret would let whoever
//! checks a token also make one, and `none` is not even a value of the type.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use quorate_terms::Digest;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use signature::Verifier;

use super::No;

/// What a token may be signed with. RS256 is what RFC 9068 has every server know.
pub(super) const ALLOWED: [Algorithm; 4] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
/// Their names (RFC 7518, RFC 8037).
pub(super) const NAMES: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    // The others are for making keys public (`Jwk::from_encoding_key`): a server that only takes tokens does not.
    key_utils: KeyUtils { compute_digest: digest, ..KeyUtils::new_unimplemented() },
};

/// Tells the library whose arithmetic to use. Once is enough, and more does no harm.
pub(super) fn install() {
    let _already_there = PROVIDER.install_default();
}

/// The family of keys that an algorithm takes.
pub(super) const fn family(algorithm: Algorithm) -> Option<AlgorithmFamily> {
    match algorithm {
        Algorithm::RS256 | Algorithm::PS256 => Some(AlgorithmFamily::Rsa),
        Algorithm::ES256 => Some(AlgorithmFamily::Ec),
        Algorithm::EdDSA => Some(AlgorithmFamily::Ed),
        _ => None,
    }
}

struct ByRing {
    algorithm: Algorithm,
    key: DecodingKey,
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if family(*algorithm) != Some(key.family()) {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(ByRing { algorithm: *algorithm, key: key.clone() }))
}

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let holds = match (self.algorithm, self.key.kind()) {
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                rsa(&RSA_PKCS1_2048_8192_SHA256, (n.as_slice(), e.as_slice()), message, signature)
            }
            (Algorithm::PS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                rsa(&RSA_PSS_2048_8192_SHA256, (n.as_slice(), e.as_slice()), message, signature)
            }
            (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
                of_curve(&ECDSA_P256_SHA256_FIXED, point, message, signature)
            }
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => {
                of_curve(&ED25519, point, message, signature)
            }
            _ => false,
        };
        if holds { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// What thumbprints of keys are made with (RFC 7638).
fn digest(bytes: &[u8], how: ThumbprintHash) -> Result<Vec<u8>, Error> {
    match how {
        ThumbprintHash::SHA256 => Ok(Digest::sha256(bytes).as_bytes().to_vec()),
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    }
}

fn rsa(how: &'static RsaParameters, key: (&[u8], &[u8]), message: &[u8], signed: &[u8]) -> bool {
    let key = RsaPublicKeyComponents { n: key.0, e: key.1 };
    key.verify(how, message, signed).is_ok()
}

fn of_curve(
    how: &'static dyn VerificationAlgorithm,
    point: &[u8],
    message: &[u8],
    signed: &[u8],
) -> bool {
    UnparsedPublicKey::new(how, point).verify(message, signed).is_ok()
}

/// Why the library refuses, in our words.
pub(super) fn no(error: &Error) -> No {
    match error.kind() {
        ErrorKind::InvalidSignature => No::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => No::Algorithm,
        _ => No::Form,
    }
}
