//! The HTTP API of a real office, asked as a program asks it.

use std::os::unix::fs::PermissionsExt as _;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use clap::Parser as _;
use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::record::Engagement;
use quorate_assessor::audit::waiting::Waiting;
use quorate_assessor::record::Record;
use quorate_host::random::Random;
use quorate_host::secret_file;
use quorate_terms::Digest;
use serde_json::{Value, json};

use super::world::{Got, PORT, World};
use crate::cli::{Cli, Command};
use crate::token;

impl World {
    pub(super) fn token_command(&self, words: &[&str]) -> crate::screen::Screen {
        let office = self.dir.path().join("office").display().to_string();
        let first = ["quorate-assessor", "--dir", &office, "token"];
        let cli = Cli::parse_from(first.iter().chain(words));
        let Command::Token(command) = &cli.command else { panic!("not token") };
        token::run(&cli, command).unwrap()
    }

    pub(super) fn token(&self, name: &str, scope: &str) -> String {
        let file = self.dir.path().join(format!("{name}.token"));
        let at = file.display().to_string();
        let words = ["new", name, "--scope", scope, "--expires", "90d", "--token-file", &at];
        self.token_of(&file, &words)
    }

    /// A token that may have the claims of these people issued.
    pub(super) fn mark_token(&self, name: &str, assessors: &[&str]) -> String {
        let file = self.dir.path().join(format!("{name}.token"));
        let at = file.display().to_string();
        let keys: Vec<String> =
            assessors.iter().map(|one| self.key(one).public_key().to_string()).collect();
        let mut words =
            vec!["new", name, "--scope", "mark", "--expires", "90d", "--token-file", &at];
        words.extend(keys.iter().flat_map(|key| ["--assessor", key.as_str()]));
        self.token_of(&file, &words)
    }

    fn token_of(&self, file: &std::path::Path, words: &[&str]) -> String {
        let said = self.token_command(words);
        let token = std::fs::read_to_string(file).unwrap();
        assert!(token.starts_with("qra_") && token.len() == 47, "{token}");
        assert!(!said.text.contains(&token) && !said.json.to_string().contains(&token));
        token
    }

    pub(super) async fn program(&self, token: &str, path: &str, more: &[(&str, &str)]) -> Got {
        self.asks(("GET", path), token, more, String::new()).await
    }

    pub(super) async fn posts(&self, token: &str, path: &str, key: &str, body: &Value) -> Got {
        let kind = ("content-type", "application/json");
        let more = [kind, ("idempotency-key", key)];
        self.asks(("POST", path), token, &more, body.to_string()).await
    }

    pub(super) async fn asks(
        &self,
        (method, path): (&str, &str),
        token: &str,
        more: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Got {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let mut request = request.header(header::HOST, format!("localhost:{PORT}"));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        self.ask(request.body(body.into()).unwrap()).await
    }
}

pub(super) fn read(got: &Got) -> Value {
    serde_json::from_slice(&got.bytes).unwrap_or_else(|e| panic!("{e}: {}", got.text()))
}

pub(super) fn refused(got: &Got, status: u16, code: &str) {
    assert_eq!(got.status.as_u16(), status, "{}", got.text());
    assert_eq!(read(got)["error"]["code"], code, "{}", got.text());
    assert_eq!(got.header("content-type"), "application/json");
}

#[tokio::test]
async fn what_is_looked_at_is_json_for_a_token_and_nothing_for_a_stranger_or_a_cookie() {
    let world = World::new().await;
    world.engaged().await;
    let look = world.token("looker", "look");
    for (path, holds) in [
        ("/me", "/name"),
        ("/standards", "/standards/0/digest"),
        ("/assessments", "/assessments"),
        ("/history", "/history"),
        ("/history?days=7", "/history"),
        ("/audits", "/audits/0/audit"),
        ("/audits/brick-1", "/seen/engagement"),
        ("/marks", "/marks"),
    ] {
        let got = world.program(&look, path, &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text());
        assert!(read(&got).pointer(holds).is_some(), "{path}: {}", got.text());
        assert_eq!(got.header("cache-control"), "no-store");
        let again = world.program(&look, path, &[("if-none-match", got.header("etag"))]).await;
        let is_kept = again.status == StatusCode::NOT_MODIFIED && again.bytes.is_empty();
        assert!(is_kept || path == "/marks", "{path}");
        let stranger = world.program("", path, &[]).await;
        if path == "/marks" {
            assert_eq!(stranger.status, StatusCode::OK);
        } else {
            refused(&stranger, 401, "no_token");
            assert_eq!(stranger.header("www-authenticate"), "Bearer realm=\"quorate-office\"");
        }
    }
    refused(&world.get("/api/v1/me").await, 401, "no_token");
    let page = Request::builder().uri("/").header(header::HOST, format!("localhost:{PORT}"));
    let page = page.header(header::AUTHORIZATION, format!("Bearer {look}"));
    let page = world.ask(page.body(Body::empty()).unwrap()).await;
    assert_eq!(page.header("location"), "/sign-in", "a token opens no page");
}

#[tokio::test]
async fn what_cannot_be_answered_is_said_in_one_form() {
    let world = World::new().await;
    let (look, file) = (world.token("looker", "look"), world.token("filer", "file"));
    for (path, status, code) in [
        ("/nowhere", 404, "nothing_here"),
        ("/assessments/xyz", 400, "malformed"),
        ("/audits/none", 404, "no_audit"),
        ("/marks/none", 404, "unknown_mark"),
        ("/history?days=0", 422, "days"),
        ("/history?day=1", 400, "query"),
        ("/history?days=1&days=2", 400, "query"),
        ("/history?days=+7", 422, "days"),
        ("/assessments?limit=101", 422, "limit"),
        ("/assessments?after=-1", 422, "after"),
        ("/me?days=1", 400, "query"),
    ] {
        refused(&world.program(&look, path, &[]).await, status, code);
    }
    refused(&world.program("qra_x", "/me", &[]).await, 401, "unknown_token");
    for method in ["POST", "PUT"] {
        let got = world.asks((method, "/openapi.json"), "", &[], String::new()).await;
        refused(&got, 405, "method");
    }
    let put = world.asks(("PUT", "/assessments"), &file, &[], String::new()).await;
    refused(&put, 405, "method");
    assert_eq!(put.header("allow"), "GET, POST");
    let looked = world.program(&file, "/audits/none/steps", &[]).await;
    refused(&looked, 405, "method");
    assert_eq!(looked.header("allow"), "POST");
    let body = json!({ "standard": "ccss 9.0" });
    refused(&world.posts(&look, "/assessments", "k", &body).await, 403, "scope");
    refused(&world.posts(&file, "/assessments", "", &body).await, 400, "idempotency_key");
    refused(&world.posts(&file, "/assessments", "k", &body).await, 409, "not_pinned");
    for body in [json!([]), json!({ "standard": "no 1.0" }), json!({ "standard": "a", "b": 1 })] {
        let got = world.posts(&file, "/assessments", "k", &body).await;
        assert_eq!(got.status.as_u16(), 422, "{}", got.text());
    }
    let json = ("content-type", "application/json");
    let more = [json, ("idempotency-key", "k")];
    let twice = "{\"standard\":\"a\",\"standard\":\"b\"}".to_owned();
    let got = world.asks(("POST", "/assessments"), &file, &more, twice).await;
    refused(&got, 400, "malformed");
    let plain = [("content-type", "text/plain"), ("idempotency-key", "k")];
    let got = world.asks(("POST", "/assessments"), &file, &plain, "{}".to_owned()).await;
    refused(&got, 415, "media_type");
    let elsewhere = [("origin", "https://evil.example")];
    for path in ["/me", "/marks", "/openapi.json"] {
        refused(&world.program(&look, path, &elsewhere).await, 403, "elsewhere");
    }
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_from_then_on() {
    let world = World::new().await;
    let look = world.token("looker", "look");
    assert_eq!(world.program(&look, "/me", &[]).await.status, StatusCode::OK);
    let listed = world.token_command(&["list"]).json;
    assert_eq!(listed["tokens"][0]["in_force"], true);
    // While the office works too: nobody keeps a token alive by keeping the office busy.
    let open = world.hall.enter().await.unwrap();
    world.token_command(&["revoke", "looker"]);
    open.close().await;
    refused(&world.program(&look, "/me", &[]).await, 401, "unknown_token");
}

#[tokio::test]
async fn a_token_asks_so_often_a_minute() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let world = World::serving(dir, &["--requests-per-minute", "3"]).await;
    let look = world.token("looker", "look");
    for _ in 0..3 {
        assert_eq!(world.program(&look, "/me", &[]).await.status, StatusCode::OK);
    }
    let got = world.program(&look, "/me", &[]).await;
    refused(&got, 429, "too_many");
    assert!((1..=60).contains(&got.header("retry-after").parse::<u64>().unwrap()));
}

#[tokio::test]
async fn a_step_counts_by_its_persons_signature_and_once_under_its_key() {
    let world = World::new().await;
    world.engagement("brick-1", "ccss 9.0").await;
    let file = world.token("filer", "file");
    let record: Act =
        serde_json::from_value(json!({ "act": "intent_filed", "reference": "letter 1" })).unwrap();
    let (audit, by) = ("brick-1".to_owned(), "ann".to_owned());
    let step = Waiting { v: 1, audit, before: 1, by, record, openings: Vec::new() };
    let signed = |person: &str| {
        let key = world.key(person);
        let answer = step.sign(&|digest| key.sign(digest)).unwrap().to_string();
        json!({ "step": step, "answer": answer })
    };
    let (to, size) = ("/audits/brick-1/steps", world.size().await);
    refused(&world.posts(&file, to, "eva", &signed("eva")).await, 409, "objections");
    refused(
        &world.posts(&file, "/audits/other/steps", "o", &signed("ann")).await,
        422,
        "malformed",
    );
    assert_eq!(world.size().await, size, "nothing was recorded");
    let first = world.posts(&file, to, "one", &signed("ann")).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    assert_eq!(read(&first)["act"], "intent_filed");
    let again = world.posts(&file, to, "one", &signed("ann")).await;
    assert_eq!((again.status, &again.bytes), (StatusCode::OK, &first.bytes));
    refused(&world.posts(&file, to, "two", &signed("ann")).await, 409, "overtaken");
    refused(&world.posts(&file, to, "one", &json!({})).await, 409, "idempotency_conflict");
    assert_eq!(world.size().await, size + 1);
}

#[tokio::test]
async fn no_token_begins_an_audit_or_makes_a_redacted_copy() {
    let world = World::new().await;
    world.engagement("brick-1", "ccss 9.0").await;
    let (file, size) = (world.token("filer", "file"), world.size().await);
    let redacted = json!({
        "act": "redacted", "report": Digest::ZERO, "strokes": [], "copy": Digest::ZERO,
    });
    let engaged = world.held("brick-1").await.state.engagement().unwrap().clone();
    let engaged = Act::Engaged(Box::new(Engagement { audit: "brick-2".to_owned(), ..engaged }));
    for (audit, record) in
        [("brick-2", engaged), ("brick-1", serde_json::from_value(redacted).unwrap())]
    {
        let (by, openings) = ("ann".to_owned(), Vec::new());
        let step = Waiting { v: 1, audit: audit.to_owned(), before: 0, by, record, openings };
        let key = world.key("ann");
        let answer = step.sign(&|digest| key.sign(digest)).unwrap().to_string();
        let body = json!({ "step": step, "answer": answer });
        let got = world.posts(&file, &format!("/audits/{audit}/steps"), audit, &body).await;
        refused(&got, 409, "not_composed");
    }
    assert_eq!(world.size().await, size, "nothing was recorded");
}

#[tokio::test]
async fn a_body_has_an_end() {
    let world = World::new().await;
    let file = world.token("filer", "file");
    let huge = json!({ "step": "x".repeat(2 * 1024 * 1024), "answer": "" });
    refused(&world.posts(&file, "/audits/brick-1/steps", "huge", &huge).await, 413, "too_large");
}

#[tokio::test]
async fn what_the_ledger_would_not_be_read_with_is_not_recorded() {
    let world = World::new().await;
    let refused = |why: String| Record::BookRefused { vault: "house".parse().unwrap(), why };
    let size = world.size().await;
    let mut open = world.hall.enter().await.unwrap();
    let no = open.office.append(refused("x".repeat(4 * 1024 * 1024))).await.unwrap_err();
    assert_eq!(no.code, "unreadable", "{no}");
    open.close().await;
    assert_eq!(world.size().await, size, "it opens as it was");
    let mut open = world.hall.enter().await.unwrap();
    open.office.append(refused("x".repeat(1024 * 1024))).await.unwrap();
    open.close().await;
    assert_eq!(world.size().await, size + 1);
}

#[tokio::test]
async fn a_token_that_is_revoked_while_its_body_comes_does_nothing() {
    let world = World::new().await;
    world.engagement("brick-1", "ccss 9.0").await;
    let (file, size) = (world.token("filer", "file"), world.size().await);
    let record: Act =
        serde_json::from_value(json!({ "act": "intent_filed", "reference": "letter 1" })).unwrap();
    let (audit, by) = ("brick-1".to_owned(), "ann".to_owned());
    let step = Waiting { v: 1, audit, before: 1, by, record, openings: Vec::new() };
    let key = world.key("ann");
    let answer = step.sign(&|digest| key.sign(digest)).unwrap().to_string();
    let body = json!({ "step": step, "answer": answer }).to_string();
    let office = world.dir.path().join("office");
    let revoked = move || {
        let words =
            ["quorate-assessor", "--dir", office.to_str().unwrap(), "token", "revoke", "filer"];
        let cli = Cli::parse_from(words);
        let Command::Token(command) = &cli.command else { panic!("not token") };
        token::run(&cli, command).unwrap();
        Ok::<_, std::convert::Infallible>(body)
    };
    let body = Body::from_stream(futures_util::stream::once(async move { revoked() }));
    let request = Request::builder().method("POST").uri("/api/v1/audits/brick-1/steps");
    let request = request.header(header::HOST, format!("localhost:{PORT}"));
    let request = request.header(header::AUTHORIZATION, format!("Bearer {file}"));
    let request = request.header("content-type", "application/json");
    let request = request.header("idempotency-key", "one").body(body).unwrap();
    refused(&world.ask(request).await, 401, "unknown_token");
    assert_eq!(world.size().await, size, "nothing was recorded");
}

#[tokio::test]
async fn what_is_damaged_here_is_not_told_as_the_mistake_of_who_asks() {
    let world = World::new().await;
    let look = world.token("looker", "look");
    let tokens = world.dir.path().join("office/tokens.json");
    secret_file::replace(&tokens, b"{}", Random::start().unwrap()).unwrap();
    let got = world.program(&look, "/me", &[]).await;
    refused(&got, 503, "damaged");
    let dir = world.dir.path().display().to_string();
    assert!(!got.text().contains(&dir) && !got.text().contains("tokens"), "{}", got.text());
}

#[tokio::test]
async fn a_token_that_is_revoked_while_it_waits_for_its_turn_does_nothing_and_is_told_nothing() {
    let world = World::new().await;
    world.engagement("brick-1", "ccss 9.0").await;
    let file = world.token("filer", "file");
    let record = json!({ "act": "intent_filed", "reference": "letter 1" });
    let waiting: Act = serde_json::from_value(record.clone()).unwrap();
    let (audit, by) = ("brick-1".to_owned(), "ann".to_owned());
    let step = Waiting { v: 1, audit, before: 1, by, record: waiting, openings: Vec::new() };
    let key = world.key("ann");
    let answer = step.sign(&|digest| key.sign(digest)).unwrap().to_string();
    let (taken, made) =
        (json!({ "step": step, "answer": answer }), json!({ "by": "ann", "record": record }));
    let assessed = json!({ "standard": "ccss 9.0" });
    let size = world.size().await;
    let open = world.hall.enter().await.unwrap();
    let asked = async {
        tokio::join!(
            world.posts(&file, "/audits/brick-1/steps", "one", &taken),
            world.posts(&file, "/audits/brick-1/steps/composed", "two", &made),
            world.posts(&file, "/assessments", "three", &assessed),
            world.program(&file, "/audits/brick-1", &[]),
        )
    };
    let revoked = async {
        // Until the others have come to where they wait for the folder, which is not given back before.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        world.token_command(&["revoke", "filer"]);
        open.close().await;
    };
    let ((one, two, three, four), ()) = tokio::join!(asked, revoked);
    for got in [one, two, three, four] {
        refused(&got, 401, "unknown_token");
    }
    assert_eq!(world.size().await, size, "nothing was recorded");
}

#[tokio::test]
async fn what_was_not_assessed_is_not_counted() {
    let world = World::new().await;
    let file = world.token("filer", "file");
    let body = json!({ "standard": "ccss 9.0" });
    for key in 0..13 {
        let got = world.posts(&file, "/assessments", &format!("k{key}"), &body).await;
        refused(&got, 409, "not_pinned");
    }
}
