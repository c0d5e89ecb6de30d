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
    let random = Random::start()?;
    let clock = world.engine.clock().clone();
    let setup = Setup {
        allowed: allowed(config, address, door.tls().is_some())?,
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

/// What browsers may call the console. A token and a session travel to it, so beyond this machine its address is one under TLS.
fn allowed(config: &ConsoleConfig, address: SocketAddr, tls: bool) -> Result<Allowed, Fault> {
    let field = "console.origins";
    if config.origins.is_empty() {
        if !address.ip().to_canonical().is_loopback() {
            let mend = "name the address that people type, such as `https://console.example`";
            return Err(Fault::new(field, "is empty", mend));
        }
        let plain = Allowed::loopback(address.port());
        if !tls {
            return Ok(plain);
        }
        let origins = plain.hosts().map(|host| format!("https://{host}"));
        return Ok(Allowed::new(plain.hosts(), origins));
    }
    if !tls && config.proxies.is_empty() {
        let mend = "give `certificate` and `key`, or name in `proxies` who ends TLS in front of it";
        return Err(Fault::new(field, "are addresses under TLS, and nobody ends it", mend));
    }
    let mut hosts = Vec::new();
    for origin in &config.origins {
        let host = origin.strip_prefix("https://").filter(|host| is_host(host)).ok_or_else(|| {
            let mend = "give each as a browser shows it: `https://`, a name, and a port unless it is 443";
            Fault::new(field, format!("holds `{origin}`"), mend)
        })?;
        hosts.push(host);
    }
    Ok(Allowed::new(hosts, &config.origins))
}

fn is_host(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    !text.is_empty() && text.chars().all(is_part) && !text.ends_with(":443")
}

fn secret(random: Random) -> Result<String, Refusal> {
    let bytes = random.bytes::<16>().map_err(|fault| {
        Refusal::new("not_now", fault.to_string(), "restart the desk, and run `quorate doctor`")
    })?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        origins: &[&str],
        proxied: bool,
        listen: &str,
        tls: bool,
    ) -> Result<Vec<String>, Fault> {
        let proxies = Vec::from_iter(proxied.then(|| "192.0.2.7".parse().unwrap()));
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        let config = ConsoleConfig { origins, proxies, ..ConsoleConfig::default() };
        let allowed = allowed(&config, listen.parse().unwrap(), tls)?;
        Ok(allowed.origins().map(str::to_owned).collect())
    }

    #[test]
    fn on_loopback_its_own_names_are_enough() {
        let plain = check(&[], false, "127.0.0.1:7420", false).unwrap();
        assert!(plain.contains(&"http://localhost:7420".to_owned()));
        let tls = check(&[], false, "127.0.0.1:7420", true).unwrap();
        assert!(tls.iter().all(|origin| origin.starts_with("https://")), "{tls:?}");
    }

    #[test]
    fn beyond_this_machine_it_says_what_people_type() {
        let typed = ["https://console.example"];
        assert!(check(&[], false, "192.0.2.1:7420", true).is_err());
        assert_eq!(check(&typed, false, "192.0.2.1:7420", true).unwrap(), typed);
        assert_eq!(check(&typed, true, "127.0.0.1:7420", false).unwrap(), typed);
        assert!(check(&typed, false, "127.0.0.1:7420", false).is_err(), "nobody ends TLS");
    }

    #[test]
    fn an_origin_that_no_browser_shows_is_refused() {
        for origin in [
            "http://console.example",
            "console.example",
            "https://",
            "https://console.example/",
            "https://console.example:443",
            "https://*",
            "https://user@console.example",
        ] {
            assert!(check(&[origin], false, "192.0.2.1:7420", true).is_err(), "{origin}");
        }
    }
}
