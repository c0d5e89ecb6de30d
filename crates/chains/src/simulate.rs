//! What a transaction would change, as a node simulates it: the question (`eth_simulateV1` with traced transfers), and its
//! answer read strictly.
//!
//! Advice and no more. A node is not trusted, a contract can tell a simulation from the chain, and the next block can be
//! another: what a transaction is for stands in its bytes ([`crate::read_back`]), and nothing here is asked before signing.
//!
//! Reading order: what is tried and asked, what is found in what was answered (`found`, `answer`), and what people are told of
//! it (`tell`).

mod answer;
mod found;
mod reverted;
mod tell;

use quorate_terms::intent::Transfer;
use quorate_terms::{AccountId, Amount, AssetId, ChainId, Malformed};
use ruint::aliases::U256;
use serde_json::{Value, json};

use crate::address::{Address, account_bytes, account_of, checksummed};
use crate::fields::{self, Fields};
use crate::meaning::{GAS_LIMIT_MAX, TRANSFER, leaves};
use crate::read::{Draft, read_back};
use crate::refusal::{Code, Refusal};
use crate::snapshot::FeeMode;

pub use found::{Allowance, Allowed, Change, Note, Signed, Simulated, TokenSays};
pub use reverted::reverted;
pub use tell::Told;

/// How a node is asked.
pub const SIMULATE: &str = "eth_simulateV1";

/// `balanceOf(address)` of ERC-20.
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
/// Gas for asking a token what somebody holds.
const PROBE_GAS: u64 = 200_000;

/// A transaction to be tried, and what it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    chain: ChainId,
    /// Who pays.
    account: AccountId,
    asset: AssetId,
    to: AccountId,
    amount: Amount,
    call: Call,
    /// The token whose balances are asked before and after, if a token moves.
    token: Option<Address>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Call {
    to: Address,
    value: U256,
    data: Vec<u8>,
    gas: u64,
    offer: Option<Offer>,
}

/// What only a draft knows.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Offer {
    nonce: u64,
    mode: FeeMode,
    max_fee: U256,
    priority_fee: U256,
}

impl Attempt {
    /// What can be tried of a transfer: its draft (chain and hex bytes), and before there is one, the transfer as asked for.
    ///
    /// # Errors
    /// [`Refusal`] as [`Attempt::of_draft`] and [`Attempt::of_transfer`], and for bytes that cannot be read back.
    pub fn of(
        account: &AccountId,
        wanted: &Transfer,
        draft: Option<(&ChainId, &str)>,
    ) -> Result<Self, Refusal> {
        let Some((chain, bytes)) = draft else { return Self::of_transfer(account, wanted) };
        let bytes = hex::decode(bytes)
            .map_err(|_| Refusal::bytes(Code::MalformedBytes, "the draft's bytes are not hex"))?;
        Self::of_draft(account, &read_back(chain, &bytes)?)
    }

    /// A transfer that nobody has drafted yet, from this account: with the most gas that a draft could have, and without fees.
    ///
    /// # Errors
    /// [`Refusal`] when chains differ, or an address or asset is none that can be drafted.
    pub fn of_transfer(account: &AccountId, wanted: &Transfer) -> Result<Self, Refusal> {
        let chain = wanted.asset.chain();
        if account.chain() != chain || wanted.to.chain() != chain {
            let message = "account, asset and recipient are not on one chain";
            return Err(Refusal::new(Code::WrongChain, message, "file the transfer on one chain"));
        }
        account_bytes(account)?;
        let to = account_bytes(&wanted.to)?;
        let token = token_of(&wanted.asset)?;
        let (callee, value, data) = match token {
            Some(contract) => (contract, U256::ZERO, transfer_call(&to, wanted.amount)),
            None => (to, wanted.amount.units(), Vec::new()),
        };
        Ok(Self {
            chain,
            account: account.clone(),
            asset: wanted.asset.clone(),
            to: wanted.to.clone(),
            amount: wanted.amount,
            call: Call { to: callee, value, data, gas: GAS_LIMIT_MAX, offer: None },
            token,
        })
    }

    /// Exactly the transaction of a draft, from this account.
    ///
    /// # Errors
    /// [`Refusal`] when the draft may not leave the account.
    pub fn of_draft(account: &AccountId, draft: &Draft) -> Result<Self, Refusal> {
        let meaning = draft.meaning();
        leaves(meaning, account)?;
        let Fields { mode, nonce, priority_fee, max_fee, gas_limit, to, value, data, .. } =
            fields::read_unsigned(draft.bytes())?;
        let offer = Some(Offer { nonce, mode, max_fee, priority_fee });
        Ok(Self {
            chain: meaning.chain.clone(),
            account: account.clone(),
            asset: meaning.asset.clone(),
            to: meaning.to.clone(),
            amount: meaning.amount,
            call: Call { to, value, data, gas: gas_limit, offer },
            token: token_of(&meaning.asset)?,
        })
    }

    /// The chain whose node is to be asked.
    pub const fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// Whether this is exactly what was drafted, gas and fees and all.
    pub const fn is_drafted(&self) -> bool {
        self.call.offer.is_some()
    }

    /// The parameters of [`SIMULATE`]: the transaction on the newest block. Where a token moves, the token is asked before and
    /// after what wallet and recipient hold, because a contract can take without an event.
    pub fn question(&self) -> Value {
        let mut calls = self.probes();
        calls.push(self.transaction());
        calls.extend(self.probes());
        let blocks = json!([{ "calls": calls }]);
        // Without validation, because a later nonce, or the fees of another block, are no reason to show nothing.
        let what =
            json!({ "blockStateCalls": blocks, "traceTransfers": true, "validation": false });
        json!([what, "latest"])
    }

    /// Reads the result of [`SIMULATE`] for [`Attempt::question`].
    ///
    /// # Errors
    /// [`Malformed`] for anything that is no whole answer to this question, or is beyond bounds.
    pub fn read(&self, result: &Value) -> Result<Simulated, Malformed> {
        answer::read(self, result)
    }

    /// Whose balances are asked of the token, before and after.
    fn probed(&self) -> Vec<&AccountId> {
        match self.token {
            Some(_) => vec![&self.account, &self.to],
            None => Vec::new(),
        }
    }

    fn probes(&self) -> Vec<Value> {
        let Some(token) = &self.token else { return Vec::new() };
        let probe = |account: &AccountId| {
            let holder = account_bytes(account).unwrap_or_default();
            let data = [&BALANCE_OF[..], &[0; 12], &holder].concat();
            json!({ "to": hex_of(token), "input": hex_of(&data), "gas": quantity(PROBE_GAS) })
        };
        self.probed().into_iter().map(probe).collect()
    }

    fn transaction(&self) -> Value {
        let Call { to, value, data, gas, offer } = &self.call;
        let mut call = json!({
            "from": self.account.address(), "to": hex_of(to), "value": format!("{value:#x}"),
            "input": hex_of(data), "gas": quantity(*gas),
        });
        let (Some(offer), Some(fields)) = (offer, call.as_object_mut()) else { return call };
        let mut put = |name: &str, text: String| {
            fields.insert(name.to_owned(), Value::String(text));
        };
        put("nonce", quantity(offer.nonce));
        match offer.mode {
            FeeMode::Legacy => put("gasPrice", format!("{:#x}", offer.max_fee)),
            FeeMode::Eip1559 => {
                put("maxFeePerGas", format!("{:#x}", offer.max_fee));
                put("maxPriorityFeePerGas", format!("{:#x}", offer.priority_fee));
            }
        }
        call
    }
}

/// The contract of a token, or none for the chain's own coin.
fn token_of(asset: &AssetId) -> Result<Option<Address>, Refusal> {
    match asset.namespace() {
        "slip44" => Ok(None),
        "erc20" => {
            let contract = asset.chain().account(asset.reference());
            let contract = contract.map_err(|e| Refusal::bytes(Code::BadAddress, e.to_string()))?;
            account_bytes(&contract).map(Some)
        }
        _ => Err(Refusal::new(
            Code::UnsupportedAsset,
            "the asset is neither the chain's own coin nor an ERC-20 token",
            "name one of these",
        )),
    }
}

/// Written apart from drafting, as everything here that reads.
fn transfer_call(to: &Address, amount: Amount) -> Vec<u8> {
    [&TRANSFER[..], &[0; 12], to, &amount.units().to_be_bytes::<32>()].concat()
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

/// The account with an address that a node wrote in any case.
fn account_at(chain: &ChainId, text: &str) -> Option<AccountId> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40)?;
    let bytes = Address::try_from(hex::decode(digits).ok()?).ok()?;
    account_of(chain, &bytes).ok()
}

/// A token of the chain by its contract's account.
fn token_at(contract: &AccountId) -> Option<AssetId> {
    format!("{}/erc20:{}", contract.chain(), contract.address()).parse().ok()
}

/// An account of nobody: what is made comes from it, what is burnt goes to it.
fn is_nobody(account: &AccountId) -> bool {
    account.address() == checksummed(&[0; 20])
}

#[cfg(test)]
mod tests;
