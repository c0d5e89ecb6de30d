//! Bytes that must not be shown, copied by accident, or left in memory.

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, Zeroizing};

/// Secret bytes: zeroised when dropped, without `Debug`, `Clone` or an encoding.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; the caller keeps no copy.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one call that needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether both hold the same bytes, in time that depends on the lengths only.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        bool::from(self.0.as_slice().ct_eq(other.0.as_slice()))
    }

    /// The secret without one trailing line break, for passphrases read from files and pipes.
    #[must_use]
    pub fn without_line_break(mut self) -> Self {
        if self.0.last() == Some(&b'\n') {
            self.0.pop();
        }
        if self.0.last() == Some(&b'\r') {
            self.0.pop();
        }
        self
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl Zeroize for Secret {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_trailing_line_break_is_not_part_of_a_passphrase() {
        for (given, kept) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")]
        {
            let secret = Secret::from(given.to_owned()).without_line_break();
            assert!(secret.same(&Secret::from(kept.to_owned())), "{given:?}");
        }
    }
}
