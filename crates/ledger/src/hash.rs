//! RFC 6962 section 2.1: how leaves and nodes are hashed. A prefix byte keeps the two apart.
//!
//! A verifier hashes each entry twice and does little else, so the hash is the one whose code is made for the processor at
//! hand; the tests compare it with another implementation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::{Digest, Malformed};
use ring::digest::{Context, SHA256};

const LEAF: [u8; 1] = [0];
const NODE: [u8; 1] = [1];

/// SHA-256 (FIPS 180-4) over the parts, one after another.
pub(crate) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Context::new(&SHA256);
    parts.iter().for_each(|part| hash.update(part));
    let mut bytes = [0; 32];
    // SHA-256 gives 32 bytes, so both sides are of one length.
    for (to, from) in bytes.iter_mut().zip(hash.finish().as_ref()) {
        *to = *from;
    }
    Digest::from_bytes(bytes)
}

/// The leaf hash of an entry: SHA-256 over a zero byte and the entry's canonical bytes.
pub fn leaf(entry: &[u8]) -> Digest {
    sha256(&[&LEAF, entry])
}

/// The hash of an inner node: SHA-256 over a one byte and both children.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&NODE, left.as_bytes(), right.as_bytes()])
}

/// The root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// A hash as C2SP texts write it: 44 characters of standard base64.
pub fn to_base64(hash: &Digest) -> String {
    STANDARD.encode(hash.as_bytes())
}

/// Reads what [`to_base64`] writes, and no other spelling of it.
///
/// # Errors
/// [`Malformed`] for anything but 32 bytes in strict standard base64.
pub fn from_base64(text: &str) -> Result<Digest, Malformed> {
    let bad = || Malformed::new("hash", "is not a hash", "give 32 bytes as standard base64");
    let bytes = STANDARD.decode(text).map_err(|_| bad())?;
    Ok(Digest::from_bytes(bytes.try_into().map_err(|_| bad())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    proptest! {
        #[test]
        fn another_implementation_gives_the_same_hashes(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)) {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let expected = Digest::from_bytes(Sha256::digest(parts.concat()).into());
            prop_assert_eq!(sha256(&parts), expected);
        }
    }

    #[test]
    fn the_empty_tree_has_the_root_that_rfc_6962_gives() {
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(empty_root().to_string(), expected);
    }

    #[test]
    fn the_leaf_of_nothing_is_the_known_one() {
        let expected = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(leaf(b"").to_string(), expected);
    }

    #[test]
    fn a_leaf_is_never_a_node() {
        let (a, b) = (leaf(b"a"), leaf(b"b"));
        let joined = [a.as_bytes().as_slice(), b.as_bytes()].concat();
        assert_ne!(node(&a, &b), leaf(&joined));
        assert_ne!(node(&a, &b), node(&b, &a));
    }

    #[test]
    fn base64_has_one_spelling() {
        let text = to_base64(&leaf(b""));
        assert_eq!(from_base64(&text).unwrap(), leaf(b""));
        for bad in
            [String::new(), text.replace('=', ""), format!("{text}\n"), text.replace('0', "-")]
        {
            assert!(bad == text || from_base64(&bad).is_err(), "{bad}");
        }
    }
}
