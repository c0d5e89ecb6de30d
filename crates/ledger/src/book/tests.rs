use super::*;
use crate::chain::tests::{entries, entry};
use crate::tree::Tree;

fn head(entries: &[Vec<u8>]) -> Checkpoint {
    let mut tree = Tree::new();
    entries.iter().for_each(|e| tree.push(hash::leaf(e)));
    Checkpoint { origin: "log".into(), size: tree.size(), root: tree.root() }
}

fn verify(
    entries: &[Vec<u8>],
    checkpoint: &Checkpoint,
    earlier: &[Checkpoint],
) -> Result<(), Refuted> {
    let mut verifier = BookVerifier::new("acme");
    for known in earlier {
        verifier.must_pass(known)?;
    }
    for entry in entries {
        verifier.push(entry)?;
    }
    verifier.finish(checkpoint).map(|_| ())
}

#[test]
fn a_whole_ledger_verifies_against_its_checkpoint_and_every_earlier_one() {
    let all = entries(20);
    let earlier: Vec<_> = (1..20).map(|n| head(&all[..n])).collect();
    verify(&all, &head(&all), &earlier).unwrap();
    verify(&[], &head(&[]), &[]).unwrap();
}

#[test]
fn row_10_every_flipped_bit_is_found_and_its_entry_named() {
    let all = entries(5);
    let head = head(&all);
    for index in 0..all.len() {
        for at in 0..all[index].len() {
            for bit in 0..8 {
                let mut bad = all.clone();
                bad[index][at] ^= 1 << bit;
                let refuted = verify(&bad, &head, &[]).unwrap_err();
                // Only the last link has no third entry to tell which of two was altered; then both are named.
                let found =
                    refuted.claim().split(" or ").any(|name| name == format!("entry {index}"));
                assert!(found, "entry {index}, byte {at}, bit {bit}: {refuted}");
            }
        }
    }
}

#[test]
fn a_missing_a_spare_and_a_moved_entry_are_refuted() {
    let all = entries(6);
    let head = head(&all);
    for cut in 0..6 {
        let mut bad = all.clone();
        bad.remove(cut);
        assert!(verify(&bad, &head, &[]).is_err(), "without {cut}");
        let mut bad = all.clone();
        bad.insert(cut, all[cut].clone());
        assert!(verify(&bad, &head, &[]).is_err(), "twice {cut}");
    }
    for cut in 0..5 {
        let mut bad = all.clone();
        bad.swap(cut, cut + 1);
        assert!(verify(&bad, &head, &[]).is_err(), "swapped {cut}");
    }
}

#[test]
fn row_13_a_cut_tail_is_refuted_even_with_a_checkpoint_of_its_own() {
    let all = entries(9);
    let refuted = verify(&all[..7], &head(&all), &[]).unwrap_err();
    assert_eq!(refuted.why(), "has 7 entries and the checkpoint says 9");
    let refuted = verify(&all[..7], &head(&all[..7]), &[head(&all)]).unwrap_err();
    assert_eq!(refuted.why(), "had 9 entries once and has 7 now");
}

#[test]
fn row_43_a_well_formed_other_history_does_not_pass_through_a_kept_checkpoint() {
    let ours = entries(4);
    let mut theirs = entries(2);
    for index in 2..6 {
        let prev = entry_digest(theirs.last().unwrap());
        theirs.push(entry(index, prev, 5000, "acme"));
    }
    verify(&theirs, &head(&theirs), &[head(&ours[..2])]).unwrap();
    let refuted = verify(&theirs, &head(&theirs), &[head(&ours)]).unwrap_err();
    assert!(refuted.claim().contains("up to 4"), "{refuted}");
    let both = verify(&ours, &head(&ours), &[head(&ours), head(&theirs[..4])]).unwrap_err();
    assert!(both.why().contains("two histories"), "{both}");
}

#[test]
fn another_vaults_ledger_is_refuted() {
    let stranger = vec![entry(0, Digest::ZERO, 1, "other")];
    assert!(verify(&stranger, &head(&stranger), &[]).is_err());
}
