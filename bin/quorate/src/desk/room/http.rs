//! The HTTP door of a whole desk on real sockets: who is turned away, and certificates that change under load.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::*;
use crate::config::HttpConfig;
use crate::desk::mcp_door;

const ONE: [&str; 2] = [
    include_str!("../../../../../crates/host/tests/tls/one.crt"),
    include_str!("../../../../../crates/host/tests/tls/one.key"),
];
const TWO: [&str; 2] = [
    include_str!("../../../../../crates/host/tests/tls/two.crt"),
    include_str!("../../../../../crates/host/tests/tls/two.key"),
];
/// The name in both certificates.
const NAME: &str = "desk.test";

pub(super) async fn open(room: &Room, config: Value) -> Result<SocketAddr, quorate_host::Fault> {
    let config: HttpConfig = serde_json::from_value(config).unwrap();
    let folder = room.folder();
    let resolve = |path: &Path| folder.join(path);
    mcp_door::http((&config, None), resolve, room.answers.clone(), room.world.clone()).await
}

/// A request for the list of tools: its heads, all of which may be another's.
struct Asked<'a> {
    host: &'a str,
    origin: Option<&'a str>,
    authorization: Option<&'a str>,
    body: &'a str,
}

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
const OPEN: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#
);

impl Asked<'_> {
    /// The status and the whole text of the answer.
    async fn over(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> (u16, String) {
        self.in_session(None, stream).await
    }

    /// The same, in a session that was begun before.
    async fn in_session(
        &self,
        session: Option<&str>,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
    ) -> (u16, String) {
        let head = |name: &str, value: Option<&str>| {
            value.map(|value| format!("{name}: {value}\r\n")).unwrap_or_default()
        };
        let version = (self.body != OPEN).then_some("2025-11-25");
        let text = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\n{}{}{}{}accept: application/json, text/event-stream\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
            self.host,
            head("origin", self.origin),
            head("authorization", self.authorization),
            head("mcp-protocol-version", version),
            head("mcp-session-id", session),
            self.body.len(),
            self.body
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await.unwrap().unwrap();
        let said = String::from_utf8(said).unwrap();
        let status = said.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer: {said}")), said)
    }

    async fn at(&self, address: SocketAddr) -> (u16, String) {
        self.over(TcpStream::connect(address).await.unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_47_row_48_another_host_origin_or_token_gets_nowhere_on_a_real_socket() {
    let room = Room::new().await;
    let address =
        open(&room, json!({ "listen": "127.0.0.1:0", "origins": ["https://desk.example"] }));
    let address = address.await.unwrap();
    let host = address.to_string();
    let good = Some("Bearer trader");
    let evil = Some("https://evil.example");
    for (host, origin, authorization, status, code) in [
        (host.as_str(), None, good, 200, "get_balance"),
        (host.as_str(), Some("https://desk.example"), good, 200, "get_balance"),
        // A name that an attacker points at this machine, and no name: told before the token is looked at.
        ("evil.example", None, good, 403, "HOST_REFUSED"),
        ("evil.example", None, None, 403, "HOST_REFUSED"),
        ("127.0.0.1", None, good, 403, "HOST_REFUSED"),
        (host.as_str(), evil, good, 403, "ORIGIN_REFUSED"),
        (host.as_str(), Some("null"), good, 403, "ORIGIN_REFUSED"),
        (host.as_str(), Some("http://desk.example"), good, 403, "ORIGIN_REFUSED"),
        (host.as_str(), None, None, 401, "CREDENTIAL_MISSING"),
        (host.as_str(), None, Some("Bearer nobody"), 401, "CREDENTIAL_INVALID"),
        (host.as_str(), None, Some("Bearer trader2"), 401, "CREDENTIAL_INVALID"),
        (host.as_str(), None, Some("Basic dHJhZGVy"), 400, "CREDENTIAL_MALFORMED"),
        (host.as_str(), None, Some("Bearer"), 400, "CREDENTIAL_MALFORMED"),
    ] {
        let asked = Asked { host, origin, authorization, body: LIST };
        let (got, said) = asked.at(address).await;
        assert_eq!(got, status, "{host} {origin:?} {authorization:?}: {said}");
        assert!(said.contains(code), "{host} {origin:?} {authorization:?}: {said}");
        assert_eq!(status == 200, said.contains("get_balance"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_48_a_token_that_was_revoked_or_has_expired_gets_nowhere_at_once() {
    let room = Room::new().await;
    room.admit("other").await;
    let address = open(&room, json!({ "listen": "127.0.0.1:0" })).await.unwrap();
    let host = address.to_string();
    let ask = async |authorization: &str| {
        let authorization = Some(authorization);
        Asked { host: &host, origin: None, authorization, body: LIST }.at(address).await
    };
    assert_eq!((ask("Bearer trader").await.0, ask("Bearer other").await.0), (200, 200));
    let credential = room.caller("other").await.credential;
    room.administer(Action::RevokeCredential { credential }).await;
    let (status, said) = ask("Bearer other").await;
    assert!(status == 401 && said.contains("CREDENTIAL_INVALID"), "{said}");
    assert_eq!(ask("Bearer trader").await.0, 200);
    room.later(31 * 86_400);
    let (status, said) = ask("Bearer trader").await;
    assert!(status == 401 && said.contains("CREDENTIAL_INVALID"), "{said}");
    assert!(said.contains("www-authenticate: Bearer"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_one_credential_are_bounded_and_another_still_gets_one() {
    let room = Room::new().await;
    room.admit("other").await;
    let config = json!({ "listen": "127.0.0.1:0", "mode": "stateful" });
    let address = open(&room, config).await.unwrap();
    let host = address.to_string();
    let begin = async |authorization: &str| {
        let authorization = Some(authorization);
        Asked { host: &host, origin: None, authorization, body: OPEN }.at(address).await
    };
    let most = quorate_gateway::http::Limits::default().sessions_each;
    for number in 0..most {
        let (status, said) = begin("Bearer trader").await;
        assert!(status == 200 && said.contains("mcp-session-id"), "{number}: {said}");
    }
    let (status, said) = begin("Bearer trader").await;
    assert!(status == 429 && said.contains("TOO_MANY_SESSIONS"), "{said}");
    assert!(said.contains("retry-after"), "{said}");
    assert_eq!(begin("Bearer other").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_50_whoever_uses_another_s_session_is_refused_and_the_book_knows() {
    let room = Room::new().await;
    room.admit("other").await;
    let config = json!({ "listen": "127.0.0.1:0", "mode": "stateful" });
    let address = open(&room, config).await.unwrap();
    let host = address.to_string();
    let ask = async |authorization: &str, session: Option<&str>, body: &str| {
        let asked = Asked { host: &host, origin: None, authorization: Some(authorization), body };
        asked.in_session(session, TcpStream::connect(address).await.unwrap()).await
    };
    let (status, said) = ask("Bearer trader", None, OPEN).await;
    assert_eq!(status, 200, "{said}");
    let session = said.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap();
    let alerts = |book: &Book| {
        let open = book.alerts().filter(|(_, open)| open.rule == "foreign_session");
        open.map(|(_, open)| open.subject.clone()).collect::<Vec<_>>()
    };
    assert_eq!(room.world.engine.look(alerts).await.unwrap(), [""; 0]);
    let (status, said) = ask("Bearer other", Some(session), LIST).await;
    assert!(status == 403 && said.contains("SESSION_NOT_YOURS"), "{status} {said}");
    room.until(|book| book.alerts().any(|(_, open)| open.rule == "foreign_session")).await;
    let subjects = room.world.engine.look(alerts).await.unwrap();
    assert_eq!(subjects, ["cred-other used cred-trader's"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_49_a_token_travels_no_further_than_the_desk() {
    const CANARY: &str = "canary-5f1d8c27aa90";
    const CALL: &str = concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_balance","#,
        r#""arguments":{"address":"0x00000000000000000000000000000000000000bb","#,
        r#""chain":"eip155:31337"}}}"#
    );
    let room = Room::new().await;
    let mut reader = credential("reader", room.clock.now().plus_s(86_400));
    reader.token = Digest::of(quorate_terms::digest::tag::TOKEN, CANARY.as_bytes());
    room.administer(Action::IssueCredential { credential: reader }).await;
    let address = open(&room, json!({ "listen": "127.0.0.1:0" })).await.unwrap();
    let (host, token) = (address.to_string(), format!("Bearer {CANARY}"));
    let authorization = Some(token.as_str());
    let asked = Asked { host: &host, origin: None, authorization, body: CALL };
    let before = room.node.heard().len();
    let (status, said) = asked.at(address).await;
    assert_eq!(status, 200, "{said}");
    let heard = room.node.heard();
    let balance = heard[before..].iter().any(|one| one.contains("eth_getBalance"));
    assert!(balance, "the call went upstream: {said}");
    for one in &heard {
        let one = one.to_ascii_lowercase();
        assert!(!one.contains(CANARY) && !one.contains("authorization"), "{one}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_door_opens_beyond_this_machine_under_tls_only_and_says_which_port_is_taken() {
    let room = Room::founded().await;
    for listen in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0", "192.0.2.1:0"] {
        let told = open(&room, json!({ "listen": listen })).await.unwrap_err().to_string();
        assert!(told.contains("no TLS") && told.contains("certificate"), "{listen}: {told}");
    }
    for (config, part) in [
        (json!({ "listen": "7410" }), "127.0.0.1:7410"),
        (json!({ "listen": "127.0.0.1:0", "mode": "both" }), "stateful"),
        (json!({ "listen": "127.0.0.1:0", "bands": "admin" }), "band"),
        (json!({ "listen": "127.0.0.1:0", "certificate": "c.pem" }), "both"),
    ] {
        let told = open(&room, config).await.unwrap_err().to_string();
        assert!(told.contains(part), "{part}: {told}");
    }
    let taken = open(&room, json!({ "listen": "127.0.0.1:0" })).await.unwrap().to_string();
    let told = open(&room, json!({ "listen": taken })).await.unwrap_err().to_string();
    assert!(told.contains(&taken) && told.contains("desk.toml"), "{told}");
}

/// Puts a file there in one step, as programs that renew certificates do.
fn put(folder: &Path, name: &str, text: &str) {
    let beside = folder.join(format!("{name}.new"));
    std::fs::write(&beside, text).unwrap();
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(&beside, folder.join(name)).unwrap();
}

/// Asks over TLS; gives the status, and which certificate was shown.
async fn ask_tls(connector: &TlsConnector, address: SocketAddr) -> (u16, Vec<u8>) {
    let socket = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let stream = connector.connect(name, socket).await.unwrap();
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].as_ref().to_vec();
    let authorization = Some("Bearer trader");
    let asked = Asked { host: NAME, origin: None, authorization, body: LIST };
    (asked.over(stream).await.0, shown)
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A client that trusts both certificates and nothing else.
fn connector() -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    for [certificate, _] in [ONE, TWO] {
        roots.add(der(certificate)).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(client))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_62_a_certificate_is_renewed_under_load_without_a_failed_request() {
    let room = Room::new().await;
    let folder = room.folder();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let write = |[certificate, key]: [&str; 2]| {
        put(&folder, "door.crt", certificate);
        put(&folder, "door.key", key);
    };
    write(ONE);
    let listen = json!({ "listen": "127.0.0.1:0", "hosts": [NAME], "certificate": "door.crt", "key": "door.key" });
    let address = open(&room, listen).await.unwrap();
    let connector = connector();
    assert_eq!(ask_tls(&connector, address).await, (200, der(ONE[0]).to_vec()));
    // Clients that ask without a pause, as fast as the limit on one credential lets them: 429 is an answer too.
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let (connector, done) = (connector.clone(), Arc::clone(&done));
        clients.push(tokio::spawn(async move {
            let mut asked = 0_u32;
            while !done.load(Ordering::Relaxed) {
                let (status, _) = ask_tls(&connector, address).await;
                assert!(matches!(status, 200 | 429), "{status}");
                asked += 1;
            }
            asked
        }));
    }
    for [certificate, key] in [TWO, ONE, TWO] {
        put(&folder, "door.crt", certificate);
        // Half way the files are no pair, and the one before goes on being shown.
        let (_, shown) = ask_tls(&connector, address).await;
        assert_ne!(shown, der(certificate).to_vec());
        put(&folder, "door.key", key);
        let (_, shown) = ask_tls(&connector, address).await;
        assert_eq!(shown, der(certificate).to_vec());
    }
    put(&folder, "door.crt", "no certificate at all");
    assert_eq!(ask_tls(&connector, address).await.1, der(TWO[0]).to_vec());
    std::fs::remove_file(folder.join("door.key")).unwrap();
    assert_eq!(ask_tls(&connector, address).await.1, der(TWO[0]).to_vec());
    done.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.await.unwrap() > 0, "every client was served all the time");
    }
}
