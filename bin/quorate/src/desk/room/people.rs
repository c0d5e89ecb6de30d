//! People come, change post and leave at a desk at work: on the command line's socket and in the console.

use quorate_gateway::office::{ChecklistAct, ChecklistView};
use quorate_terms::IdempotencyKey;
use quorate_terms::checklist::{Change, Post};
use quorate_terms::credential::{Band, Role};
use quorate_terms::digest::tag;
use quorate_terms::entry::ChecklistEnd;

use super::console::{Visitor, open, question};
use super::*;
use crate::shown::{ChecklistSaid, Shown};

/// Admits somebody in a role; gives their token, which is their name here.
pub(super) async fn admitted<'a>(room: &Room, name: &'a str, role: Role) -> &'a str {
    let mut credential = credential(name, room.clock.now().plus_s(30 * 86_400));
    credential.role = Some(role);
    credential.owner = id(name);
    credential.band = Band::Read;
    credential.wallets.clear();
    room.administer(Action::IssueCredential { credential }).await;
    name
}

/// What the command line says.
pub(super) async fn says(
    room: &Room,
    person: Option<&str>,
    token: Option<&str>,
    act: ChecklistAct,
) -> Reply<ChecklistView> {
    let said = ChecklistSaid { person: person.map(id), token: token.map(Shown::text), act };
    room.control("desk.checklist", &said).await
}

fn opening(person: &str, change: Change, post: Post) -> ChecklistAct {
    let key = IdempotencyKey::new(format!("{person}-{change}")).unwrap();
    ChecklistAct::Open { key, person: id(person), change, post }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leaver_goes_on_the_command_line_and_only_a_token_attests() {
    let room = Room::new().await;
    let otto = admitted(&room, "otto", Role::Operator).await;
    let vera = admitted(&room, "vera", Role::Viewer).await;
    let open = opening("otto", Change::Leaver, Post::Viewer);
    let list = says(&room, Some("op"), None, open.clone()).await.unwrap();
    let again = says(&room, Some("op"), None, open).await.unwrap();
    assert_eq!(again.checklist, list.checklist, "the same key is the same checklist");
    let task = |name: &str| ChecklistAct::Attest {
        checklist: list.checklist,
        item: id(name),
        reference: Some(IdempotencyKey::new("hr-1").unwrap()),
    };
    let digest = Digest::of(tag::TOKEN, vera.as_bytes());
    let known = move |book: &Book| book.credentials().any(|one| one.credential.token == digest);
    assert!(room.world.engine.look(known).await.unwrap(), "it is in the book");
    let digest = digest.to_string();
    for (person, token, act, code) in [
        (Some("op"), None, task("hosts"), "no_credential"),
        (None, None, task("hosts"), "no_credential"),
        (None, Some("nobody"), task("hosts"), "no_credential"),
        // What stands in the ledger shows nothing.
        (None, Some(&digest), task("hosts"), "no_credential"),
        (None, Some("trader"), task("hosts"), "no_credential"),
        (None, Some(otto), task("hosts"), "own_checklist"),
        (None, Some(vera), task("credentials-ended"), "shown_by_the_book"),
        (None, Some(vera), task("nothing"), "unknown_item"),
    ] {
        assert_eq!(says(&room, person, token, act).await.unwrap_err().code, code);
    }
    for name in ["hosts", "returned"] {
        says(&room, None, Some(vera), task(name)).await.unwrap();
    }
    let close = ChecklistAct::Close { checklist: list.checklist, withdraw: false };
    let early = says(&room, Some("op"), None, close.clone()).await.unwrap_err();
    assert!(early.code == "not_done" && early.message.contains("credentials-ended"), "{early}");
    room.administer(Action::RevokeCredential { credential: id("cred-otto") }).await;
    let over = says(&room, Some("op"), None, close).await.unwrap();
    assert_eq!(over.end, Some(ChecklistEnd::Done));
    assert!(over.items.iter().all(|task| task.done && !task.overdue), "{over:?}");
    let all: Vec<ChecklistView> = room.control("desk.checklists", &()).await.unwrap();
    assert_eq!(all, [over]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_nobody_did_in_time_is_an_alert_and_a_case_that_waits_is_one_too() {
    let room = Room::new().await;
    let act = opening("p-dee", Change::Joiner, Post::Auditor);
    says(&room, Some("op"), None, act).await.unwrap();
    room.later(61 * 86_400);
    room.until(|book| book.alerts().any(|(_, open)| open.rule == "checklist_overdue")).await;
    room.admit("payer").await;
    let payer = room.caller("payer").await;
    let draft = room.prepare(&payer, 4_000 * MILLI).await.unwrap();
    let case = room.send(&payer, draft, "waits").await.unwrap().case;
    let found = room.world.engine.look(move |book| book.case(&case).unwrap().expires_at());
    let life = found.await.unwrap().since(room.clock.now()) / 1000;
    room.later(life / 2 + 1);
    room.until(|book| book.alerts().any(|(_, open)| open.rule == "case_waits")).await;
    room.later(life * 2 / 5);
    room.until(|book| book.alerts().any(|(_, open)| open.rule == "case_ends_soon")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_console_an_operator_opens_anybody_attests_and_nobody_about_themselves() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let (_, page) = olga.gets("/people").await;
    assert!(page.contains("one key only: enrol a second"), "{page}");
    let ask = question(&page).unwrap().to_owned();
    let (_, page) = vera.gets("/people").await;
    assert!(question(&page).is_none(), "a viewer opens nothing");
    let form = format!("ask={ask}&person=vera&change=mover&post=viewer");
    assert_eq!(vera.posts("/people/open", &form).await.0, 403);
    let (status, said) = olga.posts("/people/open", &form).await;
    assert_eq!(status, 303, "{said}");
    let path = said.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    let (_, page) = vera.gets(&path).await;
    assert!(page.contains("It is about you") && question(&page).is_none(), "{page}");
    let (status, page) = olga.gets(&path).await;
    assert_eq!(status, 200, "{page}");
    let ask = question(&page).unwrap();
    let form = |item: &str, reference: &str| format!("ask={ask}&item={item}&reference={reference}");
    let attest = format!("{path}/attest");
    assert_eq!(vera.posts(&attest, &form("training", "hr-7")).await.0, 409, "not her question");
    let (status, said) = olga.posts(&attest, &form("training", "hr-7")).await;
    assert_eq!(status, 303, "{said}");
    let (_, page) = vera.gets(&path).await;
    assert!(page.contains("attested") && page.contains("hr-7"), "{page}");
    let said = room.entries().await.into_iter().find_map(|body| match body {
        Body::ChecklistAttested(said) => Some((said.by.clone(), said.credential.clone())),
        _ => None,
    });
    assert_eq!(said, Some((id("olga"), id("cred-olga"))));
    for strange in ["/people/x", "/people/zz/attest"] {
        assert_ne!(olga.gets(strange).await.0, 200, "{strange}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t27_a_stolen_operator_session_raises_no_limit_alone() {
    let room = Room::new().await;
    let address = open(&room).await;
    // Whoever is taken over is an approver too, which is the most that one person can be.
    let mut own = credential("stolen", room.clock.now().plus_s(30 * 86_400));
    (own.role, own.owner, own.band) = (Some(Role::Operator), id("p-ann"), Band::Read);
    own.wallets.clear();
    room.administer(Action::IssueCredential { credential: own }).await;
    let thief = Visitor::signed_in(address, "stolen").await.unwrap();
    let now = room.world.engine.look(|book| book.policy().document().clone()).await.unwrap();
    let (before, mut wanted) = (digest(&room).await, now.clone());
    for budget in &mut wanted.budgets {
        budget.amount = Some(Amount::from_u128(1_000_000_000 * MILLI));
        budget.count = None;
    }
    assert_ne!(wanted, now, "every limit is raised");
    let text = serde_json::to_string(&wanted).unwrap();
    let typed: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let (status, page) = thief.posts("/policy", &format!("policy={typed}")).await;
    assert_eq!(status, 200, "{page}");
    let (status, said) = thief.posts("/file", &format!("ask={}", question(&page).unwrap())).await;
    assert_eq!(status, 303, "{said}");
    let path = said.lines().find_map(|line| line.strip_prefix("location: /cases/")).unwrap();
    let case: CaseId = path.parse().unwrap();
    // The console takes no approval, whatever it is called.
    let word = format!("case={case}&verdict=approve");
    for path in ["/approvals", &format!("/cases/{case}/approve"), &format!("/cases/{case}")] {
        let (status, said) = thief.posts(path, &word).await;
        assert!(status >= 400, "{path}: {said}");
    }
    let agreed = move |book: &Book| book.case(&case).map(|case| case.approvals.len());
    // The thief has the approver's key too, and the person who asked does not count.
    for (name, count) in [("ann", 0), ("bo", 1)] {
        room.approve(name, case).await;
        assert_eq!(room.world.engine.look(agreed).await.unwrap(), Some(count), "{name}");
        assert_eq!(digest(&room).await, before, "{name} alone changes nothing");
    }
    room.approve("cy", case).await;
    room.later(room.charter.change_delay_s);
    room.until(move |book| book.policy().digest() != before).await;
}

async fn digest(room: &Room) -> Digest {
    room.world.engine.look(|book| book.policy().digest()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_book_door_lets_in_whom_the_charter_in_force_seats_and_lets_go_whom_it_unseats() {
    use crate::desk::book_door::keep_up;
    use quorate_host::link::Pins;

    let room = Room::founded().await;
    let (seats, pins) = (Pins::default(), Pins::default());
    let engine = room.world.engine.clone();
    let readers = [public("office")].into();
    tokio::spawn(keep_up(engine, 0, (seats.clone(), pins.clone()), readers));
    let comes = async |key: &str| {
        let key = public(key);
        let waiting = async {
            while !pins.contains(&key) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it is let in");
    };
    comes("cy-link").await;
    assert!(seats.contains(&public("cy-link")) && !pins.contains(&public("new-link")));
    let mut text = room.charter.clone();
    text.version += 1;
    text.previous = Some(room.charter.digest().unwrap());
    text.approvers[2].link = public("new-link");
    text.approvers[2].key = public("new");
    text.approvers[2].credential = id("key-new");
    room.administer(Action::ChangeCharter { charter: Box::new(text) }).await;
    assert!(!pins.contains(&public("new-link")), "not before its delay");
    room.later(room.charter.change_delay_s);
    room.until(|book| book.charter().version == 2).await;
    comes("new-link").await;
    assert!(!pins.contains(&public("cy-link")), "the lost key's link is let go");
    assert!(pins.contains(&public("office")) && !seats.contains(&public("office")));
}
