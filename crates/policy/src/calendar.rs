//! Days, weeks and months in a time zone, from the bundled IANA database: every party computes the same.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Zoned};

use quorate_terms::Timestamp;
use quorate_terms::policy::Window;

/// The zone of a name such as `Europe/Zurich`, from the database inside this program and from nowhere else.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let millis = i64::try_from(at.as_millis()).ok()?;
    Some(jiff::Timestamp::from_millisecond(millis).ok()?.to_zoned(zone.clone()))
}

fn millis(zoned: &Zoned) -> Timestamp {
    // Before 1970 everything counts.
    Timestamp::from_millis(u64::try_from(zoned.timestamp().as_millisecond()).unwrap_or(0))
}

/// The hour, 0 to 23, and the day of the week, 1 (Monday) to 7, of a time in a zone; none beyond the calendar.
pub fn hour_and_weekday(at: Timestamp, zone: &TimeZone) -> Option<(i64, i64)> {
    let local = zoned(at, zone)?;
    Some((local.hour().into(), local.weekday().to_monday_one_offset().into()))
}

/// The first millisecond that a window at `at` counts; none for `Each`, an error beyond the calendar.
///
/// A rolling window of n seconds counts what happened less than n seconds ago.
///
/// # Errors
/// When the calendar cannot hold the time; the caller denies.
pub fn start(
    window: &Window,
    at: Timestamp,
    zone: &TimeZone,
) -> Result<Option<Timestamp>, BeyondCalendar> {
    let day = |back: i8, first_of_month: bool| -> Option<Timestamp> {
        let local = zoned(at, zone)?;
        let local = if first_of_month { local.first_of_month().ok()? } else { local };
        let local = local.checked_sub(Span::new().try_days(back).ok()?).ok()?;
        Some(millis(&local.start_of_day().ok()?))
    };
    let start = match window {
        Window::Each => return Ok(None),
        Window::Rolling { seconds } => Some(Timestamp::from_millis(
            at.minus_s(*seconds).as_millis().saturating_add(1),
        ))
        .map(|from| {
            if at.as_millis() < seconds.saturating_mul(1000) { Timestamp::ZERO } else { from }
        }),
        Window::Day => day(0, false),
        Window::Week => {
            let back = zoned(at, zone).map(|local| local.weekday().to_monday_zero_offset());
            back.and_then(|back| day(back, false))
        }
        Window::Month => day(0, true),
    };
    start.map(Some).ok_or(BeyondCalendar)
}

/// The time lies beyond what a calendar can say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BeyondCalendar;
