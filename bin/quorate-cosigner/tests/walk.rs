//! The walk between a desk and two real cosigners: founding, a real key, a real signature, and what is refused.
#![cfg(test)]

mod house;

use house::*;
use quorate_custody::protocol::{Ask, Came, Told};
use quorate_custody::{Verdict, protocol::Call};
use quorate_terms::canonical::Term;
use quorate_terms::entry::{Body, Entry, Warranted};

#[tokio::test(flavor = "multi_thread")]
async fn two_cosigners_make_a_key_and_sign_a_draft_that_an_independent_library_accepts() {
    let mut house = House::open().await;
    let case = house.pay(50 * MILLI);
    let transaction = house.signs(&case).await;
    assert!(!transaction.is_empty());
    for cosigner in house.cosigners.values() {
        let status = cosigner.status();
        assert_eq!(status["running"], true);
        assert_eq!(status["wallets"][0]["share"], true);
        assert_eq!(status["charter"], house.founding.digest().unwrap().to_string());
    }
    let again = house.sign(&case).await;
    assert!(again.iter().all(|answer| matches!(answer.came, Came::Refused { .. })), "{again:?}");
    // A restart finds everything again, from disk and passphrase.
    for name in COSIGNERS {
        house.cosigners.get_mut(name).unwrap().stop();
        house.start(name).await;
    }
    let case = house.pay(40 * MILLI);
    house.signs(&case).await;
    no_secret_was_said(&house);
}

/// Row 46: neither the passphrase nor a byte of a share is in anything that a process has written for people.
fn no_secret_was_said(house: &House) {
    for cosigner in house.cosigners.values() {
        let log = std::fs::read(cosigner.logs()).unwrap();
        assert!(!log.is_empty());
        let seed = std::fs::read_to_string(cosigner.dir.join("identity.key")).unwrap();
        let seed = seed.trim().rsplit(' ').next().unwrap();
        let share = cosigner.share_bytes();
        let mut secrets = vec![PASSPHRASE.as_bytes().to_vec(), seed.as_bytes().to_vec()];
        for part in share.chunks(24).skip(share.len() / 48) {
            secrets.push(part.to_vec());
            secrets.push(hex::encode(part).into_bytes());
        }
        for secret in secrets.iter().filter(|s| s.len() >= 24) {
            assert!(!log.windows(secret.len()).any(|seen| seen == secret.as_slice()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t1_t2_a_draft_that_was_tampered_with_is_refused_by_both() {
    let mut house = House::open().await;
    let case = house.pay(50 * MILLI);
    // The desk's own words, but with the bytes of another payment: other amount, other nonce.
    let other = house.pay(90 * MILLI);
    let live = house.book.case(&other).unwrap().live_draft().unwrap().clone();
    let own = house.live(&other);
    let lie = Warranted {
        case,
        party: quorate_terms::entry::Party::Desk,
        draft: own.digest(),
        bytes: live.bytes,
        chain: live.chain,
        decoders: vec!["a lie".to_owned()],
        decoded_intent: case.intent(),
        account: live.account,
        nonce: live.nonce,
        fee_max: own.meaning().fee_max,
        replaces: None,
    };
    let verdicts = house.record(vec![Body::Warranted(Box::new(lie))]);
    assert!(matches!(verdicts.as_slice(), [Verdict::Void(_)]), "{verdicts:?}");
    for answer in house.sign(&case).await {
        assert!(matches!(answer.came, Came::Refused { left: false, .. }), "{:?}", answer.came);
    }
    for cosigner in house.cosigners.values_mut() {
        let status = cosigner.status();
        assert_eq!(status["alarms"]["void_entry"], 1, "{status}");
        assert_eq!(status["voids"].as_array().unwrap().len(), 1);
        cosigner.stop();
        assert!(cosigner.marks().await.is_empty(), "nothing was signed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_13_a_shorter_or_forked_book_is_refused_with_an_alarm() {
    let mut house = House::founded();
    house.start_all().await;
    house.administer(quorate_terms::intent::Action::IssueCredential {
        credential: credential("trader"),
    });
    house.follow("east").await;
    let size = house.book.size();
    // Shorter than what was followed, and told anew from there: another entry stands where one stood.
    let mut shorter = house.told(1);
    let mut rewritten = Entry::from_canonical(shorter.entries[0].as_bytes()).unwrap();
    rewritten.at = rewritten.at.plus_s(1);
    shorter.entries = vec![String::from_utf8(rewritten.to_canonical().unwrap()).unwrap()];
    let answer = house.call("east", &Call { told: shorter, ask: Ask::Follow }).await.unwrap();
    assert_eq!((refusal(&answer).as_str(), answer.size, answer.cosignature), ("fork", size, None));
    // The same size under another root.
    let mut forked = house.told(size);
    forked.checkpoint = house.checkpoint_of(size, quorate_terms::Digest::ZERO);
    let answer = house.call("east", &Call { told: forked, ask: Ask::Follow }).await.unwrap();
    assert_eq!(refusal(&answer), "fork");
    assert_eq!(answer.cosignature, None);
    let status = house.cosigners["east"].status();
    assert_eq!(status["alarms"]["book_refused"], 2, "{status}");
    let own = house.cosigners.get_mut("east").unwrap();
    own.stop();
    let kept = own.own_entries().await;
    assert!(kept.iter().any(|entry| matches!(entry.body, Body::RollbackDetected(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn row_13_junk_that_no_signed_checkpoint_covers_leaves_no_trace_in_a_process_that_then_signs()
{
    let mut house = House::open().await;
    house.follow("east").await;
    let size = house.book.size();
    let case = house.pay(10 * MILLI);
    // Entries that chain and would be good, made by whoever holds the desk's link and not its signed word.
    let honest = house.told(size);
    let mut junk = house.book.clone();
    let body = quorate_terms::entry::AlertRaised {
        alert: quorate_terms::Digest::ZERO,
        rule: "junk".to_owned(),
        severity: quorate_terms::entry::Severity::Low,
        subject: "junk".to_owned(),
    };
    let entry = junk.entries(vec![Body::AlertRaised(Box::new(body))], house.now()).unwrap();
    assert_eq!(junk.admit(&entry[0]).unwrap(), Verdict::Good);
    let text = String::from_utf8(entry[0].to_canonical().unwrap()).unwrap();
    let entries = [honest.entries.clone(), vec![text]].concat();
    let (longer, zero) = (junk.size(), quorate_terms::Digest::ZERO);
    let notes = [
        String::new(),
        honest.checkpoint.clone(),
        house.checkpoint_of(longer, zero),
        house.checkpoint_of(longer + 1, zero),
    ];
    for checkpoint in notes {
        let told = Told { from: size, entries: entries.clone(), checkpoint };
        for ask in [Ask::Follow, house.sign_ask(&case)] {
            let call = Call { told: told.clone(), ask };
            let answer = house.call("east", &call).await.unwrap();
            assert!(matches!(answer.came, Came::Refused { left: false, .. }), "{:?}", answer.came);
            assert_eq!((answer.size, answer.cosignature), (size, None));
        }
    }
    // Neither in memory nor on disk.
    house.cosigners.get_mut("east").unwrap().kill();
    house.start("east").await;
    assert_eq!(house.cosigners["east"].status()["size"], house.book.size());
    house.signs(&case).await;
}
