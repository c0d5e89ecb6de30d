//! A room with fixture seats, and the built command line.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use quorate_host::Identity;
use quorate_terms::charter::{ApproverSeat, CosignerSeat};
use serde_json::Value;

/// What a command gave.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit code.
    pub(crate) code: i32,
    /// Its answer.
    pub(crate) stdout: String,
    /// What it said beside it.
    pub(crate) stderr: String,
}

impl Done {
    /// Whether it was done.
    pub(crate) fn ok(&self) -> bool {
        self.code == 0
    }

    /// The one JSON value of its answer.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Everything that it wrote.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The command line, with nothing from our environment that it reads.
pub(crate) fn quorate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.env_remove("MCP_BANDS").env_remove("NO_COLOR");
    command
}

/// Runs a command to its end, with nothing on standard input.
pub(crate) fn finish(mut command: Command) -> Done {
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `quorate` with these arguments.
pub(crate) fn run(args: &[&str]) -> Done {
    let mut command = quorate();
    command.args(args);
    finish(command)
}

/// A private folder with three approvers' enrolments and two cosigners' seats.
pub(crate) struct House {
    room: tempfile::TempDir,
}

impl House {
    /// Makes it. Keys are of fixed seeds, each its own.
    pub(crate) fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        fs::set_permissions(room.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let house = Self { room };
        let key = |seed: u8| Identity::from_seed(&[seed; 32]).unwrap().public_key();
        for (at, name) in (1u8..).step_by(2).zip(["ann", "bo", "cy"]) {
            let seat = ApproverSeat {
                approver: name.parse().unwrap(),
                person: name.parse().unwrap(),
                credential: format!("key-{name}").parse().unwrap(),
                key: key(at),
                link: key(at.saturating_add(1)),
                device: None,
                passkeys: Vec::new(),
            };
            fs::write(house.path(&format!("{name}.json")), serde_json::to_vec(&seat).unwrap())
                .unwrap();
        }
        for (at, name) in (11u8..).step_by(2).zip(["c1", "c2"]) {
            let seat = CosignerSeat {
                cosigner: name.parse().unwrap(),
                identity: key(at),
                witness: key(at.saturating_add(1)),
                operator: format!("Operator {name}"),
            };
            fs::write(house.path(&format!("{name}.json")), serde_json::to_vec(&seat).unwrap())
                .unwrap();
        }
        house
    }

    /// A path in the room.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    /// The desk's folder.
    pub(crate) fn desk(&self) -> PathBuf {
        self.path("desk")
    }

    /// `quorate --json init` with the fixture's seats; flags in `extra` come instead of the fixture's, except that
    /// approvers and sources are added.
    pub(crate) fn init(&self, extra: &[&str]) -> Done {
        let path = |name: &str| self.path(name).display().to_string();
        let mut args: Vec<String> = vec!["--json".into(), "init".into(), "--yes".into()];
        args.extend(["--dir".into(), path("desk")]);
        for approver in ["ann.json", "bo.json", "cy.json"] {
            args.extend(["--approver".into(), path(approver)]);
        }
        for (seat, port) in [("c1.json", 7501), ("c2.json", 7502)] {
            args.extend(["--cosigner".into(), format!("{}@127.0.0.1:{port}", path(seat))]);
        }
        let standard = [
            ("--vault", "treasury"),
            ("--governance", "2"),
            ("--chain", "eip155:31337=http://127.0.0.1:8545"),
        ];
        for (flag, value) in standard {
            if !extra.contains(&flag) {
                args.extend([flag.to_owned(), value.to_owned()]);
            }
        }
        args.extend(extra.iter().map(|&arg| arg.to_owned()));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&args)
    }
}
