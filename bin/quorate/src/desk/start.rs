//! Starting the desk: everything is opened and checked before any door is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quorate_custody::Event;
use quorate_host::clock::SystemClock;
use quorate_host::config::Config;
use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::store::Store;
use quorate_host::{harden, secret_file};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::digest::tag;
use quorate_terms::entry::{Body, ConfigurationCaptured, Deployed};
use quorate_terms::{ChainId, Digest};

use super::answers::Answers;
use super::book_door::BookDoor;
use super::chain::{Chain, Chains};
use super::control_door::ControlDoor;
use super::cosigners::Cosigners;
use super::effects::World;
use super::engine::Engine;
use super::facts::Facts;
use super::files::Files;
use super::mcp_door;
use crate::config::{ChainConfig, DeskConfig};

/// Runs the desk of a folder until the process is told to stop.
///
/// # Errors
/// [`Fault`] naming the file or address that is not in order, and how to mend it.
pub async fn run(dir: &Path) -> Result<(), Fault> {
    harden::harden()?;
    let files = Files::at(dir);
    secret_file::check_dir(dir)?;
    let config = Config::<DeskConfig>::load(&files.config())?;
    let charter = read_charter(&config.resolve(&config.value.charter))?;
    let link = Identity::load(&files.link_key())?;
    let log = Identity::load(&files.log_key())?;
    own_keys(&charter, &link, &log)?;
    let clock = SystemClock::shared();
    let data = config.resolve(&config.value.data);
    secret_file::make_dir(&data)?;
    let store = Store::open(&Files::ledger(&data)).await?;
    let (engine, effects) = Engine::start(charter.clone(), store, log, clock.clone()).await?;
    let chains = connect(&config.value.chains)?;
    let cosigners = Cosigners::start(&charter, &config.value.cosigners, &link, engine.clone())?;
    let deny_list = config.value.deny_list.clone();
    let facts = Facts::start(&config.value.sources, deny_list, |path| config.resolve(path), &link)?;
    let poll = Duration::from_millis(config.value.poll_ms);
    let world = World::new(engine.clone(), cosigners.clone(), chains.clone(), facts, poll);
    capture(&engine, &config.value, dir).await?;
    let pinned = world.pin_manifests().await;
    pinned.map_err(|e| Fault::new("ledger", e.to_string(), "free space and start again"))?;
    tokio::spawn(world.clone().run(effects));
    tokio::spawn(world.clone().sweep());

    let seats = charter.approvers.iter().map(|seat| seat.link);
    let book =
        BookDoor::open(&config.value.book_listen, &link, seats, engine.clone(), cosigners.clone())
            .await?;
    tracing::info!(address = %book.address(), "approvers may follow the book here");
    let answers = Arc::new(Answers::new(world.clone()));
    let _control = ControlDoor::open(&files.socket(), answers.clone(), world.clone())?;
    if let Some(http) = &config.value.http {
        let resolve = |path: &Path| config.resolve(path);
        mcp_door::http(http, resolve, answers.clone(), world.clone()).await?;
    }
    tracing::info!(vault = %charter.vault, size = engine.head().size, "the desk is up");
    stopped(&engine).await
}

/// Waits for the end: a signal, or a disk that failed.
async fn stopped(engine: &Engine) -> Result<(), Fault> {
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|e| Fault::new("signals", e.to_string(), "start again"))?;
    tokio::select! {
        _ = term.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
        fault = engine.store().broken() => Err(fault),
    }
}

fn read_charter(path: &Path) -> Result<CharterText, Fault> {
    let bytes = std::fs::read(path).map_err(|e| Fault::at(path, &e))?;
    let bad = |why: String| {
        Fault::new(path.display().to_string(), why, "use the charter that `quorate init` wrote")
    };
    let charter = CharterText::from_canonical(&bytes).map_err(|e| bad(e.to_string()))?;
    charter.check().map_err(|e| bad(e.to_string()))?;
    Ok(charter)
}

fn own_keys(charter: &CharterText, link: &Identity, log: &Identity) -> Result<(), Fault> {
    let right = charter.log.key == log.public_key() && charter.log.identity == link.public_key();
    if right {
        return Ok(());
    }
    let mend = "put back the keys that `quorate init` made beside this charter";
    Err(Fault::new("keys", "are not those of the charter's log seat", mend))
}

fn connect(chains: &BTreeMap<ChainId, ChainConfig>) -> Result<Chains, Fault> {
    let mut nodes = BTreeMap::new();
    for (chain, node) in chains {
        nodes.insert(chain.clone(), Arc::new(Chain::connect(chain, &node.rpc)?));
    }
    Ok(Arc::new(nodes))
}

/// Records which binary runs and under which settings; an assessor reads both.
async fn capture(engine: &Engine, config: &DeskConfig, dir: &Path) -> Result<(), Fault> {
    let binary = std::env::current_exe().and_then(std::fs::read).unwrap_or_default();
    let deployed = Deployed {
        host: Digest::of(tag::CONFIGURATION, dir.as_os_str().as_encoded_bytes()),
        role: "desk".to_owned(),
        binary: Digest::of(tag::CONFIGURATION, &binary),
        release: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let bands = config.http.as_ref().map_or("off", |http| http.bands.as_str());
    let values = serde_json::json!({
        "agent.admin_tools": [],
        "agent.approve_tools": [],
        "agent.http_bands": bands,
        "ledger.unrecorded_acts": [],
        "policy.default": "deny",
        "policy.delegatecall": "deny",
        "policy.no_expiry_signature": "deny",
        "policy.raw_hash_signing": false,
        "policy.unknown_call": "deny",
        "policy.unlimited_allowance": "deny",
    });
    let serde_json::Value::Object(values) = values else { return Ok(()) };
    let bytes = quorate_terms::canonical::to_bytes(&values, "configuration").unwrap_or_default();
    let digest = Digest::of(tag::CONFIGURATION, &bytes);
    let captured =
        ConfigurationCaptured { party: "desk".to_owned(), digest, previous: None, values };
    for body in
        [Body::Deployed(Box::new(deployed)), Body::ConfigurationCaptured(Box::new(captured))]
    {
        engine
            .tell(Event::Noted(Box::new(body)))
            .await
            .map_err(|e| Fault::new("ledger", e.to_string(), "free space and start again"))?;
    }
    Ok(())
}
