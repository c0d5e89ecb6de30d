//! C2SP tlog-witness: what a log sends to a witness, and the witness's judgment. The witness's key and disk stay with it.

use std::fmt;
use std::str::FromStr;

use quorate_terms::{Digest, Malformed};

use crate::checkpoint::Checkpoint;
use crate::error::{Error, Refuted};
use crate::hash;
use crate::note::{Note, VerifierKey};
use crate::proof;

/// The body of `add-checkpoint`: the size that the log believes the witness to know, the proof from there, the note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the proof begins at; 0 for a witness that knows none.
    pub old: u64,
    /// The consistency proof from `old`.
    pub proof: Vec<Digest>,
    /// The checkpoint, signed by the log.
    pub note: Note,
}

impl AddCheckpoint {
    /// Judges it as a witness that pinned `log` and last cosigned `known`. What is given back may be cosigned once it is
    /// durable.
    ///
    /// # Errors
    /// [`Error`] when the log did not sign it, or nothing proves that it extends `known`.
    pub fn judge(
        &self,
        log: &VerifierKey,
        known: Option<&Checkpoint>,
    ) -> Result<Checkpoint, Error> {
        let shown = Checkpoint::open(&self.note, log)?;
        let no = |why: String| Err(Refuted::new("checkpoint", why).into());
        let knows = known.map_or(0, |known| known.size);
        if self.old != knows {
            return no(format!(
                "proves from {} entries and the witness knows {knows}; prove from there",
                self.old
            ));
        }
        let first = Checkpoint { origin: shown.origin.clone(), size: 0, root: hash::empty_root() };
        match known.unwrap_or(&first).extends_to(&shown, &self.proof) {
            Ok(()) => Ok(shown),
            Err(divergence) => no(divergence.to_string()),
        }
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash::to_base64(hash)))?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for AddCheckpoint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| Malformed::new("add-checkpoint", why, "ask the log for it again");
        let (head, note) = text.split_once("\n\n").ok_or_else(|| bad("has no checkpoint"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.ok_or_else(|| bad("has no old size"))?;
        let number = old.parse::<u64>().map_err(|_| bad("has no old size"))?;
        if number.to_string() != old || lines.clone().count() > proof::PROOF_HASHES_MAX {
            return Err(bad("has an old size with leading zeros, or too long a proof"));
        }
        let proof = lines.map(hash::from_base64).collect::<Result<_, _>>()?;
        Ok(Self { old: number, proof, note: note.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{note, pinned};
    use crate::tree::Tree;
    use proptest::prelude::*;

    fn tree(salt: u8, size: u8) -> Tree {
        let mut tree = Tree::new();
        (0..size).for_each(|n| tree.push(hash::leaf(&[salt, n])));
        tree
    }

    fn at(tree: &Tree, size: u64) -> Checkpoint {
        let origin = pinned(2, 2).log.name().to_owned();
        Checkpoint { origin, size, root: tree.root_at(size).unwrap() }
    }

    fn asked(tree: &Tree, old: u64, new: u64) -> AddCheckpoint {
        let proof = if old == 0 { Vec::new() } else { proof::consistency(tree, old, new).unwrap() };
        AddCheckpoint { old, proof, note: note(new, tree.root_at(new).unwrap(), &[]) }
    }

    #[test]
    fn a_witness_takes_what_extends_what_it_knows_and_nothing_else() {
        let (log, one, other) = (pinned(2, 2).log, tree(0, 9), tree(1, 9));
        let knows = at(&one, 5);
        let good = asked(&one, 5, 9);
        assert_eq!(good.judge(&log, Some(&knows)).unwrap(), at(&one, 9));
        assert_eq!(asked(&one, 0, 5).judge(&log, None).unwrap(), knows);
        let refused = [
            (asked(&other, 5, 9), Some(&knows), "stop signing"),
            (asked(&one, 3, 9), Some(&knows), "the witness knows 5"),
            (asked(&one, 0, 9), Some(&knows), "the witness knows 5"),
            (asked(&one, 5, 9), None, "the witness knows 0"),
            (asked(&other, 5, 5), Some(&knows), "two histories"),
        ];
        for (asked, known, why) in refused {
            let said = asked.judge(&log, known).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        let mut shrunk = asked(&one, 0, 4);
        shrunk.old = 5;
        assert!(shrunk.judge(&log, Some(&knows)).unwrap_err().to_string().contains("stop signing"));
    }

    #[test]
    fn a_request_is_read_as_it_is_written_and_no_flipped_bit_is_taken() {
        let (log, tree) = (pinned(2, 2).log, tree(0, 9));
        let text = asked(&tree, 5, 9).to_string();
        assert_eq!(text.parse::<AddCheckpoint>().unwrap(), asked(&tree, 5, 9));
        for at_byte in 0..text.len() {
            let mut bad = text.clone().into_bytes();
            bad[at_byte] ^= 1;
            let taken = String::from_utf8(bad).is_ok_and(|text| {
                let read = text.parse::<AddCheckpoint>();
                read.is_ok_and(|read| read.judge(&log, Some(&at(&tree, 5))).is_ok())
            });
            assert!(!taken, "byte {at_byte}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(old )?[0-9]{0,3}\n[A-Za-z=\n \u{2014}]{0,80}") {
            let _ = text.parse::<AddCheckpoint>();
        }
    }
}
