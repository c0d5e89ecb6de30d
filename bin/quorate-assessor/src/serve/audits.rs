//! Audits by people: which there are, and of each what the visitor's role in it sees. The auditor: steps, evidence register,
//! interviews, review, dates. Others: the parts that the workflow gives to their role, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use quorate_assessor::audit::calendar::{Due, due};
use quorate_assessor::audit::exhibit::Exhibit;
use quorate_assessor::audit::personal::{Openings, read};
use quorate_assessor::audit::record::Engagement;
use quorate_assessor::audit::state::Done as Step;
use quorate_assessor::audit::view::Part;
use quorate_assessor::audit::{Role, view};
use quorate_assessor::record::Record;
use quorate_pages::{
    Markup, Tone, badge, details, digest, empty, facts, link, outside, paragraph, table, when,
};
use quorate_terms::Timestamp;
use serde_json::{Value, json};

use super::hall::{Hall, Open, Seen};
use super::paper::{Page, path, plain, value};
use super::visitor::Visitor;
use super::{reports, steps};
use crate::audit::{Held, open_with, personal};
use crate::trouble::Done;

/// Every audit on this ledger, for who takes part; every one for the office itself.
pub(super) fn audits(seen: &Seen<'_>, standards: &Path, who: &Visitor) -> Done<Page> {
    let mut page = Page::new("Audits");
    let ids: BTreeSet<&str> = seen
        .office
        .lines()
        .iter()
        .filter_map(|line| match &line.body {
            Record::Audited(step) => Some(step.audit.as_str()),
            _ => None,
        })
        .collect();
    let mut rows = Vec::new();
    for id in ids {
        match open_with(standards, seen.home, seen.office, id) {
            Ok(held) if who.role(&held.state).is_some() => {
                rows.push(row(id, &held, seen.office.now()));
            }
            Ok(_) => {}
            Err(trouble) if *who == Visitor::Office => rows.push(vec![
                outside(id),
                outside(&trouble.to_string()),
                Markup::default(),
                Markup::default(),
            ]),
            Err(_) => {}
        }
    }
    page.push(facts(vec![("You are", outside(who.words()))]));
    if who.sees_office() {
        page.push(paragraph(link("/engage", "Begin an audit")));
    }
    if rows.is_empty() {
        let next = if who.sees_office() {
            "Begin one above, or with a step `engaged`: quorate-assessor audit step RECORD --by PERSON"
        } else {
            "Ask the office under which id and key its engagement names you."
        };
        page.push(empty("There is no audit here for you.", next));
    } else {
        page.push(table("On this office's ledger", &["Audit", "Of", "Stage", "It is"], rows));
    }
    Ok(page)
}

fn row(id: &str, held: &Held, now: Timestamp) -> Vec<Markup> {
    let of = held.state.engagement().map_or_else(String::new, |e| {
        format!("{}, {}, by {} {}", e.entity, e.system, e.standard, e.version)
    });
    let word = badge(tone(held), held.state.word(now));
    vec![link(&path("/audits", id), id), outside(&of), stage(held), word]
}

fn tone(held: &Held) -> Tone {
    if held.state.void().is_some() { Tone::Bad } else { Tone::Note }
}

/// One audit as this visitor's role sees it.
pub(super) async fn audit(hall: &Hall, who: &Visitor, id: &str) -> Done<Page> {
    let open = hall.enter().await?;
    let made = made(hall, &open, who, id).await;
    open.close().await;
    made
}

async fn made(hall: &Hall, open: &Open, who: &Visitor, id: &str) -> Done<Page> {
    let held = steps::seen(hall, open, who, id)?;
    let role = who.role(&held.state).unwrap_or(Role::Reviewer);
    let openings = personal::openings(&open.office, &held.state).await?;
    let seen = view(&held.state, role, &held.rules(), &openings);
    let now = open.office.now();
    let mut page = Page::new(format!("Audit {id}"));
    if let Some(why) = held.state.void() {
        page.alert(Tone::Bad, format!("It counts for nothing any more: {why}"));
    }
    page.push(about(&held, who, now));
    page.section("What can be done now", steps::now::steps(id, &held, who));
    if role == Role::Auditor {
        whole(&mut page, id, (&held, who), (&openings, &seen, now));
    } else {
        parts(&mut page, &held, &seen, now);
    }
    Ok(page)
}

/// What a role other than the auditor's sees: the parts that the workflow gives to it.
fn parts(page: &mut Page, held: &Held, seen: &BTreeMap<Part, Value>, now: Timestamp) {
    for (part, inside) in seen {
        match part {
            Part::Engagement => {}
            Part::Calendar => {
                page.section("Dates", dates(&due(&held.state, &held.workflow), now));
            }
            Part::Review => page.section("Peer review", review(seen)),
            _ if inside.is_null() => {}
            part => {
                let name = plain(&json!(part));
                let mut letters = name.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                let title: String = first.into_iter().chain(letters).collect();
                page.section(&title, details("All of it", value(inside)));
            }
        }
    }
}

type Auditors<'a> = (&'a Openings, &'a BTreeMap<Part, Value>, Timestamp);

fn whole(
    page: &mut Page,
    id: &str,
    (held, who): (&Held, &Visitor),
    (openings, seen, now): Auditors<'_>,
) {
    page.section("Dates", dates(&due(&held.state, &held.workflow), now));
    let judged = [steps::now::to_judge(id, held, who), findings(held)];
    page.section("Findings", Markup::all(judged));
    let register = held.state.exhibits();
    let (talks, others): (Vec<_>, Vec<_>) =
        register.iter().partition(|(_, exhibit)| exhibit.item.family() == "INTERVIEW");
    page.section("Evidence register", exhibits(held, &others, openings));
    page.section("Interviews", exhibits(held, &talks, openings));
    page.section("Peer review", review(seen));
    page.section("Who looked at evidence", access(held));
    page.section("Reports", reports::links_of_audit(id));
    page.section("Steps", taken(held.state.done()));
}

fn about(held: &Held, who: &Visitor, now: Timestamp) -> Markup {
    let mut rows = vec![
        ("You are", outside(who.words())),
        ("It is", badge(tone(held), held.state.word(now))),
        ("Stage", stage(held)),
    ];
    if let Some(engaged) = held.state.engagement() {
        rows.extend(agreed(engaged));
    }
    facts(rows)
}

/// The stage in the workflow's own words.
fn stage(held: &Held) -> Markup {
    let id = held.state.stage();
    let named = held.workflow.text.stage.iter().find(|stage| stage.id == id);
    staged(named.map_or(id, |stage| stage.title.as_str()))
}

/// A stage by its name, which is empty before the first.
pub(super) fn staged(stage: &str) -> Markup {
    if stage.is_empty() { Markup::text("not begun") } else { outside(stage) }
}

fn agreed(engaged: &Engagement) -> Vec<(&'static str, Markup)> {
    let party = |party: &quorate_assessor::audit::record::Party| {
        let role = plain(&json!(party.role));
        format!("{} ({role}), {} of {}", party.person, party.name, party.firm)
    };
    let parties: Vec<String> = engaged.parties.iter().map(party).collect();
    vec![
        ("Entity", outside(&engaged.entity)),
        ("System", outside(&engaged.system)),
        ("Standard", outside(&format!("{} {}", engaged.standard, engaged.version))),
        ("Designation", outside(engaged.designation.words())),
        ("Period from", when(engaged.period.from)),
        ("Period to", when(engaged.period.to)),
        ("Parties", super::paper::listed(parties.iter().map(String::as_str))),
        ("Contract", outside(&engaged.contract)),
        ("Retention", outside(&engaged.retention)),
    ]
}

fn dates(all: &[Due], now: Timestamp) -> Markup {
    if all.is_empty() {
        return empty("No date has begun to run.", "The workflow's next steps begin them.");
    }
    let line = |due: &Due| {
        let (tone, words) = match (due.met, due.is_late(now)) {
            (Some(_), true) => (Tone::Warn, "met late"),
            (Some(_), false) => (Tone::Good, "met"),
            (None, true) => (Tone::Bad, "late"),
            (None, false) => (Tone::Note, "waits"),
        };
        vec![outside(&due.title), when(due.by), badge(tone, words)]
    };
    table("What is due", &["What", "By", "State"], all.iter().map(line).collect())
}

fn findings(held: &Held) -> Markup {
    let found = held.state.findings();
    if found.is_empty() {
        let next = "Judge them one by one; where the machine found something, its draft stands in the form.";
        return empty("No requirement was judged yet.", next);
    }
    let engaged = held.state.engagement();
    let line = |(id, found): (&String, &quorate_assessor::audit::record::Found)| {
        let key = engaged.map(|e| format!("{} {} {id}", e.standard, e.version));
        let name = key.map_or_else(|| outside(id), |key| link(&path("/controls", &key), id));
        vec![name, outside(found.status.words()), outside(&found.statement)]
    };
    let rows = found.iter().map(line).collect();
    let judged = table("How each was judged", &["Requirement", "Status", "Statement"], rows);
    let words = format!("{} of {} requirements are judged", found.len(), held.requirements.len());
    Markup::all([
        paragraph(Markup::text(&words)),
        details("Every judgement of the auditor", judged),
    ])
}

fn exhibits(held: &Held, all: &[(&String, &Exhibit)], openings: &Openings) -> Markup {
    if all.is_empty() {
        let next = "Put something on file with a step above, once the declarations stand; `audit evidence add` does the same.";
        return empty("Nothing is on file here.", next);
    }
    let parts = all.iter().map(|(tag, exhibit)| {
        let struck = if held.state.is_struck(tag) { ", struck" } else { "" };
        details(&format!("{tag}{struck}"), one(exhibit, openings))
    });
    Markup::all(parts)
}

fn one(exhibit: &Exhibit, openings: &Openings) -> Markup {
    let mut rows = vec![
        ("Answers for it", outside(&plain(&read(&json!(exhibit.owner), openings)))),
        ("Speaks from", when(exhibit.represents.from)),
        ("Speaks to", when(exhibit.represents.to)),
        ("Until", exhibit.expires.map_or_else(|| Markup::text("no end"), when)),
    ];
    match &exhibit.file {
        Some(file) => {
            let said = format!("{}, {} bytes, {}", file.name, file.size, file.media);
            rows.push(("File, sealed", outside(&said)));
            rows.push(("Digest", digest(&file.digest.to_string())));
        }
        None => {
            let why = exhibit.kept_there.as_deref().unwrap_or("these fields are the record");
            rows.push(("No file", outside(why)));
        }
    }
    let item = read(&json!(exhibit.item), openings);
    let fields = item.as_object().and_then(|item| item.values().next()).cloned();
    rows.push(("Record", value(&fields.unwrap_or(Value::Null))));
    facts(rows)
}

fn review(seen: &BTreeMap<Part, Value>) -> Markup {
    let review = seen.get(&Part::Review);
    let comments = review.and_then(|r| r.get("comments")).cloned().unwrap_or_default();
    let complete = review.and_then(|r| r.get("complete")).cloned().unwrap_or_default();
    let is_over = complete == Value::Bool(true) || complete.is_object() || complete.is_string();
    let mut rows = vec![(
        "State",
        if is_over { badge(Tone::Good, "complete") } else { badge(Tone::Note, "not complete") },
    )];
    if let Some(copy) = seen.get(&Part::Redacted).filter(|copy| !copy.is_null()) {
        let words = if copy.is_object() { "made, and it fits the report" } else { "made" };
        rows.push(("Redacted copy for the reviewer", Markup::text(words)));
    }
    let mut parts = vec![facts(rows)];
    let threads = comments.as_object().map(|all| all.iter().collect::<Vec<_>>());
    match (threads, comments.as_array()) {
        (Some(all), _) if !all.is_empty() => {
            parts.extend(
                all.into_iter()
                    .map(|(id, thread)| details(&format!("Comment {id}"), value(thread))),
            );
        }
        (_, Some(all)) if !all.is_empty() => {
            parts.extend(all.iter().map(|thread| details("Comment", value(thread))));
        }
        _ => parts.push(empty(
            "The reviewer asked nothing.",
            "Comments and answers are steps of the audit.",
        )),
    }
    Markup::all(parts)
}

fn access(held: &Held) -> Markup {
    let log = held.state.access_log();
    if log.is_empty() {
        let next = "Files are opened with the step `Open a file`; the opening is on record first.";
        return empty("Nobody opened a file.", next);
    }
    let line = |opened: &quorate_assessor::audit::state::Opened| {
        vec![outside(&opened.tag), outside(&opened.by), when(opened.at), outside(&opened.why)]
    };
    table("Opened", &["Tag", "By", "When", "Why"], log.iter().map(line).collect())
}

fn taken(done: &[Step]) -> Markup {
    let line = |(number, step): (usize, &Step)| {
        vec![
            Markup::text(&number.to_string()),
            outside(&step.act.replace('_', " ")),
            outside(&step.by),
            when(step.at),
        ]
    };
    let rows = (1_usize..).zip(done).map(line).collect();
    let all = table("Every step, oldest first", &["Step", "Act", "By", "When"], rows);
    let plural = if done.len() == 1 { "" } else { "s" };
    details(&format!("{} step{plural}", done.len()), all)
}
