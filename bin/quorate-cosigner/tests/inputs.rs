//! Bad input, as a new operator gives it: each is one line that names the field, says why and what to do, in text and as JSON;
//! nothing panics and nothing is lost.
#![cfg(test)]

mod house;

use std::fs;
use std::path::Path;

use house::*;
use quorate_terms::canonical::Term as _;
use serde_json::Value;

/// What a refused command says: its exit code, and field, why and mend from its JSON. The line for people says the same.
#[track_caller]
fn refused(words: &[&str]) -> (i32, [String; 3]) {
    let output = program(&[words, &["--json"]].concat());
    let code = output.status.code().unwrap_or_else(|| panic!("{words:?} was killed"));
    assert_ne!(code, 0, "{words:?}: {}", String::from_utf8_lossy(&output.stdout));
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{words:?}: {e}: {}", String::from_utf8_lossy(&output.stderr)));
    let parts = ["field", "why", "mend"].map(|part| {
        let text = said["error"][part].as_str().unwrap_or_else(|| panic!("{words:?}: {said}"));
        assert!(!text.is_empty() && !text.contains('\n'), "{words:?}: {said}");
        text.to_owned()
    });
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.lines().count(), 1, "{words:?}: {line}");
    assert!(line.starts_with("quorate-cosigner: ") && !line.contains("panicked"), "{line}");
    // People are told the same, and by the same exit code.
    let plain = program(words);
    assert_eq!(plain.status.code(), Some(code), "{words:?}");
    let plain = String::from_utf8(plain.stderr).unwrap();
    assert!(!plain.is_empty() && !plain.contains("panicked"), "{words:?}: {plain}");
    (code, parts)
}

type Row<'a> = (&'a [&'a str], i32, [&'a str; 3]);

#[track_caller]
fn all(rows: &[Row<'_>]) {
    let wrong = rows.iter().filter_map(|(words, code, parts)| {
        let found = refused(words);
        let told = found.1.iter().zip(parts).all(|(said, part)| said.contains(part));
        (!told || found.0 != *code).then(|| format!("{words:?}: {code} {parts:?} in {found:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_command_line_that_is_none_names_the_argument() {
    let init = ["init", "--dir", "/tmp/never", "--cosigner"];
    let named = |name: &'static str| [&init[..], &[name, "--operator", "x"]].concat();
    let (upper, empty) = (named("East"), named(""));
    let key = "ed25519:AAAA";
    all(&[
        (&[], 2, ["command", "none was given", "--help"]),
        (&["runn"], 2, ["runn", "unrecognized subcommand", "similar"]),
        (&["status", "--dirr", "x"], 2, ["--dirr", "unexpected argument", "--dir"]),
        (&["status", "--dir"], 2, ["--dir", "value is required", "--help"]),
        (&upper, 2, ["--cosigner", "East", "--help"]),
        (&empty, 2, ["--cosigner", "invalid value", "--help"]),
        (&["pair", "--dir", "x", "--peer", "west"], 2, ["--address", "not provided", "--help"]),
        (&["pair", "--dir", "x", "--desk-identity", key], 2, ["--desk-identity", key, "--help"]),
        (
            &["pair", "--dir", "x", "--desk-identity", "1234"],
            2,
            ["--desk-identity", "1234", "--help"],
        ),
        (
            &["accept", "--dir", "x", "--charter", "c", "--digest", "12"],
            2,
            ["--digest", "12", "--help"],
        ),
        (
            &["freeze", "--dir", "x", "--scope", "all", "--cause", "c"],
            2,
            ["--scope", "vault", "--help"],
        ),
        (
            &["freeze", "--dir", "x", "--scope", "wallet:A B", "--cause", "c"],
            2,
            ["--scope", "wallet", "--help"],
        ),
        (&["completions", "word"], 2, ["SHELL", "word", "--help"]),
        (&["backup", "make", "--dir", "x"], 2, ["--wallet", "not provided", "--help"]),
    ]);
}

#[test]
fn before_anything_is_there_each_command_says_what_to_do_first() {
    let room = tempfile::tempdir().unwrap();
    let nowhere = shown(&room.path().join("nowhere"));
    let file = room.path().join("file");
    fs::write(&file, "x").unwrap();
    let under = shown(&file.join("inside"));
    let dir = nowhere.as_str();
    let never = shown(&room.path().join("never"));
    all(&[
        (&["status", "--dir", dir], 1, [dir, "No such file", "`init` first"]),
        (
            &["run", "--dir", dir, "--passphrase-file", "p"],
            1,
            [dir, "No such file", "`init` first"],
        ),
        (&["stop", "--dir", dir], 1, [dir, "No such file", "`init` first"]),
        (&["pair", "--dir", dir, "--show"], 1, [dir, "No such file", "`init` first"]),
        (
            &["export", "--dir", dir, "--out", "o", "--checkpoint-out", "c"],
            1,
            [dir, "No such", "`init`"],
        ),
        (
            &["status", "--dir", &shown(&file)],
            1,
            ["file", "is not a directory", "give a directory"],
        ),
        (
            &["init", "--dir", &under, "--cosigner", "east", "--operator", "x"],
            1,
            ["inside", "ot a directory", "where you may write"],
        ),
        (
            &["init", "--dir", &never, "--cosigner", "east", "--operator", ""],
            1,
            ["--operator", "empty", "1 to 256"],
        ),
        (
            &["init", "--dir", &never, "--cosigner", "east", "--operator", "x", "--listen", "here"],
            1,
            ["--listen", "`here` is not an address", "HOST:PORT"],
        ),
        (
            &[
                "init",
                "--dir",
                &never,
                "--cosigner",
                "east",
                "--operator",
                "x",
                "--listen",
                "1.2.3.4:99999",
            ],
            1,
            ["--listen", "99999", "HOST:PORT"],
        ),
    ]);
    assert!(!Path::new(&never).exists(), "what was refused made nothing");
}

fn pairings_and_charters(house: &House, junk: &str) {
    let east = &house.cosigners["east"];
    let (dir, key) = (shown(&east.dir), public("mallory").to_string());
    let digest = house.founding.digest().unwrap().to_string();
    let charter = shown(&charter_file(&house.file("again.json"), &house.founding));
    let (nothing, zero) = (shown(&house.file("nothing")), "0".repeat(64));
    let at = |words: &[&'static str]| [words, &["--dir"]].concat();
    let [pair, accept, init] = [at(&["pair"]), at(&["accept"]), at(&["init"])];
    let peer = |name, at| {
        [&pair[..], &[&dir, "--peer", name, "--address", at, "--identity", &key]].concat()
    };
    let founds =
        |file, digest| [&accept[..], &[&dir, "--charter", file, "--digest", digest]].concat();
    let again = [&init[..], &[&dir, "--cosigner", "east", "--operator", "x"]].concat();
    all(&[
        (&["pair", "--dir", &dir], 1, ["pair", "in no way", "--desk-identity"]),
        (&peer("east", "1.2.3.4:5"), 1, ["pair", "itself", "another cosigner"]),
        (&peer("west", "west"), 1, ["--address", "`west` is not an address", "HOST:PORT"]),
        (&founds(&nothing, &digest), 1, ["nothing", "No such file", "check the path"]),
        (&founds(junk, &digest), 1, ["junk", "unknown field `a`", "form"]),
        (&founds("/dev/zero", &digest), 1, ["/dev/zero", "too large", "JSON file"]),
        (&founds(&charter, &zero), 1, ["charter", "digest is", "aloud"]),
        (&again, 1, ["identity.key", "exists", "nothing is overwritten"]),
    ]);
}

fn files_and_passphrases(house: &House, junk: &str) {
    let east = &house.cosigners["east"];
    let (dir, pass) = (shown(&east.dir), shown(&east.passphrase));
    let [nothing, open, empty] = ["nothing", "open", "empty"].map(|name| shown(&house.file(name)));
    fs::write(&open, "a passphrase\n").unwrap();
    secret_file(Path::new(&empty), "\n");
    let out = shown(&house.file("out"));
    let run = |file| ["run", "--dir", &dir, "--passphrase-file", file];
    let (with, both) = (["--passphrase-file", &pass], ["--backup-passphrase-file", &pass]);
    let make = ["backup", "make", "--dir", &dir, "--wallet", "ops", "--out", &out];
    let make = [&make[..], &with, &both].concat();
    let verify = [&["backup", "verify", "--dir", &dir, "--file", junk][..], &with].concat();
    let restore =
        [&["backup", "restore", "--dir", &dir, "--file", junk][..], &with, &both].concat();
    all(&[
        (
            &["freeze", "--dir", &dir, "--scope", "vault", "--cause", ""],
            1,
            ["--cause", "empty", "1 to 256"],
        ),
        (&["stop", "--dir", &dir], 1, ["control.sock", "No such file", "start the process"]),
        (&run(&nothing), 1, ["nothing", "No such file", "path"]),
        (&run(&open), 1, ["open", "open to others", "chmod 600"]),
        (&run(&empty), 1, ["passphrase", "is empty", "several words"]),
        (
            &["run", "--dir", &dir, "--passphrase-fd", "77"],
            1,
            ["--passphrase-fd", "77", "--passphrase-file"],
        ),
        (&make, 1, ["wallet", "not known", "open the wallet first"]),
        (&["backup", "show", "--file", &nothing], 1, ["nothing", "No such file", "path"]),
        (&["backup", "show", "--file", &open], 1, ["open", "open to others", "chmod 600"]),
        (
            &["backup", "show", "--file", junk],
            1,
            ["backup", "is not a backup", "`backup make` wrote"],
        ),
        (&verify, 1, ["backup", "is not a backup", "`backup make` wrote"]),
        (&restore, 1, ["backup", "is not a backup", "`backup make` wrote"]),
        (
            &["export", "--dir", &dir, "--out", junk, "--checkpoint-out", &out],
            1,
            ["junk", "exists", "nothing is overwritten"],
        ),
    ]);
}

#[test]
fn a_founded_cosigner_refuses_wrong_pairings_charters_files_and_passphrases_and_loses_nothing() {
    let house = House::founded();
    let east = &house.cosigners["east"];
    let before = |name: &str| fs::read(east.dir.join(name)).unwrap();
    let kept = ["cosigner.toml", "charter.json", "identity.key", "witness.key"].map(before);
    let junk = shown(&house.file("junk"));
    secret_file(Path::new(&junk), "{\"a\":");
    pairings_and_charters(&house, &junk);
    files_and_passphrases(&house, &junk);
    let after = ["cosigner.toml", "charter.json", "identity.key", "witness.key"].map(before);
    assert!(kept == after, "nothing was lost");
    assert_eq!(fs::read(&junk).unwrap(), b"{\"a\":", "nor overwritten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_of_one_directory_says_so_and_the_first_goes_on() {
    let mut house = House::founded();
    house.start("east").await;
    let why = house.cosigners["east"].fails_to_start();
    assert_eq!(why.lines().count(), 1, "{why}");
    assert!(why.contains("another process"), "{why}");
    house.follow("east").await;
    assert_eq!(house.cosigners["east"].status()["running"], true);
}
