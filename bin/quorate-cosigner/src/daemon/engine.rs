//! The engine: the one task that owns the party. What a run has to compute, other threads compute for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_cosigner::Party;
use quorate_cosigner::party::{CallId, Effect, Event, Pace, Step, Worked};
use quorate_custody::check_freeze;
use quorate_custody::snapshot::is_due;
use quorate_host::clock::Jump;
use quorate_host::store::{Append, Ticket};
use quorate_host::{Clock, Fault, Store};
use quorate_terms::canonical::Term as _;
use quorate_terms::entry::Body;
use quorate_terms::{Digest, PublicKey, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};

use super::effects::Alarms;
use super::links::{Doors, Peers};
use super::{Input, Waiter};
use crate::files::LocalKeys;
use crate::rebuild::Stores;
use crate::snapshot;
use crate::status::Status;
use crate::trouble::{fault, malformed, not_appended, refused};

/// A step on its way: what must be durable first, and what is to be done then.
pub(crate) struct Batch {
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) pace: Pace,
    pub(crate) waiter: Option<(CallId, Waiter)>,
    /// The backup of which a drill was begun for the waiter.
    pub(crate) backup: Option<Digest>,
    pub(crate) effects: Vec<Effect>,
    /// Told once everything above is done.
    pub(crate) then: Option<Box<dyn FnOnce() + Send>>,
}

/// See the module.
pub(crate) struct Engine {
    party: Party,
    book: Store,
    own: Store,
    /// Sizes of the two ledgers once everything queued is durable.
    sizes: (u64, u64),
    keys: Arc<LocalKeys>,
    batches: mpsc::Sender<Batch>,
    doors: Doors,
    peers: Peers,
    alarms: Alarms,
    clock: Arc<dyn Clock>,
    /// Runs that other threads work on.
    works: JoinSet<Worked>,
    next: CallId,
    charter: Digest,
    /// The link keys of those who stand in for a seat.
    stand_ins: BTreeSet<PublicKey>,
    /// Entries in the newest snapshots of the two ledgers, whoever made them: this process or one before it.
    snapshots_at: (u64, u64),
}

impl Engine {
    pub(crate) fn new(
        party: Party,
        stores: &Stores,
        keys: Arc<LocalKeys>,
        batches: mpsc::Sender<Batch>,
        (doors, peers, alarms): (Doors, Peers, Alarms),
        (clock, snapshots_at): (Arc<dyn Clock>, (u64, u64)),
    ) -> Self {
        let (book, own) = (stores.book.clone(), stores.own.clone());
        let (sizes, charter) = ((book.size(), own.size()), party.charter().digest());
        let stand_ins = party.follower().book().stand_in_links().collect();
        Self {
            party: party.working_apart(),
            book,
            own,
            sizes,
            keys,
            batches,
            doors,
            peers,
            alarms,
            clock,
            works: JoinSet::new(),
            next: 0,
            charter,
            stand_ins,
            snapshots_at,
        }
    }

    /// Until it is stopped.
    ///
    /// # Errors
    /// [`Fault`] when an append cannot even be queued.
    pub(crate) async fn run(
        mut self,
        notices: Vec<Event>,
        mut inputs: mpsc::Receiver<Input>,
    ) -> Result<(), Fault> {
        for event in notices {
            self.step(event, None, None, self.clock.now()).await?;
        }
        loop {
            tokio::select! {
                // What is under way goes first: each piece of work that is done lets a peer go on.
                biased;
                Some(worked) = self.works.join_next() => self.worked(worked).await?,
                input = inputs.recv() => match input {
                    Some(Input::Stop) | None => break,
                    Some(input) => self.take(input).await?,
                },
            }
        }
        self.keep_snapshots(|size, held| size > held).await
    }

    async fn worked(&mut self, worked: Result<Worked, JoinError>) -> Result<(), Fault> {
        let worked = worked.map_err(|_| {
            fault("daemon", "a run's work panicked", "report it, then start this cosigner again")
        })?;
        self.step(Event::Worked(Box::new(worked)), None, None, self.clock.now()).await
    }

    async fn take(&mut self, input: Input) -> Result<(), Fault> {
        let now = self.clock.now();
        match input {
            Input::Call(call, reply) => {
                let id = self.id();
                self.step(Event::Called { id, call }, Some((id, Waiter::Call(reply))), None, now)
                    .await
            }
            Input::Round(from, bytes) => {
                self.step(Event::PeerSpoke { from, bytes }, None, None, now).await
            }
            Input::Freeze(freeze, reply) => {
                let honoured = check_freeze(self.party.charter().text(), &freeze).map(drop);
                let then = told(reply, honoured);
                self.step(Event::FreezeCame(freeze), None, Some(then), now).await
            }
            Input::Ending(ending, reply) => {
                let honoured = self.party.follower().book().check_ending(&ending).map(drop);
                let then = told(reply, honoured);
                self.step(Event::EndingCame(ending), None, Some(then), now).await
            }
            Input::FreezeHere(scope, cause, reply) => {
                self.step(Event::FreezeHere { scope, cause }, None, Some(told(reply, ())), now)
                    .await
            }
            Input::Drill(from, call, reply) => {
                let id = self.id();
                self.step(
                    Event::DrillAsked { id, from, call },
                    Some((id, Waiter::Drill(reply))),
                    None,
                    now,
                )
                .await
            }
            Input::Backup(share, backup, reply) => {
                let id = self.id();
                let event = Event::BackupRead { id, share, backup };
                self.step_with((event, Some(backup)), Some((id, Waiter::Drill(reply))), None, now)
                    .await
            }
            Input::Status(reply) => {
                let _nobody_waits = reply.send(self.status(now));
                Ok(())
            }
            Input::Tick => self.tick(now).await,
            Input::Stop => Ok(()),
        }
    }

    fn id(&mut self) -> CallId {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    async fn tick(&mut self, now: Timestamp) -> Result<(), Fault> {
        for Jump { expected, found } in self.clock.take_jumps() {
            self.step(Event::ClockJumped { expected, found }, None, None, now).await?;
        }
        self.keep_snapshots(is_due).await?;
        self.step(Event::Ticked, None, None, now).await
    }

    async fn step(
        &mut self,
        event: Event,
        waiter: Option<(CallId, Waiter)>,
        then: Option<Box<dyn FnOnce() + Send>>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        self.step_with((event, None), waiter, then, now).await
    }

    /// Steps the party, queues its appends, and hands the effects on to wait for them.
    async fn step_with(
        &mut self,
        (event, backup): (Event, Option<Digest>),
        waiter: Option<(CallId, Waiter)>,
        then: Option<Box<dyn FnOnce() + Send>>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let step = self.party.step(event, now);
        let pace = step.pace();
        let Step { replica, records, effects, work, .. } = step;
        for work in work {
            self.works.spawn_blocking(|| work.run());
        }
        // A note on the book (a charter that is coming, a freeze that was lifted or that a void entry carried) is made
        // only once, when its entry is first seen. So it must be on disk before that entry is.
        let notes = |body: &Body| {
            matches!(body, Body::CharterApproved(_) | Body::Unfrozen(_) | Body::Frozen(_))
        };
        let first = !replica.is_empty() && records.iter().any(|entry| notes(&entry.body));
        let mut tickets = Vec::new();
        if !records.is_empty() {
            let bytes = records.iter().map(|e| e.to_canonical()).collect::<Result<Vec<_>, _>>();
            let bytes = bytes.map_err(|e| malformed("own.db", &e))?;
            tickets.push(queue(&self.own, &mut self.sizes.1, bytes)?);
        }
        if first {
            for ticket in tickets.drain(..) {
                ticket.done().await.map_err(not_appended)?;
            }
        }
        if !replica.is_empty() {
            tickets.push(queue(&self.book, &mut self.sizes.0, replica)?);
        }
        self.follow_charter();
        if tickets.is_empty() && effects.is_empty() && waiter.is_none() && then.is_none() {
            return Ok(());
        }
        let batch = Batch { tickets, pace, waiter, backup, effects, then };
        // Should the executor have ended, its own fault ends the process.
        let _ended = self.batches.send(batch).await;
        Ok(())
    }

    /// Who may speak follows the charter that is in force here, and who stands in for whom.
    fn follow_charter(&mut self) {
        let charter = self.party.charter();
        let stand_ins = self.party.follower().book().stand_in_links().collect();
        if charter.digest() != self.charter {
            self.charter = charter.digest();
            tracing::info!(charter = %self.charter, "a new charter is in force here");
        } else if stand_ins == self.stand_ins {
            return;
        }
        self.doors.seat(charter.text(), &stand_ins);
        self.stand_ins = stand_ins;
    }

    fn status(&self, now: Timestamp) -> Status {
        let mut status = Status::of(&self.party, now);
        status.running = true;
        status.peers = self.peers.states();
        status.alarms = self.alarms.counts();
        status
    }

    /// Makes a snapshot of each ledger that is due for one, by its size and what the newest one holds. Only what is on disk
    /// may be in one, so the store writes it after everything that is queued.
    async fn keep_snapshots(&mut self, due: impl Fn(u64, u64) -> bool) -> Result<(), Fault> {
        if due(self.sizes.0, self.snapshots_at.0) {
            let keys = &self.keys;
            let blob = self.party.follower().to_snapshot(|digest| keys.identity.sign(digest));
            let blob = blob.map_err(|e| refused("snapshot", &e))?;
            self.snapshots_at.0 = self.sizes.0;
            let kept = self.book.put_snapshot(snapshot::REPLICA, self.sizes.0, blob).await;
            kept.map_err(not_appended)?;
        }
        if due(self.sizes.1, self.snapshots_at.1) {
            let blob = self.party.own_snapshot().map_err(|e| refused("snapshot", &e))?;
            self.snapshots_at.1 = self.sizes.1;
            let kept = self.own.put_snapshot(snapshot::OWN, self.sizes.1, blob).await;
            kept.map_err(not_appended)?;
        }
        Ok(())
    }
}

fn queue(store: &Store, size: &mut u64, entries: Vec<Vec<u8>>) -> Result<Ticket, Fault> {
    let added = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    let append = Append { expected_size: *size, entries, ..Append::default() };
    *size = size.saturating_add(added);
    store.submit(append).map_err(not_appended)
}

fn told<T: Send + 'static>(reply: oneshot::Sender<T>, word: T) -> Box<dyn FnOnce() + Send> {
    Box::new(move || drop(reply.send(word)))
}
