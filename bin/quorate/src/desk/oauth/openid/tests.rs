//! A provider on loopback that keeps to the protocol but for what a test has it say. Another one, of somebody else's, stands in
//! the step `api`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use quorate_host::SystemClock;
use serde_json::{Value, json};

use super::super::tests::{Server, b64};
use super::*;

const CLIENT: &str = "quorate console";
const SECRET: &str = "a secret: 100% of it";
const CODE: &str = "the code";

/// A change to what an identity token says; `header.` changes its header.
pub(in crate::desk) type Change = (&'static str, Value);

/// The provider, and whom it would speak of.
pub(in crate::desk) struct Loopback {
    pub(in crate::desk) issuer: String,
    server: Server,
    subject: Mutex<String>,
    changes: Mutex<Vec<Change>>,
    /// Where it says that people sign out.
    out: Mutex<Option<String>>,
    /// What the browser was sent with.
    asked: Mutex<BTreeMap<String, String>>,
    _room: tempfile::TempDir,
    secret: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Loopback {
    pub(in crate::desk) async fn start(subject: &str) -> Arc<Self> {
        Self::start_at(subject, SystemClock::shared()).await
    }

    pub(in crate::desk) async fn start_at(subject: &str, clock: Arc<dyn Clock>) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let room = tempfile::tempdir().unwrap();
        std::fs::set_permissions(room.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let secret = room.path().join("secret");
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let provider = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            server: Server::new(3),
            subject: Mutex::new(subject.to_owned()),
            changes: Mutex::default(),
            out: Mutex::default(),
            asked: Mutex::default(),
            _room: room,
            secret,
            clock,
        });
        let (described, keys) = (Arc::clone(&provider), provider.server.jwks());
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || async move { axum::Json(described.described()) }),
            )
            .route("/keys", get(move || async move { axum::Json(keys) }))
            .route("/token", post(given))
            .with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn described(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut said = json!({
            "issuer": self.issuer, "jwks_uri": at("/keys"), "token_endpoint": at("/token"),
            "authorization_endpoint": at("/auth?tenant=1"),
        });
        if let Some(out) = self.out.lock().unwrap().as_deref() {
            said["end_session_endpoint"] = json!(out);
        }
        said
    }

    pub(in crate::desk) fn config(&self) -> OpenidConfig {
        let (issuer, client) = (self.issuer.clone(), CLIENT.to_owned());
        OpenidConfig { issuer, client, secret: self.secret.clone(), signed_out: None }
    }

    pub(in crate::desk) fn speaks_of(&self, subject: &str) {
        subject.clone_into(&mut self.subject.lock().unwrap());
    }

    pub(in crate::desk) fn signs_out_at(&self, url: &str) {
        *self.out.lock().unwrap() = Some(url.to_owned());
    }

    pub(in crate::desk) fn says(&self, changes: Vec<Change>) {
        *self.changes.lock().unwrap() = changes;
    }

    /// What the provider sends a browser back with that came under this address.
    pub(in crate::desk) fn signed_in(&self, address: &str) -> String {
        let url = Url::parse(address).unwrap();
        let said: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        for (name, value) in [
            ("tenant", "1"),
            ("response_type", "code"),
            ("scope", "openid"),
            ("client_id", CLIENT),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(said.get(name).map(String::as_str), Some(value), "{address}");
        }
        let back = format!(
            "{}?{}",
            said["redirect_uri"],
            form(&[("code", CODE), ("state", &said["state"]), ("iss", &self.issuer),])
        );
        *self.asked.lock().unwrap() = said;
        back
    }

    /// The identity token for what was asked, with the changes of the test.
    fn id_token(&self) -> String {
        let now = self.clock.now().as_millis() / 1000;
        let mut header = json!({ "alg": "EdDSA", "kid": "ed", "typ": "JWT" });
        let mut claims = json!({
            "iss": self.issuer, "sub": *self.subject.lock().unwrap(), "aud": CLIENT,
            "iat": now, "exp": now.saturating_add(300), "nonce": self.asked.lock().unwrap()["nonce"],
        });
        for (name, value) in self.changes.lock().unwrap().iter() {
            match name.strip_prefix("header.") {
                Some(name) => header[name] = value.clone(),
                None if value.is_null() => drop(claims.as_object_mut().unwrap().remove(*name)),
                None => claims[*name] = value.clone(),
            }
        }
        self.server.signed(&header, &claims)
    }
}

/// RFC 6749 section 4.1.3 and RFC 7636 section 4.6: the client, the code, where it went, and the verifier of its challenge.
async fn given(
    State(provider): State<Arc<Loopback>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let pair = "quorate+console:a+secret%3A+100%25+of+it";
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let asked = provider.asked.lock().unwrap().clone();
    let challenge = Digest::sha256(form["code_verifier"].as_bytes());
    let holds = headers["authorization"] == basic.as_str()
        && form["grant_type"] == "authorization_code"
        && form["code"] == CODE
        && asked.get("redirect_uri") == form.get("redirect_uri")
        && asked.get("code_challenge") == Some(&b64(challenge.as_bytes()));
    if !holds {
        return (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": "invalid_grant" })))
            .into_response();
    }
    let given =
        json!({ "access_token": "x", "token_type": "Bearer", "id_token": provider.id_token() });
    axum::Json(given).into_response()
}

fn bound(verifier: &str) -> Bound {
    Bound {
        state: "s".into(),
        nonce: "n".into(),
        verifier: verifier.into(),
        redirect: "https://console.example/sign-in/provider/back".into(),
    }
}

async fn openid(provider: &Loopback) -> Openid {
    Openid::start(&provider.config(), Path::to_path_buf, SystemClock::shared()).await.unwrap()
}

#[tokio::test]
async fn an_identity_token_for_this_console_and_this_sign_in_says_who_it_is() {
    let provider = Loopback::start("vera").await;
    let openid = openid(&provider).await;
    let bound = bound("a verifier");
    provider.signed_in(&openid.address(&bound).await.unwrap());
    for changes in [
        vec![],
        vec![("aud", json!([CLIENT]))],
        vec![("azp", json!(CLIENT))],
        vec![("header.alg", json!("RS256")), ("header.kid", json!("rsa"))],
        vec![("header.alg", json!("ES256")), ("header.kid", json!("ec"))],
    ] {
        provider.says(changes);
        let who = openid.identify(CODE, &bound).await.unwrap();
        assert_eq!(who.subject, subject_digest(&provider.issuer, "vera").unwrap());
        assert_eq!(who.named, format!("{}#vera", provider.issuer));
    }
}

#[tokio::test]
async fn an_identity_token_of_another_sign_in_client_issuer_or_time_is_refused() {
    let provider = Loopback::start("vera").await;
    let openid = openid(&provider).await;
    let bound = bound("a verifier");
    provider.signed_in(&openid.address(&bound).await.unwrap());
    let now = SystemClock::new().now().as_millis() / 1000;
    for (name, value, word) in [
        ("nonce", json!("of another"), "another sign-in"),
        ("nonce", Value::Null, "no identity token"),
        ("aud", json!("another"), "for this console alone"),
        ("aud", json!([CLIENT, "another"]), "for this console alone"),
        ("azp", json!("another"), "for this console alone"),
        ("iss", json!("https://evil.example"), "another issuer"),
        ("exp", json!(now.saturating_sub(60)), "expired"),
        ("iat", json!(now.saturating_sub(700)), "expired"),
        ("iat", json!(now.saturating_add(120)), "clocks"),
        ("sub", json!(""), "no identity token"),
        ("sub", Value::Null, "no identity token"),
        ("header.typ", json!("at+jwt"), "no identity token"),
        ("header.alg", json!("HS256"), "is not signed with"),
        ("header.alg", json!("none"), "no identity token"),
        ("header.kid", json!("nobody"), "names no key"),
        ("header.kid", json!("ec"), "is not signed with"),
        ("header.crit", json!(["exp"]), "no identity token"),
    ] {
        provider.says(vec![(name, value.clone())]);
        let no = openid.identify(CODE, &bound).await.unwrap_err();
        assert!(no.message.contains(word), "{name} {value}: {}", no.message);
        assert_eq!(no.code.as_str(), "not_vouched", "{name} {value}");
    }
}

#[tokio::test]
async fn a_code_of_another_sign_in_of_another_client_or_of_nobody_is_refused() {
    let provider = Loopback::start("vera").await;
    let openid = openid(&provider).await;
    let own = bound("a verifier");
    provider.signed_in(&openid.address(&own).await.unwrap());
    let elsewhere = Bound { redirect: "https://evil.example/back".into(), ..bound("a verifier") };
    let long = "c".repeat(CODE_BYTES_MAX + 1);
    for (code, bound) in [
        ("another code", &own),
        (CODE, &bound("another verifier")),
        (CODE, &elsewhere),
        (&long, &own),
    ] {
        let no = openid.identify(code, bound).await.unwrap_err();
        assert_eq!(no.code.as_str(), "not_vouched", "{code:.20}");
        assert!(!no.message.contains(SECRET) && !no.next.contains(SECRET));
    }
    let other = OpenidConfig { client: "another".into(), ..provider.config() };
    let other = Openid::start(&other, Path::to_path_buf, SystemClock::shared()).await.unwrap();
    assert_eq!(other.identify(CODE, &own).await.unwrap_err().code.as_str(), "not_vouched");
}

#[tokio::test]
async fn people_are_sent_to_sign_out_at_the_provider_under_tls_or_on_loopback_and_nowhere_else() {
    let provider = Loopback::start("vera").await;
    assert_eq!(openid(&provider).await.farewell().await, None, "it names no such place");
    for place in [
        "http://login.example/out",
        "https://ann:pass@login.example/out",
        "ftp://login.example/out",
        "javascript:alert(1)",
        "data:text/html,out",
        "file:///out",
        "//login.example/out",
        "/out",
        "",
    ] {
        provider.signs_out_at(place);
        let openid = openid(&provider).await;
        assert_eq!(openid.farewell().await, None, "{place}");
        assert!(openid.address(&bound("a verifier")).await.is_ok(), "{place}: they sign in");
    }
    for (place, sent) in [
        ("https://login.example/out", "https://login.example/out?client_id=quorate+console"),
        ("https://login.example/?a=b", "https://login.example/?a=b&client_id=quorate+console"),
        ("http://127.0.0.1:9/out", "http://127.0.0.1:9/out?client_id=quorate+console"),
    ] {
        provider.signs_out_at(place);
        assert_eq!(openid(&provider).await.farewell().await.as_deref(), Some(sent), "{place}");
    }
}

#[tokio::test]
async fn a_browser_comes_back_from_signing_out_only_to_where_the_configuration_says() {
    let provider = Loopback::start("vera").await;
    provider.signs_out_at("https://login.example/out");
    let start = async |back: &str| {
        let config = OpenidConfig { signed_out: Some(back.to_owned()), ..provider.config() };
        Openid::start(&config, Path::to_path_buf, SystemClock::shared()).await
    };
    let sent = start("https://console.example/").await.unwrap().farewell().await.unwrap();
    let expected =
        "client_id=quorate+console&post_logout_redirect_uri=https%3A%2F%2Fconsole.example%2F";
    assert!(sent.ends_with(expected), "{sent}");
    for back in ["http://console.example/", "javascript:alert(1)", "console.example", "/", ""] {
        let told = start(back).await.err().unwrap().to_string();
        assert!(told.contains("console.openid.signed_out"), "{back}: {told}");
    }
}

#[tokio::test]
async fn strangers_who_bring_codes_keep_few_of_the_providers_places() {
    let provider = Loopback::start("vera").await;
    let openid = openid(&provider).await;
    let _all = openid.places.acquire_many(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
    let no = openid.identify(CODE, &bound("a verifier")).await.unwrap_err();
    assert_eq!(no.code.as_str(), "not_now");
}

#[tokio::test]
async fn an_issuer_off_tls_a_nameless_client_and_an_open_secret_stop_the_start() {
    let provider = Loopback::start("vera").await;
    let start = async |config: OpenidConfig| {
        Openid::start(&config, Path::to_path_buf, SystemClock::shared())
            .await
            .err()
            .unwrap()
            .to_string()
    };
    for issuer in ["http://login.example", "login.example", "https://a:b@login.example"] {
        let told = start(OpenidConfig { issuer: issuer.into(), ..provider.config() }).await;
        assert!(told.contains("console.openid.issuer"), "{told}");
    }
    let told = start(OpenidConfig { client: String::new(), ..provider.config() }).await;
    assert!(told.contains("console.openid.client"), "{told}");
    std::fs::set_permissions(&provider.secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = start(provider.config()).await;
    assert!(told.contains("chmod 600") && !told.contains(SECRET), "{told}");
    std::fs::set_permissions(&provider.secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&provider.secret, "\n").unwrap();
    assert!(start(provider.config()).await.contains("holds no secret"));
}

#[tokio::test]
async fn a_provider_that_is_away_lets_nobody_in_and_the_desk_starts() {
    let config =
        OpenidConfig { issuer: "http://127.0.0.1:1".into(), ..Loopback::start("v").await.config() };
    let secret = Loopback::start("vera").await;
    let config = OpenidConfig { secret: secret.secret.clone(), ..config };
    let openid = Openid::start(&config, Path::to_path_buf, SystemClock::shared()).await.unwrap();
    let bound = bound("a verifier");
    assert_eq!(openid.address(&bound).await.unwrap_err().code.as_str(), "not_now");
    assert_eq!(openid.identify(CODE, &bound).await.unwrap_err().code.as_str(), "not_now");
}

proptest::proptest! {
    // Each of them asks a server of its own.
    #![proptest_config(proptest::test_runner::Config::with_cases(32))]

    #[test]
    fn reading_an_identity_token_or_a_form_never_panics(
        text in "\\PC{0,64}",
        nonce in "\\PC{0,8}",
        claims in proptest::collection::btree_map("(iss|sub|aud|exp|iat|nonce|azp)", "\\PC{0,8}", 0..7),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let is_refused = runtime.block_on(async {
            let provider = Loopback::start("vera").await;
            let openid = openid(&provider).await;
            let header = json!({ "alg": "EdDSA", "kid": "ed" });
            let signed = provider.server.signed(&header, &json!(claims));
            openid.vouched(&text, &nonce).await.is_err() && openid.vouched(&signed, &nonce).await.is_err()
        });
        proptest::prop_assert!(is_refused);
        let pairs = form(&[("text", &text)]);
        let read = Url::parse(&format!("form:?{pairs}")).unwrap();
        let back = read.query_pairs().next().map(|(_, value)| value.into_owned());
        proptest::prop_assert_eq!(back, Some(text));
    }
}
