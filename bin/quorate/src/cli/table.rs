//! Columns that line up whether or not they are coloured: widths are counted before colour is put on.

use std::fmt::Write as _;

use quorate_host::telemetry::safe;
use quorate_host::ui::{Tone, Ui};

/// A cell: its text, and its colour if it means something.
pub(crate) struct Cell(String, Option<Tone>);

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self(safe(&text), None)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self(safe(text), None)
    }
}

impl Cell {
    /// A cell with a colour.
    pub(crate) fn toned(tone: Tone, text: impl AsRef<str>) -> Self {
        Self(safe(text.as_ref()), Some(tone))
    }
}

/// Rows under headings.
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|h| Cell::toned(Tone::Strong, h)).collect()] }
    }

    /// A table without headings: names and values.
    pub(crate) const fn plain() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// The table as text, coloured as the caller wants it.
    pub(crate) fn show(&self, ui: &Ui) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.0.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let last = row.len().saturating_sub(1);
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let width = if at == last { 0 } else { *width };
                let padded = format!("{:width$}", cell.0);
                let shown = cell.1.map_or_else(|| padded.clone(), |tone| ui.tone(tone, &padded));
                let gap = if at == last { "" } else { "  " };
                let _infallible = write!(text, "{shown}{gap}");
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_outside_text_stays_in_its_line() {
        let mut table = Table::new(&["case", "state"]);
        table.row(["c1".into(), Cell::toned(Tone::Good, "settled")]);
        table.row(["case-2".into(), "waits\nforged\u{1b}[2J".into()]);
        let shown = table.show(&Ui::new(false, true));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert_eq!(lines[0], "case    state");
        assert_eq!(lines[1], "c1      settled");
        assert!(lines[2].starts_with("case-2  waits") && !shown.contains('\u{1b}'), "{shown:?}");
    }
}
