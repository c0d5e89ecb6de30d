//! The console's door: pages for people over HTTP, on this machine only. It holds nothing of its own but sessions, and a
//! restart of the desk ends them.

use std::net::SocketAddr;
use std::sync::Arc;

use quorate_custody::Refusal;
use quorate_gateway::console::{Setup, router};
use quorate_gateway::http::{Allowed, Connections, serve};
use quorate_host::fault::Fault;
use quorate_host::random::Random;
use tokio::net::TcpListener;

use super::answers::Answers;
use super::effects::World;
use super::office::Here;
use crate::config::ConsoleConfig;

/// Opens the console and serves it on a task of its own. Answers with the address at which it listens.
///
/// # Errors
/// [`Fault`] for an address that is not of this machine, or a port that is taken.
pub(crate) async fn open(
    config: &ConsoleConfig,
    answers: Arc<Answers>,
    world: Arc<World>,
) -> Result<SocketAddr, Fault> {
    let address = loopback(&config.listen)?;
    let listener = TcpListener::bind(address).await.map_err(|e| {
        let mend = "free the port, or give another `listen` under `[console]` in desk.toml";
        Fault::new(format!("console.listen {address}"), e.to_string(), mend)
    })?;
    // With port 0 the system chose one.
    let address =
        listener.local_addr().map_err(|e| Fault::new("console", e.to_string(), "try again"))?;
    let random = Random::start()?;
    let clock = world.engine.clock().clone();
    let setup = Setup {
        allowed: Allowed::loopback(address.port()),
        now: Arc::new(move || clock.now()),
        secret: Arc::new(move || secret(random)),
    };
    let router = router(answers, Arc::new(Here(world)), setup)
        .map_err(|e| Fault::new(format!("console: {}", e.field()), e.why(), e.mend()))?;
    let plain = |socket| std::future::ready(Ok(socket));
    tokio::spawn(async move {
        serve(listener, plain, router, Connections::default(), std::future::pending()).await;
    });
    tracing::info!(%address, "the console is open");
    Ok(address)
}

/// An address of this machine: a token and a session travel in the clear.
fn loopback(listen: &str) -> Result<SocketAddr, Fault> {
    let address: SocketAddr = listen.parse().map_err(|_| {
        let mend = "give one such as `127.0.0.1:7420`";
        Fault::new("console.listen", "is no address with a port", mend)
    })?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    let mend = "listen on 127.0.0.1 and reach it through a tunnel";
    Err(Fault::new("console.listen", format!("is {address}, which is not loopback"), mend))
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

    #[test]
    fn the_console_listens_on_this_machine_only() {
        for (listen, good) in [
            ("127.0.0.1:7420", true),
            ("[::1]:0", true),
            ("0.0.0.0:7420", false),
            ("192.0.2.1:7420", false),
            ("localhost:7420", false),
            ("7420", false),
        ] {
            assert_eq!(loopback(listen).is_ok(), good, "{listen}");
        }
    }
}
