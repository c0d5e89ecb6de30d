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
    /// Begins an audit under the workflow that begins with an accreditation.
    async fn engaged_for_the_draft(&self) {
        let page = self.get("/engage").await.text().replace("&quot;", "\"").replace("&#34;", "\"");
        let workflows = page.split("<select id=\"f-workflow\"").nth(1).unwrap();
        let workflow = workflows.split("<option value=\"").find(|one| one.contains("for wd"));
        let workflow = workflow.unwrap().split("\">").next().unwrap();
        let public = |person: &str| self.key(person).public_key().to_string();
        let parties = format!(
            "ann | auditor | Ann | Alder Audit | A-1 | 2 | {}\neva | entity | Eva | Brickmere Ltd | | 0 | {}",
            public("ann"),
            public("eva")
        );
        let (from, to) = (self.day(367), self.day(2));
        let fields = [
            ("audit", "draft-1"),
            ("workflow", workflow),
            ("standard", "\"wd 0.1.0\""),
            ("entity", "Brickmere Ltd"),
            ("system", "Treasury vault"),
            ("designation", "\"self_custody\""),
            ("sought", "1"),
            ("from", &from),
            ("to", &to),
            ("first", "no"),
            ("parties", &parties),
            ("contract", "contract 7"),
            ("retention", "seven years, the auditor"),
        ];
        self.step("/engage", "ann", &fields).await;
    }

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
    world.engaged_for_the_draft().await;
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
