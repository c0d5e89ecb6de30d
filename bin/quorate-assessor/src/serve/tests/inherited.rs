//! The form of what a certified provider answers for: its report is read first, and each doubt stands beside its field.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use quorate_assessor::audit::Record as Act;
use quorate_assessor::ccss::Status;
use quorate_assessor::ccss::inherit::{Owner, PROVIDER_REPORT, Pin, ProviderReport};
use quorate_assessor::mark::{Envelope, Signer};
use quorate_host::clock::Clock as _;
use quorate_terms::{Digest, Timestamp, canonical};
use serde::Serialize;
use serde_json::{Value, json};

use super::guided::{with, wrong};
use super::world::{Fields, Got, World};
use crate::home;

const PATH: &str = "/audits/brick-1/steps/inherited";
const DAY_S: u64 = 24 * 60 * 60;

/// An audit in its testing, a registrar who is believed, and a provider's report.
struct Provided {
    world: World,
    now: Timestamp,
    /// A requirement that the provider shows, and one that it does not.
    shown: String,
    lacking: String,
}

impl World {
    /// Lets the office believe this registrar from now on.
    pub(super) async fn believes(&self, registrar: &str) {
        let key = self.key(registrar).public_key();
        let pins = vec![Pin { name: "Registrar".to_owned(), key }];
        let open = self.hall.enter().await.unwrap();
        let bytes = canonical::to_bytes(&pins, "registrars").unwrap();
        home::write(&open.home.registrars(), &bytes).unwrap();
        open.close().await;
    }

    /// A paper in its envelope, as it comes from outside.
    pub(super) fn sealed(&self, of: &str, paper: &impl Serialize, by: &str) -> String {
        let key = self.key(by);
        let sign = |bytes: &[u8]| key.sign_bytes(bytes);
        let signers = [Signer { key: key.public_key(), sign: &sign }];
        let payload = canonical::to_bytes(paper, "paper").unwrap();
        json!(Envelope::seal(of, &payload, &signers)).to_string()
    }
}

impl Provided {
    async fn new() -> Self {
        let world = World::new().await;
        world.with_evidence().await;
        world.believes("reg").await;
        let held = world.held("brick-1").await;
        let mut low = held.requirements.iter().filter(|r| r.rank == 1).map(|r| r.id.clone());
        let (shown, lacking) = (low.next().unwrap(), low.next().unwrap());
        let now = quorate_host::SystemClock::new().now();
        Self { world, now, shown, lacking }
    }

    fn report(&self) -> ProviderReport {
        let (shown, lacking) = (self.shown.clone(), self.lacking.clone());
        ProviderReport {
            v: 1,
            provider: "Alder <b>Custody".to_owned(),
            system: "Alder cosigning".to_owned(),
            services: BTreeSet::from(["second cosigner".to_owned()]),
            standard: "ccss".to_owned(),
            version: "9.0".to_owned(),
            level: 1,
            statuses: BTreeMap::from([(shown, Status::InPlace), (lacking, Status::NotInPlace)]),
            certificate: Digest::sha256(b"certificate"),
            valid_from: self.now.minus_s(90 * DAY_S),
            valid_until: self.now.plus_s(90 * DAY_S),
        }
    }

    fn sealed(&self, report: &ProviderReport, by: &str) -> String {
        self.world.sealed(PROVIDER_REPORT, report, by)
    }

    async fn sends(&self, fields: Fields<'_>) -> Got {
        let fields = with(fields, &[("taker", "ann")]);
        self.world.send_as(&self.world.cookie, PATH, &fields, None).await
    }
}

#[tokio::test]
async fn a_providers_report_is_read_first_and_what_is_made_is_the_command_lines_document() {
    let here = Provided::new().await;
    let first = here.world.get(PATH).await.text();
    assert!(first.contains("Read the report") && !first.contains("<select"), "{first}");
    let envelope = here.sealed(&here.report(), "reg");
    let read = here.sends(&[("do", "read"), ("envelope", &envelope)]).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text());
    let (owner, other) = (format!("owners.{}", here.shown), format!("owners.{}", here.lacking));
    let choices = [&owner, &other].map(|name| format!("name=\"{name}\""));
    for piece in [
        "Alder cosigning",
        "<legend>Whose each requirement is</legend>",
        "The report says: not in place.",
        "name=\"service\"",
        "value=\"12\"",
        choices[0].as_str(),
        choices[1].as_str(),
    ] {
        assert!(read.text().contains(piece), "{piece}: {}", read.text());
    }
    assert!(!read.text().contains("id=\"w-"), "what is not asked yet is not missing");
    assert!(!read.text().contains("<b>Custody"), "{}", read.text());
    let reviewed = here.world.day(30);
    let fields = [
        ("envelope", envelope.as_str()),
        ("service", "\"second cosigner\""),
        ("reviewed", &reviewed),
        ("review_months", "12"),
        ("grace.0.version", ""),
        (&owner, "provider"),
        (&other, "system"),
    ];
    let asked = here.sends(&fields).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    for piece in ["What the envelope says", "Alder cosigning", PROVIDER_REPORT] {
        assert!(asked.text().contains(piece), "{piece}: {}", asked.text());
    }
    let (_, waiting) = here.world.waiting(&here.world.cookie, &asked).await;
    let at = crate::commands::moment(&reviewed).unwrap();
    let envelope: Value = serde_json::from_str(&envelope).unwrap();
    let file: Act = serde_json::from_value(json!({ "act": "inherited", "envelope": envelope, "using": {
        "service": "second cosigner", "standard": "ccss", "version": "9.0", "sought": 1, "reviewed": at, "grace": {},
        "review_months": 12, "owners": { (here.shown.as_str()): "provider" } } }))
    .unwrap();
    assert_eq!(waiting.record, file);
    here.world.step(PATH, "ann", &fields).await;
    let held = here.world.held("brick-1").await;
    assert_eq!(held.state.shares()[&here.shown].owner, Owner::Provider);
    assert_eq!(held.state.shares()[&here.lacking].owner, Owner::System);
}

#[tokio::test]
async fn a_report_that_is_not_believed_is_not_used_and_what_was_typed_beside_it_stays() {
    let here = Provided::new().await;
    let size = here.world.size().await;
    let good = here.sealed(&here.report(), "reg");
    let stranger = here.sealed(&here.report(), "stranger");
    let changed = good.replacen("\"payload\":\"", "\"payload\":\"AAAA", 1);
    let owner = format!("owners.{}", here.shown);
    for (envelope, why) in [
        ("", "Write something here."),
        ("{", "This is no signed envelope"),
        ("{}", "This is no signed envelope"),
        (stranger.as_str(), "is signed by nobody who is pinned"),
        (changed.as_str(), "is signed by nobody who is pinned"),
    ] {
        let fields = [("envelope", envelope), ("reviewed", "2026-11-20"), (&owner, "provider")];
        let got = here.sends(&fields).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}: {}", got.text());
        let said = wrong(&got, "envelope");
        assert!(said.contains(why), "{why}: {said}");
        let kept = format!("name=\"{owner}\" value=\"provider\"");
        assert!(got.text().contains(&kept), "{kept}: {}", got.text());
        assert!(!got.text().contains("<select"), "nothing of it is used: {}", got.text());
        let read = here.sends(&with(&fields, &[("do", "read")])).await;
        assert_eq!(read.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}");
    }
    // With a report that is believed, what was kept stands in the fields again.
    let fields = [("envelope", good.as_str()), (&owner, "provider"), ("do", "read")];
    let read = here.sends(&fields).await;
    assert!(read.text().contains("<option value=\"provider\" selected>"), "{}", read.text());
    assert_eq!(here.world.size().await, size);
}

#[tokio::test]
async fn each_doubt_about_a_provider_stands_beside_the_field_that_it_is_about() {
    let here = Provided::new().await;
    let (size, reviewed) = (here.world.size().await, here.world.day(30));
    let good = here.sealed(&here.report(), "reg");
    let (owner, other) = (format!("owners.{}", here.shown), format!("owners.{}", here.lacking));
    let fields = [
        ("envelope", good.as_str()),
        ("service", "\"second cosigner\""),
        ("reviewed", &reviewed),
        ("review_months", "12"),
        (&owner, "provider"),
    ];
    let check = async |changes: &[(&str, &str)], field: &str, why: &str| {
        let got = here.sends(&with(&fields, changes)).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", got.text());
        let said = wrong(&got, field);
        assert!(said.contains(why), "{field}: {said}");
    };
    check(&[("service", "\"hosted desk\"")], "service", "Choose one of the list").await;
    check(&[("service", "")], "service", "Write something here").await;
    check(&[("review_months", "soon")], "review_months", "Write a whole number").await;
    check(&[("reviewed", "soon")], "reviewed", "Write a day").await;
    check(&[("reviewed", "")], "reviewed", "no review of this vendor").await;
    let long_ago = here.world.day(800);
    check(&[("reviewed", long_ago.as_str())], "reviewed", "out of date").await;
    check(&[(owner.as_str(), "nobody")], owner.as_str(), "Choose one of the list").await;
    check(&[(other.as_str(), "provider")], other.as_str(), "is not in place").await;
    check(&[("grace.0.version", "8.1")], "grace.0.until", "Write something here").await;
    let ended = ProviderReport { valid_until: here.now.minus_s(DAY_S), ..here.report() };
    let ended = here.sealed(&ended, "reg");
    check(&[("envelope", ended.as_str())], "envelope", "has expired").await;
    let low = ProviderReport { level: 0, ..here.report() };
    let low = here.sealed(&low, "reg");
    check(&[("envelope", low.as_str())], "owners", "the provider reached level 0").await;
    let older = ProviderReport { version: "8.1".to_owned(), ..here.report() };
    let older = here.sealed(&older, "reg");
    let older = ("envelope", older.as_str());
    check(&[older], "grace", "version 8.1 has no grace").await;
    let until = here.now.plus_s(30 * DAY_S).written("%Y-%m-%d");
    let grace = [older, ("grace.0.version", "8.1"), ("grace.0.until", until.as_str())];
    let twice = [("grace.3.version", "8.1"), ("grace.3.until", until.as_str())];
    let got = here.sends(&with(&with(&fields, &grace), &twice)).await;
    assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(got.text().contains("version 8.1 stands twice"), "{}", got.text());
    let taken = here.sends(&with(&fields, &grace)).await;
    assert_eq!(taken.status, StatusCode::OK, "with its grace it is taken: {}", taken.text());
    assert_eq!(here.world.size().await, size);
}
