//! The stage: a node, a vault that was founded properly, and every program in a process of its own.
//!
//! The demonstration tells its story here; the end-to-end steps of `cargo xtask test` check theirs here.

mod agent;
mod clock;
mod founding;
mod http;
mod json_rpc;
mod node;
mod office;
mod people;
mod programs;
mod secrets;
mod token;
mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Done;
use crate::process::{Process, free_port};

pub(crate) use agent::{Agent, Payer, Wish};
pub(crate) use clock::Clock;
pub(crate) use founding::Founding;
pub(crate) use http::{McpHttp, http_status};
pub(crate) use json_rpc::{Answered, send};
pub(crate) use node::Node;
pub(crate) use office::{Office, findings, states};
pub(crate) use programs::{Programs, Said};
pub(crate) use token::{Token, coin, tokens};

/// The three approvers; two of them must agree.
pub(crate) const APPROVERS: [&str; 3] = ["ann", "bo", "cy"];
/// The two cosigners; both must sign.
pub(crate) const COSIGNERS: [&str; 2] = ["east", "west"];
/// Who answers for the agents: nobody who approves what they ask for.
const OWNER: &str = "person-olga";
/// The wallet.
pub(crate) const WALLET: &str = "treasury";

const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// Everything, on this machine.
pub(crate) struct Stage {
    /// Where everything lies.
    pub(crate) room: PathBuf,
    pub(crate) programs: Programs,
    pub(crate) node: Node,
    pub(crate) token: Token,
    /// What was decided at the founding.
    pub(crate) founding: Founding,
    ports: BTreeMap<String, u16>,
    // Dropped last to first: nobody talks to somebody who is gone for longer than need be.
    running: BTreeMap<String, Process>,
}

impl Stage {
    /// An empty room with a node and a token on it. Nothing is founded yet.
    pub(crate) fn set(room: &Path, programs: Programs, node: Node) -> Done<Self> {
        for folder in ["logs", "receipts", "public"] {
            let folder = room.join(folder);
            std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        for folder in ["approvers", "cosigners", "agents", "secrets", "backups"] {
            secrets::own_folder(&room.join(folder))?;
        }
        let token = Token::deploy(&node)?;
        let names = ["east", "west", "source", "book", "http", "view", "console", "founding"];
        let ports = names.iter().map(|name| Ok(((*name).to_owned(), free_port()?)));
        Ok(Self {
            room: room.to_path_buf(),
            programs,
            node,
            token,
            founding: Founding::default(),
            ports: ports.collect::<Done<_>>()?,
            running: BTreeMap::new(),
        })
    }

    /// The loopback address of somebody.
    pub(crate) fn address(&self, who: &str) -> String {
        format!("127.0.0.1:{}", self.port(who))
    }

    /// The port of somebody.
    pub(crate) fn port(&self, who: &str) -> u16 {
        self.ports.get(who).copied().unwrap_or_default()
    }

    /// A path in the room, as text.
    pub(crate) fn at(&self, path: &str) -> String {
        self.room.join(path).display().to_string()
    }

    /// The file of a new passphrase for somebody.
    pub(crate) fn passphrase(&self, who: &str) -> Done<String> {
        secrets::passphrase(self, who)
    }

    /// Starts the source, both cosigners and the desk.
    pub(crate) fn start_all(&mut self) -> Done {
        self.start("source")?;
        for name in COSIGNERS {
            self.start(name)?;
        }
        self.start("desk")
    }

    /// Starts one process and waits until it answers. Its log goes on where it ended.
    pub(crate) fn start(&mut self, who: &str) -> Done {
        self.launch(who)?;
        self.answers(who)
    }

    /// Starts one process and waits for nothing.
    pub(crate) fn launch(&mut self, who: &str) -> Done {
        let (program, dir) = match who {
            "desk" | "founding" => ("quorate", "desk".to_owned()),
            "source" => ("quorate", "source".to_owned()),
            "view" => ("quorate-approvals", "view".to_owned()),
            cosigner => ("quorate-cosigner", format!("cosigners/{cosigner}")),
        };
        let dir = self.at(&dir);
        let mut command = self.programs.command(program, &[]);
        if let Some(clock) = self.programs.clock() {
            clock.place(who, &mut command);
        }
        match who {
            "desk" => command.args(["up", "--dir", &dir]),
            "founding" => {
                let listen = self.address("founding");
                command.args(["up", "--home", &dir, "--listen", &listen, "--no-open"])
            }
            "source" => command.args(["source", "run", "--dir", &dir]),
            "view" => {
                command.args(["view", "serve", "--dir", &dir, "--listen", &self.address("view")]);
                let node = format!("{}={}", self.node.chain()?, self.node.url());
                command.args(["--node", &node]);
                // Passkeys are made before the charter that seats them.
                let is_founded = self.room.join("view/charter.json").is_file();
                command.args(if is_founded { &[][..] } else { &["--enrol"] })
            }
            cosigner => {
                let file = self.at(&format!("secrets/{cosigner}"));
                command.args(["run", "--dir", &dir, "--passphrase-file", &file])
            }
        };
        let log = self.room.join(format!("logs/{who}.log"));
        let process = Process::go_on(who, &mut command, &log)?;
        self.running.insert(who.to_owned(), process);
        Ok(())
    }

    fn answers(&mut self, who: &str) -> Done {
        let port = self.port(who);
        if let Some(process) = self.running.get_mut(who).filter(|_| who != "desk") {
            return process.wait_for_port(port, STARTS_WITHIN);
        }
        let until = Instant::now().checked_add(STARTS_WITHIN);
        loop {
            if self.status().is_ok() {
                return Ok(());
            }
            if let Some(desk) = self.running.get_mut("desk") {
                desk.alive()?;
            }
            late(until, || format!("the desk does not answer; see {}", self.at("logs/desk.log")))?;
        }
    }

    /// Waits until the log of somebody holds words that it did not hold before so many of them, and gives the newest line.
    pub(crate) fn said(&mut self, who: &str, words: &str, times: usize) -> Done<String> {
        let until = Instant::now().checked_add(STARTS_WITHIN);
        let log = self.room.join(format!("logs/{who}.log"));
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().filter(|line| line.contains(words)).collect();
            if let Some(line) = lines.last().filter(|_| lines.len() >= times) {
                return Ok((*line).trim().to_owned());
            }
            if let Some(process) = self.running.get_mut(who) {
                process.alive()?;
            }
            late(until, || format!("{who} did not say `{words}`; see {}", log.display()))?;
        }
    }

    /// The number of a process that was started here.
    pub(crate) fn pid(&self, who: &str) -> Option<u32> {
        self.running.get(who).map(Process::pid)
    }

    /// Ends a process at once, as a power cut would.
    pub(crate) fn kill(&mut self, who: &str) {
        self.running.remove(who);
    }

    /// The desk's answer to one command, which must be a good one.
    pub(crate) fn desk(&self, words: &[&str]) -> Done<Value> {
        self.desk_said(words)?.good()
    }

    /// The desk's answer to one command, whatever it is.
    pub(crate) fn desk_said(&self, words: &[&str]) -> Done<Said> {
        let dir = self.at("desk");
        let words: Vec<&str> = words.iter().copied().chain(["--dir", &dir, "--json"]).collect();
        self.programs.run("quorate", &words)
    }

    /// The vault's name.
    pub(crate) fn vault(&self) -> Done<String> {
        text(&self.status()?, "/vault")
    }

    /// How the desk is.
    pub(crate) fn status(&self) -> Done<Value> {
        self.desk(&["status"])
    }

    /// Waits until every cosigner has witnessed the ledger to its end.
    pub(crate) fn witnessed(&self) -> Done {
        let until = Instant::now().checked_add(STARTS_WITHIN);
        loop {
            let status = self.desk(&["status"])?;
            let cosigners = status.get("cosigners").and_then(Value::as_array);
            let all = cosigners.into_iter().flatten();
            if all.clone().count() > 0
                && all.clone().all(|one| one.get("size") == status.get("size"))
            {
                return Ok(());
            }
            late(until, || format!("the cosigners do not follow: {status}"))?;
        }
    }

    /// How a cosigner is.
    pub(crate) fn cosigner_status(&self, who: &str) -> Done<Value> {
        let dir = self.at(&format!("cosigners/{who}"));
        self.programs.run("quorate-cosigner", &["status", "--dir", &dir, "--json"])?.good()
    }

    /// One case as the desk shows it.
    pub(crate) fn case(&self, case: &str) -> Done<Value> {
        self.desk(&["case", "show", case])
    }

    /// Waits until a case is over, whatever its end, and gives it.
    pub(crate) fn ended(&self, case: &str) -> Done<Value> {
        self.wait_for(case, |view| {
            view.pointer("/outcome").is_some_and(|outcome| !outcome.is_null())
        })
    }

    /// Waits until a case is as wanted.
    pub(crate) fn wait_for(&self, case: &str, wanted: impl Fn(&Value) -> bool) -> Done<Value> {
        let until = Instant::now().checked_add(Duration::from_secs(90));
        loop {
            let view = self.case(case)?;
            if wanted(&view) {
                return Ok(view);
            }
            self.node.nudge();
            late(until, || format!("case {case} came to nothing: {view}"))?;
        }
    }

    /// Admits an agent; two people agree. Its token is in a file that only this user reads.
    pub(crate) fn admit(&self, name: &str, band: &str) -> Done<Agent> {
        let file = self.at(&format!("agents/{name}"));
        let words = [
            "agent",
            "new",
            name,
            "--band",
            band,
            "--wallet",
            WALLET,
            "--owner",
            OWNER,
            "--expires",
            "30d",
            "--token-file",
            &file,
        ];
        let case = text(&self.desk(&words)?, "/case")?;
        self.agree(&case)?;
        self.done(&case)?;
        Ok(Agent::new(self, name, &file))
    }

    /// Admits an agent whom an authorization server knows, `ISSUER#SUBJECT`; two people agree.
    pub(crate) fn admit_subject(&self, name: &str, band: &str, subject: &str) -> Done {
        let words = ["agent", "new", name, "--band", band, "--wallet", WALLET, "--owner", OWNER];
        let words = [&words[..], &["--expires", "30d", "--subject", subject, "--credential", name]]
            .concat();
        let case = text(&self.desk(&words)?, "/case")?;
        self.agree(&case)?;
        self.done(&case).map(drop)
    }

    /// Asks the desk for something that two people agree to, and waits for its good end.
    pub(crate) fn agreed(&self, words: &[&str]) -> Done {
        let case = text(&self.desk(words)?, "/case")?;
        self.agree(&case)?;
        self.done(&case).map(drop)
    }

    /// Admits a person in a role; two people agree. Gives the file of their token.
    pub(crate) fn admit_person(&self, who: &str, role: &str) -> Done<String> {
        let file = self.at(&format!("secrets/{who}.token"));
        let words =
            ["member", "new", who, "--role", role, "--expires", "30d", "--token-file", &file];
        let words = [&words[..], &["--credential", who]].concat();
        let case = text(&self.desk(&words)?, "/case")?;
        self.agree(&case)?;
        self.done(&case)?;
        Ok(file)
    }

    /// Waits for the good end of a case that people ask for.
    pub(crate) fn done(&self, case: &str) -> Done<Value> {
        let view = self.ended(case)?;
        match text(&view, "/outcome")?.as_str() {
            "settled" | "done" => Ok(view),
            _ => Err(format!("case {case} did not come to a good end: {view}")),
        }
    }
}

impl Drop for Stage {
    /// The desk first, then those it talks to.
    fn drop(&mut self) {
        self.running.remove("desk");
    }
}

/// Pauses, unless it is too late.
pub(crate) fn late(until: Option<Instant>, why: impl FnOnce() -> String) -> Done {
    if until.is_some_and(|until| Instant::now() > until) {
        return Err(why());
    }
    std::thread::sleep(Duration::from_millis(150));
    Ok(())
}

/// The text at a pointer of an answer.
pub(crate) fn text(value: &Value, pointer: &str) -> Done<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("there is no text at {pointer} in {value}"))
}
