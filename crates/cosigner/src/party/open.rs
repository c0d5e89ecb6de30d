//! What the beginnings of all runs have in common: room for one more, the terms, and a session that was never used.

use std::collections::BTreeSet;

use quorate_custody::Refusal;
use quorate_terms::{CosignerId, Digest, Timestamp, WalletId};

use super::{Party, RUNS_MAX, Running, Step};
use crate::run::Parcel;
use crate::session::{CheckpointMark, Purpose, Seat, SessionTerms, Task};
use crate::share::ShareFacts;

/// What a run is about, whoever holds the key.
pub(super) struct About {
    pub(super) intent: Digest,
    pub(super) purpose: Purpose,
    pub(super) charter: Digest,
    pub(super) checkpoint: CheckpointMark,
    pub(super) wallet: WalletId,
    pub(super) epoch: u64,
    pub(super) attempt: u64,
}

impl Party {
    /// Whether one more run may be open.
    pub(super) fn has_place(&self) -> Result<(), Refusal> {
        if self.running.len().saturating_add(self.away.len()) < RUNS_MAX {
            return Ok(());
        }
        Err(Refusal::new("busy", "too many runs are open", "try again when some have ended"))
    }

    /// The terms under which the charter's cosigners make a key: all of them take part.
    pub(super) fn task_of_all(&self, about: About) -> Result<Task, Refusal> {
        let text = self.charter.text();
        let holders: Vec<CosignerId> =
            text.cosigners.iter().map(|seat| seat.cosigner.clone()).collect();
        let parties = holders.iter().cloned().collect();
        self.task(about, &holders, text.threshold, &parties)
    }

    /// The terms under which some holders of a key use it. Who holds it under which number, and how many must sign, are
    /// facts of the key and not of the charter that happens to be in force; a seat in that charter they need as well.
    pub(super) fn task_of_key(
        &self,
        about: About,
        facts: &ShareFacts,
        parties: &BTreeSet<CosignerId>,
    ) -> Result<Task, Refusal> {
        self.task(about, &facts.holders, facts.threshold, parties)
    }

    fn task(
        &self,
        about: About,
        holders: &[CosignerId],
        threshold: u8,
        parties: &BTreeSet<CosignerId>,
    ) -> Result<Task, Refusal> {
        let seated = |name: &&CosignerId| self.charter.text().cosigner(name).is_some();
        let numbered = (1..=u8::MAX).zip(holders);
        let seats: Vec<Seat> = numbered
            .filter(|(_, name)| parties.contains(*name) && seated(name))
            .map(|(party, name)| Seat { party, cosigner: name.clone() })
            .collect();
        if seats.len() != parties.len() {
            return Err(Refusal::new(
                "no_seat",
                "a party of the session holds no share or has no seat",
                "name holders of the key that the charter seats",
            ));
        }
        let terms = SessionTerms {
            v: 1,
            vault: self.charter.text().vault.clone(),
            intent: about.intent,
            purpose: about.purpose,
            charter: about.charter,
            checkpoint: about.checkpoint,
            wallet: about.wallet,
            epoch: about.epoch,
            attempt: about.attempt,
            threshold,
            shares: u8::try_from(holders.len()).unwrap_or(u8::MAX),
            parties: seats,
        };
        Ok(Task::new(terms, &self.me)?)
    }

    /// Whether a session was never used, so that what is drawn for it is used once.
    pub(super) fn is_fresh(&self, session: &Digest) -> Result<(), Refusal> {
        if !self.charter.knows_session(session) && !self.runs(session) {
            return Ok(());
        }
        Err(Refusal::new(
            "used_session",
            "this session was used before",
            "ask again with the next attempt",
        ))
    }

    /// Keeps a run that was begun, and gives all that it has to say: also to what peers said before we were asked.
    pub(super) fn keep(
        &mut self,
        step: &mut Step,
        session: Digest,
        running: Running,
        mut parcels: Vec<Parcel>,
        now: Timestamp,
    ) -> Vec<Parcel> {
        self.running.insert(session, running);
        step.runs.insert(session);
        parcels.extend(self.hear_early(step, &session, now));
        parcels
    }
}

/// A run that could not begin: our own library or share, never a peer.
pub(super) fn not_begun(error: &crate::Error) -> Refusal {
    Refusal::new("no_run", error.to_string(), "see the cosigner's log")
}
