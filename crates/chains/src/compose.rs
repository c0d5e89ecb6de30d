//! Drafting with alloy. This is the one file that names it; what it writes counts for nothing until it has been read back.

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use alloy_sol_types::{SolCall, sol};
use quorate_terms::intent::Transfer;
use quorate_terms::{AccountId, AssetId, ChainId};

use crate::chain;
use crate::fees::{self, Fees};
use crate::meaning::{Effect, Meaning, carries_out, leaves};
use crate::read::{Draft, read_back};
use crate::refusal::{Code, Refusal};
use crate::snapshot::{FeeMode, Snapshot};

sol! {
    /// ERC-20.
    function transfer(address to, uint256 amount) external returns (bool);
}

/// Drafts a transfer from one snapshot, reads the bytes back, and insists that they carry it out.
///
/// # Errors
/// [`Refusal`] when chains differ, an address or asset is not in its one form, the transfer is one that [`read_back`] refuses,
/// the account would pay itself, or the fee cannot stay under the ceiling.
pub fn draft(t: &Transfer, from: &AccountId, s: &Snapshot) -> Result<Draft, Refusal> {
    fits(t, from, s)?;
    if t.amount.is_zero() {
        return Err(Refusal::new(Code::ZeroAmount, "nothing would move", "name an amount above 0"));
    }
    let fees = fees::choose(s, s.fee_mode, s.gas_limit, t.fee_ceiling, None)?;
    let plan = Plan {
        chain: s.chain.clone(),
        nonce: s.nonce,
        gas_limit: s.gas_limit,
        mode: s.fee_mode,
        fees,
        asset: t.asset.clone(),
        to: t.to.clone(),
        amount: t.amount.units(),
    };
    let draft = plan.draft()?;
    carries_out(draft.meaning(), t)?;
    leaves(draft.meaning(), from)?;
    Ok(draft)
}

fn fits(t: &Transfer, from: &AccountId, s: &Snapshot) -> Result<(), Refusal> {
    if s.account != *from || s.chain != from.chain() {
        return Err(Refusal::new(
            Code::WrongSnapshot,
            format!("the snapshot is of `{}` and the account is `{from}`", s.account),
            "take a snapshot of the paying account",
        ));
    }
    if t.asset.chain() == s.chain && t.to.chain() == s.chain {
        return Ok(());
    }
    Err(Refusal::new(
        Code::WrongChain,
        format!("asset `{}` and recipient `{}` are not both on `{}`", t.asset, t.to, s.chain),
        "name an asset, a recipient and an account on one chain",
    ))
}

/// All that a transaction is made of.
pub(crate) struct Plan {
    pub(crate) chain: ChainId,
    pub(crate) nonce: u64,
    pub(crate) gas_limit: u64,
    pub(crate) mode: FeeMode,
    pub(crate) fees: Fees,
    pub(crate) asset: AssetId,
    pub(crate) to: AccountId,
    pub(crate) amount: U256,
}

impl Plan {
    /// The plan that gives the same bytes again.
    fn of(m: &Meaning) -> Self {
        Self {
            chain: m.chain.clone(),
            nonce: m.nonce,
            gas_limit: m.gas_limit,
            mode: m.fee_mode,
            fees: Fees { max: m.max_fee_per_gas.units(), priority: m.priority_fee.units() },
            asset: m.asset.clone(),
            to: m.to.clone(),
            amount: m.amount.units(),
        }
    }

    /// Writes the bytes and reads them back.
    pub(crate) fn draft(&self) -> Result<Draft, Refusal> {
        read_back(&self.chain, &self.transaction()?.unsigned())
    }

    fn transaction(&self) -> Result<Transaction, Refusal> {
        let (to, value, input) = self.call()?;
        let chain_id = chain::number(&self.chain)?;
        let (nonce, gas_limit, to) = (self.nonce, self.gas_limit, TxKind::Call(to));
        let max = per_gas(self.fees.max)?;
        Ok(match self.mode {
            FeeMode::Eip1559 => Transaction::Eip1559(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: max,
                max_priority_fee_per_gas: per_gas(self.fees.priority)?,
                to,
                value,
                access_list: Default::default(),
                input,
            }),
            FeeMode::Legacy => Transaction::Legacy(TxLegacy {
                chain_id: Some(chain_id),
                nonce,
                gas_price: max,
                gas_limit,
                to,
                value,
                input,
            }),
        })
    }

    fn call(&self) -> Result<(Address, U256, Bytes), Refusal> {
        let to = address(self.to.address())?;
        match (self.asset.namespace(), self.asset.reference()) {
            ("slip44", "60") => Ok((to, self.amount, Bytes::new())),
            ("erc20", contract) => {
                let input = transferCall { to, amount: self.amount }.abi_encode();
                Ok((address(contract)?, U256::ZERO, input.into()))
            }
            _ => Err(Refusal::new(
                Code::UnsupportedAsset,
                format!("asset `{}` is neither the chain's own coin nor ERC-20", self.asset),
                "give `eip155:<chain>/slip44:60` or `eip155:<chain>/erc20:0x…`",
            )),
        }
    }
}

enum Transaction {
    Eip1559(TxEip1559),
    Legacy(TxLegacy),
}

impl Transaction {
    fn unsigned(&self) -> Vec<u8> {
        match self {
            Self::Eip1559(tx) => tx.encoded_for_signing(),
            Self::Legacy(tx) => tx.encoded_for_signing(),
        }
    }

    fn signed(self, signature: Signature) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Eip1559(tx) => tx.into_signed(signature).eip2718_encode(&mut bytes),
            Self::Legacy(tx) => tx.into_signed(signature).eip2718_encode(&mut bytes),
        }
        bytes
    }
}

/// The bytes to broadcast: the draft's transaction with a signature that was verified before.
pub(crate) fn attach(m: &Meaning, rs: &[u8; 64], odd: bool) -> Result<Vec<u8>, Refusal> {
    let signature = Signature::from_bytes_and_parity(rs, odd);
    Ok(Plan::of(m).transaction()?.signed(signature))
}

/// The payment of nothing to oneself that uses up a nonce.
pub(crate) fn nothing(m: &Meaning, account: &AccountId, fees: Fees) -> Result<Draft, Refusal> {
    let plan = Plan {
        fees,
        gas_limit: CANCEL_GAS,
        asset: crate::address::native_asset(&m.chain)?,
        to: account.clone(),
        amount: U256::ZERO,
        ..Plan::of(m)
    };
    let draft = plan.draft()?;
    match draft.meaning().effect {
        Effect::SelfSend => Ok(draft),
        Effect::Native | Effect::Erc20 => Err(Refusal::new(
            Code::PathsDisagree,
            "a payment of nothing was read back as a payment",
            "report this draft",
        )),
    }
}

/// What a payment without calldata uses, exactly.
pub(crate) const CANCEL_GAS: u64 = 21_000;

/// The same transaction with other fees.
pub(crate) fn with_fees(m: &Meaning, fees: Fees) -> Result<Draft, Refusal> {
    Plan { fees, ..Plan::of(m) }.draft()
}

fn address(text: &str) -> Result<Address, Refusal> {
    Address::parse_checksummed(text, None).map_err(|_| {
        Refusal::new(
            Code::BadAddress,
            format!("address `{text}` is not in EIP-55 form"),
            "compare every digit with its source and give the checksummed form",
        )
    })
}

fn per_gas(fee: U256) -> Result<u128, Refusal> {
    u128::try_from(fee).map_err(|_| {
        Refusal::new(Code::IntegerOverflow, "a fee per gas is 2^128 or more", "ask another node")
    })
}

#[cfg(test)]
mod tests;
