//! What is wrong with standards that can be read: ids given twice, references to nothing, parameters that nobody set, days
//! that have passed.

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Control};
use super::decision::{Automation, Decision};
use super::library::Library;
use super::problem::Problem;
use super::{ControlKey, StandardKey};

mod inputs;
mod profiles;
mod words;

pub use inputs::inputs;

/// What must hold before anything is assessed. [`Library::load`] refuses files in which it does not.
pub(super) fn structure(library: &Library) -> Vec<Problem> {
    let mut problems = Vec::new();
    for catalogue in library.catalogues.values() {
        catalogues(library, catalogue, &mut problems);
    }
    for (key, decision) in &library.decisions {
        decisions(library, key, decision, &mut problems);
    }
    mappings(library, &mut problems);
    words::guides(library, &mut problems);
    words::rationales(library, &mut problems);
    profiles::check(library, &mut problems);
    clocks(library, &mut problems);
    problems
}

/// What [`review`] says of a decision that a machine should make and has no queries for.
pub const NO_QUERIES: &str = "has no queries: unproven, not yet recorded";

/// What a keeper of standards should look at by `today` (ISO 8601): days of review that have passed, rules that apply only
/// later, and what a machine should decide and cannot yet.
pub fn review(library: &Library, today: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, catalogue) in &library.catalogues {
        let file = library.file(&format!("catalogue {key}"));
        for control in &catalogue.controls {
            if control.review_by.as_deref().is_some_and(|day| day < today) {
                let mend = "read the source again, then set a new review_by";
                problems.push(Problem::new(
                    &file,
                    &control.id,
                    "its day of review has passed",
                    mend,
                ));
            }
            if control.effective_from.as_deref().is_some_and(|day| day > today) {
                let mend = "assess it as not yet in force";
                problems.push(Problem::new(&file, &control.id, "applies only later", mend));
            }
        }
    }
    for (key, decision) in &library.decisions {
        if decision.automation != Automation::Human && !decision.is_encoded() {
            let file = library.file(&format!("decision {key}"));
            let mend = "add population and exceptions once this build records what they read";
            problems.push(Problem::new(file, &decision.control, NO_QUERIES, mend));
        }
    }
    problems.sort();
    problems
}

fn catalogues(library: &Library, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    let file = library.file(&format!("catalogue {}", catalogue.key()));
    let mut say = |field: &str, why: &str, mend: &str| {
        problems.push(Problem::new(&file, field, why, mend));
    };
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if catalogue.id.is_empty() || !catalogue.id.chars().all(word) {
        say("id", "is not a word", "use lower-case letters, digits and hyphens");
    }
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let starts = catalogue.version.starts_with(|c: char| c.is_ascii_digit());
    if !starts || !catalogue.version.chars().all(part) {
        say("version", "makes no sense", "begin with a digit; use letters, digits, dots, hyphens");
    }
    if !is_day(&catalogue.as_of) {
        say("as_of", "is no day", "write it as 2026-11-20");
    }
    if catalogue.controls.is_empty() {
        say("control", "is missing", "a catalogue has at least one control");
    }
    for (what, ids) in [
        ("level", catalogue.levels.iter().map(|l| l.id.as_str()).collect::<Vec<_>>()),
        ("group", catalogue.groups.iter().map(|g| g.id.as_str()).collect()),
        ("control", catalogue.controls.iter().map(|c| c.id.as_str()).collect()),
    ] {
        for id in twice(&ids) {
            say(&format!("{what} {id}"), "is given twice", "give each id once");
        }
    }
    let ranks = catalogue.levels.iter().zip(1_u8..).all(|(level, rank)| level.rank == rank);
    if !ranks {
        say("level", "ranks do not run 1, 2, 3", "list levels from lowest to highest");
    }
    let ids: BTreeSet<&str> = catalogue.controls.iter().map(|c| c.id.as_str()).collect();
    for control in &catalogue.controls {
        controls(catalogue, &ids, control, &mut say);
    }
}

fn controls(
    catalogue: &Catalogue,
    ids: &BTreeSet<&str>,
    control: &Control,
    say: &mut impl FnMut(&str, &str, &str),
) {
    let field = |name: &str| format!("{}.{name}", control.id);
    if !catalogue.groups.iter().any(|group| group.id == control.group) {
        say(&field("group"), "names no group", "add the group or mend the name");
    }
    let known = |level: &String| catalogue.levels.iter().any(|l| l.id == *level);
    let fits = match &control.level {
        Some(level) => known(level),
        None => catalogue.levels.is_empty(),
    };
    if !fits {
        say(&field("level"), "names no level of this catalogue", "name one of its levels");
    }
    for other in &control.depends_on {
        if !ids.contains(other.as_str()) {
            say(&field("depends_on"), "names no control", "mend the id or leave it out");
        }
    }
    for (name, text) in [("text", &control.text), ("citation", &control.citation)] {
        if text.trim().is_empty() {
            say(&field(name), "is empty", "say it in a sentence");
        }
    }
    if control.effective_from.as_deref().is_some_and(|day| !is_day(day) && !is_month(day)) {
        say(&field("effective_from"), "is no day or month", "write it as 2026-11-20 or 2026-11");
    }
    if control.review_by.as_deref().is_some_and(|day| !is_day(day)) {
        say(&field("review_by"), "is no day", "write it as 2026-11-20");
    }
}

fn decisions(
    library: &Library,
    key: &ControlKey,
    decision: &Decision,
    problems: &mut Vec<Problem>,
) {
    let file = library.file(&format!("decision {key}"));
    let mut say = |field: &str, why: String, mend: &str| {
        let field = format!("{}.{field}", decision.control);
        problems.push(Problem::new(&file, field, why, mend));
    };
    if library.control(key).is_none() {
        say("control", "names no control of that standard".into(), "mend the id");
    }
    let is_human = decision.automation == Automation::Human;
    if is_human != decision.predicate.is_none() {
        let mend = "a machine's part has a predicate, a person's has none";
        say("predicate", "does not fit the automation".into(), mend);
    }
    if !is_human && decision.on_empty.is_none() {
        say("on_empty", "is missing".into(), "say what an empty population means; never met");
    }
    if decision.population.is_some() != decision.exceptions.is_some() {
        say("population", "stands without its pair".into(), "give population and exceptions");
    }
    if decision.unknown.is_some() && !decision.is_encoded() {
        say("unknown", "stands without its pair".into(), "give population and exceptions");
    }
    if is_human && decision.is_encoded() {
        say("population", "decides what a person must".into(), "remove it");
    }
    let text = decision.predicate.as_deref().unwrap_or_default();
    for name in braced(text) {
        if !decision.parameters.contains_key(name) {
            say("parameters", format!("lack `{name}`"), "set it, or mend the predicate");
        }
    }
}

fn mappings(library: &Library, problems: &mut Vec<Problem>) {
    for (id, mappings) in &library.mappings {
        let file = library.file(&format!("mapping {id}"));
        let mut say = |field: String, why: &str, mend: &str| {
            problems.push(Problem::new(&file, field, why, mend));
        };
        let Some(from) = known(library, &mappings.from) else {
            say("from".into(), "names no standard that is loaded", "load it too, or mend the name");
            continue;
        };
        let mut seen = BTreeSet::new();
        for map in &mappings.maps {
            let field = format!("{} to {} {}", map.control, map.standard, map.to);
            if library.control(&from.control(&map.control)).is_none() {
                say(field.clone(), "maps from nothing", "mend the control's id");
            }
            let target = known(library, &map.standard).map(|key| key.control(&map.to));
            if target.and_then(|key| library.control(&key)).is_none() {
                say(field.clone(), "maps to nothing", "mend the id, or load that standard");
            }
            if map.rationale.trim().is_empty() {
                say(field.clone(), "gives no rationale", "say why they relate so");
            }
            if !seen.insert((&map.control, &map.standard, &map.to)) {
                say(field, "is given twice", "give each pair one relation");
            }
        }
    }
}

fn clocks(library: &Library, problems: &mut Vec<Problem>) {
    for (key, clocks) in &library.clocks {
        let file = library.file(&format!("clocks {key}"));
        let mut say = |field: &str, why: &str, mend: &str| {
            problems.push(Problem::new(&file, field, why, mend));
        };
        if !library.catalogues.contains_key(key) {
            say("standard", "is not loaded", "load its catalogue too");
        }
        if jiff::tz::TimeZone::get(&clocks.zone).is_err() {
            say("zone", "is no time zone", "use an IANA name, such as Asia/Singapore");
        }
        let templates: Vec<&str> = clocks.clocks.iter().map(|c| c.template.as_str()).collect();
        for template in twice(&templates) {
            say(template, "is given twice", "give each template once");
        }
        for clock in &clocks.clocks {
            let also = clock.also.iter().map(|also| &also.anchor);
            let mut anchors = [&clock.anchor].into_iter().chain(also);
            if !anchors.all(|anchor| library.anchors.contains_key(anchor)) {
                say(&clock.template, "starts from no anchor", "add it to clocks/anchors.toml");
            }
            if clock.after.as_deref().is_some_and(|after| !templates.contains(&after)) {
                say(&clock.template, "comes after nothing", "mend the template's name");
            }
        }
    }
}

fn known(library: &Library, name: &str) -> Option<StandardKey> {
    name.parse().ok().filter(|key| library.catalogues.contains_key(key))
}

/// The names in braces: parameters of a predicate.
pub(super) fn braced(text: &str) -> Vec<&str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
}

/// Ids that occur more than once, each once.
fn twice<'a>(ids: &[&'a str]) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    ids.iter().copied().filter(|id| !seen.insert(*id)).collect()
}

/// Some publishers name only the month in which a rule begins.
fn is_month(text: &str) -> bool {
    is_day(&format!("{text}-01"))
}

fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}
