//! Snapshots: the fold and its tree under their owner's signature.

use proptest::prelude::*;
use quorate_custody::Follower;
use quorate_custody::snapshot::is_due;
use quorate_terms::Signature;

use crate::house::*;

fn signed_by(name: &str, follower: &Follower) -> Vec<u8> {
    use ed25519_dalek::Signer as _;
    let sign = |digest: &quorate_terms::Digest| {
        Signature::from_bytes(secret(name).sign(digest.as_bytes()).to_bytes())
    };
    follower.to_snapshot(sign).unwrap()
}

fn restore(house: &House, bytes: &[u8]) -> Result<Follower, quorate_custody::Refusal> {
    Follower::from_snapshot(&house.founding, &public("log"), bytes)
}

#[test]
fn a_party_goes_on_from_its_own_snapshot_as_if_it_had_replayed_everything() {
    let mut house = House::new();
    house.pay_through(5 * MILLI);
    let open = house.pay(6 * MILLI);
    let bytes = signed_by("log", &house.follower);
    let mut restored = restore(&house, &bytes).unwrap();
    let seen = house.entries.len();
    let txid = house.sign(&open);
    house.settle(&open, &txid);
    for entry in house.entries.iter().skip(seen) {
        use quorate_terms::canonical::Term as _;
        restored.follow(&[entry.to_canonical().unwrap()]).unwrap();
    }
    assert_eq!(restored.frontier(), house.follower.frontier());
    assert_eq!(
        restored.book().to_snapshot().unwrap(),
        house.follower.book().to_snapshot().unwrap()
    );
}

#[test]
fn a_snapshot_of_another_owner_is_refused() {
    let house = House::new();
    let bytes = signed_by("east", &house.follower);
    assert_eq!(restore(&house, &bytes).unwrap_err().code, "bad_snapshot");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn arbitrary_and_mutated_snapshots_are_refused_and_never_panic(
        noise in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let house = House::new();
        prop_assert!(restore(&house, &noise).is_err());
        let mut bytes = signed_by("log", &house.follower);
        prop_assert!(restore(&house, &bytes).is_ok());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(restore(&house, &bytes).is_err());
        bytes.truncate(at);
        prop_assert!(restore(&house, &bytes).is_err());
    }
}

#[test]
fn a_snapshot_is_due_after_an_eighth_of_the_ledger_within_bounds() {
    for (size, held, due) in [
        (0, 0, false),
        (255, 0, false),
        (256, 0, true),
        (511, 256, false),
        (512, 256, true),
        (8_000, 7_001, false),
        (8_000, 7_000, true),
        (1_000_000, 995_905, false),
        (1_000_000, 995_904, true),
        (10, 20, false),
        (u64::MAX, 0, true),
    ] {
        assert_eq!(is_due(size, held), due, "{size} entries, {held} held");
    }
}
