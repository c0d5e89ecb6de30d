//! Key shares: parsed but not believed ([`RawKeyShare`]), then checked ([`KeyShare`]). The short name is the safe one.

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quorate_terms::canonical;
use quorate_terms::digest::tag;
use quorate_terms::intent::SchemeName;
use quorate_terms::{CosignerId, Digest, Malformed, VaultId, WalletId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::{Bug, Error, Misuse};
use crate::limits::{PARTIES_MAX, SHARE_BYTES_MAX};
use crate::scheme::{Material, Scheme};

#[cfg(test)]
mod tests;

/// A compressed point of secp256k1 other than the identity (SEC 1, 2.3.3); as text 66 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WalletKey([u8; 33]);

impl WalletKey {
    /// Wraps 33 bytes that are a point of the curve, by libsecp256k1's word.
    ///
    /// # Errors
    /// [`Malformed`] for anything else, the identity included.
    pub fn from_bytes(bytes: [u8; 33]) -> Result<Self, Malformed> {
        secp256k1::PublicKey::from_byte_array_compressed(bytes)
            .map(|_| Self(bytes))
            .map_err(|_| bad_key())
    }

    /// The 33 bytes.
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }
}

fn bad_key() -> Malformed {
    Malformed::new("public_key", "is not a point of secp256k1", "give 33 bytes, compressed")
}

impl fmt::Display for WalletKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for WalletKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for WalletKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut bytes = [0; 33];
        let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
        if !lower || hex::decode_to_slice(text, &mut bytes).is_err() {
            return Err(bad_key());
        }
        Self::from_bytes(bytes)
    }
}

impl Serialize for WalletKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WalletKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What anybody may know of a share.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShareFacts {
    /// The vault.
    pub vault: VaultId,
    /// The wallet.
    pub wallet: WalletId,
    /// The epoch of the shares; 0 at generation.
    pub epoch: u64,
    /// The holder's party number.
    pub party: u8,
    /// All holders, in order of party numbers.
    pub holders: Vec<CosignerId>,
    /// How many must sign.
    pub threshold: u8,
    /// How the key signs.
    pub scheme: SchemeName,
    /// The wallet's public key.
    pub public_key: WalletKey,
    /// Each holder's public share, in order of party numbers.
    pub public_shares: Vec<WalletKey>,
    /// The charter under which the key was made.
    pub charter: Digest,
    /// The session in which it was made.
    pub ceremony: Digest,
    /// What all holders saw of that session.
    pub transcript: Digest,
}

impl ShareFacts {
    /// Checks what must hold of any share's facts.
    ///
    /// # Errors
    /// [`Malformed`] naming what does not hold.
    pub fn check(&self) -> Result<(), Malformed> {
        let bad = |what: &str| Err(Malformed::new("share", what, "restore it from a backup"));
        let n = self.holders.len();
        if n > usize::from(PARTIES_MAX) || self.public_shares.len() != n {
            return bad("counts its holders wrongly");
        }
        if self.threshold < 2 || usize::from(self.threshold) > n {
            return bad("has a threshold that its holders cannot meet");
        }
        if self.party == 0 || usize::from(self.party) > n {
            return bad("is of a party that does not exist");
        }
        let distinct: std::collections::BTreeSet<_> = self.holders.iter().collect();
        if distinct.len() != n {
            return bad("names a holder twice");
        }
        Ok(())
    }

    /// The holder with this party number.
    pub fn holder(&self, party: u8) -> Option<&CosignerId> {
        self.holders.get(usize::from(party.checked_sub(1)?))
    }
}

/// The associated data under which a share is sealed: a file swapped between wallets, epochs or parties does not open.
///
/// # Errors
/// [`Malformed`] never, in practice: the three have a canonical form.
pub fn associated_data(wallet: &WalletId, epoch: u64, party: u8) -> Result<Vec<u8>, Malformed> {
    #[derive(Serialize)]
    struct Bound<'a> {
        epoch: u64,
        party: u8,
        wallet: &'a WalletId,
    }
    let mut bytes = tag::SHARE.as_bytes().to_vec();
    bytes.push(b'\n');
    bytes.extend(canonical::to_bytes(&Bound { epoch, party, wallet }, tag::SHARE)?);
    Ok(bytes)
}

/// What the caller knows of the share that it asked for.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The wallet.
    pub wallet: &'a WalletId,
    /// The epoch.
    pub epoch: u64,
    /// Our party number.
    pub party: u8,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    v: u8,
    facts: ShareFacts,
    material: &'a [u8],
}

/// A share as read from bytes: well-formed, not believed.
pub struct RawKeyShare {
    facts: ShareFacts,
    material: Zeroizing<Vec<u8>>,
}

impl RawKeyShare {
    /// Reads unsealed bytes.
    ///
    /// # Errors
    /// [`Malformed`] for oversize, truncated, trailing or otherwise wrong bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let bad = |why: &str| Malformed::new("share", why, "restore it from a backup");
        if bytes.len() > SHARE_BYTES_MAX {
            return Err(bad("is too large"));
        }
        match postcard::take_from_bytes::<Stored<'_>>(bytes) {
            Ok((Stored { v: 1, facts, material }, [])) => {
                Ok(Self { facts, material: Zeroizing::new(material.to_vec()) })
            }
            Ok((Stored { v: 1, .. }, _)) => Err(bad("has bytes after its end")),
            Ok(_) => Err(bad("is of another version")),
            Err(_) => Err(bad("cannot be read")),
        }
    }

    /// The facts, not believed either.
    pub fn facts(&self) -> &ShareFacts {
        &self.facts
    }

    /// Checks everything that can be checked alone, and against what the caller expects.
    ///
    /// # Errors
    /// [`Malformed`] naming what does not hold.
    pub fn validate(
        self,
        scheme: &dyn Scheme,
        expected: &Expected<'_>,
    ) -> Result<KeyShare, Malformed> {
        let bad = |what: &str| Err(Malformed::new("share", what, "restore it from a backup"));
        self.facts.check()?;
        if self.facts.scheme != scheme.name() {
            return bad("is of another scheme");
        }
        if self.facts.wallet != *expected.wallet {
            return bad("is of another wallet");
        }
        if self.facts.epoch != expected.epoch || self.facts.party != expected.party {
            return bad("is of another epoch or party");
        }
        let material = scheme.load(&self.facts, &self.material)?;
        Ok(KeyShare { facts: self.facts, material, frozen: AtomicBool::new(false) })
    }
}

impl fmt::Debug for RawKeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawKeyShare").field("wallet", &self.facts.wallet).finish_non_exhaustive()
    }
}

/// A checked key share. It is never copied, never printed, zeroized on drop, and dead once frozen.
///
/// ```compile_fail
/// fn copies<T: Clone>() {}
/// copies::<quorate_cosigner::KeyShare>();
/// ```
pub struct KeyShare {
    facts: ShareFacts,
    material: Box<dyn Material>,
    frozen: AtomicBool,
}

impl KeyShare {
    pub(crate) fn new(facts: ShareFacts, material: Box<dyn Material>) -> Result<Self, Malformed> {
        facts.check()?;
        Ok(Self { facts, material, frozen: AtomicBool::new(false) })
    }

    /// What anybody may know.
    pub fn facts(&self) -> &ShareFacts {
        &self.facts
    }

    /// Ends the use of this share, in every session that holds it, at once and for good.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::SeqCst);
    }

    /// Whether the share is dead.
    pub fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::SeqCst)
    }

    /// The secret part, for the scheme that made it.
    ///
    /// # Errors
    /// [`Misuse`] when the share is frozen or of another scheme.
    pub fn material<M: Material>(&self) -> Result<&M, Misuse> {
        if self.is_frozen() {
            return Err(Misuse::new("the key is frozen", "make new shares by a complete refresh"));
        }
        let any: &dyn Any = self.material.as_ref();
        any.downcast_ref().ok_or(Misuse::new(
            "the share is of another scheme",
            "open it with the scheme that made it",
        ))
    }

    /// The bytes to seal under [`associated_data`].
    ///
    /// # Errors
    /// [`Bug`] when the share has no encoding or outgrows the limit.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let material = self.material.encode()?;
        let stored = Stored { v: 1, facts: self.facts.clone(), material: &material };
        Ok(encode_secret(&stored, SHARE_BYTES_MAX)?)
    }

    /// The share behind a counter, as sessions hold it.
    pub fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyShare")
            .field("wallet", &self.facts.wallet)
            .field("epoch", &self.facts.epoch)
            .field("party", &self.facts.party)
            .field("frozen", &self.is_frozen())
            .finish_non_exhaustive()
    }
}

/// Encodes into one buffer that never moves, so no unzeroized copy is left behind.
pub(crate) fn encode_secret<T: Serialize>(
    value: &T,
    cap: usize,
) -> Result<Zeroizing<Vec<u8>>, Bug> {
    let mut buffer = Zeroizing::new(vec![0; cap]);
    let used = postcard::to_slice(value, &mut buffer)
        .map_err(|_| Bug::new("a value does not fit the limit of its kind"))?
        .len();
    buffer.truncate(used);
    Ok(buffer)
}
