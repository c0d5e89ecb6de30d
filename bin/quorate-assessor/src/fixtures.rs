//! Every question that is written as SQL, asked of one good year and of the same year with one thing broken.
//!
//! `tests/fixtures/good*.toml` hold rows that meet everything; `meets*.toml` add what only some controls need, and would
//! disturb others; `breaks*.toml` say, for each control, one change after which that control is a gap. What is not in a file
//! is not tested, so the last tests count.

mod local;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use quorate_assessor::assess::{self, Question};
use quorate_assessor::evidence::model::instant;
use quorate_assessor::finding::{EvidenceRef, Finding, Period, State};
use quorate_assessor::standard::decision::Automation;
use quorate_assessor::standard::{ControlKey, Decision};
use quorate_terms::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::engine::Engine;
use crate::library::{self, Shelf};
use crate::run::missing;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Good {
    #[serde(default, rename = "row")]
    rows: Vec<Row>,
}

/// One entry: its kind, when, and its fields in the names of the evidence model. Rows keep the order of the file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kind: String,
    at: String,
    /// Who vouches for it, for attested kinds.
    signer: Option<String>,
    #[serde(default)]
    fields: Map<String, Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Breaks {
    #[serde(default, rename = "break")]
    breaks: Vec<Break>,
}

/// A change that makes one control a gap.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Break {
    /// `ccss 9.0 1.01.1.1`.
    control: String,
    /// Words of the reason that must be given.
    why: String,
    /// Sets fields of the nth row of a kind (from 0).
    set: Option<Set>,
    /// Removes every row of a kind, or the nth.
    remove: Option<Remove>,
    /// Adds a row at the end.
    add: Option<Row>,
}

/// Rows that one control needs besides the good year, where they would disturb others there.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meets {
    #[serde(default, rename = "meet")]
    meets: Vec<Meet>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meet {
    /// The controls that ask for them.
    controls: Vec<String>,
    #[serde(default)]
    set: Vec<Set>,
    #[serde(default)]
    add: Vec<Row>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    kind: String,
    /// Which of that kind: from 0, or from the end, -1 being the last.
    #[serde(default)]
    nth: isize,
    /// A new time, if it moves.
    at: Option<String>,
    #[serde(default)]
    fields: Map<String, Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    kind: String,
    nth: Option<isize>,
}

/// The moment of assessment in every fixture.
const NOW: &str = "2026-11-20T00:00:00.000Z";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn shelf() -> Shelf {
    library::load(&folder("../../standards"))
        .unwrap_or_else(|trouble| panic!("{trouble}\n{}", trouble.problems.join("\n")))
}

fn files<T: serde::de::DeserializeOwned>(start: &str) -> Vec<T> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder("tests/fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(start))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    paths.iter().map(read).collect()
}

fn good() -> Vec<Row> {
    files::<Good>("good").into_iter().flat_map(|good| good.rows).collect()
}

fn breaks() -> Vec<Break> {
    files::<Breaks>("breaks").into_iter().flat_map(|breaks| breaks.breaks).collect()
}

fn time(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    Timestamp::from_millis(u64::try_from(at.as_millisecond()).unwrap())
}

fn key(text: &str) -> ControlKey {
    let (standard, id) = text.rsplit_once(' ').unwrap();
    standard.parse::<quorate_assessor::standard::StandardKey>().unwrap().control(id)
}

/// Fills the tables straight from rows: fields stand under the model's names, so paths of real entries play no part here.
fn tables(shelf: &Shelf, rows: &[Row]) -> Engine {
    let engine = empty(shelf);
    for (index, row) in (0_u64..).zip(rows) {
        load(shelf, &engine, index, row);
    }
    engine
}

fn empty(shelf: &Shelf) -> Engine {
    let mut model = shelf.model.clone();
    for kind in &mut model.kinds {
        kind.paths.clear();
        kind.source = None;
    }
    let mut engine = Engine::new(model, &shelf.views).unwrap();
    engine.want(Engine::everything(&shelf.model));
    engine
}

fn load(shelf: &Shelf, engine: &Engine, index: u64, row: &Row) {
    let kind = shelf.model.kind(&row.kind).unwrap_or_else(|| panic!("no kind {}", row.kind));
    for name in row.fields.keys() {
        assert!(kind.fields.contains(name), "{} records no field `{name}`", row.kind);
    }
    let mut body = row.fields.clone();
    body.insert("type".into(), Json::String(row.kind.clone()));
    let place = ("vault", index);
    engine.load(place, time(&row.at), &Json::Object(body), row.signer.as_deref()).unwrap();
}

fn found(shelf: &Shelf, engine: &Engine, control: &ControlKey) -> Finding {
    assess::assess(&question(shelf, control), engine)
}

fn question<'a>(shelf: &'a Shelf, control: &ControlKey) -> Question<'a> {
    let decision = shelf.library.decisions.get(control);
    let now = time(NOW);
    let evidence = EvidenceRef { tag: "INTERVIEW_1".into(), digest: None, expires: None };
    Question {
        control: control.clone(),
        decision,
        parameters: decision.map(|d| d.parameters.clone()).unwrap_or_default(),
        not_recorded: decision.map(|d| missing(&shelf.model, d)).unwrap_or_default(),
        period: Period { from: now.minus_s(365 * 86_400), to: now },
        now,
        heads: &[],
        newest: now,
        // People have done their part everywhere, so that what the rows say shows.
        evidence: vec![evidence],
    }
}

fn encoded(shelf: &Shelf) -> Vec<ControlKey> {
    let decisions = shelf.library.decisions.iter();
    decisions.filter(|(_, decision)| decision.is_encoded()).map(|(key, _)| key.clone()).collect()
}

fn nth(rows: &[Row], kind: &str, nth: isize) -> usize {
    let places: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].kind == kind).collect();
    let count = isize::try_from(places.len()).unwrap();
    let at = if nth < 0 { count.saturating_add(nth) } else { nth };
    let place = usize::try_from(at).ok().and_then(|at| places.get(at).copied());
    place.unwrap_or_else(|| panic!("no {kind} {nth}"))
}

fn set_it(rows: &mut [Row], set: &Set) {
    let place = nth(rows, &set.kind, set.nth);
    rows[place].fields.extend(set.fields.clone());
    if let Some(at) = &set.at {
        rows[place].at = at.clone();
    }
}

/// The good year, with what this control needs besides.
fn good_for(control: &ControlKey) -> Vec<Row> {
    let mut rows = good();
    let asked = |meet: &Meet| meet.controls.iter().any(|name| key(name) == *control);
    for meet in files::<Meets>("meets").into_iter().flat_map(|file| file.meets).filter(asked) {
        meet.set.iter().for_each(|set| set_it(&mut rows, set));
        rows.extend(meet.add);
    }
    rows
}

fn break_it(rows: &mut Vec<Row>, change: &Break) {
    if let Some(set) = &change.set {
        set_it(rows, set);
    }
    if let Some(remove) = &change.remove {
        match remove.nth {
            Some(n) => drop(rows.remove(nth(rows, &remove.kind, n))),
            None => rows.retain(|row| row.kind != remove.kind),
        }
    }
    rows.extend(change.add.clone());
}

#[test]
fn a_good_year_meets_every_question_that_is_written() {
    let shelf = shelf();
    let mut wrong = Vec::new();
    for control in encoded(&shelf) {
        let finding = found(&shelf, &tables(&shelf, &good_for(&control)), &control);
        if finding.state != State::Met {
            wrong.push(format!("{control}: {:?} {:?}", finding.state, finding.reasons));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_break_makes_its_control_a_gap_and_says_why() {
    let shelf = shelf();
    let mut wrong = Vec::new();
    for change in breaks() {
        let mut rows = good_for(&key(&change.control));
        break_it(&mut rows, &change);
        let finding = found(&shelf, &tables(&shelf, &rows), &key(&change.control));
        let said = finding.reasons.iter().any(|reason| reason.contains(&change.why));
        if finding.state != State::Gap || !said {
            wrong.push(format!("{}: {:?} {:?}", change.control, finding.state, finding.reasons));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn row_74_questions_on_an_empty_book_are_never_met() {
    let shelf = shelf();
    let engine = tables(&shelf, &[]);
    for control in encoded(&shelf) {
        let finding = found(&shelf, &engine, &control);
        assert_ne!(finding.state, State::Met, "{control}");
        assert!(
            !finding.reasons.iter().any(|r| r.contains("has no answer")),
            "{control} {:?}",
            finding.reasons
        );
    }
}

#[test]
fn every_question_that_is_written_has_a_break_and_reads_only_what_is_recorded() {
    let shelf = shelf();
    let broken: BTreeSet<ControlKey> = breaks().iter().map(|b| key(&b.control)).collect();
    let engine = tables(&shelf, &[]);
    let mut reads: BTreeMap<ControlKey, Vec<String>> = BTreeMap::new();
    for control in encoded(&shelf) {
        assert!(broken.contains(&control), "{control} has no break");
        let decision = &shelf.library.decisions[&control];
        let queries = [&decision.population, &decision.exceptions, &decision.unknown];
        for query in queries.into_iter().flatten() {
            let kinds = engine.reads(query).unwrap_or_else(|no| panic!("{control}: {}", no.why));
            let missing = shelf.model.not_recorded(kinds.keys());
            assert!(missing.is_empty(), "{control} reads {missing:?}, which nothing records");
            reads.entry(control.clone()).or_default().extend(kinds.into_keys());
        }
    }
    assert!(
        reads.values().all(|kinds| !kinds.is_empty()),
        "a question that reads nothing shows nothing"
    );
}

/// `tests/fixtures/left-out.toml`: controls whose inputs are all recorded and that carry no question all the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftOut {
    #[serde(default)]
    left: Vec<Left>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Left {
    control: String,
    /// Why no query can decide it.
    why: String,
}

#[test]
fn nothing_that_is_recorded_goes_without_a_question_but_what_is_listed_with_a_reason() {
    let shelf = shelf();
    let decisions = shelf.library.decisions.iter();
    let silent: BTreeSet<String> = decisions
        .filter(|(_, decision)| decision.automation != Automation::Human && !decision.is_encoded())
        .filter(|(_, decision)| missing(&shelf.model, decision).is_empty())
        .map(|(control, _)| control.to_string())
        .collect();
    let left: Vec<Left> = files::<LeftOut>("left-out").into_iter().flat_map(|f| f.left).collect();
    let listed: BTreeSet<String> = left.iter().map(|left| left.control.clone()).collect();
    let new: Vec<_> = silent.difference(&listed).collect();
    assert!(new.is_empty(), "write a question, or a reason: {new:?}");
    let stale: Vec<_> = listed.difference(&silent).collect();
    assert!(stale.is_empty(), "listed and no longer left out: {stale:?}");
    assert!(left.iter().all(|left| !left.why.is_empty()));
}

#[test]
fn the_moments_of_fixtures_are_written_as_queries_compare_them() {
    assert_eq!(instant(time(NOW)), NOW);
}
