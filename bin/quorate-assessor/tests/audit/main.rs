//! An audit by the command line: people with keys, files on disk, every step in the office's ledger.
#![cfg(test)]

mod desk;
mod no;
mod personal;
#[path = "../office/said.rs"]
mod said;

use std::fs;

use serde_json::json;

use desk::Desk;

fn words(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

#[test]
fn evidence_is_sealed_filed_opened_on_record_and_verified() {
    let desk = Desk::testing();
    let secret = b"%PDF-1.7 where the shares of Brickmere lie";
    let added = desk.good(&words(&desk.add("policy.pdf", secret)));
    assert_eq!(added["act"], "exhibit_filed");
    for entry in fs::read_dir(desk.path("office/files")).unwrap() {
        let stored = fs::read(entry.unwrap().path()).unwrap();
        assert!(!stored.windows(9).any(|part| part == b"Brickmere"), "it lies encrypted");
    }
    let phrase = desk.path("keys/words").display().to_string();
    let verify = ["audit", "evidence", "verify", "audit-1", "--passphrase-file", &phrase];
    let verified = desk.good(&verify);
    assert_eq!((verified["lost"].clone(), verified["damaged"].clone()), (json!([]), json!([])));
    let out = desk.path("keys/out.pdf").display().to_string();
    let key = desk.key("ann").display().to_string();
    let open = [
        "audit",
        "evidence",
        "open",
        "audit-1",
        "DOCUMENT_1",
        "--sign-with",
        &key,
        "--by",
        "ann",
        "--why",
        "to read it",
        "--out",
        &out,
        "--passphrase-file",
        &phrase,
    ];
    desk.good(&open);
    assert_eq!(fs::read(&out).unwrap(), secret);
    let listed = desk.good(&["audit", "evidence", "list", "audit-1"]);
    assert_eq!(listed["opened"][0]["by"], "ann");
    let file = fs::read_dir(desk.path("office/files")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, &bytes).unwrap();
    desk.refused(&verify, "\"damaged\":[\"");
    fs::remove_file(&file).unwrap();
    desk.refused(&verify, "\"lost\":[\"");
    desk.good(&words(&desk.add("policy.pdf", secret)));
    desk.good(&verify);
}

#[test]
fn a_crash_between_file_and_record_loses_nothing_that_was_promised() {
    let desk = Desk::testing();
    let mut stranger = desk.add("policy.pdf", b"%PDF-1.7 one");
    let by = stranger.iter().position(|word| word == "eva").unwrap();
    stranger[by] = "rolf".to_owned();
    desk.refused(&words(&stranger), "role_may");
    let phrase = desk.path("keys/words").display().to_string();
    let verify = ["audit", "evidence", "verify", "audit-1", "--passphrase-file", &phrase];
    let verified = desk.good(&verify);
    assert_eq!(verified["leftover"].as_array().unwrap().len(), 1, "a file without a line is told");
    fs::write(desk.path("office/files/half.sealed.00.new"), b"half").unwrap();
    desk.good(&words(&desk.add("policy.pdf", b"%PDF-1.7 one")));
    let verified = desk.good(&verify);
    assert_eq!(
        (verified["leftover"].clone(), verified["on_file"].as_array().unwrap().len()),
        (json!([]), 1)
    );
    assert!(!desk.path("office/files/half.sealed.00.new").exists());
}

#[test]
fn a_file_that_is_not_what_its_name_says_is_refused_and_nothing_is_recorded() {
    let desk = Desk::testing();
    desk.refused(&words(&desk.add("policy.pdf", b"MZ a program")), "whatever its name says");
    desk.refused(&words(&desk.add("policy.exe", b"MZ a program")), "kind that is not taken");
    let listed = desk.good(&["audit", "evidence", "list", "audit-1"]);
    assert_eq!(listed["exhibits"], json!({}));
    assert!(!desk.path("office/files").exists(), "nothing was sealed either");
}

#[test]
fn what_the_machine_refuses_is_refused_here_and_views_keep_roles_apart() {
    let desk = Desk::testing();
    let again = desk.written("record.json", &desk.engagement());
    desk.refused(&["audit", "step", &again, "--by", "ann"], "engaged_once");
    let signed = desk.written("record.json", &json!({ "act": "summary_signed", "digest": "00".repeat(32), "signature": "00".repeat(64) }));
    let output = desk.run(&["audit", "step", &signed, "--audit", "audit-1", "--by", "ann"]);
    assert_eq!(output.status.code(), Some(1));
    desk.good(&words(&desk.add("policy.pdf", b"%PDF-1.7 one")));
    let seen = |role: &str| desk.good(&["audit", "view", "audit-1", "--role", role]);
    assert!(seen("auditor")["seen"]["exhibits"]["on_file"]["DOCUMENT_1"].is_object());
    assert!(!seen("reviewer").to_string().contains("DOCUMENT_1"));
    assert_eq!(seen("entity")["word"], "under audit");
    desk.refused(&["audit", "view", "audit-2", "--role", "auditor"], "no_audit");
    let report = desk.path("keys/report.json").display().to_string();
    assert!(desk.good(&["audit", "report", "audit-1", "--out", &report])["digest"].is_string());
    desk.good(&["audit", "calendar", "audit-1"]);
}

#[test]
fn a_registrars_key_is_believed_once_and_never_changed() {
    let desk = Desk::new();
    let (reg, other) = (desk.public("reg"), desk.public("eva"));
    desk.good(&["audit", "registrar", "C4", reg.as_str().unwrap()]);
    desk.refused(&["audit", "registrar", "C4", other.as_str().unwrap()], "believed already");
    desk.refused(&["audit", "registrar", "Other", reg.as_str().unwrap()], "believed already");
}
