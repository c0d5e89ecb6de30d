//! Rows for other programs: CSV by RFC 4180, in which no cell can act as a formula.

use serde::Serialize;

use super::Field;
use super::text::plain;

/// Rows under titles.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Sheet {
    /// Titles.
    pub columns: Vec<String>,
    /// Rows, each as long as the titles.
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A sheet with titles.
    pub fn new(columns: &[&str]) -> Self {
        Self { columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows: Vec::new() }
    }

    /// Named values as a sheet.
    pub fn of(fields: &[Field]) -> Self {
        let rows = fields.iter().map(|f| vec![f.name.clone(), f.value.clone()]).collect();
        Self { rows, ..Self::new(&["name", "value"]) }
    }

    /// The sheet as CSV. Lines end in CRLF, every cell is quoted, and a cell that a spreadsheet could take for a formula
    /// begins with an apostrophe.
    pub fn csv(&self) -> String {
        let mut out = String::new();
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            out.push_str(&cells.join(","));
            out.push_str("\r\n");
        }
        out
    }
}

/// One cell. What begins with one of the signs that begin a formula, also after spaces or in its wide form, is held as text.
fn quoted(cell: &str) -> String {
    let cell = plain(cell);
    let begins =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%');
    let guard = if cell.trim_start().starts_with(begins) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}
