//! An assessor's office and an issuer's register in one temporary folder, driven as processes.
#![expect(clippy::arithmetic_side_effects, reason = "days before and after now, in a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quorate_assessor::audit::signed::{ACCREDITATION, digest_of};
use quorate_assessor::mark::{Envelope, Signer};
use quorate_host::random::Random;
use quorate_host::{Identity, secret_file};
use quorate_ledger::{Checkpoint, KeyKind, VerifierKey};
use quorate_terms::canonical;
use serde_json::{Value, json};

use super::vault::{COSIGNERS, Vault};
use super::{no, said};

pub(crate) const DAY_MS: u64 = 86_400_000;

pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

const CATALOGUE: &str = r#"
id = "wd"
version = "0.1.0"
title = "A small catalogue"
publisher = "nobody"
language = "en"
as_of = "2026-11-20"
official = false
note = "for tests"

[[level]]
id = "Baseline"
rank = 1
meaning = "first"

[[group]]
id = "WD-01"
title = "Keys"

[[control]]
id = "WD-01.1"
group = "WD-01"
title = "Spare copies"
level = "Baseline"
text = "Spare copies of every share exist and can be found again."
citation = "a test"
confidence = "K"
evidence = ["document"]
guide = "Inspection: look at the copies"
shown_to = "The keeper to the assessor."
sampled = "Every copy."
rejected = "A list of copies in place of the copies."
review_by = "2027-05-20"
"#;

const DECISIONS: &str = r#"
standard = "wd"
version = "0.1.0"

[[decision]]
control = "WD-01.1"
automation = "hybrid"
predicate = "No key was made by somebody alone."
on_empty = "gap"
human = "Look at the copies."
entries = ["KeyGenerated"]
population = "SELECT book, idx FROM KeyGenerated"
exceptions = "SELECT book, idx, 'made alone' AS why FROM KeyGenerated WHERE method = 'alone'"
"#;

pub(crate) struct Office {
    dir: tempfile::TempDir,
}

impl Office {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, value: &Value) -> String {
        fs::write(self.path(name), canonical::to_bytes(value, "file").unwrap()).unwrap();
        self.path(name).display().to_string()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    pub(crate) fn identity(&self, who: &str) -> Identity {
        Identity::load(&self.path(&format!("keys/{who}.key"))).unwrap()
    }

    pub(crate) fn public(&self, who: &str) -> String {
        self.identity(who).public_key().to_string()
    }

    /// The key file of a person, or of the issuer's office.
    fn key(&self, who: &str) -> String {
        self.path(&format!("keys/{who}.key")).display().to_string()
    }

    fn run(&self, dir: &str, words: &[&str]) -> Output {
        let mut command = said::command();
        command.arg("--json").arg("--dir").arg(self.path(dir));
        command.arg("--standards").arg(self.path("standards")).args(words).output().unwrap()
    }

    fn good(&self, dir: &str, words: &[&str]) -> Value {
        said::good(words, &self.run(dir, words))
    }

    fn refuses(&self, dir: &str, words: &[&str], why: &str) {
        no::refused(words, &self.run(dir, words), why);
    }

    pub(crate) fn assessor(&self, words: &[&str]) -> Value {
        self.good("office", words)
    }

    pub(crate) fn assessor_refuses(&self, words: &[&str], why: &str) {
        self.refuses("office", words, why);
    }

    pub(crate) fn issuer(&self, words: &[&str]) -> Value {
        self.good("register", words)
    }

    pub(crate) fn issuer_refuses(&self, words: &[&str], why: &str) {
        self.refuses("register", words, why);
    }

    fn new() -> Self {
        let mut vault = Vault::found("acme");
        vault.add_key("hot", "dkg");
        vault.add_noise();
        vault.add_key("cold", "dkg");
        Self::over(&vault)
    }

    /// An office that pinned a vault's book and took it in, and an issuer's register.
    pub(crate) fn over(vault: &Vault) -> Self {
        let office = Self { dir: tempfile::tempdir().unwrap() };
        secret_file::make_dir(&office.path("keys")).unwrap();
        let random = Random::start().unwrap();
        for who in ["eva", "ann", "w1", "w2"] {
            Identity::create(&office.path(&format!("keys/{who}.key")), random).unwrap();
        }
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../standards");
        copy_dir(&shipped.join("evidence"), &office.path("standards/evidence"));
        copy_dir(&shipped.join("workflows"), &office.path("standards/workflows"));
        fs::create_dir_all(office.path("standards/wd/0.1.0")).unwrap();
        fs::write(office.path("standards/wd/0.1.0/catalogue.toml"), CATALOGUE).unwrap();
        fs::write(office.path("standards/wd/0.1.0/decisions.toml"), DECISIONS).unwrap();
        office.assessor(&["init", "--office", "office", "--origin", "auditor.example/office"]);
        office.pin_and_import(vault);
        office.issuer(&["init", "--office", "register", "--origin", "marks.example/register"]);
        fs::copy(office.path("register/office.key"), office.path("keys/reg.key")).unwrap();
        office
    }

    /// A book as its desk would export it.
    fn pin_and_import(&self, vault: &Vault) {
        let path = |name: &str| self.path(name).display().to_string();
        fs::write(self.path("vault.policy.json"), vault.policy().to_json().unwrap()).unwrap();
        fs::write(self.path("head"), vault.note(&COSIGNERS)).unwrap();
        vault.export(&self.path("book.jsonl"));
        self.assessor(&["pin", &path("vault.policy.json")]);
        self.assessor(&[
            "import",
            "--vault",
            &vault.name,
            &path("book.jsonl"),
            "--checkpoint",
            &path("head"),
        ]);
    }

    pub(crate) fn step(&self, by: &str, record: &Value) -> Value {
        let path = self.put("record.json", record);
        let key = self.key(by);
        self.assessor(&step_words(&path, by, &key))
    }

    fn signature(&self, what: &str, by: &str, paper: &Value) -> Value {
        let (paper, key) = (self.put("paper.json", paper), self.key(by));
        let words = ["audit", "sign", "audit-1", what, &paper, "--by", by, "--key", &key];
        self.assessor(&words)["signature"].clone()
    }

    fn declare(&self, by: &str) {
        let statements = json!(["I am independent."]);
        let signature = self.signature("declaration", by, &statements);
        self.step(
            by,
            &json!({ "act": "declared", "statements": statements, "signature": signature }),
        );
    }

    fn engagement(&self) -> Value {
        let all = self.assessor(&["audit", "workflows"]);
        let waa = all.as_array().unwrap().iter().find(|w| w["id"] == "waa-audit").unwrap();
        let party = |person: &str, firm: &str, role: &str| {
            json!({ "person": person, "name": person, "number": null, "firm": firm, "role": role,
                    "key": self.public(person), "audits": 1 })
        };
        let to = now_ms() - 2 * DAY_MS;
        json!({
            "act": "engaged", "audit": "audit-1", "workflow": waa["digest"], "standard": "wd", "version": "0.1.0",
            "entity": "Brickmere <b>", "system": "Vault", "designation": "self_custody", "designation_why": null,
            "sought": 1, "period": { "from": to - 365 * DAY_MS, "to": to }, "first": false,
            "parties": [party("eva", "Brickmere", "entity"), party("ann", "Alder", "auditor"), party("reg", "Registrar", "registrar")],
            "past": [], "readiness": null, "contract": "contract 7", "retention": "seven years", "signed_steps": true,
        })
    }

    fn scope() -> Value {
        json!({ "act": "scope_set", "entity": "Brickmere <b>", "systems": [{
            "name": "Vault", "description": "own funds", "sought": 1,
            "custody": { "supplies_only_a_part": false, "customers_funds": false, "holds_every_key": true, "providers": [] },
            "environment": { "people": ["two operators"], "processes": ["key generation"], "technology": ["two cosigners"],
                "validated": { "by": "ann", "at": 1, "sources": ["network diagram"] },
                "exclusions": [{ "what": "the website", "why": "has no way to any cosigner" }] },
            "inventory": [{ "name": "share a", "kind": "key share", "place": "machine of Alba", "class": "secret",
                "criticality": "high", "holders": ["Alba"], "depends_on": [] }],
        }] })
    }

    pub(crate) fn interview() -> Value {
        let at = now_ms() - 3 * DAY_MS;
        json!({ "item": { "interview": { "name": "Greta Holm", "role": "custodian", "place": "by telephone", "duration": "40 minutes",
                "topics": "drills", "findings": "two people each time", "at": at, "open": [] } },
            "owner": "Otto Owner", "represents": { "from": at - 100 * DAY_MS, "to": at }, "expires": null, "file": null, "kept_there": null })
    }

    /// An audit up to the signed summary; decided, if it shall be.
    pub(crate) fn decided(decide: bool) -> Self {
        let office = Self::new();
        let reg = office.public("reg");
        office.assessor(&["audit", "registrar", "Registrar", &reg]);
        office.step("ann", &office.engagement());
        let accreditation = json!({ "v": 1, "number": "A-1", "name": "ann", "key": office.public("ann"), "standard": "wd",
            "valid_from": now_ms() - DAY_MS, "valid_until": now_ms() + 900 * DAY_MS });
        let signer = office.identity("reg");
        let sign = |bytes: &[u8]| signer.sign_bytes(bytes);
        let bytes = canonical::to_bytes(&accreditation, "accreditation").unwrap();
        let envelope = Envelope::seal(
            ACCREDITATION,
            &bytes,
            &[Signer { key: signer.public_key(), sign: &sign }],
        );
        office.step("ann", &json!({ "act": "accredited", "envelope": envelope }));
        office.declare("eva");
        office.declare("ann");
        office.step("ann", &Self::scope());
        office.step(
            "ann",
            &json!({ "act": "exhibit_filed", "tag": "INTERVIEW_1", "exhibit": Self::interview() }),
        );
        office.found_and_summed();
        if decide {
            office.decide();
        }
        office
    }

    fn found_and_summed(&self) {
        let statement = "Three drills of March, June and October were opened: sealed steel plates lay in a bank's box, its \
                         visitor book names two custodians each time.";
        self.assessor(&["evidence", "wd 0.1.0 WD-01.1", "--tag", "INTERVIEW_1", "--by", "p-ann"]);
        let results = self.assessor(&["assess", "wd 0.1.0"]);
        fs::write(self.path("results"), results["sha256"].as_str().unwrap()).unwrap();
        let digest = results["sha256"].as_str().unwrap();
        let drafts = self.path("drafts").display().to_string();
        self.assessor(&["audit", "draft", "audit-1", "--results", digest, "--out", &drafts]);
        let draft = self.path("drafts/WD-01.1.json").display().to_string();
        self.assessor_refuses(&step_words(&draft, "ann", &self.key("ann")), "this is no record");
        let mut found = self.json("drafts/WD-01.1.json");
        assert_eq!(found["slots"]["interviews"], json!({ "cites": ["INTERVIEW_1"] }));
        (found["status"], found["statement"]) = (json!("in_place"), json!(statement));
        let mut other = found.clone();
        other["machine"] = json!("00".repeat(32));
        let other = self.put("other.json", &other);
        self.assessor_refuses(&step_words(&other, "ann", &self.key("ann")), "no_such_finding");
        let unsigned = self.put("unsigned.json", &found);
        self.assessor_refuses(
            &["audit", "step", &unsigned, "--audit", "audit-1", "--by", "ann"],
            "step_is_signed",
        );
        self.step("ann", &found);
        let report = self.path("keys/report.json").display().to_string();
        let digest =
            self.assessor(&["audit", "report", "audit-1", "--out", &report])["digest"].clone();
        self.step("ann", &json!({ "act": "report_written", "digest": digest }));
        let engaged = self.engagement();
        let period =
            self.assessor(&["audit", "view", "audit-1", "--role", "auditor"])["seen"]["engagement"]
                ["period"]
                .clone();
        let summary = json!({ "entity": engaged["entity"], "standard": "wd", "version": "0.1.0", "system": "Vault",
            "designation": "self_custody", "sought": 1, "level": 1, "aspects": { "WD-01": 1 }, "description": "two cosigners",
            "period": period, "auditor": "ann", "reviewer": null, "report": digest, "on": now_ms() });
        let mut record = summary.clone();
        record["act"] = json!("summary_written");
        self.step("ann", &record);
        let digest = digest_of(&summary).unwrap();
        let signature = self.signature("summary", "ann", &summary);
        self.step(
            "ann",
            &json!({ "act": "summary_signed", "digest": digest, "signature": signature }),
        );
    }

    pub(crate) fn decide(&self) {
        self.step(
            "reg",
            &json!({ "act": "decided", "granted": true, "reasons": ["level 1 is met"] }),
        );
    }

    pub(crate) fn offer(&self) {
        let out = self.path("offer.json").display().to_string();
        self.issuer(&offer_words("Registrar", &out));
    }

    pub(crate) fn claim_words(&self, by: &str) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let results = fs::read_to_string(self.path("results")).unwrap();
        let until = now_ms() + 365 * DAY_MS;
        let until =
            jiff::Timestamp::from_millisecond(i64::try_from(until).unwrap()).unwrap().to_string();
        [
            "mark",
            "claim",
            "--offer",
            &path("offer.json"),
            "--audit",
            "audit-1",
            "--results",
            &results,
            "--key",
            &self.key(by),
            "--exclude",
            "the branch office",
            "--until",
            &until,
            "--out",
            &path("claim.json"),
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// A mark that one of two witnesses saw, with policy and status.
    pub(crate) fn marked() -> Self {
        let office = Self::decided(true);
        let path = |name: &str| office.path(name).display().to_string();
        office.offer();
        let words = office.claim_words("ann");
        office.assessor(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let (claim, signed, ann) = (path("claim.json"), path("signed.json"), office.public("ann"));
        office.issuer(&["mark", "issue", &claim, "--assessor", &ann, "--out", &signed]);
        let envelope = office.json("signed.json")["envelope"].clone();
        office.step("reg", &json!({ "act": "mark_issued", "envelope": envelope }));
        office.issuer(&["mark", "checkpoint", "--out", &path("request")]);
        office.witness("w1", "request", "c1");
        let (w1, w2) = (office.witness_key("w1").to_string(), office.witness_key("w2").to_string());
        office.issuer(&[
            "mark",
            "policy",
            "--assessor",
            &ann,
            "--witness",
            &w1,
            "--witness",
            &w2,
            "--standard",
            "wd 0.1.0",
            "--out",
            &path("policy.json"),
        ]);
        let finish = [
            "mark",
            "finish",
            "mark-1",
            "--checkpoint",
            &path("request"),
            "--policy",
            &path("policy.json"),
            "--out",
            &path("mark.json"),
        ]
        .map(str::to_owned)
        .to_vec();
        let words: Vec<&str> = finish.iter().map(String::as_str).collect();
        office.issuer_refuses(&words, "0 of 1 needed cosignatures");
        let c1 = path("c1");
        office.issuer(&[&words[..], &["--cosignature", &c1]].concat());
        office.issuer(&["mark", "status", "--hours", "24", "--out", &path("status.json")]);
        office
    }

    pub(crate) fn witness_key(&self, who: &str) -> VerifierKey {
        VerifierKey::new(who, KeyKind::Witness, self.identity(who).public_key()).unwrap()
    }

    fn witness_words(&self, who: &str, request: &str, out: &str) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let log = VerifierKey::new(
            "marks.example/register",
            KeyKind::Log,
            self.identity("reg").public_key(),
        )
        .unwrap();
        [
            "mark",
            "witness",
            &path(request),
            "--log",
            &log.to_string(),
            "--name",
            who,
            "--key",
            &self.key(who),
            "--memory",
            &path(&format!("keys/{who}.memory")),
            "--out",
            &path(out),
        ]
        .map(str::to_owned)
        .to_vec()
    }

    pub(crate) fn witness(&self, who: &str, request: &str, out: &str) {
        let words = self.witness_words(who, request, out);
        self.good("nowhere", &words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    pub(crate) fn witness_refuses(&self, who: &str, request: &str, why: &str) {
        let words = self.witness_words(who, request, "never");
        self.refuses("nowhere", &words.iter().map(String::as_str).collect::<Vec<_>>(), why);
    }

    /// How many entries the first witness cosigned last.
    pub(crate) fn witnessed_size(&self) -> u64 {
        let text = fs::read_to_string(self.path("keys/w1.memory")).unwrap();
        text.parse::<Checkpoint>().unwrap().size
    }

    /// Asks the stranger's tool: exit code and answer.
    pub(crate) fn verify(&self, words: &[&str]) -> (i32, String) {
        let output = Command::new(verifier()).args(words).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
        (output.status.code().unwrap(), said)
    }
}

/// `quorate-verify` of this very source: cargo builds binaries of another package only when it is asked to.
pub(crate) fn verifier() -> PathBuf {
    static BUILT: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    let build = || {
        let beside = said::program().with_file_name("quorate-verify");
        let folder = beside.parent().unwrap();
        let profile = match folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([
            "build",
            "-q",
            "--locked",
            "--offline",
            "-p",
            "quorate-verify",
            "--profile",
            profile,
        ]);
        cargo.arg("--target-dir").arg(folder.parent().unwrap());
        cargo
            .arg("--manifest-path")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"));
        // What a test is told of its own package would make build scripts run anew, for this build and for the one after it.
        let told = std::env::vars_os().map(|(name, _)| name);
        told.filter(|name| {
            let name = name.to_string_lossy();
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        })
        .for_each(|name| {
            cargo.env_remove(name);
        });
        assert!(cargo.status().unwrap().success());
        beside
    };
    BUILT.get_or_init(build).clone()
}

/// Words for a step that its person signs.
fn step_words<'a>(record: &'a str, by: &'a str, key: &'a str) -> [&'a str; 9] {
    ["audit", "step", record, "--audit", "audit-1", "--by", by, "--sign-with", key]
}

/// Words for a place in the list.
pub(crate) fn offer_words<'a>(issuer: &'a str, out: &'a str) -> [&'a str; 9] {
    let list = "marks.example/2026";
    ["mark", "offer", "mark-1", "--list", list, "--issuer", issuer, "--out", out]
}
