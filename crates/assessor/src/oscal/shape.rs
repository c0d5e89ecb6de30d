//! What fields each part of an OSCAL document may and must have: NIST's schema as a table.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::kind;

const TABLE: &str = include_str!("shapes.txt");
static SHAPES: LazyLock<Shapes> = LazyLock::new(|| Shapes::parse(TABLE));

/// Every shape, and the shape that each model begins with.
pub(super) struct Shapes {
    roots: BTreeMap<&'static str, &'static str>,
    shapes: BTreeMap<&'static str, Vec<Vec<Field>>>,
}

#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    required: bool,
    many: Many,
    kind: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Many {
    One,
    Some,
    /// One, or a list of them.
    Either,
}

/// Is told of every object: where it stands, its shape and its fields.
pub(super) type Visit<'a, 'v> = &'a mut dyn FnMut(&str, &'static str, &'v Map<String, Value>);

/// What does not fit: where, why and how to mend it.
pub(super) type Fault = (String, String, String);

impl Shapes {
    fn parse(table: &'static str) -> Self {
        let (mut roots, mut shapes) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for line in table.lines().filter(|line| !line.starts_with("##")) {
            if let Some(root) = line.strip_prefix("# ") {
                if let Some((model, shape)) = root.split_once(' ') {
                    roots.insert(model, shape);
                }
                continue;
            }
            let mut words = line.split(' ');
            if let Some(name) = words.next() {
                shapes.entry(name).or_default().push(words.filter_map(Field::parse).collect());
            }
        }
        Self { roots, shapes }
    }
}

impl Field {
    /// `name!*:kind`.
    fn parse(word: &'static str) -> Option<Self> {
        let (name, kind) = word.split_once(':')?;
        let (name, many) = match (name.strip_suffix('*'), name.strip_suffix('?')) {
            (Some(name), _) => (name, Many::Some),
            (_, Some(name)) => (name, Many::Either),
            _ => (name, Many::One),
        };
        let required = name.ends_with('!');
        Some(Self { name: name.trim_end_matches('!'), required, many, kind })
    }
}

/// Walks the body of a model and tells every fault; `visit` sees every object on the way.
pub(super) fn walk<'v>(model: &str, body: &'v Value, visit: Visit<'_, 'v>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(shape) = SHAPES.roots.get(model) {
        value(&format!("/{model}"), shape, body, visit, &mut faults);
    }
    faults
}

fn value<'v>(
    at: &str,
    kind: &'static str,
    value: &'v Value,
    visit: Visit<'_, 'v>,
    faults: &mut Vec<Fault>,
) {
    match (SHAPES.shapes.get(kind), value) {
        (Some(forms), Value::Object(map)) => object(at, kind, forms, map, visit, faults),
        (Some(_), _) => faults.push((at.into(), "is no object".into(), "give an object".into())),
        (None, value) if kind::fits(kind, value) => {}
        (None, _) => {
            let why = format!("is not of the kind `{}`", kind.trim_start_matches('='));
            faults.push((at.into(), why, "see the OSCAL data types".into()));
        }
    }
}

fn object<'v>(
    at: &str,
    shape: &'static str,
    forms: &[Vec<Field>],
    map: &'v Map<String, Value>,
    visit: Visit<'_, 'v>,
    faults: &mut Vec<Fault>,
) {
    visit(at, shape, map);
    let nearest = forms.iter().map(|form| unfit(at, form, map)).min_by_key(Vec::len);
    faults.extend(nearest.unwrap_or_default());
    for (name, inner) in map {
        let Some(field) = forms.iter().flatten().find(|field| field.name == name) else { continue };
        let at = format!("{at}/{name}");
        match (field.many, inner) {
            (Many::Some | Many::Either, Value::Array(items)) => {
                if items.is_empty() {
                    faults.push((at.clone(), "is an empty list".into(), "leave it out".into()));
                }
                for (place, item) in items.iter().enumerate() {
                    value(&format!("{at}/{place}"), field.kind, item, visit, faults);
                }
            }
            (Many::Some, _) => faults.push((at, "is no list".into(), "give a list".into())),
            (Many::One | Many::Either, inner) => value(&at, field.kind, inner, visit, faults),
        }
    }
}

/// What keeps an object from having this form.
fn unfit(at: &str, form: &[Field], map: &Map<String, Value>) -> Vec<Fault> {
    let missing = form.iter().filter(|field| field.required && !map.contains_key(field.name));
    let missing = missing.map(|field| {
        (format!("{at}/{}", field.name), "is missing".to_owned(), "add it".to_owned())
    });
    let unknown = map.keys().filter(|key| !form.iter().any(|field| field.name == *key));
    let unknown = unknown.map(|key| {
        let mend = "remove it; what is one's own belongs into `props` under a namespace";
        (
            format!("{at}/{key}"),
            "is no field here, or not beside the others".to_owned(),
            mend.to_owned(),
        )
    });
    missing.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_table_is_a_shape_or_a_data_type() {
        assert_eq!(SHAPES.roots.len(), 8);
        assert!(SHAPES.shapes.len() > 100);
        for root in SHAPES.roots.values() {
            assert!(SHAPES.shapes.contains_key(root), "{root}");
        }
        let types = [
            "uuid",
            "token",
            "string",
            "line",
            "text",
            "time",
            "date",
            "uri",
            "reference",
            "email",
            "base64",
            "bool",
            "decimal",
            "integer",
            "natural",
            "positive",
        ];
        for field in SHAPES.shapes.values().flatten().flatten() {
            let known = SHAPES.shapes.contains_key(field.kind)
                || types.contains(&field.kind)
                || field.kind.starts_with('=');
            assert!(known, "{} {}", field.name, field.kind);
        }
    }
}
