//! Who gets in: hosts, tokens, sessions, headers, strict bodies, and the operator's pages.

use super::*;

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
        (Some("Bearer token-person"), 401),
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
