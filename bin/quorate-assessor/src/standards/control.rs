//! One control, whole, without any evidence: what it asks, how it is decided, what it maps to.

use std::fmt::Write as _;

use quorate_assessor::standard::catalogue::Control;
use quorate_assessor::standard::{ControlKey, Decision, Map};
use quorate_host::telemetry::safe;
use quorate_host::ui::Table;
use serde_json::json;

use super::value;
use crate::library::Shelf;
use crate::run;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

pub(super) fn show(shelf: &Shelf, key: &ControlKey) -> Done<Screen> {
    let library = &shelf.library;
    let catalogue = run::catalogue(library, &key.of())?;
    let Some(control) = library.control(key) else {
        let message = format!("`{key}` is no control");
        return Err(Trouble::refused("unknown_control", message, "mend the id"));
    };
    let decision = library.decisions.get(key);
    let leads: Vec<_> = library.maps_from(key).collect();
    let comes: Vec<_> = library.maps_to(key).collect();
    let official = if catalogue.official { "" } else { " (our words, not the publisher's)" };
    let mut text = format!("{key}{official}\n{}\n\n", safe(&control.title));
    asks(control, &mut text);
    if let Some(decision) = decision {
        decided(shelf, decision, &mut text);
    }
    let mut table = Table::new(&["map", "relation", "control", "sure", "rationale"]);
    rows("to", &leads, &mut table);
    rows("from", &comes, &mut table);
    if !leads.is_empty() || !comes.is_empty() {
        let _ = write!(text, "\n{table}");
    }
    let map = |(other, map): &(ControlKey, &Map)| json!({ "control": other, "map": map });
    let json = json!({
        "control": control, "decision": decision, "digest": catalogue.digest()?,
        "maps_to": leads.iter().map(map).collect::<Vec<_>>(),
        "mapped_from": comes.iter().map(map).collect::<Vec<_>>(),
    });
    Ok(Screen::new(text, json))
}

fn rows(direction: &str, maps: &[(ControlKey, &Map)], table: &mut Table) {
    for (other, map) in maps {
        let sure = format!("{:?}", map.confidence);
        let other = other.to_string();
        table.row([direction, map.relation.word(), &other, &sure, &map.rationale]);
    }
}

fn row(text: &mut String, label: &str, said: &str) {
    if !said.is_empty() {
        let _ = writeln!(text, "{label:<13}{}", safe(said));
    }
}

fn asks(control: &Control, text: &mut String) {
    let opt = |field: &Option<String>| field.clone().unwrap_or_default();
    row(text, "asks", &control.text);
    for criterion in &control.criteria {
        row(text, "criterion", criterion);
    }
    row(text, "why", &opt(&control.rationale));
    row(text, "group", &control.group);
    row(text, "level", &opt(&control.level));
    row(text, "citation", &control.citation);
    row(text, "sure", &format!("{:?}", control.confidence));
    row(text, "binding", &opt(&control.binding));
    row(text, "from", &opt(&control.effective_from));
    row(text, "review by", &opt(&control.review_by));
    row(text, "who", &opt(&control.who));
    row(text, "assets", &opt(&control.assets));
    row(text, "when", &opt(&control.applies_when));
    row(text, "cadence", &opt(&control.cadence));
    row(text, "evidence", &control.evidence.join(", "));
    row(text, "if asked", &control.evidence_optional.join(", "));
    for (label, said) in control.guided() {
        row(text, &label.to_lowercase(), said);
    }
    row(text, "not where", &opt(&control.not_applicable));
    row(text, "leans on", &control.depends_on.join(", "));
    row(text, "answers", &control.threats.join(", "));
    for parameter in &control.parameters {
        let fixed = parameter.value.as_ref().map_or("fixes none".to_owned(), value);
        row(text, "parameter", &format!("{} = {fixed}", parameter.name));
    }
    row(text, "note", &opt(&control.note));
}

fn decided(shelf: &Shelf, decision: &Decision, text: &mut String) {
    let opt = |field: &Option<String>| field.clone().unwrap_or_default();
    text.push('\n');
    row(text, "decided by", decision.automation.word());
    row(text, "question", &opt(&decision.predicate));
    for (name, fixed) in &decision.parameters {
        row(text, "parameter", &format!("{name} = {}", value(fixed)));
    }
    row(text, "fresh", &opt(&decision.freshness));
    row(text, "people show", &opt(&decision.human));
    row(text, "met by", &opt(&decision.satisfied_by));
    row(text, "note", &opt(&decision.note));
    let missing = run::missing(&shelf.model, decision);
    if !missing.is_empty() {
        row(text, "not recorded", &missing.join(", "));
    }
    for (label, query) in [
        ("population", &decision.population),
        ("exceptions", &decision.exceptions),
        ("unknown", &decision.unknown),
    ] {
        if let Some(query) = query {
            let _ = writeln!(text, "\n{label}, as SQL over verified entries:\n{}", query.trim());
        }
    }
}
