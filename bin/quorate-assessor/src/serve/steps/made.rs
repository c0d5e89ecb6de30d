//! What a step's record takes from the audit itself, and what is worked out from its fields.

mod engaged;
mod scope;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use quorate_assessor::audit::file::picture_size;
use quorate_assessor::audit::personal::Openings;
use quorate_assessor::audit::redact::Wish;
use quorate_assessor::audit::report::summary as summary_of;
use quorate_assessor::audit::signed::digest_of;
use quorate_assessor::audit::{Audit, Record as Act, Workflow};
use quorate_assessor::ccss::Status;
use quorate_assessor::ccss::inherit::Imported;
use quorate_assessor::ccss::sampling::{Seed, draw, population_digest};
use quorate_assessor::ccss::status::NotApplicable;
use quorate_assessor::finding::Finding;
use quorate_terms::commitment::Opening;
use quorate_terms::{Digest, Signature, Timestamp};
use serde_json::{Value, json};

pub(super) use engaged::{
    about_engaged, about_listed, designations, engage, engaged, engaged_begins, engaged_start,
    readiness, roles, standards, workflows,
};
pub(super) use scope::{
    about_envelope, about_inherited, about_scope, envelope, imported, inherited, inherited_asks,
    inherited_begins, inheriting, owned, ranks, report as read_report, scope_begins, scoped,
    services,
};

use super::upload::Upload;
use crate::audit::Held;
use crate::audit::machine::drafted;
use crate::audit::papers::redaction;
use crate::trouble::{Done, Trouble};

/// What a form is made from.
pub(super) struct Grounds<'a> {
    /// The audit; none for an engagement.
    pub(super) held: Option<&'a Held>,
    pub(super) kept: &'a Openings,
    pub(super) now: Timestamp,
    /// What the form is about: a tag, a requirement, a number.
    pub(super) on: &'a str,
    /// The form's own id.
    pub(super) id: &'a str,
    /// The machine's newest findings.
    pub(super) machine: &'a BTreeMap<String, (Digest, Finding)>,
    pub(super) workflows: &'a [Workflow],
    /// Standards that are loaded.
    pub(super) standards: Vec<String>,
    /// What was uploaded.
    pub(super) file: Option<&'a Upload>,
    /// The provider's report that stands in the form, once one does that is believed.
    pub(super) report: Option<Imported>,
    /// What opens the redacted copy that was made, once one was.
    pub(super) copy: OnceLock<Vec<Opening>>,
}

impl Grounds<'_> {
    pub(super) fn held(&self) -> Done<&Held> {
        self.held.ok_or_else(|| {
            Trouble::refused("no_audit", "this step is of an audit", "open the audit's page")
        })
    }

    fn audit(&self) -> Done<&Audit> {
        Ok(&self.held()?.state)
    }
}

fn missing(what: &str, next: &str) -> Trouble {
    Trouble::refused("not_yet", format!("there is no {what} yet"), next)
}

fn no_signature() -> Value {
    json!(Signature::from_bytes([0; 64]))
}

pub(super) fn nothing(_: &Grounds<'_>) -> Done<Value> {
    Ok(json!({}))
}

pub(super) fn as_it_is(_: &Grounds<'_>, _: &mut Value) -> Done<()> {
    Ok(())
}

pub(super) fn empty(_: &Grounds<'_>, _: &str) -> String {
    String::new()
}

pub(super) fn no_record(_: &Grounds<'_>) -> Value {
    json!({})
}

pub(super) fn always(_: &Grounds<'_>, _: &str) -> bool {
    true
}

pub(super) const fn no_place(_: &Act, _: &[String]) -> Vec<Vec<String>> {
    Vec::new()
}

/// Takes a value that is no part of the record.
fn take(record: &mut Value, name: &str) -> Value {
    let aside = record.get_mut("_").and_then(Value::as_object_mut);
    aside.and_then(|aside| aside.remove(name)).unwrap_or_default()
}

fn put(record: &mut Value, name: &str, value: Value) {
    if let Some(fields) = record.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

// Reviewers.

pub(super) fn reviewers(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    let options = grounds.held.and_then(|held| held.state.options());
    let one = |r: &quorate_assessor::audit::record::Reviewer| {
        (json!(r.person).to_string(), format!("{} of {}", r.name, r.firm))
    };
    options.map(|options| options.reviewers.iter().map(one).collect()).unwrap_or_default()
}

pub(super) fn chosen(grounds: &Grounds<'_>) -> Done<Value> {
    let options = grounds.audit()?.options();
    let options =
        options.ok_or_else(|| missing("list of reviewers", "record the registrar's list"))?;
    Ok(json!({ "list": options.list }))
}

// Declarations.

pub(super) fn to_be_signed(_: &Grounds<'_>) -> Done<Value> {
    Ok(json!({ "signature": no_signature() }))
}

pub(super) fn declared_start(_: &Grounds<'_>, _: &str) -> String {
    "I am independent of the other parties of this audit.\nI answer for what I put on file here."
        .to_owned()
}

// Exhibits.

/// The technique, which is also the name of the item.
fn technique<'a>(grounds: &Grounds<'a>) -> &'a str {
    grounds.id.split_once('.').map_or("", |(_, kind)| kind)
}

pub(super) fn exhibit(grounds: &Grounds<'_>) -> Done<Value> {
    let family = match technique(grounds) {
        "document" | "record" => "DOCUMENT",
        "observation" | "reperformance" => "OBSERVATION",
        "interview" => "INTERVIEW",
        "inspection" => "INSPECTION",
        _ => "DECISION",
    };
    Ok(json!({ "tag": grounds.audit()?.next_tag(family), "exhibit": { "file": null } }))
}

pub(super) fn exhibit_start(grounds: &Grounds<'_>, name: &str) -> String {
    let period = grounds.held.and_then(|held| held.state.engagement()).map(|e| e.period);
    let day = |at: Timestamp| at.written("%Y-%m-%d");
    match (name, period) {
        ("from", Some(period)) => day(period.from),
        ("to", Some(period)) => day(period.to),
        ("at", _) => day(grounds.now),
        _ => String::new(),
    }
}

/// Checks the file against the digest that was told, and against the workflow's kinds.
pub(super) fn filed(grounds: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let told = take(record, "sha256");
    let Some(file) = grounds.file else { return not_told(&told) };
    let entry = admitted(grounds, file, &told)?;
    if let Some(exhibit) = record.get_mut("exhibit") {
        put(exhibit, "file", json!(entry));
    }
    Ok(())
}

fn not_told(told: &Value) -> Done<()> {
    if told.as_str().is_some_and(|told| !told.trim().is_empty()) {
        let next = "choose the file again: a browser forgets it when a form comes back";
        return Err(Trouble::refused("no_file", "a digest was told, and no file came", next));
    }
    Ok(())
}

fn admitted(
    grounds: &Grounds<'_>,
    file: &Upload,
    told: &Value,
) -> Done<quorate_assessor::audit::file::FileEntry> {
    let told = told.as_str().unwrap_or_default().trim().to_lowercase();
    if !told.is_empty() && told != file.digest.to_string() {
        let message = format!(
            "the file that came has the SHA-256 {}, and not the one that was told",
            file.digest
        );
        let next = "ask for the file again, on another way; nothing was stored";
        return Err(Trouble::refused("other_file", message, next));
    }
    Ok(grounds.held()?.workflow.text.files.admit(&file.name, &file.bytes)?)
}

/// Where a form begins with what its link names.
pub(super) fn on(grounds: &Grounds<'_>, name: &str) -> String {
    match name {
        "tag" | "requirement" | "id" => json!(grounds.on).to_string(),
        "number" => grounds.on.to_owned(),
        _ => String::new(),
    }
}

pub(super) fn exhibits(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    tags(grounds, |_| true)
}

pub(super) fn files(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    tags(grounds, |exhibit| exhibit.file.is_some())
}

fn tags(
    grounds: &Grounds<'_>,
    wanted: impl Fn(&quorate_assessor::audit::exhibit::Exhibit) -> bool,
) -> Vec<(String, String)> {
    let Some(held) = grounds.held else { return Vec::new() };
    let all = held.state.exhibits().iter().filter(|(_, exhibit)| wanted(exhibit));
    let words = |exhibit: &quorate_assessor::audit::exhibit::Exhibit| {
        exhibit.file.as_ref().map_or_else(String::new, |file| format!(", {}", file.name))
    };
    all.map(|(tag, exhibit)| (json!(tag).to_string(), format!("{tag}{}", words(exhibit)))).collect()
}

// Samples and findings.

pub(super) fn risks(_: &Grounds<'_>) -> Vec<(String, String)> {
    ["low", "high"].map(|word| (json!(word).to_string(), word.to_owned())).into()
}

pub(super) fn sampled(_: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let ids: Vec<String> = serde_json::from_value(take(record, "ids")).unwrap_or_default();
    let size = take(record, "size").as_u64().unwrap_or_default();
    let text = |at: &str| record.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let seed = Seed { text: text("/sample/seed/text"), source: text("/sample/seed/source") };
    let chosen = draw(&ids, &seed, size)?;
    let digest = population_digest(&ids)?;
    if let Some(sample) = record.get_mut("sample") {
        put(sample, "chosen", json!(chosen));
        put(sample, "digest", json!(digest));
        if let Some(population) = sample.get_mut("population") {
            put(population, "count", json!(ids.len()));
        }
    }
    Ok(())
}

pub(super) fn requirements(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    let Some(held) = grounds.held else { return Vec::new() };
    held.requirements.iter().map(|r| (json!(r.id).to_string(), r.id.clone())).collect()
}

pub(super) fn statuses(_: &Grounds<'_>) -> Vec<(String, String)> {
    let all = [
        Status::NotInPlace,
        Status::InPlace,
        Status::Comparable,
        Status::Qualified,
        Status::NotApplicable(NotApplicable::Evidenced),
        Status::NotApplicable(NotApplicable::NotSought),
    ];
    all.iter().map(|one| (json!(one).to_string(), one.words().to_owned())).collect()
}

/// What stands on file of a requirement, or a draft from what the machine found: no status in words of its own.
pub(super) fn found_start(grounds: &Grounds<'_>, name: &str) -> String {
    if name == "id" {
        return json!(grounds.on).to_string();
    }
    let Some(held) = grounds.held else { return String::new() };
    let draft = match (held.state.findings().get(grounds.on), grounds.machine.get(grounds.on)) {
        (Some(found), _) => json!(found),
        (None, Some((_, finding))) => drafted(held, finding).unwrap_or_default(),
        (None, None) => return String::new(),
    };
    let at = match name {
        "interviews" | "observations" | "documents" | "inspections" | "decisions" => {
            draft.pointer(&format!("/slots/{name}/cites"))
        }
        _ => draft.get(name),
    };
    match at {
        Some(Value::String(text)) if name != "status" => text.clone(),
        Some(Value::Array(all)) => {
            let between = if name == "samples" { "\n" } else { " " };
            all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(between)
        }
        Some(status) if name == "status" => status.to_string(),
        _ => String::new(),
    }
}

/// The machine's finding is of the requirement that was chosen, or it is left out.
pub(super) fn found(grounds: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let id = record.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = record.get("machine").and_then(Value::as_str).map(str::to_owned);
    let other = |(other, (digest, _)): (&String, &(Digest, Finding))| {
        *other != id && named.as_deref() == Some(digest.to_string().as_str())
    };
    if grounds.machine.iter().any(other) {
        let next = "open the form of that requirement, or leave the machine's finding out";
        let message = "the machine's finding is of another requirement";
        return Err(Trouble::refused("other_finding", message, next));
    }
    Ok(())
}

// Report, copy, review, summary, certificate.

pub(super) fn report(grounds: &Grounds<'_>) -> Done<Value> {
    let held = grounds.held()?;
    Ok(json!({ "digest": held.state.report_digest(&held.requirements)? }))
}

pub(super) fn redacted(grounds: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let wishes: Vec<Wish> = serde_json::from_value(take(record, "wishes")).map_err(|e| {
        let next = "write a list of {\"at\", \"commit\", \"why\"}";
        Trouble::refused("malformed", format!("the wishes cannot be read ({e})"), next)
    })?;
    let (made, openings) = redaction(grounds.held()?, grounds.kept, wishes)?;
    *record = json!(made);
    // Only in memory: on disk it is plain text, which has no place there before the step is taken.
    grounds.copy.get_or_init(|| openings);
    Ok(())
}

pub(super) fn copy(grounds: &Grounds<'_>) -> Done<Value> {
    let copy = grounds.audit()?.redaction().map(|held| held.copy);
    let copy = copy.ok_or_else(|| missing("redacted copy", "make the redacted copy first"))?;
    Ok(json!({ "digest": copy }))
}

pub(super) fn copy_to_be_signed(grounds: &Grounds<'_>) -> Done<Value> {
    let mut made = copy(grounds)?;
    put(&mut made, "signature", no_signature());
    Ok(made)
}

pub(super) fn next_comment(grounds: &Grounds<'_>) -> Done<Value> {
    Ok(json!({ "number": grounds.audit()?.comments().len().saturating_add(1) }))
}

pub(super) fn comments(grounds: &Grounds<'_>) -> Vec<(String, String)> {
    let Some(held) = grounds.held else { return Vec::new() };
    let open = (1_usize..).zip(held.state.comments()).filter(|(_, thread)| !thread.closed);
    open.map(|(number, thread)| {
        let begins: String = thread.text.chars().take(60).collect();
        (number.to_string(), format!("{number}: {begins}"))
    })
    .collect()
}

pub(super) fn summary(grounds: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let description = take(record, "description");
    let held = grounds.held()?;
    let made = summary_of(
        &held.state,
        &held.requirements,
        description.as_str().unwrap_or_default(),
        grounds.now,
    );
    *record = json!(made.ok_or_else(|| missing("report", "write the report first"))?);
    Ok(())
}

pub(super) fn summary_to_be_signed(grounds: &Grounds<'_>) -> Done<Value> {
    Ok(json!({ "digest": summary_digest(grounds)?, "signature": no_signature() }))
}

fn summary_digest(grounds: &Grounds<'_>) -> Done<Digest> {
    let summary = grounds.audit()?.summary();
    let summary = summary.ok_or_else(|| missing("summary", "write the summary first"))?;
    Ok(digest_of(summary)?)
}

pub(super) fn request(grounds: &Grounds<'_>) -> Done<Value> {
    let reviewer = grounds.audit()?.party_of(quorate_assessor::audit::Role::Reviewer);
    let copied = reviewer.map_or_else(String::new, |party| party.person.clone());
    Ok(json!({ "summary": summary_digest(grounds)?, "copied_to": copied }))
}

pub(super) fn requested(grounds: &Grounds<'_>, record: &mut Value) -> Done<()> {
    let told = take(record, "sha256");
    let file = grounds.file.ok_or_else(|| {
        Trouble::refused("no_file", "no logo came", "choose a PNG or JPEG of at least 500 by 500")
    })?;
    let entry = admitted(grounds, file, &told)?;
    let (width, height) = picture_size(&file.bytes).unwrap_or_default();
    let held = grounds.held()?;
    let unlapsed = record.get("unlapsed") == Some(&Value::Bool(true));
    let fee = held.state.fee_due(&held.rules(), unlapsed);
    let (currency, cents) = fee.unwrap_or_else(|| ("USD".to_owned(), 0));
    put(record, "logo", json!(entry));
    put(record, "logo_width", json!(width));
    put(record, "logo_height", json!(height));
    put(record, "currency", json!(currency));
    put(record, "fee_cents", json!(cents));
    Ok(())
}
