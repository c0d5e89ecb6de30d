//! Inputs as callers write them. Everything is text or a flag; checked nouns are made in `read`.

use schemars::JsonSchema;
use serde::Deserialize;

fn usd() -> String {
    "USD".to_owned()
}

const fn yes() -> bool {
    true
}

const fn five() -> u8 {
    5
}

const fn twenty() -> u8 {
    20
}

macro_rules! inputs {
    ($($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(#[derive(Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(super) struct $name { $($(#[$meta])* pub(super) $field: $type,)* })*
    };
}

inputs! {
    GetBalance {
        /// The address, in its chain's own form.
        #[schemars(length(min = 1, max = 128))]
        address: String,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// Currency of the worth, ISO 4217.
        #[serde(default = "usd")]
        #[schemars(regex(pattern = "^[A-Z]{3}$"))]
        fiat: String,
    }
    GetAllBalances {
        /// The address, in its chain's own form.
        #[schemars(length(min = 1, max = 128))]
        address: String,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// Currency of the worth, ISO 4217.
        #[serde(default = "usd")]
        #[schemars(regex(pattern = "^[A-Z]{3}$"))]
        fiat: String,
        /// CAIP-19 assets or token contracts to look at, at most 50.
        #[schemars(length(max = 50))]
        asset_ids: Option<Vec<String>>,
        /// Whether to include the chain's own coin.
        #[serde(default = "yes")]
        include_native: bool,
    }
    GetPrice {
        /// A symbol of the policy's asset list. Give this, or contractAddress with chain.
        #[schemars(length(min = 1, max = 32))]
        symbol: Option<String>,
        /// A token contract. Needs chain.
        #[schemars(length(min = 1, max = 128))]
        contract_address: Option<String>,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: Option<String>,
        /// Currency of the price, ISO 4217.
        #[serde(default = "usd")]
        #[schemars(regex(pattern = "^[A-Z]{3}$"))]
        base: String,
    }
    GetFeeQuote {
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// The address that pays.
        #[schemars(length(min = 1, max = 128))]
        from: String,
        /// The address that receives.
        #[schemars(length(min = 1, max = 128))]
        to: String,
        /// Base units, a decimal string.
        #[schemars(regex(pattern = "^[0-9]{1,78}$"))]
        amount_wei: String,
        /// Token contract; the chain's own coin if absent.
        #[schemars(length(min = 1, max = 128))]
        token_contract: Option<String>,
        /// A note.
        #[schemars(length(max = 256))]
        memo: Option<String>,
        /// Currency of the worth, ISO 4217.
        #[serde(default = "usd")]
        #[schemars(regex(pattern = "^[A-Z]{3}$"))]
        fiat: String,
    }
    ResolveAsset {
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// Exactly one of tokenContract, symbol, name.
        #[schemars(length(min = 1, max = 128))]
        token_contract: Option<String>,
        /// Exactly one of tokenContract, symbol, name.
        #[schemars(length(min = 1, max = 32))]
        symbol: Option<String>,
        /// Exactly one of tokenContract, symbol, name.
        #[schemars(length(min = 1, max = 64))]
        name: Option<String>,
        /// How many candidates, at most 10.
        #[serde(default = "five")]
        #[schemars(range(min = 1, max = 10))]
        limit: u8,
    }
    GetTxStatus {
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// The transaction, `0x` and 64 hex digits.
        #[schemars(regex(pattern = "^0x[0-9a-fA-F]{64}$"))]
        tx_hash: String,
    }
    GetTxHistory {
        /// The address, in its chain's own form.
        #[schemars(length(min = 1, max = 128))]
        address: String,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// How many, at most 100.
        #[serde(default = "twenty")]
        #[schemars(range(min = 1, max = 100))]
        limit: u8,
    }
    ListCases {
        /// Only this wallet.
        #[schemars(length(min = 1, max = 64))]
        wallet: Option<String>,
        /// Only cases that have not ended.
        #[serde(default)]
        open_only: bool,
        /// How many, at most 100.
        #[serde(default = "twenty")]
        #[schemars(range(min = 1, max = 100))]
        limit: u8,
        /// Only cases older than this one.
        #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
        after: Option<String>,
    }
    GetCase {
        /// The case id, 64 hex digits.
        #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
        case: String,
    }
    GetReceipt {
        /// The case id, 64 hex digits.
        #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
        case: String,
    }
    Transfer {
        /// The wallet that pays.
        #[schemars(length(min = 1, max = 64))]
        wallet: String,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// The address that receives.
        #[schemars(length(min = 1, max = 128))]
        to: String,
        /// Whole units, a plain decimal string such as `1.5`. Exactly one of amount, amountWei.
        #[schemars(length(min = 1, max = 79))]
        amount: Option<String>,
        /// Base units, a decimal string. Exactly one of amount, amountWei.
        #[schemars(regex(pattern = "^[0-9]{1,78}$"))]
        amount_wei: Option<String>,
        /// Token contract from resolve_asset; the chain's own coin if absent.
        #[schemars(length(min = 1, max = 128))]
        token_contract: Option<String>,
        /// A note, kept as a commitment. It changes no decision.
        #[schemars(length(max = 256))]
        memo: Option<String>,
        /// The most that may be paid in fees, base units of the chain's own coin; the desk's ceiling if absent.
        #[schemars(regex(pattern = "^[0-9]{1,78}$"))]
        max_fee_wei: Option<String>,
    }
    GetWalletAddress {
        /// The wallet.
        #[schemars(length(min = 1, max = 64))]
        wallet: String,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
    }
    SignTransaction {
        /// The wallet.
        #[schemars(length(min = 1, max = 64))]
        wallet: String,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// Draft id from a prepare tool. Other bytes are never signed.
        #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
        draft: String,
        /// The draft's bytes, only to be compared with the desk's own.
        #[schemars(length(max = 8192))]
        unsigned_tx: Option<String>,
        /// Your own name for this request, 1 to 128 visible ASCII characters. The same name gives the same case.
        #[schemars(length(min = 1, max = 128))]
        idempotency_key: String,
    }
    SendTransaction {
        /// The wallet.
        #[schemars(length(min = 1, max = 64))]
        wallet: String,
        /// CAIP-2 chain such as `eip155:1`; `ethereum` means `eip155:1`.
        #[schemars(length(min = 1, max = 41))]
        chain: String,
        /// Draft id from a prepare tool. Other bytes are never signed.
        #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
        draft: String,
        /// The draft's bytes, only to be compared with the desk's own.
        #[schemars(length(max = 8192))]
        unsigned_tx: Option<String>,
        /// Your own name for this request, 1 to 128 visible ASCII characters. The same name gives the same case.
        #[schemars(length(min = 1, max = 128))]
        idempotency_key: String,
        /// Must be true. It replaces no approval.
        confirm_broadcast: bool,
    }
}
