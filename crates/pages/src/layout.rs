//! How values stand on a page: facts, tables, folded parts, and pages with nothing on them.

use askama::Template;

use crate::Markup;

#[derive(Template)]
#[template(path = "facts.html")]
struct Facts<'a> {
    facts: Vec<(&'a str, Markup)>,
}

/// Labels of our own, each with its value.
pub fn facts(facts: Vec<(&str, Markup)>) -> Markup {
    Markup::of(&Facts { facts })
}

/// The roles are said although tables have them: on a narrow screen each row becomes a block, and some browsers then forget.
#[derive(Template)]
#[template(path = "table.html")]
struct Table<'a> {
    caption: &'a str,
    headings: &'a [&'a str],
    rows: Vec<Vec<(&'a str, Markup)>>,
}

/// A table. The first cell of each row names the row. A row that is short is filled up; a cell without a heading still stands.
pub fn table(caption: &str, headings: &[&str], rows: Vec<Vec<Markup>>) -> Markup {
    let labelled = |row: Vec<Markup>| {
        let width = headings.len().max(row.len());
        let labels = headings.iter().copied().chain(std::iter::repeat(""));
        let cells = row.into_iter().chain(std::iter::repeat(Markup::default()));
        labels.zip(cells).take(width).collect()
    };
    Markup::of(&Table { caption, headings, rows: rows.into_iter().map(labelled).collect() })
}

#[derive(Template)]
#[template(path = "empty.html")]
struct Empty<'a> {
    what: &'a str,
    next: Markup,
}

/// A place with nothing in it: what is not there, and what to do next, where what stands between backticks is code.
pub fn empty(what: &str, next: &str) -> Markup {
    Markup::of(&Empty { what, next: Markup::running(next) })
}

#[derive(Template)]
#[template(path = "details.html")]
struct Details<'a> {
    summary: &'a str,
    inside: Markup,
}

/// A part that opens when asked.
pub fn details(summary: &str, inside: Markup) -> Markup {
    Markup::of(&Details { summary, inside })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_words_are_escaped_wherever_they_stand() {
        let hostile = "\"><b>'&";
        let cell = Markup::text(hostile);
        for part in [
            facts(vec![(hostile, cell.clone())]),
            table(hostile, &[hostile, hostile], vec![vec![cell.clone(), cell.clone()]]),
            empty(hostile, hostile),
            details(hostile, cell),
        ] {
            assert!(!part.as_str().contains("<b>") && !part.as_str().contains("'&"), "{part}");
        }
    }

    #[test]
    fn a_table_names_its_columns_and_rows_and_fills_short_rows() {
        let cell = |words| Markup::text(words);
        let rows = vec![vec![cell("west")], vec![cell("east"), cell("up"), cell("extra")]];
        let shown = table("Cosigners", &["Name", "State"], rows);
        for piece in [
            "<caption>Cosigners</caption>",
            "scope=\"col\">State</th>",
            "scope=\"row\" data-label=\"Name\"><span>west</span></th><td role=\"cell\" data-label=\"State\"><span></span></td>",
            "data-label=\"\"><span>extra</span></td>",
        ] {
            assert!(shown.as_str().contains(piece), "{piece}: {shown}");
        }
    }
}
