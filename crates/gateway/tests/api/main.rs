//! The HTTP API: who gets where, what a change needs, and what comes back.
#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod logged;
mod office;
mod pages;
mod streams;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use common::FakeDesk;
use http_body_util::BodyExt;
use office::{FakeOffice, freeze, known};
use quorate_gateway::desk::{Alarm, Desk};
use quorate_gateway::http::{Allowed, Limits, Setup, router};
use quorate_gateway::limit::Rate;
use quorate_gateway::office::Office;
use quorate_gateway::question::Question;
use quorate_terms::credential::Band;
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Action;
use quorate_web::Known;
use serde_json::{Value, json};
use tower::ServiceExt;

const PEOPLE: [&str; 3] = ["viewer", "auditor", "person"];
const AGENTS: [&str; 2] = ["read", "broadcast"];
const ADDRESS: &str = "0x00000000000000000000000000000000000000Aa";

struct App {
    router: Router,
    desk: Arc<FakeDesk>,
    office: Arc<FakeOffice>,
}

struct Said {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

fn setup(rate: Rate) -> Setup {
    Setup {
        allowed: Allowed::new(["127.0.0.1:3000"], [""; 0]),
        public_url: "http://127.0.0.1:3000".into(),
        stateful: false,
        tokens: None,
        limits: Limits { rate, ..Limits::default() },
        clock: Arc::new(|| 0),
        ready: Arc::new(|| true),
        metrics: Arc::new(String::new),
    }
}

fn app_with(rate: Rate) -> App {
    let (desk, office) = (Arc::new(FakeDesk::default()), Arc::new(FakeOffice::default()));
    let setup = setup(rate);
    let (as_desk, as_office): (Arc<dyn Desk>, Arc<dyn Office>) = (desk.clone(), office.clone());
    App { router: router(as_desk, as_office, Band::Broadcast, setup).unwrap(), desk, office }
}

fn app() -> App {
    app_with(Rate { burst: 10_000, ..Rate::default() })
}

fn request(who: &str, method: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    let request = request.header("host", "127.0.0.1:3000");
    if who.is_empty() {
        return request;
    }
    request.header("authorization", format!("Bearer token-{who}"))
}

impl App {
    async fn send(&self, request: Request<Body>) -> Said {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Said { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn get(&self, who: &str, path: &str) -> Said {
        self.send(request(who, "GET", path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, who: &str, path: &str, key: &str, body: &Value) -> Said {
        let mut request = request(who, "POST", path);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let body = match body {
            Value::Null => Body::empty(),
            body => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
        };
        self.send(request.body(body).unwrap()).await
    }
}

impl Said {
    fn check(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
    }
}

/// A delegation as its page under `docs/spec` shows it.
fn delegation() -> Value {
    json!({
        "id": "leave-1",
        "seat": "ann",
        "stand_in": {
            "person": "p-sam",
            "credential": "key-sam",
            "key": "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "link": "ed25519:PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
        },
        "from": 1000,
        "until": 2000,
        "above": null,
    })
}

fn cancel() -> Value {
    json!({ "action": { "kind": "cancel", "case": known() } })
}

#[tokio::test]
async fn each_role_reaches_what_it_may_and_nothing_above_it() {
    let app = app();
    let case = known();
    for (path, least) in [
        ("/cases".to_owned(), 0),
        (format!("/cases/{case}"), 0),
        ("/addresses".to_owned(), 0),
        ("/freezes".to_owned(), 0),
        ("/delegations".to_owned(), 0),
        ("/checklists".to_owned(), 0),
        (format!("/checklists/{case}"), 0),
        (format!("/cases/{case}/receipt"), 1),
        ("/entries".to_owned(), 1),
        ("/entries/2".to_owned(), 1),
        ("/checkpoint".to_owned(), 1),
        ("/entries/2/proof".to_owned(), 1),
        ("/consistency?from=1&to=3".to_owned(), 1),
    ] {
        for (at, who) in PEOPLE.iter().enumerate() {
            let said = app.get(who, &path).await;
            let expected = if at >= least { 200 } else { 403 };
            assert_eq!(said.status, expected, "{who} {path} {}", said.body);
        }
    }
    for (path, body) in [
        ("/intents".to_owned(), cancel()),
        ("/freezes".to_owned(), json!({ "scope": { "scope": "vault" } })),
        (format!("/freezes/{}/resume", freeze(0)), Value::Null),
        ("/delegations".to_owned(), json!({ "delegation": delegation() })),
        ("/delegations/leave-1/end".to_owned(), Value::Null),
        (format!("/cases/{case}/replace"), Value::Null),
        (format!("/cases/{case}/erase"), json!({ "subject": "per-1" })),
        (format!("/alerts/{case}/take"), Value::Null),
        (format!("/alerts/{case}/close"), json!({ "disposition": "false_alarm" })),
        (
            "/checklists".to_owned(),
            json!({ "person": "cy", "change": "leaver", "post": "approver" }),
        ),
        (format!("/checklists/{case}/close"), json!({})),
    ] {
        app.post("viewer", &path, "k1", &body).await.check(403, "ROLE_TOO_LOW");
        app.post("auditor", &path, "k1", &body).await.check(403, "ROLE_TOO_LOW");
        let key = path.replace('/', "-");
        assert_eq!(app.post("person", &path, &key, &body).await.status, 200, "{path}");
    }
    assert_eq!(app.office.filed.lock().unwrap().len(), 5, "only the operator filed");
}

#[tokio::test]
async fn agents_and_people_find_nothing_at_each_others_routes() {
    let app = app();
    for who in AGENTS {
        for path in ["/cases", "/status", "/entries", "/policy", "/credentials", "/events"] {
            app.get(who, path).await.check(403, "ROLE_TOO_LOW");
        }
        app.post(who, "/intents", "k", &cancel()).await.check(403, "ROLE_TOO_LOW");
        app.post(who, "/approvals", "k", &json!({})).await.check(403, "ROLE_TOO_LOW");
        let vault = json!({ "scope": { "scope": "vault" } });
        app.post(who, "/freezes", "k", &vault).await.check(403, "ROLE_TOO_LOW");
        let resume = format!("/freezes/{}/resume", freeze(0));
        app.post(who, &resume, "k", &Value::Null).await.check(403, "ROLE_TOO_LOW");
        app.get(who, "/delegations").await.check(403, "ROLE_TOO_LOW");
        let end = "/delegations/leave-1/end";
        app.post(who, end, "k", &Value::Null).await.check(403, "ROLE_TOO_LOW");
    }
    let balance = format!("/agent/balance?address={ADDRESS}&chain=eip155:31337");
    for who in PEOPLE {
        app.get(who, &balance).await.check(403, "ROLE_TOO_LOW");
        app.post(who, "/agent/sign", "k", &json!({})).await.check(403, "ROLE_TOO_LOW");
    }
    assert!(app.office.filed.lock().unwrap().is_empty());
    assert!(app.desk.asked.lock().unwrap().is_empty());
    assert_eq!(app.get("read", &balance).await.status, 200);
}

#[tokio::test]
async fn whoever_asks_is_who_files_whatever_the_body_says() {
    let app = app();
    let mut body = cancel();
    body["person"] = json!("per-other");
    app.post("person", "/intents", "k", &body).await.check(400, "INVALID_INPUT");
    let mut body = cancel();
    body["action"]["requester"] = json!({ "kind": "person", "person": "per-other" });
    app.post("person", "/intents", "k", &body).await.check(400, "INVALID_INPUT");
    let case = known();
    let body = json!({ "subject": "per-1", "person": "per-other" });
    let erase = format!("/cases/{case}/erase");
    app.post("person", &erase, "k", &body).await.check(400, "INVALID_INPUT");
    assert!(app.office.filed.lock().unwrap().is_empty());
    assert!(app.office.erased.lock().unwrap().is_empty());
    assert_eq!(app.post("person", "/intents", "k", &cancel()).await.status, 200);
    assert_eq!(app.office.filed.lock().unwrap()[0].person.as_str(), "olga");
}

#[tokio::test]
async fn the_brake_is_an_intent_in_the_callers_name_and_a_resume_lifts_the_whole_scope() {
    let app = app();
    let vault = json!({ "scope": { "scope": "vault" } });
    for bad in [
        json!({}),
        json!({ "scope": { "scope": "everything" } }),
        json!({ "scope": { "scope": "wallet" } }),
        json!({ "scope": { "scope": "vault", "more": 1 } }),
        json!({ "scope": { "scope": "vault" }, "person": "somebody" }),
    ] {
        app.post("person", "/freezes", "k", &bad).await.check(400, "INVALID_INPUT");
    }
    app.post("person", "/freezes", "", &vault).await.check(400, "INVALID_IDEMPOTENCY_KEY");
    let resume = |number| format!("/freezes/{}/resume", freeze(number));
    app.post("person", &resume(9), "k", &Value::Null).await.check(404, "PATH_NOT_FOUND");
    app.post("person", "/freezes/x/resume", "k", &Value::Null).await.check(400, "INVALID_INPUT");
    app.post("person", &resume(0), "k", &json!({})).await.check(400, "MALFORMED_MESSAGE");
    assert!(app.office.filed.lock().unwrap().is_empty(), "nothing of this was filed");
    for (path, key, body) in [
        ("/freezes".to_owned(), "stop", vault),
        (resume(2), "go", Value::Null),
        (resume(2), "go", Value::Null),
        (resume(1), "go-1", Value::Null),
    ] {
        assert_eq!(app.post("person", &path, key, &body).await.status, 200, "{path}");
    }
    app.post("person", &resume(1), "go", &Value::Null).await.check(409, "IDEMPOTENCY_CONFLICT");
    let filed = app.office.filed.lock().unwrap();
    let lifts = |numbers: &[u8]| numbers.iter().map(|number| freeze(*number)).collect();
    let agent = Scope::Agent { agent: "bot".parse().unwrap() };
    let said: Vec<_> = filed.iter().map(|ask| (ask.key.as_str(), ask.action.clone())).collect();
    assert_eq!(
        said,
        [
            ("stop", Action::Freeze { scope: Scope::Vault }),
            ("go", Action::Unfreeze { scope: Scope::Vault, lifts: lifts(&[0, 2]) }),
            ("go-1", Action::Unfreeze { scope: agent, lifts: lifts(&[1]) }),
        ]
    );
    assert!(filed.iter().all(|ask| ask.person.as_str() == "olga" && ask.openings.is_empty()));
}

#[tokio::test]
async fn a_delegation_is_an_intent_in_the_callers_name_and_only_a_known_one_is_ended() {
    let app = app();
    let mut more = delegation();
    more["vault"] = json!("other");
    for bad in [json!({}), json!({ "delegation": "leave-1" }), json!({ "delegation": more })] {
        app.post("person", "/delegations", "k", &bad).await.check(400, "INVALID_INPUT");
    }
    let end = |name: &str| format!("/delegations/{name}/end");
    app.post("person", &end("leave-9"), "k", &Value::Null).await.check(404, "PATH_NOT_FOUND");
    app.post("person", &end("Leave"), "k", &Value::Null).await.check(400, "INVALID_INPUT");
    assert!(app.office.filed.lock().unwrap().is_empty(), "nothing of this was filed");
    let good = json!({ "delegation": delegation() });
    assert_eq!(app.post("person", "/delegations", "away", &good).await.status, 200);
    assert_eq!(app.post("person", &end("leave-1"), "back", &Value::Null).await.status, 200);
    let filed = app.office.filed.lock().unwrap();
    let said: Vec<_> = filed.iter().map(|ask| (ask.key.as_str(), ask.action.clone())).collect();
    let delegation = serde_json::from_value(delegation()).unwrap();
    assert_eq!(
        said,
        [
            ("away", Action::Delegate { delegation }),
            ("back", Action::EndDelegation { delegation: "leave-1".parse().unwrap() }),
        ]
    );
    assert!(filed.iter().all(|ask| ask.person.as_str() == "olga"));
}

#[tokio::test]
async fn whoever_attests_a_task_does_so_under_their_own_credential_whatever_the_body_says() {
    let app = app();
    let attest = format!("/checklists/{}/attest", known());
    for more in ["by", "credential", "person"] {
        let mut body = json!({ "item": "laptop" });
        body[more] = json!("somebody");
        app.post("viewer", &attest, "k", &body).await.check(400, "INVALID_INPUT");
    }
    let bad = json!({ "item": "Not An Item" });
    app.post("viewer", &attest, "k", &bad).await.check(400, "INVALID_INPUT");
    assert!(app.office.dealt.lock().unwrap().is_empty());
    let body = json!({ "item": "laptop", "reference": "hr-1" });
    for _ in 0..2 {
        assert_eq!(app.post("person", &attest, "k", &body).await.status, 200);
    }
    let dealt = app.office.dealt.lock().unwrap();
    assert_eq!(dealt.len(), 1, "once for each key");
    assert_eq!(dealt[0].by.as_str(), "olga");
    assert!(dealt[0].credential.is_some());
}

#[tokio::test]
async fn a_change_needs_one_key_and_the_same_key_does_it_once() {
    let app = app();
    let take = format!("/alerts/{}/take", known());
    app.post("person", &take, "", &Value::Null).await.check(400, "INVALID_IDEMPOTENCY_KEY");
    app.post("person", "/intents", "", &cancel()).await.check(400, "INVALID_IDEMPOTENCY_KEY");
    app.post("person", &take, "a b", &Value::Null).await.check(400, "INVALID_IDEMPOTENCY_KEY");
    let doubled = request("person", "POST", &take)
        .header("idempotency-key", "a")
        .header("idempotency-key", "b")
        .body(Body::empty())
        .unwrap();
    app.send(doubled).await.check(400, "INVALID_IDEMPOTENCY_KEY");
    for _ in 0..3 {
        assert_eq!(app.post("person", &take, "same", &Value::Null).await.status, 200);
    }
    assert_eq!(app.office.noted.lock().unwrap().len(), 1);
    let close = format!("/alerts/{}/close", known());
    let body = json!({ "disposition": "done" });
    app.post("person", &close, "same", &body).await.check(409, "IDEMPOTENCY_CONFLICT");
    assert_eq!(app.post("person", "/intents", "i", &cancel()).await.status, 200);
    let other = json!({ "action": { "kind": "freeze", "scope": { "scope": "vault" } } });
    app.post("person", "/intents", "i", &other).await.check(409, "IDEMPOTENCY_CONFLICT");
}

#[tokio::test]
async fn bands_and_wallets_bind_agents_here_as_at_mcp() {
    let app = app();
    let sign = json!({ "wallet": "ops", "chain": "eip155:31337", "draft": "0".repeat(64) });
    let transfer =
        json!({ "wallet": "ops", "chain": "eip155:31337", "to": ADDRESS, "amountWei": "1" });
    for (who, path, body) in [
        ("read", "/agent/transfers/explain", &transfer),
        ("read", "/agent/sign", &sign),
        ("prepare", "/agent/sign", &sign),
        ("sign", "/agent/send", &sign),
    ] {
        app.post(who, path, "k", body).await.check(403, "BAND_TOO_LOW");
    }
    let mut other = sign.clone();
    other["wallet"] = json!("cold");
    app.post("sign", "/agent/sign", "k", &other).await.check(403, "WALLET_OUT_OF_SCOPE");
    assert!(matches!(app.desk.alarms.lock().unwrap()[..], [Alarm::BeyondScope { .. }]));
    assert!(app.desk.asked.lock().unwrap().is_empty());
    app.post("broadcast", "/agent/send", "k", &sign).await.check(400, "INVALID_INPUT");
    let mut unsure = sign.clone();
    unsure["confirmBroadcast"] = json!(false);
    app.post("broadcast", "/agent/send", "k", &unsure).await.check(409, "CONFIRMATION_REQUIRED");
    assert_eq!(app.post("sign", "/agent/sign", "k7", &sign).await.status, 200);
    let asked = app.desk.asked.lock().unwrap();
    let [Question::SignTransaction { sign }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(sign.key.as_str(), "k7");
}

#[tokio::test]
async fn what_an_agent_gives_in_the_query_is_read_as_at_mcp() {
    let app = app();
    let list = "/agent/cases?wallet=ops&openOnly=true&limit=5";
    assert_eq!(app.get("read", list).await.status, 200);
    let asked = app.desk.asked.lock().unwrap().clone();
    assert!(matches!(&asked[..], [Question::ListCases { open_only: true, limit: 5, .. }]));
    for bad in [
        "/agent/cases?limit=0",
        "/agent/cases?limit=five",
        "/agent/cases?openOnly=1",
        "/agent/cases?nothing=1",
        "/agent/cases?limit=1&limit=2",
        "/agent/cases/xyz",
        "/agent/wallets/ops/address?chain=eip155:31337&wallet=cold",
    ] {
        let said = app.get("read", bad).await;
        assert!([400, 403].contains(&said.status), "{bad} {}", said.status);
    }
    let address = "/agent/wallets/ops/address?chain=eip155:31337";
    assert_eq!(app.get("sign", address).await.status, 200);
    // The fake desk panics here, and answers another question there.
    let receipt = format!("/agent/cases/{}/receipt", known());
    app.get("read", &receipt).await.check(500, "INTERNAL");
    app.get("viewer", "/status").await.check(500, "INTERNAL");
    assert_eq!(app.get("viewer", "/cases").await.status, 200, "and it goes on");
}

#[tokio::test]
async fn who_shows_no_good_credential_learns_where_to_get_one_and_nothing_else() {
    let app = app();
    for path in ["/cases", "/nothing", "/agent/balance", "/me?access_token=token-person"] {
        let said = app.get("", path).await;
        said.check(401, "CREDENTIAL_MISSING");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("/.well-known/oauth-protected-resource/api/v1"), "{challenge}");
    }
    app.get("nobody", "/cases").await.check(401, "CREDENTIAL_INVALID");
    app.get("person", "/cases?access_token=x").await.check(400, "INVALID_INPUT");
    let request = Request::get("/.well-known/oauth-protected-resource/api/v1");
    let request = request.header("host", "127.0.0.1:3000").body(Body::empty()).unwrap();
    let said = app.send(request).await;
    assert_eq!(said.body["resource"], "http://127.0.0.1:3000/api/v1");
    let foreign = Request::get("/api/v1/me").header("host", "evil.example");
    app.send(foreign.body(Body::empty()).unwrap()).await.check(403, "HOST_REFUSED");
}

#[tokio::test]
async fn an_answer_is_to_somebody_known_only_where_a_credential_was_shown() {
    let app = app();
    let is_known = async |request: Request<Body>| {
        let response = app.router.clone().oneshot(request).await.unwrap();
        (response.status().as_u16(), response.extensions().get::<Known>().is_some())
    };
    let public = |path: &str| {
        let request = Request::get(path).header("host", "127.0.0.1:3000");
        request.body(Body::empty()).unwrap()
    };
    for path in [
        "/api/v1/openapi.json",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/api/v1",
        "/health",
    ] {
        assert_eq!(is_known(public(path)).await, (200, false), "{path}");
    }
    let me = |who: &str| request(who, "GET", "/me").body(Body::empty()).unwrap();
    for (who, expected) in [("viewer", (200, true)), ("read", (200, true)), ("none", (401, false))]
    {
        assert_eq!(is_known(me(who)).await, expected, "{who}");
    }
    let mcp = |who: &str| {
        let request = Request::post("/mcp").header("host", "127.0.0.1:3000");
        let request = request.header("authorization", format!("Bearer token-{who}"));
        let request = request.header("accept", "application/json, text/event-stream");
        let request = request.header("content-type", "application/json");
        let request = request.header("mcp-protocol-version", "2025-11-25");
        request.body(Body::from(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)).unwrap()
    };
    assert_eq!(is_known(mcp("read")).await, (200, true));
    assert_eq!(is_known(mcp("viewer")).await, (401, false), "a person's opens no MCP");
}

#[tokio::test]
async fn paths_methods_forms_and_bodies_are_refused_in_one_contract() {
    let app = app();
    app.get("person", "/nothing").await.check(404, "PATH_NOT_FOUND");
    app.get("person", &format!("/cases/{}", "0".repeat(63))).await.check(400, "INVALID_INPUT");
    app.get("person", &format!("/cases/{}", "1".repeat(64))).await.check(404, "CASE_NOT_FOUND");
    app.get("person", "/entries/9").await.check(404, "PATH_NOT_FOUND");
    let said = app.send(request("person", "DELETE", "/cases").body(Body::empty()).unwrap()).await;
    said.check(405, "METHOD_UNKNOWN");
    assert_eq!(said.headers["allow"], "GET");
    let html = request("person", "GET", "/cases").header("accept", "text/html");
    app.send(html.body(Body::empty()).unwrap()).await.check(406, "NOT_ACCEPTABLE");
    let file = |kind: &str, body: String| {
        let request = request("person", "POST", "/intents").header("idempotency-key", "k");
        request.header("content-type", kind).body(Body::from(body)).unwrap()
    };
    app.send(file("text/plain", "{}".into())).await.check(415, "MEDIA_TYPE_UNKNOWN");
    let json = "application/json";
    for bad in ["", "[]", "{\"action\":{},\"action\":{}}", "{\"a\":", "\u{feff}{}"] {
        app.send(file(json, bad.into())).await.check(400, "MALFORMED_MESSAGE");
    }
    app.send(file(json, "[".repeat(100_000))).await.check(400, "MALFORMED_MESSAGE");
    app.send(file(json, " ".repeat(300_000))).await.check(413, "MESSAGE_TOO_LARGE");
    app.send(file(json, "{}".into())).await.check(400, "INVALID_INPUT");
    let take = format!("/alerts/{}/take", known());
    app.post("person", &take, "k", &json!({})).await.check(400, "MALFORMED_MESSAGE");
}

#[tokio::test]
async fn an_answer_that_the_caller_has_is_not_sent_again() {
    let app = app();
    let path = format!("/cases/{}", known());
    let first = app.get("viewer", &path).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = request("viewer", "GET", &path).header("if-none-match", &tag);
    let again = app.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status, again.headers["etag"].to_str().unwrap()), (304, tag.as_str()));
    assert_eq!(again.body, Value::Null);
    let other = request("viewer", "GET", &path).header("if-none-match", "\"other\"");
    assert_eq!(app.send(other.body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn entries_and_cases_come_in_pages() {
    let app = app();
    let first = app.get("auditor", "/entries?limit=2").await.body;
    assert_eq!((first["entries"].as_array().unwrap().len(), &first["next_from"]), (2, &json!(2)));
    let last = app.get("auditor", "/entries?from=3&limit=2").await.body;
    assert_eq!((&last["entries"], &last["next_from"]), (&json!([]), &Value::Null));
    app.get("auditor", "/entries?limit=101").await.check(400, "INVALID_INPUT");
    let page = app.get("viewer", "/cases").await.body;
    let next = format!("/cases?after={}", page["next_after"].as_str().unwrap());
    assert_eq!(app.get("viewer", &next).await.body["cases"], json!([]));
}

#[tokio::test]
async fn a_follower_hears_the_size_and_goes_on_where_it_was() {
    let app = app();
    let events = request("viewer", "GET", "/events").header("accept", "text/event-stream");
    let response = app.router.clone().oneshot(events.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let text = String::from_utf8(frame.to_vec()).unwrap();
    assert!(text.contains("id: 3") && text.contains("event: grown"), "{text}");
    for bad in ["x", "-1", ""] {
        let request = request("viewer", "GET", "/events").header("last-event-id", bad);
        app.send(request.body(Body::empty()).unwrap()).await.check(400, "INVALID_INPUT");
    }
}

#[tokio::test]
async fn one_credential_has_one_bound_for_mcp_and_the_api() {
    let app = app_with(Rate { per_minute: 60, burst: 2, in_flight: 4, streams: 1 });
    assert_eq!(app.get("viewer", "/cases").await.status, 200);
    assert_eq!(app.get("viewer", "/me").await.status, 200);
    let said = app.get("viewer", "/me").await;
    said.check(429, "RATE_LIMITED");
    assert!(said.headers.contains_key("retry-after"));
    assert_eq!(app.get("auditor", "/me").await.status, 200, "others are served");
}

#[tokio::test]
async fn whoever_hangs_up_keeps_their_place_until_the_work_ends() {
    let app = app_with(Rate { in_flight: 1, ..Rate::default() });
    // The fake desk never answers this.
    let path = format!("/agent/cases/{}", known());
    let asking = tokio::time::timeout(Duration::from_millis(50), app.get("read", &path));
    assert!(asking.await.is_err(), "nobody waits any more");
    app.get("read", "/me").await.check(429, "TOO_MANY_IN_FLIGHT");
    assert_eq!(app.get("viewer", "/me").await.status, 200, "others are served");
}

#[tokio::test]
async fn a_proof_that_cannot_be_is_refused_with_what_to_give() {
    let app = app();
    app.get("person", "/entries/9/proof").await.check(404, "PATH_NOT_FOUND");
    app.get("person", "/entries/x/proof").await.check(400, "INVALID_INPUT");
    for query in [
        "",
        "?from=1",
        "?to=3",
        "?from=0&to=3",
        "?from=3&to=2",
        "?from=1&to=9",
        "?from=-1&to=3",
        "?from=1&to=3&more=1",
    ] {
        app.get("person", &format!("/consistency{query}")).await.check(400, "INVALID_INPUT");
    }
    let said = app.get("person", "/consistency?from=1&to=3").await;
    assert_eq!(said.body["hashes"].as_array().map(Vec::len), Some(1), "{}", said.body);
}
