use super::*;
use crate::testing::{chain, erc20, native, snapshot, wallet};
use crate::{Replacement, draft, replace};

fn assets() -> Vec<AssetInfo> {
    let info = |asset, symbol: &str, decimals| AssetInfo {
        asset,
        symbol: symbol.to_owned(),
        name: format!("{symbol} of the test"),
        decimals,
    };
    vec![info(native_asset(&chain()).unwrap(), "ETH", 18), info(erc20().0.asset, "USDT", 6)]
}

fn row<'a>(rows: &'a [(String, String)], label: &str) -> &'a str {
    &rows.iter().find(|(found, _)| found == label).unwrap().1
}

#[test]
fn people_are_shown_amount_recipient_fee_nonce_and_chain() {
    let draft = draft(&native(), &wallet(), &snapshot()).unwrap();
    let rows = describe(draft.meaning(), &assets());
    assert_eq!(row(&rows, "does"), "send the chain's own coin");
    assert_eq!(row(&rows, "amount"), "1.5 ETH (1500000000000000000 base units, 18 decimals)");
    assert_eq!(row(&rows, "to"), crate::testing::RECIPIENT);
    assert_eq!(row(&rows, "fee at most"), "0.000861 ETH (861000000000000 base units, 18 decimals)");
    assert_eq!(row(&rows, "nonce"), "7");
    assert_eq!(row(&rows, "chain"), "eip155:31337 (chain id 31337)");
}

#[test]
fn t26_a_slip_of_decimals_shows_in_units_and_in_base_units() {
    let (t, s) = erc20();
    let draft = draft(&t, &wallet(), &s).unwrap();
    let mut assets = assets();
    let rows = describe(draft.meaning(), &assets);
    assert_eq!(row(&rows, "amount"), "25 USDT (25000000 base units, 6 decimals)");
    assets[1].decimals = 9;
    let slipped = describe(draft.meaning(), &assets);
    assert_eq!(row(&slipped, "amount"), "0.025 USDT (25000000 base units, 9 decimals)");
}

#[test]
fn an_asset_that_the_policy_does_not_know_is_never_given_a_name() {
    let (t, s) = erc20();
    let draft = draft(&t, &wallet(), &s).unwrap();
    let rows = describe(draft.meaning(), &[]);
    assert!(row(&rows, "amount").starts_with("25000000 base units of an asset"), "{rows:?}");
    assert!(row(&rows, "asset").starts_with("unknown (eip155:31337/erc20:0x"), "{rows:?}");
}

#[test]
fn a_cancel_says_that_nothing_moves() {
    let first = draft(&native(), &wallet(), &snapshot()).unwrap();
    let cancel = replace(&first, Replacement::Cancel, &snapshot(), Amount::MAX).unwrap();
    let rows = describe(cancel.meaning(), &assets());
    assert!(row(&rows, "does").starts_with("send nothing to oneself"));
    assert_eq!(row(&rows, "to"), wallet().address());
}
