//! People with keys, the papers that they sign, and the office's command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quorate_assessor::mark::{Envelope, Signer};
use quorate_host::random::Random;
use quorate_host::{Identity, secret_file};
use quorate_terms::canonical;
use serde::Serialize;
use serde_json::Value;

/// Everybody: the provider's and the customer's people, the auditor, the reviewer, the registrar.
const PEOPLE: [&str; 4] = ["eva", "ann", "rolf", "reg"];

/// The office, and where people keep their keys and papers.
pub(crate) struct Office {
    program: PathBuf,
    dir: PathBuf,
    standards: PathBuf,
    room: PathBuf,
}

impl Office {
    /// Makes everybody's keys, and pins the registrar's.
    pub(crate) fn at(program: PathBuf, dir: PathBuf, standards: PathBuf, room: PathBuf) -> Self {
        let office = Self { program, dir, standards, room };
        secret_file::make_dir(&office.room).unwrap();
        let random = Random::start().unwrap();
        for person in PEOPLE {
            Identity::create(&office.key(person), random).unwrap();
        }
        secret_file::create(&office.room.join("words"), b"twelve long words\n", random).unwrap();
        let registrar = office.identity("reg").public_key().to_string();
        office.good(&["audit", "registrar", "Test registrar", &registrar]);
        office
    }

    /// Where a person's key lies.
    pub(crate) fn key(&self, person: &str) -> PathBuf {
        self.room.join(format!("{person}.key"))
    }

    /// A person's keys.
    pub(crate) fn identity(&self, person: &str) -> Identity {
        Identity::load(&self.key(person)).unwrap()
    }

    /// A path in the room, as text.
    pub(crate) fn path(&self, name: &str) -> String {
        self.room.join(name).display().to_string()
    }

    /// Writes a paper, and gives its path.
    pub(crate) fn paper(&self, name: &str, value: &impl Serialize) -> String {
        fs::write(self.room.join(name), canonical::to_bytes(value, "paper").unwrap()).unwrap();
        self.path(name)
    }

    fn run(&self, words: &[&str]) -> Output {
        self.run_in(&self.dir, words)
    }

    fn run_in(&self, dir: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.arg("--json").arg("--dir").arg(dir).arg("--standards").arg(&self.standards);
        command.args(words).output().unwrap()
    }

    /// Opens the issuer's register, an office of its own; `iss` is the person who holds its key.
    pub(crate) fn open_register(&self) {
        self.register(&["init", "--office", "register", "--origin", "marks.example/register"]);
        fs::copy(self.room.join("register/office.key"), self.key("iss")).unwrap();
    }

    /// A command of the issuer's, which must go well.
    pub(crate) fn register(&self, words: &[&str]) -> Value {
        read(words, &self.run_in(&self.room.join("register"), words))
    }

    /// What a stranger's verifier says of a mark: the exit code, and the words.
    pub(crate) fn verify(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(self.program.with_file_name("quorate-verify"))
            .args(words)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A command that must go well.
    pub(crate) fn good(&self, words: &[&str]) -> Value {
        read(words, &self.run(words))
    }

    /// The newest machine findings of a standard, whatever they are.
    pub(crate) fn assess(&self, standard: &str, level: &str) -> Value {
        let output = self.run(&["assess", standard, "--level", level]);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A person's signature over a paper of an audit.
    pub(crate) fn sign(
        &self,
        audit: &str,
        what: &str,
        person: &str,
        paper: &impl Serialize,
    ) -> Value {
        let paper = self.paper("to-sign.json", paper);
        self.sign_digest(audit, what, person, &paper)
    }

    /// As [`Office::sign`], for a paper that is named by file or digest.
    pub(crate) fn sign_digest(&self, audit: &str, what: &str, person: &str, paper: &str) -> Value {
        let key = self.key(person).display().to_string();
        let words = ["audit", "sign", audit, what, paper, "--by", person, "--key", &key];
        self.good(&words)["signature"].clone()
    }

    /// An envelope that one person signed.
    pub(crate) fn seal(&self, kind: &str, payload: &impl Serialize, person: &str) -> Envelope {
        let identity = self.identity(person);
        let sign = |bytes: &[u8]| identity.sign_bytes(bytes);
        let bytes = canonical::to_bytes(payload, "payload").unwrap();
        Envelope::seal(kind, &bytes, &[Signer { key: identity.public_key(), sign: &sign }])
    }
}

fn read(words: &[&str], output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let more = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said} {more}");
    serde_json::from_str(&said).unwrap()
}
