//! The office's pages beyond this machine: TLS whose certificate is renewed under it, and proxies that are named.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};

use super::room::Room;
use super::vault::Vault;

const ONE: [&str; 2] = [
    include_str!("../../../../crates/host/tests/tls/one.crt"),
    include_str!("../../../../crates/host/tests/tls/one.key"),
];
const TWO: [&str; 2] = [
    include_str!("../../../../crates/host/tests/tls/two.crt"),
    include_str!("../../../../crates/host/tests/tls/two.key"),
];
/// The name in both certificates, and what people type.
const NAME: &str = "desk.test";
const ORIGIN: &str = "https://desk.test";

fn room() -> Room {
    Room::pinned(&Vault::found("house"))
}

/// Puts a pair there in one step each, as programs that renew certificates do.
fn put(dir: &Path, pair: [&str; 2]) -> [String; 2] {
    let one = |(name, text): (&str, &str)| {
        std::fs::write(dir.join("new"), text).unwrap();
        std::fs::set_permissions(dir.join("new"), PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::rename(dir.join("new"), dir.join(name)).unwrap();
        dir.join(name).display().to_string()
    };
    [one(("office.crt", pair[0])), one(("office.key", pair[1]))]
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
    folder
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn at(said: &serde_json::Value) -> String {
    let listens = said["listens"].as_str().unwrap();
    format!("127.0.0.1:{}", listens.rsplit_once(':').unwrap().1)
}

/// Asks in plain text; gives whatever is said, perhaps nothing.
fn ask(at: &str, what: &str, heads: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    let mut said = Vec::new();
    // A connection that is not taken is closed while it is written to or read from.
    let _sent = stream.write_all(written(what, heads, body).as_bytes());
    let _closed = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

fn written(what: &str, heads: &str, body: &str) -> String {
    let length = body.len();
    let kind = "content-type: application/x-www-form-urlencoded";
    format!(
        "{what} HTTP/1.1\r\n{heads}{kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// The cookie that an answer sets: for a secure channel alone, and as a browser sends it back.
fn secure_cookie(said: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let line = line.unwrap_or_else(|| panic!("no cookie: {said}"));
    assert!(line.starts_with("__Host-quorate-office=") && line.contains("; Secure;"), "{line}");
    line.split(';').next().unwrap().to_owned()
}

/// Asks under TLS; gives the certificate that was shown and the whole answer.
fn ask_tls(at: &str, what: &str, heads: &str, body: &str) -> (Vec<u8>, String) {
    let mut roots = rustls::RootCertStore::empty();
    for [certificate, _] in [ONE, TWO] {
        roots.add(der(certificate)).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = rustls::StreamOwned::new(client, TcpStream::connect(at).unwrap());
    stream.write_all(written(what, heads, body).as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let shown = stream.conn.peer_certificates().unwrap()[0].as_ref().to_vec();
    (shown, said)
}

#[test]
fn row_62_an_office_under_tls_lets_in_at_its_own_address_and_takes_up_a_renewed_certificate() {
    let (room, folder) = (room(), folder());
    let [certificate, key] = put(folder.path(), ONE);
    let pair = ["--certificate", certificate.as_str(), "--key", key.as_str()];
    let more = ["--listen", "0.0.0.0:0", "--origin", ORIGIN];
    let (_serving, said) = room.serve_as(&[&pair[..], &more].concat());
    assert_eq!(said["open"], ORIGIN);
    let at = at(&said);
    let host = format!("host: {NAME}\r\n");
    let (shown, marks) = ask_tls(&at, "GET /marks", &host, "");
    assert_eq!(shown, der(ONE[0]).to_vec());
    assert!(marks.starts_with("HTTP/1.1 200"), "{marks}");
    assert!(marks.contains("strict-transport-security: max-age=31536000"), "{marks}");
    let (_, other) = ask_tls(&at, "GET /marks", &format!("host: {at}\r\n"), "");
    assert!(other.starts_with("HTTP/1.1 403"), "another name: {other}");
    let plain = ask(&at, "GET /marks", &host, "");
    assert!(!plain.contains("HTTP/1.1 200"), "plain text: {plain}");
    let code = format!("code={}", said["code"].as_str().unwrap());
    for (origin, status) in
        [("http://desk.test", 403), ("https://evil.example", 403), (ORIGIN, 303)]
    {
        let heads = format!("{host}origin: {origin}\r\n");
        let (_, got) = ask_tls(&at, "POST /sign-in", &heads, &code);
        assert!(got.starts_with(&format!("HTTP/1.1 {status}")), "{origin}: {got}");
        if status != 303 {
            assert!(!got.contains("set-cookie"), "{origin}: {got}");
            continue;
        }
        let cookie = secure_cookie(&got);
        let bare = cookie.replace("__Host-", "");
        for (cookie, status) in [(cookie, 200), (bare, 303)] {
            let heads = format!("{host}cookie: {cookie}\r\n");
            let (_, got) = ask_tls(&at, "GET /engage", &heads, "");
            assert!(got.starts_with(&format!("HTTP/1.1 {status}")), "{cookie}: {got}");
        }
    }
    put(folder.path(), TWO);
    let (shown, marks) = ask_tls(&at, "GET /marks", &host, "");
    assert!(shown == der(TWO[0]).to_vec() && marks.starts_with("HTTP/1.1 200"), "{marks}");
    put(folder.path(), [ONE[0], TWO[1]]);
    let (shown, marks) = ask_tls(&at, "GET /marks", &host, "");
    assert!(shown == der(TWO[0]).to_vec() && marks.starts_with("HTTP/1.1 200"), "{marks}");
}

#[test]
fn an_office_opens_beyond_this_machine_under_tls_only_and_says_what_people_type() {
    let (room, folder) = (room(), folder());
    let [certificate, key] = put(folder.path(), ONE);
    let pair = ["--certificate", certificate.as_str(), "--key", key.as_str()];
    let check = |words: &[&str], tls: bool, why: &str| {
        let pair = if tls { &pair[..] } else { &[] };
        let (_, said) = room.refused(&[&["serve"], words, pair].concat());
        assert!(said.contains(why), "{words:?}: {said}");
    };
    check(&["--listen", "0.0.0.0:0"], false, "no TLS");
    check(&["--listen", "0.0.0.0:0", "--origin", ORIGIN], false, "no TLS");
    check(&["--listen", "0.0.0.0:0", "--origin", ORIGIN, "--proxy", "192.0.2.7"], false, "no TLS");
    check(&["--listen", "0.0.0.0:0"], true, "origins");
    check(&["--listen", "127.0.0.1:0", "--origin", ORIGIN], false, "nobody ends it");
    check(&["--listen", "127.0.0.1:0", "--origin", "http://desk.test"], true, "http://desk.test");
    check(
        &["--listen", "127.0.0.1:0", "--certificate", "no.pem", "--key", "no.key"],
        false,
        "no.pem",
    );
}

#[test]
fn behind_a_proxy_that_is_named_nobody_else_is_answered() {
    let room = room();
    let host = format!("host: {NAME}\r\nx-forwarded-for: 192.0.2.7\r\n");
    for (proxy, answered) in [("127.0.0.1", true), ("192.0.2.7", false)] {
        let (_serving, said) =
            room.serve_as(&["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--proxy", proxy]);
        let got = ask(&at(&said), "GET /marks", &host, "");
        assert_eq!(got.starts_with("HTTP/1.1 200"), answered, "{proxy}: {got}");
        assert_eq!(got.contains("strict-transport-security"), answered, "{proxy}: {got}");
        assert!(answered || got.is_empty(), "{proxy}: {got}");
        if answered {
            let heads = format!("{host}origin: {ORIGIN}\r\n");
            let code = format!("code={}", said["code"].as_str().unwrap());
            let got = ask(&at(&said), "POST /sign-in", &heads, &code);
            let heads = format!("{host}cookie: {}\r\n", secure_cookie(&got));
            let got = ask(&at(&said), "GET /engage", &heads, "");
            assert!(got.starts_with("HTTP/1.1 200"), "{got}");
        }
    }
}
