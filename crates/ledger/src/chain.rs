//! What binds consecutive entries: index, digest of the one before, one vault, time that never runs back.
//!
//! Only the outer fields are read here. That an entry is in canonical form is the writer's check and each fold's; to
//! whoever verifies a ledger, bytes that hash to the witnessed root are the bytes that the witnesses folded.

use quorate_terms::digest::tag;
use quorate_terms::entry::ENTRY_BYTES_MAX;
use quorate_terms::{Digest, Malformed, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{Error, Refuted};
use crate::hash;

/// The outer fields of an entry, borrowed from its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// The vault.
    pub vault: &'a str,
    /// Place in the ledger.
    pub index: u64,
    /// Digest of the entry before.
    pub prev: Digest,
    /// When.
    pub at: Timestamp,
    /// The rules version that made it.
    pub rules: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer<'a> {
    at: u64,
    #[serde(rename = "body")]
    _body: IgnoredAny,
    index: u64,
    prev: &'a str,
    rules: &'a str,
    v: u8,
    vault: &'a str,
}

impl<'a> Header<'a> {
    /// Reads the outer fields.
    ///
    /// # Errors
    /// [`Malformed`] for bytes that are no entry of version 1.
    pub fn read(entry: &'a [u8]) -> Result<Self, Malformed> {
        let bad = |why: String| Malformed::new("entry", why, "export the ledger again");
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(bad(format!("is longer than {ENTRY_BYTES_MAX} bytes")));
        }
        let outer: Outer<'a> =
            serde_json::from_slice(entry).map_err(|e| bad(format!("cannot be read ({e})")))?;
        if outer.v != 1 {
            return Err(bad("is of another version".to_owned()));
        }
        Ok(Self {
            vault: outer.vault,
            index: outer.index,
            prev: outer.prev.parse()?,
            at: Timestamp::from_millis(outer.at),
            rules: outer.rules,
        })
    }
}

/// The digest by which the next entry names this one: that of the term, by the faster hash.
pub fn entry_digest(entry: &[u8]) -> Digest {
    hash::sha256(&[tag::ENTRY.as_bytes(), b"\n", entry])
}

/// The end of a chain of entries. Takes the next one only if it belongs there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    vault: String,
    next: u64,
    last: Digest,
    at: Timestamp,
}

impl Chain {
    /// The chain of a vault before its first entry.
    pub fn new(vault: impl Into<String>) -> Self {
        Self { vault: vault.into(), next: 0, last: Digest::ZERO, at: Timestamp::ZERO }
    }

    /// The chain of a vault whose last entry is known, for going on from a snapshot.
    pub fn resume(vault: impl Into<String>, next: u64, last: Digest, at: Timestamp) -> Self {
        Self { vault: vault.into(), next, last, at }
    }

    /// The index that the next entry must have.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The digest of the last entry, which the next one must name.
    pub const fn last(&self) -> Digest {
        self.last
    }

    /// The time of the last entry, before which no entry may be.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`Error::Malformed`] for bytes that are no entry, [`Error::Refuted`] for an entry that does not belong here.
    /// The chain is unchanged then.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), Error> {
        let header = Header::read(entry)?;
        self.check(&header)?;
        if header.prev != self.last {
            return Err(self.refuse("does not name the entry before it").into());
        }
        self.advance(&header, entry_digest(entry));
        Ok(())
    }

    /// Everything but the link to the entry before.
    pub(crate) fn check(&self, header: &Header<'_>) -> Result<(), Refuted> {
        if header.index != self.next {
            return Err(self.refuse(&format!("says that it is entry {}", header.index)));
        }
        if header.vault != self.vault {
            return Err(self.refuse("is of another vault"));
        }
        if header.at < self.at {
            return Err(self.refuse("is older than the entry before it"));
        }
        Ok(())
    }

    pub(crate) fn advance(&mut self, header: &Header<'_>, digest: Digest) {
        self.next = self.next.saturating_add(1);
        self.last = digest;
        self.at = header.at;
    }

    fn refuse(&self, why: &str) -> Refuted {
        Refuted::new(format!("entry {}", self.next), why)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Entries with the outer form of real ones; the ledger looks no deeper.
    pub(crate) fn entries(count: u64) -> Vec<Vec<u8>> {
        let mut prev = Digest::ZERO;
        (0..count)
            .map(|index| {
                let entry = entry(index, prev, index.wrapping_add(1000), "acme");
                prev = entry_digest(&entry);
                entry
            })
            .collect()
    }

    pub(crate) fn entry(index: u64, prev: Digest, at: u64, vault: &str) -> Vec<u8> {
        format!(
            r#"{{"at":{at},"body":{{"n":{index},"type":"Heartbeat"}},"index":{index},"prev":"{prev}","rules":"quorate-rules/1","v":1,"vault":"{vault}"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn consecutive_entries_follow_one_another() {
        let mut chain = Chain::new("acme");
        for entry in entries(5) {
            chain.push(&entry).unwrap();
        }
        assert_eq!((chain.next(), chain.at()), (5, Timestamp::from_millis(1004)));
    }

    #[test]
    fn a_gap_a_stranger_a_step_back_and_another_history_are_refused() {
        let all = entries(3);
        let mut chain = Chain::new("acme");
        chain.push(&all[0]).unwrap();
        let last = chain.last();
        for (bad, why) in [
            (all[2].clone(), "entry 2"),
            (all[0].clone(), "entry 0"),
            (entry(1, last, 2000, "other"), "vault"),
            (entry(1, last, 999, "acme"), "older"),
            (entry(1, Digest::ZERO, 2000, "acme"), "before it"),
        ] {
            let error = chain.push(&bad).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        chain.push(&entry(1, last, 1000, "acme")).unwrap();
    }

    proptest! {
        #[test]
        fn an_entry_is_named_by_the_digest_of_the_term(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(entry_digest(&bytes), Digest::of(tag::ENTRY, &bytes));
        }

        #[test]
        fn arbitrary_and_mutated_bytes_never_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), with in any::<u8>(),
        ) {
            let _ = Header::read(&bytes);
            let mut entry = entries(1).remove(0);
            let at = at.index(entry.len());
            entry[at] = with;
            let _ = Header::read(&entry);
            entry.truncate(at);
            prop_assert!(Header::read(&entry).is_err());
        }
    }
}
