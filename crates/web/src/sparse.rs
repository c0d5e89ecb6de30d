//! Lines of a log that anybody can cause: told so often and no more, so that a flood fills no disk and hides no other line.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// The most lines in a window.
const LINES_MAX: u32 = 60;
/// A minute, in milliseconds.
const WINDOW_MS: u64 = 60_000;

/// How often lines of one sort were told of late.
#[derive(Debug)]
pub struct Sparse {
    since: OnceLock<Instant>,
    told: Mutex<Told>,
}

#[derive(Debug)]
struct Told {
    window: u64,
    lines: u32,
    left_out: u64,
}

impl Sparse {
    /// Nothing was told yet.
    #[must_use]
    pub const fn new() -> Self {
        let told = Told { window: 0, lines: 0, left_out: 0 };
        Self { since: OnceLock::new(), told: Mutex::new(told) }
    }

    /// Whether one more line may be told now, by this machine's own clock; as [`Sparse::at`].
    pub fn now(&self) -> Option<u64> {
        let since = self.since.get_or_init(Instant::now);
        self.at(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Whether one more line may be told at `now`, in milliseconds of a clock that only goes forward; then with how many were
    /// left out since the last one.
    pub fn at(&self, now: u64) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(told.window) >= WINDOW_MS {
            (told.window, told.lines) = (now, 0);
        }
        if told.lines >= LINES_MAX {
            told.left_out = told.left_out.saturating_add(1);
            return None;
        }
        told.lines = told.lines.saturating_add(1);
        Some(std::mem::take(&mut told.left_out))
    }
}

impl Default for Sparse {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_so_many_lines_a_minute_and_then_how_many_were_left_out() {
        let sparse = Sparse::new();
        let told = (0..1_000).filter(|at| sparse.at(*at).is_some()).count();
        assert_eq!(told, usize::try_from(LINES_MAX).unwrap());
        assert_eq!(sparse.at(WINDOW_MS - 1), None);
        assert_eq!(sparse.at(WINDOW_MS), Some(1_001 - u64::from(LINES_MAX)));
        assert_eq!(sparse.at(WINDOW_MS), Some(0), "and they are told once");
        assert_eq!(sparse.at(0), Some(0), "a clock that went back tells no more and no less");
        assert_eq!(Sparse::default().now(), Some(0));
    }
}
