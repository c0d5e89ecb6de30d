//! Ending sessions at the console of a whole desk: whose, by whom, and how long after signing in.

use super::console::{Visitor, open, question};
use super::*;

/// The name of the last question on a page: to end all sessions but one's own.
fn last(page: &str) -> &str {
    page.rsplit("name=\"ask\" value=\"").next().unwrap().split('"').next().unwrap()
}

async fn ends(who: &Visitor, ask: &str) -> (u16, String) {
    who.posts("/settings/end", &format!("ask={ask}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_ended_by_an_operator_who_signed_in_a_moment_ago_and_by_no_other() {
    let room = Room::new().await;
    let address = open(&room).await;
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    room.later(1);
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let (_, page) = vera.gets("/settings").await;
    assert!(question(&page).is_none(), "vera sees her own session, and nobody else's: {page}");
    room.later(5 * 60);
    let (_, page) = olga.gets("/settings").await;
    let (one, all) = (question(&page).unwrap().to_owned(), last(&page).to_owned());
    assert!(one != all && page.contains("End all but this one"), "{page}");
    assert_eq!(ends(&vera, &one).await.0, 409, "vera was not asked");

    // She was asked in time and answers too late: a browser that was left open ends nobody's session.
    room.later(5 * 60);
    for ask in [&one, &all] {
        let (status, said) = ends(&olga, ask).await;
        assert!(status == 409 && said.contains("sign in again"), "{said}");
    }
    assert_eq!(vera.gets("/ledger").await.0, 200, "vera is signed in still");
    let (_, page) = olga.gets("/settings").await;
    assert!(question(&page).is_none() && page.contains("sign in again"), "{page}");

    let again = Visitor::signed_in(address, "olga").await.unwrap();
    let (_, page) = again.gets("/settings").await;
    assert_eq!(ends(&again, question(&page).unwrap()).await.0, 303);
    let (olga_now, vera_now) = (olga.gets("/ledger").await.0, vera.gets("/ledger").await.0);
    assert_eq!((olga_now, vera_now), (401, 200), "the newest of the others ended, and one alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_sessions_but_ones_own_end_at_once_and_a_viewer_ends_no_operators() {
    let room = Room::new().await;
    let address = open(&room).await;
    let mut open = Vec::new();
    for token in ["olga", "vera", "vera"] {
        open.push(Visitor::signed_in(address, token).await.unwrap());
    }
    let (_, page) = open[2].gets("/settings").await;
    assert_eq!(ends(&open[2], last(&page)).await.0, 303);
    let mut left = Vec::new();
    for who in &open {
        left.push(who.gets("/ledger").await.0);
    }
    assert_eq!(left, [200, 401, 200], "vera's other one, and not olga's");
    let (_, page) = open[0].gets("/settings").await;
    assert_eq!(ends(&open[0], last(&page)).await.0, 303);
    assert_eq!(open[2].gets("/ledger").await.0, 401);
    assert_eq!(open[0].gets("/ledger").await.0, 200);
    assert_eq!(ends(&open[0], last(&page)).await.0, 409, "each question is answered once");
}
