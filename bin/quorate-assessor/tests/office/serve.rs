//! The office's own pages over HTTP: who sees what, and that pages say what the command line says.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::room::Room;
use super::vault::Vault;

/// One answer: status, head, body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let named = self.head.lines().filter_map(|line| line.split_once(": "));
        named.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// Asks, with further lines of the head.
fn ask(host: &str, what: &str, more: &str, body: &str) -> Answer {
    let port = host.rsplit_once(':').unwrap().1;
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let is_json = body.starts_with('{');
    let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
    let kind = format!("Content-Type: {kind}");
    let length = body.len();
    let text = format!(
        "{what} HTTP/1.1\r\nConnection: close\r\n{kind}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said).into_owned();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

fn get(host: &str, path: &str, cookie: &str) -> Answer {
    ask(host, &format!("GET {path}"), &format!("Host: {host}\r\nCookie: {cookie}\r\n"), "")
}

fn enter(host: &str, code: &str) -> Answer {
    let more = format!("Host: {host}\r\nOrigin: http://{host}\r\n");
    ask(host, "POST /sign-in", &more, &format!("code={code}"))
}

/// How the cookie of a session begins on plain loopback.
fn named(host: &str) -> String {
    format!("quorate-office-{}=", host.rsplit_once(':').unwrap().1)
}

/// The cookie of a session.
fn signed_in(host: &str, code: &str) -> String {
    let answer = enter(host, code);
    assert_eq!(answer.status, 303, "{}", answer.head);
    let line = answer.header("set-cookie").unwrap();
    assert!(line.starts_with(&named(host)) && !line.contains("Secure"), "{line}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict"] {
        assert!(line.contains(part), "{line}");
    }
    line.split(';').next().unwrap().to_owned()
}

fn vault() -> Vault {
    let mut vault = Vault::found("house");
    vault.add_key("w-1", "dkg");
    vault.add_key("w-2", "dealer");
    vault
}

#[test]
fn a_stranger_sees_the_register_of_marks_and_nothing_else() {
    let room = Room::pinned(&vault());
    let (_serving, host, code) = room.serve();
    for path in ["/", "/history", "/audits", "/reports", "/reports/gaps.csv", "/proof?book=a"] {
        let answer = get(&host, path, &format!("{}00", named(&host)));
        assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in")), "{path}");
        assert_eq!(answer.body, "", "{path}");
    }
    let marks = get(&host, "/marks", "");
    assert!(marks.status == 200 && marks.body.contains("No mark was issued here."));
    let origins = ["", "Origin: http://evil.example\r\n", "Origin: null\r\n"];
    for origin in origins {
        let more = format!("Host: {host}\r\n{origin}");
        let answer = ask(&host, "POST /sign-in", &more, &format!("code={code}"));
        assert_eq!(answer.status, 403, "{origin}");
    }
    let rebound = ask(&host, "GET /marks", "Host: evil.example\r\n", "");
    assert_eq!(rebound.status, 403, "another name of this machine");
    assert_eq!(enter(&host, "0123456789abcdef0123456789abcdef").status, 401);
    let _cookie = signed_in(&host, &code);
    assert_eq!(enter(&host, &code).status, 401, "a code opens once");
}

#[test]
fn pages_say_what_the_command_line_says_and_leave_it_the_folder() {
    let vault = vault();
    let room = Room::pinned(&vault);
    room.take_in(&vault);
    let (serving, host, code) = room.serve();
    let cookie = signed_in(&host, &code);
    assert!(get(&host, "/", &cookie).body.contains("Nothing was assessed yet."));
    room.answer(&["assess", "ccss 9.0"]);
    let overview = get(&host, "/", &cookie);
    assert_eq!(overview.status, 200);
    assert!(overview.body.contains("href=\"/controls/ccss%209.0%201.01.1.1\""));
    let control = get(&host, "/controls/ccss%209.0%201.01.1.1", &cookie);
    let shown = room.answer(&["show", "ccss 9.0 1.01.1.1"]);
    assert_eq!(shown["finding"]["state"], "gap");
    let why = shown["finding"]["reasons"][0].as_str().unwrap();
    assert!(control.body.contains(why), "{why}");
    let link = "/proof?book=house.example%2Fbook&entry=2&part=proof";
    let escaped = link.replace('&', "&#38;");
    assert!(control.body.contains(&escaped) || control.body.contains(link), "{}", control.body);
    let proof = get(&host, link, &cookie);
    assert!(proof.body.contains("c2sp.org/tlog-proof@v1"), "{}", proof.body);
    let report = get(&host, "/reports/readiness.html", &cookie);
    assert!(report.header("content-disposition").unwrap().starts_with("attachment; "));
    assert_eq!(report.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    for (path, status) in [("/reports/dream.html", 404), ("/controls/dream", 409), ("/no", 404)] {
        assert_eq!(get(&host, path, &cookie).status, status, "{path}");
    }
    drop(serving);
}

#[test]
fn a_program_is_told_what_the_command_line_says() {
    let vault = vault();
    let room = Room::pinned(&vault);
    room.take_in(&vault);
    let file = room.path("office/asker.token").display().to_string();
    room.good(&[
        "token",
        "new",
        "asker",
        "--scope",
        "file",
        "--expires",
        "1d",
        "--token-file",
        &file,
    ]);
    let token = std::fs::read_to_string(&file).unwrap();
    let (_serving, host, _) = room.serve();
    let asks = |what: &str, key: &str, body: &str| {
        let more = format!("Host: {host}\r\nAuthorization: Bearer {token}\r\n{key}");
        let answer = ask(&host, what, &more, body);
        let read: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{what}: {read}");
        read
    };
    let get = |path: &str| asks(&format!("GET /api/v1{path}"), "", "");
    let body = "{\"standard\":\"ccss 9.0\"}";
    let theirs = asks("POST /api/v1/assessments", "Idempotency-Key: one\r\n", body);
    let ours = room.answer(&["assess", "ccss 9.0"]);
    for part in ["standard", "catalogue", "official", "reached"] {
        let part = format!("/results/{part}");
        let same = ours.pointer(&part).is_some_and(|ours| theirs.pointer(&part) == Some(ours));
        assert!(same, "{part}");
    }
    // A moment later, when each control was asked again.
    let found = |all: &Value| -> Vec<Value> {
        let all = all["results"]["findings"].as_array().unwrap().iter();
        all.map(|one| json!([one["control"], one["state"], one["reasons"]])).collect()
    };
    assert!(found(&theirs).len() > 50 && found(&theirs) == found(&ours));
    let digest = theirs["sha256"].as_str().unwrap();
    assert_eq!(get(&format!("/assessments/{digest}")), theirs);
    let shown = room.answer(&["show", "ccss 9.0 1.01.1.1"]);
    let told = get("/controls/ccss%209.0%201.01.1.1");
    for part in ["control", "state", "reasons"] {
        assert_eq!(told["finding"][part], shown["finding"][part], "{part}");
    }
    let newest = get("/assessments?limit=1");
    let (found, next) = (&newest["assessments"], &newest["next_after"]);
    assert_eq!(
        (found[0]["results"].clone(), found.as_array().unwrap().len()),
        (ours["sha256"].clone(), 1)
    );
    let older = get(&format!("/assessments?limit=1&after={next}"));
    assert_eq!(
        (&older["assessments"][0]["results"], &older["next_after"]),
        (&json!(digest), &json!(null))
    );
}

#[test]
fn pages_are_not_served_beyond_this_machine() {
    let room = Room::pinned(&vault());
    let (code, said) = room.refused(&["serve", "--listen", "0.0.0.0:0"]);
    assert!(code == "malformed" && said.contains("loopback"), "{said}");
}
