//! What a session is bound to. Its digest names the session, goes into every message and into the protocol's own hashes,
//! so parties that were told different stories cannot run together.

use std::collections::BTreeSet;

use quorate_terms::digest::tag;
use quorate_terms::{CosignerId, Digest, Malformed, Term, VaultId, WalletId};
use serde::{Deserialize, Serialize};

use crate::limits::PARTIES_MAX;

/// Everything that the parties of a session must agree on before its first message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTerms {
    /// Format version, 1.
    pub v: u8,
    /// The vault.
    pub vault: VaultId,
    /// The intent that is carried out.
    pub intent: Digest,
    /// What the run is for.
    pub purpose: Purpose,
    /// The charter in force.
    pub charter: Digest,
    /// The book that each party has followed to here.
    pub checkpoint: CheckpointMark,
    /// The wallet.
    pub wallet: WalletId,
    /// The epoch of its shares; 0 at generation.
    pub epoch: u64,
    /// 1 for the first run of this work, one more with each new one.
    pub attempt: u64,
    /// How many holders must sign: more than half.
    pub threshold: u8,
    /// How many holders there are.
    pub shares: u8,
    /// Who takes part, in order of party numbers: all holders to generate, a threshold of them to sign.
    pub parties: Vec<Seat>,
}

/// A party of a session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Its number, from 1, as in the charter.
    pub party: u8,
    /// Its name.
    pub cosigner: CosignerId,
}

/// A place in the book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointMark {
    /// Entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

/// What a run is for. A signature made for one purpose means nothing under another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Purpose {
    /// Make a key.
    Generate,
    /// Sign a draft.
    Sign {
        /// The draft.
        draft: Digest,
        /// The hash that its chain signs.
        sighash: Digest,
    },
    /// Prove that a backup can sign. The message is [`SessionTerms::message`], never a transaction.
    Drill {
        /// SHA-256 of the sealed backup.
        backup: Digest,
    },
}

impl Term for SessionTerms {
    const TAG: &'static str = tag::SESSION;
}

impl SessionTerms {
    /// The 32 bytes that this session signs; none for key generation.
    ///
    /// A drill's message is a tagged digest over these terms: its caller cannot choose it.
    ///
    /// # Errors
    /// [`Malformed`] when the terms have no canonical form.
    pub fn message(&self) -> Result<Option<[u8; 32]>, Malformed> {
        Ok(match &self.purpose {
            Purpose::Generate => None,
            Purpose::Sign { sighash, .. } => Some(*sighash.as_bytes()),
            Purpose::Drill { .. } => {
                Some(*Digest::of(tag::DRILL, &self.to_canonical()?).as_bytes())
            }
        })
    }

    /// Checks what must hold of the terms of any session.
    ///
    /// # Errors
    /// [`Malformed`] naming the first thing that does not hold.
    pub fn check(&self) -> Result<(), Malformed> {
        let (t, n) = (self.threshold, self.shares);
        let bad = |field: &str, why: &str, mend: &str| Err(Malformed::new(field, why, mend));
        if self.v != 1 {
            return bad("session.v", "is not 1", "use the same version on both sides");
        }
        if t < 2 || t > n || n > PARTIES_MAX || u16::from(t).saturating_mul(2) <= u16::from(n) {
            return bad("session.threshold", "is not more than half", "use 2 <= t <= n < 2t");
        }
        let wanted = if self.purpose == Purpose::Generate { n } else { t };
        if self.parties.len() != usize::from(wanted) {
            return bad("session.parties", "are too few or too many", "name each party once");
        }
        let numbers: Vec<u8> = self.parties.iter().map(|s| s.party).collect();
        let ascending = numbers.iter().zip(numbers.iter().skip(1)).all(|(a, b)| a < b);
        if !ascending || numbers.iter().any(|p| *p == 0 || *p > n) {
            return bad("session.parties", "are out of order or range", "number them 1 to n");
        }
        let names: BTreeSet<&CosignerId> = self.parties.iter().map(|s| &s.cosigner).collect();
        if names.len() != self.parties.len() {
            return bad("session.parties", "name a cosigner twice", "seat each cosigner once");
        }
        Ok(())
    }
}

/// Checked terms, seen from one of the parties.
#[derive(Clone, Debug)]
pub struct Task {
    terms: SessionTerms,
    session: Digest,
    me: Seat,
}

impl Task {
    /// Checks the terms and finds our seat in them.
    ///
    /// # Errors
    /// [`Malformed`] when the terms do not hold together or we have no seat.
    pub fn new(terms: SessionTerms, me: &CosignerId) -> Result<Self, Malformed> {
        terms.check()?;
        let seat = terms.parties.iter().find(|s| s.cosigner == *me).cloned();
        let me = seat.ok_or_else(|| {
            Malformed::new("session.parties", "do not include us", "ask one of its parties")
        })?;
        Ok(Self { session: terms.digest()?, terms, me })
    }

    /// The terms.
    pub fn terms(&self) -> &SessionTerms {
        &self.terms
    }

    /// The session's digest.
    pub fn session(&self) -> Digest {
        self.session
    }

    /// Our party number.
    pub fn party(&self) -> u8 {
        self.me.party
    }

    /// Our name.
    pub fn cosigner(&self) -> &CosignerId {
        &self.me.cosigner
    }

    /// The other parties.
    pub fn peers(&self) -> impl Iterator<Item = &Seat> {
        self.terms.parties.iter().filter(|s| s.party != self.me.party)
    }

    /// The names of the other parties.
    pub fn others(&self) -> BTreeSet<CosignerId> {
        self.peers().map(|seat| seat.cosigner.clone()).collect()
    }

    /// The name of a party by its number.
    pub fn name(&self, party: u8) -> Option<&CosignerId> {
        self.terms.parties.iter().find(|s| s.party == party).map(|s| &s.cosigner)
    }
}
