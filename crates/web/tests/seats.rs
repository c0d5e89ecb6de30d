//! Places at a server on real sockets: nobody who is known keeps everybody else out, and no body is waited for without end.
#![cfg(test)]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::stream;
use quorate_web::{Connections, Known, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, timeout};

/// Long enough for a starved machine, and below the default bound on bodies.
const SOON: Duration = Duration::from_secs(45);
const SEATS: usize = 4;

/// A server with few places: `/` answers, `/hang` begins an answer to somebody who is known and never ends it, `/read` reads.
async fn server(bounds: Connections) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(async || "here"))
        .route("/hang", get(hang))
        .route("/read", post(async |body: Bytes| format!("{} read", body.len())));
    let plain = |socket| std::future::ready(Ok(socket));
    tokio::spawn(serve(listener, plain, router, bounds, std::future::pending()));
    address
}

async fn hang() -> Response {
    let never = stream::pending::<Result<Bytes, std::io::Error>>();
    let mut response = Body::from_stream(never).into_response();
    response.extensions_mut().insert(Known);
    response
}

fn seats() -> Connections {
    Connections { most: SEATS, head: SOON.saturating_mul(10), ..Connections::default() }
}

/// A connection on which a stream has begun.
async fn hung(at: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(at).await.unwrap();
    socket.write_all(b"GET /hang HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut said = [0; 12];
    timeout(SOON, socket.read_exact(&mut said)).await.expect("begun").unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    socket
}

/// Somebody who connects and says nothing.
async fn silent(at: SocketAddr) -> TcpStream {
    TcpStream::connect(at).await.unwrap()
}

/// Whether somebody new is served.
async fn is_served(at: SocketAddr) -> bool {
    let mut socket = TcpStream::connect(at).await.unwrap();
    let ask = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    let _closed = socket.write_all(ask).await;
    let mut said = String::new();
    let _reset = timeout(SOON, socket.read_to_string(&mut said)).await.expect("an answer");
    said.starts_with("HTTP/1.1 200")
}

/// Whether a connection is open still.
fn is_open(socket: &TcpStream) -> bool {
    let mut rest = [0; 1024];
    loop {
        match socket.try_read(&mut rest) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

#[tokio::test]
async fn row_23_whoever_is_known_and_holds_every_place_gives_one_up() {
    let at = server(seats()).await;
    let mut held = Vec::new();
    for _ in 0..SEATS {
        held.push(hung(at).await);
    }
    for _ in 0..2 {
        assert!(is_served(at).await, "somebody new is served");
    }
    let mut rest = Vec::new();
    let ended = timeout(SOON, held[0].read_to_end(&mut rest)).await;
    ended.expect("the oldest gave way").ok();
    assert!(is_open(&held[SEATS - 1]), "the newest did not");
}

#[tokio::test]
async fn row_60_whoever_is_known_stays_while_others_sit_there() {
    let at = server(seats()).await;
    let known = hung(at).await;
    let mut idle = Vec::new();
    for _ in 0..SEATS * 5 {
        idle.push(TcpStream::connect(at).await.unwrap());
    }
    assert!(is_served(at).await);
    assert!(is_open(&known), "it was known, and there were others");
}

#[tokio::test]
async fn row_60_strangers_who_connect_in_a_loop_cut_nobody_who_is_known() {
    let at = server(seats()).await;
    let mut known = Vec::new();
    // One more than may be known.
    for _ in 0..SEATS {
        known.push(hung(at).await);
    }
    let mut strangers = Vec::new();
    for _ in 0..50 {
        strangers.push(silent(at).await);
    }
    for _ in 0..5 {
        assert!(is_served(at).await, "and they keep no other stranger out");
    }
    assert!(known[1..].iter().all(is_open), "every one was known, and the first gave way");
}

#[tokio::test]
async fn row_60_some_places_are_never_filled_by_whoever_is_known() {
    let most = 32;
    let at = server(Connections { most, ..seats() }).await;
    let mut known = Vec::new();
    for _ in 0..most {
        known.push(hung(at).await);
    }
    let (one, two) = (silent(at).await, silent(at).await);
    assert!(is_served(at).await);
    assert!(is_open(&two) && !is_open(&one), "strangers make room for strangers");
    assert!(known[2..].iter().all(is_open), "two places were not theirs to fill");
    assert!(!known[..2].iter().any(is_open), "the oldest gave them up");
}

#[tokio::test]
async fn row_23_a_body_that_drips_is_cut_off_and_nobody_waits_for_it() {
    let bounds = Connections { body: Duration::from_millis(300), ..seats() };
    let at = server(bounds).await;
    for length in ["content-length: 100000", "transfer-encoding: chunked"] {
        let socket = TcpStream::connect(at).await.unwrap();
        let (mut read, mut write) = socket.into_split();
        let head = format!("POST /read HTTP/1.1\r\nhost: here\r\n{length}\r\n\r\n");
        write.write_all(head.as_bytes()).await.unwrap();
        let drip = async {
            let mut pace = interval(Duration::from_millis(20));
            // One byte, which is a chunk of one byte too.
            let piece: &[u8] = if length.contains("chunked") { b"1\r\nx\r\n" } else { b"x" };
            while write.write_all(piece).await.is_ok() {
                pace.tick().await;
            }
            std::future::pending::<()>().await;
        };
        let mut said = Vec::new();
        tokio::select! {
            () = drip => {}
            cut = timeout(SOON, read.read_to_end(&mut said)) => drop(cut.expect("it is cut off")),
        }
        let said = String::from_utf8_lossy(&said);
        assert!(!said.starts_with("HTTP/1.1 200"), "{length}: {said}");
    }
    let mut socket = TcpStream::connect(at).await.unwrap();
    let whole =
        b"POST /read HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
    socket.write_all(whole).await.unwrap();
    let mut said = String::new();
    socket.read_to_string(&mut said).await.unwrap();
    assert!(said.ends_with("3 read"), "{said}");
}
