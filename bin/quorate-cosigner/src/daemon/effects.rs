//! The executor: waits until a step is durable, then runs its effects in their order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_cosigner::party::{CallId, Effect};
use quorate_custody::Refusal;
use quorate_custody::protocol::{Answer, Came};
use quorate_host::Fault;
use quorate_host::link::Refused;
use quorate_host::store::AppendError;
use quorate_terms::Digest;
use tokio::sync::mpsc;

use super::engine::Batch;
use super::links::{Drills, Peers};
use super::{Drilled, Waiter, Waiters};
use crate::shares::{Cabinet, Shared};
use crate::trouble::{fault, not_appended};

/// Alarms since the start, counted by rule.
#[derive(Clone, Default)]
pub(crate) struct Alarms(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Alarms {
    pub(crate) fn raise(&self, rule: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(rule).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(rule, count)| ((*rule).to_owned(), *count)).collect()
    }
}

/// See the module.
pub(crate) struct Executor {
    batches: mpsc::Receiver<Batch>,
    peers: Peers,
    cabinet: Arc<Cabinet>,
    alarms: Alarms,
    waiters: Waiters,
    /// The drills that peers were asked for, and those that they refused.
    drills: BTreeMap<Digest, CallId>,
    refusals: mpsc::Receiver<(Digest, Refusal)>,
    refused: Drills,
}

impl Executor {
    pub(crate) fn new(
        batches: mpsc::Receiver<Batch>,
        peers: Peers,
        cabinet: Arc<Cabinet>,
        alarms: Alarms,
    ) -> Self {
        let (refused, refusals) = mpsc::channel(64);
        let (waiters, drills) = (Waiters::new(), BTreeMap::new());
        Self { batches, peers, cabinet, alarms, waiters, drills, refusals, refused }
    }

    /// Until the engine ends.
    ///
    /// # Errors
    /// [`Fault`] when an append or a seal failed: the party's memory is ahead of the disk then, and must go.
    pub(crate) async fn run(mut self) -> Result<(), Fault> {
        loop {
            tokio::select! {
                batch = self.batches.recv() => match batch {
                    Some(batch) => self.batch(batch).await?,
                    None => return Ok(()),
                },
                Some((backup, refusal)) = self.refusals.recv() => {
                    if let Some(id) = self.drills.remove(&backup) {
                        self.drilled(id, Err(refusal));
                    }
                }
            }
        }
    }

    async fn batch(&mut self, batch: Batch) -> Result<(), Fault> {
        if let Some((id, waiter)) = batch.waiter {
            if let Some(backup) = batch.backup {
                self.drills.insert(backup, id);
            }
            self.waiters.insert(id, waiter);
        }
        for ticket in batch.tickets {
            if let Err(error) = ticket.done().await {
                self.give_up(&error);
                return Err(not_appended(error));
            }
        }
        for effect in batch.effects {
            self.effect(effect).await?;
        }
        if let Some(then) = batch.then {
            then();
        }
        Ok(())
    }

    async fn effect(&mut self, effect: Effect) -> Result<(), Fault> {
        match effect {
            Effect::Send { to, bytes } => self.peers.send(&to, bytes.to_vec()),
            Effect::Answer { id, answer } => self.answer(id, *answer),
            Effect::Banned { id, pending, answer } => {
                // The record of this step is durable, or we would not be here.
                let abort = pending.made_durable();
                tracing::error!(
                    phase = abort.phase,
                    cause = abort.cause,
                    "a peer is barred; the key is frozen"
                );
                if let (Some(id), Some(answer)) = (id, answer) {
                    self.answer(id, *answer);
                }
            }
            Effect::Seal { share } => self.seal(share).await?,
            Effect::AskDrill { to, call } => self.peers.ask_drill(&to, call, self.refused.clone()),
            Effect::Drilled { id, result } => self.drilled(id, result),
            Effect::Alarm { rule, subject } => {
                tracing::error!(rule, subject, "alarm");
                self.alarms.raise(rule);
            }
            Effect::Halt => {
                let why = "cannot hold what this cosigner was about to do, so it was not done";
                return Err(fault("own.db", why, "report this, then start this cosigner again"));
            }
        }
        Ok(())
    }

    async fn seal(&self, share: Shared) -> Result<(), Fault> {
        let cabinet = Arc::clone(&self.cabinet);
        let wallet = share.facts().wallet.clone();
        let sealed = tokio::task::spawn_blocking(move || cabinet.put(&share)).await;
        sealed
            .map_err(|_| fault("share", "could not be sealed", "report it, then start again"))??;
        tracing::info!(%wallet, "a new share is sealed");
        Ok(())
    }

    fn answer(&mut self, id: CallId, answer: Answer) {
        match self.waiters.remove(&id) {
            Some(Waiter::Call(reply)) => drop(reply.send(Ok(answer))),
            Some(Waiter::Drill(reply)) => drop(reply.send(Err(why_not(answer.came)))),
            None => {}
        }
    }

    fn drilled(&mut self, id: CallId, result: Drilled) {
        self.drills.retain(|_, waiting| *waiting != id);
        if let Some(Waiter::Drill(reply)) = self.waiters.remove(&id) {
            let _nobody_waits = reply.send(result);
        }
    }

    /// Nothing of what was queued counts any more; everybody who waits hears why before the process ends.
    fn give_up(&mut self, error: &AppendError) {
        let code = if *error == AppendError::Full { "disk_full" } else { "fault" };
        let mend = "free space or mend the disk, then start this cosigner again";
        for (_, waiter) in std::mem::take(&mut self.waiters) {
            match waiter {
                Waiter::Call(reply) => {
                    drop(reply.send(Err(Refused::new(code, format!("{error}; {mend}")))))
                }
                Waiter::Drill(reply) => {
                    drop(reply.send(Err(Refusal::new(code, error.to_string(), mend))))
                }
            }
        }
    }
}

/// What an answer that was meant for the desk says to whoever drilled.
fn why_not(came: Came) -> Refusal {
    match came {
        Came::Aborted { phase, cause, .. } => {
            Refusal::new("aborted", format!("{phase}: {cause}"), "try again")
        }
        Came::Refused { reason, .. } => Refusal::new(&reason.code, reason.message, reason.next),
        _ => Refusal::new("aborted", "the drill ended without a signature", "try again"),
    }
}
