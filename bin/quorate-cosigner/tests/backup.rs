//! Backups: made, shown, proven by a drill, and what depends on that.
#![cfg(test)]

mod house;

use std::fs;

use house::*;
use quorate_custody::Event;
use quorate_custody::protocol::Ask;

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_signs_for_a_real_chain_only_once_each_share_has_a_proven_backup() {
    let mut house = House::open().await;
    let pass = house.file("backup.pass");
    secret_file(&pass, "another canary of several words");
    // The desk's own rehearsal would refuse as well; this one goes on and asks the cosigners, and each refuses by itself.
    let early = house.pay_on(MAINNET, 10 * MILLI);
    let mut missing = 2;
    for name in COSIGNERS {
        for answer in house.sign(&early).await {
            assert_eq!(refusal(&answer), "no_backup");
        }
        let cosigner = &house.cosigners[name];
        let status = cosigner.status();
        let unproven = status["wallets"][0]["unproven"].as_array().unwrap().len();
        assert_eq!(unproven, missing, "`status` says whose: {status}");
        let file = cosigner.back_up(&pass);
        let shown = told(&["backup", "show", "--file", &file.display().to_string()]).unwrap();
        assert_eq!(shown["facts"]["cosigner"], name);
        // Under the wrong passphrase, or with a byte changed, it proves nothing.
        let why = cosigner.drill(&file, &cosigner.passphrase).unwrap_err();
        assert!(why.contains("wrong passphrase"), "{why}");
        let good = fs::read(&file).unwrap();
        let mut bad = good.clone();
        let last = bad.len() - 1;
        bad[last] ^= 1;
        fs::write(&file, &bad).unwrap();
        assert!(cosigner.drill(&file, &pass).is_err());
        fs::write(&file, &good).unwrap();
        // That a file was made proves nothing: only the drill does, and only once the book says so.
        for answer in house.sign(&early).await {
            assert_eq!(refusal(&answer), "no_backup");
        }
        let cosigner = &house.cosigners[name];
        let statement = cosigner.drill(&file, &pass).unwrap();
        assert_eq!(statement["body"]["backup"], shown["sha256"]);
        for answer in house.ask_both(Ask::Follow).await {
            for statement in answer.outbox.backups {
                house.does(Event::BackupCame(Box::new(statement)));
            }
        }
        missing -= 1;
    }
    house.signs(&early).await;
    let wallet = house.cosigners["east"].status()["wallets"][0].clone();
    assert_eq!((wallet["unproven"].as_array().unwrap().len(), missing), (0, 0));
}
