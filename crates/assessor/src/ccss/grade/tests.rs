//! Levels, aspect by aspect.

use proptest::prelude::*;

use super::*;

fn requirement(group: &str, rank: u8, nth: usize) -> Requirement {
    let id = format!("{group}.{nth}");
    Requirement { id, group: group.to_owned(), rank, text: String::new() }
}

/// Aspect a asks at 1, 2, 3; b nothing at 1; c nothing at 2; d nothing at 3.
fn catalogue() -> Vec<Requirement> {
    [("a", 1), ("a", 2), ("a", 3), ("b", 2), ("b", 3), ("c", 1), ("c", 3), ("d", 1), ("d", 2)]
        .into_iter()
        .enumerate()
        .map(|(nth, (group, rank))| requirement(group, rank, nth))
        .collect()
}

fn all(state: State) -> BTreeMap<String, Judged> {
    catalogue().into_iter().map(|r| (r.id, Judged { state, rationale: None })).collect()
}

fn grade(findings: &BTreeMap<String, Judged>, designation: Designation) -> Grade {
    Grade::of(&catalogue(), findings, designation, 3)
}

fn with(id: &str, state: State) -> BTreeMap<String, Judged> {
    let mut findings = all(State::Met);
    findings.insert(id.to_owned(), Judged { state, rationale: None });
    findings
}

#[test]
fn one_requirement_that_fails_stops_the_level_below_it() {
    let table =
        [("a.0", 0), ("a.1", 1), ("a.2", 2), ("b.3", 1), ("b.4", 2), ("c.5", 0), ("d.8", 1)];
    for (id, level) in table {
        for state in [State::Gap, State::Stale, State::Unproven, State::NotSought] {
            let graded = grade(&with(id, state), Designation::SelfCustody);
            assert_eq!(graded.level, level, "{id} {state:?}");
            assert!(graded.aspects.values().any(|a| a.stops == [id.to_owned()]), "{id}");
        }
    }
}

#[test]
fn a_rank_at_which_an_aspect_asks_nothing_is_met_vacuously() {
    let graded = grade(&all(State::Met), Designation::FullSystem);
    assert_eq!(graded.level, 3);
    let vacuous = |group: &str| graded.aspects[group].vacuous.clone();
    assert_eq!(vacuous("a"), BTreeSet::new());
    assert_eq!(vacuous("b"), BTreeSet::from([1]));
    assert_eq!(vacuous("c"), BTreeSet::from([2]));
    assert_eq!(vacuous("d"), BTreeSet::from([3]));
    let failed = grade(&with("b.3", State::Gap), Designation::FullSystem);
    assert_eq!(
        failed.aspects["b"].level, 1,
        "b has no requirement of rank 1, so rank 1 is reached"
    );
}

#[test]
fn a_level_not_sought_never_counts_towards_reaching_it() {
    let mut findings = all(State::Met);
    for r in catalogue().iter().filter(|r| r.rank == 3) {
        findings.insert(r.id.clone(), Judged { state: State::NotSought, rationale: None });
    }
    let graded = Grade::of(&catalogue(), &findings, Designation::SelfCustody, 2);
    assert_eq!(graded.level, 2);
    assert_eq!(graded.aspects["a"].status, Status::InPlace, "the status is of the level sought");
}

#[test]
fn qualified_passes_for_a_provider_and_elsewhere_only_when_documented() {
    let mut findings = with("a.0", State::Qualified);
    assert_eq!(grade(&findings, Designation::Provider).level, 3);
    assert_eq!(grade(&findings, Designation::SelfCustody).level, 0);
    assert_eq!(grade(&findings, Designation::FullSystem).level, 0);
    findings.get_mut("a.0").unwrap().rationale = Some("  ".to_owned());
    assert_eq!(grade(&findings, Designation::FullSystem).level, 0, "blank is no reason");
    findings.get_mut("a.0").unwrap().rationale = Some("the rest is tested as 4.2".to_owned());
    assert_eq!(grade(&findings, Designation::FullSystem).level, 3);
}

#[test]
fn a_comparable_control_without_rationale_does_not_pass() {
    let mut findings = with("a.0", State::MetComparable);
    assert_eq!(grade(&findings, Designation::SelfCustody).level, 0);
    findings.get_mut("a.0").unwrap().rationale = Some("a vault of stone is as strong".to_owned());
    let graded = grade(&findings, Designation::SelfCustody);
    assert_eq!((graded.level, graded.aspects["a"].status), (3, Status::Comparable));
}

#[test]
fn a_requirement_without_a_finding_does_not_pass() {
    let mut findings = all(State::Met);
    findings.remove("d.7");
    assert_eq!(grade(&findings, Designation::SelfCustody).level, 0);
    assert_eq!(
        Grade::of(&[], &findings, Designation::SelfCustody, 3).level,
        0,
        "nothing asked is nothing reached"
    );
}

fn states() -> impl Strategy<Value = Vec<State>> {
    prop::collection::vec(prop::sample::select(State::ALL.to_vec()), 9)
}

fn designations() -> impl Strategy<Value = Designation> {
    prop::sample::select(vec![
        Designation::SelfCustody,
        Designation::Provider,
        Designation::FullSystem,
    ])
}

proptest! {
    #[test]
    fn the_grade_is_what_the_rule_says_word_for_word(states in states(), who in designations()) {
        let catalogue = catalogue();
        let findings: BTreeMap<String, Judged> = catalogue.iter().zip(&states)
            .map(|(r, state)| (r.id.clone(), Judged { state: *state, rationale: None })).collect();
        let every = |rank: u8| catalogue.iter().filter(|r| r.rank <= rank).all(|r| passes(&findings[&r.id], who));
        let expected = (0..=3).filter(|rank| every(*rank)).max().unwrap_or(0);
        prop_assert_eq!(grade(&findings, who).level, expected);
    }

    #[test]
    fn a_finding_that_improves_never_lowers_a_level(states in states(), at in 0_usize..9, who in designations()) {
        let catalogue = catalogue();
        let mut findings: BTreeMap<String, Judged> = catalogue.iter().zip(&states)
            .map(|(r, state)| (r.id.clone(), Judged { state: *state, rationale: None })).collect();
        let before = grade(&findings, who);
        findings.insert(catalogue[at].id.clone(), Judged { state: State::Met, rationale: None });
        let after = grade(&findings, who);
        prop_assert!(after.level >= before.level);
        for (group, aspect) in &before.aspects {
            prop_assert!(after.aspects[group].level >= aspect.level);
        }
    }
}
