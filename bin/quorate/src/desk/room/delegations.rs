//! Somebody stands in for a seat at a desk at work: at the book's door, on the command line's socket and in the console.

use quorate_custody::Phase;
use quorate_custody::protocol::book::{SUBMIT, Submit, SubmitAnswer};
use quorate_gateway::office::DelegationView;
use quorate_host::link::Client;
use quorate_terms::credential::Role;
use quorate_terms::delegation::{Delegation, Ender, Ending, EndingBody, StandIn};

use super::console::{Visitor, open, question};
use super::*;
use crate::desk::book_door::BookDoor;
use crate::desk::engine::Trouble;

/// Sam, who stands in for ann.
pub(super) fn stand_in(room: &Room) -> Delegation {
    Delegation {
        id: id("leave-1"),
        seat: id("ann"),
        stand_in: StandIn {
            person: id("p-sam"),
            credential: id("key-sam"),
            key: public("sam"),
            link: public("sam-link"),
            passkeys: Vec::new(),
        },
        from: room.clock.now(),
        until: room.clock.now().plus_s(86_400),
        above: None,
    }
}

async fn listed(room: &Room) -> Vec<DelegationView> {
    let all: Reply<Vec<DelegationView>> = room.control("desk.delegations", &()).await;
    all.unwrap()
}

async fn brings(client: &Client, what: &Submit) -> SubmitAnswer {
    let body = serde_json::to_vec(what).unwrap();
    let answer = client.call(SUBMIT, body, PATIENCE).await.unwrap();
    serde_json::from_slice(&answer).unwrap()
}

/// Sam's yes to a case, for ann.
async fn yes(room: &Room, case: CaseId) -> Submit {
    let policy = room.world.engine.look(|book| book.policy().digest()).await.unwrap();
    let body = ApprovalBody {
        v: 1,
        vault: id(VAULT),
        intent: case.intent(),
        policy,
        approver: id("ann"),
        credential: id("key-sam"),
        verdict: Verdict::Approve,
        issued_at: room.clock.now(),
        expires_at: room.clock.now().plus_s(1_800),
        display: Digest::ZERO,
    };
    Submit::Approval(Box::new(approval_of("sam", body)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stand_in_comes_in_at_the_book_s_door_until_the_delegation_is_taken_back() {
    let room = Room::new().await;
    let me = identity("desk");
    let (engine, cosigners) = (room.world.engine.clone(), room.world.cosigners.clone());
    let server = BookDoor::open("127.0.0.1:0", &me, [], engine, cosigners).await.unwrap();
    let address = server.address().to_string();
    let given = stand_in(&room);
    room.administer(Action::Delegate { delegation: Box::new(given.clone()) }).await;
    let link = identity("sam-link");
    let quiet = Arc::new(Silent);
    let sam = Client::start(&address, &link, me.public_key(), quiet, Limits::default()).unwrap();
    let [one] = listed(&room).await.try_into().unwrap();
    assert_eq!((one.phase, one.stand_in.as_str()), (Phase::Standing, "p-sam"));
    assert_eq!(one.holder, Some(id("p-ann")));

    let trader = room.caller("trader").await;
    let draft = room.prepare(&trader, 2_000 * MILLI).await.unwrap();
    let case = room.send(&trader, draft, "while-away").await.unwrap().case;
    let SubmitAnswer::Taken { tallies, .. } = brings(&sam, &yes(&room, case).await).await else {
        panic!("sam's word is taken")
    };
    let counted: Vec<_> = tallies[0].counted.iter().map(ToString::to_string).collect();
    assert_eq!(counted, ["ann"]);
    room.approve("bo", case).await;
    room.until(move |book| book.case(&case).is_some_and(|case| case.stage.is_some())).await;

    let draft = room.prepare(&trader, 2_500 * MILLI).await.unwrap();
    let later = room.send(&trader, draft, "too-late").await.unwrap().case;
    let (delegation, by) = (given.id.clone(), Ender::StandIn);
    let body = EndingBody { v: 1, vault: id(VAULT), delegation, by, at: room.clock.now() };
    let ending = Submit::Ending(Box::new(Ending { signature: signed("sam", &body), body }));
    assert!(matches!(brings(&sam, &ending).await, SubmitAnswer::Taken { .. }));
    let [one] = listed(&room).await.try_into().unwrap();
    assert_eq!((one.phase, one.ended_by.as_deref()), (Phase::Ended, Some("stand_in:p-sam")));
    // Sam is let go, and the word counts no more, from wherever it comes.
    let Submit::Approval(word) = yes(&room, later).await else { panic!("an approval") };
    let refused = room.world.engine.tell(Event::ApprovalCame(word)).await.unwrap_err();
    assert!(matches!(refused, Trouble::Refused(no) if no.code == "not_standing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_shows_who_stands_in_and_an_operator_ends_it() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let (_, page) = olga.gets("/people").await;
    assert!(page.contains("Nobody stands in for anybody"), "{page}");
    let given = stand_in(&room);
    room.administer(Action::Delegate { delegation: Box::new(given.clone()) }).await;
    super::people::admitted(&room, "lena", Role::Viewer).await;
    let lena = Visitor::signed_in(address, "lena").await.unwrap();
    let (_, looked) = lena.gets("/people").await;
    assert!(looked.contains("p-sam") && !looked.contains("End leave-1"), "{looked}");
    let (_, page) = olga.gets("/people").await;
    let end = page.find("End leave-1").map(|at| &page[..at]).unwrap();
    let form = end.rfind("<form").map(|at| &end[at..]).unwrap();
    let (status, said) = olga.posts("/file", &format!("ask={}", question(form).unwrap())).await;
    assert_eq!(status, 303, "{said}");
    let [one] = listed(&room).await.try_into().unwrap();
    assert_eq!((one.phase, one.cause.as_deref()), (Phase::Ended, Some("taken_back")));
    let (_, page) = olga.gets("/people").await;
    assert!(page.contains("Delegations that ended") && page.contains("taken back"), "{page}");
}
