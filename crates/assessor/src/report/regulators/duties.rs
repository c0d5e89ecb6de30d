//! What must be told or filed, to whom and by when: each regulator's clocks, in its own time zone.

use super::sure;
use crate::report::{Block, Cell, Table};
use crate::standard::Library;
use crate::standard::clock::{Clock, Clocks, Direction, Kind, Limit};

/// One regulator's clocks as a table, under a line that names the zone.
pub(super) fn blocks(library: &Library, clocks: &Clocks) -> [Block; 2] {
    let told = format!(
        "What must be told, filed or kept. Days, months and years are counted in {}; `quorate-assessor standards due TEMPLATE --at \
         MOMENT` works out a deadline.",
        clocks.zone
    );
    let columns = [
        ("Template", 18),
        ("When", 20),
        ("Limit", 22),
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
            Limit::Within(text) => format!("{text} {side}: {meaning}"),
        }
    };
    let first = one(&clock.limit, &clock.anchor);
    match &clock.also {
        None => first,
        Some(also) => format!("{first}; and {}", one(&also.limit, &also.anchor)),
    }
}
