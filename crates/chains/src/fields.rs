//! The fields of a transaction, read from its bytes and written again.
//!
//! Shares no code with drafting. Bytes are accepted only if writing the fields gives the same bytes: one transaction, one form.
//! Sources: yellow paper appendix B (RLP), EIP-155, EIP-2718, EIP-1559.

use rlp::{Rlp, RlpStream};
use ruint::aliases::U256;

use crate::address::{Address, keccak};
use crate::chain;
use crate::refusal::{Code, Refusal};
use crate::snapshot::FeeMode;

/// The type byte of an EIP-1559 transaction (EIP-2718).
const EIP1559: u8 = 0x02;

/// A transaction as its bytes have it; nothing has been judged yet but its form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fields {
    pub(crate) mode: FeeMode,
    pub(crate) chain: u64,
    pub(crate) nonce: u64,
    /// For a legacy transaction, the gas price.
    pub(crate) priority_fee: U256,
    /// For a legacy transaction, the gas price.
    pub(crate) max_fee: U256,
    pub(crate) gas_limit: u64,
    pub(crate) to: Address,
    pub(crate) value: U256,
    pub(crate) data: Vec<u8>,
}

/// A signature as a transaction carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seal {
    /// Whether the y of the nonce point is odd: the recovery bit.
    pub(crate) odd: bool,
    pub(crate) r: U256,
    pub(crate) s: U256,
}

/// Reads unsigned bytes: what is hashed to be signed.
pub(crate) fn read_unsigned(bytes: &[u8]) -> Result<Fields, Refusal> {
    let (mode, list) = envelope(bytes)?;
    let fields = match mode {
        FeeMode::Eip1559 => {
            items(&list, 9, 12)?;
            eip1559(&list)?
        }
        FeeMode::Legacy => {
            items(&list, 9, 9)?;
            unsigned_mark(&list)?;
            legacy(&list, small(&list, 6, "chain id")?)?
        }
    };
    canonical(&fields.unsigned(), bytes)?;
    Ok(fields)
}

/// Reads signed bytes: what is broadcast.
pub(crate) fn read_signed(bytes: &[u8]) -> Result<(Fields, Seal), Refusal> {
    let (mode, list) = envelope(bytes)?;
    let (fields, seal) = match mode {
        FeeMode::Eip1559 => {
            items(&list, 12, 12)?;
            (eip1559(&list)?, seal(&list, 10, odd(small(&list, 9, "y parity")?)?)?)
        }
        FeeMode::Legacy => {
            items(&list, 9, 9)?;
            let (chain, odd) = from_v(small(&list, 6, "v")?)?;
            (legacy(&list, chain)?, seal(&list, 7, odd)?)
        }
    };
    canonical(&fields.signed(&seal)?, bytes)?;
    Ok((fields, seal))
}

impl Fields {
    /// The unsigned bytes.
    pub(crate) fn unsigned(&self) -> Vec<u8> {
        match self.mode {
            FeeMode::Eip1559 => typed(self.eip1559_list(9)),
            FeeMode::Legacy => {
                let mut list = self.legacy_list();
                list.append(&self.chain).append_empty_data().append_empty_data();
                list.out().to_vec()
            }
        }
    }

    /// The signed bytes.
    fn signed(&self, seal: &Seal) -> Result<Vec<u8>, Refusal> {
        let (r, s) = (seal.r.to_be_bytes_trimmed_vec(), seal.s.to_be_bytes_trimmed_vec());
        match self.mode {
            FeeMode::Eip1559 => {
                let mut list = self.eip1559_list(12);
                list.append(&u64::from(seal.odd)).append(&r).append(&s);
                Ok(typed(list))
            }
            FeeMode::Legacy => {
                let mut list = self.legacy_list();
                list.append(&to_v(self.chain, seal.odd)?).append(&r).append(&s);
                Ok(list.out().to_vec())
            }
        }
    }

    /// The 32 bytes that are signed.
    pub(crate) fn sighash(&self) -> [u8; 32] {
        keccak(&self.unsigned())
    }

    fn eip1559_list(&self, len: usize) -> RlpStream {
        let mut list = RlpStream::new_list(len);
        list.append(&self.chain)
            .append(&self.nonce)
            .append(&self.priority_fee.to_be_bytes_trimmed_vec())
            .append(&self.max_fee.to_be_bytes_trimmed_vec())
            .append(&self.gas_limit)
            .append(&self.to.as_slice())
            .append(&self.value.to_be_bytes_trimmed_vec())
            .append(&self.data)
            .begin_list(0);
        list
    }

    fn legacy_list(&self) -> RlpStream {
        let mut list = RlpStream::new_list(9);
        list.append(&self.nonce)
            .append(&self.max_fee.to_be_bytes_trimmed_vec())
            .append(&self.gas_limit)
            .append(&self.to.as_slice())
            .append(&self.value.to_be_bytes_trimmed_vec())
            .append(&self.data);
        list
    }
}

/// Takes the type byte off and leaves exactly one list.
fn envelope(bytes: &[u8]) -> Result<(FeeMode, Rlp<'_>), Refusal> {
    let (mode, body) = match bytes.split_first() {
        Some((&EIP1559, body)) => (FeeMode::Eip1559, body),
        Some((0xc0..=0xff, _)) => (FeeMode::Legacy, bytes),
        Some((&other, _)) => return Err(unsupported(other)),
        None => return Err(Refusal::bytes(Code::MalformedBytes, "there are no bytes")),
    };
    let list = Rlp::new(body);
    let info = list.payload_info().map_err(|e| malformed(&e))?;
    let total = info.header_len.checked_add(info.value_len);
    if total.is_some_and(|total| total < body.len()) {
        return Err(Refusal::bytes(Code::TrailingBytes, "bytes follow the transaction"));
    }
    Ok((mode, list))
}

fn unsupported(kind: u8) -> Refusal {
    let name = match kind {
        0x01 => "an access-list transaction (type 0x01)".to_owned(),
        0x03 => "a blob transaction (type 0x03)".to_owned(),
        0x04 => "an EIP-7702 delegation of the account (type 0x04)".to_owned(),
        other => format!("of unknown type 0x{other:02x}"),
    };
    Refusal::bytes(Code::UnsupportedType, format!("the transaction is {name}"))
}

/// Insists on `wanted` items; `signed` is how many the same transaction has with a signature.
fn items(list: &Rlp<'_>, wanted: usize, signed: usize) -> Result<(), Refusal> {
    let count = list.item_count().map_err(|e| malformed(&e))?;
    if count == wanted {
        return Ok(());
    }
    if count == signed {
        return Err(already_signed());
    }
    if count == 6 {
        return Err(Refusal::bytes(
            Code::Unprotected,
            "the transaction names no chain (before EIP-155)",
        ));
    }
    let message = format!("the transaction has {count} fields instead of {wanted}");
    Err(Refusal::bytes(Code::MalformedBytes, message))
}

/// EIP-155: an unsigned legacy transaction ends in chain id, 0, 0.
fn unsigned_mark(list: &Rlp<'_>) -> Result<(), Refusal> {
    if data(list, 7)?.is_empty() && data(list, 8)?.is_empty() {
        return Ok(());
    }
    Err(already_signed())
}

fn already_signed() -> Refusal {
    Refusal::bytes(Code::AlreadySigned, "the transaction carries a signature")
}

fn eip1559(list: &Rlp<'_>) -> Result<Fields, Refusal> {
    let access = list.at(8).map_err(|e| malformed(&e))?;
    if access.as_raw() != [0xc0] {
        return Err(Refusal::bytes(Code::AccessList, "the transaction has an access list"));
    }
    Ok(Fields {
        mode: FeeMode::Eip1559,
        chain: chain_number(small(list, 0, "chain id")?)?,
        nonce: small(list, 1, "nonce")?,
        priority_fee: word(list, 2, "priority fee")?,
        max_fee: word(list, 3, "maximum fee")?,
        gas_limit: small(list, 4, "gas limit")?,
        to: recipient(list, 5)?,
        value: word(list, 6, "value")?,
        data: data(list, 7)?,
    })
}

fn legacy(list: &Rlp<'_>, chain: u64) -> Result<Fields, Refusal> {
    let gas_price = word(list, 1, "gas price")?;
    Ok(Fields {
        mode: FeeMode::Legacy,
        chain: chain_number(chain)?,
        nonce: small(list, 0, "nonce")?,
        priority_fee: gas_price,
        max_fee: gas_price,
        gas_limit: small(list, 2, "gas limit")?,
        to: recipient(list, 3)?,
        value: word(list, 4, "value")?,
        data: data(list, 5)?,
    })
}

fn chain_number(number: u64) -> Result<u64, Refusal> {
    chain::checked(number).ok_or_else(|| {
        Refusal::bytes(Code::WrongChain, format!("chain id {number} is outside 1 to 2^63 - 37"))
    })
}

fn recipient(list: &Rlp<'_>, at: usize) -> Result<Address, Refusal> {
    let bytes = data(list, at)?;
    if bytes.is_empty() {
        return Err(Refusal::bytes(
            Code::ContractCreation,
            "the transaction has no recipient and would create a contract",
        ));
    }
    Address::try_from(bytes)
        .map_err(|_| Refusal::bytes(Code::MalformedBytes, "the recipient is not 20 bytes"))
}

fn seal(list: &Rlp<'_>, at: usize, odd: bool) -> Result<Seal, Refusal> {
    let (r, s) = (word(list, at, "r")?, word(list, at.saturating_add(1), "s")?);
    if r.is_zero() || s.is_zero() {
        return Err(Refusal::bytes(Code::BadSignature, "the signature has a zero in it"));
    }
    Ok(Seal { odd, r, s })
}

fn odd(parity: u64) -> Result<bool, Refusal> {
    match parity {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Refusal::bytes(Code::BadSignature, "the y parity is neither 0 nor 1")),
    }
}

/// EIP-155: v is 35 + 2 x chain id + parity; 27 and 28 name no chain.
fn from_v(v: u64) -> Result<(u64, bool), Refusal> {
    match v.checked_sub(35) {
        Some(rest) => Ok((rest >> 1, rest & 1 == 1)),
        None if matches!(v, 27 | 28) => {
            Err(Refusal::bytes(Code::Unprotected, "the signature names no chain (before EIP-155)"))
        }
        None => Err(Refusal::bytes(Code::BadSignature, format!("v is {v}"))),
    }
}

fn to_v(chain: u64, odd: bool) -> Result<u64, Refusal> {
    chain
        .checked_mul(2)
        .and_then(|twice| twice.checked_add(35))
        .and_then(|v| v.checked_add(u64::from(odd)))
        .ok_or_else(|| Refusal::bytes(Code::IntegerOverflow, "v does not fit 64 bits"))
}

fn data(list: &Rlp<'_>, at: usize) -> Result<Vec<u8>, Refusal> {
    list.val_at::<Vec<u8>>(at).map_err(|e| malformed(&e))
}

fn word(list: &Rlp<'_>, at: usize, what: &str) -> Result<U256, Refusal> {
    let bytes = data(list, at)?;
    if bytes.first() == Some(&0) {
        let message = format!("the {what} has leading zeros");
        return Err(Refusal::bytes(Code::NonMinimalInteger, message));
    }
    U256::try_from_be_slice(&bytes).ok_or_else(|| {
        Refusal::bytes(Code::IntegerOverflow, format!("the {what} is 2^256 or more"))
    })
}

fn small(list: &Rlp<'_>, at: usize, what: &str) -> Result<u64, Refusal> {
    u64::try_from(word(list, at, what)?)
        .map_err(|_| Refusal::bytes(Code::IntegerOverflow, format!("the {what} is 2^64 or more")))
}

fn typed(list: RlpStream) -> Vec<u8> {
    let mut bytes = vec![EIP1559];
    bytes.extend_from_slice(&list.out());
    bytes
}

fn canonical(again: &[u8], bytes: &[u8]) -> Result<(), Refusal> {
    if again == bytes {
        return Ok(());
    }
    Err(Refusal::bytes(Code::MalformedBytes, "the bytes are not in the one canonical form"))
}

fn malformed(error: &rlp::DecoderError) -> Refusal {
    Refusal::bytes(Code::MalformedBytes, format!("the bytes are not a transaction ({error})"))
}

#[cfg(test)]
mod tests;
