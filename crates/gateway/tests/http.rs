//! The HTTP door, each MUST and each row of the fault matrix as a test.
#![cfg(test)]

mod app;
mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use app::*;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use common::{FakeDesk, INJECTION};
use quorate_gateway::bands::Table;
use quorate_gateway::desk::{Alarm, Desk, Progress};
use quorate_gateway::door::Door;
use quorate_gateway::errors::Code;
use quorate_gateway::http::{Allowed, Limits, listen_check};
use quorate_gateway::limit::Rate;
use quorate_gateway::question::Question;
use quorate_terms::credential::Band;
use serde_json::{Value, json};

/// Whether a value fits a schema of the subset that our own schemas use.
fn fits(value: &Value, schema: &Value) -> bool {
    let kind = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    };
    let typed = match &schema["type"] {
        Value::String(name) => kind(name),
        Value::Array(names) => names.iter().any(|name| kind(name.as_str().unwrap())),
        _ => true,
    };
    let any = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    let one = any.is_none_or(|list| list.iter().any(|schema| fits(value, schema)));
    let exact = schema.get("const").is_none_or(|only| only == value)
        && schema["enum"].as_array().is_none_or(|list| list.contains(value));
    let items = value.as_array().is_none_or(|list| {
        schema.get("items").is_none_or(|schema| list.iter().all(|item| fits(item, schema)))
    });
    let fields = value.as_object().is_none_or(|object| {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let known = |key: &str| schema["properties"].get(key);
        required.iter().all(|key| object.contains_key(key.as_str().unwrap()))
            && object.iter().all(|(key, value)| match known(key) {
                Some(schema) => fits(value, schema),
                None => schema["additionalProperties"] != false,
            })
    });
    typed && one && exact && items && fields
}

#[tokio::test]
async fn row_47_a_bad_host_or_origin_is_refused_before_anything_else() {
    let app = app(false);
    for path in ["/mcp", "/health", "/ready", "/metrics", "/nothing"] {
        for (host, origin) in [
            ("evil.example", None),
            ("127.0.0.1:3001", None),
            ("127.0.0.1", None),
            ("127.0.0.1:3000", Some("http://evil.example")),
            ("127.0.0.1:3000", Some("http://localhost:3001")),
            ("127.0.0.1:3000", Some("http://localhost")),
            ("127.0.0.1:3000", Some("https://localhost:3000")),
            ("127.0.0.1:3000", Some("null")),
        ] {
            let mut request = Request::post(path).header("host", host);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let reply = app.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {host} {origin:?}");
        }
        let reply = app.send(Request::post(path).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "no Host at all");
        let doubled = get(path).header("host", "evil.example").body(Body::empty()).unwrap();
        assert_eq!(app.send(doubled).await.status, StatusCode::FORBIDDEN, "two Hosts");
    }
    let reply = app
        .post(
            "read",
            &[("origin", "http://localhost:3000"), ("mcp-protocol-version", OLD)],
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        )
        .await;
    assert_eq!(names(&reply).len(), 10, "a listed Origin passes");
}

#[test]
fn an_empty_or_wild_host_list_is_refused_at_start() {
    assert!(Allowed::default().check().is_err());
    assert!(Allowed::new(["*"], [""; 0]).check().is_err());
    assert!(Allowed::new(["a:1"], ["http://*"]).check().is_err());
    assert!(Allowed::loopback(3000).check().is_ok());
}

#[test]
fn listening_elsewhere_than_on_loopback_needs_tls() {
    for (address, tls, good) in [
        ("127.0.0.1:3000", false, true),
        ("[::1]:3000", false, true),
        ("[::ffff:127.0.0.1]:3000", false, true),
        ("0.0.0.0:3000", false, false),
        ("[::]:3000", false, false),
        ("192.168.1.5:3000", false, false),
        ("[::ffff:10.0.0.1]:3000", false, false),
        ("0.0.0.0:3000", true, true),
    ] {
        assert_eq!(listen_check(&address.parse().unwrap(), tls).is_ok(), good, "{address} {tls}");
    }
}

#[tokio::test]
async fn row_48_a_missing_unknown_malformed_or_revoked_token_gets_nowhere() {
    let app = app(true);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let long = "x".repeat(600);
    for (value, status) in [
        (None, 401),
        (Some("Bearer wrong-token-7f"), 401),
        (Some("Bearer eyJhbGciOiJub25lIn0.e30."), 401),
        (Some("Basic dG9rZW4tcmVhZDo="), 400),
        (Some("Bearer"), 400),
        (Some("Bearer "), 400),
        (Some("Bearer token-read token-sign"), 400),
        (Some(&*format!("Bearer {long}")), 400),
    ] {
        let headers: Vec<_> = value.iter().map(|value| ("authorization", *value)).collect();
        let reply = app.post("", &headers, body).await;
        assert_eq!(reply.status.as_u16(), status, "{value:?}");
        let discovery = reply.headers["www-authenticate"].to_str().unwrap();
        assert!(discovery.starts_with("Bearer ") && discovery.contains("resource_metadata="));
        assert!(!reply.text.contains("7f") || !reply.text.contains("wrong-token"), "nothing leaks");
        assert_eq!(reply.complaint()["category"], "auth");
    }
    let doubled = post("read", &[("authorization", "Bearer token-sign")], body);
    assert_eq!(app.send(doubled).await.status.as_u16(), 400);
    let mut in_url = post("read", &[], body);
    *in_url.uri_mut() = "/mcp?access_token=token-read".parse().unwrap();
    assert_eq!(app.send(in_url).await.status.as_u16(), 400, "a token in the URL");
    app.desk.revoked.store(true, Ordering::SeqCst);
    assert_eq!(app.post("read", &[], body).await.status.as_u16(), 401, "revoked");
    assert_eq!(
        app.open_session("read").await.status.as_u16(),
        401,
        "no session without a credential"
    );
    assert!(app.desk.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn row_48_a_revoked_credential_loses_its_open_session_at_once() {
    let app = app(true);
    let opened = app.open_session("read").await;
    let id = opened.headers["mcp-session-id"].to_str().unwrap();
    app.desk.revoked.store(true, Ordering::SeqCst);
    let reply = app
        .post(
            "read",
            &[("mcp-session-id", id), ("mcp-protocol-version", OLD)],
            r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
        )
        .await;
    assert_eq!(reply.status.as_u16(), 401);
}

#[tokio::test]
async fn row_48_protected_resource_metadata_names_the_header_only() {
    let request = get("/.well-known/oauth-protected-resource/mcp").body(Body::empty()).unwrap();
    let reply = app(false).send(request).await;
    assert_eq!(reply.last()["resource"], "http://127.0.0.1:3000/mcp");
    assert_eq!(reply.last()["bearer_methods_supported"], json!(["header"]));
}

#[tokio::test]
async fn row_49_the_token_goes_no_further_than_the_gate() {
    let app = app(false);
    let arguments =
        json!({ "name": "get_balance", "arguments": { "address": ADDRESS, "chain": "eip155:1" } });
    app.modern("read", "tools/call", arguments).await;
    let asked = serde_json::to_string(&*app.desk.asked.lock().unwrap()).unwrap();
    assert!(asked.contains("get_balance") && !asked.contains("token-read"), "{asked}");
}

#[tokio::test]
async fn row_50_a_session_of_another_credential_is_refused_with_an_alarm() {
    let app = app(true);
    let opened = app.open_session("sign").await;
    let id = opened.headers["mcp-session-id"].to_str().unwrap();
    assert!(id.bytes().all(|b| (0x21..=0x7e).contains(&b)), "visible ASCII");
    let list = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
    let headers = [("mcp-session-id", id), ("mcp-protocol-version", OLD)];
    let reply = app.post("second", &headers, list).await;
    assert_eq!(reply.status.as_u16(), 403);
    assert_eq!(reply.complaint()["code"], "SESSION_NOT_YOURS");
    for method in [Method::GET, Method::DELETE] {
        let mut request = post("second", &headers, "");
        *request.method_mut() = method;
        assert_eq!(app.send(request).await.status.as_u16(), 403);
    }
    let alarm = Alarm::ForeignSession {
        credential: "second".parse().unwrap(),
        owner: "sign".parse().unwrap(),
    };
    assert_eq!(*app.desk.alarms.lock().unwrap(), [alarm.clone(), alarm.clone(), alarm]);
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(app.post("sign", &headers, initialized).await.status.as_u16(), 202);
    assert_eq!(names(&app.post("sign", &headers, list).await).len(), 15, "the owner is served");
}

#[tokio::test]
async fn an_ended_or_unknown_session_is_not_found() {
    let app = app(true);
    let opened = app.open_session("read").await;
    let id = opened.headers["mcp-session-id"].to_str().unwrap().to_owned();
    let headers = [("mcp-session-id", id.as_str()), ("mcp-protocol-version", OLD)];
    let mut delete = post("read", &headers, "");
    *delete.method_mut() = Method::DELETE;
    assert!(app.send(delete).await.status.is_success());
    let list = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
    assert_eq!(app.post("read", &headers, list).await.status.as_u16(), 404);
    let unknown = [("mcp-session-id", "nobody"), ("mcp-protocol-version", OLD)];
    assert_eq!(app.post("read", &unknown, list).await.status.as_u16(), 404);
}

#[tokio::test]
async fn sessions_are_capped_for_each_credential_and_in_all() {
    let limits = Limits { sessions: 3, sessions_each: 2, ..Limits::default() };
    let app = app_with(true, limits);
    assert_eq!(app.open_session("read").await.status.as_u16(), 200);
    assert_eq!(app.open_session("read").await.status.as_u16(), 200);
    let refused = app.open_session("read").await;
    assert_eq!((refused.status.as_u16(), refused.headers.contains_key("retry-after")), (429, true));
    let last = app.open_session("sign").await;
    assert_eq!(last.status.as_u16(), 200);
    assert_eq!(app.open_session("prepare").await.status.as_u16(), 429);
    let id = last.headers["mcp-session-id"].to_str().unwrap();
    let mut delete = post("sign", &[("mcp-session-id", id), ("mcp-protocol-version", OLD)], "");
    *delete.method_mut() = Method::DELETE;
    assert!(app.send(delete).await.status.is_success());
    assert_eq!(app.open_session("prepare").await.status.as_u16(), 200, "a place came back");
}

#[tokio::test]
async fn row_52_headers_that_disagree_with_the_body_are_refused() {
    let app = app(true);
    let body = modern("tools/call", json!({ "name": "get_balance", "arguments": {} })).to_string();
    let version = ("mcp-protocol-version", NEW);
    let method = ("mcp-method", "tools/call");
    let name = ("mcp-name", "get_balance");
    for headers in [
        vec![version],
        vec![version, method],
        vec![version, name],
        vec![method, name],
        vec![version, ("mcp-method", "tools/list"), name],
        vec![version, method, ("mcp-name", "send_transaction")],
        vec![version, method, ("mcp-name", "=?base64?c2VuZF90cmFuc2FjdGlvbg==?=")],
        vec![("mcp-protocol-version", OLD), method, name],
        vec![version, method, name, name],
        vec![version, version, method, name],
        vec![version, method, ("mcp-method", "tools/list"), name],
    ] {
        app.post("read", &headers, &body).await.check(400, -32020);
    }
    let encoded = ("mcp-name", "=?base64?Z2V0X2JhbGFuY2U=?=");
    let reply = app.post("read", &[version, method, encoded], &body).await;
    assert_eq!(reply.tool_error()["code"], "INVALID_INPUT", "an encoded name that agrees passes");
}

#[tokio::test]
async fn row_54_what_is_not_one_strict_message_never_reaches_the_protocol() {
    let app = app(false);
    let headers = [("mcp-protocol-version", OLD)];
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"a":{}1{}}}}}"#,
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    for (body, rpc) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#, -32700),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"a":NaN}}"#, -32700),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"a":"\ud800"}}"#, -32700),
        (deep.as_str(), -32700),
        ("", -32700),
        (r#"{"jsonrpc":"2.0","id":null,"method":"tools/list"}"#, -32600),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#, -32600),
    ] {
        let reply = app.post("read", &headers, body).await;
        reply.check(400, rpc);
        assert!(reply.text.len() < 2000, "a bounded error");
    }
    let big = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#, "x".repeat(300_000));
    assert_eq!(app.post("read", &headers, &big).await.status.as_u16(), 413);
}

#[tokio::test]
async fn row_56_t24_t28_text_from_outside_is_marked_and_changes_nothing() {
    let app = app(false);
    let before = names(&app.modern("sign", "tools/list", json!({})).await);
    let call =
        json!({ "name": "get_balance", "arguments": { "address": ADDRESS, "chain": "eip155:1" } });
    let reply = app.modern("sign", "tools/call", call).await;
    let said = &reply.last()["result"]["structuredContent"]["holding"]["claimedSymbol"];
    assert_eq!(*said, json!({ "untrusted": true, "text": INJECTION }));
    let call = json!({ "name": "send_transaction", "arguments": send_arguments() });
    app.modern("sign", "tools/call", call).await.check(200, -32602);
    assert_eq!(
        names(&app.modern("sign", "tools/list", json!({})).await),
        before,
        "the band has not moved"
    );
}

#[tokio::test]
async fn row_58_a_tool_outside_the_band_is_not_there() {
    let app = app(false);
    for (who, count) in [("read", 10), ("prepare", 13), ("sign", 15), ("broadcast", 16)] {
        for reply in [
            app.modern(who, "tools/list", json!({})).await,
            app.legacy(who, "tools/list", json!({})).await,
        ] {
            assert_eq!(names(&reply).len(), count, "{who}");
        }
    }
    let every = names(&app.modern("broadcast", "tools/list", json!({})).await);
    let seen = names(&app.modern("read", "tools/list", json!({})).await);
    for name in every.iter().filter(|name| !seen.contains(name)) {
        let reply =
            app.modern("read", "tools/call", json!({ "name": name, "arguments": {} })).await;
        reply.check(200, -32602);
        assert_eq!(reply.last()["error"]["message"], "tool not found");
        let call = json!({ "name": name, "arguments": {} });
        assert_eq!(app.legacy("read", "tools/call", call).await.last()["error"]["code"], -32602);
    }
    for name in ["approve", "create_policy", "", "GET_BALANCE", "get_balance "] {
        let reply =
            app.legacy("broadcast", "tools/call", json!({ "name": name, "arguments": {} })).await;
        assert_eq!(reply.last()["error"]["code"], -32602, "{name}");
    }
    assert!(app.desk.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn row_58_band_and_wallets_bind_again_behind_the_door() {
    let desk = Arc::new(FakeDesk::default());
    let as_desk: Arc<dyn Desk> = desk.clone();
    let door = Door::for_requests(as_desk, Band::Broadcast);
    let address = |wallet: &str| Question::GetWalletAddress {
        wallet: wallet.parse().unwrap(),
        chain: "eip155:1".parse().unwrap(),
    };
    for (who, ceiling, wallet, code) in [
        ("read", Band::Broadcast, "ops", Some(Code::BandTooLow)),
        ("prepare", Band::Broadcast, "ops", Some(Code::BandTooLow)),
        ("sign", Band::Prepare, "ops", Some(Code::BandTooLow)),
        ("sign", Band::Broadcast, "vault", Some(Code::WalletOutOfScope)),
        ("sign", Band::Broadcast, "ops", None),
    ] {
        let caller = desk.authenticate(common::token_of(who)).await.unwrap();
        let table = Table::new(Band::Broadcast, ceiling);
        let got = door.dispatch(table, caller, address(wallet), Progress::silent()).await;
        assert_eq!(got.err().map(|complaint| complaint.code), code, "{who} {ceiling} {wallet}");
    }
    assert_eq!(desk.asked.lock().unwrap().len(), 1);
    assert_eq!(desk.alarms.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn row_59_one_credential_that_loops_is_slowed_and_others_are_served() {
    let rate = Rate { per_minute: 60, burst: 5, ..Rate::default() };
    let app = app_with(false, Limits { rate, ..Limits::default() });
    let mut served = 0;
    for _ in 0..10_000 {
        let reply = app.legacy("read", "tools/list", json!({})).await;
        served += i32::from(reply.status == StatusCode::OK);
        if reply.status != StatusCode::OK {
            assert_eq!(
                (reply.status.as_u16(), &reply.headers["retry-after"]),
                (429, &"1".parse().unwrap())
            );
        }
    }
    assert_eq!(served, 5);
    assert_eq!(app.legacy("sign", "tools/list", json!({})).await.status.as_u16(), 200);
    app.now.store(1000, Ordering::SeqCst);
    assert_eq!(app.legacy("read", "tools/list", json!({})).await.status.as_u16(), 200);
}

#[tokio::test]
async fn unknown_methods_and_undeclared_capabilities_are_method_not_found() {
    let app = app(false);
    for method in [
        "nothing/here",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "ping",
        "subscriptions/listen",
        "logging/setLevel",
    ] {
        let reply = app
            .modern(
                "broadcast",
                method,
                json!({ "level": "info", "taskId": "1", "notifications": {} }),
            )
            .await;
        reply.check(404, -32601);
    }
    for method in ["nothing/here", "prompts/list", "resources/list", "resources/templates/list"] {
        let reply = app.legacy("broadcast", method, json!({})).await;
        assert_eq!(reply.last()["error"]["code"], -32601, "{method}");
    }
}

#[tokio::test]
async fn an_unsupported_version_is_refused_with_the_list_of_ours() {
    let app = app(false);
    let mut body = modern("tools/list", json!({}));
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2027-01-01");
    let headers = [("mcp-protocol-version", "2027-01-01"), ("mcp-method", "tools/list")];
    let reply = app.post("read", &headers, &body.to_string()).await;
    reply.check(400, -32022);
    assert_eq!(reply.last()["error"]["data"]["supported"], json!([OLD, NEW]));
    for version in ["2024-11-05", "2025-06-18", "1", "2027-01-01"] {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        let reply = app.post("read", &[("mcp-protocol-version", version)], body).await;
        assert_eq!(reply.status.as_u16(), 400, "{version}");
    }
}

#[tokio::test]
async fn a_request_without_its_meta_fields_is_malformed() {
    let app = app(false);
    for field in ["protocolVersion", "clientCapabilities"] {
        let mut body = modern("tools/list", json!({}));
        let meta = body["params"]["_meta"].as_object_mut().unwrap();
        meta.remove(&format!("io.modelcontextprotocol/{field}")).unwrap();
        let headers = [("mcp-protocol-version", NEW), ("mcp-method", "tools/list")];
        app.post("read", &headers, &body.to_string()).await.check(400, -32602);
    }
}

#[tokio::test]
async fn discovery_names_both_revisions_and_no_more_than_tools() {
    let reply = app(true).modern("read", "server/discover", json!({})).await;
    let result = &reply.last()["result"];
    assert_eq!(result["supportedVersions"], json!([OLD, NEW]));
    assert_eq!(result["capabilities"].as_object().unwrap().keys().collect::<Vec<_>>(), ["tools"]);
    assert_eq!(result["resultType"], "complete");
}

#[tokio::test]
async fn lists_of_the_newer_revision_carry_private_cache_hints_and_older_ones_no_result_type() {
    let app = app(false);
    let new = app.modern("read", "tools/list", json!({})).await;
    let result = &new.last()["result"];
    assert_eq!(
        (&result["resultType"], &result["cacheScope"]),
        (&json!("complete"), &json!("private"))
    );
    assert!(result["ttlMs"].is_u64());
    let old = app.legacy("read", "tools/list", json!({})).await;
    assert!(old.last()["result"].get("resultType").is_none());
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_body() {
    for stateful in [true, false] {
        let app = app(stateful);
        let body =
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        let headers = [("mcp-protocol-version", NEW), ("mcp-method", "notifications/cancelled")];
        let reply = app.post("read", &headers, body).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (202, ""), "{stateful}");
    }
}

#[tokio::test]
async fn without_sessions_the_endpoint_takes_posts_only() {
    let app = app(false);
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let mut request = post("read", &[("mcp-protocol-version", NEW)], "");
        *request.method_mut() = method;
        assert_eq!(app.send(request).await.status.as_u16(), 405);
    }
}

#[tokio::test]
async fn structured_results_fit_the_output_schema_on_both_revisions() {
    let app = app(false);
    let listed = app.modern("broadcast", "tools/list", json!({})).await;
    let calls = [
        ("get_balance", json!({ "address": ADDRESS, "chain": "eip155:1" })),
        ("get_wallet_address", json!({ "wallet": "ops", "chain": "eip155:1" })),
        ("list_cases", json!({})),
        ("send_transaction", send_arguments()),
    ];
    for (name, arguments) in calls {
        let call = json!({ "name": name, "arguments": arguments });
        for reply in [
            app.modern("broadcast", "tools/call", call.clone()).await,
            app.legacy("broadcast", "tools/call", call).await,
        ] {
            let result = &reply.last()["result"];
            let tools = listed.last()["result"]["tools"].as_array().unwrap();
            let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
            let content = &result["structuredContent"];
            assert!(
                content.is_object() && fits(content, &tool["outputSchema"]),
                "{name}: {content}"
            );
            let mut spoilt = content.clone();
            spoilt["extra"] = json!(1);
            assert!(!fits(&spoilt, &tool["outputSchema"]), "{name}: the check can fail");
            let text = result["content"][0]["text"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *content);
        }
    }
}

#[tokio::test]
async fn a_call_that_fails_is_a_tool_error_in_the_one_form() {
    let app = app(false);
    for (name, arguments, code, category) in [
        (
            "get_balance",
            json!({ "address": "x", "chain": "eip155:1" }),
            "INVALID_ADDRESS",
            "validation",
        ),
        (
            "get_fee_quote",
            json!({ "chain": "eip155:1", "from": ADDRESS, "to": ADDRESS, "amountWei": "1" }),
            "NOT_CONFIGURED",
            "not_available",
        ),
        (
            "get_wallet_address",
            json!({ "wallet": "vault", "chain": "eip155:1" }),
            "WALLET_OUT_OF_SCOPE",
            "auth",
        ),
        ("get_receipt", json!({ "case": "0".repeat(64) }), "INTERNAL", "upstream"),
        (
            "get_tx_status",
            json!({ "chain": "eip155:1", "txHash": format!("0x{}", "0".repeat(64)) }),
            "INTERNAL",
            "upstream",
        ),
    ] {
        let error = app
            .modern("broadcast", "tools/call", json!({ "name": name, "arguments": arguments }))
            .await
            .tool_error();
        assert_eq!(
            (&error["code"], &error["category"]),
            (&json!(code), &json!(category)),
            "{name}"
        );
        let mut keys: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "category",
                "code",
                "message",
                "requestId",
                "requiredAction",
                "retryAfter",
                "retryable"
            ]
        );
        assert!(error["requestId"].as_str().unwrap().starts_with("req-"));
    }
}

#[tokio::test]
async fn progress_is_told_to_who_asked_for_it_and_to_nobody_else() {
    let app = app(false);
    let call = json!({ "name": "send_transaction", "arguments": send_arguments() });
    let silent = app.modern("broadcast", "tools/call", call.clone()).await;
    assert_eq!(silent.messages.len(), 1);
    let mut asked = call;
    asked["_meta"]["progressToken"] = json!("p1");
    let reply = app.modern("broadcast", "tools/call", asked).await;
    let told: Vec<_> =
        reply.messages.iter().filter(|m| m["method"] == "notifications/progress").collect();
    assert!(!told.is_empty(), "{reply:?}");
    assert!(told.iter().all(|m| m["params"]["progressToken"] == "p1"));
    assert_eq!(reply.last()["result"]["structuredContent"]["stage"], "judged");
    assert!(
        reply.messages.iter().all(|m| m["method"] != "notifications/message"),
        "no log was asked for"
    );
}

#[tokio::test]
async fn the_operators_pages_say_how_the_desk_is() {
    let app = app(false);
    for (path, status, text) in [
        ("/health", 200, "ok"),
        ("/ready", 503, "not ready"),
        ("/metrics", 200, "quorate_cases 1"),
        ("/nothing", 404, "PATH_NOT_FOUND"),
    ] {
        let reply = app.send(get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        assert!(reply.text.contains(text), "{path}: {}", reply.text);
    }
}
