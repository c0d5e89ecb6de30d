//! Questions: what a caller wants of the desk, in checked nouns. They also travel over the desk's Unix socket.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use quorate_terms::{
    AccountId, Amount, AssetId, CaseId, ChainId, Digest, IdempotencyKey, Malformed, WalletId,
};

use crate::tools::ToolName;

/// The longest note on a transfer, in bytes.
pub const MEMO_BYTES_MAX: usize = 256;
/// The longest unsigned transaction that is compared with a draft, in hex digits.
pub const UNSIGNED_HEX_MAX: usize = 8192;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $check:expr, $why:literal, $mend:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Malformed::new($field, $why, $mend))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let plain = whole == "0" || !whole.starts_with('0');
    let some = text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    text.len() <= 79 && plain && some && digits(whole) && digits(fraction)
}

fn is_name(text: &str, longest: usize) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " .-_$+".contains(c);
    !text.is_empty() && text.chars().count() <= longest && text.chars().all(plain)
}

text!(/// A positive human decimal such as `1.5`: no sign, exponent, leading zero or white space.
    Decimal, "amount", is_decimal, "is not a positive plain decimal",
    "give a string such as `1.5`, without sign or exponent");
text!(/// An ISO 4217 code in capitals.
    Currency, "fiat", |t| t.len() == 3 && t.bytes().all(|b| b.is_ascii_uppercase()),
    "is not a currency code", "give three capitals such as `USD`");
text!(/// A transaction id of an EVM chain, lower case.
    TxHash, "txHash", |t| t.len() == 66 && t.strip_prefix("0x").is_some_and(is_lower_hex),
    "is not a transaction hash", "give `0x` and 64 hex digits");
text!(/// A token symbol as people write it.
    Symbol, "symbol", |t| is_name(t, 32), "is not a symbol", "give 1 to 32 letters and digits");
text!(/// A token name as people write it.
    TokenName, "name", |t| is_name(t, 64), "is not a name", "give 1 to 64 letters and digits");
text!(/// Unsigned transaction bytes that the caller believes a draft to be; only ever compared.
    UnsignedHex, "unsignedTx", |t| t.len() <= UNSIGNED_HEX_MAX && t.strip_prefix("0x").is_some_and(is_lower_hex),
    "is not transaction hex", "give `0x` and the lower-case hex of the draft, or leave it out");
text!(/// A note on a transfer: personal, never judged, never trusted.
    Memo, "memo", |t| t.len() <= MEMO_BYTES_MAX && !t.chars().any(char::is_control),
    "is too long or holds control characters", "give at most 256 bytes on one line");

fn is_lower_hex(digits: &str) -> bool {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    !digits.is_empty() && digits.len().is_multiple_of(2) && digits.bytes().all(lower)
}

/// An amount as the caller gave it. The decimals of a human amount are known to the desk, not to the door.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "in", content = "value", rename_all = "snake_case")]
pub enum HowMuch {
    /// Whole units of the asset.
    Human(Decimal),
    /// Base units, more than none.
    Base(Amount),
}

/// A transfer that somebody thinks of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferAsk {
    /// From this wallet.
    pub wallet: WalletId,
    /// On this chain.
    pub chain: ChainId,
    /// To this account on the same chain. Its checksum is for the desk to check.
    pub to: AccountId,
    /// So much.
    pub how_much: HowMuch,
    /// Of this token; the chain's own coin if none.
    pub token: Option<AssetId>,
    /// With this note.
    pub memo: Option<Memo>,
    /// And at most so many base units in fees; the desk's own ceiling if none.
    pub fee_ceiling: Option<Amount>,
}

/// A draft of ours that shall be signed. The desk knows the bytes; the caller's copy is only compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignAsk {
    /// The wallet that the draft is for.
    pub wallet: WalletId,
    /// The chain that the draft is for.
    pub chain: ChainId,
    /// The draft's id, from `prepare_transfer` or `prepare_serialized_unsigned_tx`.
    pub draft: Digest,
    /// What the caller believes the draft's bytes to be.
    pub unsigned: Option<UnsignedHex>,
    /// The caller's own name for this request.
    pub key: IdempotencyKey,
}

/// What a price is asked of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "by", content = "value", rename_all = "snake_case")]
pub enum PriceOf {
    /// A symbol of the policy's asset list; never guessed into a contract.
    Symbol(Symbol),
    /// An asset.
    Asset(AssetId),
}

/// What an asset is looked up by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "by", content = "value", rename_all = "snake_case")]
pub enum AssetBy {
    /// Its contract.
    Contract(AssetId),
    /// Its symbol.
    Symbol(Symbol),
    /// Its name.
    Name(TokenName),
}

/// One question for the desk, one kind for each tool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the tool's inputs, documented in `tools::input`")]
pub enum Question {
    /// `get_balance`
    GetBalance { account: AccountId, fiat: Currency },
    /// `get_all_balances`
    GetAllBalances {
        account: AccountId,
        fiat: Currency,
        assets: Option<Vec<AssetId>>,
        include_native: bool,
    },
    /// `get_price`
    GetPrice { of: PriceOf, base: Currency },
    /// `get_fee_quote`
    GetFeeQuote {
        chain: ChainId,
        from: AccountId,
        to: AccountId,
        amount: Amount,
        token: Option<AssetId>,
        memo: Option<Memo>,
        fiat: Currency,
    },
    /// `resolve_asset`
    ResolveAsset { chain: ChainId, by: AssetBy, limit: u8 },
    /// `get_tx_status`
    GetTxStatus { chain: ChainId, tx: TxHash },
    /// `get_tx_history`
    GetTxHistory { account: AccountId, limit: u8 },
    /// `list_cases`
    ListCases { wallet: Option<WalletId>, open_only: bool, limit: u8, after: Option<CaseId> },
    /// `get_case`
    GetCase { case: CaseId },
    /// `get_receipt`
    GetReceipt { case: CaseId },
    /// `prepare_transfer`
    PrepareTransfer { transfer: TransferAsk },
    /// `prepare_serialized_unsigned_tx`
    PrepareSerializedUnsignedTx { transfer: TransferAsk },
    /// `explain_transfer`
    ExplainTransfer { transfer: TransferAsk },
    /// `get_wallet_address`
    GetWalletAddress { wallet: WalletId, chain: ChainId },
    /// `sign_transaction`
    SignTransaction { sign: SignAsk },
    /// `send_transaction`; the door has seen `confirmBroadcast: true`.
    SendTransaction { sign: SignAsk },
}

impl Question {
    /// The tool that asks it.
    pub const fn tool(&self) -> ToolName {
        match self {
            Self::GetBalance { .. } => ToolName::GetBalance,
            Self::GetAllBalances { .. } => ToolName::GetAllBalances,
            Self::GetPrice { .. } => ToolName::GetPrice,
            Self::GetFeeQuote { .. } => ToolName::GetFeeQuote,
            Self::ResolveAsset { .. } => ToolName::ResolveAsset,
            Self::GetTxStatus { .. } => ToolName::GetTxStatus,
            Self::GetTxHistory { .. } => ToolName::GetTxHistory,
            Self::ListCases { .. } => ToolName::ListCases,
            Self::GetCase { .. } => ToolName::GetCase,
            Self::GetReceipt { .. } => ToolName::GetReceipt,
            Self::PrepareTransfer { .. } => ToolName::PrepareTransfer,
            Self::PrepareSerializedUnsignedTx { .. } => ToolName::PrepareSerializedUnsignedTx,
            Self::ExplainTransfer { .. } => ToolName::ExplainTransfer,
            Self::GetWalletAddress { .. } => ToolName::GetWalletAddress,
            Self::SignTransaction { .. } => ToolName::SignTransaction,
            Self::SendTransaction { .. } => ToolName::SendTransaction,
        }
    }

    /// The wallet that it names, which the credential must name too.
    pub const fn wallet(&self) -> Option<&WalletId> {
        match self {
            Self::PrepareTransfer { transfer }
            | Self::PrepareSerializedUnsignedTx { transfer }
            | Self::ExplainTransfer { transfer } => Some(&transfer.wallet),
            Self::GetWalletAddress { wallet, .. } => Some(wallet),
            Self::SignTransaction { sign } | Self::SendTransaction { sign } => Some(&sign.wallet),
            Self::ListCases { wallet, .. } => wallet.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_of_people_are_positive_plain_decimals() {
        for good in ["1", "1.5", "0.000001", "10", "123456789.123456789012345678"] {
            assert!(good.parse::<Decimal>().is_ok(), "{good}");
        }
        let long = format!("1{}", "0".repeat(79));
        for bad in [
            "",
            "0",
            "0.0",
            "-1",
            "+1",
            "1e3",
            "1E3",
            ".5",
            "1.",
            "01",
            "1,5",
            " 1",
            "1 ",
            "NaN",
            "Infinity",
            "0x1",
            "١",
            "1.2.3",
            long.as_str(),
        ] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_a_question_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = serde_json::from_slice::<Question>(&bytes);
        }

        #[test]
        fn reading_text_fields_never_panics(text in ".{0,100}") {
            let _ = (text.parse::<Decimal>(), text.parse::<TxHash>(), text.parse::<Memo>());
            let _ = (text.parse::<Symbol>(), text.parse::<UnsignedHex>(), text.parse::<Currency>());
        }
    }
}
