//! The API described: OpenAPI 3.1, made from the route table and from the schemas of the types that are read and said.
//! `docs/api/openapi.json` is this text; `cargo xtask schemas` writes it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use quorate_custody::replay::DAYS_MAX;
use quorate_terms::credential::Band;

use super::ROOT;
use super::agents::is_of;
use super::people::{DAYS, PAGE, PAGE_MAX};
use super::table::{Act, Does, ROUTES, Route, Who};
use crate::errors::{Category, Code};
use crate::office::{
    AddressView, AlertView, CasePage, CaseView, ChecklistView, CredentialView, DelegationView,
    FreezeView, ProofAnswer, StatusView, WalletView,
};
use crate::proposal::ReplayAnswer;
use crate::shapes;
use crate::tools::schema_of;

/// Values that show what an argument looks like. They are those of a demonstration.
const EXAMPLES: [(&str, &str); 10] = [
    ("wallet", "treasury"),
    ("chain", "eip155:31337"),
    ("address", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ("from", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ("to", "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    ("amountWei", "1000"),
    ("fiat", "USD"),
    ("base", "USD"),
    ("symbol", "ETH"),
    ("txHash", "0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060"),
];

/// From an answer to the requests that it leads to: operation, the place in its body, operation, the parameter or body field.
const LINKS: [(&str, &str, &str, &str); 22] = [
    ("file", "/case", "case", "path.case"),
    ("file", "/case", "replace", "path.case"),
    ("cases", "/cases/0/case", "case", "path.case"),
    ("cases", "/cases/0/case", "receipt", "path.case"),
    ("cases", "/cases/0/case", "erase", "path.case"),
    ("cases", "/next_after", "cases", "query.after"),
    ("case", "/case", "receipt", "path.case"),
    ("entries", "/from", "entry", "path.index"),
    ("entries", "/next_from", "entries", "query.from"),
    ("alerts", "/alerts/0/alert", "take_alert", "path.alert"),
    ("alerts", "/alerts/0/alert", "close_alert", "path.alert"),
    ("freeze", "/case", "resume", "path.freeze"),
    ("freezes", "/freezes/0/freeze", "resume", "path.freeze"),
    ("delegations", "/delegations/0/id", "end_delegation", "path.delegation"),
    ("open_checklist", "/checklist", "checklist", "path.checklist"),
    ("open_checklist", "/checklist", "attest_checklist", "path.checklist"),
    ("open_checklist", "/checklist", "close_checklist", "path.checklist"),
    ("list_cases", "/cases/0/case", "get_case", "path.case"),
    ("list_cases", "/cases/0/case", "get_receipt", "path.case"),
    ("list_cases", "/nextAfter", "list_cases", "query.after"),
    ("sign_transaction", "/case", "get_case", "path.case"),
    ("send_transaction", "/case", "get_case", "path.case"),
];

/// The description as its file holds it.
#[must_use]
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

fn document() -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in &ROUTES {
        let path = format!("{ROOT}{}", route.path);
        let method = route.method.as_str().to_ascii_lowercase();
        paths.entry(path).or_default().insert(method, operation(route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Quorate",
            "version": "1",
            "summary": "A wallet that nobody can move alone.",
            "description": "Agents ask what their band holds, people what their role allows. Nothing here approves or signs: an \
                approval that is carried here was signed elsewhere. Errors have one form at every door (docs/spec/errors.md).",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token that `quorate agent new` or `quorate member new` wrote; or, where the desk names an \
                    authorization server, its access token for this resource (RFC 9068), whose subject the book admitted. \
                    One that is bound to a key is sent as `Authorization: DPoP`, with a proof of that key (RFC 9449). \
                    /.well-known/oauth-protected-resource/api/v1 says which server and scopes. No access token files \
                    or attests as a person.",
            } },
            "schemas": { "Complaint": complaint() },
            "responses": {
                "complaint": refused("An error; its code says what kind.", &[]),
                "challenge": refused(
                    "No credential, or none that is in force.",
                    &[("WWW-Authenticate", true, "Where to learn which credentials are taken (RFC 6750, RFC 9449, RFC 9728).")],
                ),
                "forbidden": refused(
                    "The credential does not reach so far, or signing is frozen.",
                    &[("WWW-Authenticate", false, "Which scope it would take (RFC 6750).")],
                ),
                "later": refused(
                    "Not now.",
                    &[("Retry-After", false, "Seconds to wait.")],
                ),
            },
        },
    })
}

/// A response that says an error, with headers that it may or must carry.
fn refused(words: &str, headers: &[(&str, bool, &str)]) -> Value {
    let headers: Map<_, _> = headers
        .iter()
        .map(|(name, always, words)| {
            let schema = json!({ "type": "string", "minLength": 1 });
            let header = json!({ "description": words, "required": always, "schema": schema });
            ((*name).to_owned(), header)
        })
        .collect();
    json!({
        "description": words,
        "headers": headers,
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Complaint" } } },
    })
}

/// The one form of errors (docs/spec/errors.md).
fn complaint() -> Value {
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let categories: BTreeSet<Category> = Code::ALL.iter().map(|code| code.category()).collect();
    let fields =
        ["category", "code", "message", "requiredAction", "retryable", "retryAfter", "requestId"];
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": fields,
        "properties": {
            "category": { "enum": categories },
            "code": { "enum": codes },
            "message": { "type": "string", "maxLength": crate::errors::MESSAGE_BYTES_MAX },
            "requiredAction": { "type": ["string", "null"] },
            "retryable": { "type": "boolean" },
            "retryAfter": { "type": ["integer", "null"], "minimum": 0 },
            "requestId": { "type": "string" },
        },
    })
}

fn operation(route: &Route) -> Value {
    let input = input(route);
    let mut made = json!({
        "operationId": name(route),
        "summary": route.words(),
        "tags": [tag(route)],
        "description": format!("For {}.", whom(route)),
        "parameters": parameters(route, input.as_ref()),
        "responses": responses(route),
    });
    if let (true, Some(schema)) = (route.has_body(), input)
        && let Some(object) = made.as_object_mut()
    {
        let mut content = json!({ "schema": schema });
        if let (Some(example), Some(content)) = (example_of(route), content.as_object_mut()) {
            content.insert("example".to_owned(), example);
        }
        let body = json!({ "required": true, "content": { "application/json": content } });
        object.insert("requestBody".to_owned(), body);
    }
    made
}

/// The name of an operation: the tool's, or the act's.
fn name(route: &Route) -> String {
    match route.does {
        Does::Ask(tool) => tool.as_str().to_owned(),
        Does::Act(act) => {
            let mut name = String::new();
            for letter in format!("{act:?}").chars() {
                if letter.is_ascii_uppercase() && !name.is_empty() {
                    name.push('_');
                }
                name.push(letter.to_ascii_lowercase());
            }
            name
        }
    }
}

const fn tag(route: &Route) -> &'static str {
    match route.who {
        Who::Agent => "agents",
        Who::Anyone | Who::Person(_) => "people",
    }
}

fn whom(route: &Route) -> String {
    match (route.who, route.does) {
        (Who::Anyone, _) => "every credential".to_owned(),
        (Who::Person(role), _) => format!("people, as {role} or more"),
        (Who::Agent, Does::Ask(tool)) => format!("agents whose band is `{}` or more", tool.band()),
        (Who::Agent, Does::Act(_)) => "agents".to_owned(),
    }
}

/// The schema of what the route reads, whether it comes in the body or in the query.
fn input(route: &Route) -> Option<Value> {
    let schema = match route.does {
        Does::Ask(tool) => Value::Object(tool.describe().input_schema.as_ref().clone()),
        Does::Act(Act::File) => object(&[
            ("action", schema::<shapes::Action>(), true),
            (
                "openings",
                json!({ "type": "array", "maxItems": 16, "items": schema::<shapes::Opening>() }),
                false,
            ),
        ]),
        Does::Act(Act::Freeze) => object(&[("scope", schema::<shapes::Scope>(), true)]),
        Does::Act(Act::Delegate) => object(&[(
            "delegation",
            described(schema::<shapes::Delegation>(), "Who stands in (docs/spec/delegation.md)."),
            true,
        )]),
        Does::Act(Act::Approve) => schema::<shapes::Approval>(),
        Does::Act(Act::Replay) => proposal(),
        Does::Act(Act::Erase) => object(&[("subject", identifier(), true)]),
        Does::Act(Act::CloseAlert) => object(&[("disposition", code("false_alarm"), true)]),
        Does::Act(Act::OpenChecklist) => object(&[
            ("person", identifier(), true),
            ("change", schema::<shapes::Change>(), true),
            ("post", schema::<shapes::Post>(), true),
        ]),
        Does::Act(Act::AttestChecklist) => {
            object(&[("item", identifier(), true), ("reference", code("hr-2041"), false)])
        }
        Does::Act(Act::CloseChecklist) => {
            let words = "It was opened in error, or what it prepares will not happen.";
            let kind = json!({ "type": "boolean", "default": false });
            object(&[("withdraw", described(kind, words), false)])
        }
        Does::Act(Act::Cases) => object(&[
            (
                "all",
                json!({ "type": "boolean", "default": false, "description": "Closed ones too." }),
                false,
            ),
            ("limit", limit(), false),
            (
                "after",
                described(schema::<shapes::Hash>(), "The `next_after` of the page before."),
                false,
            ),
        ]),
        Does::Act(Act::Entries) => object(&[
            ("from", json!({ "type": "integer", "minimum": 0, "default": 0 }), false),
            ("limit", limit(), false),
        ]),
        Does::Act(Act::Consistency) => {
            let size = || json!({ "type": "integer", "minimum": 1, "example": 1 });
            object(&[("from", size(), true), ("to", size(), true)])
        }
        Does::Act(_) => return None,
    };
    Some(without_key(schema))
}

/// Text without spaces.
fn code(example: &str) -> Value {
    json!({ "type": "string", "pattern": "^[!-~]{1,128}$", "example": example })
}

/// A policy that may be proposed, and how far back it is held against the past.
fn proposal() -> Value {
    let words = "The whole policy. Its version and predecessor are set for the caller.";
    let days = json!({ "type": "integer", "minimum": 1, "maximum": DAYS_MAX, "default": DAYS });
    object(&[
        ("policy", described(schema::<shapes::Document>(), words), true),
        ("days", days, false),
    ])
}

fn limit() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE })
}

fn identifier() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" })
}

fn described(mut schema: Value, words: &str) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), words.into());
    }
    schema
}

/// Over HTTP the key of a change is a header.
fn without_key(mut schema: Value) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove("idempotencyKey");
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != "idempotencyKey");
    }
    schema
}

fn object(fields: &[(&str, Value, bool)]) -> Value {
    let properties: Map<_, _> =
        fields.iter().map(|(name, schema, _)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<_> =
        fields.iter().filter(|(.., needed)| *needed).map(|(name, ..)| name).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties, "required": required })
}

fn schema<T: JsonSchema>() -> Value {
    Value::Object(schema_of::<T>().as_ref().clone())
}

fn parameters(route: &Route, input: Option<&Value>) -> Vec<Value> {
    let mut made: Vec<Value> = route.names().map(segment).collect();
    let properties = input.and_then(|input| input.get("properties")).and_then(Value::as_object);
    let required = input.and_then(|input| input.get("required")).and_then(Value::as_array);
    for (name, schema) in properties.into_iter().flatten().filter(|_| !route.has_body()) {
        if route.names().any(|segment| segment == name) {
            continue;
        }
        let needed = required.is_some_and(|required| required.iter().any(|one| one == name));
        made.push(json!({
            "name": name, "in": "query", "required": needed, "schema": shown(name, schema),
        }));
    }
    if route.is_change() {
        made.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "The caller's own name for this request. The same name does it once.",
            "schema": { "type": "string", "pattern": "^[!-~]{1,128}$" },
        }));
    } else if is_tagged(route) {
        made.push(json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The ETag of an answer that the caller has.",
            "schema": { "type": "string" },
        }));
    }
    if route.does == Does::Act(Act::Events) {
        made.push(json!({
            "name": "Last-Event-ID", "in": "header", "required": false,
            "description": "Goes on behind this size of the ledger.",
            "schema": { "type": "integer", "minimum": 0 },
        }));
    }
    made
}

fn segment(name: &str) -> Value {
    let schema = match name {
        "index" => json!({ "type": "integer", "minimum": 0 }),
        "wallet" | "delegation" => identifier(),
        "txHash" => json!({ "type": "string", "pattern": "^0x[0-9a-f]{64}$" }),
        _ => schema::<shapes::Hash>(),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": shown(name, &schema) })
}

/// A schema as a parameter: what is left out is not there, so nothing is null; with an example where there is one.
fn shown(name: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let Some(object) = schema.as_object_mut() else { return schema };
    let Some(kind) = ["string", "integer", "boolean", "array"]
        .into_iter()
        .find(|kind| is_of(&Value::Object(object.clone()), kind))
    else {
        return schema;
    };
    object.insert("type".to_owned(), kind.into());
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    // A place in the ledger is called `from` too, and is a number.
    let example = EXAMPLES.iter().find(|(known, _)| *known == name && kind == "string");
    if let Some((_, example)) = example {
        object.insert("example".to_owned(), (*example).into());
    }
    schema
}

/// A body that a demonstration takes.
fn example_of(route: &Route) -> Option<Value> {
    let known = |name: &str| {
        let found = EXAMPLES.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text).unwrap_or_default()
    };
    let (wallet, chain, to) = (known("wallet"), known("chain"), known("to"));
    match route.does {
        Does::Act(Act::File) => Some(json!({ "action": {
            "kind": "transfer",
            "wallet": wallet,
            "asset": format!("{chain}/slip44:60"),
            "to": format!("{chain}:{to}"),
            "amount": known("amountWei"),
            "fee_ceiling": "2000000000000000",
            "memo": null,
        } })),
        Does::Act(Act::Freeze) => Some(json!({ "scope": { "scope": "wallet", "wallet": wallet } })),
        Does::Ask(tool) if tool.band() == Band::Prepare => Some(
            json!({ "wallet": wallet, "chain": chain, "to": to, "amountWei": known("amountWei") }),
        ),
        _ => None,
    }
}

fn responses(route: &Route) -> Map<String, Value> {
    let mut made = Map::new();
    made.insert("200".to_owned(), answer(route));
    if is_tagged(route) {
        let words = "The caller has this answer already.";
        made.insert("304".to_owned(), json!({ "description": words, "headers": etag() }));
    }
    for status in refusals(route) {
        let form = match status {
            401 => "challenge",
            403 => "forbidden",
            429 | 503 => "later",
            _ => "complaint",
        };
        let form = format!("#/components/responses/{form}");
        made.insert(status.to_string(), json!({ "$ref": form }));
    }
    made
}

/// Whether its answer carries a tag that a caller may name when asking again.
fn is_tagged(route: &Route) -> bool {
    !route.is_change() && !route.has_body() && route.does != Does::Act(Act::Events)
}

fn etag() -> Value {
    json!({ "ETag": {
        "description": "The tag of this answer, for If-None-Match.",
        "required": true,
        "schema": { "type": "string", "pattern": "^\"[0-9a-f]{64}\"$" },
    } })
}

/// The statuses of the errors that the route may say.
fn refusals(route: &Route) -> BTreeSet<u16> {
    let mut all = BTreeSet::from([400, 401, 403, 406, 413, 429, 500, 503]);
    if route.has_body() {
        all.insert(415);
    }
    if route.names().next().is_some() {
        all.insert(404);
    }
    match route.does {
        Does::Ask(_) => all.extend([404, 409, 502]),
        Does::Act(Act::Receipt) => all.extend([409]),
        // The case that a page was to follow may be gone from the list.
        Does::Act(Act::Cases) => all.extend([404]),
        Does::Act(_) if route.is_change() => all.extend([404, 409]),
        Does::Act(_) => {}
    }
    all
}

fn answer(route: &Route) -> Value {
    if route.does == Does::Act(Act::Events) {
        return json!({
            "description": "Events named `grown`, whose id and data are the ledger's size.",
            "content": { "text/event-stream": { "schema": { "type": "string" } } },
        });
    }
    let mut made = json!({
        "description": "The answer.",
        "content": { "application/json": { "schema": output(route.does) } },
    });
    let links = links(&name(route));
    if let Some(object) = made.as_object_mut() {
        if is_tagged(route) {
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
        let expression = format!("$response.body#{place}");
        let link = json!({ "operationId": to, "parameters": { *parameter: expression } });
        ((*to).to_owned(), link)
    })
    .collect()
}

fn output(does: Does) -> Value {
    let list = |name: &str, items: Value| {
        object(&[(name, json!({ "type": "array", "items": items }), true)])
    };
    let act = match does {
        Does::Ask(tool) => {
            return Value::Object(
                tool.describe().output_schema.map(|s| s.as_ref().clone()).unwrap_or_default(),
            );
        }
        Does::Act(act) => act,
    };
    match act {
        Act::Me => object(&[
            ("credential", identifier(), true),
            ("agent", identifier(), true),
            ("owner", identifier(), true),
            ("band", schema::<shapes::Band>(), true),
            ("wallets", json!({ "type": "array", "items": identifier() }), true),
            ("role", schema::<Option<shapes::Role>>(), true),
        ]),
        Act::Status => schema::<StatusView>(),
        Act::Wallets => list("wallets", schema::<WalletView>()),
        Act::Credentials => list("credentials", schema::<CredentialView>()),
        Act::Freezes => list("freezes", schema::<FreezeView>()),
        Act::Delegations => list("delegations", schema::<DelegationView>()),
        Act::Addresses => list("addresses", schema::<AddressView>()),
        Act::Cases => schema::<CasePage>(),
        Act::Case
        | Act::File
        | Act::Freeze
        | Act::Resume
        | Act::Delegate
        | Act::EndDelegation
        | Act::Approve
        | Act::Replace => schema::<CaseView>(),
        Act::Checklists => list("checklists", schema::<ChecklistView>()),
        Act::Checklist | Act::OpenChecklist | Act::AttestChecklist | Act::CloseChecklist => {
            schema::<ChecklistView>()
        }
        Act::Replay => schema::<ReplayAnswer>(),
        Act::Alerts | Act::TakeAlert | Act::CloseAlert => list("alerts", schema::<AlertView>()),
        Act::Erase => list("erased", schema::<shapes::Hash>()),
        Act::Entries => object(&[
            ("from", json!({ "type": "integer", "minimum": 0 }), true),
            ("entries", json!({ "type": "array", "items": { "type": "string" } }), true),
            ("next_from", json!({ "type": ["integer", "null"], "minimum": 0 }), true),
            ("checkpoint", json!({ "type": ["string", "null"] }), true),
        ]),
        Act::EntryProof | Act::Consistency => schema::<ProofAnswer>(),
        Act::Checkpoint => object(&[("checkpoint", json!({ "type": ["string", "null"] }), true)]),
        Act::Policy | Act::Charter | Act::Receipt | Act::Entry | Act::Events => {
            json!({ "type": "object" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_that_of_the_program() {
        let kept = include_str!("../../../../docs/api/openapi.json");
        assert!(kept == text(), "run `cargo xtask schemas`");
    }

    #[test]
    fn names_of_operations_are_distinct_and_links_lead_to_them() {
        let names: BTreeSet<String> = ROUTES.iter().map(name).collect();
        assert_eq!(names.len(), ROUTES.len());
        for (from, _, to, _) in LINKS {
            assert!(names.contains(from) && names.contains(to), "{from} {to}");
        }
    }

    #[test]
    fn an_example_of_a_parameter_is_of_its_type() {
        let described: Value = serde_json::from_str(&text()).unwrap();
        let paths = described["paths"].as_object().unwrap().values();
        let operations = paths.flat_map(|path| path.as_object().unwrap().values());
        let all = operations.flat_map(|one| one["parameters"].as_array().into_iter().flatten());
        let mut shown = 0;
        for schema in all.map(|one| &one["schema"]).filter(|one| one.get("example").is_some()) {
            shown += 1;
            let is_number = schema["type"] == "integer";
            assert_eq!(schema["example"].is_number(), is_number, "{schema}");
        }
        assert!(shown > 9, "{shown} examples");
    }

    #[test]
    fn every_status_that_is_said_is_one_of_the_published_codes() {
        let published: BTreeSet<u16> = Code::ALL.iter().map(|code| code.http_status()).collect();
        for route in &ROUTES {
            assert!(refusals(route).is_subset(&published), "{}", route.path);
        }
    }
}
