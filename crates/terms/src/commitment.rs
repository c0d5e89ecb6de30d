//! Salted commitments to personal values, after SD-JWT (RFC 9901): the ledger keeps the commitment, an erasable table
//! keeps the opening. Destroying the opening erases the value and leaves every proof and every fold valid.

use serde::{Deserialize, Serialize};

use crate::canonical::to_bytes;
use crate::digest::{Digest, tag};
use crate::error::Malformed;

/// The longest value that can be committed to, in bytes.
pub const VALUE_BYTES_MAX: usize = 4096;

/// SHA-256 over the canonical `[salt, path, value]`. Says nothing about the value to who does not hold the salt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(Digest);

impl Commitment {
    /// The digest.
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

/// What opens a commitment. Personal: it lives in an erasable table, never in an entry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// 128 random bits, 32 lower-case hex digits.
    pub salt: String,
    /// Which field of which term, for example `intent.memo`.
    pub path: String,
    /// The value itself.
    pub value: String,
}

impl Opening {
    /// An opening of `value` at `path` under 128 bits of salt that the caller drew.
    ///
    /// # Errors
    /// [`Malformed`] when the value is longer than [`VALUE_BYTES_MAX`].
    pub fn new(salt: [u8; 16], path: &str, value: &str) -> Result<Self, Malformed> {
        let made = Self { salt: hex::encode(salt), path: path.to_owned(), value: value.to_owned() };
        made.check()?;
        Ok(made)
    }

    /// What must hold of an opening, wherever it comes from.
    fn check(&self) -> Result<(), Malformed> {
        if self.value.len() > VALUE_BYTES_MAX {
            let mend = format!("give at most {VALUE_BYTES_MAX} bytes");
            return Err(Malformed::new(self.path.as_str(), "is too long", mend));
        }
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.salt.len() == 32 && self.salt.bytes().all(is_digit) {
            return Ok(());
        }
        let mend = "draw 128 bits and give them as 32 lower-case hex digits";
        Err(Malformed::new("salt", "is not 128 bits", mend))
    }

    /// The commitment that this opens.
    ///
    /// # Errors
    /// [`Malformed`] when the salt or the value is not as [`Opening::new`] makes them.
    pub fn commitment(&self) -> Result<Commitment, Malformed> {
        self.check()?;
        let bytes = to_bytes(&(&self.salt, &self.path, &self.value), "opening")?;
        Ok(Commitment(Digest::of(tag::COMMITMENT, &bytes)))
    }
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_binds_salt_path_and_value() {
        let of = |salt, path, value| {
            Opening::new([salt; 16], path, value).unwrap().commitment().unwrap()
        };
        let base = of(1, "intent.memo", "rent");
        assert_eq!(base, of(1, "intent.memo", "rent"));
        assert_ne!(base, of(2, "intent.memo", "rent"));
        assert_ne!(base, of(1, "intent.label", "rent"));
        assert_ne!(base, of(1, "intent.memo", "rents"));
    }

    #[test]
    fn an_opening_from_outside_is_held_to_what_new_makes() {
        let good = Opening::new([5; 16], "intent.memo", &"x".repeat(VALUE_BYTES_MAX)).unwrap();
        assert!(good.commitment().is_ok());
        for bad in [
            Opening { value: "x".repeat(VALUE_BYTES_MAX + 1), ..good.clone() },
            Opening { salt: String::new(), ..good.clone() },
            Opening { salt: "0".repeat(31), ..good.clone() },
            Opening { salt: "A".repeat(32), ..good.clone() },
            Opening { salt: "é".repeat(16), ..good.clone() },
        ] {
            assert!(bad.commitment().is_err(), "{}", bad.salt);
        }
    }

    #[test]
    fn debug_shows_neither_salt_nor_value() {
        let opening = Opening::new([5; 16], "intent.memo", "a secret word").unwrap();
        let shown = format!("{opening:?}");
        assert!(!shown.contains("secret") && !shown.contains(&opening.salt), "{shown}");
    }
}
