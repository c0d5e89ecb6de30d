//! A desk walks through its acts, and every kind of entry that `docs/spec/entries.md` says the book holds is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;

use quorate_custody::protocol::{Came, Outbox};
use quorate_host::clock::{Clock as _, Jump};
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::{BackupStatement, BackupStatementBody, Body};
use quorate_terms::freeze::{Freeze, FreezeBody, Freezer, Scope};
use quorate_terms::intent::OwnerKind;
use quorate_terms::judgment::Reason;

use super::*;
use crate::config::DeskConfig;
use crate::desk::captured;
use crate::desk::effects::pulse::SILENCE_S;
use quorate_gateway::office::{AlertRequest, AlertView, CaseRequest, ChecklistAct, StatusView};
use quorate_terms::checklist::{Change, Post};
use quorate_terms::credential::Role;

/// The kinds that the page says are written into the book.
fn promised() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/entries.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut kinds = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let kind = cells[1].trim_matches('`').to_owned();
        let act = cells[3];
        let ours = cells.len() == 5 && !cells[3].starts_with("own ledger");
        if let Some(other) = act.strip_prefix("yes, as `") {
            kinds.insert(other.split('`').next().unwrap().to_owned());
        } else if ours || (act.starts_with("yes") && !act.starts_with("yes, own ledger")) {
            kinds.insert(kind);
        }
    }
    // A checkpoint is no entry; a book has to be under older rules to change them, and void to be resumed: see custody's own
    // tests `a_book_under_older_rules_is_upgraded..` and of resuming.
    for elsewhere in ["the note itself (", "RulesChanged", "Resumed"] {
        kinds.remove(elsewhere);
    }
    kinds.retain(|kind| !kind.starts_with("the note"));
    kinds.remove("CheckpointSigned");
    kinds
}

fn kind(body: &Body) -> String {
    serde_json::to_value(body).unwrap()["type"].as_str().unwrap().to_owned()
}

fn settings(poll_ms: u64) -> DeskConfig {
    serde_json::from_value(serde_json::json!({
        "charter": "charter.json", "data": "data", "cosigners": {}, "chains": {}, "poll_ms": poll_ms,
    }))
    .unwrap()
}

fn reason() -> Reason {
    Reason {
        rule: "check:clock".to_owned(),
        code: "clock".to_owned(),
        message: "the clock is off".to_owned(),
        next: "set it".to_owned(),
    }
}

/// Starts twice with other settings, pins tools, has a clock set, and notes who witnesses.
async fn run_the_house(room: &Room) {
    let (engine, charter, operator) = (&room.world.engine, &room.charter, id("op"));
    captured::record(engine, &settings(20), charter, &operator).await.unwrap();
    captured::record(engine, &settings(20), charter, &operator).await.unwrap();
    captured::record(engine, &settings(30), charter, &operator).await.unwrap();
    room.world.pin_manifests().await.unwrap();
    let (expected, found) = (room.clock.now(), room.clock.now().plus_s(9));
    room.clock.jumps.lock().unwrap().push(Jump { expected, found });
    room.until(|book| book.alerts().any(|(_, open)| open.rule == "clock_jump")).await;
    room.world.pulse().await.unwrap();
}

/// A payment that settles, one that fails once and is refused once, and one that is given up.
async fn pay(room: &Room) {
    let trader = room.caller("trader").await;
    let draft = room.prepare(&trader, MILLI).await.unwrap();
    let case = room.send(&trader, draft, "settles").await.unwrap().case;
    room.until(move |book| book.case(&case).is_some_and(|case| case.stage.is_some())).await;
    room.settle(case, Fate::Settled).await;
    // The last of a script comes first: a run that fails, then a refusal.
    for name in COSIGNERS {
        let refused = Came::Refused { reason: reason(), left: false };
        let mut scripted = room.scripts[name].came.lock().unwrap();
        scripted.extend([refused, cosigner::aborted(1)]);
    }
    let draft = room.prepare(&trader, MILLI).await.unwrap();
    let case = room.send(&trader, draft, "refused").await.unwrap().case;
    room.until(move |book| book.closed(&case).is_some()).await;
    let waits = room.prepare(&trader, 4_000 * MILLI).await.unwrap();
    let waits = room.send(&trader, waits, "given-up").await.unwrap();
    assert_eq!(waits.stage, "awaiting_approvals");
    let cancel = Action::Cancel { case: waits.case };
    room.administer(cancel).await;
}

async fn administer(room: &Room) {
    let (account, beneficiary) = (other_recipient(), commitment());
    let list = Action::ListAddress {
        account: account.clone(),
        beneficiary,
        owner_kind: OwnerKind::ThirdParty,
    };
    room.administer(list).await;
    room.administer(Action::RemoveAddress { account }).await;
    room.administer(Action::Freeze { scope: Scope::Agent { agent: id("nobody") } }).await;
    let body = FreezeBody {
        v: 1,
        vault: id(VAULT),
        by: Freezer::Approver { approver: id("ann") },
        scope: Scope::Agent { agent: id("somebody") },
        at: room.clock.now(),
        cause: "drill".to_owned(),
    };
    let freeze = Freeze { signature: signed("ann", &body), body };
    let digest = freeze.body.digest().unwrap();
    room.world.engine.tell(Event::FreezeCame(Box::new(freeze))).await.unwrap();
    let scope = Scope::Agent { agent: id("somebody") };
    room.administer(Action::Unfreeze { scope, lifts: [digest].into() }).await;
    let delegation = delegations::to_sam(room);
    let ends = Action::EndDelegation { delegation: delegation.id.clone() };
    room.administer(Action::Delegate { delegation: Box::new(delegation) }).await;
    room.administer(ends).await;
    room.admit("gone").await;
    room.administer(Action::RevokeCredential { credential: id("cred-gone") }).await;
    let (mut policy, previous) = room
        .world
        .engine
        .look(|book| (book.policy().document().clone(), book.policy().digest()))
        .await
        .unwrap();
    policy.version += 1;
    policy.previous = Some(previous);
    policy.limits.open_cases += 1;
    room.administer(Action::ChangePolicy { policy: Box::new(policy.clone()) }).await;
    let mut text = room.charter.clone();
    text.version += 1;
    text.previous = Some(room.charter.digest().unwrap());
    text.policy = policy;
    text.approvers[2].person = id("p-dee");
    text.approvers[2].credential = id("key-dee");
    room.administer(Action::ChangeCharter { charter: Box::new(text) }).await;
    room.later(room.charter.change_delay_s);
    room.until(|book| book.charter().version == 2).await;
}

fn commitment() -> quorate_terms::commitment::Commitment {
    let opening = quorate_terms::commitment::Opening::new([7; 16], "intent.beneficiary", "rent");
    opening.unwrap().commitment().unwrap()
}

/// What cosigners tell of their own accord: a backup, a peer that one barred, a ledger that is longer than the desk's.
async fn hear(room: &Room) {
    let body = BackupStatementBody {
        v: 1,
        vault: id(VAULT),
        wallet: id("ops"),
        epoch: 0,
        cosigner: id("east"),
        backup: Digest::ZERO,
        drill: Digest::ZERO,
        at: room.clock.now(),
    };
    let backups = vec![BackupStatement { signature: signed("east", &body), body }];
    let barred = vec![(id("ops"), id("west"), "a share does not fit".to_owned())];
    let outbox = Outbox { backups, barred, ..Outbox::default() };
    *room.scripts["east"].outbox.lock().unwrap() = outbox;
    room.until(|book| book.wallet(&id("ops")).is_some_and(|wallet| wallet.barred.is_some())).await;
    room.scripts["west"].beyond.store(100_000, Ordering::Relaxed);
    room.until(|book| book.alerts().any(|(_, open)| open.rule == "rollback")).await;
}

async fn erase(room: &Room) {
    let trader = room.caller("trader").await;
    let draft = room.prepare_with(&trader, MILLI, Some("for Jane Doe")).await.unwrap();
    let case = room.send(&trader, draft, "with-a-memo").await.unwrap().case;
    room.settle(case, Fate::Settled).await;
    room.erase(case, "jane").await.unwrap();
}

async fn somebody_comes(room: &Room) {
    let olga = people::admitted(room, "olga", Role::Operator).await;
    let key = IdempotencyKey::new("k1").unwrap();
    let (person, change, post) = (id("p-dee"), Change::Joiner, Post::Viewer);
    let open = ChecklistAct::Open { key, person, change, post };
    let list = people::says(room, Some("op"), None, open).await.unwrap();
    let item = id("identity");
    let attest = ChecklistAct::Attest { checklist: list.checklist, item, reference: None };
    people::says(room, None, Some(olga), attest).await.unwrap();
    let close = ChecklistAct::Close { checklist: list.checklist, withdraw: true };
    people::says(room, Some("op"), None, close).await.unwrap();
}

async fn deal_with_alerts(room: &Room) {
    let status: StatusView = room.control("desk.status", &()).await.unwrap();
    let alert = status.alerts[0].alert;
    for disposition in [None, Some("mended".to_owned())] {
        let ask = AlertRequest { alert, person: id("op"), disposition };
        let _left: Vec<AlertView> = room.control("desk.alert", &ask).await.unwrap();
    }
    let again = AlertRequest { alert, person: id("op"), disposition: None };
    let refused: Reply<Vec<AlertView>> = room.control("desk.alert", &again).await;
    assert_eq!(refused.unwrap_err().code, "unknown_alert");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_entry_that_the_page_promises_is_written_by_a_desk_at_work() {
    let room = Room::new().await;
    run_the_house(&room).await;
    pay(&room).await;
    erase(&room).await;
    administer(&room).await;
    hear(&room).await;
    deal_with_alerts(&room).await;
    somebody_comes(&room).await;
    let found: BTreeSet<String> = room.entries().await.iter().map(kind).collect();
    let missing: Vec<_> = promised().difference(&found).cloned().collect();
    assert!(missing.is_empty(), "promised and not written: {missing:?}");
    let receipt: Reply<serde_json::Value> =
        room.control("desk.receipt", &CaseRequest { case: CaseId::of_intent(Digest::ZERO) }).await;
    assert!(receipt.is_err(), "no such case");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_captured_when_they_change_and_say_what_they_replace() {
    let room = Room::founded().await;
    let (engine, charter, operator) = (&room.world.engine, &room.charter, id("op"));
    for poll in [20, 20, 30] {
        captured::record(engine, &settings(poll), charter, &operator).await.unwrap();
    }
    let entries = room.entries().await;
    let captured: Vec<_> = entries
        .iter()
        .filter_map(|body| match body {
            Body::ConfigurationCaptured(captured) => Some((captured.digest, captured.previous)),
            _ => None,
        })
        .collect();
    assert_eq!(captured.len(), 2, "once for each change");
    assert_eq!((captured[0].1, captured[1].1), (None, Some(captured[0].0)));
    let acted: Vec<_> = entries.iter().filter(|body| kind(body) == "AdminActed").collect();
    assert_eq!(acted.len(), 1, "the first start changes nothing");
    assert_eq!(entries.iter().filter(|body| kind(body) == "Deployed").count(), 3);
    room.later(86_400);
    captured::record(engine, &settings(30), charter, &operator).await.unwrap();
    let entries = room.entries().await;
    let count = |wanted: &str| entries.iter().filter(|body| kind(body) == wanted).count();
    assert_eq!(count("ConfigurationCaptured"), 3, "the same again, a day later");
    assert_eq!(count("AdminActed"), 1, "and nobody changed anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_is_told_once_the_desk_beats_again_and_a_late_beat_is_none() {
    let room = Room::founded().await;
    let silences = async || {
        let entries = room.entries().await;
        let silent = |body: &&Body| matches!(body, Body::AlertRaised(a) if a.rule == "silence");
        entries.iter().filter(silent).count()
    };
    room.world.pulse().await.unwrap();
    room.later(SILENCE_S);
    room.world.pulse().await.unwrap();
    assert_eq!(silences().await, 0, "a beat at the limit is in time");
    room.later(SILENCE_S + 1);
    room.world.pulse().await.unwrap();
    assert_eq!(silences().await, 1, "a beat beyond the limit ends a silence");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_far_behind_is_told_in_parts_each_under_the_logs_checkpoint_of_its_own_end() {
    let room = Room::new().await;
    let head = room.world.engine.head();
    assert!(head.size > 6);
    for most in [1, 3, head.size - 1, head.size] {
        let book = Book::new(room.charter.clone()).unwrap();
        let mut follower = quorate_custody::Follower::new(book, Default::default());
        loop {
            let from = follower.size();
            let (told, last) = room.world.cosigners.part(from, &head, most).await.unwrap();
            let entries = told.entries.into_iter().map(String::into_bytes).collect();
            let covered = follower.covers(told.from, entries, &told.checkpoint).unwrap();
            for news in covered.news {
                assert!(follower.take(&news).unwrap().voids.is_empty());
            }
            assert_eq!(follower.size(), head.size.min(from + most));
            if last {
                break;
            }
        }
        assert_eq!(follower.frontier().root(), head.root, "{most} at a time");
    }
    let beyond = room.world.engine.note_at(head.size + 1_000).await;
    assert!(beyond.is_err(), "nothing is signed that is not on the disk");
}
