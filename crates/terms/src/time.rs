//! Time as a value. Nothing in the core reads a clock; time is always an argument.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest time that JSON can carry exactly (2^53 - 1 milliseconds).
const MILLIS_MAX: u64 = (1 << 53) - 1;

/// Seconds of a length of time as people write it: `90s`, `30m`, `12h`, `30d`; nothing for any other text.
pub fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let each: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse::<u64>().ok()?.checked_mul(each)).flatten()
}

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

    /// This time in UTC to the millisecond, as RFC 3339 writes it: `2026-11-21T10:42:49.524Z`.
    pub fn rfc3339(self) -> String {
        self.written("%Y-%m-%dT%H:%M:%S.%3fZ")
    }

    /// This time in UTC to the second, as people read it: `2026-11-21 10:42:49Z`.
    pub fn utc(self) -> String {
        self.written("%Y-%m-%d %H:%M:%SZ")
    }

    /// This time in UTC, in a form of `strftime`; its milliseconds where no calendar holds it.
    pub fn written(self, form: &str) -> String {
        let millis = i64::try_from(self.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(millis)
            .map_or_else(|_| format!("{self} ms"), |at| at.strftime(form).to_string())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_whole_digits_and_one_unit() {
        for (text, length) in [
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("0s", Some(0)),
            ("", None),
            ("d", None),
            ("30", None),
            ("+3d", None),
            ("-3d", None),
            ("1.5h", None),
            (" 3d", None),
            ("3 d", None),
            ("3w", None),
            ("3µ", None),
            ("18446744073709551615s", Some(u64::MAX)),
            ("18446744073709551615m", None),
            ("18446744073709551616s", None),
        ] {
            assert_eq!(seconds(text), length, "{text:?}");
        }
    }

    #[test]
    fn times_are_told_by_the_civil_calendar_in_utc() {
        for (millis, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400_000, "2000-02-29 00:00:00Z"),
            (1_709_251_199_999, "2024-02-29 23:59:59Z"),
            (1_709_251_200_000, "2024-03-01 00:00:00Z"),
            (1_767_225_599_000, "2025-12-31 23:59:59Z"),
            (4_107_542_400_000, "2100-03-01 00:00:00Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).utc(), text);
        }
        assert_eq!(Timestamp::from_millis(7).rfc3339(), "1970-01-01T00:00:00.007Z");
    }

    #[test]
    fn a_time_beyond_the_calendar_is_told_as_a_number() {
        let at = Timestamp::from_millis(u64::MAX);
        assert_eq!(at.utc(), "9007199254740991 ms");
    }
}
