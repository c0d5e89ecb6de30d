//! C2SP tlog-checkpoint: a log's size and root as three lines, and what two of them can prove against each other.

use std::fmt;
use std::str::FromStr;

use quorate_terms::{Digest, Malformed, Signature};

use crate::error::{Error, Refuted};
use crate::hash;
use crate::note::{self, Note, VerifierKey};
use crate::proof;

/// The head of a log. Only as good as the signatures on the note that it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log, one line.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, hash::to_base64(&self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = Malformed;

    /// Reads exactly three lines. Our logs write no extension lines, so none are read.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = |why: &str| {
            Malformed::new("checkpoint", why, "give origin, size and root, one line each")
        };
        let mut lines = text.split('\n');
        let parts = [lines.next(), lines.next(), lines.next(), lines.next()];
        let ([Some(origin), Some(size), Some(root), Some("")], None) = (parts, lines.next()) else {
            return Err(bad("does not have three lines"));
        };
        let number = size.parse::<u64>().map_err(|_| bad("has no size"))?;
        if origin.is_empty() || number.to_string() != size {
            return Err(bad("has an empty origin, or a size with leading zeros"));
        }
        Ok(Self { origin: origin.to_owned(), size: number, root: hash::from_base64(root)? })
    }
}

impl Checkpoint {
    /// The note of this checkpoint under the log's signature. `sign` signs the bytes that it is given.
    pub fn sign(&self, log: &VerifierKey, sign: impl FnOnce(&[u8]) -> Signature) -> Note {
        let text = self.to_string();
        let line = note::sign(log, &text, sign);
        Note { text, signatures: vec![line] }
    }

    /// The checkpoint in a note, after checking the log's signature. Says nothing of witnesses.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a note that is no checkpoint, [`Error::Refuted`] for another log's or a bad signature.
    pub fn open(note: &Note, log: &VerifierKey) -> Result<Self, Error> {
        let checkpoint: Self = note.text.parse()?;
        if checkpoint.origin != log.name() {
            let why = format!("is of the log `{}`", checkpoint.origin);
            return Err(Refuted::new("checkpoint", why).into());
        }
        note::verify(log, note)?;
        Ok(checkpoint)
    }

    /// Checks that `newer` is this log, grown or unchanged. Every party does so before it trusts a newer head.
    ///
    /// # Errors
    /// How the two diverge; signing stops.
    pub fn extends_to(&self, newer: &Self, proof: &[Digest]) -> Result<(), Divergence> {
        if self.origin != newer.origin {
            return Err(Divergence::OtherLog);
        }
        if newer.size < self.size {
            return Err(Divergence::Shrunk { known: self.size, shown: newer.size });
        }
        if newer.size == self.size {
            let same = self.root == newer.root;
            return if same { Ok(()) } else { Err(Divergence::Forked { size: self.size }) };
        }
        if self.size == 0 {
            return if self.root == hash::empty_root() {
                Ok(())
            } else {
                Err(Divergence::Rewritten)
            };
        }
        proof::verify_consistency(self.size, &self.root, newer.size, &newer.root, proof)
            .map_err(|_| Divergence::Rewritten)
    }
}

/// How a log that we are shown is not the log that we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Divergence {
    /// The origins differ.
    OtherLog,
    /// Entries at the end are gone: truncation or rollback.
    Shrunk {
        /// The size that we know.
        known: u64,
        /// The size that we are shown.
        shown: u64,
    },
    /// One size, two roots: two stories. Both signed notes together prove it to anyone; keep them.
    Forked {
        /// The size.
        size: u64,
    },
    /// No valid proof that the longer log begins with the one that we know.
    Rewritten,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLog => f.write_str("this is another log; check the origin"),
            Self::Shrunk { known, shown } => {
                write!(f, "the log had {known} entries and is shown with {shown}; stop signing and find the rest")
            }
            Self::Forked { size } => {
                write!(f, "the log shows two histories of {size} entries; stop signing and keep both checkpoints")
            }
            Self::Rewritten => {
                f.write_str("nothing proves that the log begins as it did; stop signing and keep both checkpoints")
            }
        }
    }
}

impl std::error::Error for Divergence {}

/// Proof that a log told two stories: two notes under its own signature, one size, two roots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fork {
    /// One story.
    pub one: Note,
    /// The other.
    pub other: Note,
    /// The size that both claim.
    pub size: u64,
}

impl Fork {
    /// The fork that two notes prove, or none if they prove none: then they agree or differ in size.
    ///
    /// # Errors
    /// When either is not a checkpoint under the log's signature: it accuses nobody.
    pub fn between(one: &Note, other: &Note, log: &VerifierKey) -> Result<Option<Self>, Error> {
        let (a, b) = (Checkpoint::open(one, log)?, Checkpoint::open(other, log)?);
        let forked = a.size == b.size && a.root != b.root;
        Ok(forked.then(|| Self { one: one.clone(), other: other.clone(), size: a.size }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::KeyKind;
    use crate::tree::Tree;
    use ed25519_dalek::{Signer as _, SigningKey};
    use proptest::prelude::*;
    use quorate_terms::PublicKey;

    fn key() -> (SigningKey, VerifierKey) {
        let secret = SigningKey::from_bytes(&[5; 32]);
        let key = PublicKey::from_bytes(secret.verifying_key().to_bytes()).unwrap();
        (secret, VerifierKey::new("example.org/vault", KeyKind::Log, key).unwrap())
    }

    fn tree(salt: u8, size: u8) -> Tree {
        let mut tree = Tree::new();
        (0..size).for_each(|n| tree.push(hash::leaf(&[salt, n])));
        tree
    }

    fn at(tree: &Tree, size: u64) -> Checkpoint {
        let root = tree.root_at(size).unwrap();
        Checkpoint { origin: "example.org/vault".into(), size, root }
    }

    fn note(checkpoint: &Checkpoint) -> Note {
        let (secret, key) = key();
        checkpoint.sign(&key, |m| Signature::from_bytes(secret.sign(m).to_bytes()))
    }

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let text =
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint: Checkpoint = text.parse().unwrap();
        assert_eq!((checkpoint.size, checkpoint.to_string().as_str()), (20_852_163, text));
    }

    #[test]
    fn other_texts_are_no_checkpoints() {
        let root = hash::to_base64(&hash::empty_root());
        for bad in [
            String::new(),
            format!("\n0\n{root}\n"),
            format!("o\n00\n{root}\n"),
            format!("o\n+1\n{root}\n"),
            format!("o\n1\n{root}"),
            format!("o\n1\n{root}\nextension\n"),
            format!("o\n18446744073709551616\n{root}\n"),
            "o\n1\nAAAA\n".to_owned(),
        ] {
            assert!(bad.parse::<Checkpoint>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn row_13_a_truncated_log_does_not_extend_what_a_cosigner_knows() {
        let tree = tree(0, 9);
        let known = at(&tree, 9);
        for size in 0..9 {
            let expected = Divergence::Shrunk { known: 9, shown: size };
            assert_eq!(known.extends_to(&at(&tree, size), &[]), Err(expected));
        }
        known.extends_to(&at(&tree, 9), &[]).unwrap();
        let proof = proof::consistency(&tree, 4, 9).unwrap();
        at(&tree, 4).extends_to(&known, &proof).unwrap();
    }

    #[test]
    fn row_13_a_rewritten_log_does_not_extend_however_long() {
        let (ours, theirs) = (tree(0, 9), tree(1, 20));
        let proof = proof::consistency(&theirs, 9, 20).unwrap();
        assert_eq!(at(&ours, 9).extends_to(&at(&theirs, 20), &proof), Err(Divergence::Rewritten));
    }

    #[test]
    fn row_43_a_fork_is_provable_from_two_checkpoints() {
        let (one, other) = (at(&tree(0, 9), 9), at(&tree(1, 9), 9));
        assert_eq!(one.extends_to(&other, &[]), Err(Divergence::Forked { size: 9 }));
        let fork = Fork::between(&note(&one), &note(&other), &key().1).unwrap().unwrap();
        // A third party, with the log's public key and nothing else, comes to the same conclusion.
        assert_eq!(Fork::between(&fork.other, &fork.one, &key().1).unwrap().unwrap().size, 9);
        assert_eq!(Fork::between(&note(&one), &note(&one), &key().1).unwrap(), None);
        assert_eq!(Fork::between(&note(&one), &note(&at(&tree(1, 9), 8)), &key().1).unwrap(), None);
    }

    #[test]
    fn row_43_an_unsigned_story_accuses_nobody() {
        let (one, other) = (note(&at(&tree(0, 9), 9)), note(&at(&tree(1, 9), 9)));
        let forged = Note { text: other.text, signatures: one.signatures.clone() };
        assert!(Fork::between(&one, &forged, &key().1).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[a-z]{0,3}\n?[0-9]{0,3}\n?[A-Za-z=\n]{0,50}") {
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }
    }
}
