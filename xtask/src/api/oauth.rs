//! An authorization server of somebody else's (oidc-provider) before the desk's doors: client credentials, one resource a token
//! (RFC 8707), and what the doors say to each token.

mod dpop;

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Done;
use crate::process::{Process, free_port};
use crate::run;
use crate::stage::{Answered, Stage, send};
use crate::tools;

/// What its clients prove themselves with; it lives as long as this step.
pub(super) const SECRET: &str = "a secret of this step only";
/// A resource that is nobody's here.
const ELSEWHERE: &str = "https://elsewhere.example/mcp";

/// The server, and another one that speaks for nobody.
pub(super) struct Server {
    pub(super) issuer: String,
    other: String,
    mcp: String,
    api: String,
    /// Answers that were as they must be.
    held: Cell<usize>,
    _running: [Process; 2],
}

impl Server {
    /// Starts both.
    pub(super) fn start(stage: &Stage) -> Done<Self> {
        let door = format!("http://{}", stage.address("http"));
        let (mcp, api) = (format!("{door}/mcp"), format!("{door}/api/v1"));
        let ((issuer, first), (other, second)) =
            (one(stage, "issuer", &[&mcp, &api])?, one(stage, "other-issuer", &[&mcp, &api])?);
        Ok(Self { issuer, other, mcp, api, held: Cell::new(0), _running: [first, second] })
    }

    /// Admits one of its clients to the book, and takes a token that will have ended when it is shown.
    pub(super) fn admitted(&self, stage: &Stage) -> Done<String> {
        for client in ["trader", "flash"] {
            stage.admit_subject(
                client,
                "read,prepare,sign",
                &format!("{}#{client}", self.issuer),
            )?;
        }
        token(&self.issuer, "flash", &self.api, "read")
    }

    /// Shows tokens of all sorts at both doors; `early` was taken long ago. Gives how many answers were as they must be.
    pub(super) fn tokens_are_held_to_the_book(&self, stage: &Stage, early: &str) -> Done<usize> {
        let of = |resource: &str, scope: &str| token(&self.issuer, "trader", resource, scope);
        let (mcp, api) = (of(&self.mcp, "read prepare sign")?, of(&self.api, "read prepare")?);
        self.discovery()?;
        self.opens(&mcp, &api)?;
        self.proofs_are_held_to_their_request(stage)?;
        let strange = of(ELSEWHERE, "read")?;
        let foreign = token(&self.other, "trader", &self.api, "read")?;
        let scopeless = of(&self.api, "")?;
        let (header, rest) = api.split_once('.').ok_or("the token has no parts")?;
        let cut = format!("{header}.{}", rest.chars().rev().collect::<String>());
        for (what, door, token, status, said) in [
            ("a token for MCP at the API", &self.api, &mcp, 401, "invalid_token"),
            ("a token for the API at MCP", &self.mcp, &api, 401, "invalid_token"),
            ("a token for elsewhere", &self.mcp, &strange, 401, "not for this resource"),
            ("a token of another issuer", &self.api, &foreign, 401, "another issuer"),
            ("a token that ended", &self.api, &early.to_owned(), 401, "has expired"),
            ("a token that was changed", &self.api, &cut, 401, "invalid_token"),
            ("a token without a scope", &self.api, &scopeless, 403, "scope=\"read\""),
        ] {
            self.refused(what, door, token, status, said)?;
        }
        let sign =
            json!({ "wallet": "treasury", "chain": "eip155:31337", "draft": "0".repeat(64) });
        let key = ("Idempotency-Key", "narrowed");
        let narrowed = ask("POST", &format!("{}/agent/sign", self.api), &api, &[key], &sign)?;
        self.expect("a scope below the band", &narrowed, 403, "scope=\"sign\"")?;
        stage.desk(&["agent", "revoke", "trader"])?;
        self.refused("a credential that was revoked", &self.api, &api, 401, "revoked")?;
        self.refused("a credential that was revoked", &self.mcp, &mcp, 401, "revoked")?;
        Ok(self.held.get())
    }

    /// Both doors say whose tokens they take.
    fn discovery(&self) -> Done {
        for (resource, path) in [(&self.mcp, "/mcp"), (&self.api, "/api/v1")] {
            let door = resource.strip_suffix(path).unwrap_or(resource);
            let url = format!("{door}/.well-known/oauth-protected-resource{path}");
            let said = read(&send("GET", &url, &[], "")?)?;
            if said.get("resource") != Some(&json!(resource))
                || said.get("authorization_servers") != Some(&json!([self.issuer]))
            {
                return Err(format!("the metadata of {resource} says {said}"));
            }
            self.counted();
        }
        Ok(())
    }

    /// The right token passes at each door, as far as its scopes go.
    fn opens(&self, mcp: &str, api: &str) -> Done {
        let me = read(&ask("GET", &format!("{}/me", self.api), api, &[], &Value::Null)?)?;
        if me.get("credential") != Some(&json!("trader"))
            || me.get("band") != Some(&json!("prepare"))
        {
            return Err(format!("the API takes the token for {me}"));
        }
        self.counted();
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let accept = ("Accept", "application/json, text/event-stream");
        let said = ask("POST", &self.mcp, mcp, &[accept], &list)?;
        self.expect("the right token at MCP", &said, 200, "\"name\":\"sign_transaction\"")?;
        if said.text.contains("\"name\":\"send_transaction\"") {
            return Err("a token whose scopes end at `sign` is shown what broadcasts".to_owned());
        }
        Ok(())
    }

    fn refused(&self, what: &str, door: &str, token: &str, status: u16, said: &str) -> Done {
        let answer = if *door == *self.api {
            ask("GET", &format!("{door}/me"), token, &[], &Value::Null)?
        } else {
            let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
            let accept = ("Accept", "application/json, text/event-stream");
            ask("POST", door, token, &[accept], &list)?
        };
        self.expect(what, &answer, status, said)?;
        // RFC 6750 section 3, RFC 9728 section 5.1.
        self.expect(what, &answer, status, "resource_metadata=")
    }

    /// One more answer that is as it must be, or what it is instead.
    fn expect(&self, what: &str, answer: &Answered, status: u16, said: &str) -> Done {
        let Answered { status: is, head, text, .. } = answer;
        if *is == status && (head.contains(said) || text.contains(said)) {
            self.counted();
            return Ok(());
        }
        Err(format!("{what}: not {status} with `{said}` but {head}\n{text}"))
    }

    fn counted(&self) {
        self.held.set(self.held.get().saturating_add(1));
    }
}

fn one(stage: &Stage, name: &str, resources: &[&str]) -> Done<(String, Process)> {
    let (tools, port) = (tools::oauth()?, free_port()?);
    let mut command = run::command(&tools.node, &[]);
    let back = super::openid::redirect(stage);
    let first = [&port.to_string(), SECRET, &back];
    command.arg(&tools.script).args(first).args(resources).arg(ELSEWHERE);
    let log = stage.room.join(format!("logs/{name}.log"));
    let mut process = Process::start(name, &mut command, &log)?;
    process.wait_for_port(port, Duration::from_secs(30))?;
    Ok((format!("http://127.0.0.1:{port}"), process))
}

/// An access token by client credentials.
fn token(issuer: &str, client: &str, resource: &str, scope: &str) -> Done<String> {
    asked_for(issuer, client, resource, scope, &[])
}

/// The same, asked for with more headers.
fn asked_for(
    issuer: &str,
    client: &str,
    resource: &str,
    scope: &str,
    more: &[(&str, &str)],
) -> Done<String> {
    let plain = |text: &str| -> String {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    let body = format!(
        "grant_type=client_credentials&client_id={client}&client_secret={}&resource={}{}",
        plain(SECRET),
        plain(resource),
        if scope.is_empty() { String::new() } else { format!("&scope={}", plain(scope)) }
    );
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let headers = [&form[..], more].concat();
    let said = read(&send("POST", &format!("{issuer}/token"), &headers, &body)?)?;
    let token = said.get("access_token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| format!("the server gives no token: {said}"))
}

fn ask(
    method: &str,
    url: &str,
    token: &str,
    more: &[(&str, &str)],
    body: &Value,
) -> Done<Answered> {
    let bearer = format!("Bearer {token}");
    let json = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, url, &[&json[..], more].concat(), &body)
}

fn read(answer: &Answered) -> Done<Value> {
    serde_json::from_str(&answer.text)
        .map_err(|e| format!("no JSON ({e}): {} {}", answer.status, answer.text))
}
