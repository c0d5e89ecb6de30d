//! Chains, accounts and assets in the field's own notation: CAIP-2, CAIP-10 and CAIP-19.
//!
//! This crate checks the notation only. What an address means, and whether its checksum holds, is for `chains`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Malformed;

fn all(text: &str, min: usize, max: usize, extra: &[u8], upper: bool) -> bool {
    let good = |b: u8| {
        b.is_ascii_lowercase()
            || b.is_ascii_digit()
            || (upper && b.is_ascii_uppercase())
            || extra.contains(&b)
    };
    (min..=max).contains(&text.len()) && text.bytes().all(good)
}

macro_rules! caip {
    ($(#[$doc:meta])* $name:ident, $check:expr, $what:literal, $mend:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Malformed::new($what, "is not in CAIP form", $mend))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn is_chain(text: &str) -> bool {
    text.split_once(':').is_some_and(|(namespace, reference)| {
        all(namespace, 3, 8, b"-", false) && all(reference, 1, 32, b"-_", true)
    })
}

fn is_account(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(chain, address)| is_chain(chain) && all(address, 1, 128, b"-.%", true))
}

fn is_asset(text: &str) -> bool {
    text.split_once('/').is_some_and(|(chain, asset)| {
        is_chain(chain)
            && asset.split_once(':').is_some_and(|(namespace, reference)| {
                all(namespace, 3, 8, b"-", false) && all(reference, 1, 128, b"-.%", true)
            })
    })
}

caip!(/// A chain, CAIP-2: `eip155:1`.
    ChainId, is_chain, "chain", "give CAIP-2 such as `eip155:1`");
caip!(/// An account on a chain, CAIP-10: `eip155:1:0x…`.
    AccountId, is_account, "account", "give CAIP-10 such as `eip155:1:0x…`");
caip!(/// An asset on a chain, CAIP-19: `eip155:1/slip44:60`, `eip155:1/erc20:0x…`.
    AssetId, is_asset, "asset", "give CAIP-19 such as `eip155:1/erc20:0x…`");

impl ChainId {
    /// The family of chains, `eip155`.
    pub fn namespace(&self) -> &str {
        self.0.split_once(':').map_or("", |(namespace, _)| namespace)
    }

    /// The chain within its family, `1`.
    pub fn reference(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, reference)| reference)
    }

    /// The account with this address on this chain.
    ///
    /// # Errors
    /// [`Malformed`] when the address has characters that CAIP-10 does not allow.
    pub fn account(&self, address: &str) -> Result<AccountId, Malformed> {
        format!("{self}:{address}").parse()
    }
}

impl AccountId {
    /// The chain of the account.
    pub fn chain(&self) -> ChainId {
        ChainId(self.0.rsplit_once(':').map_or_else(String::new, |(chain, _)| chain.to_owned()))
    }

    /// The address, in its chain's own form.
    pub fn address(&self) -> &str {
        self.0.rsplit_once(':').map_or("", |(_, address)| address)
    }
}

impl AssetId {
    /// The chain of the asset.
    pub fn chain(&self) -> ChainId {
        ChainId(self.0.split_once('/').map_or_else(String::new, |(chain, _)| chain.to_owned()))
    }

    /// The kind of asset on its chain: `slip44` for the native coin, `erc20` for a token.
    pub fn namespace(&self) -> &str {
        self.0
            .split_once('/')
            .and_then(|(_, asset)| asset.split_once(':'))
            .map_or("", |(namespace, _)| namespace)
    }

    /// The asset within its kind: a coin type or a contract address.
    pub fn reference(&self) -> &str {
        self.0
            .split_once('/')
            .and_then(|(_, asset)| asset.split_once(':'))
            .map_or("", |(_, reference)| reference)
    }

    /// Whether this is the chain's own coin, in which fees are paid.
    pub fn is_native(&self) -> bool {
        self.namespace() == "slip44"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caip_forms_are_read_and_taken_apart() {
        let asset: AssetId =
            "eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7".parse().unwrap();
        assert_eq!(asset.chain().to_string(), "eip155:1");
        assert_eq!((asset.namespace(), asset.is_native()), ("erc20", false));
        let account: AccountId = "eip155:31337:0xAb".parse().unwrap();
        assert_eq!((account.chain().reference(), account.address()), ("31337", "0xAb"));
        let native: AssetId = "eip155:1/slip44:60".parse().unwrap();
        assert!(native.is_native());
    }

    #[test]
    fn other_text_is_not_caip() {
        for bad in
            ["", "eip155", "eip155:", "EIP155:1", "e:1", "eip155:1/", "eip155:1 ", "eip155:1\n"]
        {
            assert!(bad.parse::<ChainId>().is_err(), "{bad}");
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
            assert!(bad.parse::<AssetId>().is_err(), "{bad}");
        }
    }
}
