//! A stranger's OSCAL catalogue as a standard: groups become groups, statements become texts, nothing is judged.

use quorate_terms::{Digest, Malformed};
use serde_json::Value;

use crate::oscal::carry::named;
use crate::oscal::document::text;
use crate::oscal::imports::list;
use crate::oscal::{Document, Model};
use crate::standard::catalogue::{Confidence, Fixed, Parameter, ParameterKind};
use crate::standard::{Catalogue, Control, Group};

/// What a stranger's catalogue is called here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The standard's id: lower-case letters, digits, hyphens.
    pub id: String,
    /// Its version here; the document's own, when none.
    pub version: Option<String>,
    /// The day of importing, as 2026-11-20.
    pub as_of: String,
}

/// Reads any OSCAL catalogue as a standard without levels. Withdrawn controls are left out; enhancements become controls that
/// depend on theirs. It is not official: only its publisher's signature could say so.
///
/// # Errors
/// Another model, and parts that [`crate::standard::Library::load`] would refuse are refused there, when it is loaded.
pub fn foreign(document: &Document, name: &Named) -> Result<Catalogue, Malformed> {
    if document.model != Model::Catalog {
        return Err(Malformed::new("document", "is no catalogue", "give an OSCAL catalogue"));
    }
    let nothing = Value::Null;
    let body = document.body();
    let metadata = body.get("metadata").unwrap_or(&nothing);
    let said = |path: &[&str]| text(metadata, path).unwrap_or_default();
    let digest = Digest::sha256(&document.write());
    let uuid = body.get("uuid").and_then(Value::as_str).unwrap_or_default();
    let mut taken = Taken { title: one_line(said(&["title"])), ..Taken::default() };
    for group in list(body.get("groups")) {
        taken.group(group, "");
    }
    taken.of_group("controls", "Controls", list(body.get("controls")));
    let publisher = list(metadata.get("parties")).iter().find_map(|party| text(party, &["name"]));
    Ok(Catalogue {
        id: name.id.clone(),
        version: name.version.clone().unwrap_or_else(|| version(said(&["version"]))),
        title: one_line(said(&["title"])),
        publisher: one_line(publisher.unwrap_or("not named")),
        jurisdiction: None,
        language: "en".into(),
        as_of: name.as_of.clone(),
        official: false,
        note: format!(
            "Imported from OSCAL {}, uuid {uuid}, version {}, last modified {}; SHA-256 of its content {digest}.",
            document.version,
            one_line(said(&["version"])),
            said(&["last-modified"]),
        ),
        level_rule: None,
        instruments: Vec::new(),
        levels: Vec::new(),
        groups: taken.groups,
        controls: taken.controls,
    })
}

#[derive(Default)]
struct Taken {
    title: String,
    groups: Vec<Group>,
    controls: Vec<Control>,
}

impl Taken {
    /// A group and, after it, the groups within it.
    fn group(&mut self, group: &Value, above: &str) {
        let title = text(group, &["title"]).unwrap_or_default();
        let title =
            if above.is_empty() { one_line(title) } else { one_line(&format!("{above}: {title}")) };
        let place = format!("g{}", self.groups.len().saturating_add(1));
        let id = text(group, &["id"]).map_or(place, str::to_owned);
        self.of_group(&id, &title, list(group.get("controls")));
        for inner in list(group.get("groups")) {
            self.group(inner, &title);
        }
    }

    fn of_group(&mut self, id: &str, title: &str, controls: &[Value]) {
        let before = self.controls.len();
        for control in controls {
            self.control(control, id, None);
        }
        if self.controls.len() > before {
            let (id, title) = (id.to_owned(), title.to_owned());
            self.groups.push(Group { id, title, status: None, status_basis: None, scope: None });
        }
    }

    fn control(&mut self, control: &Value, group: &str, above: Option<&str>) {
        let id = text(control, &["id"]).unwrap_or_default();
        let withdrawn =
            named(control, "status").is_some_and(|s| s.eq_ignore_ascii_case("withdrawn"));
        if !withdrawn {
            let citation = format!("{}, {}", self.title, named(control, "label").unwrap_or(id));
            self.controls.push(read(control, group, above, citation));
        }
        for inner in list(control.get("controls")) {
            self.control(inner, group, Some(id).filter(|_| !withdrawn));
        }
    }
}

fn read(control: &Value, group: &str, above: Option<&str>, citation: String) -> Control {
    let title = one_line(text(control, &["title"]).unwrap_or_default());
    let part = |name: &str| {
        list(control.get("parts")).iter().find(|part| text(part, &["name"]) == Some(name))
    };
    let statement = part("statement").or_else(|| list(control.get("parts")).first());
    let own = statement.and_then(|part| text(part, &["prose"])).map(plain).unwrap_or_default();
    let items = statement.map(|part| list(part.get("parts"))).unwrap_or_default();
    let criteria = items.iter().map(whole).filter(|item| !item.trim().is_empty()).collect();
    Control {
        id: text(control, &["id"]).unwrap_or_default().to_owned(),
        group: group.to_owned(),
        objective: above.map(str::to_owned),
        text: if own.trim().is_empty() { title.clone() } else { own },
        title,
        level: None,
        criteria,
        rationale: None,
        citation: one_line(&citation),
        confidence: Confidence::T,
        binding: None,
        effective_from: None,
        review_by: None,
        evidence: Vec::new(),
        evidence_optional: Vec::new(),
        cadence: None,
        not_applicable: None,
        depends_on: above.iter().map(|id| (*id).to_owned()).collect(),
        guide: part("guidance").map(whole),
        shown_to: None,
        sampled: None,
        rejected: None,
        threats: Vec::new(),
        who: None,
        assets: None,
        applies_when: None,
        note: None,
        parameters: list(control.get("params")).iter().filter_map(parameter).collect(),
    }
}

/// A part with all that is in it, one line each, with the labels that its publisher gave.
fn whole(part: &Value) -> String {
    let label = named(part, "label").map(|label| format!("{label} ")).unwrap_or_default();
    let prose = text(part, &["prose"]).map(plain).unwrap_or_default();
    let inner = list(part.get("parts")).iter().map(whole);
    let lines: Vec<String> = [format!("{label}{prose}")].into_iter().chain(inner).collect();
    lines.join("\n")
}

fn parameter(param: &Value) -> Option<Parameter> {
    let values: Vec<Fixed> = list(param.get("values"))
        .iter()
        .filter_map(Value::as_str)
        .map(|v| Fixed::Text(one_line(v)))
        .collect();
    let (kind, value) = match values.as_slice() {
        [] => (ParameterKind::Null, None),
        [one] => (ParameterKind::Word, Some(one.clone())),
        _ => (ParameterKind::List, Some(Fixed::List(values))),
    };
    Some(Parameter { name: text(param, &["id"])?.to_owned(), kind, value })
}

/// White space of other kinds becomes spaces; lines stay.
fn plain(text: &str) -> String {
    let space = |c: char| if c.is_whitespace() && c != '\n' { ' ' } else { c };
    text.chars().filter(|c| *c != '\r').map(space).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A version as ours are: begins with a digit, and has letters, digits, dots and hyphens.
fn version(text: &str) -> String {
    let from = text.find(|c: char| c.is_ascii_digit());
    let rest = from.and_then(|at| text.get(at..)).unwrap_or("0");
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    rest.chars().map(|c| if fits(c) { c } else { '-' }).collect()
}
