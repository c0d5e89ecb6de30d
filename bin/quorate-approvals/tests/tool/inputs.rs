//! Bad input, as a new approver gives it: each is one line with what is wrong and what to do, in text and as JSON; nothing
//! panics and nothing is lost.

use std::fs;
use std::path::Path;

use quorate_terms::canonical::Term as _;

use super::house;
use super::office::{Office, enrolled, private, tool};

/// What a refused command is told: exit code, and code, message and next of its JSON.
#[track_caller]
fn refused(dir: &Path, words: &[&str]) -> (i32, [String; 3]) {
    let said = tool(dir, &[words, &["--json"]].concat(), "");
    assert_ne!(said.code, 0, "{words:?}: {}", said.out);
    let json = said.json();
    let parts = ["code", "message", "next"].map(|part| {
        let text = json["error"][part].as_str().unwrap_or_else(|| panic!("{words:?}: {json}"));
        assert!(!text.is_empty() && !text.contains('\n'), "{words:?}: {json}");
        text.to_owned()
    });
    // People are told by the same exit code, on the other stream.
    let plain = tool(dir, words, "");
    assert_eq!((plain.code, plain.out.as_str()), (said.code, ""), "{words:?}");
    assert!(!plain.err.is_empty() && !plain.err.contains("panicked"), "{words:?}: {}", plain.err);
    (said.code, parts)
}

type Row<'a> = (&'a [&'a str], i32, [&'a str; 3]);

#[track_caller]
fn all(dir: &Path, rows: &[Row<'_>]) {
    let wrong = rows.iter().filter_map(|(words, code, parts)| {
        let found = refused(dir, words);
        let told = found.1.iter().zip(parts).all(|(said, part)| said.contains(part));
        (!told || found.0 != *code).then(|| format!("{words:?}: {code} {parts:?} in {found:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_command_line_that_is_none_names_the_argument() {
    let dir = tempfile::tempdir().unwrap();
    let zero = "0".repeat(64);
    let accept = ["accept", "--charter", "c", "--digest", &zero];
    let peer = [&accept[..], &["--cosigner", "1.2.3.4:5"]].concat();
    let key = [&accept[..], &["--desk-key", "abc"]].concat();
    all(
        dir.path(),
        &[
            (&[], 2, ["usage", "command", "--help"]),
            (&["aprove", "1"], 2, ["usage", "aprove", "approve"]),
            (&["approve"], 2, ["usage", "<CASE>", "--help"]),
            (&["approve", "1", "--ttl", "soon"], 2, ["usage", "--ttl", "--help"]),
            (&["approve", "1", "--offline"], 2, ["usage", "--book", "--help"]),
            (&["approve", "1", "--passkey", "x"], 2, ["usage", "--fido2", "--help"]),
            (&["passkey", "--fido2"], 2, ["usage", "--view", "--help"]),
            (&["list", "--al"], 2, ["usage", "--al", "--all"]),
            (&["accept", "--charter", "c", "--digest", "12"], 2, ["usage", "--digest", "--help"]),
            (&peer, 2, ["usage", "cosigner=host:port", "--help"]),
            (&key, 2, ["usage", "--desk-key", "--help"]),
            (&["freeze", "--cause", "x", "--scope", "all"], 2, ["usage", "--scope", "--help"]),
            (&["freeze", "--cause", "Because I said so!"], 2, ["usage", "--cause", "--help"]),
            (&["resume", "first"], 2, ["usage", "<INDEX>", "--help"]),
            (&["enrol", "--approver", "Cy", "--person", "p"], 2, ["usage", "--approver", "--help"]),
        ],
    );
}

#[test]
fn before_anything_is_there_each_command_says_what_to_do_first() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let rows: &[&[&str]] =
        &[&["list"], &["status"], &["show", "12345678"], &["freeze", "--cause", "x"]];
    for words in rows {
        let (code, [kind, message, next]) = refused(at, words);
        assert_eq!((code, kind.as_str()), (2, "fault"), "{message}");
        assert!(message.contains("home") && next.contains("enrol"), "{message}; {next}");
    }
    assert!(!at.join("home").exists(), "looking makes nothing");
    // A directory in which nothing can be made.
    fs::write(at.join("home"), "a file").unwrap();
    private(&at.join("passphrase"), b"correct horse\n");
    all(
        at,
        &[(
            &["enrol", "--approver", "cy", "--person", "p-cy"],
            2,
            ["fault", "home", "where you may write"],
        )],
    );
    assert_eq!(fs::read(at.join("home")).unwrap(), b"a file");
}

#[test]
fn an_enrolled_approver_is_told_what_is_wrong_with_a_charter_and_what_comes_next() {
    let (dir, charter) = enrolled();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let digest = charter.digest().unwrap().to_string();
    let (good, nothing, junk) = (path("charter.json"), path("nothing"), path("junk"));
    let zero = "0".repeat(64);
    fs::write(&junk, "{\"a\":").unwrap();
    let accept = |file: &'_ str, digest: &'_ str| {
        ["accept", "--charter", file, "--digest", digest].map(str::to_owned).to_vec()
    };
    let cases = [
        (accept(&nothing, &digest), vec![], ["fault", "nothing", "path"]),
        (accept(&junk, &digest), vec![], ["malformed", "unknown field `a`", "form"]),
        (accept(&good, &zero), vec![], ["other_charter", "you were told 000", "another channel"]),
        (
            accept(&good, &digest),
            vec!["--desk", "here"],
            ["malformed", "host and port", "10.0.0.7:7443"],
        ),
        (
            accept(&good, &digest),
            vec!["--cosigner", "north=1.2.3.4:5"],
            ["no_seat", "north", "as the charter does"],
        ),
    ];
    for (words, more, parts) in cases {
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more).collect();
        let (_, told) = refused(dir.path(), &words);
        assert!(
            told.iter().zip(parts).all(|(said, part)| said.contains(part)),
            "{words:?}: {told:?}"
        );
        assert!(!dir.path().join("home/charter.json").exists(), "{words:?}");
    }
    all(dir.path(), &[(&["list"], 1, ["no_charter", "no charter", "quorate-approvals accept"])]);
    tool(dir.path(), &["accept", "--charter", &good, "--digest", &digest], "").good();
    all(dir.path(), &[(&["list"], 2, ["no_desk", "no desk address", "approvals.toml"])]);
}

#[test]
fn a_seated_approver_refuses_bad_settings_cases_and_files_and_signs_nothing() {
    let office = Office::new();
    let case = office.asked().to_string();
    let at = office.dir.path();
    let file = office.path("home/approvals.toml");
    let good = fs::read_to_string(&file).unwrap();
    let desk = good.lines().find(|line| line.starts_with("desk")).unwrap().to_owned();
    for (line, parts) in [
        ("dekc = \"1.2.3.4:5\"", ["fault", "unknown field", ""]),
        ("desk = 5", ["fault", "approvals.toml", ""]),
        ("desk = \"here\"", ["malformed", "host and port", "10.0.0.7:7443"]),
        (
            "desk = \"127.0.0.1:1\"\ntimeout_s = 1",
            ["unreachable", "no connection", "check that it runs"],
        ),
    ] {
        fs::write(&file, good.replace(&desk, line)).unwrap();
        let (_, told) = refused(at, &["list"]);
        assert!(told.iter().zip(parts).all(|(said, part)| said.contains(part)), "{line}: {told:?}");
    }
    fs::write(&file, &good).unwrap();
    let (junk, nothing) = (office.path("junk"), office.path("nothing"));
    fs::write(&junk, "{\"a\":").unwrap();
    let (junk, nothing) = (junk.display().to_string(), nothing.display().to_string());
    all(
        at,
        &[
            (&["show", "zz"], 1, ["unknown_case", "8", "quorate-approvals list"]),
            (&["show", "00000000"], 1, ["unknown_case", "no open case", "quorate-approvals list"]),
            (&["approve", &case[..4], "--yes"], 1, ["unknown_case", "8", "quorate-approvals list"]),
            (&["submit", &junk], 1, ["malformed", "junk", "--out"]),
            (&["submit", &nothing], 2, ["fault", "nothing", "path"]),
            (&["resume", "1", "--yes"], 1, ["not_void", "no void entry", "nothing needs doing"]),
            (
                &["approve", &case, "--yes", "--offline", "--book", &nothing, "--out", &junk],
                2,
                ["fault", "nothing", "path"],
            ),
        ],
    );
    private(&office.path("passphrase"), b"\n");
    all(at, &[(&["approve", &case, "--yes"], 2, ["fault", "passphrase", "several words"])]);
    fs::remove_file(office.path("passphrase")).unwrap();
    all(at, &[(&["approve", &case, "--yes"], 2, ["fault", "passphrase", "path"])]);
    // Two at once.
    let lock = fs::File::options().write(true).open(office.path("home/lock")).unwrap();
    lock.lock().unwrap();
    all(at, &[(&["list"], 2, ["busy", "another quorate-approvals", "wait"])]);
    lock.unlock().unwrap();
    office.run(&["list"]).good();
    let case = house::id::<quorate_terms::CaseId>(&case);
    assert!(office.desk().house.case(&case).approvals.is_empty(), "nothing was signed");
    assert_eq!(fs::read(&junk).unwrap(), b"{\"a\":", "nothing was overwritten");
}
