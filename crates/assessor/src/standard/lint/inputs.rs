//! What decisions read, against what this build records.

use std::collections::BTreeSet;

use crate::evidence::Model;
use crate::standard::decision::Decision;
use crate::standard::library::Library;
use crate::standard::problem::Problem;

/// Names that every query may use.
const GIVEN: [&str; 3] = ["from", "to", "now"];
/// Columns that every table has.
const COLUMNS: [&str; 4] = ["book", "idx", "at", "signer"];

/// Decisions that read what the model of evidence does not hold, or that ask by query for what nothing records. A folder of
/// standards in which there are any is refused.
pub fn inputs(library: &Library, model: &Model) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, decision) in &library.decisions {
        let file = library.file(&format!("decision {key}"));
        let mut say = |field: &str, why: String, mend: &str| {
            let field = format!("{}.{field}", decision.control);
            problems.push(Problem::new(&file, field, why, mend));
        };
        named(decision, model, &mut say);
        asked(decision, model, &mut say);
    }
    problems.sort();
    problems
}

type Say<'a> = dyn FnMut(&str, String, &str) + 'a;

fn named(decision: &Decision, model: &Model, say: &mut Say<'_>) {
    for kind in decision.entries.iter().filter(|kind| model.kind(kind).is_none()) {
        say("entries", format!("name `{kind}`, which is no kind"), "see evidence/model.toml");
    }
    let is_key = |key: &str| model.configuration.iter().any(|known| known.key == key);
    for key in decision.configuration.iter().filter(|key| !is_key(key)) {
        let why = format!("names `{key}`, which is no configuration key");
        say("configuration", why, "see evidence/model.toml");
    }
    for word in quoted(decision.predicate.as_deref().unwrap_or_default()) {
        let fits = match word.split_once('.') {
            None => model.kind(word).is_some(),
            Some((kind, field)) => {
                is_key(word)
                    || model.kind(kind).is_some_and(|kind| {
                        kind.fields.iter().chain(&kind.unrecorded).any(|known| known == field)
                    })
            }
        };
        // A word without a dot may be a field of the kind that the sentence is about.
        let is_field =
            || {
                decision.entries.iter().filter_map(|kind| model.kind(kind)).any(|kind| {
                    kind.fields.iter().chain(&kind.unrecorded).any(|known| known == word)
                })
            };
        if !fits && !COLUMNS.contains(&word) && !is_field() {
            let why = format!("speaks of `{word}`, which is no kind, field or key");
            say("predicate", why, "mend the word, or add it to evidence/model.toml");
        }
    }
}

fn asked(decision: &Decision, model: &Model, say: &mut Say<'_>) {
    let known: BTreeSet<String> = GIVEN
        .iter()
        .map(|name| (*name).to_owned())
        .chain(decision.parameters.keys().flat_map(|name| [name.clone(), format!("{name}_s")]))
        .collect();
    for (field, query) in [
        ("population", &decision.population),
        ("exceptions", &decision.exceptions),
        ("unknown", &decision.unknown),
    ] {
        let Some(query) = query else { continue };
        let bare = unquoted(query);
        let words: BTreeSet<&str> =
            bare.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | ':')).collect();
        let read = words.iter().filter(|word| model.kind(word).is_some());
        for missing in
            model.not_recorded(read.map(|word| (*word).to_owned()).collect::<Vec<_>>().iter())
        {
            let why = format!("reads `{missing}`, which nothing records");
            say(field, why, "remove the queries until this build records it");
        }
        let parameters = words.iter().filter_map(|word| word.strip_prefix(':'));
        for name in parameters.filter(|name| !known.contains(*name)) {
            say(field, format!("uses `:{name}`, which is not set"), "set it under `parameters`");
        }
    }
}

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A query without its quoted texts and comments.
fn unquoted(query: &str) -> String {
    let lines = query.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n").split('\'').step_by(2).collect::<Vec<_>>().join(" ")
}
