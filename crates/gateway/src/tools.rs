//! The tools: names, words, schemas, hints, and how each one's arguments become a question.
//!
//! Names, words and schemas are those in `golden/`, where the lists are committed. Words are constant: what a model reads about a
//! tool never depends on a chain, a caller or a configuration. There is no tool that approves, and none that
//! administers.

mod input;
mod read;

use std::fmt;
use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use quorate_terms::credential::Band;

use crate::answer;
use crate::errors::Complaint;
use crate::question::Question;

macro_rules! tools {
    ($($name:ident = $text:literal, $band:ident, $hint:ident, $input:ident => $answer:ident, $title:literal, $words:literal;)*) => {
        /// A tool, in the order in which doors list them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum ToolName {
            $(#[doc = $words] #[serde(rename = $text)] $name,)*
        }

        impl ToolName {
            /// Every tool, in the order in which doors list them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name as callers write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The lowest band that holds it.
            pub const fn band(self) -> Band {
                match self { $(Self::$name => Band::$band,)* }
            }

            /// The tool as doors list it.
            pub fn describe(self) -> Tool {
                match self {
                    $(Self::$name => described(
                        ($text, $title, $words),
                        schema_of::<input::$input>(),
                        schema_of::<answer::$answer>(),
                        Hint::$hint.annotations($title),
                    ),)*
                }
            }
        }
    };
}

tools! {
    GetBalance = "get_balance", Read, Look, GetBalance => Balance, "Get balance",
        "Native balance of one address on one chain, with its worth in a currency where a price source is set up.";
    GetAllBalances = "get_all_balances", Read, Look, GetAllBalances => Balances, "Get all balances",
        "Native and token balances of one address on one chain. Without assetIds: the assets that the policy lists.";
    GetPrice = "get_price", Read, Look, GetPrice => Price, "Get price",
        "Spot price of one whole unit, by symbol, or by contractAddress with chain. For information; limits never rest on it.";
    GetFeeQuote = "get_fee_quote", Read, Look, GetFeeQuote => FeeQuote, "Get fee quote",
        "Estimated network fee of a transfer.";
    ResolveAsset = "resolve_asset", Read, Look, ResolveAsset => Resolved, "Resolve asset",
        "Find assets on a chain by exactly one of tokenContract, symbol, name. Symbols are never guessed into contracts: choose one candidate and pass its tokenContract on.";
    GetTxStatus = "get_tx_status", Read, Look, GetTxStatus => TxStatus, "Get transaction status",
        "What became of one transaction: pending, included, final, reverted, replaced or dropped.";
    GetTxHistory = "get_tx_history", Read, Look, GetTxHistory => TxHistory, "Get transaction history",
        "Recent transfers of one address on one chain, newest first.";
    ListCases = "list_cases", Read, Book, ListCases => CaseList, "List cases",
        "Cases of the wallets that this credential names, newest first.";
    GetCase = "get_case", Read, Book, GetCase => CaseSaid, "Get case",
        "How one case was judged, who must approve it and has, and how far it has come.";
    GetReceipt = "get_receipt", Read, Book, GetReceipt => ReceiptSaid, "Get receipt",
        "The receipt of a closed case: proof for anyone, verified offline with quorate-verify.";
    PrepareTransfer = "prepare_transfer", Prepare, Look, Transfer => PreparedTransfer, "Prepare transfer",
        "Compose an unsigned transfer in parts (nonce, fees, call data). Give exactly one of amount and amountWei. Reserves nothing and signs nothing.";
    PrepareSerializedUnsignedTx = "prepare_serialized_unsigned_tx", Prepare, Look, Transfer => PreparedBytes, "Prepare unsigned transaction",
        "Compose an unsigned transfer in bytes with a review of what the bytes do. Its draft id goes to sign_transaction or send_transaction. Give exactly one of amount and amountWei. Reserves nothing and signs nothing.";
    ExplainTransfer = "explain_transfer", Prepare, Book, Transfer => Explanation, "Explain transfer",
        "What the policy would say of a transfer, and who would have to approve it. Files nothing and reserves nothing.";
    GetWalletAddress = "get_wallet_address", Sign, Book, GetWalletAddress => WalletAddress, "Get wallet address",
        "Address of a wallet on a chain.";
    SignTransaction = "sign_transaction", Sign, Act, SignTransaction => CaseSaid, "Sign transaction",
        "Ask for a signature over a draft that this desk prepared; other bytes are never signed. Policy decides; people may have to approve elsewhere. Returns the case at once; ask get_case for the outcome. The same idempotencyKey gives the same case.";
    SendTransaction = "send_transaction", Broadcast, Act, SendTransaction => CaseSaid, "Send transaction",
        "Ask for a signature over a draft that this desk prepared, and for its broadcast. confirmBroadcast must be true and replaces no approval. Policy decides; people may have to approve elsewhere. Returns the case at once; ask get_case for the outcome. The same idempotencyKey gives the same case.";
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ToolName {
    /// The tool of this name, if there is one.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|tool| tool.as_str() == name)
    }

    /// Reads a call's arguments as a question.
    ///
    /// # Errors
    /// [`Complaint`] of category `validation` naming the field, or `flow` when a confirmation is missing.
    pub fn read(self, arguments: JsonObject) -> Result<Question, Complaint> {
        read::question(self, arguments)
    }
}

/// What a tool does to the world; hints for clients, never a control.
enum Hint {
    /// Reads chains or price sources.
    Look,
    /// Reads the book only.
    Book,
    /// Files an intent that can move funds.
    Act,
}

impl Hint {
    fn annotations(&self, title: &str) -> ToolAnnotations {
        let (read_only, destructive, open_world) = match self {
            Self::Look => (true, false, true),
            Self::Book => (true, false, false),
            Self::Act => (false, true, true),
        };
        ToolAnnotations::from_raw(
            Some(title.to_owned()),
            Some(read_only),
            Some(destructive),
            Some(true),
            Some(open_world),
        )
    }
}

/// JSON Schema 2020-12 of a type, with no reference to follow anywhere.
pub(crate) fn schema_of<T: JsonSchema>() -> Arc<JsonObject> {
    let settings = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        serde_json::Value::Object(object) => Arc::new(object),
        _ => Arc::default(),
    }
}

fn described(
    (name, title, words): (&'static str, &'static str, &'static str),
    input: Arc<JsonObject>,
    output: Arc<JsonObject>,
    annotations: ToolAnnotations,
) -> Tool {
    let mut tool = Tool::new(name, words, input).with_annotations(annotations);
    tool.title = Some(title.to_owned());
    tool.output_schema = Some(output);
    tool
}

#[cfg(test)]
mod tests;
