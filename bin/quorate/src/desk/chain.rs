//! The chain-node driver: one node for each chain, asked over JSON-RPC. The node is not trusted: it can delay and mislead a
//! display, but what is signed was read back from its bytes, under ceilings that people or the policy agreed to.
//!
//! Plain HTTP only on loopback; every call has a time limit and a size limit; only calls that may be repeated are repeated.
//! A node's URL often holds its key, so it stands in no log and in no message.

mod node;
mod past;
mod revert;
mod simulate;
mod token;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alloy_primitives::keccak256;
use quorate_chains::{Attempt, FeeMode, GAS_LIMIT_MAX, Simulated, Snapshot};
use quorate_host::fault::Fault;
use quorate_terms::intent::Transfer;
use quorate_terms::{AccountId, Amount, AssetId, ChainId, Timestamp};
use serde_json::{Value, json};

use node::{Failure, Node};
pub(crate) use past::Past;
pub(crate) use simulate::Unsimulated;
pub(crate) use token::Claims;
pub(in crate::desk) use token::transfer_data;
use wire::{address, amount, field, number, quantity, text};

/// Gas of a payment without calldata.
const GAS_BASE: u64 = 21_000;
const ESTIMATE: &str = "eth_estimateGas";
/// What is offered to block makers where a node suggests nothing, per gas.
const PRIORITY_DEFAULT: u128 = 1_000_000_000;

/// The nodes, by chain.
pub(crate) type Chains = Arc<BTreeMap<ChainId, Arc<Chain>>>;

/// Why there is no answer. Says what to do next; holds no URL and no text of the node's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Upset {
    why: Why,
    words: String,
    /// Whether the answer itself is a reason to look twice: a contract can cause one that is too large or makes no sense.
    loud: bool,
}

/// Whose matter it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Why {
    /// The node's: it did not answer, or its answer made no sense.
    Node,
    /// Whoever asked: the chain has no such token.
    NoToken,
    /// Whoever asked: the chain finds that the transfer would fail.
    WouldFail,
}

impl Upset {
    pub(super) fn new(words: impl Into<String>) -> Self {
        Self { why: Why::Node, words: words.into(), loud: false }
    }

    pub(super) fn no_token() -> Self {
        let words = "the asset is no token contract of this chain; check its address";
        Self { why: Why::NoToken, words: words.to_owned(), loud: false }
    }

    fn would_fail(words: String) -> Self {
        Self { why: Why::WouldFail, words, loud: false }
    }

    /// The same, as a reason to look twice.
    fn loudly(self) -> Self {
        Self { loud: true, ..self }
    }

    pub(crate) const fn why(&self) -> Why {
        self.why
    }
}

impl fmt::Display for Upset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Upset {}

/// What the node knows of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Sighting {
    /// Nothing.
    Unknown,
    /// It waits for a block.
    Pending,
    /// It is in a block.
    Included {
        /// Number of the block.
        block: u64,
        /// Blocks that stand on it, itself included.
        depth: u64,
        /// Whether it did what it was sent for.
        success: bool,
        /// Base units paid in fees.
        fee: Amount,
    },
}

/// One chain, by its node.
pub struct Chain {
    id: ChainId,
    node: Node,
    /// Whether the node has said that it is of this chain.
    right: AtomicBool,
}

impl Chain {
    /// A node at `rpc`. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Fault`] for a chain that is not EVM, a URL that is none, or plain HTTP off loopback.
    pub(crate) fn connect(chain: &ChainId, rpc: &str) -> Result<Self, Fault> {
        quorate_chains::native_asset(chain)
            .map_err(|e| Fault::new(format!("chain {chain}"), e.message, e.next))?;
        let node = Node::at(chain, rpc)?;
        Ok(Self { id: chain.clone(), node, right: AtomicBool::new(false) })
    }

    /// Number of the newest block; asks the node each time which chain it is of.
    ///
    /// # Errors
    /// [`Upset`], also when the node is of another chain.
    pub(crate) async fn height(&self) -> Result<u64, Upset> {
        self.right.store(false, Ordering::Relaxed);
        self.is_right().await?;
        self.head().await
    }

    /// What a transfer from `account` is drafted from; without a transfer the gas is that of a plain payment.
    ///
    /// The nonce is the number of mined transactions: nonces in flight are the book's to know.
    ///
    /// # Errors
    /// [`Upset`], also when the node finds that the transfer would fail.
    pub(crate) async fn snapshot(
        &self,
        account: &AccountId,
        transfer: Option<&Transfer>,
        now: Timestamp,
    ) -> Result<Snapshot, Upset> {
        self.is_right().await?;
        let block = self.node.ask("eth_getBlockByNumber", json!(["latest", false])).await?;
        let (base_fee, priority_fee, fee_mode) = self.fees(&block).await?;
        Ok(Snapshot {
            chain: self.id.clone(),
            account: account.clone(),
            nonce: self.count(account, "latest").await?,
            base_fee,
            priority_fee,
            gas_limit: match transfer {
                Some(transfer) => self.gas(account, transfer).await?,
                None => GAS_BASE,
            },
            fee_mode,
            block: number(field(&block, "number")?)?,
            at: now,
        })
    }

    /// What `account` holds of `asset`, at the newest block.
    ///
    /// # Errors
    /// [`Upset`], also when the asset is no contract of the chain.
    pub(crate) async fn balance(
        &self,
        account: &AccountId,
        asset: &AssetId,
    ) -> Result<Amount, Upset> {
        self.is_right().await?;
        if asset.namespace() == "slip44" {
            let held =
                self.node.ask("eth_getBalance", json!([account.address(), "latest"])).await?;
            return amount(&held);
        }
        token::balance(&self.node, account, asset).await
    }

    /// What a token's contract claims about itself: outside text.
    ///
    /// # Errors
    /// [`Upset`] when the node does not answer; a contract that claims nothing is not an error.
    pub(crate) async fn claims(&self, asset: &AssetId) -> Result<Claims, Upset> {
        self.is_right().await?;
        token::claims(&self.node, asset).await
    }

    /// Gives signed bytes to the node. A node that has them already is content.
    ///
    /// # Errors
    /// [`Upset`] when the node does not take them and does not know them.
    pub(crate) async fn publish(&self, raw: &[u8]) -> Result<(), Upset> {
        self.is_right().await?;
        let bytes = format!("0x{}", hex::encode(raw));
        match self.node.call("eth_sendRawTransaction", json!([bytes])).await {
            Ok(_) => Ok(()),
            Err(Failure::Upset(upset)) => Err(upset),
            Err(Failure::Said { message, .. }) if knows_already(&message) => Ok(()),
            Err(Failure::Said { code, .. }) => {
                let txid = format!("{:#x}", keccak256(raw));
                match self.sighting(&txid).await? {
                    Sighting::Unknown => Err(self.upset(format!(
                        "does not take the transaction (code {code}); check the fee, the balance for fees and the nonce, \
                         it is offered again"
                    ))),
                    Sighting::Pending | Sighting::Included { .. } => Ok(()),
                }
            }
        }
    }

    /// What the node knows of a transaction.
    ///
    /// # Errors
    /// [`Upset`]
    pub(crate) async fn sighting(&self, txid: &str) -> Result<Sighting, Upset> {
        self.is_right().await?;
        let receipt = self.node.ask("eth_getTransactionReceipt", json!([txid])).await?;
        if receipt.is_null() {
            let known = self.node.ask("eth_getTransactionByHash", json!([txid])).await?;
            return Ok(if known.is_null() { Sighting::Unknown } else { Sighting::Pending });
        }
        let head = self.head().await?;
        let block = number(field(&receipt, "blockNumber")?)?;
        // A head from before the block is from another moment, not a block without depth.
        let depth = head.saturating_sub(block).saturating_add(1);
        let success = number(field(&receipt, "status")?)? == 1;
        Ok(Sighting::Included { block, depth, success, fee: paid(&receipt)? })
    }

    /// Why a mined transaction failed, in the words of the contract that it met: outside text.
    ///
    /// # Errors
    /// [`Upset`]
    pub(crate) async fn revert_reason(&self, txid: &str) -> Result<Option<String>, Upset> {
        self.is_right().await?;
        revert::reason(self, txid).await
    }

    /// What the node thinks that a transaction would change.
    ///
    /// # Errors
    /// [`Unsimulated`]
    pub(crate) async fn simulate(&self, attempt: &Attempt) -> Result<Simulated, Unsimulated> {
        simulate::simulate(self, attempt).await
    }

    /// How many transactions of `account` are mined, which is its next nonce.
    ///
    /// # Errors
    /// [`Upset`]
    pub(crate) async fn nonce(&self, account: &AccountId) -> Result<u64, Upset> {
        self.is_right().await?;
        self.count(account, "latest").await
    }

    /// Which mined transaction took a nonce, looking back to `near_block` at the furthest. None when it is not mined, or the
    /// node keeps no state that old.
    ///
    /// # Errors
    /// [`Upset`]
    pub(crate) async fn transaction_with_nonce(
        &self,
        account: &AccountId,
        nonce: u64,
        near_block: u64,
    ) -> Result<Option<String>, Upset> {
        self.is_right().await?;
        past::taker(self, account, nonce, near_block).await
    }

    /// Recent transfers in and out of an account, newest first: tokens of `assets` by their events, the chain's own coin by the
    /// newest blocks. Bounded, so it can be incomplete.
    ///
    /// # Errors
    /// [`Upset`]
    pub(crate) async fn history(
        &self,
        account: &AccountId,
        assets: &[AssetId],
        limit: usize,
    ) -> Result<Vec<Past>, Upset> {
        self.is_right().await?;
        past::transfers(self, account, assets, limit).await
    }

    async fn is_right(&self) -> Result<(), Upset> {
        if self.right.load(Ordering::Relaxed) {
            return Ok(());
        }
        let said = number(&self.node.ask("eth_chainId", json!([])).await?)?;
        if said.to_string() != self.id.reference() {
            let why = format!("is of chain {said}; name a node of this chain in desk.toml");
            return Err(self.upset(why).loudly());
        }
        self.right.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn head(&self) -> Result<u64, Upset> {
        number(&self.node.ask("eth_blockNumber", json!([])).await?)
    }

    async fn count(&self, account: &AccountId, block: &str) -> Result<u64, Upset> {
        number(&self.node.ask("eth_getTransactionCount", json!([account.address(), block])).await?)
    }

    async fn fees(&self, block: &Value) -> Result<(Amount, Amount, FeeMode), Upset> {
        let Some(base) = block.get("baseFeePerGas").filter(|v| !v.is_null()) else {
            let price = self.node.ask("eth_gasPrice", json!([])).await?;
            return Ok((amount(&price)?, Amount::ZERO, FeeMode::Legacy));
        };
        let priority = match self.node.call("eth_maxPriorityFeePerGas", json!([])).await {
            Ok(value) => amount(&value)?,
            Err(Failure::Said { .. }) => Amount::from_u128(PRIORITY_DEFAULT),
            Err(Failure::Upset(upset)) => return Err(upset),
        };
        Ok((amount(base)?, priority, FeeMode::Eip1559))
    }

    /// The gas that the node estimates, and a quarter more for anything that runs code.
    async fn gas(&self, from: &AccountId, t: &Transfer) -> Result<u64, Upset> {
        let call = if t.asset.namespace() == "slip44" {
            json!({ "from": from.address(), "to": t.to.address(), "value": quantity(t.amount) })
        } else {
            let data = transfer_data(&t.to, t.amount)?;
            json!({ "from": from.address(), "to": t.asset.reference(), "data": data })
        };
        let estimate = match self.node.call(ESTIMATE, json!([call])).await {
            Ok(value) => number(&value)?,
            Err(Failure::Upset(upset)) => return Err(upset),
            Err(Failure::Said { code, message, .. }) if is_of_the_chain(code, &message) => {
                return Err(Upset::would_fail(format!(
                    "the node of {} finds that the transfer would fail (code {code}); check what the wallet holds of the asset \
                     and of the chain's own coin",
                    self.id
                )));
            }
            Err(Failure::Said { code, .. }) => return Err(self.node.refuses(ESTIMATE, code)),
        };
        if estimate > GAS_LIMIT_MAX {
            return Err(Upset::would_fail(format!(
                "the node of {} says that the transfer uses {estimate} gas, above {GAS_LIMIT_MAX}; look at the token's contract",
                self.id
            )));
        }
        if estimate <= GAS_BASE {
            return Ok(GAS_BASE);
        }
        Ok(estimate.saturating_add(estimate.wrapping_shr(2)).min(GAS_LIMIT_MAX))
    }

    fn upset(&self, why: impl fmt::Display) -> Upset {
        Upset::new(format!("the node of {} {why}", self.id))
    }
}

/// The words by which nodes say that they have a transaction already.
fn knows_already(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["already known", "already imported", "alreadyknown", "known transaction", "already exists"]
        .iter()
        .any(|words| message.contains(words))
}

/// Whether a node's error says what the chain found, and not that the node does not answer such questions, or not now. Codes are
/// those of EIP-1474 and of geth, and nodes differ: so are words looked for, and what is not known is the node's trouble.
fn is_of_the_chain(code: i64, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    let busy =
        says(&["rate limit", "too many", "limit exceeded", "capacity", "timeout", "timed out"]);
    let found = says(&[
        "revert",
        "insufficient",
        "exceeds balance",
        "exceeds allowance",
        "gas required",
        "out of gas",
        "outofgas",
        "opcode",
        "stack",
        "invalid jump",
        "vm execution",
        "always failing",
        "transaction failed",
    ]);
    // -32003 is "transaction rejected", 3 a revert with its data, -32015 a failed execution.
    matches!(code, 3 | -32015 | -32003) || (found && !busy)
}

/// Gas used at the price paid, and what a rollup charged for its data.
fn paid(receipt: &Value) -> Result<Amount, Upset> {
    let gas = amount(field(receipt, "gasUsed")?)?;
    let price = amount(field(receipt, "effectiveGasPrice")?)?;
    let data = match receipt.get("l1Fee").filter(|v| !v.is_null()) {
        Some(fee) => amount(fee)?,
        None => Amount::ZERO,
    };
    gas.checked_mul(price)
        .and_then(|fee| fee.checked_add(data))
        .ok_or_else(|| Upset::new("the node names a fee that cannot be; ask another node"))
}

/// The account with the address that a node wrote in lower case.
fn account_of(chain: &ChainId, value: &Value) -> Result<AccountId, Upset> {
    let checksummed = address(text(value)?)?;
    chain.account(&checksummed).map_err(|e| Upset::new(e.to_string()))
}

#[cfg(test)]
mod tests;
