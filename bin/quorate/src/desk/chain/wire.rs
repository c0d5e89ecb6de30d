//! JSON-RPC values: what a node writes, read strictly.

use alloy_primitives::{Address, U256};
use quorate_terms::Amount;
use serde_json::Value;

use super::Upset;

pub(super) fn nonsense(what: &str) -> Upset {
    Upset::new(format!(
        "the node's answer makes no sense ({what}); try again or name another node in desk.toml"
    ))
    .loudly()
}

/// The text of a value.
pub(super) fn text(value: &Value) -> Result<&str, Upset> {
    value.as_str().ok_or_else(|| nonsense("no text where text belongs"))
}

/// A field of an object.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, Upset> {
    value.get(name).filter(|v| !v.is_null()).ok_or_else(|| nonsense(&format!("no `{name}`")))
}

/// A hex quantity of up to 256 bits.
pub(super) fn amount(value: &Value) -> Result<Amount, Upset> {
    let digits = text(value)?.strip_prefix("0x").filter(|d| (1..=64).contains(&d.len()));
    let plain = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    plain
        .and_then(|d| U256::from_str_radix(d, 16).ok())
        .map(Amount::new)
        .ok_or_else(|| nonsense("a number that is none"))
}

/// A hex quantity of up to 64 bits.
pub(super) fn number(value: &Value) -> Result<u64, Upset> {
    u64::try_from(amount(value)?.units()).map_err(|_| nonsense("a number that is too large"))
}

/// Bytes in hex, bounded by the size of the whole answer.
pub(super) fn bytes(value: &Value) -> Result<Vec<u8>, Upset> {
    let digits = text(value)?.strip_prefix("0x").ok_or_else(|| nonsense("bytes that are none"))?;
    hex::decode(digits).map_err(|_| nonsense("bytes that are none"))
}

/// A number as nodes read it.
pub(super) fn quantity(amount: Amount) -> String {
    format!("{:#x}", amount.units())
}

/// The EIP-55 form of an address in any case.
pub(super) fn address(text: &str) -> Result<String, Upset> {
    let address: Address = text.parse().map_err(|_| nonsense("an address that is none"))?;
    Ok(address.to_checksum(None))
}
