//! The API of an auditor's office, asked as the desk's is: an office with the stage's book, an assessment and an audit, served,
//! and a token that files.

use std::time::Duration;

use quorate_terms::canonical;
use serde_json::{Value, json};

use super::Caller;
use crate::Done;
use crate::house;
use crate::process::{Process, free_port};
use crate::run;
use crate::stage::{Answered, Office, Stage, send, text};

/// The file that describes it.
pub(super) const DESCRIPTION: &str = "docs/api/office.json";
/// As [`super::NEVER_WELL`].
pub(super) const NEVER_WELL: [(&str, &str); 12] = [
    (
        "compose_step",
        "a record that fits where the audit stands is not guessed; one is composed beforehand",
    ),
    ("take_step", "a step is signed by its person elsewhere; it is taken once beforehand"),
    ("send_file", "a file of a kind that is taken is not guessed; one is sent beforehand"),
    ("open_file", "a file is opened by a signed step, and none is on file here"),
    ("mark", "no mark was issued here"),
    ("mark_file", "no mark was issued here"),
    ("compose_claim", "an audit is claimed for once it was decided on, and the one here was not"),
    ("take_claim", "a claim is signed by its auditor elsewhere"),
    ("offer_mark", "for tokens that issue marks; one is offered by such a token beforehand"),
    ("issue_mark", "for tokens that issue marks, on a claim that an assessor signed"),
    ("finish_mark", "for tokens that issue marks, with what witnesses cosigned"),
    ("suspend_mark", "for tokens that issue marks; no mark was issued here"),
];
/// For how long it is asked. How often a token is answered has a test of its own; here it would be all that is seen.
const PACE: [&str; 2] = ["--max-time", "60"];
/// How long an office may take to open.
const OPENS_WITHIN: Duration = Duration::from_secs(60);
/// The audit that there is.
const AUDIT: &str = "audit-1";

/// One run with a token that files, between two looks at what tokens reach. Gives how many things were seen.
pub(super) fn asked(stage: &Stage) -> Done<usize> {
    let office = opened(stage)?;
    let asker = token(stage, &office, ("asker", "file"))?;
    let looker = token(stage, &office, ("looker", "look"))?;
    let (_serving, url) = served(stage, &office)?;
    let held = scopes(&url, &looker)?.saturating_add(step_taken(stage, &office, &url, &asker)?);
    let held = held.saturating_add(offered(stage, &office, &url, &asker)?);
    let held = held.saturating_add(file_sent(&url, (&asker, &looker))?);
    let file = stage.at("secrets/office-asker");
    let caller = Caller {
        tag: "office",
        token_file: &file,
        url: &url,
        description: DESCRIPTION,
        pace: &PACE,
    };
    let told = super::asked(stage, &caller)?;
    office.says(&["token", "revoke", "looker"])?;
    expect(&ask("GET", &url, "/me", &looker, &Value::Null)?, 401, "WWW-Authenticate")?;
    Ok(told.saturating_add(held).saturating_add(1))
}

/// An office that took in the vault's book, assessed it, and keeps an audit.
fn opened(stage: &Stage) -> Done<Office<'_>> {
    let office = Office::open(stage, "office")?;
    // What was asked of the desk just now left entries that nobody has witnessed yet.
    stage.witnessed()?;
    office.take_book(stage)?;
    office.assess("ccss 9.0", &[])?;
    office.run(&["watch", "--once"])?.exited(0)?;
    let record = stage.at("engaged.json");
    run::write(record.as_ref(), &engagement(stage, &office)?.to_string())?;
    let key = key(stage, "ann");
    office.says(&["audit", "step", &record, "--by", "ann", "--sign-with", &key])?;
    Ok(office)
}

fn engagement(stage: &Stage, office: &Office<'_>) -> Done<Value> {
    let all = office.says(&["audit", "workflows"])?;
    let ours = |one: &&Value| one.get("id").is_some_and(|id| id == "ccss-audit");
    let ours = all.as_array().into_iter().flatten().find(ours);
    let workflow = text(ours.ok_or("there is no workflow `ccss-audit`")?, "/digest")?;
    let party = |person: &str, firm: &str, role: &str| -> Done<Value> {
        let made = office.says(&["person", "key", "--key", &key(stage, person)])?;
        Ok(json!({
            "person": person, "name": person, "number": null, "firm": firm, "role": role,
            "key": text(&made, "/key")?, "audits": 1,
        }))
    };
    Ok(json!({
        "act": "engaged", "audit": AUDIT, "workflow": workflow, "standard": "ccss", "version": "9.0",
        "entity": "Brickmere", "system": "Vault", "designation": "self_custody", "designation_why": null,
        "sought": 1, "period": { "from": 1_700_000_000_000_u64, "to": 1_731_536_000_000_u64 }, "first": false,
        "parties": [party("eva", "Brickmere", "entity")?, party("ann", "Alder", "auditor")?],
        "past": [], "readiness": null, "contract": "contract 7", "retention": "seven years",
    }))
}

fn key(stage: &Stage, person: &str) -> String {
    stage.at(&format!("secrets/{person}.key"))
}

/// A new token of a scope; its file lies with the secrets.
fn token(stage: &Stage, office: &Office<'_>, (name, scope): (&str, &str)) -> Done<String> {
    let file = stage.at(&format!("secrets/office-{name}"));
    let words = ["token", "new", name, "--scope", scope, "--expires", "90d", "--token-file"];
    office.says(&[&words[..], &[file.as_str()]].concat())?;
    Ok(run::read(file.as_ref())?.trim().to_owned())
}

/// Serves an office; gives where.
fn served(stage: &Stage, office: &Office<'_>) -> Done<(Process, String)> {
    let listen = format!("127.0.0.1:{}", free_port()?);
    let standards = house::root().join("standards").display().to_string();
    let passphrase = stage.passphrase("files")?;
    let words = [
        "--json",
        "--dir",
        office.dir(),
        "--standards",
        &standards,
        "serve",
        "--passphrase-file",
        &passphrase,
        "--requests-per-minute",
        "600000",
        "--listen",
    ];
    let mut command = stage.programs.command("quorate-assessor", &words);
    let log = stage.room.join("logs/office.log");
    let mut serving = Process::start("office", command.arg(&listen), &log)?;
    serving.wait_for_line("\"code\"", OPENS_WITHIN)?;
    Ok((serving, format!("http://{listen}")))
}

/// A token that looks assesses nothing, and marks are for anybody.
fn scopes(url: &str, looker: &str) -> Done<usize> {
    let assess = json!({ "standard": "ccss 9.0" });
    expect(&ask("GET", url, "/me", looker, &Value::Null)?, 200, "looker")?;
    expect(&ask("POST", url, "/assessments", looker, &assess)?, 403, "\"error\"")?;
    expect(&ask("POST", url, &composed(), looker, &filed())?, 403, "\"error\"")?;
    expect(&ask("GET", url, "/assessments", "", &Value::Null)?, 401, "WWW-Authenticate")?;
    expect(&ask("GET", url, "/marks", "", &Value::Null)?, 200, "marks")?;
    Ok(5)
}

/// A token that issues marks gives out a place and files nothing; the status list is for anybody.
fn offered(stage: &Stage, office: &Office<'_>, url: &str, asker: &str) -> Done<usize> {
    let made = office.says(&["person", "key", "--key", &key(stage, "ann")])?;
    let (file, ann) = (stage.at("secrets/office-marker"), text(&made, "/key")?);
    let words = ["token", "new", "marker", "--scope", "mark", "--expires", "90d", "--assessor"];
    office.says(&[&words[..], &[ann.as_str(), "--token-file", &file]].concat())?;
    let marker = run::read(file.as_ref())?.trim().to_owned();
    let offer = json!({ "mark": "mark-1", "list": "marks.example/2026", "issuer": "Registrar" });
    expect(&ask("GET", url, "/register/status", "", &Value::Null)?, 409, "no_list")?;
    expect(&ask("POST", url, "/register/offers", asker, &offer)?, 403, "\"scope\"")?;
    expect(&ask("POST", url, &composed(), &marker, &filed())?, 403, "\"scope\"")?;
    let first = ask("POST", url, "/register/offers", &marker, &offer)?;
    expect(&first, 200, "marks.example/2026")?;
    expect(&ask("POST", url, "/register/offers", &marker, &offer)?, 200, &first.text)?;
    let reason = json!({ "reason": "not there" });
    expect(&ask("POST", url, "/marks/mark-1/suspend", &marker, &reason)?, 409, "idempotency")?;
    expect(&ask("GET", url, "/register/checkpoint", &marker, &Value::Null)?, 200, "old 0")?;
    // What could not be signed is kept for seconds; the offer made it anew.
    let list = ask("GET", url, "/register/status", "", &Value::Null)?;
    expect(&list, 200, "application/vnd.quorate.status-list+json")?;
    Ok(8)
}

/// Where steps are composed.
fn composed() -> String {
    format!("/audits/{AUDIT}/steps/composed")
}

/// What is composed there.
fn filed() -> Value {
    json!({ "by": "ann", "record": { "act": "intent_filed", "reference": "letter 1" } })
}

/// A step that was composed here and signed elsewhere is taken once, however often it is sent.
fn step_taken(stage: &Stage, office: &Office<'_>, url: &str, token: &str) -> Done<usize> {
    let made = ask("POST", url, &composed(), token, &filed())?;
    expect(&made, 200, "intent_filed")?;
    let made: Value = serde_json::from_str(&made.text).map_err(|e| format!("no step: {e}"))?;
    let step = made.get("step").ok_or("nothing was composed")?;
    let bytes = canonical::to_bytes(step, "waiting step").map_err(|e| e.to_string())?;
    let file = stage.at("step.json");
    std::fs::write(&file, bytes).map_err(|e| format!("{file}: {e}"))?;
    let signed = office.says(&["person", "sign", &file, "--key", &key(stage, "ann")])?;
    let body = json!({ "step": step, "answer": text(&signed, "/answer")? });
    let path = format!("/audits/{AUDIT}/steps");
    let first = ask("POST", url, &path, token, &body)?;
    expect(&first, 200, "intent_filed")?;
    let again = ask("POST", url, &path, token, &body)?;
    expect(&again, 200, &first.text)?;
    Ok(3)
}

/// A file is sealed once, for a token that files and under a plain name.
fn file_sent(url: &str, (asker, looker): (&str, &str)) -> Done<usize> {
    let sends = |token: &str, name: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/octet-stream"),
            ("Idempotency-Key", name),
        ];
        let path = format!("{url}/api/v1/audits/{AUDIT}/files?name={name}");
        send("POST", &path, &headers, "two people each time")
    };
    expect(&sends(looker, "notes.txt")?, 403, "\"scope\"")?;
    expect(&sends(asker, "notes.exe")?, 422, "malformed")?;
    let first = sends(asker, "notes.txt")?;
    expect(&first, 200, "text/plain")?;
    expect(&sends(asker, "notes.txt")?, 200, &first.text)?;
    Ok(4)
}

fn ask(method: &str, url: &str, path: &str, token: &str, body: &Value) -> Done<Answered> {
    let bearer = format!("Bearer {token}");
    let mut headers = Vec::new();
    if !token.is_empty() {
        headers.push(("Authorization", bearer.as_str()));
    }
    if method == "POST" {
        headers.extend([("Content-Type", "application/json"), ("Idempotency-Key", "by-hand")]);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{url}/api/v1{path}"), &headers, &body)
}

fn expect(answer: &Answered, status: u16, said: &str) -> Done {
    let Answered { status: is, head, text } = answer;
    let said_so = head.to_lowercase().contains(&said.to_lowercase()) || text.contains(said);
    if *is == status && said_so {
        return Ok(());
    }
    Err(format!("the office's API: not {status} with `{said}` but {head}\n{text}"))
}
