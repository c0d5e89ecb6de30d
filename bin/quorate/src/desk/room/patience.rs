//! Cosigners that refuse a case which goes on awaiting a signature are asked again when its time has come, and not at every turn
//! of the desk: each refusal is an entry.

use quorate_custody::State;
use quorate_custody::protocol::Came;
use quorate_terms::judgment::Reason;

use super::*;

/// A refusal after something of the case left.
fn refused(code: &str) -> Came {
    let (rule, code) = ("check:share".to_owned(), code.to_owned());
    let (message, next) = ("not now".to_owned(), "wait".to_owned());
    Came::Refused { reason: Reason { rule, code, message, next }, left: true }
}

/// Waits until the desk has looked several times at what there is to do.
async fn turns(room: &Room) {
    let script = &room.scripts["east"];
    let from = *script.followed.borrow();
    let mut seen = script.followed.subscribe();
    tokio::time::timeout(PATIENCE, seen.wait_for(|count| *count >= from + 4))
        .await
        .unwrap()
        .unwrap();
}

async fn refusals(room: &Room) -> usize {
    room.entries().await.iter().filter(|body| matches!(body, Body::Refused(_))).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_is_refused_and_goes_on_is_asked_for_when_its_time_has_come() {
    let room = Room::new().await;
    for name in COSIGNERS {
        room.scripts[name].came.lock().unwrap().extend([refused("busy"), refused("no_share")]);
    }
    let case = room.administer(Action::Transfer(transfer(MILLI))).await;
    for (wait_s, entries) in [(0, 2), (2, 4)] {
        room.later(wait_s);
        while refusals(&room).await < entries {
            turns(&room).await;
        }
        turns(&room).await;
        assert_eq!(refusals(&room).await, entries, "the desk went on looking, and did not ask");
    }
    let awaits =
        move |book: &Book| book.case(&case).is_some_and(|case| case.state == State::AwaitSignature);
    room.later(3);
    turns(&room).await;
    assert!(room.world.engine.look(awaits).await.unwrap(), "it is not four seconds yet");
    room.later(1);
    room.until(move |book| book.case(&case).is_none_or(|case| !case.signed.is_empty())).await;
    assert_eq!(refusals(&room).await, 4);
}
