//! The office's own pages, at their own origin: findings, audits and reports for who signs in, and the register of marks for
//! anybody. Every page is made of what the command line's own functions give at that moment, and steps of audits are taken by
//! the same functions.
//!
//! Reading order: what the server holds ([`hall`]), who is signed in ([`visitor`], [`door`]), what it answers ([`routes`]), how
//! pages look ([`paper`]), then one module a page; and how a step is taken ([`steps`]).
//!
//! Invariant: no person's key comes here; nothing is recorded but a step that its person signed. Invariant: the folder is held
//! only while a page is made, so that the command line works beside it.

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

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use quorate_host::Fault;
use quorate_host::ui::Ui;
use quorate_web::{Connections, listen_check};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Cli, Scope};
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

use hall::Hall;

/// What `serve` is asked.
#[derive(Args)]
pub(crate) struct Serving {
    /// Where to listen: a loopback address and a port.
    #[arg(long, default_value = "127.0.0.1:7900")]
    listen: SocketAddr,
    #[command(flatten)]
    scope: Scope,
    /// The Typst compiler, for reports as PDF.
    #[arg(long, default_value = "typst", value_name = "PROGRAM")]
    typst: PathBuf,
    /// The file that holds the passphrase under which files are sealed. Without it the pages take and give no files.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Serves until it is told to end.
pub(crate) async fn serve(cli: &Cli, ui: &Ui, asked: &Serving) -> Done<Screen> {
    listen_check(&asked.listen, false).map_err(Trouble::from)?;
    let hall = Hall::open(cli, *ui, asked).await?;
    let world = |what: &str, e: std::io::Error| Fault::new(what, e.to_string(), "give another");
    let listener =
        TcpListener::bind(asked.listen).await.map_err(|e| world(&asked.listen.to_string(), e))?;
    let port = listener.local_addr().map_err(|e| world("listen", e))?.port();
    let hall = Arc::new(hall.at(port));
    hall.offer()?;
    let stop = told_to_end()?;
    let plain = |socket| async move { Ok(socket) };
    let router = routes::router(hall, port);
    quorate_web::serve(listener, plain, router, Connections::default(), stop).await;
    Ok(Screen::new("the pages have ended", json!({ "ended": true })))
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
