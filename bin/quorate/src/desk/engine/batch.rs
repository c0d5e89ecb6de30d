//! One batch of commands, one commit.

use std::sync::atomic::Ordering;
use std::time::Duration;

use quorate_custody::{Effect, Event, Step, Verdict};
use quorate_host::fault::Fault;
use quorate_host::store::{Append, AppendError, Ticket};
use quorate_terms::Digest;
use quorate_terms::canonical::Term;
use tokio::sync::oneshot;

use super::{Command, Done, Trouble, Writer};

/// Commands that share one commit at most.
pub(super) const BATCH_MAX: usize = 512;

/// Where the desk tries whether there is room, and how much of it.
const ROOM: &str = "room";
const ROOM_BYTES: usize = 16 * 1024;
/// How often it tries at least.
pub(super) const ROOM_EVERY: Duration = Duration::from_secs(1);

type Reply = oneshot::Sender<Result<Done, Trouble>>;

/// Something that is answered once the batch is durable.
struct Waiting {
    reply: Reply,
    done: Done,
    effects: Vec<Effect>,
}

impl Writer {
    pub(super) async fn batch(&mut self, commands: Vec<Command>) -> Result<(), Fault> {
        let mut waiting = Vec::new();
        let mut tickets: Vec<Ticket> = Vec::new();
        let mut failed = None;
        for command in commands {
            match command {
                // What a look sees must be durable, or it could be told and then lost.
                Command::Look(look) if tickets.is_empty() => look(&self.book),
                Command::Look(look) => {
                    failed = settle(&mut tickets).await.or(failed);
                    if failed.is_none() {
                        self.answer(&mut waiting);
                        look(&self.book);
                    }
                }
                Command::Tell { event, openings, reply } if failed.is_none() => {
                    match self.tell(*event, openings) {
                        Ok((Some(ticket), done, effects)) => {
                            tickets.push(ticket);
                            waiting.push(Waiting { reply, done, effects });
                        }
                        Ok((None, done, effects)) => waiting.push(Waiting { reply, done, effects }),
                        Err(Failed::Trouble(trouble)) => drop(reply.send(Err(trouble))),
                        Err(Failed::Append(error)) => {
                            failed = Some(error);
                            drop(reply.send(Err(Trouble::Full)));
                        }
                        Err(Failed::Fault(fault)) => return Err(fault),
                    }
                }
                Command::Tell { reply, .. } => drop(reply.send(Err(Trouble::Full))),
            }
        }
        failed = settle(&mut tickets).await.or(failed);
        match failed {
            None => {
                self.answer(&mut waiting);
                self.look_for_room().await
            }
            Some(AppendError::Fault(fault)) => Err(fault),
            Some(error) => {
                tracing::error!(%error, "nothing of this batch was recorded; folding the ledger anew");
                self.writes.store(false, Ordering::Relaxed);
                waiting.into_iter().for_each(|w| drop(w.reply.send(Err(Trouble::Full))));
                self.load().await
            }
        }
    }

    /// While the disk takes no writes, tries a small one: the desk is ready again soon after there is room, even if nobody
    /// asks for anything.
    pub(super) async fn look_for_room(&mut self) -> Result<(), Fault> {
        if self.writes.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.store.put(ROOM, vec![0; ROOM_BYTES]).await {
            Ok(()) => self.writes.store(true, Ordering::Relaxed),
            Err(AppendError::Fault(fault)) => return Err(fault),
            Err(_) => {}
        }
        Ok(())
    }

    fn answer(&mut self, waiting: &mut Vec<Waiting>) {
        self.publish();
        for Waiting { reply, done, effects } in waiting.drain(..) {
            drop(reply.send(Ok(done)));
            for effect in effects {
                drop(self.effects.send(effect));
            }
        }
        self.keeper.consider(&self.book, &self.frontier);
    }

    /// Records what follows from an event: queued for the disk and folded, in that order.
    fn tell(
        &mut self,
        event: Event,
        openings: Vec<(Digest, String)>,
    ) -> Result<(Option<Ticket>, Done, Vec<Effect>), Failed> {
        let now = self.clock.now();
        let Step { records, effects, case } =
            self.book.step(event, now).map_err(|r| Failed::Trouble(Trouble::Refused(r)))?;
        if records.is_empty() {
            return Ok((None, Done { case, size: self.book.size() }, effects));
        }
        let expected_size = self.book.size();
        let entries = self.book.entries(records, now).map_err(|e| bug(&e.to_string()))?;
        let mut bytes = Vec::with_capacity(entries.len());
        for entry in &entries {
            bytes.push(entry.to_canonical().map_err(|e| bug(&e.to_string()))?);
        }
        // Folded on the live book before the disk has it: should one be void, the process ends and nothing was written.
        for entry in &entries {
            match self.book.admit(entry) {
                Ok(Verdict::Good) => {}
                Ok(Verdict::Void(why)) | Err(why) => return Err(bug(&why.to_string())),
            }
        }
        let append = Append { expected_size, entries: bytes.clone(), openings, values: Vec::new() };
        let ticket = self.store.submit(append).map_err(Failed::Append)?;
        for (entry, bytes) in entries.iter().zip(&bytes) {
            self.keep(bytes, entry.index);
        }
        Ok((Some(ticket), Done { case, size: self.book.size() }, effects))
    }
}

enum Failed {
    Trouble(Trouble),
    Append(AppendError),
    Fault(Fault),
}

fn bug(why: &str) -> Failed {
    Failed::Fault(Fault::new(
        "the desk's own entry",
        why,
        "this is a fault of ours; please report it",
    ))
}

async fn settle(tickets: &mut Vec<Ticket>) -> Option<AppendError> {
    let mut failed = None;
    for ticket in tickets.drain(..) {
        failed = ticket.done().await.err().or(failed);
    }
    failed
}
