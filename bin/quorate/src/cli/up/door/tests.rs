//! The whole founding as a browser without script goes through it, over a socket: who is let in, what is refused and why, and
//! that nothing typed is lost.

use quorate_host::Identity;
use quorate_terms::charter::{ApproverSeat, CosignerSeat};
use reqwest::header::{COOKIE as COOKIES, HOST, LOCATION, ORIGIN, SET_COOKIE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::bounded::hostile::{ENDLESS, elsewhere, endless, heard};

mod read;

/// A founding that is served, and a browser at it.
struct Room {
    founder: Here,
    origin: String,
    cookie: String,
    home: PathBuf,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

/// What came back.
struct Said {
    status: u16,
    text: String,
    location: String,
    cookie: String,
}

impl Room {
    async fn open() -> Self {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("desk");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Kept::open(&home).unwrap();
        let founder = Arc::new(Founder::new(kept, port, "operator".parse().unwrap()).unwrap());
        let router = router(Arc::clone(&founder)).unwrap();
        let plain = |socket| std::future::ready(Ok(socket));
        let never = std::future::pending();
        let bounds = quorate_web::Connections::default();
        tokio::spawn(quorate_web::serve(listener, plain, router, bounds, never));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            founder,
            origin: format!("http://127.0.0.1:{port}"),
            cookie: String::new(),
            home,
            client: client.build().unwrap(),
            _dir: dir,
        }
    }

    /// The same, with the browser let in.
    async fn entered() -> Self {
        let mut room = Self::open().await;
        room.enter().await;
        room
    }

    async fn enter(&mut self) {
        let url = self.founder.invite().unwrap();
        let word = url.split_once("token=").unwrap().1.to_owned();
        let said = self.post("/enter", &[("token", &word)]).await;
        assert_eq!((said.status, said.location.as_str()), (303, "/"), "{}", said.text);
        self.cookie = said.cookie.split_once(';').unwrap().0.to_owned();
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Said {
        let answer = request.header(COOKIES, &self.cookie).send().await.unwrap();
        let head = |name| answer.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let (location, cookie) = (head(LOCATION).to_owned(), head(SET_COOKIE).to_owned());
        let status = answer.status().as_u16();
        Said { status, location, cookie, text: answer.text().await.unwrap() }
    }

    async fn get(&self, path: &str) -> Said {
        self.send(self.client.get(format!("{}{path}", self.origin))).await
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Said {
        self.send(self.request(path, form).header(ORIGIN, &self.origin)).await
    }

    fn request(&self, path: &str, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let pairs = form.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let kind = "application/x-www-form-urlencoded";
        let url = format!("{}{path}", self.origin);
        self.client.post(url).header("content-type", kind).body(body)
    }

    /// Keeps an answer that must be a good one.
    async fn keeps(&self, path: &str, form: &[(&str, &str)]) {
        let said = self.post(path, form).await;
        assert_eq!(said.status, 303, "{path}: {}", said.text);
    }

    /// Gives an answer that must be refused for this reason.
    async fn refuses(&self, path: &str, form: &[(&str, &str)], parts: &[&str]) {
        let said = self.post(path, form).await;
        assert_eq!(said.status, 422, "{path} {form:?}: {}", said.text);
        for part in parts {
            assert!(said.text.contains(part), "{part} in {}", said.text);
        }
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn key() -> quorate_terms::PublicKey {
    Identity::generate(Random::start().unwrap()).unwrap().public_key()
}

fn approver(name: &str) -> String {
    let seat = ApproverSeat {
        approver: name.parse().unwrap(),
        person: format!("person-{name}").parse().unwrap(),
        credential: format!("{name}-key").parse().unwrap(),
        key: key(),
        link: key(),
        device: None,
        passkeys: Vec::new(),
    };
    serde_json::to_string_pretty(&seat).unwrap()
}

fn cosigner(name: &str) -> String {
    let seat = CosignerSeat {
        cosigner: name.parse().unwrap(),
        identity: key(),
        witness: key(),
        operator: format!("{name} ltd"),
    };
    serde_json::to_string(&seat).unwrap()
}

/// A node that says of which network it is, to whoever asks.
async fn node(number: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let Ok((mut socket, _)) = listener.accept().await else { return };
            let mut asked = vec![0; 4096];
            let _read = socket.read(&mut asked).await;
            let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"{number}\"}}");
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _written = socket.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn only_whoever_reads_the_terminal_is_let_in_and_each_word_once() {
    let mut room = Room::open().await;
    for path in ["/", "/vault", "/summary", "/next", "/charter.json", "/next/events"] {
        let said = room.get(path).await;
        assert_eq!(said.status, 401, "{path}");
        assert!(said.text.contains("terminal") && !said.text.contains("desk"), "{}", said.text);
    }
    let said = room.get("/again").await;
    assert!(said.status == 405 && said.text.contains("takes what a form sends"), "{}", said.text);
    for path in ["/vault", "/found", "/next/member", "/next/finish"] {
        assert_eq!(room.post(path, &[("vault", "mine")]).await.status, 401, "{path}");
    }
    let url = room.founder.invite().unwrap();
    let word = url.split_once("token=").unwrap().1.to_owned();
    // Following the link uses nothing up.
    for _ in 0..2 {
        let page = room.get(&format!("/enter?token={word}")).await;
        assert!(page.status == 200 && page.cookie.is_empty(), "{}", page.text);
    }
    assert_eq!(room.post("/enter", &[("token", "another")]).await.status, 401);
    let said = room.post("/enter", &[("token", &word)]).await;
    let named = format!("quorate-founding-{}=", room.founder.port);
    for part in [named.as_str(), "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(said.cookie.contains(part), "{part}: {}", said.cookie);
    }
    // Safari keeps no such cookie where there is no TLS.
    assert!(!said.cookie.contains("__Host-") && !said.cookie.contains("Secure"));
    assert_eq!(room.post("/enter", &[("token", &word)]).await.status, 401, "a second time");
    room.cookie = said.cookie.split_once(';').unwrap().0.to_owned();
    assert_eq!(room.get("/vault").await.status, 200);
    let first = std::mem::take(&mut room.cookie);
    room.enter().await;
    assert_eq!(room.get("/vault").await.status, 200);
    room.cookie = first;
    assert_eq!(room.get("/vault").await.status, 401, "one browser at a time");
}

#[tokio::test]
async fn row_47_another_host_or_origin_is_answered_nothing() {
    let room = Room::entered().await;
    let url = format!("{}/vault", room.origin);
    for (host, status) in [("localhost:1", 403), ("evil.example", 403)] {
        let said = room.send(room.client.get(&url).header(HOST, host)).await;
        assert_eq!(said.status, status, "{host}");
    }
    let form = [("vault", "mine")];
    for origin in [None, Some("null"), Some("http://evil.example"), Some("http://127.0.0.1:1")] {
        let mut request = room.request("/vault", &form);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        assert_eq!(room.send(request).await.status, 403, "{origin:?}");
    }
    assert!(room.founder.kept(|kept| kept.answers().vault.is_none()), "nothing was kept");
    let said = room.client.get(&url).send().await.unwrap();
    for name in ["content-security-policy", "x-frame-options", "referrer-policy"] {
        assert!(said.headers().contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_wrong_answer_is_told_at_once_with_its_mend_and_what_was_typed_stays() {
    let room = Room::entered().await;
    room.refuses("/vault", &[("vault", "Not A Name")], &["Do this", "value=\"Not A Name\""]).await;
    room.refuses("/vault", &[("vault", "mine"), ("origin", "a+b")], &["value=\"a+b\""]).await;
    let ann = approver("ann");
    let act = |text| [("act", "approver"), ("seat", text)];
    room.refuses("/people", &act("{\"approver\":"), &["enrolment.json", "{&#34;approver"]).await;
    room.refuses("/people", &act("<b>"), &["line 1"]).await;
    room.keeps("/people", &act(&ann)).await;
    room.refuses("/people", &act(&ann), &["is seated", "take the seat out"]).await;
    let twice = approver("bo").replace("person-bo", "person-ann");
    room.keeps("/people", &act(&twice)).await;
    let number = |text| [("act", "governance"), ("governance", text)];
    room.refuses("/people", &number("2"), &["2 of 1 people", "counts once"]).await;
    room.refuses("/people", &number("many"), &["whole number", "value=\"many\""]).await;
    room.keeps("/people", &number("1")).await;
    room.keeps("/people", &[("act", "unseat"), ("name", "bo")]).await;
    room.refuses("/people", &[("act", "unseat"), ("name", "bo")], &["not in the list"]).await;
    let east = cosigner("east");
    let seat = |text, at| [("act", "cosigner"), ("seat", text), ("address", at)];
    room.refuses("/cosigners", &seat(&east, "nowhere"), &["not an address"]).await;
    room.keeps("/cosigners", &seat(&east, "127.0.0.1:7401")).await;
    room.refuses("/cosigners", &[("act", "threshold"), ("threshold", "1")], &["at least 2"]).await;
    let (url, silent) = (node("0x7a69").await, "http://127.0.0.1:1");
    let chain = |name, url| [("act", "chain"), ("chain", name), ("rpc", url)];
    room.refuses("/networks", &chain("eip155:1", &url), &["of network eip155:31337"]).await;
    room.refuses("/networks", &chain("eip155:1", "http://example.org"), &["plain HTTP"]).await;
    room.refuses("/networks", &chain("eip155:1", silent), &["start the node"]).await;
    room.keeps("/networks", &chain("eip155:31337", &url)).await;
    let busy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = busy.local_addr().unwrap().to_string();
    for (book, console, part) in [
        (taken.as_str(), "127.0.0.1:0", "no port"),
        (taken.as_str(), "0.0.0.0:7420", "loopback"),
        (taken.as_str(), "127.0.0.1:7999", "book_listen"),
        ("127.0.0.1:0", taken.as_str(), "console_listen"),
    ] {
        room.refuses("/doors", &[("book_listen", book), ("console_listen", console)], &[part])
            .await;
    }
    assert!(room.get("/summary").await.text.contains("It cannot be founded yet"));
    assert_eq!(room.post("/found", &[("shown", "")]).await.status, 422);
    assert!(!room.home.join("desk.toml").exists() && !room.home.join("keys").exists());
}

#[tokio::test]
async fn row_55_a_node_that_is_typed_sends_the_desk_nowhere_and_fills_nothing() {
    let room = Room::entered().await;
    let (url, sink) = elsewhere().await;
    let chain = |rpc| [("act", "chain"), ("chain", "eip155:1"), ("rpc", rpc)];
    room.refuses("/networks", &chain(&url), &["status 307"]).await;
    assert!(!heard(&sink), "it was not followed");
    let (url, said) = endless().await;
    room.refuses("/networks", &chain(&url), &["larger than"]).await;
    assert!(said.await.unwrap() < ENDLESS);
}

/// Answers everything.
async fn answer(room: &Room) {
    room.keeps("/vault", &[("vault", "treasury"), ("origin", "")]).await;
    for name in ["ann", "bo", "cy"] {
        room.keeps("/people", &[("act", "approver"), ("seat", &approver(name))]).await;
    }
    room.keeps("/people", &[("act", "governance"), ("governance", "2")]).await;
    for (name, at) in [("east", "127.0.0.1:7401"), ("west", "127.0.0.1:7402")] {
        let seat = cosigner(name);
        room.keeps("/cosigners", &[("act", "cosigner"), ("seat", &seat), ("address", at)]).await;
    }
    let url = node("0x7a69").await;
    room.keeps("/networks", &[("act", "chain"), ("chain", "eip155:31337"), ("rpc", &url)]).await;
    let asset = [
        ("act", "asset"),
        ("symbol", "ETH"),
        ("asset", "eip155:31337/slip44:60"),
        ("decimals", "18"),
        ("alone", "0.2"),
        ("strangers", "0.1"),
        ("agent_daily", "2"),
        ("vault_daily", "20"),
    ];
    room.keeps("/rules", &asset).await;
    let console = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let doors = [("book_listen", "127.0.0.1:0"), ("console_listen", &console.to_string())];
    room.keeps("/doors", &doors).await;
}

fn shown_in(page: &str) -> String {
    let after = page.split_once("name=\"shown\" value=\"").unwrap().1;
    after.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn what_was_read_in_the_summary_is_what_is_founded_and_only_once() {
    let room = Room::entered().await;
    answer(&room).await;
    let page = room.get("/summary").await.text;
    for part in
        ["Any 2 of them together", "Any 2 of 2 cosigners", "0.2 ETH", "No source of finality"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let shown = shown_in(&page);
    room.keeps("/vault", &[("vault", "other"), ("origin", "")]).await;
    let said = room.post("/found", &[("shown", &shown)]).await;
    assert!(said.status == 422 && said.text.contains("read the summary again"), "{}", said.text);
    assert!(!room.home.join("keys").exists(), "nothing was written");
    // The program is stopped and started again: every answer is there.
    let kept = Kept::open(&room.home).unwrap();
    assert_eq!(kept.answers().vault.as_deref(), Some("other"));
    let shown = shown_in(&room.get("/summary").await.text);
    let said = room.post("/found", &[("shown", &shown)]).await;
    assert_eq!((said.status, said.location.as_str()), (303, "/next"), "{}", said.text);
    assert!(*room.founder.founded().borrow());
    let founded = crate::cli::found::write::Founded::read(&room.home).unwrap();
    assert_eq!(founded.charter.vault.as_str(), "other");
    let digest = founded.digest.to_string();
    let next = room.get("/next").await.text;
    let plain: String = next.replace("</span><wbr><span class=\"group\">", "");
    assert!(plain.contains(&digest), "{next}");
    assert!(next.contains(&format!("--digest {digest}")), "{next}");
    assert_eq!(room.get("/charter.json").await.status, 200);
    // A founded vault is not founded again, and no answer changes.
    for path in ["/", "/vault", "/summary"] {
        assert_eq!(room.get(path).await.location, "/next", "{path}");
    }
    assert_eq!(room.post("/found", &[("shown", &shown)]).await.location, "/next");
    assert_eq!(room.post("/vault", &[("vault", "third")]).await.location, "/next");
    assert_eq!(
        crate::cli::found::write::Founded::read(&room.home).unwrap().digest.to_string(),
        digest
    );
    let said =
        room.post("/next/member", &[("who", "olga"), ("role", "operator"), ("expires", "30d")]);
    assert_eq!(said.await.status, 422, "no desk runs here");
    assert!(room.home.join("tokens").read_dir().map_or(true, |mut dir| dir.next().is_none()));
    closes(&room).await;
}

/// The founding is finished, and nobody is in or comes in any more: not by an old session, an old word or a new one.
async fn closes(room: &Room) {
    let url = room.founder.invite().unwrap();
    let word = url.split_once("token=").unwrap().1.to_owned();
    let events = room.client.get(format!("{}/next/events", room.origin));
    let events = events.header(COOKIES, &room.cookie).send().await.unwrap();
    assert_eq!(events.status(), 200);
    assert_eq!(room.post("/next/finish", &[]).await.status, 200);
    assert!(!room.home.join("founding").exists());
    for path in ["/", "/next", "/charter.json", "/next/events", "/summary", "/enter?token=x"] {
        let said = room.get(path).await;
        assert!(said.status == 410 && said.text.contains("closed"), "{path} {}", said.text);
    }
    let entering = [("token", word.as_str())];
    for path in ["/next/member", "/next/finish", "/found", "/vault", "/again", "/enter"] {
        let said = room.post(path, &entering).await;
        assert_eq!((said.status, said.cookie.as_str()), (410, ""), "{path} {}", said.text);
    }
    assert!(room.founder.invite().is_err(), "no address is printed any more");
    let within = std::time::Duration::from_secs(30);
    let told = tokio::time::timeout(within, events.text()).await;
    assert!(told.unwrap().is_ok(), "the stream ends with its session");
}

#[tokio::test]
async fn arbitrary_typing_is_answered_and_never_a_fault_of_ours() {
    let room = Room::entered().await;
    let texts = [
        "",
        "\0",
        "<script>",
        "\u{202e}",
        "-1",
        "99999999999999999999",
        "../../etc/passwd",
        "{}",
        "[]",
    ];
    for path in ["/vault", "/people", "/cosigners", "/networks", "/sources", "/rules", "/doors"] {
        for act in [
            "", "approver", "view", "cosigner", "unseat", "unview", "source", "asset", "remove",
            "x",
        ] {
            for text in texts {
                let names = [
                    "vault",
                    "origin",
                    "seat",
                    "view",
                    "address",
                    "name",
                    "governance",
                    "symbol",
                    "from",
                ];
                let mut form: Vec<(&str, &str)> = names.iter().map(|name| (*name, text)).collect();
                form.push(("act", act));
                let said = room.post(path, &form).await;
                assert!(matches!(said.status, 303 | 422), "{path} {act} {text}: {}", said.status);
                // What was typed stands in its field as it was, and nowhere else.
                let page = said.text.replace("value=\"\u{202e}\"", "").replace("\n\u{202e}<", "<");
                assert!(!page.contains("<script>") && !page.contains('\u{202e}'), "{page}");
            }
        }
    }
    let folder = room.founder.folder();
    let files = std::fs::read_dir(folder).unwrap().count();
    assert!(files <= 1, "nothing but answers was written");
}
