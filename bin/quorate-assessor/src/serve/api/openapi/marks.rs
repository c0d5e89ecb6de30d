//! What is asked and answered about Trust Marks (docs/spec/mark.md).

use serde_json::{Value, json};

use super::{anything, closed, count, described, digest, instant, list, object, text_of};

/// What a change reads, if it is about a mark.
pub(super) fn body(id: &str) -> Option<Value> {
    Some(match id {
        "compose_claim" => object(&[
            ("offer", offer(), true),
            ("results", described(digest(), "SHA-256 of the results."), true),
            ("exclusions", described(list(text_of(1)), "What is left out."), true),
            ("until", described(instant(), "The last instant at which it may be shown."), true),
        ]),
        "take_claim" => object(&[
            ("claim", described(waiting(), "The claim as it was signed."), true),
            ("answer", described(text_of(1), "What the auditor's key answered."), true),
        ]),
        "offer_mark" => {
            let word = json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" });
            let issuer = described(text_of(1), "The issuer's name as marks say it.");
            let name = described(text_of(1), "The name of this register's status list.");
            object(&[("mark", word, true), ("list", name, true), ("issuer", issuer, true)])
        }
        "issue_mark" => object(&[("proposal", proposal(), true)]),
        "finish_mark" => {
            let seen = described(text_of(1), "The request that the witnesses saw.");
            let mut lines = list(text_of(1));
            if let Some(lines) = lines.as_object_mut() {
                lines.insert("maxItems".to_owned(), json!(64));
            }
            let policy = described(anything(), "The policy that verifiers pin.");
            object(&[
                ("checkpoint", seen, true),
                ("cosignatures", described(lines, "One line of each witness."), true),
                ("policy", policy, true),
            ])
        }
        "suspend_mark" => {
            let reason = json!({ "type": "string", "minLength": 1, "maxLength": 500 });
            let words = "Why, in words that may be published.";
            object(&[("reason", described(reason, words), true)])
        }
        _ => return None,
    })
}

/// What a route answers, if it is about a mark.
pub(super) fn answer(id: &str) -> Option<Value> {
    Some(match id {
        "compose_claim" => object(&[("claim", waiting(), true)]),
        "take_claim" | "issue_mark" => object(&[
            ("entry", count(), true),
            ("mark", text_of(1), true),
            ("proposal", proposal(), true),
        ]),
        "offer_mark" => object(&[("entry", count(), true), ("offer", offer(), true)]),
        "checkpoint" => {
            let words = "The request to a witness, signed by the log (C2SP tlog-witness).";
            object(&[("checkpoint", described(text_of(1), words), true)])
        }
        "finish_mark" | "mark_file" => file(),
        "suspend_mark" => object(&[
            ("entry", count(), true),
            ("mark", text_of(1), true),
            ("standing", json!({ "const": "suspended" }), true),
        ]),
        "status_list" => described(envelope(), "The signed status list, fresh for 24 hours."),
        _ => return None,
    })
}

fn signatory() -> Value {
    closed(object(&[("name", text_of(1), true), ("key", text_of(1), true)]))
}

/// A place that an issuer gave out.
fn offer() -> Value {
    let status = closed(object(&[("list", text_of(1), true), ("place", count(), true)]));
    closed(object(&[
        ("v", json!({ "const": 1 }), true),
        ("mark", text_of(1), true),
        ("issuer", signatory(), true),
        ("status", status, true),
    ]))
}

/// A claim that waits for its auditor's signature.
fn waiting() -> Value {
    closed(object(&[
        ("v", json!({ "const": 1 }), true),
        ("audit", text_of(1), true),
        ("statement", described(anything(), "The in-toto statement that is signed."), true),
    ]))
}

/// A DSSE envelope.
fn envelope() -> Value {
    let line = closed(object(&[("keyid", text_of(1), true), ("sig", text_of(1), true)]));
    closed(object(&[
        ("payloadType", text_of(1), true),
        ("payload", text_of(1), true),
        ("signatures", list(line), true),
    ]))
}

/// A mark on its way.
fn proposal() -> Value {
    let certificate = json!({ "type": ["object", "null"] });
    closed(object(&[
        ("v", json!({ "const": 1 }), true),
        ("envelope", envelope(), true),
        ("results", described(text_of(1), "As they were digested."), true),
        ("certificate", certificate, true),
    ]))
}

/// The mark's one file.
fn file() -> Value {
    closed(object(&[
        ("v", json!({ "const": 1 }), true),
        ("envelope", envelope(), true),
        ("results", text_of(1), true),
        ("entry", text_of(1), true),
        ("proof", text_of(1), true),
    ]))
}
