//! Ed25519 public keys and signatures (RFC 8032) of people, processes and sources. Secrets never enter this crate.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;

use crate::digest::Digest;
use crate::error::Malformed;

/// An Ed25519 public key; in JSON `ed25519:` and 43 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Wraps 32 bytes that are a point of the curve and not of small order.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Malformed> {
        let bad =
            || Malformed::new("key", "is not an Ed25519 public key", "copy the key as printed");
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| bad())?;
        if key.is_weak() { Err(bad()) } else { Ok(Self(bytes)) }
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` is this key's over the digest's 32 bytes, by the strict rules of RFC 8032.
    #[must_use]
    pub fn verifies(&self, digest: &Digest, signature: &Signature) -> bool {
        self.verifies_bytes(digest.as_bytes(), signature)
    }

    /// Whether `signature` is this key's over these bytes. For formats that sign text (C2SP signed notes).
    #[must_use]
    pub fn verifies_bytes(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

/// An Ed25519 signature; in JSON 86 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Wraps 64 bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = || {
            Malformed::new("key", "is not an Ed25519 public key", "give `ed25519:` and base64url")
        };
        let body = text.strip_prefix("ed25519:").ok_or_else(bad)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| bad())?;
        Self::from_bytes(bytes.try_into().map_err(|_| bad())?)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl FromStr for Signature {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad =
            || Malformed::new("signature", "is not a signature", "give 64 bytes as base64url");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
        Ok(Self(bytes.try_into().map_err(|_| bad())?))
    }
}

/// Public values whose form in JSON and in messages is their text.
macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use as_text;
as_text!(PublicKey);
as_text!(Signature);

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn a_signature_verifies_only_over_its_own_digest_and_key() {
        let secret = SigningKey::from_bytes(&[7; 32]);
        let key = PublicKey::from_bytes(secret.verifying_key().to_bytes()).unwrap();
        let digest = Digest::of("quorate/test/v1", b"x");
        let signature = Signature::from_bytes(secret.sign(digest.as_bytes()).to_bytes());
        assert!(key.verifies(&digest, &signature));
        assert!(!key.verifies(&Digest::of("quorate/test/v1", b"y"), &signature));
        for at in 0..64 {
            let mut bytes = *signature.as_bytes();
            bytes[at] ^= 1;
            assert!(!key.verifies(&digest, &Signature::from_bytes(bytes)), "byte {at}");
        }
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        assert!(PublicKey::from_bytes([0; 32]).is_err());
        let mut one = [0; 32];
        one[0] = 1;
        assert!(PublicKey::from_bytes(one).is_err());
    }

    #[test]
    fn keys_and_signatures_round_trip_as_text() {
        let key =
            PublicKey::from_bytes(SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes())
                .unwrap();
        assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
        assert!("ed25519:AAAA".parse::<PublicKey>().is_err());
        let signature = Signature::from_bytes([3; 64]);
        assert_eq!(signature.to_string().parse::<Signature>().unwrap(), signature);
    }
}
