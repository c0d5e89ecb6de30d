//! Which level is reached: per aspect and overall. Levels add up; there is no score and no percentage.
//!
//! `aspect level` = the highest L such that every requirement of the aspect with rank up to L passes; `overall` = the lowest
//! of the aspects. A rank at which an aspect asks nothing is met vacuously. 0 means no certification.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::designation::Designation;
use super::requirement::{Requirement, top};
use super::status::Status;
use crate::finding::State;

/// How one requirement stands, with what the auditor wrote about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// How it stands.
    pub state: State,
    /// Why a comparable control is as good, or why a qualified finding passes outside a provider.
    pub rationale: Option<String>,
}

/// The outcome.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grade {
    /// The overall level's rank; 0 means no certification.
    pub level: u8,
    /// Each aspect, by its id.
    pub aspects: BTreeMap<String, Aspect>,
}

/// One aspect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aspect {
    /// The level's rank.
    pub level: u8,
    /// The status of the whole aspect up to the level sought: its worst.
    pub status: Status,
    /// What stops the next level, by id.
    pub stops: Vec<String>,
    /// Ranks up to `level` at which the aspect asks nothing.
    pub vacuous: BTreeSet<u8>,
}

impl Grade {
    /// Grades findings by requirement id. A requirement without a finding is unproven and does not pass.
    pub fn of(
        requirements: &[Requirement],
        findings: &BTreeMap<String, Judged>,
        designation: Designation,
        sought: u8,
    ) -> Self {
        let highest = top(requirements);
        let groups: BTreeSet<&str> = requirements.iter().map(|r| r.group.as_str()).collect();
        let aspects: BTreeMap<String, Aspect> = groups
            .into_iter()
            .map(|group| {
                let of: Vec<&Requirement> =
                    requirements.iter().filter(|r| r.group == group).collect();
                (group.to_owned(), aspect(&of, findings, designation, sought, highest))
            })
            .collect();
        let level = aspects.values().map(|aspect| aspect.level).min().unwrap_or(0);
        Self { level, aspects }
    }
}

/// Whether a finding lets its requirement count. Qualified is a provider's; elsewhere it needs a documented reason. A
/// comparable control needs its rationale. "Not sought" never counts.
pub fn passes(judged: &Judged, designation: Designation) -> bool {
    let reasoned = judged.rationale.as_ref().is_some_and(|why| !why.trim().is_empty());
    match judged.state {
        State::Met | State::EvidencedNotApplicable => true,
        State::MetComparable => reasoned,
        State::Qualified => designation == Designation::Provider || reasoned,
        State::Gap | State::NotSought | State::Stale | State::Unproven => false,
    }
}

fn aspect(
    of: &[&Requirement],
    findings: &BTreeMap<String, Judged>,
    designation: Designation,
    sought: u8,
    highest: u8,
) -> Aspect {
    let fails = |r: &&&Requirement| !findings.get(&r.id).is_some_and(|f| passes(f, designation));
    let lowest = of.iter().filter(fails).map(|r| r.rank).min();
    let level = lowest.map_or(highest, |rank| rank.saturating_sub(1));
    let stopping = |r: &&&Requirement| Some(r.rank) == lowest && fails(r);
    let asked: BTreeSet<u8> = of.iter().map(|r| r.rank).collect();
    Aspect {
        level,
        status: overall(of.iter().filter(|r| r.rank <= sought), findings, designation),
        stops: of.iter().filter(stopping).map(|r| r.id.clone()).collect(),
        vacuous: (1..=level).filter(|rank| !asked.contains(rank)).collect(),
    }
}

/// The worst status of an aspect. What does not pass is not in place, whatever it is called.
fn overall<'a>(
    of: impl Iterator<Item = &'a &'a Requirement>,
    findings: &BTreeMap<String, Judged>,
    designation: Designation,
) -> Status {
    let status = |r: &&Requirement| match findings.get(&r.id) {
        Some(judged) if passes(judged, designation) => Status::from(judged.state),
        _ => Status::NotInPlace,
    };
    let worse = |status: &Status| match status {
        Status::NotApplicable(_) => 0_u8,
        Status::InPlace => 1,
        Status::Comparable => 2,
        Status::Qualified => 3,
        Status::NotInPlace => 4,
    };
    of.map(status).max_by_key(worse).unwrap_or(Status::InPlace)
}

#[cfg(test)]
mod tests;
