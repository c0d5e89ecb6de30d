//! Opening: one process per file, a schema that we know, and a ledger whose end matches its hashes.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, SqlitePool};
use tokio::sync::{mpsc, watch};

use super::tiles::Tree;
use super::writer::Writer;
use super::{Inner, QUEUE, SCHEMA_VERSION, Store};
use crate::fault::Fault;

/// `Quor` in ASCII: marks the file as ours.
const APPLICATION_ID: i64 = 0x5175_6f72;

const SCHEMA: &[&str] = &[
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE entries (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, bytes BLOB NOT NULL) STRICT",
    "CREATE TABLE tiles (level INTEGER, n INTEGER, hashes BLOB NOT NULL, PRIMARY KEY (level, n)) STRICT, WITHOUT ROWID",
    "CREATE TABLE openings (commitment BLOB PRIMARY KEY, opening TEXT NOT NULL) STRICT",
    "CREATE TABLE snapshots (name TEXT PRIMARY KEY, size INTEGER NOT NULL, blob BLOB NOT NULL) STRICT",
    "CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
    "INSERT INTO meta VALUES ('epoch', 0)",
];

/// Readers beside the one writer.
const READERS: u32 = 3;

/// Why a store that another process has is refused.
const HELD: &str = "another process has this ledger open";
/// How long it takes before a store that is held is asked for again.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// As [`open`], and waits for another process to give the store back.
pub(super) async fn open_within(path: &Path, within: Duration) -> Result<Store, Fault> {
    let begun = Instant::now();
    loop {
        match open(path).await {
            Err(fault) if fault.why() == HELD && begun.elapsed() < within => {
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            outcome => return outcome,
        }
    }
}

pub(super) async fn open(path: &Path) -> Result<Store, Fault> {
    let lock = take_lock(path)?;
    let wrap = |error: sqlx::Error| sql_fault(path, &error);
    create_private(path)?;
    let mut conn = writer_options(path).connect().await.map_err(wrap)?;
    prepare_schema(path, &mut conn).await?;
    let epoch = next_epoch(&mut conn).await.map_err(wrap)?;
    let tree = check_end(path, &mut conn).await?;
    let pool = readers(path).await.map_err(wrap)?;

    let size = Arc::new(AtomicU64::new(tree.size()));
    let (commands, queue) = mpsc::channel(QUEUE);
    let (report, broken) = watch::channel(None);
    let writer = Writer::new(conn, tree, Arc::clone(&size), epoch, report, lock);
    tokio::spawn(writer.run(queue));
    Ok(Store(Arc::new(Inner { pool, commands, size, broken, epoch })))
}

/// Turns a database error into a fault of this file.
pub(super) fn sql_fault(path: &Path, error: &sqlx::Error) -> Fault {
    Fault::new(path.display().to_string(), one_line(error), "check the disk, then start again")
}

/// Database messages can hold line breaks.
pub(super) fn one_line(error: &sqlx::Error) -> String {
    error.to_string().replace(['\n', '\r'], " ")
}

/// The lock lies beside the file, because SQLite takes and drops locks on the file itself.
fn take_lock(path: &Path) -> Result<File, Fault> {
    let beside = beside(path, ".lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&beside).map_err(|e| Fault::at(&beside, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Fault::new(
            path.display().to_string(),
            HELD,
            "stop that process first; one desk writes one vault",
        )),
        Err(TryLockError::Error(error)) => Err(Fault::at(&beside, &error)),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// SQLite gives its log the mode of the file, so the file is made 0600 before SQLite sees it.
fn create_private(path: &Path) -> Result<(), Fault> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map(drop).map_err(|e| Fault::at(path, &e))
}

fn writer_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging()
}

async fn readers(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("trusted_schema", "OFF")
        .pragma("query_only", "ON")
        .disable_statement_logging();
    SqlitePoolOptions::new().min_connections(1).max_connections(READERS).connect_with(options).await
}

async fn prepare_schema(path: &Path, conn: &mut SqliteConnection) -> Result<(), Fault> {
    let wrap = |error: sqlx::Error| sql_fault(path, &error);
    let pragma = "SELECT (SELECT application_id FROM pragma_application_id),
        (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)";
    let row = sqlx::query(pragma).fetch_one(&mut *conn).await.map_err(wrap)?;
    let (id, version, tables): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let name = path.display().to_string();
    match (id, version, tables) {
        (0, 0, 0) => create_schema(conn).await.map_err(wrap),
        (APPLICATION_ID, SCHEMA_VERSION, _) => Ok(()),
        (APPLICATION_ID, _, _) => Err(Fault::new(
            name,
            format!("has schema {version}, and this program knows {SCHEMA_VERSION}"),
            "use the program that wrote it, or a later one",
        )),
        _ => Err(Fault::new(name, "is not a ledger of ours", "give the path of a ledger")),
    }
}

async fn create_schema(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut work = conn.begin().await?;
    for statement in SCHEMA {
        sqlx::query(*statement).execute(&mut *work).await?;
    }
    sqlx::query("PRAGMA application_id = 1366650738").execute(&mut *work).await?;
    sqlx::query("PRAGMA user_version = 1").execute(&mut *work).await?;
    work.commit().await
}

async fn next_epoch(conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let sql = "UPDATE meta SET value = value + 1 WHERE key = 'epoch' RETURNING value";
    let epoch: i64 = sqlx::query(sql).fetch_one(conn).await?.get(0);
    Ok(epoch.cast_unsigned())
}

/// Checks that rows are numbered without a gap, that the last tile's worth of entries match their hashes, and that the
/// tiles cover the rest. Full verification is the ledger crate's work and runs in the background.
async fn check_end(path: &Path, conn: &mut SqliteConnection) -> Result<Tree, Fault> {
    let damaged = |why: String| {
        let mend = "restore this ledger from a replica; do not edit it";
        Fault::new(path.display().to_string(), why, mend)
    };
    let wrap = |error: sqlx::Error| sql_fault(path, &error);
    // One query for each end: both in one would read every row.
    let sql = "SELECT COALESCE((SELECT MAX(idx) + 1 FROM entries), 0),
        COALESCE((SELECT MIN(idx) FROM entries), 0)";
    let row = sqlx::query(sql).fetch_one(&mut *conn).await.map_err(wrap)?;
    let (size, first): (i64, i64) = (row.get(0), row.get(1));
    if first != 0 {
        return Err(damaged(format!("the first entry is {first}, not 0")));
    }
    let size = size.cast_unsigned();
    let tail = size.saturating_sub(super::HASHES_PER_TILE);
    let sql = "SELECT idx, leaf, bytes FROM entries WHERE idx >= ? ORDER BY idx";
    let rows =
        sqlx::query(sql).bind(tail.cast_signed()).fetch_all(&mut *conn).await.map_err(wrap)?;
    for (expected, row) in (tail..).zip(&rows) {
        let (index, leaf, bytes): (i64, &[u8], &[u8]) = (row.get(0), row.get(1), row.get(2));
        if index.cast_unsigned() != expected {
            return Err(damaged(format!("entry {expected} is missing")));
        }
        if leaf != quorate_ledger::hash::leaf(bytes).as_bytes() {
            return Err(damaged(format!("entry {expected} does not match its hash")));
        }
    }
    Tree::load(conn, size)
        .await
        .map_err(wrap)?
        .ok_or_else(|| damaged("a hash tile is missing".into()))
}
