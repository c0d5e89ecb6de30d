//! The view: a small server of its own, at its own origin, where people read what is asked of them and say their word with a
//! passkey. It follows the book as the command line does, and shows the same screens.
//!
//! Reading order: how a view comes about ([`mod@found`]); what it knows and follows ([`office`]); who is signed in
//! ([`mod@sessions`]) and what others are asked ([`challenges`]); what it answers ([`routes`]) and how that looks ([`paper`]);
//! what its own machine may do ([`control`]).
//!
//! Invariant: what a passkey is asked to sign is the digest of what this process decoded and shows on the same page.

mod challenges;
mod control;
mod found;
mod office;
mod paper;
mod routes;
mod sessions;

use std::net::SocketAddr;
use std::sync::Arc;

use quorate_host::SystemClock;
use quorate_host::https::Https;
use quorate_host::ui::Ui;
use quorate_terms::Malformed;
use quorate_terms::passkey::ViewSeat;
use quorate_web::{Connections, Peers, listen_check, serve_tls};
use tokio::net::TcpListener;

use crate::cli::ServeArgs;
use crate::home::Home;
use crate::screen::Screen;
use crate::simulate::Nodes;
use crate::trouble::{Done, Trouble};

pub(crate) use control::{end_sessions, sessions};
pub(crate) use found::{Found, accept, found, take_passkey};

use office::Office;

/// Serves until it is told to end.
pub(crate) async fn serve(home: Home, asked: &ServeArgs, ui: &Ui) -> Done<Screen> {
    let (certificate, key) = (asked.certificate.as_deref(), asked.key.as_deref());
    let https = Https::load(certificate, key, SystemClock::shared())?;
    listen_check(&asked.listen, https.is_some()).map_err(Trouble::from)?;
    secure_check(&found::seat(&home)?, https.is_some())?;
    let (dir, nodes) = (home.dir().to_owned(), Nodes::new("this view", &asked.node)?);
    let office = Arc::new(Office::open(home, asked.enrol, nodes).await?);
    let listener = TcpListener::bind(asked.listen).await.map_err(|e| {
        let bad = Malformed::new("listen", e.to_string(), "free the port, or give another");
        Trouble::from(bad)
    })?;
    let router = routes::router(Arc::clone(&office))?;
    let control = control::open(&office, &dir);
    if let Err(why) = &control {
        // People read and approve all the same; sessions end by themselves, or with the view.
        tracing::warn!(%why, "no sessions can be listed or ended on this machine");
    }
    let following = tokio::spawn(Arc::clone(&office).follow_on());
    say(&office, listener.local_addr()?, ui)?;
    let stop = told_to_end()?;
    let from = Peers::only(asked.proxy.iter().copied());
    let bounds = Connections { from, ..Connections::default() };
    let shaken = https.map(|https| move |socket| Arc::clone(&https).accept(socket));
    serve_tls(listener, shaken, router, bounds, stop).await;
    following.abort();
    drop(control);
    Ok(Screen::new("the view has ended"))
}

/// Browsers hold the view to the origin of its seat: under a certificate it must be one that asks for TLS.
fn secure_check(seat: &ViewSeat, tls: bool) -> Done<()> {
    if !tls || seat.origin.starts_with("https://") {
        return Ok(());
    }
    let why = format!("is {}, which browsers open without TLS", seat.origin);
    let mend = "leave out --certificate and --key, or found a view with an https origin";
    Err(Malformed::new("origin", why, mend).into())
}

fn say(office: &Office, listens: SocketAddr, ui: &Ui) -> Done<()> {
    let seat = office.seat();
    let mut screen = Screen::new(format!("view {}", seat.view));
    screen.row("open", &seat.origin);
    screen.row("listens", listens.to_string());
    if let Some(code) = office.code() {
        screen.row("enrolment code", code);
        screen.row("new passkeys", format!("{}/passkeys/new", seat.origin));
    }
    crate::decide::show_aside(&screen, ui)
}

fn told_to_end() -> Done<impl Future<Output = ()> + Send> {
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}
