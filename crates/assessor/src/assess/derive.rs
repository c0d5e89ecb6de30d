//! Controls that are decided through others: a regulator's control by the controls of a catalogue that map to it.

use crate::finding::{Finding, State};
use crate::standard::{Map, Relation};

/// How a control stands, by the findings of the controls that map to it, each with its map. The rules:
///
/// 1. A control that covers it (`equal`, `superset`) and passes meets it.
/// 2. A gap in a control that asks the same or part of it (`equal`, `subset`) is a gap in it.
/// 3. Everything else proves nothing: a person must judge what the mapped controls leave over.
pub fn derive<'a>(
    mapped: impl IntoIterator<Item = (&'a Finding, &'a Map)>,
) -> (State, Vec<String>) {
    let mapped: Vec<_> = mapped.into_iter().collect();
    if mapped.is_empty() {
        return (State::Unproven, vec!["no control maps to it; a person must judge it".to_owned()]);
    }
    let say = |finding: &Finding, map: &Map| {
        format!("{} ({}) is {}", finding.control.id, map.relation.word(), finding.state.words())
    };
    let gap = mapped.iter().find(|(finding, map)| {
        finding.state == State::Gap && matches!(map.relation, Relation::Equal | Relation::Subset)
    });
    if let Some((finding, map)) = gap {
        return (State::Gap, vec![say(finding, map)]);
    }
    let covered = mapped.iter().find(|(finding, map)| {
        matches!(finding.state, State::Met | State::MetComparable) && map.relation.covers()
    });
    if let Some((finding, map)) = covered {
        return (finding.state, vec![say(finding, map)]);
    }
    let mut reasons: Vec<String> = mapped.iter().map(|(finding, map)| say(finding, map)).collect();
    reasons.push("none of these covers it whole; a person must judge the rest".to_owned());
    (State::Unproven, reasons)
}
