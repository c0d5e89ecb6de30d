//! The one file: everything that a stranger needs but the keys that he trusts and a fresh status.

use std::str::FromStr as _;

use quorate_ledger::TlogProof;
use quorate_terms::{Digest, Malformed, canonical};
use serde::{Deserialize, Serialize};

use super::claim::Statement;
use super::dsse::{self, Envelope};

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

/// A mark on its way: signed by its assessor, or by assessor and issuer, and not yet proven in a register.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Format version, 1.
    pub v: u8,
    /// The statement with its signatures.
    pub envelope: Envelope,
    /// The results, exactly as they were digested.
    pub results: String,
    /// A registrar's signed certificate, where the claim names one.
    pub certificate: Option<Envelope>,
}

impl Proposal {
    /// Reads a proposal and its statement, and compares what the statement names with what lies beside it.
    ///
    /// # Errors
    /// [`Malformed`] for another form, other results, another certificate, or an assessor who did not sign.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Self, Statement), Malformed> {
        let bad = |why: &str| Err(Malformed::new("proposal", why, "ask the assessor for it again"));
        if bytes.len() > FILE_BYTES_MAX {
            return bad("is too large");
        }
        let read: Self = canonical::from_bytes(bytes, "proposal")?;
        let statement = Statement::from_bytes(&read.envelope.payload()?)?;
        let claim = &statement.predicate;
        if read.v != 1 || read.envelope.payload_type != dsse::IN_TOTO {
            return bad("is of another version or kind");
        }
        if statement.results() != Some(&Digest::sha256(read.results.as_bytes())) {
            return bad("holds other results than its statement names");
        }
        if read.certificate.as_ref().map(Envelope::digest).transpose()? != claim.certificate {
            return bad("holds another certificate than its statement names");
        }
        if !read.envelope.is_signed_by(&claim.assessor.key)? {
            return bad("is not signed by its assessor");
        }
        if claim.issuer.key == claim.assessor.key {
            return bad("names one key as assessor and issuer");
        }
        Ok((read, statement))
    }
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
