//! Facts from outside: prices, screening and finality, from the sources that the configuration names. What weight a fact has
//! is for the charter: here it is only fetched and carried.

pub mod ask;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::link::{Client, Limits, Silent};
use quorate_terms::fact::{CounterpartyCheck, Fact, SignedFact};
use quorate_terms::intent::Transfer;
use quorate_terms::{AccountId, AssetId, ChainId};

pub use ask::{FINALITY, FinalityAsk, Ours};

use crate::config::SourceConfig;

/// How long a source may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest file or answer of a source, in bytes.
const SOURCE_BYTES_MAX: usize = 1024 * 1024;

/// All configured sources.
pub struct Facts {
    links: BTreeMap<String, Client>,
    files: Vec<PathBuf>,
    urls: Vec<String>,
    http: reqwest::Client,
    deny_list: Option<PathBuf>,
}

impl Facts {
    /// Sets the sources up; the first use reaches them.
    ///
    /// # Errors
    /// [`Fault`] for a plain-HTTP address off loopback, or when a client cannot be made.
    pub fn start(
        sources: &BTreeMap<String, SourceConfig>,
        deny_list: Option<PathBuf>,
        resolve: impl Fn(&Path) -> PathBuf,
        identity: &Identity,
    ) -> Result<Arc<Self>, Fault> {
        // Once per process; a provider that is there already is as good. A desk without a chain has none yet.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let http =
            client.build().map_err(|e| Fault::new("http client", e.to_string(), "report this"))?;
        let mut facts = Self {
            links: BTreeMap::new(),
            files: Vec::new(),
            urls: Vec::new(),
            http,
            deny_list: deny_list.map(|path| resolve(&path)),
        };
        for (name, source) in sources {
            match source {
                SourceConfig::Link { address, identity: peer } => {
                    let client = Client::start(
                        address,
                        identity,
                        *peer,
                        Arc::new(Silent),
                        Limits::default(),
                    )?;
                    facts.links.insert(name.clone(), client);
                }
                SourceConfig::File { path } => facts.files.push(resolve(path)),
                SourceConfig::Http { url } => {
                    ask::check_url(name, url)?;
                    facts.urls.push(url.clone());
                }
            }
        }
        Ok(Arc::new(facts))
    }

    /// What the sources say of the price of an asset, each source's newest word.
    pub async fn prices(&self, asset: &AssetId) -> Vec<SignedFact> {
        let about = |fact: &SignedFact| matches!(&fact.body.fact, Fact::Price { asset: of, .. } if of == asset);
        newest(self.told().await.into_iter().filter(about))
    }

    /// Everything that bears on a transfer: prices of its asset, and the screening of its recipient.
    pub async fn for_transfer(&self, transfer: &Transfer) -> (Vec<SignedFact>, CounterpartyCheck) {
        let about = |fact: &SignedFact| match &fact.body.fact {
            Fact::Price { asset, .. } => *asset == transfer.asset,
            Fact::Screening { account, .. } => *account == transfer.to,
            Fact::Finality { .. } => false,
        };
        let facts = newest(self.told().await.into_iter().filter(about));
        (facts, self.screen(&transfer.to).await)
    }

    /// The deny-list file's answer. Unsigned: a hit tightens, a miss has no weight.
    async fn screen(&self, account: &AccountId) -> CounterpartyCheck {
        let Some(path) = &self.deny_list else { return CounterpartyCheck::NotPerformed };
        let provider = "deny-list-file".to_owned();
        match read(path).await {
            Ok(text) => {
                let listed =
                    text.lines().any(|line| line.trim().eq_ignore_ascii_case(account.as_str()));
                CounterpartyCheck::Performed { provider, flagged: listed }
            }
            Err(error) => CounterpartyCheck::Failed { provider, error },
        }
    }

    /// A source's signed word on what became of a nonce, once it calls it final.
    pub async fn finality(
        &self,
        (chain, account, nonce): (ChainId, AccountId, u64),
        ours: Vec<Ours>,
    ) -> Option<SignedFact> {
        let ask = FinalityAsk { chain, account, nonce, ours };
        let body = serde_json::to_vec(&ask).ok()?;
        for (name, client) in &self.links {
            match client.call(FINALITY, body.clone(), PATIENCE).await {
                Ok(bytes) => match serde_json::from_slice::<Option<SignedFact>>(&bytes) {
                    Ok(Some(fact)) => return Some(fact),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(source = %name, %error, "a source answers in another form")
                    }
                },
                Err(error) => tracing::debug!(source = %name, %error, "a source does not answer"),
            }
        }
        None
    }

    /// Everything that files and HTTP sources say now. A source that cannot be read says nothing.
    async fn told(&self) -> Vec<SignedFact> {
        let mut facts = Vec::new();
        for path in &self.files {
            match read(path).await {
                Ok(text) => facts.extend(ask::lines(&text)),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "a file of facts cannot be read")
                }
            }
        }
        for url in &self.urls {
            match ask::fetch(&self.http, url).await {
                Ok(said) => facts.extend(said),
                Err(error) => tracing::warn!(%error, "an HTTP source of facts cannot be read"),
            }
        }
        facts
    }
}

/// Each source's newest fact of each kind.
fn newest(facts: impl Iterator<Item = SignedFact>) -> Vec<SignedFact> {
    let mut kept: BTreeMap<_, SignedFact> = BTreeMap::new();
    for fact in facts {
        let key = (fact.body.source.clone(), fact.body.fact.kind());
        let newer = kept.get(&key).is_none_or(|known| known.body.at < fact.body.at);
        if newer {
            kept.insert(key, fact);
        }
    }
    kept.into_values().collect()
}

async fn read(path: &Path) -> Result<String, String> {
    let size = tokio::fs::metadata(path).await.map_err(|e| e.to_string())?.len();
    let fits = usize::try_from(size).is_ok_and(|size| size <= SOURCE_BYTES_MAX);
    if !fits {
        return Err(format!("is larger than {SOURCE_BYTES_MAX} bytes"));
    }
    tokio::fs::read_to_string(path).await.map_err(|e| e.to_string())
}
