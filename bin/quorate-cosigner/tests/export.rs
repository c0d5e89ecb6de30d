//! The own ledger in an auditor's hands: the same whether the daemon runs or not, and signed by the key that witnesses.
#![cfg(test)]

mod house;

use house::*;
use quorate_ledger::{BookVerifier, Checkpoint, policy};

#[tokio::test(flavor = "multi_thread")]
async fn the_own_ledger_is_written_out_whole_under_the_key_that_witnesses() {
    let mut house = House::open().await;
    let case = house.pay(10 * MILLI);
    house.signs(&case).await;
    let east = house.cosigners["east"].seat.clone();
    let witness = policy::witness_key(&house.founding.log.origin, &east).unwrap();
    let key = policy::own_key(&witness).unwrap();
    let export = |house: &House, name: &str| {
        let (out, head) = (house.file(name), house.file(&format!("{name}.head")));
        let (out, head) = (out.display().to_string(), head.display().to_string());
        let words = ["export", "--out", &out, "--checkpoint-out", &head];
        let told = house.cosigners["east"].told(&words);
        told.map(|told| {
            let book = std::fs::read_to_string(&out).unwrap();
            (told, book, std::fs::read_to_string(&head).unwrap())
        })
    };
    let (told, book, note) = export(&house, "running").unwrap();
    let checkpoint = Checkpoint::open(&note.parse().unwrap(), &key).unwrap();
    assert_eq!(told["entries"], checkpoint.size);
    let mut verifier = BookVerifier::new(house.founding.vault.as_str());
    book.lines().for_each(|line| verifier.push(line.as_bytes()).unwrap());
    verifier.finish(&checkpoint).unwrap();
    for kind in ["PlacementAttested", "ConfigurationCaptured", "Deployed", "Marked"] {
        assert!(book.contains(&format!("\"type\":\"{kind}\"")), "{kind}");
    }
    assert!(export(&house, "running").is_err(), "nothing is written over");

    house.cosigners.get_mut("east").unwrap().stop();
    let (_, resting, _) = export(&house, "resting").unwrap();
    assert!(resting.starts_with(&book), "the same entries, and perhaps more");
}
