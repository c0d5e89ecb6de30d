//! What an auditor's office says of its newest assessments, signed: for the console of the desk that was assessed, which believes
//! the key that its operators pinned, and compares the heads with its own ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::{self, Term};
use crate::digest::tag;
use crate::{Digest, Malformed, PublicKey, Signature, Timestamp, VaultId};

/// The longest bulletin that is read, in bytes.
pub const BULLETIN_BYTES_MAX: u64 = 1024 * 1024;
/// Controls that are told one by one for each standard; the others are counted.
pub const TOLD_MAX: usize = 100;

/// Everything but the signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulletin {
    /// Format version, 1.
    pub v: u8,
    /// The office.
    pub office: VaultId,
    /// The origin of its own ledger.
    pub origin: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The newest assessment of each standard.
    pub standards: Vec<Assessed>,
}

/// One standard's newest assessment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessed {
    /// The standard's id.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// For people.
    pub title: String,
    /// Whether the publisher issued the text that was used.
    pub official: bool,
    /// SHA-256 of the results, by which office and pack know them.
    pub results: Digest,
    /// When it was assessed.
    pub at: Timestamp,
    /// The level that was sought.
    pub sought: Option<String>,
    /// The level that was reached by all groups.
    pub overall: Option<String>,
    /// The level of each group.
    pub groups: Vec<Group>,
    /// How many controls stand how, by the words of the state.
    pub counts: BTreeMap<String, u64>,
    /// Controls that do not pass, the first [`TOLD_MAX`].
    pub open: Vec<Open>,
    /// The heads of the books that it rests on.
    pub heads: Vec<BookHead>,
}

/// One group of controls.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// For people.
    pub title: String,
    /// The level that it reached.
    pub level: Option<String>,
}

/// One control that does not pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Its id.
    pub control: String,
    /// How it stands, in the words of the state.
    pub state: String,
    /// The first reason.
    pub why: String,
}

/// A verified head of a book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookHead {
    /// The origin of the book.
    pub book: String,
    /// How many entries the head covers.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Digest,
}

impl Term for Bulletin {
    const TAG: &'static str = tag::BULLETIN;
}

/// A bulletin as a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedBulletin {
    /// What is said.
    pub bulletin: Bulletin,
    /// The office's, over the bulletin's digest.
    pub signature: Signature,
}

impl SignedBulletin {
    /// The file.
    ///
    /// # Errors
    /// [`Malformed`] never happens.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        canonical::to_bytes(self, "bulletin")
    }

    /// The bulletin in a file, if the pinned key signed it. A key in the file would count for nothing, so there is none.
    ///
    /// # Errors
    /// [`Malformed`] for what cannot be read, is of another version, or is signed by another key.
    pub fn open(bytes: &[u8], office: &PublicKey) -> Result<Bulletin, Malformed> {
        let read: Self = canonical::from_bytes(bytes, "bulletin")?;
        let bad = |why: &str, mend: &str| Malformed::new("bulletin", why, mend);
        if read.bulletin.v != 1 {
            return Err(bad("is of another version", "compare the versions of both programs"));
        }
        if !office.verifies(&read.bulletin.digest()?, &read.signature) {
            let mend = "ask the office for it again, and compare its key with the one in desk.toml";
            return Err(bad("is not signed by the pinned key of the office", mend));
        }
        Ok(read.bulletin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;

    fn signed(v: u8, seed: u8) -> (Vec<u8>, PublicKey) {
        let bulletin = Bulletin {
            v,
            office: "alder".parse().unwrap(),
            origin: "alder.example/office".to_owned(),
            made_at: Timestamp::from_millis(1_795_000_000_000),
            standards: Vec::new(),
        };
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let message = bulletin.digest().unwrap();
        let signature = Signature::from_bytes(secret.sign(message.as_bytes()).to_bytes());
        let key = PublicKey::from_bytes(secret.verifying_key().to_bytes()).unwrap();
        (SignedBulletin { bulletin, signature }.to_bytes().unwrap(), key)
    }

    #[test]
    fn only_the_pinned_key_speaks_for_the_office() {
        let (bytes, key) = signed(1, 7);
        assert_eq!(SignedBulletin::open(&bytes, &key).unwrap().office.to_string(), "alder");
        let other = signed(1, 8).1;
        let error = SignedBulletin::open(&bytes, &other).unwrap_err();
        assert!(error.why().contains("not signed by the pinned key"), "{error}");
        let text = String::from_utf8(bytes).unwrap();
        let changed = text.replace("alder.example", "other.example");
        assert!(SignedBulletin::open(changed.as_bytes(), &key).is_err(), "{changed}");
        let (later, key) = signed(2, 7);
        assert!(SignedBulletin::open(&later, &key).unwrap_err().why().contains("version"));
    }

    proptest! {
        #[test]
        fn bytes_from_outside_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let key = signed(1, 7).1;
            let _ = SignedBulletin::open(&bytes, &key);
        }
    }
}
