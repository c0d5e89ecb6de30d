//! Tools: which are there, how often, and what they answer.

use super::*;

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
