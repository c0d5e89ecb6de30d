//! What a pack says of itself: every file by digest, every book with its heads; signed by the office.

use std::collections::BTreeMap;

use quorate_ledger::hash;
use quorate_terms::{Digest, Malformed, PublicKey, Timestamp, VaultId, canonical};
use serde::{Deserialize, Serialize};

use super::container::Files;
use crate::mark::{Envelope, Signer};

/// The name of the signed manifest in the container.
pub const MANIFEST: &str = "manifest.dsse.json";
/// Its payload type.
pub const PACK: &str = "application/vnd.quorate.pack+json";

/// Everything but the manifest itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format version, 1.
    pub v: u8,
    /// The office.
    pub office: VaultId,
    /// The origin of its own ledger.
    pub origin: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Books, the office's own among them.
    pub books: Vec<Book>,
    /// Files by name.
    pub files: BTreeMap<String, FileRef>,
}

/// A file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Plain SHA-256.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
}

/// A book, as far as the pack shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Its origin.
    pub origin: String,
    /// The file with its checkpoint note.
    pub checkpoint: String,
    /// The file with its cited entries, one [`Proven`] a line.
    pub entries: String,
    /// Heads that results rest on, each with the proof that the checkpoint extends it.
    pub heads: Vec<Reached>,
}

/// An earlier head of a book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// How many entries.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Digest,
    /// Consistency proof to the checkpoint, base64 hashes; empty when it is the same size.
    pub proof: Vec<String>,
}

/// One entry with its way to the checkpoint's root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    /// Its place.
    pub index: u64,
    /// Its canonical bytes.
    pub entry: String,
    /// Inclusion path, base64 hashes.
    pub path: Vec<String>,
}

impl Manifest {
    /// The signed form.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a manifest that was made here.
    pub fn seal(&self, office: &Signer<'_>) -> Result<Vec<u8>, Malformed> {
        let bytes = canonical::to_bytes(self, "manifest")?;
        let signer = Signer { key: office.key, ..*office };
        canonical::to_bytes(&Envelope::seal(PACK, &bytes, &[signer]), "manifest")
    }

    /// The manifest of a container, if `office` signed it.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn open(files: &Files, office: &PublicKey) -> Result<Self, Malformed> {
        let bad = |why: &str| Malformed::new("manifest", why, "ask the office for the pack again");
        let bytes = files.get(MANIFEST).ok_or_else(|| bad("is missing"))?;
        let envelope: Envelope = canonical::from_bytes(bytes, "manifest")?;
        if envelope.payload_type != PACK
            || !envelope.is_signed_by(office)?
            || envelope.signatures.len() != 1
        {
            return Err(bad("is not signed by the office that you pinned"));
        }
        let manifest: Self = canonical::from_bytes(&envelope.payload()?, "manifest")?;
        if manifest.v == 1 { Ok(manifest) } else { Err(bad("is of another version")) }
    }

    /// Whether the files are exactly those that are listed.
    ///
    /// # Errors
    /// Which is missing, too many or changed.
    pub fn lists(&self, files: &Files) -> Result<(), String> {
        for (name, listed) in &self.files {
            let bytes = files.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if size != listed.size || Digest::sha256(bytes) != listed.sha256 {
                return Err(format!("`{name}` is not what was listed"));
            }
        }
        match files.keys().find(|name| *name != MANIFEST && !self.files.contains_key(*name)) {
            Some(extra) => Err(format!("`{extra}` is not listed")),
            None => Ok(()),
        }
    }
}

/// Hashes of a proof from text.
///
/// # Errors
/// [`Malformed`] for anything but base64 of 32 bytes each, and for more than any proof needs.
pub fn hashes(text: &[String]) -> Result<Vec<Digest>, Malformed> {
    if text.len() > quorate_ledger::proof::PROOF_HASHES_MAX {
        return Err(Malformed::new("proof", "is too long", "export it again"));
    }
    text.iter().map(|hash| hash::from_base64(hash)).collect()
}
