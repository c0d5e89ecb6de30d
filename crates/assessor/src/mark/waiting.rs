//! A claim that waits for its auditor's signature: a file that goes to where the key is, and the answer that comes back as one
//! line. What is signed is the statement; the audit beside it only says where the answer goes.

use quorate_terms::strict::{self, Limits, Refused};
use quorate_terms::{Malformed, Signature, canonical};
use serde::{Deserialize, Serialize};

use super::claim::Statement;
use super::dsse::{self, Envelope, Signer};

/// The longest file that is read, in bytes.
pub const CLAIM_BYTES_MAX: usize = 1024 * 1024;
/// How deep values of a file may stand in one another.
const DEPTH: usize = 64;

/// A claim before its signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingClaim {
    /// Format version, 1.
    pub v: u8,
    /// The audit that it was composed for.
    pub audit: String,
    /// What is claimed.
    pub statement: Statement,
}

impl WaitingClaim {
    /// A claim for an audit.
    pub fn new(audit: &str, statement: Statement) -> Self {
        Self { v: 1, audit: audit.to_owned(), statement }
    }

    /// Reads a file, which may have been laid out anew by other tools.
    ///
    /// # Errors
    /// [`Malformed`] naming the reason, as [`Statement::from_bytes`] too.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let bad = |why: &str| Malformed::new("waiting claim", why, "compose the claim again");
        let limits = Limits { bytes: CLAIM_BYTES_MAX, depth: DEPTH };
        let value = strict::read(bytes, limits).map_err(|refused| match refused {
            Refused::TooLarge => bad("is too large"),
            Refused::Unreadable(why) => bad(&format!("is no strict JSON: {why}")),
        })?;
        let canonical = canonical::to_bytes(&value, "waiting claim")?;
        let read: Self = canonical::from_bytes(&canonical, "waiting claim")?;
        if read.v != 1 {
            return Err(bad("is of another version"));
        }
        Statement::from_bytes(&read.statement.to_bytes()?)?;
        Ok(read)
    }

    /// The bytes that its auditor signs.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a claim that was made or read here.
    pub fn to_sign(&self) -> Result<Vec<u8>, Malformed> {
        Ok(dsse::to_sign(dsse::IN_TOTO, &self.statement.to_bytes()?))
    }

    /// The statement in the envelope that its assessor's signature makes. Whether that is true, who reads the envelope says.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a claim that was made or read here.
    pub fn answered(&self, signature: Signature) -> Result<Envelope, Malformed> {
        let sign = |_: &[u8]| signature;
        let signer = Signer { key: self.statement.predicate.assessor.key, sign: &sign };
        Ok(Envelope::seal(dsse::IN_TOTO, &self.statement.to_bytes()?, &[signer]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::statement;
    use super::*;

    #[test]
    fn a_file_comes_back_as_it_was_and_only_in_its_own_form() {
        let one = WaitingClaim::new("audit-1", statement());
        let bytes = canonical::to_bytes(&one, "claim").unwrap();
        assert_eq!(WaitingClaim::from_bytes(&bytes).unwrap(), one);
        let laid_out = serde_json::to_vec_pretty(&one).unwrap();
        assert_eq!(WaitingClaim::from_bytes(&laid_out).unwrap(), one, "by another tool");
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in [
            ("{\"audit\":", "{\"audit\":\"other\",\"audit\":"),
            ("\"v\":1}", "\"v\":2}"),
            ("\"v\":1}", "\"v\":1,\"more\":1}"),
            ("in-toto.io/Statement/v1", "in-toto.io/Statement/v2"),
        ] {
            let bent = text.replace(from, to);
            assert_ne!(bent, text, "{from}");
            assert!(WaitingClaim::from_bytes(bent.as_bytes()).is_err(), "{to}");
        }
        let long = " ".repeat(CLAIM_BYTES_MAX) + &text;
        assert!(WaitingClaim::from_bytes(long.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn bytes_from_outside_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = WaitingClaim::from_bytes(&bytes);
        }
    }
}
