//! What the year's ledger says of the vault: an office takes the book in, people say what no ledger can, and the controls
//! are asked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{backups, facts, machines, words};
use crate::Done;
use crate::demo::Narrator;
use crate::run;
use crate::stage::{COSIGNERS, Office, Stage, findings, states, text};

/// What people said, and when.
const SAID: &str = include_str!("said.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    said: Vec<Statement>,
    each_backup: Vec<Statement>,
}

/// What one person says about one day.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statement {
    kind: String,
    person: String,
    #[serde(rename = "days_ago")]
    day: Option<Day>,
    fields: BTreeMap<String, String>,
}

/// The day that a statement speaks about.
#[derive(Clone, Copy, Deserialize)]
#[serde(from = "i64")]
pub(super) enum Day {
    /// So many days before today.
    Ago(i64),
    /// Milliseconds since 1970.
    At(i64),
}

impl From<i64> for Day {
    fn from(days: i64) -> Self {
        Self::Ago(days)
    }
}

impl Day {
    fn told(self) -> Done<String> {
        let day = match self {
            Self::Ago(days) => {
                let ago = jiff::Span::new().hours(days.saturating_mul(24));
                jiff::Timestamp::now().checked_sub(ago)
            }
            Self::At(ms) => jiff::Timestamp::from_millisecond(ms),
        };
        day.map(|day| day.to_string()).map_err(|e| e.to_string())
    }
}

impl Statement {
    /// What a person says of a day.
    pub(super) fn new(kind: &str, person: &str, day: Day, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let (kind, person) = (kind.to_owned(), person.to_owned());
        Self { kind, person, day: Some(day), fields: fields.collect() }
    }

    /// The same with words put in, and on this day where it names none.
    pub(super) fn about(&self, words: &[(&str, String)], day: Day) -> Self {
        let put = |text: &String| {
            words.iter().fold(text.clone(), |text, (name, word)| text.replace(name, word))
        };
        let fields = self.fields.iter().map(|(name, text)| (name.clone(), put(text))).collect();
        Self { day: self.day.or(Some(day)), fields, ..self.clone() }
    }
}

/// Opens the office and takes in what there is.
pub(super) fn take_in<'a>(stage: &'a Stage, narrator: &mut Narrator) -> Done<Office<'a>> {
    narrator.chapter("An office takes the year in");
    let office = Office::open(stage, "alder")?;
    let size = office.take_book(stage)?;
    narrator.expect(size > 300, &format!("{size} entries, verified to a witnessed head"))?;
    for cosigner in COSIGNERS {
        let size = office.own_ledger(stage, cosigner, cosigner)?;
        let told = format!("{cosigner} hands over its own ledger: {size} entries of its own");
        narrator.expect(size > 0, &told)?;
    }
    let book: Book = toml::from_str(SAID).map_err(|e| format!("said.toml: {e}"))?;
    let words = facts::words(&office)?;
    let said = book.said.iter().map(|statement| statement.about(&words, Day::Ago(0))).collect();
    let backups = backups::each(stage, &book.each_backup)?;
    let said: Vec<Statement> = [said, backups, machines::wiped(stage)?].concat();
    for statement in &said {
        attest(stage, &office, statement)?;
    }
    let many = said.len();
    narrator
        .tell(&format!("{many} statements of named people, each signed with a key of their own"));
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
    for gap in gaps(&results) {
        narrator.tell(&format!("a gap: {gap}"));
    }
    let said = words::certified(stage, office, "before", &[])?;
    let told =
        format!("no assessment and no report of that office says `certified` of anything {said:?}");
    narrator.expect(said.is_empty(), &told)?;
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

fn count(results: &Value, state: &str) -> usize {
    states(results).values().filter(|found| *found == state).count()
}

/// Each gap, with the first exception.
fn gaps(results: &Value) -> Vec<String> {
    let gap = |f: &Value| {
        let is_gap = text(f, "/state").is_ok_and(|state| state == "gap");
        let why = text(f, "/reasons/1").or_else(|_| text(f, "/reasons/0"));
        is_gap.then(|| Some(format!("{}, {}", text(f, "/control/id").ok()?, why.ok()?))).flatten()
    };
    findings(results).filter_map(gap).collect()
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

/// A text in which `{date:N}` is the date of N days ago; of a day to come, if N is below zero.
fn dated(text: &str) -> Done<String> {
    let Some((before, rest)) = text.split_once("{date:") else { return Ok(text.to_owned()) };
    let (days, after) = rest.split_once('}').ok_or_else(|| format!("`{text}` has no end"))?;
    let days: i64 = days.parse().map_err(|_| format!("`{days}` is no number of days"))?;
    let day = Day::Ago(days).told()?;
    let date = day.get(..10).unwrap_or_default();
    Ok(format!("{before}{date}{}", dated(after)?))
}

/// Has a person say something, on its day.
pub(super) fn attest(stage: &Stage, office: &Office<'_>, said: &Statement) -> Done {
    let key = stage.at(&format!("secrets/attest-{}.key", said.person));
    let represents = said.day.ok_or_else(|| format!("{} names no day", said.kind))?.told()?;
    let person = format!("person-{}", said.person);
    let mut words = vec!["attest".to_owned(), said.kind.clone()];
    for (name, value) in &said.fields {
        words.extend(["--field".to_owned(), format!("{name}={}", dated(value)?)]);
    }
    words.extend(
        ["--person", &person, "--key", &key, "--represents", &represents].map(str::to_owned),
    );
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    office.says(&words).map(drop)
}
