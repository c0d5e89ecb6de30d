//! Tokens that the server binds to a key of its client, and what the doors say to proofs of that key (DPoP, RFC 9449). The proofs
//! too are made by somebody else's library.

use serde_json::{Value, json};

use super::{Server, asked_for, read};
use crate::Done;
use crate::run;
use crate::stage::{Answered, Stage, send};
use crate::tools;

/// Something to ask at one door, and what is said when it opens.
struct Door {
    resource: String,
    method: &'static str,
    url: String,
    body: String,
    opens: &'static str,
}

impl Server {
    /// Shows a token that is bound to a key at each door: with proofs that hold, with others, and without.
    pub(super) fn proofs_are_held_to_their_request(&self, stage: &Stage) -> Done {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let (api, mcp) = (self.api.clone(), self.mcp.clone());
        let me = format!("{api}/me");
        for door in [
            Door {
                resource: api,
                method: "GET",
                url: me,
                body: String::new(),
                opens: "\"trader\"",
            },
            Door {
                resource: mcp.clone(),
                method: "POST",
                url: mcp,
                body: list.to_string(),
                opens: "\"name\":\"get_balance\"",
            },
        ] {
            self.said_by_the_metadata(&door)?;
            self.proved_at(stage, &door)?;
        }
        Ok(())
    }

    fn said_by_the_metadata(&self, door: &Door) -> Done {
        let origin = self.mcp.strip_suffix("/mcp").unwrap_or_default();
        let path = door.resource.strip_prefix(origin).unwrap_or_default();
        let url = format!("{origin}/.well-known/oauth-protected-resource{path}");
        let said = read(&send("GET", &url, &[], "")?)?;
        let algorithms = said.get("dpop_signing_alg_values_supported").and_then(Value::as_array);
        if !algorithms.is_some_and(|all| all.contains(&json!("ES256")))
            || said.get("dpop_bound_access_tokens_required") != Some(&json!(false))
        {
            return Err(format!("of proofs the metadata at {url} says {said}"));
        }
        self.counted();
        Ok(())
    }

    fn proved_at(&self, stage: &Stage, door: &Door) -> Done {
        let proof = |key: &str, method: &str, url: &str, token: &str| {
            proof(stage, key, [method, url, token])
        };
        let of_holder = |token: &str| proof("holder", door.method, &door.url, token);
        let tokens_at = format!("{}/token", self.issuer);
        let bound = || -> Done<String> {
            let first = proof("holder", "POST", &tokens_at, "")?;
            let more = [("DPoP", first.as_str())];
            asked_for(&self.issuer, "trader", &door.resource, "read", &more)
        };
        let (token, another) = (bound()?, bound()?);
        let good = of_holder(&token)?;
        let opened = shown(door, "DPoP", &token, Some(&good))?;
        self.expect("a token with a proof of its key", &opened, 200, door.opens)?;
        let other_method = if door.method == "GET" { "POST" } else { "GET" };
        let elsewhere = format!("{}/elsewhere", door.resource);
        for (what, given, said) in [
            ("the same proof again", Some(good), "was shown before"),
            ("no proof", None, "header is missing"),
            (
                "a proof by another key",
                Some(proof("thief", door.method, &door.url, &token)?),
                "bound to another key",
            ),
            (
                "a proof for another method",
                Some(proof("holder", other_method, &door.url, &token)?),
                "for another method",
            ),
            (
                "a proof for another url",
                Some(proof("holder", door.method, &elsewhere, &token)?),
                "for another URL",
            ),
            ("a proof for another token", Some(of_holder(&another)?), "for another token"),
            ("a proof for no token", Some(of_holder("")?), "the proof is no JWT with"),
        ] {
            let answer = shown(door, "DPoP", &token, given.as_deref())?;
            self.expect(what, &answer, 401, said)?;
            self.expect(what, &answer, 401, "error=\"invalid_dpop_proof\", algs=\"")?;
        }
        let bare = shown(door, "Bearer", &token, None)?;
        self.expect("a token of a key as a bearer's", &bare, 401, "the token is bound to a key")?;
        self.expect("a token of a key as a bearer's", &bare, 401, "error=\"invalid_token\"")?;
        let loose = super::token(&self.issuer, "trader", &door.resource, "read")?;
        let given = of_holder(&loose)?;
        let answer = shown(door, "DPoP", &loose, Some(&given))?;
        self.expect("a token of no key with a proof", &answer, 401, "bound to no key")?;
        let fresh = of_holder(&token)?;
        let opened = shown(door, "DPoP", &token, Some(&fresh))?;
        self.expect("a token with another proof of its key", &opened, 200, door.opens)
    }
}

fn shown(door: &Door, scheme: &str, token: &str, proof: Option<&str>) -> Done<Answered> {
    let credential = format!("{scheme} {token}");
    let mut headers = vec![
        ("Authorization", credential.as_str()),
        ("Accept", "application/json, text/event-stream"),
        ("Content-Type", "application/json"),
    ];
    headers.extend(proof.map(|proof| ("DPoP", proof)));
    send(door.method, &door.url, &headers, &door.body)
}

/// A proof for a method, a URL and a token, if there is one, by the key of this name.
fn proof(stage: &Stage, key: &str, words: [&str; 3]) -> Done<String> {
    let tools = tools::oauth()?;
    let mut command = run::command(&tools.node, &[]);
    command.arg(&tools.proof).arg(stage.room.join(format!("{key}.jwk"))).args(words);
    Ok(run::text(&mut command)?.trim().to_owned())
}
