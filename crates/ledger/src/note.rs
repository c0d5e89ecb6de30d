//! C2SP signed-note: text, an empty line, and signature lines. Keys stay with whoever signs; here are texts and checks.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::{Malformed, PublicKey, Signature};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Refuted;
use crate::hash;

/// The longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// The most signature lines that are read.
pub const SIGNATURES_MAX: usize = 100;
/// How a signature line begins: em dash and space.
const LINE_START: &str = "\u{2014} ";

/// What a verifier key is for. The number is the C2SP signature type, part of key and key id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum KeyKind {
    /// Ed25519 over the note's text: a log's own key (0x01).
    Log,
    /// Ed25519 over a timestamped cosignature message: a witness's key (0x04, tlog-cosignature).
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A C2SP verifier key: a name, what it is for, and an Ed25519 key. As text `name+keyid+key`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: PublicKey,
}

impl VerifierKey {
    /// A key under a name of at least one character, without spaces, plus signs and control characters.
    ///
    /// # Errors
    /// [`Malformed`] for any other name.
    pub fn new(name: impl Into<String>, kind: KeyKind, key: PublicKey) -> Result<Self, Malformed> {
        let name = name.into();
        check_name(&name)?;
        Ok(Self { name, kind, key })
    }

    /// The name, which for a log is its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key itself.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The first four bytes of SHA-256 over name, newline, type and key. A hint for finding keys, not a proof.
    pub fn id(&self) -> [u8; 4] {
        let parts = [self.name.as_bytes(), b"\n", &[self.kind.byte()], self.key.as_bytes()];
        let [a, b, c, d, ..] = *hash::sha256(&parts).as_bytes();
        [a, b, c, d]
    }

    /// A signature line of this key around signature bytes.
    pub fn line(&self, bytes: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.name.clone(), id: self.id(), bytes }
    }

    /// This key's line of the note, if the note has one.
    pub fn find<'a>(&self, note: &'a Note) -> Option<&'a NoteSignature> {
        let id = self.id();
        note.signatures.iter().find(|line| line.name == self.name && line.id == id)
    }
}

/// Whether a name can be a key's, and so a log's origin.
///
/// # Errors
/// [`Malformed`] for a name that is empty, too long, or holds spaces, plus signs or control characters.
pub fn check_name(name: &str) -> Result<(), Malformed> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if !name.is_empty() && name.len() <= 256 && !name.chars().any(bad) {
        return Ok(());
    }
    let mend = "use 1 to 256 bytes without spaces, plus signs and control characters";
    Err(Malformed::new("key name", "is not a C2SP key name", mend))
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| {
            Malformed::new("verifier key", why, "copy the key as printed: `name+keyid+key`")
        };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("has fewer than three parts"));
        };
        let bytes = STANDARD.decode(key).map_err(|_| bad("is not base64"))?;
        let (kind, key) = match bytes.split_first() {
            Some((0x01, key)) => (KeyKind::Log, key),
            Some((0x04, key)) => (KeyKind::Witness, key),
            _ => return Err(bad("is neither a log key (1) nor a witness key (4)")),
        };
        let key = key.try_into().map_err(|_| bad("does not hold 32 bytes"))?;
        let key = Self::new(name, kind, PublicKey::from_bytes(key)?)?;
        if hex::encode(key.id()) == id { Ok(key) } else { Err(bad("has another key id")) }
    }
}

impl Serialize for VerifierKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VerifierKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One signature line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub id: [u8; 4],
    /// What the key's kind says: 64 bytes for a log, 72 for a witness.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_slice(), &self.bytes].concat();
        writeln!(f, "{LINE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = Malformed;

    /// Reads a line without its newline.
    fn from_str(line: &str) -> Result<Self, Malformed> {
        let bad = || {
            Malformed::new("signature line", "cannot be read", "copy the note as it was published")
        };
        let (name, data) =
            line.strip_prefix(LINE_START).ok_or_else(bad)?.split_once(' ').ok_or_else(bad)?;
        check_name(name)?;
        let data = STANDARD.decode(data).map_err(|_| bad())?;
        let (id, bytes) = data.split_first_chunk::<4>().ok_or_else(bad)?;
        if bytes.is_empty() {
            return Err(bad());
        }
        Ok(Self { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
    }
}

/// A text and the lines that sign it. Reading one verifies nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What is signed, ending in a newline.
    pub text: String,
    /// The signature lines, at least one.
    pub signatures: Vec<NoteSignature>,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| line.fmt(f))
    }
}

impl FromStr for Note {
    type Err = Malformed;

    fn from_str(note: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| Malformed::new("note", why, "copy the note as it was published");
        if note.len() > NOTE_BYTES_MAX {
            return Err(bad("is too long"));
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(bad("holds control characters"));
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or_else(|| bad("has no empty line"))?;
        let lines = lines.strip_suffix('\n').ok_or_else(|| bad("does not end in a newline"))?;
        let signatures = lines
            .split('\n')
            .take(SIGNATURES_MAX)
            .map(str::parse)
            .collect::<Result<Vec<NoteSignature>, _>>()?;
        let keys: BTreeSet<_> = signatures.iter().map(|s| (&s.name, s.id)).collect();
        if keys.len() != lines.split('\n').count() {
            return Err(bad("has two lines of one key, or too many lines"));
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

/// The line by which a log signs a note's text. `sign` returns its Ed25519 signature over the bytes that it is given.
pub fn sign(key: &VerifierKey, text: &str, sign: impl FnOnce(&[u8]) -> Signature) -> NoteSignature {
    key.line(sign(text.as_bytes()).as_bytes().to_vec())
}

/// Checks a log's line over the note's text.
///
/// # Errors
/// [`Refuted`] when the line is missing or does not verify.
pub fn verify(key: &VerifierKey, note: &Note) -> Result<(), Refuted> {
    let no = |why: &str| Refuted::new(format!("signature of `{}`", key.name), why);
    let line = key.find(note).ok_or_else(|| no("is missing"))?;
    let bytes: [u8; 64] =
        line.bytes.as_slice().try_into().map_err(|_| no("does not have 64 bytes"))?;
    if key.kind != KeyKind::Log {
        return Err(no("is by a key that is not a log's"));
    }
    if key.key.verifies_bytes(note.text.as_bytes(), &Signature::from_bytes(bytes)) {
        return Ok(());
    }
    Err(no("does not verify"))
}

#[cfg(test)]
mod tests;
