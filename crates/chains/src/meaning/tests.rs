use quorate_terms::intent::Transfer;

use super::*;
use crate::testing::{
    RECIPIENT, TOKEN, chain, erc20, honest, honest_erc20, native, recipient, snapshot,
    transfer_call, wallet,
};
use crate::{draft, read_back};

fn check(fields: &Fields, code: Code) {
    let refusal = read(fields, &chain()).unwrap_err();
    assert_eq!(refusal.code, code, "{refusal}");
    assert!(!refusal.next.is_empty());
}

fn spoil(spoil: impl FnOnce(&mut Fields)) -> Fields {
    let mut fields = honest();
    spoil(&mut fields);
    fields
}

fn spoil_erc20(spoil: impl FnOnce(&mut Fields)) -> Fields {
    let mut fields = honest_erc20();
    spoil(&mut fields);
    fields
}

#[test]
fn an_honest_transfer_is_read_as_what_it_does() {
    let m = read(&honest(), &chain()).unwrap();
    assert_eq!((m.effect, m.amount), (Effect::Native, Amount::from_u128(5)));
    assert_eq!(m.fee_max, Amount::from_u128(21_000 * 41_000_000_000));
    let m = read(&honest_erc20(), &chain()).unwrap();
    assert_eq!((m.effect, m.amount), (Effect::Erc20, Amount::from_u128(25)));
    assert_eq!((m.to.address(), m.asset.reference()), (RECIPIENT, TOKEN));
}

#[test]
fn row_32_bytes_for_another_chain_are_refused() {
    check(&spoil(|f| f.chain = 1), Code::WrongChain);
    for text in ["eip155:1", "eip155:31338"] {
        let refusal = read(&honest(), &text.parse().unwrap()).unwrap_err();
        assert_eq!(refusal.code, Code::WrongChain);
    }
    for text in ["eip155:0", "eip155:18446744073709551616", "eip155:031337", "cosmos:31337"] {
        let refusal = read(&honest(), &text.parse().unwrap()).unwrap_err();
        assert_eq!(refusal.code, Code::UnsupportedChain, "{text}");
    }
}

#[test]
fn gas_fees_and_nonce_outside_their_bounds_are_refused() {
    check(&spoil(|f| f.gas_limit = 20_999), Code::GasLimit);
    check(&spoil(|f| f.gas_limit = GAS_LIMIT_MAX + 1), Code::GasLimit);
    check(&spoil_erc20(|f| f.gas_limit = 21_000), Code::GasLimit);
    check(&spoil(|f| f.priority_fee = f.max_fee + U256::from(1)), Code::PriorityAboveMax);
    check(&spoil(|f| f.max_fee = U256::MAX), Code::IntegerOverflow);
    check(&spoil(|f| f.nonce = NONCE_MAX + 1), Code::NonceTooLarge);
    assert!(read(&spoil(|f| f.priority_fee = f.max_fee), &chain()).is_ok());
    assert!(read(&spoil(|f| f.gas_limit = GAS_LIMIT_MAX), &chain()).is_ok());
}

#[test]
fn money_that_would_be_lost_is_not_sent() {
    let zero = "0x0000000000000000000000000000000000000000";
    check(&spoil(|f| f.to = [0; 20]), Code::ZeroAddress);
    check(&spoil_erc20(|f| f.to = [0; 20]), Code::ZeroAddress);
    check(&spoil_erc20(|f| f.data = transfer_call(zero, 25)), Code::ZeroAddress);
    check(&spoil_erc20(|f| f.data = transfer_call(TOKEN, 25)), Code::TokenIsRecipient);
    check(&spoil_erc20(|f| f.data = transfer_call(RECIPIENT, 0)), Code::ZeroAmount);
}

#[test]
fn calldata_of_a_token_transfer_is_exactly_its_two_words() {
    check(&spoil_erc20(|f| f.data.push(0)), Code::CalldataLength);
    check(&spoil_erc20(|f| f.data.truncate(67)), Code::CalldataLength);
    check(&spoil_erc20(|f| f.data.truncate(4)), Code::CalldataLength);
    for at in 4..16 {
        check(&spoil_erc20(|f| f.data[at] = 1), Code::DirtyPadding);
    }
    check(&spoil_erc20(|f| f.value = U256::from(1)), Code::TokenWithValue);
    let mut with_memo = spoil(|f| f.data = b"memo".to_vec());
    with_memo.gas_limit = 30_000;
    check(&with_memo, Code::NativeWithData);
}

#[test]
fn row_33_approvals_permits_and_other_calls_are_refused_unread() {
    for selector in [
        "095ea7b3", "39509351", "d505accf", "a22cb465", "23b872dd", "6a761202", "ac9650d8",
        "00000000", "a9059cba",
    ] {
        let selector = hex::decode(selector).unwrap();
        check(&spoil_erc20(|f| f.data[..4].copy_from_slice(&selector)), Code::UnknownCall);
    }
    for short in [&[0xa9][..], &[0xa9, 0x05, 0x9c]] {
        check(&spoil_erc20(|f| f.data = short.to_vec()), Code::UnknownCall);
    }
}

#[test]
fn t2_a_delegatecall_hidden_in_a_multisig_call_is_denied_by_each_reader_alone() {
    // execTransaction(to, value, data, operation = 1, ..): the shape of the Bybit theft.
    let mut data = hex::decode("6a761202").unwrap();
    data.extend([0; 31]);
    data.push(1);
    data.extend([0; 300]);
    let fields = spoil_erc20(|f| {
        f.data = data;
        f.gas_limit = 200_000;
    });
    let refusal = read_back(&chain(), &fields.unsigned()).unwrap_err();
    assert_eq!(refusal.code, Code::UnknownCall);
    assert!(refusal.message.contains("delegatecall"), "{refusal}");
}

fn differs(t: &Transfer, spoil: impl FnOnce(&mut Transfer), code: Code) {
    let (from, s) = (wallet(), snapshot());
    let drafted = draft(t, &from, &s).unwrap();
    assert_eq!(carries_out(drafted.meaning(), t), Ok(()));
    let mut other = t.clone();
    spoil(&mut other);
    assert_eq!(carries_out(drafted.meaning(), &other).unwrap_err().code, code);
}

#[test]
fn row_31_t1_a_draft_carries_out_its_own_intent_and_no_other() {
    let t = native();
    differs(&t, |t| t.to = wallet(), Code::NotTheIntent);
    differs(&t, |t| t.amount = Amount::from_u128(1), Code::NotTheIntent);
    differs(&t, |t| t.asset = erc20().0.asset, Code::NotTheIntent);
    differs(&t, |t| t.asset = "eip155:1/slip44:60".parse().unwrap(), Code::NotTheIntent);
    differs(&t, |t| t.fee_ceiling = Amount::from_u128(1), Code::FeeAboveCeiling);
}

#[test]
fn t1_bytes_swapped_after_approval_are_not_the_intent() {
    let (from, s) = (wallet(), snapshot());
    let approved = native();
    let thief = chain().account("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").unwrap();
    let swapped = draft(&Transfer { to: thief, ..approved.clone() }, &from, &s).unwrap();
    let reading = read_back(&chain(), swapped.bytes()).unwrap();
    let refusal = carries_out(reading.meaning(), &approved).unwrap_err();
    assert_eq!(refusal.code, Code::NotTheIntent);
}

#[test]
fn t22_a_look_alike_recipient_is_another_recipient() {
    let t = native();
    let mut bytes = account_bytes(&t.to).unwrap();
    bytes[10] ^= 1;
    let poison = account_of(&chain(), &bytes).unwrap();
    assert!(crate::look_alike(&poison, &t.to));
    let drafted = draft(&Transfer { to: poison, ..t.clone() }, &wallet(), &snapshot()).unwrap();
    assert_eq!(carries_out(drafted.meaning(), &t).unwrap_err().code, Code::NotTheIntent);
}

#[test]
fn t26_an_amount_a_thousand_times_too_large_is_another_amount() {
    let t = native();
    let slipped = t.amount.checked_mul(Amount::from_u128(1000)).unwrap();
    differs(&t, |t| t.amount = slipped, Code::NotTheIntent);
}

#[test]
fn a_payment_of_nothing_stands_only_for_the_account_itself() {
    let to_other = read(&spoil(|f| f.value = U256::ZERO), &chain()).unwrap();
    assert_eq!(to_other.effect, Effect::SelfSend);
    assert_eq!(leaves(&to_other, &wallet()).unwrap_err().code, Code::ZeroAmount);
    assert_eq!(leaves(&to_other, &recipient()), Ok(()));
    assert_eq!(cancels(&to_other, &recipient(), Amount::MAX), Ok(()));
    let tight = cancels(&to_other, &recipient(), Amount::ZERO).unwrap_err();
    assert_eq!(tight.code, Code::FeeAboveCeiling);
    assert_eq!(carries_out(&to_other, &native()).unwrap_err().code, Code::NotTheIntent);

    let payment = read(&honest(), &chain()).unwrap();
    assert_eq!(cancels(&payment, &wallet(), Amount::MAX).unwrap_err().code, Code::NotTheIntent);
    assert_eq!(leaves(&payment, &recipient()).unwrap_err().code, Code::SelfSend);
    let lower = chain().account(&RECIPIENT.to_ascii_lowercase()).unwrap();
    assert_eq!(leaves(&payment, &lower).unwrap_err().code, Code::BadAddress);
    let elsewhere = "eip155:1".parse::<ChainId>().unwrap().account(RECIPIENT).unwrap();
    assert_eq!(leaves(&payment, &elsewhere).unwrap_err().code, Code::WrongChain);
}

#[test]
fn drafts_conflict_only_with_the_same_nonce_of_the_same_account() {
    let m = read(&honest(), &chain()).unwrap();
    let later = read(&spoil(|f| f.nonce += 1), &chain()).unwrap();
    let bigger = read(&spoil(|f| f.value = U256::from(6)), &chain()).unwrap();
    assert!(conflicts((&wallet(), &m), (&wallet(), &bigger)));
    assert!(!conflicts((&wallet(), &m), (&wallet(), &later)));
    assert!(!conflicts((&wallet(), &m), (&recipient(), &bigger)));
}
