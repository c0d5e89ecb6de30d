//! The examples of `docs/spec` are true: their bytes are canonical and their digests and signatures hold.

use quorate_terms::approval::{Approval, Proof};
use quorate_terms::passkey::{PasskeyKey, ViewSeat};
use quorate_terms::{Digest, Intent, PublicKey, Term as _};

use crate::house;
use crate::run;

/// The lines of the fenced blocks of a document, block by block.
fn blocks(name: &str) -> Vec<String> {
    let text = run::read(&house::root().join("docs/spec").join(name)).unwrap();
    text.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|b| b.lines().nth(1))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_example_intent_has_the_digest_that_is_printed() {
    let blocks = blocks("intent.md");
    let intent = Intent::from_canonical(blocks[0].as_bytes()).unwrap();
    assert_eq!(intent.digest().unwrap(), blocks[1].parse::<Digest>().unwrap());
}

#[test]
fn the_example_approval_is_signed_over_the_digest_that_is_printed() {
    let blocks = blocks("approval.md");
    let approval: Approval =
        quorate_terms::canonical::from_bytes(blocks[0].as_bytes(), "approval").unwrap();
    let key: PublicKey = blocks[2].parse().unwrap();
    assert_eq!(approval.body.digest().unwrap(), blocks[1].parse::<Digest>().unwrap());
    let Proof::Ed25519 { signature } = approval.proof else { panic!("another proof") };
    assert!(key.verifies(&approval.body.digest().unwrap(), &signature));
    assert_eq!(
        approval.body.intent,
        self::blocks("intent.md")[1].parse::<Digest>().unwrap(),
        "both pages tell one story"
    );
}

#[test]
fn the_example_of_a_passkey_holds_at_its_view_and_nowhere_else() {
    let blocks = blocks("approval.md");
    let approval: Approval =
        quorate_terms::canonical::from_bytes(blocks[3].as_bytes(), "approval").unwrap();
    let key: PasskeyKey = blocks[4].parse().unwrap();
    let Proof::Passkey { view, assertion } = approval.proof else { panic!("another proof") };
    let mut seat = ViewSeat {
        view,
        origin: "https://approve.example".to_owned(),
        rp_id: "approve.example".to_owned(),
        operator: "customer ltd".to_owned(),
        link: blocks[2].parse().unwrap(),
    };
    let digest = approval.body.digest().unwrap();
    assert_eq!(assertion.check(&seat, &key, &digest).unwrap(), 1);
    seat.origin = "https://desk.example".to_owned();
    assert!(assertion.check(&seat, &key, &digest).is_err());
}
