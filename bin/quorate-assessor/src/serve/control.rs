//! One requirement: what it asks, how it is decided and stands now, the rows that were asked for, the entries behind it, and
//! what to show.

use std::collections::BTreeSet;

use quorate_assessor::evidence::{Answer, NoAnswer, Value};
use quorate_assessor::finding::{EntryRef, Finding, MachinePart};
use quorate_assessor::standard::{Control, ControlKey, Decision};
use quorate_pages::{
    Markup, Tone, code_block, details, digest, empty, facts, link, outside, paragraph, strip,
    table, when,
};

use super::hall::Seen;
use super::history;
use super::paper::{Page, listed, look, path, state};
use crate::commands::control_key;
use crate::look::{self as looking, Looked};
use crate::report;
use crate::run::Evidence;
use crate::trouble::{Done, Trouble};

/// The page.
pub(super) fn control(seen: &Seen<'_>, key: &str) -> Done<Page> {
    let key = control_key(seen.shelf, key)?;
    let control = seen.shelf.library.control(&key).ok_or_else(|| {
        Trouble::refused("unknown_control", format!("`{key}` is no control"), "mend it")
    })?;
    let decision = seen.shelf.library.decisions.get(&key);
    let mut page = Page::new(format!("{} {}", control.id, control.title));
    let looked =
        Evidence::load(seen.home, seen.office, seen.shelf, seen.asked).and_then(|evidence| {
            looking::control((seen.office, seen.shelf), (&key, seen.asked), &evidence)
        });
    match &looked {
        Ok(looked) => page.section("How it stands", stands(seen, &key, looked)?),
        Err(trouble) => {
            page.alert(Tone::Warn, format!("It cannot be asked now: {trouble}"));
            page.section("How it stands", recorded(seen, &key)?);
        }
    }
    page.section("What it asks", asks(&key, control));
    page.section("What to show", guide(control, decision));
    if let Some(decision) = decision {
        page.section("How it is decided", decided(decision, looked.as_ref().ok()));
    }
    if let Ok(Looked { finding, .. }) = &looked {
        page.section("Evidence", evidence(finding));
    }
    page.section("History", history::of_control(seen, &key)?);
    Ok(page)
}

fn asks(key: &ControlKey, control: &Control) -> Markup {
    let of = key.of().to_string();
    let mut rows = vec![
        ("Requirement", outside(&control.text)),
        ("Standard", link(&path("/standards", &of), &of)),
        ("Citation", outside(&control.citation)),
    ];
    let mut more = |label, text: Option<&str>| {
        if let Some(text) = text {
            rows.push((label, outside(text)));
        }
    };
    more("Level", control.level.as_deref());
    more("Why", control.rationale.as_deref());
    more("How often", control.cadence.as_deref());
    more("When it may not apply", control.not_applicable.as_deref());
    more("Note", control.note.as_deref());
    if !control.criteria.is_empty() {
        rows.push(("All of", listed(control.criteria.iter().map(String::as_str))));
    }
    facts(rows)
}

fn guide(control: &Control, decision: Option<&Decision>) -> Markup {
    let mut rows: Vec<(&str, Markup)> =
        control.guided().map(|(label, said)| (label, outside(said))).collect();
    if !control.evidence.is_empty() {
        let kinds = control.evidence.iter().map(String::as_str);
        rows.push(("Kinds of evidence", listed(kinds)));
    }
    if let Some(human) = decision.and_then(|decision| decision.human.as_deref()) {
        rows.push(("A person's part", outside(human)));
    }
    if rows.is_empty() {
        return empty("People need not show anything.", "The records decide; see below.");
    }
    facts(rows)
}

fn stands(seen: &Seen<'_>, key: &ControlKey, looked: &Looked) -> Done<Markup> {
    let finding = &looked.finding;
    let mut rows = vec![
        ("Now", state(finding.state)),
        ("Because", listed(finding.reasons.iter().map(String::as_str))),
        ("Looked at", when(finding.at)),
        ("Period from", when(finding.period.from)),
        ("Period to", when(finding.period.to)),
    ];
    if let Some(part) = &finding.machine {
        rows.push(("Rows it speaks about", Markup::text(&part.population.to_string())));
        rows.push(("Rows that break it", Markup::text(&part.exceptions.to_string())));
        rows.push(("Digest of the question", digest(&part.query.to_string())));
    }
    let said = "Looked at for this page, on the office's own verified copy; nothing was recorded.";
    Ok(Markup::all([facts(rows), recorded(seen, key)?, paragraph(Markup::text(said))]))
}

/// What the newest assessment on record says.
fn recorded(seen: &Seen<'_>, key: &ControlKey) -> Done<Markup> {
    let results = report::newest(seen.home, seen.office, &key.of())?;
    let found = results.as_ref().and_then(|r| r.findings.iter().find(|f| f.control == *key));
    let Some(found) = found else {
        let next = format!("Assess it: quorate-assessor assess \"{}\"", key.of());
        return Ok(empty("No assessment on record speaks of it.", &next));
    };
    Ok(facts(vec![("On record", state(found.state)), ("Recorded", when(found.at))]))
}

fn decided(decision: &Decision, looked: Option<&Looked>) -> Markup {
    let mut rows = vec![("Decided by", Markup::text(decision.automation.word()))];
    let mut more = |label, text: Option<&str>| {
        if let Some(text) = text {
            rows.push((label, outside(text)));
        }
    };
    more("Question", decision.predicate.as_deref());
    more("Met by", decision.satisfied_by.as_deref());
    more("No older than", decision.freshness.as_deref());
    more("Note", decision.note.as_deref());
    let mut parts = vec![facts(rows)];
    let queries = [("population", &decision.population), ("exceptions", &decision.exceptions)];
    for (name, query) in queries {
        let Some(query) = query else { continue };
        let label = format!("The query for the {name}");
        let words = if name == "population" {
            "Every row that it speaks about"
        } else {
            "The rows that break it"
        };
        let answer = looked.and_then(|looked| looked.rows.iter().find(|(of, _)| *of == name));
        let rows = answer.map_or_else(Markup::default, |(_, answer)| answered(words, answer));
        let sql = code_block(&label, query.trim());
        parts.push(details(&format!("{words}: the query and its rows"), Markup::all([sql, rows])));
    }
    if decision.population.is_none() && decision.automation.word() != "human" {
        parts.push(empty("No query decides it.", "What it reads is not recorded yet."));
    }
    Markup::all(parts)
}

fn answered(words: &str, answer: &Result<Answer, NoAnswer>) -> Markup {
    let answer = match answer {
        Err(no) => return paragraph(Markup::all([Markup::text("No answer: "), outside(&no.why)])),
        Ok(answer) if answer.rows.is_empty() => {
            return paragraph(Markup::text("It gives no rows."));
        }
        Ok(answer) => answer,
    };
    let names: BTreeSet<&String> = answer.rows.iter().flat_map(|row| row.keys()).collect();
    let headings: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let cell = |value: Option<&Value>| match value {
        None | Some(Value::Null) => Markup::text("none"),
        Some(Value::Integer(number)) => Markup::text(&number.to_string()),
        Some(Value::Text(text)) => outside(text),
    };
    let rows =
        answer.rows.iter().map(|row| names.iter().map(|name| cell(row.get(*name))).collect());
    let caption = format!("{words}: {} of {}", answer.rows.len(), answer.count);
    table(&caption, &headings, rows.collect())
}

fn evidence(finding: &Finding) -> Markup {
    let mut parts = Vec::new();
    if !finding.evidence.is_empty() {
        let line = |shown: &quorate_assessor::finding::EvidenceRef| {
            vec![
                outside(&shown.tag),
                shown.digest.map_or_else(|| Markup::text("kept there"), |d| digest(&d.to_string())),
                shown.expires.map_or_else(|| Markup::text("no end"), when),
            ]
        };
        let rows = finding.evidence.iter().map(line).collect();
        parts.push(table("Shown by people", &["Tag", "Digest", "Until"], rows));
    }
    if let Some(part) = &finding.machine {
        parts.push(entries(part));
    }
    if parts.is_empty() {
        let next = "People show it: quorate-assessor evidence CONTROL --tag DOCUMENT_1 --file FILE --by PERSON";
        return empty("Nothing is on file for it.", next);
    }
    Markup::all(parts)
}

/// Where an entry stands, with what proves it offline.
fn place(entry: &EntryRef) -> Markup {
    let book = path("", &entry.book).trim_start_matches('/').to_owned();
    let href = |part: &str| format!("/proof?book={book}&entry={}&part={part}", entry.index);
    Markup::all([
        outside(&format!("{} entry {} ", entry.book, entry.index)),
        link(&href("entry"), &format!("entry {}", entry.index)),
        Markup::text(" and "),
        link(&href("proof"), &format!("proof of entry {}", entry.index)),
    ])
}

fn entries(part: &MachinePart) -> Markup {
    let mut parts = Vec::new();
    if !part.shown.is_empty() {
        let line = |exception: &quorate_assessor::finding::Exception| {
            let at = exception.entry.as_ref().map_or_else(|| Markup::text("no entry"), place);
            vec![outside(&exception.why), at]
        };
        let rows = part.shown.iter().map(line).collect();
        parts.push(table("What breaks it", &["Why", "Entry"], rows));
    }
    if !part.cited.is_empty() {
        let rows = part.cited.iter().map(|entry| vec![place(entry)]).collect();
        let cited = table("Entries behind it, newest last", &["Entry"], rows);
        parts.push(details("Every entry that it cites, with proofs", cited));
    }
    let line = |head: &quorate_assessor::finding::Head| {
        vec![
            outside(&head.book),
            Markup::text(&head.size.to_string()),
            digest(&head.root.to_string()),
        ]
    };
    let rows = part.heads.iter().map(line).collect();
    parts.push(table("Verified against these heads", &["Book", "Entries", "Root"], rows));
    Markup::all(parts)
}

/// The strip of one control while it was watched.
pub(super) fn days(days: &[Option<quorate_assessor::finding::State>]) -> Markup {
    let looks: Vec<_> = days.iter().map(|day| day.map(look)).collect();
    let last = days.last().copied().flatten();
    let worst = days.iter().flatten().max_by_key(|state| looking::badness(**state));
    let words = |state: Option<&quorate_assessor::finding::State>| {
        state.map_or("not watched", |state| state.words())
    };
    let said =
        format!("{} days, now {}, at worst {}", days.len(), words(last.as_ref()), words(worst));
    strip(&looks, &said)
}
