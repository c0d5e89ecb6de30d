//! How findings changed: past assessments as bars, and a strip of days for each control while it was watched.

use quorate_assessor::finding::State;
use quorate_assessor::record::Record;
use quorate_assessor::standard::{ControlKey, StandardKey};
use quorate_pages::{Markup, Share, Tone, empty, facts, link, paragraph, shares, table, when};
use quorate_terms::{Digest, Timestamp};

use super::control::days;
use super::hall::Seen;
use super::overview::{counts, key, said, whole};
use super::paper::{Page, listed, path, state};
use crate::look::{STRIP_DAYS, changes, strips};
use crate::report::recorded;
use crate::run;
use crate::trouble::{Done, Trouble};

/// Past assessments of a standard that a page shows, the newest.
const PAST_MAX: usize = 24;

/// When an assessment was recorded, and its digest.
type Past = (Timestamp, Digest);

/// The page.
pub(super) fn history(seen: &Seen<'_>) -> Done<Page> {
    let mut page = Page::new("History");
    let mut has_any = false;
    for catalogue in seen.shelf.library.catalogues.values() {
        let standard = catalogue.key();
        if assessed(seen, &standard).next().is_some() {
            has_any = true;
            let title = format!("{} {}", catalogue.title, catalogue.version);
            page.section(&title, past(seen, &standard)?);
        }
    }
    if !has_any {
        let next = "Assess a standard: quorate-assessor assess \"ccss 9.0\"";
        page.push(empty("Nothing was assessed yet.", next));
    }
    page.section("While it was watched", watched(seen));
    Ok(page)
}

/// Assessments on record, newest first.
fn assessed<'a>(seen: &'a Seen<'_>, of: &'a StandardKey) -> impl Iterator<Item = Past> + 'a {
    seen.office.lines().iter().rev().filter_map(move |line| match &line.body {
        Record::Assessed { standard, results, .. } if standard == of => Some((line.at, *results)),
        _ => None,
    })
}

/// One bar for each past assessment of a standard, newest first.
pub(super) fn past(seen: &Seen<'_>, of: &StandardKey) -> Done<Markup> {
    let mut rows = Vec::new();
    for (at, digest) in assessed(seen, of).take(PAST_MAX) {
        let results = recorded(seen.home, &digest)?;
        let parts = counts(results.findings.iter().map(|finding| finding.state));
        let reached = results.reached.overall.as_deref().unwrap_or("none");
        let label = format!("{} UTC, level {reached}", at.written("%Y-%m-%d %H:%M:%S"));
        let href = path("/assessments", &digest.to_string());
        rows.push(Share { href, label, said: said(&parts), parts });
    }
    let all = assessed(seen, of).count();
    let caption = format!("{} of {all} assessments, newest first", rows.len());
    Ok(Markup::all([shares(&caption, &rows), key()]))
}

fn watched(seen: &Seen<'_>) -> Markup {
    let strips = strips(seen.office, STRIP_DAYS, seen.office.now());
    if strips.is_empty() {
        let next = "Follow the desk: quorate-assessor watch";
        return empty("Nothing was watched yet.", next);
    }
    let line = |(control, strip): (&ControlKey, &crate::look::Strip)| {
        let name = control.to_string();
        let now = strip.last().copied().flatten();
        vec![
            link(&path("/controls", &name), &name),
            days(strip),
            now.map_or_else(|| Markup::text("not watched"), state),
        ]
    };
    let caption = format!("The last {STRIP_DAYS} days, newest last; a day shows the worst of it");
    let rows = strips.iter().map(line).collect();
    Markup::all([table(&caption, &["Control", "Days", "Now"], rows), key()])
}

/// How one control stood in past assessments, and while it was watched.
pub(super) fn of_control(seen: &Seen<'_>, control: &ControlKey) -> Done<Markup> {
    let mut parts = Vec::new();
    let mut rows = Vec::new();
    for (at, digest) in assessed(seen, &control.of()).take(PAST_MAX) {
        let results = recorded(seen.home, &digest)?;
        if let Some(found) = results.findings.iter().find(|found| found.control == *control) {
            let why = listed(found.reasons.iter().take(1).map(String::as_str));
            rows.push(vec![when(at), state(found.state), why]);
        }
    }
    if rows.is_empty() {
        let next = format!("Assess it: quorate-assessor assess \"{}\"", control.of());
        parts.push(empty("No assessment on record speaks of it.", &next));
    } else {
        parts.push(table("In past assessments, newest first", &["When", "State", "Why"], rows));
    }
    if let Some(strip) = strips(seen.office, STRIP_DAYS, seen.office.now()).get(control) {
        let caption = format!("The last {STRIP_DAYS} days while it was watched, newest last");
        parts.extend([paragraph(Markup::text(&caption)), days(strip)]);
        let line = |(at, to): (Timestamp, State)| vec![when(at), state(to)];
        let rows: Vec<_> = changes(seen.office, control).map(line).collect();
        parts.push(table("When it changed", &["When", "It became"], rows));
    }
    Ok(Markup::all(parts))
}

/// One past assessment, whole.
pub(super) fn assessment(seen: &Seen<'_>, digest: &str) -> Done<Page> {
    let digest: Digest = digest.parse()?;
    let line = seen.office.lines().iter().find_map(|line| match &line.body {
        Record::Assessed { standard, results, .. } if *results == digest => Some((line, standard)),
        _ => None,
    });
    let Some((line, standard)) = line else {
        let message = format!("no assessment {} is on record", digest.short());
        return Err(Trouble::refused("unknown_results", message, "see the page `History`"));
    };
    let results = recorded(seen.home, &digest)?;
    let catalogue = run::catalogue(&seen.shelf.library, standard)?;
    let mut page = Page::new(format!("{} {}, assessed", catalogue.title, catalogue.version));
    if catalogue.digest()? != results.catalogue {
        page.alert(
            Tone::Warn,
            "The standard's text here is another one than the one that was used.",
        );
    }
    page.push(facts(vec![
        ("Entry of the office's ledger", Markup::text(&line.index.to_string())),
        ("Recorded", when(line.at)),
        ("Results", quorate_pages::digest(&digest.to_string())),
    ]));
    page.section("How it stood", whole(catalogue, &results));
    Ok(page)
}
