//! `web_flood`: how long requests take at a server that is flooded, over those at a quiet one in the same run.
//!
//! Both servers run in this process under their default bounds. The flood holds 10,000 sockets that say nothing, opens those
//! anew that the server closed, and has a hundred clients that drip one byte at a time, half of them of a head and half of a
//! body that they said would be long. Each request comes on a new
//! connection, first to one server and then to the other, so that a busy machine slows both. The memory is that of the whole
//! process, the flood's own sockets among it. It needs about 12,000 open files: `ulimit -n 16384`.
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
use axum::body::Bytes;
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
/// What ten thousand sockets of clients and the thousand that the server holds may cost in all.
const MIB_MAX: f64 = 64.0;

#[tokio::main]
async fn main() -> Done {
    let (quiet, flooded) = (server().await?, server().await?);
    let before = resident_mib()?;
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
    let (mib, target) = (resident_mib()?, format!("< {MIB_MAX} MiB"));
    let small = |mib, _| mib < MIB_MAX;
    let memory =
        Measured::new("web_flood_memory", (mib, "MiB"), Some(before), (&target, &small), 1);
    println!("{}", row::as_json(&[row("web_flood_p50", 50), row("web_flood_p99", 99), memory])?);
    Ok(())
}

async fn server() -> Done<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let read = async |body: Bytes| format!("{} bytes", body.len());
    let router = Router::new().route("/", get(async || "here").post(read));
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
    for number in 0..DRIPPING {
        tokio::spawn(drip(to, if number % 2 == 0 { HEAD } else { BODY }));
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

/// Where those stop who drip a head, and a body.
const HEAD: &[u8] = b"GET / HTTP/1.1\r\nx: ";
const BODY: &[u8] = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 1000000\r\n\r\n";

async fn drip(to: SocketAddr, begin: &[u8]) {
    loop {
        let Ok(mut socket) = TcpStream::connect(to).await else { return };
        let mut said = socket.write_all(begin).await;
        while said.is_ok() {
            tokio::time::sleep(DRIP).await;
            said = socket.write_all(b"x").await;
        }
    }
}

/// What this process holds in memory, by the kernel's account (proc_pid_status(5)).
fn resident_mib() -> Done<f64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| "the kernel does not tell VmRSS".into())
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
