//! A provider's report, from import to what is left; each doubt refused.

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;
use quorate_terms::Signature;

use super::super::designation::Designation;
use super::super::grade::Grade;
use super::super::status::NotApplicable;
use super::*;
use crate::mark::Signer;

const YEAR_S: u64 = 365 * 24 * 60 * 60;

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes()).unwrap()
}

fn pins() -> Vec<Pin> {
    vec![Pin { name: "Test registrar".to_owned(), key: public(&key(1)) }]
}

fn requirements() -> Vec<Requirement> {
    [("1.1", "1", 1), ("1.2", "1", 2), ("2.1", "2", 1), ("2.2", "2", 2), ("2.3", "2", 3)]
        .map(|(id, group, rank)| Requirement {
            id: id.to_owned(),
            group: group.to_owned(),
            rank,
            text: String::new(),
        })
        .to_vec()
}

fn report() -> ProviderReport {
    let unsought = Status::NotApplicable(NotApplicable::NotSought);
    let statuses = [
        ("1.1", Status::InPlace),
        ("1.2", Status::Qualified),
        ("2.1", Status::Comparable),
        ("2.2", Status::NotInPlace),
        ("2.3", unsought),
    ];
    ProviderReport {
        v: 1,
        provider: "Alder Custody".to_owned(),
        system: "Alder cosigning".to_owned(),
        services: BTreeSet::from(["second cosigner".to_owned()]),
        standard: "ccss".to_owned(),
        version: "9.0".to_owned(),
        level: 2,
        statuses: statuses.map(|(id, status)| (id.to_owned(), status)).into(),
        certificate: Digest::sha256(b"certificate"),
        valid_from: now().minus_s(YEAR_S / 2),
        valid_until: now().plus_s(YEAR_S / 2),
    }
}

fn using() -> Use {
    Use {
        service: "second cosigner".to_owned(),
        standard: "ccss".to_owned(),
        version: "9.0".to_owned(),
        sought: 2,
        reviewed: Some(now().minus_s(YEAR_S / 4)),
        grace: BTreeMap::new(),
        review_months: 12,
        owners: BTreeMap::from([
            ("1.1".to_owned(), Owner::Provider),
            ("1.2".to_owned(), Owner::Both),
        ]),
    }
}

fn sealed(report: &ProviderReport, signer: &SigningKey) -> Vec<u8> {
    let payload = canonical::to_bytes(report, "report").unwrap();
    let sign = |bytes: &[u8]| Signature::from_bytes(signer.sign(bytes).to_bytes());
    let signer = Signer { key: public(signer), sign: &sign };
    let envelope = Envelope::seal(PROVIDER_REPORT, &payload, &[signer]);
    canonical::to_bytes(&envelope, "envelope").unwrap()
}

fn imported(report: &ProviderReport) -> Imported {
    Imported::from_bytes(&sealed(report, &key(1)), &pins()).unwrap()
}

#[test]
fn the_customers_audit_shows_only_what_is_left() {
    let shares = inherit(&imported(&report()), &using(), &requirements(), now()).unwrap();
    let requirements = requirements();
    let ids: Vec<&str> = left(&requirements, &shares).iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["1.2", "2.1", "2.2", "2.3"]);
    assert_eq!(shares["1.1"], Share { owner: Owner::Provider, inherited: Some(Status::InPlace) });
    assert_eq!(shares["2.1"], Share { owner: Owner::System, inherited: None });
}

#[test]
fn what_is_inherited_and_what_is_shown_make_one_grade() {
    let shares = inherit(&imported(&report()), &using(), &requirements(), now()).unwrap();
    let met = Judged { state: State::Met, rationale: None };
    let gap = Judged { state: State::Gap, rationale: None };
    let own: BTreeMap<String, Judged> =
        ["1.2", "2.1", "2.2"].map(|id| (id.to_owned(), met.clone())).into();
    let grade = |own: &BTreeMap<String, Judged>| {
        Grade::of(&requirements(), &together(own, &shares), Designation::FullSystem, 2).level
    };
    assert_eq!(grade(&own), 2);
    let mut broken = own.clone();
    broken.insert("1.2".to_owned(), gap.clone());
    assert_eq!(grade(&broken), 1, "a shared requirement falls with the customer's own part");
    let mut silent = own.clone();
    silent.remove("1.2");
    assert_eq!(grade(&silent), 1, "a provider's part does not stand for the customer's");
    let mut meddled = own;
    meddled.insert("1.1".to_owned(), gap);
    assert_eq!(grade(&meddled), 2, "what the provider owns stands as its report says");
}

fn check(change: fn(&mut ProviderReport, &mut Use), rule: &str) {
    let (mut report, mut using) = (report(), using());
    change(&mut report, &mut using);
    let against = inherit(&imported(&report), &using, &requirements(), now()).unwrap_err();
    assert_eq!(against.iter().map(|o| o.rule.as_str()).collect::<Vec<_>>(), [rule], "{against:?}");
}

#[test]
fn an_expired_provider_certificate_is_refused() {
    check(|r, _| r.valid_until = now().minus_s(1), "provider_in_date");
    check(|r, _| r.valid_from = now().plus_s(1), "provider_in_date");
}

#[test]
fn a_version_without_grace_and_a_grace_that_has_ended_are_refused() {
    check(|r, _| r.standard = "wd".to_owned(), "provider_version");
    check(|r, _| r.version = "8.1".to_owned(), "provider_version");
    check(
        |r, u| {
            r.version = "8.1".to_owned();
            u.grace.insert("8.1".to_owned(), now().minus_s(1));
        },
        "provider_version",
    );
    let (mut report, mut using) = (report(), using());
    report.version = "8.1".to_owned();
    using.grace.insert("8.1".to_owned(), now().plus_s(1));
    assert!(inherit(&imported(&report), &using, &requirements(), now()).is_ok());
}

#[test]
fn a_service_outside_of_the_certified_system_is_refused() {
    check(|_, u| u.service = "hosted desk".to_owned(), "provider_scope");
}

#[test]
fn too_low_a_level_is_refused() {
    check(|r, _| r.level = 1, "provider_level");
}

#[test]
fn a_missing_or_old_vendor_review_is_refused() {
    check(|_, u| u.reviewed = None, "provider_reviewed");
    check(|_, u| u.reviewed = Some(now().minus_s(2 * YEAR_S)), "provider_reviewed");
    check(|_, u| u.reviewed = Some(now().plus_s(60)), "provider_reviewed");
}

#[test]
fn what_the_report_does_not_carry_is_not_inherited() {
    check(
        |_, u| {
            u.owners.insert("1.2".to_owned(), Owner::Provider);
        },
        "provider_carries",
    );
    check(
        |_, u| {
            u.owners.insert("2.2".to_owned(), Owner::Both);
        },
        "provider_carries",
    );
    check(
        |r, _| {
            r.statuses.remove("1.1");
        },
        "provider_carries",
    );
    check(
        |r, _| {
            let unsought = Status::NotApplicable(NotApplicable::NotSought);
            r.statuses.insert("1.1".to_owned(), unsought);
        },
        "provider_carries",
    );
    check(
        |_, u| {
            u.owners.insert("9.9".to_owned(), Owner::Both);
        },
        "owner_is_of_a_requirement",
    );
}

#[test]
fn every_objection_is_told_at_once() {
    let (mut report, mut using) = (report(), using());
    report.valid_until = now().minus_s(1);
    using.reviewed = None;
    let against = inherit(&imported(&report), &using, &requirements(), now()).unwrap_err();
    assert_eq!(against.len(), 2);
}

#[test]
fn a_report_that_no_pinned_key_signed_is_refused() {
    assert!(Imported::from_bytes(&sealed(&report(), &key(2)), &pins()).is_err(), "an unknown key");
    assert!(Imported::from_bytes(&sealed(&report(), &key(1)), &[]).is_err(), "nothing pinned");
    let mut forged: Envelope = canonical::from_bytes(&sealed(&report(), &key(1)), "e").unwrap();
    let better = ProviderReport { level: 3, ..report() };
    let other: Envelope = canonical::from_bytes(&sealed(&better, &key(2)), "e").unwrap();
    forged.payload = other.payload;
    let bytes = canonical::to_bytes(&forged, "e").unwrap();
    assert!(
        Imported::from_bytes(&bytes, &pins()).is_err(),
        "another payload under a true signature"
    );
    let mut retyped: Envelope = canonical::from_bytes(&sealed(&report(), &key(1)), "e").unwrap();
    retyped.payload_type = "text/plain".to_owned();
    let bytes = canonical::to_bytes(&retyped, "e").unwrap();
    assert!(Imported::from_bytes(&bytes, &pins()).is_err(), "another type");
}

proptest! {
    #[test]
    fn bytes_from_outside_never_panic_and_never_import(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Imported::from_bytes(&bytes, &pins()).is_err());
    }

    #[test]
    fn a_mutated_report_is_never_imported_as_another(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = sealed(&report(), &key(1));
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(read) = Imported::from_bytes(&bytes, &pins()) {
            prop_assert_eq!(read.report(), &report());
        }
    }
}
