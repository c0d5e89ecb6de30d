//! Addresses: 20 bytes, written with the EIP-55 checksum and in no other way.

use quorate_terms::{AccountId, AssetId, ChainId, Malformed};
use secp256k1::PublicKey;
use sha3::{Digest as _, Keccak256};

use crate::chain;
use crate::refusal::{Code, Refusal};

/// An address as the chain sees it.
pub(crate) type Address = [u8; 20];

/// The chain's own coin in CAIP-19. On every EVM chain it is written `slip44:60` here, whatever its brand.
const NATIVE: &str = "slip44:60";

/// Keccak-256, the hash of Ethereum (not FIPS 202 SHA3-256).
pub(crate) fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// The EIP-55 form: a letter is a capital where the same digit of the hash of the lower-case text is 8 or more.
pub(crate) fn checksummed(address: &Address) -> String {
    let lower = hex::encode(address);
    let hash = hex::encode(keccak(lower.as_bytes()));
    let mixed = lower
        .chars()
        .zip(hash.chars())
        .map(|(digit, weight)| if weight >= '8' { digit.to_ascii_uppercase() } else { digit });
    "0x".chars().chain(mixed).collect()
}

/// Reads an address whose EIP-55 checksum holds.
pub(crate) fn parse(text: &str) -> Result<Address, Malformed> {
    let bad = |why: &str, mend: String| Malformed::new("address", why, mend);
    let bytes = text
        .strip_prefix("0x")
        .filter(|digits| digits.len() == 40)
        .and_then(|digits| hex::decode(digits).ok())
        .and_then(|bytes| Address::try_from(bytes).ok())
        .ok_or_else(|| bad("is not an address", "give `0x` and 40 hex digits".to_owned()))?;
    let right = checksummed(&bytes);
    if text == right {
        return Ok(bytes);
    }
    let has = |upper: fn(&u8) -> bool| text.bytes().skip(2).any(|b| upper(&b));
    if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) {
        // A digit may be mistyped, so the form that would pass is not offered.
        return Err(bad("fails its EIP-55 checksum", "copy it again from its source".to_owned()));
    }
    Err(bad(
        "has no EIP-55 checksum",
        format!("compare every digit with its source, then give `{right}`"),
    ))
}

/// Reads an account of `chain` from a checksummed address, or from CAIP-10 with such an address.
///
/// # Errors
/// [`Malformed`] naming `account` for another chain, and `address` for a missing or failing EIP-55 checksum, with the mend.
pub fn parse_account(text: &str, chain: &ChainId) -> Result<AccountId, Malformed> {
    evm(chain)?;
    let address = match text.rsplit_once(':') {
        None => text,
        Some((named, address)) if named == chain.as_str() => address,
        Some(_) => {
            return Err(Malformed::new(
                "account",
                "is on another chain",
                format!("give an account of `{chain}`"),
            ));
        }
    };
    chain.account(&checksummed(&parse(address)?))
}

/// Reads an asset of an EVM chain: the chain's own coin, or an ERC-20 token by its checksummed contract address.
///
/// # Errors
/// [`Malformed`] when the text is not CAIP-19, the chain is not EVM, the kind is another, or the checksum fails.
pub fn parse_asset(text: &str) -> Result<AssetId, Malformed> {
    let asset: AssetId = text.parse()?;
    evm(&asset.chain())?;
    match (asset.namespace(), asset.reference()) {
        ("slip44", "60") => Ok(asset),
        ("erc20", contract) => parse(contract).map(|_| asset),
        _ => Err(Malformed::new(
            "asset",
            "is neither the chain's own coin nor an ERC-20 token",
            "give `eip155:<chain>/slip44:60` or `eip155:<chain>/erc20:0x…`",
        )),
    }
}

/// The chain's own coin, `eip155:<chain>/slip44:60`.
///
/// # Errors
/// [`Refusal`] when the chain is not an EVM chain.
pub fn native_asset(chain: &ChainId) -> Result<AssetId, Refusal> {
    chain::number(chain)?;
    format!("{chain}/{NATIVE}").parse().map_err(|e: Malformed| complaint(&e))
}

/// The ERC-20 token with this contract account, `eip155:<chain>/erc20:0x…`.
///
/// # Errors
/// [`Refusal`] when the account is not a checksummed EVM account.
pub fn asset_of(contract: &AccountId) -> Result<AssetId, Refusal> {
    let address = account_bytes(contract)?;
    token(&contract.chain(), &address)
}

/// The account that a secp256k1 public key owns on `chain`: the last 20 bytes of the hash of the uncompressed point.
///
/// # Errors
/// [`Refusal`] when the chain is not EVM or the key is not a point of the curve.
pub fn account(chain: &ChainId, public_key: &[u8; 33]) -> Result<AccountId, Refusal> {
    chain::number(chain)?;
    let point = public_key_of(public_key)?.serialize_uncompressed();
    let hash = keccak(point.get(1..).unwrap_or_default());
    let tail = hash.get(12..).unwrap_or_default();
    let address = Address::try_from(tail).map_err(|_| defect("an address of another length"))?;
    account_of(chain, &address)
}

/// Whether two different addresses agree in their first four and last four hex digits, as poisoned histories do.
///
/// Chains are not compared: a look-alike on another chain fools the same eyes. Equal addresses are not look-alikes.
pub fn look_alike(a: &AccountId, b: &AccountId) -> bool {
    let ends = |account: &AccountId| {
        let digits = account.address().to_ascii_lowercase();
        let digits = digits.strip_prefix("0x").unwrap_or(&digits).to_owned();
        let head = digits.get(..4).map(str::to_owned);
        let tail = digits.len().checked_sub(4).and_then(|at| digits.get(at..)).map(str::to_owned);
        (digits, head.zip(tail))
    };
    let ((a, a_ends), (b, b_ends)) = (ends(a), ends(b));
    a != b && a_ends.is_some() && a_ends == b_ends
}

/// The account with these 20 bytes, checksummed.
pub(crate) fn account_of(chain: &ChainId, address: &Address) -> Result<AccountId, Refusal> {
    chain.account(&checksummed(address)).map_err(|e| complaint(&e))
}

/// The ERC-20 token with this contract.
pub(crate) fn token(chain: &ChainId, contract: &Address) -> Result<AssetId, Refusal> {
    format!("{chain}/erc20:{}", checksummed(contract)).parse().map_err(|e: Malformed| complaint(&e))
}

/// The 20 bytes of a checksummed EVM account.
pub(crate) fn account_bytes(account: &AccountId) -> Result<Address, Refusal> {
    chain::number(&account.chain())?;
    parse(account.address()).map_err(|e| complaint(&e))
}

/// The point of a compressed public key.
pub(crate) fn public_key_of(bytes: &[u8; 33]) -> Result<PublicKey, Refusal> {
    PublicKey::from_byte_array_compressed(*bytes).map_err(|_| {
        Refusal::new(
            Code::BadPublicKey,
            "the public key is not a point of secp256k1",
            "give the wallet's compressed public key, 33 bytes",
        )
    })
}

fn evm(chain: &ChainId) -> Result<(), Malformed> {
    chain::number(chain)
        .map(drop)
        .map_err(|refusal| Malformed::new("chain", refusal.message, refusal.next))
}

fn complaint(malformed: &Malformed) -> Refusal {
    let message = format!("`{}` {}", malformed.field(), malformed.why());
    Refusal::new(Code::BadAddress, message, malformed.mend())
}

fn defect(what: &str) -> Refusal {
    Refusal::new(Code::PathsDisagree, what, "report this with the public key")
}

#[cfg(test)]
mod tests;
