//! Signing in at the console of a whole desk through a provider, on real sockets: who is let in, that they only look, and when
//! it ends.

use super::console::{Visitor, question, served};
use super::people::admitted;
use super::*;
use crate::config::ConsoleConfig;
use crate::desk::oauth::openid::tests::Loopback;
use quorate_terms::credential::{Band, Role, subject_digest};
use std::net::SocketAddr;

const BEGIN: &str = "/sign-in/provider";
const END: &str = "/sign-out/provider";

/// Admits a subject of the provider as a person in a role.
async fn admit(room: &Room, provider: &Loopback, who: &str, role: Option<Role>) {
    let mut credential = credential(who, room.clock.now().plus_s(30 * 86_400));
    credential.token = subject_digest(&provider.issuer, who).unwrap();
    credential.role = role;
    credential.owner = id(who);
    credential.band = Band::Read;
    if role.is_some() {
        credential.wallets.clear();
    }
    room.administer(Action::IssueCredential { credential }).await;
}

async fn opened(room: &Room, provider: &Loopback) -> SocketAddr {
    let openid = Some(provider.config());
    served(room, ConsoleConfig { openid, ..ConsoleConfig::default() }).await
}

/// What a header says in an answer, each time that it stands there.
fn header<'a>(said: &'a str, name: &str) -> Vec<&'a str> {
    let head = said.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// How the line of a cookie of this name begins at a console on plain loopback.
fn cookie(name: &str, address: SocketAddr) -> String {
    format!("{name}-{}=", address.port())
}

/// A browser that has set out to the provider, and where it was sent.
async fn begun(address: SocketAddr) -> (Visitor, String) {
    let (status, said) = Visitor { address, cookie: String::new() }.gets(BEGIN).await;
    assert_eq!(status, 303, "{said}");
    let line = header(&said, "set-cookie")[0];
    let named = cookie("quorate-sign-in", address);
    for word in [named.as_str(), "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(line.contains(word), "{line}");
    }
    let cookie = line.split(';').next().unwrap().to_owned();
    (Visitor { address, cookie }, header(&said, "location")[0].to_owned())
}

/// The path at which the provider sends a browser back.
fn path(back: &str) -> &str {
    back.find("/sign-in").map(|at| back.split_at(at).1).unwrap()
}

/// Goes all the way; gives the browser with its session, or what it was told instead.
async fn through(address: SocketAddr, provider: &Loopback) -> Result<Visitor, (u16, String)> {
    let (browser, sent) = begun(address).await;
    let (status, said) = browser.gets(path(&provider.signed_in(&sent))).await;
    let cookies = header(&said, "set-cookie");
    let taken_back = format!("{};", cookie("quorate-sign-in", address));
    assert!(cookies.iter().any(|line| line.starts_with(&taken_back)), "{said}");
    let session = cookie("quorate-console", address);
    match cookies.iter().find(|line| line.starts_with(&session)) {
        Some(line) => {
            assert!(status == 200 && line.contains("SameSite=Strict"), "{said}");
            Ok(Visitor { address, cookie: line.split(';').next().unwrap().to_owned() })
        }
        None => Err((status, said)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_in_through_the_provider_looks_whatever_their_role_in_the_book() {
    let room = Room::new().await;
    let provider = Loopback::start_at("vera", room.clock.clone()).await;
    for (who, role) in [("vera", Role::Viewer), ("otto", Role::Operator)] {
        admit(&room, &provider, who, Some(role)).await;
    }
    let address = opened(&room, &provider).await;
    let bare = Visitor { address, cookie: String::new() };
    assert!(bare.gets("/").await.1.contains(&format!("href=\"{BEGIN}\"")), "it is offered");
    for who in ["vera", "otto"] {
        provider.speaks_of(who);
        let browser = through(address, &provider).await.unwrap();
        let (status, page) = browser.gets("/").await;
        assert!(status == 200 && page.contains("(viewer, through the provider)"), "{page}");
        for path in ["/freeze", "/transfer", "/policy", "/people", "/alerts"] {
            let (status, page) = browser.gets(path).await;
            assert!(status == 200 && question(&page).is_none(), "{who} {path}: {page}");
        }
        let typed = "wallet=ops&asset=x&to=x&amount=1&fee_ceiling=1&memo=";
        for (path, body) in [("/file", "ask=x"), ("/transfer", typed), ("/policy", "policy=x")] {
            let (status, said) = browser.posts(path, body).await;
            assert!(status == 403 && said.contains("looks and files nothing"), "{path}: {said}");
        }
        assert_eq!(browser.posts("/sign-out", "").await.0, 303);
        assert_eq!(browser.gets("/ledger").await.0, 401, "signed out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_the_book_does_not_know_is_told_what_to_ask_for_and_an_agent_is_no_person() {
    let room = Room::new().await;
    let provider = Loopback::start_at("bot", room.clock.clone()).await;
    admit(&room, &provider, "bot", None).await;
    let address = opened(&room, &provider).await;
    for who in ["bot", "mallory", "a'b", "'; rm x; '"] {
        provider.speaks_of(who);
        let (status, said) = through(address, &provider).await.err().unwrap();
        assert!(status == 401 && said.contains("quorate member new"), "{said}");
        // One word for a shell, whatever the provider calls them; and then as a page writes it.
        let word = format!("'{}#{}'", provider.issuer, who.replace('\'', "'\\''"));
        let word = format!("--subject {}", word.replace('\'', "&#39;"));
        assert!(said.contains(&word), "{word}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_attests_or_deals_with_anything_by_the_word_of_a_provider() {
    let room = Room::new().await;
    let provider = Loopback::start_at("vera", room.clock.clone()).await;
    for (who, role) in [("vera", Role::Viewer), ("otto", Role::Operator)] {
        admit(&room, &provider, who, Some(role)).await;
    }
    let token = admitted(&room, "olga", Role::Operator).await;
    let address = opened(&room, &provider).await;
    let olga = Visitor::signed_in(address, token).await.unwrap();
    let (_, page) = olga.gets("/people").await;
    let form = format!("ask={}&person=p-dee&change=joiner&post=auditor", question(&page).unwrap());
    let (status, said) = olga.posts("/people/open", &form).await;
    assert_eq!(status, 303, "{said}");
    let list = header(&said, "location")[0];
    assert!(question(&olga.gets(list).await.1).is_some(), "with her own token she may attest");
    for who in ["vera", "otto"] {
        provider.speaks_of(who);
        let browser = through(address, &provider).await.unwrap();
        let (status, page) = browser.gets(list).await;
        assert!(status == 200 && question(&page).is_none(), "{who}: {page}");
        assert!(page.contains("sign in with the token of your credential"), "{who}: {page}");
        for (path, body) in [
            (format!("{list}/attest"), "ask=x&item=training&reference="),
            (format!("{list}/close"), "ask=x&withdraw=yes"),
            ("/people/open".to_owned(), "ask=x&person=p-eve&change=leaver&post=viewer"),
            ("/alerts/x/deal".to_owned(), "ask=x"),
            ("/cases/x/replace".to_owned(), "ask=x"),
        ] {
            let (status, said) = browser.posts(&path, body).await;
            let words = "whoever signed in through the provider";
            assert!(status == 403 && said.contains(words), "{who} {path}: {said}");
        }
    }
    let attested = |body: &Body| matches!(body, Body::ChecklistAttested(_));
    assert!(!room.entries().await.iter().any(attested));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_of_another_site_and_no_typed_address_sends_anybody_to_sign_in() {
    let room = Room::new().await;
    let provider = Loopback::start_at("vera", room.clock.clone()).await;
    admit(&room, &provider, "vera", Some(Role::Viewer)).await;
    let olga = admitted(&room, "olga", Role::Operator).await;
    let address = opened(&room, &provider).await;
    let olga = Visitor::signed_in(address, olga).await.unwrap();
    let both = "same-origin\r\nsec-fetch-site: cross-site";
    // `none`: somebody typed the address, or opened a link in a mail.
    for site in ["cross-site", "same-site", "none", "", both] {
        let (status, said) = olga.comes_from(BEGIN, site).await;
        assert!(status == 403 && header(&said, "set-cookie").is_empty(), "{site}: {said}");
        assert!(header(&said, "location").is_empty(), "{site}: {said}");
        assert!(said.contains("go to the first page and sign in there"), "{site}: {said}");
    }
    let (status, said) = olga.comes_from(BEGIN, "same-origin").await;
    assert!(status == 303 && header(&said, "set-cookie").len() == 1, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_came_through_the_provider_may_sign_out_there_too_and_no_other_site_sends_them() {
    let room = Room::new().await;
    let provider = Loopback::start_at("vera", room.clock.clone()).await;
    provider.signs_out_at("https://login.example/out");
    admit(&room, &provider, "vera", Some(Role::Viewer)).await;
    let olga = admitted(&room, "olga", Role::Operator).await;
    let address = opened(&room, &provider).await;
    let vera = through(address, &provider).await.unwrap();
    let (status, said) = vera.posts("/sign-out", "").await;
    assert!(status == 200 && said.contains(&format!("href=\"{END}\"")), "{said}");
    assert!(said.contains("You are signed out of the console") && !said.contains("login.example"));
    let taken_back = cookie("quorate-console", address);
    assert!(header(&said, "set-cookie")[0].starts_with(&format!("{taken_back};")), "{said}");
    assert_eq!(header(&said, "clear-site-data"), ["\"cache\""]);
    assert_eq!(vera.gets("/ledger").await.0, 401, "signed out here whatever comes of it there");
    for site in ["cross-site", "same-site", "none", "", "same-origin\r\nsec-fetch-site: cross-site"]
    {
        let (status, said) = vera.comes_from(END, site).await;
        assert!(status == 403 && header(&said, "location").is_empty(), "{site}: {said}");
    }
    let (status, said) = vera.comes_from(END, "same-origin").await;
    let sent = "https://login.example/out?client_id=quorate+console";
    assert!(status == 303 && header(&said, "location") == [sent], "{said}");
    let olga = Visitor::signed_in(address, olga).await.unwrap();
    let (status, said) = olga.posts("/sign-out", "").await;
    assert!(status == 303 && header(&said, "location") == ["/"], "with a token: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_to_sign_out_that_is_not_safe_is_neither_offered_nor_gone_to() {
    let room = Room::new().await;
    let provider = Loopback::start_at("vera", room.clock.clone()).await;
    provider.signs_out_at("http://login.example/out");
    admit(&room, &provider, "vera", Some(Role::Viewer)).await;
    let address = opened(&room, &provider).await;
    let vera = through(address, &provider).await.unwrap();
    let (status, said) = vera.posts("/sign-out", "").await;
    assert!(status == 303 && header(&said, "location") == ["/"], "{said}");
    let (status, said) = vera.gets(END).await;
    assert!(status == 404 && header(&said, "location").is_empty(), "{said}");
    assert_eq!(vera.gets("/ledger").await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_this_browser_did_not_ask_for_signs_nobody_in() {
    let room = Room::new().await;
    let provider = Loopback::start_at("vera", room.clock.clone()).await;
    admit(&room, &provider, "vera", Some(Role::Viewer)).await;
    let address = opened(&room, &provider).await;
    let (browser, sent) = begun(address).await;
    let (other, _) = begun(address).await;
    let back = provider.signed_in(&sent);
    let good = path(&back);
    let bare = Visitor { address, cookie: String::new() };
    let empty = Visitor { address, cookie: cookie("quorate-sign-in", address) };
    let (before, state) = good.split_once("&state=").unwrap();
    let iss = state.split_once('&').unwrap().1;
    let other_iss = good.replace(iss, "iss=https%3A%2F%2Fevil.example");
    let zeros = format!("{before}&state={}&{iss}", "0".repeat(64));
    let twice = format!("{good}&state=x");
    let without_code = good.replace("code=", "c=");
    for (who, path) in [
        (&other, good),
        (&bare, good),
        (&empty, good),
        (&browser, zeros.as_str()),
        (&browser, before),
        (&browser, &other_iss),
        (&browser, &twice),
        (&browser, &without_code),
        (&browser, &good.replace("code=", "code=x")),
        (&browser, "/sign-in/provider/back"),
        (&browser, "/sign-in/provider/back?error=access_denied&state=%00"),
    ] {
        let (status, said) = who.gets(path).await;
        assert!(status == 401 && said.contains("sign in again"), "{path}: {said}");
        assert!(!said.contains("set-cookie: quorate-console"), "{path}: {said}");
    }
    provider.says(vec![("nonce", "of another sign-in".into())]);
    assert_eq!(browser.gets(good).await.0, 401);
    provider.says(vec![]);
    assert_eq!(browser.gets(good).await.0, 200, "nothing else was wrong");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_through_the_provider_ends_with_its_credential_and_by_idling() {
    let room = Room::new().await;
    let provider = Loopback::start_at("vera", room.clock.clone()).await;
    admit(&room, &provider, "vera", Some(Role::Auditor)).await;
    let address = opened(&room, &provider).await;
    let browser = through(address, &provider).await.unwrap();
    room.later(14 * 60);
    assert_eq!(browser.gets("/ledger").await.0, 200);
    room.later(16 * 60);
    assert_eq!(browser.gets("/ledger").await.0, 401, "it idled");
    let browser = through(address, &provider).await.unwrap();
    assert_eq!(browser.gets("/ledger").await.0, 200);
    room.administer(Action::RevokeCredential { credential: id("cred-vera") }).await;
    assert_eq!(browser.gets("/ledger").await.0, 401, "it was revoked");
    assert!(through(address, &provider).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_without_a_provider_offers_none() {
    let room = Room::new().await;
    let address = served(&room, ConsoleConfig::default()).await;
    let bare = Visitor { address, cookie: String::new() };
    assert!(!bare.gets("/").await.1.contains(BEGIN));
    for path in [BEGIN, END] {
        assert_eq!(bare.gets(path).await.0, 404, "{path}");
    }
}
