//! Starting: a desk where a vault was founded, and a guided founding in the browser where none was.
//!
//! The guided founding asks what `quorate init` asks and founds by the same functions; what was answered is kept in a file that
//! `quorate init --answers` reads as well. Reading order: what is kept, who is let in, the steps, the summary, what comes after.

mod kept;

mod door;
mod visit;

mod paper;
mod steps;
mod summary;

mod after;

mod browser;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use quorate_host::config::Config;
use quorate_host::fault::Fault;
use quorate_terms::PersonId;
use quorate_web::{Connections, serve};
use tokio::net::TcpListener;

use super::found::plan::loopback;
use super::trouble::{Tried, Trouble};
use super::{Ended, note};
use crate::config::{ConsoleConfig, DeskConfig};
use crate::desk;
use door::Founder;
use kept::Kept;

/// The flags of `quorate up`.
#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    /// The desk's folder; made with mode 0700 if it is not there.
    #[arg(long, visible_alias = "home", default_value = "quorate-desk")]
    dir: PathBuf,
    /// The person who starts it, by pseudonym: recorded when settings or software changed since the last start.
    #[arg(long, default_value = "operator")]
    person: String,
    /// Where the guided founding listens, a loopback address with its port.
    #[arg(long, default_value = "127.0.0.1:7421")]
    listen: String,
    /// Open no browser; the address is printed in any case.
    #[arg(long)]
    no_open: bool,
    /// Run the desk, and end if no vault is founded in the folder, as a service should.
    #[arg(long)]
    no_founding: bool,
}

/// Runs the desk of a folder until stopped; founds its vault first if there is none.
pub(crate) async fn obey(args: &UpArgs, has_display: bool) -> Tried<Ended> {
    let person: PersonId = args.person.parse()?;
    match way(&args.dir, args.no_founding)? {
        Way::Desk => run(&args.dir, &person).await,
        Way::Founding => found(args, person, has_display && !args.no_open).await,
    }
}

/// What there is to do in a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// A vault is founded, and nobody goes on with its first steps here.
    Desk,
    /// No vault is founded, or its founding is not finished.
    Founding,
}

/// A founded vault has its desk, whether or not somebody has closed the pages of its founding.
///
/// # Errors
/// [`Trouble`] when there must be a vault and is none.
fn way(dir: &Path, no_founding: bool) -> Tried<Way> {
    let is_founded = kept::is_founded(dir);
    if is_founded && (no_founding || !kept::is_begun(dir)) {
        return Ok(Way::Desk);
    }
    if no_founding {
        let why = "holds no founded vault";
        let mend = "check --dir and that its disk is mounted, or leave --no-founding out";
        return Err(Trouble::new(dir.display().to_string(), why, mend));
    }
    Ok(Way::Founding)
}

async fn run(dir: &Path, person: &PersonId) -> Tried<Ended> {
    say_console(dir);
    desk::run(dir, person).await?;
    Ok(Ended::Well)
}

/// Serves the guided founding, and the desk beside it once there is a vault.
async fn found(args: &UpArgs, person: PersonId, opens: bool) -> Tried<Ended> {
    let address = loopback("--listen", &args.listen)?;
    let kept = Kept::open(&args.dir)?;
    let Some((listener, address)) = doorstep(address, kept.is_founded()).await? else {
        return run(&args.dir, &person).await;
    };
    let founder = Arc::new(Founder::new(kept, address.port(), person.clone())?);
    let url = founder.invite()?;
    if opens {
        browser::open(&founder.folder(), &url);
    }
    let mut founded = founder.founded();
    let router = door::router(founder)?;
    let plain = |socket| std::future::ready(Ok(socket));
    let pages = serve(listener, plain, router, Connections::default(), std::future::pending());
    let desk = async {
        // It ends with the process if nobody ever founds.
        if founded.wait_for(|is| *is).await.is_err() {
            std::future::pending::<()>().await;
        }
        run(&args.dir, &person).await
    };
    tokio::select! {
        () = pages => {}
        ended = desk => return ended,
    }
    Ok(Ended::Well)
}

/// Where the pages are served. A vault that is founded runs without them.
///
/// # Errors
/// [`Trouble`] when they cannot be served and no vault is founded.
async fn doorstep(
    address: SocketAddr,
    is_founded: bool,
) -> Tried<Option<(TcpListener, SocketAddr)>> {
    match bind(address).await {
        Ok(bound) => Ok(Some(bound)),
        Err(trouble) if is_founded => {
            note(&format!("the vault runs without the pages after its founding: {trouble}"));
            Ok(None)
        }
        Err(trouble) => Err(trouble),
    }
}

async fn bind(address: SocketAddr) -> Tried<(TcpListener, SocketAddr)> {
    let bad = |e: std::io::Error| {
        let mend = "free the port, or give another with `--listen 127.0.0.1:PORT`";
        Fault::new(format!("--listen {address}"), e.to_string(), mend)
    };
    let listener = TcpListener::bind(address).await.map_err(bad)?;
    let address = listener.local_addr().map_err(bad)?;
    Ok((listener, address))
}

/// Where the console of a founded vault is, or how to open it. What is wrong with the configuration the desk says itself.
fn say_console(dir: &Path) {
    let Ok(config) = Config::<DeskConfig>::load(&dir.join("desk.toml")) else { return };
    match config.value.console {
        Some(console) => note(&format!("the console is at {}", console_url(&console))),
        None => note(&format!(
            "the console is closed; add `[console]` to {} to open it",
            dir.join("desk.toml").display()
        )),
    }
}

/// The address of a console, as a person opens it.
fn console_url(console: &ConsoleConfig) -> String {
    if let Some(origin) = console.origins.first() {
        return origin.clone();
    }
    let port = console.listen.rsplit_once(':').map_or("", |(_, port)| port);
    let scheme = if console.certificate.is_some() { "https" } else { "http" };
    format!("{scheme}://localhost:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_founded_vault_comes_back_as_a_service_before_somebody_closes_its_pages() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        assert!(way(home, true).is_err(), "there is none");
        assert_eq!(way(home, false), Ok(Way::Founding));
        std::fs::create_dir(home.join("founding")).unwrap();
        assert!(way(home, true).is_err(), "it is only begun");
        std::fs::write(home.join("desk.toml"), "").unwrap();
        assert_eq!(way(home, true), Ok(Way::Desk));
        assert_eq!(way(home, false), Ok(Way::Founding), "somebody may go on with its first steps");
        std::fs::remove_dir(home.join("founding")).unwrap();
        assert_eq!(way(home, false), Ok(Way::Desk));
    }

    #[tokio::test]
    async fn a_busy_port_of_the_pages_stops_a_founding_and_no_founded_vault() {
        let busy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = busy.local_addr().unwrap();
        assert!(doorstep(address, true).await.unwrap().is_none());
        assert!(doorstep(address, false).await.unwrap_err().mend.contains("--listen"));
        drop(busy);
        assert!(doorstep(address, true).await.unwrap().is_some());
    }
}
