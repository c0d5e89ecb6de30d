//! The console's door: pages for people over HTTP. It holds nothing of its own but sessions, and a restart of the desk ends
//! them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_custody::Refusal;
use quorate_gateway::console::provider::Provider;
use quorate_gateway::console::standing::Bulletins;
use quorate_gateway::console::{Setup, router};
use quorate_gateway::http::Allowed;
use quorate_host::fault::Fault;
use quorate_host::random::Random;

use super::answers::Answers;
use super::bulletin::Pinned;
use super::effects::World;
use super::oauth::openid::Openid;
use super::office::Here;
use super::web_door::{Wanted, WebDoor, bad};
use crate::config::ConsoleConfig;

/// Opens the console and serves it on a task of its own. Answers with the address at which it listens.
///
/// # Errors
/// [`Fault`] for an address off loopback without TLS, a port that is taken, a certificate that cannot be used, or origins that
/// no browser could show.
pub(crate) async fn open(
    config: &ConsoleConfig,
    resolve: impl Fn(&Path) -> PathBuf,
    answers: Arc<Answers>,
    world: Arc<World>,
) -> Result<SocketAddr, Fault> {
    let pair = [&config.certificate, &config.key];
    let wanted =
        Wanted { table: "console", listen: &config.listen, example: "127.0.0.1:7420", pair };
    let office = Pinned::of(config, &resolve, &world)?;
    let provider = provider(config, &resolve, &world).await?;
    let door = WebDoor::bind(&wanted, resolve).await?;
    let address = door.address();
    let (tls, proxied) = (door.tls().is_some(), !config.proxies.is_empty());
    let allowed =
        Allowed::typed(&config.origins, &address, tls, proxied).map_err(|e| bad("console", &e))?;
    let random = Random::start()?;
    let clock = world.engine.clock().clone();
    let setup = Setup {
        allowed,
        now: Arc::new(move || clock.now()),
        secret: Arc::new(move || secret(random)),
        provider,
        office: office.map(|pinned| Arc::new(pinned) as Arc<dyn Bulletins>),
    };
    let router = router(answers, Arc::new(Here(world)), setup).map_err(|e| bad("console", &e))?;
    door.serve(router, &config.proxies);
    tracing::info!(%address, "the console is open");
    Ok(address)
}

/// Through whom people sign in to look, if somebody is named.
async fn provider(
    config: &ConsoleConfig,
    resolve: impl Fn(&Path) -> PathBuf,
    world: &World,
) -> Result<Option<Arc<dyn Provider>>, Fault> {
    let Some(openid) = &config.openid else { return Ok(None) };
    let clock = world.engine.clock().clone();
    Ok(Some(Arc::new(Openid::start(openid, resolve, clock).await?)))
}

fn secret(random: Random) -> Result<String, Refusal> {
    let bytes = random.bytes::<16>().map_err(|fault| {
        Refusal::new("not_now", fault.to_string(), "restart the desk, and run `quorate doctor`")
    })?;
    Ok(hex::encode(bytes))
}
