//! One real cosigner: its directory, its process, and the desk's link to it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use quorate_custody::protocol::{Answer, Call};
use quorate_host::Store;
use quorate_host::link::{CallError, Client, Limits, Silent};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CosignerSeat;
use quorate_terms::entry::{Body, Entry, Marked};
use serde_json::Value;

use super::{WITHIN, id, identity, public};

pub const PASSPHRASE: &str = "canary correct horse battery staple";

pub struct Cosigner {
    pub name: String,
    pub dir: PathBuf,
    pub address: String,
    pub seat: CosignerSeat,
    pub passphrase: PathBuf,
    child: Option<Child>,
    client: Option<Client>,
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

pub fn limits() -> Limits {
    Limits {
        frame_bytes: 16 * 1024 * 1024,
        pending_bytes: 64 * 1024 * 1024,
        backoff: Duration::from_millis(200),
        ..Limits::default()
    }
}

pub fn secret_file(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// The program. A bench is given no path to it, and finds it one folder above itself.
fn binary() -> PathBuf {
    let beside =
        || std::env::current_exe().unwrap().parent().unwrap().with_file_name("quorate-cosigner");
    option_env!("CARGO_BIN_EXE_quorate-cosigner").map_or_else(beside, PathBuf::from)
}

/// Runs the program to its end.
pub fn program(args: &[&str]) -> Output {
    Command::new(binary()).args(args).stdin(Stdio::null()).output().unwrap()
}

/// Its JSON answer, or its one line of trouble.
pub fn told(args: &[&str]) -> Result<Value, String> {
    let output = program(&[args, &["--json"]].concat());
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    let line = String::from_utf8(output.stderr).unwrap();
    Err(line.trim_end().to_owned())
}

impl Cosigner {
    pub fn init(room: &Path, name: &str) -> Self {
        let dir = room.join(name);
        let address = free_address();
        let passphrase = dir.with_extension("pass");
        secret_file(&passphrase, &format!("{PASSPHRASE}\n"));
        let operator = format!("{name} ltd");
        let shown = dir.display().to_string();
        let seat = told(&[
            "init",
            "--dir",
            &shown,
            "--cosigner",
            name,
            "--operator",
            &operator,
            "--listen",
            &address,
        ]);
        let seat = serde_json::from_value(seat.unwrap()).unwrap();
        Self { name: name.to_owned(), dir, address, seat, passphrase, child: None, client: None }
    }

    pub fn told(&self, args: &[&str]) -> Result<Value, String> {
        let dir = self.dir.display().to_string();
        told(&[args, &["--dir", &dir]].concat())
    }

    pub fn pair_all(&self, all: &BTreeMap<String, Self>) {
        self.told(&["pair", "--desk-identity", &public("desk").to_string()]).unwrap();
        for peer in all.values().filter(|c| c.name != self.name) {
            self.pair(&peer.name, &peer.address, &peer.seat.identity.to_string());
        }
    }

    pub fn pair(&self, name: &str, address: &str, identity: &str) {
        self.told(&["pair", "--peer", name, "--address", address, "--identity", identity]).unwrap();
    }

    pub fn accept(&self, file: &Path, digest: &str) -> Result<Value, String> {
        self.told(&["accept", "--charter", &file.display().to_string(), "--digest", digest])
    }

    pub fn status(&self) -> Value {
        self.told(&["status"]).unwrap()
    }

    pub fn logs(&self) -> PathBuf {
        self.dir.with_extension("log")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.logs()).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.args(["run", "--json", "--dir"]).arg(&self.dir);
        command.arg("--passphrase-file").arg(&self.passphrase).stdin(Stdio::null());
        command
    }

    /// Starts it; whoever calls waits for it by asking it something.
    pub fn start(&mut self) {
        self.start_with(|_| ());
    }

    /// As [`Cosigner::start`], after `prepare` has seen the command.
    pub fn start_with(&mut self, prepare: impl FnOnce(&mut Command)) {
        let log = File::options().create(true).append(true).open(self.logs()).unwrap();
        let mut command = self.command();
        prepare(&mut command);
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        let peer = self.seat.identity;
        self.client = Some(
            Client::start(&self.address, &identity("desk"), peer, Arc::new(Silent), limits())
                .unwrap(),
        );
    }

    /// Runs a start that must fail, to its end.
    pub fn fails_to_start(&self) -> String {
        let output = self.command().output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    /// kill -9
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.client = None;
    }

    /// Waits until it has ended by itself; gives its exit code.
    pub fn ended(&mut self) -> Option<i32> {
        self.client = None;
        self.child.take().unwrap().wait().unwrap().code()
    }

    /// Asks it to stop, and waits.
    pub fn stop(&mut self) {
        self.told(&["stop"]).unwrap();
        let status = self.child.take().unwrap().wait().unwrap();
        assert!(status.success(), "{}", fs::read_to_string(self.logs()).unwrap());
        self.client = None;
    }

    pub async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let body = serde_json::to_vec(call).unwrap();
        let client = self.client.as_ref().ok_or(CallError::Lost("it does not run".to_owned()))?;
        let answer = client.call("cosigner.call", body, WITHIN).await?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    /// Its own ledger, read while it does not run.
    pub async fn own_entries(&self) -> Vec<Entry> {
        assert!(self.child.is_none());
        let store = Store::open(&self.dir.join("own.db")).await.unwrap();
        let entries = store.read(0, u64::MAX >> 1).await.unwrap();
        store.close().await;
        entries.iter().map(|bytes| Entry::from_canonical(bytes).unwrap()).collect()
    }

    pub async fn marks(&self) -> Vec<Marked> {
        let mark = |entry: Entry| match entry.body {
            Body::Marked(marked) => Some(*marked),
            _ => None,
        };
        self.own_entries().await.into_iter().filter_map(mark).collect()
    }

    /// Its share of `ops`, opened as its passphrase allows.
    pub fn share_bytes(&self) -> Vec<u8> {
        use quorate_host::seal::{Cost, KeySource, open};
        let source = KeySource::Passphrase {
            passphrase: quorate_host::Secret::new(PASSPHRASE.as_bytes().to_vec()),
            cost: Cost::STANDARD,
        };
        let context =
            quorate_cosigner::share::associated_data(&id("ops"), 0, self.party()).unwrap();
        let blob = fs::read(self.share_file()).unwrap();
        open(&source, &context, &blob).unwrap().expose().to_vec()
    }

    pub fn party(&self) -> u8 {
        if self.name == "east" { 1 } else { 2 }
    }

    /// Backs up its share of `ops`.
    pub fn back_up(&self, backup_passphrase: &Path) -> PathBuf {
        let file = self.dir.with_extension("backup");
        let made = self.told(&[
            "backup",
            "make",
            "--wallet",
            "ops",
            "--out",
            &shown(&file),
            "--passphrase-file",
            &shown(&self.passphrase),
            "--backup-passphrase-file",
            &shown(backup_passphrase),
        ]);
        made.unwrap();
        file
    }

    /// Proves a backup in a drill.
    pub fn drill(&self, file: &Path, passphrase: &Path) -> Result<Value, String> {
        let (file, passphrase) = (shown(file), shown(passphrase));
        self.told(&["backup", "verify", "--file", &file, "--passphrase-file", &passphrase])
    }

    /// Puts a share back.
    pub fn restore(&self, file: &Path, backup_passphrase: &Path) -> Result<Value, String> {
        self.told(&[
            "backup",
            "restore",
            "--file",
            &shown(file),
            "--passphrase-file",
            &shown(&self.passphrase),
            "--backup-passphrase-file",
            &shown(backup_passphrase),
        ])
    }

    /// Its own ledger and replica, as another copy of the disk would hold them.
    pub fn ledgers(&self) -> Vec<(PathBuf, Vec<u8>)> {
        assert!(self.child.is_none());
        let files = fs::read_dir(&self.dir).unwrap().map(|f| f.unwrap().path());
        let ledger = |path: &PathBuf| path.to_string_lossy().contains(".db");
        files.filter(ledger).map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
    }

    /// Removes its own ledger, its replica or both.
    pub fn lose(&self, names: &[&str]) {
        for (path, _) in self.ledgers() {
            if names.iter().any(|name| path.to_string_lossy().contains(name)) {
                fs::remove_file(path).unwrap();
            }
        }
    }

    pub fn share_file(&self) -> PathBuf {
        let files = fs::read_dir(self.dir.join("shares")).unwrap().map(|f| f.unwrap().path());
        let mut shares = files.filter(|path| path.extension().is_some_and(|e| e == "share"));
        shares.next().unwrap()
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Drop for Cosigner {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _already = child.kill();
            let _ended = child.wait();
        }
    }
}
