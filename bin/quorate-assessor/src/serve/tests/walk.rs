//! A whole audit in the pages, from engagement to the signed summary, each step signed where its person's key is.

use axum::http::StatusCode;
use quorate_assessor::audit::record::{Found, Slot, Slots};
use quorate_assessor::audit::signed::step_to_sign;
use quorate_assessor::audit::{self, Event, Record as Act};
use quorate_assessor::ccss::Status;
use quorate_assessor::ccss::status::NotApplicable;
use quorate_assessor::record::Record;

use super::guided::scope_fields;
use super::world::World;
use crate::serve::steps::forms;

const AT: &str = "/audits/brick-1/steps";

impl World {
    /// An audit whose parties have declared their independence.
    pub(super) async fn declared(&self) {
        self.engaged().await;
        for person in ["ann", "eva", "rolf"] {
            let said = [("statements", "I am independent of the other parties.")];
            self.step(&format!("{AT}/declared"), person, &said).await;
        }
    }

    /// Declarations, scope, an interview and a document on file.
    pub(super) async fn with_evidence(&self) {
        self.declared().await;
        self.step(&format!("{AT}/scope_set"), "ann", &scope_fields(&self.day(1))).await;
        let (from, to, at) = (self.day(300), self.day(3), self.day(4));
        let when = [("from", from.as_str()), ("to", to.as_str()), ("at", at.as_str())];
        let interview = [
            ("name", "Greta Holm"),
            ("role", "custodian"),
            ("place", "by telephone"),
            ("duration", "40 minutes"),
            ("topics", "ceremonies, backups, drills"),
            ("findings", "two people each time"),
            ("owner", "Otto Owner"),
        ];
        let path = format!("{AT}/exhibit_filed.interview");
        self.step(&path, "ann", &[&interview[..], &when].concat()).await;
        let document = [
            ("title", "Key handbook"),
            ("purpose", "keys"),
            ("version", "3"),
            ("place", "cabinet nine"),
            ("findings", "names boxes and people"),
            ("owner", "Otto Owner"),
        ];
        let fields = [&document[..], &when].concat();
        let file = Some(("handbook.pdf", &b"%PDF-1.7 the handbook"[..]));
        let path = format!("{AT}/exhibit_filed.document");
        self.step_as(&self.cookie, &path, "eva", (&fields, file)).await;
    }

    /// The redacted copy. What opens it is plain text: it lies on disk when the step is taken, and not before.
    async fn redacts(&self) {
        let openings = || {
            let all = std::fs::read_dir(self.dir.path().join("office/openings"));
            all.into_iter().flatten().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        let path = format!("{AT}/redacted");
        let asked = self.send_as(&self.cookie, &path, &[("taker", "ann")], None).await;
        assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
        let (ask, waiting) = self.waiting(&self.cookie, &asked).await;
        let sign = |person: &str| {
            let key = self.key(person);
            waiting.sign(&|digest| key.sign(digest)).unwrap().to_string()
        };
        for (person, status, kept) in [("eva", 422, 0), ("ann", 200, 1)] {
            assert_eq!(openings().len(), 0, "it was read over, and not signed yet");
            let fields = [("ask", ask.as_str()), ("answer", &sign(person))];
            let got = self.post_as(&self.cookie, "/audits/brick-1/answer", &fields).await;
            assert_eq!(got.status, status, "{person}: {}", got.text());
            assert_eq!(openings().len(), kept, "{person}");
        }
        let kept = std::fs::read_to_string(&openings()[0]).unwrap();
        assert!(kept.contains("\"salt\""), "{kept}");
    }

    /// A finding for every requirement, as the auditor would write them one by one.
    async fn judge(&self) {
        let mut open = self.hall.enter().await.unwrap();
        let mut held = audit_of(&self.hall, &open.home, &open.office);
        let (key, now) = (self.key("ann"), open.office.now());
        let mut lines = Vec::new();
        for requirement in held.requirements.clone() {
            let record = Act::Found(Box::new(found(&requirement.id, requirement.rank > 1)));
            let before = held.state.done().len();
            let message = step_to_sign("brick-1", before, "ann", &record).unwrap();
            let event = Event { by: "ann".to_owned(), record, signature: Some(key.sign(&message)) };
            let step = audit::step(&held.state, &event, now, &held.rules());
            let step = step.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", requirement.id));
            held.state = step.next;
            lines.extend(step.records.into_iter().map(|line| Record::Audited(Box::new(line))));
        }
        open.office.append_all(lines).await.unwrap();
        open.close().await;
    }
}

fn audit_of(
    hall: &crate::serve::hall::Hall,
    home: &crate::home::Home,
    office: &crate::office::Office,
) -> crate::audit::Held {
    crate::audit::open_with(hall.standards(), home, office, "brick-1").unwrap()
}

pub(super) fn found(id: &str, above: bool) -> Found {
    let cites = |tag: &str| {
        if above { Slot::NotApplicable } else { Slot::Cites(vec![tag.to_owned()]) }
    };
    let statement = "The custodian walked us through the chapter; its dates and signatures agree with what was told in the \
                     interview, and with two visits that nobody had announced.";
    Found {
        id: id.to_owned(),
        status: if above {
            Status::NotApplicable(NotApplicable::NotSought)
        } else {
            Status::InPlace
        },
        statement: if above { "Level not sought.".to_owned() } else { statement.to_owned() },
        rationale: None,
        slots: Slots {
            interviews: cites("INTERVIEW_1"),
            observations: Slot::NotApplicable,
            documents: cites("DOCUMENT_1"),
            inspections: Slot::NotApplicable,
            decisions: Slot::NotApplicable,
        },
        samples: Vec::new(),
        machine: None,
    }
}

#[tokio::test]
async fn an_audit_is_done_in_the_pages_from_engagement_to_the_signed_summary() {
    let world = World::new().await;
    world.with_evidence().await;
    let page = world.get("/audits/brick-1").await.text();
    assert!(page.contains("requirements are still to be judged"), "{page}");
    assert!(page.contains("Greta Holm"), "the auditor's side reads who was asked");
    let judge = world.get(&format!("{AT}/found?on=1.01.1.1")).await.text();
    assert!(judge.contains("It asks"), "{judge}");
    world.judge().await;
    let step = |name: &'static str, by: &'static str| (format!("{AT}/{name}"), by);
    let (path, by) = step("report_written", "ann");
    world.step(&path, by, &[]).await;
    world.redacts().await;
    for (path, by) in [step("redaction_approved", "eva"), step("review_opened", "ann")] {
        world.step(&path, by, &[]).await;
    }
    // The reviewer comes in with the reviewer's own key, and sees the copy only.
    let rolf = world.signs_in("rolf").await.unwrap();
    let seen = world.get_as(&rolf, "/audits/brick-1").await.text();
    assert!(seen.contains("Redacted") && !seen.contains("Greta Holm"), "{seen}");
    assert!(!seen.contains("handbook.pdf") && !seen.contains("Evidence register"), "{seen}");
    let asks = [("on", "1.01.1.1"), ("text", "who saw the ceremony?")];
    let asks = (&asks[..], None);
    world.step_as(&rolf, &format!("{AT}/commented"), "rolf", asks).await;
    let path = format!("{AT}/review_completed");
    let early = world.send_as(&rolf, &path, &[("taker", "rolf")], None).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(early.text().contains("a comment is not closed"), "{}", early.text());
    let answer = [("number", "1"), ("text", "two witnesses, named in the ledger")];
    world.step(&format!("{AT}/answered"), "ann", &answer).await;
    world.step_as(&rolf, &format!("{AT}/comment_closed"), "rolf", (&[("number", "1")], None)).await;
    world.step_as(&rolf, &format!("{AT}/review_completed"), "rolf", (&[], None)).await;
    let description = [("description", "a vault of two cosigners")];
    world.step(&format!("{AT}/summary_written"), "ann", &description).await;
    world.step(&format!("{AT}/summary_signed"), "ann", &[]).await;
    world.step_as(&rolf, &format!("{AT}/summary_signed"), "rolf", (&[], None)).await;
    let held = world.held("brick-1").await;
    let open = world.hall.enter().await.unwrap();
    assert_eq!(held.state.word(open.office.now()), "assessed");
    open.close().await;
}

#[tokio::test]
async fn a_question_is_answered_once_by_its_own_key_and_in_its_own_place() {
    let world = World::new().await;
    world.engaged().await;
    let said = [("taker", "ann"), ("statements", "I am independent.")];
    let path = format!("{AT}/declared");
    let asked = world.send_as(&world.cookie, &path, &said, None).await;
    let (ask, waiting) = world.waiting(&world.cookie, &asked).await;
    let size = world.size().await;
    let sign = |person: &str| {
        let key = world.key(person);
        waiting.sign(&|digest| key.sign(digest)).unwrap().to_string()
    };
    let to = "/audits/brick-1/answer";
    for (answer, why) in [("nonsense".to_owned(), "signature"), (sign("eva"), "not this person")] {
        let got = world.post_as(&world.cookie, to, &[("ask", &ask), ("answer", &answer)]).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", got.text());
        assert!(got.text().contains(why), "{why}: {}", got.text());
    }
    let other = world.hall.begin(crate::serve::visitor::Visitor::Office).unwrap();
    let good = sign("ann");
    let got = world.post_as(&other, to, &[("ask", &ask), ("answer", &good)]).await;
    assert_eq!(got.status, StatusCode::CONFLICT, "another session's question");
    assert_eq!(world.size().await, size, "nothing was recorded so far");
    let got = world.post_as(&world.cookie, to, &[("ask", &ask), ("answer", &good)]).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.text());
    let again = world.post_as(&world.cookie, to, &[("ask", &ask), ("answer", &good)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(world.size().await, size + 1);
    // Two steps composed at the same place: the second was overtaken.
    let one = world.send_as(&world.cookie, &path, &[("taker", "eva"), said[1]], None).await;
    world.step(&path, "rolf", &[said[1]]).await;
    let (ask, waiting) = world.waiting(&world.cookie, &one).await;
    let key = world.key("eva");
    let late = waiting.sign(&|digest| key.sign(digest)).unwrap().to_string();
    let got = world.post_as(&world.cookie, to, &[("ask", &ask), ("answer", &late)]).await;
    assert_eq!(got.status, StatusCode::CONFLICT);
    assert!(got.text().contains("another step was taken"), "{}", got.text());
    assert_eq!(world.size().await, size + 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_beside_its_fields_and_nothing_is_recorded() {
    let world = World::new().await;
    world.engaged().await;
    let size = world.size().await;
    let check = async |step: &str, fields: &[(&str, &str)], why: &str| {
        let got = world.send_as(&world.cookie, &format!("{AT}/{step}"), fields, None).await;
        assert_eq!(got.status, StatusCode::UNPROCESSABLE_ENTITY, "{step}: {}", got.text());
        assert!(got.text().contains(why), "{step} {why}: {}", got.text());
        assert!(!got.text().contains("<script>alert"), "{step}");
    };
    let taker = ("taker", "ann");
    check(
        "change_disclosed",
        &[taker, ("what", ""), ("at", "someday"), ("major", "no")],
        "Write a day",
    )
    .await;
    check(
        "change_disclosed",
        &[taker, ("what", "<script>alert(1)</script>"), ("at", "x")],
        "Write a day",
    )
    .await;
    check("redacted", &[taker, ("wishes", "{")], "no JSON").await;
    check("redacted", &[taker, ("wishes", "[7]")], "cannot be read").await;
    check("scope_set", &[taker], "it has no system").await;
    check("declared", &[taker, ("statements", "  ")], "Write something").await;
    check("summary_written", &[taker, ("description", "x")], "write the report first").await;
    check("found", &[taker, ("id", "\"9.9\"")], "Choose one of the list").await;
    check("redacted", &[taker], "this step belongs to review").await;
    assert_eq!(world.size().await, size);
    assert!(!world.dir.path().join("office/openings").exists(), "nothing of a copy that is none");
    let got = world.send_as(&world.cookie, &format!("{AT}/commented"), &[taker], None).await;
    assert_eq!(got.status, StatusCode::FORBIDDEN, "the auditor is no reviewer");
}

#[test]
fn every_kind_of_step_has_a_form() {
    let known: std::collections::BTreeSet<&str> = forms().into_iter().collect();
    for kind in audit::record::KINDS {
        assert!(known.contains(kind), "{kind}");
    }
}
