//! The one file: everything that a stranger needs but the keys that he trusts and a fresh status.

use std::str::FromStr as _;

use quorate_ledger::TlogProof;
use quorate_terms::{Malformed, canonical};
use serde::{Deserialize, Serialize};

use super::dsse::Envelope;

/// The largest mark file, in bytes: results of several hundred controls fit.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A Trust Mark as it travels (`docs/spec/mark.md`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkFile {
    /// Format version, 1.
    pub v: u8,
    /// The statement, signed by assessor and issuer.
    pub envelope: Envelope,
    /// The results, exactly as they were digested.
    pub results: String,
    /// The canonical bytes of the register's entry that issued the mark.
    pub entry: String,
    /// C2SP tlog-proof of that entry.
    pub proof: String,
}

impl MarkFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Malformed`] for anything but the canonical form of version 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > FILE_BYTES_MAX {
            let mend = format!("a mark has at most {FILE_BYTES_MAX} bytes");
            return Err(Malformed::new("mark", "is too large", mend));
        }
        let file: Self = canonical::from_bytes(bytes, "mark")?;
        if file.v == 1 {
            return Ok(file);
        }
        Err(Malformed::new("mark.v", "is not 1", "use a program that knows this version"))
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a file that was read or made here.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        canonical::to_bytes(self, "mark")
    }

    /// The proof, read.
    ///
    /// # Errors
    /// [`Malformed`] when it is no tlog-proof.
    pub fn proof(&self) -> Result<TlogProof, Malformed> {
        TlogProof::from_str(&self.proof)
    }
}
