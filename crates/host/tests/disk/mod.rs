//! A disk that fails when a test says so: `failing.c`, compiled here and laid in front of a real process's libc.
//!
//! Needs `cc`, as SQLite's own build does. Each test binary that takes this module in uses a part of it.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of tests fails by panicking, and each user takes a part"
)]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

const SOURCE: &str = include_str!("failing.c");

/// One disk; healthy until told otherwise.
pub(crate) struct Disk {
    room: tempfile::TempDir,
}

impl Disk {
    /// Compiles the calls that fail.
    pub(crate) fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-x", "c", "-o"]);
        compiler.arg(room.path().join("failing.so")).arg("-");
        let mut compiler = compiler.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        compiler.stdin.take().unwrap().write_all(SOURCE.as_bytes()).unwrap();
        let built = compiler.wait_with_output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { room }
    }

    /// Lays it under a process.
    pub(crate) fn under<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let shim = self.room.path().join("failing.so");
        command.env("LD_PRELOAD", shim).env("QUORATE_TEST_DISK", self.room.path())
    }

    /// From now on every flush fails.
    pub(crate) fn fail_flushes(&self) {
        fs::write(self.room.path().join("eio"), "").unwrap();
    }

    /// How often a flush was tried and failed.
    pub(crate) fn failed_flushes(&self) -> u64 {
        fs::metadata(self.room.path().join("flushes")).map_or(0, |file| file.len())
    }

    /// From now on there is no room.
    pub(crate) fn fill(&self) {
        fs::write(self.room.path().join("full"), "").unwrap();
    }

    /// From now on there is room again.
    pub(crate) fn free(&self) {
        fs::remove_file(self.room.path().join("full")).unwrap();
    }
}
