//! What changed between two versions of a standard. Ids may be reused with another meaning, and then the words say so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::StandardKey;
use super::catalogue::{Catalogue, Control};
use super::library::Library;

/// Titles that share fewer words than this, of a hundred, are about different things.
const SAME_TITLE_PERCENT: usize = 34;
/// Texts under one title that share fewer words than this, of a hundred, are about different things.
const SAME_TEXT_PERCENT: usize = 20;

/// One difference.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The control is new.
    Added {
        /// Its id.
        id: String,
        /// Its title.
        title: String,
    },
    /// The control is gone.
    Removed {
        /// Its id.
        id: String,
        /// Its title.
        title: String,
    },
    /// The id now stands for something else.
    Reused {
        /// The id.
        id: String,
        /// What it stood for.
        before: String,
        /// What it stands for.
        after: String,
    },
    /// A field says something else.
    Changed {
        /// The control's id.
        id: String,
        /// The field.
        field: String,
        /// What it said.
        before: String,
        /// What it says.
        after: String,
    },
}

/// Every difference between two versions that are loaded: of the standard itself, of its groups, levels and controls, and of
/// how controls are decided. None where one of them is not loaded.
pub fn between(library: &Library, old: &StandardKey, new: &StandardKey) -> Option<Vec<Change>> {
    let (before, after) = (library.catalogues.get(old)?, library.catalogues.get(new)?);
    let mut changes = diff(before, after);
    for control in before.controls.iter().filter(|control| after.control(&control.id).is_some()) {
        let decision = |key: &StandardKey| library.decisions.get(&key.control(&control.id));
        let (before, after) = (decision(old), decision(new));
        changed(&control.id, "decision.", &before, &after, &mut changes);
    }
    Some(changes)
}

/// Every difference from `old` to `new`: the standard itself first, then controls in the order of ids.
pub fn diff(old: &Catalogue, new: &Catalogue) -> Vec<Change> {
    let mut changes = Vec::new();
    let bare = |catalogue: &Catalogue| Catalogue {
        version: String::new(),
        levels: Vec::new(),
        groups: Vec::new(),
        controls: Vec::new(),
        ..catalogue.clone()
    };
    changed(&old.id, "", &Some(bare(old)), &Some(bare(new)), &mut changes);
    let named = |catalogue: &Catalogue| -> BTreeMap<String, Value> {
        let levels = catalogue.levels.iter().map(|l| (format!("level {}", l.id), json!(l)));
        levels
            .chain(catalogue.groups.iter().map(|g| (format!("group {}", g.id), json!(g))))
            .collect()
    };
    let (before, after) = (named(old), named(new));
    for id in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        changed(id, "", &before.get(id), &after.get(id), &mut changes);
    }
    let (before, after) = (by_id(old), by_id(new));
    for id in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        controls(id, before.get(id).copied(), after.get(id).copied(), &mut changes);
    }
    changes
}

fn by_id(catalogue: &Catalogue) -> BTreeMap<&str, &Control> {
    catalogue.controls.iter().map(|control| (control.id.as_str(), control)).collect()
}

fn controls(id: &str, old: Option<&Control>, new: Option<&Control>, changes: &mut Vec<Change>) {
    let (id, title) = (id.to_owned(), |control: &Control| control.title.clone());
    match (old, new) {
        (None, Some(control)) => changes.push(Change::Added { id, title: title(control) }),
        (Some(control), None) => changes.push(Change::Removed { id, title: title(control) }),
        (Some(old), Some(new)) if !alike(&old.title, &new.title, SAME_TITLE_PERCENT) => {
            changes.push(Change::Reused { id, before: title(old), after: title(new) });
        }
        (Some(old), Some(new)) if !alike(&old.text, &new.text, SAME_TEXT_PERCENT) => {
            let (before, after) = (old.text.clone(), new.text.clone());
            changes.push(Change::Reused { id, before, after });
        }
        (Some(_), Some(_)) => changed(&id, "", &old, &new, changes),
        (None, None) => {}
    }
}

/// The fields that differ, each under its name behind `prefix`.
fn changed<T: Serialize>(
    id: &str,
    prefix: &str,
    old: &Option<T>,
    new: &Option<T>,
    changes: &mut Vec<Change>,
) {
    for (field, before, after) in fields(&json!(old), &json!(new)) {
        let field = format!("{prefix}{field}");
        changes.push(Change::Changed { id: id.to_owned(), field, before, after });
    }
}

/// The fields that differ, as they would be written.
fn fields(old: &Value, new: &Value) -> Vec<(String, String, String)> {
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect()
    };
    let all = names(old).into_iter().chain(names(new)).collect::<BTreeSet<_>>();
    let both = all.into_iter().map(|name| {
        let (before, after) = (said(old.get(&name)), said(new.get(&name)));
        (name, before, after)
    });
    both.filter(|(_, before, after)| before != after).collect()
}

fn said(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Array(items)) if items.is_empty() => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Whether two texts share enough words to be about the same thing.
fn alike(one: &str, other: &str, percent: usize) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| word.len() > 2).map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    let all = one.union(&other).count();
    let shared = one.intersection(&other).count();
    all == 0 || shared.saturating_mul(100) >= all.saturating_mul(percent)
}
