//! When to ask: one moment for each hour and day on either side of what a rule weighs.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::Timestamp;

use super::edges::around;
use crate::calendar;
use crate::policy::Policy;
use crate::words::weekday;

const HOUR_MS: u64 = 3_600_000;
/// Two weeks: in one of them a clock that is set forward leaves out an hour, and one that is set back has an hour twice.
const BACK_HOURS: u64 = 336;

/// A moment, with its day and hour in the new policy's zone where those are weighed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Moment {
    pub(super) day: Option<i64>,
    pub(super) hour: Option<i64>,
    pub(super) at: Timestamp,
}

impl Moment {
    /// In words; nothing where neither day nor hour is weighed.
    pub(super) fn told(&self) -> Option<String> {
        let hour = self.hour.map(|hour| format!("{hour:02}:00 to {hour:02}:59"));
        let said: Vec<String> =
            self.day.map(|day| weekday(day).to_owned()).into_iter().chain(hour).collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

/// One moment for each hour and day to ask at, from the two weeks before `at`; `at` alone where neither is weighed.
///
/// Where the two policies reckon in zones of their own, each hour is asked at that either weighs in any way.
pub(super) fn moments(
    (old, new): (&Policy, &Policy),
    at: Timestamp,
    (hours, days): (&BTreeSet<i64>, &BTreeSet<i64>),
) -> Vec<Moment> {
    let two_zones = old.document().zone != new.document().zone;
    let by_day = !days.is_empty();
    let by_hour = !hours.is_empty() || (two_zones && by_day);
    let (hours, days) = match two_zones {
        true => ((0..=23).collect(), (1..=7).collect()),
        false => (around(hours, (0, 23)), around(days, (1, 7))),
    };
    let mut found: BTreeMap<(Option<i64>, Option<i64>), Timestamp> = BTreeMap::new();
    for back in (0..BACK_HOURS).filter(|_| by_day || by_hour) {
        let time =
            Timestamp::from_millis(at.as_millis().saturating_sub(back.saturating_mul(HOUR_MS)));
        let Some((hour, day)) = calendar::hour_and_weekday(time, &new.0.zone) else { continue };
        if (!by_hour || hours.contains(&hour)) && (!by_day || days.contains(&day)) {
            let weighed = (by_day.then_some(day), by_hour.then_some(hour));
            found.entry(weighed).or_insert(time);
        }
    }
    if found.is_empty() {
        return vec![Moment { day: None, hour: None, at }];
    }
    found.into_iter().map(|((day, hour), at)| Moment { day, hour, at }).collect()
}
