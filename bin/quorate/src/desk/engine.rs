//! The one writer: event in, records durable, book folded, and only then anybody hears of it and anything is done.
//!
//! Events that arrive while the disk is busy share the next commit. Should a commit fail, nothing of it was promised: the
//! book is folded anew from the disk.

mod batch;
pub mod head;
mod snapshot;

#[cfg(test)]
#[path = "../../../../crates/custody/tests/house/mod.rs"]
pub(crate) mod house;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quorate_custody::witness::log_key;
use quorate_custody::{Book, Effect, Event, Refusal, Verdict, founding};
use quorate_host::clock::Clock;
use quorate_host::fault::Fault;
use quorate_host::identity::Identity;
use quorate_host::store::Store;
use quorate_ledger::tree::root_at;
use quorate_ledger::{Checkpoint, Frontier, VerifierKey, hash};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::Entry;
use quorate_terms::{CaseId, Digest};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

pub use head::Head;

/// Events and looks that may wait for the writer.
const QUEUE: usize = 4096;
/// Entries read from the disk at once when folding.
const PAGE: u64 = 2000;
/// Canonical entries kept in memory for the cosigners.
const TAIL_MAX: usize = 8192;
/// How long a task waits before it ends the process, so that a runtime that is being taken down has dropped it by then.
const TAKEN_DOWN: Duration = Duration::from_millis(100);

/// Why the engine did not do what was asked.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The book says no, and what to do next.
    Refused(Refusal),
    /// The disk takes no writes; nothing was recorded.
    Full,
    /// The desk is stopping.
    Stopped,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Full => f.write_str("the disk takes no writes; free space and try again"),
            Self::Stopped => f.write_str("the desk is stopping; try again when it is up"),
        }
    }
}

/// What an event came to.
#[derive(Clone, Debug)]
pub struct Done {
    /// The case that it was about.
    pub case: Option<CaseId>,
    /// The ledger's size once it was durable.
    pub size: u64,
}

type Look = Box<dyn FnOnce(&Book) + Send>;

enum Command {
    Tell {
        event: Box<Event>,
        openings: Vec<(Digest, String)>,
        reply: oneshot::Sender<Result<Done, Trouble>>,
    },
    Look(Look),
}

/// A handle to the writer; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    commands: mpsc::Sender<Command>,
    head: watch::Receiver<Arc<Head>>,
    store: Store,
    clock: Arc<dyn Clock>,
    log: Arc<Identity>,
    key: VerifierKey,
    writes: Arc<AtomicBool>,
}

/// The writer itself, which owns the book.
pub(super) struct Writer {
    book: Book,
    founding: CharterText,
    frontier: Frontier,
    tail: VecDeque<(u64, String)>,
    store: Store,
    clock: Arc<dyn Clock>,
    log: Arc<Identity>,
    key: VerifierKey,
    keeper: snapshot::Keeper,
    head: watch::Sender<Arc<Head>>,
    effects: mpsc::UnboundedSender<Effect>,
    writes: Arc<AtomicBool>,
}

impl Engine {
    /// Folds the ledger from the disk and starts the writer. Effects come out of the receiver, in order.
    ///
    /// # Errors
    /// [`Fault`] when the ledger cannot be read, or is not this charter's.
    pub async fn start(
        founding: CharterText,
        store: Store,
        log: Identity,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Effect>), Fault> {
        let (effects, out) = mpsc::unbounded_channel();
        let key = log_key(&founding)
            .map_err(|e| Fault::new("charter", e.to_string(), "found the vault again"))?;
        let (sender, head) = watch::channel(Arc::new(Head::none()));
        let writes = Arc::new(AtomicBool::new(true));
        let log = Arc::new(log);
        let mut writer = Writer {
            book: new_book(&founding)?,
            founding,
            frontier: Frontier::new(),
            tail: VecDeque::new(),
            store: store.clone(),
            clock: clock.clone(),
            keeper: snapshot::Keeper::new(store.clone(), log.clone()),
            log: log.clone(),
            key: key.clone(),
            head: sender,
            effects,
            writes: writes.clone(),
        };
        writer.load().await?;
        let (commands, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(writer.serve(inbox));
        Ok((Self { commands, head, store, clock, log, key, writes }, out))
    }

    /// Tells the book of an event and waits until what follows is durable.
    ///
    /// # Errors
    /// [`Trouble`]; nothing was recorded then.
    pub async fn tell(&self, event: Event) -> Result<Done, Trouble> {
        self.tell_with(event, Vec::new()).await
    }

    /// As [`Engine::tell`], with openings of the commitments in the event, kept in the erasable table.
    ///
    /// # Errors
    /// As [`Engine::tell`].
    pub async fn tell_with(
        &self,
        event: Event,
        openings: Vec<(Digest, String)>,
    ) -> Result<Done, Trouble> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Tell { event: Box::new(event), openings, reply };
        self.commands.send(command).await.map_err(|_| Trouble::Stopped)?;
        answer.await.map_err(|_| Trouble::Stopped)?
    }

    /// Looks at the book as it stands.
    ///
    /// # Errors
    /// [`Trouble::Stopped`].
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Book) -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        let (reply, answer) = oneshot::channel();
        let look: Look = Box::new(move |book| drop(reply.send(look(book))));
        self.commands.send(Command::Look(look)).await.map_err(|_| Trouble::Stopped)?;
        answer.await.map_err(|_| Trouble::Stopped)
    }

    /// The newest signed checkpoint, with the newest entries.
    pub fn head(&self) -> Arc<Head> {
        self.head.borrow().clone()
    }

    /// Waits until there are more entries than `size`; gives how many.
    ///
    /// # Errors
    /// [`Trouble::Stopped`].
    pub async fn beyond(&self, size: u64) -> Result<u64, Trouble> {
        let mut head = self.head.clone();
        let newer = head.wait_for(|head| head.size > size).await;
        newer.map(|head| head.size).map_err(|_| Trouble::Stopped)
    }

    /// The signed checkpoint of the ledger's first `size` entries, all of which are durable: for whoever is told the book in
    /// parts.
    ///
    /// # Errors
    /// [`Fault`] when the disk does not have them.
    pub async fn note_at(&self, size: u64) -> Result<String, Fault> {
        let read = self.store.with_hashes(move |hashes| root_at(hashes, size));
        Ok(head::note(&self.key, &self.log, (size, read.await??)))
    }

    /// Waits for a checkpoint that is newer than `size`.
    pub async fn grown(&self, size: u64) {
        let mut head = self.head.clone();
        drop(head.wait_for(|head| head.size > size).await);
    }

    /// The origin of the ledger, as its checkpoints name it.
    pub fn origin(&self) -> &str {
        self.key.name()
    }

    /// The ledger's store.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The desk's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Whether the disk takes writes.
    pub fn writes(&self) -> bool {
        self.writes.load(Ordering::Relaxed)
    }
}

impl Writer {
    /// Folds everything that the disk has, from our newest snapshot on; founds the vault if it has nothing.
    async fn load(&mut self) -> Result<(), Fault> {
        let restored = self.keeper.restore(&self.founding).await?;
        let whole = restored.is_none();
        (self.book, self.frontier) = match restored {
            Some(parts) => parts,
            None => (new_book(&self.founding)?, Frontier::new()),
        };
        self.tail.clear();
        let size = self.store.size();
        while self.book.size() < size {
            let page = self.store.read(self.book.size(), PAGE).await?;
            for bytes in page {
                self.replay(&bytes)?;
            }
        }
        self.publish();
        if size == 0 {
            self.found().await?;
        }
        // Whoever is ended before a snapshot is due would otherwise fold a longer tail at each start.
        self.keeper.consider(&self.book, &self.frontier);
        if !whole {
            let (size, root) = (self.frontier.size(), self.frontier.root());
            let head = Checkpoint { origin: self.key.name().to_owned(), size, root };
            self.keeper.verify_beside(self.founding.vault.to_string(), head);
        }
        Ok(())
    }

    fn replay(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let broken = |why: String| {
            let mend = "restore the ledger from a cosigner's replica; see the README";
            Fault::new("ledger", why, mend)
        };
        let entry = Entry::from_canonical(bytes).map_err(|e| broken(e.to_string()))?;
        match self.book.admit(&entry).map_err(|e| broken(e.to_string()))? {
            Verdict::Good => {}
            Verdict::Void(why) => {
                tracing::error!(index = entry.index, %why, "an entry of this ledger is void")
            }
        }
        self.keep(bytes, entry.index);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8], index: u64) {
        self.frontier.append(hash::leaf(bytes));
        if self.tail.len() >= TAIL_MAX {
            self.tail.pop_front();
        }
        self.tail.push_back((index, String::from_utf8_lossy(bytes).into_owned()));
    }

    async fn found(&mut self) -> Result<(), Fault> {
        let bodies = founding(&self.founding);
        let entries = self.book.entries(bodies, self.clock.now());
        let entries =
            entries.map_err(|e| Fault::new("charter", e.to_string(), "found the vault again"))?;
        let bytes: Vec<Vec<u8>> = entries.iter().filter_map(|e| e.to_canonical().ok()).collect();
        let appended = self.store.append(0, bytes.clone()).await;
        appended.map_err(|e| Fault::new("ledger", e.to_string(), "free space and start again"))?;
        bytes.iter().try_for_each(|bytes| self.replay(bytes))?;
        self.publish();
        Ok(())
    }

    /// Signs and shows the present head. Never before its entries are durable.
    fn publish(&self) {
        let head = Head::sign(&self.frontier, &self.key, &self.log, &self.tail);
        self.head.send_replace(Arc::new(head));
    }

    async fn serve(mut self, mut inbox: mpsc::Receiver<Command>) {
        loop {
            let done = match timeout(self.patience(), inbox.recv()).await {
                Ok(None) => return,
                Ok(Some(first)) => {
                    let mut commands = vec![first];
                    while commands.len() < batch::BATCH_MAX {
                        match inbox.try_recv() {
                            Ok(command) => commands.push(command),
                            Err(_) => break,
                        }
                    }
                    self.batch(commands).await
                }
                Err(_) => self.look_for_room().await,
            };
            if let Err(fault) = done {
                // A runtime that is being taken down may have dropped the writer. It drops this task too, while it waits here.
                tokio::time::sleep(TAKEN_DOWN).await;
                tracing::error!(%fault, "the desk stops");
                // After a failed flush nothing more can be promised: the process ends (row 6).
                std::process::exit(70);
            }
        }
    }

    /// How long to wait for a command before looking whether there is room again.
    fn patience(&self) -> Duration {
        if self.writes.load(Ordering::Relaxed) { Duration::MAX } else { batch::ROOM_EVERY }
    }
}

fn new_book(founding: &CharterText) -> Result<Book, Fault> {
    Book::new(founding.clone()).map_err(|e| Fault::new("charter", e.message, e.next))
}
