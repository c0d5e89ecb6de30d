//! The whole command line with bad input, as somebody new to it gives it: one line that says what to do, and the right exit code.
//!
//! A word that begins with `@` is a file of the room.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::room::Room;
use super::said;
use super::vault::Vault;

/// Words, the exit code, the trouble's code, and what the line says among other things.
type Row = (&'static [&'static str], i32, &'static str, &'static str);

const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What needs an office and says no.
const INSIDE: [Row; 40] = [
    (&["init", "--office", "o", "--origin", "o.example/o"], 1, "there", "--dir"),
    (&["pin", "@none"], 2, "fault", "check the path"),
    (&["pin", "@junk"], 1, "malformed", "checkpoint.md"),
    (&["pin", "@folder"], 1, "no_file", "right file"),
    (&["pin", "/dev/zero"], 1, "no_file", "right file"),
    (&["pin", "@huge"], 1, "too_large", "right file"),
    (&["pin", "@policy.json"], 1, "pinned", "another office"),
    (&["import", "--vault", "nobody", "@junk", "--checkpoint", "@junk"], 1, "not_pinned", "pin it"),
    (&["import", "--vault", "house", "@junk", "--checkpoint", "@junk"], 1, "refuted", "note"),
    (
        &["import", "--vault", "house", "--cosigner", "x", "@junk", "--checkpoint", "@junk"],
        1,
        "unknown_cosigner",
        "witness",
    ),
    (&["follow"], 1, "no_desk", "--desk"),
    (&["follow", "--vault", "nobody"], 1, "not_pinned", "pin it"),
    (
        &["attest", "Dream", "--person", "p", "--key", "@p.key", "--represents", "2026-01-01"],
        1,
        "malformed",
        "model.toml",
    ),
    (
        &[
            "attest",
            "PersonVetted",
            "--field",
            "person",
            "--person",
            "p",
            "--key",
            "@p.key",
            "--represents",
            "2026-01-01",
        ],
        1,
        "malformed",
        "name=value",
    ),
    (
        &[
            "attest",
            "PersonVetted",
            "--field",
            "person=p",
            "--person",
            "p",
            "--key",
            "@p.key",
            "--represents",
            "soon",
        ],
        1,
        "malformed",
        "2026-11-20",
    ),
    (
        &[
            "attest",
            "PersonVetted",
            "--field",
            "person=p",
            "--person",
            "p",
            "--key",
            "@junk",
            "--represents",
            "2026-01-01",
        ],
        2,
        "fault",
        "chmod",
    ),
    (
        &["evidence", "ccss 9.0 9.99", "--tag", "DOCUMENT_1", "--by", "p"],
        1,
        "unknown_control",
        "standards show",
    ),
    (&["evidence", "ccss", "--tag", "DOCUMENT_1", "--by", "p"], 1, "malformed", "write it as"),
    (&["evidence", "ccss 9.0 1.01.1.1", "--tag", "", "--by", "p"], 1, "malformed", "DOCUMENT_1"),
    (
        &["evidence", "ccss 9.0 1.01.1.1", "--tag", "PHOTO_1", "--by", "p"],
        1,
        "malformed",
        "DOCUMENT_1",
    ),
    (
        &["evidence", "ccss 9.0 1.01.1.1", "--tag", "DOCUMENT_01", "--by", "p"],
        1,
        "malformed",
        "DOCUMENT_1",
    ),
    (
        &["evidence", "ccss 9.0 1.01.1.1", "--tag", "DOCUMENT_1", "--file", "@none", "--by", "p"],
        2,
        "fault",
        "path",
    ),
    (
        &[
            "evidence",
            "ccss 9.0 1.01.1.1",
            "--tag",
            "DOCUMENT_1",
            "--expires",
            "never",
            "--by",
            "p",
        ],
        1,
        "malformed",
        "RFC 3339",
    ),
    (&["assess", "ccss"], 1, "malformed", "ccss 9.0"),
    (&["assess", "nope 1"], 1, "unknown_standard", "ccss 9.0"),
    (&["assess", "ccss 9.0", "--level", "IX"], 1, "unknown_level", "III"),
    (&["assess", "ccss 9.0", "--profile", "nope"], 1, "unknown_profile", "choose one of"),
    (&["assess", "ccss 9.0", "--vault", "nobody"], 1, "not_pinned", "pin it"),
    (&["assess", "ccss 9.0", "--as-of", "soon"], 1, "malformed", "2026-11-20"),
    (&["show", "nope"], 1, "malformed", "write it as"),
    (&["history", "nope"], 1, "malformed", "write it as"),
    (&["export", "nope 1", "--out", "@out"], 1, "unknown_standard", "ccss 9.0"),
    (&["export", "wd 0.1.0", "--out", "@out"], 1, "not_assessed", "assess"),
    (&["pack", "--out", "@out", "--results", ZEROS], 1, "no_results", "assess"),
    (&["pack", "--out", "@out", "--receipt", "@none"], 2, "fault", "path"),
    (&["pack", "--out", "@out", "--paper", "@Bad name"], 1, "name", "letters"),
    (
        &["erase", "nope", "--tag", "INTERVIEW_1", "--by", "p", "--why", "w"],
        1,
        "no_audit",
        "engaged",
    ),
    (
        &["mark", "badge", "@none", "--page", "https://x.example/", "--out", "@out"],
        2,
        "fault",
        "path",
    ),
    (
        &["mark", "badge", "@junk", "--page", "https://x.example/", "--out", "@out"],
        1,
        "malformed",
        "mark",
    ),
    (&["mark", "register", "--out", "@out"], 2, "usage", "required"),
];

const AUDITS: [Row; 15] = [
    (&["audit", "registrar", " ", "@key"], 1, "malformed", "name the registrar"),
    (&["audit", "step", "@none", "--by", "a"], 2, "fault", "path"),
    (&["audit", "step", "@junk", "--by", "a"], 1, "malformed", "audit.md"),
    (&["audit", "step", "@struck", "--by", "a"], 1, "which", "--audit"),
    (&["audit", "step", "@struck", "--audit", "x", "--by", "a"], 1, "no_audit", "engaged"),
    (&["audit", "view", "x", "--role", "auditor"], 1, "no_audit", "engaged"),
    (&["audit", "calendar", "x"], 1, "no_audit", "engaged"),
    (&["audit", "report", "x", "--out", "@out"], 1, "no_audit", "engaged"),
    (&["audit", "redact", "x", "--by", "a", "--openings", "@out"], 1, "no_audit", "engaged"),
    (
        &["audit", "sign", "x", "y", "@junk", "--by", "a", "--key", "@none"],
        1,
        "malformed",
        "declaration, review or summary",
    ),
    (
        &["audit", "sign", "x", "review", "@junk", "--by", "a", "--key", "@none"],
        1,
        "malformed",
        "give JSON",
    ),
    (&["audit", "draft", "x", "--results", ZEROS, "--out", "@out"], 1, "no_audit", "engaged"),
    (&["audit", "evidence", "list", "x"], 1, "no_audit", "engaged"),
    (&["audit", "evidence", "verify", "x", "--passphrase-file", "@none"], 1, "no_audit", "engaged"),
    (
        &[
            "audit",
            "evidence",
            "open",
            "x",
            "T",
            "--by",
            "a",
            "--why",
            "w",
            "--out",
            "@out",
            "--passphrase-file",
            "@none",
        ],
        1,
        "no_audit",
        "engaged",
    ),
];

const REPORTS: [Row; 13] = [
    (&["report", "readiness", "--out", "@there"], 2, "fault", "choose another path"),
    (&["report", "readiness", "--out", "@none/r.html"], 2, "fault", "path"),
    (&["report", "readiness", "--out", "@folder"], 2, "fault", "choose another path"),
    (
        &["report", "readiness", "--standard", "nope 1", "--out", "@out"],
        1,
        "unknown_standard",
        "ccss 9.0",
    ),
    (
        &["report", "readiness", "--standard", "wd 0.1.0", "--out", "@out"],
        1,
        "not_assessed",
        "assess",
    ),
    (&["report", "wss", "--out", "@out"], 1, "not_assessed", "assess"),
    (
        &["report", "readiness", "--format", "pdf", "--typst", "@none", "--out", "@out"],
        2,
        "no_typst",
        "typst",
    ),
    (&["report", "gaps", "--plan", "@none", "--out", "@out"], 2, "fault", "path"),
    (&["report", "gaps", "--plan", "@junk", "--out", "@out"], 1, "malformed", "step"),
    (&["report", "gaps", "--plan", "/dev/zero", "--out", "@out"], 1, "no_file", "right file"),
    (&["report", "gaps", "--plan", "@huge", "--out", "@out"], 1, "too_large", "right file"),
    (&["report", "roc", "x", "--out", "@out"], 1, "no_audit", "engaged"),
    (&["report", "summary", "x", "--out", "@out"], 1, "no_audit", "engaged"),
];

const STANDARDS: [Row; 24] = [
    (&["standards", "show", "nope"], 1, "malformed", "write it as"),
    (&["standards", "show", "ccss 9.0 9"], 1, "unknown_control", "standards show"),
    (&["standards", "diff", "ccss", "9.0", "8"], 1, "unknown_standard", "ccss 9.0"),
    (&["standards", "profile", "nope"], 1, "unknown_profile", "choose one of"),
    (&["standards", "due", "nope"], 1, "unknown_template", "standards due"),
    (&["standards", "lint", "--today", "soon"], 1, "malformed", "2026-11-20"),
    (&["standards", "export", "--out", "@there"], 2, "fault", "path"),
    (&["standards", "check", "@none"], 2, "fault", "path"),
    (&["standards", "check", "/dev/zero"], 1, "no_file", "right file"),
    (&["standards", "check", "@huge"], 1, "too_large", "right file"),
    (&["standards", "import", "@none", "--id", "x"], 2, "fault", "path"),
    (&["standards", "import", "@folder", "--id", "x"], 1, "no_file", "right file"),
    (&["standards", "import", "/dev/zero", "--id", "x"], 1, "no_file", "right file"),
    (&["standards", "import", "@huge", "--id", "x"], 1, "too_large", "right file"),
    (&["standards", "import", "@junk", "--id", "x"], 1, "oscal", "give OSCAL in JSON"),
    (&["standards", "import", "@deep", "--id", "x"], 1, "oscal", "give OSCAL in JSON"),
    (&["standards", "import", "@twice", "--id", "x"], 1, "oscal", "each key once"),
    (&["standards", "import", "@no catalogue", "--id", "x"], 1, "oscal", "eight OSCAL models"),
    (&["standards", "import", "@catalogue", "--id", "../x"], 1, "oscal", "lower-case"),
    (&["standards", "import", "@catalogue", "--id", "X Y"], 1, "oscal", "lower-case"),
    (
        &["standards", "import", "@catalogue", "--id", "x", "--version", "../../y"],
        1,
        "oscal",
        "version",
    ),
    (
        &["standards", "import", "@catalogue", "--id", "ccss", "--version", "9.0"],
        1,
        "there",
        "--version",
    ),
    (&["standards", "import", "@terminal", "--id", "x"], 1, "oscal", "mend"),
    (&["standards", "import", "@empty", "--id", "x"], 1, "oscal", "give OSCAL in JSON"),
];

/// What the command line itself refuses, before anything is read.
const USAGE: [&[&str]; 14] = [
    &[],
    &["nonsense"],
    &["init", "--office", "Bad Name", "--origin", "o.example/o"],
    &["import", "--vault", "../x", "a", "--checkpoint", "b"],
    &["follow", "--desk", "host:1"],
    &["follow", "--desk", "host:1", "--identity", "00"],
    &["evidence", "ccss 9.0 1.01.1.1", "--tag", "DOCUMENT_1"],
    &["assess", "ccss 9.0", "--days", "0"],
    &["history", "--days", "0"],
    &["watch", "--every-ms", "1"],
    &["pack", "--out", "p", "--results", "00"],
    &["erase", "a", "--by", "p", "--why", "w"],
    &["report", "readiness", "--format", "doc", "--out", "r"],
    &["completions", "klingon"],
];

/// A room in which everything that a row names lies.
fn room() -> Room {
    let vault = Vault::found("house");
    let room = Room::pinned(&vault);
    room.take_in(&vault);
    room.answer(&["assess", "ccss 9.0"]);
    let write = |name: &str, bytes: &[u8]| fs::write(room.path(name), bytes).unwrap();
    write("junk", b"hello\nthere\n");
    write("there", b"somebody's");
    write("Bad name", b"x");
    write("empty", b"");
    write("twice", br#"{"catalog":{},"catalog":{}}"#);
    write("no catalogue", br#"{"catalog":1}"#);
    write("deep", "[".repeat(200_000).as_bytes());
    write("struck", br#"{"act":"exhibit_struck","tag":"DOCUMENT_1","why":"w"}"#);
    let control = |title: &str| {
        serde_json::json!({ "catalog": { "uuid": "7c2ad0d2-1d29-4a64-9a5e-6f3c1f0b2a11",
            "metadata": { "title": "Foreign", "version": "1", "last-modified": "2026-01-01T00:00:00Z", "oscal-version": "1.2.1" },
            "controls": [{ "id": "f-1", "title": title, "parts": [{ "id": "f-1_smt", "name": "statement", "prose": "Do it." }] }] } })
    };
    write("catalogue", control("One").to_string().as_bytes());
    write("terminal", control("\u{1b}[2Jgone").to_string().as_bytes());
    fs::create_dir(room.path("folder")).unwrap();
    fs::File::create(room.path("huge")).unwrap().set_len(70 * 1024 * 1024).unwrap();
    room
}

fn run(room: &Room, words: &[&str], json: bool) -> Output {
    let at = |word: &str| match word.strip_prefix('@') {
        Some("key") => room.key().to_string(),
        Some(name) => room.path(name).display().to_string(),
        None => word.to_owned(),
    };
    let words: Vec<String> = words.iter().map(|word| at(word)).collect();
    // A folder of its own: nothing that is taken in may touch the one of the source.
    let mut command = said::command();
    command.arg("--dir").arg(room.path("office")).arg("--standards").arg(standards());
    if json {
        command.arg("--json");
    }
    command.args(words).output().unwrap()
}

fn standards() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../standards")
}

fn check(room: &Room, (words, exit, code, says): &Row) {
    let output = run(room, words, false);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(*exit), "{words:?}: {told}");
    assert!(!told.contains("panicked"), "{words:?}: {told}");
    assert!(told.contains(says), "{words:?}: `{says}` is not in {told}");
    if *code == "usage" {
        return;
    }
    // One line, and one for each problem of a list; what to do next stands after the semicolon; no control character.
    let mut lines = told.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("quorate-assessor: ") && first.len() < 1000, "{words:?}: {told}");
    assert!(first.contains(&format!("({code}); ")), "{words:?}: `{code}` is not in {told}");
    assert!(lines.all(|line| line.starts_with("quorate-assessor:   ")), "{words:?}: {told}");
    assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{words:?}: {told:?}");
    assert!(output.stdout.is_empty(), "{words:?}: an answer beside a refusal");
    let output = run(room, words, true);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &value["error"]["code"]), (Some(*exit), &(*code).into()));
    assert!(!room.path("out").exists(), "{words:?}: something was written");
}

#[test]
fn bad_input_to_an_office_is_refused_in_one_line_that_says_how_to_mend_it() {
    let room = room();
    let lines = room.good(&["status"])["entries"].clone();
    INSIDE.iter().chain(&AUDITS).for_each(|row| check(&room, row));
    // A book that was refused is remembered; nothing else is.
    let refused =
        2 * INSIDE.iter().filter(|row| row.0[0] == "import" && row.2 == "refuted").count();
    let after = room.good(&["status"])["entries"].as_u64().unwrap();
    assert_eq!(after, lines.as_u64().unwrap() + u64::try_from(refused).unwrap());
}

#[test]
fn a_report_that_cannot_be_written_is_refused_and_what_is_there_stays() {
    let room = room();
    REPORTS.iter().for_each(|row| check(&room, row));
    assert_eq!(fs::read(room.path("there")).unwrap(), b"somebody's");
    // Results that were changed on disk are no report.
    for entry in fs::read_dir(room.path("office/results")).unwrap() {
        fs::write(entry.unwrap().path(), "{}").unwrap();
    }
    check(&room, &(&["report", "readiness", "--out", "@out"], 1, "refuted", "assess again"));
}

#[test]
fn foreign_standards_that_are_hostile_or_unknown_are_refused_and_none_is_replaced() {
    let room = room();
    let before = fs::read(standards().join("ccss/9.0/catalogue.toml")).unwrap();
    STANDARDS.iter().for_each(|row| check(&room, row));
    assert_eq!(fs::read(standards().join("ccss/9.0/catalogue.toml")).unwrap(), before);
    assert!(!standards().join("x").exists(), "nothing was taken in");
}

#[test]
fn words_that_the_command_line_does_not_know_are_explained() {
    let room = Room::pinned(&Vault::found("house"));
    for words in USAGE {
        let output = run(&room, words, false);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.starts_with("error: ") && told.contains("--help"), "{words:?}: {told}");
    }
}

#[test]
fn without_an_office_or_standards_one_line_says_where_to_begin() {
    let room = Room::pinned(&Vault::found("house"));
    fs::write(room.path("file"), b"x").unwrap();
    fs::create_dir_all(room.path("bent/evidence")).unwrap();
    fs::write(room.path("bent/evidence/model.toml"), b"hello").unwrap();
    let path = |name: &str| room.path(name).display().to_string();
    for (dir, standards, words, exit, code, says) in [
        ("none", "none", &["status"][..], 2, "no_office", "quorate-assessor init"),
        ("file", "none", &["status"], 2, "fault", "give a directory"),
        ("none", "none", &["standards", "list"], 2, "no_standards", "--standards"),
        ("none", "bent", &["standards", "list"], 1, "standards", "mend them"),
        ("office", "none", &["assess", "ccss 9.0"], 2, "no_standards", "--standards"),
        (
            "new",
            "none",
            &["init", "--office", "o", "--origin", "two words"],
            1,
            "malformed",
            "without spaces",
        ),
    ] {
        let mut command = said::command();
        command.args(["--dir", &path(dir), "--standards", &path(standards)]).args(words);
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{words:?}: {told}");
        assert!(told.contains(&format!("({code}); ")) && told.contains(says), "{words:?}: {told}");
    }
    // An office that was cut off before its first line is opened by asking again; its key is the same.
    let dir = path("new");
    let init = ["--dir", &dir, "init", "--office", "o", "--origin", "o.example/o"];
    let open = || said::command().args(init).output().unwrap();
    assert!(open().status.success());
    let key = fs::read(room.path("new/office.key")).unwrap();
    for entry in fs::read_dir(room.path("new")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.file_name().unwrap().to_string_lossy().starts_with("office.db") {
            fs::remove_file(entry).unwrap();
        }
    }
    assert!(open().status.success());
    assert_eq!(fs::read(room.path("new/office.key")).unwrap(), key);
}
