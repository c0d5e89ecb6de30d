//! How answers of a desk are shown and what is asked of it, against a desk of canned answers on a real control socket.

#[cfg(test)]
mod canned;
#[cfg(test)]
mod common;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod people;
#[cfg(test)]
mod stdio;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use canned::{ACCOUNT, Desk, case};
use quorate_terms::Term as _;
use quorate_terms::charter::CharterText;
use serde_json::json;

#[test]
fn a_case_is_shown_with_its_counts_and_outside_text_cannot_forge_lines() {
    let desk = Desk::new(&[
        ("desk.cases", json!({ "Ok": [case(json!("await_approvals"))] })),
        ("desk.case", json!({ "Ok": case(json!("await_approvals")) })),
    ]);
    let shown = desk.run(&["case", "show", "abab"]);
    assert!(shown.ok(), "{shown:?}");
    for part in [
        "awaits approvals",
        "treasury: 1 of 2 (ann)",
        "large transfers take",
        "2023-11-14 22:13:20Z",
    ] {
        assert!(shown.stdout.contains(part), "{part} in {}", shown.stdout);
    }
    assert!(!shown.stdout.contains('\u{1b}') && !shown.stdout.contains("\nforged"), "{shown:?}");
    let list = desk.run(&["case", "list"]);
    assert_eq!(list.stdout.lines().count(), 2, "{list:?}");
    assert_eq!(desk.run(&["--json", "case", "list"]).json()[0]["kind"], "transfer");
    assert_eq!(desk.run(&["case", "show", "ffff"]).code, 2, "no such case");
}

#[test]
fn a_refusal_of_the_desk_is_told_with_what_to_do_next() {
    let refusal = json!({ "Err": { "code": "frozen", "message": "the vault is frozen", "next": "unfreeze it" } });
    let desk = Desk::new(&[("desk.file", refusal)]);
    let done = desk.run(&["freeze", "--scope", "vault"]);
    assert_eq!(done.code, 2);
    assert_eq!(done.stderr.trim(), "quorate: frozen: the vault is frozen; unfreeze it");
}

#[test]
fn a_transfer_takes_one_amount_and_a_known_asset_and_never_a_look_alike() {
    let desk = Desk::new(&[("desk.file", json!({ "Ok": case(json!("await_approvals")) }))]);
    let to = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    let base = ["transfer", "--wallet", "ops", "--fee-ceiling", "0.01"];
    let good = ["--asset", "ETH", "--to", to, "--amount", "1.5", "--key", "k1", "--memo", "rent"];
    let done = desk.run(&[&base[..], &good].concat());
    assert!(done.ok() && done.stdout.contains("key       k1"), "{done:?}");
    let asked = &desk.asked("desk.file")[0];
    assert_eq!(asked["action"]["amount"], "1500000000000000000");
    assert_eq!(asked["action"]["fee_ceiling"], "10000000000000000");
    assert_eq!(asked["openings"][0]["value"], "rent");
    assert!(!asked["action"].to_string().contains("rent"), "the intent holds a commitment only");
    for (bad, field) in [
        (vec!["--asset", "ETH", "--to", to], "amount: "),
        (vec!["--asset", "ETH", "--to", to, "--amount", "1", "--amount-wei", "1"], "amount: "),
        (vec!["--asset", "ETH", "--to", to, "--amount", "1e3"], "amount: "),
        (vec!["--asset", "ETH", "--to", to, "--amount-wei", "1.5"], "amount: "),
        (vec!["--asset", "ETH", "--to", to, "--amount", "0"], "amount: "),
        (vec!["--asset", "DOGE", "--to", to, "--amount", "1"], "asset: "),
        (vec!["--asset", "ETH", "--to", &to.to_lowercase(), "--amount", "1"], "address: "),
    ] {
        let done = desk.run(&[&base[..], &bad].concat());
        assert!(done.code == 2 && done.stderr.contains(field), "{bad:?} {done:?}");
    }
    // The same first and last four digits as our own account; the complaint about its checksum names the right one.
    let poisoned = "0xf39f000000000000000000000000000000002266";
    let send = |to: &str| {
        desk.run(&[&base[..], &["--asset", "ETH", "--amount", "1", "--to", to]].concat())
    };
    let told = send(poisoned).stderr;
    let right = told.split('`').find(|word| word.starts_with("0x")).unwrap();
    let refused = send(right);
    assert!(
        refused.code == 2 && refused.stderr.contains("looks like wallet account"),
        "{refused:?}"
    );
    assert_eq!(desk.asked("desk.file").len(), 1, "nothing malformed was filed");
}

#[test]
fn an_agents_token_is_written_0600_and_never_printed_or_sent() {
    let desk = Desk::new(&[("desk.file", json!({ "Ok": case(json!("await_approvals")) }))]);
    let file = desk.house.path("bot.token");
    let path = file.display().to_string();
    let args =
        ["agent", "new", "bot", "--band", "read,prepare,sign", "--wallet", "ops", "--owner", "ann"];
    let rest = ["--expires", "30d", "--token-file", path.as_str()];
    for json in [false, true] {
        let _old = fs::remove_file(&file);
        let voice: &[&str] = if json { &["--json"] } else { &[] };
        let done = desk.run(&[voice, &args, &rest].concat());
        assert!(done.ok(), "{done:?}");
        let token = fs::read_to_string(&file).unwrap();
        assert!(token.starts_with("qrt_") && token.len() == 47, "a token of the right form");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let secret = token.trim_start_matches("qrt_");
        assert!(!done.all().contains(secret), "the token was printed");
        let sent = desk.asked("desk.file").last().unwrap().clone();
        assert!(!sent.to_string().contains(secret), "the token was sent");
        let digest = quorate_terms::Digest::of(quorate_terms::digest::tag::TOKEN, token.as_bytes());
        assert_eq!(sent["action"]["credential"]["token"], digest.to_string());
    }
    let taken = desk.run(&[&args[..], &rest].concat());
    assert!(taken.code == 2 && taken.stderr.contains("nothing is overwritten"), "{taken:?}");
    let gap = ["agent", "new", "bot", "--band", "read,sign", "--wallet", "ops", "--owner", "ann"];
    assert!(desk.run(&[&gap[..], &rest].concat()).stderr.contains("bands: "));
}

#[test]
fn a_refused_agent_leaves_no_token_behind() {
    let refusal =
        json!({ "Err": { "code": "no_wallet", "message": "no such wallet", "next": "open it" } });
    for answer in [refusal, json!({ "Ok": case(json!({ "closed": "refused" })) })] {
        let desk = Desk::new(&[("desk.file", answer)]);
        let file = desk.house.path("bot.token");
        let path = file.display().to_string();
        let done = desk.run(&[
            "agent",
            "new",
            "bot",
            "--band",
            "read",
            "--wallet",
            "ops",
            "--owner",
            "ann",
            "--expires",
            "1d",
            "--token-file",
            &path,
        ]);
        assert!(done.code != 0 && !file.exists(), "{done:?}");
    }
}

#[test]
fn unfreezing_lifts_exactly_the_freezes_that_are_in_force() {
    let desk = Desk::new(&[("desk.file", json!({ "Ok": case(json!("await_approvals")) }))]);
    let done = desk.run(&["unfreeze", "--scope", "wallet:ops"]);
    assert!(done.ok() && done.stderr.contains(&"1".repeat(64)), "{done:?}");
    assert_eq!(desk.asked("desk.file")[0]["action"]["lifts"], json!(["1".repeat(64)]));
    let none = desk.run(&["unfreeze", "--scope", "vault"]);
    assert!(none.code == 2 && none.stderr.contains("wallet:ops"), "{none:?}");
}

#[test]
fn waiting_ends_with_the_case_and_its_outcome_is_the_exit_code() {
    for (outcome, code) in [("done", 0), ("settled", 0), ("rejected", 1), ("expired", 1)] {
        let desk = Desk::new(&[
            ("desk.file", json!({ "Ok": case(json!("await_ceremony")) })),
            ("desk.case", json!({ "Ok": case(json!({ "closed": outcome })) })),
        ]);
        let done = desk.run(&["wallet", "new", "ops", "--chain", "eip155:31337", "--wait"]);
        assert_eq!(done.code, code, "{outcome} {done:?}");
        assert!(done.stdout.contains(outcome), "{done:?}");
    }
}

#[test]
fn a_policy_is_told_with_the_names_that_the_desk_knows_beside_the_whole_address() {
    let account: quorate_terms::AccountId = ACCOUNT.parse().unwrap();
    let mut names = quorate_policy::Names::default();
    names.listed(&account, Some("Corner shop \u{202e}"));
    let desk = Desk::new(&[("desk.names", json!({ "Ok": names }))]);
    let bytes = fs::read(desk.house.desk().join("charter.json")).unwrap();
    let mut policy = CharterText::from_canonical(&bytes).unwrap().policy;
    policy.addresses.deny.insert(account);
    let path = desk.house.path("new.json");
    fs::write(&path, serde_json::to_vec(&policy).unwrap()).unwrap();
    let done = desk.run(&["policy", "diff", path.to_str().unwrap()]);
    let whole = done.stdout.contains(ACCOUNT) && !done.stdout.contains('\u{202e}');
    assert!(whole && done.stdout.contains("as `Corner shop"), "{done:?}");
    assert_eq!(desk.asked("desk.names")[0][1], json!(policy), "both policies are asked about");
    assert!(desk.run(&["policy", "show"]).ok());
}

#[test]
fn a_proposed_policy_names_its_predecessor_whatever_the_file_says() {
    let desk = Desk::new(&[("desk.file", json!({ "Ok": case(json!("await_approvals")) }))]);
    let bytes = fs::read(desk.house.desk().join("charter.json")).unwrap();
    let mut policy = CharterText::from_canonical(&bytes).unwrap().policy;
    let digest = policy.digest().unwrap();
    policy.limits.open_cases = 5;
    let path = desk.house.path("new.json");
    fs::write(&path, serde_json::to_vec(&policy).unwrap()).unwrap();
    let done = desk.run(&["policy", "propose", path.to_str().unwrap()]);
    assert!(done.ok(), "{done:?}");
    let sent = &desk.asked("desk.file")[0]["action"]["policy"];
    assert_eq!((&sent["version"], &sent["previous"]), (&json!(2), &json!(digest)));
}

#[test]
fn the_ledger_is_exported_up_to_its_checkpoint_and_no_further() {
    let log = quorate_host::Identity::from_seed(&[77; 32]).unwrap();
    let kind = quorate_ledger::KeyKind::Log;
    let key =
        quorate_ledger::VerifierKey::new("quorate.local/treasury", kind, log.public_key()).unwrap();
    let checkpoint = quorate_ledger::Checkpoint {
        origin: "quorate.local/treasury".to_owned(),
        size: 2,
        root: quorate_terms::Digest::ZERO,
    };
    let note = checkpoint.sign(&key, |bytes| log.sign_bytes(bytes)).to_string();
    let answer =
        json!({ "Ok": { "entries": ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"], "checkpoint": note } });
    let desk = Desk::new(&[("desk.book", answer)]);
    let (out, head) = (desk.house.path("book.jsonl"), desk.house.path("head.note"));
    let (out_text, head_text) = (out.display().to_string(), head.display().to_string());
    let args = ["ledger", "export", "--out", &out_text, "--checkpoint-out", &head_text];
    let done = desk.run(&args);
    assert!(done.ok(), "{done:?}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "{\"a\":1}\n{\"b\":2}\n");
    assert_eq!(fs::read_to_string(&head).unwrap(), note);
    assert_eq!(desk.run(&args).code, 2, "never overwritten");
    let short = json!({ "Ok": { "entries": [], "checkpoint": note } });
    let desk = Desk::new(&[("desk.book", short)]);
    let out = desk.house.path("book.jsonl");
    let done = desk.run(&["ledger", "export", "--out", out.to_str().unwrap()]);
    assert!(done.code == 2 && !out.exists(), "an export with a hole leaves no file: {done:?}");
}

#[test]
fn an_entry_is_shown_with_its_proof_and_another_ones_bytes_are_refuted() {
    use quorate_ledger::{Checkpoint, KeyKind, VerifierKey, hash};
    let log = quorate_host::Identity::from_seed(&[77; 32]).unwrap();
    let key = VerifierKey::new("quorate.local/treasury", KeyKind::Log, log.public_key()).unwrap();
    let texts = [
        "{\"at\":1700000000000,\"body\":{\"type\":\"one\"}}",
        "{\"at\":1700000000000,\"body\":{\"of\":\"\u{202e}evil\",\"type\":\"two\"}}",
    ];
    let leaves = texts.map(|text| hash::leaf(text.as_bytes()));
    let root = hash::node(&leaves[0], &leaves[1]);
    let head = Checkpoint { origin: "quorate.local/treasury".to_owned(), size: 2, root };
    let note = head.sign(&key, |bytes| log.sign_bytes(bytes)).to_string();
    let proof =
        json!({ "Ok": { "hashes": [leaves[0]], "checkpoint": note, "log": key.to_string() } });
    let shown = |text: &str, words: &[&str]| {
        let book = json!({ "Ok": { "entries": [text], "checkpoint": note } });
        Desk::new(&[("desk.book", book), ("desk.proof", proof.clone())]).run(words)
    };
    let one = shown(texts[1], &["ledger", "show", "1"]);
    for part in ["2023-11-14 22:13:20Z", "among 2 entries", "\"two\"", "\\u{202e}evil"] {
        assert!(one.ok() && one.stdout.contains(part), "{part} in {one:?}");
    }
    let said = shown(texts[1], &["--json", "ledger", "show", "1"]).json();
    assert_eq!((&said["size"], &said["entry"]["body"]["type"]), (&json!(2), &json!("two")));
    for (text, index) in [(texts[0], "1"), (texts[1], "0"), (texts[1], "2")] {
        let refuted = shown(text, &["ledger", "show", index]);
        assert!(refuted.code == 2 && refuted.stderr.contains("doctor"), "{refuted:?}");
    }
}

#[test]
fn the_status_names_what_is_down_and_what_is_frozen() {
    let desk = Desk::new(&[]);
    let shown = desk.run(&["status"]);
    assert!(shown.ok(), "{shown:?}");
    for part in ["down", "wallet:ops", "1 of 2", ACCOUNT, "at block 12", "+3 ms"] {
        assert!(shown.stdout.contains(part), "{part} in {}", shown.stdout);
    }
    let agents = desk.run(&["agent", "list"]);
    assert!(agents.stdout.contains("bot-1") && agents.stdout.contains("valid"), "{agents:?}");
}

#[test]
fn an_alert_is_seen_taken_and_closed_by_its_first_digits() {
    let desk = Desk::new(&[("desk.alert", json!({ "Ok": [] }))]);
    let list = desk.run(&["alert", "list"]);
    for part in ["33333333", "clock_skew", "cosigner:c1", "2023-11-14 21:56:40Z"] {
        assert!(list.stdout.contains(part), "{part} in {list:?}");
    }
    assert_eq!(desk.run(&["--json", "alert", "list"]).json()[0]["rule"], "clock_skew");
    let closed =
        desk.run(&["alert", "close", "3333", "--disposition", "mended", "--person", "ann"]);
    assert!(closed.ok() && closed.stdout.contains("no open alerts"), "{closed:?}");
    let asked = &desk.asked("desk.alert")[0];
    assert_eq!((&asked["person"], &asked["disposition"]), (&json!("ann"), &json!("mended")));
    let unknown = desk.run(&["alert", "take", "ffff"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("quorate alert list"), "{unknown:?}");
    assert_eq!(desk.asked("desk.alert").len(), 1, "nothing was asked for an unknown one");
}

#[test]
fn the_doctor_says_of_each_thing_that_is_wrong_how_to_mend_it() {
    let desk = Desk::new(&[]);
    let path = desk.house.desk().join("desk.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    fs::remove_file(desk.house.desk().join("keys/log.seed")).unwrap();
    let found = desk.run(&["--json", "doctor"]);
    assert_eq!(found.code, 1, "{found:?}");
    let findings = found.json()["findings"].as_array().unwrap().clone();
    for finding in &findings {
        let mend = finding["mend"].as_str().unwrap_or_default();
        assert!(finding["grade"] == "ok" || !mend.is_empty(), "{finding}");
    }
    for (what, mend) in [
        ("file", "chmod 600"),
        ("key", ""),
        ("finality", "quorate source init"),
        ("node eip155:31337", "start the node"),
        ("cosigner c2", "quorate-cosigner run"),
        ("freeze", "quorate unfreeze --scope wallet:ops"),
        ("alert", "quorate alert close 33333333"),
    ] {
        let bad = |f: &&serde_json::Value| f["what"] == what && f["grade"] != "ok";
        let finding = findings.iter().find(bad).unwrap_or_else(|| panic!("{what} in {findings:?}"));
        assert!(finding["mend"].as_str().unwrap().contains(mend), "{finding}");
    }
}
