//! Each check of the doctor: what it looks at is broken, and the mend is told.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::canned::Desk;
use crate::common::{Done, House, run};

/// The findings that are not `ok`, as `what: found; mend`.
fn wrong(done: &Done) -> Vec<String> {
    let findings = done.json()["findings"].as_array().unwrap().clone();
    let wrong = findings.iter().filter(|finding| finding["grade"] != "ok");
    wrong
        .map(|f| format!("{}: {}; {}", text(&f["what"]), text(&f["found"]), text(&f["mend"])))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether one of the findings holds all of these parts.
fn tells(wrong: &[String], parts: &[&str]) -> bool {
    wrong.iter().any(|line| parts.iter().all(|part| line.contains(part)))
}

/// What a check of a running vault reads, what it finds there instead, and parts of the finding.
type Broken = (&'static str, Value, &'static [&'static str]);

fn of_the_status() -> Vec<Broken> {
    vec![
        ("/charter", json!("0".repeat(64)), &["charter", "in force is", "charter.json"]),
        ("/writes", json!(false), &["disk", "takes no writes", "free space"]),
        ("/cosigners/0/up", json!(false), &["cosigner c1", "down", "quorate-cosigner run"]),
        ("/cosigners/0/clock_offset_ms", json!(-2001), &["cosigner c1", "-2001 ms", "NTP"]),
        ("/cosigners/0/trouble", json!("frozen"), &["c1", "frozen", "quorate-cosigner status"]),
        ("/cosigners/0/size", json!(6), &["cosigner c1", "behind", "look again"]),
        (
            "/chains/eip155:31337",
            json!({ "Err": "it is of chain 1" }),
            &["chain eip155:31337", "it is of chain 1", "check the node"],
        ),
        ("/wallets/0/barred", json!("c2"), &["wallet ops", "c2 is barred", "recovery plan"]),
        (
            "/wallets/0/accounts",
            json!({ "eip155:1": "eip155:1:0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" }),
            &["wallet ops", "proven by c2", "quorate-cosigner backup make", "at c2"],
        ),
        ("/voids", json!([[5, "2".repeat(64)]]), &["book", "entry 5", "quorate-approvals resume"]),
        ("/alerts/0/rule", json!("void_entry"), &["void_entry", "quorate-approvals resume"]),
        ("/alerts/0/rule", json!("rollback"), &["rollback", "cosigner's replica"]),
        ("/alerts/0/rule", json!("tools_changed"), &["tools_changed", "compare the tool list"]),
        ("/alerts/0/rule", json!("repeated_abort"), &["repeated_abort", "quorate-cosigner status"]),
        ("/alerts/0/rule", json!("foreign_session"), &["foreign_session", "revoke it"]),
        ("/alerts/0/rule", json!("finality_disputed"), &["finality_disputed", "another"]),
        (
            "/alerts/0/rule",
            json!("new_rule"),
            &["new_rule", "find out why", "alert close 33333333"],
        ),
    ]
}

#[test]
fn each_thing_that_breaks_in_a_running_vault_is_found_with_its_mend() {
    let whole = wrong(&Desk::new(&[]).run(&["--json", "doctor"]));
    assert!(tells(&whole, &["checkpoint", "none yet", "start the cosigners"]), "{whole:?}");
    assert!(tells(&whole, &["freeze", "wallet:ops", "quorate unfreeze"]), "{whole:?}");
    for (pointer, value, parts) in of_the_status() {
        assert!(
            !tells(&whole, parts),
            "{pointer} is found in a vault where it is whole: {whole:?}"
        );
        let desk = Desk::telling(|status| *status.pointer_mut(pointer).unwrap() = value);
        let done = desk.run(&["--json", "doctor"]);
        assert!(tells(&wrong(&done), parts), "{pointer}: {parts:?} in {:?}", wrong(&done));
        assert_eq!(done.code, 1, "{pointer}");
    }
}

/// A node that answers each question with one body. It ends with the test's process.
fn node(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut asked = [0; 4096];
            drop(socket.read(&mut asked));
            let length = body.len();
            drop(write!(
                socket,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{body}"
            ));
        }
    });
    url
}

#[test]
fn a_node_of_another_chain_or_that_is_none_is_found_with_its_mend() {
    for (body, parts) in [
        (r#"{"jsonrpc":"2.0","id":1,"result":"0x7a69"}"#, None),
        (r#"{"jsonrpc":"2.0","id":1,"result":"0x1"}"#, Some(["of chain 1", "right chain"])),
        (r#"{"jsonrpc":"2.0","id":1,"error":{}}"#, Some(["no chain id", "mend its address"])),
        ("<html>", Some(["no JSON", "mend its address"])),
    ] {
        let house = House::new();
        let chain = format!("eip155:31337={}", node(body));
        assert!(house.init(&["--chain", &chain]).ok());
        let done = run(&["--json", "doctor", "--dir", house.desk().to_str().unwrap()]);
        match parts {
            Some(parts) => assert!(tells(&wrong(&done), &parts), "{body}: {done:?}"),
            None => assert!(!tells(&wrong(&done), &["node eip155:31337"]), "{body}: {done:?}"),
        }
    }
}

#[test]
fn each_file_of_a_desk_that_is_not_in_order_is_found_with_its_mend() {
    type Break = fn(&std::path::Path);
    let breaks: [(Break, &[&str]); 10] = [
        (|desk| chmod(desk, 0o755), &["folder", "open to others", "chmod 700"]),
        (|desk| chmod(&desk.join("keys"), 0o750), &["folder", "keys", "chmod 700"]),
        (|desk| chmod(&desk.join("keys/log.seed"), 0o644), &["key", "log.seed", "chmod 600"]),
        (|desk| fs::remove_file(desk.join("keys/link.seed")).unwrap(), &["key", "link.seed"]),
        (|desk| chmod(&desk.join("desk.toml"), 0o622), &["file", "by others", "chmod 600"]),
        (|desk| append(&desk.join("desk.toml"), "\nlisten = 1\n"), &["configuration", "listen"]),
        (|desk| fs::write(desk.join("charter.json"), "{}").unwrap(), &["charter.json", "missing"]),
        (
            |desk| fs::remove_file(desk.join("charter.json")).unwrap(),
            &["charter.json", "check the path"],
        ),
        (
            |desk| in_data(desk, "balances.history"),
            &["balances", "is cut short", "start the desk", "begins anew"],
        ),
        (|desk| in_data(desk, "balances.unread"), &["balances", "began anew", "delete"]),
    ];
    for (number, (broken, parts)) in breaks.into_iter().enumerate() {
        let house = House::new();
        assert!(house.init(&[]).ok());
        let doctor = || run(&["--json", "doctor", "--dir", house.desk().to_str().unwrap()]);
        assert!(!tells(&wrong(&doctor()), parts), "{number}: {parts:?} while it is whole");
        broken(&house.desk());
        let done = doctor();
        assert!(done.code == 1 && tells(&wrong(&done), parts), "{number}: {parts:?} in {done:?}");
        let desk_is_down = ["desk", "quorate up --dir"];
        assert!(tells(&wrong(&done), &desk_is_down), "{done:?}");
    }
}

fn in_data(desk: &std::path::Path, file: &str) {
    fs::create_dir_all(desk.join("data")).unwrap();
    fs::write(desk.join("data").join(file), "x").unwrap();
}

fn chmod(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn append(path: &std::path::Path, text: &str) {
    let mut whole = fs::read_to_string(path).unwrap();
    whole.push_str(text);
    fs::write(path, whole).unwrap();
}
