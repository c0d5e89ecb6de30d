//! Whom a verifier trusts about a log: one log key, witnesses, how many of them, and the founding charter. Pinned out of band.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quorate_terms::charter::{CharterText, CosignerSeat};
use quorate_terms::{Digest, Malformed, Term as _, VaultId, canonical};
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::cosignature;
use crate::error::{Error, Refuted};
use crate::note::{KeyKind, Note, VerifierKey};

/// The pinned side of every verification (`docs/spec/checkpoint.md`, "pinned policy"). In JSON any spacing is read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPolicy {
    /// Format version, 1.
    pub v: u8,
    /// The vault whose book this is.
    pub vault: VaultId,
    /// Digest of the founding charter, compared out of band.
    pub charter: Digest,
    /// The log's verifier key; its name is the origin.
    pub log: VerifierKey,
    /// The witnesses.
    pub witnesses: Vec<WitnessKey>,
    /// How many witnesses must have cosigned.
    pub quorum: usize,
}

/// A witness that counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessKey {
    /// Its verifier key.
    pub key: VerifierKey,
    /// The legal entity that runs it.
    pub operator: String,
}

/// A checkpoint that satisfies a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witnessed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The witnesses whose cosignatures verify, in the policy's order.
    pub witnesses: Vec<Seen>,
    /// How many signature lines are by keys that the policy does not name. They count for nothing.
    pub unknown: usize,
}

/// One verified cosignature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The witness.
    pub witness: String,
    /// Who runs it.
    pub operator: String,
    /// When it cosigned, in seconds since the epoch, by its own clock.
    pub time_s: u64,
}

/// The verifier key of a cosigner as a witness of the log with this origin.
///
/// # Errors
/// [`Malformed`] when the origin is no key name.
pub fn witness_key(origin: &str, seat: &CosignerSeat) -> Result<VerifierKey, Malformed> {
    VerifierKey::new(format!("{origin}/{}", seat.cosigner), KeyKind::Witness, seat.witness)
}

/// The verifier key under which a cosigner signs heads of its own ledger: its witness key, as a log of the same name. What is
/// signed begins with that name, so no such signature is one over a cosignature's message.
///
/// # Errors
/// [`Malformed`] never happens for a key that was read.
pub fn own_key(witness: &VerifierKey) -> Result<VerifierKey, Malformed> {
    VerifierKey::new(witness.name(), KeyKind::Log, *witness.key())
}

impl LogPolicy {
    /// The policy that a charter implies: its log, its cosigners as witnesses, its threshold as their quorum.
    ///
    /// `founding` is the digest of the vault's first charter, which is this one's unless it was changed.
    ///
    /// # Errors
    /// [`Malformed`] when the charter's names cannot be key names.
    pub fn of_charter(text: &CharterText, founding: Digest) -> Result<Self, Malformed> {
        let origin = &text.log.origin;
        let witness = |seat: &CosignerSeat| {
            let key = witness_key(origin, seat)?;
            Ok(WitnessKey { key, operator: seat.operator.clone() })
        };
        Ok(Self {
            v: 1,
            vault: text.vault.clone(),
            charter: founding,
            log: VerifierKey::new(origin, KeyKind::Log, text.log.key)?,
            witnesses: text.cosigners.iter().map(witness).collect::<Result<_, Malformed>>()?,
            quorum: usize::from(text.threshold),
        })
    }

    /// The policy of a vault under its founding charter.
    ///
    /// # Errors
    /// [`Malformed`] as [`LogPolicy::of_charter`].
    pub fn of_founding(text: &CharterText) -> Result<Self, Malformed> {
        Self::of_charter(text, text.digest()?)
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`Malformed`] for anything else, a quorum that cannot be met or that is empty, a key named twice or of the
    /// wrong kind.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Malformed> {
        let bad = |field: &str, why: String, mend: &str| Malformed::new(field, why, mend);
        let policy: Self = serde_json::from_slice(bytes).map_err(|e| {
            bad(
                "policy",
                format!("cannot be read ({e})"),
                "give the form in docs/spec/checkpoint.md",
            )
        })?;
        policy.check()?;
        Ok(policy)
    }

    /// The JSON form, in canonical bytes.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a policy that was checked.
    pub fn to_json(&self) -> Result<Vec<u8>, Malformed> {
        canonical::to_bytes(self, "policy")
    }

    /// The same trust in the C2SP tlog-policy format, for other people's tools.
    pub fn to_text(&self) -> String {
        let mut text = format!("log {}\n", self.log);
        for witness in &self.witnesses {
            let _ = writeln!(text, "witness {} {}", witness.key.name(), witness.key);
        }
        let names: String = self.witnesses.iter().map(|w| format!(" {}", w.key.name())).collect();
        let _ = writeln!(text, "group cosigners {}{names}\nquorum cosigners", self.quorum);
        text
    }

    fn check(&self) -> Result<(), Malformed> {
        let bad = |field: &str, why: &str, mend: &str| Err(Malformed::new(field, why, mend));
        let keys: BTreeSet<_> =
            self.witnesses.iter().map(|w| w.key.key()).chain([self.log.key()]).collect();
        let names: BTreeSet<_> = self.witnesses.iter().map(|w| w.key.name()).collect();
        if self.v != 1 {
            return bad("policy.v", "is not 1", "use a program that knows this version");
        }
        if self.log.kind() != KeyKind::Log {
            return bad("policy.log", "is a witness's key", "give the log's key");
        }
        if self.witnesses.iter().any(|w| w.key.kind() != KeyKind::Witness) {
            return bad("policy.witnesses", "holds a log's key", "give witness keys (type 4)");
        }
        if names.len() != self.witnesses.len() || keys.len() <= self.witnesses.len() {
            return bad("policy.witnesses", "names one key twice", "give each witness once");
        }
        if self.quorum == 0 || self.quorum > self.witnesses.len() {
            let mend = "ask for at least 1 and at most as many as there are witnesses";
            return bad("policy.quorum", "cannot be met or asks for nobody", mend);
        }
        Ok(())
    }

    /// Checks a checkpoint note: the log's signature, every known witness's line, and that enough of them cosigned.
    ///
    /// A known witness's line that does not verify refutes the whole note, even where the others would be enough.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a note that is no checkpoint, [`Error::Refuted`] for a false one.
    pub fn open(&self, note: &str) -> Result<Witnessed, Error> {
        self.check()?;
        let note: Note = note.parse()?;
        let checkpoint = Checkpoint::open(&note, &self.log)?;
        let mut witnesses = Vec::new();
        for witness in self.witnesses.iter().filter(|w| w.key.find(&note).is_some()) {
            let time_s = cosignature::verify(&witness.key, &note)?;
            let (name, operator) = (witness.key.name().to_owned(), witness.operator.clone());
            witnesses.push(Seen { witness: name, operator, time_s });
        }
        if witnesses.len() < self.quorum {
            let why = format!("has {} of {} needed cosignatures", witnesses.len(), self.quorum);
            return Err(Refuted::new("checkpoint", why).into());
        }
        let known = witnesses.len().saturating_add(1);
        Ok(Witnessed {
            checkpoint,
            witnesses,
            unknown: note.signatures.len().saturating_sub(known),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
