//! What programs ask of audits, and of the office itself: each answer is that of the command, and a step that was composed here
//! counts by its person's signature alone.

use axum::http::StatusCode;
use clap::Parser as _;
use quorate_assessor::assess;
use quorate_assessor::audit::Record as Act;
use quorate_assessor::audit::waiting::Waiting;
use quorate_assessor::finding::Period;
use quorate_assessor::record::{Record, Results};
use quorate_assessor::standard::StandardKey;
use quorate_host::ui::Ui;
use quorate_terms::bulletin::{Bulletin, SignedBulletin};
use quorate_terms::{Digest, canonical};
use serde_json::{Value, json};

use super::api::{read, refused};
use super::world::World;
use crate::cli::Cli;
use crate::screen::Screen;
use crate::trouble::Done;
use crate::{commands, home, run};

const STEPS: &str = "/audits/brick-1/steps";
const COMPOSED: &str = "/audits/brick-1/steps/composed";

impl World {
    /// What a command answers under `--json`.
    pub(super) async fn command(&self, words: &[&str]) -> Done<Screen> {
        let office = self.dir.path().join("office").display().to_string();
        let standards = concat!(env!("CARGO_MANIFEST_DIR"), "/../../standards");
        let first = ["quorate-assessor", "--json", "--dir", &office, "--standards", standards];
        let cli = Cli::parse_from(first.iter().chain(words));
        commands::run(&cli, &Ui::new(true, true)).await
    }

    /// What a program is answered.
    pub(super) async fn told(&self, token: &str, path: &str) -> Value {
        let got = self.program(token, path, &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text());
        read(&got)
    }

    /// Puts results without a finding on record.
    async fn assessed(&self, standard: &str) {
        self.assessed_ago(standard, 0).await;
    }

    /// The same, as of so many seconds ago; gives their digest.
    pub(super) async fn assessed_ago(&self, standard: &str, seconds: u64) -> Digest {
        let key: StandardKey = standard.parse().unwrap();
        let catalogue = run::catalogue(&self.hall.shelf().library, &key).unwrap();
        let mut open = self.hall.enter().await.unwrap();
        let at = open.office.now().minus_s(seconds);
        let results = Results {
            v: 1,
            standard: key.clone(),
            catalogue: catalogue.digest().unwrap(),
            official: catalogue.official,
            period: Period { from: at.minus_s(86_400), to: at },
            at,
            heads: Vec::new(),
            sought: None,
            reached: assess::reached(catalogue, &[], |_| false),
            findings: Vec::new(),
        };
        let bytes = canonical::to_bytes(&results, "results").unwrap();
        let digest = Digest::sha256(&bytes);
        home::write(&open.home.results(&format!("{digest}.json")), &bytes).unwrap();
        open.office
            .append(Record::Assessed {
                standard: key,
                results: digest,
                sought: None,
                reached: None,
                heads: Vec::new(),
            })
            .await
            .unwrap();
        open.close().await;
        digest
    }

    /// Something that Nora Berg said, in plain text.
    pub(super) fn interview(&self, tag: &str) -> Value {
        let day = |ago: u64| commands::moment(&self.day(ago)).unwrap();
        let interview = json!({
            "role": "custodian", "place": "by telephone", "duration": "40 minutes", "topics": "drills",
            "name": "Nora Berg", "findings": "one drill a year", "at": day(4), "open": [],
        });
        let exhibit = json!({
            "item": { "interview": interview }, "owner": "Otto Owner", "expires": null, "file": null,
            "represents": { "from": day(300), "to": day(3) }, "kept_there": null,
        });
        json!({ "act": "exhibit_filed", "tag": tag, "exhibit": exhibit })
    }

    /// A step made ready here.
    pub(super) async fn composed(&self, token: &str, record: &Value) -> Value {
        let body = json!({ "by": "ann", "record": record });
        let got = self.posts(token, COMPOSED, "composed", &body).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text());
        read(&got)["step"].clone()
    }

    /// A composed step as its person signs it.
    pub(super) fn signed(&self, step: &Value) -> Value {
        let bytes = canonical::to_bytes(step, "step").unwrap();
        let waiting = Waiting::from_bytes(&bytes).unwrap();
        let key = self.key(&waiting.by);
        let answer = waiting.sign(&|digest| key.sign(digest)).unwrap().to_string();
        json!({ "step": step, "answer": answer })
    }
}

#[tokio::test]
async fn what_is_asked_of_an_audit_and_of_the_office_is_what_the_command_answers() {
    let world = World::new().await;
    world.with_evidence().await;
    let file = world.token("filer", "file");
    for (path, words) in [
        ("/status", &["status"][..]),
        ("/workflows", &["audit", "workflows"][..]),
        ("/audits/brick-1/calendar", &["audit", "calendar", "brick-1"][..]),
        ("/audits/brick-1/evidence", &["audit", "evidence", "list", "brick-1"][..]),
    ] {
        let said = world.command(words).await.unwrap().json;
        assert_eq!(world.told(&file, path).await, said, "{path}");
        let stranger = world.program("", path, &[]).await;
        refused(&stranger, 401, "no_token");
    }
}

#[tokio::test]
async fn a_token_that_only_looks_is_shown_no_value_about_people_and_is_not_told_that_it_was_erased()
{
    let world = World::new().await;
    world.with_evidence().await;
    let (look, file) = (world.token("looker", "look"), world.token("filer", "file"));
    for (token, is_open) in [(&file, true), (&look, false)] {
        let register = world.told(token, "/audits/brick-1/evidence").await;
        assert_eq!(register.to_string().contains("Greta Holm"), is_open, "{register}");
        let seen = world.told(token, "/audits/brick-1").await;
        assert_eq!(register["exhibits"], seen["seen"]["exhibits"]["on_file"]);
        assert_eq!(seen.to_string().contains("Greta Holm"), is_open, "{seen}");
        assert!(!register.to_string().contains("erased"), "closed is not erased: {register}");
        assert!(!seen.to_string().contains("erased"), "{seen}");
    }
}

#[tokio::test]
async fn of_what_is_not_there_nothing_is_told() {
    let world = World::new().await;
    let look = world.token("looker", "look");
    for path in ["calendar", "report", "evidence"] {
        let got = world.program(&look, &format!("/audits/none/{path}"), &[]).await;
        refused(&got, 404, "no_audit");
    }
}

#[tokio::test]
async fn a_report_is_the_one_that_the_command_writes_and_shows_no_value_about_people() {
    let world = World::new().await;
    world.with_evidence().await;
    let look = world.token("looker", "look");
    let out = world.dir.path().join("report.json");
    let at = out.display().to_string();
    let said = world.command(&["audit", "report", "brick-1", "--out", &at]).await.unwrap().json;
    let got = world.told(&look, "/audits/brick-1/report").await;
    assert_eq!((&got["digest"], &got["echoes"]), (&said["digest"], &said["echoes"]));
    let written = std::fs::read(&out).unwrap();
    assert_eq!(canonical::to_bytes(&got["report"], "report").unwrap(), written);
    assert_eq!(got["digest"], json!(Digest::sha256(&written)));
    assert!(!got.to_string().contains("Greta Holm"), "{got}");
}

#[tokio::test]
async fn a_bulletin_is_the_one_that_the_command_writes_and_the_desk_takes_it() {
    let world = World::new().await;
    let look = world.token("looker", "look");
    let out = world.dir.path().join("bulletin.json").display().to_string();
    let words = ["bulletin", "--out", &out];
    let nothing = world.command(&words).await.err().unwrap();
    refused(&world.program(&look, "/bulletin", &[]).await, 409, nothing.code);
    world.assessed("ccss 9.0").await;
    let size = world.size().await;
    world.command(&words).await.unwrap();
    let got = world.program(&look, "/bulletin", &[]).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text());
    let open = world.hall.enter().await.unwrap();
    let key = open.home.identity().unwrap().public_key();
    open.close().await;
    let written = SignedBulletin::open(&std::fs::read(&out).unwrap(), &key).unwrap();
    let told = SignedBulletin::open(&got.bytes, &key).unwrap();
    assert_eq!(Bulletin { made_at: written.made_at, ..told }, written);
    assert_eq!(world.size().await, size, "nothing is recorded");
}

#[tokio::test]
async fn a_step_that_was_composed_here_is_taken_once_it_is_signed_and_once() {
    let world = World::new().await;
    world.engagement("brick-1", "ccss 9.0").await;
    let (look, file) = (world.token("looker", "look"), world.token("filer", "file"));
    let size = world.size().await;
    let record = json!({ "act": "intent_filed", "reference": "letter 1" });
    let body = json!({ "by": "ann", "record": record });
    refused(&world.posts(&look, COMPOSED, "k", &body).await, 403, "scope");
    refused(&world.posts(&file, COMPOSED, "", &body).await, 400, "idempotency_key");
    let elsewhere = world.posts(&file, "/audits/none/steps/composed", "k", &body).await;
    refused(&elsewhere, 404, "no_audit");
    let other = json!({ "by": "nobody", "record": record });
    refused(&world.posts(&file, COMPOSED, "k", &other).await, 409, "objections");
    for body in [json!({ "by": "ann" }), json!({ "by": "ann", "record": { "act": "none" } })] {
        refused(&world.posts(&file, COMPOSED, "k", &body).await, 422, "malformed");
    }
    let got = world.posts(&file, COMPOSED, "k", &body).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text());
    let step = read(&got)["step"].clone();
    assert_eq!((&step["record"], &step["before"]), (&record, &json!(1)));
    assert_eq!(world.size().await, size, "nothing is recorded yet");
    let signed = world.signed(&step);
    for key in ["one", "one"] {
        let taken = world.posts(&file, STEPS, key, &signed).await;
        assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
        assert_eq!(read(&taken)["act"], "intent_filed");
    }
    refused(&world.posts(&file, STEPS, "two", &signed).await, 409, "overtaken");
    assert_eq!(world.size().await, size + 1);
}

#[tokio::test]
async fn values_about_people_are_committed_to_by_the_office_and_kept_when_the_step_is_taken() {
    let world = World::new().await;
    world.with_evidence().await;
    let file = world.token("filer", "file");
    let record = world.interview("INTERVIEW_2");
    let first = world.composed(&file, &record).await;
    let step = world.composed(&file, &record).await;
    assert_ne!(first["openings"], step["openings"], "what opens the first one was not kept");
    assert!(!step["record"].to_string().contains("Nora Berg"), "{step}");
    assert!(step["openings"].to_string().contains("Nora Berg"), "{step}");
    let taken = world.posts(&file, STEPS, "one", &world.signed(&step)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let register = world.told(&file, "/audits/brick-1/evidence").await;
    let name = &register["exhibits"]["INTERVIEW_2"]["item"]["interview"]["name"];
    assert_eq!(name["value"], "Nora Berg", "{register}");
}

#[tokio::test]
async fn values_about_people_come_as_new_commitments_each_with_its_own_opening() {
    let world = World::new().await;
    world.with_evidence().await;
    let (file, size) = (world.token("filer", "file"), world.size().await);
    let composed = world.composed(&file, &world.interview("INTERVIEW_2")).await;
    let mut plain = composed.clone();
    plain["record"] = world.interview("INTERVIEW_2");
    plain["openings"] = json!([]);
    let mut unopened = composed.clone();
    unopened["openings"].as_array_mut().unwrap().pop();
    let mut crossed = composed.clone();
    let item = &mut crossed["record"]["exhibit"]["item"]["interview"];
    let name = item["name"].clone();
    item["name"] = std::mem::replace(&mut item["findings"], name);
    for (what, step) in [("plain", plain), ("unopened", unopened), ("crossed", crossed)] {
        let got = world.posts(&file, STEPS, what, &world.signed(&step)).await;
        refused(&got, 409, "not_composed");
    }
    assert_eq!(world.size().await, size, "nothing was recorded");
    let taken = world.posts(&file, STEPS, "whole", &world.signed(&composed)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let mut again = world.composed(&file, &world.interview("INTERVIEW_3")).await;
    again["record"]["exhibit"] = composed["record"]["exhibit"].clone();
    again["openings"] = composed["openings"].clone();
    let got = world.posts(&file, STEPS, "again", &world.signed(&again)).await;
    refused(&got, 409, "not_composed");
    assert!(got.text().contains("used before"), "{}", got.text());
    assert_eq!(world.size().await, size + 1);
}

#[tokio::test]
async fn what_only_the_office_begins_or_makes_is_not_composed_for_a_program() {
    let world = World::new().await;
    world.engagement("brick-1", "ccss 9.0").await;
    let (file, held) = (world.token("filer", "file"), world.held("brick-1").await);
    let engaged = Act::Engaged(Box::new(held.state.engagement().unwrap().clone()));
    let (report, copy) = (Digest::sha256(b"report"), Digest::sha256(b"copy"));
    let redacted = json!({ "act": "redacted", "report": report, "strokes": [], "copy": copy });
    let size = world.size().await;
    for (record, why) in [
        (json!(engaged), "an audit is begun by the office, whose word its people's keys are"),
        (redacted, "a redacted copy is made where the report is"),
    ] {
        let body = json!({ "by": "ann", "record": record });
        let got = world.posts(&file, COMPOSED, "k", &body).await;
        refused(&got, 409, "not_composed");
        assert_eq!(read(&got)["error"]["message"], why);
    }
    assert_eq!(world.size().await, size);
}
