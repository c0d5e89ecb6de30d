//! What a level needs to know of one requirement. It comes from a catalogue.

use serde::{Deserialize, Serialize};

use crate::standard::catalogue::Catalogue;

/// One requirement, as far as grading and auditing must know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its id in the catalogue.
    pub id: String,
    /// The aspect or domain that it belongs to.
    pub group: String,
    /// The rank of its level, from 1. Its place in the id says nothing about it.
    pub rank: u8,
    /// Title, our paraphrase and criteria as one text: what a finding must not merely echo.
    pub text: String,
}

/// The highest rank among the requirements; 0 for none.
pub fn top(requirements: &[Requirement]) -> u8 {
    requirements.iter().map(|r| r.rank).max().unwrap_or(0)
}

/// The requirements of a catalogue, in its order. A control of no level is asked of everybody: it stands at rank 1.
pub fn requirements(catalogue: &Catalogue) -> Vec<Requirement> {
    let of = |control: &crate::standard::catalogue::Control| Requirement {
        id: control.id.clone(),
        group: control.group.clone(),
        rank: catalogue.rank(control.level.as_deref()).max(1),
        text: [control.title.as_str(), control.text.as_str()]
            .into_iter()
            .chain(control.criteria.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(". "),
    };
    catalogue.controls.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::ccss::{Designation, Grade, Judged};
    use crate::finding::State;

    fn shipped() -> Vec<Requirement> {
        let text = include_str!("../../../../standards/ccss/9.0/catalogue.toml");
        requirements(&toml::from_str(text).unwrap())
    }

    #[test]
    fn the_shipped_catalogue_has_thirty_eighteen_and_eleven_requirements_in_ten_aspects() {
        let all = shipped();
        let of = |rank| all.iter().filter(|r| r.rank == rank).count();
        assert_eq!((all.len(), of(1), of(2), of(3), top(&all)), (59, 30, 18, 11, 3));
        assert_eq!(all.iter().map(|r| &r.group).collect::<BTreeSet<_>>().len(), 10);
        assert!(all.iter().all(|r| r.text.len() > 40));
    }

    #[test]
    fn three_aspects_of_the_shipped_catalogue_ask_nothing_at_one_level() {
        let met = |r: Requirement| (r.id, Judged { state: State::Met, rationale: None });
        let findings: BTreeMap<String, Judged> = shipped().into_iter().map(met).collect();
        let grade = Grade::of(&shipped(), &findings, Designation::SelfCustody, 3);
        assert_eq!(grade.level, 3);
        let vacuous: Vec<(&str, Vec<u8>)> = grade
            .aspects
            .iter()
            .filter(|(_, aspect)| !aspect.vacuous.is_empty())
            .map(|(id, aspect)| (id.as_str(), aspect.vacuous.iter().copied().collect()))
            .collect();
        assert_eq!(vacuous, [("1.02", vec![1]), ("1.06", vec![2]), ("2.03", vec![3])]);
    }

    #[test]
    fn one_failed_requirement_of_the_first_level_anywhere_gives_no_level() {
        let all = shipped();
        for failed in &all {
            let state = |r: &Requirement| if r.id == failed.id { State::Gap } else { State::Met };
            let judged =
                |r: &Requirement| (r.id.clone(), Judged { state: state(r), rationale: None });
            let findings = all.iter().map(judged).collect();
            let grade = Grade::of(&all, &findings, Designation::SelfCustody, 3);
            assert_eq!(grade.level, failed.rank.saturating_sub(1), "{}", failed.id);
        }
    }
}
