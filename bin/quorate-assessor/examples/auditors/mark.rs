//! A Trust Mark for the vault under the working draft: issued, verified by a stranger, revoked, refused.

use quorate_ledger::{KeyKind, VerifierKey};
use serde_json::json;

use crate::audit::{self, Audit, Case};
use crate::people::Office;
use crate::{claim, tell};

/// A requirement of the lowest level.
const MISSING: &str = "WD-02.1";

/// From the audit to the refusal.
pub(crate) fn run(office: &Office) {
    office.open_register();
    let issuer = office.identity("iss").public_key().to_string();
    office.good(&["audit", "registrar", "Marks Example", &issuer]);
    let refused = audit::run_draft(office, &Case::draft("brickmere-wd-1"), Some(MISSING));
    claim(
        !refused.granted && refused.reached.0 < refused.reached.1,
        &format!("with {MISSING} not in place the level is not reached, and the scheme says no"),
    );
    let case = Case::draft("brickmere-wd-2");
    let draft = audit::run_draft(office, &case, None);
    tell(&format!(
        "working draft: {} findings; {} gaps of the machine's pass by a comparable control, each for its own reason: {}",
        draft.findings,
        draft.comparable.len(),
        draft.comparable.join(", ")
    ));
    claim(
        draft.granted && draft.reached.0 >= draft.reached.1,
        "the findings reach the level sought, and the scheme says yes",
    );
    issue(office, &case, &draft.results);
    let asked = |status: &str| {
        let path = |name: &str| office.path(name);
        office.verify(&[
            "mark",
            &path("mark.json"),
            "--policy",
            &path("policy.json"),
            "--status",
            &path(status),
        ])
    };
    let (code, said) = asked("status.json");
    claim(
        code == Some(0) && said.contains("assessed"),
        "a stranger verifies the mark offline: assessed, and no word more",
    );
    office.register(&["mark", "revoke", "mark-1", "--reason", "the keys were moved"]);
    office.register(&["mark", "status", "--out", &office.path("revoked.json")]);
    let (code, said) = asked("revoked.json");
    claim(
        code == Some(1) && said.contains("revoked"),
        "after its revocation the mark is refused, with the reason",
    );
}

fn issue(office: &Office, case: &Case, results: &str) {
    let path = |name: &str| office.path(name);
    let ann = office.identity("ann").public_key().to_string();
    let key = office.key("ann").display().to_string();
    office.register(&[
        "mark",
        "offer",
        "mark-1",
        "--list",
        "marks.example/2026",
        "--issuer",
        "Marks Example",
        "--out",
        &path("offer.json"),
    ]);
    let until =
        jiff::Timestamp::now().checked_add(jiff::Span::new().hours(364 * 24)).unwrap().to_string();
    office.good(&[
        "mark",
        "claim",
        "--offer",
        &path("offer.json"),
        "--audit",
        case.id,
        "--results",
        results,
        "--key",
        &key,
        "--exclude",
        "the website",
        "--until",
        &until,
        "--out",
        &path("claim.json"),
    ]);
    office.register(&[
        "mark",
        "issue",
        &path("claim.json"),
        "--assessor",
        &ann,
        "--out",
        &path("signed.json"),
    ]);
    let signed: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path("signed.json")).unwrap()).unwrap();
    Audit { office, case, missing: None }
        .step("iss", &json!({ "act": "mark_issued", "envelope": signed["envelope"] }));
    witness(office);
    office.register(&[
        "mark",
        "finish",
        "mark-1",
        "--checkpoint",
        &path("request"),
        "--cosignature",
        &path("cosigned"),
        "--policy",
        &path("policy.json"),
        "--out",
        &path("mark.json"),
    ]);
    office.register(&["mark", "status", "--hours", "24", "--out", &path("status.json")]);
}

/// One witness cosigns the register; the pinned policy asks for it.
fn witness(office: &Office) {
    let path = |name: &str| office.path(name);
    let ann = office.identity("ann").public_key().to_string();
    let named = |who: &str, kind, person: &str| {
        VerifierKey::new(who, kind, office.identity(person).public_key()).unwrap().to_string()
    };
    let (log, seer) = (
        named("marks.example/register", KeyKind::Log, "iss"),
        named("w1", KeyKind::Witness, "rolf"),
    );
    office.register(&["mark", "checkpoint", "--out", &path("request")]);
    let key = office.key("rolf").display().to_string();
    office.good(&[
        "mark",
        "witness",
        &path("request"),
        "--log",
        &log,
        "--name",
        "w1",
        "--key",
        &key,
        "--memory",
        &path("w1.memory"),
        "--out",
        &path("cosigned"),
    ]);
    office.register(&[
        "mark",
        "policy",
        "--assessor",
        &ann,
        "--witness",
        &seer,
        "--standard",
        "wd 0.1.0",
        "--out",
        &path("policy.json"),
    ]);
}
