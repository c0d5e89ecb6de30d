//! The forms of each technique, and what becomes of an exhibit.

use super::world::*;
use crate::audit::exhibit::*;
use crate::audit::record::*;
use crate::audit::*;
use crate::finding::Period;

/// One good exhibit of each technique.
fn all(world: &World) -> Vec<(&'static str, Exhibit)> {
    let text = |t: &str| t.to_owned();
    let at = world.now.minus_s(DAY_S);
    let with = |item: Item| Exhibit { item, ..interview(world.now) };
    let filed = |item: Item| Exhibit { item, ..document(world.now) };
    let open = Vec::new;
    vec![
        ("DOCUMENT_1", document(world.now)),
        (
            "DOCUMENT_1",
            filed(Item::Record(BusinessRecord {
                name: text("ceremony report"),
                how: text("by the ceremony program"),
                roles: text("two witnesses"),
                purpose: text("shows the ceremony"),
                findings: text("eleven signed steps"),
                at,
                open: open(),
            })),
        ),
        ("INTERVIEW_1", interview(world.now)),
        (
            "OBSERVATION_1",
            with(Item::Observation(Observation {
                process: text("restore drill"),
                document: text("DOCUMENT_1"),
                place: text("second site"),
                who: "two custodians".into(),
                outcome: text("the share was restored"),
                at,
                open: open(),
            })),
        ),
        (
            "OBSERVATION_1",
            with(Item::Reperformance(Reperformance {
                process: text("restore drill"),
                authority: text("letter of 3 March"),
                description: text("the drill was run again"),
                outputs: text("one receipt"),
                findings: text("it is the same"),
                at,
                open: open(),
            })),
        ),
        (
            "INSPECTION_1",
            with(Item::Inspection(Inspection {
                system: text("cosigner two"),
                data: text("its configuration"),
                access: "the operator".into(),
                findings: text("unseal needs two custodians"),
                at,
                open: open(),
            })),
        ),
        (
            "DECISION_1",
            with(Item::Decision(CommitteeAnswer {
                question: text("is a share a key?"),
                answer: text("for this requirement, yes"),
                reference: text("letter 12"),
                at,
                open: open(),
            })),
        ),
    ]
}

fn before_filing() -> World {
    let mut world = World::ccss();
    world.run_before("exhibit_filed");
    world
}

fn file(world: &mut World, tag: &str, exhibit: Exhibit) -> Result<(), Refusal> {
    world.take("ann", Record::ExhibitFiled(Box::new(Filing { tag: tag.to_owned(), exhibit })))
}

#[test]
fn each_technique_has_its_tag_and_is_refused_without_any_one_of_its_fields() {
    let world = before_filing();
    for (tag, exhibit) in all(&world) {
        assert!(file(&mut before_filing(), tag, exhibit.clone()).is_ok(), "{tag}");
        let whole = serde_json::to_value(&exhibit).unwrap();
        let item = whole["item"].as_object().unwrap();
        let (kind, fields) = item.iter().next().unwrap();
        let texts = fields.as_object().unwrap().iter().filter(|(_, value)| value.is_string());
        for (field, _) in texts {
            let mut blank = whole.clone();
            blank["item"][kind][field] = " ".into();
            let refused = file(&mut before_filing(), tag, serde_json::from_value(blank).unwrap());
            let reasons = refused.unwrap_err().reasons;
            assert!(reasons.iter().any(|r| r.why.contains(field.as_str())), "{kind} {field}");
            let mut gone = whole.clone();
            gone["item"][kind].as_object_mut().unwrap().remove(field);
            assert!(serde_json::from_value::<Exhibit>(gone).is_err(), "{kind} without {field}");
        }
        let mut late = whole.clone();
        late["item"][kind]["at"] = world.now.plus_s(DAY_S).as_millis().into();
        let promise = file(&mut before_filing(), tag, serde_json::from_value(late).unwrap());
        assert!(promise.is_err(), "{kind}: a promise is not evidence");
    }
}

#[test]
fn tags_count_up_in_each_family_and_never_come_again() {
    let mut world = before_filing();
    let interview = interview(world.now);
    for number in 1..4 {
        let tag = format!("INTERVIEW_{number}");
        assert_eq!(world.audit.next_tag("INTERVIEW"), tag);
        file(&mut world, &tag, interview.clone()).unwrap();
        world.take("ann", Record::ExhibitStruck(about(&tag))).unwrap();
    }
    assert_eq!(world.audit.next_tag("DOCUMENT"), "DOCUMENT_1");
    assert_eq!(world.audit.exhibits().len(), 3, "what is struck stays on file");
}

#[test]
fn who_opened_an_exhibit_and_why_is_on_file() {
    let mut world = World::ccss();
    world.run();
    let [opened] = world.audit.access_log() else { panic!("one opening") };
    assert_eq!(
        (opened.tag.as_str(), opened.by.as_str(), opened.why.as_str()),
        ("DOCUMENT_1", "ann", "to test it")
    );
    let unreasoned = About { tag: "DOCUMENT_1".to_owned(), why: " ".to_owned() };
    assert!(world.take("ann", Record::ExhibitOpened(unreasoned)).is_err());
    assert!(world.take("ann", Record::ExhibitOpened(about("DOCUMENT_9"))).is_err());
    assert!(
        world.take("rolf", Record::ExhibitOpened(about("DOCUMENT_1"))).is_err(),
        "the reviewer opens nothing"
    );
}

#[test]
fn a_committees_decision_is_cited_in_its_own_place() {
    let mut world = World::ccss();
    world.run_before("found");
    let (tag, decision) = all(&world).pop().unwrap();
    let asked =
        Question { question: "is a share a key?".to_owned(), requirement: "x.1".to_owned() };
    world.take("ann", Record::RulingAsked(asked)).unwrap();
    let due = calendar::due(&world.audit, &world.workflow);
    assert!(due.iter().any(|due| due.id == "committee" && due.met.is_none()));
    file(&mut world, tag, decision).unwrap();
    let mut found = world.found("x.1");
    found.slots.decisions = Slot::Cites(vec![tag.to_owned()]);
    assert!(world.take("ann", Record::Found(Box::new(found.clone()))).is_ok());
    found.slots.documents = Slot::Cites(vec![tag.to_owned()]);
    assert!(
        world.take("ann", Record::Found(Box::new(found))).is_err(),
        "a decision is no document"
    );
}

#[test]
fn evidence_of_a_time_before_the_testing_period_proves_nothing() {
    let mut world = before_filing();
    let from = world.audit.engagement().unwrap().period.from;
    let old = Period { from: from.minus_s(99 * DAY_S), to: from.minus_s(DAY_S) };
    let exhibit = Exhibit { represents: old, ..interview(world.now) };
    file(&mut world, "INTERVIEW_1", exhibit).unwrap();
    world.taken += 1;
    world.run_before("found");
    let refused = world.take("ann", Record::Found(Box::new(world.found("x.1")))).unwrap_err();
    assert!(
        refused.reasons.iter().any(|r| r.why.contains("before the testing period")),
        "{refused:?}"
    );
}

#[test]
fn a_refused_certificate_leads_back_to_the_summary_and_not_to_the_word() {
    let mut world = World::ccss();
    world.run_before("certified");
    world
        .take("ann", Record::CertificateRefused(Why { why: "the logo is unclear".to_owned() }))
        .unwrap();
    assert_eq!((world.audit.stage(), world.audit.word(world.now)), ("summary", "assessed"));
    let (by, record) = world.good("certified");
    assert!(world.take(by, record).is_err(), "a certificate that nobody asked for");
    let (by, record) = world.good("certificate_asked");
    world.take(by, record).unwrap();
    world.go();
    assert_eq!(world.audit.word(world.now), "certified");
}
