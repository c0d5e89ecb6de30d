//! Somebody stands in for a seat at a desk at work: at the book's door, on the command line's socket and in the console.

use quorate_custody::Phase;
use quorate_custody::protocol::book::{SUBMIT, Submit, SubmitAnswer};
use quorate_gateway::office::DelegationView;
use quorate_host::link::Client;
use quorate_terms::credential::Role;
use quorate_terms::delegation::{Delegation, Ender, Ending, EndingBody};

use super::console::{Visitor, open, question};
use super::*;
use crate::desk::book_door::BookDoor;
use crate::desk::engine::Trouble;

/// Sam, who stands in for ann.
pub(super) fn to_sam(room: &Room) -> Delegation {
    Delegation {
        id: id("leave-1"),
        seat: id("ann"),
        stand_in: stand_in("sam"),
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
    let given = to_sam(&room);
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
    let address = open(&room).await;
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    let (_, page) = vera.gets(&format!("/cases/{case}")).await;
    assert!(page.contains("by p-sam standing in for ann"), "{page}");

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
    let given = to_sam(&room);
    room.administer(Action::Delegate { delegation: Box::new(given.clone()) }).await;
    people::admitted(&room, "lena", Role::Viewer).await;
    let lena = Visitor::signed_in(address, "lena").await.unwrap();
    let (_, looked) = lena.gets("/people").await;
    assert!(looked.contains("p-sam") && !looked.contains("End leave-1"), "{looked}");
    let (_, page) = olga.gets("/people").await;
    let end = page.split("End leave-1").next().unwrap();
    let form = end.rsplit("<form").next().unwrap();
    let (status, said) = olga.posts("/file", &format!("ask={}", question(form).unwrap())).await;
    assert_eq!(status, 303, "{said}");
    let [one] = listed(&room).await.try_into().unwrap();
    assert_eq!((one.phase, one.cause.as_deref()), (Phase::Ended, Some("taken_back")));
    let (_, page) = olga.gets("/people").await;
    assert!(page.contains("Delegations that ended") && page.contains("taken back"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_asks_for_a_delegation_in_the_console_and_whoever_looks_does_not() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let (_, page) = olga.gets("/people").await;
    assert!(page.contains("action=\"/people/delegate\""), "{page}");
    let given = to_sam(&room);
    let enrolment = serde_json::to_string(&given.as_seat()).unwrap();
    let form = |enrolment: &str, days: &str, above: &str| {
        let encoded = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
        let (enrolment, above) = (encoded(enrolment), encoded(above));
        format!("enrolment={enrolment}&days={days}&after=&above={above}")
    };
    let mut seated = given.as_seat();
    seated.person = id("p-bo");
    let seated = serde_json::to_string(&seated).unwrap();
    for (enrolment, days, above, words) in [
        ("{}", "7", "", "no enrolment"),
        (&enrolment, "31", "", "no number of days"),
        (&enrolment, "", "", "no length"),
        (&enrolment, "7", "NOPE=1", "names no asset"),
        (&seated, "7", "", "holds a seat"),
    ] {
        let (status, page) = olga.posts("/people/delegate", &form(enrolment, days, above)).await;
        assert!(status == 409 && page.contains(words), "{words}: {status} {page}");
    }
    let good = form(&enrolment, "7", "");
    people::admitted(&room, "lena", Role::Viewer).await;
    let lena = Visitor::signed_in(address, "lena").await.unwrap();
    assert_eq!(lena.posts("/people/delegate", &good).await.0, 403);
    let (status, page) = olga.posts("/people/delegate", &good).await;
    assert!(status == 200 && page.contains("Nothing is filed yet"), "{page}");
    let key = given.stand_in.key.to_string();
    assert!(page.contains(&key) && !page.contains("not a digest"), "{page}");
    assert!(listed(&room).await.is_empty());
    let (status, said) = olga.posts("/file", &format!("ask={}", question(&page).unwrap())).await;
    assert_eq!(status, 303, "{said}");
    let open = |book: &Book| book.open_cases().map(|case| case.id).next();
    let case = room.world.engine.look(open).await.unwrap().expect("it waits for people");
    for name in ["ann", "bo"] {
        room.approve(name, case).await;
    }
    let [one] = listed(&room).await.try_into().unwrap();
    assert_eq!((one.phase, one.stand_in.as_str()), (Phase::Standing, "p-sam"));
    assert_eq!(one.until.since(one.from), 7 * 86_400_000);
}
