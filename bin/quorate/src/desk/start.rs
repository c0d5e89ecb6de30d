//! Starting the desk: everything is opened and checked before any door is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quorate_host::clock::SystemClock;
use quorate_host::config::Config;
use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::random::Random;
use quorate_host::store::Store;
use quorate_host::{harden, secret_file, telemetry};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::{ChainId, PersonId};
use tracing::level_filters::LevelFilter;

use super::answers::Answers;
use super::book_door::BookDoor;
use super::captured;
use super::chain::{Chain, Chains};
use super::console_door;
use super::control_door::ControlDoor;
use super::cosigners::Cosigners;
use super::effects::World;
use super::engine::Engine;
use super::facts::Facts;
use super::files::Files;
use super::mcp_door;
use super::office::checklists;
use crate::config::{ChainConfig, DeskConfig};

/// Runs the desk of a folder until the process is told to stop. `operator` is the person who starts it, by pseudonym.
///
/// # Errors
/// [`Fault`] naming the file or address that is not in order, and how to mend it.
pub async fn run(dir: &Path, operator: &PersonId) -> Result<(), Fault> {
    harden::harden()?;
    let files = Files::at(dir);
    secret_file::check_dir(dir)?;
    let config = Config::<DeskConfig>::load(&files.config())?;
    let clock = SystemClock::shared();
    telemetry::start(config.value.log.unwrap_or_default(), LevelFilter::INFO, clock.clone())?;
    let charter = read_charter(&config.resolve(&config.value.charter))?;
    let link = Identity::load(&files.link_key())?;
    let log = Identity::load(&files.log_key())?;
    own_keys(&charter, &link, &log)?;
    let data = config.resolve(&config.value.data);
    secret_file::make_dir(&data)?;
    let store = Store::open(&Files::ledger(&data)).await?;
    let (engine, effects) = Engine::start(charter.clone(), store, log, clock.clone()).await?;
    let chains = connect(&config.value.chains)?;
    let cosigners = Cosigners::start(&charter, &config.value.cosigners, &link, engine.clone())?;
    let deny_list = config.value.deny_list.clone();
    let facts = Facts::start(&config.value.sources, deny_list, |path| config.resolve(path), &link)?;
    let poll = Duration::from_millis(config.value.poll_ms);
    let lists = config.value.checklists.as_ref().map(|path| config.resolve(path));
    let lists = checklists::template(lists.as_deref())?;
    let world = World::new(engine.clone(), cosigners.clone(), chains.clone(), facts, poll);
    world.template.get_or_init(|| lists);
    world.balances.open(&Files::balances(&data), Random::start()?);
    captured::record(&engine, &config.value, &charter, operator).await?;
    let pinned = world.pin_manifests().await;
    pinned.map_err(|e| Fault::new("ledger", e.to_string(), "free space and start again"))?;
    tokio::spawn(world.clone().run(effects));
    tokio::spawn(world.clone().sweep());
    world.look_at_chains();
    tokio::spawn(world.clone().record_balances());

    let readers = config.value.readers.values().copied();
    let listen = &config.value.book_listen;
    let (book, ours) = (engine.clone(), cosigners.clone());
    let book = BookDoor::open(listen, &link, readers, book, ours).await;
    let book = book.map_err(|fault| {
        let mend = "free the port, or give another `book_listen` in desk.toml";
        Fault::new(format!("book_listen {listen}"), fault.why(), mend)
    })?;
    tracing::info!(address = %book.address(), "approvers and readers may follow the book here");
    let answers = Arc::new(Answers::new(world.clone()));
    let _control = ControlDoor::open(&files.socket(), answers.clone(), world.clone())?;
    if let Some(http) = &config.value.http {
        let resolve = |path: &Path| config.resolve(path);
        let doors = (http, config.value.oauth.as_ref());
        mcp_door::http(doors, resolve, answers.clone(), world.clone()).await?;
    } else if config.value.oauth.is_some() {
        return Err(Fault::new(
            "oauth",
            "has no door",
            "add `[http]` to desk.toml, or take it out",
        ));
    }
    if let Some(console) = &config.value.console {
        let resolve = |path: &Path| config.resolve(path);
        console_door::open(console, resolve, answers.clone(), world.clone()).await?;
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
