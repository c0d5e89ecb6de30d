//! Drafts: unsigned bytes with the meaning that was read from them. There is no other way to make one.

use quorate_terms::digest::tag;
use quorate_terms::{AccountId, ChainId, Digest, canonical};
use serde::Serialize;

use crate::fields::{self, Seal};
use crate::meaning::{self, Meaning};
use crate::refusal::{Code, Refusal};
use crate::sign;

/// What reads drafts back, for the entry that says so.
pub const DECODER: &str = concat!("quorate-chains/", env!("CARGO_PKG_VERSION"), " (rlp, sha3)");

/// Longer than any transfer that is accepted, shorter than anything that takes time to read.
const BYTES_MAX: usize = 1024;

/// Unsigned transaction bytes, with their meaning read back from the bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    chain: ChainId,
    bytes: Vec<u8>,
    meaning: Meaning,
    digest: Digest,
}

impl Draft {
    /// The chain that the bytes are for.
    pub const fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// The unsigned transaction bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the bytes do.
    pub const fn meaning(&self) -> &Meaning {
        &self.meaning
    }

    /// Digest of chain and bytes, tag `quorate/draft/v1`.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

/// A signed transaction, read from its bytes and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedReading {
    /// What was signed.
    pub draft: Draft,
    /// Who signed: the account recovered from the signature.
    pub account: AccountId,
    /// r and s, 32 bytes each.
    pub rs: [u8; 64],
    /// The recovery bit, 0 or 1.
    pub recovery: u8,
    /// The transaction's identifier, `0x` and 64 hex digits.
    pub txid: String,
}

/// The digest's content; field names are part of the format.
#[derive(Serialize)]
struct Named<'a> {
    bytes: String,
    chain: &'a ChainId,
}

/// Reads unsigned bytes back into what they do, by a path that shares no code with [`crate::draft`].
///
/// # Errors
/// [`Refusal`] for anything but a native or ERC-20 transfer, or a payment of nothing, on `chain`, in canonical form.
pub fn read_back(chain: &ChainId, bytes: &[u8]) -> Result<Draft, Refusal> {
    bounded(bytes)?;
    let meaning = meaning::read(&fields::read_unsigned(bytes)?, chain)?;
    drafted(chain, bytes.to_vec(), meaning)
}

/// Reads signed bytes back: what they do, and whose signature they carry.
///
/// # Errors
/// [`Refusal`] as [`read_back`], and for a signature that is not low-s, recovers no key, or may not leave that account.
pub fn read_signed(chain: &ChainId, bytes: &[u8]) -> Result<SignedReading, Refusal> {
    bounded(bytes)?;
    let (fields, seal) = fields::read_signed(bytes)?;
    let meaning = meaning::read(&fields, chain)?;
    let (rs, recovery) = parts(&seal);
    let account = sign::signer(chain, &meaning.sighash, &rs, recovery)?;
    meaning::leaves(&meaning, &account)?;
    let draft = drafted(chain, fields.unsigned(), meaning)?;
    Ok(SignedReading { draft, account, rs, recovery, txid: sign::txid(bytes) })
}

fn bounded(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.len() <= BYTES_MAX {
        return Ok(());
    }
    let message = format!("the transaction is {} bytes, above {BYTES_MAX}", bytes.len());
    Err(Refusal::bytes(Code::Oversize, message))
}

fn drafted(chain: &ChainId, bytes: Vec<u8>, meaning: Meaning) -> Result<Draft, Refusal> {
    let named = Named { bytes: hex::encode(&bytes), chain };
    let text = canonical::to_bytes(&named, tag::DRAFT)
        .map_err(|e| Refusal::bytes(Code::MalformedBytes, e.to_string()))?;
    Ok(Draft { chain: chain.clone(), bytes, meaning, digest: Digest::of(tag::DRAFT, &text) })
}

fn parts(seal: &Seal) -> ([u8; 64], u8) {
    let mut rs = [0; 64];
    let words = seal.r.to_be_bytes::<32>().into_iter().chain(seal.s.to_be_bytes::<32>());
    rs.iter_mut().zip(words).for_each(|(to, from)| *to = from);
    (rs, u8::from(seal.odd))
}

#[cfg(test)]
mod tests;
