//! Reports of an audit as people read them.

use super::world::{World, secrets};
use crate::report::audited::{Basis, roc, summary};
use crate::report::{Block, Edition, Report, Sheet, html, typst};
use crate::standard::Catalogue;

const CATALOGUE: &str = r#"
id = "ccss"
version = "9.0"
title = "A small standard"
publisher = "nobody"
language = "en"
as_of = "2026-11-20"
official = false
note = "for tests"
level = [{ id = "I", rank = 1, meaning = "first" }, { id = "II", rank = 2, meaning = "second" }]
group = [{ id = "x", title = "Backups" }, { id = "y", title = "People" }]
control = [
  { id = "x.1", group = "x", title = "Apart", level = "I", text = "Keep apart.", citation = "c", confidence = "K" },
  { id = "x.2", group = "x", title = "Tested", level = "II", text = "Test.", citation = "c", confidence = "K" },
  { id = "y.1", group = "y", title = "Two", level = "I", text = "Two people.", citation = "c", confidence = "K" },
]
"#;

fn forms(report: &Report) -> Vec<String> {
    vec![
        html::page(report),
        typst::markup(report),
        report.sheet.csv(),
        Sheet::of(&report.fields).csv(),
    ]
}

fn ids(report: &Report) -> Vec<String> {
    let blocks = report.sections.iter().flat_map(|section| &section.blocks);
    let cards = blocks.filter_map(|b| if let Block::Card(card) = b { Some(card) } else { None });
    cards.map(|card| card.id.clone()).filter(|id| !id.contains('_')).collect()
}

fn with<T>(world: &World, read: impl FnOnce(&Basis<'_>) -> T) -> T {
    let catalogue: Catalogue = toml::from_str(CATALOGUE).unwrap();
    let basis = Basis {
        audit: &world.audit,
        catalogue: &catalogue,
        results: None,
        now: world.now,
        openings: &world.openings,
    };
    read(&basis)
}

#[test]
fn the_report_on_compliance_has_each_requirement_once_with_its_five_places() {
    let mut world = World::ccss();
    world.run_before("report_written");
    let report = with(&world, |basis| roc(basis, false)).unwrap();
    assert_eq!(ids(&report), ["x.1", "x.2", "y.1"]);
    assert_eq!(report.sheet.rows.len(), 3);
    assert_eq!(report.word, "under audit");
    let digest = report.fields.iter().find(|f| f.name == "report.sha256").unwrap();
    assert_eq!(digest.value, world.report().to_string());
    let page = html::page(&report);
    for slot in ["Interviews", "Observations", "Documents", "Inspections", "Decisions"] {
        assert_eq!(page.matches(&format!("<dt>{slot}</dt>")).count(), 3, "{slot}");
    }
    assert!(page.contains("not applicable (level not sought)"));
    for secret in secrets() {
        assert!(page.contains(secret), "the full edition has {secret}");
    }
}

#[test]
fn the_redacted_edition_is_the_copy_on_file_and_holds_no_secret_in_any_form() {
    let mut world = World::ccss();
    world.run_before("redacted");
    let none = with(&world, |basis| roc(basis, true)).unwrap_err();
    assert!(none.to_string().contains("is not on file"), "{none}");
    world.run_before("review_opened");
    let report = with(&world, |basis| roc(basis, true)).unwrap();
    assert_eq!(report.edition, Edition::Redacted);
    assert_eq!(ids(&report), ["x.1", "x.2", "y.1"]);
    for form in forms(&report) {
        for secret in secrets() {
            assert!(!form.contains(secret), "{secret} stands in the copy");
        }
        assert!(form.contains("[redacted: ") || !form.contains("file"));
    }
}

#[test]
fn the_summary_is_for_anybody_and_says_certified_only_with_a_certificate_in_date() {
    let mut world = World::ccss();
    world.run_before("summary_written");
    assert!(with(&world, summary).is_err());
    world.run_before("certified");
    let before = with(&world, summary).unwrap();
    assert_eq!(before.edition, Edition::Public);
    assert_eq!(before.word, "assessed");
    assert!(before.notices.iter().any(|n| n.contains("No certificate in date")));
    world.run();
    let after = with(&world, summary).unwrap();
    assert_eq!(after.word, "certified");
    assert_eq!(with(&world, |basis| roc(basis, false)).unwrap().word, "certified");
    for form in forms(&after) {
        for secret in secrets() {
            assert!(!form.contains(secret), "{secret} stands in the summary");
        }
    }
    let until = world.audit.certificate().unwrap().valid_until;
    world.now = until.plus_s(1);
    assert_eq!(with(&world, summary).unwrap().word, "certificate not in date");
}
