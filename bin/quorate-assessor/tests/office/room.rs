//! An office's folder, and the program at work in it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use quorate_terms::PublicKey;
use serde_json::Value;

use super::desk::{DESK, Desk};
use super::said;
use super::vault::{COSIGNERS, Vault, identity};

/// How long a watched control may take to change its finding.
const WITHIN: Duration = Duration::from_secs(5);
/// How long a program may take to load everything.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// An office.
pub(crate) struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    /// An office that pinned a vault's book.
    pub(crate) fn pinned(vault: &Vault) -> Self {
        let room = Self { dir: tempfile::tempdir().unwrap() };
        room.good(&["init", "--office", "office", "--origin", "auditor.example/office"]);
        room.pin(vault);
        room
    }

    pub(crate) fn pin(&self, vault: &Vault) {
        std::fs::write(self.path("policy.json"), vault.policy().to_json().unwrap()).unwrap();
        let policy = self.path("policy.json").display().to_string();
        self.good(&["pin", &policy]);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.good(&["status"])["key"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let standards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../standards");
        let mut command = said::command();
        command.arg("--json").arg("--dir").arg(self.path("office"));
        command.arg("--standards").arg(standards).args(words);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// The answer of a command that goes well, or that says that not all is well.
    pub(crate) fn answer(&self, words: &[&str]) -> Value {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let value: Value = serde_json::from_str(&said).unwrap_or_else(|e| {
            panic!("{words:?}: {e}: {said}{}", String::from_utf8_lossy(&output.stderr))
        });
        assert!(value.get("error").is_none(), "{words:?}: {said}");
        value
    }

    pub(crate) fn good(&self, words: &[&str]) -> Value {
        said::good(words, &self.run(words))
    }

    /// The code with which a command is refused, and the whole of what it said.
    pub(crate) fn refused(&self, words: &[&str]) -> (String, String) {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{words:?}: {said}");
        let value: Value = serde_json::from_str(&said).unwrap();
        (value["error"]["code"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned(), said)
    }

    /// Takes in a vault's export under a note.
    pub(crate) fn import(&self, vault: &Vault, note: &str) -> Output {
        let (export, file) = self.exported(vault, note);
        self.run(&["import", "--vault", &vault.name, &export, "--checkpoint", &file])
    }

    /// Writes an export and a note; gives both paths.
    pub(crate) fn exported(&self, vault: &Vault, note: &str) -> (String, String) {
        let (export, file) = (self.path("export.jsonl"), self.path("export.checkpoint"));
        vault.export(&export);
        std::fs::write(&file, note).unwrap();
        (export.display().to_string(), file.display().to_string())
    }

    /// As [`Room::import`], which must go well; gives the entries.
    pub(crate) fn take_in(&self, vault: &Vault) -> u64 {
        let output = self.import(vault, &vault.note(&COSIGNERS));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
        let value: Value = serde_json::from_str(&said).unwrap();
        value["head"]["size"].as_u64().unwrap()
    }

    /// Follows a desk once.
    pub(crate) fn follow(&self, desk: &Desk) -> Value {
        let (address, key) = (desk.address(), identity(DESK).public_key().to_string());
        self.good(&["follow", "--desk", &address, "--identity", &key])
    }

    /// Somebody says that the signing library was reviewed, long ago.
    pub(crate) fn attest_review(&self) {
        let key = self.path("office/ann.key").display().to_string();
        self.good(&[
            "attest",
            "TestPerformed",
            "--person",
            "p-ann",
            "--key",
            &key,
            "--represents",
            "2020-01-01",
            "--field",
            "kind=key_generation_review",
            "--field",
            "scope=[\"dkls23-core 0.6.2\"]",
        ]);
    }

    /// The state of one control now.
    pub(crate) fn state(&self, control: &str) -> String {
        let shown = self.answer(&["show", control]);
        shown["finding"]["state"].as_str().unwrap().to_owned()
    }

    /// Watches until it is dropped. Every event of the start was read when this returns.
    pub(crate) fn watch(&self) -> Watch {
        self.staying(&["watch", "--every-ms", "50"], |event| event["event"] == "watching")
    }

    /// Serves its pages until it is dropped; gives the address and the code.
    pub(crate) fn serve(&self) -> (Watch, String, String) {
        let (serving, said) = self.serve_as(&["--listen", "127.0.0.1:0"]);
        let text = |name: &str| said[name].as_str().unwrap().to_owned();
        (serving, text("open").replace("http://", ""), text("code"))
    }

    /// As [`Room::serve`], with these words; gives what it said.
    pub(crate) fn serve_as(&self, words: &[&str]) -> (Watch, Value) {
        let words = [&["serve"], words].concat();
        let mut serving = self.staying(&words, |said| said["code"].is_string());
        let said = serving.seen.pop().unwrap();
        (serving, said)
    }

    /// A program that stays, and has said that it is ready.
    fn staying(&self, words: &[&str], ready: impl Fn(&Value) -> bool) -> Watch {
        let mut command = self.command(words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                let Ok(line) = line else { break };
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let mut watch = Watch { child, lines, seen: Vec::new() };
        watch.until(STARTS_WITHIN, ready);
        watch
    }
}

/// The program, watching.
pub(crate) struct Watch {
    child: Child,
    lines: Receiver<String>,
    /// Every event so far.
    pub(crate) seen: Vec<Value>,
}

impl Watch {
    /// Waits for an event, no longer than a finding may take.
    pub(crate) fn wait_in_time(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.until(WITHIN, wanted)
    }

    /// Waits for an event, on a machine that may be busy with other things.
    pub(crate) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.until(STARTS_WITHIN, wanted)
    }

    fn until(&mut self, within: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let Ok(line) = self.lines.recv_timeout(within) else {
                let _gone = self.child.kill();
                let mut err = String::new();
                let _ =
                    std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut err);
                panic!("nothing came in time after {:?}: {err}", self.seen);
            };
            let event: Value = serde_json::from_str(&line).unwrap();
            self.seen.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    /// The process, for a test that ends it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends by itself; gives whether it ended well and the last that it said.
    pub(crate) fn ended(mut self) -> (bool, Option<Value>) {
        let status = self.child.wait().unwrap();
        let last = self.lines.iter().last().and_then(|line| serde_json::from_str(&line).ok());
        (status.success(), last)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _may_be_gone = self.child.kill();
        let _status = self.child.wait();
    }
}
