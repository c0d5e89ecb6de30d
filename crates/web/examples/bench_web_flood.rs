//! `web_flood`: how long requests take at a server that is flooded, over those at a quiet one in the same run.
//!
//! Both servers run in this process under their default bounds. The flood holds 10,000 sockets that say nothing, opens those
//! anew that the server closed, and has a hundred clients that drip one byte of a head at a time. Each request comes on a new
//! connection, first to one server and then to the other, so that a busy machine slows both. It needs about 12,000 open
//! files: `ulimit -n 16384`.
#![expect(
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a bench prints its rows and nothing else; it counts far below 2^52"
)]

#[path = "../../../xtask/src/bench/row.rs"]
mod row;

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use quorate_web::{Connections, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use row::Measured;

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const IDLE: usize = 10_000;
const DRIPPING: usize = 100;
/// Between two bytes of a client that drips.
const DRIP: Duration = Duration::from_millis(250);
/// Between two sockets that are opened anew.
const ANEW: Duration = Duration::from_millis(2);
const REQUESTS: u64 = 4_000;
const TIMES_MAX: f64 = 2.0;

#[tokio::main]
async fn main() -> Done {
    let (quiet, flooded) = (server().await?, server().await?);
    flood(flooded).await?;
    // The first requests warm both and are not counted.
    for _ in 0..REQUESTS / 10 {
        ask(quiet).await?;
        ask(flooded).await?;
    }
    let (mut well, mut ill) = (Vec::new(), Vec::new());
    for _ in 0..REQUESTS {
        well.push(ask(quiet).await?);
        ill.push(ask(flooded).await?);
    }
    let row = |name: &str, part: u64| {
        let (baseline, value) = (at(&mut well.clone(), part), at(&mut ill.clone(), part));
        let is_met = |_, ratio: f64| ratio < TIMES_MAX;
        let target = (format!("< {TIMES_MAX}x"), is_met);
        Measured::new(name, (value, "us"), Some(baseline), (&target.0, &target.1), REQUESTS)
    };
    println!("{}", row::as_json(&[row("web_flood_p50", 50), row("web_flood_p99", 99)])?);
    Ok(())
}

async fn server() -> Done<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/", get(async || "here"));
    let plain = |socket| std::future::ready(Ok(socket));
    let never = std::future::pending();
    tokio::spawn(serve(listener, plain, router, Connections::default(), never));
    Ok(address)
}

/// Ends once every socket of it has been open; it goes on by itself.
async fn flood(to: SocketAddr) -> Done {
    let (closed, mut anew) = mpsc::unbounded_channel();
    for _ in 0..IDLE {
        hold(TcpStream::connect(to).await?, closed.clone());
    }
    for _ in 0..DRIPPING {
        tokio::spawn(drip(to));
    }
    tokio::spawn(async move {
        while anew.recv().await.is_some() {
            tokio::time::sleep(ANEW).await;
            if let Ok(socket) = TcpStream::connect(to).await {
                hold(socket, closed.clone());
            }
        }
    });
    Ok(())
}

/// Says nothing until the server closes.
fn hold(mut socket: TcpStream, closed: mpsc::UnboundedSender<()>) {
    tokio::spawn(async move {
        let _ended = socket.read(&mut [0; 1]).await;
        let _nobody_floods = closed.send(());
    });
}

async fn drip(to: SocketAddr) {
    loop {
        let Ok(mut socket) = TcpStream::connect(to).await else { return };
        let mut said = socket.write_all(b"GET / HTTP/1.1\r\nx: ").await;
        while said.is_ok() {
            tokio::time::sleep(DRIP).await;
            said = socket.write_all(b"x").await;
        }
    }
}

/// How long one request on a new connection took, in microseconds.
async fn ask(at: SocketAddr) -> Done<f64> {
    let begun = Instant::now();
    let mut socket = TcpStream::connect(at).await?;
    socket.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await?;
    let mut said = String::new();
    socket.read_to_string(&mut said).await?;
    match said.starts_with("HTTP/1.1 200") {
        true => Ok(begun.elapsed().as_secs_f64() * 1e6),
        false => Err(format!("not served: {said}").into()),
    }
}

/// The time that so many in a hundred requests stayed under.
fn at(times: &mut [f64], part: u64) -> f64 {
    times.sort_by(f64::total_cmp);
    let place = u64::try_from(times.len()).unwrap_or(0) * part / 100;
    usize::try_from(place).ok().and_then(|place| times.get(place)).copied().unwrap_or_default()
}
