//! An office's desk: people with keys, and the program at work.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use quorate_host::Identity;
use quorate_host::random::Random;
use quorate_host::secret_file;
use serde_json::{Value, json};

use crate::{no, said};

pub(crate) struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn key(&self, person: &str) -> PathBuf {
        self.path(&format!("keys/{person}.key"))
    }

    pub(crate) fn public(&self, person: &str) -> Value {
        json!(Identity::load(&self.key(person)).unwrap().public_key())
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let standards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../standards");
        let mut command = said::command();
        command.arg("--json").arg("--dir").arg(self.path("office"));
        command.arg("--standards").arg(standards).args(words).output().unwrap()
    }

    pub(crate) fn good(&self, words: &[&str]) -> Value {
        said::good(words, &self.run(words))
    }

    pub(crate) fn refused(&self, words: &[&str], reason: &str) {
        no::refused(words, &self.run(words), reason);
    }

    pub(crate) fn written(&self, name: &str, value: &Value) -> String {
        let path = self.path(name);
        fs::write(&path, value.to_string()).unwrap();
        path.display().to_string()
    }

    pub(crate) fn step(&self, by: &str, record: &Value) -> Value {
        let path = self.written("record.json", record);
        let key = self.key(by).display().to_string();
        self.good(&["audit", "step", &path, "--audit", "audit-1", "--by", by, "--sign-with", &key])
    }

    pub(crate) fn declare(&self, person: &str) {
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

    pub(crate) fn engagement(&self) -> Value {
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
    pub(crate) fn testing() -> Self {
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

    pub(crate) fn add(&self, file: &str, bytes: &[u8]) -> Vec<String> {
        fs::write(self.path(file), bytes).unwrap();
        let item = json!({ "document": { "title": "Policy", "purpose": "keys", "version": "3", "place": "cabinet",
                           "findings": "as asked", "at": 1_720_000_000_000_u64, "open": [] } });
        let item = self.written("item.json", &item);
        let (file, words) =
            (self.path(file).display().to_string(), self.path("keys/words").display().to_string());
        let key = self.key("eva").display().to_string();
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
            "--sign-with",
            &key,
        ]
        .map(str::to_owned)
        .to_vec()
    }
}
