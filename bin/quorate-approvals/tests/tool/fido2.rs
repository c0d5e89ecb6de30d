//! Words by a FIDO2 key at the command line: counted by the real fold, or refused before anything is sent.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::CaseId;
use quorate_terms::approval::Proof;
use quorate_terms::canonical::Term as _;
use quorate_terms::passkey::{Passkey, ViewSeat};
use serde_json::Value;

use super::authenticator::{Authenticator, view};
use super::house::{MILLI, id};
use super::office::{Office, Said, enrolled, tool, tool_on};
use super::soft_key::{Soft, SoftKey};

/// What each case moves: people must agree to it, and several fit into a day's budget.
const EACH: u128 = 1_100 * MILLI;

/// The office of cy, whose seat has the soft key's passkey at a view.
struct Keyed {
    office: Office,
    key: SoftKey,
    view: ViewSeat,
    /// It waits for cy, who agrees to it in no test.
    case: CaseId,
}

impl Keyed {
    fn new() -> Self {
        Self::at(&[view("home", 7800)], &["cy-key"])
    }

    /// The same with these views, and passkeys of these names at the first of them. All but the first are of nobody.
    fn at(views: &[ViewSeat], names: &[&str]) -> Self {
        let (key, (dir, mut charter)) = (SoftKey::new(), enrolled());
        let mut passkeys = vec![key.soft().phone.passkey(names[0], &views[0])];
        passkeys
            .extend(names[1..].iter().map(|name| Authenticator::new().passkey(name, &views[0])));
        for passkey in &passkeys {
            let file = dir.path().join("passkey.json");
            fs::write(&file, serde_json::to_vec(passkey).unwrap()).unwrap();
            tool(dir.path(), &["passkey", file.to_str().unwrap()], "").good();
        }
        charter.views = views.to_vec();
        let cy = charter.approvers.iter_mut().find(|seat| seat.approver.as_str() == "cy").unwrap();
        cy.passkeys = passkeys;
        fs::write(dir.path().join("charter.json"), charter.to_canonical().unwrap()).unwrap();
        let office = Office::with((dir, charter));
        let case = office.asked_for(EACH);
        Self { office, key, view: views[0].clone(), case }
    }

    fn run(&self, args: &[&str]) -> Said {
        let args = [args, &["--json"]].concat();
        tool_on(&self.key.path(), self.office.dir.path(), &args)
    }

    /// Approves a new case, and gives it with what was said.
    fn approves(&self, more: &[&str]) -> (CaseId, Said) {
        let case = self.office.asked_for(EACH);
        let said = self.says(&case, more);
        (case, said)
    }

    fn says(&self, case: &CaseId, more: &[&str]) -> Said {
        let case = case.to_string();
        let words = ["approve", case.as_str(), "--yes", "--fido2"];
        self.run(&[&words[..], more].concat())
    }

    /// Approves the case that waits, which is refused with these words; nothing of it reaches the desk.
    #[track_caller]
    fn refused(&self, more: &[&str], parts: [&str; 3]) {
        refused(&self.says(&self.case, more), parts);
        assert!(self.is_silent(), "{parts:?}");
    }

    /// Whether the desk has heard nothing of cy on the case that waits.
    fn is_silent(&self) -> bool {
        self.office.desk().house.case(&self.case).approvals.is_empty()
    }
}

/// Checks that a run was refused, by parts of its code, message and next step.
#[track_caller]
fn refused(said: &Said, parts: [&str; 3]) {
    assert_eq!(said.trouble(), parts[0], "{}", said.out);
    let json = said.json();
    let told = ["message", "next"].map(|name| json["error"][name].as_str().unwrap().to_owned());
    assert!(told[0].contains(parts[1]) && told[1].contains(parts[2]), "{parts:?}: {told:?}");
}

/// What the book holds of cy's word.
fn held(desk: &Keyed, case: &CaseId) -> Value {
    let held = desk.office.desk();
    let approval = held.house.case(case).approvals.get(&id("cy")).unwrap();
    assert!(matches!(&approval.proof, Proof::Passkey { view, .. } if *view == desk.view.view));
    serde_json::to_value(&approval.body).unwrap()
}

#[test]
fn a_word_by_a_fido2_key_counts_in_the_book_as_a_passkeys() {
    let desk = Keyed::new();
    let (case, said) = desk.approves(&[]);
    let done = said.good().json();
    assert_eq!(done["recorded"], true);
    let body = held(&desk, &case);
    assert_eq!(body["credential"], "cy-key");
    assert_eq!(body["verdict"], "approve");
    assert_eq!(done["display"], body["display"]);
    let called = desk.key.soft().called.clone();
    assert_eq!(called, ["fido2-token -L", "fido2-assert -G -v /dev/hidraw3"]);
    // A device that is named is not looked for.
    let (_, said) = desk.approves(&["/dev/hidraw9"]);
    assert_eq!(said.good().json()["recorded"], true);
    assert_eq!(desk.key.soft().called[2..], ["fido2-assert -G -v /dev/hidraw9"]);
    let case = desk.office.asked_for(EACH);
    let done = desk.run(&["reject", &case.to_string(), "--yes", "--fido2"]).good().json();
    assert_eq!(done["verdict"], "reject");
    assert_eq!(done["recorded"], true);
    assert_eq!(desk.office.desk().house.outcome(&case), "Rejected");
}

#[test]
fn a_word_by_a_fido2_key_is_signed_without_a_link_and_sent_later() {
    let desk = Keyed::new();
    let case = desk.office.asked_for(EACH);
    let [book, note, out] = ["book", "note", "out"].map(|name| desk.office.path(name));
    let bytes = desk.office.desk().bytes();
    fs::write(&book, [bytes.join(&b'\n'), b"\n".to_vec()].concat()).unwrap();
    fs::write(&note, desk.office.desk().note()).unwrap();
    let [book, note, out] = [&book, &note, &out].map(|path| path.to_str().unwrap());
    let text = case.to_string();
    let words = ["approve", &text, "--yes", "--offline", "--book", book, "--checkpoint", note];
    desk.run(&[&words[..], &["--out", out, "--fido2"]].concat()).good();
    assert_eq!(desk.run(&["submit", out]).good().json()["recorded"], true);
    assert_eq!(held(&desk, &case)["credential"], "cy-key");
}

#[test]
fn what_a_key_says_is_checked_before_anything_is_sent() {
    let desk = Keyed::new();
    desk.key.soft().party = Some("approve.example");
    desk.refused(&[], ["malformed", "another relying party", "approve at a view"]);
    desk.key.soft().party = None;
    for flags in [0x01, 0x04, 0x00] {
        desk.key.soft().flags = flags;
        desk.refused(&[], ["malformed", "do not say that the holder was verified", "PIN"]);
    }
    desk.key.soft().flags = 0x05;
    let own = std::mem::replace(&mut desk.key.soft().phone, Authenticator::new());
    desk.refused(&[], ["malformed", "not by the seated passkey", "passkey of this seat"]);
    desk.key.soft().phone = own;
    for answer in ["", "\n\n\n\n", "a\nb\nc\nd\n", "AA==\nlocalhost\nQQE=\nAA==\n", "\u{1b}[2J"] {
        desk.key.soft().instead = Some(Ok(answer));
        let said = desk.says(&desk.case, &[]);
        assert!(["bad_answer", "malformed"].contains(&said.trouble().as_str()), "{}", said.out);
        assert!(desk.is_silent(), "{answer:?}");
    }
    desk.key.soft().instead =
        Some(Err("fido2-assert: fido_dev_get_assert: FIDO_ERR_PIN_INVALID\u{1b}[2J"));
    desk.refused(&[], ["no_answer", "FIDO_ERR_PIN_INVALID\\u{1b}[2J", "type the PIN"]);
    desk.key.soft().instead = None;
    desk.key.soft().phone.counter = 6;
    desk.approves(&[]).1.good();
    desk.key.soft().phone.counter = 6;
    desk.refused(&[], ["counter_went_back", "7 after 7", "freeze"]);
    desk.approves(&[]).1.good();
}

#[test]
fn without_exactly_one_key_nothing_is_asked_of_any() {
    let desk = Keyed::new();
    desk.key.soft().listed.clear();
    desk.refused(&[], ["no_device", "no FIDO2 key", "put the key in"]);
    desk.key.soft().listed =
        "/dev/hidraw1: vendor=1 (A\u{1b}[2J)\n/dev/hidraw2: vendor=2\n".to_owned();
    desk.refused(
        &[],
        ["several_devices", "hidraw1: vendor=1 (A\\u{1b}[2J); /dev/hidraw2", "--fido2"],
    );
    desk.refused(&["two words"], ["no_device", "`two words`", "fido2-token -L"]);
    assert!(desk.key.soft().called.iter().all(|called| called == "fido2-token -L"));
    // A folder with nothing in it.
    let (case, empty) = (desk.case.to_string(), tempfile::tempdir().unwrap());
    let words = ["approve", &case, "--yes", "--json", "--fido2", "/dev/hidraw1"];
    let said = tool_on(empty.path().as_os_str(), desk.office.dir.path(), &words);
    refused(&said, ["no_program", "`fido2-assert`", "fido2-tools"]);
    assert_eq!(said.code, 2);
    assert!(desk.is_silent());
}

#[test]
fn a_fido2_key_speaks_for_one_passkey_at_a_view_of_this_machine() {
    // The other's name is this machine's, and its page comes from a server that has a certificate of its own.
    for host in ["approve.example", "home.localhost"] {
        let origin = format!("https://{host}");
        let seat =
            ViewSeat { origin: origin.clone(), rp_id: host.to_owned(), ..view("home", 7800) };
        let desk = Keyed::at(&[seat], &["cy-key"]);
        desk.refused(&[], ["view_elsewhere", &origin, "the view's own page"]);
        assert!(desk.key.soft().called.is_empty(), "no key was looked for");
    }
    let desk = Keyed::new();
    desk.refused(&["--passkey", "cy-phone"], ["no_passkey", "no such passkey", "passkey --fido2"]);
    let desk = Keyed::at(&[view("home", 7800)], &["cy-key", "cy-phone"]);
    desk.refused(&[], ["several_passkeys", "cy-key, cy-phone", "--passkey"]);
    let (case, said) = desk.approves(&["--passkey", "cy-key"]);
    assert_eq!(said.good().json()["recorded"], true);
    assert_eq!(held(&desk, &case)["credential"], "cy-key");
    let desk = Office::new();
    let case = desk.asked().to_string();
    refused(
        &desk.run(&["approve", &case, "--yes", "--fido2"]),
        ["no_passkey", "no such passkey", "leave --fido2 out"],
    );
}

/// What making a passkey is asked, with the view's own file.
fn making(view: &ViewSeat, dir: &std::path::Path) -> Vec<String> {
    let (seat, out) = (dir.join("view.json"), dir.join("made.json"));
    fs::write(&seat, serde_json::to_vec(view).unwrap()).unwrap();
    let words = ["passkey", "--view", "home", "--fido2", "--json", "--seat"].map(str::to_owned);
    let paths = [seat.display().to_string(), "--out".to_owned(), out.display().to_string()];
    [&words[..], &paths].concat()
}

#[test]
fn a_passkey_is_made_with_a_fido2_key_and_taken_into_the_enrolment() {
    let (key, (dir, _), view) = (SoftKey::new(), enrolled(), view("home", 7800));
    let words = making(&view, dir.path());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let make = |more: &[&str]| tool_on(&key.path(), dir.path(), &[&words[..], more].concat());
    make(&["--credential", "cy-key"]).good();
    let called = key.soft().called.clone();
    let made = "fido2-cred -M -v /dev/hidraw3 es256";
    assert_eq!(called, ["fido2-token -L", made, "fido2-assert -G -v /dev/hidraw3"]);
    let out = dir.path().join("made.json");
    let passkey: Passkey = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_eq!(passkey, key.soft().phone.passkey("cy-key", &view));
    let taken = tool(dir.path(), &["passkey", out.to_str().unwrap(), "--json"], "").good().json();
    assert_eq!(taken["seat"]["passkeys"][0]["credential"], "cy-key");
    refused(&make(&[]), ["passkey", "made.json is there", "another --out"]);
    fs::remove_file(&out).unwrap();
    let unnamed = make(&[]).good().json();
    assert!(unnamed["passkey"]["credential"].as_str().unwrap().starts_with("fido2-"), "{unnamed}");
}

#[test]
fn a_passkey_that_is_not_as_it_must_be_is_not_written() {
    let (key, (dir, charter), home) = (SoftKey::new(), enrolled(), view("home", 7800));
    let made = |view: &ViewSeat| {
        let words = making(view, dir.path());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = tool_on(&key.path(), dir.path(), &words);
        assert!(!dir.path().join("made.json").exists(), "{}", said.out);
        said
    };
    let away = ViewSeat {
        origin: "https://approve.example".to_owned(),
        rp_id: "approve.example".to_owned(),
        ..home.clone()
    };
    refused(&made(&away), ["view_elsewhere", "https://approve.example", "own page"]);
    refused(&made(&view("other", 7800)), ["no_seat", "of the view other", "that you name"]);
    assert!(key.soft().called.is_empty(), "no key was looked for");
    key.soft().flags = 0x01;
    refused(&made(&home), ["malformed", "holder was verified", "PIN"]);
    key.soft().flags = 0x05;
    key.soft().instead = Some(Ok("a\nb\npacked\nQQE=\nAA==\nAA==\n"));
    refused(&made(&home), ["bad_answer", "`fido2-cred`", "ES256"]);
    key.soft().instead = Some(Err("fido2-cred: fido_dev_make_cred: FIDO_ERR_PIN_NOT_SET"));
    refused(&made(&home), ["no_answer", "PIN_NOT_SET", "fido2-token -S"]);
    // Without the file it is the charter that says where the view is.
    let out = dir.path().join("made.json").display().to_string();
    let words = ["passkey", "--view", "home", "--fido2", "--out", &out, "--json"];
    let said = || tool_on(&key.path(), dir.path(), &words);
    refused(&said(), ["no_charter", "no charter", "--seat"]);
    let (file, digest) = (dir.path().join("charter.json"), charter.digest().unwrap().to_string());
    let accept = ["accept", "--charter", file.to_str().unwrap(), "--digest", &digest];
    tool(dir.path(), &accept, "").good();
    refused(&said(), ["no_seat", "no view home", "as the charter does"]);
}

/// Runs a program of libfido2 on this input; gives what it wrote.
fn real(words: &[&str], input: &str) -> String {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{words:?}: {input}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_programs_of_libfido2_accept_what_the_soft_key_writes() {
    let path = std::env::var_os("PATH").unwrap();
    if !std::env::split_paths(&path).any(|folder| folder.join("fido2-cred").is_file()) {
        assert!(std::env::var_os("CI").is_none(), "no fido2-tools, and nothing is skipped in CI");
        eprintln!("skipped: no fido2-tools; run `cargo xtask tools fido2`");
        return;
    }
    let (mut soft, view, hash) = (Soft::new(), view("home", 7800), STANDARD.encode([7; 32]));
    let made = soft.makes(&[&hash, "localhost", "cy", "AAAA"]);
    let verified = real(&["fido2-cred", "-V", "-v"], &made);
    let (handle, pem) = verified.split_once('\n').unwrap();
    assert_eq!(STANDARD.decode(handle).unwrap(), soft.handle(&view));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key.pem");
    fs::write(&file, pem).unwrap();
    let said = soft.asserts(&[&hash, "localhost", handle]);
    real(&["fido2-assert", "-V", "-p", "-v", file.to_str().unwrap(), "es256"], &said);
}
