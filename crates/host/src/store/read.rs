//! Reading: pages of entries, openings, snapshots, values, and the hashes that proofs are made of.

use futures_util::TryStreamExt as _;
use quorate_ledger::tile::{ReadTiles, Tile, TileHashes};
use quorate_ledger::{Node, ReadHashes};
use quorate_terms::Digest;
use sqlx::{Row as _, SqlitePool};
use tokio::runtime::Handle;

use super::tiles::{HASHES_PER_TILE, partial_leaves, split, stored_tile};
use super::{Store, writer};
use crate::fault::Fault;

/// The most entry bytes in one page, unless one entry alone is larger.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

impl Store {
    /// At most `limit` entries from `from` on, in order. A page ends early at 8 MiB; an empty one is the end.
    ///
    /// # Errors
    /// [`Fault`] when the file cannot be read.
    pub async fn read(&self, from: u64, limit: u64) -> Result<Vec<Vec<u8>>, Fault> {
        let until = from.saturating_add(limit).min(self.size());
        let sql = "SELECT bytes FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx";
        let query = sqlx::query(sql).bind(from.cast_signed()).bind(until.cast_signed());
        let mut rows = query.fetch(&self.0.pool);
        let (mut page, mut bytes) = (Vec::new(), 0_usize);
        while let Some(row) = rows.try_next().await.map_err(|e| fault(&e))? {
            let entry: Vec<u8> = row.get(0);
            bytes = bytes.saturating_add(entry.len());
            if bytes > PAGE_BYTES && !page.is_empty() {
                break;
            }
            page.push(entry);
        }
        Ok(page)
    }

    /// Entries by their indices, in one question, in the order of the ledger; one that is not there is left out.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read_these(&self, indices: &[u64]) -> Result<Vec<(u64, Vec<u8>)>, Fault> {
        let size = self.size();
        let wanted: Vec<u64> = indices.iter().copied().filter(|index| *index < size).collect();
        let wanted = serde_json::to_string(&wanted)
            .map_err(|e| Fault::new("store", e.to_string(), "report this"))?;
        let sql = "SELECT idx, bytes FROM entries WHERE idx IN (SELECT value FROM json_each(?)) ORDER BY idx";
        let rows = sqlx::query(sql).bind(wanted).fetch_all(&self.0.pool).await;
        let line =
            |row: sqlx::sqlite::SqliteRow| (row.get::<i64, _>(0).cast_unsigned(), row.get(1));
        Ok(rows.map_err(|e| fault(&e))?.into_iter().map(line).collect())
    }

    /// The opening of a commitment as JSON; `None` when it was erased or never here.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn opening(&self, commitment: &Digest) -> Result<Option<String>, Fault> {
        let sql = "SELECT opening FROM openings WHERE commitment = ?";
        let query = sqlx::query(sql).bind(commitment.as_bytes().to_vec());
        let row = query.fetch_optional(&self.0.pool).await.map_err(|e| fault(&e))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// The latest snapshot of a name, with the ledger size that it stands for.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn snapshot(&self, name: &str) -> Result<Option<(u64, Vec<u8>)>, Fault> {
        let sql = "SELECT size, blob FROM snapshots WHERE name = ?";
        let query = sqlx::query(sql).bind(name.to_owned());
        let row = query.fetch_optional(&self.0.pool).await.map_err(|e| fault(&e))?;
        Ok(row.map(|row| (row.get::<i64, _>(0).cast_unsigned(), row.get(1))))
    }

    /// A small value.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        let query = sqlx::query("SELECT value FROM kv WHERE key = ?").bind(key.to_owned());
        let row = query.fetch_optional(&self.0.pool).await.map_err(|e| fault(&e))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Runs `work` with the tree's hashes at hand, on a thread where it may wait for the disk.
    ///
    /// # Errors
    /// [`Fault`] when the runtime is ending.
    pub async fn with_hashes<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Hashes) -> T + Send + 'static,
    {
        let size = self.size();
        let hashes = Hashes { pool: self.0.pool.clone(), size, runtime: Handle::current() };
        tokio::task::spawn_blocking(move || work(&hashes)).await.map_err(|_| writer::gone())
    }
}

/// The hash tiles of the tree as it stood at [`Hashes::size`]. Its methods wait for the disk.
pub struct Hashes {
    pool: SqlitePool,
    size: u64,
    runtime: Handle,
}

impl Hashes {
    /// Entries in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of tile `number` at `level` (C2SP tlog-tiles): 256, or fewer at the right edge, or none.
    ///
    /// # Errors
    /// [`Fault`] when the file cannot be read.
    pub fn tile(&self, level: u8, number: u64) -> Result<Vec<Digest>, Fault> {
        let below = (0..level).fold(self.size, |count, _| count / HASHES_PER_TILE);
        let start = number.saturating_mul(HASHES_PER_TILE);
        let width = below.saturating_sub(start).min(HASHES_PER_TILE);
        if width == 0 {
            return Ok(Vec::new());
        }
        let bytes = self.runtime.block_on(async {
            let mut conn = self.pool.acquire().await?;
            if level == 0 && width < HASHES_PER_TILE {
                return partial_leaves(&mut conn, start).await;
            }
            Ok(stored_tile(&mut conn, usize::from(level), number).await?.unwrap_or_default())
        });
        let mut hashes = split(&bytes.map_err(|e| fault(&e))?);
        // The tile may have grown since; the tree of our size has only these.
        hashes.truncate(usize::try_from(width).unwrap_or(usize::MAX));
        if u64::try_from(hashes.len()) == Ok(width) {
            return Ok(hashes);
        }
        let why = format!("hash tile {level}/{number} is missing");
        Err(Fault::new("store", why, "restore this ledger from a replica"))
    }
}

impl ReadTiles for Hashes {
    type Error = Fault;

    fn read_tile(&self, tile: Tile) -> Result<Vec<u8>, Fault> {
        let hashes = self.tile(tile.level, tile.index)?;
        Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }
}

impl ReadHashes for Hashes {
    type Error = Fault;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Digest>, Fault> {
        TileHashes(self).read(nodes)
    }
}

fn fault(error: &sqlx::Error) -> Fault {
    Fault::new("store", super::open::one_line(error), "check the disk")
}
