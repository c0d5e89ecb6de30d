//! What a node adds to a case, and what a node that lies, is slow or never ends cannot take from it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use quorate_terms::AccountId;
use serde_json::{Value, json};

use super::house::{CHAIN, House, MILLI, id, other_recipient, recipient};
use super::office::Office;
use super::served::{Vault, names};

const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const APPROVAL: &str = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925";

/// What a node does with a question.
enum Does {
    /// Answers it.
    Answers(Value),
    /// Says these bytes and hangs up.
    Says(String),
    /// Says nothing, as long as it is waited for.
    Waits,
    /// Begins to answer and never ends.
    Floods,
}

/// A node on this machine, by what it does with each method. Gives the words that name it.
fn node(does: impl Fn(&str) -> Does + Send + 'static) -> [String; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("{CHAIN}=http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let Some(asked) = question(&mut socket) else { continue };
            match does(asked["method"].as_str().unwrap()) {
                Does::Answers(result) => {
                    let body = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
                    say(&mut socket, &format!("content-length: {}\r\n\r\n{body}", body.len()));
                }
                Does::Says(text) => drop(socket.write_all(text.as_bytes())),
                // Until whoever asks gives up.
                Does::Waits => drop(socket.read(&mut [0; 1])),
                Does::Floods => {
                    say(&mut socket, "transfer-encoding: chunked\r\n\r\n");
                    let piece = format!("10000\r\n{}\r\n", " ".repeat(65_536));
                    while socket.write_all(piece.as_bytes()).is_ok() {}
                }
            }
        }
    });
    ["--node".to_owned(), url]
}

fn say(socket: &mut TcpStream, rest: &str) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let _they_may_have_left = socket.write_all(format!("{head}{rest}").as_bytes());
}

/// The body of one request.
fn question(socket: &mut TcpStream) -> Option<Value> {
    let (mut said, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = socket.read(&mut piece).ok().filter(|count| *count > 0)?;
        said.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&said).into_owned();
        let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
        if let Ok(asked) = serde_json::from_str(body) {
            return Some(asked);
        }
    }
}

/// A node of the right chain that simulates like this.
fn simulator(simulated: impl Fn() -> Does + Send + 'static) -> [String; 2] {
    node(move |method| match method {
        "eth_chainId" => Does::Answers(json!("0x7a69")),
        "eth_simulateV1" => simulated(),
        other => panic!("asked {other}"),
    })
}

/// The answer to a payment of the chain's own coin.
fn answer(status: &str, returned: &str, logs: &Value) -> Value {
    let call =
        json!({ "returnData": returned, "logs": logs, "gasUsed": "0x5208", "status": status });
    json!([{ "number": "0x10", "calls": [call] }])
}

fn topic(account: &AccountId) -> String {
    format!("0x{:0>64}", account.address().to_ascii_lowercase().trim_start_matches("0x"))
}

fn event(at: &str, topics: &[&str], units: u128) -> Value {
    json!({ "address": at, "topics": topics, "data": format!("0x{units:064x}") })
}

const COIN: &str = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";

fn wallet(house: &House) -> AccountId {
    house.book.wallet(&id("ops")).unwrap().accounts[&id(CHAIN)].clone()
}

/// The page of the case at a view with this node.
fn page(words: &[String]) -> String {
    let mut vault = Vault::new();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let browser = vault.serve_with(&words);
    let page = browser.get(&vault.page());
    assert!(page.starts_with("HTTP/1.1 200") && names(&page, &recipient()), "{page}");
    assert!(page.contains("Approve with your passkey"), "whatever a node does: {page}");
    page
}

#[test]
fn a_view_without_a_node_says_that_nothing_was_simulated() {
    let page = page(&[]);
    assert!(page.contains("not simulated: this view has no node of its own; name one with"));
    assert!(!page.contains("simulation: "), "that is no warning: {page}");
}

#[test]
fn a_node_that_sees_nothing_unusual_adds_the_changes_and_no_warning() {
    let mut vault = Vault::new();
    let (from, to) = (topic(&wallet(&vault.desk.0.lock().unwrap().house)), topic(&recipient()));
    let node = simulator(move || {
        let paid = event(COIN, &[TRANSFER, &from, &to], 2_000 * MILLI);
        Does::Answers(answer("0x1", "0x", &json!([paid])))
    });
    let browser = vault.serve_with(&node.each_ref().map(String::as_str));
    let page = browser.get(&vault.page());
    for part in ["What a simulation shows", "no difference from", "in block 16", "advice", "-2 DEV"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("simulation: "), "{page}");
}

#[test]
fn an_event_that_is_not_understood_is_no_clean_bill() {
    let mut vault = Vault::new();
    let (from, to) = (topic(&wallet(&vault.desk.0.lock().unwrap().house)), topic(&recipient()));
    let node = simulator(move || {
        let paid = event(COIN, &[TRANSFER, &from, &to], 2_000 * MILLI);
        // What ERC-1155 tells when one of its tokens leaves.
        let single = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
        let token = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
        let left = event(token, &[single, &from, &from, &to], 1);
        Does::Answers(answer("0x1", "0x", &json!([paid, left])))
    });
    let browser = vault.serve_with(&node.each_ref().map(String::as_str));
    let page = browser.get(&vault.page());
    for part in
        ["no difference in what is understood; events that are not: 1", "not understood here"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("no difference from what"), "{page}");
}

#[test]
fn t03_a_node_that_tells_of_a_thief_warns_and_takes_nothing_from_what_is_signed() {
    let mut vault = Vault::new();
    let (from, thief) =
        (topic(&wallet(&vault.desk.0.lock().unwrap().house)), topic(&other_recipient()));
    let node = simulator(move || {
        let paid = event(COIN, &[TRANSFER, &from, &thief], 2_000 * MILLI);
        let token = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
        let allowed = event(token, &[APPROVAL, &from, &thief], 7);
        Does::Answers(answer("0x1", "0x", &json!([paid, allowed])))
    });
    let plain = vault.serve_with(&[]).get(&vault.page());
    let page = vault.serve_with(&node.each_ref().map(String::as_str)).get(&vault.page());
    for part in ["somebody else receives", "it lets somebody take more", "changes by 0 DEV"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(names(&page, &recipient()) && names(&page, &other_recipient()), "{page}");
    let seen = |page: &str| {
        let rest = page.split("Digest of the words above").nth(1).unwrap().to_owned();
        rest.split("</details>").next().unwrap().to_owned()
    };
    assert_eq!(seen(&plain), seen(&page), "what is signed to have been seen is the decoded case");
}

#[test]
fn row_45_what_a_contract_says_of_its_failure_is_outside_text() {
    let words = "<script>alert(1)</script>\u{202e}ok";
    let said = format!("08c379a0{:064x}{:064x}{}", 32, words.len(), hex::encode(words));
    let node = simulator(move || Does::Answers(answer("0x0", &format!("0x{said}"), &json!([]))));
    let page = page(&node);
    assert!(page.contains("simulation: the transaction would fail: the contract says: "), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
}

#[test]
fn a_node_that_says_nothing_holds_no_page_up() {
    let begun = Instant::now();
    let page = page(&node(|_| Does::Waits));
    assert!(page.contains("not simulated: the node did not answer in time"), "{page}");
    // Two seconds for the node; the rest is for starting and signing in.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_node_that_never_ends_its_answer_is_left_and_warned_of() {
    let page = page(&simulator(|| Does::Floods));
    assert!(page.contains("simulation: the node&#39;s answer is larger"), "{page}");
}

#[test]
fn row_55_a_node_that_sends_elsewhere_is_not_followed() {
    let sink = TcpListener::bind("127.0.0.1:0").unwrap();
    sink.set_nonblocking(true).unwrap();
    let away = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\
         connection: close\r\n\r\n",
        sink.local_addr().unwrap()
    );
    let page = page(&node(move |_| Does::Says(away.clone())));
    assert!(page.contains("is no JSON-RPC"), "{page}");
    assert!(sink.accept().is_err(), "nobody came");
}

#[test]
fn the_node_of_another_chain_is_told_and_asked_no_more() {
    let page = page(&node(|method| match method {
        "eth_chainId" => Does::Answers(json!("0x1")),
        other => panic!("asked {other}"),
    }));
    assert!(
        page.contains("simulation: the node is of chain 1; name a node of eip155:31337"),
        "{page}"
    );
}

#[test]
fn answers_that_make_no_sense_are_warned_of() {
    for result in [json!(null), json!([]), answer("0x2", "0x", &json!([])), json!("0x7a69")] {
        let page = page(&simulator(move || Does::Answers(result.clone())));
        assert!(page.contains("simulation: the node&#39;s answer "), "{page}");
    }
}

#[test]
fn the_command_line_shows_the_same_below_the_case() {
    let office = Office::new();
    let case = office.asked().to_string();
    let node = simulator(|| Does::Answers(answer("0x1", "0x", &json!([]))));
    let words = ["show", &case, &node[0], &node[1]];
    let shown = office.run(&words).good().json();
    let warnings = shown["simulation"]["warnings"].to_string();
    assert!(warnings.contains("the recipient's balance changes by 0 DEV"), "{warnings}");
    let said = office.plain(&words).good().out;
    let (before, after) = said.split_once("simulation, which is advice").unwrap();
    assert!(before.contains("intent digest") && after.contains("! simulation: "), "{said}");

    let bare = office.run(&["show", &case]).good().json();
    assert_eq!(bare["display"], shown["display"], "no word signs for a simulation");
    let why = bare["simulation"]["rows"].to_string();
    assert!(why.contains("this machine has no node of its own"), "{why}");
    let bad = office.run(&["show", &case, "--node", "eip155:1=http://node.example/s3cret"]);
    assert!(bad.code != 0 && !bad.out.contains("s3cret") && !bad.err.contains("s3cret"));
}
