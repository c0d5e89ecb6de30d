//! The built command line, where no desk is needed: founding, sources, policies, bands, and complaints.

#[cfg(test)]
mod common;
#[cfg(test)]
mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::{House, quorate, run};
use quorate_ledger::LogPolicy;
use quorate_terms::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::fact::SignedFact;

#[test]
fn a_vault_is_founded_by_flags_and_everything_agrees() {
    let house = House::new();
    let done = house.init(&[]);
    assert!(done.ok(), "{done:?}");
    let answer = done.json();
    let bytes = fs::read(house.desk().join("charter.json")).unwrap();
    let text = CharterText::from_canonical(&bytes).unwrap();
    text.check().unwrap();
    let digest = text.digest().unwrap();
    assert_eq!(answer["charter"], digest.to_string());
    assert_eq!((text.threshold, text.governance.m, text.approvers.len()), (2, 2, 3));
    let pinned = fs::read(house.desk().join("verify.json")).unwrap();
    let pinned = LogPolicy::from_json(&pinned).unwrap();
    assert_eq!(pinned, LogPolicy::of_founding(&text).unwrap());
    let commands = answer["commands"].to_string();
    for who in ["quorate-cosigner accept", "quorate-approvals accept", "quorate-cosigner pair"] {
        assert!(commands.contains(who), "{who} in {commands}");
    }
    assert_eq!(commands.matches(&format!("--digest {digest}")).count(), 5, "{commands}");
    for file in ["keys/log.seed", "keys/link.seed", "charter.json", "desk.toml", "verify.json"] {
        let mode = fs::metadata(house.desk().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let seed = fs::read_to_string(house.desk().join("keys/log.seed")).unwrap();
    let seed = seed.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(!done.all().contains(&seed), "a key's seed is never shown");
}

#[test]
fn a_vault_is_founded_by_an_answers_file_and_flags_win_over_it() {
    let house = House::new();
    let toml = "vault = \"other\"\ngovernance = 3\nchange_delay = \"1h\"\n\
                approvers = [\"ann.json\", \"bo.json\", \"cy.json\"]\n\
                [[cosigners]]\nseat = \"c1.json\"\naddress = \"127.0.0.1:7501\"\n\
                [[cosigners]]\nseat = \"c2.json\"\naddress = \"127.0.0.1:7502\"\n\
                [chains]\n\"eip155:31337\" = \"http://127.0.0.1:8545\"\n\
                [[assets]]\nsymbol = \"ETH\"\nasset = \"eip155:31337/slip44:60\"\nalone = \"2\"\n";
    fs::write(house.path("answers.toml"), toml).unwrap();
    let (desk, answers) = (house.desk(), house.path("answers.toml"));
    let args = ["--dir", desk.to_str().unwrap(), "--answers", answers.to_str().unwrap()];
    let done =
        run(&[&["--json", "init", "--yes", "--vault", "treasury"][..], args.as_slice()].concat());
    assert!(done.ok(), "{done:?}");
    let text = CharterText::from_canonical(&fs::read(desk.join("charter.json")).unwrap()).unwrap();
    assert_eq!((text.vault.as_str(), text.governance.m), ("treasury", 3));
    assert_eq!(text.change_delay_s, 3_600);
}

#[test]
fn a_founding_is_never_overwritten() {
    let house = House::new();
    assert!(house.init(&[]).ok());
    let before = fs::read(house.desk().join("charter.json")).unwrap();
    let again = house.init(&[]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("nothing is overwritten"), "{}", again.stderr);
    assert_eq!(fs::read(house.desk().join("charter.json")).unwrap(), before);
}

#[test]
fn a_founding_that_cannot_stand_is_refused_with_field_and_mend_and_writes_nothing() {
    let house = House::new();
    let twin = fs::read_to_string(house.path("ann.json")).unwrap().replace("\"ann\"", "\"dee\"");
    fs::write(house.path("twin.json"), twin).unwrap();
    let twin = house.path("twin.json").display().to_string();
    let ann = house.path("ann.json").display().to_string();
    for (extra, field) in [
        (vec!["--threshold", "1"], "threshold: "),
        (vec!["--threshold", "3"], "threshold: "),
        (vec!["--governance", "0"], "governance: "),
        (vec!["--governance", "4"], "governance: "),
        (vec!["--approver", twin.as_str()], "charter: "),
        (vec!["--approver", ann.as_str()], "approver: "),
        (vec!["--chain", "eip155:1=http://node.example.org"], "chain: "),
        (vec!["--chain", "bip122:1=https://node.example.org"], "unsupported_chain: "),
        (vec!["--chain", "eip155:1"], "chain: "),
        (vec!["--change-delay", "soon"], "change-delay: "),
        (vec!["--finality-depth", "0"], "finality-depth: "),
        (vec!["--vault", "Not A Name"], "vault: "),
        (vec!["--origin", "two words"], "charter.log.origin: "),
        (vec!["--asset", "ETH=eip155:31337/slip44:60,alone=1e3"], "asset.alone: "),
        (vec!["--asset", "DAI=eip155:5/slip44:60"], "asset: "),
        (vec!["--approver", "/does/not/exist"], "/does/not/exist: "),
        (vec!["--book-listen", "nowhere"], "book-listen: "),
    ] {
        let done = house.init(&extra);
        assert_eq!(done.code, 2, "{extra:?} {done:?}");
        let line = done.stderr.trim().strip_prefix("quorate: ").unwrap();
        assert!(line.starts_with(field), "{extra:?} gave {line}");
        assert!(line.contains("; ") && !line.contains('\n'), "{line}");
        assert_eq!(done.json()["error"]["field"], field.trim_end_matches(": "));
        assert!(!house.desk().exists(), "{extra:?} wrote something");
    }
}

#[test]
fn a_view_is_seated_from_its_file_and_one_on_an_open_road_is_refused() {
    let house = House::new();
    let seat = |origin: &str, rp_id: &str| {
        let link = "ed25519:Zw9IfVTEpPdr3a9r2KpCiHpYXO6q_6fH-0cclLYHjaQ";
        let seat = serde_json::json!({
            "view": "home", "origin": origin, "rp_id": rp_id, "operator": "customer ltd", "link": link,
        });
        fs::write(house.path("view.json"), seat.to_string()).unwrap();
    };
    let path = house.path("view.json").to_str().unwrap().to_owned();
    for (origin, rp_id) in [
        ("http://approve.example", "approve.example"),
        ("https://approve.example", "other.example"),
    ] {
        seat(origin, rp_id);
        let done = house.init(&["--view", &path]);
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.stderr.contains("view") && !house.desk().exists(), "{done:?}");
    }
    seat("https://approve.example", "approve.example");
    assert!(house.init(&["--view", &path]).ok());
    let bytes = fs::read(house.desk().join("charter.json")).unwrap();
    let text = CharterText::from_canonical(&bytes).unwrap();
    assert_eq!(text.views.len(), 1);
    assert_eq!(text.views[0].origin, "https://approve.example");
}

#[test]
fn a_missing_answer_is_asked_for_by_its_flag_when_nobody_is_there() {
    let house = House::new();
    let done = run(&["init", "--dir", house.desk().to_str().unwrap()]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.starts_with("quorate: vault: is missing; give `--vault`"), "{done:?}");
}

#[test]
fn a_source_is_made_named_bound_and_signs_prices() {
    let house = House::new();
    let dir = house.path("source");
    let dir_text = dir.to_str().unwrap();
    let init = ["source", "init", "--dir", dir_text, "--source", "oracle"];
    let done = run(&[&["--json"][..], &init[..], &["--kinds", "price"][..]].concat());
    assert!(done.ok(), "{done:?}");
    let key = done.json()["seat"]["key"].as_str().unwrap().to_owned();
    assert!(run(&init).code == 2, "made once");
    let place =
        format!("{}@file:{}", dir.join("enrolment.json").display(), house.path("facts").display());
    let founded = house.init(&["--source", &place]);
    assert!(founded.ok(), "{founded:?}");
    let charter = house.desk().join("charter.json").display().to_string();
    let digest = founded.json()["charter"].as_str().unwrap().to_owned();
    let accept = ["source", "accept", "--dir", dir_text, "--charter", &charter, "--digest"];
    let wrong = "0".repeat(64);
    assert_eq!(run(&[&accept[..], &[&wrong]].concat()).code, 2, "another digest");
    assert!(run(&[&accept[..], &[&digest]].concat()).ok());
    let out = house.path("facts").display().to_string();
    let price =
        ["source", "price", "--dir", dir_text, "--asset", "eip155:31337/slip44:60", "--out", &out];
    for amount in ["3123.45", "3124"] {
        let done = run(&[&price[..], &["--decimals", "18", "--price", amount]].concat());
        assert!(done.ok(), "{done:?}");
    }
    assert_eq!(run(&[&price[..], &["--decimals", "18", "--price", "1e3"]].concat()).code, 2);
    let text = fs::read_to_string(house.path("facts")).unwrap();
    let facts: Vec<SignedFact> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(facts.len(), 2);
    let key = key.parse().unwrap();
    assert!(facts.iter().all(|fact| fact.is_signed_by(&key).unwrap()));
}

#[test]
fn a_policy_is_checked_with_lines_and_compared_in_words() {
    let house = House::new();
    assert!(house.init(&[]).ok());
    let bytes = fs::read(house.desk().join("charter.json")).unwrap();
    let policy = CharterText::from_canonical(&bytes).unwrap().policy;
    let write = |name: &str, policy: &quorate_terms::policy::PolicyDocument| {
        let path = house.path(name);
        fs::write(&path, serde_json::to_string_pretty(policy).unwrap()).unwrap();
        path.display().to_string()
    };
    let good = write("good.json", &policy);
    assert!(run(&["policy", "check", &good]).ok());
    let mut wider = policy.clone();
    wider.budgets[0].amount = quorate_terms::Amount::MAX.into();
    let wider = write("wider.json", &wider);
    let diff = run(&["--json", "policy", "diff", &wider, "--old", &good]);
    assert_eq!(diff.json()[0]["direction"], "widens", "{diff:?}");
    let told = run(&["policy", "diff", &wider, "--old", &good]);
    assert!(told.stdout.starts_with("widens") && told.stdout.contains("raises budget"), "{told:?}");
    assert!(run(&["policy", "diff", &good, "--old", &good]).stdout.contains("nothing changes"));
    let mut broken = policy;
    broken.rules[0].text = "permit (principal,\naction, resource) when { 1 + };".to_owned();
    let broken = write("broken.json", &broken);
    let checked = run(&["--json", "policy", "check", &broken]);
    assert_eq!(checked.code, 1, "{checked:?}");
    let problem = &checked.json()["problems"][0];
    assert_eq!(problem["field"], "rules.agents-may-transfer");
    assert!(problem["file_line"].as_u64().unwrap() > 1, "{problem}");
    let people = run(&["policy", "check", &broken]);
    assert!(people.stdout.contains("broken.json:") && people.stdout.contains("bad"), "{people:?}");
    fs::write(house.path("cut.json"), "{\n\"v\": 1,\n").unwrap();
    let cut = run(&["policy", "check", house.path("cut.json").to_str().unwrap()]);
    assert!(cut.code == 2 && cut.stderr.contains("cut.json:3"), "{cut:?}");
}

#[test]
fn a_bad_band_stops_the_stdio_door_and_standard_output_stays_clean() {
    for (args, variable) in [
        (vec!["--bands", "read,sign"], None),
        (vec!["--bands", ""], None),
        (vec![], Some("admin")),
        (vec![], Some("")),
    ] {
        let mut command = quorate();
        command.args(["--json", "mcp", "--token-file", "/none"]).args(&args);
        if let Some(text) = variable {
            command.env("MCP_BANDS", text);
        }
        let done = common::finish(command);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{done:?}");
        let field = if variable.is_some() { "MCP_BANDS: " } else { "--bands: " };
        assert!(done.stderr.contains(field), "{done:?}");
    }
}

#[test]
fn a_command_without_its_desk_says_how_to_start_it() {
    let house = House::new();
    let dir = house.desk().display().to_string();
    for args in [vec!["status"], vec!["case", "list"], vec!["wallet", "list"]] {
        let done = run(&[&args[..], &["--dir", &dir]].concat());
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains("quorate up --dir"), "{done:?}");
    }
}

#[test]
fn the_doctor_tells_what_is_wrong_and_ends_unwell() {
    let house = House::new();
    // A port that nothing listens on: taken from the system and given back.
    assert!(house.init(&["--chain", "eip155:31337=http://127.0.0.1:1"]).ok());
    let keys = house.desk().join("keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    let done = run(&["doctor", "--dir", house.desk().to_str().unwrap()]);
    assert_eq!(done.code, 1, "{done:?}");
    for part in ["chmod 700", "node eip155:31337", "finality", "quorate up"] {
        assert!(done.stdout.contains(part), "{part} in {}", done.stdout);
    }
}

#[test]
fn completions_are_printed_for_a_shell() {
    let done = run(&["completions", "bash"]);
    assert!(done.ok() && done.stdout.contains("_quorate"), "{done:?}");
}

#[test]
fn a_desk_that_cannot_open_its_doors_says_which_line_of_its_configuration_to_mend() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = busy.local_addr().unwrap().to_string();
    for (flag, from, to, parts) in [
        (taken.as_str(), "", "", vec!["book_listen", taken.as_str(), "in use", "desk.toml"]),
        ("127.0.0.1:0", "\"127.0.0.1:7501\"", "\"nowhere\"", vec!["cosigners.c1", "HOST:PORT"]),
        (
            "127.0.0.1:0",
            "http://127.0.0.1:8545",
            "http://node.example.org",
            vec!["https", "loopback"],
        ),
        ("127.0.0.1:0", "charter.json", "chart.json", vec!["chart.json", "check the path"]),
        ("127.0.0.1:0", "data =", "dat =", vec!["desk.toml:", "`dat`", "spell it"]),
    ] {
        let house = House::new();
        assert!(house.init(&["--book-listen", flag]).ok());
        let path = house.desk().join("desk.toml");
        let text =
            fs::read_to_string(&path).unwrap().replacen(from, to, usize::from(!from.is_empty()));
        fs::write(&path, text).unwrap();
        let done = run(&["up", "--dir", house.desk().to_str().unwrap()]);
        assert_eq!(done.code, 2, "{done:?}");
        let line = done.stderr.lines().find(|line| line.starts_with("quorate: ")).unwrap();
        assert!(parts.iter().all(|part| line.contains(part)), "{parts:?} in {line}");
    }
    drop(busy);
}

#[test]
fn with_json_a_command_line_that_is_none_is_the_same_object_as_every_other_error() {
    let rows: [(&[&str], &str, &str); 6] = [
        (&[], "command", "none was given"),
        (&["inti"], "inti", "unrecognized subcommand"),
        (&["wallet"], "command", "none was given"),
        (&["status", "--dirr", "x"], "--dirr", "unexpected argument"),
        (&["completions", "word"], "<SHELL>", "invalid value"),
        (&["completions"], "<SHELL>", "not provided"),
    ];
    for (words, field, why) in rows {
        let done = run(&[&["--json"], words].concat());
        let error = done.json()["error"].clone();
        assert_eq!((done.code, error["field"].as_str()), (2, Some(field)), "{done:?}");
        assert!(error["why"].as_str().unwrap().contains(why), "{done:?}");
        assert!(!error["mend"].as_str().unwrap().is_empty(), "{done:?}");
        assert_eq!(done.stderr.lines().count(), 1, "people are told in a line: {done:?}");
        let plain = run(words);
        assert_eq!((plain.code, plain.stdout.as_str()), (2, ""), "{plain:?}");
        assert!(plain.stderr.contains("--help"), "{plain:?}");
    }
    // What belongs to a protocol hears no complaint.
    let door = run(&["--json", "mcp", "--bandz", "full"]);
    assert_eq!((door.code, door.stdout.as_str()), (2, ""), "{door:?}");
    assert!(door.stderr.contains("--bandz"), "{door:?}");
    for (words, part) in [(["--json", "--help"], "Usage"), (["--json", "--version"], "quorate ")] {
        let done = run(&words);
        assert!(done.ok() && done.stdout.contains(part) && done.stderr.is_empty(), "{done:?}");
    }
}
