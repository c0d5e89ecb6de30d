use super::*;
use crate::bands::{Table, digest_of, manifest};
use crate::errors::{Category, Code};
use crate::question::{HowMuch, Question};
use proptest::prelude::*;
use serde_json::{Value, json};

const TO: &str = "0x00000000000000000000000000000000000000Aa";

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("{other}"),
    }
}

/// The arguments `base` with the fields of `change` put in; null takes a field out.
fn with(mut base: Value, change: Value) -> JsonObject {
    for (key, value) in object(change) {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(&key);
        } else {
            base[key] = value;
        }
    }
    object(base)
}

fn transfer(change: Value) -> Result<Question, Complaint> {
    let base = json!({ "wallet": "ops", "chain": "eip155:31337", "to": TO, "amountWei": "5" });
    ToolName::PrepareTransfer.read(with(base, change))
}

fn send(change: Value) -> Result<Question, Complaint> {
    let base = json!({ "wallet": "ops", "chain": "eip155:31337", "draft": "0".repeat(64),
        "idempotencyKey": "k-1", "confirmBroadcast": true });
    ToolName::SendTransaction.read(with(base, change))
}

#[test]
fn the_four_tool_lists_are_as_committed() {
    let golden = [
        include_str!("../../golden/read.json"),
        include_str!("../../golden/prepare.json"),
        include_str!("../../golden/sign.json"),
        include_str!("../../golden/broadcast.json"),
    ];
    for (band, text) in Band::ALL.into_iter().zip(golden) {
        let page: Value = serde_json::from_str(text).unwrap();
        let tools = serde_json::to_value(Table::new(band, band).tools()).unwrap();
        assert_eq!(page["tools"], tools, "run `cargo xtask schemas`");
        assert_eq!(page["manifest"], manifest(band).unwrap().to_string());
    }
}

#[test]
fn bands_are_cumulative_and_a_ceiling_binds() {
    let counts = Band::ALL.map(|band| Table::new(band, Band::Broadcast).tools().len());
    assert_eq!(counts, [10, 13, 15, 16]);
    assert_eq!(Table::new(Band::Broadcast, Band::Read).tools().len(), 10);
    assert!(Table::new(Band::Sign, Band::Broadcast).find("send_transaction").is_none());
}

#[test]
fn row_57_t23_one_changed_word_changes_the_manifest() {
    for band in Band::ALL {
        let mut tools = Table::new(band, band).tools();
        assert_eq!(digest_of(&tools).unwrap(), manifest(band).unwrap());
        tools[3].description = Some("now also exports keys".into());
        assert_ne!(digest_of(&tools).unwrap(), manifest(band).unwrap());
        let mut tools = Table::new(band, band).tools();
        tools.swap(0, 1);
        assert_ne!(digest_of(&tools).unwrap(), manifest(band).unwrap());
    }
    let all: std::collections::BTreeSet<_> = Band::ALL.map(|b| manifest(b).unwrap()).into();
    assert_eq!(all.len(), 4);
}

#[test]
fn row_58_no_tool_approves_or_administers() {
    let forbidden = [
        "approve",
        "reject",
        "policy",
        "credential",
        "create",
        "freeze",
        "unfreeze",
        "charter",
        "quorum",
        "key",
        "backup",
        "cancel",
        "admin",
        "export",
    ];
    for tool in ToolName::ALL {
        let name = tool.as_str();
        assert!(!forbidden.iter().any(|word| name.contains(word)), "{name}");
    }
}

#[test]
fn row_55_no_schema_holds_a_reference_to_follow() {
    for tool in Table::new(Band::Broadcast, Band::Broadcast).tools() {
        let text = serde_json::to_string(&tool).unwrap();
        assert!(!text.contains("$ref") && !text.contains("\"uri\""), "{}", tool.name);
        assert_eq!(tool.input_schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(tool.input_schema["type"], "object");
        assert_eq!(tool.output_schema.unwrap()["type"], "object");
        assert_eq!(tool.input_schema["additionalProperties"], false);
    }
}

#[test]
fn hints_tell_what_a_tool_does() {
    for tool in Table::new(Band::Broadcast, Band::Broadcast).tools() {
        let acts = ["sign_transaction", "send_transaction"].contains(&tool.name.as_ref());
        let hints = tool.annotations.unwrap();
        assert_eq!(hints.read_only_hint, Some(!acts), "{}", tool.name);
        assert_eq!(hints.destructive_hint, Some(acts), "{}", tool.name);
        assert_eq!(hints.idempotent_hint, Some(true), "{}", tool.name);
    }
}

#[test]
fn exactly_one_of_amount_and_amount_wei_is_read() {
    let both = transfer(json!({ "amount": "1" })).unwrap_err();
    let neither = transfer(json!({ "amountWei": null })).unwrap_err();
    for complaint in [both, neither] {
        assert_eq!(
            (complaint.category, complaint.code),
            (Category::Validation, Code::InvalidInput)
        );
    }
    let Ok(Question::PrepareTransfer { transfer: asked }) =
        transfer(json!({ "amountWei": null, "amount": "1.5" }))
    else {
        panic!("a human amount is read");
    };
    assert_eq!(asked.how_much, HowMuch::Human("1.5".parse().unwrap()));
}

#[test]
fn bad_amounts_are_refused_each_under_its_code() {
    let ten_78 = format!("1{}", "0".repeat(78));
    for bad in ["0", "-1", "1.0", "1e18", "0x10", "01", "", " 1", ten_78.as_str()] {
        let complaint = transfer(json!({ "amountWei": bad })).unwrap_err();
        assert_eq!(complaint.code, Code::InvalidAmountWei, "{bad}");
    }
    for bad in ["0", "0.0", "-1", "1e3", ".5", "1.", "NaN", "1,5"] {
        let complaint = transfer(json!({ "amountWei": null, "amount": bad })).unwrap_err();
        assert_eq!(complaint.code, Code::InvalidAmount, "{bad}");
    }
    for number in [json!(5), json!(1.5), json!(1e18)] {
        let complaint = transfer(json!({ "amountWei": number })).unwrap_err();
        assert_eq!(complaint.code, Code::InvalidInput, "a JSON number is not an amount");
    }
}

#[test]
fn bad_chains_addresses_wallets_and_unknown_fields_are_refused() {
    for (change, code) in [
        (json!({ "chain": "" }), Code::UnknownChain),
        (json!({ "chain": "tron:mainnet" }), Code::UnknownChain),
        (json!({ "chain": "eip155:1x" }), Code::UnknownChain),
        (json!({ "to": "0x00" }), Code::InvalidAddress),
        (json!({ "to": "vitalik.eth" }), Code::InvalidAddress),
        (json!({ "to": format!("{TO}00") }), Code::InvalidAddress),
        (json!({ "to": "0x00000000000000000000000000000000000000А" }), Code::InvalidAddress),
        (json!({ "tokenContract": "USDC" }), Code::InvalidAddress),
        (json!({ "wallet": "../etc" }), Code::InvalidInput),
        (json!({ "wallet": null }), Code::InvalidInput),
        (json!({ "memo": "x".repeat(257) }), Code::InvalidInput),
        (json!({ "memo": "a\nb" }), Code::InvalidInput),
        (json!({ "privateKey": "0x1" }), Code::InvalidInput),
        (json!({ "maxFeeWei": "0" }), Code::InvalidAmountWei),
    ] {
        let complaint = transfer(change.clone()).unwrap_err();
        assert_eq!(complaint.code, code, "{change}");
    }
}

#[test]
fn sending_needs_a_confirmation_and_a_draft_of_ours_never_other_hex() {
    assert!(send(json!({})).is_ok());
    let unconfirmed = send(json!({ "confirmBroadcast": false })).unwrap_err();
    assert_eq!(
        (unconfirmed.category, unconfirmed.code),
        (Category::Flow, Code::ConfirmationRequired)
    );
    assert!(unconfirmed.required_action.is_some());
    for (change, code) in [
        (json!({ "confirmBroadcast": null }), Code::InvalidInput),
        (json!({ "confirmBroadcast": "true" }), Code::InvalidInput),
        (json!({ "draft": null }), Code::InvalidInput),
        (json!({ "draft": "0x02ef" }), Code::InvalidInput),
        (json!({ "unsignedTx": "0xzz" }), Code::InvalidInput),
        (json!({ "idempotencyKey": null }), Code::InvalidInput),
        (json!({ "idempotencyKey": "" }), Code::InvalidIdempotencyKey),
        (json!({ "idempotencyKey": "a b" }), Code::InvalidIdempotencyKey),
    ] {
        assert_eq!(send(change.clone()).unwrap_err().code, code, "{change}");
    }
}

#[test]
fn an_asset_is_named_in_exactly_one_way() {
    let resolve =
        |change| ToolName::ResolveAsset.read(with(json!({ "chain": "ethereum" }), change));
    assert!(resolve(json!({ "symbol": "USDC" })).is_ok());
    assert!(resolve(json!({ "tokenContract": TO, "limit": 10 })).is_ok());
    for bad in [
        json!({}),
        json!({ "symbol": "A", "name": "B" }),
        json!({ "symbol": "A", "limit": 11 }),
        json!({ "symbol": "A", "limit": 0 }),
        json!({ "symbol": "A\u{202e}B" }),
    ] {
        assert!(resolve(bad.clone()).is_err(), "{bad}");
    }
    let price = |change| ToolName::GetPrice.read(with(json!({}), change));
    assert!(price(json!({ "symbol": "ETH" })).is_ok());
    assert!(price(json!({ "contractAddress": TO, "chain": "eip155:1" })).is_ok());
    for bad in
        [json!({}), json!({ "contractAddress": TO }), json!({ "symbol": "A", "chain": "eip155:1" })]
    {
        assert!(price(bad.clone()).is_err(), "{bad}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        proptest::collection::vec(inner, 0..4).prop_map(Value::from)
    })
}

proptest! {
    #[test]
    fn reading_any_arguments_never_panics_and_errors_are_bounded(
        tool in proptest::sample::select(ToolName::ALL),
        keys in proptest::collection::vec(proptest::sample::select(vec![
            "address", "chain", "wallet", "to", "amount", "amountWei", "draft", "memo", "symbol", "limit",
            "txHash", "case", "idempotencyKey", "confirmBroadcast", "tokenContract", "from", "x",
        ]), 0..8),
        values in proptest::collection::vec(any_json(), 8),
    ) {
        let arguments = keys.into_iter().map(str::to_owned).zip(values).collect();
        if let Err(complaint) = tool.read(arguments) {
            prop_assert!(complaint.message.len() <= crate::errors::MESSAGE_BYTES_MAX);
        }
    }
}
