//! Deadlines of reports: from the moment of an anchor, in the regulator's time zone.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use quorate_assessor::standard::clock::{Clocks, Direction, Due, Kind};
use quorate_assessor::standard::{Clock, Limit};
use quorate_host::telemetry::safe;
use quorate_host::ui::Table;
use quorate_terms::{Malformed, Timestamp};
use serde_json::json;

use crate::commands::moment;
use crate::library::Shelf;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// Every clock.
pub(super) fn all(shelf: &Shelf) -> Screen {
    let mut table =
        Table::new(&["template", "starts from", "limit", "zone", "event", "citation", "sure"]);
    let mut all = Vec::new();
    for clocks in shelf.library.clocks.values() {
        for clock in &clocks.clocks {
            let sure = format!("{:?}", clock.confidence);
            table.row([
                &clock.template,
                &clock.anchor,
                limit(&clock.limit),
                &clocks.zone,
                &clock.event,
                &clock.citation,
                &sure,
            ]);
            all.push(json!({ "zone": clocks.zone, "clock": clock }));
        }
    }
    let text = format!("{table}\n`standards due TEMPLATE --at MOMENT` works out a deadline");
    Screen::new(text, json!({ "clocks": all }))
}

/// Every notice that an event may call for, were `at` the moment of its anchor: the earliest first, each in its regulator's
/// zone. Whether an event calls for it at all, people decide.
pub(super) fn notices(shelf: &Shelf, at: &str) -> Done<Screen> {
    let at = moment(at)?;
    let mut all = Vec::new();
    for clocks in shelf.library.clocks.values() {
        let events = clocks.clocks.iter();
        for clock in events.filter(|clock| clock.kind == Kind::Event && clock.after.is_none()) {
            if clock.direction == Direction::After {
                all.push((clock.due_with(&clocks.zone, at, at)?, clocks, clock));
            }
        }
    }
    all.sort_by(|one, other| (one.0, &one.2.template).cmp(&(other.0, &other.2.template)));
    let mut table = Table::new(&["due", "template", "starts from", "to", "citation", "sure"]);
    let mut told = Vec::new();
    for (due, clocks, clock) in &all {
        let (by, program) = match due {
            Due::Immediately => ("at once".to_owned(), json!("immediately")),
            Due::By(by) => (there(*by, &clocks.zone)?, json!(by)),
        };
        let to = clock.recipients.join(", ");
        let sure = format!("{:?}", clock.confidence);
        table.row([&by, &clock.template, &clock.anchor, &to, &clock.citation, &sure]);
        told.push(json!({ "due": program, "zone": clocks.zone, "clock": clock }));
    }
    let text = format!(
        "{table}\neach counts from its own anchor; `standards due TEMPLATE --at MOMENT` takes them one by one"
    );
    Ok(Screen::new(text, json!({ "at": at, "notices": told })))
}

/// One clock, and its deadline where the moment of its anchor is known.
pub(super) fn due(
    shelf: &Shelf,
    template: &str,
    at: Option<&str>,
    also_at: Option<&str>,
) -> Done<Screen> {
    let mut every =
        shelf.library.clocks.values().flat_map(|c| c.clocks.iter().map(move |k| (c, k)));
    let Some((clocks, clock)) = every.find(|(_, clock)| clock.template == template) else {
        let message = format!("there is no template `{template}`");
        return Err(Trouble::refused("unknown_template", message, "see `standards due`"));
    };
    let mut text = told(shelf, clocks, clock);
    let due = deadline(clocks, clock, at, also_at)?;
    let by = match due {
        None => {
            text.push_str("\ngive --at to work out the deadline");
            json!(null)
        }
        Some(Due::Immediately) => {
            text.push_str("\ndue          at once");
            json!("immediately")
        }
        Some(Due::By(by)) => {
            let _ = write!(text, "\ndue          {}", there(by, &clocks.zone)?);
            json!(by)
        }
    };
    let json = json!({ "zone": clocks.zone, "clock": clock, "due": by });
    Ok(Screen::new(text, json))
}

fn told(shelf: &Shelf, clocks: &Clocks, clock: &Clock) -> String {
    let meaning = |anchor: &String| {
        let meaning = shelf.library.anchors.get(anchor).map_or("", String::as_str);
        format!("{anchor}: {meaning}")
    };
    let mut text = format!("{}\n\n", safe(&clock.template));
    let mut row = |label: &str, said: &str| {
        if !said.is_empty() {
            let _ = writeln!(text, "{label:<13}{}", safe(said));
        }
    };
    row("event", &clock.event);
    row("starts from", &meaning(&clock.anchor));
    row("limit", limit(&clock.limit));
    if let Some(also) = &clock.also {
        row("or from", &meaning(&also.anchor));
        row("limit", limit(&also.limit));
    }
    row("after", clock.after.as_deref().unwrap_or_default());
    row("holds", &clock.required_fields.join(", "));
    row("goes to", &clock.recipients.join(", "));
    row("zone", &clocks.zone);
    row("citation", &clock.citation);
    row("sure", &format!("{:?}", clock.confidence));
    row("note", clock.note.as_deref().unwrap_or_default());
    text
}

fn limit(limit: &Limit) -> &str {
    match limit {
        Limit::Immediate => "immediate",
        Limit::Within(text) => text,
    }
}

fn deadline(
    clocks: &Clocks,
    clock: &Clock,
    at: Option<&str>,
    also_at: Option<&str>,
) -> Done<Option<Due>> {
    let Some(at) = at.map(moment).transpose()? else { return Ok(None) };
    let due = match also_at.map(moment).transpose()? {
        None => clock.due(&clocks.zone, at)?,
        Some(_) if clock.also.is_none() => {
            let next = "leave --also-at out";
            return Err(Malformed::new("also-at", "fits no anchor of this clock", next).into());
        }
        Some(second) => clock.due_with(&clocks.zone, at, second)?,
    };
    Ok(Some(due))
}

/// A moment in the regulator's zone and in UTC.
fn there(by: Timestamp, zone: &str) -> Done<String> {
    let bad = |_| Malformed::new("clock", "has a deadline out of range", "check the anchor");
    let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    let instant = jiff::Timestamp::from_millisecond(millis).map_err(bad)?;
    let there = instant.to_zoned(TimeZone::get(zone).map_err(bad)?);
    Ok(format!("{} ({instant})", there.strftime("%Y-%m-%d %H:%M:%S %Z")))
}
