//! The growing edge of a tree: the roots of its complete subtrees, at most 64 hashes. Enough to append and to know the root.

use quorate_terms::{Digest, Malformed};
use serde::{Deserialize, Serialize};

use crate::hash;
use crate::tree::Node;

/// A compact range from leaf 0: what a tree of any size needs to grow (RFC 6962 section 2.1).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Frontier {
    size: u64,
    roots: Vec<Digest>,
}

/// The serialized form, for snapshots.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    size: u64,
    roots: Vec<Digest>,
}

impl Frontier {
    /// The edge of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf hash.
    pub fn append(&mut self, leaf: Digest) {
        self.append_with(leaf, |_, _| ());
    }

    /// Adds a leaf hash and tells of every node that it completes, leaf first, so that a store can keep them.
    pub fn append_with(&mut self, leaf: Digest, mut completed: impl FnMut(Node, Digest)) {
        let mut at = Node { level: 0, index: self.size };
        let mut hash = leaf;
        completed(at, hash);
        // An odd index is a right child whose left sibling is the last root kept.
        while at.index & 1 == 1 {
            let Some(left) = self.roots.pop() else { break };
            hash = hash::node(&left, &hash);
            at = at.parent();
            completed(at, hash);
        }
        self.roots.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return hash::empty_root() };
        roots.fold(*last, |right, left| hash::node(left, &right))
    }
}

impl TryFrom<Parts> for Frontier {
    type Error = Malformed;

    fn try_from(parts: Parts) -> Result<Self, Malformed> {
        let need = usize::try_from(parts.size.count_ones()).unwrap_or(usize::MAX);
        if parts.roots.len() == need {
            return Ok(Self { size: parts.size, roots: parts.roots });
        }
        let mend = "restore from a snapshot that you signed, or replay the ledger";
        Err(Malformed::new("frontier.roots", format!("does not hold {need} hashes"), mend))
    }
}

impl From<Frontier> for Parts {
    fn from(frontier: Frontier) -> Self {
        Self { size: frontier.size, roots: frontier.roots }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    #[test]
    fn the_root_is_that_of_the_whole_tree_at_every_size() {
        let (mut frontier, mut tree) = (Frontier::new(), Tree::new());
        assert_eq!(frontier.root(), hash::empty_root());
        for n in 0u64..300 {
            let leaf = hash::leaf(&n.to_be_bytes());
            frontier.append(leaf);
            tree.push(leaf);
            assert_eq!(frontier.root(), tree.root_at(n + 1).unwrap(), "size {}", n + 1);
        }
    }

    #[test]
    fn a_snapshot_grows_on_as_the_original_does() {
        let mut frontier = Frontier::new();
        for n in 0u8..77 {
            frontier.append(hash::leaf(&[n]));
        }
        let text = serde_json::to_string(&frontier).unwrap();
        let mut back: Frontier = serde_json::from_str(&text).unwrap();
        frontier.append(hash::leaf(b"next"));
        back.append(hash::leaf(b"next"));
        assert_eq!(frontier, back);
    }

    #[test]
    fn a_snapshot_with_a_hash_too_few_is_refused() {
        assert!(serde_json::from_str::<Frontier>(r#"{"size":3,"roots":[]}"#).is_err());
        assert!(serde_json::from_str::<Frontier>(r#"{"size":0,"roots":[]}"#).is_ok());
    }
}
