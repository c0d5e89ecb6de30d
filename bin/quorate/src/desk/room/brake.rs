//! The brake over HTTP at a desk at work: one operator stops at once, and only the quorum's people let it go on.

use std::net::SocketAddr;

use quorate_terms::credential::Role;
use quorate_terms::freeze::Scope;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::people::admitted;
use super::*;

/// Asks the API as somebody; gives status and answer.
pub(super) async fn ask(
    address: SocketAddr,
    (token, key): (&str, &str),
    (method, path): (&str, &str),
    body: &Value,
) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let text = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         idempotency-key: {key}\r\n{kind}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await.unwrap().unwrap();
    let said = String::from_utf8(said).unwrap();
    let (_, answer) = said.split_once("\r\n\r\n").unwrap();
    let status = said.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(answer).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_operator_stops_the_vault_over_http_and_only_a_quorum_lets_it_go_on() {
    let room = Room::new().await;
    for (name, role) in [("olga", Role::Operator), ("aud", Role::Auditor), ("vera", Role::Viewer)] {
        admitted(&room, name, role).await;
    }
    let address = http::open(&room, json!({ "listen": "127.0.0.1:0" })).await.unwrap();
    let (stop, vault) = (("POST", "/freezes"), json!({ "scope": { "scope": "vault" } }));
    let frozen = async || room.world.engine.look(|book| book.freezes().count()).await.unwrap();
    for who in ["trader", "vera", "aud"] {
        let (status, said) = ask(address, (who, "k"), stop, &vault).await;
        assert_eq!((status, said["code"].as_str()), (403, Some("ROLE_TOO_LOW")), "{who}: {said}");
    }
    assert_eq!(ask(address, ("nobody", "k"), stop, &vault).await.0, 401);
    assert_eq!(frozen().await, 0, "nobody of these stopped anything");

    let trader = room.caller("trader").await;
    let draft = room.prepare(&trader, MILLI).await.unwrap();
    let (status, said) = ask(address, ("olga", "stop"), stop, &vault).await;
    assert_eq!((status, &said["outcome"]), (200, &json!("done")), "nobody need agree: {said}");
    let again = ask(address, ("olga", "stop"), stop, &vault).await.1;
    assert_eq!((&again["case"], frozen().await), (&said["case"], 1), "the same key does it once");
    let wallet = json!({ "scope": { "scope": "wallet", "wallet": "ops" } });
    let (status, other) = ask(address, ("olga", "stop"), stop, &wallet).await;
    assert_eq!((status, other["code"].as_str()), (409, Some("IDEMPOTENCY_CONFLICT")), "{other}");
    let refused = room.send(&trader, draft, "while-frozen").await;
    let signed = refused.is_ok_and(|said| said.tx_hash.is_some());
    assert!(!signed, "nothing is signed");

    let (_, list) = ask(address, ("vera", "-"), ("GET", "/freezes"), &Value::Null).await;
    let freeze = list["freezes"][0]["freeze"].as_str().unwrap().to_owned();
    assert_eq!((&list["freezes"][0]["scope"], &freeze), (&vault["scope"], &id_text(&said["case"])));
    let resume = format!("/freezes/{freeze}/resume");
    for who in ["trader", "vera", "aud"] {
        let (status, said) = ask(address, (who, "go"), ("POST", &resume), &Value::Null).await;
        assert_eq!((status, said["code"].as_str()), (403, Some("ROLE_TOO_LOW")), "{who}: {said}");
    }
    let (status, said) = ask(address, ("olga", "go"), ("POST", &resume), &Value::Null).await;
    assert_eq!((status, &said["outcome"]), (200, &Value::Null), "it waits: {said}");
    assert_eq!((&said["kind"], frozen().await), (&json!("unfreeze"), 1), "and nothing goes on yet");
    let case: CaseId = id(said["case"].as_str().unwrap());
    room.approve("ann", case).await;
    assert_eq!(frozen().await, 1, "one person is no quorum");
    room.approve("bo", case).await;
    assert_eq!(frozen().await, 0);
    let gone = ask(address, ("olga", "go-2"), ("POST", &resume), &Value::Null).await;
    assert_eq!((gone.0, gone.1["code"].as_str()), (404, Some("PATH_NOT_FOUND")), "{}", gone.1);
    let filers = room.entries().await.into_iter().filter_map(|body| match body {
        Body::Filed(filed) => match &filed.intent.action {
            Action::Freeze { scope: Scope::Vault } | Action::Unfreeze { .. } => {
                filed.intent.requester.person().cloned()
            }
            _ => None,
        },
        _ => None,
    });
    assert_eq!(filers.collect::<Vec<_>>(), [id("olga"), id("olga")], "in her own name");
}

fn id_text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
