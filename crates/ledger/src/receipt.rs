//! A receipt: entries of one case, each proven to stand in one witnessed log (`docs/spec/receipt.md`).
//!
//! What the entries mean is for the reader; here is only that they are in the book, and where.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quorate_terms::{CaseId, Digest, Malformed, VaultId, canonical};
use serde::{Deserialize, Serialize};

use crate::chain::{Header, entry_digest};
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Misuse, Refuted};
use crate::hash;
use crate::note::Note;
use crate::policy::{LogPolicy, Witnessed};
use crate::proof;
use crate::tlog_proof::TlogProof;
use crate::tree::ReadHashes;

/// The most entries in a receipt. A case has some tens.
pub const RECEIPT_ENTRIES_MAX: usize = 512;

/// Entries of one case with their proofs, as a file. Reading one verifies nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// The case that it tells of.
    pub case: CaseId,
    /// The entries, by rising index.
    pub entries: Vec<ReceiptEntry>,
    /// The checkpoint note that all of them are proven against.
    pub checkpoint: String,
}

/// One entry with its proof.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptEntry {
    /// Place in the ledger.
    pub index: u64,
    /// The canonical bytes, in standard base64.
    pub entry: String,
    /// The inclusion proof, leaf end first.
    pub path: Vec<Digest>,
}

/// What a receipt has proven of itself: the head of the book, and bytes that stand in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedReceipt {
    /// The case that the receipt names. A claim: compare it with what the entries say.
    pub case: CaseId,
    /// The witnessed head.
    pub head: Witnessed,
    /// Each entry's index and canonical bytes, by rising index.
    pub entries: Vec<(u64, Vec<u8>)>,
}

impl Receipt {
    /// Makes a receipt of entries that stand in the log under the checkpoint of `note`.
    ///
    /// # Errors
    /// [`Misuse`] for a note that is no checkpoint, no entries, too many, or entries that do not rise; else whatever the store
    /// fails with.
    pub fn make<R: ReadHashes>(
        hashes: &R,
        (vault, case): (VaultId, CaseId),
        entries: &[(u64, Vec<u8>)],
        note: &Note,
    ) -> Result<Self, R::Error> {
        let checkpoint: Checkpoint =
            note.text.parse().map_err(|e: Malformed| Misuse::new(e.to_string()))?;
        check_order(entries.iter().map(|(index, _)| *index)).map_err(Misuse::new)?;
        let one = |(index, bytes): &(u64, Vec<u8>)| {
            let path = proof::inclusion(hashes, *index, checkpoint.size)?;
            Ok(ReceiptEntry { index: *index, entry: STANDARD.encode(bytes), path })
        };
        let entries = entries.iter().map(one).collect::<Result<_, R::Error>>()?;
        Ok(Self { v: 1, vault, case, entries, checkpoint: note.to_string() })
    }

    /// Reads a receipt, refusing every encoding but the canonical one.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let receipt: Self = canonical::from_bytes(bytes, "receipt")?;
        if receipt.v == 1 {
            return Ok(receipt);
        }
        Err(Malformed::new("receipt.v", "is not 1", "use a program that knows this version"))
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a receipt.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        canonical::to_bytes(self, "receipt")
    }

    /// Checks the checkpoint against the policy, and that every entry stands in it at its index.
    ///
    /// # Errors
    /// [`Error::Malformed`] for parts that cannot be read, [`Error::Refuted`] for a false claim.
    pub fn verify(&self, policy: &LogPolicy) -> Result<VerifiedReceipt, Error> {
        if self.vault != policy.vault {
            let why = format!("is of the vault `{}`", self.vault);
            return Err(Refuted::new("receipt", why).into());
        }
        check_order(self.entries.iter().map(|e| e.index))
            .map_err(|why| Refuted::new("receipt", why))?;
        let head = policy.open(&self.checkpoint)?;
        let open = |entry: &ReceiptEntry| entry.open(&self.vault, &head.checkpoint);
        let entries = self.entries.iter().map(open).collect::<Result<Vec<_>, Error>>()?;
        check_links(&entries)?;
        Ok(VerifiedReceipt { case: self.case, head, entries })
    }

    /// The proof of one entry in the C2SP tlog-proof format, if the receipt holds that entry.
    pub fn tlog_proof(&self, index: u64) -> Option<TlogProof> {
        let entry = self.entries.iter().find(|e| e.index == index)?;
        let (path, checkpoint) = (entry.path.clone(), self.checkpoint.clone());
        Some(TlogProof { index, path, checkpoint })
    }
}

impl ReceiptEntry {
    fn open(&self, vault: &VaultId, head: &Checkpoint) -> Result<(u64, Vec<u8>), Error> {
        let bad = || Malformed::new("receipt.entry", "is not base64", "ask for the receipt again");
        let no = |why: &str| Refuted::new(format!("entry {}", self.index), why);
        let bytes = STANDARD.decode(&self.entry).map_err(|_| bad())?;
        let header = Header::read(&bytes)?;
        if header.index != self.index || header.vault != vault.as_str() {
            return Err(no("says another index or vault than the receipt").into());
        }
        let leaf = hash::leaf(&bytes);
        proof::verify_inclusion(&leaf, self.index, head.size, &self.path, &head.root)?;
        Ok((self.index, bytes))
    }
}

fn check_order(indexes: impl Iterator<Item = u64>) -> Result<(), &'static str> {
    let (mut count, mut last) = (0usize, None);
    for index in indexes {
        if last.is_some_and(|last| index <= last) {
            return Err("its entries do not rise");
        }
        last = Some(index);
        count = count.saturating_add(1);
    }
    if (1..=RECEIPT_ENTRIES_MAX).contains(&count) {
        Ok(())
    } else {
        Err("it holds no entries, or too many")
    }
}

/// Entries that stand next to each other must also name each other.
fn check_links(entries: &[(u64, Vec<u8>)]) -> Result<(), Error> {
    for ((before, first), (index, second)) in entries.iter().zip(entries.iter().skip(1)) {
        let adjacent = before.checked_add(1) == Some(*index);
        if adjacent && Header::read(second)?.prev != entry_digest(first) {
            let claim = format!("entry {index}");
            return Err(Refuted::new(claim, "does not name the entry before it").into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
