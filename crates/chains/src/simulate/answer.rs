//! What a node answered. Read strictly and within bounds: what is not understood is kept and told, and never dropped.

use std::collections::BTreeMap;

use quorate_terms::{AccountId, Amount, AssetId, ChainId, Malformed};
use ruint::aliases::U256;
use serde::Deserialize;
use serde_json::Value;

use super::found::{Allowance, Allowed, Change, Note, Signed, Simulated, TokenSays};
use super::reverted::{WORDS_MAX, reverted};
use super::{Attempt, account_at, token_at};
use crate::address::native_asset;

/// `Transfer(address,address,uint256)`: ERC-20, and ERC-721 where the number is a topic.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// `Approval(address,address,uint256)`, the same.
const APPROVAL: &str = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925";
/// `ApprovalForAll(address,address,bool)` of ERC-721 and ERC-1155.
const APPROVAL_ALL: &str = "0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31";
/// Where traced transfers of the chain's own coin stand: no contract can be there.
const COIN: &str = "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
/// The most events that are read. Beyond, there is no answer.
const EVENTS_MAX: usize = 128;

#[derive(Deserialize)]
struct Block {
    number: String,
    calls: Vec<Called>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Called {
    return_data: String,
    logs: Option<Vec<Log>>,
    gas_used: String,
    status: String,
    error: Option<Failed>,
}

#[derive(Deserialize)]
struct Failed {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Log {
    address: String,
    topics: Vec<String>,
    data: String,
}

/// See [`Attempt::read`].
pub(super) fn read(attempt: &Attempt, result: &Value) -> Result<Simulated, Malformed> {
    let blocks = Vec::<Block>::deserialize(result).map_err(|_| bad("is not what was asked for"))?;
    let [block] = blocks.as_slice() else { return Err(bad("is not about one block")) };
    let probed = attempt.probed();
    // Before, the transaction, after.
    let Some((before, rest)) = block.calls.split_at_checked(probed.len()) else {
        return Err(bad("leaves calls out"));
    };
    let Some((done, after)) = rest.split_first().filter(|(_, after)| after.len() == probed.len())
    else {
        return Err(bad("has another number of calls"));
    };
    let (block, gas) = (small(&block.number)?, small(&done.gas_used)?);
    let logs = done.logs.as_deref().unwrap_or_default();
    let mut found = Simulated {
        block,
        gas,
        fails: None,
        changes: Vec::new(),
        allowances: Vec::new(),
        held: Vec::new(),
        notes: Vec::new(),
    };
    match done.status.as_str() {
        "0x1" => events(attempt.chain(), logs, &mut found)?,
        "0x0" if logs.is_empty() => found.fails = Some(why(attempt, done, gas)?),
        _ => return Err(bad("says neither that it went through nor that it failed")),
    }
    for (account, (before, after)) in probed.into_iter().zip(before.iter().zip(after)) {
        let told = held(before)?.zip(held(after)?);
        found.held.push(TokenSays { account: account.clone(), told });
    }
    Ok(found)
}

fn why(attempt: &Attempt, done: &Called, gas: u64) -> Result<String, Malformed> {
    if let Some(words) = reverted(&bytes(&done.return_data)?) {
        return Ok(format!("the contract says: {words}"));
    }
    if gas >= attempt.call.gas {
        return Ok("it uses up all of its gas".to_owned());
    }
    let said = done.error.as_ref().map(|failed| failed.message.chars().take(WORDS_MAX).collect());
    let said: String = said.unwrap_or_default();
    Ok(if said.trim().is_empty() {
        "no reason is given".to_owned()
    } else {
        format!("the node says: {said}")
    })
}

/// What `balanceOf` gave; none where it failed or gave something else.
fn held(called: &Called) -> Result<Option<Amount>, Malformed> {
    let bytes = bytes(&called.return_data)?;
    let went = called.status == "0x1" && bytes.len() == 32;
    Ok(U256::try_from_be_slice(&bytes).filter(|_| went).map(Amount::new))
}

type Sums = BTreeMap<(AccountId, AssetId), (Amount, Amount)>;

fn events(chain: &ChainId, logs: &[Log], found: &mut Simulated) -> Result<(), Malformed> {
    if logs.len() > EVENTS_MAX {
        return Err(bad(&format!("has more than {EVENTS_MAX} events")));
    }
    let mut sums = Sums::new();
    for log in logs {
        let contract = account_at(chain, &log.address).ok_or_else(|| bad("has no address"))?;
        if !event(&contract, log, (&mut sums, &mut *found))? {
            let topic = log.topics.first().filter(|text| word(text).is_some()).cloned();
            found.notes.push(Note::Unknown { contract, topic });
        }
    }
    for ((account, asset), (comes, goes)) in sums {
        let by = Signed::of(comes, goes);
        if !by.size().is_zero() {
            found.changes.push(Change { account, asset, by });
        }
    }
    Ok(())
}

/// Whether the event was understood, and all of it.
fn event(
    contract: &AccountId,
    log: &Log,
    (sums, found): (&mut Sums, &mut Simulated),
) -> Result<bool, Malformed> {
    let data = bytes(&log.data)?;
    let topics: Vec<&str> = log.topics.iter().map(String::as_str).collect();
    let Some((kind, rest)) = topics.split_first() else { return Ok(false) };
    let [first, second, last @ ..] = rest else { return Ok(false) };
    let chain = contract.chain();
    let (Some(from), Some(to)) = (holder(&chain, first), holder(&chain, second)) else {
        return Ok(false);
    };
    // A number that is a topic names one token; a number in the data is so many.
    let number = match (last, data.len()) {
        ([], 32) => U256::try_from_be_slice(&data).map(|units| (Amount::new(units), false)),
        ([topic], 0) => word(topic).map(|units| (Amount::new(units), true)),
        _ => None,
    };
    let Some((number, is_unique)) = number else { return Ok(false) };
    let contract = contract.clone();
    match (*kind, is_unique) {
        (TRANSFER, false) => {
            let Some(asset) = moved(&contract) else { return Ok(false) };
            add(sums, (from, &asset), (Amount::ZERO, number))?;
            add(sums, (to, &asset), (number, Amount::ZERO))?;
        }
        (TRANSFER, true) => found.notes.push(Note::Unique { contract, number, from, to }),
        (APPROVAL, false) => {
            let Some(asset) = token_at(&contract) else { return Ok(false) };
            let what = Allowed::Amount(asset, number);
            found.allowances.push(Allowance { owner: from, spender: to, what });
        }
        (APPROVAL, true) => {
            let what = Allowed::Unique(contract, number);
            found.allowances.push(Allowance { owner: from, spender: to, what });
        }
        (APPROVAL_ALL, false) => {
            let what = Allowed::Everything(contract, !number.is_zero());
            found.allowances.push(Allowance { owner: from, spender: to, what });
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// What moves where this contract says that something does.
fn moved(contract: &AccountId) -> Option<AssetId> {
    if contract.address().eq_ignore_ascii_case(COIN) {
        return native_asset(&contract.chain()).ok();
    }
    token_at(contract)
}

fn add(
    sums: &mut Sums,
    (account, asset): (AccountId, &AssetId),
    (comes, goes): (Amount, Amount),
) -> Result<(), Malformed> {
    let sum = sums.entry((account, asset.clone())).or_insert((Amount::ZERO, Amount::ZERO));
    let added = sum.0.checked_add(comes).zip(sum.1.checked_add(goes));
    *sum = added.ok_or_else(|| bad("moves 2^256 base units or more"))?;
    Ok(())
}

/// An account in a topic: 12 zero bytes and an address.
fn holder(chain: &ChainId, topic: &str) -> Option<AccountId> {
    let digits = topic.strip_prefix("0x").filter(|digits| digits.len() == 64)?;
    let address = digits.strip_prefix("000000000000000000000000")?;
    account_at(chain, &format!("0x{address}"))
}

/// A topic as a number.
fn word(topic: &str) -> Option<U256> {
    let digits = topic.strip_prefix("0x").filter(|digits| digits.len() == 64)?;
    let bytes = hex::decode(digits).ok()?;
    U256::try_from_be_slice(&bytes)
}

/// A hex quantity of up to 64 bits.
fn small(text: &str) -> Result<u64, Malformed> {
    let digits = text.strip_prefix("0x").filter(|digits| (1..=16).contains(&digits.len()));
    let plain = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    plain
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or_else(|| bad("has a number that is none"))
}

fn bytes(text: &str) -> Result<Vec<u8>, Malformed> {
    let decoded = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
    decoded.ok_or_else(|| bad("has bytes that are none"))
}

fn bad(why: &str) -> Malformed {
    Malformed::new("simulation", why, "ask another node")
}
