//! Why a contract undid a call, in the words that it left. Outside text.

use ruint::aliases::U256;

/// Selector of `Error(string)`, by which Solidity reverts with words.
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// Selector of `Panic(uint256)`, by which Solidity reverts with a code.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];
/// The most of a contract's words that are kept.
pub(super) const WORDS_MAX: usize = 256;

/// What the bytes say that a contract reverted with, if they say anything that can be read.
pub fn reverted(bytes: &[u8]) -> Option<String> {
    let (selector, rest) = bytes.split_first_chunk::<4>()?;
    match *selector {
        ERROR => words(rest),
        PANIC => number(rest, 0).map(|code| format!("panic code {code:#x}")),
        other => Some(format!("error 0x{} of the contract's own", hex::encode(other))),
    }
}

/// The one string of `Error(string)`: offset, length, bytes.
fn words(rest: &[u8]) -> Option<String> {
    let place = |at: usize| usize::try_from(number(rest, at)?).ok();
    let offset = place(0)?;
    let length = place(offset)?.min(WORDS_MAX);
    let start = offset.checked_add(32)?;
    let said = rest.get(start..start.checked_add(length)?)?;
    Some(String::from_utf8_lossy(said).into_owned())
}

fn number(rest: &[u8], at: usize) -> Option<U256> {
    U256::try_from_be_slice(rest.get(at..at.checked_add(32)?)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(hex_text: &str, expected: Option<&str>) {
        assert_eq!(reverted(&hex::decode(hex_text).unwrap()).as_deref(), expected, "{hex_text}");
    }

    fn word(number: u8) -> String {
        format!("{number:064x}")
    }

    #[test]
    fn words_codes_and_errors_of_ones_own_are_told_and_cut_bytes_are_nothing() {
        check(&format!("08c379a0{}{}{}", word(32), word(4), "6e6f706500"), Some("nope"));
        check(&format!("4e487b71{}", word(0x12)), Some("panic code 0x12"));
        check("deadbeef", Some("error 0xdeadbeef of the contract's own"));
        for cut in ["", "08c3", "08c379a0", "08c379a0ff", "4e487b71ff"] {
            check(cut, None);
        }
        check(&format!("08c379a0{}", "ff".repeat(32)), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), error: bool) {
            let head: &[u8] = if error { &ERROR } else { &[] };
            let _said = reverted(&[head, &bytes].concat());
        }
    }
}
