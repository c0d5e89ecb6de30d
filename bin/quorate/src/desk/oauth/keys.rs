//! The keys of the authorization server: from a file, or from where its metadata says (RFC 8414, or OpenID Connect Discovery).
//! Asked at start, once an hour, and when a token names a key that is not known; never more than once a minute, whoever asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use quorate_host::fault::Fault;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::signature::family;

/// The most bytes of the server's metadata, or of its keys.
const BYTES_MAX: usize = 65_536;
/// The most keys.
const KEYS_MAX: usize = 32;
/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked at most.
const PAUSE: Duration = Duration::from_mins(1);
/// How long keys are believed before they are asked for again.
const FRESH: Duration = Duration::from_hours(1);
/// How long keys are believed that could not be asked for again.
const STALE: Duration = Duration::from_hours(24);

/// A key with what its owner says of its use.
pub(super) struct Known {
    key: DecodingKey,
    only: Option<KeyAlgorithm>,
}

pub(super) type Set = BTreeMap<String, Known>;

enum Source {
    File(PathBuf),
    Server { client: Client, issuer: String },
}

/// The keys, as last heard.
pub(super) struct Keys {
    source: Source,
    kept: RwLock<Option<(Instant, Arc<Set>)>>,
    asked: Mutex<Option<Instant>>,
}

/// Why there is no key for a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoKey {
    /// The server has none of this name.
    Unknown,
    /// It has one, and not for this algorithm.
    Unfit,
    /// The server's keys are not known now.
    Unavailable,
}

/// What the server's metadata must say.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Keys {
    /// Reads a file, or asks the server; a server that does not answer is asked again later.
    pub(super) async fn start(issuer: &str, file: Option<PathBuf>) -> Result<Self, Fault> {
        let source = match file {
            Some(path) => Source::File(path),
            None => Source::Server { client: client()?, issuer: issuer.to_owned() },
        };
        let keys = Self { source, kept: RwLock::new(None), asked: Mutex::new(None) };
        match (keys.ask().await, &keys.source) {
            (Err(why), Source::File(path)) => {
                let mend = "give a JWKS with the authorization server's public keys";
                Err(Fault::new(path.display().to_string(), why, mend))
            }
            (Err(why), Source::Server { .. }) => {
                tracing::warn!(why, "the authorization server's keys cannot be had yet");
                Ok(keys)
            }
            (Ok(()), _) => Ok(keys),
        }
    }

    /// The key of this name, for a token that is signed with this algorithm.
    pub(super) async fn find(&self, name: &str, how: Algorithm) -> Result<DecodingKey, NoKey> {
        let known = self.kept();
        let is_fresh = known.as_ref().is_some_and(|(at, _)| at.elapsed() < FRESH);
        if !is_fresh || known.is_none_or(|(_, set)| !set.contains_key(name)) {
            self.again().await;
        }
        let (at, set) = self.kept().ok_or(NoKey::Unavailable)?;
        if at.elapsed() > STALE {
            return Err(NoKey::Unavailable);
        }
        let known = set.get(name).ok_or(NoKey::Unknown)?;
        let fits = known.only.is_none_or(|only| is_for(only, how));
        if fits && family(how) == Some(known.key.family()) {
            return Ok(known.key.clone());
        }
        Err(NoKey::Unfit)
    }

    fn kept(&self) -> Option<(Instant, Arc<Set>)> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks again, unless somebody did a moment ago.
    async fn again(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        *asked = Some(Instant::now());
        if let Err(why) = self.ask().await {
            tracing::warn!(why, "the authorization server's keys cannot be had");
        }
    }

    async fn ask(&self) -> Result<(), String> {
        let bytes = match &self.source {
            Source::File(path) => read(path).await?,
            Source::Server { client, issuer } => fetch(client, issuer).await?,
        };
        let set = Arc::new(keys(&bytes)?);
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), set));
        Ok(())
    }
}

fn client() -> Result<Client, Fault> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build();
    client.map_err(|e| Fault::new("oauth", e.without_url().to_string(), "report this"))
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    let length = tokio::fs::metadata(path).await.map_err(|e| e.to_string())?.len();
    if length > u64::try_from(BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(format!("is larger than {BYTES_MAX} bytes"));
    }
    tokio::fs::read(path).await.map_err(|e| e.to_string())
}

/// Where a server of this issuer says what it is: RFC 8414 section 3.1, then OpenID Connect Discovery section 4.
fn places(issuer: &str) -> Option<[Url; 2]> {
    let url = Url::parse(issuer).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    let mut first = url.clone();
    first.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    let mut second = url;
    second.set_path(&format!("{path}/.well-known/openid-configuration"));
    Some([first, second])
}

async fn fetch(client: &Client, issuer: &str) -> Result<Vec<u8>, String> {
    let mut why = "its issuer is no URL".to_owned();
    for place in places(issuer).into_iter().flatten() {
        let said = match bounded(client, place).await {
            Ok(said) => said,
            Err(error) => {
                why = error;
                continue;
            }
        };
        let said: Metadata = serde_json::from_slice(&said)
            .map_err(|_| "its metadata names no issuer and keys".to_owned())?;
        // RFC 8414 section 3.3: metadata of somebody else must not be used.
        if said.issuer != issuer {
            return Err("its metadata is of another issuer".to_owned());
        }
        let keys =
            private(&said.jwks_uri).ok_or("its keys are neither at https nor on loopback")?;
        return bounded(client, keys).await;
    }
    Err(why)
}

async fn bounded(client: &Client, url: Url) -> Result<Vec<u8>, String> {
    let sent = client.get(url).header("accept", "application/json").send().await;
    let mut answer = sent.map_err(|e| e.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it answers with status {}", answer.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| e.without_url().to_string())? {
        if bytes.len().saturating_add(chunk.len()) > BYTES_MAX {
            return Err(format!("it answers with more than {BYTES_MAX} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The keys of a set that could have signed a token. Others are left out, as RFC 7517 section 5 has it.
pub(super) fn keys(bytes: &[u8]) -> Result<Set, String> {
    let set: JwkSet = serde_json::from_slice(bytes).map_err(|_| "holds no JWKS".to_owned())?;
    if set.keys.len() > KEYS_MAX {
        return Err(format!("holds more than {KEYS_MAX} keys"));
    }
    let mut known = Set::new();
    for jwk in &set.keys {
        let Some((name, one)) = usable(jwk) else { continue };
        if known.insert(name, one).is_some() {
            return Err("holds two keys of one name".to_owned());
        }
    }
    if known.is_empty() {
        Err("holds no key with a name that can sign".to_owned())
    } else {
        Ok(known)
    }
}

fn usable(jwk: &Jwk) -> Option<(String, Known)> {
    let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let fits = super::signature::ALLOWED.into_iter().any(|how| family(how) == Some(key.family()));
    let name = jwk.common.key_id.clone().filter(|_| signs && fits)?;
    Some((name, Known { key, only: jwk.common.key_algorithm }))
}

fn is_for(only: KeyAlgorithm, how: Algorithm) -> bool {
    matches!(
        (only, how),
        (KeyAlgorithm::RS256, Algorithm::RS256)
            | (KeyAlgorithm::PS256, Algorithm::PS256)
            | (KeyAlgorithm::ES256, Algorithm::ES256)
            | (KeyAlgorithm::EdDSA, Algorithm::EdDSA)
    )
}

/// TLS, or plain HTTP that never leaves this machine.
fn private(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && local);
    is_private.then_some(url)
}

/// An issuer is a URL without query and fragment (RFC 8414 section 2).
pub(in crate::desk) fn check_url(what: &str, url: &str) -> Result<(), Fault> {
    let fits = private(url).is_some_and(|u| u.query().is_none() && u.fragment().is_none());
    let mend = "give the issuer as its metadata spells it: an https URL, or http on loopback";
    if fits { Ok(()) } else { Err(Fault::new(what, "is no issuer", mend)) }
}
