//! The served view with somebody signed in, behind a desk that tells the truth or lies: what it shows, and to whom.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use quorate_host::link::Server;
use quorate_terms::canonical::Term as _;
use quorate_terms::delegation::{Delegation, StandIn};
use quorate_terms::digest::tag;
use quorate_terms::intent::Action;
use quorate_terms::passkey::{Assertion, ViewSeat};
use quorate_terms::{CaseId, Digest};
use tempfile::TempDir;

use super::authenticator::{Authenticator, Said};
use super::desk::{Desk, Shared, listen, now};
use super::house::{self, House, MILLI, other_recipient, person, recipient};
use super::lies::{rechained, swapped};
use super::office::tool;
use super::view::Serving;

/// How the view is called; where it really listens is another matter, as behind a proxy.
const HOST: &str = "localhost:7800";
const ORIGIN: &str = "http://localhost:7800";

/// A vault whose approver cy has a passkey at a view, and a case that waits for cy.
pub(crate) struct Vault {
    pub(crate) desk: Shared,
    seat: ViewSeat,
    phone: Authenticator,
    case: CaseId,
    dir: TempDir,
    _link: Server,
    _runtime: tokio::runtime::Runtime,
}

impl Vault {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let words = ["view", "init", "--name", "home", "--origin", ORIGIN, "--operator", "Home"];
        tool(dir.path(), &words, "").good();
        let text = std::fs::read(dir.path().join("home/view.json")).unwrap();
        let seat: ViewSeat = serde_json::from_slice(&text).unwrap();
        let phone = Authenticator::new();
        let mut charter = house::charter();
        charter.views = vec![seat.clone()];
        charter.approvers[2].passkeys = vec![phone.passkey("cy-phone", &seat)];
        let mut house = House::with(charter.clone());
        house.now = now();
        let intent = house.transfer_of(person("op"), 2_000 * MILLI);
        let case = house.file(&intent).unwrap();
        let desk = Shared(Arc::new(Mutex::new(Desk::new(house))));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let link = listen(&runtime, ("desk", seat.link), &desk);
        let path = dir.path().join("charter.json");
        std::fs::write(&path, charter.to_canonical().unwrap()).unwrap();
        let (digest, at) = (charter.digest().unwrap().to_string(), link.address().to_string());
        let accept = ["view", "accept", "--charter", path.to_str().unwrap(), "--digest", &digest];
        tool(dir.path(), &[&accept[..], &["--desk", &at]].concat(), "").good();
        Self { desk, seat, phone, case, dir, _link: link, _runtime: runtime }
    }

    /// The book as a desk tells it that wants everybody to pay the thief.
    fn lie(&self) {
        let mut desk = self.desk.0.lock().unwrap();
        desk.story = Some(rechained(&swapped(&desk)));
    }

    /// The view, and cy's browser at it.
    fn serve(&mut self) -> Browser {
        self.serve_with(&[])
    }

    /// The same, started with more words.
    pub(crate) fn serve_with(&mut self, words: &[&str]) -> Browser {
        let view = Serving::start(self.dir.path(), words);
        let mut browser = Browser { view, cookie: String::new() };
        self.sign_in(&mut browser);
        browser
    }

    /// Signs cy in, whoever was before.
    fn sign_in(&mut self, browser: &mut Browser) {
        let answer = browser.enter(&self.seat, (&mut self.phone, "cy-phone"));
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    }

    /// The view, and a browser of nobody.
    fn open(&self) -> Browser {
        Browser { view: Serving::start(self.dir.path(), &[]), cookie: String::new() }
    }

    /// Sam, with a passkey in this phone, stands in for ann from now on.
    fn delegate(&self, phone: &Authenticator) -> Delegation {
        let stand_in = StandIn {
            person: house::id("p-sam"),
            credential: house::id("key-sam"),
            key: house::public("sam"),
            link: house::public("sam-link"),
            passkeys: vec![phone.passkey("sam-phone", &self.seat)],
        };
        let given = Delegation {
            id: house::id("leave-1"),
            seat: house::id("ann"),
            stand_in,
            from: now(),
            until: now().plus_s(86_400),
            above: None,
        };
        self.does(Action::Delegate { delegation: Box::new(given.clone()) });
        given
    }

    fn does(&self, action: Action) {
        let mut desk = self.desk.0.lock().unwrap();
        desk.house.now = now();
        desk.house.administer(action);
    }

    pub(crate) fn page(&self) -> String {
        format!("/cases/{}", self.case)
    }
}

/// What a browser sends to sign in with a passkey: the question, whose passkey, what it says.
fn signed(
    ask: &str,
    seat: &ViewSeat,
    (phone, name): (&mut Authenticator, &str),
) -> (String, String, Assertion) {
    let challenge = Digest::of(tag::SIGN_IN, ask.as_bytes());
    let said = phone.asserts(&Said::at(seat, &challenge));
    (ask.to_owned(), phone.passkey(name, seat).handle.to_string(), said)
}

pub(crate) struct Browser {
    view: Serving,
    cookie: String,
}

impl Browser {
    /// Signs in with a passkey. Gives what the view answered.
    fn enter(&mut self, seat: &ViewSeat, (phone, name): (&mut Authenticator, &str)) -> String {
        self.cookie.clear();
        let page = self.get("/");
        let ask = field(&page, "name=\"ask\" value=\"");
        let form = signed(&ask, seat, (phone, name));
        self.enter_by(&form)
    }

    /// The same with a form that was made before.
    fn enter_by(&mut self, (ask, handle, said): &(String, String, Assertion)) -> String {
        let answer = self.answers("/sign-in", ask, (handle, said));
        if let Some(line) = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")) {
            self.cookie = line.split(';').next().unwrap().to_owned();
        }
        answer
    }

    fn answers(&self, path: &str, ask: &str, (handle, said): (&str, &Assertion)) -> String {
        let form = format!(
            "ask={ask}&credential_id={handle}&authenticator_data={}&client_data={}&signature={}",
            said.authenticator_data, said.client_data, said.signature
        );
        let heads = format!("host: {HOST}\r\norigin: {ORIGIN}\r\n");
        self.ask("POST", path, &heads, &form)
    }

    fn begin(&self, method: &str, path: &str, heads: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.view.address).unwrap();
        let text = format!(
            "{method} {path} HTTP/1.1\r\n{heads}cookie: {}\r\ncontent-length: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    fn ask(&self, method: &str, path: &str, heads: &str, body: &str) -> String {
        let mut said = String::new();
        self.begin(method, path, heads, body).read_to_string(&mut said).unwrap();
        said
    }

    /// A page, digests and addresses in one piece.
    pub(crate) fn get(&self, path: &str) -> String {
        let said = self.ask("GET", path, &format!("host: {HOST}\r\n"), "");
        said.replace("</span><wbr><span class=\"group\">", "")
    }

    /// A stream of what happens from here on.
    fn events(&self) -> TcpStream {
        self.events_at("/events")
    }

    fn events_at(&self, path: &str) -> TcpStream {
        let mut stream = self.begin("GET", path, &format!("host: {HOST}\r\n"), "");
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        stream
    }
}

/// What stands in a page from these letters to the next quote.
fn field(page: &str, letters: &str) -> String {
    let found = page.split(letters).nth(1).and_then(|rest| rest.split('"').next());
    found.unwrap_or_else(|| panic!("{letters} in {page}")).to_owned()
}

/// Waits until a page is told that something changed.
fn changed(mut events: TcpStream) {
    let (mut said, mut piece) = (String::new(), [0; 1024]);
    while !said.contains("event: changed") {
        let count = events.read(&mut piece).unwrap();
        assert!(count > 0, "the stream ended: {said}");
        said.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
}

/// Whether an address stands in a page, however its letters are written.
pub(crate) fn names(page: &str, account: &quorate_terms::AccountId) -> bool {
    page.to_ascii_lowercase().contains(&account.address().to_ascii_lowercase())
}

#[test]
fn a_question_of_signing_in_is_answered_once_and_only_where_it_was_asked() {
    let mut vault = Vault::new();
    let mut browser = vault.open();
    let asked = |browser: &Browser| field(&browser.get("/"), "name=\"ask\" value=\"");
    let (first, waiting) = (asked(&browser), asked(&browser));
    let once = signed(&first, &vault.seat, (&mut vault.phone, "cy-phone"));
    let answer = browser.enter_by(&once);
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    browser.cookie.clear();
    let again = browser.enter_by(&once);
    assert!(again.starts_with("HTTP/1.1 409") && again.contains("not open"), "{again}");
    // A name that nobody asked under, rightly signed.
    let (start, _) = first.rsplit_once('-').unwrap();
    for made_up in [format!("{start}-{}", Digest::ZERO), "now".to_owned()] {
        let form = signed(&made_up, &vault.seat, (&mut vault.phone, "cy-phone"));
        let answer = browser.enter_by(&form);
        assert!(answer.starts_with("HTTP/1.1 409") && answer.contains("not open"), "{answer}");
    }
    // Another process asks for itself.
    drop(browser);
    let mut after = vault.open();
    let form = signed(&waiting, &vault.seat, (&mut vault.phone, "cy-phone"));
    let answer = after.enter_by(&form);
    assert!(answer.starts_with("HTTP/1.1 409") && answer.contains("not open"), "{answer}");
}

#[test]
fn t03_the_view_goes_on_showing_whom_the_money_was_asked_for_when_its_desk_begins_to_lie() {
    let mut vault = Vault::new();
    let browser = vault.serve();
    let page = browser.get(&vault.page());
    assert!(page.starts_with("HTTP/1.1 200") && names(&page, &recipient()), "{page}");
    assert!(!page.contains("the desk: "), "{page}");
    let path = field(&page, "data-live=\"");
    assert!(path.starts_with("/events?seen="), "{path}");
    // Made when the book or the desk was otherwise than now.
    changed(browser.events_at(&format!("/events?seen={}", Digest::ZERO)));
    let events = browser.events_at(&path);
    vault.lie();
    changed(events);
    for path in ["/".to_owned(), vault.page()] {
        let page = browser.get(&path);
        assert!(page.contains("the desk: "), "the lie is told: {page}");
        assert!(!names(&page, &other_recipient()), "{page}");
    }
    assert!(names(&browser.get(&vault.page()), &recipient()));
    let kept = std::fs::read_dir(vault.dir.path().join("home")).unwrap();
    let kept = kept
        .filter(|one| one.as_ref().unwrap().file_name().to_str().unwrap().starts_with("evidence-"));
    assert_eq!(kept.count(), 1, "the lie that the desk signed is kept");
}

#[test]
fn t03_a_view_that_hears_only_the_lie_shows_no_case_and_no_thief() {
    let mut vault = Vault::new();
    vault.lie();
    let browser = vault.serve();
    let page = browser.get(&vault.page());
    assert!(page.starts_with("HTTP/1.1 404") && !names(&page, &other_recipient()), "{page}");
    let page = browser.get("/");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("void entry"), "{page}");
    assert!(!names(&page, &other_recipient()), "{page}");
}

#[test]
fn a_stand_in_approves_at_the_view_with_a_passkey_of_their_own_until_it_is_taken_back() {
    let (vault, mut phone) = (Vault::new(), Authenticator::new());
    let mut browser = vault.open();
    let early = browser.enter(&vault.seat, (&mut phone, "sam-phone"));
    assert!(early.starts_with("HTTP/1.1 401"), "nobody agreed to it yet: {early}");
    let mut another = Authenticator::new();
    let given = vault.delegate(&phone);
    drop(browser);
    let mut browser = vault.open();
    let stranger = browser.enter(&vault.seat, (&mut another, "sam-phone"));
    assert!(stranger.starts_with("HTTP/1.1 401"), "{stranger}");
    let entered = browser.enter(&vault.seat, (&mut phone, "sam-phone"));
    assert!(entered.starts_with("HTTP/1.1 303"), "{entered}");
    let page = browser.get(&vault.page());
    assert!(page.contains("you stand in for"), "{page}");
    let path = format!("{}/word", vault.page());
    let form = page.split(&format!("action=\"{path}\"")).nth(1).unwrap();
    let mut said = Said::at(&vault.seat, &Digest::ZERO);
    said.challenge = field(form, "data-challenge=\"");
    let ask = field(form, "name=\"ask\" value=\"");
    let taken = browser.answers(&path, &ask, ("", &phone.asserts(&said)));
    assert!(taken.starts_with("HTTP/1.1 303"), "{taken}");
    {
        let desk = vault.desk.0.lock().unwrap();
        let case = desk.house.case(&vault.case);
        assert!(case.approvals.is_empty());
        assert_eq!(case.stand_ins.len(), 1);
    }
    let events = browser.events();
    vault.does(Action::EndDelegation { delegation: given.id });
    changed(events);
    for path in ["/".to_owned(), vault.page()] {
        let page = browser.get(&path);
        assert!(
            page.starts_with("HTTP/1.1 409"),
            "{path} is for nobody who stands in no more: {page}"
        );
    }
    let over = browser.enter(&vault.seat, (&mut phone, "sam-phone"));
    assert!(over.starts_with("HTTP/1.1 401"), "{over}");
}

#[test]
fn row_47_the_view_answers_under_its_own_name_alone() {
    let mut vault = Vault::new();
    let browser = vault.serve();
    for path in ["/", "/events", &vault.page()] {
        for host in ["evil.example", "localhost", "127.0.0.1:7800", ""] {
            let said = browser.ask("GET", path, &format!("host: {host}\r\n"), "");
            assert!(said.starts_with("HTTP/1.1 403"), "{host} {path}: {said}");
            assert!(!said.contains("event:") && !names(&said, &recipient()), "{said}");
        }
    }
    for origin in ["http://evil.example", "null", "http://localhost:7801"] {
        let heads = format!("host: {HOST}\r\norigin: {origin}\r\n");
        let said = browser.ask("POST", "/sign-out", &heads, "");
        assert!(said.starts_with("HTTP/1.1 403"), "{origin}: {said}");
    }
    assert!(browser.get(&vault.page()).starts_with("HTTP/1.1 200"), "cy is signed in still");
}

#[test]
fn row_46_a_running_view_leaves_no_core() {
    let mut vault = Vault::new();
    let browser = vault.serve();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", browser.view.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
    // Whoever may not raise a limit may have been started with none to lower; the mask is the view's own in any case.
    let status = std::fs::read_to_string(format!("/proc/{}/status", browser.view.id())).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap();
    assert_eq!(mask.trim(), "0077");
}

#[test]
fn whoever_runs_the_view_lists_sessions_on_its_machine_and_ends_one_or_all() {
    let mut vault = Vault::new();
    let dir = vault.dir.path().to_owned();
    let at = |words: &[&str]| tool(&dir, &[&["--json", "view"], words].concat(), "");
    for words in [&["sessions"][..], &["end-session", "--all"]] {
        let away = at(words);
        assert_eq!((away.code, away.trouble()), (2, "not_serving".to_owned()), "{words:?}");
    }
    let mut browser = vault.serve();
    let socket = std::fs::metadata(dir.join("home/run/view.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600, "no other user reaches it");
    let open = at(&["sessions"]).good().json();
    let [one] = open["sessions"].as_array().unwrap().as_slice() else { panic!("{open}") };
    assert!(one["approver"] == "cy" && one["passkey"] == "cy-phone", "{one}");
    let name = one["session"].as_str().unwrap();
    for wrong in ["", "abc", "zzzzzzzz", "0000000000000000"] {
        let said = at(&["end-session", wrong]);
        assert_eq!((said.code, said.trouble()), (1, "unknown_session".to_owned()), "{wrong}");
    }
    for wrong in [&["end-session"][..], &["end-session", name, "--all"]] {
        assert_ne!(at(wrong).code, 0, "{wrong:?}");
    }
    assert!(browser.get("/sessions").starts_with("HTTP/1.1 200"), "nobody was signed out");
    let ended = at(&["end-session", name.split_at(12).0]).good().json();
    assert_eq!(ended["sessions"][0]["session"], name);
    assert!(browser.get("/sessions").starts_with("HTTP/1.1 401"), "signed out");
    vault.sign_in(&mut browser);
    assert!(browser.get("/sessions").starts_with("HTTP/1.1 200"));
    assert_eq!(at(&["end-session", "--all"]).good().json()["sessions"][0]["approver"], "cy");
    assert!(browser.get("/sessions").starts_with("HTTP/1.1 401"), "signed out again");
    assert_eq!(at(&["sessions"]).good().json()["sessions"], serde_json::json!([]));
}
