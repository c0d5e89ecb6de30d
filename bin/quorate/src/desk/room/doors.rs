//! The desk behind its doors: keys, drafts, what is seen by whom.

use quorate_gateway::errors::Code;
use quorate_terms::credential::Band;
use quorate_terms::entry::{Body, ManifestPinned};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_a_thousand_times_pays_once() {
    let room = Arc::new(Room::new().await);
    let trader = room.caller("trader").await;
    let draft = room.prepare(&trader, MILLI).await.unwrap();
    let mut asking = Vec::new();
    for _ in 0..1_000 {
        let (room, trader) = (Arc::clone(&room), trader.clone());
        asking.push(tokio::spawn(async move { room.send(&trader, draft, "rent").await }));
    }
    let mut cases = std::collections::BTreeSet::new();
    for asked in asking {
        cases.insert(asked.await.unwrap().unwrap().case);
    }
    assert_eq!((cases.len(), room.node.taken()), (1, 1));
    let filed =
        |body: &&Body| matches!(body, Body::Filed(filed) if filed.intent.key.as_str() == "rent");
    assert_eq!(room.entries().await.iter().filter(filed).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_belongs_to_its_credential_and_to_one_request() {
    let room = Room::new().await;
    room.admit("other").await;
    let (trader, other) = (room.caller("trader").await, room.caller("other").await);
    let first = room.pay(&trader, "rent").await;
    let another = room.prepare(&trader, 2 * MILLI).await.unwrap();
    let refused = room.send(&trader, another, "rent").await.unwrap_err();
    assert_eq!(refused.code, Code::IdempotencyConflict);
    let theirs = room.prepare(&other, MILLI).await.unwrap();
    let second = room.send(&other, theirs, "rent").await.unwrap();
    assert_ne!(second.case, first, "the same key of another credential is another request");
    let stolen = room.prepare(&trader, MILLI).await.unwrap();
    let refused = room.send(&other, stolen, "stolen").await;
    assert!(
        refused.is_err_and(|refused| matches!(refused.code, Code::DraftUnknown)),
        "a draft belongs to its credential"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_of_any_age_is_found_by_who_may_see_it_and_by_nobody_else() {
    let room = Room::new().await;
    let trader = room.caller("trader").await;
    let case = room.pay(&trader, "first").await;
    for number in 0..66 {
        room.later(7_200);
        room.pay(&trader, &format!("later-{number}")).await;
    }
    let said = room.ask(&trader, Question::GetCase { case }).await.unwrap();
    let Answer::Case(said) = said else { panic!("{said:?}") };
    let tx = said.tx_hash.unwrap();
    let status = |caller: Caller| {
        let tx = serde_json::from_value(tx.clone().into()).unwrap();
        let room = &room;
        async move { room.ask(&caller, Question::GetTxStatus { chain: id(CHAIN), tx }).await }
    };
    let Answer::TxStatus(known) = status(trader.clone()).await.unwrap() else { panic!("a status") };
    assert_eq!(known.case, Some(case), "67 cases later");
    let stranger = Caller { agent: id("stranger"), wallets: Default::default(), ..trader.clone() };
    let Answer::TxStatus(seen) = status(stranger).await.unwrap() else { panic!("a status") };
    assert_eq!(seen.case, None);
    let account = room
        .world
        .engine
        .look(|book| book.wallet(&id("ops")).unwrap().accounts[&id(CHAIN)].clone())
        .await
        .unwrap();
    let history = room.ask(&trader, Question::GetTxHistory { account, limit: 100 }).await.unwrap();
    let Answer::TxHistory(history) = history else { panic!("{history:?}") };
    assert_eq!(history.transfers.len(), 67, "what the node has forgotten, the book has not");
    assert!(history.transfers.last().unwrap().tx_hash == tx, "newest first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t23_an_agent_whose_tools_changed_is_held_back_until_a_person_closed_the_alert() {
    let room = Room::new().await;
    room.world.pin_manifests().await.unwrap();
    room.admit("bot").await;
    let token = |name: &str| Digest::of(quorate_terms::digest::tag::TOKEN, name.as_bytes());
    assert!(room.answers.authenticate(token("bot")).await.is_some());
    // Another release with another tool list: its digest is pinned, and the alarm is raised.
    let (manifest, band) = (Digest::ZERO, Some(Band::Broadcast));
    let pinned = ManifestPinned { manifest, case: None, band, tools: Vec::new() };
    let note = Event::Noted(Box::new(Body::ManifestPinned(pinned)));
    room.world.engine.tell(note).await.unwrap();
    let rule = crate::desk::effects::pulse::TOOLS_CHANGED;
    let high = quorate_terms::entry::Severity::High;
    let engine = &room.world.engine;
    let subject = Band::Broadcast.to_string();
    assert!(crate::desk::effects::alert(engine, rule, high, subject).await.unwrap());
    assert!(room.answers.authenticate(token("bot")).await.is_none(), "held back");
    assert!(room.answers.authenticate(token("trader")).await.is_some(), "admitted before any list");
    let alert = engine.look(|book| *book.alerts().next().unwrap().0).await.unwrap();
    let disposition = Some("read_and_approved".to_owned());
    let ask = quorate_gateway::office::AlertRequest { alert, person: id("op"), disposition };
    let _left: Vec<quorate_gateway::office::AlertView> =
        room.control("desk.alert", &ask).await.unwrap();
    assert!(room.answers.authenticate(token("bot")).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_door_says_what_it_cannot_read_or_does_not_do_and_stays_open() {
    let room = Room::founded().await;
    for (method, body) in [
        ("desk.nothing", "{}"),
        ("desk.file", "{"),
        ("desk.case", "{\"case\":\"zz\"}"),
        ("desk.book", "[]"),
        ("desk.proof", "{\"of\":\"entry\"}"),
    ] {
        let answer = room.desk.call(method, body.as_bytes().to_vec(), PATIENCE).await;
        let told = answer.unwrap_err().to_string();
        assert!(told.contains("compare the versions"), "{method}: {told}");
    }
    let status: quorate_gateway::office::StatusView =
        room.control("desk.status", &()).await.unwrap();
    assert_eq!(status.vault, VAULT);
    assert!(room.folder().join("run/desk.sock").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_meters_say_what_an_operator_watches_and_name_nobody() {
    let room = Room::new().await;
    let trader = room.caller("trader").await;
    room.pay(&trader, "metered").await;
    let waits = room.prepare(&trader, 4_000 * MILLI).await.unwrap();
    room.send(&trader, waits, "waits").await.unwrap();
    assert!(room.send(&trader, waits, "metered").await.is_err());
    room.world.measure().await.unwrap();
    let text = room.world.meters.text();
    for line in [
        "quorate_open_cases 1",
        "quorate_reservations 1",
        "quorate_writes 1",
        "quorate_checkpoint_age_seconds 0",
        "quorate_cosigner_up{place=\"1\"} 1",
        "quorate_cosigner_up{place=\"2\"} 1",
        "quorate_alerts{severity=\"critical\"} 0",
        "quorate_refusals_total{code=\"IDEMPOTENCY_CONFLICT\"} 1",
        "quorate_signing_us_count 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\nin\n{text}");
    }
    for sample in text.lines().filter(|line| !line.starts_with('#')) {
        let family = sample.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| family.strip_suffix(end))
            .unwrap_or(family);
        for head in ["HELP", "TYPE"] {
            assert!(text.contains(&format!("# {head} {family} ")), "{head} of {sample}");
        }
    }
    for name in ["0x", "trader", "east", "ops", "op\"", "eip155", VAULT] {
        let told = text.lines().filter(|line| !line.starts_with('#')).any(|l| l.contains(name));
        assert!(!told, "{name} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_follows_the_book_and_can_bring_and_ask_for_nothing_else() {
    use crate::desk::book_door::BookDoor;
    use quorate_custody::protocol::book::{
        OPENINGS, OpeningsRequest, READ, ReadAnswer, ReadRequest, SUBMIT, Submit,
    };
    use quorate_host::link::{CallError, Client};
    use quorate_terms::freeze::{Freeze, FreezeBody, Freezer, Scope};

    let room = Room::founded().await;
    let (seat, reader) = (identity("ann-link"), identity("office"));
    let (engine, cosigners) = (room.world.engine.clone(), room.world.cosigners.clone());
    let readers = [reader.public_key()];
    let me = identity("desk");
    let opened = BookDoor::open("127.0.0.1:0", &me, readers, engine, cosigners).await;
    let server = opened.unwrap();
    let address = server.address().to_string();
    let caller = |who: &Identity| {
        Client::start(&address, who, me.public_key(), Arc::new(Silent), Limits::default()).unwrap()
    };
    let (seat, reader) = (caller(&seat), caller(&reader));
    let body = FreezeBody {
        v: 1,
        vault: id(VAULT),
        by: Freezer::Approver { approver: id("ann") },
        scope: Scope::Agent { agent: id("nobody") },
        at: room.clock.now(),
        cause: "a reader tries".to_owned(),
    };
    let freeze = Submit::Freeze(Box::new(Freeze { signature: signed("ann", &body), body }));
    let freeze = serde_json::to_vec(&freeze).unwrap();
    let wanted = serde_json::to_vec(&OpeningsRequest { commitments: Vec::new() }).unwrap();

    let ask = serde_json::to_vec(&ReadRequest { from: 0, limit: 5 }).unwrap();
    let read = reader.call(READ, ask, PATIENCE).await.unwrap();
    let read: ReadAnswer = serde_json::from_slice(&read).unwrap();
    assert!(!read.entries.is_empty() && read.checkpoint.contains(&room.charter.log.origin));

    // The very bytes that are taken from a seat are refused from a reader, though they are rightly signed.
    let size = room.world.engine.head().size;
    for (method, body) in [(SUBMIT, &freeze), (OPENINGS, &wanted), ("cosigner.sign", &wanted)] {
        let no = reader.call(method, body.clone(), PATIENCE).await.unwrap_err();
        let CallError::Refused(no) = no else { panic!("{method}: {no}") };
        assert!(matches!(no.code.as_str(), "read_only" | "unknown_method"), "{method}: {no:?}");
    }
    let frozen = |body: &Body| matches!(body, Body::Frozen(_));
    assert_eq!(room.entries().await.iter().filter(|body| frozen(body)).count(), 0);
    assert!(seat.call(SUBMIT, freeze, PATIENCE).await.is_ok());
    assert_eq!(room.entries().await.iter().filter(|body| frozen(body)).count(), 1);
    assert!(room.world.engine.head().size > size);

    let stranger = caller(&identity("stranger"));
    let ask = serde_json::to_vec(&ReadRequest { from: 0, limit: 5 }).unwrap();
    assert!(stranger.call(READ, ask, Duration::from_secs(2)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_44_the_values_of_a_case_that_is_over_are_erased_and_its_receipt_still_verifies() {
    use quorate_ledger::LogPolicy;
    const WRITTEN: &str = "for Jane Doe, flat 7";

    let room = Room::new().await;
    let trader = room.caller("trader").await;
    let draft = room.prepare_with(&trader, MILLI, Some(WRITTEN)).await.unwrap();
    let case = room.send(&trader, draft, "rent").await.unwrap().case;
    assert_eq!(room.erase(case, "jane").await.unwrap_err().code, "case_open");
    room.settle(case, Fate::Settled).await;
    assert!(room.erase(case, "Jane Doe").await.is_err(), "a pseudonym, because it stays");
    let unknown = CaseId::of_intent(Digest::ZERO);
    assert_eq!(room.erase(unknown, "jane").await.unwrap_err().code, "unknown_case");

    let policy = LogPolicy::of_founding(&room.charter).unwrap();
    let verifies = async || {
        let (engine, cosigners) = (&room.world.engine, &room.world.cosigners);
        let receipt = crate::desk::receipts::make(engine, cosigners, case).await.unwrap();
        receipt.verify(&policy).unwrap();
    };
    verifies().await;
    let file = room.folder().join("ledger.db");
    let holds = |file: &std::path::Path| {
        let beside = file.with_extension("db-wal");
        [file, &beside].iter().any(|path| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(WRITTEN.len()).any(|window| window == WRITTEN.as_bytes())
        })
    };
    assert!(holds(&file), "kept until somebody asks");
    let fields = room.erase(case, "jane").await.unwrap();
    assert_eq!(fields.len(), 1);
    assert!(!holds(&file), "in neither file any more");
    assert_eq!(room.world.engine.store().opening(&fields[0]).await.unwrap(), None);
    let said = room.entries().await.into_iter().rev().find_map(|body| match body {
        Body::Erased(erased) => Some(erased),
        _ => None,
    });
    let said = said.unwrap();
    assert_eq!((said.subject.as_str(), said.case, said.fields), ("jane", Some(case), fields));
    verifies().await;
    assert_eq!(room.erase(case, "jane").await.unwrap_err().code, "nothing_kept", "once");
}
