//! A report as Typst markup, from which the compiler makes a PDF.
//!
//! The markup is a template of ours and calls of its functions. Outside text stands in string literals only, so that none of it
//! is ever markup. The date is the report's own: the same report gives the same file.

use std::fmt::Write as _;

use super::text::{day, moment, typst};
use super::{Block, Card, Fact, Report, Section, Table};

const TEMPLATE: &str = include_str!("template.typ");
/// The longest words before they may break: in running text, in a cell, and where each character counts.
const RUN: usize = 48;
const CELL_RUN: usize = 14;
const EXACT_RUN: usize = 72;
/// A card of so few letters and facts stays on one page; a longer one may not fit on any.
const WHOLE: usize = 2_000;
const WHOLE_FACTS: usize = 16;

/// The markup.
pub fn markup(report: &Report) -> String {
    let mut out = String::from(TEMPLATE);
    let edition = report.edition.words();
    let _ = writeln!(
        out,
        "#show: report.with(title: {}, subject: {}, word: {}, tone: {}, day: {}, at: {}, date: {}, edition: {})",
        typst(&report.title, RUN),
        typst(&report.subject, RUN),
        typst(&report.word, RUN),
        typst(report.tone.name(), RUN),
        typst(&day(report.at), RUN),
        typst(&moment(report.at), RUN),
        report.at.written(
            "datetime(year: %-Y, month: %-m, day: %-d, hour: %-H, minute: %-M, second: %-S)"
        ),
        typst(edition, RUN),
    );
    for notice in &report.notices {
        let _ = writeln!(out, "#notice({})", typst(notice, RUN));
    }
    out.push_str("#contents()\n");
    for section in &report.sections {
        of_section(section, &mut out);
    }
    out
}

fn of_section(section: &Section, out: &mut String) {
    let _ = writeln!(out, "#section({})", typst(&section.title, RUN));
    for (left, block) in (0..section.blocks.len()).rev().zip(&section.blocks) {
        match block {
            Block::Text(text) => {
                let _ = writeln!(out, "#words({}, ends: {})", typst(text, RUN), left == 0);
            }
            Block::Heading(text) => drop(writeln!(out, "#part({})", typst(text, RUN))),
            Block::Facts(facts) => drop(writeln!(out, "#facts(({}))", of_facts(facts))),
            Block::Table(table) => of_table(table, out),
            Block::Figure(figure) => {
                let svg = figure.svg().replace('\\', "\\\\").replace('"', "\\\"");
                let (title, alt) = (typst(&figure.title, RUN), typst(&figure.alt, usize::MAX));
                let _ = writeln!(out, "#drawing({title}, {alt}, \"{svg}\")");
            }
            Block::Card(card) => of_card(card, out),
        }
    }
}

fn of_facts(facts: &[Fact]) -> String {
    let fact = |fact: &Fact| {
        let run = if fact.exact { EXACT_RUN } else { RUN };
        format!("({}, {}, {}),", typst(&fact.label, CELL_RUN), typst(&fact.value, run), fact.exact)
    };
    facts.iter().map(fact).collect()
}

fn of_table(table: &Table, out: &mut String) {
    let widths: String = table.columns.iter().map(|(_, share)| format!("{share}fr,")).collect();
    let titles: String =
        table.columns.iter().map(|(title, _)| format!("{},", typst(title, CELL_RUN))).collect();
    let _ = write!(out, "#rows(({widths}), ({titles}), (");
    for row in &table.rows {
        out.push('(');
        for (cell, (_, share)) in row.iter().zip(&table.columns) {
            let tone = cell.tone.map_or("", super::Tone::name);
            // A column has about as many characters as its share of a hundred.
            let run = usize::from(*share).clamp(10, 64);
            let _ = write!(out, "({}, \"{tone}\", {}),", typst(&cell.text, run), cell.exact);
        }
        out.push_str("),\n");
    }
    out.push_str("))\n");
}

fn of_card(card: &Card, out: &mut String) {
    let letters: usize = card.facts.iter().map(|fact| fact.value.len()).sum();
    let _ = writeln!(
        out,
        "#card({}, {}, {}, \"{}\", {}, ({}))",
        typst(&card.id, RUN),
        typst(&card.title, RUN),
        typst(&card.word, RUN),
        card.tone.name(),
        letters <= WHOLE && card.facts.len() <= WHOLE_FACTS,
        of_facts(&card.facts)
    );
}
