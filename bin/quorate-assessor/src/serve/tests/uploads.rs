//! Files that come through the page: what is refused leaves nothing, and what is given back can run nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use futures_util::{StreamExt as _, stream};
use quorate_host::SealedFiles;
use quorate_terms::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::world::{PORT, World, parts};
use crate::home::Home;
use crate::serve::bounds;
use crate::serve::steps::{ARRIVES_WITHIN, REQUEST_BYTES};

const PATH: &str = "/audits/brick-1/steps/exhibit_filed.document";
/// How long a test waits before it says that nothing comes.
const PATIENCE: Duration = Duration::from_secs(60);

impl World {
    fn document<'a>(
        &self,
        days: &'a [String; 3],
        more: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let [from, to, at] = days;
        let fields = [
            ("taker", "eva"),
            ("title", "Key handbook"),
            ("purpose", "keys"),
            ("version", "3"),
            ("place", "cabinet nine"),
            ("findings", "names boxes and people"),
            ("owner", "Otto Owner"),
            ("from", from.as_str()),
            ("to", to.as_str()),
            ("at", at.as_str()),
        ];
        fields.into_iter().chain(more.iter().copied()).collect()
    }

    fn days(&self) -> [String; 3] {
        [self.day(300), self.day(3), self.day(4)]
    }
}

/// The pages on a socket of their own.
struct Serving {
    address: SocketAddr,
    /// What the cookie of a session is called.
    cookie: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    async fn begin(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let plain = |socket| async move { Ok(socket) };
        let until = async move { drop(stopped.await) };
        let bounds = bounds(&[]);
        let serving = quorate_web::serve(listener, plain, world.router(), bounds, until);
        let cookie = world.hall.cookie().to_owned();
        Self { address, cookie, stop, task: tokio::spawn(serving) }
    }

    /// Sends a form's head and as much of its body as is given.
    async fn begins(&self, cookie: &str, path: &str, length: usize, body: &[u8]) -> TcpStream {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost:{PORT}\r\nOrigin: http://localhost:{PORT}\r\n\
             Cookie: {}={cookie}\r\n\
             Content-Type: multipart/form-data; boundary=what-stands-between-parts\r\n\
             Content-Length: {length}\r\n\r\n",
            self.cookie
        );
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body).await.unwrap();
        socket
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

/// Waits until so many places are free.
async fn places(world: &World, free: usize) {
    let until = async {
        while world.hall.places() != free {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, until).await.expect("places taken, or given back");
}

/// How an answer begins; it must come although nothing more is sent.
async fn status(socket: &mut TcpStream) -> String {
    let mut said = vec![0; 12];
    let reading = socket.read_exact(&mut said);
    tokio::time::timeout(PATIENCE, reading).await.expect("an answer").unwrap();
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn a_file_that_is_not_what_it_says_or_hides_something_leaves_nothing() {
    let world = World::new().await;
    world.with_evidence().await;
    let (size, files, days) = (world.size().await, world.files().len(), world.days());
    let pdf = b"%PDF-1.7 another handbook".as_slice();
    let check = async |name: &str, bytes: &[u8], more: &[(&str, &str)], why: &str| {
        let fields = world.document(&days, more);
        let got = world.send_as(&world.cookie, PATH, &fields, Some((name, bytes))).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", got.text());
        assert!(got.text().contains(why), "{name} {why}: {}", got.text());
        assert!(!got.text().contains("<svg") && !got.text().contains("<script>"), "{}", got.text());
    };
    check("../../office.pdf", pdf, &[], "no plain name").await;
    check("a\\b.pdf", pdf, &[], "no plain name").await;
    check("handbook\u{202e}fdp.pdf", pdf, &[], "no plain name").await;
    check("page.html", b"<script>alert(1)</script>", &[], "a kind that is not taken").await;
    check("page.svg", b"<svg onload=alert(1)>", &[], "a kind that is not taken").await;
    check("page.pdf", b"<script>alert(1)</script>", &[], "whatever its name says").await;
    check("empty.pdf", b"", &[], "empty or too large").await;
    let other = Digest::sha256(b"another").to_string();
    check("handbook.pdf", pdf, &[("sha256", &other)], "not the one that was told").await;
    check("handbook.pdf", pdf, &[("kept_there", "in a safe")], "exhibit_is_whole").await;
    assert_eq!((world.size().await, world.files().len()), (size, files));
}

#[tokio::test]
async fn a_form_that_is_too_large_or_has_two_files_is_refused() {
    let world = World::new().await;
    world.engaged().await;
    let days = world.days();
    let fields = world.document(&days, &[]);
    let whole = vec![b'a'; REQUEST_BYTES + 1];
    let got = world.send_as(&world.cookie, PATH, &fields, Some(("big.txt", &whole))).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", got.text());
    let almost = &whole[..quorate_host::sealed_files::FILE_BYTES_MAX + 1];
    let got = world.send_as(&world.cookie, PATH, &fields, Some(("big.txt", almost))).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", got.text());
    let twice = [&fields[..], &[("title", "again")]].concat();
    let got = world.send_as(&world.cookie, PATH, &twice, None).await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST, "{}", got.text());
    let long = "x".repeat(300 * 1024);
    let got = world.send_as(&world.cookie, PATH, &[("taker", "eva"), ("title", &long)], None).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", got.text());
    assert_eq!(world.files().len(), 0);
}

#[tokio::test]
async fn two_files_of_one_name_both_stay_and_each_comes_back_as_a_download_that_runs_nothing() {
    let world = World::new().await;
    world.with_evidence().await;
    let days = world.days();
    // Plain text may say anything. It is never shown as what it says.
    let page = b"<html><script>alert(document.cookie)</script></html>".as_slice();
    for bytes in [page, b"the second of this name"] {
        let digest = Digest::sha256(bytes).to_string();
        let fields = world.document(&days, &[("sha256", &digest)]);
        let file = Some(("notes.txt", bytes));
        world.step_as(&world.cookie, PATH, "eva", (&fields[1..], file)).await;
    }
    let held = world.held("brick-1").await;
    let digest = |tag: &str| held.state.exhibits()[tag].file.as_ref().unwrap().digest;
    assert_eq!(digest("DOCUMENT_2"), Digest::sha256(page));
    assert_ne!(digest("DOCUMENT_2"), digest("DOCUMENT_3"));
    for sealed in world.files() {
        let bytes = std::fs::read(&sealed).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"<script"), "{}", sealed.display());
    }
    let open = [("tag", "\"DOCUMENT_2\""), ("why", "to read it")];
    let done = world.step("/audits/brick-1/steps/exhibit_opened", "ann", &open).await;
    let ask = done.field("ask");
    let got = world.post_as(&world.cookie, "/audits/brick-1/file", &[("ask", &ask)]).await;
    assert_eq!((got.status, got.bytes.as_slice()), (StatusCode::OK, page));
    assert_eq!(got.header("content-disposition"), "attachment; filename=\"DOCUMENT_2-notes.txt\"");
    assert_eq!(got.header("content-type"), "application/octet-stream");
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert!(got.header("content-security-policy").starts_with("sandbox"));
    let again = world.post_as(&world.cookie, "/audits/brick-1/file", &[("ask", &ask)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "an opening on record gives the file once");
    let ways = ["href=\"/audits\"", "href=\"/history\"", "Sign out"];
    assert!(ways.iter().all(|way| again.text().contains(way)), "{}", again.text());
    let log = world.held("brick-1").await;
    assert_eq!(log.state.access_log().len(), 1);
}

#[tokio::test]
async fn pages_without_the_passphrase_take_no_files_and_say_how_they_would() {
    let world = World::new().await;
    world.engaged().await;
    let days = world.days();
    let fields = world.document(&days, &[]);
    let bare = World::serving(tempfile::tempdir().unwrap(), &[]).await;
    let got = bare.send_as(&bare.cookie, PATH, &fields, Some(("a.pdf", b"%PDF-1.7"))).await;
    assert!(got.text().contains("--passphrase-file"), "{}", got.text());
    assert_eq!(bare.files().len(), 0);
}

#[tokio::test]
async fn a_form_whose_file_was_left_out_has_none_wherever_its_bytes_are_parted() {
    let world = World::new().await;
    world.with_evidence().await;
    let (files, days) = (world.files(), world.days());
    let whole = parts(&world.document(&days, &[]), Some(("", b"")));
    // The last boundary has 33 bytes: this is around where the head of the file's part ends.
    for end in 30..38 {
        let (one, other) = whole.split_at(whole.len() - end);
        let got = world.send_pieces(&world.cookie, PATH, vec![one.to_vec(), other.to_vec()]).await;
        assert!(got.text().contains("it needs a file"), "parted {end}: {}", got.text());
    }
    assert_eq!(world.files(), files);
}

#[tokio::test]
async fn a_connection_that_is_cut_midway_leaves_nothing_stored_and_nothing_recorded() {
    let world = World::new().await;
    world.with_evidence().await;
    let (size, files) = (world.size().await, world.files());
    let serving = Serving::begin(&world).await;
    let days = world.days();
    let whole = parts(&world.document(&days, &[]), Some(("a.txt", &[b'a'; 200_000])));
    let length = whole.len();
    for cut in [10, 500, whole.len() / 2, whole.len() - 3] {
        let mut socket = serving.begins(&world.cookie, PATH, length, &whole[..cut]).await;
        socket.shutdown().await.unwrap();
        let mut said = String::new();
        let _cut = socket.read_to_string(&mut said).await;
        assert!(!said.starts_with("HTTP/1.1 200"), "cut at {cut}: {said}");
    }
    let mut socket = serving.begins(&world.cookie, PATH, length, &whole).await;
    assert_eq!(status(&mut socket).await, "HTTP/1.1 200", "the same form, whole, is taken");
    drop(socket);
    serving.end().await;
    assert_eq!(world.size().await, size, "it waits for its signature");
    assert_eq!(world.files().len(), files.len() + 1, "the whole one lies sealed");
}

#[tokio::test]
async fn an_opening_on_record_keeps_its_file_until_the_file_was_given() {
    let world = World::new().await;
    world.with_evidence().await;
    let open = [("tag", "\"DOCUMENT_1\""), ("why", "to read it")];
    let done = world.step("/audits/brick-1/steps/exhibit_opened", "ann", &open).await;
    let ask = done.field("ask");
    let fetch =
        async || world.post_as(&world.cookie, "/audits/brick-1/file", &[("ask", &ask)]).await;
    // A command of the office works beside the pages for as long as it takes; and the disk is not there.
    let office = world.dir.path().join("office");
    let held = Home::open_now(&office, false).unwrap();
    let (files, away) = (office.join("files"), office.join("away"));
    std::fs::rename(&files, &away).unwrap();
    assert_eq!(fetch().await.status, StatusCode::CONFLICT);
    std::fs::rename(&away, &files).unwrap();
    let got = fetch().await;
    assert_eq!((got.status, got.bytes.as_slice()), (StatusCode::OK, &b"%PDF-1.7 the handbook"[..]));
    assert_eq!(fetch().await.status, StatusCode::CONFLICT, "once");
    drop(held);
}

/// Sweeps the folder of files whenever one is half written and the office is free: what a command beside the pages may do.
fn sweep(office: &Path, over: &AtomicBool) -> u32 {
    let half = |name: std::ffi::OsString| name.to_string_lossy().ends_with(".new");
    let mut seen = 0;
    while !over.load(Ordering::Relaxed) {
        let mut all = std::fs::read_dir(office.join("files")).unwrap();
        if all.any(|entry| half(entry.unwrap().file_name())) {
            seen += 1;
            if let Ok(home) = Home::open_now(office, false) {
                SealedFiles::open(&home.files()).unwrap();
            }
        }
    }
    seen
}

#[tokio::test]
async fn files_that_come_at_once_are_all_kept_whoever_sweeps_beside_them() {
    let world = World::new().await;
    world.with_evidence().await;
    let (files, days) = (world.files().len(), world.days());
    let fields = world.document(&days, &[]);
    let over = Arc::new(AtomicBool::new(false));
    let (office, ends) = (world.dir.path().join("office"), Arc::clone(&over));
    let sweeping = std::thread::spawn(move || sweep(&office, &ends));
    let send = async |fill: u8| {
        let bytes = vec![fill; 4_000_000];
        let file = Some(("a.txt", bytes.as_slice()));
        let got = world.send_as(&world.cookie, PATH, &fields, file).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text());
    };
    tokio::join!(send(b'a'), send(b'b'), send(b'c'));
    over.store(true, Ordering::Relaxed);
    assert!(sweeping.join().unwrap() > 0, "nobody saw a file while it was written");
    assert_eq!(world.files().len(), files + 3);
    assert_eq!(world.hall.places(), 2);
}

#[tokio::test]
async fn a_file_is_read_only_for_who_may_file_it_and_holds_its_place_until_it_is_sealed() {
    let world = World::new().await;
    world.with_evidence().await;
    let (serving, days) = (Serving::begin(&world).await, world.days());
    let whole = parts(&world.document(&days, &[]), Some(("a.txt", &[b'a'; 200_000])));
    let (length, half) = (whole.len(), whole.len() / 2);
    let rolf = world.signs_in("rolf").await.unwrap();
    for (cookie, path, expected) in [
        (&rolf, PATH, "HTTP/1.1 403"),
        (&world.cookie, "/audits/none/steps/exhibit_filed.document", "HTTP/1.1 404"),
        (&world.cookie, "/audits/brick-1/steps/declared", "HTTP/1.1 400"),
    ] {
        let mut socket = serving.begins(cookie, path, length, &whole[..half]).await;
        assert_eq!(status(&mut socket).await, expected, "{path}");
    }
    assert_eq!(world.hall.places(), 2);
    let slow = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    let mut other = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    places(&world, 0).await;
    // Whoever sends no file waits for nobody.
    let said = [("taker", "ann"), ("what", "a rack"), ("at", "someday"), ("major", "no")];
    let path = "/audits/brick-1/steps/change_disclosed";
    let form = world.send_as(&world.cookie, path, &said, None);
    let form = tokio::time::timeout(PATIENCE, form).await.expect("an answer");
    assert_eq!(form.status, StatusCode::UNPROCESSABLE_ENTITY);
    // Whole in memory, and the folder is busy: it waits to be sealed, in its place.
    let open = world.hall.enter().await.unwrap();
    other.write_all(&whole[half..]).await.unwrap();
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
        assert_eq!(world.hall.places(), 0);
    }
    open.close().await;
    assert_eq!(status(&mut other).await, "HTTP/1.1 200");
    assert_eq!(world.hall.places(), 1, "the slow one still has its place");
    drop((slow, other));
    serving.end().await;
}

#[tokio::test]
async fn a_file_whose_place_is_not_free_in_time_is_refused_and_taken_when_it_is_sent_again() {
    let world = World::patient(Duration::from_millis(200)).await;
    world.with_evidence().await;
    let (serving, days) = (Serving::begin(&world).await, world.days());
    let whole = parts(&world.document(&days, &[]), Some(("a.txt", &[b'a'; 200_000])));
    let (length, half) = (whole.len(), whole.len() / 2);
    let one = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    let two = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    places(&world, 0).await;
    let mut third = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    assert_eq!(status(&mut third).await, "HTTP/1.1 409", "both places are held for longer");
    let fields = world.document(&days, &[]);
    let got = world.send_as(&world.cookie, PATH, &fields, Some(("a.txt", b"a"))).await.text();
    assert!(got.contains("others send files; send it again"), "{got}");
    drop((one, two));
    places(&world, 2).await;
    let mut again = serving.begins(&world.cookie, PATH, length, &whole).await;
    assert_eq!(status(&mut again).await, "HTTP/1.1 200");
    drop((third, again));
    serving.end().await;
}

#[tokio::test]
async fn a_file_that_waited_for_its_place_is_taken_when_one_is_given_back() {
    let world = World::new().await;
    world.with_evidence().await;
    let (serving, days) = (Serving::begin(&world).await, world.days());
    let whole = parts(&world.document(&days, &[]), Some(("a.txt", &[b'a'; 200_000])));
    let (length, half) = (whole.len(), whole.len() / 2);
    let one = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    let two = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    places(&world, 0).await;
    let mut third = serving.begins(&world.cookie, PATH, length, &whole[..half]).await;
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
    }
    assert!(third.try_read(&mut [0]).is_err(), "it waits, and nothing is said to it yet");
    drop(one);
    third.write_all(&whole[half..]).await.unwrap();
    assert_eq!(status(&mut third).await, "HTTP/1.1 200", "the wait was not its own");
    drop((two, third));
    serving.end().await;
}

/// A form that begins and goes on without end, and what came of it after how many seconds. The server's own patience is longer.
async fn dripped(world: &World, cookie: &str, path: &str, kind: &str) -> (u16, u64) {
    let mut request = world.request("POST", path, cookie);
    request = request.header(header::CONTENT_TYPE, kind);
    let begins = stream::iter([Ok::<_, Infallible>("code=")]);
    let body = Body::from_stream(begins.chain(stream::pending()));
    let began = Instant::now();
    let asking = world.router().oneshot(request.body(body).unwrap());
    let answer = tokio::time::timeout(bounds(&[]).body, asking).await.expect("an answer").unwrap();
    (answer.status().as_u16(), began.elapsed().as_secs())
}

#[tokio::test]
async fn a_form_that_brings_no_file_comes_within_a_minute_and_one_that_does_has_longer() {
    let world = World::new().await;
    tokio::time::pause();
    let short = "application/x-www-form-urlencoded";
    let long = "multipart/form-data; boundary=what-stands-between-parts";
    for path in ["/sign-in", "/visit", "/visit/answer"] {
        assert_eq!(dripped(&world, "none", path, short).await, (400, 60), "{path}");
    }
    for step in ["waiting", "answer", "file"] {
        let path = format!("/audits/brick-1/{step}");
        assert_eq!(dripped(&world, &world.cookie, &path, short).await, (400, 60), "{path}");
    }
    let fields = ARRIVES_WITHIN.as_secs();
    assert_eq!(dripped(&world, &world.cookie, "/engage", long).await, (400, fields));
    assert_eq!(dripped(&world, "none", "/engage", long).await, (303, 0), "nobody is signed in");
}

#[test]
fn the_server_lets_a_form_take_what_each_of_its_parts_may_take() {
    let body = bounds(&[]).body;
    assert_eq!(body, ARRIVES_WITHIN.saturating_mul(3), "its fields, the wait, its file");
}
