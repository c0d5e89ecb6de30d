//! Sessions, ended over HTTP as browsers end them, and addresses that take forms only.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use quorate_web::sessions::FRESH_S;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::home::Home;
use crate::simulate::Nodes;
use crate::view::found::{Found, found};

const HOST: &str = "localhost:7800";

/// A view that is served on a socket of its own.
struct Served {
    office: Arc<Office>,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

struct Said {
    status: u16,
    text: String,
}

impl Served {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let home = Home::open(dir.path(), true).unwrap();
        let asked = Found {
            view: "home".parse().unwrap(),
            origin: format!("http://{HOST}"),
            rp_id: None,
            operator: "Home".to_owned(),
        };
        found(&home, asked).unwrap();
        let nodes = Nodes::new("this view", &[]).unwrap();
        let office = Arc::new(Office::open(home, true, nodes).await.unwrap());
        let router = router(Arc::clone(&office)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { office, address, _dir: dir }
    }

    /// Signs somebody in so long ago; gives the session's name.
    fn begin(&self, secret: &str, ago_s: u64) -> Digest {
        let at = present().minus_s(ago_s);
        let (approver, person) = ("cy".parse().unwrap(), "p-cy".parse().unwrap());
        let who = Signer { approver, person, credential: "phone".parse().unwrap() };
        self.office.people(|people| {
            people.begin(secret, who, at);
            people.seen(secret, at).unwrap().name
        })
    }

    async fn ask(&self, who: &str, method: &str, (path, form): (&str, &str)) -> Said {
        let cookie = cookie(&self.office);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\n\
             cookie: {cookie}={who}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{form}",
            form.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        Said { status, text }
    }

    async fn list(&self, who: &str) -> Said {
        self.ask(who, "GET", ("/sessions", "")).await
    }
}

#[tokio::test]
async fn another_session_is_ended_over_http_by_who_signed_in_a_moment_ago_and_by_no_other() {
    let view = Served::new().await;
    view.begin("stale", FRESH_S);
    let other = view.begin("other", FRESH_S);
    view.begin("fresh", 0);
    let form = format!("session={other}");
    let (one, all) = (("/sessions/end", form.as_str()), ("/sessions/end-others", ""));
    for what in [one, all] {
        let said = view.ask("stale", "POST", what).await;
        assert_eq!(said.status, 409, "{}", said.text);
        assert!(said.text.contains("signed in too long ago"), "{}", said.text);
        assert_eq!(view.ask("nobody", "POST", what).await.status, 401);
    }
    for who in ["stale", "other", "fresh"] {
        assert_eq!(view.list(who).await.status, 200, "{who} is signed in still");
    }
    let listed = view.list("stale").await.text;
    assert!(listed.contains("sign in again first"), "{listed}");
    assert!(!listed.contains("action=\"/sessions/end-others\""), "{listed}");
    assert_eq!(view.list("nobody").await.status, 401);
    let said = view.ask("fresh", "POST", one).await;
    assert_eq!(said.status, 303, "{}", said.text);
    assert!(said.text.to_ascii_lowercase().contains("location: /sessions\r\n"), "{}", said.text);
    assert_eq!(view.list("other").await.status, 401);
    assert_eq!(view.ask("fresh", "POST", all).await.status, 303);
    assert_eq!(view.list("stale").await.status, 401);
    assert_eq!(view.list("fresh").await.status, 200);
}

#[tokio::test]
async fn whoever_is_signed_in_keeps_the_ways_on_where_there_is_no_page() {
    let view = Served::new().await;
    view.begin("fresh", 0);
    for (who, is_signed_in) in [("fresh", true), ("nobody", false)] {
        let said = view.ask(who, "GET", ("/nowhere", "")).await;
        assert_eq!(said.status, 404, "{}", said.text);
        assert_eq!(said.text.contains("action=\"/sign-out\""), is_signed_in, "{}", said.text);
        assert_eq!(said.text.contains("href=\"/sessions\""), is_signed_in, "{}", said.text);
        assert!(said.text.trim_end().ends_with("</html>"), "whole: {}", said.text);
        assert!(said.text.contains("content-security-policy") && !said.text.contains("(empty)"));
    }
}

#[tokio::test]
async fn the_address_of_a_form_says_so_to_whoever_types_it_and_nothing_more() {
    let view = Served::new().await;
    view.begin("fresh", 0);
    for who in ["fresh", "nobody"] {
        for path in ["/sign-out", "/sessions/end", "/cases/none/word", "/passkeys/made"] {
            let said = view.ask(who, "GET", (path, "")).await;
            assert_eq!(said.status, 405, "{who} {path}: {}", said.text);
            let heads = said.text.to_ascii_lowercase();
            assert!(heads.contains("\r\nallow: post\r\n"), "{heads}");
            assert!(said.text.contains("this address only takes what a form sends"));
            assert!(said.text.contains("href=\"/\""), "a way on: {}", said.text);
            assert!(!said.text.contains("p-cy"), "nothing of who is signed in: {}", said.text);
        }
    }
}
