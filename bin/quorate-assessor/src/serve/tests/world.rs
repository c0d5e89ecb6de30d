//! An office in a folder of its own, people with keys, and a browser that follows forms.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use clap::Parser as _;
use http_body_util::BodyExt as _;
use quorate_assessor::audit::waiting::Waiting;
use quorate_host::random::Random;
use quorate_host::ui::Ui;
use quorate_host::{Identity, secret_file};
use quorate_web::Allowed;
use tower::ServiceExt as _;

use crate::audit::{Held, open_with};
use crate::cli::{Cli, Command};
use crate::home::Home;
use crate::office::Office;
use crate::serve::hall::Hall;
use crate::serve::routes::router;
use crate::serve::steps::ARRIVES_WITHIN;
use crate::serve::visitor::Visitor;

pub(super) const PORT: u16 = 7900;
const BOUNDARY: &str = "what-stands-between-parts";

/// Everything that a test needs.
pub(super) struct World {
    pub(super) dir: tempfile::TempDir,
    pub(super) hall: Arc<Hall>,
    router: Router,
    /// Of the office itself.
    pub(super) cookie: String,
}

/// An answer.
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

impl Got {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of a hidden field.
    pub(super) fn field(&self, name: &str) -> String {
        let (text, begins) = (self.text(), format!("name=\"{name}\" value=\""));
        let rest = text.split(&begins).nth(1).unwrap_or_else(|| panic!("no {name} in {text}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

/// Fields of a form.
pub(super) type Fields<'a> = &'a [(&'a str, &'a str)];

impl World {
    /// An empty office whose pages were given the passphrase of files.
    pub(super) async fn new() -> Self {
        Self::patient(ARRIVES_WITHIN).await
    }

    /// As [`World::new`], with files that wait so long for a place.
    pub(super) async fn patient(patience: Duration) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let words = dir.path().join("words");
        secret_file::create(&words, b"twelve long words\n", Random::start().unwrap()).unwrap();
        Self::opened(dir, &["--passphrase-file", &words.display().to_string()], patience).await
    }

    pub(super) async fn serving(dir: tempfile::TempDir, more: &[&str]) -> Self {
        Self::opened(dir, more, ARRIVES_WITHIN).await
    }

    async fn opened(dir: tempfile::TempDir, more: &[&str], patience: Duration) -> Self {
        let office = dir.path().join("office").display().to_string();
        let standards = concat!(env!("CARGO_MANIFEST_DIR"), "/../../standards");
        let words = ["quorate-assessor", "--dir", &office, "--standards", standards, "serve"];
        let cli = Cli::parse_from(words.iter().chain(more));
        if !cli.dir.exists() {
            let home = Home::open(&cli.dir, true).unwrap();
            let made = Office::create(&home, "alder".parse().unwrap(), "alder.example/office");
            made.await.unwrap().close().await;
        }
        let Command::Serve(serving) = &cli.command else { panic!("not serve") };
        let listens = format!("127.0.0.1:{PORT}").parse().unwrap();
        let hall = Hall::open(&cli, Ui::new(true, true), serving).await.unwrap();
        let allowed = Allowed::loopback(PORT);
        let hall = hall.at(format!("http://localhost:{PORT}"), listens, &allowed);
        let hall = Arc::new(hall.waiting(patience));
        let router = router(Arc::clone(&hall), allowed);
        let cookie = hall.begin(Visitor::Office).unwrap();
        Self { dir, hall, router, cookie }
    }

    pub(super) fn router(&self) -> Router {
        self.router.clone()
    }

    /// A person's key, made when it is first asked for.
    pub(super) fn key(&self, person: &str) -> Identity {
        let path = self.dir.path().join(format!("{person}.key"));
        if path.exists() {
            return Identity::load(&path).unwrap();
        }
        Identity::create(&path, Random::start().unwrap()).unwrap()
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.dir.path().join("office/files"));
        all.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }

    /// How many entries the office's ledger has.
    pub(super) async fn size(&self) -> u64 {
        let open = self.hall.enter().await.unwrap();
        let size = open.office.head().size;
        open.close().await;
        size
    }

    pub(super) async fn held(&self, audit: &str) -> Held {
        let open = self.hall.enter().await.unwrap();
        let held = open_with(self.hall.standards(), &open.home, &open.office, audit).unwrap();
        open.close().await;
        held
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Got {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Got { status: parts.status, headers: parts.headers, bytes }
    }

    pub(super) fn request(
        &self,
        method: &str,
        path: &str,
        cookie: &str,
    ) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::HOST, format!("localhost:{PORT}"));
        let request = request.header(header::ORIGIN, format!("http://localhost:{PORT}"));
        request.header(header::COOKIE, format!("{}={cookie}", self.hall.cookie()))
    }

    pub(super) async fn get_as(&self, cookie: &str, path: &str) -> Got {
        self.ask(self.request("GET", path, cookie).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.get_as(&self.cookie, path).await
    }

    pub(super) async fn post_as(&self, cookie: &str, path: &str, fields: Fields<'_>) -> Got {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = self.request("POST", path, cookie);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(body.join("&"))).unwrap()).await
    }

    /// Sends a step's form, with a file by name and bytes.
    pub(super) async fn send_as(
        &self,
        cookie: &str,
        path: &str,
        fields: Fields<'_>,
        file: Option<(&str, &[u8])>,
    ) -> Got {
        self.send_pieces(cookie, path, vec![parts(fields, file)]).await
    }

    /// The same, whose body arrives in these pieces.
    pub(super) async fn send_pieces(&self, cookie: &str, path: &str, pieces: Vec<Vec<u8>>) -> Got {
        let request = self.request("POST", path, cookie);
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = request.header(header::CONTENT_TYPE, kind);
        let pieces = pieces.into_iter().map(Ok::<_, std::convert::Infallible>);
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        self.ask(request.body(body).unwrap()).await
    }

    /// Composes a step as the office, has its person sign what the page gives as a file, and sends the answer.
    pub(super) async fn step(&self, path: &str, person: &str, fields: Fields<'_>) -> Got {
        self.step_as(&self.cookie, path, person, (fields, None)).await
    }

    pub(super) async fn step_as(
        &self,
        cookie: &str,
        path: &str,
        person: &str,
        (fields, file): (Fields<'_>, Option<(&str, &[u8])>),
    ) -> Got {
        let fields: Vec<(&str, &str)> = [&[("taker", person)], fields].concat();
        let asked = self.send_as(cookie, path, &fields, file).await;
        assert_eq!(asked.status, StatusCode::OK, "{path}: {}", asked.text());
        let (ask, waiting) = self.waiting(cookie, &asked).await;
        let key = self.key(person);
        let answer = waiting.sign(&|digest| key.sign(digest)).unwrap().to_string();
        let to = format!("/audits/{}/answer", waiting.audit);
        let done = self.post_as(cookie, &to, &[("ask", &ask), ("answer", &answer)]).await;
        assert_eq!(done.status, StatusCode::OK, "{path}: {}", done.text());
        assert!(done.text().contains("On record"), "{path}: {}", done.text());
        done
    }

    /// The question's name, and the step that the page gives as a file.
    pub(super) async fn waiting(&self, cookie: &str, asked: &Got) -> (String, Waiting) {
        let ask = asked.field("ask");
        let text = asked.text();
        let body = text.split("<main").nth(1).unwrap();
        let to = body.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        let file = self.post_as(cookie, to, &[("ask", &ask)]).await;
        assert!(file.header("content-disposition").starts_with("attachment"), "{}", file.text());
        (ask, Waiting::from_bytes(&file.bytes).unwrap())
    }

    /// What Ann fills in to begin an audit under a standard, with the first workflow that the form has for it.
    pub(super) async fn engagement_fields(
        &self,
        audit: &str,
        standard: &str,
    ) -> Vec<(String, String)> {
        let public = |person: &str| self.key(person).public_key().to_string();
        let (ann, eva) = (public("ann"), public("eva"));
        let page = self.get("/engage").await.text().replace("&quot;", "\"").replace("&#34;", "\"");
        let workflows = page.split("<select id=\"f-workflow\"").nth(1).unwrap();
        let named = format!(", for {}", standard.split(' ').next().unwrap());
        let workflow = workflows.split("<option value=\"").find(|one| one.contains(&named));
        let workflow = workflow.unwrap().split("\">").next().unwrap();
        let (from, to, standard) = (self.day(367), self.day(2), format!("\"{standard}\""));
        let fields = [
            ("audit", audit),
            ("workflow", workflow),
            ("standard", standard.as_str()),
            ("entity", "Brickmere Ltd"),
            ("system", "Treasury vault"),
            ("designation", "\"self_custody\""),
            ("sought", "1"),
            ("from", from.as_str()),
            ("to", to.as_str()),
            ("first", "no"),
            ("parties.0.person", "ann"),
            ("parties.0.role", "\"auditor\""),
            ("parties.0.name", "Ann"),
            ("parties.0.firm", "Alder Audit"),
            ("parties.0.number", "A-1"),
            ("parties.0.audits", "2"),
            ("parties.0.key", ann.as_str()),
            ("parties.1.person", "eva"),
            ("parties.1.role", "\"entity\""),
            ("parties.1.name", "Eva"),
            ("parties.1.firm", "Brickmere Ltd"),
            ("parties.1.number", ""),
            ("parties.1.audits", ""),
            ("parties.1.key", eva.as_str()),
            ("contract", "contract 7"),
            ("retention", "seven years, the auditor"),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Signs the engagement of an audit under a standard.
    pub(super) async fn engagement(&self, audit: &str, standard: &str) {
        let fields = self.engagement_fields(audit, standard).await;
        self.step("/engage", "ann", &borrowed(&fields)).await;
    }

    /// The registrar's list, with Rolf on it.
    pub(super) fn list_fields(&self) -> Vec<(String, String)> {
        let rolf = self.key("rolf").public_key().to_string();
        let fields = [
            ("list", "list-1"),
            ("reviewers.0.person", "rolf"),
            ("reviewers.0.name", "Rolf"),
            ("reviewers.0.number", "R-1"),
            ("reviewers.0.firm", "Rowan Reviews"),
            ("reviewers.0.steering", "no"),
            ("reviewers.0.key", rolf.as_str()),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Begins an audit under the CCSS workflow, up to where evidence is put on file.
    pub(super) async fn engaged(&self) {
        self.engagement("brick-1", "ccss 9.0").await;
        self.step("/audits/brick-1/steps/intent_filed", "ann", &[("reference", "letter 1")]).await;
        let list = self.list_fields();
        self.step("/audits/brick-1/steps/options_listed", "ann", &borrowed(&list)).await;
        self.step("/audits/brick-1/steps/reviewer_chosen", "ann", &[("person", "\"rolf\"")]).await;
    }

    /// So many days ago.
    pub(super) fn day(&self, ago: u64) -> String {
        use quorate_host::clock::Clock as _;
        let now = quorate_host::SystemClock::new().now();
        now.minus_s(ago * 86_400).written("%Y-%m-%d")
    }
}

/// Fields as a form sends them.
pub(super) fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// A form with a file, as a browser writes it.
pub(super) fn parts(fields: Fields<'_>, file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        out.extend_from_slice(head.as_bytes());
    }
    if let Some((name, bytes)) = file {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: text/html\r\n\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    out
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
