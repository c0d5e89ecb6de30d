//! The only clock of the house. It never runs backwards within a process, and it says when the wall clock jumped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use quorate_terms::Timestamp;

/// How far the wall clock may drift from the monotonic one before it counts as a jump, in milliseconds.
pub const JUMP_MS: u64 = 2_000;

/// The most jumps that are kept until somebody asks for them.
const JUMPS_MAX: usize = 64;

/// Gives the time. Everything that acts takes it as an argument; only loops in host and the binaries hold a clock.
pub trait Clock: Send + Sync + 'static {
    /// The time now, never before an earlier answer of the same clock.
    fn now(&self) -> Timestamp;

    /// The jumps of the wall clock seen since the last call. The caller raises an alarm for each.
    fn take_jumps(&self) -> Vec<Jump>;
}

/// The wall clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// What the wall clock should have shown, by the monotonic clock.
    pub expected: Timestamp,
    /// What it showed.
    pub found: Timestamp,
}

impl Jump {
    /// Whether it was set back.
    #[must_use]
    pub fn is_backward(&self) -> bool {
        self.found < self.expected
    }
}

/// Wall time and monotonic time, read together.
type Reading = (Timestamp, Duration);

/// The system's clock, guarded.
///
/// When the wall clock is set back, time goes on at the pace of the monotonic clock, so nothing lives longer than it
/// should. When it is set forward, time follows it.
pub struct SystemClock {
    read: Box<dyn Fn() -> Reading + Send + Sync>,
    state: Mutex<State>,
}

struct State {
    wall: Timestamp,
    mono: Duration,
    last: Timestamp,
    jumps: Vec<Jump>,
}

impl SystemClock {
    /// A clock that starts at the wall clock's time.
    #[must_use]
    pub fn new() -> Self {
        let start = Instant::now();
        Self::reading(Box::new(move || (wall(), start.elapsed())))
    }

    /// The same, shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self::new())
    }

    fn reading(read: Box<dyn Fn() -> Reading + Send + Sync>) -> Self {
        let (wall, mono) = read();
        Self { read, state: Mutex::new(State { wall, mono, last: wall, jumps: Vec::new() }) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, mono) = (self.read)();
        state.advance(wall, mono)
    }

    fn take_jumps(&self) -> Vec<Jump> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.jumps)
    }
}

impl State {
    fn advance(&mut self, wall: Timestamp, mono: Duration) -> Timestamp {
        let passed = millis(mono.saturating_sub(self.mono));
        let expected = Timestamp::from_millis(self.wall.as_millis().saturating_add(passed));
        if wall.as_millis().abs_diff(expected.as_millis()) > JUMP_MS && self.jumps.len() < JUMPS_MAX
        {
            self.jumps.push(Jump { expected, found: wall });
        }
        self.last = self.last.plus_millis(passed).max(wall);
        (self.wall, self.mono) = (wall, mono);
        self.last
    }
}

fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(millis(since))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Adds milliseconds, held at the largest time.
trait PlusMillis {
    fn plus_millis(self, millis: u64) -> Self;
}

impl PlusMillis for Timestamp {
    fn plus_millis(self, millis: u64) -> Self {
        Self::from_millis(self.as_millis().saturating_add(millis))
    }
}

/// A clock that moves when it is told to. For tests and rehearsals.
#[derive(Default)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `at`.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self(Mutex::new(at))
    }

    /// Moves it on by milliseconds.
    pub fn advance(&self, millis: u64) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.plus_millis(millis);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_jumps(&self) -> Vec<Jump> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    const HOUR: u64 = 3_600_000;

    struct Hands {
        wall: Arc<AtomicU64>,
        mono: Arc<AtomicU64>,
        clock: SystemClock,
    }

    fn hands() -> Hands {
        let (wall, mono) = (Arc::new(AtomicU64::new(10 * HOUR)), Arc::new(AtomicU64::new(0)));
        let (w, m) = (Arc::clone(&wall), Arc::clone(&mono));
        let clock = SystemClock::reading(Box::new(move || {
            let wall = Timestamp::from_millis(w.load(Ordering::SeqCst));
            (wall, Duration::from_millis(m.load(Ordering::SeqCst)))
        }));
        Hands { wall, mono, clock }
    }

    #[test]
    fn row_17_a_clock_set_back_an_hour_goes_on_forward_and_is_reported() {
        let h = hands();
        h.wall.store(9 * HOUR, Ordering::SeqCst);
        h.mono.store(1_000, Ordering::SeqCst);
        assert_eq!(h.clock.now().as_millis(), 10 * HOUR + 1_000, "no expiry is extended");
        h.wall.store(9 * HOUR + 5_000, Ordering::SeqCst);
        h.mono.store(6_000, Ordering::SeqCst);
        assert_eq!(h.clock.now().as_millis(), 10 * HOUR + 6_000);
        let jumps = h.clock.take_jumps();
        assert_eq!(jumps.len(), 1, "one jump, reported once");
        assert!(jumps[0].is_backward());
        assert!(h.clock.take_jumps().is_empty());
    }

    #[test]
    fn a_clock_set_forward_is_followed_and_reported() {
        let h = hands();
        h.wall.store(12 * HOUR, Ordering::SeqCst);
        assert_eq!(h.clock.now().as_millis(), 12 * HOUR);
        assert!(!h.clock.take_jumps()[0].is_backward());
        h.wall.store(10 * HOUR, Ordering::SeqCst);
        assert_eq!(h.clock.now().as_millis(), 12 * HOUR, "never backwards");
    }

    #[test]
    fn a_clock_that_keeps_pace_reports_nothing() {
        let h = hands();
        for step in 1..100 {
            h.wall.fetch_add(1_000 + step % 3, Ordering::SeqCst);
            h.mono.fetch_add(1_000, Ordering::SeqCst);
            h.clock.now();
        }
        assert!(h.clock.take_jumps().is_empty());
    }

    #[test]
    fn the_system_clock_is_past_2026_and_monotone() {
        let clock = SystemClock::new();
        let first = clock.now();
        assert!(first.as_millis() > 1_767_225_600_000);
        assert!((0..1000).all(|_| clock.now() >= first));
    }
}
