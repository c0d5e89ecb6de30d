//! One OSCAL document: read whole, checked, and written back as it was.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::check::{self, Reference};
use super::{Model, VERSIONS, shape, strict};
use crate::standard::Problem;
use crate::standard::guard::PROBLEMS_MAX;

/// An OSCAL document that fits its model. References within it hold; those to other documents are settled by
/// [`Document::against`].
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    /// What it is called: the file's name.
    pub name: String,
    /// Its model.
    pub model: Model,
    /// Its OSCAL version.
    pub version: String,
    root: Value,
    pub(super) ids: Ids,
    pub(super) references: Vec<Reference>,
}

/// What a document declares.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Ids {
    /// Every uuid, with the shape that has it.
    pub(super) uuids: BTreeMap<String, &'static str>,
    /// Controls, groups and their parts.
    pub(super) controls: BTreeMap<String, &'static str>,
    /// Parameters.
    pub(super) parameters: BTreeSet<String>,
    /// Roles.
    pub(super) roles: BTreeSet<String>,
}

impl Document {
    /// Reads a document of OSCAL 1.1.2 to 1.2.3.
    ///
    /// # Errors
    /// Every [`Problem`]: bytes that are no JSON, a key twice, an unknown version, fields that the model does not have or must
    /// have, values of another kind, ids given twice, and references within the document that lead to nothing.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Vec<Problem>> {
        let root = strict::read(bytes)
            .map_err(|e| vec![Problem::new(name, e.field(), e.why(), e.mend())])?;
        Self::of(name, root)
    }

    /// The same, of JSON that was made here.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn of(name: &str, root: Value) -> Result<Self, Vec<Problem>> {
        let Some((model, body)) = model_of(&root) else {
            let mend = "give one of the eight OSCAL models in JSON, alone in its file";
            return Err(vec![Problem::new(name, "/", "is no OSCAL document", mend)]);
        };
        let mut problems = Vec::new();
        let mut say =
            |at: &str, why: &str, mend: &str| problems.push(Problem::new(name, at, why, mend));
        let version = text(body, &["metadata", "oscal-version"]).unwrap_or_default().to_owned();
        if !version_fits(model, &version) {
            let at = format!("/{}/metadata/oscal-version", model.word());
            let mend = format!("give one of {}; mappings begin with 1.2.0", VERSIONS.join(", "));
            say(&at, "is no version that is read here", &mend);
        }
        let mut found = check::Found::default();
        for (at, why, mend) in
            shape::walk(model.word(), body, &mut |at, shape, map| found.see(at, shape, map))
        {
            say(&at, &why, &mend);
        }
        for (at, why, mend) in found.within() {
            say(&at, &why, &mend);
        }
        let check::Found { ids, references, .. } = found;
        if problems.is_empty() {
            return Ok(Self { name: name.to_owned(), model, version, root, ids, references });
        }
        problems.sort();
        problems.truncate(PROBLEMS_MAX);
        Err(problems)
    }

    /// What is inside the model's one key.
    pub fn body(&self) -> &Map<String, Value> {
        static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.root.get(self.model.word()).and_then(Value::as_object).unwrap_or(&EMPTY)
    }

    /// The whole, as it was read.
    pub fn json(&self) -> &Value {
        &self.root
    }

    /// The bytes: keys in order, indented, one line end at the end. Equal documents give equal bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.root).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// The model whose key stands alone in the document, a `$schema` aside.
fn model_of(root: &Value) -> Option<(Model, &Value)> {
    let map = root.as_object()?;
    let mut keys = map.iter().filter(|(key, _)| *key != "$schema");
    let (key, body) = keys.next()?;
    let model = Model::ALL.into_iter().find(|model| model.word() == key)?;
    (keys.next().is_none() && body.is_object()).then_some((model, body))
}

fn version_fits(model: Model, version: &str) -> bool {
    VERSIONS.contains(&version) && (model != Model::Mapping || !version.starts_with("1.1."))
}

/// A text some fields deep.
pub(super) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    path.iter().try_fold(value, |value, key| value.get(key))?.as_str()
}
