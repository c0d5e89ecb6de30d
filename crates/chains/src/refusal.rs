//! A refusal is a value: what was refused, why, and what to do next.

use std::fmt;

use quorate_terms::judgment::Reason;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// Why bytes, drafts or signatures are refused. The text is published and never changes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code, for the published list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The published text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// The bytes are not a transaction in RLP, or not in its one canonical form.
    MalformedBytes = "malformed_bytes",
    /// The bytes are longer than any transfer.
    Oversize = "oversize",
    /// Bytes follow the end of the transaction.
    TrailingBytes = "trailing_bytes",
    /// An integer has leading zeros.
    NonMinimalInteger = "non_minimal_integer",
    /// An integer is wider than its field.
    IntegerOverflow = "integer_overflow",
    /// A transaction type other than legacy (EIP-155) and EIP-1559.
    UnsupportedType = "unsupported_type",
    /// A legacy transaction that any chain would accept.
    Unprotected = "unprotected",
    /// An unsigned transaction was asked for, and this one carries a signature.
    AlreadySigned = "already_signed",
    /// The chain is none that this house can draft for.
    UnsupportedChain = "unsupported_chain",
    /// The bytes are for another chain.
    WrongChain = "wrong_chain",
    /// The transaction would create a contract.
    ContractCreation = "contract_creation",
    /// The transaction carries an access list.
    AccessList = "access_list",
    /// Money would go to the zero address.
    ZeroAddress = "zero_address",
    /// Nothing would move.
    ZeroAmount = "zero_amount",
    /// The account would pay itself.
    SelfSend = "self_send",
    /// The transaction calls something that is not understood.
    UnknownCall = "unknown_call",
    /// Native coin is sent along with data.
    NativeWithData = "native_with_data",
    /// Native coin is sent along with a token transfer.
    TokenWithValue = "token_with_value",
    /// The calldata of a token transfer is not exactly 68 bytes.
    CalldataLength = "calldata_length",
    /// The word of the recipient has more than an address in it.
    DirtyPadding = "dirty_padding",
    /// Tokens would go to their own contract.
    TokenIsRecipient = "token_is_recipient",
    /// The gas limit is below what the transaction needs or above what a transfer may use.
    GasLimit = "gas_limit",
    /// The priority fee is above the maximum fee.
    PriorityAboveMax = "priority_above_max",
    /// The fee could exceed what was agreed.
    FeeAboveCeiling = "fee_above_ceiling",
    /// The nonce is larger than any that is in use.
    NonceTooLarge = "nonce_too_large",
    /// An address is not in EIP-55 form.
    BadAddress = "bad_address",
    /// The asset is neither the chain's own coin nor an ERC-20 token of the chain.
    UnsupportedAsset = "unsupported_asset",
    /// The bytes do something other than the intent.
    NotTheIntent = "not_the_intent",
    /// The snapshot speaks of another account or chain.
    WrongSnapshot = "wrong_snapshot",
    /// The draft cannot be replaced this way.
    NotReplaceable = "not_replaceable",
    /// A public key that is not a point of the curve.
    BadPublicKey = "bad_public_key",
    /// The signature is not one of this key over these bytes.
    BadSignature = "bad_signature",
    /// The signature has a high s: a second form of it exists.
    HighS = "high_s",
    /// Two paths that must agree did not: a defect of ours.
    PathsDisagree = "paths_disagree",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something is refused, and what to do next. Both texts are one lower-case line and hold no secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The published code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub next: String,
}

impl Refusal {
    /// A refusal with these texts.
    pub(crate) fn new(code: Code, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code, message: message.into(), next: next.into() }
    }

    /// A complaint about bytes that no honest party of ours drafts.
    pub(crate) fn bytes(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, message, "draft the transfer again from a fresh snapshot")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.next)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        Self {
            rule: "check:chains".to_owned(),
            code: refusal.code.as_str().to_owned(),
            message: refusal.message,
            next: refusal.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_published_text() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        for code in Code::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{code}\""), "the encoded form is the published text");
        }
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
