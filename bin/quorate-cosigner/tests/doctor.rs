//! Each check of the doctor: what it looks at is broken, and the mend is told. It changes nothing and asks nothing.
#![cfg(test)]

mod house;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use house::*;
use quorate_cosigner::party::OwnBook;
use quorate_host::Store;
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::{AlertRaised, Body, PeerBanned, Severity};
use serde_json::Value;

/// What a doctor found: exit code, and the findings that are not `ok` as `grade what: found; mend`.
fn doctor(cosigner: &Cosigner, more: &[&str]) -> (i32, Vec<String>) {
    let dir = cosigner.dir.display().to_string();
    let words = [&["doctor", "--json", "--dir", &dir], more].concat();
    let output = program(&words);
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(answer["healthy"] == true, output.status.success(), "{answer}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = answer["findings"].as_array().unwrap().iter();
    let wrong = findings.filter(|f| f["grade"] != "ok").map(|f| {
        let [grade, what, found, mend] = ["grade", "what", "found", "mend"].map(|k| text(&f[k]));
        assert!(!mend.is_empty() && ![&found, &mend].iter().any(|t| t.contains('\n')), "{f}");
        format!("{grade} {what}: {found}; {mend}")
    });
    (output.status.code().unwrap(), wrong.collect())
}

#[track_caller]
fn tells(found: &(i32, Vec<String>), code: i32, parts: &[&str]) {
    let told = found.1.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(told && found.0 == code, "{parts:?} and {code} in {found:?}");
}

/// Breaks a file's contents or mode, looks, and puts it back.
fn with(path: &Path, change: impl FnOnce(&Path), look: impl FnOnce()) {
    let before = (fs::metadata(path).unwrap().permissions(), fs::read(path).ok());
    change(path);
    look();
    if let Some(bytes) = before.1 {
        let _gone = fs::remove_file(path);
        fs::write(path, bytes).unwrap();
    }
    fs::set_permissions(path, before.0).unwrap();
}

fn mode(bits: u32) -> impl FnOnce(&Path) {
    move |path| fs::set_permissions(path, Permissions::from_mode(bits)).unwrap()
}

fn edit(from: &str, to: &str) -> impl FnOnce(&Path) + use<> {
    let (from, to) = (from.to_owned(), to.to_owned());
    move |path| {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(&from), "{text}");
        fs::write(path, text.replace(&from, &to)).unwrap();
    }
}

/// A file of the directory, what is done to it, and parts of the finding.
type Broken<'a> = (&'a str, Box<dyn FnOnce(&Path)>, &'a [&'a str]);

/// Every way in which papers and pins can be wrong.
fn papers(house: &House) -> Vec<Broken<'static>> {
    let (east, west) = (&house.cosigners["east"], &house.cosigners["west"]);
    let (mallory, desk) = (public("mallory").to_string(), public("desk").to_string());
    let pin = west.seat.identity.to_string();
    let gone = |p: &Path| fs::remove_file(p).unwrap();
    let other = |from: &str, to: &str| Box::new(edit(from, to));
    vec![
        ("", Box::new(mode(0o755)), &["bad folder", "open to others", "chmod 700"]),
        ("shares", Box::new(mode(0o750)), &["bad folder", "shares", "chmod 700"]),
        ("identity.key", Box::new(mode(0o644)), &["bad key", "identity.key", "chmod 600"]),
        ("witness.key", Box::new(gone), &["bad key", "witness.key"]),
        ("cosigner.toml", Box::new(mode(0o666)), &["bad file", "by others", "chmod 600"]),
        ("cosigner.toml", other("operator =", "oprator ="), &["bad configuration", "oprator"]),
        ("cosigner.toml", other(&east.address, "here"), &["`listen`", "`here`", "HOST:PORT"]),
        ("cosigner.toml", other(&west.address, "there"), &["peers.west.address", "HOST:PORT"]),
        ("cosigner.toml", other(&desk, &mallory), &["bad pins", "desk", "by voice"]),
        ("cosigner.toml", other(&pin, &mallory), &["bad pins", "peer `west`", "by voice"]),
        (
            "cosigner.toml",
            other("desk_identity", "# desk_identity"),
            &["bad pins", "desk: was not paired", "pair --desk-identity"],
        ),
        (
            "cosigner.toml",
            other("[peers.\"west\"]", "[peers.\"north\"]"),
            &["bad pins", "peer `west`: was not paired", "pair --peer"],
        ),
        ("charter.json", Box::new(gone), &["bad charter", "no charter was accepted", "`accept`"]),
        (
            "charter.json",
            Box::new(|p: &Path| fs::write(p, "{}").unwrap()),
            &["bad charter", "charter.json"],
        ),
    ]
}

#[test]
fn a_directory_its_papers_and_its_pins_are_looked_at_one_by_one() {
    let house = House::founded();
    let east = &house.cosigners["east"];
    let files = || fs::read_dir(&east.dir).unwrap().map(|f| f.unwrap().path()).collect::<Vec<_>>();
    let before = files();
    let whole = doctor(east, &[]);
    // Nothing runs yet, so the peer is not there: nothing else is wrong.
    tells(&whole, 1, &["bad peer west", "start the peer"]);
    tells(&whole, 1, &["warn daemon", "does not run", "quorate-cosigner run"]);
    assert_eq!(whole.1.len(), 2, "{whole:?}");
    assert_eq!(files(), before, "no ledger was made by looking for one");
    for (name, change, parts) in papers(&house) {
        with(&east.dir.join(name), change, || tells(&doctor(east, &[]), 1, parts));
    }
    let taken = TcpListener::bind(&east.address).unwrap();
    tells(&doctor(east, &[]), 1, &["bad address", &east.address, "`listen`"]);
    drop(taken);
    let nowhere = program(&["doctor", "--json", "--dir", "/nowhere/at/all"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(String::from_utf8(nowhere.stdout).unwrap().contains("run `init` first"));
    let people = program(&["doctor", "--dir", &east.dir.display().to_string()]);
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(
        text.lines().any(|line| line.starts_with("bad ") && line.contains("peer west")),
        "{text}"
    );
}

/// Adds an entry to a cosigner's own ledger, as if it had been written at `ahead_s` from now.
async fn write_own(house: &House, name: &str, body: Body, ahead_s: u64) {
    let cosigner = &house.cosigners[name];
    let mut own = OwnBook::new(id(VAULT));
    cosigner.own_entries().await.iter().for_each(|entry| own.replay(entry).unwrap());
    let entry = own.next(body, house.now().plus_s(ahead_s)).unwrap();
    let store = Store::open(&cosigner.dir.join("own.db")).await.unwrap();
    store.append(entry.index, vec![entry.to_canonical().unwrap()]).await.unwrap();
    store.close().await;
}

fn noise() -> Body {
    let (rule, subject) = ("test".to_owned(), "test".to_owned());
    let alert = quorate_terms::Digest::ZERO;
    Body::AlertRaised(Box::new(AlertRaised { alert, rule, severity: Severity::Low, subject }))
}

/// With a passphrase: whatever does not open, and whatever is gone.
fn shares_and_ledgers(house: &House) {
    let east = &house.cosigners["east"];
    let file = east.passphrase.display().to_string();
    let share = east.share_file();
    let wests = fs::read(house.cosigners["west"].share_file()).unwrap();
    let given = ["--passphrase-file", file.as_str()];
    with(
        &east.passphrase,
        |p| secret_file(p, "another passphrase altogether"),
        || {
            tells(&doctor(east, &given), 1, &["bad shares", "wrong passphrase"]);
        },
    );
    with(&east.passphrase, mode(0o644), || {
        tells(&doctor(east, &given), 1, &["bad shares", "open to others", "chmod 600"]);
    });
    with(
        &share,
        |p| fs::write(p, wests).unwrap(),
        || {
            tells(&doctor(east, &given), 1, &["bad shares", "another wallet, epoch or party"]);
        },
    );
    with(
        &east.dir.join("book.db"),
        |p| fs::write(p, "not a ledger").unwrap(),
        || {
            tells(&doctor(east, &given), 1, &["bad ledgers", "book.db"]);
        },
    );
    with(
        &east.dir.join("book.db"),
        |p| fs::remove_file(p).unwrap(),
        || {
            tells(&doctor(east, &given), 1, &["warn replica", "tells the book again"]);
        },
    );
    with(
        &east.dir.join("own.db"),
        |p| fs::remove_file(p).unwrap(),
        || {
            let found = doctor(east, &given);
            tells(
                &found,
                1,
                &[
                    "bad own ledger",
                    "marks of what this cosigner signed are gone",
                    "backup restore",
                ],
            );
            assert!(!east.dir.join("own.db").exists(), "it was not made anew");
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cosigner_is_looked_at_while_it_runs_and_while_it_does_not() {
    let mut house = House::open().await;
    house.follow("east").await;
    house.follow("west").await;
    let while_up = doctor(&house.cosigners["east"], &[]);
    tells(&while_up, 0, &["warn wallet ops", "backup make"]);
    assert!(!while_up.1.iter().any(|line| line.starts_with("bad")), "{while_up:?}");
    house.cosigners["east"].told(&["freeze", "--scope", "wallet:ops", "--cause", "drill"]).unwrap();
    tells(
        &doctor(&house.cosigners["east"], &[]),
        0,
        &["warn freeze", "wallet:ops", "quorate unfreeze"],
    );
    // A peer that proves another key, and one that is not there.
    house.cosigners.get_mut("east").unwrap().stop();
    let east = &house.cosigners["east"];
    let west = &house.cosigners["west"];
    let settings = east.dir.join("cosigner.toml");
    let mallory = public("mallory").to_string();
    with(&settings, edit(&west.seat.identity.to_string(), &mallory), || {
        tells(&doctor(east, &[]), 1, &["bad peer west", "compare both identities"]);
    });
    house.cosigners.get_mut("west").unwrap().stop();
    let east = &house.cosigners["east"];
    tells(&doctor(east, &[]), 1, &["bad peer west", "start the peer"]);
    tells(&doctor(east, &[]), 1, &["warn shares", "were not opened", "--passphrase-file"]);
    let file = east.passphrase.display().to_string();
    let opened = doctor(east, &["--passphrase-file", &file]);
    assert!(!opened.1.iter().any(|line| line.contains("shares")), "{opened:?}");
    shares_and_ledgers(&house);
    // A barred peer, and a clock that went back.
    let given = ["--passphrase-file", file.as_str()];
    let (wallet, holder, by) = (id("ops"), id("west"), id("east"));
    let barred = PeerBanned { wallet, holder, by, cause: "a check failed".to_owned() };
    write_own(&house, "east", Body::PeerBanned(barred), 0).await;
    tells(
        &doctor(&house.cosigners["east"], &given),
        1,
        &["bad wallet ops", "frozen", "recovery plan"],
    );
    write_own(&house, "east", noise(), 3_600).await;
    tells(&doctor(&house.cosigners["east"], &given), 1, &["bad clock", "behind", "NTP"]);
}
