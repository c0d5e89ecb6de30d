//! A real server on loopback that says what the test has it say, and a clock that the test turns.

use std::sync::Mutex as Standing;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::*;

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// What the server answers with, and how often it was asked.
struct Says {
    issuer: String,
    metadata: Standing<Value>,
    keys: Standing<(u16, String)>,
    asked: AtomicUsize,
    /// While it is set, nobody gets an answer about keys until they are told to go on.
    slow: Standing<Option<Arc<Notify>>>,
}

impl Says {
    async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let says = Arc::new(Self {
            issuer,
            metadata: Standing::new(metadata),
            keys: Standing::new((200, jwks(&["a"]))),
            asked: AtomicUsize::new(0),
            slow: Standing::new(None),
        });
        let describe =
            async |State(says): State<Arc<Self>>| axum::Json(says.metadata.lock().unwrap().clone());
        let router = Router::new().route(METADATA, get(describe)).route("/keys", get(said));
        let router = router.with_state(Arc::clone(&says));
        tokio::spawn(async move { axum::serve(listener, router).await });
        says
    }

    async fn keys(&self) -> Arc<Keys> {
        Keys::start(&self.issuer, None).await.unwrap()
    }

    fn now_says(&self, status: u16, keys: String) {
        *self.keys.lock().unwrap() = (status, keys);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Lets the tasks run until it was asked so often and the answer is kept.
    async fn until_asked(&self, times: usize, keys: &Keys) {
        while self.asked() < times {
            tokio::task::yield_now().await;
        }
        drop(keys.asked.lock().await);
    }
}

async fn said(State(says): State<Arc<Says>>) -> (StatusCode, String) {
    let (status, text) = says.keys.lock().unwrap().clone();
    let slow = says.slow.lock().unwrap().clone();
    says.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(slow) = slow {
        slow.notified().await;
    }
    (StatusCode::from_u16(status).unwrap(), text)
}

/// Keys of these names.
fn jwks(names: &[&str]) -> String {
    // The public key of RFC 8037, appendix A.2.
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let keys =
        names.iter().map(|kid| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x }));
    json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
}

async fn find(keys: &Arc<Keys>, name: &str) -> Result<(), NoKey> {
    keys.find(name, Algorithm::EdDSA).await.map(drop)
}

/// Turns the clock, which runs on while the server is spoken to: a stopped one would jump to the end of every patience.
async fn later(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn metadata_of_another_issuer_gives_no_keys() {
    let says = Says::start().await;
    for (field, value) in [
        ("issuer", json!("https://evil.example")),
        ("issuer", json!(format!("{}/", says.issuer))),
        ("issuer", Value::Null),
        ("jwks_uri", json!("http://evil.example/keys")),
        ("jwks_uri", json!("file:///etc/passwd")),
    ] {
        let good = says.metadata.lock().unwrap().clone();
        says.metadata.lock().unwrap()[field] = value.clone();
        let keys = says.keys().await;
        assert_eq!(find(&keys, "a").await, Err(NoKey::Unavailable), "{field} {value}");
        *says.metadata.lock().unwrap() = good;
    }
    assert_eq!(says.asked(), 0, "nobody's keys were looked at");
    assert_eq!(find(&says.keys().await, "a").await, Ok(()));
}

#[tokio::test]
async fn the_server_is_asked_once_a_minute_whoever_asks_and_the_start_counts() {
    let says = Says::start().await;
    let keys = says.keys().await;
    for _ in 0..20 {
        assert_eq!(find(&keys, "nobody").await, Err(NoKey::Unknown));
    }
    assert_eq!(says.asked(), 1, "by the start alone");
    later(PAUSE).await;
    for _ in 0..20 {
        assert_eq!(find(&keys, "nobody").await, Err(NoKey::Unknown));
    }
    assert_eq!(says.asked(), 2);
}

#[tokio::test]
async fn a_rotated_key_is_known_at_once_and_the_one_before_no_more() {
    let says = Says::start().await;
    let keys = says.keys().await;
    says.now_says(200, jwks(&["b"]));
    later(PAUSE).await;
    assert_eq!((find(&keys, "a").await, says.asked()), (Ok(()), 1), "nothing asked it to look");
    assert_eq!(find(&keys, "b").await, Ok(()));
    assert_eq!(find(&keys, "a").await, Err(NoKey::Unknown));
}

#[tokio::test]
async fn keys_are_asked_for_every_hour_and_nobody_waits_for_that() {
    let says = Says::start().await;
    let keys = says.keys().await;
    let slow = Arc::new(Notify::new());
    *says.slow.lock().unwrap() = Some(Arc::clone(&slow));
    says.now_says(200, jwks(&["b"]));
    tokio::task::yield_now().await;
    later(FRESH).await;
    // The server has been asked and is silent; what is known holds meanwhile.
    while says.asked() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(find(&keys, "a").await, Ok(()));
    slow.notify_one();
    says.until_asked(2, &keys).await;
    assert_eq!((find(&keys, "b").await, says.asked()), (Ok(()), 2));
}

#[tokio::test]
async fn whoever_hangs_up_does_not_stop_the_asking() {
    let says = Says::start().await;
    let keys = says.keys().await;
    let slow = Arc::new(Notify::new());
    *says.slow.lock().unwrap() = Some(Arc::clone(&slow));
    says.now_says(200, jwks(&["a", "b"]));
    later(PAUSE).await;
    let asking = tokio::spawn({
        let keys = Arc::clone(&keys);
        async move { find(&keys, "b").await }
    });
    while says.asked() < 2 {
        tokio::task::yield_now().await;
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    slow.notify_one();
    drop(keys.asked.lock().await);
    assert_eq!((find(&keys, "b").await, says.asked()), (Ok(()), 2));
}

#[tokio::test]
async fn keys_that_cannot_be_asked_for_again_hold_for_a_day() {
    let says = Says::start().await;
    let keys = says.keys().await;
    says.now_says(503, String::new());
    tokio::task::yield_now().await;
    later(FRESH).await;
    says.until_asked(2, &keys).await;
    assert_eq!(find(&keys, "a").await, Ok(()));
    later(STALE.checked_sub(FRESH).unwrap() - Duration::from_secs(30)).await;
    says.until_asked(3, &keys).await;
    assert_eq!(find(&keys, "a").await, Ok(()), "nearly a day");
    later(Duration::from_mins(2)).await;
    assert_eq!(find(&keys, "a").await, Err(NoKey::Unavailable));
    says.now_says(200, jwks(&["a"]));
    later(PAUSE).await;
    assert_eq!(find(&keys, "a").await, Ok(()), "it came back");
}

#[tokio::test]
async fn an_answer_without_a_usable_key_withdraws_those_before_and_no_answer_does_not() {
    let one = serde_json::from_str::<Value>(&jwks(&["a"])).unwrap()["keys"][0].clone();
    let many: Vec<_> = (0..=KEYS_MAX).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for (status, text, expected) in [
        (200, json!({ "keys": [] }).to_string(), Err(NoKey::Unknown)),
        (
            200,
            json!({ "keys": [{ "kty": "oct", "kid": "a", "k": "AAAA" }] }).to_string(),
            Err(NoKey::Unknown),
        ),
        (200, json!({ "keys": [one, one] }).to_string(), Err(NoKey::Unknown)),
        (200, jwks(&many), Err(NoKey::Unknown)),
        (200, "<html>busy</html>".to_owned(), Ok(())),
        (200, format!("{}{}", jwks(&["b"]), " ".repeat(BYTES_MAX)), Ok(())),
        (500, json!({ "keys": [] }).to_string(), Ok(())),
        (302, json!({ "keys": [] }).to_string(), Ok(())),
    ] {
        let says = Says::start().await;
        let keys = says.keys().await;
        says.now_says(status, text.clone());
        later(PAUSE).await;
        assert!(find(&keys, "b").await.is_err());
        assert_eq!(says.asked(), 2);
        assert_eq!(find(&keys, "a").await, expected, "{status} {text:.60}");
    }
}

#[tokio::test]
async fn an_answer_up_to_its_bound_is_read_and_a_longer_one_is_not() {
    for (more, expected) in [(0, Ok(())), (1, Err(NoKey::Unavailable))] {
        let says = Says::start().await;
        let text = jwks(&["a"]);
        let padding = " ".repeat(BYTES_MAX - text.len() + more);
        says.now_says(200, format!("{text}{padding}"));
        assert_eq!(find(&says.keys().await, "a").await, expected, "{more}");
    }
}
