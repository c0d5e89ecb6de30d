//! Processes that stay up: each with a log file, ended when their holder goes.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Done;
use crate::run;

const PAUSE: Duration = Duration::from_millis(25);
/// How often a free port is asked for before that is given up.
const PORTS_ASKED_MAX: usize = 1_000;

/// A running process. Dropping it ends it.
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Process {
    /// Starts a program whose output goes to `log`, which begins anew.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Done<Self> {
        if log.exists() {
            std::fs::remove_file(log).map_err(|e| format!("{}: {e}", log.display()))?;
        }
        Self::go_on(name, command, log)
    }

    /// As [`Process::start`], but `log` goes on where it ended.
    pub(crate) fn go_on(name: &str, command: &mut Command, log: &Path) -> Done<Self> {
        let trouble = |e| format!("{}: cannot be written ({e})", log.display());
        let out = OpenOptions::new().create(true).append(true).open(log).map_err(trouble)?;
        let err = out.try_clone().map_err(trouble)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|e| format!("`{name}` did not start ({e})"))?;
        let process = Self { name: name.to_owned(), log: log.to_path_buf(), child };
        // Should we be killed, the next run finds by this number whom to end.
        run::write(&process.pid_file(), &process.pid().to_string())?;
        Ok(process)
    }

    /// Waits until the log holds `words`, and gives that line.
    pub(crate) fn wait_for_line(&mut self, words: &str, at_most: Duration) -> Done<String> {
        let until = Instant::now().checked_add(at_most);
        loop {
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            if let Some(line) = text.lines().find(|line| line.contains(words)) {
                return Ok(line.to_owned());
            }
            self.alive()?;
            pause(until, || {
                format!("`{}` did not say `{words}`; see {}", self.name, self.log.display())
            })?;
        }
    }

    /// Waits until something accepts connections on a loopback port.
    pub(crate) fn wait_for_port(&mut self, port: u16, at_most: Duration) -> Done {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let until = Instant::now().checked_add(at_most);
        while TcpStream::connect_timeout(&address, PAUSE).is_err() {
            self.alive()?;
            pause(until, || {
                format!("`{}` does not listen on {port}; see {}", self.name, self.log.display())
            })?;
        }
        Ok(())
    }

    fn pid_file(&self) -> PathBuf {
        self.log.with_extension("pid")
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs; why not, otherwise.
    pub(crate) fn alive(&mut self) -> Done {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                Err(format!("`{}` ended ({status}); see {}", self.name, self.log.display()))
            }
            Err(e) => Err(format!("`{}` was lost ({e})", self.name)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.kill().is_err() || self.child.wait().is_err() {
            drop(writeln!(std::io::stderr(), "`{}` could not be ended", self.name));
            return;
        }
        drop(std::fs::remove_file(self.pid_file()));
    }
}

fn pause(until: Option<Instant>, late: impl FnOnce() -> String) -> Done {
    if until.is_some_and(|until| Instant::now() > until) {
        return Err(late());
    }
    std::thread::sleep(PAUSE);
    Ok(())
}

/// A loopback port that was free a moment ago, and that this run has given to nobody else: whoever gets one listens later.
pub(crate) fn free_port() -> Done<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let wrap = |e: std::io::Error| format!("no free port ({e})");
    for _ in 0..PORTS_ASKED_MAX {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(wrap)?;
        let port = listener.local_addr().map_err(wrap)?.port();
        if GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
            return Ok(port);
        }
    }
    Err("no free port that was not given away before".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn shell(text: &str) -> (tempfile::TempDir, Process) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        let process = Process::start("sh", command.args(["-c", text]), &folder.path().join("log"));
        (folder, process.unwrap())
    }

    #[test]
    fn a_line_is_waited_for_and_an_early_end_is_told() {
        let (_folder, mut process) =
            shell("echo one; echo ready at 7; exec cat /dev/zero > /dev/null");
        assert_eq!(process.wait_for_line("ready", LONG).unwrap(), "ready at 7");
        let (_folder, mut process) = shell("exit 3");
        let why = process.wait_for_line("ready", LONG).unwrap_err();
        assert!(why.contains("ended"), "{why}");
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let (folder, mut process) = shell("echo $$; exec cat /dev/zero > /dev/null");
        let pid = process.wait_for_line("", LONG).unwrap();
        drop(process);
        assert!(!Path::new(&format!("/proc/{pid}/fd/0")).exists());
        drop(folder);
    }
}
