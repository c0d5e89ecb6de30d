//! What a transaction does, once every rule for transfers holds; and whether that is what was wanted.

use quorate_terms::intent::Transfer;
use quorate_terms::{AccountId, Amount, AssetId, ChainId};
use ruint::aliases::U256;

use crate::address::{Address, account_bytes, account_of, native_asset, token};
use crate::chain;
use crate::fields::Fields;
use crate::refusal::{Code, Refusal};
use crate::snapshot::FeeMode;

/// The most gas that a transfer may use. Tokens with hooks stay far below.
pub const GAS_LIMIT_MAX: u64 = 500_000;

/// The largest nonce: what JSON carries exactly. No account on any chain comes near.
pub const NONCE_MAX: u64 = (1 << 53) - 1;

/// What any transaction costs before it does anything.
const GAS_BASE: u64 = 21_000;

/// `transfer(address,uint256)` of ERC-20.
pub(crate) const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];

/// What a transaction does, read from its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meaning {
    /// The chain.
    pub chain: ChainId,
    /// The nonce.
    pub nonce: u64,
    /// What moves.
    pub asset: AssetId,
    /// Who receives it, checksummed.
    pub to: AccountId,
    /// So many base units.
    pub amount: Amount,
    /// The largest fee, gas limit times maximum fee, in the chain's own coin.
    pub fee_max: Amount,
    /// Gas that it may use.
    pub gas_limit: u64,
    /// The most that one gas may cost; for a legacy transaction the gas price.
    pub max_fee_per_gas: Amount,
    /// Of which at most this goes to the block's proposer; for a legacy transaction the gas price.
    pub priority_fee: Amount,
    /// How it offers its fee.
    pub fee_mode: FeeMode,
    /// What kind of act it is.
    pub effect: Effect,
    /// The 32 bytes to sign, computed from the fields that were read.
    pub sighash: [u8; 32],
}

/// What kind of act a transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Moves the chain's own coin.
    Native,
    /// Calls `transfer` of an ERC-20 token.
    Erc20,
    /// Moves nothing, and stands only for its own recipient ([`leaves`]): it uses up a nonce.
    SelfSend,
}

/// Judges the fields of a transaction for `chain`.
pub(crate) fn read(fields: &Fields, on: &ChainId) -> Result<Meaning, Refusal> {
    let wanted = chain::number(on)?;
    if fields.chain != wanted {
        let message = format!("the transaction is for chain {} and not {wanted}", fields.chain);
        return Err(Refusal::bytes(Code::WrongChain, message));
    }
    if fields.nonce > NONCE_MAX {
        return Err(Refusal::bytes(Code::NonceTooLarge, "the nonce is above 2^53 - 1"));
    }
    gas(fields)?;
    let fee_max = fee_max(fields)?;
    let act = act(fields, on)?;
    Ok(Meaning {
        chain: on.clone(),
        nonce: fields.nonce,
        asset: act.asset,
        to: account_of(on, &act.to)?,
        amount: Amount::new(act.amount),
        fee_max: Amount::new(fee_max),
        gas_limit: fields.gas_limit,
        max_fee_per_gas: Amount::new(fields.max_fee),
        priority_fee: Amount::new(fields.priority_fee),
        fee_mode: fields.mode,
        effect: act.effect,
        sighash: fields.sighash(),
    })
}

/// Least gas: 21,000, and for calldata the floor of EIP-7623, which is above what came before it.
fn gas(fields: &Fields) -> Result<(), Refusal> {
    let tokens = fields
        .data
        .iter()
        .fold(0_u64, |sum, byte| sum.saturating_add(if *byte == 0 { 1 } else { 4 }));
    let least = GAS_BASE.saturating_add(tokens.saturating_mul(10));
    if (least..=GAS_LIMIT_MAX).contains(&fields.gas_limit) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::GasLimit,
        format!("the gas limit {} is outside {least} to {GAS_LIMIT_MAX}", fields.gas_limit),
        "ask another node for the gas of this transfer and draft again",
    ))
}

fn fee_max(fields: &Fields) -> Result<U256, Refusal> {
    if fields.priority_fee > fields.max_fee {
        return Err(Refusal::bytes(
            Code::PriorityAboveMax,
            "the priority fee is above the maximum fee",
        ));
    }
    U256::from(fields.gas_limit).checked_mul(fields.max_fee).ok_or_else(|| {
        Refusal::bytes(Code::IntegerOverflow, "gas limit times maximum fee is 2^256 or more")
    })
}

struct Act {
    asset: AssetId,
    to: Address,
    amount: U256,
    effect: Effect,
}

fn act(fields: &Fields, on: &ChainId) -> Result<Act, Refusal> {
    not_zero(&fields.to)?;
    if !fields.data.is_empty() {
        return token_transfer(fields, on);
    }
    let effect = if fields.value.is_zero() { Effect::SelfSend } else { Effect::Native };
    Ok(Act { asset: native_asset(on)?, to: fields.to, amount: fields.value, effect })
}

fn token_transfer(fields: &Fields, on: &ChainId) -> Result<Act, Refusal> {
    let arguments = match fields.data.strip_prefix(&TRANSFER) {
        Some(arguments) => arguments,
        None if fields.value.is_zero() => return Err(unknown_call(&fields.data)),
        None => {
            return Err(Refusal::bytes(
                Code::NativeWithData,
                "native coin is sent along with data",
            ));
        }
    };
    if !fields.value.is_zero() {
        let message = "native coin is sent along with a token transfer";
        return Err(Refusal::bytes(Code::TokenWithValue, message));
    }
    let (to, amount) = two_words(arguments)?;
    not_zero(&to)?;
    if to == fields.to {
        let message = "the token's own contract would receive the tokens, and they would be lost";
        return Err(Refusal::new(Code::TokenIsRecipient, message, "name another recipient"));
    }
    if amount.is_zero() {
        return Err(Refusal::new(Code::ZeroAmount, "nothing would move", "name an amount above 0"));
    }
    Ok(Act { asset: token(on, &fields.to)?, to, amount, effect: Effect::Erc20 })
}

/// The two arguments of `transfer`: 12 zero bytes and an address, then 32 bytes of amount.
fn two_words(arguments: &[u8]) -> Result<(Address, U256), Refusal> {
    let (Some((padding, rest)), 64) = (arguments.split_first_chunk::<12>(), arguments.len()) else {
        let message = format!(
            "the calldata of the token transfer is {} bytes instead of 68",
            arguments.len().saturating_add(TRANSFER.len())
        );
        return Err(Refusal::bytes(Code::CalldataLength, message));
    };
    if padding != &[0; 12] {
        let message = "the recipient's word has more in it than an address";
        return Err(Refusal::bytes(Code::DirtyPadding, message));
    }
    let (to, amount) = rest.split_first_chunk::<20>().ok_or_else(short)?;
    Ok((*to, U256::try_from_be_slice(amount).ok_or_else(short)?))
}

fn short() -> Refusal {
    Refusal::bytes(Code::CalldataLength, "the calldata of the token transfer is too short")
}

/// Names what people have lost money to; none of it is understood here, so all of it is refused alike.
fn unknown_call(data: &[u8]) -> Refusal {
    let selector = data.get(..4).map(hex::encode).unwrap_or_default();
    let name = match selector.as_str() {
        "095ea7b3" => "approve: it lets another spend the tokens",
        "39509351" => "increaseAllowance: it lets another spend the tokens",
        "d505accf" => "permit: it lets another spend the tokens",
        "a22cb465" => "setApprovalForAll: it lets another move every token",
        "23b872dd" => "transferFrom: it spends an allowance",
        "6a761202" => "execTransaction of a multisig: it can hold a delegatecall",
        "ac9650d8" => "multicall: it holds other calls",
        _ => "nothing that this house understands",
    };
    let message = format!("the transaction calls `0x{selector}`, {name}");
    Refusal::new(Code::UnknownCall, message, "file a transfer; other calls are never signed")
}

fn not_zero(address: &Address) -> Result<(), Refusal> {
    if address != &[0; 20] {
        return Ok(());
    }
    let message = "the zero address would receive the money, and it would be lost";
    Err(Refusal::new(Code::ZeroAddress, message, "name another recipient"))
}

/// Whether the transaction does what the transfer wants: this asset, recipient and amount, for at most this fee.
///
/// The paying account is not in the bytes; ask [`leaves`] as well.
///
/// # Errors
/// [`Refusal`] naming the first difference.
pub fn carries_out(m: &Meaning, t: &Transfer) -> Result<(), Refusal> {
    if m.effect == Effect::SelfSend {
        return Err(differs("moves nothing", "an amount", "no amount"));
    }
    if m.asset != t.asset {
        return Err(differs("moves another asset", &t.asset, &m.asset));
    }
    if m.to != t.to {
        return Err(differs("pays another recipient", &t.to, &m.to));
    }
    if m.amount != t.amount {
        return Err(differs("moves another amount", t.amount, m.amount));
    }
    within(m, t.fee_ceiling)
}

/// Whether the transaction only uses up a nonce of `account`, for at most this fee.
///
/// # Errors
/// [`Refusal`] when it moves anything or the account is another.
pub fn cancels(m: &Meaning, account: &AccountId, fee_ceiling: Amount) -> Result<(), Refusal> {
    if m.effect != Effect::SelfSend {
        return Err(differs("moves something", "no amount", m.amount));
    }
    leaves(m, account)?;
    within(m, fee_ceiling)
}

/// Whether the transaction may leave this account: the chain is the same, and it pays itself only to use up a nonce.
///
/// # Errors
/// [`Refusal`] for another chain, for a transfer to the account itself, and for a zero-amount payment to another.
pub fn leaves(m: &Meaning, account: &AccountId) -> Result<(), Refusal> {
    if m.chain != account.chain() {
        return Err(Refusal::bytes(
            Code::WrongChain,
            format!("the transaction is on `{}` and the account on `{}`", m.chain, account.chain()),
        ));
    }
    // Both are in their one checksummed form, so that comparing the texts compares the addresses.
    account_bytes(account)?;
    match (m.effect, m.to == *account) {
        (Effect::SelfSend, false) => Err(Refusal::new(
            Code::ZeroAmount,
            "nothing would move to another account",
            "name an amount above 0",
        )),
        (Effect::Native | Effect::Erc20, true) => Err(Refusal::new(
            Code::SelfSend,
            "the account would pay itself",
            "name another recipient",
        )),
        _ => Ok(()),
    }
}

/// Whether at most one of two transactions can ever be on chain: same chain, same account, same nonce.
pub fn conflicts(a: (&AccountId, &Meaning), b: (&AccountId, &Meaning)) -> bool {
    a.0 == b.0 && a.1.chain == b.1.chain && a.1.nonce == b.1.nonce
}

fn within(m: &Meaning, ceiling: Amount) -> Result<(), Refusal> {
    if m.fee_max <= ceiling {
        return Ok(());
    }
    Err(Refusal::new(
        Code::FeeAboveCeiling,
        format!("the fee could reach {}, above the ceiling of {ceiling}", m.fee_max),
        format!("wait for lower fees, or file an intent with a ceiling of {} or more", m.fee_max),
    ))
}

fn differs(how: &str, wanted: impl std::fmt::Display, found: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::NotTheIntent,
        format!("the draft {how}: wanted `{wanted}`, found `{found}`"),
        "do not sign; report this draft with its case",
    )
}

#[cfg(test)]
mod tests;
