//! The ledger store: entries, hash tiles, openings, snapshots and small values in one SQLite file with one writer.
//!
//! Reading order: what can go wrong ([`AppendError`]), the file and who may open it (`open`), the writer that commits many
//! appends at once (`writer`), reading (`read`), and the tree's hashes (`tiles`).
//!
//! Invariant: an append that was acknowledged is on disk (WAL, `synchronous=FULL`), and no row of `entries` is ever
//! changed or removed: there is no statement for it.

mod open;
mod read;
mod tiles;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quorate_terms::Digest;
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot, watch};

use crate::fault::Fault;

pub use read::Hashes;
pub use tiles::HASHES_PER_TILE;

/// The version of the tables. A file with a later one is refused, never changed.
pub const SCHEMA_VERSION: i64 = 1;

/// Appends that may wait for the writer before [`Store::submit`] says [`AppendError::Busy`].
pub const QUEUE: usize = 4096;

/// A handle to one open store; cheap to clone, safe to share. The last one dropped ends the writer.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    pool: SqlitePool,
    commands: mpsc::Sender<writer::Command>,
    size: Arc<AtomicU64>,
    broken: watch::Receiver<Option<Fault>>,
    epoch: u64,
}

/// What one append writes, all or nothing.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// The ledger's size before this append.
    pub expected_size: u64,
    /// Canonical bytes of the entries, in order.
    pub entries: Vec<Vec<u8>>,
    /// Openings of the commitments in these entries: commitment digest and opening as JSON. Erasable.
    pub openings: Vec<(Digest, String)>,
    /// Small values that must change together with the entries.
    pub values: Vec<(String, Vec<u8>)>,
}

/// Why an append was not made. Nothing of it is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The ledger has another size: reload and try again.
    Conflict {
        /// The size that it has.
        size: u64,
    },
    /// The disk takes no writes now. Reads work; appends work again when space is freed.
    Full,
    /// Too many appends wait already: slow down.
    Busy,
    /// The disk or the file failed. The process must end: after a failed flush nothing more can be promised.
    Fault(Fault),
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { size } => write!(f, "the ledger has {size} entries; reload and retry"),
            Self::Full => f.write_str("the disk takes no writes; free space, then retry"),
            Self::Busy => f.write_str("too many appends are waiting; retry later"),
            Self::Fault(fault) => write!(f, "{fault}"),
        }
    }
}

impl std::error::Error for AppendError {}

/// An append on its way to the disk. Await it for the new size; dropping it does not undo the append.
#[must_use = "an append counts only once its ticket says so"]
pub struct Ticket(oneshot::Receiver<Result<u64, AppendError>>);

impl Ticket {
    /// Waits until the append is durable, and gives the ledger's size after it.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written.
    pub async fn done(self) -> Result<u64, AppendError> {
        self.0.await.unwrap_or_else(|_| Err(AppendError::Fault(writer::gone())))
    }
}

impl Store {
    /// Opens the store at `path`, making it if it is not there, and takes it for this process alone.
    ///
    /// # Errors
    /// [`Fault`] when another process has it, the schema is newer, the file is not ours, or its last entries do not
    /// match their hashes.
    pub async fn open(path: &Path) -> Result<Self, Fault> {
        open::open(path).await
    }

    /// As [`Store::open`], and waits that long for another process to give the store back. For whoever holds what says who may
    /// open it: the process before gave that back first, and is about to end.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_within(path: &Path, within: Duration) -> Result<Self, Fault> {
        open::open_within(path, within).await
    }

    /// Entries in the ledger, all of them durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.size.load(Ordering::Acquire)
    }

    /// How many times this file has been opened. A later epoch fences an earlier one.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.0.epoch
    }

    /// Queues an append at once, in the order of the calls, without waiting for the disk.
    ///
    /// Chained appends, where each expects the size that the one before leaves, share one commit.
    ///
    /// # Errors
    /// [`AppendError::Busy`] when [`QUEUE`] appends wait already; [`AppendError::Fault`] when the writer has ended.
    pub fn submit(&self, append: Append) -> Result<Ticket, AppendError> {
        let (answer, ticket) = oneshot::channel();
        let sent = self.0.commands.try_send(writer::Command::append(append, answer));
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppendError::Busy,
            mpsc::error::TrySendError::Closed(_) => AppendError::Fault(self.fault()),
        })?;
        Ok(Ticket(ticket))
    }

    /// Appends entries and waits until they are durable; gives the new size.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written.
    pub async fn append(
        &self,
        expected_size: u64,
        entries: Vec<Vec<u8>>,
    ) -> Result<u64, AppendError> {
        self.submit(Append { expected_size, entries, ..Append::default() })?.done().await
    }

    /// Stores openings that arrived without their entries (a replica's copy).
    ///
    /// # Errors
    /// [`AppendError`], never [`AppendError::Conflict`].
    pub async fn put_openings(&self, openings: Vec<(Digest, String)>) -> Result<(), AppendError> {
        self.write(writer::Change::Openings(openings)).await
    }

    /// Destroys openings. When this returns, neither the file nor its log holds the values any more.
    ///
    /// # Errors
    /// As [`Store::put_openings`]; [`AppendError::Busy`] when a reader still holds the log: the values are deleted, and
    /// erasing again also empties the log.
    pub async fn erase(&self, commitments: Vec<Digest>) -> Result<(), AppendError> {
        self.write(writer::Change::Erase(commitments)).await
    }

    /// Keeps a snapshot that its owner signed; the latest one of a name replaces the one before.
    ///
    /// # Errors
    /// As [`Store::put_openings`].
    pub async fn put_snapshot(
        &self,
        name: &str,
        size: u64,
        blob: Vec<u8>,
    ) -> Result<(), AppendError> {
        self.write(writer::Change::Snapshot(name.to_owned(), size, blob)).await
    }

    /// Keeps a small value.
    ///
    /// # Errors
    /// As [`Store::put_openings`].
    pub async fn put(&self, key: &str, value: Vec<u8>) -> Result<(), AppendError> {
        self.write(writer::Change::Value(key.to_owned(), value)).await
    }

    /// Resolves when the store has failed for good. The process must then end.
    pub async fn broken(&self) -> Fault {
        let mut broken = self.0.broken.clone();
        let seen = broken.wait_for(Option::is_some).await.ok().and_then(|fault| fault.clone());
        seen.unwrap_or_else(writer::gone)
    }

    /// Waits for the writer to finish what is queued, folds the log into the file, and closes.
    pub async fn close(self) {
        let (answer, closed) = oneshot::channel();
        if self.0.commands.send(writer::Command::Close(answer)).await.is_ok() {
            let _writer_gone_is_closed_too = closed.await;
        }
        self.0.pool.close().await;
    }

    async fn write(&self, change: writer::Change) -> Result<(), AppendError> {
        let (answer, done) = oneshot::channel();
        let command = writer::Command::Change(change, answer);
        if self.0.commands.send(command).await.is_err() {
            return Err(AppendError::Fault(self.fault()));
        }
        done.await.unwrap_or_else(|_| Err(AppendError::Fault(self.fault()))).map(drop)
    }

    fn fault(&self) -> Fault {
        self.0.broken.borrow().clone().unwrap_or_else(writer::gone)
    }
}
