//! Looking back: who took a nonce, and what moved in and out of an account. Bounded looks at recent blocks.

use quorate_terms::{AccountId, Amount, AssetId, Timestamp};
use serde_json::{Value, json};

use super::node::Failure;
use super::wire::{amount, field, number, text};
use super::{Chain, Upset, account_of};

/// Blocks that are read in full for payments of the chain's own coin.
const FULL_BLOCKS: u64 = 24;
/// Blocks whose events are asked for.
const EVENT_BLOCKS: u64 = 5_000;
/// `keccak256("Transfer(address,address,uint256)")`
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// One transfer, as the node tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Past {
    /// The transaction.
    pub(crate) txid: String,
    /// Its block; none where the book tells of it, which does not keep blocks.
    pub(crate) block: Option<u64>,
    /// When, where the node says so.
    pub(crate) at: Option<Timestamp>,
    /// Whether it left the account.
    pub(crate) outgoing: bool,
    /// The other account; none for a contract's creation.
    pub(crate) counterparty: Option<AccountId>,
    /// What moved.
    pub(crate) asset: AssetId,
    /// How much.
    pub(crate) amount: Amount,
}

/// The mined transaction that took a nonce: halving between `near_block` and the head.
pub(super) async fn taker(
    chain: &Chain,
    account: &AccountId,
    nonce: u64,
    near_block: u64,
) -> Result<Option<String>, Upset> {
    let (mut low, mut high) = (near_block, chain.head().await?);
    if chain.count(account, "latest").await? <= nonce || low > high {
        return Ok(None);
    }
    while low < high {
        let middle = low.saturating_add(high.saturating_sub(low).wrapping_shr(1));
        let count = chain
            .node
            .call("eth_getTransactionCount", json!([account.address(), hex(middle)]))
            .await;
        let count = match count {
            Ok(value) => number(&value)?,
            // The node has forgotten states that old: only newer blocks are looked at.
            Err(Failure::Said { .. }) => 0,
            Err(Failure::Upset(upset)) => return Err(upset),
        };
        if count > nonce { high = middle } else { low = middle.saturating_add(1) }
    }
    for transaction in transactions(chain, low).await?.1 {
        let same = account_of(&chain.id, field(&transaction, "from")?)? == *account;
        if same && number(field(&transaction, "nonce")?)? == nonce {
            return Ok(Some(text(field(&transaction, "hash")?)?.to_ascii_lowercase()));
        }
    }
    Ok(None)
}

pub(super) async fn transfers(
    chain: &Chain,
    account: &AccountId,
    assets: &[AssetId],
    limit: usize,
) -> Result<Vec<Past>, Upset> {
    let head = chain.head().await?;
    let mut found = payments(chain, account, head).await?;
    found.extend(events(chain, account, assets, head).await?);
    found.sort_by(|a, b| (b.block, &b.txid).cmp(&(a.block, &a.txid)));
    found.dedup();
    found.truncate(limit);
    Ok(found)
}

async fn payments(chain: &Chain, account: &AccountId, head: u64) -> Result<Vec<Past>, Upset> {
    let native = quorate_chains::native_asset(&chain.id).map_err(|e| Upset::new(e.to_string()))?;
    let mut found = Vec::new();
    for block in (head.saturating_sub(FULL_BLOCKS)..=head).rev() {
        let (at, transactions) = transactions(chain, block).await?;
        for transaction in transactions {
            let moved = amount(field(&transaction, "value")?)?;
            let from = account_of(&chain.id, field(&transaction, "from")?)?;
            let to = transaction.get("to").filter(|to| !to.is_null());
            let to = to.map(|to| account_of(&chain.id, to)).transpose()?;
            let outgoing = from == *account;
            if moved.is_zero() || (!outgoing && to.as_ref() != Some(account)) {
                continue;
            }
            found.push(Past {
                txid: text(field(&transaction, "hash")?)?.to_ascii_lowercase(),
                block: Some(block),
                at,
                outgoing,
                counterparty: if outgoing { to } else { Some(from) },
                asset: native.clone(),
                amount: moved,
            });
        }
    }
    Ok(found)
}

async fn events(
    chain: &Chain,
    account: &AccountId,
    assets: &[AssetId],
    head: u64,
) -> Result<Vec<Past>, Upset> {
    let tokens: Vec<&str> = assets
        .iter()
        .filter(|a| a.chain() == chain.id && a.namespace() == "erc20")
        .map(AssetId::reference)
        .collect();
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let me = format!("0x{:0>64}", account.address().trim_start_matches("0x").to_ascii_lowercase());
    let mut found = Vec::new();
    for topics in [json!([TRANSFER, me]), json!([TRANSFER, null, me])] {
        let from = hex(head.saturating_sub(EVENT_BLOCKS));
        let filter = json!([{ "fromBlock": from, "toBlock": "latest", "address": tokens, "topics": topics }]);
        let logs = chain.node.ask("eth_getLogs", filter).await?;
        for log in logs.as_array().into_iter().flatten() {
            found.extend(event(chain, account, log)?);
        }
    }
    Ok(found)
}

/// Reads a transfer event; none for one of another form under the same name, such as ERC-721's.
fn event(chain: &Chain, account: &AccountId, log: &Value) -> Result<Option<Past>, Upset> {
    let topics: Vec<&str> = log
        .get("topics")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let [_, from, to] = topics.as_slice() else { return Ok(None) };
    let party = |word: &str| {
        let address = word.get(26..).map(|digits| format!("0x{digits}")).unwrap_or_default();
        account_of(&chain.id, &Value::String(address))
    };
    let (from, to) = (party(from)?, party(to)?);
    let contract = account_of(&chain.id, field(log, "address")?)?;
    let asset = quorate_chains::asset_of(&contract).map_err(|e| Upset::new(e.to_string()))?;
    let outgoing = from == *account;
    Ok(Some(Past {
        txid: text(field(log, "transactionHash")?)?.to_ascii_lowercase(),
        block: Some(number(field(log, "blockNumber")?)?),
        at: None,
        outgoing,
        counterparty: Some(if outgoing { to } else { from }),
        asset,
        amount: amount(field(log, "data")?)?,
    }))
}

async fn transactions(chain: &Chain, block: u64) -> Result<(Option<Timestamp>, Vec<Value>), Upset> {
    let mut block = chain.node.ask("eth_getBlockByNumber", json!([hex(block), true])).await?;
    let seconds = block.get("timestamp").map(number).transpose()?;
    let at = seconds.map(|s| Timestamp::from_millis(s.saturating_mul(1000)));
    match block.get_mut("transactions").map(Value::take) {
        Some(Value::Array(transactions)) => Ok((at, transactions)),
        _ => Ok((at, Vec::new())),
    }
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}
