//! Another day: the real programs run under a wall clock that a story sets, so that a year passes in minutes.
//!
//! No program of the product has a switch for its clock, and none should have. The shim lies in front of libc, as a machine
//! with a wrong clock would look. Needs `cc`, as SQLite's own build does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::Done;
use crate::run;

const SOURCE: &str = include_str!("clock.c");
const DAY_S: i64 = 86_400;

/// The clock of everybody on a stage.
pub(crate) struct Clock {
    shim: PathBuf,
    shift_s: AtomicI64,
}

impl Clock {
    /// Compiles the shim into a folder. The time is that of this machine until it is set.
    pub(crate) fn new(folder: &Path) -> Done<Self> {
        let (source, shim) = (folder.join("clock.c"), folder.join("clock.so"));
        run::write(&source, SOURCE)?;
        let (from, to) = (source.display().to_string(), shim.display().to_string());
        run::text(&mut run::command("cc", &["-shared", "-fPIC", "-O1", "-o", &to, &from]))?;
        Ok(Self { shim, shift_s: AtomicI64::new(0) })
    }

    /// Whatever starts from now on lives so many days before today.
    pub(crate) fn go_back(&self, days: i64) {
        self.shift_s.store(days.saturating_mul(-DAY_S), Ordering::Relaxed);
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
