//! The two MCP doors of the product: a process on standard input and output that reaches the desk over its socket, and
//! streamable HTTP in the desk itself, beside the HTTP API.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use quorate_gateway::http::{Allowed, Limits as HttpLimits, Setup, router};
use quorate_gateway::limit::{Clock as DoorClock, Limiter, Rate};
use quorate_gateway::stdio::serve_process;
use quorate_host::fault::Fault;
use quorate_host::https::Https;
use quorate_host::link::{Limits, Silent};
use quorate_host::{SystemClock, telemetry, unix};
use quorate_terms::credential::Band;
use tracing::level_filters::LevelFilter;

use super::answers::Answers;
use super::control_door::Remote;
use super::effects::World;
use super::files::Files;
use super::oauth::Oauth;
use super::office::Here;
use super::web_door::{Wanted, WebDoor, bad};
use crate::config::{HttpConfig, OauthConfig};
use crate::shown::Shown;

/// Serves one credential over this process's standard input and output until the input ends. Standard output carries nothing
/// but protocol.
///
/// # Errors
/// [`Fault`] for a band list that is none, a token file that others can read, a desk that does not run, or a credential
/// that it does not know.
pub async fn mcp_stdio(dir: &Path, token_file: &Path, bands: Option<&str>) -> Result<(), Fault> {
    let ceiling = ceiling(bands)?;
    let shown = Shown::read(token_file)?;
    let token = shown.digest();
    // Standard output is the protocol's: what goes wrong here, a panic too, is a line on standard error.
    telemetry::start(telemetry::Format::Text, LevelFilter::WARN, SystemClock::shared())?;
    let socket = Files::at(dir).socket();
    let link = unix::connect(&socket, Arc::new(Silent), Limits::default()).await?;
    let desk = Arc::new(Remote::new(link, shown));
    let limiter = Arc::new(Limiter::new(Rate::default(), forward_clock()));
    serve_process(desk, ceiling, token, limiter).await.map_err(|complaint| {
        Fault::new("mcp", complaint.message, "see `quorate agent new` and the desk's log")
    })
}

/// Bands of the door: `read` unless a list is given.
fn ceiling(bands: Option<&str>) -> Result<Band, Fault> {
    bands.map_or(Ok(Band::default()), Band::from_list).map_err(|e| bad("bands", &e))
}

/// Opens MCP and the API over HTTP and serves them on a task of its own. Answers with the address at which it listens.
///
/// # Errors
/// [`Fault`] for an address off loopback without TLS, a certificate that cannot be used, or lists that are none.
pub(crate) async fn http(
    (config, oauth): (&HttpConfig, Option<&OauthConfig>),
    resolve: impl Fn(&Path) -> PathBuf,
    answers: Arc<Answers>,
    world: Arc<World>,
) -> Result<SocketAddr, Fault> {
    let bands = ceiling(Some(&config.bands))?;
    let pair = [&config.certificate, &config.key];
    let wanted = Wanted { table: "http", listen: &config.listen, example: "127.0.0.1:7410", pair };
    let door = WebDoor::bind(&wanted, &resolve).await?;
    let address = door.address();
    let office = Arc::new(Here(Arc::clone(&world)));
    let clock = Arc::clone(world.engine.clock());
    let mut setup = setup(config, address, door.tls().cloned(), world)?;
    if let Some(oauth) = oauth {
        setup.tokens = Some(Arc::new(Oauth::start(oauth, &resolve, clock).await?));
        setup.public_url = Oauth::public_url(oauth)?.unwrap_or(setup.public_url);
    }
    let router = router(answers, office, bands, setup).map_err(|e| bad("http", &e))?;
    door.serve(router, &config.proxies);
    tracing::info!(%address, bands = %bands, "mcp and the api are open over http");
    Ok(address)
}

fn setup(
    config: &HttpConfig,
    address: SocketAddr,
    tls: Option<Arc<Https>>,
    world: Arc<World>,
) -> Result<Setup, Fault> {
    let stateful = match config.mode.as_str() {
        "stateless" => false,
        "stateful" => true,
        _ => return Err(Fault::new("http.mode", "is unknown", "give `stateless` or `stateful`")),
    };
    let mut hosts = config.hosts.clone();
    hosts.push(address.to_string());
    if address.ip().is_loopback() {
        hosts.push(format!("localhost:{}", address.port()));
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    let name = config.hosts.first().cloned().unwrap_or_else(|| address.to_string());
    let (engine, of_metrics) = (world.engine.clone(), world);
    Ok(Setup {
        allowed: Allowed::new(&hosts, &config.origins),
        public_url: format!("{scheme}://{name}"),
        stateful,
        tokens: None,
        limits: HttpLimits { rate: rate(config.requests_per_minute)?, ..HttpLimits::default() },
        clock: forward_clock(),
        ready: Arc::new(move || engine.writes()),
        metrics: Arc::new(move || {
            if let Some(tls) = &tls {
                of_metrics.measure_certificate(&tls.standing());
            }
            of_metrics.meters_text()
        }),
    })
}

/// The bounds of each credential: so many requests a minute, and a tenth of them at once.
fn rate(per_minute: u64) -> Result<Rate, Fault> {
    if !(10..=1_000_000).contains(&per_minute) {
        let what = "http.requests_per_minute";
        return Err(Fault::new(what, "is out of range", "give 10 to 1000000"));
    }
    Ok(Rate { per_minute, burst: per_minute.div_euclid(10), ..Rate::default() })
}

fn forward_clock() -> DoorClock {
    let start = Instant::now();
    Arc::new(move || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
