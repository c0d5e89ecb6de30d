//! Access tokens at the doors: what a door asks of whoever reads them, and how far the answer goes.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::tokens::{How, Proven, ReadTokens, Vouched};
use quorate_terms::Digest;

use super::*;

const HERE: &str = "http://127.0.0.1:3000/api/v1";
const MCP: &str = "http://127.0.0.1:3000/mcp";

/// Takes `WHO.SCOPES.DOOR`, scopes joined by `-`, at the door that the token names. Where a proof comes with it, it is
/// `METHOD URL NAME`, and opens once.
#[derive(Default)]
struct Reader {
    demands: bool,
    spent: Mutex<BTreeSet<(Digest, Digest)>>,
}

#[async_trait]
impl ReadTokens for Reader {
    fn issuer(&self) -> &str {
        "https://as.example"
    }

    fn proof_algorithms(&self) -> &[&'static str] {
        &["ES256", "EdDSA"]
    }

    fn demands_proof(&self) -> bool {
        self.demands
    }

    async fn read(&self, token: &str, resource: &str, how: How<'_>) -> Result<Vouched, Complaint> {
        let parts: Vec<&str> = token.split('.').collect();
        let [who, scopes, door] = parts[..] else { panic!("{token}") };
        if !resource.ends_with(door) {
            let message = format!("it is not for {resource}");
            return Err(Complaint::new(Code::CredentialInvalid, message));
        }
        let proof = match how {
            How::Bearer => None,
            How::Proved(proof) => {
                let place = format!("{} {} ", proof.method, proof.url);
                let name = proof.text.strip_prefix(&place).ok_or_else(|| {
                    Complaint::new(Code::ProofInvalid, format!("it is not for {place}"))
                })?;
                Some(Proven { name: Digest::sha256(name.as_bytes()), made_s: 1 })
            }
        };
        Ok(Vouched {
            subject: common::token_of(who),
            scopes: scopes.split('-').map(str::to_owned).collect(),
            lasts: Duration::from_mins(1),
            proof,
        })
    }

    fn spend(&self, subject: Digest, proof: Proven) -> Result<(), Complaint> {
        if self.spent.lock().unwrap().insert((subject, proof.name)) {
            return Ok(());
        }
        Err(Complaint::new(Code::ProofInvalid, "it was shown before"))
    }
}

fn app() -> App {
    app_with(Rate::default())
}

fn app_with(rate: Rate) -> App {
    app_of(Arc::default(), rate)
}

fn app_of(reader: Arc<Reader>, rate: Rate) -> App {
    let (desk, office) = (Arc::new(FakeDesk::default()), Arc::new(FakeOffice::default()));
    let setup = Setup { tokens: Some(reader), ..setup(rate) };
    let (as_desk, as_office): (Arc<dyn Desk>, Arc<dyn Office>) = (desk.clone(), office.clone());
    App { router: router(as_desk, as_office, Band::Broadcast, setup).unwrap(), desk, office }
}

/// A request with a token that is bound to a key, and these proofs.
fn proved(method: &str, path: &str, token: &str, proofs: &[String]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:3000");
    let request = request.header("authorization", format!("DPoP {token}"));
    let request = request.header("content-type", "application/json");
    let request = request.header("accept", "application/json, text/event-stream");
    let request = proofs.iter().fold(request, |request, proof| request.header("dpop", proof));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let has_body = method == "POST";
    request.body(if has_body { Body::from(body.to_string()) } else { Body::empty() }).unwrap()
}

/// Every challenge of an answer.
fn challenges(said: &Said) -> Vec<&str> {
    said.headers.get_all("www-authenticate").iter().map(|v| v.to_str().unwrap()).collect()
}

fn get(token: &str, path: &str) -> Request<Body> {
    let request = Request::get(path).header("host", "127.0.0.1:3000");
    request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
}

fn change(token: &str, path: &str, body: &Value) -> Request<Body> {
    let request = Request::post(path).header("host", "127.0.0.1:3000");
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.header("content-type", "application/json").header("idempotency-key", "k");
    request.body(Body::from(body.to_string())).unwrap()
}

#[tokio::test]
async fn a_token_opens_what_the_book_and_its_scopes_both_allow() {
    let app = app();
    for (token, band, role) in [
        ("broadcast.read-prepare.v1", "prepare", Value::Null),
        ("read.broadcast.v1", "read", Value::Null),
        ("person.viewer.v1", "read", json!("viewer")),
    ] {
        let said = app.send(get(token, "/api/v1/me")).await;
        assert_eq!((said.status, &said.body["band"]), (200, &json!(band)), "{}", said.body);
        assert_eq!(said.body["role"], role);
    }
    app.send(get("person.viewer.v1", "/api/v1/entries")).await.check(403, "ROLE_TOO_LOW");
    assert_eq!(app.get("broadcast", "/me").await.body["band"], "broadcast", "the desk's own");
}

#[tokio::test]
async fn no_access_token_files_or_attests_as_a_person_whatever_its_scopes_and_the_book_say() {
    let app = app();
    let said = app.send(get("person.viewer-auditor-operator.v1", "/api/v1/me")).await;
    assert_eq!((said.status, &said.body["role"]), (200, &json!("auditor")), "{}", said.body);
    let said = app.send(change("person.operator.v1", "/api/v1/intents", &cancel())).await;
    said.check(403, "ROLE_TOO_LOW");
    // No scope would open it, so none is named.
    let challenge = said.headers["www-authenticate"].to_str().unwrap();
    assert!(!challenge.contains("scope=\"operator\""), "{challenge}");
    assert!(said.body["message"].as_str().unwrap().contains("quorate member new"), "{}", said.body);
    assert_eq!(app.post("person", "/intents", "k", &cancel()).await.status, 200, "the desk's own");
    // A viewer attests, and not by the word of another server.
    let attest = format!("/api/v1/checklists/{}/attest", known());
    let body = json!({ "item": "laptop" });
    for token in ["person.viewer.v1", "viewer.viewer.v1", "person.operator.v1"] {
        let said = app.send(change(token, &attest, &body)).await;
        said.check(403, "ROLE_TOO_LOW");
        let message = said.body["message"].as_str().unwrap();
        assert!(message.contains("attests") && message.contains("quorate member new"), "{message}");
    }
    assert!(app.office.dealt.lock().unwrap().is_empty());
    let own = app.post("viewer", &format!("/checklists/{}/attest", known()), "k", &body).await;
    assert_eq!((own.status, app.office.dealt.lock().unwrap().len()), (200, 1), "{}", own.body);
    // An approval proves itself, whoever carries it: this one is read, and is none.
    let carried = change("person.viewer.v1", "/api/v1/approvals", &json!({}));
    app.send(carried).await.check(400, "INVALID_INPUT");
}

#[tokio::test]
async fn a_token_without_a_scope_is_told_which_it_would_take() {
    let app = app();
    for (token, path, scope) in [
        ("broadcast.openid.v1", "/api/v1/me", "read"),
        ("person.read.v1", "/api/v1/me", "viewer"),
        ("person.openid.v1", "/api/v1/me", "viewer"),
        ("person.viewer.v1", "/api/v1/entries", "auditor"),
    ] {
        let said = app.send(get(token, path)).await;
        assert_eq!(said.status, 403, "{token}");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        let named = format!("error=\"insufficient_scope\", scope=\"{scope}\"");
        assert!(challenge.contains(&named), "{challenge}");
    }
}

#[tokio::test]
async fn a_token_without_a_scope_is_refused_no_more_often_than_it_would_be_answered() {
    let rate = Rate { per_minute: 60, burst: 2, in_flight: 4, streams: 1 };
    let (app, plain) = (app_with(rate), super::app_with(rate));
    for (number, expected) in [(1, 403), (2, 403), (3, 429), (4, 429)] {
        let said = app.send(get("broadcast.openid.v1", "/api/v1/me")).await;
        assert_eq!(said.status, expected, "{number} at the API");
        let said = app.send(get("read.openid.mcp", "/mcp")).await;
        assert_eq!(said.status, expected, "{number} at MCP");
        // A person's token of the desk's own, which opens no MCP.
        let said = plain.send(get("token-person", "/mcp")).await;
        assert_eq!(said.status, if number > 2 { 429 } else { 401 }, "{number}");
    }
    let said = app.send(get("broadcast.read.v1", "/api/v1/me")).await;
    said.check(429, "RATE_LIMITED");
    assert_eq!(
        app.send(get("second.read.v1", "/api/v1/me")).await.status,
        200,
        "others are served"
    );
}

#[tokio::test]
async fn each_door_takes_tokens_for_itself_and_subjects_that_the_book_knows() {
    let app = app();
    app.send(get("broadcast.read.mcp", "/api/v1/me")).await.check(401, "CREDENTIAL_INVALID");
    app.send(get("broadcast.read.v1", "/mcp")).await.check(401, "CREDENTIAL_INVALID");
    app.send(get("nobody.read.v1", "/api/v1/me")).await.check(401, "CREDENTIAL_INVALID");
    app.desk.revoked.store(true, std::sync::atomic::Ordering::SeqCst);
    app.send(get("broadcast.read.v1", "/api/v1/me")).await.check(401, "CREDENTIAL_INVALID");
    // Where no server is named, what has dots is a token like any other, and nobody's.
    let plain = super::app();
    plain.send(get("broadcast.read.v1", "/api/v1/me")).await.check(401, "CREDENTIAL_INVALID");
}

#[tokio::test]
async fn the_metadata_of_each_door_names_it_and_the_server() {
    let app = app();
    for (resource, path) in [(HERE, "/api/v1"), (MCP, "/mcp")] {
        let at = format!("/.well-known/oauth-protected-resource{path}");
        let request = Request::get(at).header("host", "127.0.0.1:3000");
        let said = app.send(request.body(Body::empty()).unwrap()).await.body;
        assert_eq!(said["resource"], resource);
        assert_eq!(said["authorization_servers"], json!(["https://as.example"]));
        let scopes = said["scopes_supported"].as_array().unwrap();
        assert!(!scopes.contains(&json!("operator")), "{path}: {said}");
        assert_eq!(scopes.contains(&json!("auditor")), path == "/api/v1", "{said}");
    }
    let at = "/.well-known/oauth-protected-resource/api/v1";
    let request = Request::get(at).header("host", "127.0.0.1:3000").body(Body::empty()).unwrap();
    let said = super::app().send(request).await.body;
    assert!(said["scopes_supported"].as_array().unwrap().contains(&json!("operator")), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_token_that_opened_it() {
    let app = app();
    let response = app.router.clone().oneshot(get("viewer.viewer.v1", "/api/v1/events")).await;
    let mut body = response.unwrap().into_body();
    let mut seen = String::new();
    while let Some(frame) = body.frame().await {
        seen.push_str(&String::from_utf8_lossy(&frame.unwrap().into_data().unwrap()));
    }
    assert!(seen.contains("event: grown"), "{seen}");
}

#[tokio::test]
async fn a_proof_is_for_the_method_and_url_that_were_asked_and_opens_once_at_any_door() {
    let app = app();
    for (method, path, token) in
        [("GET", "/api/v1/me", "broadcast.read.v1"), ("POST", "/mcp", "broadcast.read.mcp")]
    {
        let url = format!("http://127.0.0.1:3000{path}");
        let proof = format!("{method} {url} of {path}");
        let first = app.send(proved(method, path, token, std::slice::from_ref(&proof))).await;
        assert_eq!(first.status, 200, "{path} {}", first.body);
        app.send(proved(method, path, token, &[proof])).await.check(401, "PROOF_INVALID");
        for other in [
            format!("PUT {url} a"),
            format!("{method} {url}/ b"),
            format!("{method} https://127.0.0.1:3000{path} c"),
        ] {
            app.send(proved(method, path, token, &[other])).await.check(401, "PROOF_INVALID");
        }
    }
    // The query is no part of what a proof names.
    let balance = format!("/api/v1/agent/balance?address={ADDRESS}&chain=eip155:31337");
    let proof = "GET http://127.0.0.1:3000/api/v1/agent/balance q".to_owned();
    let said = app.send(proved("GET", &balance, "broadcast.read.v1", &[proof])).await;
    assert_eq!(said.status, 200, "{}", said.body);
}

#[tokio::test]
async fn without_one_proof_nothing_opens_and_the_challenge_says_how_to_make_one() {
    let app = app();
    let proof = |name: &str| format!("GET http://127.0.0.1:3000/api/v1/me {name}");
    let long = format!("{}{}", proof("long"), "x".repeat(4096));
    for proofs in [vec![], vec![proof("a"), proof("b")], vec![long]] {
        let said = app.send(proved("GET", "/api/v1/me", "broadcast.read.v1", &proofs)).await;
        said.check(401, "PROOF_INVALID");
        let [challenge] = challenges(&said)[..] else { panic!("{:?}", said.headers) };
        assert!(challenge.starts_with("DPoP realm="), "{challenge}");
        assert!(challenge.contains("error=\"invalid_dpop_proof\", algs=\"ES256 EdDSA\""));
        assert!(challenge.contains("/.well-known/oauth-protected-resource/api/v1\""));
    }
    let at_mcp = app.send(proved("POST", "/mcp", "broadcast.read.mcp", &[])).await;
    at_mcp.check(401, "PROOF_INVALID");
    assert!(challenges(&at_mcp)[0].contains("oauth-protected-resource/mcp\""));
    // Nobody with a credential yet is told of both ways, and where no server is named, of one.
    let none = || request("", "GET", "/me").body(Body::empty()).unwrap();
    let said = app.send(none()).await;
    said.check(401, "CREDENTIAL_MISSING");
    let [bearer, dpop] = challenges(&said)[..] else { panic!("{:?}", said.headers) };
    assert!(bearer.starts_with("Bearer ") && !bearer.contains("algs"), "{bearer}");
    assert!(dpop.starts_with("DPoP ") && dpop.contains("algs=\"ES256 EdDSA\""), "{dpop}");
    let said = super::app().send(none()).await;
    let [bearer] = challenges(&said)[..] else { panic!("{:?}", said.headers) };
    assert!(bearer.starts_with("Bearer "), "{bearer}");
}

#[tokio::test]
async fn a_token_of_the_desks_own_is_no_token_of_a_key() {
    for app in [app(), super::app()] {
        let proof = "GET http://127.0.0.1:3000/api/v1/me own".to_owned();
        let said = app.send(proved("GET", "/api/v1/me", "token-broadcast", &[proof])).await;
        said.check(400, "CREDENTIAL_MALFORMED");
        let message = said.body["message"].as_str().unwrap();
        assert!(message.contains("Authorization: Bearer"), "{message}");
    }
}

#[tokio::test]
async fn whom_the_book_does_not_know_spends_no_proof() {
    let reader = Arc::new(Reader::default());
    let app = app_of(Arc::clone(&reader), Rate::default());
    let proof = "GET http://127.0.0.1:3000/api/v1/me x".to_owned();
    let ask = |who: &str| proved("GET", "/api/v1/me", who, std::slice::from_ref(&proof));
    for _ in 0..2 {
        app.send(ask("nobody.read.v1")).await.check(401, "CREDENTIAL_INVALID");
    }
    assert!(reader.spent.lock().unwrap().is_empty());
    assert_eq!(app.send(ask("broadcast.read.v1")).await.status, 200);
    assert_eq!(reader.spent.lock().unwrap().len(), 1);
    // The same name is another one under another key.
    assert_eq!(app.send(ask("read.read.v1")).await.status, 200);
}

#[tokio::test]
async fn the_metadata_says_how_proofs_are_signed_and_whether_they_are_demanded() {
    for demands in [false, true] {
        let app = app_of(Arc::new(Reader { demands, ..Reader::default() }), Rate::default());
        for path in ["/api/v1", "/mcp"] {
            let at = format!("/.well-known/oauth-protected-resource{path}");
            let request = Request::get(at).header("host", "127.0.0.1:3000");
            let said = app.send(request.body(Body::empty()).unwrap()).await.body;
            assert_eq!(said["dpop_signing_alg_values_supported"], json!(["ES256", "EdDSA"]));
            assert_eq!(said["dpop_bound_access_tokens_required"], json!(demands), "{path}");
        }
    }
}
