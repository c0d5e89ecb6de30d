//! A source of signed facts on its own key and its own chain node: what became of a nonce, once it is deep enough.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use quorate_host::clock::{Clock, SystemClock};
use quorate_host::config::Config;
use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::link::{BoxFuture, Handler, Limits, Pins, Refused, Request, Server};
use quorate_host::telemetry;
use quorate_terms::ChainId;
use quorate_terms::canonical::Term;
use quorate_terms::fact::{Fact, FactBody, FactKind, Fate, SignedFact};
use tracing::level_filters::LevelFilter;

use super::chain::{Chain, Sighting, Upset};
use super::facts::{FINALITY, FinalityAsk};
use crate::config::SourceFile;

/// Blocks that are searched for a stranger's transaction with our nonce.
const LOOK_BACK: u64 = 50_000;

struct Source {
    file: SourceFile,
    key: Identity,
    chains: BTreeMap<ChainId, Chain>,
    clock: Arc<dyn Clock>,
}

/// Runs a source until the process ends.
///
/// # Errors
/// [`Fault`] when its files, its address or its configuration are not in order.
pub async fn source_run(dir: &Path) -> Result<(), Fault> {
    let config = Config::<SourceFile>::load(&dir.join("source.toml"))?;
    let clock = SystemClock::shared();
    telemetry::start(telemetry::Format::Text, LevelFilter::INFO, clock.clone())?;
    let file = config.value;
    let key = Identity::load(&dir.join("keys").join("source.seed"))?;
    let link = Identity::load(&dir.join("keys").join("link.seed"))?;
    let mut chains = BTreeMap::new();
    for (chain, node) in &file.chains {
        chains.insert(chain.clone(), Chain::connect(chain, &node.rpc)?);
    }
    let (listen, desk) = (file.listen.clone(), file.desk_identity);
    let source = Arc::new(Source { file, key, chains, clock });
    let server = Server::bind(&listen, &link, Pins::new([desk]), source, Limits::default()).await?;
    tracing::info!(address = %server.address(), "the source listens");
    std::future::pending::<()>().await;
    Ok(())
}

impl Handler for Source {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Vec<u8>, Refused>> {
        Box::pin(async move {
            if request.method != FINALITY || !self.file.kinds.contains(&FactKind::Finality) {
                return Err(Refused::new("unknown_method", "this source does not speak on that"));
            }
            let ask: FinalityAsk = serde_json::from_slice(&request.body).map_err(|e| {
                Refused::new("malformed", format!("the question cannot be read ({e})"))
            })?;
            let fact =
                self.finality(&ask).await.map_err(|e| Refused::new("upset", e.to_string()))?;
            serde_json::to_vec(&fact).map_err(|e| Refused::new("bug", e.to_string()))
        })
    }
}

impl Source {
    /// The fate of a nonce with the depth that this source's own node sees. Whether that is deep enough is for the charter.
    async fn finality(&self, ask: &FinalityAsk) -> Result<Option<SignedFact>, Upset> {
        let Some(node) = self.chains.get(&ask.chain) else { return Ok(None) };
        for ours in ask.ours.iter().take(quorate_custody::limits::DRAFTS_PER_CASE_MAX) {
            if let Sighting::Included { block, depth, success, fee } =
                node.sighting(&ours.txid).await?
            {
                let fate = match (ours.moves, success) {
                    (false, _) => Fate::Replaced,
                    (true, true) => Fate::Settled,
                    (true, false) => Fate::Reverted,
                };
                return Ok(self.sign(ask, &ours.txid, (block, depth), fate, fee));
            }
        }
        if node.nonce(&ask.account).await? <= ask.nonce {
            return Ok(None);
        }
        let near = node.height().await?.saturating_sub(LOOK_BACK);
        let taker = node.transaction_with_nonce(&ask.account, ask.nonce, near).await?;
        let Some(taker) = taker else { return Ok(None) };
        match node.sighting(&taker).await? {
            Sighting::Included { block, depth, fee, .. } => {
                Ok(self.sign(ask, &taker, (block, depth), Fate::Replaced, fee))
            }
            _ => Ok(None),
        }
    }

    fn sign(
        &self,
        ask: &FinalityAsk,
        txid: &str,
        (block, depth): (u64, u64),
        fate: Fate,
        fee: quorate_terms::Amount,
    ) -> Option<SignedFact> {
        let fact = Fact::Finality {
            chain: ask.chain.clone(),
            account: ask.account.clone(),
            nonce: ask.nonce,
            txid: txid.to_owned(),
            block,
            depth,
            fate,
            fee,
        };
        let (vault, source) = (self.file.vault.clone(), self.file.source.clone());
        let body = FactBody { v: 1, vault, source, at: self.clock.now(), fact };
        let digest = body.digest().ok()?;
        Some(SignedFact { signature: self.key.sign(&digest), body })
    }
}
