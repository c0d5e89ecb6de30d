//! Where the hashes of a tree come from: complete subtrees by level and index, read through a trait.

use quorate_terms::Digest;

use crate::error::Misuse;
use crate::frontier::Frontier;
use crate::hash;

/// A complete subtree: the one with `2^level` leaves that begins at leaf `index * 2^level`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Node {
    /// 0 for leaves, one more for each step towards the root.
    pub level: u8,
    /// Place among the nodes of its level, from 0.
    pub index: u64,
}

impl Node {
    /// The node above.
    #[must_use]
    pub const fn parent(self) -> Self {
        Self { level: self.level.saturating_add(1), index: self.index >> 1 }
    }
}

/// A store of the hashes of complete subtrees. Proofs ask for all that they need in one call.
pub trait ReadHashes {
    /// What reading can fail with; a proof that cannot exist is a [`Misuse`].
    type Error: From<Misuse>;

    /// The hashes of `nodes`, in the same order.
    ///
    /// # Errors
    /// When the store fails or does not hold one of them.
    fn read(&self, nodes: &[Node]) -> Result<Vec<Digest>, Self::Error>;
}

/// A whole tree in memory, 64 bytes a leaf. For tests, simulation and small ledgers.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    frontier: Frontier,
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf hash.
    pub fn push(&mut self, leaf: Digest) {
        let levels = &mut self.levels;
        self.frontier.append_with(leaf, |node, hash| {
            let level = usize::from(node.level);
            if level == levels.len() {
                levels.push(Vec::new());
            }
            if let Some(row) = levels.get_mut(level) {
                row.push(hash);
            }
        });
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// The root that the tree had when it had `size` leaves.
    ///
    /// # Errors
    /// [`Misuse`] beyond the present size.
    pub fn root_at(&self, size: u64) -> Result<Digest, Misuse> {
        root_at(self, size)
    }
}

/// The root that a tree had when it had `size` leaves, out of the hashes of its complete subtrees.
///
/// # Errors
/// Whatever the store fails with, also for more leaves than it has.
pub fn root_at<R: ReadHashes>(hashes: &R, size: u64) -> Result<Digest, R::Error> {
    let hashes = hashes.read(&cover(0, size))?;
    Ok(fold(&hashes).unwrap_or_else(hash::empty_root))
}

impl ReadHashes for Tree {
    type Error = Misuse;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Digest>, Misuse> {
        let find = |node: &Node| {
            let row = self.levels.get(usize::from(node.level))?;
            row.get(usize::try_from(node.index).ok()?).copied()
        };
        let missing =
            |node: &Node| Misuse::new(format!("no node {} at level {}", node.index, node.level));
        nodes.iter().map(|node| find(node).ok_or_else(|| missing(node))).collect()
    }
}

/// The fewest complete subtrees that make up the leaves from `from` to before `to`, left to right.
pub(crate) fn cover(from: u64, to: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = from;
    while at < to {
        let room = to.saturating_sub(at).ilog2();
        let level = at.trailing_zeros().min(room);
        nodes.push(Node { level: u8::try_from(level).unwrap_or(u8::MAX), index: at >> level });
        at = at.saturating_add(1 << level);
    }
    nodes
}

/// The root over subtrees of falling size, or none for no subtrees.
pub(crate) fn fold(hashes: &[Digest]) -> Option<Digest> {
    let (last, before) = hashes.split_last()?;
    Some(before.iter().rev().fold(*last, |right, left| hash::node(left, &right)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_covered_by_falling_powers_of_two() {
        let sizes =
            |from, to| -> Vec<u64> { cover(from, to).iter().map(|n| 1u64 << n.level).collect() };
        assert_eq!(sizes(0, 7), [4, 2, 1]);
        assert_eq!(sizes(4, 7), [2, 1]);
        assert_eq!(sizes(0, 8), [8]);
        assert_eq!(sizes(5, 5), Vec::<u64>::new());
    }

    #[test]
    fn what_is_not_there_cannot_be_read() {
        assert!(Tree::new().read(&[Node { level: 0, index: 0 }]).is_err());
        assert!(Tree::new().root_at(1).is_err());
        assert_eq!(Tree::new().root_at(0).unwrap(), hash::empty_root());
    }
}
