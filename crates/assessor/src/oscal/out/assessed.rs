//! One assessment as the four documents that OSCAL spreads it over: system, plan, results, and what is to be mended.

use quorate_terms::{Digest, Timestamp, canonical};
use serde_json::{Value, json};

use super::{Document, Done, Metadata, plan, poam, results, ssp, token, uuid};
use crate::finding::{Finding, State};
use crate::record::Results;
use crate::standard::{Catalogue, Control, Library, Problem};

/// What an assessment is written from.
#[derive(Clone, Copy, Debug)]
pub struct Assessed<'a> {
    /// What was found.
    pub results: &'a Results,
    /// The standard that it was found against.
    pub catalogue: &'a Catalogue,
    /// Everything that is loaded.
    pub library: &'a Library,
    /// What the assessed system is called.
    pub system: &'a str,
    /// Who assessed.
    pub assessor: &'a str,
    /// Who mends what by when, as far as that is agreed.
    pub remedies: &'a [Remedy],
}

/// Who mends what, by when.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// The control's id.
    pub control: String,
    /// What is to be done.
    pub what: String,
    /// Who does it.
    pub owner: String,
    /// By when.
    pub due: Timestamp,
}

/// System security plan, assessment plan, results, and a plan of action where something is not satisfied.
///
/// # Errors
/// What does not fit OSCAL, findings of another catalogue, and remedies for a control that has none to mend.
pub fn assessed(it: &Assessed<'_>) -> Done<Vec<Document>> {
    let run = Run::of(*it)?;
    let mut all = vec![ssp::ssp(&run)?, plan::plan(&run)?, results::results(&run)?];
    all.extend(poam::poam(&run)?);
    Ok(all)
}

/// An assessment with what its four documents share.
pub(super) struct Run<'a> {
    pub(super) it: Assessed<'a>,
    /// SHA-256 of the results: every id of the run hangs on it.
    pub(super) digest: String,
    /// The canonical results.
    pub(super) bytes: Vec<u8>,
    /// Begins every file's name.
    pub(super) stem: String,
}

impl<'a> Run<'a> {
    fn of(it: Assessed<'a>) -> Done<Self> {
        let file = "results";
        let bytes = canonical::to_bytes(it.results, file).map_err(|no| super::told(file, &no))?;
        let key = it.catalogue.key();
        let stem = format!("{}-{}", key.standard, key.version);
        let stranger = |finding: &&Finding| {
            finding.control.of() != key || it.catalogue.control(&finding.control.id).is_none()
        };
        if let Some(finding) = it.results.findings.iter().find(stranger) {
            let mend = format!("give results of {key}");
            return Err(vec![Problem::new(
                file,
                finding.control.to_string(),
                "is no control of the catalogue",
                mend,
            )]);
        }
        let run = Self { it, digest: Digest::sha256(&bytes).to_string(), bytes, stem };
        let idle = |remedy: &&Remedy| !run.open().any(|(_, control)| control.id == remedy.control);
        if let Some(remedy) = it.remedies.iter().find(idle) {
            let mend = "name a control that is sought and not satisfied";
            return Err(vec![Problem::new(
                "remedies",
                &remedy.control,
                "has nothing to mend",
                mend,
            )]);
        }
        Ok(run)
    }

    pub(super) fn id(&self, what: &str, of: &str) -> String {
        uuid(&[&self.digest, what, of])
    }

    pub(super) fn file(&self, kind: &str) -> String {
        format!("{}.{kind}.json", self.stem)
    }

    pub(super) fn metadata(&self, title: &'a str) -> Metadata<'a> {
        Metadata {
            title,
            version: "1",
            modified: super::time(self.it.results.at),
            role: ("assessor", "Who assessed"),
            party: self.it.assessor,
        }
    }

    /// The findings of what was sought, each with its control.
    pub(super) fn sought(&self) -> impl Iterator<Item = (&'a Finding, &'a Control)> {
        let catalogue = self.it.catalogue;
        let sought =
            self.it.results.findings.iter().filter(|finding| finding.state != State::NotSought);
        sought.filter_map(|finding| Some((finding, catalogue.control(&finding.control.id)?)))
    }

    /// Those that are not satisfied.
    pub(super) fn open(&self) -> impl Iterator<Item = (&'a Finding, &'a Control)> {
        self.sought().filter(|(finding, _)| !satisfied(finding.state))
    }

    /// The controls that were looked at.
    pub(super) fn reviewed(&self) -> Value {
        let ids = self.sought().map(|(_, control)| json!({ "control-id": token(&control.id) }));
        json!({ "control-selections": [{ "include-controls": ids.collect::<Vec<_>>() }] })
    }

    /// The assessor's program, as a component.
    pub(super) fn tool(&self) -> Value {
        json!({
            "uuid": tool(),
            "type": "software",
            "title": "quorate-assessor",
            "description": "Reads verified copies of books and asks each control as a query that can only read.",
            "status": { "state": "operational" },
        })
    }

    /// What it was assessed with.
    pub(super) fn assets(&self) -> Value {
        json!({
            "components": [self.tool()],
            "assessment-platforms": [{
                "uuid": uuid(&["platform", self.it.assessor]),
                "title": format!("Office of {}", self.it.assessor),
                "uses-components": [{ "component-uuid": tool() }],
            }],
        })
    }
}

/// The id of the component that stands for the assessor's program.
pub(super) fn tool() -> String {
    uuid(&["component", "quorate-assessor"])
}

/// OSCAL has two words for how a control stands; ours stands beside it.
pub(super) const fn satisfied(state: State) -> bool {
    matches!(
        state,
        State::Met | State::MetComparable | State::Qualified | State::EvidencedNotApplicable
    )
}
