use proptest::prelude::*;

use super::*;
use crate::chain::tests::{entries, entry};
use crate::policy::tests::{note, pinned};
use crate::tree::Tree;

fn tree(entries: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::new();
    entries.iter().for_each(|e| tree.push(hash::leaf(e)));
    tree
}

fn pick(all: &[Vec<u8>], indexes: &[usize]) -> Vec<(u64, Vec<u8>)> {
    indexes.iter().map(|n| (u64::try_from(*n).unwrap(), all[*n].clone())).collect()
}

fn names() -> (VaultId, CaseId) {
    ("acme".parse().unwrap(), CaseId::of_intent(hash::leaf(b"intent")))
}

fn made(all: &[Vec<u8>], indexes: &[usize]) -> Receipt {
    let tree = tree(all);
    let note = note(tree.size(), tree.root(), &[1, 2]);
    Receipt::make(&tree, names(), &pick(all, indexes), &note).unwrap()
}

fn good() -> Receipt {
    made(&entries(9), &[0, 3, 4, 8])
}

fn verify(bytes: &[u8]) -> Result<VerifiedReceipt, Error> {
    Receipt::from_bytes(bytes)?.verify(&pinned(2, 2))
}

#[test]
fn a_receipt_gives_back_the_entries_that_were_put_in() {
    let verified = verify(&good().to_bytes().unwrap()).unwrap();
    assert_eq!(verified.entries, pick(&entries(9), &[0, 3, 4, 8]));
    assert_eq!((verified.head.checkpoint.size, verified.case), (9, names().1));
}

#[test]
fn row_10_every_flipped_bit_of_a_receipt_is_refused() {
    let bytes = good().to_bytes().unwrap();
    // The case is the reader's to compare with the entries: the ledger does not know what they mean.
    let text = String::from_utf8(bytes.clone()).unwrap();
    let case = text.find(&names().1.to_string()).unwrap();
    for at in (0..bytes.len()).filter(|at| !(case..case + 64).contains(at)) {
        for bit in 0..8 {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << bit;
            assert!(verify(&bad).is_err(), "byte {at}, bit {bit}");
        }
    }
}

fn check_refused(change: impl FnOnce(&mut Receipt)) {
    let mut bad = good();
    change(&mut bad);
    assert!(verify(&bad.to_bytes().unwrap()).is_err(), "{bad:?}");
}

#[test]
fn moved_swapped_and_borrowed_entries_are_refused() {
    check_refused(|r| r.entries.swap(1, 2));
    check_refused(|r| r.entries.clear());
    check_refused(|r| r.entries[1].entry = r.entries[2].entry.clone());
    check_refused(|r| r.entries[1].path = r.entries[2].path.clone());
    check_refused(|r| r.entries[1].index = 4);
    check_refused(|r| r.entries.insert(0, r.entries[0].clone()));
    check_refused(|r| r.vault = "other".parse().unwrap());
    check_refused(|r| r.v = 2);
    check_refused(|r| r.checkpoint = note(9, hash::leaf(b"x"), &[1, 2]).to_string());
}

#[test]
fn neighbours_that_do_not_name_each_other_are_refused() {
    let mut all = entries(4);
    all[3] = entry(3, Digest::ZERO, 5000, "acme");
    let receipt = made(&all, &[2, 3]);
    assert!(receipt.verify(&pinned(2, 2)).is_err());
    made(&all, &[1, 3]).verify(&pinned(2, 2)).unwrap();
}

#[test]
fn each_entry_has_a_proof_that_other_tools_read() {
    let receipt = good();
    let proof = receipt.tlog_proof(4).unwrap();
    proof.verify(&entries(9)[4], &pinned(2, 2)).unwrap();
    assert!(receipt.tlog_proof(5).is_none());
}

#[test]
fn a_proof_beyond_the_checkpoint_cannot_be_made() {
    let all = entries(5);
    let tree = tree(&all);
    let short = note(3, tree.root_at(3).unwrap(), &[1, 2]);
    assert!(Receipt::make(&tree, names(), &pick(&all, &[4]), &short).is_err());
    assert!(Receipt::make(&tree, names(), &[], &short).is_err());
}

proptest! {
    #[test]
    fn arbitrary_and_mutated_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), with in any::<u8>(),
    ) {
        prop_assert!(verify(&bytes).is_err());
        let mut bad = good().to_bytes().unwrap();
        let at = at.index(bad.len());
        bad[at] = with;
        let _ = verify(&bad);
        bad.truncate(at);
        prop_assert!(verify(&bad).is_err());
    }
}
