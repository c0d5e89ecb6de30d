//! Both revisions of the protocol, at their edges.

use super::*;

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
