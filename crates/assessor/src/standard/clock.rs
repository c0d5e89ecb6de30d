//! When something is due: a limit from a named anchor, in the regulator's own time zone.

use jiff::tz::TimeZone;
use jiff::{Span, Zoned};
use quorate_terms::{Malformed, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::catalogue::{Confidence, Fixed};

/// The clocks of one regulator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// The standard.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// The time zone in which days, months and years are counted (IANA).
    pub zone: String,
    /// The clocks.
    #[serde(default, rename = "clock")]
    pub clocks: Vec<Clock>,
}

/// What moments a clock can start from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchors {
    /// The anchors.
    #[serde(default, rename = "anchor")]
    pub anchors: Vec<Anchor>,
}

/// A moment that somebody fixes and records, with who decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Its id.
    pub id: String,
    /// What moment it is.
    pub meaning: String,
}

/// One duty to tell or to file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The template of the report.
    pub template: String,
    /// What kind of duty.
    pub kind: Kind,
    /// What sets it off.
    pub event: String,
    /// The anchor's id.
    pub anchor: String,
    /// Before or after the anchor.
    pub direction: Direction,
    /// How long.
    pub limit: Limit,
    /// A second anchor and limit; the earlier deadline counts.
    pub also: Option<Also>,
    /// The template that comes before this one.
    pub after: Option<String>,
    /// How it recurs.
    pub schedule: Option<Fixed>,
    /// What the report must hold.
    pub required_fields: Vec<String>,
    /// Who receives it.
    pub recipients: Vec<String>,
    /// Where the duty stands.
    pub citation: String,
    /// How sure we are.
    pub confidence: Confidence,
    /// What else to know.
    pub note: Option<String>,
}

/// A second limit from another anchor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Also {
    /// The anchor's id.
    pub anchor: String,
    /// How long.
    pub limit: Limit,
}

/// What makes a duty: something happened, a period ended, or a record must be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something happened.
    Event,
    /// A period ended.
    Periodic,
    /// Something must be kept so long.
    Retention,
}

/// On which side of the anchor the deadline lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Before it.
    Before,
    /// After it.
    After,
}

/// How long. `immediate` is a limit of its own and comes before any duration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Limit {
    /// At once.
    Immediate,
    /// An ISO 8601 duration. Months and years are calendar units.
    Within(String),
}

/// When a duty is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Due {
    /// At once.
    Immediately,
    /// At the latest then.
    By(Timestamp),
}

impl Limit {
    fn span(&self) -> Result<Option<Span>, Malformed> {
        let Self::Within(text) = self else { return Ok(None) };
        let bad = |e: jiff::Error| {
            Malformed::new(
                "limit",
                format!("is no duration ({e})"),
                "write it as in ISO 8601: PT72H",
            )
        };
        text.parse().map(Some).map_err(bad)
    }
}

impl Clock {
    /// When the duty is due, for an anchor at `at`, in the regulator's time zone.
    ///
    /// # Errors
    /// [`Malformed`] for an unknown zone, a limit that is no duration, or a date out of range.
    pub fn due(&self, zone: &str, at: Timestamp) -> Result<Due, Malformed> {
        due(&self.limit, self.direction, zone, at)
    }

    /// When the duty is due, where the second anchor's moment is known too: the earlier of both.
    ///
    /// # Errors
    /// As [`Clock::due`].
    pub fn due_with(&self, zone: &str, at: Timestamp, second: Timestamp) -> Result<Due, Malformed> {
        let first = self.due(zone, at)?;
        let Some(also) = &self.also else { return Ok(first) };
        Ok(first.min(due(&also.limit, self.direction, zone, second)?))
    }
}

fn due(limit: &Limit, direction: Direction, zone: &str, at: Timestamp) -> Result<Due, Malformed> {
    let Some(span) = limit.span()? else { return Ok(Due::Immediately) };
    let bad = |e: jiff::Error| {
        Malformed::new(
            "clock",
            format!("cannot be worked out ({e})"),
            "check the zone and the anchor",
        )
    };
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let instant = jiff::Timestamp::from_millisecond(millis).map_err(bad)?;
    let there: Zoned = instant.to_zoned(TimeZone::get(zone).map_err(bad)?);
    let due = match direction {
        Direction::After => there.checked_add(span),
        Direction::Before => there.checked_sub(span),
    };
    let millis = due.map_err(bad)?.timestamp().as_millisecond();
    Ok(Due::By(Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))))
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Immediate => serializer.serialize_str("immediate"),
            Self::Within(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "immediate" {
            return Ok(Self::Immediate);
        }
        let limit = Self::Within(text);
        limit.span().map_err(serde::de::Error::custom)?;
        Ok(limit)
    }
}
