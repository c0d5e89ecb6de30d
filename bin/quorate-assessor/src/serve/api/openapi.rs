//! The office's API described: OpenAPI 3.1, made from the table of routes. `docs/api/office.json` is this text;
//! `cargo xtask schemas` writes it.

// Named whole, because the program that writes the description reads this file from elsewhere.
#[path = "openapi/marks.rs"]
mod marks;

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::canonical;
use serde_json::{Map, Value, json};

use super::table::{BASE, Number, ROUTES, Route, Scope, Text, Way};

/// A digest as it is written.
const DIGEST: &str = "^[0-9a-f]{64}$";
/// The fields that tell a control, in the order of its key.
const KEY: [&str; 3] = ["standard", "version", "id"];
/// What every refusal is.
const REFUSAL: &str = "#/components/schemas/Refusal";

/// From an answer to the requests that it leads to: operation, the place in its body, operation, the parameter.
const LINKS: [(&str, &str, &str, &str); 15] = [
    ("standards", "/standards/0/results", "assessment", "path.digest"),
    ("assessments", "/assessments/0/results", "assessment", "path.digest"),
    ("assess", "/sha256", "assessment", "path.digest"),
    ("assess", "/results/findings/0/control", "control", "path.key"),
    ("assessment", "/results/findings/0/control", "control", "path.key"),
    ("history", "/history/0/control", "control", "path.key"),
    ("bulletin", "/bulletin/standards/0/results", "assessment", "path.digest"),
    ("audits", "/audits/0/audit", "audit", "path.audit"),
    ("audits", "/audits/0/audit", "calendar", "path.audit"),
    ("audits", "/audits/0/audit", "report", "path.audit"),
    ("audits", "/audits/0/audit", "evidence", "path.audit"),
    ("marks", "/marks/0/claim/mark", "mark", "path.mark"),
    ("marks", "/marks/0/claim/mark", "mark_file", "path.mark"),
    ("issue_mark", "/mark", "mark", "path.mark"),
    ("suspend_mark", "/mark", "mark", "path.mark"),
];

/// The description as its file holds it: in the same order, whatever order a build keeps fields in.
pub(crate) fn text() -> String {
    let sorted = canonical::to_bytes(&document(), "description").ok();
    let sorted: Option<Value> = sorted.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut text = serde_json::to_string_pretty(&sorted.unwrap_or_default()).unwrap_or_default();
    text.push('\n');
    text
}

fn document() -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in &ROUTES {
        let path = format!("{BASE}{}", route.path);
        paths.entry(path).or_default().insert(route.method.to_owned(), operation(route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Quorate, the auditor's office",
            "version": "1",
            "summary": "How a deployment stands against the standards, and who says so.",
            "description": "What the command line of the office does, at the office's own origin: assessments, audits, marks. An \
                answer holds what the same command answers under `--json`; to a token that only looks, values about people are \
                commitments. A token opens the door and signs nothing: a step of an \
                audit counts by the signature of its person, a claim by its auditor's, and a mark is issued on the claim of an \
                assessor whom the token names. The office says \"assessed\"; only a registrar's certificate says more.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token that `quorate-assessor token new` wrote. With the scope `file` or `mark` it does what \
                    `look` does and more. It is taken from the header alone.",
            } },
            "schemas": {
                "Assessment": assessment(),
                "Audit": audit(),
                "Bulletin": bulletin(),
                "Mark": mark(),
                "Refusal": refusal(),
                "Results": results(),
            },
            "responses": {
                "refused": refused("A refusal; its code says what kind.", None),
                "challenge": refused(
                    "No token, or none that is in force.",
                    Some(("WWW-Authenticate", "Which credential is asked for (RFC 6750).")),
                ),
                "later": refused("Not now.", Some(("Retry-After", "Seconds to wait."))),
            },
        },
    })
}

/// The one form of refusals.
fn refusal() -> Value {
    let words = "What to do next.";
    let fields = object(&[
        ("code", code(), true),
        ("message", text_of(0), true),
        ("next", described(text_of(0), words), true),
        ("problems", list(text_of(0)), false),
    ]);
    object(&[("error", fields, true)])
}

/// A response that is a refusal, with a header that it always carries.
fn refused(words: &str, header: Option<(&str, &str)>) -> Value {
    let headers: Map<_, _> = header
        .into_iter()
        .map(|(name, words)| {
            let header = json!({ "description": words, "required": true, "schema": text_of(1) });
            (name.to_owned(), header)
        })
        .collect();
    json!({ "description": words, "headers": headers, "content": in_json(&json!({ "$ref": REFUSAL })) })
}

fn operation(route: &Route) -> Value {
    let mut made = json!({
        "operationId": route.id,
        "summary": route.says,
        "tags": ["office"],
        "description": whom(&route.scope),
        "parameters": parameters(route),
        "responses": responses(route),
    });
    let Some(object) = made.as_object_mut() else { return made };
    if matches!(route.scope, Scope::Public) {
        object.insert("security".to_owned(), json!([]));
    }
    if let Some(words) = route.body {
        let content = match route.file {
            Way::In => as_file(),
            Way::None | Way::Out => body(route.id),
        };
        let body = json!({ "description": words, "required": true, "content": content });
        object.insert("requestBody".to_owned(), body);
    }
    made
}

const fn whom(scope: &Scope) -> &'static str {
    match scope {
        Scope::Public => "For anybody.",
        Scope::Look => "For tokens of every scope.",
        Scope::File => "For tokens of the scope `file`.",
        Scope::Mark => "For tokens of the scope `mark`.",
    }
}

fn is_change(route: &Route) -> bool {
    route.method != "get"
}

/// The names that stand for segments of a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = |name: &str| json!({ "name": name, "in": "path", "required": true, "schema": segment(name) });
    let mut made: Vec<Value> = names(route.path).map(in_path).collect();
    for number in route.query {
        let (name, words, schema) = (number.name, number.says, queried(number));
        made.push(json!({
            "name": name, "in": "query", "required": false, "description": words, "schema": schema,
        }));
    }
    if let Some(Text { name, says, most }) = &route.text {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": most });
        made.push(json!({
            "name": name, "in": "query", "required": true, "description": says, "schema": schema,
        }));
    }
    made.push(if is_change(route) {
        let words = match route.is_kept {
            true => "The caller's own name for this request. The same name does it once.",
            false => "The caller's own name for this request. The same name may do it again.",
        };
        json!({
            "name": "Idempotency-Key", "in": "header", "required": true, "description": words,
            "schema": { "type": "string", "pattern": "^[!-~]{1,64}$" },
        })
    } else {
        json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The ETag of an answer that the caller has.",
            "schema": { "type": "string" },
        })
    });
    made
}

fn segment(name: &str) -> Value {
    match name {
        "digest" => digest(),
        "key" => json!({
            "type": "string", "minLength": 1, "example": "ccss 9.0 1.01.1.1",
            "description": "The control: its standard, the version and the id.",
        }),
        _ => json!({ "type": "string", "minLength": 1 }),
    }
}

fn queried(number: &Number) -> Value {
    let Number { least, most, otherwise, .. } = number;
    let mut schema = json!({ "type": "integer", "minimum": least, "maximum": most });
    if let (Some(otherwise), Some(object)) = (otherwise, schema.as_object_mut()) {
        object.insert("default".to_owned(), json!(otherwise));
    }
    schema
}

/// What a change reads.
fn body(id: &str) -> Value {
    let level = json!({ "type": ["string", "null"], "minLength": 1 });
    let (schema, example) = match id {
        "assess" => (
            object(&[
                ("standard", described(text_of(1), "The standard with its version."), true),
                ("level", described(level, "The level that is sought; all, when none."), false),
            ]),
            Some(json!({ "standard": "ccss 9.0", "level": "II" })),
        ),
        "compose_step" => (
            object(&[
                ("by", described(text_of(1), "Who takes it, by id."), true),
                ("record", record(), true),
            ]),
            None,
        ),
        "take_step" | "open_file" => (
            object(&[
                ("step", described(waiting(), "The step as it was signed."), true),
                ("answer", described(text_of(1), "What its person's key answered."), true),
            ]),
            None,
        ),
        _ => (marks::body(id).unwrap_or_else(anything), None),
    };
    let mut content = in_json(&closed(schema));
    let media = content.get_mut("application/json").and_then(Value::as_object_mut);
    if let (Some(example), Some(media)) = (example, media) {
        media.insert("example".to_owned(), example);
    }
    content
}

/// What a step records.
fn record() -> Value {
    let record = object(&[("act", text_of(1), true)]);
    described(record, "What is recorded (docs/spec/audit.md).")
}

/// A step that waits for its signature (docs/spec/audit.md).
fn waiting() -> Value {
    closed(object(&[
        ("v", json!({ "const": 1 }), true),
        ("audit", text_of(1), true),
        ("before", count(), true),
        ("by", text_of(1), true),
        ("record", record(), true),
        ("openings", list(anything()), true),
    ]))
}

fn responses(route: &Route) -> Map<String, Value> {
    let mut made = Map::from_iter([("200".to_owned(), good(route))]);
    if !is_change(route) {
        let words = "The caller has this answer already.";
        made.insert("304".to_owned(), json!({ "description": words, "headers": etag() }));
    }
    for status in refusals(route) {
        let form = match status {
            401 => "challenge",
            429 | 503 => "later",
            _ => "refused",
        };
        let form = json!({ "$ref": format!("#/components/responses/{form}") });
        made.insert(status.to_string(), form);
    }
    made
}

/// The statuses of the refusals that a route may say: those of every route of its kind, and its own.
fn refusals(route: &Route) -> BTreeSet<u16> {
    // Under another address than its own the office says 403; 409 where what is asked about is not as it must be.
    let mut all = BTreeSet::from([400, 403, 409, 503]);
    all.extend(route.statuses.iter().filter(|status| **status >= 400));
    // What anybody is given is bounded by how often it is made.
    if !matches!(route.scope, Scope::Public) {
        all.extend([401, 429]);
    }
    if is_change(route) {
        all.extend([413, 415, 422]);
    }
    if names(route.path).next().is_some() {
        all.insert(404);
    }
    all
}

fn etag() -> Value {
    json!({ "ETag": {
        "description": "The tag of this answer, for If-None-Match.",
        "required": true,
        "schema": { "type": "string", "pattern": "^\"[0-9a-f]{64}\"$" },
    } })
}

fn good(route: &Route) -> Value {
    let content = match route.file {
        Way::Out => as_file(),
        Way::None | Way::In => in_json(&answer(route.id)),
    };
    let mut made = json!({ "description": "The answer.", "content": content });
    let links = links(route.id);
    if let Some(object) = made.as_object_mut() {
        if !is_change(route) {
            object.insert("headers".to_owned(), etag());
        }
        if !links.is_empty() {
            object.insert("links".to_owned(), Value::Object(links));
        }
    }
    made
}

fn links(from: &str) -> Map<String, Value> {
    let ours = LINKS.iter().filter(|(operation, ..)| *operation == from);
    ours.map(|(_, place, to, parameter)| {
        let at = |place: &str| format!("$response.body#{place}");
        let expression = if *parameter == "path.key" {
            // A control is told by three fields, and its key is their words.
            KEY.map(|part| format!("{{{}}}", at(&format!("{place}/{part}")))).join(" ")
        } else {
            at(place)
        };
        let link = json!({ "operationId": to, "parameters": { *parameter: expression } });
        ((*to).to_owned(), link)
    })
    .collect()
}

/// What a route answers, by its name.
fn answer(id: &str) -> Value {
    let of = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let listed = |name: &str, item: Value| object(&[(name, list(item), true)]);
    match id {
        "status" => status(),
        "standards" => listed("standards", standard()),
        "assessments" => object(&[
            ("assessments", list(of("Assessment")), true),
            (
                "next_after",
                described(
                    json!({ "type": ["integer", "null"] }),
                    "Where the next page begins, if there is one.",
                ),
                true,
            ),
        ]),
        "assess" | "assessment" => of("Results"),
        "history" => listed("history", object(&[("control", told_by(&KEY), true)])),
        "bulletin" => of("Bulletin"),
        "workflows" => list(object(&[
            ("id", text_of(1), true),
            ("standard", text_of(1), true),
            ("digest", digest(), true),
        ])),
        "audits" => listed("audits", of("Audit")),
        "calendar" => list(due()),
        "report" => object(&[
            ("digest", described(digest(), "SHA-256 of the report's canonical bytes."), true),
            ("report", described(anything(), "Values about people are commitments."), true),
            ("echoes", list(text_of(1)), true),
        ]),
        "evidence" => object(&[
            ("exhibits", described(anything(), "By tag."), true),
            ("opened", list(anything()), true),
        ]),
        "compose_step" => object(&[("step", waiting(), true)]),
        "send_file" => object(&[("file", entry(), true)]),
        "marks" => listed("marks", of("Mark")),
        "mark" => of("Mark"),
        "me" => object(&[
            ("name", text_of(1), true),
            ("scope", json!({ "enum": ["look", "file", "mark"] }), true),
            ("expires", instant(), true),
            ("assessors", described(list(text_of(1)), "Whose claims it has issued."), true),
        ]),
        _ => marks::answer(id).unwrap_or_else(anything),
    }
}

/// What the office holds.
fn status() -> Value {
    let book = object(&[("vault", text_of(1), true), ("origin", text_of(1), true)]);
    object(&[
        ("office", text_of(1), true),
        ("origin", text_of(1), true),
        ("key", text_of(1), true),
        ("entries", count(), true),
        ("root", digest(), true),
        ("books", list(book), true),
        ("refused", described(count(), "How many books were refused."), true),
    ])
}

/// What was found newest, signed.
fn bulletin() -> Value {
    let bulletin = object(&[
        ("v", json!({ "const": 1 }), true),
        ("office", text_of(1), true),
        ("origin", text_of(1), true),
        ("made_at", instant(), true),
        ("standards", list(assessment()), true),
    ]);
    let signature = described(text_of(1), "The office's, over the bulletin's digest.");
    object(&[("bulletin", bulletin, true), ("signature", signature, true)])
}

/// A file as the register of evidence has it.
fn entry() -> Value {
    closed(object(&[
        ("name", text_of(1), true),
        ("digest", digest(), true),
        ("size", described(count(), "Bytes."), true),
        ("media", text_of(1), true),
    ]))
}

/// A date of an audit.
fn due() -> Value {
    let met = json!({ "type": ["integer", "null"], "minimum": 0 });
    object(&[
        ("id", text_of(1), true),
        ("title", text_of(0), true),
        ("by", instant(), true),
        ("met", described(met, "When it was met; none while it waits."), true),
    ])
}

/// A standard that the office knows.
fn standard() -> Value {
    object(&[
        ("standard", text_of(1), true),
        ("version", text_of(1), true),
        ("title", text_of(0), true),
        ("controls", count(), true),
        ("digest", digest(), true),
    ])
}

/// An assessment on record.
fn assessment() -> Value {
    object(&[("standard", text_of(1), true), ("results", digest(), true)])
}

/// An object of words.
fn told_by(names: &[&str]) -> Value {
    let fields: Vec<_> = names.iter().map(|name| (*name, text_of(1), true)).collect();
    object(&fields)
}

/// The results of an assessment, and the digest that the office's ledger names.
fn results() -> Value {
    let finding = object(&[
        ("control", told_by(&KEY), true),
        ("state", described(text_of(1), "How the control stands."), true),
        ("reasons", list(text_of(0)), true),
    ]);
    let results = object(&[
        ("standard", told_by(&["standard", "version"]), true),
        ("at", instant(), true),
        ("findings", list(finding), true),
    ]);
    object(&[("results", results, true), ("sha256", digest(), true)])
}

fn audit() -> Value {
    object(&[("audit", text_of(1), true)])
}

/// A Trust Mark of this office's register.
fn mark() -> Value {
    let claim = object(&[("mark", text_of(1), true)]);
    object(&[("claim", claim, true), ("standing", text_of(1), true)])
}

fn object(fields: &[(&str, Value, bool)]) -> Value {
    let properties: Map<_, _> =
        fields.iter().map(|(name, schema, _)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<_> =
        fields.iter().filter(|(.., needed)| *needed).map(|(name, ..)| name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// An object with these fields and no others.
fn closed(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    schema
}

fn described(mut schema: Value, words: &str) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), words.into());
    }
    schema
}

fn anything() -> Value {
    json!({ "type": "object" })
}

fn in_json(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// Bytes of any kind.
fn as_file() -> Value {
    let bytes = json!({ "type": "string", "format": "binary" });
    json!({ "application/octet-stream": { "schema": bytes } })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// Text of at least so many characters.
fn text_of(least: u8) -> Value {
    json!({ "type": "string", "minLength": least })
}

fn code() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9_]+$" })
}

fn digest() -> Value {
    json!({ "type": "string", "pattern": DIGEST })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Milliseconds since 1970, UTC.
fn instant() -> Value {
    described(count(), "Milliseconds since 1970, UTC.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_that_of_the_program() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/office.json");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == text(), "run `cargo xtask schemas`");
    }

    #[test]
    fn names_of_operations_are_distinct_and_links_lead_to_them() {
        let names: BTreeSet<&str> = ROUTES.iter().map(|route| route.id).collect();
        assert_eq!(names.len(), ROUTES.len());
        for (from, _, to, _) in LINKS {
            assert!(names.contains(from) && names.contains(to), "{from} {to}");
        }
    }

    #[test]
    fn a_link_names_a_parameter_of_where_it_leads() {
        for (_, _, to, parameter) in LINKS {
            let route = ROUTES.iter().find(|route| route.id == to).unwrap();
            assert!(names(route.path).any(|name| format!("path.{name}") == parameter), "{to}");
        }
    }

    #[test]
    fn what_changes_something_says_its_body_and_nothing_else_has_one() {
        for route in &ROUTES {
            assert_eq!(route.body.is_some(), is_change(route), "{}", route.id);
        }
    }

    #[test]
    fn no_refusal_is_a_failure_but_that_the_office_is_busy() {
        for route in &ROUTES {
            let failures: Vec<u16> = refusals(route).into_iter().filter(|s| *s >= 500).collect();
            assert_eq!(failures, [503], "{}", route.id);
        }
    }
}
