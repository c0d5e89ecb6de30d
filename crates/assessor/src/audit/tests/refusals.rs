//! Each rule of testing and closing, broken once.

use quorate_terms::{Digest, Signature};

use super::world::*;
use crate::audit::record::*;
use crate::audit::signed::{CERTIFICATE, Certificate};
use crate::audit::*;
use crate::ccss::designation::{Designation, Supplier};
use crate::ccss::status::{NotApplicable, Status};
use crate::ccss::{Objection, Scope};

fn reasons(refused: Result<(), Refusal>) -> Vec<Objection> {
    refused.err().map_or_else(Vec::new, |refusal| refusal.reasons)
}

/// Runs up to a step, changes its good record and expects this rule to object.
fn check(mut world: World, name: &str, change: impl Fn(&mut Record), rule: &str) {
    world.run_before(name);
    let (by, mut record) = world.good(world.next_name().unwrap());
    change(&mut record);
    let reasons = reasons(world.take(by, record));
    assert!(reasons.iter().any(|r| r.rule == rule), "{name} {rule}: {reasons:?}");
}

macro_rules! with {
    ($kind:ident, |$inner:ident| $body:expr) => {
        |record: &mut Record| {
            let Record::$kind($inner) = record else { panic!("another record") };
            $body;
        }
    };
}

#[test]
fn a_scope_with_a_hole_or_of_somebody_else_is_refused() {
    let scope = |change: fn(&mut Scope), rule: &str| {
        check(World::ccss(), "scope_set", with!(ScopeSet, |scope| change(scope)), rule);
    };
    scope(|s| s.systems[0].environment.validated = None, "scope_is_whole");
    scope(|s| s.entity = "Another".to_owned(), "scope_is_whole");
    scope(|s| s.systems[0].name = "Another".to_owned(), "scope_is_whole");
    scope(|s| s.systems[0].sought = 2, "scope_is_whole");
    scope(
        |s| s.systems[0].environment.validated.as_mut().unwrap().by = "Eva Entity".to_owned(),
        "scope_is_whole",
    );
    scope(|s| s.systems[0].custody.customers_funds = true, "designation_is_decided");
    scope(
        |s| {
            let name = "Hoist".to_owned();
            s.systems[0].custody.providers =
                vec![Supplier { name, takes_part: true, could_affect: true }];
        },
        "designation_is_decided",
    );
}

#[test]
fn no_reason_makes_self_custody_of_a_system_that_a_provider_takes_part_in() {
    for (designation, taken) in [(Designation::SelfCustody, false), (Designation::Provider, true)] {
        let mut world = World::ccss();
        let mut engagement = world.engagement();
        engagement.designation = designation;
        engagement.designation_why = Some("the auditor's judgement".to_owned());
        world.take("ann", Record::Engaged(Box::new(engagement))).unwrap();
        let mut scope = scope();
        scope.systems[0].custody.customers_funds = true;
        assert_eq!(
            world.take("ann", Record::ScopeSet(Box::new(scope))).is_ok(),
            taken,
            "{designation:?}"
        );
    }
}

#[test]
fn an_exhibit_that_is_not_whole_is_refused() {
    let exhibit = |change: fn(&mut Filing), rule: &str| {
        check(
            World::ccss(),
            "exhibit_filed document",
            with!(ExhibitFiled, |filing| change(filing)),
            rule,
        );
    };
    exhibit(|f| f.tag = "DOCUMENT_2".to_owned(), "tag_is_next");
    exhibit(|f| f.tag = "INTERVIEW_1".to_owned(), "tag_is_next");
    exhibit(|f| f.exhibit.owner = " ".into(), "exhibit_is_whole");
    exhibit(
        |f| f.exhibit.represents.to = f.exhibit.represents.to.plus_s(90 * DAY_S),
        "exhibit_is_whole",
    );
    exhibit(|f| f.exhibit.expires = Some(f.exhibit.represents.from), "exhibit_is_whole");
    exhibit(|f| f.exhibit.file = None, "exhibit_is_whole");
    exhibit(|f| f.exhibit.kept_there = Some("it may not leave".to_owned()), "exhibit_is_whole");
    exhibit(
        |f| f.exhibit.file.as_mut().unwrap().media = "application/x-program".to_owned(),
        "exhibit_is_whole",
    );
    exhibit(|f| f.exhibit.file.as_mut().unwrap().size = u64::MAX, "exhibit_is_whole");
}

#[test]
fn evidence_that_may_not_leave_is_recorded_as_metadata() {
    let mut world = World::ccss();
    world.run_before("exhibit_filed document");
    let mut exhibit = document(world.now);
    (exhibit.file, exhibit.kept_there) = (None, Some("the entity's rule".to_owned()));
    let filing = Filing { tag: "DOCUMENT_1".to_owned(), exhibit };
    assert_eq!(reasons(world.take("eva", Record::ExhibitFiled(Box::new(filing)))), []);
}

fn finding(change: fn(&mut Found), rule: &str) {
    check(World::ccss(), "found x.1", with!(Found, |found| change(found)), rule);
}

#[test]
fn a_finding_that_is_not_earned_is_refused() {
    let rule = "finding_is_earned";
    finding(|f| f.id = "9.9".to_owned(), rule);
    finding(|f| f.statement.clear(), rule);
    finding(|f| f.slots.documents = Slot::Cites(Vec::new()), rule);
    finding(|f| f.slots.documents = Slot::Cites(vec!["DOCUMENT_9".to_owned()]), rule);
    finding(|f| f.slots.documents = Slot::Cites(vec!["INTERVIEW_1".to_owned()]), rule);
    finding(
        |f| (f.slots.documents, f.slots.interviews) = (Slot::NotApplicable, Slot::NotApplicable),
        rule,
    );
    finding(|f| f.samples = vec!["unknown".to_owned()], rule);
    finding(|f| f.status = Status::Comparable, rule);
    finding(|f| f.status = Status::Qualified, rule);
    finding(|f| f.status = Status::NotApplicable(NotApplicable::NotSought), rule);
    finding(
        |f| {
            f.status = Status::NotApplicable(NotApplicable::Evidenced);
            (f.slots.documents, f.slots.interviews) = (Slot::NotApplicable, Slot::NotApplicable);
        },
        rule,
    );
}

#[test]
fn a_slot_left_out_of_the_bytes_is_malformed() {
    let mut world = World::ccss();
    world.run_before("found x.2");
    let line = world.lines.last().unwrap().to_bytes().unwrap();
    let line = String::from_utf8(line).unwrap();
    let cut = line.replace(r#","observations":"not_applicable""#, "");
    assert_ne!(cut, line);
    assert!(Line::from_bytes(cut.as_bytes()).is_err());
}

#[test]
fn a_struck_or_expired_exhibit_is_no_ground_for_a_report() {
    let mut struck = World::ccss();
    struck.run_before("report_written");
    struck.take("ann", Record::ExhibitStruck(about("DOCUMENT_1"))).unwrap();
    let (by, record) = struck.good("report_written");
    assert!(reasons(struck.take(by, record)).iter().any(|r| r.why.contains("struck")));
    let mut late = World::ccss();
    late.run_before("report_written");
    late.now = late.now.plus_s(250 * DAY_S);
    let (by, record) = late.good("report_written");
    assert!(reasons(late.take(by, record)).iter().any(|r| r.why.contains("expired")));
}

#[test]
fn a_sample_without_rationale_or_population_is_refused() {
    let sample = |change: fn(&mut Drawn), rule: &str| {
        check(World::ccss(), "sampled", with!(Sampled, |drawn| change(drawn)), rule);
    };
    sample(|d| d.sample.rationale.clear(), "sample_is_reasoned");
    sample(|d| d.sample.chosen.truncate(2), "sample_is_reasoned");
    sample(|d| d.name.clear(), "sample_is_reasoned");
    sample(|d| d.sample.population.query.clear(), "population_is_shown");
}

#[test]
fn a_report_with_a_missing_finding_or_an_echo_is_refused() {
    let mut missing = World::ccss();
    missing.run_before("found y.1");
    let (by, record) = missing.good("report_written");
    assert!(reasons(missing.take(by, record)).iter().any(|r| r.rule == "findings_are_whole"));
    let mut echo = World::ccss();
    echo.run_before("found y.1");
    let mut found = echo.found("y.1");
    found.statement = "Access to key material is logged and the log is reviewed.".to_owned();
    echo.take("ann", Record::Found(Box::new(found))).unwrap();
    assert_eq!(echo.audit.echoes(&echo.rules()), ["y.1"]);
    let (by, record) = echo.good("report_written");
    let reasons = reasons(echo.take(by, record));
    assert!(
        reasons.iter().all(|r| r.rule == "no_finding_echoes") && reasons.len() == 1,
        "{reasons:?}"
    );
}

#[test]
fn a_copy_that_leaves_something_standing_or_is_of_another_report_is_refused() {
    let rule = "copy_is_of_the_report";
    check(World::ccss(), "redacted", with!(Redacted, |r| r.strokes.truncate(1)), rule);
    check(World::ccss(), "redacted", with!(Redacted, |r| r.copy = Digest::sha256(b"x")), rule);
    check(World::ccss(), "redacted", with!(Redacted, |r| r.report = Digest::sha256(b"x")), rule);
    check(
        World::ccss(),
        "redacted",
        with!(Redacted, |r| r.strokes[0].at = "/nothing".to_owned()),
        rule,
    );
    let mut world = World::ccss();
    world.run_before("report_written");
    let mut told = world.found("x.1");
    told.statement.push_str(" Greta Holm keeps the key of the box.");
    world.take("ann", Record::Found(Box::new(told))).unwrap();
    world.go();
    let wishes: Vec<redact::Wish> = [redact::Wish {
        at: "/exhibits/*/item/interview/name".to_owned(),
        commit: false,
        why: "a name".to_owned(),
    }]
    .into();
    let whole = report::report(&world.audit, &world.requirements);
    let error = redact::redact(&whole, &wishes, &world.openings, &mut || [0; 16])
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("/findings/x.1/statement") && !error.contains("Holm"), "{error}");
}

#[test]
fn a_finding_changed_after_the_report_makes_the_review_wait_for_a_new_one() {
    let mut world = World::ccss();
    world.run_before("review_completed");
    let mut found = world.found("x.1");
    found.statement.push_str(" A fourth drill was opened in November.");
    world.take("ann", Record::Found(Box::new(found))).unwrap();
    let (by, record) = world.good("review_completed");
    assert!(reasons(world.take(by, record)).iter().any(|r| r.rule == "report_is_current"));
    for name in ["report_written", "redacted", "review_opened", "review_completed"] {
        let (by, record) = world.good(name);
        assert_eq!(reasons(world.take(by, record)), [], "{name}");
    }
}

#[test]
fn a_review_is_complete_only_signed_and_with_every_comment_closed() {
    let zero = Signature::from_bytes([0; 64]);
    check(
        World::ccss(),
        "review_completed",
        with!(ReviewCompleted, |s| s.signature = zero),
        "signature_is_true",
    );
    check(
        World::ccss(),
        "review_completed",
        with!(ReviewCompleted, |s| s.digest = Digest::sha256(b"x")),
        "copy_is_this_one",
    );
    check(World::ccss(), "answered", with!(Answered, |a| a.number = 2), "comment_is_in_order");
    check(World::ccss(), "answered", with!(Answered, |a| a.number = 0), "comment_is_in_order");
    check(World::ccss(), "commented", with!(Commented, |c| c.number = 2), "comment_is_in_order");
    let mut world = World::ccss();
    world.run_before("answered");
    let (by, record) = world.good("comment_closed");
    assert_eq!(
        reasons(world.take(by, record))[0].rule,
        "comment_is_in_order",
        "closed before it was answered"
    );
    let (by, record) = world.good("review_completed");
    assert!(reasons(world.take(by, record)).iter().any(|r| r.rule == "review_is_signed"));
}

#[test]
fn a_summary_that_says_more_than_the_audit_is_refused() {
    let summary = |change: fn(&mut Summary)| {
        check(
            World::ccss(),
            "summary_written",
            with!(SummaryWritten, |s| change(s)),
            "summary_is_true",
        );
    };
    summary(|s| s.level = 2);
    summary(|s| s.level = 0);
    summary(|s| s.entity = "Another".to_owned());
    summary(|s| s.designation = Designation::FullSystem);
    summary(|s| s.auditor = "Somebody".to_owned());
    summary(|s| s.reviewer = None);
    summary(|s| s.report = Digest::sha256(b"x"));
    summary(|s| {
        s.aspects.insert("x".to_owned(), 3);
    });
    let zero = Signature::from_bytes([0; 64]);
    check(
        World::ccss(),
        "summary_signed",
        with!(SummarySigned, |s| s.signature = zero),
        "signature_is_true",
    );
}

#[test]
fn a_request_that_is_not_whole_is_refused() {
    let request = |change: fn(&mut Request)| {
        check(
            World::ccss(),
            "certificate_asked",
            with!(CertificateAsked, |r| change(r)),
            "request_is_whole",
        );
    };
    request(|r| r.website.clear());
    request(|r| r.logo_width = 499);
    request(|r| r.logo.media = "image/gif".to_owned());
    request(|r| r.fee_cents = 1);
    request(|r| r.currency = "EUR".to_owned());
    request(|r| r.copied_to = "eva".to_owned());
    request(|r| r.summary = Digest::sha256(b"x"));
    let mut world = World::ccss();
    world.run_before("summary_signed rolf");
    let (by, record) = world.good("certificate_asked");
    assert!(reasons(world.take(by, record)).iter().any(|r| r.rule == "summary_is_signed"));
}

#[test]
fn a_certificate_that_no_pinned_registrar_signed_for_this_audit_is_refused() {
    let certificate = |change: fn(&mut Certificate), seed: u8| {
        let mut world = World::ccss();
        world.run_before("certified");
        let mut certificate = world.certificate();
        change(&mut certificate);
        let reasons = reasons(world.take("ann", sealed_certificate(&certificate, seed)));
        assert_eq!(
            reasons.iter().map(|r| r.rule.as_str()).collect::<Vec<_>>(),
            ["paper_is_the_registrars"]
        );
        assert_ne!(world.audit.word(world.now), "certified");
    };
    certificate(|_| {}, 2);
    certificate(|c| c.v = 2, 9);
    certificate(|c| c.entity = "Another".to_owned(), 9);
    certificate(|c| c.system = "Another".to_owned(), 9);
    certificate(|c| c.version = "8.1".to_owned(), 9);
    certificate(|c| c.level = 2, 9);
    certificate(|c| c.level = 0, 9);
    certificate(|c| c.summary = Digest::sha256(b"x"), 9);
    certificate(|c| c.valid_until = c.valid_from, 9);
    let mut world = World::ccss();
    world.run_before("certified");
    let other = envelope("text/plain", &world.certificate(), 9);
    assert!(world.take("ann", Record::Certified(Sealed { envelope: other })).is_err());
    let mut forged = envelope(CERTIFICATE, &world.certificate(), 9);
    let better = Certificate { level: 3, ..world.certificate() };
    forged.payload = envelope(CERTIFICATE, &better, 2).payload;
    assert!(world.take("ann", Record::Certified(Sealed { envelope: forged })).is_err());
    world.pins.clear();
    let (by, record) = world.good("certified");
    assert!(world.take(by, record).is_err(), "nothing is pinned");
}

#[test]
fn a_major_change_between_audit_and_summary_voids_and_a_later_one_is_flagged() {
    let change = |before: &str, major: bool, void: bool| {
        let mut world = World::ccss();
        world.run_before(before);
        let disclosed = Change { what: "a third cosigner".to_owned(), at: world.now, major };
        world.take("eva", Record::ChangeDisclosed(disclosed)).unwrap();
        assert_eq!(world.audit.void().is_some(), void, "{before} {major}");
        let next = world.next_name().map(|name| world.good(name));
        if let Some((by, record)) = next {
            assert_eq!(world.take(by, record).is_err(), void, "{before} {major}");
        }
    };
    change("exhibit_filed", true, true);
    change("summary_written", true, true);
    change("summary_signed rolf", true, true);
    change("summary_written", false, false);
    change("certificate_asked", true, false);
    change("certified", true, false);
}

#[test]
fn a_major_change_that_was_hidden_until_after_the_certificate_voids_it() {
    let mut world = World::ccss();
    world.run_before("summary_written");
    let at = world.now;
    world.run();
    let hidden = Change { what: "keys moved".to_owned(), at, major: true };
    world.take("eva", Record::ChangeDisclosed(hidden)).unwrap();
    assert_eq!(world.audit.word(world.now), "void");
    assert!(world.audit.certificate().is_none());
}

#[test]
fn a_mark_needs_an_accredited_auditor_a_yes_and_the_pinned_issuer() {
    let mut world = World::waa();
    world.run_before("accredited");
    let mut other = world.accreditation();
    other.key = public(4);
    let forged = Sealed { envelope: envelope(signed::ACCREDITATION, &other, 9) };
    assert!(world.take("ann", Record::Accredited(forged)).is_err(), "another's accreditation");
    let own = Sealed { envelope: envelope(signed::ACCREDITATION, &world.accreditation(), 2) };
    assert!(world.take("ann", Record::Accredited(own)).is_err(), "signed by the auditor himself");
    let mut no = World::waa();
    no.run_before("decided");
    let decided = Decision { granted: false, reasons: vec!["two gaps".to_owned()] };
    no.take("reg", Record::Decided(decided)).unwrap();
    let (by, record) = no.good("mark_issued");
    assert!(no.take(by, record).is_err(), "a mark without a yes");
    let mut yes = World::waa();
    yes.run_before("mark_issued");
    for (keys, why) in [(vec![2], "an issuer that is not pinned"), (vec![9], "without the auditor")]
    {
        let own = Sealed { envelope: yes.mark(&keys) };
        assert!(yes.take("reg", Record::MarkIssued(own)).is_err(), "{why}");
    }
    let mut unreasoned = World::waa();
    unreasoned.run_before("decided");
    let decided = Decision { granted: true, reasons: Vec::new() };
    assert_eq!(
        reasons(unreasoned.take("reg", Record::Decided(decided)))[0].rule,
        "decision_is_reasoned"
    );
    let mut lapsed = World::waa();
    lapsed.run_before("decided");
    lapsed.now = lapsed.now.plus_s(301 * DAY_S);
    let (by, record) = lapsed.good("decided");
    assert_eq!(reasons(lapsed.take(by, record))[0].rule, "auditor_is_accredited");
}
