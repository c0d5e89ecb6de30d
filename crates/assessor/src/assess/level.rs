//! Levels: they add up, one failed control stops them, and there is no score.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, State};
use crate::standard::Catalogue;

/// The level of every group, and the lowest of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// The level of the whole, or none.
    pub overall: Option<String>,
    /// One for each group, in the catalogue's order.
    pub groups: Vec<GroupLevel>,
    /// How many findings stand how.
    pub counts: BTreeMap<State, u64>,
}

/// The level of one group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupLevel {
    /// The group.
    pub group: String,
    /// The highest level at which every control of that level and below passes, or none.
    pub level: Option<String>,
    /// The controls of the next level that stop it.
    pub stopped_by: Vec<String>,
}

/// Works out levels from findings. `passes` says which states count; a state that is not sought never should.
pub fn reached(
    catalogue: &Catalogue,
    findings: &[Finding],
    passes: impl Fn(State) -> bool,
) -> Reached {
    let states: BTreeMap<&str, State> =
        findings.iter().map(|finding| (finding.control.id.as_str(), finding.state)).collect();
    let mut counts = BTreeMap::new();
    for state in states.values() {
        let count: &mut u64 = counts.entry(*state).or_default();
        *count = count.saturating_add(1);
    }
    let passed = |id: &str| states.get(id).is_some_and(|state| passes(*state));
    let groups: Vec<(u8, GroupLevel)> =
        catalogue.groups.iter().map(|group| of_group(catalogue, &group.id, passed)).collect();
    let lowest = groups.iter().map(|(rank, _)| *rank).min().unwrap_or(0);
    Reached {
        overall: named(catalogue, lowest),
        groups: groups.into_iter().map(|(_, group)| group).collect(),
        counts,
    }
}

fn of_group(catalogue: &Catalogue, group: &str, passed: impl Fn(&str) -> bool) -> (u8, GroupLevel) {
    let mut rank = 0;
    let mut stopped_by = Vec::new();
    for level in &catalogue.levels {
        let asked = catalogue.controls.iter().filter(|control| {
            control.group == group && catalogue.rank(control.level.as_deref()) == level.rank
        });
        stopped_by = asked.filter(|c| !passed(&c.id)).map(|c| c.id.clone()).collect();
        if !stopped_by.is_empty() {
            break;
        }
        rank = level.rank;
    }
    (rank, GroupLevel { group: group.to_owned(), level: named(catalogue, rank), stopped_by })
}

fn named(catalogue: &Catalogue, rank: u8) -> Option<String> {
    catalogue.levels.iter().find(|level| level.rank == rank).map(|level| level.id.clone())
}
