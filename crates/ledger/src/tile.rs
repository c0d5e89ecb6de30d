//! C2SP tlog-tiles: hashes in tiles of 256, entries in bundles of 256, each at a path of its own. Pure names and bytes.

use std::collections::BTreeMap;

use quorate_terms::Digest;

use crate::error::Misuse;
use crate::tree::{self, Node, ReadHashes};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Levels of the tree between a tile and the one above.
const TILE_HEIGHT: u8 = 8;

/// A tile: `width` hashes of level `8 * level`, from the one at `256 * index`. Level and width say which version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tile {
    /// Level of tiles, 0 over the leaves.
    pub level: u8,
    /// Place among the tiles of its level, from 0.
    pub index: u64,
    /// How many hashes it holds, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// Where the tile is found below a log's prefix, such as `tile/0/x001/234.p/17`.
    pub fn path(&self) -> String {
        format!("tile/{}/{}{}", self.level, number(self.index), partial(self.width))
    }

    /// Where the bundle of the entries under a tile of level 0 is found.
    pub fn bundle_path(&self) -> String {
        format!("tile/entries/{}{}", number(self.index), partial(self.width))
    }

    /// The nodes whose hashes make up the tile, in order.
    pub fn nodes(&self) -> Vec<Node> {
        let level = self.level.saturating_mul(TILE_HEIGHT);
        let first = self.index.saturating_mul(TILE_WIDTH);
        (0..u64::from(self.width)).map(|n| Node { level, index: first.saturating_add(n) }).collect()
    }
}

fn number(index: u64) -> String {
    let mut text = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    text
}

fn partial(width: u16) -> String {
    if u64::from(width) < TILE_WIDTH { format!(".p/{width}") } else { String::new() }
}

/// Every tile of a tree of `new` leaves that a tree of `old` leaves did not have in that form, lowest level first.
pub fn tiles_between(old: u64, new: u64) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let (mut before, mut after, mut level) = (old, new, 0u8);
    while after > 0 {
        for index in before / TILE_WIDTH..after.div_ceil(TILE_WIDTH) {
            let start = index.saturating_mul(TILE_WIDTH);
            let width = after.saturating_sub(start).min(TILE_WIDTH);
            if start.saturating_add(width) > before {
                let width = u16::try_from(width).unwrap_or(u16::MAX);
                tiles.push(Tile { level, index, width });
            }
        }
        before /= TILE_WIDTH;
        after /= TILE_WIDTH;
        level = level.saturating_add(1);
    }
    tiles
}

/// The bytes of an entry bundle: each entry after its length as two big-endian bytes.
///
/// # Errors
/// [`Misuse`] for an entry of more than 65,535 bytes, which the format cannot hold: export that ledger as JSON lines.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Misuse> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len())
            .map_err(|_| Misuse::new("an entry is too long for a bundle; export JSON lines"))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// A store of tiles.
pub trait ReadTiles {
    /// What reading can fail with.
    type Error: From<Misuse>;

    /// The bytes of a tile: `width` hashes of 32 bytes. More than asked for may come, never less.
    ///
    /// # Errors
    /// When the store fails or does not hold it.
    fn read_tile(&self, tile: Tile) -> Result<Vec<u8>, Self::Error>;
}

/// The tiles of one proof, by level and index: most of its nodes lie in the same few.
type Held = BTreeMap<(u8, u64), Vec<u8>>;

/// Reads the hashes of any subtree out of tiles: what lies between two levels of tiles is computed.
#[derive(Clone, Copy, Debug)]
pub struct TileHashes<'a, R>(pub &'a R);

impl<R: ReadTiles> TileHashes<'_, R> {
    fn one(&self, node: Node, held: &mut Held) -> Result<Digest, R::Error> {
        let level = node.level / TILE_HEIGHT;
        let height = node.level % TILE_HEIGHT;
        let first = node.index << height;
        let offset = first % TILE_WIDTH;
        let count = 1u64 << height;
        let width = u16::try_from(offset.saturating_add(count)).unwrap_or(u16::MAX);
        let tile = Tile { level, index: first / TILE_WIDTH, width };
        let place = (tile.level, tile.index);
        let read = held.get(&place).map_or(0, |bytes| bytes.as_chunks::<32>().0.len());
        if read < usize::from(width) {
            held.insert(place, self.0.read_tile(tile)?);
        }
        let (hashes, _) = held.get(&place).map_or(&[][..], Vec::as_slice).as_chunks::<32>();
        let skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let take = usize::try_from(count).unwrap_or(usize::MAX);
        let row: Vec<Digest> =
            hashes.iter().skip(skip).take(take).map(|h| Digest::from_bytes(*h)).collect();
        if row.len() != take {
            return Err(Misuse::new(format!("`{}` is too short", tile.path())).into());
        }
        complete(row).ok_or_else(|| Misuse::new("an empty subtree has no hash").into())
    }
}

/// The root over a power of two of hashes.
fn complete(mut row: Vec<Digest>) -> Option<Digest> {
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        row = pairs.iter().filter_map(|pair| tree::fold(pair)).collect();
    }
    row.first().copied()
}

impl<R: ReadTiles> ReadHashes for TileHashes<'_, R> {
    type Error = R::Error;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Digest>, R::Error> {
        let mut held = Held::new();
        nodes.iter().map(|node| self.one(*node, &mut held)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hash, proof};

    struct Folder(BTreeMap<String, Vec<u8>>);

    impl ReadTiles for Folder {
        type Error = Misuse;

        fn read_tile(&self, tile: Tile) -> Result<Vec<u8>, Misuse> {
            // A store keeps the widest version; a narrower one is its beginning.
            (tile.width..=256)
                .find_map(|width| self.0.get(&Tile { width, ..tile }.path()).cloned())
                .ok_or_else(|| Misuse::new(tile.path()))
        }
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |level, index, width| Tile { level, index, width }.path();
        assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(1, 4, 1), "tile/1/004.p/1");
        assert_eq!(
            Tile { level: 0, index: 999, width: 255 }.bundle_path(),
            "tile/entries/999.p/255"
        );
    }

    #[test]
    fn growth_brings_exactly_the_tiles_that_changed() {
        let paths =
            |old, new| -> Vec<String> { tiles_between(old, new).iter().map(Tile::path).collect() };
        assert_eq!(paths(0, 1), ["tile/0/000.p/1"]);
        assert_eq!(paths(255, 256), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(256, 257), ["tile/0/001.p/1"]);
        assert_eq!(paths(256, 256), Vec::<String>::new());
        // The specification's own example of a tree of 70,000.
        let all = paths(0, 70_000);
        assert_eq!(all.len(), 274 + 2 + 1);
        for path in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"] {
            assert!(all.iter().any(|p| p == path), "{path}");
        }
    }

    fn whole() -> tree::Tree {
        let mut whole = tree::Tree::new();
        (0u64..1000).for_each(|n| whole.push(hash::leaf(&n.to_be_bytes())));
        whole
    }

    fn folder(whole: &tree::Tree) -> Folder {
        let mut folder = Folder(BTreeMap::new());
        for tile in tiles_between(0, 1000) {
            let hashes = whole.read(&tile.nodes()).unwrap();
            folder.0.insert(tile.path(), hashes.iter().flat_map(|h| *h.as_bytes()).collect());
        }
        folder
    }

    #[test]
    fn proofs_from_tiles_are_those_from_the_whole_tree() {
        let whole = whole();
        let mut folder = folder(&whole);
        let tiles = TileHashes(&folder);
        for n in [1, 2, 255, 256, 257, 511, 700, 999] {
            let made = proof::inclusion(&tiles, n, 1000).unwrap();
            assert_eq!(made, proof::inclusion(&whole, n, 1000).unwrap(), "leaf {n}");
            let made = proof::consistency(&tiles, n, 1000).unwrap();
            assert_eq!(made, proof::consistency(&whole, n, 1000).unwrap(), "size {n}");
        }
        folder.0.remove("tile/0/000");
        assert!(proof::inclusion(&TileHashes(&folder), 3, 1000).is_err());
    }

    #[test]
    fn a_proof_asks_for_a_tile_once_however_many_of_its_nodes_lie_there() {
        struct Counted<'a>(&'a Folder, std::cell::RefCell<Vec<(u8, u64)>>);
        impl ReadTiles for Counted<'_> {
            type Error = Misuse;

            fn read_tile(&self, tile: Tile) -> Result<Vec<u8>, Misuse> {
                self.1.borrow_mut().push((tile.level, tile.index));
                self.0.read_tile(tile)
            }
        }
        let folder = folder(&whole());
        let counted = Counted(&folder, std::cell::RefCell::default());
        assert!(proof::inclusion(&TileHashes(&counted), 3, 1000).unwrap().len() > 8);
        assert_eq!(*counted.1.borrow(), [(0, 0), (1, 0), (0, 3)]);
    }

    #[test]
    fn a_bundle_says_the_length_of_each_entry() {
        let bytes = bundle([b"ab".as_slice(), b"c"]).unwrap();
        assert_eq!(bytes, [0, 2, b'a', b'b', 0, 1, b'c']);
        assert!(bundle([vec![0; 65_536].as_slice()]).is_err());
    }
}
