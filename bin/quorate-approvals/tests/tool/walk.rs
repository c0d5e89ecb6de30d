//! The approver's day: enrol, accept, list, show, approve, reject, freeze, resume, offline.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use quorate_terms::canonical::Term as _;
use quorate_terms::commitment::Opening;
use quorate_terms::entry::{Body, Heartbeat, Refused as RefusedEntry};
use quorate_terms::freeze::Scope;
use quorate_terms::intent::{Action, OwnerKind};
use serde_json::Value;

use super::authenticator::{Authenticator, view};
use super::desk::now;
use super::house::{MILLI, id, other_recipient, person, recipient, transfer};
use super::office::{Office, enrolled, private, tool};

/// All rows and warnings as one text.
pub(crate) fn words(document: &Value) -> String {
    let rows = document["rows"].as_array().unwrap().iter();
    let rows = rows.map(|row| format!("{}: {}\n", row["label"], row["text"]));
    let warnings = document["warnings"].as_array().unwrap().iter();
    rows.chain(warnings.map(|text| format!("! {text}\n"))).collect()
}

#[test]
fn a_charter_is_accepted_only_under_the_digest_that_was_told() {
    let (dir, charter) = enrolled();
    let path = dir.path().join("charter.json");
    let accept = |digest: &str| {
        let path = path.to_str().unwrap();
        tool(dir.path(), &["accept", "--charter", path, "--digest", digest, "--json"], "")
    };
    assert_eq!(accept(&"0".repeat(64)).trouble(), "other_charter");
    assert!(!dir.path().join("home/charter.json").exists());
    accept(&charter.digest().unwrap().to_string()).good();

    let mut other = charter.clone();
    other.change_delay_s += 1;
    fs::write(&path, other.to_canonical().unwrap()).unwrap();
    assert_eq!(accept(&other.digest().unwrap().to_string()).trouble(), "accepted");
}

#[test]
fn a_charter_that_seats_other_keys_or_another_desk_is_refused() {
    let (dir, charter) = enrolled();
    let path = dir.path().join("charter.json");
    let mut other = charter.clone();
    other.approvers.iter_mut().find(|a| a.approver.as_str() == "cy").unwrap().key =
        super::house::public("mallory");
    fs::write(&path, other.to_canonical().unwrap()).unwrap();
    let digest = other.digest().unwrap().to_string();
    let args = ["accept", "--charter", path.to_str().unwrap(), "--digest", &digest, "--json"];
    assert_eq!(tool(dir.path(), &args, "").trouble(), "other_seat");

    let mut other = charter.clone();
    other.views = vec![view("home", 7800)];
    let stranger = Authenticator::new().passkey("cy-phone", &other.views[0]);
    other.approvers.iter_mut().find(|a| a.approver.as_str() == "cy").unwrap().passkeys =
        vec![stranger];
    fs::write(&path, other.to_canonical().unwrap()).unwrap();
    let digest = other.digest().unwrap().to_string();
    let args = ["accept", "--charter", path.to_str().unwrap(), "--digest", &digest, "--json"];
    assert_eq!(tool(dir.path(), &args, "").trouble(), "other_seat", "a passkey that cy never made");

    fs::write(&path, charter.to_canonical().unwrap()).unwrap();
    let digest = charter.digest().unwrap().to_string();
    let key = super::house::public("mallory").to_string();
    let args = [
        "accept",
        "--charter",
        path.to_str().unwrap(),
        "--digest",
        &digest,
        "--desk-key",
        &key,
        "--json",
    ];
    assert_eq!(tool(dir.path(), &args, "").trouble(), "other_desk");
}

#[test]
fn an_approver_lists_shows_and_approves_and_the_book_holds_the_signature() {
    let office = Office::new();
    let case = office.asked();
    let listed = office.run(&["list"]).good().json();
    assert_eq!(listed["cases"][0]["case"], case.to_string());
    assert_eq!(listed["cases"].as_array().unwrap().len(), 1);

    let shown = office.run(&["show", &case.to_string()[..12]]).good().json();
    let text = words(&shown);
    for part in [
        "2 DEV (2000000000000000000 base units, 18 decimals)",
        recipient().address(),
        "person op",
        "no, this address was never paid",
        "treasury: 0 of 2 agree",
        "needs treasury",
        "0.01 DEV",
        &case.to_string(),
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }

    let id_text = case.to_string();
    let done = office.typed(&["approve", &id_text], &format!("{}\n", &id_text[..8])).good();
    let done = done.json();
    assert_eq!(done["recorded"], true);
    assert_eq!(done["display"], shown["display"], "what was signed is what `show` showed");
    let desk = office.desk();
    let approval = desk.house.case(&case).approvals.get(&id("cy")).unwrap().clone();
    assert_eq!(approval.body.display.to_string(), shown["display"].as_str().unwrap());
    drop(desk);
    assert!(office.run(&["list"]).good().json()["cases"].as_array().unwrap().is_empty());
    assert_eq!(office.run(&["approve", &id_text, "--yes"]).trouble(), "duplicate");
}

#[test]
fn a_hand_that_only_presses_enter_agrees_to_nothing() {
    let office = Office::new();
    let case = office.asked().to_string();
    for typed in ["", "\n", "y\n", "yes\n", "00000000\n"] {
        assert_eq!(office.typed(&["approve", &case], typed).trouble(), "not_confirmed");
    }
    assert!(office.desk().house.case(&case.parse().unwrap()).approvals.is_empty());
}

#[test]
fn a_rejection_closes_the_case() {
    let office = Office::new();
    let case = office.asked();
    let done = office.run(&["reject", &case.to_string(), "--yes"]).good().json();
    assert_eq!(done["verdict"], "reject");
    assert_eq!(done["recorded"], true);
    assert_eq!(office.desk().house.outcome(&case), "Rejected");
}

#[test]
fn row_38_nobody_approves_a_request_of_ones_own() {
    let office = Office::new();
    let intent = office.desk().house.transfer_of(person("p-cy"), 2_000 * MILLI);
    let case = office.desk().house.file(&intent).unwrap().to_string();
    assert!(office.run(&["list"]).good().json()["cases"].as_array().unwrap().is_empty());
    assert_eq!(office.run(&["approve", &case, "--yes"]).trouble(), "own_request");
    let too_long = office.asked().to_string();
    assert_eq!(office.run(&["approve", &too_long, "--yes", "--ttl", "2d"]).trouble(), "too_long");
    let unknown = "f".repeat(64);
    assert_eq!(office.run(&["approve", &unknown, "--yes"]).trouble(), "unknown_case");
}

#[test]
fn row_45_and_56_a_memo_is_untrusted_text_and_moves_nothing_on_the_screen() {
    let office = Office::new();
    let evil = "ok\u{1b}[2J\u{202e}\r\nto  0xdead approve at once, the treasurer agreed";
    let opening = Opening::new([7; 16], "intent.memo", evil).unwrap();
    let memo = Some(opening.commitment().unwrap());
    let mut desk = office.desk();
    let wanted = quorate_terms::intent::Transfer { memo, ..transfer(2_000 * MILLI) };
    let intent = desk.house.intent(person("op"), Action::Transfer(wanted));
    let case = desk.house.file(&intent).unwrap().to_string();
    drop(desk);
    let erased = words(&office.run(&["show", &case]).good().json());
    assert!(erased.contains("erased or withheld"), "{erased}");

    office.desk().openings.push(Opening::new([8; 16], "intent.memo", "another").unwrap());
    office.desk().openings.push(opening);
    let said = office.plain(&["show", &case]).good();
    assert!(said.out.contains("untrusted text, commitment verified"), "{}", said.out);
    assert!(said.out.contains("\\u{1b}[2J\\u{202e}\\u{d}\\u{a}to"), "{}", said.out);
    assert!(!said.out.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'));
    assert!(!said.out.contains("another"), "only what opens the commitment is shown");
}

#[test]
fn a_look_alike_of_a_listed_address_is_warned_of() {
    let office = Office::new();
    let mut desk = office.desk();
    let beneficiary = Opening::new([1; 16], "b", "x").unwrap().commitment().unwrap();
    let list = Action::ListAddress {
        account: other_recipient(),
        beneficiary,
        owner_kind: OwnerKind::Client,
    };
    let case = {
        desk.house.now = now();
        desk.house.administer(list)
    };
    assert!(desk.house.book.closed(&case).is_some());
    // The same first and last four digits, other digits between.
    let twin: quorate_terms::AccountId = {
        let real = other_recipient().address().to_ascii_lowercase();
        let bytes = format!("0x{}{}{}", &real[2..6], "1".repeat(32), &real[38..]);
        let complaint =
            quorate_chains::parse_account(&bytes, &id(super::house::CHAIN)).unwrap_err();
        let right = complaint.mend().split('`').nth(1).unwrap().to_owned();
        super::house::account(&right)
    };
    let wanted = quorate_terms::intent::Transfer { to: twin, ..transfer(2_000 * MILLI) };
    let intent = desk.house.intent(person("op"), Action::Transfer(wanted));
    let case = desk.house.file(&intent).unwrap().to_string();
    drop(desk);
    let text = words(&office.run(&["show", &case]).good().json());
    assert!(text.contains("look-alike") && text.contains(other_recipient().address()), "{text}");
}

#[test]
fn a_policy_change_is_shown_as_what_it_widens() {
    let office = Office::new();
    let mut desk = office.desk();
    desk.house.now = now();
    let mut policy = desk.house.book.policy().document().clone();
    policy.previous = Some(desk.house.book.policy().digest());
    policy.version += 1;
    policy.quorums[0].m = 1;
    let change = Action::ChangePolicy { policy: Box::new(policy) };
    let intent = desk.house.intent(person("op"), change);
    let case = desk.house.file(&intent).unwrap().to_string();
    drop(desk);
    let text = words(&office.run(&["show", &case]).good().json());
    assert!(text.contains("WIDENS") && text.contains("quorums.treasury"), "{text}");
    assert!(text.contains("It becomes: Met when 1 of `ann`"), "{text}");
    // What that makes possible is asked here, of the policy in the approver's own copy of the book.
    assert!(
        text.contains(
            "any person: open a wallet: needs treasury (2 of 3), now needs treasury (1 of 3)"
        ),
        "{text}"
    );
    assert!(text.contains("NEWLY ALLOWS") && !text.contains("newly denies"), "{text}");
    assert!(text.contains("questions were put to both policies"), "{text}");
    assert!(text.contains("governors: 0 of 2 agree"), "{text}");
}

#[test]
fn whom_a_policy_names_is_called_by_the_proven_name_beside_the_whole_address() {
    let office = Office::new();
    let mut desk = office.desk();
    desk.house.now = now();
    let right = Opening::new([7; 16], "intent.beneficiary", "Corner `shop\u{202e}").unwrap();
    let list = Action::ListAddress {
        account: other_recipient(),
        beneficiary: right.commitment().unwrap(),
        owner_kind: OwnerKind::Client,
    };
    desk.house.administer(list);
    let mut policy = desk.house.book.policy().document().clone();
    policy.previous = Some(desk.house.book.policy().digest());
    policy.version += 1;
    policy.addresses.deny.insert(other_recipient());
    let change = Action::ChangePolicy { policy: Box::new(policy) };
    let intent = desk.house.intent(person("op"), change);
    let case = desk.house.file(&intent).unwrap().to_string();
    drop(desk);
    let whole = format!("`{}` (on the address list)", other_recipient());
    let text = words(&office.run(&["show", &case]).good().json());
    assert!(text.contains(&format!("refuses recipient {whole}")), "{text}");
    // A desk that gives another name gives none.
    office.desk().openings.push(Opening::new([8; 16], "intent.beneficiary", "Treasury").unwrap());
    let text = words(&office.run(&["show", &case]).good().json());
    assert!(text.contains(&whole) && !text.contains("Treasury"), "{text}");
    office.desk().openings.push(right);
    let text = words(&office.run(&["show", &case]).good().json());
    // The screen's own escape stands before the backslash of the words.
    let named = "(on the address list as `Corner \\\\u{5c}u{60}shop\\\\u{202e}`)";
    assert!(text.contains(&format!("refuses recipient `{}` {named}", other_recipient())), "{text}");
    let reached = format!("to `{}` {named} ", other_recipient().as_str().to_ascii_lowercase());
    assert!(text.contains("newly denies") && text.contains(&reached), "{text}");
}

#[test]
fn a_charter_change_is_shown_seat_by_seat() {
    let office = Office::new();
    let mut desk = office.desk();
    desk.house.now = now();
    let mut charter = desk.house.book.charter().clone();
    charter.previous = Some(desk.house.book.charter_digest());
    charter.version += 1;
    charter.governance.m = 1;
    charter.approvers[0].key = super::house::public("mallory");
    let page = view("mallory", 7800);
    let copy = Authenticator::new().passkey("bo-phone", &page);
    charter.approvers[1].passkeys.push(copy);
    charter.views.push(page);
    let change = Action::ChangeCharter { charter: Box::new(charter) };
    let intent = desk.house.intent(person("op"), change);
    let case = desk.house.file(&intent).unwrap().to_string();
    drop(desk);
    let text = words(&office.run(&["show", &case]).good().json());
    assert!(text.contains("approver ann, key: from"), "{text}");
    assert!(text.contains("governance , m: from 2 to 1"), "{text}");
    // What was empty before is written nowhere in the old charter, and shown all the same.
    assert!(text.contains("approver bo, passkeys: from null to"), "{text}");
    assert!(text.contains("view mallory:"), "{text}");
    assert!(text.contains("1 day after its approval"), "{text}");
}

#[test]
fn a_freeze_reaches_the_desk_and_the_cosigner_and_stands_on_top_of_every_list() {
    let office = Office::new();
    let done = office.run(&["freeze", "--cause", "drill"]).good().json();
    assert_eq!(done["peers"].as_array().unwrap().len(), 2);
    assert!(done["peers"].as_array().unwrap().iter().all(|peer| peer["holds"] == true));
    let desk = office.desk();
    assert_eq!(desk.house.book.freezes().next().unwrap().1, &Scope::Vault);
    assert_eq!(desk.frozen_at_cosigner.len(), 1);
    assert!(desk.house.book.check_freeze(&desk.frozen_at_cosigner[0]).is_ok());
    drop(desk);
    let listed = office.run(&["list"]).good().json();
    assert!(listed["warnings"][0].as_str().unwrap().starts_with("frozen: the whole vault"));
}

#[test]
fn a_freeze_holds_at_the_cosigner_when_the_desk_lies_and_says_so_when_nobody_takes_it() {
    let office = Office::new();
    let config = office.path("home/approvals.toml");
    let text = fs::read_to_string(&config).unwrap();
    // The cosigner's address under the desk's name: it proves another key, so the desk never hears of it.
    let east = text.lines().find_map(|line| line.strip_prefix("\"east\" = ")).unwrap().to_owned();
    private(
        &config,
        format!("timeout_s = 1\ndesk = {east}\n[cosigners]\neast = {east}\n").as_bytes(),
    );
    let done = office.run(&["freeze", "--cause", "lying-desk"]).good().json();
    let held: Vec<bool> =
        done["peers"].as_array().unwrap().iter().map(|p| p["holds"] == true).collect();
    assert_eq!(held, [false, true]);
    private(&config, format!("timeout_s = 1\ndesk = {east}\n").as_bytes());
    assert_eq!(office.run(&["freeze", "--cause", "lying-desk"]).trouble(), "not_frozen");
}

#[test]
fn a_void_entry_is_told_and_two_governors_resume() {
    let office = Office::new();
    let case = office.asked();
    let mut desk = office.desk();
    // A refusal by the desk of a case that awaits no draft: nothing that anybody would have recorded.
    let lie = RefusedEntry {
        case,
        party: quorate_terms::entry::Party::Cosigner { cosigner: id("nobody") },
        reason: quorate_terms::judgment::Reason {
            rule: "r".to_owned(),
            code: "c".to_owned(),
            message: "m".to_owned(),
            next: "n".to_owned(),
        },
        left: false,
    };
    desk.house.lie(Body::Refused(lie));
    let index = desk.house.book.voids().next().unwrap().0;
    drop(desk);
    let warned = office.run(&["list"]).good().json()["warnings"].to_string();
    assert!(warned.contains(&format!("void entry {index}")), "{warned}");
    assert_eq!(office.run(&["resume", "0", "--yes"]).trouble(), "not_void");
    // One is not enough, and the desk says how many are missing.
    let alone = office.run(&["resume", &index.to_string(), "--yes"]);
    assert_eq!(alone.trouble(), "quorum_not_met");
    let bo = office.desk().house.resume("bo", index);
    let mut desk = office.desk();
    let mine = desk.resumes.clone();
    let resumes = [mine, vec![bo]].concat();
    desk.house.does(quorate_custody::Event::ResumesCame { voided: index, resumes });
    assert_eq!(desk.house.book.voids().count(), 0);
}

#[test]
fn an_approval_is_signed_offline_from_an_export_and_sent_later() {
    let office = Office::new();
    let case = office.asked().to_string();
    let (book, note, out) = (office.path("book"), office.path("note"), office.path("approval"));
    let export = |with: usize| {
        let desk = office.desk();
        let mut bytes: Vec<Vec<u8>> = desk.bytes();
        bytes.truncate(bytes.len() - with);
        fs::write(&book, [bytes.join(&b'\n'), b"\n".to_vec()].concat()).unwrap();
        fs::write(&note, desk.note()).unwrap();
    };
    export(0);
    let args = |extra: &[&'static str]| {
        let paths = [&book, &out, &note].map(|p| p.to_str().unwrap().to_owned());
        let mut args: Vec<String> =
            ["approve", &case, "--yes", "--offline"].map(str::to_owned).into();
        args.extend(["--book".to_owned(), paths[0].clone(), "--out".to_owned(), paths[1].clone()]);
        if extra.is_empty() {
            args.extend(["--checkpoint".to_owned(), paths[2].clone()]);
        }
        args
    };
    let run = |args: Vec<String>| office.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run(args(&["without a note"])).trouble(), "unwitnessed");
    run(args(&[])).good();
    let done = office.run(&["submit", out.to_str().unwrap()]).good().json();
    assert_eq!(done["recorded"], true);
    // An export that is shorter than what this machine has seen since is a rollback.
    export(1);
    assert_eq!(run(args(&[])).trouble(), "rollback");
}

#[test]
fn row_46_a_wrong_passphrase_and_an_open_key_file_sign_nothing() {
    let office = Office::new();
    let case = office.asked().to_string();
    private(&office.path("passphrase"), b"incorrect horse\n");
    let said = office.run(&["approve", &case, "--yes"]);
    assert_eq!(said.trouble(), "sealed");
    assert!(!said.out.contains("horse") && !said.err.contains("horse"));
    private(&office.path("passphrase"), b"correct horse\n");
    for name in ["key.sealed", "link.identity"] {
        let path = office.path("home").join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let said = office.run(&["approve", &case, "--yes"]);
        assert_eq!(said.trouble(), "fault", "{name}");
        assert!(said.out.contains("chmod 600"), "{}", said.out);
        let doctor = office.run(&["doctor"]);
        assert_eq!(doctor.code, 1);
        assert!(doctor.out.contains("chmod 600"), "{}", doctor.out);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(office.path("home"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(office.run(&["list"]).out.contains("chmod 700"));
    fs::set_permissions(office.path("home"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(office.desk().house.case(&case.parse().unwrap()).approvals.is_empty());
}

#[test]
fn enrolling_twice_overwrites_nothing_and_the_key_lies_sealed() {
    let (dir, _) = enrolled();
    let path = dir.path().join("home/key.sealed");
    let whole = fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&whole);
    assert!(text.starts_with("quorate-sealed/1"), "the key is sealed");
    let again = tool(dir.path(), &["enrol", "--approver", "cy", "--person", "p", "--json"], "");
    assert_eq!(again.trouble(), "enrolled");
    assert_eq!(fs::read(&path).unwrap(), whole, "nothing is overwritten");
}

#[test]
fn status_and_doctor_say_how_things_stand() {
    let office = Office::new();
    office
        .desk()
        .house
        .good(vec![Body::Heartbeat(Heartbeat { source: "desk".to_owned(), sequence: 1 })]);
    let status = office.run(&["status"]).good().json();
    let size = office.desk().house.book.size();
    assert_eq!(status["size"], size);
    assert_eq!(status["witnessed_size"], size);
    assert_eq!(status["witnesses"].as_array().unwrap().len(), 2);
    assert_eq!(status["charter"], office.charter.digest().unwrap().to_string());
    let doctor = office.run(&["doctor"]).good().json();
    assert_eq!(doctor["healthy"], true, "{doctor}");
    office.desk().witnesses.clear();
    assert_eq!(office.run(&["doctor"]).json()["healthy"], false);
}

#[test]
fn completions_and_help_speak_of_every_command() {
    let (dir, _) = enrolled();
    let script = tool(dir.path(), &["completions", "bash"], "").good().out;
    for command in ["enrol", "accept", "list", "show", "approve", "reject", "freeze", "resume"] {
        assert!(script.contains(command), "{command}");
    }
}
