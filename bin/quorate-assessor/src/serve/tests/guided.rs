//! The form of a scope: lists in lists, without script. What it makes is what the command line reads from a file.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use quorate_assessor::audit::Record as Act;
use serde_json::{Value, json};

use super::world::{Fields, Got, World};
use crate::serve::steps::{read_again, shown_for};

const PATH: &str = "/audits/brick-1/steps/scope_set";

/// A scope as a person fills it in.
pub(super) fn scope_fields(day: &str) -> Vec<(&str, &str)> {
    vec![
        ("systems.0.name", "Treasury vault"),
        ("systems.0.description", "a vault of two cosigners"),
        ("systems.0.sought", "1"),
        ("systems.0.customers_funds", "no"),
        ("systems.0.holds_every_key", "yes"),
        ("systems.0.supplies_only_a_part", "no"),
        ("systems.0.people", "two operators"),
        ("systems.0.processes", "key generation\r\nsigning\r\n\r\n backup "),
        ("systems.0.technology", "two cosigners"),
        ("systems.0.validated.by", "Ann"),
        ("systems.0.validated.at", day),
        ("systems.0.validated.sources", "network diagram"),
        ("systems.0.exclusions.0.what", "the website"),
        ("systems.0.exclusions.0.why", "has no way to any cosigner"),
        ("systems.0.inventory.0.name", "key share"),
        ("systems.0.inventory.0.kind", "key share"),
        ("systems.0.inventory.0.place", "rack seventeen"),
        ("systems.0.inventory.0.class", "secret"),
        ("systems.0.inventory.0.criticality", "high"),
        ("systems.0.inventory.0.holders", "Alba Ost\r\nNils Vest"),
    ]
}

/// The same scope as a file for the command line.
fn scope_file(day: &str) -> Value {
    let at = crate::commands::moment(day).unwrap();
    json!({ "act": "scope_set", "entity": "Brickmere Ltd", "systems": [{
        "name": "Treasury vault", "description": "a vault of two cosigners", "sought": 1,
        "custody": { "supplies_only_a_part": false, "customers_funds": false, "holds_every_key": true, "providers": [] },
        "environment": {
            "people": ["two operators"], "processes": ["key generation", "signing", "backup"], "technology": ["two cosigners"],
            "validated": { "by": "Ann", "at": at, "sources": ["network diagram"] },
            "exclusions": [{ "what": "the website", "why": "has no way to any cosigner" }] },
        "inventory": [{ "name": "key share", "kind": "key share", "place": "rack seventeen", "class": "secret",
            "criticality": "high", "holders": ["Alba Ost", "Nils Vest"], "depends_on": [] }],
    }] })
}

/// Fields with others in their places, or beside them.
pub(super) fn with<'a>(
    fields: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let stays = |(name, _): &&(&str, &str)| changes.iter().all(|(other, _)| other != name);
    fields.iter().filter(stays).chain(changes).copied().collect()
}

/// What is said beside a field, which must name it for those who listen.
pub(super) fn wrong(got: &Got, field: &str) -> String {
    let (page, begins) = (got.text(), format!("id=\"w-{field}\">"));
    let rest = page.split(&begins).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("nothing is wrong with {field}: {page}"));
    assert!(page.contains(&format!("aria-describedby=\"w-{field}")), "{field}: {page}");
    rest.split("</p>").next().unwrap().to_owned()
}

impl World {
    async fn sets(&self, fields: Fields<'_>) -> Got {
        let fields = with(fields, &[("taker", "ann")]);
        self.send_as(&self.cookie, PATH, &fields, None).await
    }
}

#[tokio::test]
async fn the_form_of_a_scope_makes_the_document_that_the_command_line_reads() {
    let world = World::new().await;
    world.declared().await;
    let day = world.day(1);
    let empty = world.get(PATH).await.text();
    for piece in [
        "<legend>Systems</legend>",
        "<legend>System 1</legend>",
        "<legend>Key material</legend>",
        "<legend>Inventory line 1</legend>",
        "value=\"Treasury vault\"",
        "name=\"systems.0.validated.sources\"",
        "Add another inventory line",
    ] {
        assert!(empty.contains(piece), "{piece}: {empty}");
    }
    // A row in which nothing is written is none, and a row's number says nothing about its place.
    let blank = [("systems.0.inventory.7.name", " "), ("systems.3.customers_funds", "no")];
    let asked = world.sets(&with(&scope_fields(&day), &blank)).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    let (_, waiting) = world.waiting(&world.cookie, &asked).await;
    let file: Act = serde_json::from_value(scope_file(&day)).unwrap();
    assert_eq!(waiting.record, file);
    world.step(PATH, "ann", &scope_fields(&day)).await;
    assert_eq!(json!(world.held("brick-1").await.state.scope()), scope_of(&file));
    // What stands is where the next one begins.
    let again = world.get(PATH).await.text();
    let value = format!("value=\"{day}\"");
    for piece in ["value=\"rack seventeen\"", "key generation\nsigning\nbackup<", value.as_str()] {
        assert!(again.contains(piece), "{piece}: {again}");
    }
}

fn scope_of(record: &Act) -> Value {
    let Act::ScopeSet(scope) = record else { panic!("another step") };
    json!(scope)
}

#[tokio::test]
async fn what_is_wrong_with_a_scope_stands_beside_its_field_and_nothing_that_was_typed_is_lost() {
    let world = World::new().await;
    world.declared().await;
    let (size, day) = (world.size().await, world.day(1));
    let fields = scope_fields(&day);
    let check = async |changes: &[(&str, &str)], field: &str, why: &str| {
        let got = world.sets(&with(&fields, changes)).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", got.text());
        let said = wrong(&got, field);
        assert!(said.contains(why), "{field}: {said}");
        for kept in ["a vault of two cosigners", "Alba Ost\nNils Vest", "network diagram"] {
            let kept = got.text().replace("\r\n", "\n").contains(kept);
            assert!(kept || changes.iter().any(|(_, now)| now.trim().is_empty()), "{field}");
        }
    };
    let missing = "Write something here.";
    for name in ["description", "sought", "people", "processes", "technology"] {
        let field = format!("systems.0.{name}");
        check(&[(field.as_str(), "")], field.as_str(), missing).await;
    }
    for name in ["validated.by", "validated.at", "validated.sources", "exclusions.0.why"] {
        let field = format!("systems.0.{name}");
        check(&[(field.as_str(), " ")], field.as_str(), missing).await;
    }
    for name in ["name", "kind", "place", "class", "criticality", "holders"] {
        let field = format!("systems.0.inventory.0.{name}");
        check(&[(field.as_str(), "")], field.as_str(), missing).await;
    }
    check(&[("systems.0.sought", "9")], "systems.0.sought", "Choose one").await;
    check(&[("systems.0.customers_funds", "so so")], "systems.0.customers_funds", "yes or no")
        .await;
    check(&[("systems.0.validated.at", "someday")], "systems.0.validated.at", "Write a day").await;
    check(&[("systems.0.name", "Treasury\nvault")], "systems.0.name", "one line").await;
    // A provider that comes near keys does not get lost because its name is missing.
    let near = [("systems.0.providers.2.takes_part", "yes")];
    check(&near, "systems.0.providers.2.name", missing).await;
    // What the scope itself objects to.
    let what = "systems.0.exclusions.0.what";
    check(&[(what, "rack seventeen")], what, "touches key material").await;
    let depends = "systems.0.inventory.0.depends_on";
    check(&[(depends, "gone")], depends, "not listed").await;
    let long = "x".repeat(4097);
    check(&[("systems.0.name", long.as_str())], "systems.0.name", "shorter line").await;
    check(&[(depends, long.as_str())], depends, "shorter lines").await;
    let much: String = (0..2_000).map(|number| format!("gone{number}\n")).collect();
    check(&[(depends, much.as_str())], depends, "depends on gone0, which is not listed").await;
    let twins: Vec<(String, &str)> = fields
        .iter()
        .map(|(name, value)| (name.replacen("systems.0", "systems.4", 1), *value))
        .collect();
    let twins: Vec<(&str, &str)> =
        twins.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    check(&twins, "systems.4.name", "stands twice").await;
    let emptied: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(name, _)| name.contains("inventory"))
        .map(|(name, _)| (*name, ""))
        .collect();
    check(&emptied, "systems.0.inventory", "inventory is empty").await;
    let nothing: Vec<(&str, &str)> = fields.iter().map(|(name, _)| (*name, "")).collect();
    check(&nothing, "systems", "it has no system").await;
    assert_eq!(world.size().await, size);
}

#[tokio::test]
async fn of_very_many_objections_the_first_are_shown_and_the_rest_are_counted() {
    let world = World::new().await;
    world.declared().await;
    let (size, day) = (world.size().await, world.day(1));
    let names = ["name", "kind", "place", "class", "criticality", "holders", "depends_on"];
    let rows: Vec<(String, String)> = (1..=150)
        .flat_map(|row| {
            names.map(|name| (format!("systems.0.inventory.{row}.{name}"), format!("{name} {row}")))
        })
        .collect();
    let rows: Vec<(&str, &str)> =
        rows.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let got = world.sets(&with(&scope_fields(&day), &rows)).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", got.text());
    assert!(got.text().contains("50 more objections; mend these first"), "{}", got.text());
    assert!(wrong(&got, "systems.0.inventory.100.depends_on").contains("not listed"));
    assert!(!got.text().contains("id=\"w-systems.0.inventory.101.depends_on\""));
    assert_eq!(world.size().await, size);
}

#[tokio::test]
async fn of_very_many_wrong_fields_the_first_are_named_above_the_form_and_each_beside_itself() {
    let world = World::new().await;
    world.declared().await;
    let day = world.day(1);
    let rows: Vec<String> = (1..=30).map(|row| format!("systems.0.inventory.{row}.name")).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|name| (name.as_str(), "share")).collect();
    let got = world.sets(&with(&scope_fields(&day), &rows)).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", got.text());
    // Each row lacks five fields.
    assert!(got.text().contains("130 more are said beside their fields."), "{}", got.text());
    for row in [1, 30] {
        let said = wrong(&got, &format!("systems.0.inventory.{row}.holders"));
        assert!(said.contains("Write something here."), "{said}");
    }
}

#[tokio::test]
async fn a_button_beside_the_main_one_changes_rows_and_keeps_what_was_typed() {
    let world = World::new().await;
    world.declared().await;
    let (size, day) = (world.size().await, world.day(1));
    let hostile = ("systems.0.description", "<script>alert(1)</script>");
    let fields = with(&scope_fields(&day), &[hostile, ("systems.0.people", "")]);
    let more = world.sets(&with(&fields, &[("do", "more systems.0.inventory")])).await;
    assert_eq!(more.status, StatusCode::OK, "a new row judges nothing: {}", more.text());
    for piece in ["name=\"systems.0.inventory.1.holders\"", "rack seventeen", "Alba Ost"] {
        assert!(more.text().contains(piece), "{piece}: {}", more.text());
    }
    assert!(!more.text().contains("<script>alert") && !more.text().contains("id=\"w-"));
    let less = world.sets(&with(&fields, &[("do", "less systems.0.exclusions.0")])).await;
    assert_eq!(less.status, StatusCode::OK);
    assert!(!less.text().contains("has no way to any cosigner"), "{}", less.text());
    assert!(less.text().contains("rack seventeen"), "{}", less.text());
    for unknown in [
        "dance",
        "more",
        "more name",
        "more systems.x.inventory",
        "more systems.01.inventory",
        "less systems",
        "less systems.0.inventory",
        "less systems.0.inventory.1000",
        "read",
    ] {
        let got = world.sets(&with(&fields, &[("do", unknown)])).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{unknown}: {}", got.text());
    }
    let full = [("systems.999.name", ""), ("do", "more systems")];
    let got = world.sets(&with(&fields, &full)).await;
    assert_eq!(got.status, StatusCode::CONFLICT, "{}", got.text());
    assert_eq!(world.size().await, size);
}

pub(super) fn runner() -> TestRunner {
    TestRunner::new(Config { cases: 96, failure_persistence: None, ..Config::default() })
}

pub(super) fn text() -> impl Strategy<Value = String> {
    "[!-~\u{e4}\u{20ac}]{1,8}( [!-~]{1,8})?"
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 1..4)
}

fn scopes() -> impl Strategy<Value = Value> {
    let yes = any::<bool>;
    let provider = (text(), yes(), yes()).prop_map(|(name, takes_part, could_affect)| {
        json!({ "name": name, "takes_part": takes_part, "could_affect": could_affect })
    });
    let custody = (yes(), yes(), yes(), vec(provider, 0..3)).prop_map(
        |(supplies_only_a_part, customers_funds, holds_every_key, providers)| {
            json!({ "supplies_only_a_part": supplies_only_a_part, "customers_funds": customers_funds,
                    "holds_every_key": holds_every_key, "providers": providers })
        },
    );
    let validated = (text(), 0_u64..4_000_000_000_000, lines())
        .prop_map(|(by, at, sources)| json!({ "by": by, "at": at, "sources": sources }));
    let exclusion = (text(), text()).prop_map(|(what, why)| json!({ "what": what, "why": why }));
    let environment = ((lines(), lines(), lines()), validated, vec(exclusion, 0..3)).prop_map(
        |((people, processes, technology), validated, exclusions)| {
            json!({ "people": people, "processes": processes, "technology": technology,
                    "validated": validated, "exclusions": exclusions })
        },
    );
    let key = ((text(), text(), text(), text(), text()), lines(), vec(text(), 0..3)).prop_map(
        |((name, kind, place, class, criticality), holders, depends_on)| {
            json!({ "name": name, "kind": kind, "place": place, "class": class,
                    "criticality": criticality, "holders": holders, "depends_on": depends_on })
        },
    );
    let system = (text(), text(), 1_u8..=3, custody, environment, vec(key, 0..4)).prop_map(
        |(name, description, sought, custody, environment, inventory)| {
            json!({ "name": name, "description": description, "sought": sought, "custody": custody,
                    "environment": environment, "inventory": inventory })
        },
    );
    vec(system, 0..3).prop_map(
        |systems| json!({ "act": "scope_set", "entity": "Brickmere Ltd", "systems": systems }),
    )
}

#[tokio::test]
async fn whatever_scope_a_form_shows_is_read_from_it_again() {
    let world = World::new().await;
    world.engaged().await;
    let held = world.held("brick-1").await;
    let checked = runner().run(&scopes(), |scope| {
        let read = read_again(&held, "scope_set", shown_for("scope_set", &scope));
        let read = read.map_err(|trouble| TestCaseError::fail(trouble.to_string()))?;
        prop_assert_eq!(read.map(|record| json!(record)), Ok(scope));
        Ok(())
    });
    checked.unwrap();
}

#[tokio::test]
async fn whatever_comes_in_the_place_of_a_form_is_read_or_refused() {
    let world = World::new().await;
    world.engaged().await;
    let held = world.held("brick-1").await;
    let name = "(do|systems|owners|grace|envelope|service|reviewers|past)(\\.[0-9]{1,4})?(\\.[a-z_.0-9]{0,16})?";
    let said = "((more|less) [a-z0-9.]{0,24}|read|[^\u{0}]{0,24})";
    let some: BTreeMap<String, String> = shown_for("scope_set", &scope_file("2026-11-20"));
    let checked = runner().run(&btree_map(name, said, 0..12), |odd| {
        for id in ["scope_set", "inherited", "options_listed"] {
            let given = some.clone().into_iter().chain(odd.clone()).collect();
            drop(read_again(&held, id, given));
        }
        Ok(())
    });
    checked.unwrap();
}
