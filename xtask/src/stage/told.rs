//! A command that a page told a party to run: run as it stands there, with nothing but the party's folder and the file of its
//! passphrase added.

use super::Stage;
use crate::Done;
use crate::process::Process;

impl Stage {
    /// Runs a line for a party, such as `cosigner east`, in the folder where its copy of the charter lies. What stays up is
    /// started, and waited for until it listens.
    pub(crate) fn told(&mut self, party: &str, line: &str) -> Done {
        let unknown = || format!("nobody here is `{party}`, told to run `{line}`");
        let (kind, name) = party.split_once(' ').ok_or_else(unknown)?;
        let (who, dir) = match kind {
            "cosigner" => (name, format!("cosigners/{name}")),
            "approver" => (name, format!("approvers/{name}")),
            "view" | "source" => (kind, kind.to_owned()),
            _ => return Err(unknown()),
        };
        let mut words = line.split(' ');
        let program = words.next().unwrap_or_default();
        let mut command = self.programs.command(program, &words.collect::<Vec<_>>());
        command.current_dir(self.room.join("public")).args(["--dir", &self.at(&dir)]);
        if !line.ends_with(" run") && !line.contains(" view serve ") {
            return self.programs.finish(line.to_owned(), command, b"")?.exited(0);
        }
        if kind == "cosigner" {
            command.args(["--passphrase-file", &self.at(&format!("secrets/{name}"))]);
        }
        let log = self.room.join(format!("logs/{who}.log"));
        let process = Process::go_on(who, &mut command, &log)?;
        self.running.insert(who.to_owned(), process);
        self.answers(who)
    }
}
