//! A customer's audit with a certified provider in it.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::Digest;

use super::world::*;
use crate::audit::record::*;
use crate::audit::view::Part;
use crate::audit::*;
use crate::ccss::Status;
use crate::ccss::inherit::{Owner, PROVIDER_REPORT, ProviderReport, Use};

fn inheritance(world: &World, seed: u8) -> Inheritance {
    let report = ProviderReport {
        v: 1,
        provider: "Alder Custody".to_owned(),
        system: "Alder cosigning".to_owned(),
        services: BTreeSet::from(["second cosigner".to_owned()]),
        standard: "ccss".to_owned(),
        version: "9.0".to_owned(),
        level: 2,
        statuses: BTreeMap::from([("y.1".to_owned(), Status::InPlace)]),
        certificate: Digest::sha256(b"certificate"),
        valid_from: world.now.minus_s(90 * DAY_S),
        valid_until: world.now.plus_s(90 * DAY_S),
    };
    let using = Use {
        service: "second cosigner".to_owned(),
        standard: "ccss".to_owned(),
        version: "9.0".to_owned(),
        sought: 1,
        reviewed: Some(world.now.minus_s(30 * DAY_S)),
        grace: BTreeMap::new(),
        review_months: 12,
        owners: BTreeMap::from([("y.1".to_owned(), Owner::Provider)]),
    };
    Inheritance { envelope: envelope(PROVIDER_REPORT, &report, seed), using }
}

fn rules(refused: Result<(), Refusal>) -> Vec<String> {
    refused.err().map_or_else(Vec::new, |r| r.reasons.into_iter().map(|o| o.rule).collect())
}

#[test]
fn what_a_provider_owns_needs_no_finding_and_counts_in_the_grade() {
    let mut world = World::ccss();
    world.run_before("found y.1");
    let held = inheritance(&world, 9);
    assert_eq!(rules(world.take("ann", Record::Inherited(Box::new(held)))), [""; 0]);
    let seen = view(&world.audit, Role::Entity, &world.rules(), &world.openings);
    assert_eq!(seen[&Part::Left], serde_json::json!(["x.1", "x.2"]));
    let own = Record::Found(Box::new(world.found("y.1")));
    assert_eq!(rules(world.take("ann", own)), ["finding_is_earned"]);
    assert_eq!(world.audit.grade(&world.requirements).level, 1);
    world.taken += 1;
    world.run();
    assert_eq!(world.audit.word(world.now), "certified");
    assert_eq!(replay(&world.lines, &world.rules()).unwrap(), world.audit);
}

#[test]
fn a_providers_report_that_is_not_good_is_refused_in_the_audit_too() {
    let check = |change: fn(&World, &mut Inheritance), seed: u8, rule: &str| {
        let mut world = World::ccss();
        world.run_before("found y.1");
        let mut held = inheritance(&world, seed);
        change(&world, &mut held);
        let found = rules(world.take("ann", Record::Inherited(Box::new(held))));
        assert!(found.iter().any(|r| r == rule), "{rule}: {found:?}");
    };
    check(|_, _| {}, 2, "provider_is_good");
    check(|_, h| h.using.sought = 2, 9, "provider_is_good");
    check(|_, h| h.using.version = "8.1".to_owned(), 9, "provider_is_good");
    check(|_, h| h.using.service = "hosted desk".to_owned(), 9, "provider_scope");
    check(|_, h| h.using.reviewed = None, 9, "provider_reviewed");
    check(|w, h| h.using.reviewed = Some(w.now.minus_s(400 * DAY_S)), 9, "provider_reviewed");
    check(
        |_, h| {
            h.using.owners.insert("x.1".to_owned(), Owner::Both);
        },
        9,
        "provider_carries",
    );
    let mut expired = World::ccss();
    expired.run_before("found y.1");
    let held = inheritance(&expired, 9);
    expired.now = expired.now.plus_s(91 * DAY_S);
    assert_eq!(rules(expired.take("ann", Record::Inherited(Box::new(held)))), ["provider_in_date"]);
}

#[test]
fn without_the_scope_nothing_is_inherited() {
    let mut world = World::ccss();
    world.run_before("scope_set");
    let held = inheritance(&world, 9);
    assert_eq!(rules(world.take("ann", Record::Inherited(Box::new(held)))), ["scope_stands"]);
}

#[test]
fn a_provider_whose_certificate_ends_before_the_report_is_written_carries_nothing() {
    let mut world = World::ccss();
    world.run_before("found y.1");
    let held = inheritance(&world, 9);
    world.take("ann", Record::Inherited(Box::new(held))).unwrap();
    world.now = world.now.plus_s(91 * DAY_S);
    let (by, record) = world.good("report_written");
    assert_eq!(rules(world.take(by, record)), ["provider_in_date"]);
}

#[test]
fn a_second_provider_leaves_what_the_first_one_carries() {
    let mut world = World::ccss();
    world.run_before("found y.1");
    let first = inheritance(&world, 9);
    world.take("ann", Record::Inherited(Box::new(first))).unwrap();
    let mut second = inheritance(&world, 9);
    second.using.owners = BTreeMap::new();
    world.take("ann", Record::Inherited(Box::new(second))).unwrap();
    let seen = view(&world.audit, Role::Entity, &world.rules(), &world.openings);
    assert_eq!(seen[&Part::Left], serde_json::json!(["x.1", "x.2"]));
}
