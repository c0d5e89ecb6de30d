//! What the year's ledger says of the vault: an office takes the book in, people say what no ledger can, and the controls
//! are asked.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::Done;
use crate::demo::Narrator;
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
struct Statement {
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

/// How it stands, in counts.
pub(super) fn tell(office: &Office<'_>, narrator: &mut Narrator) -> Done<Value> {
    narrator.chapter("Readiness: CCSS 9.0, level II, self custody");
    let results = office.assess("ccss 9.0", &["--level", "II"])?;
    for (state, count) in counts(&results) {
        narrator.tell(&format!("{count:>3} {state}"));
    }
    narrator.expect(
        text(&results, "/word")? != "certified",
        "it says assessed, and nowhere that anything is certified",
    )?;
    Ok(results)
}

/// Controls by state.
fn counts(results: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let findings = results.pointer("/results/findings").and_then(Value::as_array);
    for finding in findings.into_iter().flatten() {
        let count: &mut usize =
            counts.entry(text(finding, "/state").unwrap_or_default()).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

fn statements() -> Done<Vec<Statement>> {
    let book: Book = toml::from_str(SAID).map_err(|e| format!("said.toml: {e}"))?;
    Ok(book.said)
}

fn attest(stage: &Stage, office: &Office<'_>, said: &Statement) -> Done {
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
