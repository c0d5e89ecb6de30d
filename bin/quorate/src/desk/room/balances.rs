//! What nodes said of balances, from the node to the console's page, and that it is asked for again when something moved.

use super::console::{Visitor, open};
use super::*;
use crate::desk::effects;
use quorate_gateway::console::paperwork::{Grain, Held};
use quorate_terms::entry::Severity;

const DAY_S: u64 = 86_400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_wallet_held_is_drawn_and_a_day_on_which_the_node_was_away_is_a_gap() {
    let room = Room::new().await;
    let address = open(&room).await;
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let (status, page) = vera.gets("/wallets").await;
    assert_eq!(status, 200, "{page}");
    for part in [
        "All wallets, by tier",
        "DEV, by tier: hot 18.446744073709551615 DEV, warm 0 DEV, cold 0 DEV",
        "USDC, by tier: hot 5 USDC",
        "What this wallet held is not known of this time.",
        "Nothing left this wallet in 30 days.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("DEV held when") && !page.contains("left out"), "{page}");

    room.world.ask_balances().await;
    for away in [true, false] {
        room.later(DAY_S);
        room.node.goes_away(away);
        room.world.ask_balances().await;
    }
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let (_, page) = vera.gets("/wallets").await;
    for part in [
        "DEV held when the node last spoke in each day (UTC), 2 of 30 known",
        "USDC held when the node last spoke in each day (UTC), 2 of 30 known",
        "<dd>18.446744073709551615 DEV</dd>",
        "<dd>not known</dd>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<dd>0 DEV</dd>"), "a gap is not a zero: {page}");

    let (status, page) = vera.gets("/wallets/ops").await;
    assert!(status == 200 && page.contains("badge note\">hot"), "{page}");
    assert!(page.contains("2 of 168 known") && page.contains("2 of 400 known"), "{page}");
    assert_eq!(vera.gets("/wallets/nobodys").await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_node_is_away_what_it_said_before_is_still_drawn_and_nothing_is_summed() {
    let room = Room::new().await;
    let address = open(&room).await;
    room.world.ask_balances().await;
    room.node.goes_away(true);
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let (status, page) = vera.gets("/wallets").await;
    assert_eq!(status, 200, "{page}");
    for part in ["left out", "no balance", "1 of 30 known"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("Sums of all wallets") && !page.contains("hot 0"), "{page}");
}

/// How often the node was asked for a balance of the chain's own coin.
fn times_asked(room: &Room) -> usize {
    room.node.heard().iter().filter(|one| one.contains("eth_getBalance")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_hangs_holds_up_no_page_and_whoever_looks_next_is_told() {
    let room = Room::new().await;
    let address = open(&room).await;
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let before = times_asked(&room);
    let hanging = room.node.hangs().await;
    let (status, page) = vera.gets("/wallets").await;
    assert_eq!(status, 200, "{page}");
    for part in ["has not answered yet", "left out", "not known now"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    drop(hanging);
    let (_, page) = vera.gets("/wallets").await;
    assert!(page.contains("As told at") && !page.contains("left out"), "{page}");
    assert_eq!(times_asked(&room), before + 1, "it was not asked anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_people_look_the_node_is_asked_once_a_minute() {
    let room = Room::new().await;
    let address = open(&room).await;
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let before = times_asked(&room);
    for times in [1, 2] {
        let (one, other) = tokio::join!(vera.gets("/wallets"), olga.gets("/wallets"));
        for (status, page) in [one, other, vera.gets("/wallets/ops").await] {
            assert!(status == 200 && page.contains("As told at"), "{page}");
            assert!(page.contains("Balances, asked from block 9 on"), "{page}");
        }
        assert_eq!(times_asked(&room), before + times);
        room.later(61);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_tells_nothing_hides_no_other_balance() {
    let room = Room::new().await;
    let address = open(&room).await;
    room.node.breaks_tokens();
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let (status, page) = vera.gets("/wallets").await;
    assert_eq!(status, 200, "{page}");
    for part in [
        "DEV, by tier: hot 18.446744073709551615 DEV",
        "Balances, asked from block 9 on",
        "left out",
        "no balance",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("USDC, by tier"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_behind_the_book_forgets_nothing() {
    let room = Room::new().await;
    room.world.ask_balances().await;
    room.later(3 * DAY_S);
    let subject = "moves the book".to_owned();
    effects::alert(&room.world.engine, "clock_jump", Severity::Low, subject).await.unwrap();
    room.world.ask_balances().await;
    let held = || room.world.balances.since(Timestamp::ZERO, Grain::Day);
    let before = held();
    assert!(before.len() >= 4, "two assets on two days: {before:?}");
    room.clock.now.store(DAY_S * 1000, Ordering::Relaxed);
    room.world.ask_balances().await;
    let days = |all: &[Held]| {
        all.iter().map(|one| (one.asset.clone(), Grain::Day.of(one.at))).collect::<Vec<_>>()
    };
    assert_eq!(days(&held()), days(&before));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nodes_are_asked_again_soon_after_a_case_ended() {
    let room = Room::new().await;
    let is_due = || room.world.balances.is_due(room.clock.now());
    let caller = room.caller("trader").await;
    // From here on the next round is far off, unless something brings it near.
    assert!(is_due());
    assert!(!is_due());
    // What ended before this may still bring the first one near, and not both.
    for payment in ["first", "second"] {
        room.pay(&caller, payment).await;
        let hastened = async {
            let mut waited = 0_u64;
            while !is_due() {
                room.later(1);
                waited = waited.saturating_add(1);
                tokio::time::sleep(room.world.poll).await;
            }
            waited
        };
        let waited = tokio::time::timeout(PATIENCE, hastened).await.unwrap();
        assert!((1..600).contains(&waited), "{payment}: {waited} s");
    }
}
