//! A snapshot of what a cosigner folded from its own ledger, so that a restart reads only the tail. The cosigner signs it,
//! and goes on from none but its own.
//!
//! A blob is the owner's signature on a line, then what is signed, as JSON.

use quorate_custody::snapshot::other_form;
use quorate_custody::{Charter, Memory, Refusal};
use quorate_terms::digest::tag;
use quorate_terms::{CosignerId, Digest, PublicKey, Signature};
use serde::{Deserialize, Serialize};

use super::own::{Notes, OwnBook};

/// The form of what is signed. A snapshot of another form is not used.
const FORM: u8 = 1;

/// What a cosigner knows from its own ledger alone.
#[derive(Clone, Debug)]
pub struct OwnFold {
    /// The head.
    pub book: OwnBook,
    /// The charter, with all that was marked, frozen and barred.
    pub charter: Charter,
    /// What the book is to be told.
    pub notes: Notes,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    cosigner: &'a CosignerId,
    book: &'a OwnBook,
    memory: &'a Memory,
    notes: &'a Notes,
}

/// The form alone, whatever else there is.
#[derive(Deserialize)]
struct Form {
    v: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    /// Read before as [`Form`]; here so that it is no unknown field.
    #[serde(rename = "v")]
    _v: u8,
    cosigner: CosignerId,
    book: OwnBook,
    memory: Memory,
    notes: Notes,
}

/// The fold as bytes under its owner's signature. `sign` signs a digest with the identity key of `me`.
///
/// # Errors
/// [`Refusal`] never happens for a fold of entries.
pub fn write(
    me: &CosignerId,
    (book, charter, notes): (&OwnBook, &Charter, &Notes),
    sign: impl FnOnce(&Digest) -> Signature,
) -> Result<Vec<u8>, Refusal> {
    let written = Written { v: FORM, cosigner: me, book, memory: charter.memory(), notes };
    let body = serde_json::to_vec(&written).map_err(|e| bad(&e.to_string()))?;
    let signature = sign(&Digest::of(tag::OWN_SNAPSHOT, &body)).to_string();
    Ok([signature.as_bytes(), b"\n", &body].concat())
}

/// What a snapshot holds, if `owner` signed it for `me` and this vault. `charter` is the founding one, with nothing folded.
///
/// # Errors
/// [`Refusal`] for bytes that are no snapshot of this cosigner: fold the whole ledger then, and raise an alarm; with the code
/// [`quorate_custody::snapshot::OTHER_FORM`] for what it signed under another version of this program, which is no alarm.
pub fn read(
    me: &CosignerId,
    charter: Charter,
    owner: &PublicKey,
    bytes: &[u8],
) -> Result<OwnFold, Refusal> {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (signature, body) = parts.next().zip(parts.next()).ok_or_else(|| bad("it is cut short"))?;
    let signature = std::str::from_utf8(signature).ok().and_then(|text| text.parse().ok());
    let digest = Digest::of(tag::OWN_SNAPSHOT, body);
    if !signature.is_some_and(|signature| owner.verifies(&digest, &signature)) {
        return Err(bad("this cosigner did not sign it"));
    }
    let form: Form = serde_json::from_slice(body).map_err(|e| bad(&e.to_string()))?;
    if form.v != FORM {
        return Err(other_form());
    }
    let read: Read = serde_json::from_slice(body).map_err(|e| bad(&e.to_string()))?;
    let ours = read.cosigner == *me && *read.book.vault() == charter.text().vault;
    if !ours {
        return Err(bad("it is of another cosigner or vault"));
    }
    let charter = charter.recalling(read.memory);
    Ok(OwnFold { book: read.book, charter, notes: read.notes })
}

fn bad(why: &str) -> Refusal {
    let next = "find out who changed this cosigner's disk; the whole own ledger is read instead";
    Refusal::new("bad_snapshot", format!("the snapshot of the own ledger is not used: {why}"), next)
}
