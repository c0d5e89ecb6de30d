//! Who comes in, and what each sees.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use quorate_assessor::audit::signed::visit_to_sign;

use super::world::{Got, World};

impl World {
    /// A person's cookie, if the key opens.
    pub(super) async fn signs_in(&self, person: &str) -> Option<String> {
        self.visits(person, person, "http://localhost:7900").await
    }

    /// A challenge, and its answer with a key.
    async fn answered(&self, person: &str, key: &str, at: &str) -> (String, String) {
        let asked = self.post_as("none", "/visit", &[("person", person)]).await;
        let challenge = asked.field("challenge");
        assert!(asked.text().contains("quorate-assessor person visit"), "{}", asked.text());
        let message = visit_to_sign("alder", at, person, &challenge).unwrap();
        let answer = self.key(key).sign(&message).to_string();
        (challenge, answer)
    }

    async fn visits(&self, person: &str, key: &str, at: &str) -> Option<String> {
        let (challenge, answer) = self.answered(person, key, at).await;
        let fields = [("challenge", challenge.as_str()), ("answer", answer.as_str())];
        let got = self.post_as("none", "/visit/answer", &fields).await;
        let again = self.post_as("none", "/visit/answer", &fields).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED, "a challenge opens once");
        if got.status != StatusCode::SEE_OTHER {
            assert_eq!(got.status, StatusCode::UNAUTHORIZED);
            return None;
        }
        let set = got.header("set-cookie").to_owned();
        set.split_once('=')?.1.split(';').next().map(str::to_owned)
    }
}

#[tokio::test]
async fn a_person_comes_in_with_the_key_of_the_engagement_and_sees_what_the_role_sees() {
    let world = World::new().await;
    world.engaged().await;
    let here = "http://localhost:7900";
    assert!(world.visits("eva", "ann", here).await.is_none(), "with another's key");
    assert!(world.visits("mallory", "mallory", here).await.is_none(), "a stranger");
    assert!(
        world.visits("eva", "eva", "http://evil.example").await.is_none(),
        "for another address"
    );
    let eva = world.signs_in("eva").await.unwrap();
    for path in ["/", "/reports", "/history", "/engage", "/audits/brick-1/reports/roc.html"] {
        assert_eq!(world.get_as(&eva, path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/", "/nowhere", "/audits/none", "/audits/brick-1/steps/scope_set"] {
        let refused = world.get_as(&eva, path).await.text();
        assert!(refused.contains("href=\"/audits\"") && refused.contains("Sign out"), "{refused}");
        for circle in ["href=\"/\"", "href=\"/sign-in\""] {
            assert!(!refused.contains(circle), "{path} {circle}: {refused}");
        }
    }
    let list = world.get_as(&eva, "/audits").await.text();
    assert!(list.contains("brick-1") && !list.contains("Begin an audit"), "{list}");
    let one = world.get_as(&eva, "/audits/brick-1").await.text();
    assert!(one.contains("steps/declared") && !one.contains("steps/scope_set"), "{one}");
    let form = world.get_as(&eva, "/audits/brick-1/steps/scope_set").await;
    assert_eq!(form.status, StatusCode::FORBIDDEN);
    // Nobody composes for somebody else, but for the office.
    let fields = [("taker", "ann"), ("statements", "I am independent.")];
    let forged = world.send_as(&eva, "/audits/brick-1/steps/declared", &fields, None).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let ann = world.signs_in("ann").await.unwrap();
    assert_eq!(
        world.get_as(&ann, "/reports").await.status,
        StatusCode::OK,
        "the auditor is of the office"
    );
}

#[tokio::test]
async fn a_stranger_finds_nothing_but_the_register_and_the_door() {
    let world = World::new().await;
    for path in ["/", "/audits", "/audits/brick-1", "/audits/brick-1/steps/found", "/engage"] {
        let got = world.get_as("none", path).await;
        assert_eq!(
            (got.status, got.header("location")),
            (StatusCode::SEE_OTHER, "/sign-in"),
            "{path}"
        );
    }
    for path in ["/engage", "/audits/a/answer", "/audits/a/waiting", "/audits/a/file"] {
        let got = world.post_as("none", path, &[("ask", "x")]).await;
        assert_eq!(got.header("location"), "/sign-in", "{path}");
    }
    let nothing = world.get_as("none", "/nowhere").await.text();
    assert!(nothing.contains("href=\"/sign-in\"") && !nothing.contains("Sign out"), "{nothing}");
    assert_eq!(world.get_as("none", "/marks").await.status, StatusCode::OK);
    assert_eq!(world.get("/audits/none").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/audits/none/steps/dance").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_address_of_a_form_says_so_to_whoever_types_it_and_is_shut_to_strangers() {
    let world = World::new().await;
    let says_so = |got: &Got, way: &str| {
        let text = got.text();
        assert_eq!((got.status, got.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
        assert!(text.contains("this address only takes what a form sends"), "{text}");
        assert!(text.contains(way), "{way}: {text}");
    };
    says_so(&world.get("/sign-out").await, "href=\"/\"");
    says_so(&world.get("/audits/brick-1/answer").await, "href=\"/\"");
    let out = world.get_as("none", "/sign-out").await;
    says_so(&out, "href=\"/sign-in\"");
    assert!(!out.text().contains("Sign out"), "{}", out.text());
    let shut = world.get_as("none", "/audits/brick-1/answer").await;
    assert_eq!((shut.status, shut.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hangs_up_keeps_the_turn_until_the_look_at_the_office_ends() {
    let world = World::new().await;
    let (began, has_begun) = std::sync::mpsc::channel();
    let (go, may_end) = std::sync::mpsc::channel::<()>();
    let hall = Arc::clone(&world.hall);
    let asking = tokio::spawn(async move {
        let look = hall.look(move |_| {
            began.send(()).unwrap();
            may_end.recv().unwrap();
            Ok(())
        });
        look.await
    });
    has_begun.recv().unwrap();
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled(), "nobody waits any more");
    assert!(world.hall.is_taken(), "the work goes on");
    go.send(()).unwrap();
    assert_eq!(world.get("/").await.status, StatusCode::OK, "and the next page has its turn");
}

#[tokio::test]
async fn the_register_waits_for_nobody_while_it_is_kept_and_one_answer_is_looked_at_at_a_time() {
    let world = World::new().await;
    assert_eq!(world.get_as("none", "/marks").await.status, StatusCode::OK);
    let open = world.hall.enter().await.unwrap();
    let again = tokio::time::timeout(Duration::from_secs(3), world.get_as("none", "/marks"));
    assert_eq!(again.await.expect("it waits for nobody").status, StatusCode::OK);
    open.close().await;
    world.engaged().await;
    let (challenge, answer) = world.answered("eva", "eva", "http://localhost:7900").await;
    let fields = [("challenge", challenge.as_str()), ("answer", answer.as_str())];
    let turn = world.hall.visiting().await.unwrap();
    let asking = world.post_as("none", "/visit/answer", &fields);
    let waits = tokio::time::timeout(Duration::from_millis(200), asking);
    assert!(waits.await.is_err(), "the door waits for its turn");
    drop(turn);
    assert!(world.signs_in("eva").await.is_some());
}

#[tokio::test]
async fn a_register_that_cannot_be_read_is_looked_for_no_more_often_than_one_that_can() {
    let world = World::new().await;
    let open = world.hall.enter().await.unwrap();
    let ledger = open.home.ledger();
    open.close().await;
    let aside = ledger.with_extension("aside");
    std::fs::rename(&ledger, &aside).unwrap();
    let first = world.get_as("none", "/marks").await;
    assert_ne!(first.status, StatusCode::OK, "{}", first.text());
    std::fs::rename(&aside, &ledger).unwrap();
    let again = world.get_as("none", "/marks").await;
    assert_eq!((again.status, again.text()), (first.status, first.text()));
}
