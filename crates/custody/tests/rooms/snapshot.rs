//! Snapshots: the fold and its tree under their owner's signature.

use proptest::prelude::*;
use quorate_custody::Follower;
use quorate_custody::snapshot::{OTHER_FORM, is_due};
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

/// The same snapshot with another form and without a field that came late, under `owner`'s own signature.
fn of_form(owner: &str, bytes: &[u8], form: u8) -> Vec<u8> {
    use ed25519_dalek::Signer as _;
    use quorate_terms::Digest;
    use quorate_terms::digest::tag::SNAPSHOT;
    let mut parts = std::str::from_utf8(bytes).unwrap().splitn(3, '\n');
    let (head, _, book) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let (now, after) = book.split_once(',').unwrap();
    assert_eq!(now, "{\"v\":6");
    let book = format!("{{\"v\":{form},{after}").replacen("\"beneficiaries\"", "\"unheard_of\"", 1);
    assert!(book.contains("unheard_of"));
    let mut head: serde_json::Value = serde_json::from_str(head).unwrap();
    head["book"] = serde_json::to_value(Digest::of(SNAPSHOT, book.as_bytes())).unwrap();
    let head = head.to_string();
    let signed = secret(owner).sign(Digest::of(SNAPSHOT, head.as_bytes()).as_bytes());
    format!("{head}\n{}\n{book}", Signature::from_bytes(signed.to_bytes())).into_bytes()
}

#[test]
fn what_another_version_made_is_told_apart_from_what_somebody_changed() {
    let house = House::new();
    let bytes = signed_by("log", &house.follower);
    let refused = |bytes: &[u8]| restore(&house, bytes).unwrap_err().code;
    assert_eq!(refused(&of_form("log", &bytes, 5)), OTHER_FORM);
    assert_eq!(refused(&of_form("log", &bytes, 7)), OTHER_FORM);
    assert_eq!(refused(&of_form("log", &bytes, 6)), "bad_snapshot");
    assert_eq!(
        refused(&of_form("east", &bytes, 5)),
        "bad_snapshot",
        "whoever signed is asked first"
    );
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
