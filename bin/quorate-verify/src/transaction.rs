//! An Ethereum transaction, as much as a receipt needs: fields, what it moves, and its signed form.
//! Sources: yellow paper appendix B (RLP), EIP-155, EIP-2718, EIP-1559, ERC-20.

use quorate_terms::Amount;
use rlp::{Rlp, RlpStream};
use ruint::aliases::U256;

/// The type byte of an EIP-1559 transaction.
const EIP1559: u8 = 2;
/// The first four bytes of the hash of `transfer(address,uint256)`.
const ERC20_TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
/// Twelve zero bytes stand before an address in call data.
const PADDING: [u8; 12] = [0; 12];

/// An unsigned transaction.
pub(crate) struct Transaction {
    legacy: bool,
    /// The fields that stay as they are when it is signed.
    kept: Vec<Vec<u8>>,
    pub(crate) chain: u64,
    pub(crate) nonce: u64,
    max_fee: U256,
    gas_limit: U256,
    pub(crate) to: [u8; 20],
    value: U256,
    data: Vec<u8>,
}

/// A signature as a transaction carries it.
pub(crate) struct Seal {
    pub(crate) rs: [u8; 64],
    pub(crate) odd: bool,
}

impl Transaction {
    /// Reads unsigned bytes; only bytes that come out the same when written again.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let (legacy, payload) = match bytes.split_first() {
            Some((&EIP1559, payload)) => (false, payload),
            _ => (true, bytes),
        };
        let fields = fields(payload)?;
        let transaction = if legacy { Self::legacy(&fields)? } else { Self::eip1559(&fields)? };
        if transaction.written(&fields) == payload {
            return Ok(transaction);
        }
        Err("the bytes have another form".into())
    }

    fn legacy(fields: &[Vec<u8>]) -> Result<Self, String> {
        let [nonce, price, gas, to, value, data, chain, zero, nought] = fields else {
            return Err("a legacy transaction has nine fields".into());
        };
        if !zero.is_empty() || !nought.is_empty() {
            return Err("a legacy transaction ends in the chain and two zeros (EIP-155)".into());
        }
        let kept = [nonce, price, gas, to, value, data].into_iter().cloned().collect();
        Self::new(true, kept, [chain, nonce, price, gas, to, value, data])
    }

    fn eip1559(fields: &[Vec<u8>]) -> Result<Self, String> {
        let [chain, nonce, _, max, gas, to, value, data, access] = fields else {
            return Err("an EIP-1559 transaction has nine fields".into());
        };
        if !access.is_empty() {
            return Err("an access list is not expected".into());
        }
        Self::new(false, fields.to_vec(), [chain, nonce, max, gas, to, value, data])
    }

    fn new(legacy: bool, kept: Vec<Vec<u8>>, of: [&Vec<u8>; 7]) -> Result<Self, String> {
        let [chain, nonce, max, gas, to, value, data] = of;
        let small = |n: U256| u64::try_from(n).map_err(|_| "a number is too large".to_owned());
        Ok(Self {
            legacy,
            kept,
            chain: small(number(chain)?)?,
            nonce: small(number(nonce)?)?,
            max_fee: number(max)?,
            gas_limit: number(gas)?,
            to: to.as_slice().try_into().map_err(|_| "the recipient is no address")?,
            value: number(value)?,
            data: data.clone(),
        })
    }

    /// The bytes that are broadcast.
    pub(crate) fn attach(&self, seal: &Seal) -> Vec<u8> {
        let odd = u64::from(seal.odd);
        let v = self.chain.saturating_mul(2).saturating_add(35).saturating_add(odd);
        let mark = if self.legacy { v } else { odd };
        let (r, s) = seal.rs.split_at(32);
        let mut fields = self.kept.clone();
        fields.extend([trim(&mark.to_be_bytes()), trim(r), trim(s)]);
        let mut bytes = if self.legacy { Vec::new() } else { vec![EIP1559] };
        bytes.extend(self.written(&fields));
        bytes
    }

    /// The access list of an EIP-1559 transaction is an empty list, not an empty text.
    fn written(&self, fields: &[Vec<u8>]) -> Vec<u8> {
        if self.legacy { list(fields) } else { list_1559(fields) }
    }

    /// The most that the sender pays for inclusion.
    pub(crate) fn fee_max(&self) -> Result<Amount, String> {
        let fee = self.max_fee.checked_mul(self.gas_limit);
        fee.map(Amount::new).ok_or_else(|| "the fee is beyond all numbers".to_owned())
    }

    /// Whether it moves nothing and calls nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.value.is_zero() && self.data.is_empty()
    }

    /// What it moves: token contract (empty for the chain's own coin), recipient, base units.
    pub(crate) fn moves(&self) -> Result<(String, String, Amount), String> {
        let to = text(&self.to);
        if self.data.is_empty() {
            return Ok((String::new(), to, Amount::new(self.value)));
        }
        let unknown = || "the bytes call something that is no transfer".to_owned();
        let rest = self.data.strip_prefix(&ERC20_TRANSFER).ok_or_else(unknown)?;
        let rest = rest.strip_prefix(&PADDING).ok_or_else(unknown)?;
        let (recipient, amount) = rest.split_first_chunk::<20>().ok_or_else(unknown)?;
        if amount.len() != 32 || !self.value.is_zero() {
            return Err(unknown());
        }
        Ok((to, text(recipient), Amount::new(U256::from_be_slice(amount))))
    }
}

fn text(address: &[u8; 20]) -> String {
    format!("0x{}", hex::encode(address))
}

fn fields(payload: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let bad = |_| "the bytes are no transaction".to_owned();
    let rlp = Rlp::new(payload);
    let count = rlp.item_count().map_err(bad)?;
    (0..count.min(16))
        .map(|n| {
            let item = rlp.at(n).map_err(bad)?;
            if item.is_list() && item.is_empty() {
                return Ok(Vec::new());
            }
            item.data().map(<[u8]>::to_vec).map_err(bad)
        })
        .collect()
}

fn list(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = RlpStream::new_list(fields.len());
    fields.iter().for_each(|field| {
        stream.append(field);
    });
    stream.out().to_vec()
}

fn list_1559(fields: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = RlpStream::new_list(fields.len());
    for (place, field) in fields.iter().enumerate() {
        if place == 8 {
            stream.begin_list(0);
        } else {
            stream.append(field);
        }
    }
    stream.out().to_vec()
}

fn number(bytes: &[u8]) -> Result<U256, String> {
    if bytes.len() > 32 || bytes.first() == Some(&0) {
        return Err("a number is too long or has leading zeros".into());
    }
    Ok(U256::from_be_slice(bytes))
}

fn trim(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|b| *b == 0).collect()
}
