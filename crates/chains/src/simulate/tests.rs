//! The answers under `tests/simulated` are anvil's (1.7.1), as it gave them: its first account deployed `demo_token.sol` and
//! `greedy_token.sol` of `xtask/contracts`, gave its second account a hundred of each, and that account pays its fourth.

use proptest::prelude::*;
use quorate_terms::policy::AssetInfo;
use serde_json::Value;

use super::*;
use crate::testing::{chain, native, snapshot};
use crate::{asset_of, draft, native_asset};

const KEEPER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const WALLET: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const TO: &str = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const DEMO: &str = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const GREEDY: &str = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";

const NATIVE: &str = include_str!("../../tests/simulated/native.json");
const NATIVE_POOR: &str = include_str!("../../tests/simulated/native_poor.json");
const TOKEN: &str = include_str!("../../tests/simulated/token.json");
const TOKEN_SHORT: &str = include_str!("../../tests/simulated/token_short.json");
const DRAFT: &str = include_str!("../../tests/simulated/draft.json");
const GAS_ENDS: &str = include_str!("../../tests/simulated/gas_ends.json");
const OUT_OF_GAS: &str = include_str!("../../tests/simulated/out_of_gas.json");
const GREEDY_TAKES: &str = include_str!("../../tests/simulated/greedy.json");
const GREEDY_SHORT: &str = include_str!("../../tests/simulated/greedy_short.json");
const NO_CONTRACT: &str = include_str!("../../tests/simulated/no_contract.json");

fn at(address: &str) -> AccountId {
    chain().account(address).unwrap()
}

fn token(address: &str) -> AssetId {
    asset_of(&at(address)).unwrap()
}

fn of(asset: AssetId, units: u128) -> Attempt {
    let wanted = Transfer { asset, to: at(TO), amount: Amount::from_u128(units), ..native() };
    Attempt::of_transfer(&at(WALLET), &wanted).unwrap()
}

/// What the recorded transfers of tokens were for.
fn of_token(address: &str) -> Attempt {
    of(token(address), 25_000_000)
}

fn coin() -> Attempt {
    of(native_asset(&chain()).unwrap(), 100_000_000_000_000_000)
}

fn result(text: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap().get("result").unwrap().clone()
}

fn error(text: &str) -> (String, bool) {
    let said: Value = serde_json::from_str(text).unwrap();
    let error = said.get("error").unwrap();
    let code = error.get("code").unwrap().as_i64().unwrap();
    Attempt::tell_refused(code, error.get("message").unwrap().as_str().unwrap())
}

fn assets() -> Vec<AssetInfo> {
    let info = |asset: AssetId, symbol: &str, decimals| AssetInfo {
        asset,
        symbol: symbol.to_owned(),
        name: symbol.to_owned(),
        decimals,
    };
    vec![info(native_asset(&chain()).unwrap(), "DEV", 18), info(token(DEMO), "DEMO", 6)]
}

fn told(attempt: &Attempt, text: &str) -> Told {
    attempt.tell(&attempt.read(&result(text)).unwrap(), &assets())
}

/// All rows as one text.
fn rows(told: &Told) -> String {
    told.rows.iter().map(|(label, text)| format!("{label}: {text}\n")).collect()
}

#[test]
fn an_honest_transfer_changes_two_balances_and_warns_of_nothing() {
    let found = of_token(DEMO).read(&result(TOKEN)).unwrap();
    let change = |who: &str, by| Change { account: at(who), asset: token(DEMO), by };
    let amount = Amount::from_u128(25_000_000);
    assert_eq!(
        found.changes,
        [change(WALLET, Signed::Minus(amount)), change(TO, Signed::Plus(amount))]
    );
    assert_eq!((found.block, found.gas, found.fails), (4, 0xc8c9, None));
    let told = told(&of_token(DEMO), TOKEN);
    assert_eq!((told.warnings.len(), told.unknown), (0, 0), "{told:?}");
    let text = rows(&told);
    for part in [
        "it goes through, in block 4",
        &format!("changes: the wallet {WALLET}: -25 DEMO (25000000 base units, 6 decimals)"),
        &format!("changes: the recipient {TO}: +25 DEMO"),
        "holds 100 DEMO (100000000 base units, 6 decimals) before, and 75 DEMO",
        "before it is drafted",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn the_chains_own_coin_is_traced() {
    let told = told(&coin(), NATIVE);
    assert_eq!(told.warnings, [""; 0]);
    assert!(rows(&told).contains(&format!("the recipient {TO}: +0.1 DEV")), "{told:?}");
}

#[test]
fn a_token_that_takes_more_than_it_says_is_warned_of_in_each_of_its_ways() {
    let told = told(&of_token(GREEDY), GREEDY_TAKES);
    let text = told.warnings.join("\n");
    for part in [
        "the wallet's balance changes by -50000000 base units",
        "and the amount is 25000000 base units",
        &format!("somebody else receives: {KEEPER}, neither wallet nor recipient: +25000000"),
        &format!(
            "it lets somebody take more: {KEEPER}, neither wallet nor recipient may take any amount of \
             eip155:31337/erc20:{GREEDY} from the wallet {WALLET}"
        ),
        // What no event tells.
        &format!("by the token's own books the wallet {WALLET} changes by -52500000"),
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("recipient's balance"), "{text}");
}

#[test]
fn a_transfer_that_would_fail_is_told_with_the_contracts_reason() {
    let short = told(&of(token(DEMO), 101_000_000), TOKEN_SHORT);
    let [warning] = short.warnings.as_slice() else { panic!("{short:?}") };
    assert!(warning.contains("would fail") && warning.contains("too small"), "{warning}");
    let short = told(&of(token(GREEDY), 95_000_000), GREEDY_SHORT);
    let [warning] = short.warnings.as_slice() else { panic!("{short:?}") };
    assert!(warning.ends_with("the contract says: the keeper gets nothing"), "{warning}");
    let mut drafted = of_token(DEMO);
    drafted.call.gas = 0x7000;
    let [warning] = &told(&drafted, GAS_ENDS).warnings[..] else { panic!("no warning") };
    assert!(warning.ends_with("it uses up all of its gas"), "{warning}");
}

#[test]
fn an_asset_that_is_no_contract_moves_nothing_and_is_warned_of() {
    let text = told(&of_token(TO), NO_CONTRACT).warnings.join("\n");
    for part in ["the wallet's balance changes by 0 ", "does not tell what the wallet"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn a_node_that_refuses_is_told_in_words_of_our_own() {
    let check = |text: &str, part: &str, warns: bool| {
        let (words, is_warning) = error(text);
        assert!(words.contains(part) && is_warning == warns, "{words}");
    };
    check(NATIVE_POOR, "too little of the chain's own coin", true);
    check(OUT_OF_GAS, "too little gas", true);
    let (words, is_warning) = Attempt::tell_refused(-32_601, "Method not found: <s3cret>");
    assert!(words.contains("does not simulate") && !words.contains("s3cret") && !is_warning);
    let (words, _) = Attempt::tell_refused(-32_000, "key s3cret is over its limit");
    assert!(words.contains("-32000") && !words.contains("s3cret"), "{words}");
}

/// What anvil was asked when it answered with `draft.json`.
#[test]
fn a_draft_is_asked_exactly_as_it_stands_and_a_wish_without_fees() {
    let (wanted, s) = crate::testing::erc20();
    let drafted = draft(&wanted, &s.account, &s).unwrap();
    let attempt = Attempt::of_draft(&s.account, &drafted).unwrap();
    let question = attempt.question();
    let calls = question.pointer("/0/blockStateCalls/0/calls").unwrap().as_array().unwrap();
    assert_eq!(calls.len(), 5);
    let call = |name: &str| calls[2].get(name).and_then(Value::as_str).unwrap_or("");
    assert_eq!(call("from"), s.account.address());
    assert_eq!(call("to"), wanted.asset.reference().to_ascii_lowercase());
    assert_eq!((call("nonce"), call("gas"), call("value")), ("0x7", "0xfde8", "0x0"));
    assert_eq!(call("maxFeePerGas"), format!("{:#x}", drafted.meaning().max_fee_per_gas.units()));
    assert!(call("input").starts_with("0xa9059cbb") && call("input").len() == 138);
    assert_eq!(question.pointer("/0/traceTransfers"), Some(&Value::Bool(true)));
    assert_eq!(question.pointer("/1"), Some(&Value::String("latest".to_owned())));

    let wish = Attempt::of_transfer(&s.account, &wanted).unwrap();
    let same = wish.question();
    let same = same.pointer("/0/blockStateCalls/0/calls/2").unwrap();
    assert_eq!(same.get("input"), calls[2].get("input"), "read back and written by two paths");
    assert_eq!((same.get("nonce"), same.get("maxFeePerGas")), (None, None));
    assert!(attempt.is_drafted() && !wish.is_drafted());
    let told = told(&Attempt { call: attempt.call.clone(), ..of_token(DEMO) }, DRAFT);
    assert!(told.warnings.is_empty() && rows(&told).contains("tried: the drafted transaction"));
}

#[test]
fn what_cannot_be_drafted_is_not_tried() {
    let elsewhere = "eip155:1".parse::<ChainId>().unwrap().account(WALLET).unwrap();
    let refusal = Attempt::of_transfer(&elsewhere, &native()).unwrap_err();
    assert_eq!(refusal.code, Code::WrongChain);
    let lower = chain().account(&WALLET.to_ascii_lowercase()).unwrap();
    assert_eq!(Attempt::of_transfer(&lower, &native()).unwrap_err().code, Code::BadAddress);
    let odd = Transfer { asset: "eip155:31337/erc721:0x1".parse().unwrap(), ..native() };
    assert_eq!(Attempt::of_transfer(&at(WALLET), &odd).unwrap_err().code, Code::UnsupportedAsset);
    let drafted = draft(&native(), &snapshot().account, &snapshot()).unwrap();
    assert!(Attempt::of_draft(&native().to, &drafted).is_err(), "the account would pay itself");
}

/// The recorded answer with one value changed.
fn spoilt(text: &str, path: &str, value: Value) -> Value {
    let mut result = result(text);
    *result.pointer_mut(path).unwrap() = value;
    result
}

#[test]
fn an_answer_that_is_not_whole_is_no_answer() {
    let attempt = of_token(DEMO);
    for (path, value) in [
        ("", json!([])),
        ("", json!({ "calls": [] })),
        ("/0/number", json!("4")),
        ("/0/number", json!("0x10000000000000000")),
        ("/0/calls", json!([])),
        ("/0/calls/2/status", json!("0x2")),
        ("/0/calls/2/status", json!("0x0")),
        ("/0/calls/2/gasUsed", json!("0x")),
        ("/0/calls/2/logs/0/address", json!("0x12")),
        ("/0/calls/2/logs/0/data", json!("0xz")),
        ("/0/calls/0/returnData", json!("00")),
    ] {
        let bad = attempt.read(&spoilt(TOKEN, path, value.clone())).unwrap_err();
        assert_eq!(bad.mend(), "ask another node", "{path} {value}");
    }
    let log = result(TOKEN).pointer("/0/calls/2/logs/0").unwrap().clone();
    let many = spoilt(TOKEN, "/0/calls/2/logs", json!(vec![log.clone(); 129]));
    assert!(attempt.read(&many).unwrap_err().why().contains("more than 128 events"));
    let mut huge = log;
    *huge.get_mut("data").unwrap() = json!(format!("0x{}", "ff".repeat(32)));
    let huge = spoilt(TOKEN, "/0/calls/2/logs", json!([huge, huge]));
    assert!(attempt.read(&huge).unwrap_err().why().contains("2^256"));
}

#[test]
fn what_is_not_understood_is_told() {
    let attempt = of_token(DEMO);
    let topic = format!("0x{}", "ab".repeat(32));
    let dirty = format!("0x01{}", "00".repeat(31));
    for (path, value, part) in [
        ("/0/calls/2/logs/0/topics/0", json!(topic), topic.as_str()),
        ("/0/calls/2/logs/0/topics/1", json!(dirty), "not understood"),
        ("/0/calls/2/logs/0/topics", json!([]), "(topic none)"),
        ("/0/calls/2/logs/0/data", json!("0x00"), "not understood"),
    ] {
        let found = attempt.read(&spoilt(TOKEN, path, value)).unwrap();
        assert!(matches!(found.notes.as_slice(), [Note::Unknown { .. }]), "{found:?}");
        let told = attempt.tell(&found, &assets());
        assert!(rows(&told).contains(part), "{told:?}");
        assert_eq!(told.unknown, 1, "{told:?}");
        assert!(told.warnings.join("\n").contains("by the token's own books"), "{told:?}");
    }
}

#[test]
fn tokens_with_numbers_and_rights_over_everything_are_told_and_warned_of() {
    let attempt = of_token(DEMO);
    let word =
        |address: &str| format!("0x{:0>64}", address.to_ascii_lowercase().trim_start_matches("0x"));
    let event = |topics: &[&str], data: &str| {
        let first = result(TOKEN).pointer("/0/calls/2/logs/0").unwrap().clone();
        let log = json!({ "address": GREEDY, "topics": topics, "data": data });
        let found = attempt.read(&spoilt(TOKEN, "/0/calls/2/logs", json!([first, log]))).unwrap();
        attempt.tell(&found, &assets()).warnings
    };
    let (wallet, keeper, seven) = (word(WALLET), word(KEEPER), format!("0x{:064x}", 7));
    let (transfer, approval, all) = (
        "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925",
        "0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31",
    );
    let check = |warnings: Vec<String>, part: &str| {
        let [warning] = warnings.as_slice() else { panic!("{part}: {warnings:?}") };
        assert!(warning.contains(part), "{warning}");
    };
    check(event(&[transfer, &wallet, &keeper, &seven], "0x"), "the one token 7 of contract");
    check(event(&[approval, &wallet, &keeper, &seven], "0x"), "may take the one token 7");
    let yes = format!("0x{:064x}", 1);
    check(event(&[all, &wallet, &keeper], &yes), "may take every token of contract");
    let no = format!("0x{:064x}", 0);
    assert_eq!(event(&[all, &wallet, &keeper], &no), [""; 0], "taking a right back is no warning");
    assert_eq!(event(&[approval, &wallet, &keeper], &no), [""; 0]);
    assert_eq!(event(&[all, &keeper, &wallet], &yes), [""; 0], "what others allow is theirs");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(0x)?[0-9a-f]{0,66}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Where a recorded answer can be spoilt.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                paths(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(map) => map.iter().for_each(|(k, v)| paths(v, &format!("{at}/{k}"), found)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn no_answer_makes_reading_or_telling_panic(
        value in any_json(), which in any::<prop::sample::Index>(), greedy: bool,
    ) {
        let text = if greedy { GREEDY_TAKES } else { TOKEN };
        let mut places = Vec::new();
        paths(&result(text), "", &mut places);
        let spoilt = spoilt(text, &places[which.index(places.len())], value.clone());
        for attempt in [of_token(DEMO), coin()] {
            for answer in [&spoilt, &value] {
                if let Ok(found) = attempt.read(answer) {
                    let _told = attempt.tell(&found, &assets());
                }
            }
        }
    }
}
