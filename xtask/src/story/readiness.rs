//! What the year's ledger says of the vault: an office takes the book in, people say what no ledger can, and the controls
//! are asked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::Done;
use crate::demo::Narrator;
use crate::run;
use crate::stage::{Office, Stage, text};

/// What people said, and when.
const SAID: &str = include_str!("said.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    said: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statement {
    kind: String,
    person: String,
    days_ago: i64,
    fields: BTreeMap<String, String>,
}

/// Opens the office and takes in what there is.
pub(super) fn take_in<'a>(stage: &'a Stage, narrator: &mut Narrator) -> Done<Office<'a>> {
    narrator.chapter("An office takes the year in");
    let office = Office::open(stage, "alder")?;
    office.says(&["pin", &stage.at("desk/verify.json")])?;
    let size = office.take_book()?;
    narrator.expect(size > 300, &format!("{size} entries, verified to a witnessed head"))?;
    let statements = statements()?;
    for statement in &statements {
        attest(stage, &office, statement)?;
    }
    narrator.tell(&format!(
        "{} statements of named people, each signed with a key of their own",
        statements.len()
    ));
    Ok(office)
}

/// How it stands, in counts: first by the records alone, then with what people show.
pub(super) fn tell(stage: &Stage, office: &Office<'_>, narrator: &mut Narrator) -> Done<Value> {
    narrator.chapter("Readiness: CCSS 9.0, level II, self custody");
    let alone = assess(office)?;
    narrator.tell(&format!("by the records alone: {}", counted(&alone)));
    let asked = asks_people(&alone);
    for control in &asked {
        show(stage, office, control)?;
    }
    let results = assess(office)?;
    let (before, after) = (count(&alone, "met"), count(&results, "met"));
    narrator.tell(&format!(
        "people showed what {} controls ask of them: {}",
        asked.len(),
        counted(&results)
    ));
    narrator
        .expect(after > before, &format!("{after} controls are met, {before} by records alone"))?;
    let certified = results.to_string().contains("certified\"");
    narrator.expect(!certified, "it says assessed, and nowhere that anything is certified")?;
    Ok(results)
}

/// Against CCSS, as the readiness of a self-custody deployment.
pub(super) fn assess(office: &Office<'_>) -> Done<Value> {
    office.assess("ccss 9.0", &["--level", "II"])
}

/// Controls that wait for a person, and for nothing else.
fn asks_people(results: &Value) -> Vec<String> {
    let waits = |finding: &&Value| {
        let reasons = finding.get("reasons").and_then(Value::as_array);
        let mut reasons = reasons.into_iter().flatten().filter_map(Value::as_str);
        reasons.any(|reason| reason.starts_with("a person"))
    };
    findings(results).filter(waits).filter_map(|f| text(f, "/control/id").ok()).collect()
}

/// A person shows a document for a control.
fn show(stage: &Stage, office: &Office<'_>, control: &str) -> Done {
    let file = stage.room.join(format!("evidence/{control}.txt"));
    run::write(&file, &format!("What was shown to the auditor for {control}.\n"))?;
    let (control, file) = (format!("ccss 9.0 {control}"), file.display().to_string());
    let words =
        ["evidence", &control, "--tag", "DOCUMENT_1", "--file", &file, "--by", "person-ann"];
    office.says(&words).map(drop)
}

fn findings(results: &Value) -> impl Iterator<Item = &Value> {
    results.pointer("/results/findings").and_then(Value::as_array).into_iter().flatten()
}

/// The state of each control.
pub(super) fn states(results: &Value) -> BTreeMap<String, String> {
    let state = |f: &Value| Some((text(f, "/control/id").ok()?, text(f, "/state").ok()?));
    findings(results).filter_map(state).collect()
}

fn count(results: &Value, state: &str) -> usize {
    states(results).values().filter(|found| *found == state).count()
}

/// Counts by state, in words.
fn counted(results: &Value) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for state in states(results).into_values() {
        let count = counts.entry(state).or_default();
        *count = count.saturating_add(1);
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", state.replace('_', " ")))
        .collect();
    words.join(", ")
}

fn statements() -> Done<Vec<Statement>> {
    let book: Book = toml::from_str(SAID).map_err(|e| format!("said.toml: {e}"))?;
    Ok(book.said)
}

/// Has a person say something, on its day.
pub(super) fn attest(stage: &Stage, office: &Office<'_>, said: &Statement) -> Done {
    let key = stage.at(&format!("secrets/attest-{}.key", said.person));
    let ago = jiff::Span::new().hours(said.days_ago.saturating_mul(24));
    let day = jiff::Timestamp::now().checked_sub(ago).map_err(|e| e.to_string())?;
    let represents = day.to_string();
    let person = format!("person-{}", said.person);
    let mut words = vec!["attest".to_owned(), said.kind.clone()];
    for (name, value) in &said.fields {
        words.extend(["--field".to_owned(), format!("{name}={value}")]);
    }
    words.extend(
        ["--person", &person, "--key", &key, "--represents", &represents].map(str::to_owned),
    );
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    office.says(&words).map(drop)
}
