//! An audit by the command line: people with keys, files on disk, every step in the office's ledger.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quorate_host::Identity;
use quorate_host::random::Random;
use quorate_host::secret_file;
use serde_json::{Value, json};

struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        secret_file::make_dir(&desk.path("keys")).unwrap();
        let random = Random::start().unwrap();
        for person in ["eva", "ann", "rolf", "reg"] {
            Identity::create(&desk.key(person), random).unwrap();
        }
        secret_file::create(&desk.path("keys/words"), b"twelve long words\n", random).unwrap();
        desk.good(&["init", "--office", "office", "--origin", "auditor.example/office"]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn key(&self, person: &str) -> PathBuf {
        self.path(&format!("keys/{person}.key"))
    }

    fn public(&self, person: &str) -> Value {
        json!(Identity::load(&self.key(person)).unwrap().public_key())
    }

    fn run(&self, words: &[&str]) -> Output {
        let standards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../standards");
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate-assessor"));
        command.arg("--json").arg("--dir").arg(self.path("office"));
        command.arg("--standards").arg(standards).args(words).output().unwrap()
    }

    fn good(&self, words: &[&str]) -> Value {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{words:?}: {said} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(&said).unwrap()
    }

    fn refused(&self, words: &[&str], reason: &str) {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains(reason), "{reason}: {said}");
    }

    fn written(&self, name: &str, value: &Value) -> String {
        let path = self.path(name);
        fs::write(&path, value.to_string()).unwrap();
        path.display().to_string()
    }

    fn step(&self, by: &str, record: &Value) -> Value {
        let path = self.written("record.json", record);
        self.good(&["audit", "step", &path, "--audit", "audit-1", "--by", by])
    }

    fn declare(&self, person: &str) {
        let statements = json!(["I am independent."]);
        let (paper, key) =
            (self.written("paper.json", &statements), self.key(person).display().to_string());
        let sign =
            ["audit", "sign", "audit-1", "declaration", &paper, "--by", person, "--key", &key];
        let signature = self.good(&sign)["signature"].clone();
        self.step(
            person,
            &json!({ "act": "declared", "statements": statements, "signature": signature }),
        );
    }

    fn engagement(&self) -> Value {
        let all = self.good(&["audit", "workflows"]);
        let digest =
            &all.as_array().unwrap().iter().find(|w| w["id"] == "ccss-audit").unwrap()["digest"];
        let party = |person: &str, firm: &str, role: &str| {
            json!({ "person": person, "name": person, "number": null, "firm": firm, "role": role,
                    "key": self.public(person), "audits": 1 })
        };
        json!({
            "act": "engaged", "audit": "audit-1", "workflow": digest, "standard": "ccss", "version": "9.0",
            "entity": "Brickmere", "system": "Vault", "designation": "self_custody", "designation_why": null,
            "sought": 1, "period": { "from": 1_700_000_000_000_u64, "to": 1_731_536_000_000_u64 }, "first": false,
            "parties": [party("eva", "Brickmere", "entity"), party("ann", "Alder", "auditor")],
            "past": [], "readiness": null, "contract": "contract 7", "retention": "seven years",
        })
    }

    /// An audit that has come to testing.
    fn testing() -> Self {
        let desk = Self::new();
        desk.step("ann", &desk.engagement());
        desk.step("ann", &json!({ "act": "intent_filed", "reference": "letter 1" }));
        let reviewer = json!({ "person": "rolf", "name": "Rolf", "number": "R-1", "firm": "Rowan",
                               "key": desk.public("rolf"), "steering": false });
        desk.step("ann", &json!({ "act": "options_listed", "list": "list-1", "reviewers": [reviewer], "past": [] }));
        desk.step("ann", &json!({ "act": "reviewer_chosen", "list": "list-1", "person": "rolf" }));
        for person in ["eva", "ann", "rolf"] {
            desk.declare(person);
        }
        desk
    }

    fn add(&self, file: &str, bytes: &[u8]) -> Vec<String> {
        fs::write(self.path(file), bytes).unwrap();
        let item = json!({ "document": { "title": "Policy", "purpose": "keys", "version": "3", "place": "cabinet",
                           "findings": "as asked", "at": 1_720_000_000_000_u64, "open": [] } });
        let item = self.written("item.json", &item);
        let (file, words) =
            (self.path(file).display().to_string(), self.path("keys/words").display().to_string());
        [
            "audit",
            "evidence",
            "add",
            "audit-1",
            &file,
            "--item",
            &item,
            "--owner",
            "Otto",
            "--from",
            "2024-01-01",
            "--to",
            "2024-10-01",
            "--by",
            "eva",
            "--passphrase-file",
            &words,
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

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
    let open = [
        "audit",
        "evidence",
        "open",
        "audit-1",
        "DOCUMENT_1",
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
