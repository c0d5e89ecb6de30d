//! What people and registrars sign. Only a registrar's signed certificate on file lets anybody say "certified".

use quorate_terms::digest::tag;
use quorate_terms::{Digest, Malformed, PublicKey, Timestamp, canonical};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ccss::designation::Designation;
use crate::ccss::inherit::Pin;
use crate::mark::Envelope;

/// The payload type of a registrar's certificate.
pub const CERTIFICATE: &str = "application/vnd.quorate.certificate+json";
/// The payload type of an accreditation.
pub const ACCREDITATION: &str = "application/vnd.quorate.accreditation+json";

/// What a party of an audit signs: the audit, what is signed, by whom, and its digest.
///
/// # Errors
/// [`Malformed`] never happens.
pub fn to_sign(audit: &str, what: &str, person: &str, body: &Digest) -> Result<Digest, Malformed> {
    Ok(Digest::of(tag::AUDIT, &canonical::to_bytes(&(audit, what, person, body), "audit")?))
}

/// What a person signs to take a step: the audit, how many steps were taken before, the person, the record. A signature of one
/// place fits no other.
///
/// # Errors
/// [`Malformed`] never happens.
pub fn step_to_sign(
    audit: &str,
    before: usize,
    person: &str,
    record: &super::record::Record,
) -> Result<Digest, Malformed> {
    to_sign(audit, "step", person, &digest_of(&(before, record))?)
}

/// What a person signs to be let in at an office's pages: the office, the address that shows the challenge, the person, the
/// challenge. An answer for one address opens no other.
///
/// # Errors
/// [`Malformed`] never happens.
pub fn visit_to_sign(
    office: &str,
    at: &str,
    person: &str,
    challenge: &str,
) -> Result<Digest, Malformed> {
    to_sign(office, "visit", person, &digest_of(&(at, challenge))?)
}

/// SHA-256 of the canonical bytes: the name by which an audit knows a paper.
///
/// # Errors
/// [`Malformed`] when the value has no JSON form.
pub fn digest_of<T: Serialize>(paper: &T) -> Result<Digest, Malformed> {
    Ok(Digest::sha256(&canonical::to_bytes(paper, "paper")?))
}

/// A registrar's certificate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Format version, 1.
    pub v: u8,
    /// The registrar's number for it.
    pub number: String,
    /// The audited body.
    pub entity: String,
    /// The certified system.
    pub system: String,
    /// The standard.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// As what.
    pub designation: Designation,
    /// The rank of the level.
    pub level: u8,
    /// The summary that it rests on.
    pub summary: Digest,
    /// First instant.
    pub valid_from: Timestamp,
    /// Last.
    pub valid_until: Timestamp,
}

/// That a scheme lets somebody audit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accreditation {
    /// Format version, 1.
    pub v: u8,
    /// The scheme's number for it.
    pub number: String,
    /// Who may audit.
    pub name: String,
    /// His key.
    pub key: PublicKey,
    /// Against which standard.
    pub standard: String,
    /// First instant.
    pub valid_from: Timestamp,
    /// Last.
    pub valid_until: Timestamp,
}

/// Something signed outside, as it came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The envelope.
    pub envelope: Envelope,
}

/// Opens an envelope of one type that a pinned key signed; gives the payload and the pinned name.
///
/// # Errors
/// [`Malformed`] for another type, no pinned signature, or a payload that is not canonical.
pub fn open<T: Serialize + DeserializeOwned>(
    envelope: &Envelope,
    payload_type: &str,
    pins: &[Pin],
) -> Result<(T, String), Malformed> {
    let bad = |why: &str, mend: &str| Malformed::new("envelope", why, mend);
    if envelope.payload_type != payload_type {
        return Err(bad("is something else", "give what the registrar signed for this step"));
    }
    for pin in pins {
        if envelope.is_signed_by(&pin.key)? {
            let payload = canonical::from_bytes(&envelope.payload()?, "envelope.payload")?;
            return Ok((payload, pin.name.clone()));
        }
    }
    Err(bad(
        "is signed by no registrar that is pinned",
        "pin the registrar's key, or ask who signed it",
    ))
}
