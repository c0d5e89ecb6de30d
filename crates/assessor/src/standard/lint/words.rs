//! Words that must be there and must be of their own: guides of what people decide, rationales of maps.

use std::collections::BTreeMap;

use crate::standard::catalogue::Control;
use crate::standard::decision::{Automation, Decision};
use crate::standard::library::Library;
use crate::standard::mapping::Map;
use crate::standard::problem::Problem;
use crate::standard::{ControlKey, StandardKey};

/// How many maps of one file may share a rationale, their titles and ids left aside.
const SAME_RATIONALE_MAX: usize = 3;

/// Controls that a person decides or completes, or that no query decides yet, and that do not say what to show, to whom,
/// sampled how, and what is rejected; and guides that stand at two controls.
pub(super) fn guides(library: &Library, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<(StandardKey, &str), &str> = BTreeMap::new();
    for (key, _) in library.decisions.iter().filter(|(_, decision)| by_people(decision)) {
        let Some(control) = library.control(key) else { continue };
        let file = library.file(&format!("catalogue {}", key.of()));
        for (field, said) in parts(control) {
            let said = said.map_or("", str::trim);
            let place = format!("{}.{field}", control.id);
            if said.is_empty() {
                let why = "is missing, and a person has a part in the decision";
                let mend =
                    "say what to show, who shows it to whom, sampled how, and what is rejected";
                problems.push(Problem::new(&file, &place, why, mend));
            } else if field == "shown_to" {
                // The same people may well show two things.
            } else if let Some(other) = first.insert((key.of(), said), &control.id) {
                let why = format!("says the same as that of {other}");
                let mend = "write what is particular to this control";
                problems.push(Problem::new(&file, place, why, mend));
            }
        }
    }
}

/// Whether people need the guide.
fn by_people(decision: &Decision) -> bool {
    let shares = matches!(decision.automation, Automation::Human | Automation::Hybrid);
    shares || decision.human.is_some() || !decision.is_encoded()
}

fn parts(control: &Control) -> [(&'static str, Option<&str>); 4] {
    [
        ("guide", control.guide.as_deref()),
        ("shown_to", control.shown_to.as_deref()),
        ("sampled", control.sampled.as_deref()),
        ("rejected", control.rejected.as_deref()),
    ]
}

/// Rationales that are one sentence with other titles in it: they say that two controls relate and not why.
pub(super) fn rationales(library: &Library, problems: &mut Vec<Problem>) {
    for (id, mappings) in &library.mappings {
        let Ok(from) = mappings.from.parse::<StandardKey>() else { continue };
        let mut shared: BTreeMap<String, Vec<&Map>> = BTreeMap::new();
        for map in &mappings.maps {
            shared.entry(bare(library, &from, map)).or_default().push(map);
        }
        for maps in shared.into_values().filter(|maps| maps.len() > SAME_RATIONALE_MAX) {
            let [map, ..] = maps.as_slice() else { continue };
            let field = format!("{} to {} {}", map.control, map.standard, map.to);
            let why =
                format!("shares its rationale with {} other maps", maps.len().saturating_sub(1));
            let mend = "say what the one asks and how far the other covers it";
            problems.push(Problem::new(library.file(&format!("mapping {id}")), field, why, mend));
        }
    }
}

/// A rationale without the titles and ids that it could have been filled with.
fn bare(library: &Library, from: &StandardKey, map: &Map) -> String {
    let to = map.standard.parse::<StandardKey>().map(|key| key.control(&map.to));
    let ends: Vec<ControlKey> = [from.control(&map.control)].into_iter().chain(to).collect();
    let mut text = map.rationale.to_lowercase();
    for end in &ends {
        let title = library.control(end).map_or("", |control| control.title.as_str());
        for name in [title, end.id.as_str()].into_iter().filter(|name| !name.is_empty()) {
            text = text.replace(&name.to_lowercase(), "_");
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
