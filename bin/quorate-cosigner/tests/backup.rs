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
    // The desk's own rehearsal would refuse as well, so the book has to be one that it could not stop.
    let backup_passphrase = house.file("backup.pass");
    secret_file(&backup_passphrase, "another canary of several words");
    let pass = backup_passphrase.display().to_string();
    assert!(house.book.wallet(&id("ops")).unwrap().backups.is_empty());
    house.ask_both(Ask::Follow).await;
    for name in COSIGNERS {
        let cosigner = &house.cosigners[name];
        let file = cosigner.dir.join("ops.backup").display().to_string();
        let shares = cosigner.passphrase.display().to_string();
        let made = cosigner.told(&[
            "backup",
            "make",
            "--wallet",
            "ops",
            "--out",
            &file,
            "--passphrase-file",
            &shares,
            "--backup-passphrase-file",
            &pass,
        ]);
        let made = made.unwrap();
        let shown = told(&["backup", "show", "--file", &file]).unwrap();
        assert_eq!(
            (&shown["sha256"], &shown["facts"]["cosigner"]),
            (&made["sha256"], &name.into())
        );
        // Under the wrong passphrase, or with a byte changed, it proves nothing.
        let verify = |pass: &str| {
            cosigner.told(&["backup", "verify", "--file", &file, "--passphrase-file", pass])
        };
        let why = verify(&shares).unwrap_err();
        assert!(why.contains("wrong passphrase"), "{why}");
        let good = fs::read(&file).unwrap();
        let mut bad = good.clone();
        let last = bad.len() - 1;
        bad[last] ^= 1;
        fs::write(&file, &bad).unwrap();
        assert!(verify(&pass).is_err());
        fs::write(&file, &good).unwrap();
        let statement = verify(&pass).unwrap();
        assert_eq!(statement["body"]["backup"], made["sha256"]);
    }
    let before = house.book.wallet(&id("ops")).unwrap().backups.len();
    for answer in house.ask_both(Ask::Follow).await {
        for statement in answer.outbox.backups {
            house.does(Event::BackupCame(Box::new(statement)));
        }
    }
    let wallet = house.book.wallet(&id("ops")).unwrap();
    assert_eq!((before, wallet.backups.len()), (0, 2));
    let case = house.pay_on(MAINNET, 10 * MILLI);
    house.signs(&case).await;
}
