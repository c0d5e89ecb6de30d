//! What happens when processes die, disks lie, people freeze and peers are barred.
#![cfg(test)]

#[path = "../../../crates/host/tests/disk/mod.rs"]
mod disk;
mod house;

use std::fs;
use std::sync::Arc;

use house::*;
use quorate_cosigner::party::OwnBook;
use quorate_custody::protocol::{Ask, Came};
use quorate_host::Store;
use quorate_host::link::{CallError, Client, Silent};
use quorate_terms::CaseId;
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, PeerBanned};
use quorate_terms::freeze::{Freeze, FreezeBody, Freezer, Scope};

/// Asks one cosigner to sign, and waits until it has begun: its own ledger grew, or the call ended.
async fn begin_alone(house: &mut House, name: &str, ask: Ask) {
    let own = |house: &House| house.cosigners[name].status()["own"].as_u64().unwrap();
    house.follow(name).await;
    let before = own(house);
    let call = house.ask(name, ask);
    tokio::pin!(call);
    loop {
        tokio::select! {
            _signed = &mut call => return,
            () = tokio::task::yield_now() => {}
        }
        if own(house) > before {
            return;
        }
    }
}

/// After a crash: both are up again, a new attempt signs, and every mark that either holds for the case is of one draft.
async fn recovers(house: &mut House, case: &CaseId) {
    house.signs(case).await;
    let draft = house.live(case).digest();
    for name in COSIGNERS {
        let cosigner = house.cosigners.get_mut(name).unwrap();
        cosigner.stop();
        let marks = cosigner.marks().await;
        let of_case: Vec<_> = marks.iter().filter(|mark| mark.case == *case).collect();
        assert!(!of_case.is_empty() && of_case.iter().all(|mark| mark.draft == draft));
        house.start(name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_02_03_04_a_cosigner_killed_at_any_point_signs_once_and_never_two_drafts() {
    let mut house = House::open().await;
    for name in COSIGNERS {
        // Before the request reaches it.
        let case = house.pay(10 * MILLI);
        house.cosigners.get_mut(name).unwrap().kill();
        let ask = house.sign_ask(&case);
        assert!(matches!(house.ask(name, ask).await, Err(CallError::Lost(_))));
        house.start(name).await;
        recovers(&mut house, &case).await;
        // After its mark, and perhaps its first message.
        let case = house.pay(11 * MILLI);
        let ask = house.sign_ask(&case);
        begin_alone(&mut house, name, ask).await;
        house.cosigners.get_mut(name).unwrap().kill();
        house.start(name).await;
        recovers(&mut house, &case).await;
        // In the middle of a run that both take part in, and after the other has its signature perhaps.
        let case = house.pay(12 * MILLI);
        let ask = house.sign_ask(&case);
        begin_alone(&mut house, name, ask.clone()).await;
        let other = if name == "east" { "west" } else { "east" };
        begin_alone(&mut house, other, ask).await;
        house.cosigners.get_mut(name).unwrap().kill();
        house.cosigners.get_mut(other).unwrap().kill();
        house.start_all().await;
        recovers(&mut house, &case).await;
    }
}

/// What happens to a cosigner's disk while it is asked to sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    Flush,
    Room,
}

#[tokio::test(flavor = "multi_thread")]
async fn row_06_and_row_08_a_cosigner_that_cannot_record_gives_no_share_and_ends_at_once() {
    let mut house = House::open().await;
    for trouble in [Trouble::Flush, Trouble::Room] {
        let disk = disk::Disk::new();
        let cosigner = house.cosigners.get_mut("east").unwrap();
        cosigner.stop();
        cosigner.start_with(|command| {
            disk.under(command);
        });
        house.follow("east").await;
        let case = house.pay(10 * MILLI);
        match trouble {
            Trouble::Flush => disk.fail_flushes(),
            Trouble::Room => disk.fill(),
        }
        let ask = house.sign_ask(&case);
        let asked = house.ask("east", ask).await;
        assert!(matches!(asked, Err(CallError::Lost(_) | CallError::Refused(_))), "{asked:?}");
        let cosigner = house.cosigners.get_mut("east").unwrap();
        assert!(cosigner.ended().is_some_and(|code| code != 0), "it ended by itself: {trouble:?}");
        // The copy of the book and its own ledger are two files: each is flushed once at most and neither again.
        let tries = disk.failed_flushes();
        assert!(
            if trouble == Trouble::Flush { (1..=2).contains(&tries) } else { tries == 0 },
            "{tries}"
        );
        assert!(cosigner.log().contains("this cosigner stops at once"), "{}", cosigner.log());
        house.start("east").await;
        recovers(&mut house, &case).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_11_12_a_share_that_was_changed_swapped_or_sealed_otherwise_stops_the_start() {
    let mut house = House::open().await;
    for name in COSIGNERS {
        house.cosigners.get_mut(name).unwrap().stop();
    }
    let (east, west) = (&house.cosigners["east"], &house.cosigners["west"]);
    let path = east.share_file();
    let good = fs::read(&path).unwrap();
    for at in [0, 30, 300, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        let why = east.fails_to_start();
        assert!(why.contains(&path.display().to_string()), "byte {at}: {why}");
        assert_eq!(why.lines().count(), 1, "{why}");
    }
    // The other party's share under our name: it opens for another party only.
    fs::write(&path, fs::read(west.share_file()).unwrap()).unwrap();
    assert!(east.fails_to_start().contains("another wallet, epoch or party"));
    fs::write(&path, &good).unwrap();
    // Our own under another wallet's name.
    let renamed = path.with_file_name("other-0-12345678.share");
    fs::rename(&path, &renamed).unwrap();
    assert!(east.fails_to_start().contains("another wallet, epoch or party"));
    fs::rename(&renamed, &path).unwrap();
    secret_file(&east.passphrase, "canary incorrect horse battery staple");
    let why = east.fails_to_start();
    assert!(why.contains("wrong passphrase") && !why.contains("horse"), "{why}");
    secret_file(&east.passphrase, PASSPHRASE);
    house.start_all().await;
    let case = house.pay(10 * MILLI);
    house.signs(&case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_is_kept_across_a_restart_and_told_to_the_book() {
    let mut house = House::open().await;
    house.cosigners.get_mut("east").unwrap().stop();
    let barred = PeerBanned {
        wallet: id("ops"),
        holder: id("west"),
        by: id("east"),
        cause: "a check failed".to_owned(),
    };
    let east = &house.cosigners["east"];
    let mut own = OwnBook::new(id(VAULT));
    let entries = east.own_entries().await;
    entries.iter().for_each(|entry| own.replay(entry).unwrap());
    let entry = own.next(Body::PeerBanned(barred), house.now()).unwrap();
    let store = Store::open(&east.dir.join("own.db")).await.unwrap();
    store.append(entry.index, vec![entry.to_canonical().unwrap()]).await.unwrap();
    store.close().await;
    house.start("east").await;
    assert_eq!(house.cosigners["east"].status()["wallets"][0]["barred"], true);
    let case = house.pay(10 * MILLI);
    let ask = house.sign_ask(&case);
    let answer = house.ask("east", ask).await.unwrap();
    assert_eq!(refusal(&answer), "key_barred");
    assert_eq!(answer.outbox.barred.len(), 1, "until the book says it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_is_honoured_across_a_restart_with_and_without_a_book() {
    // Before there is any book, and while nothing runs.
    let mut house = House::founded();
    for cosigner in house.cosigners.values() {
        let frozen =
            cosigner.told(&["freeze", "--scope", "agent:trader", "--cause", "drill"]).unwrap();
        assert_eq!(frozen["running"], false);
    }
    house.start_all().await;
    house.open_wallet("ops").await;
    house.administer(quorate_terms::intent::Action::IssueCredential {
        credential: credential("trader"),
    });
    let case = house.pay(10 * MILLI);
    for answer in house.sign(&case).await {
        assert_eq!(refusal(&answer), "frozen");
        assert_eq!(answer.outbox.freezes.len(), 1, "the book hears of it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_from_any_channel_is_honoured_at_once_and_after_kill_9() {
    let mut house = House::open().await;
    // From an approver's own machine, straight to one cosigner.
    let east = &house.cosigners["east"];
    let link = |who: &str| {
        Client::start(&east.address, &identity(who), east.seat.identity, Arc::new(Silent), limits())
            .unwrap()
    };
    let body = FreezeBody {
        v: 1,
        vault: id(VAULT),
        by: Freezer::Approver { approver: id("cy") },
        scope: Scope::Wallet { wallet: id("ops") },
        at: house.now(),
        cause: "lost-device".to_owned(),
    };
    let freeze = Freeze { signature: signed("cy", &body), body };
    let mut forged = freeze.clone();
    forged.signature = signed("ann", &freeze.body);
    let approver = link("cy-link");
    let send = |freeze: &Freeze| serde_json::to_vec(freeze).unwrap();
    let refused = approver.call("freeze", send(&forged), WITHIN).await;
    assert!(matches!(refused, Err(CallError::Refused(_))), "{refused:?}");
    approver.call("freeze", send(&freeze), WITHIN).await.unwrap();
    let other = approver.call("cosigner.call", Vec::new(), WITHIN).await;
    assert!(matches!(other, Err(CallError::Refused(r)) if r.code == "not_yours"));
    let stranger =
        link("mallory").call("freeze", send(&freeze), std::time::Duration::from_secs(2)).await;
    assert!(matches!(stranger, Err(CallError::Lost(_) | CallError::Late)), "{stranger:?}");
    // And on the spot at the other one.
    house.cosigners["west"].told(&["freeze", "--scope", "vault", "--cause", "drill"]).unwrap();
    for name in COSIGNERS {
        house.cosigners.get_mut(name).unwrap().kill();
        house.start(name).await;
        assert_eq!(house.cosigners[name].status()["freezes"].as_array().unwrap().len(), 1);
    }
    let case = house.pay(10 * MILLI);
    for answer in house.sign(&case).await {
        assert_eq!(refusal(&answer), "frozen");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_key_that_is_not_the_charters_reaches_nothing() {
    let mut house = House::founded();
    house.start_all().await;
    let east = &house.cosigners["east"];
    for who in ["mallory", "log", "ann"] {
        let client = Client::start(
            &east.address,
            &identity(who),
            east.seat.identity,
            Arc::new(Silent),
            limits(),
        )
        .unwrap();
        let answer =
            client.call("cosigner.call", b"{}".to_vec(), std::time::Duration::from_secs(2)).await;
        assert!(matches!(answer, Err(CallError::Lost(_) | CallError::Late)), "{who}: {answer:?}");
    }
    let answer = house.ask("east", Ask::Follow).await.unwrap();
    assert_eq!(answer.came, Came::Followed);
    assert!(answer.cosignature.is_some());
}
