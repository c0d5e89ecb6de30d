//! Parameters of controls: durations reach queries as seconds too, and a profile may tighten them and never loosen them.

use jiff::Span;

use crate::evidence::{NoAnswer, Value};
use crate::standard::catalogue::Fixed;
use crate::standard::profile::Merge;

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

/// A parameter as queries see it: `:name`, and for a duration `:name_s` besides.
pub(super) fn bind(name: &str, fixed: &Fixed) -> Result<Vec<(String, Value)>, NoAnswer> {
    let value = match fixed {
        Fixed::Boolean(yes) => Value::Integer(i64::from(*yes)),
        Fixed::Integer(number) => Value::Integer(*number),
        Fixed::Text(text) => Value::Text(text.clone()),
        Fixed::List(_) | Fixed::Table(_) => {
            Value::Text(serde_json::to_string(fixed).map_err(|e| NoAnswer { why: e.to_string() })?)
        }
    };
    let mut bound = vec![(name.to_owned(), value)];
    let text = if let Fixed::Text(text) = fixed { text.as_str() } else { "" };
    if let Some(seconds) = seconds(text).and_then(|s| i64::try_from(s).ok()) {
        bound.push((format!("{name}_s"), Value::Integer(seconds)));
    }
    Ok(bound)
}

/// The stricter of a control's own value and a profile's, by the profile's rule. What cannot be compared stays as it is.
pub fn tightened(own: &Fixed, profile: &Fixed, merge: Merge) -> Fixed {
    let stricter = match (measure(own), measure(profile), merge) {
        (Some(own), Some(profile), Merge::Min) => profile < own,
        (Some(own), Some(profile), Merge::Max) => profile > own,
        _ => false,
    };
    if stricter { profile.clone() } else { own.clone() }
}

/// Something to compare by: a number, or a duration in seconds. `immediate` comes before every duration.
fn measure(fixed: &Fixed) -> Option<i128> {
    match fixed {
        Fixed::Integer(number) => Some(i128::from(*number)),
        Fixed::Text(text) if text == "immediate" => Some(-1),
        Fixed::Text(text) => seconds(text).map(i128::from),
        _ => None,
    }
}
