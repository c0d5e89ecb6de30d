//! The view as a process on real sockets: where it may listen, and TLS whose certificate is renewed under it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};

use super::office::tool;

const ONE: [&str; 2] = [
    include_str!("../../../../crates/host/tests/tls/one.crt"),
    include_str!("../../../../crates/host/tests/tls/one.key"),
];
const TWO: [&str; 2] = [
    include_str!("../../../../crates/host/tests/tls/two.crt"),
    include_str!("../../../../crates/host/tests/tls/two.key"),
];
/// The name in both certificates.
const NAME: &str = "desk.test";

/// Starts the program where cores may be left and others may read its files, as far as whoever runs this may allow that.
const LOOSE: &str = "command ulimit -c unlimited 2>/dev/null || :; umask 022; exec \"$0\" \"$@\"";

/// A view that serves until it is dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Serving {
    pub(crate) fn start(dir: &Path, words: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", LOOSE, env!("CARGO_BIN_EXE_quorate-approvals")]);
        command.arg("--dir").arg(dir.join("home")).args(["view", "serve", "--enrol"]);
        command.args(["--listen", "127.0.0.1:0"]).args(words);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = told.by_ref().find_map(|line| {
            line.unwrap().trim().strip_prefix("listens").map(|rest| rest.trim().parse().unwrap())
        });
        // What it says later is read too, so that it never waits for a reader.
        std::thread::spawn(move || told.for_each(drop));
        Self { child, address: address.unwrap() }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A folder whose `home` is that of a view.
fn founded(origin: &str) -> tempfile::TempDir {
    let room = tempfile::tempdir().unwrap();
    std::fs::set_permissions(room.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let words = ["view", "init", "--name", "home", "--origin", origin, "--operator", "Home Ltd"];
    tool(room.path(), &words, "").good();
    room
}

/// Puts a pair there in one step each, as programs that renew certificates do.
fn put(dir: &Path, pair: [&str; 2]) -> [String; 2] {
    let one = |(name, text): (&str, &str)| {
        std::fs::write(dir.join("new"), text).unwrap();
        std::fs::set_permissions(dir.join("new"), PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::rename(dir.join("new"), dir.join(name)).unwrap();
        dir.join(name).display().to_string()
    };
    [one(("view.crt", pair[0])), one(("view.key", pair[1]))]
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Gets a page over TLS with these heads; gives the certificate that was shown and the whole answer.
fn get(at: SocketAddr, heads: &str) -> (Vec<u8>, String) {
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
    let text = format!("GET /passkeys/new HTTP/1.1\r\n{heads}connection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let shown = stream.conn.peer_certificates().unwrap()[0].as_ref().to_vec();
    (shown, said)
}

#[test]
fn row_62_a_view_under_tls_takes_up_a_renewed_certificate_between_two_requests() {
    let room = founded("https://desk.test");
    let [certificate, key] = put(room.path(), ONE);
    let view = Serving::start(room.path(), &["--certificate", &certificate, "--key", &key]);
    let host = format!("host: {NAME}\r\n");
    let (shown, said) = get(view.address, &host);
    assert_eq!(shown, der(ONE[0]).to_vec());
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("A new passkey"), "{said}");
    assert!(said.contains("strict-transport-security: max-age=31536000"), "{said}");
    put(room.path(), TWO);
    let (shown, said) = get(view.address, &host);
    assert!(shown == der(TWO[0]).to_vec() && said.starts_with("HTTP/1.1 200"), "{said}");
    put(room.path(), [ONE[0], TWO[1]]);
    let (shown, said) = get(view.address, &host);
    assert!(shown == der(TWO[0]).to_vec() && said.starts_with("HTTP/1.1 200"), "{said}");
}

#[test]
fn a_view_listens_beyond_this_machine_under_tls_only_and_under_tls_only_for_an_https_origin() {
    let refused = |origin: &str, words: &[&str], parts: [&str; 2]| {
        let room = founded(origin);
        let [certificate, key] = put(room.path(), ONE);
        let tls = ["--certificate", &certificate, "--key", &key];
        let tls = if words.is_empty() { &tls[..] } else { &[] };
        let said = tool(room.path(), &[&["view", "serve", "--enrol"], words, tls].concat(), "");
        assert_ne!(said.code, 0, "{}", said.out);
        assert!(parts.iter().all(|part| said.err.contains(part)), "{parts:?}: {}", said.err);
    };
    refused("https://desk.test", &["--listen", "0.0.0.0:0"], ["no TLS", "certificate"]);
    refused("https://desk.test", &["--certificate", "c.pem"], ["--key", "--help"]);
    refused("https://desk.test", &["--certificate", "c.pem", "--key", "k.pem"], ["c.pem", "path"]);
    refused("http://localhost:7800", &[], ["http://localhost:7800", "https origin"]);
}
