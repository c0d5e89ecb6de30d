//! What this approver remembers of the book's heads between runs, so that a desk cannot take anything back.

use quorate_custody::{Follower, Refusal, witness};
use quorate_host::random::Random;
use quorate_host::secret_file;
use quorate_ledger::{Checkpoint, Note, cosignature, policy};
use quorate_terms::charter::CharterText;
use quorate_terms::{CosignerId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::home::{Home, read_text};
use crate::trouble::{Done, Trouble};

/// The notes that were verified here.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    /// The last checkpoint that was verified against the replica.
    pub(crate) checkpoint: Option<String>,
    /// The largest that at least one cosigner had witnessed.
    pub(crate) witnessed: Option<String>,
}

/// A checkpoint that the log signed and that is the replica's own, with the witnesses whose cosignatures verify.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Witnessed {
    /// How many entries.
    pub(crate) size: u64,
    /// Who cosigned it, and when by the witness's own clock.
    pub(crate) by: Vec<(CosignerId, Timestamp)>,
}

impl Memory {
    /// Reads what is remembered; nothing before the first run.
    pub(crate) fn load(home: &Home) -> Done<Self> {
        if !home.memory().exists() {
            return Ok(Self::default());
        }
        parse(&read_text(&home.memory())?)
    }

    /// Makes it durable.
    pub(crate) fn save(&self, home: &Home, random: Random) -> Done<()> {
        let bytes = quorate_terms::canonical::to_bytes(self, "checkpoints")?;
        Ok(secret_file::replace(&home.memory(), &bytes, random)?)
    }

    /// The checkpoint that every later book must pass through.
    pub(crate) fn known(&self) -> Done<Option<Checkpoint>> {
        self.checkpoint.as_deref().map(unverified).transpose()
    }

    /// How many entries a witness has vouched for.
    pub(crate) fn witnessed_size(&self) -> Done<u64> {
        let note = self.witnessed.as_deref().map(unverified).transpose()?;
        Ok(note.map_or(0, |checkpoint| checkpoint.size))
    }
}

fn parse(text: &str) -> Done<Memory> {
    serde_json::from_str(text).map_err(|e| {
        let message = format!("the remembered checkpoints cannot be read ({e})");
        let next = "restore checkpoints.json from the backup; without it a rollback cannot be seen";
        Trouble::fault("fault", message, next)
    })
}

/// The checkpoint in a note, whoever signed it.
pub(crate) fn unverified(note: &str) -> Done<Checkpoint> {
    let note: Note = note.parse()?;
    Ok(note.text.parse()?)
}

/// Checks that a note is the log's own under the charter, and says whose it would be otherwise.
pub(crate) fn opened(note: &str, charter: &CharterText) -> Done<Checkpoint> {
    let note: Note = note.parse()?;
    Ok(Checkpoint::open(&note, &witness::log_key(charter)?)?)
}

/// Checks a note against the replica: the log's signature, size and root, and every cosigner's line on it.
///
/// A seated cosigner's line that does not verify refutes the whole note.
pub(crate) fn verify(note: &str, follower: &Follower) -> Done<Witnessed> {
    let head = follower.head(note)?;
    let charter = follower.book().charter();
    let note: Note = note.parse()?;
    let mut by = Vec::new();
    for seat in &charter.cosigners {
        let key = policy::witness_key(&charter.log.origin, seat)?;
        if key.find(&note).is_none() {
            continue;
        }
        let time_s = cosignature::verify(&key, &note).map_err(|e| {
            let next = "keep the checkpoint as evidence and call the operators";
            Refusal::new("bad_witness", e.to_string(), next)
        })?;
        by.push((seat.cosigner.clone(), Timestamp::ZERO.plus_s(time_s)));
    }
    Ok(Witnessed { size: head.size, by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_reading_notes_panic(text in ".*") {
            let _any = (parse(&text), unverified(&text));
        }
    }
}
