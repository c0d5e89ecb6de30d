//! Digests and the one list of domain tags.
//!
//! Two terms with equal bytes and different meanings must never share a digest, so every digest and every signature
//! starts from a tag. A new tag is added here and nowhere else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::Malformed;

/// Domain tags, `quorate/<term>/v1`. Changing one changes every digest of that term for ever.
pub mod tag {
    /// [`crate::intent::Intent`]
    pub const INTENT: &str = "quorate/intent/v1";
    /// [`crate::approval::ApprovalBody`]
    pub const APPROVAL: &str = "quorate/approval/v1";
    /// [`crate::policy::PolicyDocument`]
    pub const POLICY: &str = "quorate/policy/v1";
    /// [`crate::charter::CharterText`]
    pub const CHARTER: &str = "quorate/charter/v1";
    /// [`crate::entry::Entry`]
    pub const ENTRY: &str = "quorate/entry/v1";
    /// [`crate::commitment::Opening`]
    pub const COMMITMENT: &str = "quorate/commitment/v1";
    /// [`crate::fact::FactBody`]
    pub const FACT: &str = "quorate/fact/v1";
    /// [`crate::freeze::FreezeBody`]
    pub const FREEZE: &str = "quorate/freeze/v1";
    /// [`crate::freeze::ResumeBody`]
    pub const RESUME: &str = "quorate/resume/v1";
    /// Unsigned transaction bytes with their chain.
    pub const DRAFT: &str = "quorate/draft/v1";
    /// One run of a signing or ceremony protocol.
    pub const SESSION: &str = "quorate/session/v1";
    /// A message of a protocol session, between cosigners.
    pub const MESSAGE: &str = "quorate/message/v1";
    /// What a cosigner says about a wallet key that it helped to make.
    pub const KEY_STATEMENT: &str = "quorate/key-statement/v1";
    /// A cosigner's signed statement that a share backup was verified by a drill.
    pub const BACKUP: &str = "quorate/backup/v1";
    /// A bearer credential as it is stored: hashed.
    pub const TOKEN: &str = "quorate/token/v1";
    /// A subject of an authorization server, as a credential names it.
    pub const SUBJECT: &str = "quorate/subject/v1";
    /// The tool list of a band.
    pub const MANIFEST: &str = "quorate/manifest/v1";
    /// A running configuration as captured in an entry.
    pub const CONFIGURATION: &str = "quorate/configuration/v1";
    /// Proof of who speaks on a mutual-TLS link.
    pub const LINK: &str = "quorate/link/v1";
    /// A state snapshot that its owner signed.
    pub const SNAPSHOT: &str = "quorate/snapshot/v1";
    /// A snapshot of a cosigner's own ledger that it signed itself.
    pub const OWN_SNAPSHOT: &str = "quorate/own-snapshot/v1";
    /// The bytes that bind a sealed key share to its wallet, epoch and party.
    pub const SHARE: &str = "quorate/share/v1";
    /// The message that a backup drill signs: never a transaction of any chain.
    pub const DRILL: &str = "quorate/drill/v1";
    /// What all parties of a key generation saw alike.
    pub const TRANSCRIPT: &str = "quorate/transcript/v1";

    /// The place that a sealed blob belongs to.
    pub const SEAL: &str = "quorate/seal-context/v1";
    /// The words that an approver was shown before signing.
    pub const DISPLAY: &str = "quorate/display/v1";
    /// A population and the sample that a seed draws from it.
    pub const SAMPLE: &str = "quorate/sample/v1";
    /// What a party of an audit signs.
    pub const AUDIT: &str = "quorate/audit/v1";

    /// A standard's catalogue, as an assessment names it.
    pub const STANDARD: &str = "quorate/standard/v1";
    /// A pair of queries with their parameters, as a finding names it.
    pub const QUERY: &str = "quorate/query/v1";
    /// What a named person attests about the outside world.
    pub const ATTESTATION: &str = "quorate/attestation/v1";
    /// A template of checklists, and the name of a checklist that was opened.
    pub const CHECKLIST: &str = "quorate/checklist/v1";
    /// What a passkey signs to say that its holder is there; it agrees to nothing.
    pub const SIGN_IN: &str = "quorate/sign-in/v1";

    /// [`crate::delegation::EndingBody`]
    pub const ENDING: &str = "quorate/ending/v1";
    /// [`crate::bulletin::Bulletin`]
    pub const BULLETIN: &str = "quorate/bulletin/v1";

    /// Every tag, for the test that they are distinct and for `docs/spec`.
    pub const ALL: [&str; 35] = [
        INTENT,
        APPROVAL,
        POLICY,
        CHARTER,
        ENTRY,
        COMMITMENT,
        FACT,
        FREEZE,
        RESUME,
        DRAFT,
        SESSION,
        MESSAGE,
        KEY_STATEMENT,
        BACKUP,
        TOKEN,
        SUBJECT,
        MANIFEST,
        CONFIGURATION,
        LINK,
        SNAPSHOT,
        OWN_SNAPSHOT,
        SHARE,
        DRILL,
        TRANSCRIPT,
        SEAL,
        DISPLAY,
        SAMPLE,
        AUDIT,
        STANDARD,
        QUERY,
        ATTESTATION,
        CHECKLIST,
        SIGN_IN,
        ENDING,
        BULLETIN,
    ];
}

/// A SHA-256 digest, 32 bytes; in JSON 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest before the first entry of a ledger.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 over `tag`, a newline and `bytes`.
    pub fn of(tag: &str, bytes: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(tag.as_bytes());
        hasher.update(b"\n");
        hasher.update(bytes);
        Self(hasher.finalize().into())
    }

    /// Plain SHA-256, without a tag: only for formats of others that name bytes so (in-toto statements, SD-JWT).
    pub fn sha256(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps 32 bytes that are already a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight hexadecimal digits, for people's eyes only; never compare these.
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = || Malformed::new("digest", "is not a digest", "give 64 lower-case hex digits");
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| bad())?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_is_distinct_and_well_formed() {
        let mut tags = tag::ALL.to_vec();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), tag::ALL.len());
        assert!(tags.iter().all(|t| t.starts_with("quorate/") && t.ends_with("/v1")));
    }

    #[test]
    fn equal_bytes_under_two_tags_have_two_digests() {
        assert_ne!(Digest::of(tag::INTENT, b"{}"), Digest::of(tag::APPROVAL, b"{}"));
    }

    #[test]
    fn upper_case_short_and_long_digests_are_refused() {
        for text in ["", "00", &"A".repeat(64), &"0".repeat(66)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
