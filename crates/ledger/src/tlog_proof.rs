//! C2SP tlog-proof: one entry's index, path and checkpoint as text that other people's tools verify.

use std::fmt;
use std::str::FromStr;

use quorate_terms::{Digest, Malformed};

use crate::error::Error;
use crate::hash;
use crate::policy::{LogPolicy, Witnessed};
use crate::proof;

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";

/// A proof that an entry stands in a witnessed log. It does not hold the entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlogProof {
    /// The entry's place.
    pub index: u64,
    /// From the leaf to the root.
    pub path: Vec<Digest>,
    /// The checkpoint note.
    pub checkpoint: String,
}

impl TlogProof {
    /// Checks that these entry bytes stand in the log under a checkpoint that satisfies the policy.
    ///
    /// # Errors
    /// As [`LogPolicy::open`] and [`proof::verify_inclusion`].
    pub fn verify(&self, entry: &[u8], policy: &LogPolicy) -> Result<Witnessed, Error> {
        let witnessed = policy.open(&self.checkpoint)?;
        let Witnessed { checkpoint, .. } = &witnessed;
        let leaf = hash::leaf(entry);
        proof::verify_inclusion(&leaf, self.index, checkpoint.size, &self.path, &checkpoint.root)?;
        Ok(witnessed)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", hash::to_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = Malformed;

    /// Reads the text. An `extra` line is refused: nothing of ours writes one, and nothing vouches for it.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| Malformed::new("tlog-proof", why, "export the proof again");
        let body = text.strip_prefix(HEADER).ok_or_else(|| bad("has another header"))?;
        let (head, checkpoint) = body.split_once("\n\n").ok_or_else(|| bad("has no checkpoint"))?;
        let mut lines = head.split('\n');
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.ok_or_else(|| bad("has no index line"))?;
        let number = index.parse::<u64>().map_err(|_| bad("has no index"))?;
        if number.to_string() != index {
            return Err(bad("has an index with leading zeros"));
        }
        let path: Vec<Digest> =
            lines.take(proof::PROOF_HASHES_MAX).map(hash::from_base64).collect::<Result<_, _>>()?;
        Ok(Self { index: number, path, checkpoint: checkpoint.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{note, pinned};
    use crate::tree::Tree;
    use proptest::prelude::*;

    fn made(size: u8, index: u8) -> TlogProof {
        let mut tree = Tree::new();
        (0..size).for_each(|n| tree.push(hash::leaf(&[n])));
        let path = proof::inclusion(&tree, u64::from(index), u64::from(size)).unwrap();
        let checkpoint = note(u64::from(size), tree.root(), &[1, 2]).to_string();
        TlogProof { index: u64::from(index), path, checkpoint }
    }

    #[test]
    fn a_proof_is_read_as_it_is_written_and_verifies() {
        for (size, index) in [(1, 0), (7, 6), (8, 3)] {
            let proof = made(size, index);
            assert_eq!(proof.to_string().parse::<TlogProof>().unwrap(), proof);
            proof.verify(&[index], &pinned(2, 2)).unwrap();
            assert!(proof.verify(&[index ^ 1], &pinned(2, 2)).is_err());
        }
    }

    #[test]
    fn every_flipped_bit_of_a_proof_is_refuted() {
        let good = made(7, 3).to_string().into_bytes();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                let accepted = String::from_utf8(bad).is_ok_and(|t| {
                    t.parse::<TlogProof>().is_ok_and(|p| p.verify(&[3], &pinned(2, 2)).is_ok())
                });
                assert!(!accepted, "byte {at}, bit {bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(c2sp.org/tlog-proof@v1\n)?(index )?[0-9]{0,3}\n[A-Z=\n]{0,50}") {
            let _ = text.parse::<TlogProof>();
        }
    }
}
