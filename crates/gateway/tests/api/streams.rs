//! The streams of open pages: silent while nothing changes, and one word for each change. The clock is stopped, and runs as
//! far as whoever waits needs it.

use std::collections::BTreeMap;

use quorate_gateway::office::{CosignerView, StatusView};
use quorate_terms::charter::CharterText;
use quorate_terms::{Digest, Timestamp};
use tokio::time::timeout;

use super::pages::{ask, pages, signed_in};
use super::{App, Body, BodyExt, Duration, app, json};

/// How long nothing happens.
const LONG: Duration = Duration::from_hours(1);

fn cosigner(up: bool) -> CosignerView {
    let cosigner = "east".to_owned();
    CosignerView { cosigner, up, size: Some(3), clock_offset_ms: None, trouble: None }
}

fn charter() -> CharterText {
    let key = "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let policy = json!({
        "v": 1, "vault": "demo", "version": 1, "previous": null, "zone": "UTC", "currency": "USD",
        "assets": [], "rules": [], "quorums": [], "budgets": [], "addresses": { "wait_s": 1, "deny": [] },
        "administration": { "wallets": "two", "credentials": "two", "addresses": "two" },
        "limits": {
            "open_cases": 1, "pending_reservations": 1, "case_ttl_s": 1, "approval_ttl_s": 1, "fact_age_s": 1,
        },
    });
    let charter = json!({
        "v": 1, "vault": "demo", "version": 1, "previous": null, "threshold": 2, "cosigners": [],
        "approvers": [], "views": [], "governance": { "name": "two", "m": 1, "members": ["ann"] },
        "log": { "origin": "demo.example/log", "key": key, "identity": key }, "sources": [],
        "change_delay_s": 1, "finality_depth": 2, "policy": policy,
    });
    serde_json::from_value(charter).unwrap()
}

fn status(size: u64, up: bool) -> StatusView {
    let charter_text = charter();
    StatusView {
        vault: "demo".into(),
        charter: Digest::ZERO,
        policy: (Digest::ZERO, 1),
        policy_document: charter_text.policy.clone(),
        charter_text,
        size,
        checkpoint: None,
        cosigners: vec![cosigner(up)],
        chains: BTreeMap::new(),
        wallets: vec![],
        freezes: BTreeMap::new(),
        voids: vec![],
        open_cases: 0,
        now: Timestamp::ZERO,
        writes: true,
        alerts: vec![],
        credentials: vec![],
    }
}

/// So many entries beyond the three, and whether the cosigner is up.
fn stands(app: &App, more: u64, up: bool) {
    *app.office.status.lock().unwrap() = Some(status(more.saturating_add(3), up));
    app.office.more.send_replace(more);
}

/// Reads a stream until it tells of a change.
async fn told(stream: &mut Body) {
    loop {
        let frame = stream.frame().await.expect("it stays open").unwrap().into_data().unwrap();
        let text = String::from_utf8_lossy(&frame).into_owned();
        if text.contains("event: changed") {
            return;
        }
        assert_eq!(text.trim(), ":", "nothing else is said");
    }
}

async fn is_silent(stream: &mut Body) -> bool {
    timeout(LONG, told(stream)).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_silent_while_nothing_changes_and_tells_each_change_once() {
    let app = app();
    stands(&app, 0, true);
    let pages = pages(&app);
    let cookie = signed_in(&pages).await;
    for path in ["/events", "/events/cosigners"] {
        stands(&app, 0, true);
        let stream = ask(&pages, ("GET", path), ("cookie", &cookie), "").await;
        assert_eq!(stream.status().as_u16(), 200, "{path}");
        let mut stream = stream.into_body();
        assert!(is_silent(&mut stream).await, "{path}: nothing happened");
        stands(&app, 1, true);
        told(&mut stream).await;
        // That a cosigner has not followed yet is to be seen too, where cosigners are.
        if path == "/events/cosigners" {
            told(&mut stream).await;
        }
        assert!(is_silent(&mut stream).await, "{path}: nothing happened since");
        stands(&app, 1, false);
        assert_eq!(is_silent(&mut stream).await, path == "/events", "{path}: a cosigner went");
    }
}
