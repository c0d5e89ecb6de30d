//! The one writer: takes what is queued, puts it into one transaction, flushes once, and only then answers.

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use quorate_terms::Digest;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Connection as _, Row as _, Sqlite, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use super::open::one_line;
use super::tiles::{Changed, Tree};
use super::{Append, AppendError};
use crate::fault::Fault;

/// The most commands in one commit.
const BATCH: usize = 1024;
/// How often the writer lets others run before it commits without them.
const YIELDS: usize = 16;
/// The most entry bytes in one commit, unless one append alone is larger.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

type Answer = oneshot::Sender<Result<u64, AppendError>>;
/// An entry with its place and its hash, ready to be written.
type Line = (u64, Digest, Vec<u8>);

pub(super) enum Command {
    Append(Append, Answer),
    Change(Change, Answer),
    Close(oneshot::Sender<()>),
    /// A limit that only tests set.
    #[cfg(test)]
    Pragma(&'static str),
}

pub(super) enum Change {
    Openings(Vec<(Digest, String)>),
    Erase(Vec<Digest>),
    Snapshot(String, u64, Vec<u8>),
    Value(String, Vec<u8>),
}

impl Command {
    pub(super) fn append(append: Append, answer: Answer) -> Self {
        Self::Append(append, answer)
    }

    fn weight(&self) -> usize {
        match self {
            Self::Append(append, _) => append.entries.iter().map(Vec::len).sum(),
            _ => 0,
        }
    }
}

/// What the caller hears when the writer ended before it answered.
pub(super) fn gone() -> Fault {
    Fault::new("store", "the writer has ended", "end this process and start it again")
}

pub(super) struct Writer {
    conn: SqliteConnection,
    tree: Tree,
    size: Arc<AtomicU64>,
    epoch: u64,
    report: watch::Sender<Option<Fault>>,
    /// The file stays ours until the last write is out, even if every handle is gone.
    lock: File,
}

/// What a transaction will do, and whom to tell.
#[derive(Default)]
struct Batch {
    lines: Vec<Line>,
    tiles: Vec<Changed>,
    changes: Vec<Change>,
    answers: Vec<(Answer, Result<u64, AppendError>)>,
    /// Those who wait for an erasure: they hear about the log too.
    erasers: Vec<Answer>,
    #[cfg(test)]
    pragma: Option<&'static str>,
}

impl Writer {
    pub(super) fn new(
        conn: SqliteConnection,
        tree: Tree,
        size: Arc<AtomicU64>,
        epoch: u64,
        report: watch::Sender<Option<Fault>>,
        lock: File,
    ) -> Self {
        Self { conn, tree, size, epoch, report, lock }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut closing = None;
        let mut company = 0;
        while closing.is_none() {
            let Some(first) = queue.recv().await else { break };
            await_company(&queue, company).await;
            let mut tree = self.tree.clone();
            let mut batch = Batch::default();
            closing = gather(first, &mut queue, &mut tree, &mut batch);
            company = batch.answers.len();
            if self.commit(tree, batch).await.is_err() {
                // Closing would flush once more, and after a failed flush the disk is not touched again: the process ends.
                std::mem::forget(self);
                return;
            }
        }
        let Self { mut conn, lock, .. } = self;
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
        let _best_effort = sqlx::query(fold).execute(&mut conn).await;
        let _closed_either_way = conn.close().await;
        drop(lock);
        if let Some(closed) = closing {
            let _nobody_waits = closed.send(());
        }
    }

    /// Makes the batch durable and answers everybody. `Err` ends the writer for good.
    async fn commit(&mut self, tree: Tree, batch: Batch) -> Result<(), ()> {
        let written = self.write(&batch).await;
        let outcome = match &written {
            Ok(()) => Ok(()),
            Err(error) => Err(append_error(error)),
        };
        if outcome.is_ok() {
            self.size.store(tree.size(), Ordering::Release);
            self.tree = tree;
        }
        for (answer, planned) in batch.answers {
            let _caller_gave_up = answer.send(outcome.clone().and(planned));
        }
        let mut last = outcome;
        if !batch.erasers.is_empty() && last.is_ok() {
            last = self.empty_log().await;
        }
        for answer in batch.erasers {
            let _caller_gave_up = answer.send(last.clone().map(|()| self.tree.size()));
        }
        let Err(AppendError::Fault(fault)) = last else { return Ok(()) };
        self.report.send_replace(Some(fault));
        Err(())
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        #[cfg(test)]
        if let Some(sql) = batch.pragma {
            sqlx::query(sql).execute(&mut self.conn).await?;
        }
        if batch.lines.is_empty() && batch.changes.is_empty() {
            return Ok(());
        }
        // Plain statements, not the library's transaction: SQLite rolls back by itself when the disk is full, and the
        // library would then believe for ever that a transaction is open.
        if let Err(error) = self.fill(batch).await {
            let _already_rolled_back = execute(&mut self.conn, "ROLLBACK").await;
            return Err(error);
        }
        Ok(())
    }

    /// Empties the log, which still holds the pages as they were before an erasure. `Busy` when a reader holds on to them.
    async fn empty_log(&mut self) -> Result<(), AppendError> {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.conn).await;
        match row.map(|row| row.get::<i64, _>(0)) {
            Ok(0) => Ok(()),
            Ok(_) => Err(AppendError::Busy),
            Err(error) => Err(append_error(&error.into())),
        }
    }

    /// From `BEGIN` to `COMMIT`. Each trip to SQLite's thread costs more than a row, so that an ordinary batch makes two: one
    /// that begins and checks the epoch, and one that writes the entries and commits.
    async fn fill(&mut self, batch: &Batch) -> Result<(), WriteError> {
        let conn = &mut self.conn;
        begin(conn, self.epoch).await?;
        for (level, number, hashes) in &batch.tiles {
            let level = i64::try_from(*level).unwrap_or(i64::MAX);
            let sql = "INSERT OR REPLACE INTO tiles (level, n, hashes) VALUES (?, ?, ?)";
            let query = sqlx::query(sql).bind(level).bind(number.cast_signed()).bind(&**hashes);
            query.execute(&mut *conn).await?;
        }
        for change in &batch.changes {
            apply(conn, change).await?;
        }
        insert_and_commit(conn, &batch.lines).await?;
        Ok(())
    }
}

async fn execute(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(conn).await.map(drop)
}

/// Those who were answered together come again together. The first of them wakes the writer, so without a pause each
/// would commit alone and the others after it; a caller who was alone is never kept waiting.
async fn await_company(queue: &mpsc::Receiver<Command>, company: usize) {
    for _ in 0..YIELDS {
        if queue.len().saturating_add(1) >= company {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Fills the batch with what waits, in order; gives the answer channel of a close.
fn gather(
    first: Command,
    queue: &mut mpsc::Receiver<Command>,
    tree: &mut Tree,
    batch: &mut Batch,
) -> Option<oneshot::Sender<()>> {
    let mut next = Some(first);
    let mut weight = 0_usize;
    let mut count = 0_usize;
    while let Some(command) = next {
        weight = weight.saturating_add(command.weight());
        count = count.saturating_add(1);
        match command {
            Command::Append(append, answer) => batch.append(append, answer, tree),
            Command::Change(change, answer) => {
                match change {
                    Change::Erase(_) => batch.erasers.push(answer),
                    _ => batch.answers.push((answer, Ok(tree.size()))),
                }
                batch.changes.push(change);
            }
            Command::Close(closed) => return Some(closed),
            #[cfg(test)]
            Command::Pragma(sql) => {
                batch.pragma = Some(sql);
                return None;
            }
        }
        let room = count < BATCH && weight < BATCH_BYTES;
        next = if room { queue.try_recv().ok() } else { None };
    }
    None
}

impl Batch {
    fn append(&mut self, append: Append, answer: Answer, tree: &mut Tree) {
        if append.expected_size != tree.size() {
            let size = tree.size();
            self.answers.push((answer, Err(AppendError::Conflict { size })));
            return;
        }
        for bytes in append.entries {
            let leaf = quorate_ledger::hash::leaf(&bytes);
            self.lines.push((tree.size(), leaf, bytes));
            tree.push(leaf, &mut self.tiles);
        }
        if !append.openings.is_empty() {
            self.changes.push(Change::Openings(append.openings));
        }
        self.changes
            .extend(append.values.into_iter().map(|(key, value)| Change::Value(key, value)));
        self.answers.push((answer, Ok(tree.size())));
    }
}

/// Rows that one statement writes at most.
const ROWS_MAX: usize = 64;

/// One statement for each number of rows, and one that also commits; each is prepared once and kept by the connection.
static INSERTS: LazyLock<[[String; 2]; ROWS_MAX]> = LazyLock::new(|| {
    std::array::from_fn(|more| {
        let rows = ", (?, ?, ?)".repeat(more);
        let insert = format!("INSERT INTO entries (idx, leaf, bytes) VALUES (?, ?, ?){rows}");
        let last = format!("{insert}; COMMIT");
        [insert, last]
    })
});

/// Should an insert fail, what stands behind it in its statement is not run.
async fn insert_and_commit(conn: &mut SqliteConnection, lines: &[Line]) -> Result<(), sqlx::Error> {
    let mut chunks = lines.chunks(ROWS_MAX).peekable();
    if chunks.peek().is_none() {
        return execute(conn, "COMMIT").await;
    }
    while let Some(chunk) = chunks.next() {
        // A chunk has 1 to 64 lines, and there are two statements for each.
        let Some([insert, last]) = INSERTS.get(chunk.len().saturating_sub(1)) else {
            return Err(sqlx::Error::RowNotFound);
        };
        let sql = if chunks.peek().is_none() { last } else { insert };
        self::insert(conn, sql, chunk).await?;
    }
    Ok(())
}

async fn insert(
    conn: &mut SqliteConnection,
    sql: &'static str,
    lines: &[Line],
) -> Result<(), sqlx::Error> {
    let mut query: sqlx::query::Query<'_, Sqlite, SqliteArguments> = sqlx::query(sql);
    for (index, leaf, bytes) in lines {
        query =
            query.bind(index.cast_signed()).bind(leaf.as_bytes().as_slice()).bind(bytes.as_slice());
    }
    query.execute(conn).await.map(drop)
}

async fn apply(conn: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    match change {
        Change::Openings(openings) => {
            let sql = "INSERT OR IGNORE INTO openings (commitment, opening) VALUES (?, ?)";
            for (commitment, opening) in openings {
                let query = sqlx::query(sql).bind(commitment.as_bytes().as_slice());
                query.bind(opening.as_str()).execute(&mut *conn).await?;
            }
        }
        Change::Erase(commitments) => {
            for commitment in commitments {
                let query = sqlx::query("DELETE FROM openings WHERE commitment = ?");
                query.bind(commitment.as_bytes().as_slice()).execute(&mut *conn).await?;
            }
        }
        Change::Snapshot(name, size, blob) => {
            let sql = "INSERT OR REPLACE INTO snapshots (name, size, blob) VALUES (?, ?, ?)";
            let query = sqlx::query(sql).bind(name.as_str()).bind(size.cast_signed());
            query.bind(blob.as_slice()).execute(conn).await?;
        }
        Change::Value(key, value) => {
            let sql = "INSERT OR REPLACE INTO kv (key, value) VALUES (?, ?)";
            sqlx::query(sql).bind(key.as_str()).bind(value.as_slice()).execute(conn).await?;
        }
    }
    Ok(())
}

/// Begins. If somebody opened the file after us, we have been fenced off and must stop.
async fn begin(conn: &mut SqliteConnection, ours: u64) -> Result<(), WriteError> {
    let sql = "BEGIN IMMEDIATE; SELECT value FROM meta WHERE key = 'epoch'";
    let row = sqlx::query(sql).fetch_one(conn).await?;
    let found: i64 = row.get(0);
    if found.cast_unsigned() == ours { Ok(()) } else { Err(WriteError::Fenced) }
}

enum WriteError {
    Sql(sqlx::Error),
    Fenced,
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// `SQLITE_FULL` and `SQLITE_READONLY` leave the file as it was and may pass; anything else is final. In particular a
/// failed flush is never tried again: the kernel may have dropped the pages and say yes the second time.
fn append_error(error: &WriteError) -> AppendError {
    let WriteError::Sql(error) = error else {
        let why = "another process has taken this ledger over";
        return AppendError::Fault(Fault::new("store", why, "stop one of the two"));
    };
    let code = error.as_database_error().and_then(|e| e.code());
    let primary = code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    match primary {
        Some(SQLITE_FULL | SQLITE_READONLY) => AppendError::Full,
        _ => {
            AppendError::Fault(Fault::new("store", one_line(error), "check the disk, then restart"))
        }
    }
}

const SQLITE_READONLY: u32 = 8;
const SQLITE_FULL: u32 = 13;
