//! One book of a pack, as far as pinned keys prove it: its checkpoint, its earlier heads, its entries.

use std::collections::BTreeMap;

use quorate_ledger::policy::own_key;
use quorate_ledger::{Checkpoint, Header, Note, VerifierKey, hash, proof};
use quorate_terms::{Malformed, canonical};
use serde_json::Value as Json;

use super::Pins;
use crate::evidence::speaks_of_itself;
use crate::finding::Head;
use crate::pack::container::Files;
use crate::pack::manifest::{Book, Proven, hashes};

/// The most entries of one book that a pack may show.
const ENTRIES_MAX: usize = 200_000;

/// A book as far as it was proven.
pub(super) struct Shown {
    /// Entries that are shown, by place.
    pub(super) entries: BTreeMap<u64, String>,
    /// Earlier heads that its checkpoint extends.
    pub(super) heads: Vec<Head>,
}

/// One book: its checkpoint under pinned keys, its earlier heads, its entries.
pub(super) fn shown(files: &Files, book: &Book, pins: &Pins) -> Result<(Shown, String), String> {
    let text = |name: &String| {
        let bytes = files.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
        std::str::from_utf8(bytes).map_err(|_| format!("`{name}` is not text"))
    };
    let note = text(&book.checkpoint)?;
    let (head, whose, by) = opened(note, &book.origin, pins)?;
    let mut heads = Vec::new();
    for reached in &book.heads {
        let earlier =
            Checkpoint { origin: book.origin.clone(), size: reached.size, root: reached.root };
        let path = hashes(&reached.proof).map_err(|e| e.to_string())?;
        earlier.extends_to(&head, &path).map_err(|e| e.to_string())?;
        heads.push(Head { book: book.origin.clone(), size: reached.size, root: reached.root });
    }
    let entries = entries(text(&book.entries)?, &head, whose)?;
    let says =
        format!("`{}`: {} cited of {} entries, under {by}", book.origin, entries.len(), head.size);
    Ok((Shown { entries, heads }, says))
}

/// Whose entries a book may hold.
#[derive(Clone, Copy)]
enum Whose<'a> {
    /// The vault's.
    Vault(&'a str),
    /// The vault's cosigner, of itself.
    Cosigner(&'a str, &'a str),
    /// The office's own.
    Office,
}

impl Whose<'_> {
    /// Whether an entry of this vault with this body has a place here.
    fn takes(self, vault: &str, entry: &str) -> Result<(), &'static str> {
        match self {
            Self::Vault(own) | Self::Cosigner(own, _) if own != vault => {
                Err("is of another place or vault")
            }
            Self::Cosigner(_, cosigner) => {
                let entry: Json = canonical::from_bytes(entry.as_bytes(), "entry")
                    .map_err(|_| "is not canonical")?;
                let heard = entry.get("body").is_some_and(|body| speaks_of_itself(cosigner, body));
                heard.then_some(()).ok_or("is not about the cosigner whose word it is")
            }
            Self::Vault(_) | Self::Office => Ok(()),
        }
    }
}

/// The checkpoint of a book under pinned keys: a vault's under its log and witnesses, a cosigner's own under the key with which
/// it witnesses, the office's own under the office's.
fn opened<'a>(
    note: &str,
    origin: &str,
    pins: &'a Pins,
) -> Result<(Checkpoint, Whose<'a>, String), String> {
    let signed = |key: &VerifierKey| -> Result<Checkpoint, String> {
        let note: Note = note.parse().map_err(|e: Malformed| e.to_string())?;
        Checkpoint::open(&note, key).map_err(|e| e.to_string())
    };
    for policy in &pins.books {
        let vault = policy.vault.as_str();
        if policy.log.name() == origin {
            let witnessed = policy.open(note).map_err(|e| e.to_string())?;
            let by = format!("{} witnesses", witnessed.witnesses.len());
            return Ok((witnessed.checkpoint, Whose::Vault(vault), by));
        }
        let seat = policy.witnesses.iter().find(|witness| witness.key.name() == origin);
        if let Some(seat) = seat {
            let within = |name: &'a str| name.strip_prefix(policy.log.name())?.strip_prefix('/');
            let cosigner = within(seat.key.name()).ok_or("a witness of this name has no book")?;
            let key = own_key(&seat.key).map_err(|e| e.to_string())?;
            let by = format!("the own key of cosigner `{cosigner}`");
            return Ok((signed(&key)?, Whose::Cosigner(vault, cosigner), by));
        }
    }
    if origin == pins.office.name() {
        return Ok((signed(&pins.office)?, Whose::Office, "the office's own key".to_owned()));
    }
    Err("no policy for this book was given".to_owned())
}

fn entries(
    text: &str,
    head: &Checkpoint,
    whose: Whose<'_>,
) -> Result<BTreeMap<u64, String>, String> {
    let mut entries = BTreeMap::new();
    for line in text.lines() {
        let proven: Proven =
            canonical::from_bytes(line.as_bytes(), "entry").map_err(|e| e.to_string())?;
        let index = proven.index;
        let path = hashes(&proven.path).map_err(|e| e.to_string())?;
        let leaf = hash::leaf(proven.entry.as_bytes());
        proof::verify_inclusion(&leaf, index, head.size, &path, &head.root)
            .map_err(|e| e.to_string())?;
        let header = Header::read(proven.entry.as_bytes()).map_err(|e| e.to_string())?;
        if header.index != index {
            return Err(format!("entry {index} is of another place or vault"));
        }
        whose.takes(header.vault, &proven.entry).map_err(|why| format!("entry {index} {why}"))?;
        if entries.len() >= ENTRIES_MAX || entries.insert(index, proven.entry).is_some() {
            return Err(format!("entry {index} is there twice, or there are too many"));
        }
    }
    Ok(entries)
}
