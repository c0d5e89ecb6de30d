use std::cell::RefCell;

use super::*;
use crate::standard::profile::Merge;
use crate::standard::{Catalogue, Map, Relation};

/// Answers by query text: how many rows, or why not. What real SQL gives is tested where the engine is.
#[derive(Default)]
struct Canned {
    answers: BTreeMap<&'static str, Result<u64, &'static str>>,
    asked: RefCell<Vec<(String, BTreeMap<String, Value>)>>,
}

impl Rows for Canned {
    fn ask(
        &self,
        query: &str,
        parameters: &BTreeMap<String, Value>,
        keep: usize,
    ) -> Result<Answer, NoAnswer> {
        self.asked.borrow_mut().push((query.to_owned(), parameters.clone()));
        let found = self.answers.iter().find(|(text, _)| query.contains(**text));
        let count = found.map_or(Ok(0), |(_, answer)| *answer);
        let count = count.map_err(|why| NoAnswer { why: why.to_owned() })?;
        let row = |index: u64| {
            BTreeMap::from([
                ("book".to_owned(), Value::Text("vault".into())),
                ("idx".to_owned(), Value::Integer(i64::try_from(index).unwrap())),
                ("why".to_owned(), Value::Text(format!("row {index} is bad"))),
            ])
        };
        let kept = count.min(u64::try_from(keep).unwrap());
        Ok(Answer { count, rows: (0..kept).map(row).collect() })
    }
}

const NOW: u64 = 1_800_000_000_000;

fn decision(text: &str) -> Decision {
    let head = "control = \"c\"\nautomation = \"ledger\"\npredicate = \"p\"\non_empty = \"gap\"\n";
    let queries = "population = \"ALL\"\nexceptions = \"BROKEN\"\n";
    let mut lines: BTreeMap<&str, &str> = BTreeMap::new();
    for line in head.lines().chain(queries.lines()).chain(text.lines()) {
        lines.insert(line.split(' ').next().unwrap(), line);
    }
    let whole: Vec<&str> = lines.values().filter(|l| !l.ends_with("absent")).copied().collect();
    toml::from_str(&whole.join("\n")).unwrap()
}

fn key() -> ControlKey {
    ControlKey { standard: "toy".into(), version: "1".into(), id: "c".into() }
}

fn found_with(
    decision: &Decision,
    counts: (Result<u64, &'static str>, Result<u64, &'static str>),
    change: impl FnOnce(&mut Question<'_>),
) -> Finding {
    let rows = Canned {
        answers: BTreeMap::from([("ALL", counts.0), ("BROKEN", counts.1)]),
        ..Canned::default()
    };
    let now = Timestamp::from_millis(NOW);
    let mut question = Question {
        control: key(),
        decision: Some(decision),
        parameters: decision.parameters.clone(),
        not_recorded: Vec::new(),
        period: Period { from: now.minus_s(86_400), to: now },
        now,
        heads: &[],
        newest: now,
        evidence: Vec::new(),
    };
    change(&mut question);
    assess(&question, &rows)
}

fn state(text: &str, all: u64, broken: u64) -> State {
    found_with(&decision(text), (Ok(all), Ok(broken)), |_| ()).state
}

fn evidence(expires: Option<u64>) -> Vec<EvidenceRef> {
    let expires = expires.map(Timestamp::from_millis);
    vec![EvidenceRef { tag: "DOCUMENT_1".into(), digest: None, expires }]
}

#[test]
fn what_the_rows_say_decides_and_an_empty_record_says_what_the_control_says() {
    assert_eq!(state("", 3, 0), State::Met);
    assert_eq!(state("", 3, 1), State::Gap);
    assert_eq!(state("", 0, 0), State::Gap);
    assert_eq!(state("on_empty = \"unproven\"", 0, 0), State::Unproven);
    assert_eq!(state("on_empty = \"not_applicable\"", 0, 0), State::EvidencedNotApplicable);
    assert_eq!(
        state("", 0, 1),
        State::Gap,
        "an exception without a population is a gap all the same"
    );
}

#[test]
fn row_74_a_question_that_fails_is_unproven_and_never_met() {
    let decision = decision("");
    for counts in [(Err("no such table"), Ok(0)), (Ok(3), Err("too many rows"))] {
        let finding = found_with(&decision, counts, |_| ());
        assert_eq!(finding.state, State::Unproven);
        assert!(finding.reasons[0].contains("has no answer") && finding.machine.is_none());
    }
}

#[test]
fn what_the_records_do_not_tell_is_unproven_unless_something_breaks_it_anyway() {
    let decision = decision("unknown = \"SILENT\"");
    let with = |silent: Result<u64, &'static str>, broken: u64| {
        let answers = BTreeMap::from([("ALL", Ok(3)), ("BROKEN", Ok(broken)), ("SILENT", silent)]);
        let rows = Canned { answers, ..Canned::default() };
        let mut state = None;
        let _ = found_with(&decision, (Ok(3), Ok(0)), |q| state = Some(assess(q, &rows)));
        state.unwrap()
    };
    assert_eq!(with(Ok(0), 0).state, State::Met);
    let silent = with(Ok(1), 0);
    assert_eq!((silent.state, silent.reasons[1].as_str()), (State::Unproven, "row 0 is bad"));
    assert_eq!(with(Err("no"), 0).state, State::Unproven);
    assert_eq!(with(Ok(1), 1).state, State::Gap);
}

#[test]
fn a_control_without_queries_or_without_a_decision_is_unproven() {
    let none = decision("population = absent\nexceptions = absent");
    let finding = found_with(&none, (Ok(1), Ok(0)), |q| q.not_recorded = vec!["LogCopied".into()]);
    assert_eq!(
        (finding.state, finding.reasons[0].as_str()),
        (State::Unproven, "not yet recorded: LogCopied")
    );
    let finding = found_with(&none, (Ok(1), Ok(0)), |q| q.decision = None);
    assert_eq!(finding.state, State::Unproven);
}

#[test]
fn a_persons_part_is_never_skipped_and_expires() {
    let hybrid = decision("automation = \"hybrid\"\nhuman = \"interview\"");
    let with =
        |evidence: Vec<EvidenceRef>| found_with(&hybrid, (Ok(1), Ok(0)), |q| q.evidence = evidence);
    assert_eq!(with(Vec::new()).state, State::Unproven);
    assert!(with(Vec::new()).reasons[1].contains("interview"));
    assert_eq!(with(evidence(None)).state, State::Met);
    assert_eq!(with(evidence(Some(NOW))).state, State::Met);
    assert_eq!(with(evidence(Some(NOW - 1))).state, State::Stale);
    let gap = found_with(&hybrid, (Ok(1), Ok(1)), |q| q.evidence = evidence(None));
    assert_eq!(gap.state, State::Gap, "no document mends what the records show");
    let human = decision(
        "automation = \"human\"\npopulation = absent\nexceptions = absent\npredicate = absent",
    );
    assert_eq!(found_with(&human, (Ok(1), Ok(0)), |_| ()).state, State::Unproven);
    let shown = found_with(&human, (Ok(1), Ok(0)), |q| q.evidence = evidence(None));
    assert_eq!(shown.state, State::Met);
}

#[test]
fn evidence_older_than_the_control_allows_is_stale() {
    let fresh = decision("freshness = \"P1D\"");
    let at =
        |age_s: u64| found_with(&fresh, (Ok(1), Ok(0)), |q| q.newest = q.now.minus_s(age_s)).state;
    assert_eq!((at(86_400), at(86_401)), (State::Met, State::Stale));
    let rows =
        Canned { answers: BTreeMap::from([("ConfigurationCaptured", Ok(1))]), ..Canned::default() };
    let configured = decision("freshness = \"P1D\"\nconfiguration = [\"storage.drbg\"]");
    let mut asked = None;
    let _ = found_with(&configured, (Ok(1), Ok(0)), |q| asked = stale(&configured, q, &rows));
    assert!(asked.unwrap().contains("no capture newer"));
}

#[test]
fn a_finding_cites_query_population_exceptions_and_entries() {
    let finding = found_with(&decision(""), (Ok(120), Ok(60)), |_| ());
    let part = finding.machine.unwrap();
    assert_eq!((part.population, part.exceptions), (120, 60));
    assert_eq!((part.cited.len(), part.shown.len()), (CITED_MAX, EXCEPTIONS_MAX));
    assert_eq!(part.shown[1].entry, Some(EntryRef { book: "vault".into(), index: 1 }));
    let other = found_with(&decision("exceptions = \"BROKEN 2\""), (Ok(1), Ok(0)), |_| ());
    assert_ne!(part.query, other.machine.unwrap().query);
    let later = found_with(&decision(""), (Ok(1), Ok(0)), |q| q.now = q.now.plus_s(5));
    assert_eq!(part.query, later.machine.unwrap().query, "the same question has the same digest");
}

#[test]
fn durations_reach_queries_as_seconds_too() {
    let decision = decision("parameters = { age = \"P90D\", spare = 2, strict = true }");
    let question_bound = |question: &Question<'_>| bound(question).unwrap();
    let mut got = BTreeMap::new();
    let _ = found_with(&decision, (Ok(1), Ok(0)), |q| got = question_bound(q));
    assert_eq!(got["age_s"], Value::Integer(90 * 86_400));
    assert_eq!((&got["spare"], &got["strict"]), (&Value::Integer(2), &Value::Integer(1)));
    for (text, expected) in
        [("PT1H30M", 5400), ("P1Y", 31_536_000), ("P1M", 2_592_000), ("PT0S", 0)]
    {
        assert_eq!(seconds(text), Some(expected), "{text}");
    }
    assert_eq!((seconds("soon"), seconds("-PT1H")), (None, None));
}

#[test]
fn a_profile_tightens_and_never_loosens() {
    let text = |s: &str| Fixed::Text(s.to_owned());
    for (own, profile, merge, expected) in [
        (text("P90D"), text("P30D"), Merge::Min, text("P30D")),
        (text("P30D"), text("P90D"), Merge::Min, text("P30D")),
        (text("PT1H"), text("immediate"), Merge::Min, text("immediate")),
        (text("immediate"), text("PT1H"), Merge::Min, text("immediate")),
        (Fixed::Integer(90), Fixed::Integer(98), Merge::Max, Fixed::Integer(98)),
        (Fixed::Integer(98), Fixed::Integer(90), Merge::Max, Fixed::Integer(98)),
        (text("word"), text("P1D"), Merge::Min, text("word")),
        (Fixed::Integer(1), Fixed::Integer(2), Merge::None, Fixed::Integer(1)),
    ] {
        assert_eq!(tightened(&own, &profile, merge), expected, "{own:?} {profile:?}");
    }
}

fn finding(id: &str, state: State) -> Finding {
    let mut finding = found_with(&decision(""), (Ok(1), Ok(0)), |_| ());
    finding.control.id = id.to_owned();
    finding.state = state;
    finding
}

#[test]
fn a_control_that_is_decided_through_others_is_met_only_by_one_that_covers_it() {
    let map = |relation| Map {
        control: "c".into(),
        standard: "x 1".into(),
        to: "y".into(),
        relation,
        confidence: crate::standard::catalogue::Confidence::K,
        rationale: "r".into(),
    };
    let derived = |pairs: &[(State, Relation)]| {
        let pairs: Vec<_> = pairs.iter().map(|(s, r)| (finding("c", *s), map(*r))).collect();
        derive(pairs.iter().map(|(finding, map)| (finding, map))).0
    };
    use Relation::{Equal, Intersects, Subset, Superset};
    use State::{EvidencedNotApplicable, Gap, Met, NotSought, Stale, Unproven};
    for (pairs, expected) in [
        (vec![], Unproven),
        (vec![(Met, Equal)], Met),
        (vec![(Met, Superset)], Met),
        (vec![(Met, Subset)], Unproven),
        (vec![(Met, Intersects)], Unproven),
        (vec![(Met, Superset), (Gap, Subset)], Gap),
        (vec![(Met, Equal), (Gap, Intersects)], Met),
        (vec![(Gap, Superset)], Unproven),
        (vec![(Stale, Equal)], Unproven),
        (vec![(EvidencedNotApplicable, Equal), (NotSought, Superset)], Unproven),
    ] {
        assert_eq!(derived(&pairs), expected, "{pairs:?}");
    }
}

#[test]
fn levels_add_up_and_one_failed_control_stops_them() {
    let catalogue: Catalogue =
        toml::from_str(include_str!("../../../../standards/ccss/9.0/catalogue.toml")).unwrap();
    let level = |failing: &[&str]| {
        let findings: Vec<Finding> = catalogue
            .controls
            .iter()
            .map(|c| {
                let failed = failing.contains(&c.id.as_str());
                finding(&c.id, if failed { State::Gap } else { State::Met })
            })
            .collect();
        reached(&catalogue, &findings, |state| state == State::Met)
    };
    assert_eq!(level(&[]).overall.as_deref(), Some("III"));
    assert_eq!(level(&["1.05.1.2"]).overall.as_deref(), Some("II"));
    assert_eq!(level(&["1.03.2.2"]).overall.as_deref(), Some("I"));
    let none = level(&["1.03.2.1", "1.03.2.2"]);
    assert_eq!(none.overall, None);
    let group = none.groups.iter().find(|g| g.group == "1.03").unwrap();
    assert_eq!(
        (group.level.as_deref(), group.stopped_by.as_slice()),
        (None, &["1.03.2.1".to_owned()][..])
    );
    assert_eq!(none.counts[&State::Gap], 2);
    assert_eq!(
        reached(&catalogue, &[], |_| true).overall,
        None,
        "what has no finding does not pass"
    );
}
