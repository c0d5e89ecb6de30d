//! A thousand histories, by who lies in them. A failing seed is printed with the end of its log and how to see it again.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test stops at whatever surprises it"
)]

use quorate_sim::{Adversary, run_seed};

const SEEDS: u64 = 250;

/// Every history holds; in all of them together some money moved, or nothing was shown.
#[track_caller]
fn hold(adversary: Adversary) {
    let mut settled = 0;
    for seed in 0..SEEDS {
        let report = run_seed(seed, adversary, false);
        settled += report.settled;
        if let Some(why) = &report.broken {
            panic!("{}", report.explain(adversary, why));
        }
    }
    assert!(settled > usize::try_from(SEEDS).unwrap(), "only {settled} transfers settled");
}

#[test]
fn in_a_faulty_world_of_honest_parties_every_case_closes_and_nothing_is_void() {
    hold(Adversary::Nobody);
}

#[test]
fn a_desk_that_lies_delays_and_does_not_steal() {
    hold(Adversary::Desk);
}

#[test]
fn a_cosigner_that_lies_moves_nothing_that_the_other_did_not_agree_to() {
    hold(Adversary::Cosigner);
}

#[test]
fn a_chain_node_that_lies_is_believed_in_nothing_that_matters() {
    hold(Adversary::Chain);
}

#[test]
fn one_seed_is_one_history() {
    let twice = [(); 2].map(|()| run_seed(7, Adversary::Desk, false).tail);
    assert_eq!(twice[0], twice[1]);
    assert_ne!(twice[0], run_seed(8, Adversary::Desk, false).tail);
}
