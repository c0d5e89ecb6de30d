//! Schemathesis against the real desk: whatever the description of the API allows, and much of what it forbids, by an agent and
//! by an operator. Then the tally of what was answered: a run in which everything was refused has shown nothing. Beside it an
//! authorization server of somebody else's, and its tokens at both doors; and the auditor's office, asked the same way.

mod delegations;
mod oauth;
mod office;
mod openid;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::Done;
use crate::check::Verdict;
use crate::demo;
use crate::house;
use crate::run;
use crate::say;
use crate::stage::{Agent, Node, Programs, Stage, Wish, coin, text};
use crate::tools;

/// What every answer is held to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,response_headers_conformance,negative_data_rejection,\
    missing_required_header,unsupported_method,allow_header_conformance,ignored_auth";
/// The operation that is not asked: its answer does not end.
const STREAM: &str = "events";
/// The most cases of one operation in a phase.
const EXAMPLES: &str = "15";
/// Seconds in which fuzzing and links go on, for each caller of the desk.
const SECONDS: &str = "60";
/// The desk's API, as it is described.
const DESK: &str = "docs/api/openapi.json";

/// Operations that nobody outside can bring to a good end here, and why. One that was answered well no longer belongs here.
const NEVER_WELL: [(&str, &str); 6] = [
    ("approve", "an approval is signed by a person elsewhere"),
    ("delegate", "keys and a time that lies ahead are not guessed; it is asked once beforehand"),
    ("erase", "the cases here hold nothing personal"),
    ("attest_checklist", "nobody attests what they opened about a person without a credential"),
    (
        "replay",
        "a whole policy of this vault is not guessed; the console's part of the browser step asks it",
    ),
    ("get_price", "no source says prices"),
];

/// Operations that come to a good end only where what another answer names is followed at the right moment: a draft that is
/// fresh, an alert that is open, a transaction that waits. In one run they do, and in the next not.
const SELDOM_WELL: [&str; 5] =
    ["sign_transaction", "send_transaction", "replace", "take_alert", "close_alert"];

/// Lets Schemathesis at the API.
pub(crate) fn end_to_end() -> Done<Verdict> {
    let room = demo::fresh(&house::root().join("target/api"))?;
    let programs = Programs::build(&room.join("outputs.log"))?;
    let node = Node::start(&room.join("anvil.log"))?;
    let mut stage = Stage::set(&room, programs, node)?;
    // The bound on one credential has tests of its own; here it would be all that is seen.
    stage.founding.requests_per_minute = Some(600_000);
    let server = oauth::Server::start(&stage)?;
    stage.founding.issuer = Some(server.issuer.clone());
    stage.founding.openid = Some((server.issuer.clone(), oauth::SECRET.to_owned()));
    stage.found()?;
    stage.start_all()?;
    let account = stage.open_wallet()?;
    stage.node.fund(&account, coin(10_000))?;
    let agent = stage.admit("asker", "full")?;
    let person = stage.admit_person("olga", "operator")?;
    paid(&stage, &agent)?;
    delegations::begin(&stage, &person)?;
    let early = server.admitted(&stage)?;
    let people = openid::SignIn::admitted(&stage, &server.issuer)?;
    // First, while the book is short and witnessed to its end.
    let mut told = office::asked(&stage)?;
    let url = format!("http://{}", stage.address("http"));
    for (tag, token_file) in [("agents", agent.token_file.as_str()), ("people", person.as_str())] {
        let caller = Caller {
            tag,
            token_file,
            url: &url,
            description: DESK,
            pace: &["--max-time", SECONDS],
        };
        told = told.saturating_add(asked(&stage, &caller)?);
    }
    // Whatever was asked and refused, the ledger comes to rest and is witnessed to its end.
    stage.witnessed()?;
    let tokens = server.tokens_are_held_to_the_book(&stage, &early)?;
    say::line(format!(
        "api: an authorization server's tokens were held to the book {tokens} times"
    ));
    let told = told.saturating_add(tokens);
    Ok(Verdict::Passed(told.saturating_add(people.signs_in_by_the_book(&stage)?)))
}

/// Something happened before: a transfer that settled, so that there is a case, a receipt and a transaction to ask about.
fn paid(stage: &Stage, agent: &Agent) -> Done {
    let wish = Wish {
        to: stage.node.checksummed(&stage.node.account()?)?,
        units: coin(20),
        token: None,
        memo: None,
    };
    let case = text(&agent.send(stage, &wish, "first")?, "/case")?;
    stage.done(&case).map(drop)
}

/// Who asks, and what.
struct Caller<'a> {
    /// The operations under this tag.
    tag: &'a str,
    token_file: &'a str,
    /// Where the server is.
    url: &'a str,
    /// The file that describes it, below the root.
    description: &'a str,
    /// For how long, and how fast.
    pace: &'a [&'a str],
}

/// One run with one credential; gives how many operations were asked.
fn asked(stage: &Stage, caller: &Caller<'_>) -> Done<usize> {
    let Caller { tag, url, .. } = caller;
    let har = stage.room.join(format!("{tag}.har"));
    let token = run::read(caller.token_file.as_ref())?;
    let header = format!("Authorization:Bearer {}", token.trim());
    let description = house::root().join(caller.description);
    let config = house::root().join("xtask/tools/schemathesis/schemathesis.toml");
    let mut command = run::command(tools::schemathesis()?, &["--no-color", "--config-file"]);
    command.arg(config).arg("run");
    command.args(["--url", url, "--header", &header, "--include-tag", tag]);
    command.args(["--exclude-operation-id", STREAM, "--checks", CHECKS]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES]);
    command.args(["--seed", "20261122", "--generation-deterministic"]).args(caller.pace);
    command.args(["--workers", "1", "--request-timeout", "30"]);
    command.args(["--continue-on-failure", "--report", "har", "--report-har-path"]);
    command.arg(&har).arg(&description).current_dir(&stage.room);
    let output = run::kept(&mut command)?;
    let said = String::from_utf8_lossy(&output.stdout);
    run::write(&stage.room.join(format!("{tag}.log")), &said)?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the API is not as described, to {tag}:\n{said}\n{why}"));
    }
    let seen = Seen::read(&har, &description, tag)?;
    say::line(format!("api: {} requests by {tag}, answered {:?}", seen.requests, seen.statuses));
    seen.is_enough(tag)?;
    Ok(seen.asked.len())
}

/// What was answered.
struct Seen {
    requests: usize,
    statuses: BTreeMap<u64, usize>,
    /// Operations that the caller should have asked.
    wanted: BTreeSet<String>,
    /// Those that it did ask, and whether one answer was good.
    asked: BTreeMap<String, bool>,
    /// Where the desk failed, or said that it was not set up: operation and status.
    failed: BTreeSet<(String, u64)>,
}

impl Seen {
    fn read(har: &Path, description: &Path, tag: &str) -> Done<Self> {
        let read = |path: &Path| -> Done<Value> {
            serde_json::from_str(&run::read(path)?).map_err(|e| format!("{}: {e}", path.display()))
        };
        Self::of(&read(har)?, &read(description)?, tag)
    }

    fn of(har: &Value, description: &Value, tag: &str) -> Done<Self> {
        let entries = har.pointer("/log/entries").and_then(Value::as_array);
        let entries = entries.ok_or("the record of requests has no entries")?;
        let mut seen = Self {
            requests: entries.len(),
            statuses: BTreeMap::new(),
            wanted: operations(description, tag),
            asked: BTreeMap::new(),
            failed: BTreeSet::new(),
        };
        for entry in entries {
            let status = entry.pointer("/response/status").and_then(Value::as_u64).unwrap_or(0);
            let count: &mut usize = seen.statuses.entry(status).or_default();
            *count = count.saturating_add(1);
            let (method, url) = (text(entry, "/request/method")?, text(entry, "/request/url")?);
            let name = operation(description, &method, &url);
            if status >= 500 {
                seen.failed.insert((name.clone().unwrap_or(url), status));
            }
            if let Some(name) = name {
                *seen.asked.entry(name).or_default() |= (200..400).contains(&status);
            }
        }
        Ok(seen)
    }

    fn is_enough(&self, tag: &str) -> Done {
        let never = NEVER_WELL.iter().chain(&office::NEVER_WELL);
        let never: BTreeSet<&str> = never.map(|(known, _)| *known).collect();
        let excused = |name: &str| never.contains(name);
        let seldom = |name: &str| SELDOM_WELL.contains(&name);
        let stray = |well: bool| {
            let found = self
                .asked
                .iter()
                .filter(|(name, was)| **was == well && excused(name) == well && !seldom(name));
            found.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
        };
        let missed = self.wanted.iter().filter(|name| !self.asked.contains_key(*name));
        let missed: Vec<&str> = missed.map(String::as_str).collect();
        for (found, words) in [
            (missed, "were never asked"),
            (stray(false), "were never answered well"),
            (stray(true), "were answered well, and the list of those that never are names them"),
        ] {
            if !found.is_empty() {
                let all = self.asked.len();
                return Err(format!(
                    "of {all} operations for {tag} these {words}: {found:?}; answers: {:?}",
                    self.statuses
                ));
            }
        }
        if !self.failed.is_empty() {
            return Err(format!(
                "no request may end in a failure of the server: {:?}",
                self.failed
            ));
        }
        match self.asked.len() {
            0 => Err(format!("nothing was asked for {tag}")),
            _ => Ok(()),
        }
    }
}

/// The operations under a tag. A stream of events does not end, so it is not asked.
fn operations(description: &Value, tag: &str) -> BTreeSet<String> {
    let paths = description.get("paths").and_then(Value::as_object);
    let all = paths.into_iter().flat_map(|paths| paths.values());
    let all = all.filter_map(Value::as_object).flat_map(|methods| methods.values());
    let ours = all.filter(|one| {
        let tags = one.get("tags").and_then(Value::as_array);
        tags.into_iter().flatten().any(|known| known == tag)
    });
    let names = ours.filter_map(|one| one.get("operationId")?.as_str());
    names.filter(|name| *name != STREAM).map(str::to_owned).collect()
}

/// The operation that a request belongs to.
fn operation(description: &Value, method: &str, url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let path = rest.get(rest.find('/')?..)?.split(['?', '#']).next()?;
    let fits = |template: &str| {
        let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(our), Some(their)) if our == their || our.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let paths = description.get("paths")?.as_object()?;
    // A template without a name wins over one with it.
    let mut found: Vec<&String> = paths.keys().filter(|template| fits(template)).collect();
    found.sort_by_key(|template| template.matches('{').count());
    let place = paths.get(found.first()?.as_str())?.get(method.to_ascii_lowercase())?;
    place.get("operationId")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn description() -> Value {
        let of = |name: &str| json!({ "operationId": name, "tags": ["people"] });
        json!({ "paths": {
            "/api/v1/cases": { "get": of("cases") },
            "/api/v1/cases/{case}": { "get": of("case") },
            "/api/v1/approvals": { "get": of("approve") },
            "/api/v1/events": { "get": of("events") },
            "/api/v1/agent/fee": { "get": { "operationId": "get_fee_quote", "tags": ["agents"] } },
        } })
    }

    fn seen(statuses: &[(&str, u16)]) -> Seen {
        let entries: Vec<_> = statuses
            .iter()
            .map(|(path, status)| {
                let url = format!("http://127.0.0.1:1/api/v1{path}");
                json!({ "request": { "method": "GET", "url": url }, "response": { "status": status } })
            })
            .collect();
        Seen::of(&json!({ "log": { "entries": entries } }), &description(), "people").unwrap()
    }

    #[test]
    fn a_run_in_which_an_operation_was_only_refused_or_not_asked_has_shown_nothing() {
        let good = [("/cases?all=true", 200), ("/cases/ab", 304), ("/approvals", 409)];
        assert!(seen(&good).is_enough("people").is_ok());
        for (more, why) in [
            (&[("/cases", 200), ("/cases/ab", 404), ("/approvals", 409)][..], "well: [\"case\"]"),
            (&[("/cases", 200), ("/cases/ab", 200)][..], "never asked: [\"approve\"]"),
            (&[("/elsewhere", 200)][..], "never asked"),
            (&[][..], "never asked"),
        ] {
            let told = seen(more).is_enough("people").unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        let stale = [&good[..], &[("/approvals", 200)]].concat();
        let told = seen(&stale).is_enough("people").unwrap_err();
        assert!(
            told.contains("the list of those that never are names them: [\"approve\"]"),
            "{told}"
        );
    }

    #[test]
    fn one_failure_of_the_desk_is_enough() {
        let good = [("/cases", 200), ("/cases/ab", 200), ("/approvals", 409)];
        for (path, status) in [("/cases", 500), ("/cases/ab", 501), ("/elsewhere", 502)] {
            let told = seen(&[&good[..], &[(path, status)]].concat()).is_enough("people");
            assert!(told.unwrap_err().contains(&status.to_string()), "{path}");
        }
    }

    #[test]
    fn whoever_is_excused_is_an_operation_of_the_description() {
        for (file, tags, excused) in [
            (DESK, &["people", "agents"][..], &NEVER_WELL[..]),
            (office::DESCRIPTION, &["office"][..], &office::NEVER_WELL[..]),
        ] {
            let kept = run::read(&house::root().join(file)).unwrap();
            let kept: Value = serde_json::from_str(&kept).unwrap();
            let all: BTreeSet<String> =
                tags.iter().flat_map(|tag| operations(&kept, tag)).collect();
            for (name, _) in excused {
                assert!(all.contains(*name), "{name}");
            }
        }
    }
}
