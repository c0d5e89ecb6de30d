//! Audits from engagement to certificate and mark, each rule broken once, and what no order of events can reach.

mod conflicts;
mod exhibits;
mod inheritance;
mod papers;
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
