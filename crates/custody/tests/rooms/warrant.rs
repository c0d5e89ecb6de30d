//! One test for each rule that stands between a lying desk and the money. The first is that an honest desk gets a warrant.

use quorate_custody::{Dossier, Event, Warrant, limits};
use quorate_terms::entry::{
    BackupStatement, BackupStatementBody, BackupVerified, Body, Closed, Frozen, Marked, Outcome,
    PeerBanned,
};
use quorate_terms::freeze::Scope;
use quorate_terms::intent::Action;
use quorate_terms::{Amount, CaseId, Digest, Timestamp};

use crate::house::*;

fn check(house: &House, case: &CaseId, expected: &str) {
    assert_eq!(code(house.warrant(case)), expected);
}

/// A transfer that two people agreed to, drafted.
fn agreed(house: &mut House) -> CaseId {
    let case = house.pay(2_000 * MILLI);
    house.approve("ann", &case);
    house.approve("bo", &case);
    house.draft(&case);
    case
}

fn refused(case: &CaseId) -> Body {
    Body::Closed(Box::new(Closed {
        case: *case,
        outcome: Outcome::Refused,
        reason: "no".to_owned(),
        culprits: Default::default(),
        txid: None,
        amount: None,
        fee: None,
        finality: None,
    }))
}

fn refuses_all(house: &mut House, case: &CaseId) {
    for name in COSIGNERS {
        if house.book.case(case).is_none() {
            return;
        }
        let reason = quorate_terms::judgment::Reason {
            rule: "check".to_owned(),
            code: "no".to_owned(),
            message: "no".to_owned(),
            next: "no".to_owned(),
        };
        let cosigner = id(name);
        let reason = Box::new(reason);
        house.does(Event::CosignerRefused { case: *case, cosigner, reason, left: false });
    }
}

#[test]
fn an_honest_desk_gets_a_warrant_for_what_is_allowed_and_for_what_is_agreed_to() {
    let mut house = House::new();
    let small = house.pay(50 * MILLI);
    check(&house, &small, "ok");
    house.sign(&small);
    let large = agreed(&mut house);
    check(&house, &large, "ok");
    let warrant = house.warrant(&large).unwrap();
    assert_eq!((warrant.case(), warrant.draft()), (large, house.live(&large).digest()));
    let leave = warrant.spend();
    assert_eq!(leave.sighash, house.live(&large).meaning().sighash);
    assert_eq!(leave.charter, house.book.charter_digest());
    assert_eq!(leave.public_key, hex::encode(wallet_key()));
}

#[test]
fn a_void_entry_stops_warrants_until_the_governors_resume() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    house.lie(refused(&CaseId::of_intent(Digest::ZERO)));
    check(&house, &case, "void_entry");
    let voided = house.book.size() - 1;
    let one = vec![house.resume("ann", voided)];
    let twice = vec![house.resume("ann", voided), house.resume("ann", voided)];
    for resumes in [Vec::new(), one, twice] {
        let event = Event::ResumesCame { voided, resumes };
        assert_eq!(code(house.event(event)), "quorum_not_met");
    }
    let mut other = house.resume("bo", voided);
    other.body.index = 0;
    let resumes = vec![house.resume("ann", voided), other];
    assert_eq!(code(house.event(Event::ResumesCame { voided, resumes })), "void_entry");
    let resumes = vec![house.resume("ann", voided), house.resume("bo", voided)];
    house.does(Event::ResumesCame { voided, resumes });
    check(&house, &case, "ok");
    assert_eq!(code(house.event(Event::ResumesCame { voided, resumes: Vec::new() })), "not_void");
}

#[test]
fn a_party_under_another_charter_gives_no_warrant() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let mut text = charter();
    text.finality_depth = 4;
    let me = house.cosigners[0].me().clone();
    house.cosigners[0] = quorate_custody::Charter::new(me, text).unwrap();
    check(&house, &case, "other_charter");
}

#[test]
fn row_19_a_book_from_the_future_gets_no_warrant() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let skew = limits::CLOCK_SKEW_MAX_S;
    assert_eq!(code(house.warrant_at(&case, house.now.minus_s(skew))), "ok");
    assert_eq!(code(house.warrant_at(&case, house.now.minus_s(skew + 1))), "clock_skew");
}

#[test]
fn a_freeze_in_the_book_stops_what_it_covers_and_nothing_else() {
    let other = id("other");
    for (scope, expected) in [
        (Scope::Vault, "frozen"),
        (Scope::Wallet { wallet: id("ops") }, "frozen"),
        (Scope::Agent { agent: id("trader") }, "frozen"),
        (Scope::Wallet { wallet: other }, "ok"),
        (Scope::Agent { agent: id("another") }, "ok"),
    ] {
        let mut house = House::new();
        let case = house.pay(50 * MILLI);
        let freeze = house.freeze("cy", scope);
        house.does(Event::FreezeCame(Box::new(freeze)));
        check(&house, &case, expected);
    }
}

#[test]
fn a_freeze_at_a_party_s_own_door_stops_it_whatever_the_book_hides() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let freeze = house.freeze("cy", Scope::Vault);
    let digest = quorate_terms::Term::digest(&freeze.body).unwrap();
    house.own_entry(Body::Frozen(Box::new(Frozen {
        scope: Scope::Vault,
        by: "approver:cy".to_owned(),
        cause: "drill".to_owned(),
        freeze: digest,
        signed: Some(freeze),
        case: None,
    })));
    assert_eq!(house.book.freezes().count(), 0);
    check(&house, &case, "frozen");
}

#[test]
fn t01_bytes_other_than_the_live_draft_get_no_warrant() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let account = house.book.wallet(&id("ops")).unwrap().accounts[&id(CHAIN)].clone();
    let mut thief = transfer(50 * MILLI);
    thief.to = other_recipient();
    let mut more = transfer(50 * MILLI);
    more.amount = Amount::from_u128(51 * MILLI);
    for wanted in [thief, more] {
        let draft = quorate_chains::draft(&wanted, &account, &house.snapshot(CHAIN)).unwrap();
        let dossier = Dossier::of(house.follower.book(), &case).unwrap();
        let answer = Warrant::issue(&house.cosigners[0], &dossier, &draft, house.now);
        assert_eq!(code(answer), "other_draft");
    }
}

#[test]
fn row_18_a_case_that_has_expired_by_the_party_s_own_clock_gets_no_warrant() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let expiry = house.case(&case).expires_at();
    assert_eq!(code(house.warrant_at(&case, expiry.minus_s(1))), "ok");
    assert_eq!(code(house.warrant_at(&case, expiry)), "expired");
}

#[test]
fn row_18_a_mark_of_a_failed_run_does_not_outlive_expiry_or_approvals() {
    let mut house = House::new();
    let case = agreed(&mut house);
    house.mark(&case);
    check(&house, &case, "ok");
    assert_eq!(code(house.warrant_at(&case, house.now.plus_s(1_800))), "quorum_not_met");
    let expiry = house.case(&case).expires_at();
    assert_eq!(code(house.warrant_at(&case, expiry)), "expired");
}

#[test]
fn row_40_a_case_judged_under_an_older_policy_gets_no_warrant() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    house.mark(&case);
    change_policy(&mut house);
    check(&house, &case, "old_policy");
}

pub(crate) fn change_policy(house: &mut House) -> CaseId {
    let mut next = house.book.policy().document().clone();
    next.version += 1;
    next.previous = Some(house.book.policy().digest());
    next.limits.fact_age_s += 1;
    house.administer(Action::ChangePolicy { policy: Box::new(next) })
}

#[test]
fn approvals_that_lapse_between_agreement_and_signing_give_no_warrant() {
    let mut house = House::new();
    let case = agreed(&mut house);
    check(&house, &case, "ok");
    assert_eq!(code(house.warrant_at(&case, house.now.plus_s(1_799))), "ok");
    assert_eq!(code(house.warrant_at(&case, house.now.plus_s(1_800))), "quorum_not_met");
}

#[test]
fn a_desk_that_closes_what_was_signed_as_refused_gets_no_second_helping() {
    let mut house = House::new();
    // Three of 0.9, which nobody need agree to once the recipient is known.
    house.pay_through(50 * MILLI);
    for _ in 0..5 {
        let case = house.pay(900 * MILLI);
        house.mark(&case);
        refuses_all(&mut house, &case);
        assert_eq!(house.outcome(&case), "Refused");
    }
    let held = house.book.usage().total(&coin(CHAIN), Timestamp::ZERO).amount;
    assert!(held < Amount::from_u128(100 * MILLI), "the book believes that next to nothing left");
    let case = house.pay(900 * MILLI);
    check(&house, &case, "budget_exceeded");
}

#[test]
fn a_second_draft_that_does_not_conflict_with_a_marked_one_gets_no_warrant() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let mark = house.warrant(&case).unwrap().mark(Digest::ZERO, 1);
    let elsewhere = Marked { nonce: mark.nonce + 1, ..mark };
    house.own_entry(Body::Marked(Box::new(elsewhere)));
    check(&house, &case, "second_draft");
}

#[test]
fn a_nonce_that_was_marked_for_another_open_case_gets_no_warrant_until_that_case_is_over() {
    let mut house = House::new();
    let waiting = house.pay(2_000 * MILLI);
    let case = house.pay(50 * MILLI);
    let mark = house.warrant(&case).unwrap().mark(Digest::ZERO, 1);
    house.own_entry(Body::Marked(Box::new(Marked { case: waiting, ..mark })));
    check(&house, &case, "nonce_taken");
    house.good(vec![refused(&waiting)]);
    check(&house, &case, "ok");
}

#[test]
fn a_run_that_one_cosigner_refused_does_not_stop_the_wallet_for_good() {
    let mut house = House::new();
    let first = house.pay(50 * MILLI);
    house.mark(&first);
    refuses_all(&mut house, &first);
    let second = house.pay(50 * MILLI);
    assert_eq!(house.live(&second).meaning().nonce, 0, "the nonce is free again");
    let txid = house.sign(&second);
    house.settle(&second, &txid);
}

#[test]
fn a_barred_key_signs_nothing_whoever_says_so() {
    let bar = |by: &str| PeerBanned {
        wallet: id("ops"),
        holder: id("west"),
        by: id(by),
        cause: "check 3".to_owned(),
    };
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    house.own_entry(Body::PeerBanned(bar("east")));
    check(&house, &case, "key_barred");
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    let event = || Event::PeerBarred {
        wallet: id("ops"),
        holder: id("west"),
        by: id("east"),
        cause: "check 3".to_owned(),
    };
    house.does(event());
    assert_eq!(house.does(event()).records, [], "once is enough");
    check(&house, &case, "key_barred");
    let mut stranger = bar("east");
    stranger.by = id("nobody");
    house.lie(Body::PeerBanned(stranger));
}

#[test]
fn off_development_chains_every_share_needs_a_proven_backup() {
    let mut house = House::new();
    let mut wanted = transfer(50 * MILLI);
    wanted.asset = coin(MAINNET);
    wanted.to = id::<quorate_terms::ChainId>(MAINNET).account(recipient().address()).unwrap();
    let intent = house.intent(agent("trader"), Action::Transfer(wanted));
    let snapshot = house.snapshot(MAINNET);
    house.does(filed(&intent, Some(snapshot)));
    let case = intent.case().unwrap();
    check(&house, &case, "no_backup");
    for (name, expected) in [("east", "no_backup"), ("west", "ok")] {
        let statement = backup(name, name);
        house.does(Event::BackupCame(Box::new(statement)));
        check(&house, &case, expected);
    }
}

fn backup(name: &str, signer: &str) -> BackupStatement {
    let body = BackupStatementBody {
        v: 1,
        vault: id(VAULT),
        wallet: id("ops"),
        epoch: 0,
        cosigner: id(name),
        backup: Digest::ZERO,
        drill: Digest::ZERO,
        at: NOON,
    };
    BackupStatement { signature: signed(signer, &body), body }
}

#[test]
fn nobody_vouches_for_another_holder_s_backup() {
    let mut house = House::new();
    let statement = backup("west", "east");
    let event = Event::BackupCame(Box::new(statement.clone()));
    assert_eq!(code(house.event(event)), "void_entry");
    house.lie(Body::BackupVerified(Box::new(BackupVerified { wallet: id("ops"), statement })));
}

#[test]
fn backdated_entries_pass_in_the_book_and_fail_on_the_party_s_own_clock() {
    let mut house = House::new();
    house.pay_through(50 * MILLI);
    // The party's own day has begun; the desk goes on writing yesterday's, where the budget has room.
    let tomorrow = NOON.plus_s(13 * 3_600);
    let desk = house.now;
    for _ in 0..5 {
        let case = house.pay(900 * MILLI);
        house.now = tomorrow;
        house.mark(&case);
        house.now = desk;
        refuses_all(&mut house, &case);
    }
    let case = house.pay(900 * MILLI);
    assert_eq!(code(house.warrant_at(&case, tomorrow)), "budget_exceeded");
}

#[test]
fn a_desk_whose_clock_runs_ahead_opens_no_new_day_before_the_party_s_own() {
    let mut house = House::new();
    house.pay_through(50 * MILLI);
    let midnight = NOON.plus_s(12 * 3_600);
    house.now = midnight.minus_s(60);
    for _ in 0..5 {
        let case = house.pay(900 * MILLI);
        house.mark(&case);
        refuses_all(&mut house, &case);
    }
    let own = house.now;
    house.now = midnight.plus_s(30);
    let case = house.pay(900 * MILLI);
    assert_eq!(code(house.warrant_at(&case, own)), "budget_exceeded");
    assert_eq!(code(house.warrant_at(&case, midnight.plus_s(30))), "ok", "a new day has come");
}

#[test]
fn t06_a_credential_that_has_lapsed_by_the_party_s_own_clock_moves_nothing() {
    let mut house = House::new();
    house.admit_agent("brief", NOON.plus_s(600));
    let intent = house.transfer_of(agent("brief"), 50 * MILLI);
    let case = house.file_with_snapshot(&intent);
    check(&house, &case, "ok");
    assert_eq!(code(house.warrant_at(&case, NOON.plus_s(600))), "credential_unknown");
    house.later(600);
    let intent = house.transfer_of(agent("brief"), 50 * MILLI);
    assert_eq!(code(house.file(&intent)), "no_credential");
}

#[test]
fn many_later_requests_do_not_stop_one_that_was_agreed_to() {
    let mut house = House::new();
    let case = house.pay(1_100 * MILLI);
    house.approve("ann", &case);
    house.approve("bo", &case);
    house.draft(&case);
    for _ in 0..8 {
        let waiting = house.pay(200 * MILLI);
        assert!(house.book.case(&waiting).is_some());
    }
    check(&house, &case, "ok");
}
