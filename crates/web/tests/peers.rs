//! A server behind a proxy, on real sockets: who reaches it, and what it believes.
#![cfg(test)]

use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use quorate_web::{Allowed, Connections, Peers, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};

/// A server that takes connections from these addresses and answers as a door does: by Host and Origin.
async fn server(from: &[&str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let allowed = Allowed::new(["view.example"], ["https://view.example"]);
    let answer = async move |request: Request| match allowed.admit(request.headers()) {
        Ok(()) => "admitted",
        Err(_) => "refused",
    };
    let from = Peers::only(from.iter().map(|one| one.parse().unwrap()));
    let bounds = Connections { from, ..Connections::default() };
    let plain = |socket| std::future::ready(Ok(socket));
    let router = Router::new().route("/", get(answer));
    tokio::spawn(serve(listener, plain, router, bounds, std::future::pending()));
    address
}

/// What is answered to these heads when they come from there.
async fn ask(to: SocketAddr, from: &str, heads: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.parse::<IpAddr>().unwrap(), 0)).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let text = format!("GET / HTTP/1.1\r\n{heads}connection: close\r\n\r\n");
    let _closed_already = stream.write_all(text.as_bytes()).await;
    let mut said = String::new();
    let _reset = stream.read_to_string(&mut said).await;
    said
}

#[tokio::test]
async fn with_proxies_named_nobody_else_gets_an_answer() {
    let heads = "host: view.example\r\n";
    for (named, from, is_answered) in [
        (&[][..], "127.0.0.1", true),
        (&["127.0.0.2"][..], "127.0.0.2", true),
        (&["::ffff:127.0.0.2"][..], "127.0.0.2", true),
        (&["127.0.0.2", "127.0.0.3"][..], "127.0.0.3", true),
        (&["127.0.0.2"][..], "127.0.0.1", false),
        (&["127.0.0.2"][..], "127.0.0.22", false),
    ] {
        let said = ask(server(named).await, from, heads).await;
        assert_eq!(said.ends_with("admitted"), is_answered, "{named:?} {from}: {said}");
        assert_eq!(said.is_empty(), !is_answered, "{named:?} {from}: {said}");
    }
}

#[tokio::test]
async fn what_is_said_to_be_forwarded_is_not_read_from_a_proxy_or_from_anybody() {
    let forwarded = |host: &str| {
        format!(
            "x-forwarded-host: {host}\r\nx-forwarded-proto: https\r\nx-forwarded-for: 127.0.0.2\r\n\
             forwarded: for=127.0.0.2;host={host};proto=https\r\n"
        )
    };
    let (open, behind) = (server(&[]).await, server(&["127.0.0.2"]).await);
    for (to, from) in [(open, "127.0.0.1"), (behind, "127.0.0.2")] {
        let heads = format!("host: evil.example\r\n{}", forwarded("view.example"));
        assert!(ask(to, from, &heads).await.ends_with("refused"), "{from}");
        let heads = format!("host: view.example\r\n{}", forwarded("evil.example"));
        assert!(ask(to, from, &heads).await.ends_with("admitted"), "{from}");
    }
    let heads = format!("host: view.example\r\n{}", forwarded("view.example"));
    assert_eq!(ask(behind, "127.0.0.1", &heads).await, "", "a stranger is no proxy by saying so");
}
