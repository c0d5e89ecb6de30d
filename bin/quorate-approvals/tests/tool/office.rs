//! An approver's machine: a directory, a passphrase, and the built tool.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use quorate_host::link::Server;
use quorate_terms::CaseId;
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::{ApproverSeat, CharterText};
use serde_json::Value;
use tempfile::TempDir;

use super::desk::{Desk, Shared, listen, now};
use super::house::{self, House, MILLI, person};

/// The seat of `cy` is the tool's; `ann` and `bo` are the house's own.
pub(crate) struct Office {
    pub(crate) dir: TempDir,
    pub(crate) charter: CharterText,
    pub(crate) desk: Shared,
    _servers: Vec<Server>,
    _runtime: tokio::runtime::Runtime,
}

/// What a run of the tool said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{} {}", self.out, self.err))
    }

    pub(crate) fn good(self) -> Self {
        assert_eq!(self.code, 0, "{} {}", self.out, self.err);
        self
    }

    /// The code of the trouble, for a run with `--json`.
    pub(crate) fn trouble(&self) -> String {
        assert_ne!(self.code, 0, "{}", self.out);
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn tool(dir: &Path, args: &[&str], typed: &str) -> Said {
    ran(&mut Command::new(env!("CARGO_BIN_EXE_quorate-approvals")), dir, (args, typed))
}

/// The same, where the tool finds other programs on `path` only.
pub(crate) fn tool_on(path: &OsStr, dir: &Path, args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate-approvals"));
    ran(command.env("PATH", path), dir, (args, ""))
}

fn ran(command: &mut Command, dir: &Path, (args, typed): (&[&str], &str)) -> Said {
    let mut child = command
        .args(args)
        .arg("--dir")
        .arg(dir.join("home"))
        .arg("--passphrase-file")
        .arg(dir.join("passphrase"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _it_may_not_read = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let done = child.wait_with_output().unwrap();
    Said {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

/// A file that only its owner can read.
pub(crate) fn private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// An enrolled approver and the charter that seats it, not accepted yet.
pub(crate) fn enrolled() -> (TempDir, CharterText) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    private(&dir.path().join("passphrase"), b"correct horse\n");
    let said = tool(
        dir.path(),
        &["enrol", "--approver", "cy", "--person", "p-cy", "--device", "a laptop", "--json"],
        "",
    );
    let said = said.good();
    assert!(!said.out.contains("a laptop"), "the device's name stays on the machine");
    let seat: ApproverSeat = serde_json::from_value(said.json()["seat"].clone()).unwrap();
    let mut charter = house::charter();
    *charter.approvers.iter_mut().find(|a| a.approver.as_str() == "cy").unwrap() = seat;
    fs::write(dir.path().join("charter.json"), charter.to_canonical().unwrap()).unwrap();
    (dir, charter)
}

impl Office {
    /// Enrolled and seated, with the charter accepted and a wallet open.
    pub(crate) fn new() -> Self {
        Self::with(enrolled())
    }

    /// The same, of an approver who is enrolled already, under the charter that lies beside it.
    pub(crate) fn with((dir, charter): (TempDir, CharterText)) -> Self {
        let mut house = House::with(charter.clone());
        house.now = now();
        let link = charter.approver(&house::id("cy")).unwrap().link;
        let desk = Shared(Arc::new(Mutex::new(Desk::new(house))));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let servers: Vec<Server> =
            ["desk", "east"].map(|name| listen(&runtime, (name, link), &desk)).into();
        let office = Self { dir, charter, desk, _servers: servers, _runtime: runtime };
        let digest = office.charter.digest().unwrap().to_string();
        let charter = office.path("charter.json");
        let at = office._servers[0].address().to_string();
        let east = format!("east={}", office._servers[1].address());
        office
            .run(&[
                "accept",
                "--charter",
                charter.to_str().unwrap(),
                "--digest",
                &digest,
                "--desk",
                &at,
                "--desk-key",
                &office.charter.log.identity.to_string(),
                "--cosigner",
                &east,
            ])
            .good();
        office
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the tool with `--json`.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.typed(args, "")
    }

    pub(crate) fn typed(&self, args: &[&str], typed: &str) -> Said {
        tool(self.dir.path(), &[args, &["--json"]].concat(), typed)
    }

    /// Runs the tool for people.
    pub(crate) fn plain(&self, args: &[&str]) -> Said {
        tool(self.dir.path(), args, "")
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.0.lock().unwrap()
    }

    /// A transfer of 2 DEV that a person asks for, so that two approvers must agree.
    pub(crate) fn asked(&self) -> CaseId {
        self.asked_for(2_000 * MILLI)
    }

    /// The same for another amount, so that several fit into a day's budget.
    pub(crate) fn asked_for(&self, amount: u128) -> CaseId {
        let mut desk = self.desk();
        desk.house.now = now();
        let intent = desk.house.transfer_of(person("op"), amount);
        desk.house.file(&intent).unwrap()
    }
}
