//! The HTTP door on real sockets: clients that are slow, silent, many or in the middle of a handshake.
#![cfg(test)]

mod app;
mod common;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use app::*;
use quorate_gateway::http::{Connections, Limits, serve};
use quorate_gateway::limit::Rate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

/// Far longer than anything here takes on a machine that is starved.
const SOON: Duration = Duration::from_mins(2);

struct Open {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Open {
    async fn new<F>(
        app: &App,
        bounds: Connections,
        wrap: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = io::Result<TcpStream>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = app.router.clone();
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(listener, wrap, router, bounds, stopped).await;
        });
        Self { address, stop, serving }
    }

    async fn plain(app: &App, bounds: Connections) -> Self {
        Self::new(app, bounds, async |socket| Ok(socket)).await
    }

    async fn socket(&self, words: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(words.as_bytes()).await.unwrap();
        socket
    }

    /// What a client of good manners hears.
    async fn health(&self) -> String {
        let words = "GET /health HTTP/1.1\r\nhost: 127.0.0.1:3000\r\nconnection: close\r\n\r\n";
        let mut socket = self.socket(words).await;
        let mut text = String::new();
        timeout(SOON, socket.read_to_string(&mut text)).await.expect("an answer").unwrap();
        text
    }

    async fn is_served(&self) {
        let text = self.health().await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }

    async fn end(self) {
        let _ = self.stop.send(());
        self.serving.await.unwrap();
    }
}

fn generous(body_time: Duration) -> Limits {
    let rate = Rate { burst: 100_000, in_flight: 64, ..Rate::default() };
    Limits { rate, body_time, ..Limits::default() }
}

fn head(who: &str, length: usize) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:3000\r\nauthorization: Bearer token-{who}\r\n\
         accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n\
         mcp-protocol-version: {OLD}\r\ncontent-length: {length}\r\n\r\n"
    )
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

#[tokio::test]
async fn row_23_a_client_that_drips_its_body_is_cut_off_and_others_are_served() {
    let app = app_with(false, generous(Duration::from_millis(300)));
    let open = Open::plain(&app, Connections::default()).await;
    let (mut read, mut write) = open.socket(&head("sign", 200_000)).await.into_split();
    let drip = async {
        let mut pace = interval(Duration::from_millis(20));
        while write.write_all(b" ").await.is_ok() {
            pace.tick().await;
        }
        std::future::pending::<()>().await;
    };
    let mut said = [0; 12];
    let others = async {
        loop {
            open.is_served().await;
            // The same credential too: one slow request takes one of its places and no more.
            let mut socket = open.socket(&format!("{}{LIST}", head("sign", LIST.len()))).await;
            let mut status = [0; 12];
            socket.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200");
        }
    };
    tokio::select! {
        () = drip => {}
        () = others => {}
        cut = timeout(SOON, read.read_exact(&mut said)) => {
            cut.expect("it is cut off").unwrap();
        }
    }
    assert_eq!(&said, b"HTTP/1.1 400", "and told why");
    open.end().await;
}

#[tokio::test]
async fn row_23_a_client_that_drips_its_head_is_cut_off() {
    let app = app(false);
    let bounds = Connections { head: Duration::from_millis(300), ..Connections::default() };
    let open = Open::plain(&app, bounds).await;
    let (mut read, mut write) = open.socket("GET /health HTTP/1.1\r\nx: ").await.into_split();
    let drip = async {
        let mut pace = interval(Duration::from_millis(20));
        while write.write_all(b"x").await.is_ok() {
            pace.tick().await;
        }
        std::future::pending::<()>().await;
    };
    let mut rest = Vec::new();
    tokio::select! {
        () = drip => {}
        cut = timeout(SOON, read.read_to_end(&mut rest)) => drop(cut.expect("it is cut off")),
    }
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    open.is_served().await;
    open.end().await;
}

#[tokio::test]
async fn row_60_a_client_that_speaks_http_2_is_not_spoken_to() {
    let app = app(false);
    let open = Open::plain(&app, Connections::default()).await;
    // The preface, and a frame of settings: streams that could be reset without end are never opened (RFC 9113 section 3.4).
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let upgrade = "GET /health HTTP/1.1\r\nhost: 127.0.0.1:3000\r\nconnection: upgrade, http2-settings\r\n\
                   upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n";
    let mut socket = open.socket(preface).await;
    let mut said = Vec::new();
    let _reset = timeout(SOON, socket.read_to_end(&mut said)).await.expect("it ends");
    let words = String::from_utf8_lossy(&said);
    assert!(said.is_empty() || words.starts_with("HTTP/1.1 4"), "{words}");
    let mut socket = open.socket(upgrade).await;
    let mut status = [0; 12];
    timeout(SOON, socket.read_exact(&mut status)).await.expect("an answer").unwrap();
    assert_ne!(&status, b"HTTP/1.1 101", "and nobody is taken there");
    open.is_served().await;
    open.end().await;
}

/// How many sockets this process may open, both ends of each being its own.
fn pairs() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let most: usize =
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1024);
    (most.saturating_sub(200) / 2).min(10_000)
}

#[tokio::test]
async fn row_60_ten_thousand_idle_sockets_hold_no_more_than_their_bound_and_keep_nobody_out() {
    let app = app_with(false, generous(Duration::from_secs(10)));
    let count = pairs();
    println!("{count} idle sockets; ten thousand need a limit of 20,200 open files");
    let most = usize::min(1024, count / 8);
    // Nothing lapses by time here: only the bound can have closed a socket.
    let bounds = Connections { most, head: SOON * 10, ..Connections::default() };
    let open = Open::plain(&app, bounds).await;
    // Somebody whose credential was served keeps the place.
    let mut guest = open.socket(&format!("{}{LIST}", head("read", LIST.len()))).await;
    assert!(answer(&mut guest).await.contains("get_balance"));
    let mut idle = Vec::new();
    for number in 0..count {
        idle.push(open.socket("POST /mcp HTTP/1.1\r\nhost: 127").await);
        if number % (count / 20).max(1) == 0 {
            open.is_served().await;
        }
    }
    open.is_served().await;
    let again = format!("{}{LIST}", head("read", LIST.len()));
    guest.write_all(again.as_bytes()).await.unwrap();
    assert!(answer(&mut guest).await.contains("get_balance"), "the guest is still there");
    // Whatever was closed says so at once; those that are held say nothing.
    let mut held = 0;
    for socket in &idle {
        let mut byte = [0];
        match socket.try_read(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => held += 1,
            _ => {}
        }
    }
    assert!(held < most + count / 10, "{held} of {count} are held under a bound of {most}");
    drop(idle);
    open.is_served().await;
    open.end().await;
}

/// One answer on a connection that stays open, to the end of its list of tools.
async fn answer(socket: &mut TcpStream) -> String {
    let (mut text, mut piece) = (String::new(), vec![0; 65_536]);
    while !text.ends_with("0\r\n\r\n") && !text.ends_with('}') {
        let count = timeout(SOON, socket.read(&mut piece)).await.expect("an answer").unwrap();
        assert!(count > 0, "closed: {text}");
        text.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    text
}

#[tokio::test]
async fn a_handshake_that_fails_or_never_ends_costs_its_own_connection_and_no_other() {
    let app = app(false);
    let bounds =
        Connections { most: 3, handshake: Duration::from_millis(300), ..Connections::default() };
    let number = AtomicUsize::new(0);
    let open = Open::new(&app, bounds, move |socket| {
        let number = number.fetch_add(1, Ordering::SeqCst);
        async move {
            match number {
                0 => Err(io::Error::other("no TLS")),
                1..=4 => std::future::pending().await,
                _ => Ok(socket),
            }
        }
    })
    .await;
    let mut refused = open.socket("not a handshake").await;
    let mut rest = Vec::new();
    let end = timeout(SOON, refused.read_to_end(&mut rest)).await.expect("closed");
    assert!(rest.is_empty() && (end.is_err() || end.is_ok_and(|count| count == 0)));
    let mut stuck = Vec::new();
    for _ in 1..=4 {
        stuck.push(open.socket("").await);
    }
    open.is_served().await;
    for mut socket in stuck {
        let end = timeout(SOON, socket.read(&mut [0; 8])).await.expect("cut off");
        assert!(matches!(end, Ok(0) | Err(_)));
    }
    open.end().await;
}
