//! Names and words of people in an audit: on no disk but in the store, shown by role, erased for good; and steps that are signed
//! unless somebody says that they are not.

use std::fs;

use serde_json::{Value, json};

use crate::desk::Desk;

/// What stands in the store until it is erased.
const PERSONAL: [&str; 3] = ["Greta Holm", "I alone keep the blue key", "Otto of the vault"];

fn interview() -> Value {
    let at = 1_720_000_000_000_u64;
    json!({ "act": "exhibit_filed", "tag": "INTERVIEW_1", "exhibit": {
        "item": { "interview": { "name": PERSONAL[0], "role": "custodian", "place": "by telephone",
            "duration": "40 minutes", "topics": "keys", "findings": PERSONAL[1], "at": at, "open": [] } },
        "owner": PERSONAL[2], "represents": { "from": at - 1000, "to": at }, "expires": null, "file": null,
        "kept_there": null } })
}

/// Whether any file of the office holds the text.
fn on_disk(desk: &Desk, text: &str) -> bool {
    let files = fs::read_dir(desk.path("office")).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file())
        .any(|path| fs::read(path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()))
}

fn seen(desk: &Desk, role: &str) -> String {
    desk.good(&["audit", "view", "audit-1", "--role", role])["seen"].to_string()
}

const ERASE: [&str; 8] =
    ["erase", "audit-1", "--tag", "INTERVIEW_1", "--by", "p-ann", "--why", "she asked for it"];

#[test]
fn row_44_values_about_people_are_erased_from_every_file_and_the_audit_goes_on() {
    let desk = Desk::testing();
    desk.step("ann", &interview());
    for text in PERSONAL {
        assert!(on_disk(&desk, text), "kept beside the ledger: {text}");
        assert!(seen(&desk, "auditor").contains(text) && seen(&desk, "entity").contains(text));
        for role in ["reviewer", "implementer", "registrar"] {
            assert!(!seen(&desk, role).contains(text), "{role}: {text}");
        }
    }
    let listed = desk.good(&["audit", "evidence", "list", "audit-1"]);
    let name = &listed["exhibits"]["INTERVIEW_1"]["item"]["interview"]["name"];
    assert_eq!(name["value"], PERSONAL[0]);
    desk.refused(&ERASE, "audit_open");
    let gone =
        json!({ "act": "exhibit_struck", "tag": "INTERVIEW_1", "why": "she took her word back" });
    desk.step("ann", &gone);
    let erased = desk.good(&ERASE);
    assert_eq!((erased["erased"].as_array().unwrap().len(), &erased["also_at"]), (3, &json!([])));
    for text in PERSONAL {
        assert!(!on_disk(&desk, text), "{text}");
        assert!(!seen(&desk, "auditor").contains(text), "{text}");
    }
    assert!(seen(&desk, "auditor").contains(r#""erased":true"#));
    desk.refused(&ERASE, "nothing_kept");
    // Every step is taken again before the next one: the ledger holds.
    desk.step("ann", &json!({ "act": "exhibit_struck", "tag": "INTERVIEW_1", "why": "once more" }));
    let report = desk.path("keys/report.json").display().to_string();
    desk.good(&["audit", "report", "audit-1", "--out", &report]);
    let doctor = desk.run(&["doctor"]);
    let looks: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let mut all = looks["findings"].as_array().unwrap().iter();
    let look = all.find(|look| look["what"] == "values about people");
    assert_eq!(look.unwrap()["grade"], "ok", "{looks}");
}

#[test]
fn row_44_the_openings_of_redacted_copies_lose_what_is_erased_and_nothing_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::testing();
    desk.step("ann", &interview());
    desk.step(
        "ann",
        &json!({ "act": "exhibit_struck", "tag": "INTERVIEW_1", "why": "it is over" }),
    );
    let dir = desk.path("office/openings");
    let write = |name: &str, text: &str| {
        fs::write(dir.join(name), text).unwrap();
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    write("half.json.00ff.new", "[{\"path\":\"/who\",\"value\":\"Greta Holm");
    write("copy.json", "no openings");
    desk.refused(&ERASE, "malformed");
    let opening = |at: &str, value: &str| {
        json!({ "path": at, "salt": "ab".repeat(16), "value": value }).to_string()
    };
    let (gone, stays) = (opening("/0", "rack of GRETA  Holm"), opening("/1", "rack seventeen"));
    write("copy.json", &format!("[{gone},{stays}]"));
    assert_eq!(desk.good(&ERASE)["copies"], 1);
    assert_eq!(fs::read_to_string(dir.join("copy.json")).unwrap(), format!("[{stays}]"));
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "nothing half written stays");
}

#[test]
fn row_44_what_cannot_be_erased_is_told_and_a_careless_erasure_is_refused() {
    let desk = Desk::testing();
    desk.step("ann", &interview());
    let why = format!("{} asked for it by letter", PERSONAL[0]);
    let gone = json!({ "act": "exhibit_struck", "tag": "INTERVIEW_1", "why": why });
    let step = desk.step("ann", &gone);
    let mut careless = ERASE;
    careless[7] = &why;
    desk.refused(&careless, "repeated");
    let mut unknown = ERASE;
    unknown[3] = "INTERVIEW_9";
    desk.refused(&unknown, "no_exhibit");
    unknown[1] = "audit-2";
    desk.refused(&unknown, "no_audit");
    // Somebody wrote the name into a reason; no erasure reaches that, and the office says where it is.
    assert_eq!(desk.good(&ERASE)["also_at"], json!([step["entry"]]));
}

#[test]
fn a_report_binds_commitments_and_its_openings_are_written_apart() {
    let desk = Desk::testing();
    desk.step("ann", &interview());
    let (report, openings) = (desk.path("keys/report.json"), desk.path("keys/openings.json"));
    let words = [report.display().to_string(), openings.display().to_string()];
    desk.good(&["audit", "report", "audit-1", "--out", &words[0], "--openings", &words[1]]);
    let (report, openings) =
        (fs::read_to_string(&report).unwrap(), fs::read_to_string(&openings).unwrap());
    for text in PERSONAL {
        assert!(!report.contains(text) && openings.contains(text), "{text}");
    }
    let page = desk.path("roc.html").display().to_string();
    desk.good(&["report", "roc", "audit-1", "--out", &page]);
    let page = fs::read_to_string(&page).unwrap();
    assert!(PERSONAL.iter().all(|text| page.contains(text)), "people read the words");
}

#[test]
fn a_commitment_that_nobody_can_open_is_not_taken() {
    let desk = Desk::testing();
    let mut record = interview();
    record["exhibit"]["owner"] = json!({ "committed": "ab".repeat(32) });
    let path = desk.written("record.json", &record);
    let key = desk.key("ann").display().to_string();
    let step = ["audit", "step", &path, "--audit", "audit-1", "--by", "ann", "--sign-with", &key];
    desk.refused(&step, "committed");
}

#[test]
fn steps_are_signed_unless_the_engagement_says_that_they_are_not_and_then_the_report_says_so() {
    for (signed, refused) in [(Value::Null, true), (json!(true), true), (json!(false), false)] {
        let desk = Desk::new();
        let mut engagement = desk.engagement();
        if !signed.is_null() {
            engagement["signed_steps"] = signed.clone();
        }
        let path = desk.written("engaged.json", &engagement);
        let bare = ["audit", "step", &path, "--by", "ann"];
        if refused {
            desk.refused(&bare, "step_is_signed");
            desk.step("ann", &engagement);
        } else {
            desk.good(&bare);
        }
        let path =
            desk.written("filed.json", &json!({ "act": "intent_filed", "reference": "letter 1" }));
        let filed = ["audit", "step", &path, "--audit", "audit-1", "--by", "ann"];
        if refused {
            desk.refused(&filed, "step_is_signed");
        } else {
            desk.good(&filed);
        }
        let page = desk.path("roc.html").display().to_string();
        desk.good(&["report", "roc", "audit-1", "--out", &page]);
        let says = fs::read_to_string(&page).unwrap().contains("Steps were not signed");
        assert_eq!(says, !refused, "{signed}");
    }
}
