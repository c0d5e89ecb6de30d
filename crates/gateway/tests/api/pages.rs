//! What the console says to whoever has lost their way, and what the log is told of whom it refused: strangers take no line
//! away from whoever is signed in, whatever the code.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use axum::response::Response;
use quorate_custody::Refusal;
use quorate_gateway::console;
use quorate_gateway::console::paperwork::{
    BudgetUse, Composed, Flow, Grain, Held, Listed, ListingTyped, Moment, Paperwork, Review,
    Runbook, Said, Simulation, TransferTyped, Tried,
};
use quorate_gateway::console::provider::{Bound, Identified, Provider};
use quorate_gateway::office::{CosignerView, Office as _, Reply};
use quorate_terms::intent::Tier;
use quorate_terms::{CaseId, Timestamp, WalletId};

use super::logged::Lines;
use super::{Allowed, App, Arc, Body, BodyExt, FakeOffice, Request, Router, ServiceExt, app};

fn busy<T>() -> Reply<T> {
    Err(Refusal::new("not_now", "the fake desk is busy", "try again"))
}

#[async_trait]
impl Paperwork for FakeOffice {
    async fn story(&self, _: CaseId) -> Reply<Vec<Moment>> {
        busy()
    }

    async fn runbook(&self, _: CaseId) -> Reply<Option<Runbook>> {
        busy()
    }

    async fn cosigners(&self) -> Reply<Vec<CosignerView>> {
        Ok(self.status().await?.cosigners)
    }

    async fn transfer(&self, _: TransferTyped) -> Reply<Composed> {
        busy()
    }

    async fn listing(&self, _: ListingTyped) -> Reply<Composed> {
        busy()
    }

    async fn listed(&self) -> Reply<Vec<Listed>> {
        busy()
    }

    async fn budgets(&self) -> Reply<Vec<BudgetUse>> {
        busy()
    }

    async fn words(&self) -> Reply<Vec<Said>> {
        busy()
    }

    async fn review(&self, _: String) -> Reply<Review> {
        busy()
    }

    async fn proposed(&self, _: CaseId) -> Reply<Option<Review>> {
        busy()
    }

    async fn flow(&self, _: Timestamp) -> Reply<Vec<Flow>> {
        busy()
    }

    async fn tiers(&self) -> Reply<BTreeMap<WalletId, Tier>> {
        busy()
    }

    async fn held(&self, _: Timestamp, _: Grain) -> Reply<Vec<Held>> {
        busy()
    }

    async fn simulated(&self, _: Tried) -> Reply<Option<Simulation>> {
        busy()
    }
}

/// A provider that cannot be read.
struct Unread;

#[async_trait]
impl Provider for Unread {
    fn issuer(&self) -> &str {
        "https://id.example"
    }

    async fn address(&self, _: &Bound) -> Reply<String> {
        Err(Refusal::new("unreadable", "the provider cannot be read", "try again"))
    }

    async fn farewell(&self) -> Option<String> {
        None
    }

    async fn identify(&self, _: &str, _: &Bound) -> Reply<Identified> {
        busy()
    }
}

fn secret() -> Reply<String> {
    Ok("0123456789abcdef0123456789abcdef".to_owned())
}

pub(super) fn pages(App { desk, office, .. }: &App) -> Router {
    let setup = console::Setup {
        allowed: Allowed::loopback(7420),
        now: Arc::new(|| Timestamp::ZERO),
        secret: Arc::new(secret),
        office: None,
        provider: Some(Arc::new(Unread)),
    };
    console::router(desk.clone(), office.clone(), setup).unwrap()
}

/// Asks the console; `more` is one header more.
pub(super) async fn ask(
    pages: &Router,
    how: (&str, &str),
    more: (&str, &str),
    body: &str,
) -> Response {
    let (method, path) = how;
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "localhost:7420").header(more.0, more.1);
    let request = request.header("origin", "http://localhost:7420");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    pages.clone().oneshot(request).await.unwrap()
}

/// The cookie of somebody who signed in.
pub(super) async fn signed_in(pages: &Router) -> String {
    let how = ("POST", "/sign-in");
    let said = ask(pages, how, ("x-nothing", ""), "token=token-person").await;
    assert_eq!(said.status().as_u16(), 303);
    let cookie = said.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn strangers_whom_the_console_refuses_take_no_line_from_whoever_is_signed_in() {
    let (app, lines) = (app(), Lines::default());
    let pages = pages(&app);
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    let (none, sign_in) = (("x-nothing", ""), ("POST", "/sign-in"));
    let cookie = signed_in(&pages).await;
    lines.taken();

    let begin = ("GET", "/sign-in/provider");
    let back = ("GET", "/sign-in/provider/back?state=x&code=x");
    for (how, more, body, status) in [
        (sign_in, none, "token=guess", 401),
        // A second Host.
        (("GET", "/"), ("host", "evil.example"), "", 403),
        (begin, ("sec-fetch-site", "cross-site"), "", 403),
        (begin, none, "", 503),
        (back, none, "", 401),
    ] {
        for _ in 0..70 {
            let said = ask(&pages, how, more, body).await;
            assert_eq!(said.status().as_u16(), status, "{how:?} {more:?}");
        }
    }
    let told = lines.taken();
    let refused = |line: &String| line.contains("refused somebody at the console");
    assert!(told.iter().all(refused), "{told:?}");
    assert_eq!(told.len(), 60, "a minute's worth of all strangers, whatever the code: {told:?}");

    app.office.busy.store(true, Ordering::SeqCst);
    let said = ask(&pages, ("GET", "/cases"), ("cookie", &cookie), "").await;
    assert_eq!(said.status().as_u16(), 503);
    let told = lines.taken();
    assert!(told.len() == 1 && told[0].contains("not_now"), "{told:?}");
}

#[tokio::test]
async fn the_address_of_a_form_says_so_to_whoever_types_it_and_nothing_more() {
    let (app, lines) = (app(), Lines::default());
    let pages = pages(&app);
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    for path in ["/sign-in", "/sign-out", "/file"] {
        let said = ask(&pages, ("GET", path), ("x-nothing", ""), "").await;
        assert_eq!(said.status().as_u16(), 405, "{path}");
        assert_eq!(said.headers()["allow"], "POST", "{path}");
        let bytes = said.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("this address only takes what a form sends"), "{path}: {text}");
        assert!(text.contains("href=\"/\"") && !text.contains("Sign out"), "{path}: {text}");
    }
    assert!(lines.taken().is_empty(), "whoever loads a page again is no news");
}

#[tokio::test]
async fn what_a_browser_reports_is_one_line_in_plain_letters_and_without_secrets() {
    let (app, lines) = (app(), Lines::default());
    let pages = pages(&app);
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    let report = r#"{ "csp-report": { "document-uri": "http://localhost:7420/cases/7?code=s3cret",
        "blocked-uri": "https://ann:s3cret@evil.example/s3cret?s3cret", "script-sample": "s3cret",
        "effective-directive": "img-src\u001b[2J\u202e" } }"#;
    let request = Request::builder().method("POST").uri("/csp-reports");
    let request = request.header("host", "localhost:7420").header("sec-fetch-site", "same-origin");
    let request = request.header("origin", "http://localhost:7420");
    let request = request.header("content-type", "application/csp-report");
    let said = pages.clone().oneshot(request.body(Body::from(report)).unwrap()).await.unwrap();
    assert_eq!(said.status().as_u16(), 204);
    let told = lines.taken();
    let [line] = &told[..] else { panic!("one line for one report: {told:?}") };
    for words in ["WARN", "\"img-src_[2J_\"", "\"https://evil.example\"", "\"/cases/7\""] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(!line.contains("s3cret") && line.chars().all(|c| (' '..='~').contains(&c)), "{line}");
}
