//! From the machine's findings to an auditor's: drafts that name what the machine found, and no finding that names what it
//! never found.

use std::collections::BTreeMap;
use std::path::Path;

use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::signed::digest_of;
use quorate_assessor::finding::Finding;
use quorate_assessor::record::{Record, Results};
use quorate_assessor::standard::StandardKey;
use quorate_host::Fault;
use quorate_host::ui::Table;
use quorate_terms::{Digest, canonical};
use serde_json::{Value, json};

use super::Held;
use crate::home::{self, Home};
use crate::office::Office;
use crate::screen::Screen;
use crate::trouble::{Done, Trouble};

/// The five places for evidence with the family of tags that each cites.
const SLOTS: [(&str, &str); 5] = [
    ("interviews", "INTERVIEW_"),
    ("observations", "OBSERVATION_"),
    ("documents", "DOCUMENT_"),
    ("inspections", "INSPECTION_"),
    ("decisions", "DECISION_"),
];

/// Writes a draft for each requirement that the machine was asked about.
pub(super) fn draft(
    home: &Home,
    office: &Office,
    held: &Held,
    digest: &Digest,
    out: &Path,
) -> Done<Screen> {
    let Some(results) = recorded(home, office, held, Some(digest)).next().transpose()? else {
        let message = format!("this office has found no results {} for this audit", digest.short());
        return Err(Trouble::refused(
            "no_results",
            message,
            "give the digest that `assess` printed",
        ));
    };
    std::fs::create_dir_all(out).map_err(|e| Fault::at(out, &e))?;
    let mut table = Table::new(&["requirement", "the machine found", "draft"]);
    let mut drafts = Vec::new();
    let asked = |id: &str| held.requirements.iter().any(|requirement| requirement.id == id);
    for finding in results.findings.iter().filter(|finding| asked(&finding.control.id)) {
        let path = out.join(format!("{}.json", finding.control.id));
        let draft = drafted(held, finding)?;
        home::write(&path, format!("{draft:#}\n").as_bytes())?;
        let file = path.display().to_string();
        table.row([finding.control.id.as_str(), finding.state.words(), &file]);
        drafts.push(json!({ "id": finding.control.id, "state": finding.state, "machine": digest_of(finding)?, "file": file }));
    }
    let text =
        format!("{table}\nwrite status and statement into each; the machine decides nothing");
    Ok(Screen::new(text, json!({ "results": digest, "drafts": drafts })))
}

/// A record `found` that nobody can file as it is: status and statement are the auditor's.
pub(crate) fn drafted(held: &Held, finding: &Finding) -> Done<Value> {
    let on_file = held.state.exhibits();
    let tags: Vec<&str> = finding.evidence.iter().map(|e| e.tag.as_str()).collect();
    let slot = |(name, family): &(&str, &str)| {
        let cites: Vec<&&str> = tags
            .iter()
            .filter(|tag| tag.starts_with(family) && on_file.contains_key(**tag))
            .collect();
        let slot =
            if cites.is_empty() { json!("not_applicable") } else { json!({ "cites": cites }) };
        ((*name).to_owned(), slot)
    };
    let slots: serde_json::Map<String, Value> = SLOTS.iter().map(slot).collect();
    Ok(json!({
        "act": "found", "id": finding.control.id, "status": null, "statement": "", "rationale": null,
        "slots": slots, "samples": [], "machine": digest_of(finding)?,
    }))
}

/// The newest finding of the machine for each requirement, with the digest that a record names it by.
pub(crate) fn newest(
    home: &Home,
    office: &Office,
    held: &Held,
) -> Done<BTreeMap<String, (Digest, Finding)>> {
    let mut all = BTreeMap::new();
    let newest = recorded(home, office, held, None).next().transpose()?;
    for finding in newest.into_iter().flat_map(|results| results.findings) {
        all.insert(finding.control.id.clone(), (digest_of(&finding)?, finding));
    }
    Ok(all)
}

/// Refuses a finding that names a machine's finding which this office never recorded for that requirement.
pub(super) fn named(home: &Home, office: &Office, held: &Held, record: &Act) -> Done<()> {
    let Act::Found(found) = record else { return Ok(()) };
    let Some(machine) = &found.machine else { return Ok(()) };
    let is_it = |finding: &Finding| {
        finding.control.id == found.id && digest_of(finding).is_ok_and(|digest| digest == *machine)
    };
    for results in recorded(home, office, held, None) {
        if results?.findings.iter().any(is_it) {
            return Ok(());
        }
    }
    let message = format!("the machine never found {} of `{}`", machine.short(), found.id);
    Err(Trouble::refused("no_such_finding", message, "take the draft that `audit draft` writes"))
}

/// Results of the audit's standard that the ledger records, whole on disk, newest first; each is read when it is asked for.
fn recorded<'a>(
    home: &'a Home,
    office: &'a Office,
    held: &Held,
    only: Option<&'a Digest>,
) -> impl Iterator<Item = Done<Results>> + use<'a> {
    let of = held.state.engagement().map(|engagement| StandardKey {
        standard: engagement.standard.clone(),
        version: engagement.version.clone(),
    });
    let digests = office.lines().iter().rev().filter_map(move |line| match &line.body {
        Record::Assessed { standard, results, .. } if of.as_ref() == Some(standard) => {
            Some(*results)
        }
        _ => None,
    });
    let wanted = digests.filter(move |digest| only.is_none_or(|only| only == digest));
    wanted.filter_map(|digest| whole(home, &digest).transpose())
}

/// The results of a digest; none where the disk does not hold them, or other bytes under that name.
fn whole(home: &Home, digest: &Digest) -> Done<Option<Results>> {
    let path = home.results(&format!("{digest}.json"));
    if !path.exists() {
        return Ok(None);
    }
    let bytes = home::read(&path)?;
    if Digest::sha256(&bytes) != *digest {
        return Ok(None);
    }
    let read = canonical::from_bytes(&bytes, "results").map_err(Trouble::from);
    read.map(Some).map_err(Trouble::damaged)
}
