//! Another day and other machines: the real programs run under a wall clock that a story sets, so that a year passes in
//! minutes, and each party believes itself on a machine of its own.
//!
//! No program of the product has a switch for its clock or its machine, and none should have. The shim lies in front of
//! libc, as a machine with a wrong clock would look. Needs `cc`, as SQLite's own build does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::Done;
use crate::run;

const SOURCE: &str = include_str!("clock.c");
const DAY_S: i64 = 86_400;

/// The clock of everybody on a stage.
pub(crate) struct Clock {
    shim: PathBuf,
    shift_s: AtomicI64,
    /// Where each party stands, as a file that names the machine.
    machines: Mutex<BTreeMap<String, PathBuf>>,
}

impl Clock {
    /// Compiles the shim into a folder. The time is that of this machine until it is set.
    pub(crate) fn new(folder: &Path) -> Done<Self> {
        let (source, shim) = (folder.join("clock.c"), folder.join("clock.so"));
        run::write(&source, SOURCE)?;
        let (from, to) = (source.display().to_string(), shim.display().to_string());
        run::text(&mut run::command("cc", &["-shared", "-fPIC", "-O1", "-o", &to, &from]))?;
        Ok(Self { shim, shift_s: AtomicI64::new(0), machines: Mutex::default() })
    }

    /// Whatever starts from now on lives so many days before today.
    pub(crate) fn go_back(&self, days: i64) {
        self.shift_s.store(days.saturating_mul(-DAY_S), Ordering::Relaxed);
    }

    /// From its next start on, a party stands on this machine. The folder holds the machines of the story.
    pub(crate) fn move_to(&self, who: &str, machine: &str, folder: &Path) -> Done {
        let file = folder.join(format!("machine-{machine}"));
        run::write(&file, machine)?;
        let mut machines = self.machines.lock().map_err(|e| e.to_string())?;
        machines.insert(who.to_owned(), file);
        Ok(())
    }

    /// Has a party's program see the machine that it stands on.
    pub(crate) fn place(&self, who: &str, command: &mut Command) {
        let machines = self.machines.lock().ok();
        if let Some(file) = machines.and_then(|machines| machines.get(who).cloned()) {
            command.env("QUORATE_STORY_MACHINE", file);
        }
    }

    /// Lays it under a program.
    pub(crate) fn under(&self, command: &mut Command) {
        let shift = self.shift_s.load(Ordering::Relaxed).to_string();
        command.env("LD_PRELOAD", &self.shim).env("QUORATE_STORY_CLOCK", shift);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_sees_the_machine_that_it_was_moved_to_and_nobody_else_does() {
        let room = tempfile::tempdir().unwrap();
        let clock = Clock::new(room.path()).unwrap();
        let machine = |who: &str| {
            let mut cat = run::command("cat", &["/etc/machine-id"]);
            clock.under(&mut cat);
            clock.place(who, &mut cat);
            run::text(&mut cat).unwrap_or_default()
        };
        let own = machine("west");
        clock.move_to("west", "birch-road", room.path()).unwrap();
        assert_eq!(machine("west"), "birch-road");
        assert_eq!(machine("east"), own);
    }

    #[test]
    fn a_program_under_the_clock_sees_another_day_and_measures_as_before() {
        let room = tempfile::tempdir().unwrap();
        let clock = Clock::new(room.path()).unwrap();
        let year = || {
            let mut date = run::command("date", &["-u", "+%s"]);
            clock.under(&mut date);
            run::text(&mut date).unwrap().trim().parse::<i64>().unwrap()
        };
        let today = year();
        clock.go_back(365);
        let before = today - year();
        assert!((365 * DAY_S - 60..=365 * DAY_S).contains(&before), "{before}");
    }
}
