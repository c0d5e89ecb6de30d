//! Reports as files: each is written from what is on record when somebody fetches it, by the same functions as `report`.

use std::path::Path;

use quorate_pages::{Markup, Tone, link_named, paragraph, table};

use super::hall::{Hall, Open, Seen};
use super::paper::{Page, path};
use crate::audit::open_with;
use crate::report::{self, CCSS, DRAFT, Form, Kind};
use crate::trouble::{Done, Trouble};

/// The reports of assessments: name, title.
const KINDS: [(&str, &str, Kind); 4] = [
    ("readiness", "Readiness, control by control", Kind::Readiness),
    ("wss", "The wallet standard's unofficial working draft", Kind::Wss),
    ("regulators", "What follows for regulators", Kind::Regulators),
    ("gaps", "What is missing", Kind::Gaps),
];
/// The reports of audits.
const OF_AUDITS: [(&str, &str); 2] =
    [("roc", "Report on compliance"), ("summary", "Summary, for anybody")];
/// Ending, what it is called, media type, form.
const FORMS: [(&str, &str, &str, Form); 4] = [
    ("html", "HTML", "text/html; charset=utf-8", Form::Html),
    ("pdf", "PDF", "application/pdf", Form::Pdf),
    ("csv", "CSV", "text/csv; charset=utf-8", Form::Csv),
    ("json", "named values", "application/json", Form::FieldsJson),
];
/// What stands between a report's name and its ending in the edition for others.
const REDACTED: &str = "-redacted";

/// A file and its media type.
type Made = (Vec<u8>, &'static str);

/// The page.
pub(super) fn reports(seen: &Seen<'_>) -> Done<Page> {
    let mut page = Page::new("Reports");
    let has = |id: &str| {
        let key = seen.shelf.library.newest(id).map(|catalogue| catalogue.key());
        key.map(|key| report::newest(seen.home, seen.office, &key))
            .transpose()
            .map(|r| r.flatten().is_some())
    };
    for id in [CCSS, DRAFT] {
        if !has(id)? {
            let text = format!(
                "{id} was not assessed yet, so reports of it are refused: quorate-assessor assess \"{id} VERSION\""
            );
            page.alert(Tone::Note, text);
        }
    }
    let said = "Each file is written anew from the newest assessment on record; the same record gives the same file. \
                The redacted edition is the one that others may read.";
    page.push(paragraph(Markup::text(said)));
    let rows = KINDS.iter().map(|(name, title, _)| line("/reports", name, title)).collect();
    page.push(table("Reports of assessments", &["Report", "Whole", "Redacted"], rows));
    let audits = "Reports of an audit stand on the audit's own page.";
    page.push(super::paper::sentence("", ("/audits", "Audits"), &format!(": {audits}")));
    Ok(page)
}

/// The reports of one audit.
pub(super) fn links_of_audit(audit: &str) -> Markup {
    let head = format!("{}/reports", path("/audits", audit));
    let rows = OF_AUDITS.iter().map(|(name, title)| line(&head, name, title)).collect();
    table("Written when fetched", &["Report", "Whole", "Redacted"], rows)
}

fn line(head: &str, name: &str, title: &str) -> Vec<Markup> {
    let all = |edition: &str, words: &str| {
        let to = |(place, (ending, called, ..)): (usize, &(&str, &str, &str, Form))| {
            let href = format!("{head}/{name}{edition}.{ending}");
            let between = Markup::text(if place == 0 { "" } else { "; " });
            Markup::all([between, link_named(&href, called, &format!("{title}{words}, {called}"))])
        };
        Markup::all(FORMS.iter().enumerate().map(to))
    };
    // A summary is for anybody as it is.
    let others =
        if name == "summary" { Markup::text("as it is") } else { all(REDACTED, " redacted") };
    vec![Markup::text(title), all("", ""), others]
}

/// A report's name and whether it is redacted, with its form.
fn asked(name: &str) -> Done<(&str, bool, (&'static str, Form))> {
    let found = name.rsplit_once('.').and_then(|(stem, ending)| {
        let (.., mime, form) = FORMS.iter().find(|(known, ..)| *known == ending)?;
        let (stem, redacted) = stem.strip_suffix(REDACTED).map_or((stem, false), |s| (s, true));
        Some((stem, redacted, (*mime, *form)))
    });
    found.ok_or_else(unknown)
}

fn unknown() -> Trouble {
    Trouble::refused(
        "unknown_report",
        "there is no such report",
        "choose one of the page `Reports`",
    )
}

/// One report of an assessment.
pub(super) fn one(seen: &Seen<'_>, name: &str, typst: &Path) -> Done<Made> {
    let (stem, redacted, (mime, form)) = asked(name)?;
    let kind = KINDS.iter().find(|(known, ..)| *known == stem).map(|(.., kind)| *kind);
    let of = (&None, kind.ok_or_else(unknown)?, redacted);
    let report = report::standing(seen.home, seen.office, seen.shelf, of)?;
    Ok((report::bytes(&report, form, typst)?, mime))
}

/// One report of an audit.
pub(super) async fn of_audit(hall: &Hall, audit: &str, name: &str) -> Done<Made> {
    let (stem, redacted, (mime, form)) = asked(name)?;
    if !OF_AUDITS.iter().any(|(known, _)| *known == stem) {
        return Err(unknown());
    }
    let open = hall.enter().await?;
    let report = audited(hall, &open, (audit, stem == "roc", redacted)).await;
    open.close().await;
    Ok((report::bytes(&report?, form, hall.typst())?, mime))
}

async fn audited(
    hall: &Hall,
    open: &Open,
    (audit, whole, redacted): (&str, bool, bool),
) -> Done<quorate_assessor::report::Report> {
    let held = open_with(hall.standards(), &open.home, &open.office, audit)?;
    report::audited(&open.home, &open.office, hall.shelf(), (&held, whole, redacted)).await
}
