//! Nodes that are away, slow, endless, locked or of few words, and URLs that may hold a key.
#![cfg(test)]
#![cfg(feature = "nodes")]

use std::time::Duration;

use quorate_web::{NoResult, Node, Patience};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const PATIENCE: Patience = Patience {
    call: Duration::from_millis(300),
    connect: Duration::from_millis(300),
    bytes: 64 * 1024,
};

/// A node that says one thing to everybody, and keeps the line open if it says nothing.
async fn says(text: String) -> Node {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/s3cret", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let text = text.clone();
            tokio::spawn(async move {
                let mut rest = [0; 4096];
                let _asked = socket.read(&mut rest).await;
                let _left = socket.write_all(text.as_bytes()).await;
                let _gone = socket.read(&mut rest).await;
            });
        }
    });
    Node::at(&url, PATIENCE).unwrap()
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(text: &str) -> Result<Value, NoResult> {
    says(text.to_owned()).await.ask("eth_chainId", &json!([])).await
}

#[tokio::test]
async fn a_result_is_given_as_it_stands_and_an_error_with_its_code() {
    let good = ask(&answer("200 OK", r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#)).await;
    assert_eq!(good.unwrap(), json!("0x1"));
    let said = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
    // Some nodes say so under another status.
    for status in ["200 OK", "400 Bad Request"] {
        let refused = ask(&answer(status, said)).await;
        let Err(NoResult::Said { code: -32_601, message, .. }) = refused else {
            panic!("{status}")
        };
        assert_eq!(message, "no");
    }
}

#[tokio::test]
async fn a_node_is_waited_for_and_read_only_so_much() {
    assert!(matches!(ask("").await, Err(NoResult::Away("did not answer in time"))));
    let slow = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{";
    assert!(matches!(ask(slow).await, Err(NoResult::Away("did not answer in time"))));
    let large = answer("200 OK", &" ".repeat(64 * 1024 + 1));
    assert!(matches!(ask(&large).await, Err(NoResult::TooMuch)));
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    assert!(matches!(ask(&answer("503 Busy", "")).await, Err(NoResult::Away("is too busy"))));
    assert!(matches!(ask(&answer("401 No", "")).await, Err(NoResult::Locked)));
    assert!(matches!(ask(&answer("200 OK", "<html>")).await, Err(NoResult::Nonsense)));
    let away = "HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert!(matches!(ask(away).await, Err(NoResult::Nonsense)), "it sends nobody elsewhere");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", gone.local_addr().unwrap());
    drop(gone);
    let asked = Node::at(&url, PATIENCE).unwrap().ask("eth_chainId", &json!([])).await;
    assert!(matches!(asked, Err(NoResult::Away("cannot be reached"))));
}

#[test]
fn plain_http_is_for_this_machine_only_and_no_complaint_repeats_a_url() {
    for good in
        ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1", "https://x.example/k"]
    {
        assert!(Node::at(good, PATIENCE).is_ok(), "{good}");
    }
    for bad in
        ["http://x.example/s3cret", "http://s3cret:[", "gopher://s3cret", "file:///s3cret", ""]
    {
        let why = Node::at(bad, PATIENCE).err().unwrap().to_string();
        assert!(!why.contains("s3cret") && why.contains("https"), "{why}");
    }
}
