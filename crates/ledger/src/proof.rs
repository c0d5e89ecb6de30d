//! Inclusion and consistency proofs: made as RFC 6962 section 2.1 says, verified as RFC 9162 section 2.1 says.
//!
//! The two sides share no code, so one cannot hide a mistake of the other. Verification returns nothing or the reason
//! why not; it never returns a boolean that a caller may forget to look at.

use quorate_terms::Digest;

use crate::error::{Misuse, Refuted};
use crate::hash;
use crate::tree::{self, ReadHashes};

/// The most hashes that any proof about a tree of at most 2^64 leaves can hold.
pub const PROOF_HASHES_MAX: usize = 65;

type Range = (u64, u64);

/// The path from leaf `index` to the root of the tree of `size` leaves, leaf end first.
///
/// # Errors
/// [`Misuse`] when there is no such leaf; else whatever the store fails with.
pub fn inclusion<R: ReadHashes>(
    hashes: &R,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, R::Error> {
    if index >= size {
        return Err(Misuse::new(format!("no leaf {index} in a tree of {size}")).into());
    }
    roots(hashes, &path_ranges(index, size))
}

/// The hashes that show how the tree of `old` leaves became that of `new` leaves.
///
/// # Errors
/// [`Misuse`] unless `0 < old <= new`; else whatever the store fails with.
pub fn consistency<R: ReadHashes>(hashes: &R, old: u64, new: u64) -> Result<Vec<Digest>, R::Error> {
    if old == 0 || old > new {
        return Err(Misuse::new(format!("no consistency proof from {old} to {new}")).into());
    }
    roots(hashes, &subproof_ranges(old, new))
}

/// Largest power of two below `n`, for `n >= 2`: where RFC 6962 splits a tree.
fn split(n: u64) -> u64 {
    1 << n.saturating_sub(1).ilog2()
}

fn path_ranges(index: u64, size: u64) -> Vec<Range> {
    let (mut from, mut to) = (0u64, size);
    let mut ranges = Vec::new();
    while to.saturating_sub(from) > 1 {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if index < middle {
            ranges.push((middle, to));
            to = middle;
        } else {
            ranges.push((from, middle));
            from = middle;
        }
    }
    ranges.reverse();
    ranges
}

fn subproof_ranges(old: u64, new: u64) -> Vec<Range> {
    let (mut from, mut to) = (0u64, new);
    let mut ranges = Vec::new();
    while old != to {
        let middle = from.saturating_add(split(to.saturating_sub(from)));
        if old <= middle {
            ranges.push((middle, to));
            to = middle;
        } else {
            ranges.push((from, middle));
            from = middle;
        }
    }
    // The verifier knows the old root, so it is left out where it is itself a node of the new tree.
    if from != 0 {
        ranges.push((from, to));
    }
    ranges.reverse();
    ranges
}

fn roots<R: ReadHashes>(hashes: &R, ranges: &[Range]) -> Result<Vec<Digest>, R::Error> {
    let covers: Vec<_> = ranges.iter().map(|(from, to)| tree::cover(*from, *to)).collect();
    let mut read = hashes.read(&covers.concat())?.into_iter();
    let root = |cover: &Vec<_>| {
        let part: Vec<Digest> = read.by_ref().take(cover.len()).collect();
        tree::fold(&part).ok_or_else(|| Misuse::new("the store left out a hash").into())
    };
    covers.iter().map(root).collect()
}

/// Checks that `leaf` stands at `index` in the tree of `size` leaves with this root (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`Refuted`] when it does not, or when the path is too short or too long.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> Result<(), Refuted> {
    let no = |why: &str| Err(Refuted::new(format!("inclusion of entry {index}"), why));
    if index >= size {
        return no("the index is beyond the end of the tree");
    }
    let (mut place, mut last) = (index, size.saturating_sub(1));
    let mut hash = *leaf;
    for step in path {
        if last == 0 {
            return no("the path is too long");
        }
        if place & 1 == 1 || place == last {
            hash = hash::node(step, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = hash::node(&hash, step);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return no("the path is too short");
    }
    if hash == *root { Ok(()) } else { no("the path does not lead to the checkpoint's root") }
}

/// Checks that the tree of `new` leaves begins with the tree of `old` leaves (RFC 9162 section 2.1.4.2).
///
/// Nothing follows from the empty tree, so `old` must be at least 1.
///
/// # Errors
/// [`Refuted`] when it does not.
pub fn verify_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), Refuted> {
    let no = |why: &str| Err(Refuted::new(format!("consistency of {old} with {new}"), why));
    if old == 0 || old > new {
        return no("there is no such proof");
    }
    if old == new {
        let same = proof.is_empty() && old_root == new_root;
        return if same { Ok(()) } else { no("the roots differ at one size") };
    }
    let seed = if old.is_power_of_two() { Some(old_root) } else { None };
    let mut steps = seed.into_iter().chain(proof);
    let Some(first) = steps.next() else { return no("the proof is empty") };
    let (old_hash, new_hash) = match climb(old, new, first, steps) {
        Ok(hashes) => hashes,
        Err(why) => return no(why),
    };
    if old_hash != *old_root {
        return no("the proof does not lead to the old root");
    }
    if new_hash == *new_root { Ok(()) } else { no("the proof does not lead to the new root") }
}

fn climb<'a>(
    old: u64,
    new: u64,
    first: &Digest,
    steps: impl Iterator<Item = &'a Digest>,
) -> Result<(Digest, Digest), &'static str> {
    let (mut place, mut last) = (old.saturating_sub(1), new.saturating_sub(1));
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for step in steps {
        if last == 0 {
            return Err("the proof is too long");
        }
        if place & 1 == 1 || place == last {
            old_hash = hash::node(step, &old_hash);
            new_hash = hash::node(step, &new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = hash::node(&new_hash, step);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok((old_hash, new_hash)) } else { Err("the proof is too short") }
}

#[cfg(test)]
mod tests;
