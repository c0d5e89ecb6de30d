//! Trust Marks by programs: from the offer to the file that a stranger verifies, and what no token brings about.

use axum::http::StatusCode;
use quorate_assessor::audit::record::Slot;
use quorate_assessor::audit::signed::{ACCREDITATION, Accreditation, step_to_sign};
use quorate_assessor::audit::{self, Event, Record as Act};
use quorate_assessor::mark::{Envelope, MarkFile, MarkPolicy, Question, StatusList, verify};
use quorate_assessor::record::Record;
use quorate_host::clock::Clock as _;
use quorate_ledger::{AddCheckpoint, KeyKind, VerifierKey, cosignature};
use quorate_terms::{Digest, Timestamp, canonical};
use serde_json::{Value, json};

use super::api::{read, refused};
use super::guided::scope_fields;
use super::walk::found;
use super::world::{World, borrowed};

const AT: &str = "/audits/audit-1/steps";
const CLAIMS: &str = "/audits/audit-1/claims";
const COMPOSED: &str = "/audits/audit-1/claims/composed";
const DAY_S: u64 = 86_400;
const HOUR_S: u64 = 3_600;

fn now() -> Timestamp {
    quorate_host::SystemClock::new().now()
}

/// An office with an audit of its own, tokens and an offered mark.
struct Marks {
    world: World,
    results: Digest,
    file: String,
    mark: String,
    offer: Value,
}

impl World {
    /// An audit under the draft's workflow up to its signed summary.
    async fn summed(&self) {
        self.believes("reg").await;
        let mut fields = self.engagement_fields("audit-1", "wd 0.1.0").await;
        let reg = self.key("reg").public_key().to_string();
        let party = [
            ("person", "reg"),
            ("role", "\"registrar\""),
            ("name", "Reg"),
            ("firm", "Registrar"),
            ("number", ""),
            ("audits", ""),
            ("key", reg.as_str()),
        ];
        fields.extend(party.map(|(name, value)| (format!("parties.2.{name}"), value.to_owned())));
        self.step("/engage", "ann", &borrowed(&fields)).await;
        let accreditation = Accreditation {
            v: 1,
            number: "W-77".to_owned(),
            name: "Ann".to_owned(),
            key: self.key("ann").public_key(),
            standard: "wd".to_owned(),
            valid_from: now().minus_s(DAY_S),
            valid_until: now().plus_s(900 * DAY_S),
        };
        let envelope = self.sealed(ACCREDITATION, &accreditation, "reg");
        self.step(&format!("{AT}/accredited"), "ann", &[("envelope", &envelope)]).await;
        for person in ["eva", "ann"] {
            let said = [("statements", "I am independent of the other parties.")];
            self.step(&format!("{AT}/declared"), person, &said).await;
        }
        self.step(&format!("{AT}/scope_set"), "ann", &scope_fields(&self.day(1))).await;
        let (from, to, at) = (self.day(300), self.day(3), self.day(4));
        let interview = [
            ("name", "Greta Holm"),
            ("role", "custodian"),
            ("place", "by telephone"),
            ("duration", "40 minutes"),
            ("topics", "ceremonies, backups, drills"),
            ("findings", "two people each time"),
            ("owner", "Otto Owner"),
            ("from", from.as_str()),
            ("to", to.as_str()),
            ("at", at.as_str()),
        ];
        self.step(&format!("{AT}/exhibit_filed.interview"), "ann", &interview).await;
        self.all_found().await;
        self.step(&format!("{AT}/report_written"), "ann", &[]).await;
        let description = [("description", "a vault of two cosigners")];
        self.step(&format!("{AT}/summary_written"), "ann", &description).await;
        self.step(&format!("{AT}/summary_signed"), "ann", &[]).await;
    }

    async fn decide(&self) {
        let fields = [("granted", "yes"), ("reasons", "level 1 is met")];
        self.step(&format!("{AT}/decided"), "reg", &fields).await;
    }

    /// A finding for every requirement.
    async fn all_found(&self) {
        let mut held = self.held("audit-1").await;
        let mut open = self.hall.enter().await.unwrap();
        let (key, now) = (self.key("ann"), open.office.now());
        let mut lines = Vec::new();
        for requirement in held.requirements.clone() {
            let mut found = found(&requirement.id, requirement.rank > 1);
            found.slots.documents = Slot::NotApplicable;
            let record = Act::Found(Box::new(found));
            let before = held.state.done().len();
            let message = step_to_sign("audit-1", before, "ann", &record).unwrap();
            let event = Event { by: "ann".to_owned(), record, signature: Some(key.sign(&message)) };
            let step = audit::step(&held.state, &event, now, &held.rules());
            let step = step.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", requirement.id));
            held.state = step.next;
            lines.extend(step.records.into_iter().map(|line| Record::Audited(Box::new(line))));
        }
        open.office.append_all(lines).await.unwrap();
        open.close().await;
    }

    /// What a change answers.
    async fn does(&self, token: &str, path: &str, body: &Value) -> Value {
        let key = Digest::sha256(body.to_string().as_bytes()).short();
        let got = self.posts(token, path, &key, body).await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text());
        read(&got)
    }
}

impl Marks {
    async fn new(is_decided: bool) -> Self {
        let world = World::new().await;
        world.summed().await;
        if is_decided {
            world.decide().await;
        }
        let results = world.assessed_ago("wd 0.1.0", 30 * HOUR_S).await;
        let (file, mark) = (world.token("filer", "file"), world.mark_token("marker", &["ann"]));
        let offer = world.does(&mark, "/register/offers", &to_offer("mark-1")).await;
        let offer = offer["offer"].clone();
        Self { world, results, file, mark, offer }
    }

    fn wish(&self) -> Value {
        let until = now().plus_s(365 * DAY_S);
        json!({
            "offer": self.offer, "results": self.results, "until": until,
            "exclusions": ["the branch office"],
        })
    }

    /// A claim made ready here.
    async fn composed(&self) -> Value {
        self.world.does(&self.file, COMPOSED, &self.wish()).await["claim"].clone()
    }

    /// What `person claim` answers, after another tool laid the claim out anew.
    async fn answer(&self, claim: &Value, by: &str) -> crate::trouble::Done<String> {
        self.world.key(by);
        let at = |name: String| self.world.dir.path().join(name).display().to_string();
        let (path, key) = (at("claim.json".to_owned()), at(format!("{by}.key")));
        std::fs::write(&path, serde_json::to_vec_pretty(claim).unwrap()).unwrap();
        let screen = self.world.command(&["person", "claim", &path, "--key", &key]).await?;
        for shown in ["the branch office", "Treasury vault", "mark-1", "assessment-results.json"] {
            assert!(screen.text.contains(shown), "{shown}: {}", screen.text);
        }
        Ok(screen.json["answer"].as_str().unwrap().to_owned())
    }

    /// The claim and its signature, by whom a program that is not `person claim` would have it signed.
    fn signed_by(&self, claim: &Value, by: &str) -> Value {
        let bytes = canonical::to_bytes(claim, "claim").unwrap();
        let waiting = quorate_assessor::mark::WaitingClaim::from_bytes(&bytes).unwrap();
        let answer = self.world.key(by).sign_bytes(&waiting.to_sign().unwrap());
        json!({ "claim": claim, "answer": answer.to_string() })
    }

    /// A claim on record, as it goes to the issuer.
    async fn proposal(&self) -> Value {
        let claim = self.composed().await;
        let answer = self.answer(&claim, "ann").await.unwrap();
        let body = json!({ "claim": claim, "answer": answer });
        self.world.does(&self.file, CLAIMS, &body).await["proposal"].clone()
    }

    async fn issued(&self) {
        let body = json!({ "proposal": self.proposal().await });
        self.world.does(&self.mark, "/marks/mark-1/issue", &body).await;
    }

    /// The policy that verifiers pin, with one witness.
    async fn policy(&self) -> Value {
        let ann = self.world.key("ann").public_key().to_string();
        let out = self.world.dir.path().join("policy.json").display().to_string();
        let witness = self.witness().to_string();
        let words = ["mark", "policy", "--assessor", &ann, "--witness", &witness];
        let more = ["--standard", "wd 0.1.0", "--out", &out];
        self.world.command(&[&words[..], &more].concat()).await.unwrap().json["policy"].clone()
    }

    fn witness(&self) -> VerifierKey {
        let key = self.world.key("w1").public_key();
        VerifierKey::new("w1", KeyKind::Witness, key).unwrap()
    }

    /// What a mark is finished with: the newest checkpoint, which a witness saw.
    async fn witnessed(&self) -> Value {
        let got = self.world.program(&self.mark, "/register/checkpoint", &[]).await;
        let request = read(&got)["checkpoint"].as_str().unwrap().to_owned();
        let note = request.parse::<AddCheckpoint>().unwrap().note;
        let (key, time_s) = (self.world.key("w1"), now().as_millis() / 1000);
        let sign = |bytes: &[u8]| key.sign_bytes(bytes);
        let line = cosignature::cosign(&self.witness(), time_s, &note.text, sign).to_string();
        json!({ "checkpoint": request, "cosignatures": [line], "policy": self.policy().await })
    }

    async fn public(&self, path: &str) -> Vec<u8> {
        let got = self.world.program("", path, &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{path}: {}", got.text());
        got.bytes
    }
}

fn to_offer(mark: &str) -> Value {
    json!({ "mark": mark, "list": "marks.example/2026", "issuer": "Registrar" })
}

#[tokio::test]
async fn a_mark_comes_to_be_over_http_and_stands_until_it_is_suspended() {
    let here = Marks::new(true).await;
    let world = &here.world;
    here.issued().await;
    refused(&world.program("", "/marks/mark-1/file", &[]).await, 404, "unknown_mark");
    let given = here.witnessed().await;
    let mut unseen = given.clone();
    unseen["cosignatures"] = json!([]);
    let got = world.posts(&here.mark, "/marks/mark-1/finish", "unseen", &unseen).await;
    refused(&got, 409, "refuted");
    let made = world.does(&here.mark, "/marks/mark-1/finish", &given).await;
    let bytes = here.public("/marks/mark-1/file").await;
    assert_eq!(read_value(&bytes), made);
    let kept = std::fs::read(world.dir.path().join("office/marks/mark-1.json")).unwrap();
    assert_eq!(bytes, kept, "what is given is the file to the byte");
    let mark = MarkFile::from_bytes(&bytes).unwrap();
    let policy = MarkPolicy::from_json(given["policy"].to_string().as_bytes()).unwrap();
    let stands = async || {
        let status = here.public("/register/status").await;
        let status: Envelope = serde_json::from_slice(&status).unwrap();
        let status = Some(&status);
        let asked = Question { mark: &mark, status, entity: None, system: None, now: now() };
        verify(&asked, &policy)
    };
    let verified = stands().await;
    assert!(verified.stands(), "{:?}", verified.checks);
    let body = json!({ "reason": "a change is looked at" });
    world.does(&here.mark, "/marks/mark-1/suspend", &body).await;
    let verified = stands().await;
    assert!(!verified.stands() && format!("{:?}", verified.checks).contains("a change is looked"));
    let got = world.posts(&here.mark, "/marks/mark-1/suspend", "again", &body).await;
    refused(&got, 422, "malformed");
    let shown = read_value(&here.public("/marks/mark-1").await);
    assert_eq!(shown["standing"], "suspended");
}

fn read_value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[tokio::test]
async fn a_finished_mark_is_not_finished_otherwise_from_afar_and_only_under_the_offices_own_policy()
{
    let here = Marks::new(true).await;
    let (world, to) = (&here.world, "/marks/mark-1/finish");
    here.issued().await;
    let given = here.witnessed().await;
    let mut other = given.clone();
    other["policy"]["issuer"] = json!(world.key("eva").public_key());
    refused(&world.posts(&here.mark, to, "other", &other).await, 409, "another_policy");
    refused(&world.posts(&here.mark, "/marks/none/finish", "n", &given).await, 404, "unknown_mark");
    let made = world.does(&here.mark, to, &given).await;
    let again = world.posts(&here.mark, to, "again", &given).await;
    assert_eq!(read(&again), made, "the same makes the same file");
    world.does(&here.mark, "/register/offers", &to_offer("mark-2")).await;
    let longer = here.witnessed().await;
    refused(&world.posts(&here.mark, to, "longer", &longer).await, 409, "finished");
}

#[tokio::test]
async fn a_token_of_one_scope_does_nothing_of_another() {
    let world = World::new().await;
    let (look, file) = (world.token("looker", "look"), world.token("filer", "file"));
    let mark = world.mark_token("marker", &["ann", "eva"]);
    let size = world.size().await;
    let of_marks = ["/register/offers", "/marks/m/issue", "/marks/m/finish", "/marks/m/suspend"];
    for path in of_marks {
        for token in [&look, &file] {
            refused(&world.posts(token, path, "k", &json!({})).await, 403, "scope");
        }
        refused(&world.posts("", path, "k", &json!({})).await, 401, "no_token");
    }
    for path in [COMPOSED, CLAIMS, AT, "/audits/audit-1/steps/composed", "/assessments"] {
        for token in [&look, &mark] {
            refused(&world.posts(token, path, "k", &json!({})).await, 403, "scope");
        }
    }
    let me = read(&world.program(&mark, "/me", &[]).await);
    assert_eq!((&me["scope"], me["assessors"].as_array().unwrap().len()), (&json!("mark"), 2));
    let listed = world.token_command(&["list"]).json;
    assert_eq!(listed["tokens"][2]["assessors"], me["assessors"]);
    for token in [&look, &file, &mark] {
        let got = world.program(token, "/register/checkpoint", &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text());
    }
    refused(&world.program("", "/register/checkpoint", &[]).await, 401, "no_token");
    refused(&world.program(&look, "/register/checkpoint?old=999", &[]).await, 409, "shrunk");
    refused(&world.program("", "/register/status", &[]).await, 409, "no_list");
    assert_eq!(world.size().await, size, "nothing was recorded");
}

#[tokio::test]
async fn a_mark_token_reads_no_value_about_people() {
    let world = World::new().await;
    world.with_evidence().await;
    let mark = world.mark_token("marker", &["ann"]);
    let got = world.program(&mark, "/audits/brick-1/evidence", &[]).await;
    assert_eq!(got.status, StatusCode::OK);
    assert!(!got.text().contains("Greta Holm"), "{}", got.text());
}

#[tokio::test]
async fn a_claim_counts_by_its_auditors_signature_over_what_the_office_would_compose() {
    let here = Marks::new(true).await;
    let world = &here.world;
    let (claim, size) = (here.composed().await, world.size().await);
    let other = here.answer(&claim, "eva").await.unwrap_err();
    assert_eq!(other.code, "not_the_auditor");
    let got = world.posts(&here.file, CLAIMS, "eva", &here.signed_by(&claim, "eva")).await;
    refused(&got, 409, "not_the_auditor");
    for (at, to) in [
        ("/level", json!("Advanced")),
        ("/scope/system", json!("Another vault")),
        ("/assessor/name", json!("Bob, Alder")),
        ("/standard/official", json!(true)),
        ("/certificate", json!(Digest::ZERO)),
    ] {
        let mut bent = claim.clone();
        let place = bent["statement"]["predicate"].pointer_mut(at).unwrap();
        assert_ne!(*place, to, "{at}");
        *place = to;
        let got = world.posts(&here.file, CLAIMS, at, &here.signed_by(&bent, "ann")).await;
        refused(&got, 409, "not_composed");
    }
    let mut strange = claim.clone();
    let eva = json!(world.key("eva").public_key());
    strange["statement"]["predicate"]["assessor"]["key"] = eva;
    let got = world.posts(&here.file, CLAIMS, "strange", &here.signed_by(&strange, "eva")).await;
    refused(&got, 409, "not_composed");
    let body = here.signed_by(&claim, "ann");
    let got = world.posts(&here.file, "/audits/other/claims", "other", &body).await;
    refused(&got, 422, "malformed");
    let mut unknown = here.wish();
    unknown["results"] = json!(Digest::ZERO);
    let got = world.posts(&here.file, COMPOSED, "unknown", &unknown).await;
    refused(&got, 409, "no_results");
    assert_eq!(world.size().await, size, "nothing was recorded");
}

#[tokio::test]
async fn a_claim_begins_now_or_within_a_day_before_it_comes() {
    let here = Marks::new(true).await;
    let (world, claim) = (&here.world, here.composed().await);
    let from = claim["statement"]["predicate"]["valid_from"].as_u64().unwrap();
    let size = world.size().await;
    let begun = |at: u64| {
        let mut bent = claim.clone();
        bent["statement"]["predicate"]["valid_from"] = json!(at);
        here.signed_by(&bent, "ann")
    };
    let hour = HOUR_S * 1000;
    for (what, at) in [("ahead", from + hour), ("stale", from - 25 * hour)] {
        refused(&world.posts(&here.file, CLAIMS, what, &begun(at)).await, 409, "overtaken");
    }
    assert_eq!(world.size().await, size, "nothing was recorded");
    let got = world.posts(&here.file, CLAIMS, "today", &begun(from - 23 * hour)).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text());
    assert_eq!(world.size().await, size + 1);
}

#[tokio::test]
async fn a_claim_is_recorded_once_however_often_it_comes() {
    let here = Marks::new(true).await;
    let (world, claim) = (&here.world, here.composed().await);
    let body = here.signed_by(&claim, "ann");
    let size = world.size().await;
    let first = world.posts(&here.file, CLAIMS, "one", &body).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let again = world.posts(&here.file, CLAIMS, "two", &body).await;
    assert_eq!((again.status, &again.bytes), (StatusCode::OK, &first.bytes));
    assert_eq!(world.size().await, size + 1);
}

#[tokio::test]
async fn an_audit_that_nobody_decided_on_is_claimed_for_by_nobody() {
    let here = Marks::new(false).await;
    let got = here.world.posts(&here.file, COMPOSED, "early", &here.wish()).await;
    refused(&got, 409, "not_decided");
}

#[tokio::test]
async fn only_a_claim_of_an_assessor_whom_the_token_names_is_issued_and_for_its_own_mark() {
    let here = Marks::new(true).await;
    let (world, body) = (&here.world, json!({ "proposal": here.proposal().await }));
    let others = world.mark_token("others", &["eva", "rolf"]);
    let size = world.size().await;
    let got = world.posts(&others, "/marks/mark-1/issue", "others", &body).await;
    refused(&got, 409, "another_assessor");
    let got = world.posts(&here.mark, "/marks/mark-2/issue", "other", &body).await;
    refused(&got, 422, "malformed");
    let mut bent = body.clone();
    let words = bent["proposal"]["results"].as_str().unwrap().to_owned() + " ";
    bent["proposal"]["results"] = json!(words);
    refused(&world.posts(&here.mark, "/marks/mark-1/issue", "bent", &bent).await, 422, "malformed");
    let reason = json!({ "reason": "none yet" });
    for mark in ["mark-1", "none"] {
        let got = world.posts(&here.mark, &format!("/marks/{mark}/suspend"), mark, &reason).await;
        refused(&got, 404, "unknown_mark");
    }
    world.token_command(&["revoke", "marker"]);
    let got = world.posts(&here.mark, "/marks/mark-1/issue", "late", &body).await;
    refused(&got, 401, "unknown_token");
    assert_eq!(world.size().await, size, "nothing was recorded");
    let again = world.mark_token("again", &["eva", "ann"]);
    let issued = world.does(&again, "/marks/mark-1/issue", &body).await;
    assert_eq!(issued["proposal"]["envelope"]["signatures"].as_array().unwrap().len(), 2);
    assert_eq!(issued["entry"], json!(size));
}

#[tokio::test]
async fn a_status_list_is_signed_once_a_minute_and_anew_when_a_mark_changes() {
    let world = World::new().await;
    let mark = world.mark_token("marker", &["ann"]);
    world.does(&mark, "/register/offers", &to_offer("mark-1")).await;
    let list = async || {
        let got = world.program("", "/register/status", &[]).await;
        assert_eq!(got.status, StatusCode::OK, "{}", got.text());
        got.bytes
    };
    let first = list().await;
    assert_eq!(list().await, first);
    world.does(&mark, "/register/offers", &to_offer("mark-2")).await;
    let key = {
        let open = world.hall.enter().await.unwrap();
        let key = open.home.identity().unwrap().public_key();
        open.close().await;
        key
    };
    let places = |bytes: &[u8]| {
        let sealed: Envelope = serde_json::from_slice(bytes).unwrap();
        StatusList::open(&sealed, &key).unwrap().places
    };
    assert_eq!((places(&first), places(&list().await)), (1, 2));
}

#[tokio::test]
async fn a_token_gives_out_so_many_places_an_hour() {
    let world = World::new().await;
    let mark = world.mark_token("marker", &["ann"]);
    for number in 0..12 {
        world.does(&mark, "/register/offers", &to_offer(&format!("mark-{number}"))).await;
    }
    let got = world.posts(&mark, "/register/offers", "more", &to_offer("mark-12")).await;
    refused(&got, 429, "too_many");
}
