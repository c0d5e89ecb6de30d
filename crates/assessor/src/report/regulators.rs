//! Where a deployment stands before each regulator, through the maps from the standards that were assessed.

use std::collections::BTreeMap;

mod duties;

use super::standing::{Basis, bars};
use super::text::day;
use super::{Block, Cell, Field, Report, Section, Sheet, Table, Tone};
use crate::assess::derive;
use crate::finding::{Finding, State};
use crate::standard::catalogue::{Catalogue, Confidence, Control};
use crate::standard::{ControlKey, Library, Map};

/// One demand of a regulator, with what maps to it and what follows.
struct Derived<'a> {
    catalogue: &'a Catalogue,
    control: &'a Control,
    mapped: Vec<(ControlKey, &'a Map, Option<&'a Finding>)>,
    state: State,
    reasons: Vec<String>,
}

/// The report, over one or more assessed standards. The first gives date and heads.
///
/// # Errors
/// None where there is at least one basis; otherwise `None`.
pub fn report(bases: &[Basis<'_>]) -> Option<Report> {
    let first = bases.first()?;
    let findings: BTreeMap<&ControlKey, &Finding> = bases
        .iter()
        .flat_map(|b| b.source().results.findings.iter())
        .map(|f| (&f.control, f))
        .collect();
    let all = derived(first.library, &findings);
    let gaps = all.iter().filter(|one| one.state == State::Gap).count();
    let met = all.iter().filter(|one| one.state == State::Met).count();
    let word = format!("{met} of {} met by mapped controls, {gaps} with a gap", all.len());
    let tone = if gaps > 0 { Tone::Bad } else { Tone::Wait };
    let mut report = first.report("Regulators and reference standards".to_owned(), (word, tone));
    report.subject =
        "What follows from the assessed standards, by the maps of this library".to_owned();
    report.notices.push(
        "A demand is met here only where a control that covers it whole is met; all else is a person's to judge. The words are \
         our summaries, not the law's; see citation and confidence (T text read, S secondary source, K not confirmed)."
            .to_owned(),
    );
    report.sections.push(overview(&all));
    let today = day(report.at);
    for catalogue in catalogues(&all) {
        let mut section = section(catalogue, &all, &today);
        if let Some(clocks) = first.library.clocks.get(&catalogue.key()) {
            section.blocks.extend(duties::blocks(first.library, clocks));
        }
        report.sections.push(section);
    }
    report.sections.extend(bases.iter().map(Basis::checkpoints));
    report.sheet = sheet(&all);
    report.fields = all.iter().map(field).collect();
    Some(report)
}

fn derived<'a>(
    library: &'a Library,
    findings: &BTreeMap<&ControlKey, &'a Finding>,
) -> Vec<Derived<'a>> {
    let mut all = Vec::new();
    for catalogue in library.catalogues.values() {
        let key = catalogue.key();
        let decided = |c: &Control| library.decisions.contains_key(&key.control(&c.id));
        if catalogue.controls.iter().any(decided) {
            continue;
        }
        for control in &catalogue.controls {
            let to = key.control(&control.id);
            let mapped: Vec<_> = library
                .mappings
                .values()
                .flat_map(|mappings| {
                    let from: Option<crate::standard::StandardKey> = mappings.from.parse().ok();
                    let maps = mappings
                        .maps
                        .iter()
                        .filter(|m| m.to == to.id && m.standard == to.of().to_string());
                    maps.filter_map(move |map| Some((from.as_ref()?.control(&map.control), map)))
                        .collect::<Vec<_>>()
                })
                .map(|(from, map)| {
                    let finding = findings.get(&from).copied();
                    (from, map, finding)
                })
                .collect();
            let found = mapped.iter().filter_map(|(_, map, finding)| Some(((*finding)?, *map)));
            let (state, reasons) = derive(found);
            all.push(Derived { catalogue, control, mapped, state, reasons });
        }
    }
    all
}

fn catalogues<'a>(all: &[Derived<'a>]) -> Vec<&'a Catalogue> {
    let mut seen: Vec<&Catalogue> = Vec::new();
    for one in all {
        if !seen.iter().any(|catalogue| catalogue.key() == one.catalogue.key()) {
            seen.push(one.catalogue);
        }
    }
    seen
}

fn title(catalogue: &Catalogue) -> String {
    match &catalogue.jurisdiction {
        Some(place) => format!("{} ({place})", catalogue.title),
        None => format!("{} {}", catalogue.title, catalogue.version),
    }
}

fn overview(all: &[Derived<'_>]) -> Section {
    let rows = catalogues(all).into_iter().map(|catalogue| {
        let of = all.iter().filter(|one| one.catalogue.key() == catalogue.key());
        let mut states = BTreeMap::new();
        for one in of {
            let many: &mut u64 = states.entry(one.state).or_default();
            *many = many.saturating_add(1);
        }
        (format!("{} {}", catalogue.id, catalogue.version), states)
    });
    Section::new("In short").with(Block::Figure(bars("Demands of each, by state", rows.collect())))
}

fn section(catalogue: &Catalogue, all: &[Derived<'_>], today: &str) -> Section {
    let of = all.iter().filter(|one| one.catalogue.key() == catalogue.key());
    let rows = of.map(|one| row(one, today)).collect();
    let columns = [
        ("Demand", 13),
        ("What it asks", 29),
        ("Citation", 17),
        ("Applies and review", 13),
        ("Controls that map to it", 17),
        ("State", 11),
    ];
    let columns = columns.map(|(title, share)| (title.to_owned(), share)).to_vec();
    Section::new(title(catalogue))
        .with(Block::Text(catalogue.note.clone()))
        .with(Block::Table(Table { columns, rows }))
}

pub(super) const fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::T => "T",
        Confidence::S => "S",
        Confidence::K => "K",
    }
}

fn mapped(one: &Derived<'_>) -> String {
    let say = |(from, map, finding): &(ControlKey, &Map, Option<&Finding>)| {
        let state = finding.map_or("not assessed", |finding| finding.state.words());
        format!("{} {} ({}): {state}", from.standard, from.id, map.relation.word())
    };
    one.mapped.iter().map(say).collect::<Vec<_>>().join("; ")
}

/// Why each control relates as it does.
fn rationales(one: &Derived<'_>) -> String {
    let say = |(from, map, _): &(ControlKey, &Map, Option<&Finding>)| {
        format!("{} {} ({}): {}", from.standard, from.id, map.relation.word(), map.rationale)
    };
    one.mapped.iter().map(say).collect::<Vec<_>>().join(" | ")
}

fn citation(one: &Derived<'_>) -> String {
    let binding = one.control.binding.as_ref().map_or(String::new(), |b| format!(", {b}"));
    format!("{} [{}{binding}]", one.control.citation, sure(one.control.confidence))
}

/// From when a demand applies and by when its source must be read again, as of `today`.
fn dates(control: &Control, today: &str) -> Cell {
    let from = match control.effective_from.as_deref() {
        None => "no first day known".to_owned(),
        Some(first) if first > today => format!("only from {first}"),
        Some(first) => format!("from {first}"),
    };
    match control.review_by.as_deref() {
        None => Cell::new(format!("{from}; no day of review")),
        Some(by) if by < today => {
            Cell::toned(format!("{from}; review was due by {by}"), Tone::Wait)
        }
        Some(by) => Cell::new(format!("{from}; review by {by}")),
    }
}

fn row(one: &Derived<'_>, today: &str) -> Vec<Cell> {
    let maps = mapped(one);
    vec![
        Cell::exact(&one.control.id),
        Cell::new(format!("{}. {}", one.control.title, one.control.text)),
        Cell::new(citation(one)),
        dates(one.control, today),
        Cell::new(if maps.is_empty() { "none".to_owned() } else { maps }),
        Cell::state(one.state),
    ]
}

fn sheet(all: &[Derived<'_>]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "standard",
        "version",
        "control",
        "title",
        "citation",
        "confidence",
        "binding",
        "effective from",
        "state",
        "reasons",
        "mapped controls",
        "review by",
        "rationales",
    ]);
    for one in all {
        sheet.rows.push(vec![
            one.catalogue.id.clone(),
            one.catalogue.version.clone(),
            one.control.id.clone(),
            one.control.title.clone(),
            one.control.citation.clone(),
            sure(one.control.confidence).to_owned(),
            one.control.binding.clone().unwrap_or_default(),
            one.control.effective_from.clone().unwrap_or_default(),
            one.state.words().to_owned(),
            one.reasons.join("; "),
            mapped(one),
            one.control.review_by.clone().unwrap_or_default(),
            rationales(one),
        ]);
    }
    sheet
}

fn field(one: &Derived<'_>) -> Field {
    let name =
        format!("control.{}.{}.{}.state", one.catalogue.id, one.catalogue.version, one.control.id);
    Field::new(name, one.state.words())
}
