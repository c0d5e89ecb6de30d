//! The forms with which an audit begins: parties, reviewers and earlier audits, one fieldset each. What they make is what the
//! command line reads from a file.

use axum::http::StatusCode;
use proptest::collection::vec;
use proptest::prelude::*;
use quorate_assessor::audit::Record as Act;
use serde_json::{Value, json};

use super::guided::{runner, text, with, wrong};
use super::world::{Fields, Got, World, borrowed};
use crate::serve::steps::{read_again, shown_for};

const LISTED: &str = "/audits/brick-1/steps/options_listed";
const MISSING: &str = "Write something here.";

impl World {
    async fn sends(&self, path: &str, fields: Fields<'_>) -> Got {
        let fields = with(fields, &[("taker", "ann")]);
        self.send_as(&self.cookie, path, &fields, None).await
    }

    /// Sends the form with these changes, which must be refused beside that field, with what else was typed still there.
    async fn objects(
        &self,
        (path, fields): (&str, Fields<'_>),
        changes: &[(&str, &str)],
        (field, why): (&str, &str),
    ) {
        let got = self.sends(path, &with(fields, changes)).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", got.text());
        let said = wrong(&got, field);
        assert!(said.contains(why), "{field}: {said}");
        for (name, value) in fields.iter().filter(|(_, value)| !value.contains('"')) {
            let changed = changes.iter().any(|(other, _)| other == name);
            let kept = format!("name=\"{name}\" type=\"text\" value=\"{value}\"");
            let is_choice = ["no", "yes"].contains(value) || value.is_empty();
            assert!(changed || is_choice || got.text().contains(&kept), "{kept}: {}", got.text());
        }
    }

    /// The same engagement as a file for the command line.
    fn engagement_file(&self, fields: Fields<'_>) -> Value {
        let given = |name: &str| fields.iter().find(|(other, _)| *other == name).unwrap().1;
        let at = |name: &str| crate::commands::moment(given(name)).unwrap();
        let workflow: Value = serde_json::from_str(given("workflow")).unwrap();
        let key = |person: &str| self.key(person).public_key();
        json!({ "act": "engaged", "audit": "brick-1", "workflow": workflow, "standard": "ccss",
            "version": "9.0", "entity": "Brickmere Ltd", "system": "Treasury vault",
            "designation": "self_custody", "designation_why": null, "sought": 1,
            "period": { "from": at("from"), "to": at("to") }, "first": false,
            "parties": [
                { "person": "ann", "role": "auditor", "name": "Ann", "firm": "Alder Audit", "number": "A-1",
                  "audits": 2, "key": key("ann") },
                { "person": "eva", "role": "entity", "name": "Eva", "firm": "Brickmere Ltd", "number": null,
                  "audits": 0, "key": key("eva") }],
            "past": [], "readiness": null, "contract": "contract 7", "retention": "seven years, the auditor",
            "signed_steps": true })
    }
}

#[tokio::test]
async fn the_form_of_an_engagement_makes_the_document_that_the_command_line_reads() {
    let world = World::new().await;
    let empty = world.get("/engage").await.text();
    for piece in [
        "<legend>Who takes part</legend>",
        "<legend>Party 1</legend>",
        "<legend>Party 2</legend>",
        "<legend>Earlier audit 1</legend>",
        "name=\"parties.1.key\"",
        "Add another party",
        "Take party 2 out",
        "Add another earlier audit",
    ] {
        assert!(empty.contains(piece), "{piece}: {empty}");
    }
    let (fields, day) = (world.engagement_fields("brick-1", "ccss 9.0").await, world.day(500));
    let fields = borrowed(&fields);
    let file = world.engagement_file(&fields);
    // A row in which nothing is written is none, whatever stands in its choice.
    let blank = [("parties.7.person", " "), ("parties.7.role", "\"auditor\""), ("past.3.at", "")];
    let readiness = json!({ "ready": true, "helped_build": false });
    let said = readiness.to_string();
    let past = [
        ("past.8.system", "Treasury vault"),
        ("past.8.entity", "Brickmere Ltd"),
        ("past.8.auditor", "olga"),
        ("past.8.reviewer", ""),
        ("past.8.at", day.as_str()),
        ("readiness", said.as_str()),
    ];
    let at = crate::commands::moment(&day).unwrap();
    let mut fuller = file.clone();
    fuller["readiness"] = readiness;
    fuller["past"] = json!([{ "system": "Treasury vault", "entity": "Brickmere Ltd", "auditor": "olga",
        "reviewer": null, "at": at }]);
    let none = [("readiness", "null")];
    for (more, file) in [(&none[..], file), (&past[..], fuller)] {
        let asked = world.sends("/engage", &with(&with(&fields, &blank), more)).await;
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
        let (_, waiting) = world.waiting(&world.cookie, &asked).await;
        let file: Act = serde_json::from_value(file).unwrap();
        assert_eq!(waiting.record, file);
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_engagement_stands_beside_its_field() {
    let world = World::new().await;
    let size = world.size().await;
    let fields = world.engagement_fields("brick-1", "ccss 9.0").await;
    let fields = borrowed(&fields);
    let (short, anns) = (world.day(100), world.key("ann").public_key().to_string());
    let helped = json!({ "ready": false, "helped_build": true }).to_string();
    let check = async |changes: &[(&str, &str)], field: &str, why: &str| {
        world.objects(("/engage", &fields), changes, (field, why)).await;
    };
    for name in ["person", "name", "firm", "key"] {
        let field = format!("parties.1.{name}");
        check(&[(field.as_str(), " ")], field.as_str(), MISSING).await;
    }
    let role = "parties.1.role";
    for unknown in ["\"juggler\"", "\"reviewer\"", "entity", "{}"] {
        check(&[(role, unknown)], role, "Choose one of the list").await;
    }
    check(&[("readiness", "\"perhaps\"")], "readiness", "Choose one of the list").await;
    let key = "parties.1.key";
    for none in ["ed25519:AAAA", "eva", anns.trim_start_matches("ed25519:"), "PUBLIC KEY"] {
        check(&[(key, none)], key, "This is no public key").await;
    }
    let audits = "parties.0.audits";
    check(&[(audits, "two")], audits, "Write a whole number").await;
    check(&[(audits, "-1")], audits, "Write a whole number").await;
    check(&[(audits, "4294967296")], audits, "Write a smaller number").await;
    check(&[("parties.1.name", "Eva\nOst")], "parties.1.name", "Write one line").await;
    // What the audit itself objects to.
    check(&[("parties.1.person", "Ann")], "parties.1.person", "takes part twice").await;
    check(&[("parties.1.name", "ANN")], "parties.1.name", "a second part").await;
    check(&[(key, anns.as_str())], key, "a second part").await;
    check(&[("parties.1.firm", "ALDER audit")], "parties.1.firm", "of the audited entity").await;
    check(&[(role, "\"auditor\"")], "parties", "one auditor and somebody of the entity").await;
    check(&[("readiness", helped.as_str())], "readiness", "said not ready").await;
    check(&[("from", short.as_str())], "from", "is shorter than").await;
    let past = [("past.2.system", "Treasury vault"), ("past.2.at", "someday")];
    check(&past, "past.2.at", "Write a day").await;
    check(&past, "past.2.entity", MISSING).await;
    assert_eq!(world.size().await, size);
}

#[tokio::test]
async fn a_party_more_or_less_keeps_what_was_typed_and_judges_nothing() {
    let world = World::new().await;
    let size = world.size().await;
    let fields = world.engagement_fields("brick-1", "ccss 9.0").await;
    let hostile = ("parties.0.name", "<script>alert(1)</script>");
    let fields = with(&borrowed(&fields), &[hostile, ("entity", "")]);
    let more = world.sends("/engage", &with(&fields, &[("do", "more parties")])).await;
    assert_eq!(more.status, StatusCode::OK, "{}", more.text());
    for piece in ["name=\"parties.2.key\"", "value=\"Alder Audit\"", "value=\"contract 7\""] {
        assert!(more.text().contains(piece), "{piece}: {}", more.text());
    }
    assert!(!more.text().contains("<script>alert") && !more.text().contains("id=\"w-"));
    let less = world.sends("/engage", &with(&fields, &[("do", "less parties.1")])).await;
    assert_eq!(less.status, StatusCode::OK, "{}", less.text());
    assert!(!less.text().contains("value=\"Eva\""), "{}", less.text());
    assert!(less.text().contains("value=\"Alder Audit\""), "{}", less.text());
    for unknown in ["more party", "more parties.0", "less parties", "less parties.1000", "read"] {
        let got = world.sends("/engage", &with(&fields, &[("do", unknown)])).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{unknown}: {}", got.text());
    }
    for list in ["parties.999.person", "past.999.system"] {
        let more = format!("more {}", list.split('.').next().unwrap());
        let full = [(list, ""), ("do", more.as_str())];
        let got = world.sends("/engage", &with(&fields, &full)).await;
        assert_eq!(got.status, StatusCode::CONFLICT, "{list}: {}", got.text());
        assert!(got.text().contains("no room for another row"), "{}", got.text());
    }
    assert_eq!(world.size().await, size);
}

#[tokio::test]
async fn a_list_of_reviewers_is_filled_in_field_by_field() {
    let world = World::new().await;
    world.engagement("brick-1", "ccss 9.0").await;
    world.step("/audits/brick-1/steps/intent_filed", "ann", &[("reference", "letter 1")]).await;
    let (size, fields) = (world.size().await, world.list_fields());
    let fields = borrowed(&fields);
    let check = async |changes: &[(&str, &str)], field: &str, why: &str| {
        world.objects((LISTED, &fields), changes, (field, why)).await;
    };
    for name in ["person", "name", "number", "firm", "steering", "key"] {
        let field = format!("reviewers.0.{name}");
        check(&[(field.as_str(), "")], field.as_str(), MISSING).await;
    }
    check(&[("reviewers.0.steering", "perhaps")], "reviewers.0.steering", "yes or no").await;
    check(&[("reviewers.0.key", "R-1")], "reviewers.0.key", "This is no public key").await;
    let twin = [
        ("reviewers.4.person", "ROLF"),
        ("reviewers.4.name", "Rolf Other"),
        ("reviewers.4.number", "R-2"),
        ("reviewers.4.firm", "Other Reviews"),
        ("reviewers.4.steering", "no"),
        ("reviewers.4.key", fields.last().unwrap().1),
    ];
    check(&twin, "reviewers.4.person", "has this already").await;
    let emptied: Vec<(&str, &str)> = fields.iter().skip(1).map(|(name, _)| (*name, "")).collect();
    check(&emptied, "reviewers", "the list is empty").await;
    let asked = world.sends(LISTED, &fields).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    let (_, waiting) = world.waiting(&world.cookie, &asked).await;
    let file = json!({ "act": "options_listed", "list": "list-1", "past": [], "reviewers": [{
        "person": "rolf", "name": "Rolf", "number": "R-1", "firm": "Rowan Reviews", "steering": false,
        "key": world.key("rolf").public_key() }] });
    let file: Act = serde_json::from_value(file).unwrap();
    assert_eq!(waiting.record, file);
    assert_eq!(world.size().await, size);
}

/// Lists whose reviewers differ by their ids.
fn lists(keys: Vec<String>) -> impl Strategy<Value = Value> {
    let key = proptest::sample::select(keys);
    let reviewer = (text(), text(), text(), text(), any::<bool>(), key);
    let past = (text(), text(), text(), proptest::option::of(text()), 0_u64..4_000_000_000_000);
    let past = past.prop_map(|(system, entity, auditor, reviewer, at)| {
        json!({ "system": system, "entity": entity, "auditor": auditor, "reviewer": reviewer, "at": at })
    });
    (text(), vec(reviewer, 0..3), vec(past, 0..3)).prop_map(|(list, reviewers, past)| {
        let one = |(row, all): (usize, (String, String, String, String, bool, String))| {
            let (person, name, number, firm, steering, key) = all;
            json!({ "person": format!("{row} {person}"), "name": name, "number": number, "firm": firm,
                    "steering": steering, "key": key })
        };
        let reviewers: Vec<Value> = reviewers.into_iter().enumerate().map(one).collect();
        json!({ "act": "options_listed", "list": list, "reviewers": reviewers, "past": past })
    })
}

#[tokio::test]
async fn whatever_list_of_reviewers_a_form_shows_is_read_from_it_again() {
    let world = World::new().await;
    world.engaged().await;
    let held = world.held("brick-1").await;
    let keys = ["ann", "eva", "rolf"].map(|who| world.key(who).public_key().to_string());
    let checked = runner().run(&lists(keys.to_vec()), |list| {
        let read = read_again(&held, "options_listed", shown_for("options_listed", &list));
        let read = read.map_err(|trouble| TestCaseError::fail(trouble.to_string()))?;
        prop_assert_eq!(read.map(|record| json!(record)), Ok(list));
        Ok(())
    });
    checked.unwrap();
}
