//! How a line of a finding is traced: query, population, exceptions, entries, period, heads, what people showed.

use std::collections::BTreeMap;

use quorate_terms::{Digest, Malformed, canonical};

use super::text::{day, moment};
use super::{Block, Cell, Fact, Section, Table};
use crate::finding::{EntryRef, Finding, Head, MachinePart, Period};

/// SHA-256 of a finding's canonical bytes: by it an auditor's judgement names the machine's finding.
///
/// # Errors
/// [`Malformed`] never happens for a finding that was made or read here.
pub fn digest(finding: &Finding) -> Result<Digest, Malformed> {
    Ok(Digest::sha256(&canonical::to_bytes(finding, "finding")?))
}

/// Everything that a finding rests on. `own` is its digest: of the finding itself, also in a copy with strokes.
pub fn facts(finding: &Finding, own: &Digest) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (place, reason) in finding.reasons.iter().enumerate() {
        facts.push(Fact::new(if place == 0 { "Because" } else { "" }, reason));
    }
    if let Some(part) = &finding.machine {
        machine(part, &mut facts);
    }
    for (place, shown) in finding.evidence.iter().enumerate() {
        let until = shown.expires.map_or(String::new(), |at| format!(", until {}", day(at)));
        let label = if place == 0 { "Shown by people" } else { "" };
        facts.push(Fact::new(label, format!("{}{until}", shown.tag)));
        if let Some(digest) = shown.digest {
            facts.push(Fact::exact("", format!("sha256 {digest}")));
        }
    }
    facts.push(Fact::new("Period", period(finding.period)));
    facts.push(Fact::exact("Finding", format!("sha256 {own}")));
    facts
}

/// From and to.
pub fn period(period: Period) -> String {
    format!("{} to {}", moment(period.from), moment(period.to))
}

fn machine(part: &MachinePart, facts: &mut Vec<Fact>) {
    facts.push(Fact::exact("Query", part.query));
    facts.push(Fact::new("Population", rows(part.population)));
    facts.push(Fact::new("Exceptions", rows(part.exceptions)));
    for exception in &part.shown {
        let place = exception
            .entry
            .as_ref()
            .map_or("no entry".to_owned(), |entry| format!("{} entry {}", entry.book, entry.index));
        facts.push(Fact::new("", format!("{place}: {}", exception.why)));
    }
    let left = part.exceptions.saturating_sub(len(part.shown.len()));
    if left > 0 {
        facts.push(Fact::new("", format!("and {left} more; the query gives them all")));
    }
    for (place, line) in entries(&part.cited).into_iter().enumerate() {
        facts.push(Fact::exact(if place == 0 { "Entries" } else { "" }, line));
    }
    let cited = len(part.cited.len());
    if part.population > cited && cited > 0 {
        let more = part.population.saturating_sub(cited);
        facts.push(Fact::new("", format!("and {more} more rows; the query gives them all")));
    }
    let heads: Vec<String> = part.heads.iter().map(head).collect();
    facts.push(Fact::exact("Verified under", heads.join("; ")));
}

/// A head in one line; the table of heads has the whole root.
fn head(head: &Head) -> String {
    let root: String = head.root.to_string().chars().take(16).collect();
    format!("{}@{} {root}…", head.book, head.size)
}

fn rows(many: u64) -> String {
    if many == 1 { "1 row".to_owned() } else { format!("{many} rows") }
}

fn len(many: usize) -> u64 {
    u64::try_from(many).unwrap_or(u64::MAX)
}

/// One line for each book: its places, neighbours joined.
pub fn entries(cited: &[EntryRef]) -> Vec<String> {
    let mut books: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for entry in cited {
        books.entry(&entry.book).or_default().push(entry.index);
    }
    let line = |(book, mut places): (&str, Vec<u64>)| {
        places.sort_unstable();
        places.dedup();
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for place in places {
            match runs.last_mut() {
                Some((_, last)) if last.saturating_add(1) == place => *last = place,
                _ => runs.push((place, place)),
            }
        }
        let run = |(a, b): &(u64, u64)| if a == b { a.to_string() } else { format!("{a}-{b}") };
        format!("{book}: {}", runs.iter().map(run).collect::<Vec<_>>().join(", "))
    };
    books.into_iter().map(line).collect()
}

/// The heads that everything rests on, and how to check a line against them.
pub fn checkpoints(heads: &[Head], results: &Digest) -> Section {
    let row = |head: &Head| {
        vec![Cell::exact(&head.book), Cell::new(head.size.to_string()), Cell::exact(head.root)]
    };
    let columns =
        vec![("Book".to_owned(), 26), ("Entries".to_owned(), 10), ("Root".to_owned(), 64)];
    Section::new("Checkpoints, and how to check a line")
        .with(Block::Text(
            "Every row that a query saw was read from an entry that is proved under one of these heads.".to_owned(),
        ))
        .with(Block::Table(Table { columns, rows: heads.iter().map(row).collect() }))
        .with(Block::Facts(vec![Fact::exact("Results file", format!("sha256 {results}"))]))
        .with(Block::Text(
            "To check a line: compare the head with the witnesses' (`quorate-verify ledger BOOK --checkpoint NOTE --policy POLICY`), \
             then read the entry at the index given; `quorate-assessor show CONTROL --proofs DIR` writes it with its proof. Or take \
             the book into an office of your own, assess with the same standards, and compare query digest, population and \
             exceptions. A finding's own digest stands in its last line."
                .to_owned(),
        ))
}
