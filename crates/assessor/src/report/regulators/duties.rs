//! What must be told or filed, to whom and by when: each regulator's clocks, in its own time zone.

use super::sure;
use crate::report::{Block, Cell, Table};
use crate::standard::Library;
use crate::standard::clock::{Clock, Clocks, Direction, Kind, Limit};

/// One regulator's clocks as a table, under a line that names the zone.
pub(super) fn blocks(library: &Library, clocks: &Clocks) -> [Block; 2] {
    let told = format!(
        "What must be told, filed or kept. Days, months and years are counted in {}; “standards due TEMPLATE --at MOMENT” works \
         out a deadline.",
        clocks.zone
    );
    let columns = [
        ("Template", 21),
        ("When", 18),
        ("Limit", 21),
        ("What it holds, and who gets it", 24),
        ("Citation", 16),
    ];
    let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
    let rows = clocks.clocks.iter().map(|clock| row(library, clock)).collect();
    [Block::Text(told), Block::Table(Table { columns, rows })]
}

fn row(library: &Library, clock: &Clock) -> Vec<Cell> {
    let kind = match clock.kind {
        Kind::Event => "when it happens",
        Kind::Periodic => "each period",
        Kind::Retention => "kept",
    };
    let holds = clock.required_fields.join(", ").replace('_', " ");
    vec![
        Cell::exact(&clock.template),
        Cell::new(format!("{} ({kind})", clock.event)),
        Cell::new(limits(library, clock)),
        Cell::new(format!("{holds}; to {}", clock.recipients.join(", "))),
        Cell::new(format!("{} [{}]", clock.citation, sure(clock.confidence))),
    ]
}

/// An ISO 8601 duration in words: `P3M15D` is 3 months 15 days.
fn spoken(duration: &str) -> String {
    let (days, hours) = duration.split_once('T').unwrap_or((duration, ""));
    let names = [("Y", "year"), ("M", "month"), ("W", "week"), ("D", "day")];
    let clock = [("H", "hour"), ("M", "minute"), ("S", "second")];
    let mut words = Vec::new();
    for (part, units) in [(days, names.as_slice()), (hours, clock.as_slice())] {
        let mut number = String::new();
        for letter in part.trim_start_matches('P').chars() {
            if letter.is_ascii_digit() {
                number.push(letter);
                continue;
            }
            let unit = units.iter().find(|(sign, _)| *sign == letter.to_string());
            let Some((_, unit)) = unit else { return duration.to_owned() };
            let plural = if number == "1" { "" } else { "s" };
            words.push(format!("{number} {unit}{plural}"));
            number.clear();
        }
    }
    if words.is_empty() { duration.to_owned() } else { words.join(" ") }
}

/// A limit with what it runs from, and the second where there is one.
fn limits(library: &Library, clock: &Clock) -> String {
    let side = match clock.direction {
        Direction::After => "after",
        Direction::Before => "before",
    };
    let one = |limit: &Limit, anchor: &String| {
        let meaning = library.anchors.get(anchor).map_or(anchor.as_str(), String::as_str);
        let meaning = meaning.trim_end_matches('.');
        match limit {
            Limit::Immediate => format!("at once: {meaning}"),
            Limit::Within(text) if text == "PT0S" => format!("{side}: {meaning}"),
            Limit::Within(text) => format!("{} {side}: {meaning}", spoken(text)),
        }
    };
    let first = one(&clock.limit, &clock.anchor);
    match &clock.also {
        None => first,
        Some(also) => format!("{first}; and {}", one(&also.limit, &also.anchor)),
    }
}

#[cfg(test)]
mod tests {
    use super::spoken;

    #[test]
    fn a_duration_is_told_in_words_and_what_is_none_as_it_stands() {
        for (written, told) in [
            ("PT1H", "1 hour"),
            ("PT72H", "72 hours"),
            ("P3M15D", "3 months 15 days"),
            ("P1M", "1 month"),
            ("PT5M", "5 minutes"),
            ("P1DT12H", "1 day 12 hours"),
            ("soon", "soon"),
            ("", ""),
        ] {
            assert_eq!(spoken(written), told, "{written}");
        }
    }
}
