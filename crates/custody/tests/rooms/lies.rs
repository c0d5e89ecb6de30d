//! Entries that lie are void: they change nothing and stop warrants. Each lie is told to desk and follower alike.

use quorate_custody::{Event, limits};
use quorate_terms::Digest;
use quorate_terms::entry::{
    AgentEnrolled, Body, Broadcast, CancelAsked, Closed, CredentialRevoked, Entry, Filed, Founded,
    Judged, Outcome, Party, Refused, RunAborted, Signed, TransferObserved, Warranted,
};
use quorate_terms::fact::Fate;
use quorate_terms::intent::Action;
use quorate_terms::judgment::Judgment;

use crate::house::*;

/// The bodies that an honest desk would record for an event.
fn bodies(house: &House, event: Event) -> Vec<Body> {
    house.book.step(event, house.now).unwrap().records
}

fn judged(body: &mut Body) -> &mut Judged {
    match body {
        Body::Judged(judged) => judged,
        _ => panic!("not a judgment"),
    }
}

/// Files a transfer and lets `spoil` change its judgment: the judgment is void and the filing is taken back.
fn misjudged(amount: u128, spoil: impl FnOnce(&mut Judged)) {
    let mut house = House::new();
    let intent = house.transfer_of(agent("trader"), amount);
    let before = without_place(&house.book);
    let mut records = bodies(&house, filed(&intent, None));
    spoil(judged(&mut records[1]));
    let verdicts = house.record(records.drain(..2).collect());
    assert!(matches!(verdicts[1], quorate_custody::Verdict::Void(_)));
    assert_eq!(before, without_place(&house.book), "the filing is taken back");
    assert_eq!(house.book.voids().count(), 1);
    assert!(house.file(&intent).is_ok(), "the requester may ask again with the same key");
}

#[test]
fn a_judgment_other_than_this_party_s_own_is_void() {
    misjudged(2_000 * MILLI, |j| j.judgment = Judgment::Allow { because: Vec::new() });
    misjudged(50 * MILLI, |j| j.reserved.clear());
    misjudged(50 * MILLI, |j| j.budget.clear());
    misjudged(50 * MILLI, |j| j.expires_at = j.expires_at.plus_s(1));
    misjudged(50 * MILLI, |j| j.policy = Digest::ZERO);
    misjudged(50 * MILLI, |j| j.recipient = Some(other_recipient()));
    misjudged(50 * MILLI, |j| j.value = j.amount);
    misjudged(2_000 * MILLI, |j| j.quorum_members.clear());
    misjudged(2_000 * MILLI, |j| j.quorum_m = Some(1));
}

#[test]
fn a_filing_that_is_not_judged_by_the_next_entry_is_taken_back_with_what_came_instead() {
    let mut house = House::new();
    let intent = house.transfer_of(agent("trader"), 50 * MILLI);
    let before = without_place(&house.book);
    let records = bodies(&house, filed(&intent, None));
    house.good(vec![records[0].clone()]);
    let instead = Body::CredentialRevoked(CredentialRevoked {
        person: None,
        credential: id("cred-trader"),
        case: None,
        cause: "haste".to_owned(),
    });
    assert_eq!(house.record(vec![instead]).len(), 1);
    assert_eq!(house.book.voids().count(), 1);
    assert_eq!(before, without_place(&house.book), "neither filing nor revocation took effect");
    let again = house.record(vec![records[0].clone(), records[0].clone()]);
    assert!(matches!(again[1], quorate_custody::Verdict::Void(_)), "nor two filings in a row");
    assert_eq!(before, without_place(&house.book));
}

#[test]
fn a_filing_under_another_digest_key_vault_or_credential_is_void() {
    let mut house = House::new();
    let first = house.transfer_of(agent("trader"), 50 * MILLI);
    let case = house.file(&first).unwrap();
    let filing = |case, intent| Body::Filed(Box::new(Filed { case, intent }));
    let mut same_key = house.transfer_of(agent("trader"), 60 * MILLI);
    same_key.key = first.key.clone();
    let mut elsewhere = house.transfer_of(agent("trader"), 50 * MILLI);
    elsewhere.vault = id("other");
    let stranger = house.transfer_of(agent("stranger"), 50 * MILLI);
    let fresh = house.transfer_of(agent("trader"), 50 * MILLI);
    house.lie(filing(case, first));
    house.lie(filing(case, fresh));
    for intent in [same_key, elsewhere, stranger] {
        house.lie(filing(intent.case().unwrap(), intent));
    }
}

#[test]
fn a_second_founding_is_void_and_so_is_a_book_that_begins_otherwise() {
    let mut house = House::new();
    let mut other = charter();
    other.finality_depth = 1;
    house.lie(Body::Founded(Box::new(Founded { charter: charter() })));
    house.lie(Body::Founded(Box::new(Founded { charter: other.clone() })));
    let mut book = quorate_custody::Book::new(charter()).unwrap();
    let founded = Body::Founded(Box::new(Founded { charter: other }));
    let entry = book.entries(vec![founded], NOON).unwrap().remove(0);
    let verdict = book.admit(&entry).unwrap();
    assert!(matches!(verdict, quorate_custody::Verdict::Void(_)), "two founding charters");
}

#[test]
fn t02_a_draft_that_is_not_the_intent_s_own_is_void() {
    let mut house = House::new();
    let intent = house.transfer_of(agent("trader"), 50 * MILLI);
    let snapshot = house.snapshot(CHAIN);
    let mut records = bodies(&house, filed(&intent, Some(snapshot)));
    let honest = match records.pop() {
        Some(Body::Warranted(warranted)) => *warranted,
        other => panic!("{other:?}"),
    };
    house.good(records);
    let lie = |house: &mut House, spoil: &dyn Fn(&mut Warranted)| {
        let mut warranted = honest.clone();
        spoil(&mut warranted);
        house.lie(Body::Warranted(Box::new(warranted)));
    };
    lie(&mut house, &|w| w.nonce += 1);
    lie(&mut house, &|w| w.draft = Digest::ZERO);
    lie(&mut house, &|w| w.replaces = Some(Digest::ZERO));
    lie(&mut house, &|w| w.bytes.push_str("00"));
    lie(&mut house, &|w| w.chain = id(MAINNET));
    lie(&mut house, &|w| w.party = Party::Cosigner { cosigner: id("east") });
    lie(&mut house, &|w| w.decoded_intent = Digest::ZERO);
    // An approval of an allowance instead of a transfer: another call in the same place.
    lie(&mut house, &|w| w.bytes = w.bytes.replace("80c0", "84095ea7b3c0"));
    for (to, amount, ceiling) in [
        (other_recipient(), 50 * MILLI, 10 * MILLI),
        (recipient(), 51 * MILLI, 10 * MILLI),
        (recipient(), 50 * MILLI, 1_000 * MILLI),
    ] {
        let mut wanted = transfer(amount);
        wanted.to = to;
        wanted.fee_ceiling = quorate_terms::Amount::from_u128(ceiling);
        let mut dear = house.snapshot(CHAIN);
        if ceiling > 10 * MILLI {
            dear.base_fee = quorate_terms::Amount::from_u128(1_000_000_000_000);
        }
        let draft = quorate_chains::draft(&wanted, &dear.account, &dear).unwrap();
        lie(&mut house, &|w| {
            w.bytes = hex::encode(draft.bytes());
            w.draft = draft.digest();
            w.fee_max = draft.meaning().fee_max;
        });
    }
}

#[test]
fn a_draft_before_agreement_or_with_another_case_s_nonce_is_void() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    let draft = quorate_chains::draft(
        &transfer(2_000 * MILLI),
        &house.snapshot(CHAIN).account,
        &house.snapshot(CHAIN),
    )
    .unwrap();
    let warranted = Warranted {
        case,
        party: Party::Desk,
        draft: draft.digest(),
        bytes: hex::encode(draft.bytes()),
        chain: id(CHAIN),
        decoders: vec![quorate_chains::DECODER.to_owned()],
        decoded_intent: case.intent(),
        account: house.snapshot(CHAIN).account,
        nonce: 0,
        fee_max: draft.meaning().fee_max,
        replaces: None,
    };
    house.lie(Body::Warranted(Box::new(warranted.clone())));
    house.approve("ann", &case);
    house.lie(Body::Warranted(Box::new(warranted.clone())));
    house.approve("bo", &case);
    house.pay(50 * MILLI);
    let refusal = house.lie(Body::Warranted(Box::new(warranted)));
    assert_eq!(refusal.code, "nonce_taken");
    house.draft(&case);
    assert_eq!(house.live(&case).meaning().nonce, 1, "the desk itself takes the next one");
}

fn signed_body(house: &House, case: &quorate_terms::CaseId) -> Signed {
    match bodies(house, house.signature(case)).remove(0) {
        Body::Signed(signed) => *signed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn row_29_a_signature_that_is_wrong_high_or_somebody_else_s_is_void() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let honest = signed_body(&house, &case);
    let mut lie = |spoil: &dyn Fn(&mut Signed)| {
        let mut signed = honest.clone();
        spoil(&mut signed);
        house.lie(Body::Signed(Box::new(signed)));
    };
    lie(&|s| {
        s.signature.replace_range(10..12, if &s.signature[10..12] == "00" { "01" } else { "00" })
    });
    lie(&|s| {
        s.signature.replace_range(128..130, if s.signature.ends_with('0') { "01" } else { "00" })
    });
    lie(&|s| s.signature.truncate(128));
    lie(&|s| s.signature = high(&s.signature));
    lie(&|s| s.transaction.push_str("00"));
    lie(&|s| s.txid.push('0'));
    lie(&|s| s.draft = Digest::ZERO);
    lie(&|s| s.purpose = "drill".to_owned());
    lie(&|s| {
        s.cosigners.pop_first();
    });
    lie(&|s| {
        s.cosigners.insert(id("nobody"));
    });
}

/// The same signature with the other s.
fn high(signature: &str) -> String {
    let order =
        hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap();
    let mut raw = hex::decode(signature).unwrap();
    let mut borrow = 0_i32;
    for at in (0..32).rev() {
        let left = i32::from(order[at]) - i32::from(raw[32 + at]) - borrow;
        borrow = i32::from(left < 0);
        raw[32 + at] = u8::try_from(left.rem_euclid(256)).unwrap();
    }
    raw[64] ^= 1;
    hex::encode(raw)
}

#[test]
fn a_desk_checks_what_cosigners_send_before_it_records_it() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let Event::SignatureCame { rs, recovery, cosigners, .. } = house.signature(&case) else {
        panic!("a signature")
    };
    let send = |rs, cosigners| Event::SignatureCame {
        case,
        session: Digest::ZERO,
        rs,
        recovery,
        cosigners,
        checkpoint_size: 1,
    };
    let mut bad = rs;
    bad[5] ^= 1;
    assert_eq!(code(house.event(send(bad, cosigners.clone()))), "bad_signature");
    assert_eq!(code(house.event(send(rs, Default::default()))), "void_entry");
    assert_eq!(code(house.event(Event::Published { case, txid: "0x0".to_owned() })), "not_ours");
    let note = Event::Noted(Box::new(refused(case, Outcome::Refused)));
    assert_eq!(code(house.event(note)), "not_a_note");
    house.does(send(rs, cosigners));
}

fn refused(case: quorate_terms::CaseId, outcome: Outcome) -> Body {
    Body::Closed(Box::new(closed(case, outcome)))
}

fn closed(case: quorate_terms::CaseId, outcome: Outcome) -> Closed {
    Closed {
        case,
        outcome,
        reason: "so".to_owned(),
        culprits: Default::default(),
        txid: None,
        amount: None,
        fee: None,
        finality: None,
    }
}

#[test]
fn a_case_that_may_be_signed_closes_on_nothing_but_finality() {
    use Outcome::{
        Aborted, Cancelled, Done, Expired, Refused, Rejected, Replaced, Reverted, Settled,
    };
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let all = [Aborted, Cancelled, Done, Expired, Refused, Rejected, Replaced, Reverted, Settled];
    for outcome in all {
        house.lie(refused(case, outcome));
    }
    let expiry = house.case(&case).expires_at();
    house.now = expiry;
    house.lie(refused(case, Expired));
    assert!(house.does(Event::Ticked).records.is_empty(), "a tick does not close it either");
    house.now = NOON.plus_s(90_000);
    let (rs, recovery) = wallet_signs(house.live(&case).meaning().sighash);
    assert!(rs.len() == 64 && recovery < 2);
    let event = house.signature(&case);
    house.does(event);
    for outcome in all {
        house.lie(refused(case, outcome));
    }
    assert!(house.book.usage().is_open(&case), "its amount is held to the end");
}

#[test]
fn finality_is_believed_only_of_its_source_about_this_nonce_deep_enough_and_told_in_full() {
    use quorate_terms::fact::Fact;
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let txid = house.sign(&case);
    let honest = house.finality(&case, &txid, Fate::Settled);
    let spoilt = |spoil: &dyn Fn(&mut Fact), by: &str| {
        let mut fact = honest.body.fact.clone();
        spoil(&mut fact);
        house.fact(by, fact)
    };
    let field = |set: &'static dyn Fn(&mut u64, &mut u64, &mut String, &mut Fate)| {
        move |fact: &mut Fact| {
            if let Fact::Finality { nonce, depth, txid, fate, .. } = fact {
                set(nonce, depth, txid, fate);
            }
        }
    };
    let mut unsigned = honest.clone();
    unsigned.signature = house.fact("lists", honest.body.fact.clone()).signature;
    let lies = [
        spoilt(&field(&|nonce, _, _, _| *nonce += 1), "watch"),
        spoilt(&field(&|_, depth, _, _| *depth = 2), "watch"),
        spoilt(&field(&|_, _, txid, _| txid.push('0')), "watch"),
        spoilt(&field(&|_, _, _, fate| *fate = Fate::Replaced), "watch"),
        spoilt(&|_| {}, "price-1"),
        unsigned,
    ];
    for fact in lies {
        assert_ne!(
            code(house.event(Event::FinalityCame { case, fact: Box::new(fact.clone()) })),
            "ok"
        );
        let told = Closed {
            txid: Some(txid.clone()),
            finality: Some(fact),
            ..closed(case, Outcome::Settled)
        };
        house.lie(Body::Closed(Box::new(told)));
    }
    let honest_body =
        bodies(&house, Event::FinalityCame { case, fact: Box::new(honest) }).remove(0);
    let Body::Closed(told) = honest_body else { panic!("a closing") };
    for spoil in 0..4 {
        let mut told = (*told).clone();
        match spoil {
            0 => told.fee = None,
            1 => told.amount = None,
            2 => told.outcome = Outcome::Reverted,
            _ => told.txid = None,
        }
        house.lie(Body::Closed(Box::new(told)));
    }
    house.good(vec![Body::Closed(told)]);
}

#[test]
fn small_lies_about_a_case_are_void_too() {
    let mut house = House::new();
    let none = quorate_terms::CaseId::of_intent(Digest::ZERO);
    let case = house.pay(50 * MILLI);
    house.lie(Body::Broadcast(Broadcast { case, txid: "0x0".to_owned() }));
    house.lie(Body::CancelAsked(CancelAsked { case, by: case }));
    house.lie(Body::RunAborted(RunAborted {
        run: Digest::ZERO,
        wallet: id("ops"),
        case: Some(none),
        phase: "1".to_owned(),
        cause: "so".to_owned(),
        culprits: Default::default(),
    }));
    let reason = quorate_terms::judgment::Reason {
        rule: "so".to_owned(),
        code: "so".to_owned(),
        message: "so".to_owned(),
        next: "so".to_owned(),
    };
    let party = Party::Cosigner { cosigner: id("nobody") };
    house.lie(Body::Refused(Refused { case, party, reason, left: false }));
    let mut denied = refused(case, Outcome::Refused);
    if let Body::Closed(closed) = &mut denied {
        closed.txid = Some("0x0".to_owned());
    }
    let undrafted = house.pay(2_000 * MILLI);
    if let Body::Closed(closed) = &mut denied {
        closed.case = undrafted;
    }
    house.lie(denied);
    let seen = TransferObserved {
        txid: "0x0".to_owned(),
        wallet: id("ops"),
        chain: id(CHAIN),
        direction: "out".to_owned(),
        asset: coin(CHAIN),
        amount: quorate_terms::Amount::from_u128(1),
        counterparty: other_recipient(),
        stage: quorate_terms::entry::Stage::Included,
        block: None,
        case: Some(case),
    };
    house.lie(Body::TransferObserved(Box::new(seen.clone())));
    let event = house.signature(&case);
    house.does(event);
    house.lie(Body::TransferObserved(Box::new(seen)));
}

#[test]
fn an_agent_s_denied_cancel_cancels_nothing_whatever_the_desk_writes() {
    let mut house = House::new();
    house.admit_agent("rival", NOON.plus_s(86_400));
    let case = house.pay(2_000 * MILLI);
    let intent = house.intent(agent("rival"), Action::Cancel { case });
    let records = bodies(&house, filed(&intent, None));
    house.good(records[..2].to_vec());
    let by = intent.case().unwrap();
    house.lie(Body::CancelAsked(CancelAsked { case, by }));
    house.lie(refused(case, Outcome::Cancelled));
}

#[test]
fn an_agent_is_not_enrolled_by_a_case_that_nobody_agreed_to() {
    let mut house = House::new();
    let credential = credential("rogue", NOON.plus_s(86_400));
    let intent =
        house.intent(person("op"), Action::IssueCredential { credential: credential.clone() });
    let case = house.file(&intent).unwrap();
    let enrolled = AgentEnrolled {
        agent: credential.agent.clone(),
        case,
        owner: credential.owner.clone(),
        band: credential.band,
        manifest: None,
        expires_at: credential.expires_at,
        credential,
    };
    house.lie(Body::AgentEnrolled(Box::new(enrolled.clone())));
    house.approve("ann", &case);
    house.lie(Body::AgentEnrolled(Box::new(enrolled)));
}

#[test]
fn entries_under_other_rules_are_void() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let body =
        Body::Heartbeat(quorate_terms::entry::Heartbeat { source: "desk".to_owned(), sequence: 1 });
    let honest = house.book.entries(vec![body], house.now).unwrap().remove(0);
    let other = Entry { rules: "quorate-rules/9".to_owned(), ..honest };
    let verdict = house.append(other);
    assert!(matches!(verdict, quorate_custody::Verdict::Void(_)));
    assert_eq!(code(house.warrant(&case)), "void_entry");
    let changed = |from: &str, to: &str| {
        Body::RulesChanged(quorate_terms::entry::RulesChanged {
            from: from.to_owned(),
            to: to.to_owned(),
        })
    };
    house.lie(changed("quorate-rules/9", "quorate-rules/1"));
    house.lie(changed("quorate-rules/1", "quorate-rules/9"));
    house.good(vec![changed("quorate-rules/1", "quorate-rules/1")]);
}

#[test]
fn a_freeze_counts_at_the_follower_even_when_its_entry_is_void() {
    use quorate_terms::canonical::Term as _;
    let mut house = House::new();
    let freeze = house.freeze("bo", quorate_terms::freeze::Scope::Vault);
    let step = house.book.step(Event::FreezeCame(Box::new(freeze)), house.now).unwrap();
    let honest = house.book.entries(step.records, house.now).unwrap().remove(0);
    let other = Entry { rules: "quorate-rules/9".to_owned(), ..honest };
    let followed = house.follower.follow(&[other.to_canonical().unwrap()]).unwrap();
    assert_eq!((followed.voids.len(), followed.freezes.len()), (1, 1));
    let too_many = vec![Vec::new(); limits::ENTRIES_PER_FOLLOW_MAX + 1];
    assert_eq!(code(house.follower.follow(&too_many)), "too_many");
}
