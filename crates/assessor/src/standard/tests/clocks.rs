//! Deadlines, and what the questions on notices take from them.

use super::super::clock::{Due, Kind, Limit};
use super::*;

#[test]
fn a_deadline_counts_calendar_months_in_the_regulators_zone() {
    let clock = |limit: &str| -> Clock {
        let clocks: clock::Clocks = toml::from_str(&CLOCKS.replace("PT1H", limit)).unwrap();
        clocks.clocks[0].clone()
    };
    let at = |text: &str| {
        let instant: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(u64::try_from(instant.as_millisecond()).unwrap())
    };
    // 31 January, 01:00 in Singapore is still 30 January in UTC; a month later is the last day of February.
    for (limit, anchor, expected) in [
        ("PT1H", "2026-01-30T17:00:00Z", "2026-01-30T18:00:00Z"),
        ("P1M", "2026-01-30T17:00:00Z", "2026-02-27T17:00:00Z"),
        ("P14D", "2026-02-20T00:00:00Z", "2026-03-06T00:00:00Z"),
    ] {
        let due = clock(limit).due("Asia/Singapore", at(anchor)).unwrap();
        assert_eq!(due, Due::By(at(expected)), "{limit}");
    }
    // A day across the change of clocks in New York has 23 hours.
    let due = clock("P1D").due("America/New_York", at("2026-03-07T17:00:00Z")).unwrap();
    assert_eq!(due, Due::By(at("2026-03-08T16:00:00Z")));
    assert_eq!(
        clock("immediate").due("UTC", at("2026-01-01T00:00:00Z")).unwrap(),
        Due::Immediately
    );
    assert!(Due::Immediately < Due::By(Timestamp::ZERO));
    assert!(clock("PT1H").due("Mars/Olympus", Timestamp::ZERO).is_err());
}

#[test]
fn a_yearly_filing_falls_on_its_day_in_leap_years_too() {
    let library = shipped();
    let clocks = &library.clocks[&key("nydfs 2026-11-20")];
    let clock = clocks.clocks.iter().find(|c| c.template == "nydfs-yearly-certification").unwrap();
    for year in [2026, 2027, 2028] {
        let at = |text: String| -> Timestamp {
            let zoned: jiff::Zoned = text.parse().unwrap();
            Timestamp::from_millis(u64::try_from(zoned.timestamp().as_millisecond()).unwrap())
        };
        let due =
            clock.due(&clocks.zone, at(format!("{}-12-31T12:00[America/New_York]", year - 1)));
        assert_eq!(due.unwrap(), Due::By(at(format!("{year}-04-15T12:00[America/New_York]"))));
    }
}

#[test]
fn every_shipped_clock_gives_a_deadline() {
    let start = Timestamp::from_millis(1_800_000_000_000);
    for clocks in shipped().clocks.values() {
        for clock in &clocks.clocks {
            clock.due_with(&clocks.zone, start, start).unwrap();
        }
    }
}

#[test]
fn of_two_anchors_the_earlier_deadline_counts() {
    let library = shipped();
    let clocks = &library.clocks[&key("eu 2026-11-20")];
    let clock = clocks.clocks.iter().find(|c| c.template == "eu-dora-initial").unwrap();
    let start = Timestamp::from_millis(1_800_000_000_000);
    let hours = |n: u64| start.plus_s(n * 3600);
    // Four hours from classification, 24 from awareness.
    let due = clock.due_with(&clocks.zone, hours(22), start).unwrap();
    assert_eq!(due, Due::By(hours(24)));
    assert_eq!(clock.due_with(&clocks.zone, hours(2), start).unwrap(), Due::By(hours(6)));
}

/// Template, the anchor's moment, and the deadline as a clock on the regulator's wall shows it.
const NOTICES: [(&str, &str, &str); 10] = [
    // The clocks of New York go forward in between: 72 hours are 72 hours.
    ("nydfs-event-notice", "2026-03-06T22:00-05:00[America/New_York]", "2026-03-09T23:00-04:00"),
    (
        "nydfs-extortion-notice",
        "2026-07-01T12:00-04:00[America/New_York]",
        "2026-07-02T12:00-04:00",
    ),
    // Thirty days are days of the calendar there.
    (
        "nydfs-extortion-explanation",
        "2026-02-20T12:00-05:00[America/New_York]",
        "2026-03-22T12:00-04:00",
    ),
    ("eu-dora-initial", "2026-03-28T23:30+01:00[Europe/Brussels]", "2026-03-29T04:30+02:00"),
    ("eu-dora-intermediate", "2026-10-24T10:00+02:00[Europe/Brussels]", "2026-10-27T09:00+01:00"),
    // A month from the last of January ends with February.
    ("eu-dora-final", "2026-01-31T18:00+01:00[Europe/Brussels]", "2026-02-28T18:00+01:00"),
    ("vara-event-notice", "2026-05-01T02:00+04:00[Asia/Dubai]", "2026-05-04T02:00+04:00"),
    ("vara-data-follow-up", "2026-05-01T02:00+04:00[Asia/Dubai]", "2026-05-02T02:00+04:00"),
    ("mas-initial-notice", "2026-12-31T23:30+08:00[Asia/Singapore]", "2027-01-01T00:30+08:00"),
    ("mas-root-cause", "2026-12-31T23:30+08:00[Asia/Singapore]", "2027-01-14T23:30+08:00"),
];

#[test]
fn each_regulators_notices_are_due_by_the_clock_on_its_own_wall() {
    let library = shipped();
    for (template, anchor, wall) in NOTICES {
        let mut all = library.clocks.values().flat_map(|c| c.clocks.iter().map(move |k| (c, k)));
        let (clocks, clock) = all.find(|(_, clock)| clock.template == template).unwrap();
        let anchor: jiff::Zoned = anchor.parse().unwrap();
        assert_eq!(anchor.time_zone().iana_name(), Some(clocks.zone.as_str()), "{template}");
        let millis = |at: jiff::Timestamp| {
            Timestamp::from_millis(u64::try_from(at.as_millisecond()).unwrap())
        };
        let due = clock.due(&clocks.zone, millis(anchor.timestamp())).unwrap();
        assert_eq!(due, Due::By(millis(wall.parse().unwrap())), "{template}");
    }
}

#[test]
fn a_hack_is_told_to_the_sfc_at_once_and_no_hour_stands_for_it() {
    let library = shipped();
    let clocks = &library.clocks[&key("sfc 2026-11-20")];
    let clock = clocks.clocks.iter().find(|c| c.template == "sfc-hacking-notice").unwrap();
    let due = clock.due(&clocks.zone, Timestamp::from_millis(1_800_000_000_000)).unwrap();
    assert_eq!(due, Due::Immediately);
}

#[test]
fn the_question_on_notices_knows_the_limit_of_every_event_clock() {
    let library = shipped();
    let decision = &library.decisions[&key("wd 0.1.0").control("WD-15.6")];
    let Some(catalogue::Fixed::Table(limits)) = decision.parameters.get("limits") else {
        panic!("no limits")
    };
    let mut count = 0;
    for clock in library.clocks.values().flat_map(|clocks| &clocks.clocks) {
        if clock.kind != Kind::Event {
            continue;
        }
        let spoken = match &clock.limit {
            Limit::Immediate => "immediate".to_owned(),
            Limit::Within(text) => match text.as_str() {
                "P1M" => "+1 months".to_owned(),
                "P14D" => "+14 days".to_owned(),
                "P30D" => "+30 days".to_owned(),
                "PT0S" => "+0 hours".to_owned(),
                hours => {
                    let number = hours.strip_prefix("PT").and_then(|h| h.strip_suffix('H'));
                    format!("+{} hours", number.unwrap())
                }
            },
        };
        let said = catalogue::Fixed::Text(spoken);
        assert_eq!(limits.get(&clock.template), Some(&said), "{}", clock.template);
        count += 1;
    }
    assert_eq!(limits.len(), count);
}

#[test]
fn every_regulator_has_clocks_and_every_clock_a_zone_a_citation_and_recipients() {
    let library = shipped();
    for id in ["vara", "sfc", "hkma", "mas", "eu", "nydfs"] {
        let clocks = &library.clocks[&key(&format!("{id} 2026-11-20"))];
        assert_ne!(clocks.zone, "UTC", "{id}");
        assert!(!clocks.clocks.is_empty(), "{id}");
        for clock in &clocks.clocks {
            assert!(
                !clock.citation.is_empty() && !clock.recipients.is_empty(),
                "{}",
                clock.template
            );
        }
        let catalogue = &library.catalogues[&key(&format!("{id} 2026-11-20"))];
        for control in &catalogue.controls {
            assert!(control.review_by.is_some(), "{}", control.id);
        }
    }
}
