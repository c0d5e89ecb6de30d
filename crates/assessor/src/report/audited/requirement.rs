//! The requirements of a report on compliance, one after another: status, statement, the five places for evidence, samples,
//! and what the machine found.

use quorate_terms::Malformed;
use serde_json::Value;

use super::Made;
use super::value::V;
use crate::ccss::status::{NotApplicable, Status};
use crate::finding::Finding;
use crate::report::{Block, Card, Cell, Fact, Field, Section, Sheet, Tone, cite};
use crate::standard::catalogue::Control;

/// The five places for evidence.
const SLOTS: [&str; 5] = ["interviews", "observations", "documents", "inspections", "decisions"];
/// What stands where nobody judged.
const OPEN: &str = "not judged";

/// One section for each group, in which each requirement stands once.
pub(super) fn sections(
    made: &Made<'_>,
    hidden: &dyn Fn(Vec<Fact>) -> Vec<Fact>,
) -> Result<Vec<Section>, Malformed> {
    let mut sections = Vec::new();
    for group in &made.basis.catalogue.groups {
        let mut section = Section::new(format!("{} {}", group.id, group.title));
        for control in made.basis.catalogue.controls.iter().filter(|c| c.group == group.id) {
            section.blocks.push(Block::Card(card(made, control, hidden)?));
        }
        sections.push(section);
    }
    Ok(sections)
}

fn found<'a>(made: &'a Made<'_>, control: &Control) -> Option<V<'a>> {
    let findings = made.value.pointer("/findings")?.as_object()?;
    findings.get(&control.id).map(V)
}

fn card(
    made: &Made<'_>,
    control: &Control,
    hidden: &dyn Fn(Vec<Fact>) -> Vec<Fact>,
) -> Result<Card, Malformed> {
    let mut facts = vec![
        Fact::new("Asks", &control.text),
        Fact::new("Level", control.level.as_deref().unwrap_or("every")),
    ];
    if let Some(share) = made.value.pointer("/inherited/shares").and_then(|s| s.get(&control.id)) {
        facts.push(Fact::new("Owned by", V(share).word("/owner")));
    }
    let Some(found) = found(made, control) else {
        facts.push(Fact::new("Finding", "Nobody has judged this requirement."));
        return Ok(whole(control, OPEN.to_owned(), Tone::Wait, facts));
    };
    facts.push(Fact::new("Finding", found.text("/statement")));
    if found.at("/rationale").is_some() {
        facts.push(Fact::new("Rationale", found.text("/rationale")));
    }
    facts.extend(SLOTS.map(|slot| Fact::new(capital(slot), cites(&found, slot))));
    if !found.list("/samples").is_empty() {
        facts.push(Fact::new("Samples", found.text("/samples")));
    }
    let machine = found.text("/machine");
    if !machine.is_empty() {
        facts.push(Fact::exact("Machine", format!("finding sha256 {machine}")));
        if let Some(finding) = of_machine(made, control, &machine)? {
            facts.extend(hidden(traced(finding, made)?));
        }
    }
    let (word, tone) = (status_words(&found, "/status"), status_tone(&found, "/status"));
    Ok(whole(control, word, tone, facts))
}

fn whole(control: &Control, word: String, tone: Tone, facts: Vec<Fact>) -> Card {
    Card { id: control.id.clone(), title: control.title.clone(), word, tone, facts }
}

/// The machine's finding on record whose digest the auditor named.
fn of_machine<'a>(
    made: &Made<'a>,
    control: &Control,
    named: &str,
) -> Result<Option<&'a Finding>, Malformed> {
    let Some(results) = made.basis.results else { return Ok(None) };
    let Some(finding) = results.findings.iter().find(|f| f.control.id == control.id) else {
        return Ok(None);
    };
    Ok((cite::digest(finding)?.to_string() == named).then_some(finding))
}

/// A redacted copy cites no single row.
fn traced(finding: &Finding, made: &Made<'_>) -> Result<Vec<Fact>, Malformed> {
    let own = cite::digest(finding)?;
    if !made.redacted {
        return Ok(cite::facts(finding, &own));
    }
    let mut counts = finding.clone();
    counts.reasons.truncate(1);
    if let Some(part) = &mut counts.machine {
        for exception in &mut part.shown {
            exception.why = "[redacted: tells of a single row]".to_owned();
        }
    }
    Ok(cite::facts(&counts, &own))
}

fn cites(found: &V<'_>, slot: &str) -> String {
    let at = format!("/slots/{slot}");
    match found.at(&at).map(|v| v.0) {
        Some(Value::String(said)) if said == "not_applicable" => "not applicable".to_owned(),
        Some(Value::Object(_)) => found.text(&format!("{at}/cites")),
        Some(_) => found.text(&at),
        None => "not said".to_owned(),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn status(v: &V<'_>, at: &str) -> Option<Status> {
    serde_json::from_value(v.at(at)?.0.clone()).ok()
}

/// A status in the words that are printed, or what stands there instead.
pub(super) fn status_words(v: &V<'_>, at: &str) -> String {
    status(v, at).map_or_else(|| v.text(at), |status| status.words().to_owned())
}

fn status_tone(v: &V<'_>, at: &str) -> Tone {
    match status(v, at) {
        Some(Status::InPlace) => Tone::Good,
        Some(
            Status::Comparable
            | Status::Qualified
            | Status::NotApplicable(NotApplicable::Evidenced),
        ) => Tone::Part,
        Some(Status::NotInPlace) => Tone::Bad,
        Some(Status::NotApplicable(NotApplicable::NotSought)) | None => Tone::Faint,
    }
}

/// The same as a cell.
pub(super) fn status_cell(v: &V<'_>, at: &str) -> Cell {
    match v.at(at) {
        Some(_) => Cell::toned(status_words(v, at), status_tone(v, at)),
        None => Cell::new(""),
    }
}

const COLUMNS: [&str; 13] = [
    "requirement",
    "title",
    "group",
    "level",
    "status",
    "finding",
    "rationale",
    "interviews",
    "observations",
    "documents",
    "inspections",
    "committee decisions",
    "machine finding sha256",
];

/// One row for each requirement.
pub(super) fn sheet(made: &Made<'_>) -> Sheet {
    let mut sheet = Sheet::new(&COLUMNS);
    for control in &made.basis.catalogue.controls {
        let found = found(made, control);
        let of = |at: &str| found.map_or_else(String::new, |found| found.text(at));
        let status = found.map_or_else(|| OPEN.to_owned(), |found| status_words(&found, "/status"));
        let mut row = vec![
            control.id.clone(),
            control.title.clone(),
            control.group.clone(),
            control.level.clone().unwrap_or_default(),
            status,
            of("/statement"),
            of("/rationale"),
        ];
        row.extend(SLOTS.map(|slot| found.map_or_else(String::new, |found| cites(&found, slot))));
        row.push(of("/machine"));
        sheet.rows.push(row);
    }
    sheet
}

/// Named values of each requirement.
pub(super) fn fields(made: &Made<'_>) -> Vec<Field> {
    // From the status to the last of the five places for evidence.
    let named = COLUMNS.iter().skip(4).take(8);
    let names: Vec<&str> = named.map(|name| name.trim_start_matches("committee ")).collect();
    let rows = sheet(made).rows;
    let of = |row: &Vec<String>| {
        let id = row.first().cloned().unwrap_or_default();
        let values = row.iter().skip(4);
        names
            .iter()
            .zip(values)
            .map(|(name, value)| Field::new(format!("requirement.{id}.{name}"), value))
            .collect::<Vec<_>>()
    };
    rows.iter().flat_map(of).collect()
}
