//! The keys of the authorization server: from a file, or from the server itself. Asked at start, once an hour, and when a token
//! names a key that is not known; never more than once a minute, whoever asks.
//!
//! They are asked for on a task of its own: whoever hangs up stops nothing, and nobody waits while the keys are known.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use quorate_host::fault::Fault;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::server::{BYTES_MAX, Ends, Server};
use super::signature::family;

/// The most keys.
const KEYS_MAX: usize = 32;
/// How often the server is asked at most.
pub(super) const PAUSE: Duration = Duration::from_mins(1);
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
    Server(Box<Server>),
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

/// Why an answer gives no keys.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Bad {
    /// Nothing was heard, or nothing that is a set of keys: those before stay.
    Unheard(String),
    /// The server says which keys it has, and none of them can be used: those before are its keys no more.
    Withdrawn(&'static str),
}

impl Bad {
    fn why(self) -> String {
        match self {
            Self::Unheard(why) => why,
            Self::Withdrawn(why) => why.to_owned(),
        }
    }
}

impl Keys {
    /// Reads a file, or asks the server; a server that does not answer is asked again later.
    pub(super) async fn start(issuer: &str, file: Option<PathBuf>) -> Result<Arc<Self>, Fault> {
        Self::of(match file {
            Some(path) => Source::File(path),
            None => Source::Server(Box::new(Server::new(issuer)?)),
        })
        .await
    }

    /// Those of an OpenID provider, and where people sign in.
    pub(super) async fn of_provider(issuer: &str) -> Result<Arc<Self>, Fault> {
        Self::of(Source::Server(Box::new(Server::provider(issuer)?))).await
    }

    async fn of(source: Source) -> Result<Arc<Self>, Fault> {
        let asked = Mutex::new(Some(Instant::now()));
        let keys = Arc::new(Self { source, kept: RwLock::new(None), asked });
        match (keys.ask().await, &keys.source) {
            (Err(why), Source::File(path)) => {
                let mend = "give a JWKS with the authorization server's public keys";
                return Err(Fault::new(path.display().to_string(), why.why(), mend));
            }
            (Err(why), Source::Server(_)) => {
                let why = why.why();
                tracing::warn!(why, "the authorization server's keys cannot be had yet");
            }
            (Ok(()), _) => {}
        }
        keys.keep();
        Ok(keys)
    }

    /// The key of this name, for a token that is signed with this algorithm.
    pub(super) async fn find(
        self: &Arc<Self>,
        name: &str,
        how: Algorithm,
    ) -> Result<DecodingKey, NoKey> {
        if self.kept().is_none_or(|set| !set.contains_key(name)) {
            self.again().await;
        }
        let set = self.kept().ok_or(NoKey::Unavailable)?;
        let known = set.get(name).ok_or(NoKey::Unknown)?;
        let fits = known.only.is_none_or(|only| is_for(only, how));
        if fits && family(how) == Some(known.key.family()) {
            return Ok(known.key.clone());
        }
        Err(NoKey::Unfit)
    }

    /// The provider and where people sign in, while its keys are known.
    pub(super) async fn provider(self: &Arc<Self>) -> Option<(&Server, Ends)> {
        if self.kept().is_none() {
            self.again().await;
        }
        match &self.source {
            Source::Server(server) => {
                self.kept().and(server.ends()).map(|ends| (server.as_ref(), ends))
            }
            Source::File(_) => None,
        }
    }

    /// The keys that are still believed.
    fn kept(&self) -> Option<Arc<Set>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(at, _)| at.elapsed() <= STALE).map(|(_, set)| Arc::clone(set))
    }

    /// Asks again before anybody has to wait for it, as long as somebody has these keys.
    fn keep(self: &Arc<Self>) {
        let keys = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(due) = keys.upgrade().map(|keys| keys.due()) {
                sleep_until(due).await;
                let Some(keys) = keys.upgrade() else { return };
                keys.again().await;
            }
        });
    }

    /// When they are to be asked for next: an hour after they were heard, and after a pause if that was not to be.
    fn due(&self) -> Instant {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let (now, heard) = (Instant::now(), kept.as_ref().map(|(at, _)| *at));
        let due = heard.and_then(|at| at.checked_add(FRESH)).filter(|due| *due > now);
        due.or_else(|| now.checked_add(PAUSE)).unwrap_or(now)
    }

    /// Asks again on a task of its own, unless somebody did a moment ago. Whoever waits for it may go away.
    async fn again(self: &Arc<Self>) {
        let keys = Arc::clone(self);
        let asking = tokio::spawn(async move {
            let mut asked = keys.asked.lock().await;
            if asked.is_some_and(|at| at.elapsed() < PAUSE) {
                return;
            }
            *asked = Some(Instant::now());
            if let Err(why) = keys.ask().await {
                let why = why.why();
                tracing::warn!(why, "the authorization server's keys cannot be had");
            }
        });
        drop(asking.await);
    }

    async fn ask(&self) -> Result<(), Bad> {
        let bytes = match &self.source {
            Source::File(path) => read(path).await,
            Source::Server(server) => server.keys().await,
        };
        let (set, heard) = match keys(&bytes.map_err(Bad::Unheard)?) {
            Ok(set) => (set, Ok(())),
            Err(Bad::Withdrawn(why)) => (Set::new(), Err(Bad::Withdrawn(why))),
            Err(unheard) => return Err(unheard),
        };
        let kept = Some((Instant::now(), Arc::new(set)));
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
        heard
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    let length = tokio::fs::metadata(path).await.map_err(|e| e.to_string())?.len();
    if length > u64::try_from(BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(format!("is larger than {BYTES_MAX} bytes"));
    }
    tokio::fs::read(path).await.map_err(|e| e.to_string())
}

/// The keys of a set that could have signed a token. Others are left out, as RFC 7517 section 5 has it.
pub(super) fn keys(bytes: &[u8]) -> Result<Set, Bad> {
    let set: JwkSet =
        serde_json::from_slice(bytes).map_err(|_| Bad::Unheard("holds no JWKS".to_owned()))?;
    if set.keys.len() > KEYS_MAX {
        return Err(Bad::Withdrawn("holds more than 32 keys"));
    }
    let mut known = Set::new();
    for jwk in &set.keys {
        let Some((name, one)) = usable(jwk) else { continue };
        if known.insert(name, one).is_some() {
            return Err(Bad::Withdrawn("holds two keys of one name"));
        }
    }
    if known.is_empty() {
        Err(Bad::Withdrawn("holds no key with a name that can sign"))
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

/// Whether a key that is for one algorithm only is for this one.
pub(super) fn is_for(only: KeyAlgorithm, how: Algorithm) -> bool {
    matches!(
        (only, how),
        (KeyAlgorithm::RS256, Algorithm::RS256)
            | (KeyAlgorithm::PS256, Algorithm::PS256)
            | (KeyAlgorithm::ES256, Algorithm::ES256)
            | (KeyAlgorithm::EdDSA, Algorithm::EdDSA)
    )
}

#[cfg(test)]
mod tests;
