//! The executor: waits until a step is durable, then runs its effects, in the order of the steps. A step that only speaks for
//! its run passes the marks of other runs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use quorate_cosigner::party::{CallId, Effect};
use quorate_custody::Refusal;
use quorate_custody::protocol::{Answer, Came};
use quorate_host::Fault;
use quorate_host::link::{BoxFuture, Refused};
use quorate_host::store::{AppendError, Ticket};
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

/// Steps that may wait for the disk; the engine waits with more.
const QUEUE: usize = 1024;

/// A step that is not durable yet.
struct Waiting {
    durable: BoxFuture<'static, Result<(), AppendError>>,
    batch: Batch,
}

/// See the module.
pub(crate) struct Executor {
    batches: mpsc::Receiver<Batch>,
    queue: VecDeque<Waiting>,
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
        let queue = VecDeque::new();
        Self { batches, queue, peers, cabinet, alarms, waiters, drills, refusals, refused }
    }

    /// Until the engine ends.
    ///
    /// # Errors
    /// [`Fault`] when an append or a seal failed: the party's memory is ahead of the disk then, and must go.
    pub(crate) async fn run(mut self) -> Result<(), Fault> {
        let mut open = true;
        while open || !self.queue.is_empty() {
            let takes = open && self.queue.len() < QUEUE;
            tokio::select! {
                durable = first(&mut self.queue) => self.durable(durable).await?,
                batch = self.batches.recv(), if takes => match batch {
                    Some(batch) => self.batch(batch).await?,
                    None => open = false,
                },
                Some((backup, refusal)) = self.refusals.recv() => {
                    if let Some(id) = self.drills.remove(&backup) {
                        self.drilled(id, Err(refusal));
                    }
                }
            }
        }
        Ok(())
    }

    async fn batch(&mut self, mut batch: Batch) -> Result<(), Fault> {
        if let Some((id, waiter)) = batch.waiter.take() {
            if let Some(backup) = batch.backup {
                self.drills.insert(backup, id);
            }
            self.waiters.insert(id, waiter);
        }
        let passes = self.passes(&batch);
        if passes {
            return self.act(batch).await;
        }
        let tickets = std::mem::take(&mut batch.tickets);
        self.queue.push_back(Waiting { durable: Box::pin(all(tickets)), batch });
        Ok(())
    }

    fn passes(&self, batch: &Batch) -> bool {
        let queued = |waiting: &Waiting| batch.pace.passes(&waiting.batch.pace);
        batch.tickets.is_empty() && self.queue.iter().all(queued)
    }

    /// The first step that waited is durable, or will never be.
    async fn durable(&mut self, durable: Result<(), AppendError>) -> Result<(), Fault> {
        if let Err(error) = durable {
            self.give_up(&error);
            return Err(not_appended(error));
        }
        match self.queue.pop_front() {
            Some(waiting) => self.act(waiting.batch).await,
            None => Ok(()),
        }
    }

    async fn act(&mut self, batch: Batch) -> Result<(), Fault> {
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
            Effect::Seal { share } => seal(Arc::clone(&self.cabinet), share).await?,
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

async fn seal(cabinet: Arc<Cabinet>, share: Shared) -> Result<(), Fault> {
    let wallet = share.facts().wallet.clone();
    let sealed = tokio::task::spawn_blocking(move || cabinet.put(&share)).await;
    sealed.map_err(|_| fault("share", "could not be sealed", "report it, then start again"))??;
    tracing::info!(%wallet, "a new share is sealed");
    Ok(())
}

/// Waits for the first step of the queue; for ever where there is none.
async fn first(queue: &mut VecDeque<Waiting>) -> Result<(), AppendError> {
    match queue.front_mut() {
        Some(waiting) => waiting.durable.as_mut().await,
        None => std::future::pending().await,
    }
}

async fn all(tickets: Vec<Ticket>) -> Result<(), AppendError> {
    for ticket in tickets {
        ticket.done().await?;
    }
    Ok(())
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
