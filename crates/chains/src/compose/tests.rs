use proptest::prelude::*;
use quorate_terms::Amount;

use super::*;
use crate::testing::{any_transfer, chain, erc20, native, recipient, snapshot, wallet};

fn check(t: &Transfer, from: &AccountId, s: &Snapshot, code: Code) {
    let refusal = draft(t, from, s).unwrap_err();
    assert_eq!(refusal.code, code, "{refusal}");
    let text = refusal.to_string();
    assert!(!text.contains('\n') && text.len() < 300, "one bounded line: {text}");
}

#[test]
fn native_and_token_transfers_are_drafted_in_both_fee_modes() {
    for fee_mode in [FeeMode::Eip1559, FeeMode::Legacy] {
        let s = Snapshot { fee_mode, ..snapshot() };
        let m = draft(&native(), &wallet(), &s).unwrap().meaning().clone();
        assert_eq!((m.effect, m.nonce, m.fee_mode), (Effect::Native, 7, fee_mode));
        let (t, s) = erc20();
        let s = Snapshot { fee_mode, ..s };
        let m = draft(&t, &wallet(), &s).unwrap().meaning().clone();
        assert_eq!((m.effect, m.amount, m.to), (Effect::Erc20, t.amount, recipient()));
    }
}

#[test]
fn a_transfer_that_cannot_be_right_is_refused_before_it_is_drafted() {
    let (t, s, from) = (native(), snapshot(), wallet());
    let other = "eip155:1".parse::<ChainId>().unwrap();
    let elsewhere = other.account(recipient().address()).unwrap();
    let lower = chain().account(&recipient().address().to_ascii_lowercase()).unwrap();
    let zero = chain().account("0x0000000000000000000000000000000000000000").unwrap();
    let change = |change: fn(&mut Transfer)| {
        let mut t = native();
        change(&mut t);
        t
    };
    check(&change(|t| t.amount = Amount::ZERO), &from, &s, Code::ZeroAmount);
    check(&change(|t| t.fee_ceiling = Amount::ZERO), &from, &s, Code::FeeAboveCeiling);
    check(&change(|t| t.to = wallet()), &from, &s, Code::SelfSend);
    check(&Transfer { to: elsewhere.clone(), ..t.clone() }, &from, &s, Code::WrongChain);
    check(&Transfer { to: lower, ..t.clone() }, &from, &s, Code::BadAddress);
    check(&Transfer { to: zero, ..t.clone() }, &from, &s, Code::ZeroAddress);
    check(&t, &elsewhere, &s, Code::WrongSnapshot);
    check(&t, &recipient(), &s, Code::WrongSnapshot);
    check(&t, &from, &Snapshot { chain: other, ..s.clone() }, Code::WrongSnapshot);
    check(&t, &from, &Snapshot { gas_limit: 20_999, ..s.clone() }, Code::GasLimit);
    check(&t, &from, &Snapshot { gas_limit: 0, ..s.clone() }, Code::GasLimit);
    let greedy = Snapshot { gas_limit: 500_001, ..s.clone() };
    check(&Transfer { fee_ceiling: Amount::MAX, ..t.clone() }, &from, &greedy, Code::GasLimit);
    check(&t, &from, &Snapshot { base_fee: Amount::MAX, ..s.clone() }, Code::FeeAboveCeiling);
    check(&t, &from, &Snapshot { nonce: u64::MAX, ..s }, Code::NonceTooLarge);
}

#[test]
fn only_the_coin_and_erc20_tokens_with_a_checksum_are_drafted() {
    for (asset, code) in [
        ("eip155:31337/slip44:714", Code::UnsupportedAsset),
        ("eip155:31337/erc721:0xdAC17F958D2ee523a2206206994597C13D831ec7", Code::UnsupportedAsset),
        ("eip155:31337/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7", Code::BadAddress),
        ("eip155:1/slip44:60", Code::WrongChain),
    ] {
        let t = Transfer { asset: asset.parse().unwrap(), ..native() };
        check(&t, &wallet(), &snapshot(), code);
    }
}

#[test]
fn a_draft_in_any_other_chain_family_is_refused() {
    let family = |text: &str| {
        let chain: ChainId = text.parse().unwrap();
        let from = chain.account(wallet().address()).unwrap();
        let asset = format!("{chain}/slip44:60").parse().unwrap();
        let to = chain.account(recipient().address()).unwrap();
        let s = Snapshot { chain, account: from.clone(), ..snapshot() };
        check(&Transfer { asset, to, ..native() }, &from, &s, Code::UnsupportedChain);
    };
    for text in ["eip155:0", "eip155:18446744073709551616", "tron:1", "eip155:01"] {
        family(text);
    }
}

proptest! {
    #[test]
    fn what_is_drafted_reads_back_as_the_transfer((t, s) in any_transfer()) {
        let draft = draft(&t, &s.account, &s).unwrap();
        let m = draft.meaning();
        prop_assert_eq!(carries_out(m, &t), Ok(()));
        prop_assert_eq!((&m.chain, m.nonce, m.gas_limit), (&s.chain, s.nonce, s.gas_limit));
        prop_assert_eq!((&m.asset, &m.to, m.amount), (&t.asset, &t.to, t.amount));
        prop_assert_eq!(m.fee_mode, s.fee_mode);
        prop_assert_eq!(&read_back(&s.chain, draft.bytes()).unwrap(), &draft);
        // Two libraries agree on what is signed.
        let ours = m.sighash;
        let theirs = match Plan::of(m).transaction().unwrap() {
            Transaction::Eip1559(tx) => tx.signature_hash(),
            Transaction::Legacy(tx) => tx.signature_hash(),
        };
        prop_assert_eq!(ours, theirs.0);
    }
}
