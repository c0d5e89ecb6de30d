//! Papers that registrars signed: what stands against one is said beside it, and what it says is read before the step is signed.

use axum::http::StatusCode;
use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::signed::{ACCREDITATION, Accreditation, CERTIFICATE};
use quorate_host::clock::Clock as _;
use quorate_terms::Timestamp;
use serde_json::{Value, json};

use super::guided::wrong;
use super::world::World;

const PATH: &str = "/audits/draft-1/steps/accredited";
const DAY_S: u64 = 24 * 60 * 60;

impl World {
    fn accreditation(&self, of: &str, until: Timestamp) -> Accreditation {
        Accreditation {
            v: 1,
            number: "W-77".to_owned(),
            name: "Ann <b>".to_owned(),
            key: self.key(of).public_key(),
            standard: "wd".to_owned(),
            valid_from: until.minus_s(400 * DAY_S),
            valid_until: until,
        }
    }
}

#[tokio::test]
async fn what_a_registrar_signed_is_read_before_it_is_filed_and_refused_beside_its_field() {
    let world = World::new().await;
    world.believes("reg").await;
    world.engagement("draft-1", "wd 0.1.0").await;
    let now = quorate_host::SystemClock::new().now();
    let (soon, past) = (now.plus_s(90 * DAY_S), now.minus_s(DAY_S));
    let good = world.accreditation("ann", soon);
    let envelope = world.sealed(ACCREDITATION, &good, "reg");
    let size = world.size().await;
    let others = world.sealed(ACCREDITATION, &world.accreditation("eva", soon), "reg");
    let ended = world.sealed(ACCREDITATION, &world.accreditation("ann", past), "reg");
    let stranger = world.sealed(ACCREDITATION, &good, "stranger");
    let certificate = world.sealed(CERTIFICATE, &good, "reg");
    for (text, why) in [
        ("", "Write something here."),
        ("{", "This is no signed envelope"),
        ("{\"payload\":\"\"}", "This is no signed envelope"),
        (others.as_str(), "the accreditation is another"),
        (ended.as_str(), "not in date"),
        (stranger.as_str(), "is signed by no registrar that is pinned"),
        (certificate.as_str(), "is something else"),
    ] {
        let fields = [("taker", "ann"), ("envelope", text)];
        let got = world.send_as(&world.cookie, PATH, &fields, None).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{why}: {}", got.text());
        let said = wrong(&got, "envelope");
        assert!(said.contains(why), "{why}: {said}");
    }
    assert_eq!(world.size().await, size);
    let fields = [("taker", "ann"), ("envelope", envelope.as_str())];
    let asked = world.send_as(&world.cookie, PATH, &fields, None).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    for piece in ["What the envelope says", "W-77", ACCREDITATION] {
        assert!(asked.text().contains(piece), "{piece}: {}", asked.text());
    }
    assert!(!asked.text().contains("Ann <b>"), "{}", asked.text());
    let (_, waiting) = world.waiting(&world.cookie, &asked).await;
    let envelope: Value = serde_json::from_str(&envelope).unwrap();
    let file = serde_json::from_value(json!({ "act": "accredited", "envelope": envelope }));
    let file: Act = file.unwrap();
    assert_eq!(waiting.record, file);
}
