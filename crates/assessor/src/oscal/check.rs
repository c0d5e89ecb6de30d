//! What a schema cannot say: ids are given once, and what is referred to is there.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Model;
use super::document::{Document, Ids};
use super::kind::is_uuid;
use super::shape::Fault;
use crate::standard::Problem;

/// One reference that may lead out of the document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reference {
    pub(super) at: String,
    pub(super) to: String,
    pub(super) what: What,
}

/// What a reference leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Uuid,
    Control,
    Parameter,
    Link,
}

/// What [`Document::against`] says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Checked {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// References that only documents which were not given could settle. Not a pass.
    pub unsettled: Vec<String>,
}

/// What is seen on a walk through a document.
#[derive(Default)]
pub(super) struct Found {
    pub(super) ids: Ids,
    pub(super) references: Vec<Reference>,
    local: Vec<(String, String, &'static str)>,
    faults: Vec<Fault>,
}

/// Fields that name a party, a location or a role of the same document.
const LOCAL: [(&str, &str); 8] = [
    ("party-uuids", "metadata/metadata/parties"),
    ("party-uuid", "metadata/metadata/parties"),
    ("member-of-organizations", "metadata/metadata/parties"),
    ("location-uuids", "metadata/metadata/locations"),
    ("role-id", "role"),
    ("role-ids", "role"),
    ("observation-uuid", "assessment-common/observation"),
    ("risk-uuid", "assessment-common/risk"),
];

/// Fields that name something of this document or of one that it imports.
const ABROAD: [(&str, What); 16] = [
    ("finding-uuid", What::Uuid),
    ("activity-uuid", What::Uuid),
    ("task-uuid", What::Uuid),
    ("component-uuid", What::Uuid),
    ("response-uuid", What::Uuid),
    ("provided-uuid", What::Uuid),
    ("responsibility-uuid", What::Uuid),
    ("subject-uuid", What::Uuid),
    ("actor-uuid", What::Uuid),
    ("implementation-uuid", What::Uuid),
    ("implementation-statement-uuid", What::Uuid),
    ("control-id", What::Control),
    ("with-ids", What::Control),
    ("target-id", What::Control),
    ("statement-id", What::Control),
    ("param-id", What::Parameter),
];

impl Found {
    /// Takes in one object.
    pub(super) fn see(&mut self, at: &str, shape: &'static str, map: &Map<String, Value>) {
        self.declare(at, shape, map);
        for (key, value) in map {
            let at = format!("{at}/{key}");
            let named = texts(value);
            if let Some((_, what)) = LOCAL.iter().find(|(field, _)| field == key) {
                self.local.extend(named.iter().map(|to| (at.clone(), (*to).to_owned(), *what)));
            } else if let Some((_, what)) = ABROAD.iter().find(|(field, _)| field == key) {
                let refer =
                    |to: &&str| Reference { at: at.clone(), to: (*to).to_owned(), what: *what };
                self.references.extend(named.iter().map(refer));
            }
            for to in
                named.iter().filter_map(|text| text.strip_prefix('#')).filter(|_| key == "href")
            {
                self.references.push(Reference {
                    at: at.clone(),
                    to: to.to_owned(),
                    what: What::Link,
                });
            }
            for to in named.iter().flat_map(|text| inserted(text)) {
                let to = to.to_owned();
                self.references.push(Reference { at: at.clone(), to, what: What::Parameter });
            }
        }
    }

    fn declare(&mut self, at: &str, shape: &'static str, map: &Map<String, Value>) {
        let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut fresh = true;
        if let Some(uuid) = text("uuid") {
            fresh &= self.ids.uuids.insert(uuid.to_ascii_lowercase(), shape).is_none();
        }
        if let Some(id) = text("id") {
            fresh &= match shape {
                "catalog/control" | "catalog/group" | "control-common/part" | "profile/group" => {
                    self.ids.controls.insert(id, shape).is_none()
                }
                "control-common/parameter" => self.ids.parameters.insert(id),
                "metadata/metadata/roles" => self.ids.roles.insert(id),
                _ => true,
            };
        }
        if !fresh {
            self.faults.push((
                at.into(),
                "has an id that was given before".into(),
                "give each id once".into(),
            ));
        }
    }

    /// What is wrong within the document.
    pub(super) fn within(&mut self) -> Vec<Fault> {
        let mut faults = std::mem::take(&mut self.faults);
        for (at, to, what) in &self.local {
            let there = match *what {
                "role" => self.ids.roles.contains(to),
                shape => self.ids.uuids.get(&to.to_ascii_lowercase()) == Some(&shape),
            };
            if !there {
                faults.push((
                    at.clone(),
                    format!("refers to nothing (`{to}`)"),
                    "declare it or mend the id".into(),
                ));
            }
        }
        let dangles =
            |r: &&Reference| r.what == What::Link && is_uuid(&r.to) && !self.ids.has_uuid(&r.to);
        for dangling in self.references.iter().filter(dangles) {
            let why = format!("links to nothing (`#{}`)", dangling.to);
            faults.push((dangling.at.clone(), why, "add the resource or mend the link".into()));
        }
        faults
    }
}

impl Ids {
    fn has_uuid(&self, uuid: &str) -> bool {
        self.uuids.contains_key(&uuid.to_ascii_lowercase())
    }

    fn has(&self, reference: &Reference) -> bool {
        let to = &reference.to;
        match reference.what {
            What::Uuid => self.has_uuid(to),
            What::Control => self.controls.contains_key(to),
            What::Parameter => self.parameters.contains(to),
            What::Link => {
                self.has_uuid(to) || self.controls.contains_key(to) || self.parameters.contains(to)
            }
        }
    }
}

impl Document {
    /// Settles what leads out of this document by other documents. A catalogue stands alone: nothing may lead out of it.
    pub fn against(&self, others: &[Self]) -> Checked {
        let mut checked = Checked::default();
        let imports = super::imports::of(self);
        let absent = imports.iter().any(|href| super::imports::find(href, others).is_none());
        for reference in &self.references {
            let there =
                self.ids.has(reference) || others.iter().any(|other| other.ids.has(reference));
            if there {
                continue;
            }
            if absent && self.model != Model::Catalog {
                checked.unsettled.push(format!("{} `{}`", reference.at, reference.to));
            } else {
                let why = format!("refers to nothing (`{}`)", reference.to);
                checked.problems.push(Problem::new(
                    &self.name,
                    &reference.at,
                    why,
                    "declare it or mend the id",
                ));
            }
        }
        super::imports::maps(self, others, &mut checked);
        checked.problems.sort();
        checked
    }
}

/// Every text of a value that is a text or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Parameters that prose calls for: `{{ insert: param, ac-1_prm_1 }}`.
fn inserted(text: &str) -> BTreeSet<&str> {
    let calls = text.split("{{").skip(1).filter_map(|call| call.split_once("}}"));
    let calls = calls.filter_map(|(call, _)| call.trim().strip_prefix("insert:"));
    calls
        .filter_map(|call| call.split_once(','))
        .filter(|(what, _)| what.trim() == "param")
        .map(|(_, id)| id.trim())
        .collect()
}
