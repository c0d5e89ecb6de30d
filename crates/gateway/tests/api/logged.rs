//! What the log is told of somebody who was turned away: that, and from where; never what they showed, and not without end.

use std::fmt::{Debug, Write as _};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use quorate_gateway::errors::{Code, Complaint};
use quorate_gateway::tokens::{How, Proven, ReadTokens, Vouched};
use quorate_terms::Digest;
use quorate_web::Peer;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;

/// The lines, as text.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// Those that were told since they were last taken.
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("quorate")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(event.metadata().level().to_string());
        event.record(&mut words);
        self.0.lock().unwrap().push(words.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

const PEER: [u8; 4] = [192, 0, 2, 7];

async fn ask(app: &App, token: Option<&str>, path: &str, host: &str) -> String {
    let mut request = Request::builder().method("POST").uri(path).header("host", host);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(IpAddr::from(PEER)));
    let said = app.send(request).await;
    said.body["requestId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_bad_token_is_told_with_its_door_and_from_where_and_never_in_words() {
    let (app, lines) = (app(), Lines::default());
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    let here = "127.0.0.1:3000";
    for (token, path, host, door, code) in [
        (Some("s3cret"), "/api/v1/me", here, "api", "CREDENTIAL_INVALID"),
        (Some("s3cret s3cret"), "/api/v1/me", here, "api", "CREDENTIAL_MALFORMED"),
        (None, "/api/v1/cases", here, "api", "CREDENTIAL_MISSING"),
        (Some("s3cret"), "/mcp", here, "mcp", "CREDENTIAL_INVALID"),
        (Some("s3cret"), "/mcp", "evil.example", "http", "HOST_REFUSED"),
    ] {
        let request = ask(&app, token, path, host).await;
        let told = std::mem::take(&mut *lines.0.lock().unwrap());
        let [line] = &told[..] else { panic!("one line for one refusal: {told:?}") };
        for words in ["WARN", &request, code, &format!("door=\"{door}\""), "192.0.2.7"] {
            assert!(line.contains(words), "{words}: {line}");
        }
        assert!(!line.contains("s3cret") && !line.contains("evil"), "{line}");
    }
}

/// Whoever reads access tokens while nobody gave them keys.
struct Keyless;

#[async_trait]
impl ReadTokens for Keyless {
    fn issuer(&self) -> &str {
        "https://as.example"
    }

    fn proof_algorithms(&self) -> &[&'static str] {
        &["ES256"]
    }

    fn demands_proof(&self) -> bool {
        false
    }

    async fn read(&self, _: &str, _: &str, _: How<'_>) -> Result<Vouched, Complaint> {
        Err(Complaint::new(Code::DeskUnavailable, "the keys cannot be had; ask again later"))
    }

    fn spend(&self, _: Digest, _: Proven) -> Result<(), Complaint> {
        panic!("nobody is known, so nothing is spent")
    }
}

#[tokio::test]
async fn a_message_that_is_refused_is_told_under_the_request_id_of_its_answer() {
    let (app, lines) = (app(), Lines::default());
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    for body in ["", "no message", r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#] {
        let request = Request::post("/mcp").header("host", "127.0.0.1:3000");
        let request = request.header("authorization", "Bearer token-read");
        let request = request.header("content-type", "application/json");
        let said = app.send(request.body(Body::from(body)).unwrap()).await;
        let data = &said.body["error"]["data"];
        assert_eq!((said.status, data["code"].as_str()), (400, Some("MALFORMED_MESSAGE")));
        let told = std::mem::take(&mut *lines.0.lock().unwrap());
        let [line] = &told[..] else { panic!("one line for one refusal: {told:?}") };
        for words in ["INFO", data["requestId"].as_str().unwrap(), "MALFORMED_MESSAGE"] {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
}

#[tokio::test]
async fn what_anybody_can_cause_is_told_as_a_strangers_whatever_its_code_and_no_path_at_all() {
    let (desk, office) = (Arc::new(FakeDesk::default()), Arc::new(FakeOffice::default()));
    let setup = Setup { tokens: Some(Arc::new(Keyless)), ..setup(Rate::default()) };
    let (as_desk, as_office): (Arc<dyn Desk>, Arc<dyn Office>) = (desk.clone(), office.clone());
    let router = router(as_desk, as_office, Band::Broadcast, setup).unwrap();
    let (app, lines) = (App { router, desk, office }, Lines::default());
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    for path in ["/", "/nothing", "/api", "/mcp/nothing"] {
        assert!(!ask(&app, None, path, "127.0.0.1:3000").await.is_empty(), "{path}");
    }
    assert!(lines.0.lock().unwrap().is_empty(), "anybody finds nothing, and nobody is told");
    for number in 0..150 {
        for path in ["/api/v1/me", "/mcp"] {
            ask(&app, Some(&format!("guess{number}.a.b")), path, "127.0.0.1:3000").await;
        }
    }
    let told = std::mem::take(&mut *lines.0.lock().unwrap());
    assert_eq!(told.len(), 60, "a minute's worth, whatever the code: {told:?}");
    for words in ["WARN", "DESK_UNAVAILABLE", "192.0.2.7"] {
        assert!(told.iter().all(|line| line.contains(words)), "{words}: {told:?}");
    }
}

#[tokio::test]
async fn a_credential_that_is_refused_without_end_is_told_by_its_name_and_in_some_lines() {
    let rate = Rate { per_minute: 60, burst: 2, in_flight: 4, streams: 1 };
    let (app, lines) = (app_with(rate), Lines::default());
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    // A person's, which opens no MCP.
    for _ in 0..300 {
        ask(&app, Some("token-person"), "/mcp", "127.0.0.1:3000").await;
    }
    let told = lines.taken();
    let told_of = |words: &str| told.iter().filter(|line| line.contains(words)).count();
    assert_eq!(told_of("CREDENTIAL_INVALID"), 2, "as often as it may ask: {told:?}");
    // And then a minute's worth, each under its request and beside the credential's name.
    assert_eq!(told_of("credential=person"), 60, "{told:?}");
    assert_eq!((told_of("RATE_LIMITED"), told.len()), (120, 122), "{told:?}");
}

#[tokio::test]
async fn a_flood_of_bad_tokens_is_told_in_some_lines_and_those_who_are_known_in_their_own() {
    let (app, lines) = (app(), Lines::default());
    let _while_this_runs = tracing::subscriber::set_default(lines.clone());
    for number in 0..300 {
        ask(&app, Some(&format!("guess{number}")), "/api/v1/me", "127.0.0.1:3000").await;
    }
    let told = std::mem::take(&mut *lines.0.lock().unwrap());
    assert_eq!(told.len(), 60, "a minute's worth, and this clock stands still");
    assert!(!told.iter().any(|line| line.contains("guess")));
    app.get("viewer", "/entries").await.check(403, "ROLE_TOO_LOW");
    let told = lines.0.lock().unwrap();
    assert!(told.len() == 1 && told[0].contains("ROLE_TOO_LOW"), "{told:?}");
}
