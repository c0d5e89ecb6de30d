use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

use super::*;
use crate::clock::Jump;

const ONE: [&str; 2] =
    [include_str!("../../tests/tls/one.crt"), include_str!("../../tests/tls/one.key")];
const TWO: [&str; 2] =
    [include_str!("../../tests/tls/two.crt"), include_str!("../../tests/tls/two.key")];
/// Some time while both certificates are valid: 2027-01-01.
const THEN: u64 = 1_798_761_600_000;

struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn take_jumps(&self) -> Vec<Jump> {
        Vec::new()
    }
}

struct Room {
    folder: tempfile::TempDir,
    clock: Arc<Hand>,
}

impl Room {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { folder, clock: Arc::new(Hand(AtomicU64::new(THEN))) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file there in one step, as programs that renew certificates do.
    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path("new"), text).unwrap();
        std::fs::set_permissions(self.path("new"), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    fn put_pair(&self, [certificate, key]: [&str; 2]) {
        self.put("crt", certificate);
        self.put("key", key);
    }

    fn load(&self) -> Result<Arc<Https>, Fault> {
        let clock = Arc::clone(&self.clock);
        Https::load(Some(&self.path("crt")), Some(&self.path("key")), clock).map(Option::unwrap)
    }
}

#[test]
fn what_is_no_pair_for_a_server_now_is_refused_at_start_and_named() {
    let check = |pair: [&str; 2], at: u64, says: &[&str]| {
        let room = Room::new();
        room.put_pair(pair);
        room.clock.0.store(at, Ordering::SeqCst);
        let told = room.load().err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(says.iter().all(|part| told.contains(part)), "{says:?}: {told}");
        assert_eq!(says.is_empty(), told.is_empty(), "{told}");
        assert!(!told.contains("PRIVATE"), "{told}");
    };
    check(ONE, THEN, &[]);
    check([ONE[0], TWO[1]], THEN, &["is not the key of", "own private key"]);
    check(["no pem", ONE[1]], THEN, &["holds no certificate"]);
    check([ONE[1], ONE[1]], THEN, &["holds no certificate"]);
    check([ONE[0], ONE[0]], THEN, &["holds no private key"]);
    // 2126-10-28 07:34:40 and a second; and a second before it begins.
    check(ONE, 4_948_846_481_000, &["ran out at 2126-10-28 07:34:40Z", "renew it"]);
    check(ONE, 1_795_246_479_000, &["is not valid before 2026-11-21 07:34:40Z", "clock"]);
    let cut = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    check([cut, ONE[1]], THEN, &["X.509"]);
    let room = Room::new();
    let none = Https::load(None, None, Arc::clone(&room.clock) as Arc<dyn Clock>).unwrap();
    assert!(none.is_none());
    let half =
        Https::load(Some(&room.path("crt")), None, Arc::clone(&room.clock) as Arc<dyn Clock>);
    assert!(half.err().unwrap().to_string().contains("name both"));
    assert!(room.load().err().unwrap().to_string().contains("crt"), "no such file");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let room = Room::new();
    room.put_pair(ONE);
    std::fs::set_permissions(room.path("key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(room.load().err().unwrap().mend().starts_with("chmod 600"));
}

#[test]
fn a_refused_renewal_is_told_until_it_is_mended_and_taken_when_its_time_has_come() {
    let room = Room::new();
    room.put_pair(ONE);
    let https = room.load().unwrap();
    let until = look(&room.path("crt"), &room.path("key"), room.clock.now()).unwrap();
    assert_eq!(https.standing(), Standing { until, refused: None });
    room.put("crt", TWO[0]);
    let told = https.standing();
    assert_eq!(told.until, until, "the one before stays");
    assert!(told.refused.unwrap().why().contains("is not the key of"));
    room.put("key", TWO[1]);
    assert_eq!(https.standing().refused, None);
    // Too early for it: refused, and taken without another change of the files.
    room.put_pair(ONE);
    room.clock.0.store(THEN - 365 * 86_400_000, Ordering::SeqCst);
    assert!(https.standing().refused.unwrap().why().contains("not valid before"));
    room.clock.0.store(THEN, Ordering::SeqCst);
    assert_eq!(https.standing().refused, None);
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A client that trusts both certificates, speaks this version and offers these protocols.
fn client(version: &'static rustls::SupportedProtocolVersion, offers: &[&[u8]]) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    for [certificate, _] in [ONE, TWO] {
        roots.add(der(certificate)).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// Echoes one byte on each connection.
async fn serve(https: Arc<Https>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let https = Arc::clone(&https);
            tokio::spawn(async move {
                let mut stream = https.accept(socket).await?;
                let byte = stream.read_u8().await?;
                stream.write_u8(byte).await?;
                stream.shutdown().await
            });
        }
    });
    address
}

/// Which certificate was shown, if the handshake and a byte got through.
async fn ask(client: &TlsConnector, address: std::net::SocketAddr) -> io::Result<Vec<u8>> {
    let socket = TcpStream::connect(address).await?;
    let mut stream = client.connect(ServerName::try_from("desk.test").unwrap(), socket).await?;
    stream.write_u8(7).await?;
    assert_eq!(stream.read_u8().await?, 7);
    let shown = stream.get_ref().1.peer_certificates().map(|chain| chain[0].as_ref().to_vec());
    Ok(shown.unwrap())
}

#[tokio::test]
async fn row_61_tls_1_2_other_protocols_and_plain_text_get_nowhere() {
    let room = Room::new();
    room.put_pair(ONE);
    let address = serve(room.load().unwrap()).await;
    let (old, new) = (&rustls::version::TLS12, &rustls::version::TLS13);
    for (version, offers, well) in [
        (new, &[][..], true),
        (new, &[&b"h2"[..], b"http/1.1"], true),
        (new, &[&b"h2"[..]], false),
        (new, &[&b"ftp"[..]], false),
        (old, &[], false),
        (old, &[&b"http/1.1"[..]], false),
    ] {
        let got = ask(&client(version, offers), address).await;
        assert_eq!(got.is_ok(), well, "{version:?} {offers:?}: {got:?}");
    }
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _reset_or_closed = plain.read_to_end(&mut said).await;
    assert!(!said.starts_with(b"HTTP"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_62_no_client_fails_while_the_certificate_is_renewed_and_later_ones_see_the_new_one() {
    let room = Room::new();
    room.put_pair(ONE);
    let address = serve(room.load().unwrap()).await;
    let client = client(&rustls::version::TLS13, &[]);
    let done = Arc::new(AtomicU64::new(0));
    let mut askers = Vec::new();
    for _ in 0..3 {
        let (client, done) = (client.clone(), Arc::clone(&done));
        askers.push(tokio::spawn(async move {
            let mut asked = 0_u64;
            while done.load(Ordering::Relaxed) == 0 {
                ask(&client, address).await.unwrap();
                asked += 1;
            }
            asked
        }));
    }
    let shows = async |pair: [&str; 2]| {
        let shown = tokio::time::timeout(Duration::from_mins(1), ask(&client, address)).await;
        assert_eq!(shown.unwrap().unwrap(), der(pair[0]).to_vec());
    };
    for pair in [TWO, ONE, TWO] {
        room.put_pair(pair);
        shows(pair).await;
    }
    room.put("crt", "no certificate at all");
    shows(TWO).await;
    std::fs::remove_file(room.path("key")).unwrap();
    shows(TWO).await;
    done.store(1, Ordering::Relaxed);
    for asker in askers {
        assert!(asker.await.unwrap() > 0);
    }
}

/// What [`shown`] says of a server with the first pair, asked for by a name.
async fn seen(host: &str, at: u64) -> Result<Timestamp, Fault> {
    let room = Room::new();
    room.put_pair(ONE);
    let https = room.load().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = async move {
        let (socket, _) = listener.accept().await.unwrap();
        // Who only looks hangs up after the handshake.
        let _looked = https.accept(socket).await;
        std::future::pending().await
    };
    let (origin, at) = (format!("https://{host}"), Timestamp::from_millis(at));
    let asked = shown::through(Some(address), &origin, at, Duration::from_secs(30));
    tokio::select! {
        never = serving => never,
        told = asked => told,
    }
}

#[tokio::test]
async fn a_server_s_certificate_is_looked_at_from_outside_by_date_and_by_name() {
    let room = Room::new();
    room.put_pair(ONE);
    let until = look(&room.path("crt"), &room.path("key"), room.clock.now()).unwrap();
    assert_eq!(seen("desk.test", THEN).await.unwrap(), until);
    let late = seen("desk.test", 4_948_846_481_000).await.unwrap_err();
    assert!(late.why().contains("ran out"), "{late}");
    let other = seen("view.test", THEN).await.unwrap_err();
    assert!(other.why().contains("not for `view.test`"), "{other}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let origin = format!("https://localhost:{port}");
    let none = shown(&origin, Timestamp::from_millis(THEN), Duration::from_secs(30)).await;
    assert!(none.unwrap_err().why().contains("not reached"));
    let none = shown("https://a b", Timestamp::from_millis(THEN), Duration::from_secs(30)).await;
    assert!(none.unwrap_err().why().contains("no address"));
}
