//! DSSE v1 envelopes (Dead Simple Signing Envelope): a payload type, a payload, and signatures over both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::{Digest, Malformed, PublicKey, Signature, canonical};
use serde::{Deserialize, Serialize};

/// The payload type of an in-toto statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The payload type of a status list.
pub const STATUS_LIST: &str = "application/vnd.quorate.status-list+json";

/// The most signatures that an envelope may carry.
const SIGNATURES_MAX: usize = 16;

/// A signed payload. In JSON as DSSE says: `payloadType`, `payload` (base64), `signatures`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// What the payload is.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// Standard base64 of the payload.
    pub payload: String,
    /// One for each signer.
    pub signatures: Vec<Line>,
}

/// One signature of an envelope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The public key as text. A hint: a verifier goes by the keys that it has pinned.
    pub keyid: String,
    /// Standard base64 of 64 bytes.
    pub sig: String,
}

/// Somebody who signs: a public key, and a function from bytes to its signature. The key itself stays with the caller.
pub struct Signer<'a> {
    /// The public key.
    pub key: PublicKey,
    /// Signs these bytes.
    pub sign: &'a dyn Fn(&[u8]) -> Signature,
}

impl Envelope {
    /// Signs `payload` by each signer in turn.
    pub fn seal(payload_type: &str, payload: &[u8], signers: &[Signer<'_>]) -> Self {
        let message = to_sign(payload_type, payload);
        let line = |signer: &Signer<'_>| Line {
            keyid: signer.key.to_string(),
            sig: STANDARD.encode((signer.sign)(&message).as_bytes()),
        };
        Self {
            payload_type: payload_type.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: signers.iter().map(line).collect(),
        }
    }

    /// The envelope with one more signature, by somebody who has looked at the payload. Signing twice changes nothing.
    ///
    /// # Errors
    /// [`Malformed`] when the payload is not base64 or there is no room.
    pub fn cosigned(mut self, signer: &Signer<'_>) -> Result<Self, Malformed> {
        let message = to_sign(&self.payload_type, &self.payload()?);
        let keyid = signer.key.to_string();
        self.signatures.retain(|line| line.keyid != keyid);
        if self.signatures.len() >= SIGNATURES_MAX {
            let mend = format!("at most {SIGNATURES_MAX} keys sign one payload");
            return Err(Malformed::new("envelope", "has too many signatures", mend));
        }
        let sig = STANDARD.encode((signer.sign)(&message).as_bytes());
        self.signatures.push(Line { keyid, sig });
        Ok(self)
    }

    /// The payload's bytes.
    ///
    /// # Errors
    /// [`Malformed`] when it is not base64.
    pub fn payload(&self) -> Result<Vec<u8>, Malformed> {
        STANDARD.decode(&self.payload).map_err(|_| {
            Malformed::new("envelope.payload", "is not base64", "export the envelope again")
        })
    }

    /// Whether `key` signed this payload as this type. A line that names the key and does not verify is a no, whatever
    /// other lines say.
    ///
    /// # Errors
    /// [`Malformed`] when payload or signature cannot be read, or there are too many signatures.
    pub fn is_signed_by(&self, key: &PublicKey) -> Result<bool, Malformed> {
        if self.signatures.len() > SIGNATURES_MAX {
            let why = format!("has more than {SIGNATURES_MAX} signatures");
            return Err(Malformed::new("envelope", why, "export the envelope again"));
        }
        let message = to_sign(&self.payload_type, &self.payload()?);
        let name = key.to_string();
        let mut lines = self.signatures.iter().filter(|line| line.keyid == name).peekable();
        if lines.peek().is_none() {
            return Ok(false);
        }
        for line in lines {
            if !key.verifies_bytes(&message, &line.signature()?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Plain SHA-256 of the envelope's canonical bytes: the name by which a register and a badge know it.
    ///
    /// # Errors
    /// [`Malformed`] never happens for an envelope that was read.
    pub fn digest(&self) -> Result<Digest, Malformed> {
        Ok(Digest::sha256(&canonical::to_bytes(self, "envelope")?))
    }
}

impl Line {
    fn signature(&self) -> Result<Signature, Malformed> {
        let bad = || Malformed::new("envelope.sig", "is not 64 bytes as base64", "export it again");
        let bytes = STANDARD.decode(&self.sig).map_err(|_| bad())?;
        Ok(Signature::from_bytes(bytes.try_into().map_err(|_| bad())?))
    }
}

/// The bytes that are signed. DSSE's pre-authentication encoding: lengths in decimal, so that no two inputs give the same bytes.
pub fn to_sign(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // The example of the DSSE protocol document.
        let made = to_sign("http://example.com/HelloWorld", b"hello world");
        assert_eq!(made, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
