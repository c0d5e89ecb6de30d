//! What the tests of this crate share: one wallet, one recipient, one token, one snapshot.

use std::path::PathBuf;

use proptest::prelude::*;
use quorate_terms::intent::Transfer;
use quorate_terms::{AccountId, Amount, ChainId, Timestamp};
use rlp::RlpStream;
use secp256k1::{PublicKey, SecretKey};

use crate::address::{account, account_of, asset_of, native_asset};
use crate::fields::Fields;
use crate::snapshot::{FeeMode, Snapshot};

pub(crate) const CHAIN: &str = "eip155:31337";
pub(crate) const RECIPIENT: &str = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359";
pub(crate) const TOKEN: &str = "0xdAC17F958D2ee523a2206206994597C13D831ec7";
pub(crate) const GWEI: u128 = 1_000_000_000;

pub(crate) fn chain() -> ChainId {
    CHAIN.parse().unwrap()
}

pub(crate) fn secret() -> SecretKey {
    SecretKey::from_secret_bytes([0x46; 32]).unwrap()
}

pub(crate) fn public_key() -> [u8; 33] {
    PublicKey::from_secret_key(&secret()).serialize()
}

pub(crate) fn wallet() -> AccountId {
    account(&chain(), &public_key()).unwrap()
}

pub(crate) fn recipient() -> AccountId {
    chain().account(RECIPIENT).unwrap()
}

pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        chain: chain(),
        account: wallet(),
        nonce: 7,
        base_fee: Amount::from_u128(20 * GWEI),
        priority_fee: Amount::from_u128(GWEI),
        gas_limit: 21_000,
        fee_mode: FeeMode::Eip1559,
        block: 100,
        at: Timestamp::ZERO,
    }
}

/// 1.5 of the chain's own coin, for at most 0.01 in fees.
pub(crate) fn native() -> Transfer {
    Transfer {
        wallet: "ops".parse().unwrap(),
        asset: native_asset(&chain()).unwrap(),
        to: recipient(),
        amount: Amount::from_u128(1_500_000_000 * GWEI),
        fee_ceiling: Amount::from_u128(10_000_000 * GWEI),
        memo: None,
    }
}

/// 25 of a token with six decimal places.
pub(crate) fn erc20() -> (Transfer, Snapshot) {
    let transfer = Transfer {
        asset: asset_of(&chain().account(TOKEN).unwrap()).unwrap(),
        amount: Amount::from_u128(25_000_000),
        ..native()
    };
    (transfer, Snapshot { gas_limit: 65_000, ..snapshot() })
}

/// The fields of an honest native transfer, for tests that spoil one of them.
pub(crate) fn honest() -> Fields {
    Fields {
        mode: FeeMode::Eip1559,
        chain: 31_337,
        nonce: 7,
        priority_fee: (GWEI).try_into().unwrap(),
        max_fee: (41 * GWEI).try_into().unwrap(),
        gas_limit: 21_000,
        to: crate::address::parse(RECIPIENT).unwrap(),
        value: 5_u64.try_into().unwrap(),
        data: Vec::new(),
    }
}

/// The fields of an honest token transfer.
pub(crate) fn honest_erc20() -> Fields {
    Fields {
        to: crate::address::parse(TOKEN).unwrap(),
        value: 0_u64.try_into().unwrap(),
        gas_limit: 65_000,
        data: transfer_call(RECIPIENT, 25),
        ..honest()
    }
}

pub(crate) fn transfer_call(to: &str, amount: u8) -> Vec<u8> {
    let mut data = hex::decode("a9059cbb000000000000000000000000").unwrap();
    data.extend(crate::address::parse(to).unwrap());
    data.extend([0; 31]);
    data.push(amount);
    data
}

/// An RLP list of byte strings, after an optional type byte: transactions that no encoder of ours would write.
pub(crate) fn raw(kind: Option<u8>, items: &[&[u8]], access_list: bool) -> Vec<u8> {
    let extra = usize::from(access_list);
    let mut list = RlpStream::new_list(items.len().saturating_add(extra));
    for item in items {
        list.append(item);
    }
    if access_list {
        list.begin_list(0);
    }
    kind.into_iter().chain(list.out().to_vec()).collect()
}

/// Where the published vectors are, or none with the reason printed.
#[expect(clippy::disallowed_methods, reason = "tests find their vectors through the environment")]
pub(crate) fn vectors(path: &str) -> Option<PathBuf> {
    let home = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var("QUORATE_VECTORS").unwrap_or_else(|_| home.to_owned());
    let full = PathBuf::from(root).join(path);
    if full.exists() {
        return Some(full);
    }
    println!("skipped: no vectors at {}; set QUORATE_VECTORS", full.display());
    None
}

#[expect(clippy::disallowed_methods, reason = "tests read their vectors from disk")]
pub(crate) fn json(path: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Any transfer that can be drafted, with its snapshot.
pub(crate) fn any_transfer() -> impl Strategy<Value = (Transfer, Snapshot)> {
    let chains = 1..9_223_372_036_854_775_771_u64;
    let bytes = || any::<[u8; 20]>().prop_filter("not zero", |a| a != &[0; 20]);
    let fees = (0..u128::from(u64::MAX), 0..u128::from(u64::MAX));
    let amount = any::<[u8; 32]>().prop_filter("not zero", |a| a != &[0; 32]);
    let rest = (0..crate::NONCE_MAX, 24_000_u64..500_000, any::<bool>(), any::<bool>());
    (chains, bytes(), bytes(), fees, amount, rest).prop_filter_map(
        "a recipient of its own",
        |(number, to, contract, (base, priority), amount, (nonce, gas_limit, legacy, token))| {
            let chain: ChainId = format!("eip155:{number}").parse().unwrap();
            let from = account(&chain, &public_key()).unwrap();
            let to = account_of(&chain, &to).unwrap();
            let contract = account_of(&chain, &contract).unwrap();
            let asset = if token { asset_of(&contract) } else { native_asset(&chain) }.unwrap();
            let fee_mode = if legacy { FeeMode::Legacy } else { FeeMode::Eip1559 };
            let s = Snapshot {
                chain,
                account: from.clone(),
                nonce,
                base_fee: Amount::from_u128(base),
                priority_fee: Amount::from_u128(priority),
                gas_limit,
                fee_mode,
                ..snapshot()
            };
            let amount = Amount::new(ruint::aliases::U256::from_be_bytes(amount));
            let distinct = to != from && to != contract;
            let t = Transfer { asset, to, amount, fee_ceiling: Amount::MAX, ..native() };
            distinct.then_some((t, s))
        },
    )
}
