//! Files that come through the page: what is refused leaves nothing, and what is given back can run nothing.

use axum::http::StatusCode;
use quorate_terms::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::world::{PORT, World, parts};
use crate::serve::steps::REQUEST_BYTES;

const PATH: &str = "/audits/brick-1/steps/exhibit_filed.document";

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
async fn a_connection_that_is_cut_midway_leaves_nothing_stored_and_nothing_recorded() {
    let world = World::new().await;
    world.with_evidence().await;
    let (size, files) = (world.size().await, world.files());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let plain = |socket| async move { Ok(socket) };
    let until = async move { drop(stopped.await) };
    let bounds = quorate_web::Connections::default();
    let serving = tokio::spawn(quorate_web::serve(listener, plain, world.router(), bounds, until));
    let days = world.days();
    let whole = parts(&world.document(&days, &[]), Some(("a.txt", &[b'a'; 200_000])));
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost:{PORT}\r\nOrigin: http://localhost:{PORT}\r\n\
         Cookie: quorate-office={}\r\nContent-Type: multipart/form-data; boundary=what-stands-between-parts\r\n\
         Content-Length: {}\r\n\r\n",
        world.cookie,
        whole.len()
    );
    for cut in [10, 500, whole.len() / 2, whole.len() - 3] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&whole[..cut]).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut said = String::new();
        let _cut = socket.read_to_string(&mut said).await;
        assert!(!said.starts_with("HTTP/1.1 200"), "cut at {cut}: {said}");
    }
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&whole).await.unwrap();
    let mut said = vec![0; 12];
    socket.read_exact(&mut said).await.unwrap();
    assert_eq!(said, b"HTTP/1.1 200", "the same form, whole, is taken");
    drop(socket);
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert_eq!(world.size().await, size, "it waits for its signature");
    assert_eq!(world.files().len(), files.len() + 1, "the whole one lies sealed");
}
