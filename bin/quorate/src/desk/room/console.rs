//! The console of a whole desk on a real socket: who is signed in, who may file, and that nothing else can be done there.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use quorate_host::random::Random;
use quorate_ledger::tree::root_at;
use quorate_terms::bulletin::{Assessed, BookHead, Bulletin, SignedBulletin};
use quorate_terms::credential::{Band, Role};
use quorate_terms::freeze::Scope;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::config::ConsoleConfig;
use crate::desk::console_door;

/// A browser, as far as the console can tell.
pub(super) struct Visitor {
    pub(super) address: SocketAddr,
    pub(super) cookie: String,
}

impl Visitor {
    async fn sends(&self, method: &str, path: &str, origin: &str, body: &str) -> (u16, String) {
        let (address, cookie) = (self.address, &self.cookie);
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\norigin: {origin}\r\ncookie: {cookie}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await.unwrap().unwrap();
        let said = String::from_utf8(said).unwrap();
        (said.split(' ').nth(1).unwrap().parse().unwrap(), said)
    }

    pub(super) async fn gets(&self, path: &str) -> (u16, String) {
        self.sends("GET", path, &format!("http://{}", self.address), "").await
    }

    /// As a browser that says from what kind of site it was sent here.
    pub(super) async fn comes_from(&self, path: &str, site: &str) -> (u16, String) {
        let origin = format!("http://{}\r\nsec-fetch-site: {site}", self.address);
        self.sends("GET", path, &origin, "").await
    }

    pub(super) async fn posts(&self, path: &str, body: &str) -> (u16, String) {
        self.sends("POST", path, &format!("http://{}", self.address), body).await
    }

    /// Somebody with a token; none if it signs nobody in.
    pub(super) async fn signed_in(address: SocketAddr, token: &str) -> Option<Self> {
        let bare = Self { address, cookie: String::new() };
        let (status, said) = bare.posts("/sign-in", &format!("token={token}")).await;
        let line = said.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        assert_eq!(status, if line.is_some() { 303 } else { 401 }, "{said}");
        let cookie = line?.split(';').next()?.to_owned();
        Some(Self { address, cookie })
    }
}

/// The name of the first question on a page.
pub(super) fn question(page: &str) -> Option<&str> {
    page.split("name=\"ask\" value=\"").nth(1)?.split('"').next()
}

pub(super) async fn open(room: &Room) -> SocketAddr {
    for (name, role) in [("olga", Role::Operator), ("vera", Role::Viewer)] {
        let mut credential = credential(name, room.clock.now().plus_s(30 * 86_400));
        credential.role = Some(role);
        credential.owner = id(name);
        credential.band = Band::Read;
        credential.wallets.clear();
        room.administer(Action::IssueCredential { credential }).await;
    }
    served(room, ConsoleConfig::default()).await
}

pub(super) async fn served(room: &Room, config: ConsoleConfig) -> SocketAddr {
    let config = ConsoleConfig { listen: "127.0.0.1:0".to_owned(), ..config };
    let here = |path: &std::path::Path| path.to_owned();
    console_door::open(&config, here, room.answers.clone(), room.world.clone()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t27_a_session_of_the_console_files_in_its_own_name_and_does_nothing_else() {
    let room = Room::new().await;
    let address = open(&room).await;
    for token in ["trader", "nobody", ""] {
        assert!(Visitor::signed_in(address, token).await.is_none(), "{token} is no person's");
    }
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let (status, page) = olga.gets("/freeze").await;
    assert_eq!(status, 200, "{page}");
    let ask = question(&page).unwrap().to_owned();

    // Neither another session nor another origin answers her question, and she answers it once.
    let again = Visitor::signed_in(address, "olga").await.unwrap();
    assert_eq!(again.posts("/file", &format!("ask={ask}")).await.0, 409);
    let evil = olga.sends("POST", "/file", "https://evil.example", &format!("ask={ask}")).await;
    assert_eq!(evil.0, 403);
    assert_eq!(room.world.engine.look(|book| book.freezes().count()).await.unwrap(), 0);
    let (status, said) = olga.posts("/file", &format!("ask={ask}")).await;
    assert_eq!(status, 303, "{said}");
    assert_eq!(olga.posts("/file", &format!("ask={ask}")).await.0, 409);
    let scopes = |book: &Book| book.freezes().map(|(_, scope)| scope.clone()).collect::<Vec<_>>();
    assert_eq!(room.world.engine.look(scopes).await.unwrap(), [Scope::Vault]);
    let filed = room.entries().await.into_iter().rev().find_map(|body| match body {
        Body::Filed(filed) => filed.intent.requester.person().cloned(),
        _ => None,
    });
    assert_eq!(filed, Some(id("olga")), "in her own name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_looks_is_offered_nothing_and_refused_everything() {
    let room = Room::new().await;
    let address = open(&room).await;
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    for path in [
        "/",
        "/cases",
        "/transfer",
        "/wallets",
        "/wallets/ops",
        "/addresses",
        "/policy",
        "/agents",
        "/agents/cred-trader",
        "/people",
        "/freeze",
    ] {
        let (status, page) = vera.gets(path).await;
        assert_eq!(status, 200, "{path}: {page}");
        assert!(!page.contains("action=\"/file\"") && question(&page).is_none(), "{path}");
    }
    let typed = "wallet=ops&asset=x&to=x&amount=1&fee_ceiling=1&memo=";
    for (path, body) in [("/file", "ask=x"), ("/transfer", typed), ("/policy", "policy=x")] {
        assert_eq!(vera.posts(path, body).await.0, 403, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t27_whoever_is_revoked_or_lapsed_is_signed_out_at_the_next_click() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    assert_eq!(olga.gets("/cases").await.0, 200);
    room.administer(Action::RevokeCredential { credential: id("cred-olga") }).await;
    assert_eq!(olga.gets("/cases").await.0, 401);
    assert!(Visitor::signed_in(address, "olga").await.is_none());
    assert_eq!(vera.gets("/ledger").await.0, 200, "others go on");
    room.later(16 * 60);
    assert_eq!(vera.gets("/ledger").await.0, 401, "a session that idles ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_is_read_by_the_desk_and_a_look_alike_is_refused() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let own = |book: &Book| book.wallets().flat_map(|(_, w)| w.accounts.values().cloned()).next();
    let own = room.world.engine.look(own).await.unwrap().unwrap();
    let digits = own.address().to_ascii_lowercase();
    let (first, last) = (digits.get(..6).unwrap(), digits.get(38..).unwrap());
    let like = format!("{first}{}{last}", "0".repeat(32));
    // What has letters needs its checksum, and the refusal of any other spelling tells the right one.
    let like = match quorate_chains::parse_account(&like, &own.chain()) {
        Ok(_) => like,
        Err(refused) => refused.to_string().rsplit('`').nth(1).unwrap().to_owned(),
    };
    let policy = room.world.engine.look(|book| book.policy().document().clone()).await.unwrap();
    let asset = policy.assets[0].asset.to_string();
    let form = |to: &str, amount: &str| {
        format!("wallet=ops&asset={asset}&to={to}&amount={amount}&fee_ceiling=0.01&memo=")
    };
    let good = "0x00000000000000000000000000000000000000bb";
    for (to, amount, status, words) in [
        (good, "0.001", 200, "Nothing is filed yet"),
        (good, "0", 409, "nothing"),
        (good, "1e3", 409, "amount"),
        (like.as_str(), "0.001", 409, "looks like"),
    ] {
        let (got, page) = olga.posts("/transfer", &form(to, amount)).await;
        assert!(got == status && page.contains(words), "{to} {amount}: {got} {page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_transfer_would_change_is_shown_before_it_is_filed_and_beside_its_case() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let policy = room.world.engine.look(|book| book.policy().document().clone()).await.unwrap();
    let (asset, to) = (&policy.assets[0].asset, "0x00000000000000000000000000000000000000bb");
    let typed = format!("wallet=ops&asset={asset}&to={to}&amount=2&fee_ceiling=0.01&memo=");
    let (status, page) = olga.posts("/transfer", &typed).await;
    assert_eq!(status, 200, "{page}");
    let shows = |page: &str| {
        for part in ["What a simulation shows", "in block 10", "+2 DEV", "-2 DEV", "advice"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("differs"), "{page}");
    };
    shows(&page);
    let (status, said) = olga.posts("/file", &format!("ask={}", question(&page).unwrap())).await;
    assert_eq!(status, 303, "{said}");
    let path = said.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().trim();
    let (_, page) = olga.gets(path).await;
    assert!(page.contains(&format!("{path}/simulation")), "{page}");
    shows(&olga.gets(&format!("{path}/simulation")).await.1);
    // While as many as may look at once are looking, the node is asked nothing more.
    let turns = room.world.trials.acquire_many(4).await.unwrap();
    let asked = || room.node.heard().iter().filter(|ask| ask.contains("eth_simulateV1")).count();
    let before = asked();
    let (_, page) = olga.gets(&format!("{path}/simulation")).await;
    assert!(page.contains("did not answer in time") && asked() == before, "{page}");
    drop(turns);
    shows(&olga.gets(&format!("{path}/simulation")).await.1);
    let nothing = format!("/cases/{}/simulation", "0".repeat(64));
    let (status, page) = olga.gets(&nothing).await;
    assert!(status == 200 && page.contains("There is nothing to try"), "{status} {page}");
}

/// Lets this process open this many files, if the machine does.
fn files(most: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let current = now.current.map(|own| own.max(most).min(now.maximum.unwrap_or(u64::MAX)));
    setrlimit(Resource::Nofile, Rlimit { current, ..now }).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_60_an_open_page_goes_on_hearing_of_changes_while_others_only_sit_there() {
    const IDLE: usize = 1_100;
    files(4_096);
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let mut events = stream(address, &olga, "/events").await;
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(olga.gets("/cases").await.0, 200, "whoever is signed in is served");
    room.admit("another").await;
    told(&mut events).await;
}

/// A stream of events, opened as an open page does.
async fn stream(address: SocketAddr, who: &Visitor, path: &str) -> TcpStream {
    let mut events = TcpStream::connect(address).await.unwrap();
    let asked = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\naccept: text/event-stream\r\n\r\n",
        who.cookie
    );
    events.write_all(asked.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    tokio::time::timeout(PATIENCE, events.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_between_a_page_and_its_stream_is_told_at_once() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let (_, page) = olga.gets("/cases").await;
    let path = page.split("data-live=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(path.starts_with("/events?size="), "{path}");
    room.admit("another").await;
    told(&mut stream(address, &olga, &path).await).await;
    let (_, page) = olga.gets(&format!("/cases/{}/runbook", asked_for(&room).await)).await;
    let links = page.split("links=").nth(1).unwrap().split('"').next().unwrap();
    let other = Digest::ZERO;
    assert_ne!(links, other.to_string());
    let size = room.world.engine.head().size;
    let changed = format!("/events/cosigners?size={size}&links={other}");
    told(&mut stream(address, &olga, &changed).await).await;
}

/// Reads a stream of events until it tells of a change.
async fn told(events: &mut TcpStream) {
    let (mut said, mut piece) = (String::new(), [0; 4096]);
    while !said.contains("event: changed") {
        let read = tokio::time::timeout(PATIENCE, events.read(&mut piece)).await;
        let count = read.expect("something is told").unwrap();
        assert!(count > 0, "it was closed: {said}");
        said.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
}

/// A wallet that is asked for, and that nobody has agreed to yet.
async fn asked_for(room: &Room) -> CaseId {
    let open = quorate_terms::intent::OpenWallet {
        wallet: id("savings"),
        chains: [id(CHAIN)].into(),
        scheme: quorate_terms::intent::SchemeName::Dkls23Secp256k1,
        tier: quorate_terms::intent::Tier::Hot,
        purpose: "savings".to_owned(),
    };
    let case = room.file("savings", Action::OpenWallet(open)).await.unwrap().case;
    let waits = move |book: &Book| {
        book.case(&case).is_some_and(|one| one.state == quorate_custody::State::AwaitApprovals)
    };
    room.until(waits).await;
    case
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_a_key_hears_of_a_cosigner_that_goes_away_though_the_book_does_not_grow() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let page = format!("/cases/{}/runbook", asked_for(&room).await);
    let engine = &room.world.engine;
    room.world.cosigners.witnessed(engine.head().size).await.unwrap();
    let (status, before) = olga.gets(&page).await;
    assert_eq!(status, 200, "{before}");
    assert!(before.contains("data-live=\"/events/cosigners?size="), "{before}");
    assert!(!before.contains(" is away"), "{before}");

    let mut events = stream(address, &olga, "/events/cosigners").await;
    let size = engine.head().size;
    room.servers.iter().for_each(Server::close);
    loop {
        told(&mut events).await;
        // A cosigner that caught up meanwhile is a change too.
        let (_, after) = olga.gets(&page).await;
        if after.matches(" is away").count() == COSIGNERS.len() {
            break;
        }
    }
    assert_eq!(engine.head().size, size, "no entry told of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_a_key_that_was_rejected_says_at_which_step_and_waits_for_nobody() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let case = asked_for(&room).await;
    let page = format!("/cases/{case}/runbook");
    let before = olga.gets(&page).await.1;
    assert!(before.contains("agree: nobody yet"), "{before}");
    assert!(before.contains("waits for ") && !before.contains("not reached"), "{before}");
    room.answer("ann", case, Verdict::Reject).await;
    room.until(move |book| book.case(&case).is_none()).await;
    let (status, after) = olga.gets(&page).await;
    assert_eq!(status, 200, "{after}");
    assert_eq!(after.matches("not reached").count(), 5, "all that follows on the people: {after}");
    assert_eq!(after.matches(">failed<").count(), 1, "{after}");
    for words in ["said no", "who said what, entry by entry", "There is no share to back up."] {
        assert!(after.contains(words), "{words}: {after}");
    }
    for words in ["waits for", "follows the key", ">later<", "it comes with the key", "said nowho"]
    {
        assert!(!after.contains(words), "{words}: {after}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_60_one_session_follows_with_a_few_pages_and_no_more() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let follows = async |who: &Visitor| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let asked =
            format!("GET /events HTTP/1.1\r\nhost: {address}\r\ncookie: {}\r\n\r\n", who.cookie);
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        (String::from_utf8_lossy(&head).into_owned(), stream)
    };
    let mut open = Vec::new();
    for _ in 0..8 {
        let (said, stream) = follows(&olga).await;
        assert_eq!(said, "HTTP/1.1 200");
        open.push(stream);
    }
    assert_eq!(follows(&olga).await.0, "HTTP/1.1 429");
    let vera = Visitor::signed_in(address, "vera").await.unwrap();
    assert_eq!(follows(&vera).await.0, "HTTP/1.1 200");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_47_another_host_is_shown_nothing_and_files_nothing() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let ask = question(&olga.gets("/freeze").await.1).unwrap().to_owned();
    let body = format!("ask={ask}");
    let asked = [("GET", "/", ""), ("GET", "/events", ""), ("POST", "/file", body.as_str())];
    for (method, path, body) in asked {
        for host in ["evil.example", "127.0.0.1", "localhost:1", ""] {
            let text = format!(
                "{method} {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{address}\r\n\
                 cookie: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                olga.cookie,
                body.len()
            );
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut said = String::new();
            let reading = stream.read_to_string(&mut said);
            tokio::time::timeout(PATIENCE, reading).await.unwrap().unwrap();
            assert!(said.starts_with("HTTP/1.1 403"), "{host} {path}: {said}");
            assert!(!said.contains("olga") && !said.contains("event:"), "{said}");
        }
    }
    assert_eq!(room.world.engine.look(|book| book.freezes().count()).await.unwrap(), 0);
    assert_eq!(olga.posts("/file", &body).await.0, 303, "the question was not used up");
}

/// A bulletin of an office about this ledger, as a head says.
fn bulletin(room: &Room, book: &str, head: (u64, Digest)) -> Bulletin {
    let head = BookHead { book: book.to_owned(), size: head.0, root: head.1 };
    let assessed = Assessed {
        standard: "wd".to_owned(),
        version: "0.1.0".to_owned(),
        title: "Working draft".to_owned(),
        official: false,
        results: Digest::ZERO,
        at: room.clock.now(),
        sought: None,
        overall: Some("Baseline".to_owned()),
        groups: Vec::new(),
        counts: BTreeMap::from([("met".to_owned(), 41)]),
        open: Vec::new(),
        heads: vec![head],
    };
    let (office, origin) = (id("alder"), "alder.example/office".to_owned());
    Bulletin { v: 1, office, origin, made_at: room.clock.now(), standards: vec![assessed] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_are_shown_under_the_pinned_key_and_against_this_ledger_or_not_at_all() {
    let room = Room::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bulletin.json");
    open(&room).await;
    let office = Identity::generate(Random::start().unwrap()).unwrap();
    let named = ConsoleConfig {
        office: Some("https://office.example".to_owned()),
        office_key: Some(office.public_key()),
        bulletin: Some(path.clone()),
        ..ConsoleConfig::default()
    };
    let olga = Visitor::signed_in(served(&room, named.clone()).await, "olga").await.unwrap();
    let page = olga.gets("/standing").await.1;
    assert!(page.contains("not here yet") && page.contains("https://office.example"), "{page}");

    let engine = &room.world.engine;
    let (size, log) = (engine.head().size, engine.origin().to_owned());
    let root = engine.store().with_hashes(move |hashes| root_at(hashes, size));
    let root = root.await.unwrap().unwrap();
    let stranger = Identity::generate(Random::start().unwrap()).unwrap();
    let good = bulletin(&room, &log, (size, root));
    let old = Bulletin { made_at: room.clock.now().minus_s(40 * 86_400), ..good.clone() };
    for (said, key, shown, words) in [
        (good.clone(), &office, true, "rests on this ledger"),
        (old, &office, true, "40 days old"),
        (good.clone(), &stranger, false, "not signed by the pinned key"),
        (bulletin(&room, &log, (size, Digest::ZERO)), &office, false, "another history"),
        (bulletin(&room, &log, (size + 9, root)), &office, false, "more entries than"),
        (bulletin(&room, "other.example", (size, root)), &office, false, "no head of this ledger"),
    ] {
        let signature = key.sign(&said.digest().unwrap());
        let file = SignedBulletin { bulletin: said, signature }.to_bytes().unwrap();
        std::fs::write(&path, file).unwrap();
        let (status, page) = olga.gets("/standing").await;
        assert!(status == 200 && page.contains(words), "{words}: {page}");
        assert_eq!(page.contains("Baseline"), shown, "{words}: {page}");
    }
    std::fs::write(&path, "no bulletin").unwrap();
    assert!(olga.gets("/standing").await.1.contains("is not believed"));

    let bare = Visitor::signed_in(served(&room, ConsoleConfig::default()).await, "olga").await;
    let page = bare.unwrap().gets("/standing").await.1;
    assert!(page.contains("No auditor&#39;s office is named"), "{page}");
    let half = ConsoleConfig { office_key: None, ..named };
    let half = ConsoleConfig { listen: "127.0.0.1:0".to_owned(), ..half };
    let here = |path: &std::path::Path| path.to_owned();
    let opened = console_door::open(&half, here, room.answers.clone(), room.world.clone());
    assert!(opened.await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_a_policy_names_is_called_as_the_address_book_does_until_the_name_is_erased() {
    let room = Room::new().await;
    let address = open(&room).await;
    let olga = Visitor::signed_in(address, "olga").await.unwrap();
    let opening = quorate_terms::commitment::Opening::new(
        [7; 16],
        "intent.beneficiary",
        "Corner <b>shop</b>",
    );
    let opening = opening.unwrap();
    let action = Action::ListAddress {
        account: other_recipient(),
        beneficiary: opening.commitment().unwrap(),
        owner_kind: quorate_terms::intent::OwnerKind::ThirdParty,
    };
    let key = IdempotencyKey::new("listed").unwrap();
    let ask = FileRequest { person: id("op"), key, action, openings: vec![opening] };
    let listed: Reply<CaseView> = room.control("desk.file", &ask).await;
    let listed = listed.unwrap().case;
    for name in ["ann", "bo"] {
        room.approve(name, listed).await;
    }
    room.until(|book| book.listed().count() == 1).await;
    let policy = room.world.engine.look(|book| book.policy().document().clone()).await.unwrap();
    let deny = std::collections::BTreeSet::from([other_recipient()]);
    let proposed = quorate_terms::policy::PolicyDocument {
        addresses: quorate_terms::policy::AddressRules { deny, ..policy.addresses },
        ..policy
    };
    let text = serde_json::to_string(&proposed).unwrap();
    let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let look = async || {
        let (status, said) = olga.posts("/policy", &format!("policy={encoded}")).await;
        assert_eq!(status, 200, "{said}");
        assert!(said.contains(other_recipient().as_str()), "the whole address stands there");
        assert!(said.contains("What it newly denies"), "{said}");
        said
    };
    let said = look().await;
    let named = "as `Corner &lt;b&gt;shop&lt;/b&gt;`)";
    // What changes, what it newly denies, and the whole in words.
    assert!(said.matches(named).count() >= 3, "{said}");
    assert!(!said.contains("<b>shop"));
    // A viewer types the same policy, and learns no name by it.
    let http = http::open(&room, serde_json::json!({ "listen": "127.0.0.1:0" }));
    let (http, typed) = (http.await.unwrap(), serde_json::json!({ "policy": proposed, "days": 1 }));
    let replay = ("POST", "/policies/replay");
    let (status, said) = brake::ask(http, ("vera", "typed"), replay, &typed).await;
    assert_eq!(status, 200, "{said}");
    let said = said.to_string();
    assert!(said.contains(other_recipient().as_str()), "{said}");
    assert!(said.contains("(on the address list)") && !said.contains("Corner"), "{said}");
    // Whoever works at the desk's own machine is told as the console's operators are.
    let in_force = room.world.engine.look(|book| book.policy().document().clone()).await.unwrap();
    let told = async || {
        let names: Reply<quorate_policy::Names> = room.control("desk.names", &[&proposed]).await;
        let changes = quorate_policy::diff(&in_force, &proposed, &names.unwrap());
        changes.into_iter().map(|change| change.text).collect::<String>()
    };
    assert!(told().await.contains("as `Corner <b>shop</b>`)"));
    room.erase(listed, "shop").await.unwrap();
    assert!(!told().await.contains("Corner"));
    let said = look().await;
    assert!(!said.contains("Corner") && said.contains("(on the address list)"), "{said}");
}
