//! Time as a value. Nothing in the core reads a clock; time is always an argument.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest time that JSON can carry exactly (2^53 - 1 milliseconds).
const MILLIS_MAX: u64 = (1 << 53) - 1;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The start of the epoch.
    pub const ZERO: Self = Self(0);

    /// Wraps milliseconds since the epoch, at most 2^53 - 1.
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis > MILLIS_MAX { MILLIS_MAX } else { millis })
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This time plus a number of seconds, held at the largest time.
    #[must_use]
    pub const fn plus_s(self, seconds: u64) -> Self {
        Self::from_millis(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// This time minus a number of seconds, held at zero.
    #[must_use]
    pub const fn minus_s(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to this time; zero if it is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
