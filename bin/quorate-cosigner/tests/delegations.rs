//! Somebody stands in for a seat: two real cosigners sign on that word, and stop where either of the two ended it at their own
//! door.
#![cfg(test)]

mod house;

use std::sync::Arc;

use house::*;
use quorate_custody::Event;
use quorate_custody::protocol::book::ENDING;
use quorate_host::link::{CallError, Client, Silent};
use quorate_terms::approval::{Approval, Proof};
use quorate_terms::delegation::{Delegation, Ender, Ending, EndingBody, StandIn};
use quorate_terms::fact::CounterpartyCheck;
use quorate_terms::intent::{Action, Requester, Transfer};
use quorate_terms::{Amount, CaseId};

/// Sam stands in for ann for an hour.
fn delegation(house: &House) -> Delegation {
    Delegation {
        id: id("leave-1"),
        seat: id("ann"),
        stand_in: StandIn {
            person: id("p-sam"),
            credential: id("key-sam"),
            key: public("sam"),
            link: public("sam-link"),
            passkeys: Vec::new(),
        },
        from: house.now(),
        until: house.now().plus_s(3_600),
        above: None,
    }
}

/// A transfer to which sam, for ann, and bo agreed, drafted.
fn agreed(house: &mut House) -> CaseId {
    let requester = Requester::Agent { agent: id("trader"), credential: id("cred-trader") };
    let transfer = Transfer {
        wallet: id("ops"),
        asset: coin(CHAIN),
        to: account_on(CHAIN, RECIPIENT),
        amount: Amount::from_u128(2_000 * MILLI),
        fee_ceiling: Amount::from_u128(10 * MILLI),
        memo: None,
    };
    let intent = house.intent(requester, Action::Transfer(transfer));
    let case = intent.case().unwrap();
    let (facts, screening) = (Vec::new(), CounterpartyCheck::NotPerformed);
    house.does(Event::Filed { intent: Box::new(intent), facts, screening, snapshot: None });
    let mut body = house.approval("ann", &case).body;
    body.credential = id("key-sam");
    let sam = Approval { proof: Proof::Ed25519 { signature: signed("sam", &body) }, body };
    let bo = house.approval("bo", &case);
    for approval in [sam, bo] {
        house.does(Event::ApprovalCame(Box::new(approval)));
    }
    let snapshot = Box::new(house.snapshot(CHAIN));
    house.does(Event::SnapshotCame { case, snapshot });
    house.nonce = house.nonce.saturating_add(1);
    case
}

#[tokio::test(flavor = "multi_thread")]
async fn cosigners_sign_on_a_stand_in_s_word_until_either_of_the_two_ends_it_at_their_door() {
    let mut house = House::open().await;
    let given = delegation(&house);
    house.administer(Action::Delegate { delegation: Box::new(given.clone()) });
    let case = agreed(&mut house);
    house.signs(&case).await;

    let second = agreed(&mut house);
    for name in COSIGNERS {
        house.follow(name).await;
    }
    // From sam's own machine straight to each cosigner. The desk says nothing of it, and is dead for all that it knows.
    for name in COSIGNERS {
        let cosigner = &house.cosigners[name];
        let (address, quiet) = (&cosigner.address, Arc::new(Silent));
        let key = cosigner.seat.identity;
        let sam = Client::start(address, &identity("sam-link"), key, quiet, limits()).unwrap();
        let (delegation, by) = (given.id.clone(), Ender::StandIn);
        let body = EndingBody { v: 1, vault: id(VAULT), delegation, by, at: house.now() };
        let forged = Ending { signature: signed("bo", &body), body: body.clone() };
        let ending = Ending { signature: signed("sam", &body), body };
        let send = |ending: &Ending| serde_json::to_vec(ending).unwrap();
        let refused = sam.call(ENDING, send(&forged), WITHIN).await;
        assert!(
            matches!(&refused, Err(CallError::Refused(no)) if no.code == "bad_ending"),
            "{refused:?}"
        );
        sam.call(ENDING, send(&ending), WITHIN).await.unwrap();
        let other = sam.call("cosigner.call", Vec::new(), WITHIN).await;
        assert!(matches!(other, Err(CallError::Refused(no)) if no.code == "not_yours"));
    }
    for name in COSIGNERS {
        house.cosigners.get_mut(name).unwrap().kill();
        house.start(name).await;
    }
    for answer in house.sign(&second).await {
        assert_eq!(refusal(&answer), "quorum_not_met");
        let told: Vec<_> = answer.outbox.endings.iter().map(|one| &one.body.delegation).collect();
        assert_eq!(told, [&given.id], "the book hears of it");
    }
}
