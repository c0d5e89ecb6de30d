//! Proofs that whoever shows an access token holds the key that it is bound to (DPoP, RFC 9449 section 4.3): a JWT of its own,
//! made for one request and signed by that key, which it brings along.
//!
//! A nonce of ours is not asked for: what was shown is kept in mind instead ([`Seen`]), for as long as it could be shown again.

mod seen;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::Error;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, decode, decode_header};
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::tokens::{Proof, Proven};
use quorate_terms::Digest;
use reqwest::Url;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{No, by_signature, keys, signature};
pub(super) use seen::Seen;

/// The oldest proof that is taken, in seconds: it was made for this request.
const AGE_S: u64 = 60;
/// How far ahead of ours the clock may be with which a proof was made, in seconds.
const AHEAD_S: u64 = 5;
/// The type of a proof.
const KIND: &str = "dpop+jwt";
/// What a public key may say of itself (RFC 7517, RFC 7518), with `ext`, which browsers write. Whatever else it says may be its
/// secret half.
const PUBLIC: [&str; 15] = [
    "kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256", "crv", "x", "y", "n",
    "e", "ext",
];

/// What a proof must say (RFC 9449 section 4.2), and no field twice.
#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: u64,
    ath: String,
}

/// What the key in a header says of itself, by name.
#[derive(Deserialize)]
struct Members {
    jwk: BTreeMap<String, IgnoredAny>,
}

/// Why a proof does not hold for a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bad {
    Form,
    Type,
    Algorithm,
    Key,
    Private,
    Signature,
    Other,
    Method,
    Place,
    Token,
    Old,
    Early,
    Shown,
    Full,
}

/// Checks a proof for a token that is bound to the key of this thumbprint. What it gives is not spent yet.
pub(super) fn check(
    proof: &Proof<'_>,
    token: &str,
    thumbprint: &str,
    now_s: u64,
) -> Result<Proven, Bad> {
    signature::install();
    let (key, how, of_key) = key(proof.text)?;
    let read = decode::<Claims>(proof.text, &key, &by_signature(how));
    let claims = read.map_err(|e| unsigned(&e))?.claims;
    if of_key != thumbprint {
        return Err(Bad::Other);
    }
    if claims.htm != proof.method {
        return Err(Bad::Method);
    }
    if !is_same(&claims.htu, proof.url) {
        return Err(Bad::Place);
    }
    if claims.ath != URL_SAFE_NO_PAD.encode(Digest::sha256(token.as_bytes()).as_bytes()) {
        return Err(Bad::Token);
    }
    if claims.iat < now_s.saturating_sub(AGE_S) {
        return Err(Bad::Old);
    }
    if claims.iat > now_s.saturating_add(AHEAD_S) {
        return Err(Bad::Early);
    }
    if claims.jti.is_empty() {
        return Err(Bad::Form);
    }
    Ok(Proven { name: Digest::sha256(claims.jti.as_bytes()), made_s: claims.iat })
}

/// The key that a proof brings along, what it signed with, and the key's thumbprint (RFC 7638).
fn key(text: &str) -> Result<(DecodingKey, Algorithm, String), Bad> {
    let header = decode_header(text).map_err(|_| Bad::Form)?;
    if header.typ.as_deref() != Some(KIND) {
        return Err(Bad::Type);
    }
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(Bad::Form);
    }
    if !signature::ALLOWED.contains(&header.alg) {
        return Err(Bad::Algorithm);
    }
    let jwk = header.jwk.as_ref().ok_or(Bad::Key)?;
    if !is_public(text) {
        return Err(Bad::Private);
    }
    if !is_for(jwk, header.alg) {
        return Err(Bad::Key);
    }
    let key = DecodingKey::from_jwk(jwk).map_err(|_| Bad::Key)?;
    if signature::family(header.alg) != Some(key.family()) {
        return Err(Bad::Key);
    }
    let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| Bad::Key)?;
    Ok((key, header.alg, thumbprint))
}

/// Whether the key is of a kind that is taken, and its owner says nothing against this use of it.
fn is_for(jwk: &Jwk, how: Algorithm) -> bool {
    let is_known = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(point) => point.curve == EllipticCurve::P256,
        AlgorithmParameters::OctetKeyPair(point) => point.curve == EllipticCurve::Ed25519,
        AlgorithmParameters::RSA(_) => true,
        _ => false,
    };
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    is_known && signs && jwk.common.key_algorithm.is_none_or(|only| keys::is_for(only, how))
}

/// Whether the key in the header shows its public half and nothing more. The library leaves out what it does not know.
fn is_public(text: &str) -> bool {
    let header = text.split('.').next().unwrap_or_default();
    let Ok(header) = URL_SAFE_NO_PAD.decode(header) else { return false };
    let read = serde_json::from_slice::<Members>(&header);
    read.is_ok_and(|said| said.jwk.keys().all(|name| PUBLIC.contains(&name.as_str())))
}

/// Whether two URLs name one place, their queries and fragments aside.
fn is_same(said: &str, here: &str) -> bool {
    let bare = |url: &str| {
        let mut url = Url::parse(url).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    matches!((bare(said), bare(here)), (Some(said), Some(here)) if said == here)
}

fn unsigned(error: &Error) -> Bad {
    match signature::no(error) {
        No::Signature => Bad::Signature,
        No::Algorithm => Bad::Algorithm,
        _ => Bad::Form,
    }
}

impl Bad {
    pub(super) fn complaint(self) -> Complaint {
        let said = match self {
            Self::Form => "the proof is no JWT with `jti`, `htm`, `htu`, `iat` and `ath`; make one",
            Self::Type => "the proof's type is not `dpop+jwt`; make one of that type",
            Self::Algorithm => {
                "the proof is signed in a way that is not taken; use RS256, PS256, ES256 or EdDSA"
            }
            Self::Key => "the proof's header holds no public key that signs so; put it into `jwk`",
            Self::Private => {
                "the key in the proof's header says more than a public one may; if it is the \
                 private one, it is known now: take another key"
            }
            Self::Signature => {
                "the proof is not signed by the key in its header; sign with that one"
            }
            Self::Other => "the token is bound to another key; sign the proof with that one",
            Self::Method => "the proof is for another method; make one for this request",
            Self::Place => "the proof is for another URL; name this one as the metadata spells it",
            Self::Token => "the proof is for another token; put this one's digest into `ath`",
            Self::Old => {
                "the proof was made more than a minute ago, or before the desk was started; make a \
                 new one for each request, and set the clocks right"
            }
            Self::Early => "the proof was not made yet; set the clocks right",
            Self::Shown => "the proof was shown before; make a new one for each request",
            Self::Full => "too many proofs were shown for this token's subject; ask more slowly",
        };
        match self {
            Self::Full => Complaint::new(Code::RateLimited, said).after(AGE_S),
            _ => Complaint::new(Code::ProofInvalid, said),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
