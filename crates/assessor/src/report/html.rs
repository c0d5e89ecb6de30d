//! A report as one HTML page: no script, nothing fetched, light and dark, made for screen and paper.
//!
//! The page forbids itself everything but its own style sheet, which is named by its digest.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quorate_terms::Digest;

use super::text::{html, moment};
use super::{Block, Card, Cell, Fact, Report, Section, Table, Tone};

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(report: &Report) -> String {
    let mut out = String::new();
    head(report, &mut out);
    banner(report, &mut out);
    contents(report, &mut out);
    for (place, section) in report.sections.iter().enumerate() {
        of_section(place, section, &mut out);
    }
    let _ = write!(
        out,
        "<footer><p>{} · {} · {}</p></footer>\n</main>\n</body>\n</html>\n",
        html(&report.title),
        html(&moment(report.at)),
        report.edition.words()
    );
    out
}

fn head(report: &Report, out: &mut String) {
    let digest = BASE64.encode(Digest::sha256(STYLE.as_bytes()).as_bytes());
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        html(&report.title)
    );
}

fn banner(report: &Report, out: &mut String) {
    let _ = write!(
        out,
        "<a class=\"skip\" href=\"#s0\">to the first section</a>\n<header>\n<p class=\"edition\">{}</p>\n<h1>{}</h1>\n\
         <p class=\"subject\">{}</p>\n<p>{} <span class=\"date\">{}</span></p>\n</header>\n<main>\n",
        report.edition.words(),
        html(&report.title),
        html(&report.subject),
        chip(report.tone, &report.word),
        html(&moment(report.at))
    );
    if !report.notices.is_empty() {
        out.push_str("<aside>\n");
        for notice in &report.notices {
            let _ = writeln!(out, "<p>{}</p>", html(notice));
        }
        out.push_str("</aside>\n");
    }
}

fn contents(report: &Report, out: &mut String) {
    out.push_str("<nav aria-label=\"Contents\"><ol>\n");
    for (place, section) in report.sections.iter().enumerate() {
        let _ = writeln!(out, "<li><a href=\"#s{place}\">{}</a></li>", html(&section.title));
    }
    out.push_str("</ol></nav>\n");
}

fn of_section(place: usize, section: &Section, out: &mut String) {
    let _ = writeln!(out, "<section id=\"s{place}\">\n<h2>{}</h2>", html(&section.title));
    for block in &section.blocks {
        match block {
            Block::Text(text) => drop(writeln!(out, "<p>{}</p>", html(text))),
            Block::Heading(text) => drop(writeln!(out, "<h3>{}</h3>", html(text))),
            Block::Facts(facts) => of_facts(facts, out),
            Block::Table(table) => of_table(table, out),
            Block::Figure(figure) => {
                let (svg, title) = (figure.svg(), html(&figure.title));
                let _ = writeln!(out, "<figure>{svg}<figcaption>{title}</figcaption></figure>");
            }
            Block::Card(card) => of_card(card, out),
        }
    }
    out.push_str("</section>\n");
}

fn chip(tone: Tone, text: &str) -> String {
    format!("<span class=\"chip t-{}\">{}</span>", tone.name(), html(text))
}

fn value(text: &str, exact: bool) -> String {
    if exact { format!("<code>{}</code>", html(text)) } else { html(text) }
}

fn of_facts(facts: &[Fact], out: &mut String) {
    out.push_str("<dl>\n");
    for fact in facts {
        if !fact.label.is_empty() {
            let _ = write!(out, "<dt>{}</dt>", html(&fact.label));
        }
        let _ = writeln!(out, "<dd>{}</dd>", value(&fact.value, fact.exact));
    }
    out.push_str("</dl>\n");
}

fn of_table(table: &Table, out: &mut String) {
    out.push_str("<div class=\"wide\"><table>\n<thead><tr>");
    for (title, _) in &table.columns {
        let _ = write!(out, "<th scope=\"col\">{}</th>", html(title));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        let cells: String = row.iter().map(of_cell).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</tbody></table></div>\n");
}

fn of_cell(cell: &Cell) -> String {
    match cell.tone {
        Some(tone) => format!("<td>{}</td>", chip(tone, &cell.text)),
        None => format!("<td>{}</td>", value(&cell.text, cell.exact)),
    }
}

fn of_card(card: &Card, out: &mut String) {
    let _ = writeln!(
        out,
        "<article class=\"c-{}\"><h3><span class=\"id\">{}</span> {} {}</h3>",
        card.tone.name(),
        html(&card.id),
        html(&card.title),
        chip(card.tone, &card.word)
    );
    of_facts(&card.facts, out);
    out.push_str("</article>\n");
}
