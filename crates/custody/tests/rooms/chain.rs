//! Giving up, speeding up, and what the chain makes of it; facts from outside.

use quorate_custody::{Effect, Event, State};
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Charge, Stage};
use quorate_terms::fact::{CounterpartyCheck, Fact, Fate, SignedFact};
use quorate_terms::intent::Action;
use quorate_terms::policy::CedarRule;
use quorate_terms::{Amount, CaseId, Digest, Timestamp};

use crate::house::*;

fn cancel(house: &mut House, case: CaseId) -> CaseId {
    house.administer(Action::Cancel { case })
}

fn held(house: &House) -> Amount {
    house.book.usage().total(&coin(CHAIN), Timestamp::ZERO).amount
}

#[test]
fn a_case_without_a_draft_is_given_up_at_once() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    let by = cancel(&mut house, case);
    assert_eq!((house.outcome(&case), house.outcome(&by)), ("Cancelled".into(), "Done".into()));
    assert_eq!(held(&house), Amount::ZERO);
    let late = cancel(&mut house, case);
    assert_eq!(house.outcome(&late), "Refused", "there is nothing to give up");
}

#[test]
fn a_case_with_a_draft_is_given_up_by_a_conflicting_one_and_no_other_way() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let transfer = house.live(&case);
    cancel(&mut house, case);
    assert!(house.book.pending_effects().contains(&Effect::Fetch(case)));
    assert_eq!(code(house.warrant(&case)), "given_up", "the transfer is not signed any more");
    let again = cancel(&mut house, case);
    assert_eq!(house.outcome(&again), "Refused", "once is enough");
    house.replace(&case).unwrap();
    let empty = house.live(&case);
    assert_eq!(empty.meaning().nonce, transfer.meaning().nonce);
    assert_eq!(empty.meaning().amount, Amount::ZERO);
    // It moves nothing, so neither expiry nor a lapsed policy stands in its way.
    house.now = house.case(&case).expires_at().plus_s(60);
    let txid = house.sign(&case);
    house.does(Event::Published { case, txid: txid.clone() });
    let fact = house.finality(&case, &txid, Fate::Settled);
    assert_eq!(code(house.event(Event::FinalityCame { case, fact: Box::new(fact) })), "void_entry");
    let fact = house.finality(&case, &txid, Fate::Replaced);
    house.does(Event::FinalityCame { case, fact: Box::new(fact) });
    assert_eq!(house.outcome(&case), "Replaced");
    assert_eq!(held(&house), Amount::from_u128(400_000_000_000_000), "only the fee is spent");
}

#[test]
fn a_desk_cannot_turn_a_signed_cancellation_back_into_a_transfer() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    cancel(&mut house, case);
    house.replace(&case).unwrap();
    house.sign(&case);
    assert_eq!(code(house.replace(&case).map(|_| ())), "ok", "the cancellation may be sped up");
    let mut dear = house.snapshot(CHAIN);
    dear.base_fee = Amount::from_u128(60_000_000_000);
    let draft = quorate_chains::draft(&transfer(50 * MILLI), &dear.account, &dear).unwrap();
    let live = house.case(&case).live_draft().unwrap().clone();
    let warranted = quorate_terms::entry::Warranted {
        draft: draft.digest(),
        bytes: hex::encode(draft.bytes()),
        fee_max: draft.meaning().fee_max,
        replaces: Some(live.draft),
        ..live
    };
    assert_eq!(house.lie(Body::Warranted(Box::new(warranted))).code, "given_up");
}

#[test]
fn a_case_given_up_while_it_was_being_signed_is_recorded_and_not_published() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    house.mark(&case);
    let event = house.signature(&case);
    cancel(&mut house, case);
    let step = house.does(event);
    assert_eq!(
        (kinds(&step), step.effects),
        (vec!["Signed".to_owned()], vec![Effect::Fetch(case)])
    );
    assert!(!house.book.pending_effects().contains(&Effect::Publish(case)));
}

#[test]
fn conflicting_drafts_count_once_at_their_most() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let first = house.sign(&case);
    house.does(Event::Published { case, txid: first.clone() });
    house.replace(&case).unwrap();
    let second = house.sign(&case);
    assert_ne!(first, second);
    let charge = [Charge { asset: coin(CHAIN), amount: Amount::from_u128(60 * MILLI) }];
    assert_eq!(house.book.usage().claim(&case).unwrap().charges, charge);
    let own = house.cosigners[0].spent().total(&coin(CHAIN), Timestamp::ZERO);
    assert_eq!(own.amount, charge[0].amount, "the party's own record too");
    // Whichever of the two becomes final ends the case.
    let fact = house.finality(&case, &first, Fate::Settled);
    house.does(Event::FinalityCame { case, fact: Box::new(fact) });
    assert_eq!(house.outcome(&case), "Settled");
    assert_eq!(held(&house), charge[0].amount);
}

#[test]
fn a_reverted_or_replaced_transfer_costs_its_fee_only() {
    for (fate, stranger, outcome) in
        [(Fate::Reverted, false, "Reverted"), (Fate::Replaced, true, "Replaced")]
    {
        let mut house = House::new();
        let case = house.pay(50 * MILLI);
        let own = house.sign(&case);
        let txid = if stranger { "0x99".to_owned() } else { own };
        let fact = Box::new(house.finality(&case, &txid, fate));
        house.does(Event::FinalityCame { case, fact });
        assert_eq!(house.outcome(&case), outcome);
        assert_eq!(held(&house), Amount::from_u128(400_000_000_000_000));
        let next = house.pay(200 * MILLI);
        assert_eq!(house.case(&next).state, State::AwaitApprovals, "the recipient was never paid");
    }
}

#[test]
fn row_72_after_a_reorg_the_same_bytes_are_published_again_and_nothing_is_signed_anew() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let txid = house.sign(&case);
    house.does(Event::Published { case, txid: txid.clone() });
    let see = |stage| Event::Observed { case, txid: txid.clone(), stage, block: None };
    assert_eq!(house.does(see(Stage::Included)).effects, []);
    assert_eq!(house.does(see(Stage::Included)).records, [], "told once");
    for stage in [Stage::Reorged, Stage::Dropped] {
        let step = house.does(see(stage));
        assert_eq!(step.effects, [Effect::Publish(case)]);
        assert_eq!(house.case(&case).state, State::AwaitConfirmation);
        assert_eq!(house.case(&case).signed.len(), 1);
    }
    assert_eq!(house.does(house.signature(&case)).records, [], "a signature again is nothing new");
}

#[test]
fn t04_three_failed_runs_call_people_and_stop_the_case() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let fail = |n: u8| Event::RunFailed {
        case,
        run: Digest::of("quorate/session/v1", &[n]),
        phase: "2".to_owned(),
        cause: "timeout".to_owned(),
        culprits: Default::default(),
    };
    assert_eq!(house.does(fail(1)).effects, [Effect::Convene(case)]);
    assert_eq!(house.does(fail(2)).effects, [Effect::Convene(case)]);
    let step = house.does(fail(3));
    assert_eq!(
        (kinds(&step), step.effects.len()),
        (vec!["RunAborted".to_owned(), "AlertRaised".to_owned()], 0)
    );
    assert_eq!(house.book.pending_effects(), [], "not even a restart tries again");
    assert_eq!(code(house.warrant(&case)), "repeated_abort");
    assert_eq!(code(house.replace(&case)), "repeated_abort", "and no other payload either");
    cancel(&mut house, case);
    house.replace(&case).unwrap();
    assert_eq!(code(house.warrant(&case)), "ok", "giving up is always possible");
}

/// A charter whose policy asks the treasury for anything worth more than 100 dollars, or of unknown worth.
fn valued() -> CharterText {
    let mut policy = policy();
    let rule = "@require(\"treasury\")\n@note(\"what is worth much, or nobody knows how much, takes the treasury\")\n\
        forbid (principal, action == Action::\"transfer\", resource)\n\
        unless { context has value_cents && context.value_cents <= 10000 }\n\
        unless { context.approved_by.contains(\"treasury\") };";
    policy.rules.push(CedarRule { id: id("worth"), text: rule.to_owned() });
    charter_with(policy, &["price-1", "price-2", "watch", "lists"])
}

fn price(house: &House, source: &str, dollars: u128) -> SignedFact {
    let micro = Amount::from_u128(dollars * 1_000_000);
    house.fact(source, Fact::Price { asset: coin(CHAIN), decimals: 18, micro })
}

#[test]
fn two_sources_of_price_may_allow_and_one_alone_only_tightens() {
    // 0.05 of the coin.
    for (prices, expected) in [
        (vec![], State::AwaitApprovals),
        (vec![("price-1", 1_000)], State::AwaitApprovals),
        (vec![("price-1", 1_000), ("price-1", 1_000)], State::AwaitApprovals),
        (vec![("price-1", 1_000), ("price-2", 1_001)], State::AwaitSignature),
        (vec![("price-1", 1_000), ("price-2", 3_000)], State::AwaitApprovals),
        (vec![("price-1", 3_000), ("price-2", 1_000), ("price-1", 1_000)], State::AwaitApprovals),
    ] {
        let mut house = House::with(valued());
        let facts = prices.iter().map(|(by, dollars)| price(&house, by, *dollars)).collect();
        let intent = house.transfer_of(agent("trader"), 50 * MILLI);
        let snapshot = house.snapshot(CHAIN);
        house.does(filed_with(&intent, Some(snapshot), facts, CounterpartyCheck::NotPerformed));
        assert_eq!(house.case(&intent.case().unwrap()).state, expected, "{prices:?}");
    }
}

#[test]
fn a_fact_that_is_stale_unsigned_early_or_to_another_vault_is_refused() {
    let mut house = House::new();
    let honest = price(&house, "price-1", 1_000);
    let mut forged = honest.clone();
    forged.body.at = forged.body.at.plus_s(1);
    let mut other = honest.clone();
    other.body.vault = id("other");
    other.signature = signed("price-1", &other.body);
    let mut early = honest.clone();
    early.body.at = early.body.at.plus_s(600);
    early.signature = signed("price-1", &early.body);
    let unseated = house.fact("watch", honest.body.fact.clone());
    let ask = |house: &mut House, fact: SignedFact| {
        let intent = house.transfer_of(agent("trader"), 50 * MILLI);
        let facts = vec![fact];
        code(house.event(filed_with(&intent, None, facts, CounterpartyCheck::NotPerformed)))
    };
    for fact in [forged, other, early, unseated] {
        assert_eq!(ask(&mut house, fact), "bad_fact");
    }
    assert_eq!(ask(&mut house, honest.clone()), "ok");
    house.later(301);
    assert_eq!(ask(&mut house, honest), "bad_fact", "it is stale");
}

#[test]
fn a_flag_denies_from_anywhere_and_only_a_signed_clear_has_weight() {
    let performed = |flagged| CounterpartyCheck::Performed { provider: "file".to_owned(), flagged };
    let failed =
        CounterpartyCheck::Failed { provider: "x".to_owned(), error: "timeout".to_owned() };
    let mut house = House::new();
    let word = |house: &House, flagged| {
        vec![house.fact("lists", Fact::Screening { account: recipient(), flagged })]
    };
    let clear = CounterpartyCheck::Performed { provider: "lists".to_owned(), flagged: false };
    for (facts, told, denied) in [
        (vec![], performed(true), true),
        (vec![], performed(false), false),
        (vec![], failed, false),
        (word(&house, true), CounterpartyCheck::NotPerformed, true),
        (word(&house, true), clear.clone(), true),
        (word(&house, false), clear, false),
    ] {
        let intent = house.transfer_of(agent("trader"), MILLI);
        house.does(filed_with(&intent, None, facts.clone(), told.clone()));
        let case = intent.case().unwrap();
        assert_eq!(house.book.closed(&case).is_some(), denied, "{told:?}");
        let outside = quorate_custody::rulings::Outside { facts: &facts, screening: &told };
        let ruled = house.book.rule(&intent, &outside, house.now).unwrap();
        assert_eq!(ruled.ruling.judgment.is_deny(), denied);
    }
}

#[test]
fn without_a_source_of_finality_the_desk_s_word_only_settles_what_was_signed() {
    use quorate_terms::entry::{Closed, Outcome};
    let mut house = House::with(charter_with(policy(), &["price-1"]));
    let case = house.pay(50 * MILLI);
    let told = |outcome, txid: Option<String>| {
        Body::Closed(Box::new(Closed {
            case,
            outcome,
            reason: "so".to_owned(),
            culprits: Default::default(),
            txid,
            amount: Some(Amount::from_u128(50 * MILLI)),
            fee: None,
            finality: None,
        }))
    };
    house.lie(told(Outcome::Settled, Some("0x1".to_owned())));
    let event = house.signature(&case);
    house.does(event);
    let txid = house.case(&case).signed[0].txid.clone();
    house.lie(told(Outcome::Reverted, Some(txid.clone())));
    house.lie(told(Outcome::Replaced, Some("0x1".to_owned())));
    house.lie(told(Outcome::Settled, Some("0x1".to_owned())));
    house.lie(told(Outcome::Settled, None));
    house.good(vec![told(Outcome::Settled, Some(txid))]);
    assert_eq!(held(&house), Amount::from_u128(60 * MILLI), "spent in full");
}
