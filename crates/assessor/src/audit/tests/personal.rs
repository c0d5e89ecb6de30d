//! Values about people: committed in the ledger, opened to who may read them, and erased without a broken proof.

use quorate_terms::canonical;
use serde_json::{Value, json};

use super::world::*;
use crate::audit::personal::Openings;
use crate::audit::record::*;
use crate::audit::view::Part;
use crate::audit::*;

/// What stands nowhere in a ledger.
const PERSONAL: [&str; 3] = ["Greta Holm", "Otto Owner", "two people each time"];

fn whole() -> World {
    let mut world = World::ccss();
    world.run();
    world
}

fn says(value: &impl serde::Serialize, text: &str) -> bool {
    String::from_utf8(canonical::to_bytes(value, "value").unwrap()).unwrap().contains(text)
}

fn seen(world: &World, role: Role, openings: &Openings) -> Value {
    json!(view(&world.audit, role, &world.rules(), openings))
}

#[test]
fn row_44_no_line_of_an_audit_holds_a_value_about_a_person_of_an_exhibit() {
    let world = whole();
    assert_eq!(world.openings.len(), 4, "name, words and two owners");
    for text in PERSONAL {
        assert!(world.openings.values().any(|opening| opening.value == text), "{text}");
        assert!(!says(&world.lines, text), "{text}");
    }
}

#[test]
fn row_44_when_openings_are_gone_every_step_report_and_copy_still_holds() {
    let world = whole();
    assert_eq!(replay(&world.lines, &world.rules()).unwrap(), world.audit);
    let erased = Openings::new();
    for role in [Role::Entity, Role::Auditor, Role::Reviewer] {
        let seen = seen(&world, role, &erased);
        assert!(says(&seen, r#""erased":true"#), "{role:?}");
        assert!(PERSONAL.iter().all(|text| !says(&seen, text)), "{role:?}");
    }
    // The digest of the copy is the one that reviewer and entity signed, whoever still has the words.
    let copy = |openings| {
        view(&world.audit, Role::Reviewer, &world.rules(), openings)[&Part::Redacted]["digest"]
            .clone()
    };
    assert_eq!(copy(&erased), copy(&world.openings));
}

#[test]
fn values_about_people_are_shown_to_those_who_see_exhibits_and_each_by_its_proof() {
    let world = whole();
    for (role, name, words) in [
        (Role::Auditor, true, true),
        (Role::Entity, true, true),
        // The copy strikes names out and leaves what was said.
        (Role::Reviewer, false, true),
        (Role::Implementer, false, false),
        (Role::Registrar, false, false),
    ] {
        let seen = seen(&world, role, &world.openings);
        assert_eq!(says(&seen, PERSONAL[0]), name, "{role:?}");
        assert_eq!(says(&seen, PERSONAL[1]), name, "{role:?}");
        assert_eq!(says(&seen, PERSONAL[2]), words, "{role:?}");
    }
    let seen = seen(&world, Role::Auditor, &world.openings);
    let shown = &seen["exhibits"]["on_file"]["INTERVIEW_1"]["item"]["interview"]["name"];
    let mut opening = shown.clone();
    opening.as_object_mut().unwrap().remove("committed");
    let opening: quorate_terms::commitment::Opening = serde_json::from_value(opening).unwrap();
    assert_eq!(json!(opening.commitment().unwrap()), shown["committed"]);
}

#[test]
fn a_new_exhibit_in_plain_text_is_refused_and_an_old_ledger_with_one_still_verifies() {
    let mut world = World::ccss();
    world.run_before("exhibit_filed");
    let (by, record) = world.good("exhibit_filed interview");
    let signature = Some(world.signs(by, &record, 2));
    let refusal = world.take_as(by, record.clone(), signature).unwrap_err();
    let rules: Vec<&str> = refusal.reasons.iter().map(|reason| reason.rule.as_str()).collect();
    assert_eq!(rules, ["personal_is_committed"; 3], "{refusal:?}");
    let role = Role::Auditor;
    let line =
        Line { audit: "audit-1".into(), at: world.now, by: by.into(), role, record, signature };
    let old: Vec<Line> = world.lines.iter().cloned().chain([line]).collect();
    let audit = replay(&old, &world.rules()).unwrap();
    let seen = json!(view(&audit, Role::Auditor, &world.rules(), &Openings::new()));
    assert!(says(&seen, PERSONAL[0]));
}

#[test]
fn a_struck_out_name_that_is_repeated_in_somebodys_words_refuses_the_copy() {
    let check = |words: &str, good: bool| {
        let mut world = World::ccss();
        world.run_before("exhibit_filed");
        let mut exhibit = interview(world.now);
        let exhibit::Item::Interview(item) = &mut exhibit.item else { panic!("an interview") };
        item.findings = words.into();
        world.take("ann", world.filing("INTERVIEW_1", exhibit)).unwrap();
        world.taken += 1;
        world.run_before("report_written");
        let whole = report::report(&world.audit, &world.requirements);
        let wish = redact::Wish {
            at: "/exhibits/*/item/interview/name".into(),
            commit: true,
            why: "a name".into(),
        };
        let held = redact::redact(&whole, &[wish], &world.openings, &mut || [0; 16]);
        assert_eq!(held.is_ok(), good, "{words}");
        if let Err(error) = held {
            let told = error.to_string();
            assert!(told.contains("/item/interview/findings") && !told.contains("Greta"), "{told}");
        }
    };
    check("two people each time", true);
    check("Greta Holm and another each time", false);
}

#[test]
fn an_engagement_says_whether_steps_are_signed_and_the_report_says_when_not() {
    let with = |signed_steps| {
        let mut world = World::ccss();
        let mut engagement = world.engagement();
        engagement.signed_steps = signed_steps;
        let taken = world.take("ann", Record::Engaged(Box::new(engagement)));
        (world, taken)
    };
    let (world, taken) = with(None);
    assert_eq!(taken.unwrap_err().reasons[0].rule, "engagement_says_who_signs");
    let (mut signed, taken) = with(Some(true));
    taken.unwrap();
    let (mut unsigned, taken) = with(Some(false));
    taken.unwrap();
    let told = |world: &World| {
        says(&report::report(&world.audit, &world.requirements), "steps were not signed")
    };
    assert!(!told(&signed) && told(&unsigned));
    let filed = || Record::IntentFiled(Reference { reference: "letter 1".into() });
    assert_eq!(signed.take_as("ann", filed(), None).unwrap_err().reasons[0].rule, "step_is_signed");
    unsigned.take_as("ann", filed(), None).unwrap();
    // An engagement of an older ledger says nothing, and its steps may be unsigned.
    let mut engagement = world.engagement();
    engagement.signed_steps = None;
    assert!(!says(&engagement, "signed_steps"));
    let old = |record, at| Line {
        audit: "audit-1".into(),
        at,
        by: "ann".into(),
        role: Role::Auditor,
        record,
        signature: None,
    };
    let lines =
        [old(Record::Engaged(Box::new(engagement)), world.now), old(filed(), world.now.plus_s(1))];
    let audit = replay(&lines, &world.rules()).unwrap();
    assert!(!says(&report::report(&audit, &world.requirements), "steps were not signed"));
}
