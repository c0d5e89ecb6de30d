//! Standards as a reader sees them: lists, one control with its maps, differences, profiles, deadlines, and what to look at.

mod clocks;
mod control;

use std::fmt::Write as _;

use quorate_assessor::standard::catalogue::Fixed;
use quorate_assessor::standard::profile::Resolved;
use quorate_assessor::standard::{Automation, Change, Decision, StandardKey, diff, lint};
use quorate_host::telemetry::safe;
use quorate_host::ui::{Table, Tone, Ui};
use quorate_terms::Malformed;
use serde_json::json;

use crate::cli::Standards;
use crate::commands::control_key;
use crate::library::Shelf;
use crate::run;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// Runs one command.
pub(crate) fn run(shelf: &Shelf, ui: &Ui, command: &Standards) -> Done<Screen> {
    match command {
        Standards::List => list(shelf),
        Standards::Show { what } => match what.parse() {
            Ok(standard) => one_standard(shelf, &standard),
            Err(_) => control::show(shelf, &control_key(shelf, what)?),
        },
        Standards::Diff { standard, old, new } => {
            let key = |version: &String| StandardKey {
                standard: standard.clone(),
                version: version.clone(),
            };
            differences(shelf, ui, &key(old), &key(new))
        }
        Standards::Profile { id } => profile(shelf, id),
        Standards::Due { template, at, also_at } => match template {
            None => match at {
                None => Ok(clocks::all(shelf)),
                Some(at) => clocks::notices(shelf, at),
            },
            Some(template) => clocks::due(shelf, template, at.as_deref(), also_at.as_deref()),
        },
        Standards::Lint { today } => to_look_at(shelf, today.as_deref()),
        Standards::Export(asked) => crate::oscal::export(shelf, asked),
        Standards::Check(asked) => crate::oscal::check(asked),
        Standards::Import(_) => {
            Err(Trouble::fault("import", "is done before standards are read", "report this"))
        }
    }
}

fn list(shelf: &Shelf) -> Done<Screen> {
    let headings = ["standard", "version", "controls", "asked by query", "of", "digest", "title"];
    let mut table = Table::new(&headings);
    let mut all = Vec::new();
    for (key, catalogue) in &shelf.library.catalogues {
        let decisions = shelf.library.decisions.iter().filter(|(control, _)| control.of() == *key);
        let decisions: Vec<_> = decisions.map(|(_, decision)| decision).collect();
        let encoded = decisions.iter().filter(|decision| decision.is_encoded()).count();
        let (count, digest) = (catalogue.controls.len(), catalogue.digest()?);
        table.row([
            &key.standard,
            &key.version,
            &count.to_string(),
            &encoded.to_string(),
            &decisions.len().to_string(),
            &digest.short(),
            &catalogue.title,
        ]);
        all.push(json!({
            "standard": key.standard, "version": key.version, "title": catalogue.title,
            "controls": count, "decisions": decisions.len(), "encoded": encoded,
            "official": catalogue.official, "digest": digest,
        }));
    }
    let profiles: Vec<&String> = shelf.library.profiles.keys().collect();
    let maps: usize = shelf.library.mappings.values().map(|mappings| mappings.maps.len()).sum();
    let clocks: usize = shelf.library.clocks.values().map(|clocks| clocks.clocks.len()).sum();
    let names = profiles.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    let text = format!("{table}\n{maps} maps, {clocks} clocks, profiles: {names}");
    let json = json!({ "standards": all, "maps": maps, "clocks": clocks, "profiles": profiles });
    Ok(Screen::new(text, json))
}

fn one_standard(shelf: &Shelf, key: &StandardKey) -> Done<Screen> {
    let catalogue = run::catalogue(&shelf.library, key)?;
    let mut table = Table::new(&["control", "level", "decided by", "query", "title"]);
    for control in &catalogue.controls {
        let decision = shelf.library.decisions.get(&key.control(&control.id));
        let by = decision.map_or("mapping", |d| d.automation.word());
        let query = if decision.is_some_and(|d| d.is_encoded()) { "yes" } else { "" };
        table.row([&control.id, control.level.as_deref().unwrap_or(""), by, query, &control.title]);
    }
    let title = format!("{} {}", safe(&catalogue.title), catalogue.version);
    let text = format!("{title}\n{}\n\n{table}", safe(&catalogue.note));
    Ok(Screen::new(text, json!({ "catalogue": catalogue, "digest": catalogue.digest()? })))
}

fn differences(shelf: &Shelf, ui: &Ui, old: &StandardKey, new: &StandardKey) -> Done<Screen> {
    let (before, after) =
        (run::catalogue(&shelf.library, old)?, run::catalogue(&shelf.library, new)?);
    let changes = diff::between(&shelf.library, old, new).unwrap_or_default();
    let mut text =
        format!("{old} {} to {new} {}\n", before.digest()?.short(), after.digest()?.short());
    let (mut added, mut removed, mut reused, mut changed) = (0_u32, 0_u32, 0_u32, 0_u32);
    for change in &changes {
        let count = match change {
            Change::Added { .. } => &mut added,
            Change::Removed { .. } => &mut removed,
            Change::Reused { .. } => &mut reused,
            Change::Changed { .. } => &mut changed,
        };
        *count = count.saturating_add(1);
        said(ui, change, &mut text);
    }
    let _ = write!(
        text,
        "\n{added} new, {removed} gone, {reused} ids reused, {changed} fields changed"
    );
    let mut screen = Screen::new(text, json!({ "old": old, "new": new, "changes": changes }));
    screen.well = reused == 0;
    Ok(screen)
}

/// One change: what is long stands on lines of its own, the old above the new.
fn said(ui: &Ui, change: &Change, text: &mut String) {
    let (head, tone, before, after) = match change {
        Change::Added { id, title } => (format!("{id}: new"), Tone::Good, "", title.as_str()),
        Change::Removed { id, title } => (format!("{id}: gone"), Tone::Bad, title.as_str(), ""),
        Change::Reused { id, before, after } => {
            let head = format!("{id}: REUSED, the id stands for something else");
            (head, Tone::Bad, before.as_str(), after.as_str())
        }
        Change::Changed { id, field, before, after } => {
            (format!("{id}: {field}"), Tone::Wait, before.as_str(), after.as_str())
        }
    };
    let _ = writeln!(text, "\n{}", ui.tone(tone, &head));
    for (sign, side) in [("-", before), ("+", after)] {
        for line in side.lines() {
            let _ = writeln!(text, "  {sign} {}", safe(line));
        }
    }
}

fn profile(shelf: &Shelf, id: &str) -> Done<Screen> {
    let Some(profile) = shelf.library.profiles.get(id) else {
        let all: Vec<&str> = shelf.library.profiles.keys().map(String::as_str).collect();
        let next = format!("choose one of: {}", all.join(", "));
        return Err(Trouble::refused(
            "unknown_profile",
            format!("there is no profile `{id}`"),
            next,
        ));
    };
    let resolved = profile.resolve(&shelf.library);
    let mut table = Table::new(&["parameter", "strictest", "rule", "says", "tightens"]);
    for one in &resolved {
        let value = one.setting.value.as_ref().map_or("each its own".to_owned(), value);
        let rule = json!(one.setting.merge);
        let tightens = one.setting.tightens.join(", ");
        let rule = rule.as_str().unwrap_or_default();
        table.row([&one.setting.parameter, &value, rule, &sources(one), &tightens]);
    }
    let mut text = format!("{}\n{}\n\n{table}\n", safe(&profile.title), safe(&profile.rule));
    for conflict in &profile.conflicts {
        let _ = writeln!(text, "conflict: {}", safe(&conflict.title));
        let _ = writeln!(text, "  {}", safe(&conflict.what));
        let _ = writeln!(text, "  between {}", conflict.controls.join(", "));
        let _ = writeln!(text, "  way through: {}", safe(&conflict.way_through));
    }
    Ok(Screen::new(text, json!({ "profile": profile, "resolved": resolved })))
}

fn sources(resolved: &Resolved<'_>) -> String {
    let said = resolved.sources.iter().map(|source| {
        let fixed = source.value.map_or("fixes none".to_owned(), value);
        format!("{} {fixed}", source.control.id)
    });
    said.collect::<Vec<_>>().join(", ")
}

/// A value as a reader would write it.
pub(super) fn value(fixed: &Fixed) -> String {
    match fixed {
        Fixed::Text(text) => safe(text),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// What a keeper should look at: days that passed, rules that begin later, and how much a machine does not ask yet.
fn to_look_at(shelf: &Shelf, today: Option<&str>) -> Done<Screen> {
    let today = match today {
        None => jiff::Zoned::now().date(),
        Some(day) => day
            .parse::<jiff::civil::Date>()
            .map_err(|_| Malformed::new("today", "is no day", "write it as 2026-11-20"))?,
    };
    let today = today.to_string();
    let problems = lint::review(&shelf.library, &today);
    let mut table = Table::new(&["file", "control", "why", "what to do"]);
    let mut shown = 0_usize;
    for p in problems.iter().filter(|p| p.why != lint::NO_QUERIES) {
        table.row([&p.file, &p.field, &p.why, &p.mend]);
        shown = shown.saturating_add(1);
    }
    let mut text = String::new();
    if shown > 0 {
        let _ = writeln!(text, "{table}");
    }
    let (asked, json) = coverage(shelf);
    let _ = write!(text, "{asked}\n{shown} to look at; nothing is broken");
    Ok(Screen::new(text, json!({ "today": today, "problems": problems, "coverage": json })))
}

/// How many decisions a machine has a part in, and how many of these it asks.
fn coverage(shelf: &Shelf) -> (Table, Vec<serde_json::Value>) {
    let headings =
        ["standard", "by machine", "asked", "nothing records it", "query not written", "by people"];
    let mut table = Table::new(&headings);
    let mut all = Vec::new();
    for key in shelf.library.catalogues.keys() {
        let decisions = shelf.library.decisions.iter().filter(|(control, _)| control.of() == *key);
        let (people, machine): (Vec<_>, Vec<_>) =
            decisions.partition(|(_, d)| d.automation == Automation::Human);
        let (asked, open): (Vec<_>, Vec<_>) = machine.iter().partition(|(_, d)| d.is_encoded());
        let missing = |decision: &Decision| !run::missing(&shelf.model, decision).is_empty();
        let waits = open.iter().filter(|(_, d)| missing(d)).count();
        let unwritten = open.len().saturating_sub(waits);
        if machine.is_empty() && people.is_empty() {
            continue;
        }
        let counts = [machine.len(), asked.len(), waits, unwritten, people.len()];
        let cells = counts.iter().map(ToString::to_string);
        table.row([key.to_string()].into_iter().chain(cells));
        all.push(json!({
            "standard": key, "machine": machine.len(), "asked": asked.len(),
            "not_recorded": waits, "not_written": unwritten, "people": people.len(),
        }));
    }
    (table, all)
}

#[cfg(test)]
mod tests;
