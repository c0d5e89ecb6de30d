//! The office's own pages, at their own origin: findings, audits and reports for who signs in, and the register of marks for
//! anybody. Every page is made of what the command line's own functions give at that moment, and steps of audits are taken by
//! the same functions.
//!
//! Reading order: what the server holds ([`hall`]), who is signed in ([`visitor`], [`door`]), what it answers ([`routes`]), how
//! pages look ([`paper`]), then one module a page; how a step is taken ([`steps`]); and the same for programs ([`api`]).
//!
//! Invariant: no person's key comes here; of an audit nothing is recorded but a step that its person signed. Beside that, a token
//! that files has the office assess. Invariant: the folder is held only while a page is made, so that the command line works
//! beside it.

mod api;
mod audits;
mod control;
mod door;
mod hall;
mod history;
mod marks;
mod overview;
mod paper;
mod reports;
mod routes;
mod steps;
mod visitor;

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests count small numbers")]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use quorate_host::https::Https;
use quorate_host::ui::Ui;
use quorate_host::{Fault, SystemClock};
use quorate_web::{Allowed, Connections, Peers, listen_check, serve_tls};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Cli, Scope};
use crate::screen::Screen;
use crate::trouble::Done;

use hall::Hall;

/// What `serve` is asked.
#[derive(Args)]
pub(crate) struct Serving {
    /// Where to listen. Beyond this machine only with a certificate.
    #[arg(long, default_value = "127.0.0.1:7900")]
    listen: SocketAddr,
    /// Certificate chain for TLS (PEM). It may be renewed in place; it is read again by itself.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its private key (PEM), mode 0600.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// The address that people type, such as `https://office.example`. Needed beyond this machine, and behind a proxy.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// The proxy in front of it, which ends TLS; given once or more, nobody else may connect. What it says of others is not
    /// read.
    #[arg(long, value_name = "ADDR")]
    proxy: Vec<IpAddr>,
    #[command(flatten)]
    scope: Scope,
    /// The Typst compiler, for reports as PDF.
    #[arg(long, default_value = "typst", value_name = "PROGRAM")]
    typst: PathBuf,
    /// The file that holds the passphrase under which files are sealed. Without it the pages take and give no files.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// How often a token of the API is answered in a minute.
    #[arg(long, value_name = "N", default_value = "120")]
    requests_per_minute: NonZeroU32,
}

/// Serves until it is told to end.
pub(crate) async fn serve(cli: &Cli, ui: &Ui, asked: &Serving) -> Done<Screen> {
    let (certificate, key) = (asked.certificate.as_deref(), asked.key.as_deref());
    let https = Https::load(certificate, key, SystemClock::shared())?;
    let tls = https.is_some();
    listen_check(&asked.listen, tls)?;
    let origins: Vec<String> = asked.origin.iter().cloned().collect();
    let allowed = |at: &SocketAddr| Allowed::typed(&origins, at, tls, !asked.proxy.is_empty());
    allowed(&asked.listen)?;
    let hall = Hall::open(cli, *ui, asked).await?;
    let world = |what: &str, e: std::io::Error| Fault::new(what, e.to_string(), "give another");
    let listener =
        TcpListener::bind(asked.listen).await.map_err(|e| world(&asked.listen.to_string(), e))?;
    // With port 0 the system chose one.
    let listens = listener.local_addr().map_err(|e| world("listen", e))?;
    let scheme = if tls { "https" } else { "http" };
    let own = format!("{scheme}://localhost:{}", listens.port());
    let allowed = allowed(&listens)?;
    let hall = Arc::new(hall.at(asked.origin.clone().unwrap_or(own), listens, &allowed));
    hall.offer()?;
    let stop = told_to_end()?;
    let router = routes::router(hall, allowed);
    let bounds = bounds(&asked.proxy);
    let shaken = https.map(|https| move |socket| Arc::clone(&https).accept(socket));
    serve_tls(listener, shaken, router, bounds, stop).await;
    Ok(Screen::new("the pages have ended", json!({ "ended": true })))
}

/// The bounds on connections. Bodies get the time of the longest form: the default would cut a large file on a slow line. All but
/// the forms that bring files get a minute of it ([`routes`]).
fn bounds(proxies: &[IpAddr]) -> Connections {
    let from = Peers::only(proxies.iter().copied());
    Connections { from, body: steps::BODY, ..Connections::default() }
}

fn told_to_end() -> Done<impl Future<Output = ()> + Send> {
    let term = signal(SignalKind::terminate());
    let mut term = term.map_err(|e| Fault::new("signals", e.to_string(), "try again"))?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}
