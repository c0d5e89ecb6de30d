//! Chain numbers: CAIP-2 `eip155:<number>`, EIP-155 and EIP-2294.

use quorate_terms::ChainId;

use crate::refusal::{Code, Refusal};

/// The chains on which a wallet may be used before its backups are proven: Anvil's and Ganache's defaults.
pub const DEVELOPMENT_CHAINS: [&str; 2] = ["eip155:31337", "eip155:1337"];

/// EIP-2294: above this, the `v` of a signed legacy transaction does not fit 64 bits.
const CHAIN_NUMBER_MAX: u64 = 9_223_372_036_854_775_771;

/// Whether `chain` is one of [`DEVELOPMENT_CHAINS`].
pub fn is_development(chain: &ChainId) -> bool {
    DEVELOPMENT_CHAINS.contains(&chain.as_str())
}

/// The number of an EVM chain, 1 to 2^63 - 37.
pub(crate) fn number(chain: &ChainId) -> Result<u64, Refusal> {
    let refuse = |why: &str| {
        Refusal::new(
            Code::UnsupportedChain,
            format!("chain `{chain}` {why}"),
            "name an EVM chain such as `eip155:1`",
        )
    };
    if chain.namespace() != "eip155" {
        return Err(refuse("is not an EVM chain"));
    }
    let number: u64 = chain.reference().parse().map_err(|_| refuse("has no 64-bit number"))?;
    if number.to_string() != chain.reference() {
        return Err(refuse("is not written in plain decimal"));
    }
    checked(number).ok_or_else(|| refuse("is outside 1 to 2^63 - 37"))
}

/// The number itself where EIP-2294 allows it.
pub(crate) fn checked(number: u64) -> Option<u64> {
    (1..=CHAIN_NUMBER_MAX).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_numbers_are_plain_decimals_in_range() {
        for (text, expected) in [
            ("eip155:1", Some(1)),
            ("eip155:31337", Some(31_337)),
            ("eip155:9223372036854775771", Some(CHAIN_NUMBER_MAX)),
            ("eip155:9223372036854775772", None),
            ("eip155:18446744073709551616", None),
            ("eip155:0", None),
            ("eip155:01", None),
            ("eip155:0x1", None),
            ("eip155:mainnet", None),
            ("bip122:000000000019d6689c085ae165831e93", None),
        ] {
            let chain: ChainId = text.parse().unwrap();
            assert_eq!(number(&chain).ok(), expected, "{text}");
        }
    }

    #[test]
    fn only_local_chains_are_development_chains() {
        for (text, expected) in [
            ("eip155:31337", true),
            ("eip155:1337", true),
            ("eip155:1", false),
            ("eip155:11155111", false),
        ] {
            assert_eq!(is_development(&text.parse().unwrap()), expected, "{text}");
        }
    }
}
