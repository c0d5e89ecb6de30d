use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use serde::Deserialize;
use sha2::Sha256;

use super::*;
use crate::tree::Tree;

fn leaf(n: u64) -> Digest {
    hash::leaf(&n.to_be_bytes())
}

fn grown(size: u64) -> Tree {
    let mut tree = Tree::new();
    (0..size).for_each(|n| tree.push(leaf(n)));
    tree
}

#[test]
fn every_leaf_of_every_small_tree_is_proven_included() {
    let tree = grown(70);
    for size in 1..=70 {
        let root = tree.root_at(size).unwrap();
        for index in 0..size {
            let path = inclusion(&tree, index, size).unwrap();
            verify_inclusion(&leaf(index), index, size, &path, &root).unwrap();
        }
        assert!(inclusion(&tree, size, size).is_err());
    }
}

#[test]
fn every_small_tree_is_proven_to_extend_every_smaller_one() {
    let tree = grown(70);
    for new in 1..=70 {
        for old in 1..=new {
            let proof = consistency(&tree, old, new).unwrap();
            let (a, b) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
            verify_consistency(old, &a, new, &b, &proof).unwrap();
        }
        assert!(consistency(&tree, 0, new).is_err());
        assert!(consistency(&tree, new + 1, new).is_err());
    }
}

fn bytes(path: &[Digest]) -> Vec<u8> {
    path.iter().flat_map(|h| *h.as_bytes()).collect()
}

#[test]
fn roots_and_proofs_equal_those_of_an_independent_library() {
    let ours = grown(130);
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for size in 1u64..=130 {
        theirs.push((size - 1).to_be_bytes().to_vec());
        assert_eq!(
            ours.root_at(size).unwrap().as_bytes().as_slice(),
            theirs.root().as_bytes().as_slice()
        );
        for index in [0, size / 3, size / 2, size - 1] {
            let path = inclusion(&ours, index, size).unwrap();
            let other = theirs.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(bytes(&path), other.as_bytes(), "leaf {index} of {size}");
        }
        for old in [1, size / 3, size / 2, size] {
            if old == 0 || old == size {
                continue; // The other library gives a proof only when something was added.
            }
            let proof = consistency(&ours, old, size).unwrap();
            let other = theirs.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(bytes(&proof), other.as_bytes(), "{old} to {size}");
        }
    }
}

proptest! {
    #[test]
    fn a_flipped_bit_a_missing_and_a_spare_hash_are_refuted(
        size in 2u64..200, pick in any::<u64>(), at in any::<prop::sample::Index>(), bit in 0usize..256,
    ) {
        let tree = grown(size);
        let index = pick.checked_rem(size).unwrap();
        let old = index.max(1);
        let (root, old_root) = (tree.root(), tree.root_at(old).unwrap());
        let path = inclusion(&tree, index, size).unwrap();
        let proof = consistency(&tree, old, size).unwrap();
        for broken in broken(&path, at.index(path.len()), bit) {
            prop_assert!(verify_inclusion(&leaf(index), index, size, &broken, &root).is_err());
        }
        for broken in broken(&proof, at.index(proof.len()), bit) {
            prop_assert!(verify_consistency(old, &old_root, size, &root, &broken).is_err());
        }
        prop_assert!(verify_inclusion(&leaf(index), index ^ 1, size, &path, &root).is_err());
        prop_assert!(verify_inclusion(&leaf(size), index, size, &path, &root).is_err());
        prop_assert!(verify_consistency(old, &root, size, &old_root, &proof).is_err());
    }

    #[test]
    fn arbitrary_proofs_never_panic(
        a in any::<u64>(), b in any::<u64>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let path: Vec<Digest> = hashes.into_iter().map(Digest::from_bytes).collect();
        let root = hash::empty_root();
        prop_assert!(verify_inclusion(&root, a, b, &path, &root).is_err());
        prop_assert!(a == b || verify_consistency(a, &root, b, &root, &path).is_err());
    }
}

fn broken(path: &[Digest], at: usize, bit: usize) -> Vec<Vec<Digest>> {
    let mut flipped = path.to_vec();
    let mut hash = *flipped[at].as_bytes();
    hash[bit / 8] ^= 1 << (bit % 8);
    flipped[at] = Digest::from_bytes(hash);
    let short = path[1..].to_vec();
    let long = [path, &path[..1]].concat();
    vec![flipped, short, long]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InclusionVector {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConsistencyVector {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// A hash of a proof must have 32 bytes, as every parser here insists.
fn hash_of(text: Option<&String>) -> Option<Digest> {
    Some(Digest::from_bytes(STANDARD.decode(text?).ok()?.try_into().ok()?))
}

/// Some vectors have other text for roots that must only be compared; a digest of it keeps what is equal equal.
fn root_of(text: Option<&String>) -> Option<Digest> {
    hash_of(text).or_else(|| Some(hash::leaf(text?.as_bytes())))
}

fn hashes_of(texts: Option<&Vec<String>>) -> Option<Vec<Digest>> {
    texts.map_or(Some(Vec::new()), |list| list.iter().map(|t| hash_of(Some(t))).collect())
}

fn vectors(kind: &str) -> Vec<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests find their vectors by the environment"
    )]
    let root = std::env::var("QUORATE_VECTORS")
        .unwrap_or_else(|_| format!("{}/../../../shared/vectors", env!("CARGO_MANIFEST_DIR")));
    let mut found = Vec::new();
    walk(&Path::new(&root).join("merkle-rfc6962/testdata").join(kind), &mut found);
    if found.is_empty() {
        println!("skipped: no vectors under `{root}`; set QUORATE_VECTORS");
    }
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = item.path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn load<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    #[expect(clippy::disallowed_methods, reason = "vectors are files")]
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_published_inclusion_vectors_hold() {
    for path in vectors("inclusion") {
        let v: InclusionVector = load(&path);
        let parts =
            (hash_of(v.leaf_hash.as_ref()), root_of(v.root.as_ref()), hashes_of(v.proof.as_ref()));
        let ok = matches!(parts, (Some(leaf), Some(root), Some(proof))
            if verify_inclusion(&leaf, v.leaf_idx, v.tree_size, &proof, &root).is_ok());
        assert_eq!(ok, !v.want_err, "{}", path.display());
    }
}

#[test]
fn the_published_consistency_vectors_hold() {
    for path in vectors("consistency") {
        let v: ConsistencyVector = load(&path);
        let parts =
            (root_of(v.root1.as_ref()), root_of(v.root2.as_ref()), hashes_of(v.proof.as_ref()));
        let ok = matches!(parts, (Some(a), Some(b), Some(proof))
            if verify_consistency(v.size1, &a, v.size2, &b, &proof).is_ok());
        assert_eq!(ok, !v.want_err, "{}", path.display());
    }
}
