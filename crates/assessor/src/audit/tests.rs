//! Audits from engagement to certificate and mark, each rule broken once, and what no order of events can reach.

mod conflicts;
mod exhibits;
mod inheritance;
mod papers;
mod personal;
mod reach;
mod refusals;
mod roles;
mod world;

use quorate_terms::Timestamp;

use super::*;
use world::World;

#[test]
fn an_audit_runs_from_engagement_to_the_registrars_certificate() {
    let mut world = World::ccss();
    assert_eq!(world.audit.word(world.now), "not begun");
    world.run_before("summary_signed");
    assert_eq!(world.audit.word(world.now), "under audit");
    world.run_before("certificate_asked");
    assert_eq!(world.audit.word(world.now), "assessed");
    world.run_before("certified");
    assert_eq!(world.audit.word(world.now), "assessed", "a request is no certificate");
    world.run();
    assert_eq!(world.audit.word(world.now), "certified");
    let until = world.audit.certificate().unwrap().valid_until;
    assert_eq!(world.audit.word(until.plus_s(1)), "certificate not in date");
    assert_eq!(world.audit.stage(), "closed");
}

#[test]
fn a_wallet_audit_runs_on_the_same_engine_to_a_mark_and_never_says_certified() {
    let mut world = World::waa();
    world.run_before("decided");
    assert_eq!(world.audit.word(world.now), "assessed");
    world.run();
    assert_eq!(world.audit.word(world.now), "marked");
    assert!(world.lines.iter().any(|line| line.record.kind() == "mark_issued"));
}

#[test]
fn every_line_comes_back_from_its_bytes_and_the_fold_is_the_state() {
    for mut world in [World::ccss(), World::waa()] {
        world.run();
        let read: Vec<Line> = world
            .lines
            .iter()
            .map(|line| Line::from_bytes(&line.to_bytes().unwrap()).unwrap())
            .collect();
        assert_eq!(read, world.lines);
        assert_eq!(replay(&read, &world.rules()).unwrap(), world.audit);
    }
}

#[test]
fn a_ledger_with_a_step_that_nobody_could_have_taken_is_found_out() {
    let mut world = World::ccss();
    world.run();
    for drop in 0..world.lines.len() {
        let mut cut = world.lines.clone();
        let kind = cut.remove(drop).record.kind();
        let same =
            replay(&cut, &world.rules()).is_ok_and(|audit| audit.word(world.now) == "certified");
        let idle = ["exhibit_opened", "redaction_approved"].contains(&kind);
        assert!(!same || idle, "{kind} can be left out of the ledger");
    }
    let mut moved = world.lines.clone();
    moved[3].audit = "another".to_owned();
    assert_eq!(replay(&moved, &world.rules()).unwrap_err().0, 3);
}

#[test]
fn a_step_is_the_persons_own_in_its_own_place_or_it_is_not_taken() {
    let mut world = World::ccss();
    world.run_before("declared eva");
    let record = Record::Declared(world.declaration("eva"));
    let mine = world.signs("eva", &record, 1);
    let table = [
        (None, "this is not"),
        (Some(world.signs("eva", &record, 2)), "not this person's"),
        (Some(world.signs("ann", &record, 1)), "not this person's"),
    ];
    for (signature, why) in table {
        let refusal = world.take_as("eva", record.clone(), signature).unwrap_err();
        assert_eq!(refusal.reasons[0].rule, "step_is_signed");
        assert!(refusal.reasons[0].why.contains(why), "{:?}", refusal.reasons);
    }
    world.take_as("eva", record.clone(), Some(mine)).unwrap();
    let again = world.take_as("eva", record, Some(mine)).unwrap_err();
    assert_eq!(again.reasons[0].rule, "step_is_signed", "a signature fits one place");
    let mut bare = world.lines.clone();
    bare[2].signature = None;
    assert_eq!(replay(&bare, &world.rules()).unwrap_err().0, 2, "a line that lost its signature");
}

#[test]
fn before_it_is_signed_a_step_is_judged_by_everything_but_its_signatures() {
    let mut world = World::ccss();
    world.run_before("declared eva");
    let mut declaration = world.declaration("eva");
    declaration.signature = quorate_terms::Signature::from_bytes([0; 64]);
    let event = |by: &str, record: Record| Event { by: by.to_owned(), record, signature: None };
    let judged = |event: &Event| before_signing(&world.audit, event, world.now, &world.rules());
    let good = event("eva", Record::Declared(declaration.clone()));
    assert_eq!(judged(&good), Vec::new());
    assert!(step(&world.audit, &good, world.now, &world.rules()).is_err(), "nobody signed it");
    declaration.statements = vec![" ".to_owned()];
    let blank = judged(&event("eva", Record::Declared(declaration.clone())));
    assert_eq!(blank[0].rule, "declaration_is_signed");
    let stranger = judged(&event("nobody", Record::Declared(declaration)));
    assert_eq!(stranger[0].rule, "role_may");
}

#[test]
fn a_summary_that_is_taken_from_the_audit_is_true() {
    let mut world = World::ccss();
    world.run_before("summary_written");
    let taken = report::summary(&world.audit, &world.requirements, "a vault", world.now).unwrap();
    let record = Record::SummaryWritten(Box::new(taken));
    let event = Event { by: "ann".to_owned(), record, signature: None };
    assert_eq!(before_signing(&world.audit, &event, world.now, &world.rules()), Vec::new());
}

#[test]
fn dates_follow_the_steps() {
    let mut world = World::ccss();
    world.run();
    let dates = calendar::due(&world.audit, &world.workflow);
    let date = |id: &str| dates.iter().find(|due| due.id == id).unwrap();
    assert!(date("peer-review").met.is_some() && !date("peer-review").is_late(world.now));
    let again = date("re-audit");
    assert_eq!(again.met, None);
    assert!(again.is_late(again.by.plus_s(1)) && !again.is_late(again.by));
    let year = again.by.since(world.audit.done().last().unwrap().at);
    assert!((364..=366).contains(&(year / 86_400_000)), "{year}");
    assert!(dates.iter().all(|due| due.by > Timestamp::ZERO));
}
