//! A Trust Mark from audit to refusal, by real processes: an assessor, an issuer, two witnesses and a stranger, each with
//! files of its own and nothing else; and the evidence pack that an office hands to the stranger.
#![cfg(test)]

mod hands;
#[path = "../audit/no.rs"]
mod no;
#[path = "../office/said.rs"]
mod said;
#[path = "../office/vault.rs"]
mod vault;

use std::fs;

use hands::{DAY_MS, Office, now_ms, offer_words};
use serde_json::json;

/// Verifies the mark as a stranger who was given these files.
fn asked(office: &Office, mark: &str, policy: &str, status: &str, more: &[&str]) -> (i32, String) {
    let path = |name: &str| office.path(name).display().to_string();
    let (mark, policy, status) = (path(mark), path(policy), path(status));
    let words = ["mark", &mark, "--policy", &policy, "--status", &status];
    office.verify(&[&words[..], more].concat())
}

#[test]
fn a_mark_stands_until_it_is_withdrawn_and_fails_closed_on_everything_else() {
    let office = Office::marked();
    let good = |status: &str| asked(&office, "mark.json", "policy.json", status, &[]);
    let (code, said) = good("status.json");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("assessed on") && !said.contains("CERTIFIED"), "{said}");

    let refused = |(code, said): (i32, String), why: &str| {
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(why), "`{why}` is not in {said}");
    };
    let with = |more: &[&str]| asked(&office, "mark.json", "policy.json", "status.json", more);
    refused(with(&["--system", "Other vault"]), "the mark is about the system");
    refused(with(&["--entity", "Other Ltd"]), "the mark is about");
    let later = (now_ms() + 3 * DAY_MS).to_string();
    refused(with(&["--at", &later]), "the status list is stale");
    let after = (now_ms() + 400 * DAY_MS).to_string();
    refused(with(&["--at", &after]), "the mark has expired");

    let mut policy = office.json("policy.json");
    policy["standards"][0]["version"] = json!("0.2.0");
    office.put("other-version.json", &policy);
    refused(
        asked(&office, "mark.json", "other-version.json", "status.json", &[]),
        "no version that you accept",
    );
    let mut policy = office.json("policy.json");
    policy["register"]["quorum"] = json!(2);
    office.put("two-witnesses.json", &policy);
    let unmet = asked(&office, "mark.json", "two-witnesses.json", "status.json", &[]);
    refused(unmet, "1 of 2 needed cosignatures");
    let path = |name: &str| office.path(name).display().to_string();
    let (mark, policy) = (path("mark.json"), path("policy.json"));
    refused(office.verify(&["mark", &mark, "--policy", &policy]), "no status list was given");

    office.issuer(&["mark", "suspend", "mark-1", "--reason", "a change is looked at"]);
    let (code, _) = good("status.json");
    assert_eq!(code, 0, "an old list that is fresh enough still counts");
    office.issuer(&["mark", "status", "--hours", "24", "--out", &path("suspended.json")]);
    refused(good("suspended.json"), "suspended: a change is looked at");
    office.issuer(&["mark", "reinstate", "mark-1", "--reason", "the change is small"]);
    office.issuer(&["mark", "status", "--out", &path("again.json")]);
    assert_eq!(good("again.json").0, 0);
    office.issuer(&["mark", "revoke", "mark-1", "--reason", "the keys were moved"]);
    office.issuer(&["mark", "status", "--out", &path("revoked.json")]);
    refused(good("revoked.json"), "revoked: the keys were moved");
    office
        .issuer_refuses(&["mark", "reinstate", "mark-1", "--reason", "please"], "revoked for good");
}

#[test]
fn nobody_signs_out_of_turn() {
    let office = Office::decided(false);
    let path = |name: &str| office.path(name).display().to_string();
    office.offer();
    let claim = |key: &str| office.claim_words(key);
    let words =
        |all: &[String]| all.iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
    let undecided = words(&claim("ann"));
    office.assessor_refuses(
        &undecided.iter().map(String::as_str).collect::<Vec<_>>(),
        "nobody has decided",
    );
    office.decide();
    let strange = claim("eva");
    office.assessor_refuses(
        &strange.iter().map(String::as_str).collect::<Vec<_>>(),
        "not_the_auditor",
    );
    let good = claim("ann");
    office.assessor(&good.iter().map(String::as_str).collect::<Vec<_>>());
    let (claimed, out, eva) = (path("claim.json"), path("signed.json"), office.public("eva"));
    office.issuer_refuses(
        &["mark", "issue", &claimed, "--assessor", &eva, "--out", &out],
        "another_assessor",
    );
    let ann = office.public("ann");
    let mut bent = office.json("claim.json");
    bent["results"] = json!(bent["results"].as_str().unwrap().replace("human", "robot") + " ");
    office.put("bent.json", &bent);
    let bent = path("bent.json");
    office.issuer_refuses(
        &["mark", "issue", &bent, "--assessor", &ann, "--out", &out],
        "other results",
    );
    office.issuer(&["mark", "issue", &claimed, "--assessor", &ann, "--out", &out]);
    office.issuer_refuses(
        &["mark", "issue", &claimed, "--assessor", &ann, "--out", &out],
        "issued already",
    );
    office.issuer_refuses(&offer_words("R", &out), "has a place already");
}

#[test]
fn row_43_a_witness_cosigns_one_history_and_finds_a_register_that_was_rolled_back() {
    let office = Office::marked();
    let path = |name: &str| office.path(name).display().to_string();
    let (request, copy) = (path("request2"), office.path("register-copy"));
    hands::copy_dir(&office.path("register"), &copy);
    office.issuer(&[
        "mark",
        "offer",
        "mark-2",
        "--list",
        "marks.example/2026",
        "--issuer",
        "R",
        "--out",
        &path("o2"),
    ]);
    let knows = office.witnessed_size().to_string();
    office.issuer(&["mark", "checkpoint", "--old", &knows, "--out", &request]);
    office.witness("w1", "request2", "c2");
    office.witness_refuses("w1", "request2", "prove from there");
    // The register is put back to where it was, and tells another story from there.
    fs::remove_dir_all(office.path("register")).unwrap();
    fs::rename(&copy, office.path("register")).unwrap();
    office.issuer(&[
        "mark",
        "offer",
        "mark-3",
        "--list",
        "marks.example/2026",
        "--issuer",
        "R",
        "--out",
        &path("o3"),
    ]);
    let knows = office.witnessed_size().to_string();
    office.issuer(&["mark", "checkpoint", "--old", &knows, "--out", &path("request3")]);
    office.witness_refuses("w1", "request3", "two histories");
}

#[test]
fn the_public_register_the_badge_and_the_credential_carry_the_mark_and_nothing_from_elsewhere() {
    let office = Office::marked();
    let path = |name: &str| office.path(name).display().to_string();
    office.issuer(&[
        "mark",
        "register",
        "--issuer",
        "R <script>alert(1)</script>",
        "--out",
        &path("public"),
    ]);
    let page = fs::read_to_string(office.path("public/index.html")).unwrap();
    for part in [
        "Brickmere &lt;b&gt;",
        "stands",
        "quorate-verify mark",
        "prefers-color-scheme:dark",
        "mark-1.json",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for part in ["<script", "<b>", "http://", "https://", "src=", "certified"] {
        assert!(!page.contains(part), "{part}: {page}");
    }
    assert_eq!(
        fs::read(office.path("public/mark-1.json")).unwrap(),
        fs::read(office.path("mark.json")).unwrap()
    );
    assert_eq!(asked(&office, "public/mark-1.json", "policy.json", "public/status.json", &[]).0, 0);
    let data = office.json("public/register.json");
    assert_eq!(data["marks"][0]["standing"], "stands");
    office.issuer(&[
        "mark",
        "badge",
        &path("mark.json"),
        "--page",
        "https://marks.example/",
        "--out",
        &path("b.svg"),
    ]);
    assert!(fs::read_to_string(office.path("b.svg")).unwrap().contains("assessed: Baseline"));
    office.issuer(&["mark", "credential", &path("mark.json"), "--out", &path("vc")]);
    assert_eq!(fs::read_to_string(office.path("vc")).unwrap().matches('~').count(), 5);
}

#[test]
fn an_evidence_pack_verifies_offline_and_a_changed_one_is_refused() {
    let office = Office::decided(false);
    let path = |name: &str| office.path(name).display().to_string();
    let (out, paper) = (path("evidence.pack"), path("keys/report.json"));
    let made = office.assessor(&["pack", "--out", &out, "--paper", &paper]);
    let key = made["office"].as_str().unwrap();
    let policy = path("vault.policy.json");
    let ask = |file: &str, key: &str| {
        office.verify(&["pack", &path(file), "--office", key, "--policy", &policy])
    };
    let (code, said) = ask("evidence.pack", key);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("wd 0.1.0: 1 findings as recorded, 2 cited entries included"), "{said}");
    let (code, said) = office.verify(&["pack", &out, "--office", key]);
    assert!(code == 1 && said.contains("no policy for this book"), "{said}");
    let stranger = vault::Vault::found("stranger").policy().to_json().unwrap();
    fs::write(office.path("stranger.json"), stranger).unwrap();
    let stranger = path("stranger.json");
    assert_eq!(office.verify(&["pack", &out, "--office", key, "--policy", &stranger]).0, 1);
    let other = office.witness_key("w1").to_string();
    assert_eq!(ask("evidence.pack", &other).0, 1);
    let mut bytes = fs::read(&out).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(office.path("bent.pack"), &bytes).unwrap();
    assert_eq!(ask("bent.pack", key).0, 1);
    let results = fs::read_to_string(office.path("results")).unwrap();
    let kept = office.path(&format!("office/results/{results}.json"));
    fs::write(&kept, fs::read_to_string(&kept).unwrap().replace("met", "gap")).unwrap();
    office.assessor_refuses(&["pack", "--out", &out], "damaged");
}
