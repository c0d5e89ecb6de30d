//! How much room is left where cargo builds: a disk that fills up breaks whatever was being written, in words of its own.

use crate::build;
use crate::run;
use crate::say::{self, Colour};

const MIB: u64 = 1024;
const GIB: u64 = 1024 * MIB;

/// What a run on an empty target folder writes, in KiB, with some to spare.
const NEEDED: u64 = 12 * GIB;
/// With less than this, in KiB, a failure may well be the disk's.
const FULL: u64 = 512 * MIB;

/// Warns before minutes are spent, where nothing is built yet and the disk is too small for it.
pub(crate) fn warn_if_small() {
    let is_new = !build::target().join("deps").is_dir();
    if let Some(kib) = free().filter(|kib| is_new && *kib < NEEDED) {
        say::line(format!(
            "{}: {} free where cargo builds, and a first run writes up to {}; make room, or set CARGO_TARGET_DIR to a folder on a larger disk",
            say::paint(Colour::Yellow, "little room"),
            size(kib),
            size(NEEDED)
        ));
    }
}

/// A word on the disk after a failure, where it is as good as full.
pub(crate) fn told_if_full() {
    if let Some(kib) = free().filter(|kib| *kib < FULL) {
        say::line(format!(
            "{}: {} free where cargo builds; make room (`cargo clean` empties the target folder) and run it again",
            say::paint(Colour::Red, "the disk is full"),
            size(kib)
        ));
    }
}

/// KiB that are free where cargo builds, where `df` can tell.
fn free() -> Option<u64> {
    let target = build::target();
    let there = target.ancestors().find(|folder| folder.is_dir())?;
    let table = run::text(run::command("df", &["-Pk", "--"]).arg(there)).ok()?;
    available(&table)
}

/// The fourth column of the one row that `df -Pk` prints for a folder (POSIX.1-2024, df).
fn available(table: &str) -> Option<u64> {
    let row = table.lines().nth(1)?;
    row.split_whitespace().rev().nth(2)?.parse().ok()
}

fn size(kib: u64) -> String {
    let tenths = kib.saturating_mul(10) / GIB;
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_room_is_read_from_what_df_prints() {
        let table = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
                     a disk with blanks 263174212 20000000  76546048      21% /\n";
        assert_eq!(available(table), Some(76_546_048));
        assert_eq!(available("df: no such file"), None);
        assert_eq!(size(76_546_048), "73.0 GiB");
        assert!(free().is_some());
    }
}
