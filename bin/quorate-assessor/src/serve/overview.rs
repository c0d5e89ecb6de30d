//! The first page: what the office holds and how the newest assessments stand; and the same of one standard, whole.

use quorate_assessor::finding::State;
use quorate_assessor::record::Results;
use quorate_assessor::standard::{Catalogue, Control, Group, StandardKey};
use quorate_pages::{
    Field, Look, Markup, Share, Tile, Tone, badge, digest, empty, facts, form, link, look_key,
    outside, paragraph, shares, table, text_field, tiles, when,
};
use quorate_terms::Timestamp;
use serde_json::Value;

use super::hall::Seen;
use super::paper::{Page, look, path, plain, sentence};
use crate::commands::status;
use crate::report::{self, CCSS, DRAFT};
use crate::run;
use crate::trouble::Done;

/// What the signs mean, in the order of drawing.
const LOOKS: [(Look, &str); 6] = [
    (Look::Well, "met"),
    (Look::Aside, "not applicable, evidenced"),
    (Look::Wrong, "gap"),
    (Look::Old, "stale"),
    (Look::Open, "unproven"),
    (Look::Unasked, "not sought"),
];

/// The page before anybody is signed in.
pub(super) fn sign_in(code: Option<&str>) -> Page {
    let mut page = Page::new("Sign in");
    page.section("As the office", by_code(code));
    let said = "Who takes part in an audit here comes in with the key of the engagement, and sees what that part is shown.";
    let key = Markup::all([paragraph(Markup::text(said)), super::door::ask_person("")]);
    page.section("As a person of an audit", key);
    page.push(sentence("The ", ("/marks", "register of marks"), " is open to everybody."));
    page
}

fn by_code(code: Option<&str>) -> Markup {
    let label = "The code that the office showed where it was started";
    let value = code.unwrap_or_default();
    let fields = text_field(Field { name: "code", label, value, ..Field::default() });
    let said =
        "Each code opens once, within ten minutes; then this page has a new one shown there.";
    Markup::all([form("/sign-in", fields, "Open the office"), paragraph(Markup::text(said))])
}

/// What the office holds.
pub(super) fn overview(seen: &Seen<'_>) -> Done<Page> {
    let mut page = Page::new("Overview");
    let held = status(seen.home, seen.office)?.json;
    let books = held.get("books").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut others = Vec::new();
    let mut has_any = false;
    for catalogue in seen.shelf.library.catalogues.values() {
        let key = catalogue.key();
        let Some(results) = report::newest(seen.home, seen.office, &key)? else { continue };
        has_any = true;
        if grown(&results, &books) {
            let text = format!(
                "The books have grown since {key} was assessed. Assess again: quorate-assessor assess \"{key}\""
            );
            page.alert(Tone::Note, text);
        }
        let title = format!("{} {}", catalogue.title, catalogue.version);
        match catalogue.id.as_str() {
            CCSS => page.section(&title, newest(catalogue, &results, true)),
            DRAFT => page.section(&title, newest(catalogue, &results, false)),
            _ => others.push(row(catalogue, &results)),
        }
    }
    if !has_any {
        let next = if books.is_empty() {
            "Pin a book and take it in: quorate-assessor pin POLICY, then import or follow."
        } else {
            "Assess it: quorate-assessor assess \"ccss 9.0\", or assess all."
        };
        page.push(empty("Nothing was assessed yet.", next));
    }
    if !others.is_empty() {
        let headings = ["Standard", "Assessed", "How its controls stand"];
        page.section("Other standards", table("Newest assessments", &headings, others));
    }
    page.section("Books", books_of(&books));
    page.section("This office", own(&held));
    Ok(page)
}

/// The newest assessment of a standard on the first page: the matrix, or the chart of its groups.
fn newest(catalogue: &Catalogue, results: &Results, as_matrix: bool) -> Markup {
    let whole = path("/standards", &results.standard.to_string());
    let picture = if as_matrix { matrix(catalogue, results) } else { chart(catalogue, results) };
    let more = sentence("", (&whole, "The whole standard"), ", with its past assessments.");
    Markup::all([summary(catalogue, results), picture, more])
}

fn row(catalogue: &Catalogue, results: &Results) -> Vec<Markup> {
    let key = results.standard.to_string();
    let title = format!("{} {}", catalogue.title, catalogue.version);
    vec![
        link(&path("/standards", &key), &title),
        when(results.at),
        Markup::text(&said(&counts(results.findings.iter().map(|f| f.state)))),
    ]
}

/// Whether a book is longer now than when it was assessed.
fn grown(results: &Results, books: &[Value]) -> bool {
    let size = |book: &Value| book.pointer("/head/size").and_then(Value::as_u64);
    let origin = |book: &Value| book.get("origin").map(plain);
    results.heads.iter().any(|head| {
        let now = books.iter().find(|book| origin(book).as_ref() == Some(&head.book));
        now.and_then(size).is_some_and(|now| now > head.size)
    })
}

fn books_of(books: &[Value]) -> Markup {
    if books.is_empty() {
        let next =
            "Pin one: quorate-assessor pin POLICY. `quorate-verify pin CHARTER` makes the policy.";
        return empty("No book is pinned.", next);
    }
    let text = |book: &Value, at: &str| book.pointer(at).map(plain).unwrap_or_default();
    let line = |book: &Value| {
        let newest = book.get("newest").cloned().unwrap_or_default();
        let newest: Option<Timestamp> = serde_json::from_value(newest).ok();
        let whose = match book.get("cosigner").and_then(Value::as_str) {
            Some(cosigner) => format!("{}, own ledger of {cosigner}", text(book, "/vault")),
            None => text(book, "/vault"),
        };
        let root = text(book, "/head/root");
        vec![
            outside(&whose),
            if root.is_empty() {
                Markup::text("never taken in")
            } else {
                outside(&text(book, "/head/size"))
            },
            newest.map_or_else(|| Markup::text("none"), when),
            if root.is_empty() { Markup::text("none") } else { digest(&root) },
        ]
    };
    let headings = ["Book", "Entries", "Newest entry", "Root"];
    table("Verified under pinned keys", &headings, books.iter().map(line).collect())
}

fn own(held: &Value) -> Markup {
    let text = |name: &str| held.get(name).map(plain).unwrap_or_default();
    facts(vec![
        ("Office", outside(&text("office"))),
        ("Origin of its ledger", outside(&text("origin"))),
        ("Key", outside(&text("key"))),
        ("Entries", outside(&text("entries"))),
        ("Root", digest(&text("root"))),
        ("Books refused", outside(&text("refused"))),
    ])
}

/// One standard: how it stands, and its assessments.
pub(super) fn standard(seen: &Seen<'_>, key: &str) -> Done<Page> {
    let key: StandardKey = key.parse()?;
    let catalogue = run::catalogue(&seen.shelf.library, &key)?;
    let mut page = Page::new(format!("{} {}", catalogue.title, catalogue.version));
    page.push(facts(vec![
        ("Publisher", outside(&catalogue.publisher)),
        ("Wording", Markup::text(wording(catalogue.official))),
        ("To know first", outside(&catalogue.note)),
        ("How levels follow", outside(catalogue.level_rule.as_deref().unwrap_or("it has none"))),
    ]));
    match report::newest(seen.home, seen.office, &key)? {
        Some(results) => {
            page.section("Newest assessment", whole(catalogue, &results));
            page.section("Past assessments", super::history::past(seen, &key)?);
        }
        None => {
            let next = format!("Assess it: quorate-assessor assess \"{key}\"");
            page.push(empty("It was never assessed here.", &next));
            page.section("What it asks", asked(catalogue));
        }
    }
    Ok(page)
}

/// Summary, matrix and chart of one assessment.
pub(super) fn whole(catalogue: &Catalogue, results: &Results) -> Markup {
    let parts =
        [summary(catalogue, results), matrix(catalogue, results), chart(catalogue, results)];
    Markup::all(parts)
}

const fn wording(official: bool) -> &'static str {
    if official { "the publisher's" } else { "our paraphrase, not the publisher's text" }
}

fn asked(catalogue: &Catalogue) -> Markup {
    let key = catalogue.key();
    let line = |control: &Control| {
        let href = path("/controls", &key.control(&control.id).to_string());
        vec![link(&href, &control.id), outside(&control.title)]
    };
    let rows = catalogue.controls.iter().map(line).collect();
    table("Requirements", &["Requirement", "About"], rows)
}

fn summary(catalogue: &Catalogue, results: &Results) -> Markup {
    let sought = results.sought.as_deref().unwrap_or("all levels");
    let mut rows = vec![
        ("Assessed", when(results.at)),
        ("Evidence up to", when(results.period.to)),
        ("Sought", outside(sought)),
        ("Requirements", Markup::text(&said(&counts(results.findings.iter().map(|f| f.state))))),
    ];
    if !catalogue.levels.is_empty() {
        let reached = results.reached.overall.as_deref().unwrap_or("none");
        rows.insert(2, ("Level reached", outside(reached)));
    }
    if !results.official {
        rows.push(("Wording", badge(Tone::Note, wording(false))));
    }
    let assessed =
        Markup::text("Assessed, not certified: only a registrar's certificate says more.");
    rows.push(("To know", assessed));
    facts(rows)
}

fn tile(results: &Results, control: &Control) -> Tile {
    let found = results.findings.iter().find(|finding| finding.control.id == control.id);
    let state = found.map_or(State::NotSought, |finding| finding.state);
    Tile {
        href: path("/controls", &results.standard.control(&control.id).to_string()),
        name: control.id.clone(),
        look: look(state),
        said: format!("{}: {}", control.title, state.words()),
    }
}

/// Groups by levels, each requirement a tile.
fn matrix(catalogue: &Catalogue, results: &Results) -> Markup {
    let levels: Vec<Option<&str>> = if catalogue.levels.is_empty() {
        vec![None]
    } else {
        catalogue.levels.iter().map(|level| Some(level.id.as_str())).collect()
    };
    let names: Vec<String> = levels
        .iter()
        .map(|level| level.map_or("Requirements".to_owned(), |level| format!("Level {level}")))
        .collect();
    let mut headings = vec!["Part"];
    headings.extend(names.iter().map(String::as_str));
    if !catalogue.levels.is_empty() {
        headings.push("Reached");
    }
    let line = |group: &Group| {
        let mut cells = vec![outside(&format!("{} {}", group.id, group.title))];
        for level in &levels {
            let here = catalogue.controls.iter().filter(|control| {
                control.group == group.id
                    && level.is_none_or(|level| control.level.as_deref() == Some(level))
            });
            let all: Vec<Tile> = here.map(|control| tile(results, control)).collect();
            cells.push(if all.is_empty() { Markup::text("none") } else { tiles(&all) });
        }
        let reached = results.reached.groups.iter().find(|one| one.group == group.id);
        if !catalogue.levels.is_empty() {
            let level = reached.and_then(|one| one.level.as_deref());
            cells.push(outside(level.unwrap_or("none")));
        }
        cells
    };
    let rows = catalogue.groups.iter().map(line).collect();
    Markup::all([table("Every requirement, by level", &headings, rows), look_key(&LOOKS)])
}

/// One bar for each group.
fn chart(catalogue: &Catalogue, results: &Results) -> Markup {
    let whole = path("/standards", &results.standard.to_string());
    let share = |group: &Group| {
        let ids: Vec<&str> = catalogue
            .controls
            .iter()
            .filter(|control| control.group == group.id)
            .map(|control| control.id.as_str())
            .collect();
        let of = results.findings.iter().filter(|f| ids.contains(&f.control.id.as_str()));
        let parts = counts(of.map(|finding| finding.state));
        let label = format!("{} {}", group.id, group.title);
        Share { href: whole.clone(), label, said: said(&parts), parts }
    };
    let rows: Vec<Share> = catalogue.groups.iter().map(share).collect();
    Markup::all([shares("How many requirements of each part stand how", &rows), look_key(&LOOKS)])
}

/// How many stand how, in the order of drawing.
pub(super) fn counts(states: impl Iterator<Item = State>) -> Vec<(Look, u64)> {
    let mut parts: Vec<(Look, u64)> = LOOKS.iter().map(|(look, _)| (*look, 0)).collect();
    for state in states {
        for (look, count) in &mut parts {
            if *look == self::look(state) {
                *count = count.saturating_add(1);
            }
        }
    }
    parts
}

/// The same in words.
pub(super) fn said(parts: &[(Look, u64)]) -> String {
    let words =
        |look: Look| LOOKS.iter().find(|(one, _)| *one == look).map_or("", |(_, words)| words);
    let some = parts.iter().filter(|(_, count)| *count > 0);
    let all: Vec<String> = some.map(|(look, count)| format!("{count} {}", words(*look))).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// The key of the signs.
pub(super) fn key() -> Markup {
    look_key(&LOOKS)
}
