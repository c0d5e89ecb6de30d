//! What changed between two versions of a standard. Ids may be reused with another meaning, and then the words say so.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::catalogue::{Catalogue, Control};

/// Titles that share fewer words than this, of a hundred, are about different things.
const SAME_TITLE_PERCENT: usize = 34;

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

/// Every difference from `old` to `new`, in the order of ids.
pub fn diff(old: &Catalogue, new: &Catalogue) -> Vec<Change> {
    let ids: BTreeSet<&str> =
        old.controls.iter().chain(&new.controls).map(|control| control.id.as_str()).collect();
    let mut changes = Vec::new();
    for id in ids {
        match (old.control(id), new.control(id)) {
            (None, Some(control)) => {
                changes.push(Change::Added { id: id.into(), title: control.title.clone() });
            }
            (Some(control), None) => {
                changes.push(Change::Removed { id: id.into(), title: control.title.clone() });
            }
            (Some(before), Some(after)) => compare(before, after, &mut changes),
            (None, None) => {}
        }
    }
    changes
}

fn compare(old: &Control, new: &Control, changes: &mut Vec<Change>) {
    let id = &old.id;
    if !alike(&old.title, &new.title) {
        let (before, after) = (old.title.clone(), new.title.clone());
        changes.push(Change::Reused { id: id.clone(), before, after });
        return;
    }
    for (field, before, after) in fields(old, new) {
        changes.push(Change::Changed { id: id.clone(), field, before, after });
    }
}

/// The fields that differ, as they would be written.
fn fields(old: &Control, new: &Control) -> Vec<(String, String, String)> {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) =
        (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return Vec::new();
    };
    let differ = old.iter().filter(|(name, value)| new.get(*name) != Some(*value));
    differ.map(|(name, value)| (name.clone(), said(Some(value)), said(new.get(name)))).collect()
}

fn said(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Whether two titles share enough words to be about the same thing.
fn alike(one: &str, other: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| word.len() > 2).map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    let all = one.union(&other).count();
    let shared = one.intersection(&other).count();
    all == 0 || shared.saturating_mul(100) >= all.saturating_mul(SAME_TITLE_PERCENT)
}
