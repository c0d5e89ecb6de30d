//! Signatures: checked with libsecp256k1 over the hash that was computed from the read-back fields, then attached.

use quorate_terms::{AccountId, ChainId};
use ruint::aliases::U256;
use ruint::uint;
use secp256k1::ecdsa::{self, RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey};

use crate::address::{account, keccak, public_key_of};
use crate::compose::attach;
use crate::meaning::leaves;
use crate::read::{Draft, read_back, read_signed};
use crate::refusal::{Code, Refusal};

uint! {
    /// The order of secp256k1's group (SEC 2, 2.4.1).
    const ORDER: U256 = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141_U256;
}

/// A signed transaction: what is broadcast, and nothing else ever is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedTransaction {
    /// The bytes to broadcast.
    pub bytes: Vec<u8>,
    /// Its identifier on the chain, `0x` and 64 hex digits.
    pub txid: String,
    /// The 32 bytes that were signed.
    pub sighash: [u8; 32],
}

/// Attaches a signature to a draft: verified, low-s, recovering to the key; the result is read back and compared.
///
/// # Errors
/// [`Refusal`] for a key or signature that does not hold, a high s ([`normalise`] mends it), a wrong recovery bit, or a draft
/// that may not leave the key's account.
pub fn sign(
    d: &Draft,
    rs: [u8; 64],
    recovery: u8,
    public_key: &[u8; 33],
) -> Result<SignedTransaction, Refusal> {
    // Read again: nobody's word for the hash is taken, not even that of the draft in memory.
    let again = read_back(d.chain(), d.bytes())?;
    let sighash = again.meaning().sighash;
    verify(&sighash, &rs, public_key)?;
    if recover(&sighash, &rs, recovery)? != public_key_of(public_key)? {
        return Err(bad("the recovery bit gives another key"));
    }
    let owner = account(d.chain(), public_key)?;
    leaves(again.meaning(), &owner)?;
    let bytes = attach(again.meaning(), &rs, recovery == 1)?;
    let reading = read_signed(d.chain(), &bytes)?;
    let same = reading.draft == *d
        && reading.account == owner
        && (reading.rs, reading.recovery) == (rs, recovery);
    if same {
        return Ok(SignedTransaction { bytes, txid: reading.txid, sighash });
    }
    Err(Refusal::new(
        Code::PathsDisagree,
        "the signed bytes read back as another transaction",
        "do not broadcast; report this draft",
    ))
}

/// Verifies r and s with libsecp256k1; only the low form of s is accepted (EIP-2).
///
/// # Errors
/// [`Refusal`] for a key off the curve, r or s outside 1 to the group's order, a high s, or a signature of something else.
pub fn verify(sighash: &[u8; 32], rs: &[u8; 64], public_key: &[u8; 33]) -> Result<(), Refusal> {
    let key = public_key_of(public_key)?;
    let (_, s) = halves(rs)?;
    if s > ORDER.wrapping_shr(1) {
        return Err(Refusal::new(
            Code::HighS,
            "the signature has a high s, so that a second form of it exists",
            "normalise it first",
        ));
    }
    let signature =
        ecdsa::Signature::from_compact(rs).map_err(|_| bad("the signature has no valid form"))?;
    signature
        .verify(Message::from_digest(*sighash), &key)
        .map_err(|_| bad("the signature is not one of this key over these bytes"))
}

/// The one accepted form of a signature: where s is high, s becomes the order less s and the recovery bit turns over.
///
/// # Errors
/// [`Refusal`] when r or s is 0 or not below the group's order, or the recovery id is not 0 or 1.
pub fn normalise(rs: [u8; 64], recovery: u8) -> Result<([u8; 64], u8), Refusal> {
    recovery_id(recovery)?;
    let (_, s) = halves(&rs)?;
    if s <= ORDER.wrapping_shr(1) {
        return Ok((rs, recovery));
    }
    let low = ORDER.checked_sub(s).ok_or_else(|| bad("s is not below the group's order"))?;
    let mut flipped = rs;
    flipped.iter_mut().skip(32).zip(low.to_be_bytes::<32>()).for_each(|(to, from)| *to = from);
    Ok((flipped, recovery ^ 1))
}

/// The account whose key made this low-s signature.
pub(crate) fn signer(
    chain: &ChainId,
    sighash: &[u8; 32],
    rs: &[u8; 64],
    recovery: u8,
) -> Result<AccountId, Refusal> {
    let key = recover(sighash, rs, recovery)?.serialize();
    verify(sighash, rs, &key)?;
    account(chain, &key)
}

/// The identifier of signed bytes.
pub(crate) fn txid(signed: &[u8]) -> String {
    format!("0x{}", hex::encode(keccak(signed)))
}

fn recover(sighash: &[u8; 32], rs: &[u8; 64], recovery: u8) -> Result<PublicKey, Refusal> {
    halves(rs)?;
    RecoverableSignature::from_compact(rs, recovery_id(recovery)?)
        .and_then(|signature| signature.recover_ecdsa(Message::from_digest(*sighash)))
        .map_err(|_| bad("no key can be recovered from the signature"))
}

/// Ids 2 and 3 name an r that was reduced, which a transaction cannot carry.
fn recovery_id(recovery: u8) -> Result<RecoveryId, Refusal> {
    match recovery {
        0 => Ok(RecoveryId::Zero),
        1 => Ok(RecoveryId::One),
        _ => Err(bad("the recovery id is neither 0 nor 1")),
    }
}

/// r and s, both from 1 to the order less 1.
fn halves(rs: &[u8; 64]) -> Result<(U256, U256), Refusal> {
    let (r, s) = rs.split_at(32);
    let scalar = |bytes: &[u8]| {
        U256::try_from_be_slice(bytes).filter(|scalar| !scalar.is_zero() && *scalar < ORDER)
    };
    scalar(r).zip(scalar(s)).ok_or_else(|| bad("r or s is 0 or not below the group's order"))
}

fn bad(why: &str) -> Refusal {
    Refusal::new(Code::BadSignature, why, "run the signing session again")
}

#[cfg(test)]
mod tests;
