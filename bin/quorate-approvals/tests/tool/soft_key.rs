//! A FIDO2 key in memory, behind programs that are called as libfido2's are: scripts that carry what they are asked to the test
//! and its answer back. What they write is what the real programs write; where those are there, they say so themselves.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::Digest;
use quorate_terms::passkey::ViewSeat;
use tempfile::TempDir;

use super::authenticator::Authenticator;

/// The name and the words that a program was called with, then its input, in one pipe; its end and its answer, in another.
const SCRIPT: &str = r#"#!/bin/sh
{ printf '%s\n' "${0##*/} $*"; cat; } > 'DIR/ask'
{ read -r code; if [ "$code" = 0 ]; then cat; else cat >&2; fi; } < 'DIR/answer'
exit "$code"
"#;

/// What the programs say, and what the key behind them does.
pub(crate) struct Soft {
    pub(crate) phone: Authenticator,
    /// What `fido2-token -L` lists.
    pub(crate) listed: String,
    /// Whether its holder is there and verified, as it says.
    pub(crate) flags: u8,
    /// For whom it speaks, if not for the one that asks.
    pub(crate) party: Option<&'static str>,
    /// What is said instead of anything that the key gives: an answer, or a complaint and exit code 1.
    pub(crate) instead: Option<Result<&'static str, &'static str>>,
    /// How each program was called.
    pub(crate) called: Vec<String>,
}

impl Soft {
    pub(crate) fn new() -> Self {
        Self {
            phone: Authenticator::new(),
            listed: "/dev/hidraw3: vendor=0x1050, product=0x0407 (Soft Key)\n".to_owned(),
            flags: 0x05,
            party: None,
            instead: None,
            called: Vec::new(),
        }
    }

    /// The handle of its only passkey.
    pub(crate) fn handle(&self, view: &ViewSeat) -> Vec<u8> {
        self.phone.passkey("any", view).handle.as_bytes().to_vec()
    }

    fn answer(&mut self, asked: &str) -> Result<String, String> {
        let lines: Vec<&str> = asked.lines().collect();
        self.called.push(lines[0].to_owned());
        let words = lines[0].split(' ').next().unwrap();
        match (words, self.instead) {
            ("fido2-token", _) => Ok(self.listed.clone()),
            (_, Some(said)) => said.map(str::to_owned).map_err(str::to_owned),
            ("fido2-assert", None) => Ok(self.asserts(&lines[1..])),
            _ => Ok(self.makes(&lines[1..])),
        }
    }

    /// What `fido2-assert -G` writes for these lines.
    pub(crate) fn asserts(&mut self, lines: &[&str]) -> String {
        self.phone.counter = self.phone.counter.saturating_add(1);
        let data = self.data(lines[1], self.flags, &[]);
        let signature = self.phone.signs(&data, &STANDARD.decode(lines[0]).unwrap());
        let (data, signature) = (STANDARD.encode(byte_string(&data)), STANDARD.encode(signature));
        format!("{}\n{}\n{data}\n{signature}\n", lines[0], lines[1])
    }

    /// What `fido2-cred -M` writes for these lines: the new key attests to itself.
    pub(crate) fn makes(&self, lines: &[&str]) -> String {
        let point = self.phone.key();
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        let handle = Digest::sha256(point.as_bytes());
        let tail = [&[0_u8; 16][..], &[0, 32], handle.as_bytes(), &head, x, &[0x22, 0x58, 0x20], y]
            .concat();
        let data = self.data(lines[1], self.flags | 0x40, &tail);
        let signature = self.phone.signs(&data, &STANDARD.decode(lines[0]).unwrap());
        let data = STANDARD.encode(byte_string(&data));
        let (handle, signature) = (STANDARD.encode(handle.as_bytes()), STANDARD.encode(signature));
        format!("{}\n{}\npacked\n{data}\n{handle}\n{signature}\n", lines[0], lines[1])
    }

    fn data(&self, asks: &str, flags: u8, tail: &[u8]) -> Vec<u8> {
        let party = Digest::sha256(self.party.unwrap_or(asks).as_bytes());
        [&party.as_bytes()[..], &[flags], &self.phone.counter.to_be_bytes(), tail].concat()
    }
}

/// CBOR's byte string, as libfido2 gives authenticator data.
fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    [&[0x58, length][..], bytes].concat()
}

/// The folder of programs, and the key behind them.
pub(crate) struct SoftKey {
    dir: TempDir,
    soft: Arc<Mutex<Soft>>,
}

impl SoftKey {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for pipe in ["ask", "answer"] {
            assert!(Command::new("mkfifo").arg(dir.path().join(pipe)).status().unwrap().success());
        }
        let script = SCRIPT.replace("DIR", dir.path().to_str().unwrap());
        for program in ["fido2-token", "fido2-cred", "fido2-assert"] {
            let path = dir.path().join(program);
            fs::write(&path, &script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let soft = Arc::new(Mutex::new(Soft::new()));
        let (ask, answer) = (dir.path().join("ask"), dir.path().join("answer"));
        let behind = Arc::clone(&soft);
        std::thread::spawn(move || serve(&behind, &ask, &answer));
        Self { dir, soft }
    }

    /// What the key does and says.
    pub(crate) fn soft(&self) -> MutexGuard<'_, Soft> {
        self.soft.lock().unwrap()
    }

    /// A path on which its programs stand before all others.
    pub(crate) fn path(&self) -> OsString {
        let others = std::env::var_os("PATH").unwrap();
        let all = std::iter::once(self.dir.path().to_path_buf());
        std::env::join_paths(all.chain(std::env::split_paths(&others))).unwrap()
    }
}

impl Drop for SoftKey {
    fn drop(&mut self) {
        // A pipe that is opened and closed without a word ends the thread.
        let _it_has_ended =
            fs::OpenOptions::new().read(true).write(true).open(self.dir.path().join("ask"));
    }
}

fn serve(soft: &Mutex<Soft>, ask: &Path, answer: &Path) {
    while let Ok(asked) = fs::read_to_string(ask) {
        if asked.is_empty() {
            return;
        }
        let said = match soft.lock().unwrap().answer(&asked) {
            Ok(said) => format!("0\n{said}"),
            Err(said) => format!("1\n{said}\n"),
        };
        fs::write(answer, said).unwrap();
    }
}
