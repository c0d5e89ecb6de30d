//! A step's form, its question and its outcome as pages.

use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::waiting::Waiting;
use quorate_assessor::ccss::inherit::Imported;
use quorate_assessor::mark::Envelope;
use quorate_pages::Press;
use quorate_pages::{
    Field, Markup, Tone, badge, choice_field, code_block, digest, facts, first_press, form,
    form_as, hidden, link, long_field, outside, paragraph, text_field, upload_form, when,
};
use serde_json::Value;

use super::drawn::Drawing;
use super::given::{Bad, Given};
use super::made::Grounds;
use super::press::{NAME, READ};
use super::rows::{called, is_of, written};
use super::table::{FieldText, Kind, StepForm};
use crate::audit::Taken;
use crate::serve::audits::staged;
use crate::serve::paper::{Page, listed, path, value};
use crate::trouble::{Done, Trouble};

/// Who may take the step, by id and words; none where the id is written.
pub(super) type Takers = Vec<(String, String)>;

/// The most fields that are named above a form. Naming one counts the rows before it, so a name each of very many would take
/// long.
const ALERTS_MAX: usize = 20;

/// What stands in a form before anybody writes in it.
pub(super) fn begun(form: &StepForm, grounds: &Grounds<'_>) -> Given {
    let start = |field: &FieldText| (field.name.to_owned(), (form.start)(grounds, field.name));
    let mut given: Given = form.fields.iter().map(start).collect();
    given.extend(written(form.fields, "", &(form.begins)(grounds)));
    given
}

/// A form, empty or as somebody filled it in.
pub(super) fn page(
    (form, grounds): (&StepForm, &Grounds<'_>),
    action: &str,
    takers: &Takers,
    (given, bad): (Option<&Given>, &Bad),
) -> Page {
    let mut page = Page::new(form.title);
    page.push(paragraph(Markup::running(form.says)));
    page.body.extend(grounds.report.as_ref().map(reported));
    let given = given.cloned().unwrap_or_else(|| begun(form, grounds));
    for (name, why) in bad.iter().take(ALERTS_MAX) {
        let text = match called(form.fields, &given, ("", name)) {
            Some(label) => format!("{label}: {why}"),
            None => why.clone(),
        };
        page.alert(Tone::Bad, text);
    }
    let rest = bad.len().saturating_sub(ALERTS_MAX);
    if rest > 0 {
        page.alert(Tone::Bad, format!("{rest} more are said beside their fields."));
    }
    if grounds.file.is_some() && !bad.is_empty() {
        page.alert(Tone::Note, "Choose the file again: nothing of it was stored.");
    }
    let (asked, later): (Vec<&FieldText>, Vec<&FieldText>) =
        form.fields.iter().partition(|field| (form.asks)(grounds, field.name));
    let mut fields = Vec::new();
    if asked.iter().any(|field| matches!(field.kind, Kind::Many(_))) {
        fields.push(first_press("Go on with the form as it stands"));
    }
    fields.push(by(takers, &given));
    let drawing = Drawing { grounds, given: &given, bad, action };
    fields.extend(asked.into_iter().map(|one| drawing.field(one, "", false)));
    let mut button = "Read it over before it is signed";
    if !later.is_empty() {
        fields.push(kept(&later, &given));
        button = "Read the report";
    }
    page.push(upload_form(action, Markup::all(fields), button));
    if let Some(held) = grounds.held {
        let audit = held.state.engagement().map(|e| e.audit.clone()).unwrap_or_default();
        page.push(paragraph(link(&path("/audits", &audit), "Back to the audit")));
    }
    page
}

/// What was typed into fields that are not asked for now, and that the report is to be read.
fn kept(later: &[&FieldText], given: &Given) -> Markup {
    let is_later = |name: &str| later.iter().any(|field| is_of(field, name));
    let mut fields: Vec<(&str, &str)> = given
        .iter()
        .filter(|(name, _)| is_later(name.as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.push((NAME, READ));
    hidden(&fields)
}

/// What a provider's report says, beside the form that takes it in.
fn reported(read: &Imported) -> Markup {
    let report = read.report();
    let until = [when(report.valid_from), Markup::text(" until "), when(report.valid_until)];
    let under = format!("{} {}", report.standard, report.version);
    facts(vec![
        ("The report is of", outside(&report.provider)),
        ("Its certified system", outside(&report.system)),
        ("Under", outside(&under)),
        ("Rank of the level reached", Markup::text(&report.level.to_string())),
        ("It counts from", Markup::all(until)),
        ("Signed by", outside(read.signed_by())),
        ("SHA-256 of the envelope", digest(&read.envelope().to_string())),
    ])
}

/// Who takes the step.
fn by(takers: &Takers, given: &Given) -> Markup {
    let said = given.get("taker").map_or("", String::as_str);
    let label = "Who takes the step";
    match takers.as_slice() {
        [] => {
            let hint = "The auditor's id, as it stands below.";
            text_field(Field { name: "taker", label, hint, value: said, optional: false })
        }
        [(id, _)] => hidden(&[("taker", id)]),
        many => {
            let options: Vec<(&str, &str)> =
                many.iter().map(|(id, words)| (id.as_str(), words.as_str())).collect();
            let hint = "The step is signed with this person's key.";
            choice_field(
                Field { name: "taker", label, hint, value: said, optional: false },
                &options,
            )
        }
    }
}

/// A step that waits for its signature: what it says, where to sign it, and the place for the answer.
pub(super) fn question(
    title: &str,
    waiting: &Waiting,
    ask: &str,
    wrong: Option<&Trouble>,
) -> Done<Page> {
    let mut page = Page::new(format!("{title}: to be signed"));
    if let Some(trouble) = wrong {
        page.alert(Tone::Bad, format!("{} ({})", trouble.message, trouble.next));
    }
    let here = path("/audits", &waiting.audit);
    let plural = if waiting.before == 1 { "" } else { "s" };
    let mut rows = vec![
        ("Audit", outside(&waiting.audit)),
        ("Signed by", outside(&waiting.by)),
        ("After", Markup::text(&format!("{} step{plural}", waiting.before))),
        ("SHA-256 of the step", digest(&waiting.digest()?.to_string())),
    ];
    rows.push(("On record", badge(Tone::Note, "not yet")));
    page.push(facts(rows));
    page.section("What is recorded", value(&waiting.read()?));
    if let Some(envelope) = envelope_of(&waiting.record) {
        page.section("What the envelope says", enclosed(envelope));
    }
    let said = "The key stays where it is. Fetch the step, take it there, and run the command; it shows the step and its \
                SHA-256, and gives one line.";
    let fetch = form_as(
        Press::Aside,
        &format!("{here}/waiting"),
        hidden(&[("ask", ask)]),
        "Fetch the step as a file",
    );
    let command = format!("quorate-assessor person sign {} --key YOUR.key", file_name(waiting));
    let hint = "The line that the command gave.";
    let fields = Markup::all([
        hidden(&[("ask", ask)]),
        long_field(Field { name: "answer", label: "The answer", hint, ..Field::default() }),
    ]);
    let sign = Markup::all([
        paragraph(Markup::text(said)),
        fetch,
        code_block("The command", &command),
        form(&format!("{here}/answer"), fields, "Record the step"),
    ]);
    page.section("Sign it", sign);
    page.push(paragraph(Markup::all([
        Markup::text("This question waits ten minutes, and again so long after each fetch. "),
        link(&here, "Leave it and go back to the audit"),
    ])));
    Ok(page)
}

/// What a step files that was signed outside.
fn envelope_of(record: &Act) -> Option<&Envelope> {
    match record {
        Act::Inherited(held) => Some(&held.envelope),
        Act::Certified(sealed) | Act::Accredited(sealed) | Act::MarkIssued(sealed) => {
            Some(&sealed.envelope)
        }
        _ => None,
    }
}

/// What somebody signed outside, opened: in the record it stands as base64, which nobody reads.
fn enclosed(envelope: &Envelope) -> Markup {
    let payload = envelope.payload().ok();
    let read = payload.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let said = read.map_or_else(|| Markup::text("It cannot be read here."), |read| value(&read));
    let keys = envelope.signatures.iter().map(|line| line.keyid.as_str());
    let who =
        facts(vec![("It is", outside(&envelope.payload_type)), ("Signed under", listed(keys))]);
    Markup::all([who, said])
}

/// What the step's file is called.
pub(super) fn file_name(waiting: &Waiting) -> String {
    format!("step-{}.json", waiting.before.saturating_add(1))
}

/// A step on record. `file` is the question under which its file is given once, or why there is none.
pub(super) fn done(waiting: &Waiting, taken: &Taken, file: Done<Option<String>>) -> Page {
    let mut page = Page::new("On record");
    let here = path("/audits", &waiting.audit);
    page.push(facts(vec![
        ("Step", outside(&taken.act.replace('_', " "))),
        ("By", outside(&waiting.by)),
        ("Entry of the office's ledger", Markup::text(&taken.entry.to_string())),
        ("Stage", staged(&taken.stage)),
        ("The audit is", badge(Tone::Note, taken.word)),
    ]));
    if let Err(trouble) = &file {
        let why = "The opening is on record, and its file could not be made ready:";
        let next = "Record another opening to fetch it.";
        page.alert(Tone::Warn, format!("{why} {}. {next}", trouble.message));
    }
    if let Ok(Some(ask)) = &file {
        let fields = hidden(&[("ask", ask)]);
        let said = "The opening is on record. The file is given once, as a download; nothing of it is shown here.";
        page.push(paragraph(Markup::text(said)));
        let care = "Your browser may open it by itself after the download; open it only where files of others are opened safely.";
        page.push(paragraph(Markup::text(care)));
        page.push(form(&format!("{here}/file"), fields, "Fetch the file"));
    }
    page.push(paragraph(link(&here, "Back to the audit")));
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::paper::Nav;
    use quorate_assessor::audit::record::About;

    #[test]
    fn a_step_on_record_is_never_told_as_refused_though_its_file_cannot_be_given() {
        let about = About { tag: "DOCUMENT_1".to_owned(), why: "to read it".to_owned() };
        let record = Act::ExhibitOpened(about);
        let (audit, by) = ("brick-1".to_owned(), "ann".to_owned());
        let waiting = Waiting { v: 1, audit, before: 7, by, record, openings: Vec::new() };
        let taken = Taken {
            entry: 9,
            act: "exhibit_opened".to_owned(),
            stage: "testing".to_owned(),
            word: "under audit",
            opened: None,
        };
        let shown = |file| done(&waiting, &taken, file).render("alder", "", Nav::Office);
        let failed = shown(Err(Trouble::fault("random", "no chance is left", "try again")));
        for words in ["On record", "no chance is left", "Record another opening"] {
            assert!(failed.contains(words), "{words}: {failed}");
        }
        assert!(!failed.contains("Fetch the file"), "{failed}");
        assert!(shown(Ok(Some("word".to_owned()))).contains("Fetch the file"));
    }
}
