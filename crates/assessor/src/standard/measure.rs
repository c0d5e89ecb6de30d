//! Which of two values is stricter. `immediate` comes before every duration; a word is compared by a given order only.

use std::cmp::Ordering;

use jiff::Span;

use super::catalogue::Fixed;
use super::profile::Merge;

/// The word for at once.
pub const IMMEDIATE: &str = "immediate";
/// Digits behind the point that a decimal may have.
const FRACTION: usize = 9;

/// A duration in seconds: a day has 24 hours, a month 30 days, a year 365 days. Deadlines of regulators are counted by the
/// calendar instead ([`crate::standard::clock`]).
pub fn seconds(text: &str) -> Option<u64> {
    let span: Span = text.parse().ok()?;
    let parts = [
        (i64::from(span.get_years()), 365 * 86_400),
        (i64::from(span.get_months()), 30 * 86_400),
        (i64::from(span.get_weeks()), 7 * 86_400),
        (i64::from(span.get_days()), 86_400),
        (i64::from(span.get_hours()), 3600),
        (span.get_minutes(), 60),
        (span.get_seconds(), 1),
    ];
    let total = parts
        .iter()
        .try_fold(0_i64, |sum, (count, unit)| sum.checked_add(count.checked_mul(*unit)?))?;
    u64::try_from(total).ok()
}

/// The stricter of a control's own value and a profile's, by the profile's rule. What cannot be compared stays as it is.
pub fn tightened(own: &Fixed, profile: &Fixed, merge: Merge) -> Fixed {
    match compare(own, profile, merge, &[]) {
        Some(Ordering::Greater) => profile.clone(),
        _ => own.clone(),
    }
}

/// The strictest of several values; none where they cannot be compared. `order` lists words, the strictest first.
pub fn strictest<'a>(
    values: impl IntoIterator<Item = &'a Fixed>,
    merge: Merge,
    order: &[Fixed],
) -> Option<&'a Fixed> {
    let mut values = values.into_iter();
    let first = values.next()?;
    values.try_fold(first, |best, value| {
        Some(match compare(best, value, merge, order)? {
            Ordering::Greater => value,
            _ => best,
        })
    })
}

/// `Less` where `one` is the stricter.
fn compare(one: &Fixed, other: &Fixed, merge: Merge, order: &[Fixed]) -> Option<Ordering> {
    if one == other {
        return Some(Ordering::Equal);
    }
    match merge {
        Merge::Min => measure(one)?.against(measure(other)?),
        Merge::Max => measure(other)?.against(measure(one)?),
        Merge::Strictest => {
            let place = |value| order.iter().position(|word| word == value);
            Some(place(one)?.cmp(&place(other)?))
        }
        Merge::None => None,
    }
}

/// What a value is compared by. A number and a duration are not compared.
enum Measure {
    Immediate,
    Seconds(u64),
    /// In billionths.
    Number(i128),
}

impl Measure {
    fn against(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Immediate, Self::Immediate) => Some(Ordering::Equal),
            (Self::Immediate, Self::Seconds(_)) => Some(Ordering::Less),
            (Self::Seconds(_), Self::Immediate) => Some(Ordering::Greater),
            (Self::Seconds(one), Self::Seconds(other)) => Some(one.cmp(&other)),
            (Self::Number(one), Self::Number(other)) => Some(one.cmp(&other)),
            _ => None,
        }
    }
}

fn measure(fixed: &Fixed) -> Option<Measure> {
    match fixed {
        Fixed::Integer(number) => decimal(&number.to_string()).map(Measure::Number),
        Fixed::Text(text) if text == IMMEDIATE => Some(Measure::Immediate),
        Fixed::Text(text) => {
            seconds(text).map(Measure::Seconds).or_else(|| decimal(text).map(Measure::Number))
        }
        _ => None,
    }
}

/// `0.95` in billionths.
fn decimal(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let all = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if digits.is_empty() || !all(digits) || !all(fraction) || fraction.len() > FRACTION {
        return None;
    }
    format!("{whole}{fraction:0<FRACTION$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(s: &str) -> Fixed {
        Fixed::Text(s.to_owned())
    }

    #[test]
    fn the_strictest_of_several_follows_the_rule_of_its_kind() {
        let order = [text("forbidden"), text("allowed_with_ledger"), text("allowed")];
        let all = |values: &[&str]| values.iter().map(|v| text(v)).collect::<Vec<_>>();
        for (values, merge, expected) in [
            (all(&["PT1H", "immediate", "PT4H"]), Merge::Min, Some("immediate")),
            (all(&["P1M", "P3M"]), Merge::Min, Some("P1M")),
            (all(&["P2Y", "P5Y"]), Merge::Max, Some("P5Y")),
            (all(&["0.9", "0.95"]), Merge::Max, Some("0.95")),
            (all(&["9.5", "10"]), Merge::Max, Some("10")),
            (all(&["allowed", "forbidden"]), Merge::Strictest, Some("forbidden")),
            (all(&["allowed", "whatever"]), Merge::Strictest, None),
            (all(&["whatever", "whatever"]), Merge::Strictest, Some("whatever")),
            (all(&["HK", "SG"]), Merge::None, None),
            (all(&["PT1H", "3"]), Merge::Min, None),
            (all(&["PT1H", "soon"]), Merge::Min, None),
            (all(&[]), Merge::Min, None),
        ] {
            let found = strictest(&values, merge, &order).cloned();
            assert_eq!(found, expected.map(text), "{values:?} {merge:?}");
        }
    }

    proptest! {
        #[test]
        fn a_number_never_gets_looser(own: i64, profile: i64) {
            let (own, profile) = (Fixed::Integer(own), Fixed::Integer(profile));
            let number = |fixed: Fixed| match fixed { Fixed::Integer(n) => Some(n), _ => None };
            let low = number(tightened(&own, &profile, Merge::Min));
            let high = number(tightened(&own, &profile, Merge::Max));
            prop_assert_eq!(low, number(own.clone()).min(number(profile.clone())));
            prop_assert_eq!(high, number(own).max(number(profile)));
        }

        #[test]
        fn comparing_arbitrary_words_never_panics(one in ".{0,40}", other in "[-0-9.PTHDMYS]{0,40}") {
            let _ = tightened(&text(&one), &text(&other), Merge::Min);
            let _ = tightened(&text(&other), &text(&one), Merge::Max);
        }
    }
}
