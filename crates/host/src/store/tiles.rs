//! Hash tiles of the RFC 6962 tree, 256 hashes wide at every level (C2SP tlog-tiles), kept as entries come.
//!
//! Level 0 of an unfinished tile is read from the entries themselves; every other hash that a proof needs lies in a
//! tile, finished or not.

use quorate_ledger::hash;
use quorate_terms::Digest;
use sqlx::{Row as _, SqliteConnection};

/// Hashes in a full tile.
pub const HASHES_PER_TILE: u64 = 256;

/// The width of a tile as a count.
const WIDTH: usize = 256;

/// The most levels that 2^63 entries can need.
const LEVELS_MAX: usize = 8;

/// The root of a full tile.
fn tile_root(hashes: &[Digest]) -> Option<Digest> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| hash::node(left, right)).collect();
    }
    row.first().copied()
}

/// A tile that changed and must be written: level, number, hashes.
pub(super) type Changed = (usize, u64, Vec<u8>);

/// The unfinished right edge of the tree: one partial tile for each level.
#[derive(Clone, Default)]
pub(super) struct Tree {
    size: u64,
    edge: Vec<Vec<Digest>>,
}

impl Tree {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Takes the next leaf; pushes the tiles that became full, and the partial ones above them, on `changed`.
    pub(super) fn push(&mut self, leaf: Digest, changed: &mut Vec<Changed>) {
        let mut carry = Some(leaf);
        let mut count = self.size;
        self.size = self.size.saturating_add(1);
        for level in 0..LEVELS_MAX {
            let Some(hash) = carry else { return };
            if self.edge.len() <= level {
                self.edge.push(Vec::with_capacity(WIDTH));
            }
            let Some(row) = self.edge.get_mut(level) else { return };
            row.push(hash);
            let number = count / HASHES_PER_TILE;
            carry = (row.len() == WIDTH).then(|| tile_root(row)).flatten();
            if level > 0 || carry.is_some() {
                changed.retain(|(l, n, _)| (*l, *n) != (level, number));
                changed.push((
                    level,
                    number,
                    row.iter().flat_map(|hash| *hash.as_bytes()).collect(),
                ));
            }
            if carry.is_some() {
                row.clear();
            }
            count = number;
        }
    }

    /// Reads the edge of a tree of `size` entries back; `None` when a tile is missing or has another width.
    pub(super) async fn load(
        conn: &mut SqliteConnection,
        size: u64,
    ) -> Result<Option<Self>, sqlx::Error> {
        let mut tree = Self { size, edge: Vec::new() };
        let mut count = size;
        for level in 0..LEVELS_MAX {
            if count == 0 {
                break;
            }
            let (number, width) = (count / HASHES_PER_TILE, count % HASHES_PER_TILE);
            let bytes = match (level, width) {
                (_, 0) => Vec::new(),
                (0, _) => partial_leaves(conn, number.saturating_mul(HASHES_PER_TILE)).await?,
                _ => stored_tile(conn, level, number).await?.unwrap_or_default(),
            };
            let row = split(&bytes);
            if u64::try_from(row.len()) != Ok(width) {
                return Ok(None);
            }
            tree.edge.push(row);
            count = number;
        }
        Ok(Some(tree))
    }
}

/// Cuts the bytes of a tile into hashes.
pub(super) fn split(bytes: &[u8]) -> Vec<Digest> {
    bytes.as_chunks::<32>().0.iter().copied().map(Digest::from_bytes).collect()
}

/// The leaf hashes of the entries from `from` on, at most a tile of them.
pub(super) async fn partial_leaves(
    conn: &mut SqliteConnection,
    from: u64,
) -> Result<Vec<u8>, sqlx::Error> {
    let sql = "SELECT leaf FROM entries WHERE idx >= ? ORDER BY idx LIMIT 256";
    let rows = sqlx::query(sql).bind(from.cast_signed()).fetch_all(conn).await?;
    Ok(rows.iter().flat_map(|row| row.get::<&[u8], _>(0).to_vec()).collect())
}

/// A tile as stored.
pub(super) async fn stored_tile(
    conn: &mut SqliteConnection,
    level: usize,
    number: u64,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let level = i64::try_from(level).unwrap_or(i64::MAX);
    let sql = "SELECT hashes FROM tiles WHERE level = ? AND n = ?";
    let query = sqlx::query(sql).bind(level).bind(number.cast_signed());
    Ok(query.fetch_optional(conn).await?.map(|row| row.get(0)))
}
