//! Access tokens of the authorization server that `[oauth]` in desk.toml names: JWTs after RFC 9068, checked against its keys,
//! by our clock. What a token then opens is the book's to say ([`quorate_gateway::tokens`]).
//!
//! Beside them, people who sign in at the console through an OpenID provider ([`openid`]), under the same rules.
//!
//! Signatures are asymmetric and from a short list; which one a token uses is bound to the key that it names. One audience, and
//! it is the door that was asked: a token that could be shown elsewhere too is refused. A token that is bound to a key opens with
//! a proof of that key, for this request and once ([`dpop`]).

mod dpop;
mod keys;
pub(super) mod openid;
mod server;
mod signature;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::tokens::{How, Proven, ReadTokens, Vouched};
use quorate_host::Clock;
use quorate_host::fault::Fault;
use quorate_terms::Digest;
use quorate_terms::credential::subject_digest;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::OauthConfig;
use keys::{Keys, NoKey};
use server::{check_issuer, public_origin};

/// Seconds by which the server's clock may differ from ours.
const LEEWAY_S: u64 = 30;
/// The longest life of a token in seconds: a credential that cannot be called back is short.
const LIFE_S_MAX: u64 = 86_400;

/// Reads the tokens of one authorization server.
pub(crate) struct Oauth {
    issuer: String,
    keys: Arc<Keys>,
    clock: Arc<dyn Clock>,
    /// Whether tokens that are bound to no key are refused.
    demands: bool,
    seen: dpop::Seen,
}

/// What an access token must say (RFC 9068 section 2.2), and no field twice.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: u64,
    iat: u64,
    #[serde(default)]
    nbf: Option<u64>,
    #[serde(rename = "client_id")]
    _client: String,
    #[serde(rename = "jti")]
    _name: String,
    #[serde(default)]
    scope: String,
    /// It belongs to a key that a bearer does not show (RFC 7800).
    #[serde(default)]
    cnf: Option<serde_json::Value>,
}

/// The one way in which a token may be bound to a key: by its thumbprint (RFC 9449 section 6.1). Another way beside it is not
/// checked here, so none may stand there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn is_only(&self, resource: &str) -> bool {
        match self {
            Self::One(one) => one == resource,
            Self::Several(several) => matches!(several.as_slice(), [one] if one == resource),
        }
    }
}

impl Oauth {
    /// Reads the configuration and, as far as they can be had, the server's keys.
    ///
    /// # Errors
    /// [`Fault`] for an issuer that is no HTTPS URL (plain HTTP on loopback), or a file of keys that holds none.
    pub(crate) async fn start(
        config: &OauthConfig,
        resolve: impl Fn(&Path) -> PathBuf,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        check_issuer("oauth.issuer", &config.issuer)?;
        let file = config.keys.as_deref().map(resolve);
        let keys = Keys::start(&config.issuer, file).await?;
        let (issuer, demands) = (config.issuer.clone(), config.demand_dpop);
        let seen = dpop::Seen::since(seconds(clock.as_ref()));
        Ok(Self { issuer, keys, clock, demands, seen })
    }

    /// The URL under which the configuration says that clients reach the doors, if it says one.
    ///
    /// # Errors
    /// [`Fault`] naming the field, for anything but an origin under TLS (plain HTTP on loopback).
    pub(crate) fn public_url(config: &OauthConfig) -> Result<Option<String>, Fault> {
        let url = config.public_url.as_deref();
        url.map(|url| public_origin("oauth.public_url", url)).transpose()
    }

    async fn checked(&self, token: &str, resource: &str, how: How<'_>) -> Result<Vouched, No> {
        let is_kind = |kind: &str| matches!(kind, "at+jwt" | "application/at+jwt");
        let claims: Claims = signed(&self.keys, token, is_kind).await?;
        let bound = claims.cnf.clone().map(serde_json::from_value::<Confirmation>);
        let vouched = self.holds(claims, resource)?;
        let proof = match (bound.transpose().map_err(|_| No::Bound)?, how) {
            (None, _) if self.demands => return Err(No::Unbound),
            (None, How::Bearer) => None,
            (None, How::Proved(_)) => return Err(No::Keyless),
            (Some(_), How::Bearer) => return Err(No::Bare),
            (Some(key), How::Proved(proof)) => {
                let now = seconds(self.clock.as_ref());
                Some(dpop::check(&proof, token, &key.jkt, now).map_err(No::Proof)?)
            }
        };
        Ok(Vouched { proof, ..vouched })
    }

    /// What the claims say, if they are for here and now.
    fn holds(&self, claims: Claims, resource: &str) -> Result<Vouched, No> {
        if claims.iss != self.issuer {
            return Err(No::Issuer);
        }
        if !claims.aud.is_only(resource) {
            return Err(No::Audience);
        }
        let now = seconds(self.clock.as_ref());
        let (late, early) = (now.saturating_sub(LEEWAY_S), now.saturating_add(LEEWAY_S));
        if claims.exp <= late {
            return Err(No::Expired);
        }
        if claims.iat > early || claims.nbf.is_some_and(|from| from > early) {
            return Err(No::Early);
        }
        if claims.exp.saturating_sub(claims.iat) > LIFE_S_MAX {
            return Err(No::Long);
        }
        let subject = subject_digest(&claims.iss, &claims.sub).map_err(|_| No::Form)?;
        Ok(Vouched {
            subject,
            scopes: claims.scope.split(' ').map(str::to_owned).collect(),
            lasts: Duration::from_secs(claims.exp.saturating_sub(late)),
            proof: None,
        })
    }
}

/// Seconds of Unix time.
fn seconds(clock: &dyn Clock) -> u64 {
    clock.now().as_millis().div_euclid(1000)
}

/// What a token of a fit kind says, if its signature holds under the key that it names. Nothing of it is judged yet.
async fn signed<T: DeserializeOwned>(
    keys: &Arc<Keys>,
    token: &str,
    is_kind: impl Fn(&str) -> bool,
) -> Result<T, No> {
    signature::install();
    let header = decode_header(token).map_err(|_| No::Form)?;
    let kind = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
    if !is_kind(&kind) {
        return Err(No::Type);
    }
    // What a header marks as critical would have to be understood, and what was encrypted or packed, undone.
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(No::Form);
    }
    if !signature::ALLOWED.contains(&header.alg) {
        return Err(No::Algorithm);
    }
    let name = header.kid.as_deref().ok_or(No::Key)?;
    let key = keys.find(name, header.alg).await?;
    let read = decode::<T>(token, &key, &by_signature(header.alg));
    Ok(read.map_err(|e| signature::no(&e))?.claims)
}

/// The library checks the signature; claims are checked here, by our clock and exactly.
fn by_signature(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// Why a token does not hold here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum No {
    Form,
    Type,
    Algorithm,
    Key,
    Signature,
    Issuer,
    Audience,
    /// To a key, in a way that is not checked here.
    Bound,
    /// Bound to a key, and shown as a bearer's.
    Bare,
    /// Bound to no key, and shown with a proof.
    Keyless,
    /// Bound to no key, where that is demanded.
    Unbound,
    Proof(dpop::Bad),
    Nonce,
    Expired,
    Early,
    Long,
    Unavailable,
}

impl From<NoKey> for No {
    fn from(no: NoKey) -> Self {
        match no {
            NoKey::Unknown => Self::Key,
            NoKey::Unfit => Self::Algorithm,
            NoKey::Unavailable => Self::Unavailable,
        }
    }
}

impl No {
    fn complaint(self, resource: &str) -> Complaint {
        let audience;
        let said = match self {
            Self::Form => "the access token is no JWT with the claims of RFC 9068; ask for another",
            Self::Type => "the token is no access token: its type is not `at+jwt`; send that one",
            Self::Algorithm => {
                "the token is signed in a way that is not taken; use RS256, PS256, ES256 or EdDSA"
            }
            Self::Key => "the token names no key of the authorization server; ask for another",
            Self::Signature => "the token's signature does not hold; ask for another",
            Self::Issuer => "the token is of another issuer; see the metadata of this resource",
            Self::Audience => {
                audience =
                    format!("the token is not for this resource alone; ask for one for {resource}");
                &audience
            }
            Self::Bound => {
                "the token is bound to a key in a way that is not checked here; ask for one that is \
                 bound by DPoP alone"
            }
            Self::Bare => {
                "the token is bound to a key; send it as `Authorization: DPoP` with a proof of that \
                 key in the `DPoP` header (RFC 9449)"
            }
            Self::Keyless => "the token is bound to no key; send it as `Authorization: Bearer`",
            Self::Unbound => {
                "tokens that are bound to no key are not taken here; ask for one with a proof of a \
                 key (DPoP)"
            }
            Self::Proof(bad) => return bad.complaint(),
            Self::Nonce => "the token is no access token; send that one",
            Self::Expired => "the token has expired; ask for another",
            Self::Early => "the token does not hold yet; set the clocks right",
            Self::Long => "the token lives longer than a day; ask for a shorter one",
            Self::Unavailable => {
                let message = "the keys of the authorization server cannot be had now; try again";
                return Complaint::new(Code::DeskUnavailable, message).after(keys::PAUSE.as_secs());
            }
        };
        Complaint::new(Code::CredentialInvalid, said)
    }
}

#[async_trait]
impl ReadTokens for Oauth {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn proof_algorithms(&self) -> &[&'static str] {
        &signature::NAMES
    }

    fn demands_proof(&self) -> bool {
        self.demands
    }

    async fn read(&self, token: &str, resource: &str, how: How<'_>) -> Result<Vouched, Complaint> {
        self.checked(token, resource, how).await.map_err(|no| no.complaint(resource))
    }

    fn spend(&self, subject: Digest, proof: Proven) -> Result<(), Complaint> {
        let now = seconds(self.clock.as_ref());
        self.seen.take(subject, proof, now).map_err(dpop::Bad::complaint)
    }
}
