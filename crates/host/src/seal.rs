//! Sealed blobs: secrets at rest under AES-256-GCM-SIV (RFC 8452), with a key that is wrapped by a passphrase
//! (Argon2id, RFC 9106) or by a key from elsewhere.
//!
//! A blob is the magic line, the header's length, the header (canonical JSON) and the sealed bytes. The header holds
//! everything but the wrapping key; it and the caller's context are associated data, so a blob opens only unchanged and
//! only where it belongs. The format is `docs/spec` material: old versions are read for ever.

use std::fmt;

use aes_gcm_siv::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quorate_terms::Digest;
use quorate_terms::canonical;
use quorate_terms::digest::tag;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::random::Random;
use crate::secret::Secret;

/// The first line of every sealed blob; the number is the version of the format.
const MAGIC: &[u8] = b"quorate-sealed/1\n";
/// What the data key is bound to when it is wrapped.
const WRAP_CONTEXT: &[u8] = b"quorate/seal-wrap/v1\n";
/// The largest header, in bytes.
const HEADER_MAX: usize = 4096;

/// What Argon2id costs. Named in the header, so a blob says how it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The second recommended option of RFC 9106 section 4: 64 MiB, 3 passes, 4 lanes.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// For tests only: guessing a passphrase behind it is cheap.
    pub const CHEAP_FOR_TESTS: Self = Self { memory_kib: 64, passes: 1, lanes: 1 };

    /// A header from outside must not make us spend a day or all memory.
    fn is_bearable(self) -> bool {
        (8..=4 * 1024 * 1024).contains(&self.memory_kib)
            && (1..=64).contains(&self.passes)
            && (1..=64).contains(&self.lanes)
    }
}

/// Where the wrapping key comes from. An HSM, a TPM and a quorum of custodians join here: each gives a [`KeySource::Key`]
/// or a variant of its own.
#[non_exhaustive]
pub enum KeySource {
    /// Stretched from a passphrase. `cost` is used for sealing; opening takes the one in the header.
    Passphrase {
        /// What the person typed.
        passphrase: Secret,
        /// How hard guessing is made.
        cost: Cost,
    },
    /// A 256-bit key that something else guards, and its name there.
    Key {
        /// The key's name; stands in the header.
        id: String,
        /// The key.
        key: Zeroizing<[u8; 32]>,
    },
}

/// Why a blob was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealError {
    /// It is not a sealed blob, or was cut short.
    NotSealed,
    /// A later program sealed it.
    LaterVersion,
    /// It was sealed for another context (another wallet, epoch or party).
    OtherContext,
    /// It was sealed under another kind of key, or another key's name.
    OtherKey(String),
    /// Wrong passphrase or key, or a changed header.
    WrongKey,
    /// The key is right and the bytes were changed.
    Damaged,
    /// The machine could not do it.
    Fault(Fault),
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealed => {
                f.write_str("not a sealed file, or cut short; restore it from the backup")
            }
            Self::LaterVersion => f.write_str("sealed by a later program; use that program"),
            Self::OtherContext => f.write_str(
                "sealed for another wallet, epoch or party; give the file that belongs here",
            ),
            Self::OtherKey(name) => write!(f, "sealed under `{name}`; unseal with that"),
            Self::WrongKey => {
                f.write_str("wrong passphrase or key, or a damaged header; try again")
            }
            Self::Damaged => {
                f.write_str("the sealed bytes were changed; restore the file from the backup")
            }
            Self::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl std::error::Error for SealError {}

impl From<Fault> for SealError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// SHA-256 of the context: tells a swapped blob from a damaged one.
    context: Digest,
    /// Nonce of the sealed bytes.
    nonce: String,
    wrap: Wrap,
    /// The data key, wrapped.
    wrapped: String,
    /// Nonce of the wrapped key.
    wrapped_nonce: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
enum Wrap {
    Argon2id { cost: Cost, salt: String },
    Key { id: String },
}

/// Seals `plain` for the place that `context` names (for a share: wallet, epoch, party).
///
/// # Errors
/// [`Fault`] when the machine has no randomness or not enough memory.
pub fn seal(
    source: &KeySource,
    context: &[u8],
    plain: &[u8],
    random: Random,
) -> Result<Vec<u8>, Fault> {
    let (wrap, wrapping) = new_wrap(source, random)?;
    let data_key = random.secret::<32>()?;
    let nonce: [u8; 12] = random.bytes()?;
    let wrapped_nonce: [u8; 12] = random.bytes()?;
    let wrapped = encrypt(&wrapping, wrapped_nonce, WRAP_CONTEXT, data_key.as_slice())?;
    let header = Header {
        context: context_digest(context),
        nonce: URL_SAFE_NO_PAD.encode(nonce),
        wrap,
        wrapped: URL_SAFE_NO_PAD.encode(wrapped),
        wrapped_nonce: URL_SAFE_NO_PAD.encode(wrapped_nonce),
    };
    let header = canonical::to_bytes(&header, "seal").map_err(|e| trouble(&e.to_string()))?;
    let length = u32::try_from(header.len()).map_err(|_| trouble("the header is too long"))?;
    let mut blob = [MAGIC, &length.to_be_bytes(), &header].concat();
    let sealed = encrypt(&data_key, nonce, &bound(&blob, context), plain)?;
    blob.extend_from_slice(&sealed);
    Ok(blob)
}

/// Opens a blob that was sealed for `context`.
///
/// # Errors
/// [`SealError`]; nothing of the content is given out unless every byte is as it was sealed.
pub fn open(source: &KeySource, context: &[u8], blob: &[u8]) -> Result<Secret, SealError> {
    let (header, head, sealed) = parse(blob)?;
    if header.context != context_digest(context) {
        return Err(SealError::OtherContext);
    }
    let wrapping = wrapping_key(source, &header.wrap)?;
    let wrapped = decode(&header.wrapped)?;
    let wrapped_nonce = nonce_of(&header.wrapped_nonce)?;
    let data_key = decrypt(&wrapping, wrapped_nonce, WRAP_CONTEXT, &wrapped);
    let data_key = Zeroizing::new(data_key.ok_or(SealError::WrongKey)?);
    let data_key: &[u8; 32] = data_key.as_slice().try_into().map_err(|_| SealError::WrongKey)?;
    let nonce = nonce_of(&header.nonce)?;
    decrypt(data_key, nonce, &bound(head, context), sealed)
        .map(Secret::new)
        .ok_or(SealError::Damaged)
}

/// Cuts a blob into its header, all bytes up to the end of the header, and the sealed bytes.
fn parse(blob: &[u8]) -> Result<(Header, &[u8], &[u8]), SealError> {
    let Some(rest) = blob.strip_prefix(MAGIC) else {
        let ours = blob.starts_with(b"quorate-sealed/");
        return Err(if ours { SealError::LaterVersion } else { SealError::NotSealed });
    };
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(SealError::NotSealed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| SealError::NotSealed)?;
    if length > HEADER_MAX {
        return Err(SealError::NotSealed);
    }
    let (header, sealed) = rest.split_at_checked(length).ok_or(SealError::NotSealed)?;
    let header = canonical::from_bytes(header, "seal").map_err(|_| SealError::NotSealed)?;
    let head = blob.len().checked_sub(sealed.len()).and_then(|end| blob.get(..end));
    Ok((header, head.ok_or(SealError::NotSealed)?, sealed))
}

fn new_wrap(source: &KeySource, random: Random) -> Result<(Wrap, Zeroizing<[u8; 32]>), Fault> {
    match source {
        KeySource::Passphrase { passphrase, cost } => {
            let salt = random.salt()?;
            let key = stretch(passphrase, &salt, *cost)?;
            Ok((Wrap::Argon2id { cost: *cost, salt: URL_SAFE_NO_PAD.encode(salt) }, key))
        }
        KeySource::Key { id, key } => Ok((Wrap::Key { id: id.clone() }, key.clone())),
    }
}

fn wrapping_key(source: &KeySource, wrap: &Wrap) -> Result<Zeroizing<[u8; 32]>, SealError> {
    match (source, wrap) {
        (KeySource::Passphrase { passphrase, .. }, Wrap::Argon2id { cost, salt }) => {
            let salt = decode(salt)?;
            if !cost.is_bearable() || salt.len() != 16 {
                return Err(SealError::NotSealed);
            }
            Ok(stretch(passphrase, &salt, *cost)?)
        }
        (KeySource::Key { id, key }, Wrap::Key { id: named }) if id == named => Ok(key.clone()),
        (_, Wrap::Argon2id { .. }) => Err(SealError::OtherKey("a passphrase".to_owned())),
        (_, Wrap::Key { id }) => Err(SealError::OtherKey(id.escape_debug().to_string())),
    }
}

fn stretch(passphrase: &Secret, salt: &[u8], cost: Cost) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32));
    let params = params.map_err(|e| trouble(&e.to_string()))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon
        .hash_password_into(passphrase.expose(), salt, key.as_mut())
        .map_err(|e| trouble(&e.to_string()))?;
    Ok(key)
}

fn encrypt(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Fault> {
    Aes256GcmSiv::new(key.into())
        .encrypt(&Nonce::from(nonce), Payload { msg, aad })
        .map_err(|_| trouble("the content is too long"))
}

fn decrypt(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], msg: &[u8]) -> Option<Vec<u8>> {
    Aes256GcmSiv::new(key.into()).decrypt(&Nonce::from(nonce), Payload { msg, aad }).ok()
}

/// Associated data: everything before the sealed bytes, then the context.
fn bound(head: &[u8], context: &[u8]) -> Vec<u8> {
    [head, context].concat()
}

fn context_digest(context: &[u8]) -> Digest {
    Digest::of(tag::SEAL, context)
}

fn decode(text: &str) -> Result<Vec<u8>, SealError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::NotSealed)
}

fn nonce_of(text: &str) -> Result<[u8; 12], SealError> {
    decode(text)?.try_into().map_err(|_| SealError::NotSealed)
}

fn trouble(why: &str) -> Fault {
    Fault::new("seal", why, "free memory, then try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passphrase(text: &str) -> KeySource {
        let passphrase = Secret::from(text.to_owned());
        KeySource::Passphrase { passphrase, cost: Cost::CHEAP_FOR_TESTS }
    }

    fn key(id: &str, byte: u8) -> KeySource {
        KeySource::Key { id: id.to_owned(), key: Zeroizing::new([byte; 32]) }
    }

    fn sealed(source: &KeySource) -> Vec<u8> {
        seal(source, b"wallet/1/alpha", b"the share", Random::start().unwrap()).unwrap()
    }

    fn refusal(source: &KeySource, context: &[u8], blob: &[u8]) -> SealError {
        open(source, context, blob).err().unwrap()
    }

    #[test]
    fn a_sealed_blob_opens_with_its_key_and_context() {
        for source in [passphrase("correct horse"), key("hsm-1", 7)] {
            let blob = sealed(&source);
            assert_eq!(open(&source, b"wallet/1/alpha", &blob).unwrap().expose(), b"the share");
            assert_ne!(blob, sealed(&source), "fresh nonces and keys each time");
            assert!(!blob.windows(9).any(|w| w == b"the share"));
        }
    }

    #[test]
    fn row_11_one_flipped_byte_anywhere_fails_clearly() {
        for source in [passphrase("correct horse"), key("hsm-1", 7)] {
            let blob = sealed(&source);
            for at in 0..blob.len() {
                for bit in [0x01, 0x20, 0x80] {
                    let mut bad = blob.clone();
                    bad[at] ^= bit;
                    assert!(open(&source, b"wallet/1/alpha", &bad).is_err(), "byte {at}");
                }
            }
            for cut in 0..blob.len() {
                assert!(open(&source, b"wallet/1/alpha", &blob[..cut]).is_err(), "cut {cut}");
            }
        }
    }

    #[test]
    fn row_12_a_blob_of_another_wallet_is_refused_as_such() {
        let source = passphrase("correct horse");
        let blob = sealed(&source);
        assert_eq!(refusal(&source, b"wallet/2/alpha", &blob), SealError::OtherContext);
    }

    #[test]
    fn each_reason_has_its_own_refusal() {
        let source = passphrase("correct horse");
        let blob = sealed(&source);
        let context = b"wallet/1/alpha";
        assert_eq!(refusal(&passphrase("wrong"), context, &blob), SealError::WrongKey);
        assert!(matches!(refusal(&key("hsm-1", 7), context, &blob), SealError::OtherKey(_)));
        assert_eq!(refusal(&source, context, b"hello"), SealError::NotSealed);
        assert_eq!(refusal(&source, context, b"quorate-sealed/2\n"), SealError::LaterVersion);
        let mut last = blob;
        *last.last_mut().unwrap() ^= 1;
        assert_eq!(refusal(&source, context, &last), SealError::Damaged);
        let other = sealed(&key("hsm-1", 7));
        assert!(matches!(refusal(&key("hsm-2", 7), context, &other), SealError::OtherKey(_)));
        assert_eq!(refusal(&key("hsm-1", 8), context, &other), SealError::WrongKey);
    }

    #[test]
    fn a_header_that_asks_for_all_memory_is_refused_before_it_is_tried() {
        for cost in [
            Cost { memory_kib: u32::MAX, passes: 1, lanes: 1 },
            Cost { memory_kib: 64, passes: u32::MAX, lanes: 1 },
            Cost { memory_kib: 64, passes: 1, lanes: 0 },
            Cost { memory_kib: 0, passes: 1, lanes: 1 },
        ] {
            assert!(!cost.is_bearable(), "{cost:?}");
        }
        assert!(Cost::STANDARD.is_bearable() && Cost::CHEAP_FOR_TESTS.is_bearable());
    }

    #[test]
    fn the_standard_cost_seals_and_opens() {
        let passphrase = Secret::from("correct horse".to_owned());
        let source = KeySource::Passphrase { passphrase, cost: Cost::STANDARD };
        let blob = sealed(&source);
        assert!(open(&source, b"wallet/1/alpha", &blob).is_ok());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let source = key("k", 1);
            prop_assert!(open(&source, b"c", &bytes).is_err());
            let with_magic = [MAGIC, &bytes].concat();
            prop_assert!(open(&source, b"c", &with_magic).is_err());
        }
    }
}
