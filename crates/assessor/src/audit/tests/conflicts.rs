//! Who may not audit and who may not review.

use quorate_terms::Timestamp;

use super::world::*;
use crate::audit::record::*;
use crate::audit::*;

fn refused(world: &mut World, by: &str, record: Record, rule: &str) {
    let refusal = world.take(by, record).expect_err(rule);
    assert!(refusal.reasons.iter().any(|r| r.rule == rule), "{rule}: {:?}", refusal.reasons);
}

fn engage(change: fn(&mut Engagement), rule: &str) {
    let mut world = World::ccss();
    let mut engagement = world.engagement();
    change(&mut engagement);
    refused(&mut world, "ann", Record::Engaged(Box::new(engagement)), rule);
}

#[test]
fn an_auditor_who_is_also_an_implementer_is_refused() {
    let rule = "auditor_is_not_implementer";
    engage(|e| e.parties[2].name = "ann  AUDITOR".to_owned(), rule);
    engage(|e| e.parties[2].key = public(2), rule);
    engage(|e| e.readiness = Some(Readiness { ready: false, helped_build: true }), rule);
    engage(|e| e.parties[2].person = "ann".to_owned(), "parties_are_whole");
    let mut world = World::ccss();
    let mut engagement = world.engagement();
    engagement.readiness = Some(Readiness { ready: false, helped_build: false });
    assert!(
        world.take("ann", Record::Engaged(Box::new(engagement))).is_ok(),
        "readiness alone is no conflict"
    );
}

#[test]
fn an_engagement_that_is_not_whole_is_refused() {
    engage(|e| e.parties[1].firm = e.entity.to_uppercase(), "parties_are_whole");
    engage(|e| e.parties[0].role = Role::Reviewer, "parties_are_whole");
    engage(|e| e.contract.clear(), "parties_are_whole");
    engage(|e| e.period.from = e.period.to.minus_s(30 * DAY_S), "period_fits");
    engage(|e| e.workflow = quorate_terms::Digest::sha256(b"another"), "workflow_is_this_one");
    engage(|e| e.standard = "wd".to_owned(), "workflow_is_this_one");
}

#[test]
fn an_objection_to_the_parties_says_of_which_places_it_speaks() {
    let check = |change: fn(&mut Engagement), places: &[&str]| {
        let mut engagement = World::ccss().engagement();
        change(&mut engagement);
        let placed = conflict::placed(&engagement);
        let said: Vec<&str> =
            placed.iter().flat_map(|(places, _)| places.iter().map(String::as_str)).collect();
        assert_eq!(said, places, "{placed:?}");
        let both = [conflict::parties(&engagement), conflict::auditor(&engagement)].concat();
        let same: Vec<_> = placed.into_iter().map(|(_, objection)| objection).collect();
        assert_eq!(same, both);
    };
    check(|_| {}, &[]);
    check(|e| e.parties.clear(), &["/parties"]);
    check(|e| e.parties[1].role = Role::Entity, &["/parties"]);
    check(|e| e.parties[3].role = Role::Reviewer, &["/parties/3/role"]);
    check(|e| e.parties[3].firm = " ".to_owned(), &["/parties/3/person"]);
    check(|e| e.contract.clear(), &["/contract"]);
    check(|e| e.parties[2].person = "Ann".to_owned(), &["/parties/2/person"]);
    check(|e| e.parties[0].firm = "ALDER audit".to_owned(), &["/parties/0/firm"]);
    check(|e| e.parties[2].name = "ann  AUDITOR".to_owned(), &["/parties/2/name"]);
    check(|e| e.parties[2].key = public(2), &["/parties/2/key"]);
    check(|e| e.readiness = Some(Readiness { ready: false, helped_build: true }), &["/readiness"]);
}

fn past(system: &str, auditor: &str, reviewer: Option<&str>, at: Timestamp) -> PastAudit {
    PastAudit {
        system: system.to_owned(),
        entity: "Brickmere Treasury LTD".to_owned(),
        auditor: auditor.to_owned(),
        reviewer: reviewer.map(str::to_owned),
        at,
    }
}

/// Chooses Rolf where earlier audits are as given; the rule that objects, if any.
fn choose(past: Vec<PastAudit>) -> Option<String> {
    let mut world = World::ccss();
    world.run_before("options_listed");
    let list = Options { past, ..options("list-1") };
    world.take("ann", Record::OptionsListed(list)).unwrap();
    let chosen = world.take("ann", Record::ReviewerChosen(choice("list-1", "rolf")));
    chosen.err().map(|refusal| refusal.reasons[0].rule.clone())
}

#[test]
fn a_reviewer_of_the_auditors_firm_is_refused() {
    let mut world = World::ccss();
    world.run_before("reviewer_chosen");
    let chosen = Record::ReviewerChosen(choice("list-1", "ray"));
    refused(&mut world, "ann", chosen, "reviewer_is_of_another_firm");
}

#[test]
fn a_reviewer_rests_three_years_before_the_same_entity() {
    let now = World::ccss().now;
    let years = |n: u64| now.minus_s(n * 366 * DAY_S);
    let of = |at| choose(vec![past("Other system", "zoe", Some("rolf"), at)]);
    assert_eq!(of(years(2)).as_deref(), Some("reviewer_is_rested"));
    assert_eq!(of(years(3)), None);
    assert_eq!(choose(vec![past("Other system", "zoe", Some("a colleague"), years(1))]), None);
}

#[test]
fn who_audited_a_system_may_not_review_its_next_three_audits() {
    let now = World::ccss().now;
    let at = |n: u64| now.minus_s((10 - n) * 400 * DAY_S);
    let audits = |later: u64| {
        let mut all = vec![past("Treasury vault", "rolf", None, at(0))];
        all.extend((1..=later).map(|n| past("treasury VAULT", "zoe", None, at(n))));
        choose(all)
    };
    for later in 0..3 {
        assert_eq!(
            audits(later).as_deref(),
            Some("reviewer_did_not_audit_it"),
            "{later} later audits"
        );
    }
    assert_eq!(audits(3), None);
    assert_eq!(choose(vec![past("Other system", "rolf", None, at(9))]), None);
}

#[test]
fn an_auditors_first_audit_is_reviewed_by_a_committee_member() {
    let rule = "first_audit_has_a_committee_reviewer";
    for steering in [false, true] {
        let mut world = World::ccss();
        let mut engagement = world.engagement();
        engagement.parties[1].audits = 0;
        world.take("ann", Record::Engaged(Box::new(engagement))).unwrap();
        world.taken = 1;
        world.run_before("options_listed");
        let mut list = options("list-1");
        list.reviewers[0].steering = steering;
        world.take("ann", Record::OptionsListed(list)).unwrap();
        let chosen = world.take("ann", Record::ReviewerChosen(choice("list-1", "rolf")));
        assert_eq!(chosen.is_ok(), steering);
        if let Err(refusal) = chosen {
            assert_eq!(refusal.reasons[0].rule, rule);
        }
    }
}

#[test]
fn asking_for_a_new_list_voids_the_old_one_and_the_choice_from_it() {
    let mut world = World::ccss();
    world.run_before("scope_set");
    world
        .take("ann", Record::OptionsAsked(Why { why: "the reviewer fell ill".to_owned() }))
        .unwrap();
    assert_eq!(world.audit.stage(), "reviewer");
    let old = Record::ReviewerChosen(choice("list-1", "rolf"));
    refused(&mut world, "ann", old, "reviewer_is_on_the_list");
    let again = Record::OptionsListed(options("list-1"));
    refused(&mut world, "ann", again, "list_is_new");
    world.take("ann", Record::OptionsListed(options("list-2"))).unwrap();
    world.take("ann", Record::ReviewerChosen(choice("list-2", "rolf"))).unwrap();
    let filed = world.good("exhibit_filed interview").1;
    refused(&mut world, "ann", filed, "declarations_stand");
}

#[test]
fn a_reviewer_with_another_part_or_not_on_the_list_is_refused() {
    let choose = |reviewer: Reviewer, rule: &str| {
        let mut world = World::ccss();
        world.run_before("options_listed");
        let person = reviewer.person.clone();
        let list = Options { reviewers: vec![reviewer], ..options("list-1") };
        world.take("ann", Record::OptionsListed(list)).unwrap();
        refused(&mut world, "ann", Record::ReviewerChosen(choice("list-1", &person)), rule);
    };
    choose(reviewer("zed", "Zed", "brickmere treasury ltd", 7), "reviewer_is_of_another_firm");
    choose(reviewer("zed", "Zed", "Iron Works", 7), "reviewer_is_of_another_firm");
    choose(reviewer("zed", "Zed", "Zed & Co", 2), "reviewer_has_no_other_part");
    choose(reviewer("ann", "Zed", "Zed & Co", 7), "reviewer_has_no_other_part");
    let mut world = World::ccss();
    world.run_before("reviewer_chosen");
    let nobody = Record::ReviewerChosen(choice("list-1", "nobody"));
    refused(&mut world, "ann", nobody, "reviewer_is_on_the_list");
}
