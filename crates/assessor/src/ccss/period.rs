//! The time that an audit looks back over: twelve months; for a first audit six to eighteen. The numbers are data.

use jiff::{Span, tz::TimeZone};
use quorate_terms::Timestamp;
use serde::{Deserialize, Serialize};

use super::objection::Objection;
use crate::finding::Period;

/// Seconds of a day.
pub(crate) const DAY_S: u64 = 24 * 60 * 60;

/// How long a testing period is, in calendar months (UTC).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodRule {
    /// Of every audit after the first.
    pub months: u32,
    /// The shortest of a first audit.
    pub first_min: u32,
    /// The longest of a first audit.
    pub first_max: u32,
}

impl PeriodRule {
    /// Why this period does not do; none if it does. A day more or less is no difference.
    pub fn objection(&self, period: Period, first: bool) -> Option<Objection> {
        let (least, most) =
            if first { (self.first_min, self.first_max) } else { (self.months, self.months) };
        let (Some(earliest), Some(latest)) =
            (plus_months(period.from, least), plus_months(period.from, most))
        else {
            return Some(bad("lies outside of the calendar", "give real dates"));
        };
        if period.to < earliest.minus_s(DAY_S) {
            return Some(bad(&format!("is shorter than {least} months"), "look further back"));
        }
        if period.to > latest.plus_s(DAY_S) {
            return Some(bad(&format!("is longer than {most} months"), "look less far back"));
        }
        None
    }
}

fn bad(why: &str, mend: &str) -> Objection {
    Objection::new("period_fits", format!("the testing period {why}"), mend)
}

/// The same day and time, months later, in UTC; the last day of the month where the month is shorter. None outside of
/// the calendar.
pub fn plus_months(at: Timestamp, months: u32) -> Option<Timestamp> {
    let millis = i64::try_from(at.as_millis()).ok()?;
    let here = jiff::Timestamp::from_millisecond(millis).ok()?.to_zoned(TimeZone::UTC);
    let there = here.checked_add(Span::new().try_months(months).ok()?).ok()?;
    Some(Timestamp::from_millis(u64::try_from(there.timestamp().as_millisecond()).ok()?))
}

/// Days later without Saturdays and Sundays; public holidays are not known.
pub fn plus_working_days(at: Timestamp, days: u32) -> Timestamp {
    let mut day = at;
    let mut left = days;
    while left > 0 {
        day = day.plus_s(DAY_S);
        // 1970-01-01 was a Thursday: days 2 and 3 of each week from there are Saturday and Sunday.
        let weekday = (day.as_millis() / (DAY_S * 1000)) % 7;
        if weekday != 2 && weekday != 3 {
            left = left.saturating_sub(1);
        }
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let millis = text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        Timestamp::from_millis(u64::try_from(millis).unwrap())
    }

    fn check(from: &str, to: &str, first: bool, good: bool) {
        let rule = PeriodRule { months: 12, first_min: 6, first_max: 18 };
        let day = |d: &str| at(&format!("{d}T00:00:00Z"));
        let found = rule.objection(Period { from: day(from), to: day(to) }, first);
        assert_eq!(found.is_none(), good, "{from} {to} {first}: {found:?}");
    }

    #[test]
    fn twelve_months_and_for_a_first_audit_six_to_eighteen() {
        check("2025-01-01", "2025-12-31", false, true);
        check("2025-01-01", "2026-01-01", false, true);
        check("2024-02-29", "2025-02-28", false, true);
        check("2025-01-01", "2025-12-29", false, false);
        check("2025-01-01", "2026-01-03", false, false);
        check("2025-01-01", "2025-06-01", true, false);
        check("2025-01-01", "2025-07-01", true, true);
        check("2025-01-01", "2026-07-01", true, true);
        check("2025-01-01", "2026-07-03", true, false);
        check("2025-01-01", "2024-01-01", true, false);
    }

    #[test]
    fn working_days_pass_over_saturday_and_sunday() {
        // 2026-11-20 is a Friday.
        let friday = at("2026-11-20T12:00:00Z");
        assert_eq!(plus_working_days(friday, 1), at("2026-11-23T12:00:00Z"));
        assert_eq!(plus_working_days(friday, 10), at("2026-12-04T12:00:00Z"));
        assert_eq!(plus_working_days(friday, 0), friday);
    }

    #[test]
    fn a_month_later_is_held_at_the_end_of_a_shorter_month() {
        assert_eq!(plus_months(at("2025-01-31T00:00:00Z"), 1), Some(at("2025-02-28T00:00:00Z")));
        assert_eq!(plus_months(Timestamp::from_millis(u64::MAX), 12), None);
    }
}
