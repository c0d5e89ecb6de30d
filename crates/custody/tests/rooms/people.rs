//! Approvals, freezes and administration.

use quorate_custody::{Event, State, check_freeze};
use quorate_terms::approval::{ApprovalBody, Verdict as Word};
use quorate_terms::canonical::Term;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Approved, Body, CharterActivated};
use quorate_terms::freeze::Scope;
use quorate_terms::intent::{Action, OwnerKind};
use quorate_terms::{AccountId, CaseId, Digest};

use crate::house::*;

/// An approval that is wrong in one way is refused at the desk's door, and void in the book.
fn check(spoil: &dyn Fn(&mut ApprovalBody), signer: &str, expected: &str) {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    let mut body = house.approval("ann", &case).body;
    spoil(&mut body);
    let approval = approval_of(signer, body);
    let event = Event::ApprovalCame(Box::new(approval.clone()));
    assert_eq!(code(house.event(event)), expected);
    house.lie(Body::Approved(Box::new(approved(approval))));
    assert_eq!(house.case(&case).approvals.len(), 0);
}

pub(crate) fn approved(approval: quorate_terms::approval::Approval) -> Approved {
    let body = approval.body.clone();
    Approved {
        case: CaseId::of_intent(body.intent),
        intent: body.intent,
        policy: body.policy,
        approver: body.approver,
        credential: body.credential,
        verdict: body.verdict,
        device: None,
        display_digest: body.display,
        user_verified: true,
        expires_at: body.expires_at,
        approval,
    }
}

#[test]
fn row_39_and_t05_an_approval_binds_intent_policy_seat_and_time() {
    check(&|b| b.intent = Digest::ZERO, "ann", "unknown_case");
    check(&|b| b.policy = Digest::ZERO, "ann", "old_policy");
    check(&|b| b.approver = id("dan"), "ann", "no_seat");
    check(&|b| b.approver = id("bo"), "ann", "wrong_credential");
    check(&|b| b.credential = id("key-bo"), "ann", "wrong_credential");
    check(&|b| b.vault = id("other"), "ann", "wrong_vault");
    check(&|b| b.v = 2, "ann", "wrong_vault");
    check(&|_| {}, "bo", "bad_signature");
    check(&|b| b.expires_at = b.issued_at, "ann", "expired");
    check(&|b| b.expires_at = b.issued_at.plus_s(3_601), "ann", "too_long");
    check(&|b| b.issued_at = b.issued_at.plus_s(121), "ann", "too_long");
}

#[test]
fn row_38_nobody_counts_twice_and_nobody_approves_a_request_of_one_s_own() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    house.approve("ann", &case);
    let again = Event::ApprovalCame(Box::new(house.approval("ann", &case)));
    assert_eq!(code(house.event(again)), "duplicate");
    let own = house.transfer_of(person("p-bo"), 50 * MILLI);
    let own = house.file(&own).unwrap();
    let event = Event::ApprovalCame(Box::new(house.approval("bo", &own)));
    assert_eq!(code(house.event(event)), "own_request");
}

#[test]
fn row_39_an_approval_of_one_intent_says_nothing_of_another() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    let edited = house.pay(2_001 * MILLI);
    let mut approval = house.approval("ann", &case);
    approval.body.intent = edited.intent();
    assert_eq!(code(house.event(Event::ApprovalCame(Box::new(approval)))), "bad_signature");
}

#[test]
fn a_lapsed_word_may_be_renewed_and_until_then_does_not_count() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    house.approve("ann", &case);
    house.later(1_800);
    house.approve("bo", &case);
    assert_eq!(house.case(&case).state, State::AwaitApprovals, "ann's has lapsed");
    house.approve("ann", &case);
    assert_eq!(house.case(&case).state, State::AwaitSnapshot);
    house.later(1_800);
    let step = house.draft(&case);
    assert_eq!(kinds(&step), ["Closed"], "lapsed again before it was drafted");
}

#[test]
fn one_no_of_a_member_ends_the_case() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    let mut body = house.approval("cy", &case).body;
    body.verdict = Word::Reject;
    house.does(Event::ApprovalCame(Box::new(approval_of("cy", body))));
    assert_eq!(house.outcome(&case), "Rejected");
    assert!(!house.book.usage().is_open(&case));
}

#[test]
fn row_40_a_policy_change_ends_what_was_judged_under_the_old_one() {
    let mut house = House::new();
    let case = house.pay(2_000 * MILLI);
    house.approve("ann", &case);
    let old = house.approval("bo", &case);
    crate::warrant::change_policy(&mut house);
    assert_eq!(code(house.event(Event::ApprovalCame(Box::new(old)))), "old_policy");
    let waiting = house.transfer_of(agent("trader"), 50 * MILLI);
    let waiting = house.file(&waiting).unwrap();
    crate::warrant::change_policy(&mut house);
    let step = house.draft(&waiting);
    assert_eq!(kinds(&step), ["Closed"]);
    assert_eq!(house.outcome(&waiting), "Refused");
}

#[test]
fn row_17_and_row_18_entry_times_never_go_back_and_a_clock_set_forward_deletes_nothing() {
    let mut house = House::new();
    let settled = house.pay_through(50 * MILLI);
    house.later(3_600);
    let open = house.pay(2_000 * MILLI);
    let expiry = house.case(&open).expires_at();
    let approval = house.approval("ann", &open);
    house.now = NOON;
    house.does(Event::ApprovalCame(Box::new(approval)));
    assert!(house.entries.is_sorted_by_key(|entry| entry.at), "the desk's clock went back");
    assert_eq!(house.case(&open).expires_at(), expiry, "no expiry is extended");
    house.now = NOON.plus_s(365 * 86_400);
    house.does(Event::Ticked);
    assert_eq!(house.outcome(&open), "Expired");
    assert_eq!(house.outcome(&settled), "Settled");
    assert!(house.book.wallet(&id("ops")).is_some());
}

#[test]
fn a_freeze_comes_from_any_channel_and_a_lifted_one_does_not_come_back() {
    let mut house = House::new();
    let freeze = house.freeze("bo", Scope::Vault);
    let digest = freeze.body.digest().unwrap();
    assert_eq!(check_freeze(house.book.charter(), &freeze).unwrap(), digest);
    let mut forged = freeze.clone();
    forged.body.cause = "other".to_owned();
    assert_eq!(code(house.event(Event::FreezeCame(Box::new(forged)))), "bad_freeze");
    assert_eq!(house.does(Event::FreezeCame(Box::new(freeze.clone()))).records.len(), 1);
    assert_eq!(house.does(Event::FreezeCame(Box::new(freeze.clone()))).records.len(), 0);
    let second = house.freeze("cy", Scope::Agent { agent: id("trader") });
    let other = second.body.digest().unwrap();
    house.does(Event::FreezeCame(Box::new(second)));
    // People agree to the scope that they read: a freeze of another scope is not lifted with it.
    let lie = house.administer(Action::Unfreeze {
        scope: Scope::Agent { agent: id("trader") },
        lifts: [digest, other].into(),
    });
    assert_eq!((house.outcome(&lie).as_str(), house.book.freezes().count()), ("Refused", 2));
    let case = house.administer(Action::Unfreeze { scope: Scope::Vault, lifts: [digest].into() });
    assert_eq!(house.outcome(&case), "Done");
    assert_eq!(house.book.freezes().map(|(d, _)| *d).collect::<Vec<_>>(), [other]);
    assert_eq!(house.does(Event::FreezeCame(Box::new(freeze))).records.len(), 0);
    assert_eq!(house.book.freezes().count(), 1, "the re-sent freeze was lifted before");
}

#[test]
fn a_person_s_freeze_intent_freezes_at_once_and_is_lifted_by_its_own_name() {
    let mut house = House::new();
    let case = house.administer(Action::Freeze { scope: Scope::Vault });
    assert_eq!(house.outcome(&case), "Done");
    let denied = house.pay(50 * MILLI);
    assert_eq!(house.outcome(&denied), "Refused");
    house.administer(Action::Unfreeze { scope: Scope::Vault, lifts: [case.intent()].into() });
    let paid = house.pay(50 * MILLI);
    assert_eq!(house.case(&paid).state, State::AwaitSignature);
}

pub(crate) fn next_charter(house: &House) -> CharterText {
    let mut next = house.book.charter().clone();
    next.version += 1;
    next.previous = Some(house.book.charter_digest());
    next.policy = house.book.policy().document().clone();
    next.finality_depth += 1;
    next
}

pub(crate) fn change_charter(house: &mut House, text: &CharterText) -> CaseId {
    house.administer(Action::ChangeCharter { charter: Box::new(text.clone()) })
}

#[test]
fn a_charter_changes_after_its_delay_in_the_book_and_on_each_party_s_own_clock() {
    let mut house = House::new();
    let text = next_charter(&house);
    let digest = text.digest().unwrap();
    let case = change_charter(&mut house, &text);
    assert_eq!(house.case(&case).state, State::AwaitDelay);
    let early = CharterActivated { charter: digest, case, previous: house.book.charter_digest() };
    house.later(86_399);
    assert_eq!(house.does(Event::Ticked).records.len(), 0);
    let mut liar = House::new();
    let same = change_charter(&mut liar, &text);
    liar.lie(Body::CharterActivated(Box::new(CharterActivated { case: same, ..early })));
    let seen = house.cosigners[0].first_saw(&digest).unwrap();
    house.later(1);
    house.does(Event::Ticked);
    assert_eq!(house.outcome(&case), "Done");
    assert_eq!(house.book.charter_digest(), digest);
    let paid = house.pay(50 * MILLI);
    assert_eq!(code(house.warrant(&paid)), "other_charter", "until the party adopts it");
    let adopt =
        |house: &mut House, text: &CharterText, at| house.cosigners[0].adopt(text, digest, at);
    assert_eq!(code(adopt(&mut house, &text, seen.plus_s(86_399))), "charter_delay");
    let other = next_charter(&house);
    assert_eq!(code(adopt(&mut house, &other, seen.plus_s(86_400))), "other_charter");
    assert_eq!(code(adopt(&mut house, &text, seen.plus_s(86_400))), "ok");
    assert_eq!(code(house.warrant(&paid)), "ok");
}

#[test]
fn a_cancelled_charter_never_comes_and_does_not_stand_in_the_way_of_the_next() {
    let mut house = House::new();
    let text = next_charter(&house);
    let case = change_charter(&mut house, &text);
    let same = next_charter(&house);
    let waiting = change_charter(&mut house, &same);
    assert_eq!(house.outcome(&waiting), "Refused", "one at a time");
    house.administer(Action::Cancel { case });
    assert_eq!(house.outcome(&case), "Cancelled");
    house.later(90_000);
    let previous = house.book.charter_digest();
    let digest = text.digest().unwrap();
    house.lie(Body::CharterActivated(Box::new(CharterActivated {
        charter: digest,
        case,
        previous,
    })));
    let mut again = House::new();
    let first = change_charter(&mut again, &text);
    again.administer(Action::Cancel { case: first });
    let mut other = next_charter(&again);
    other.finality_depth = 9;
    let second = change_charter(&mut again, &other);
    assert_eq!(again.case(&second).state, State::AwaitDelay);
}

#[test]
fn a_key_that_changed_hands_takes_its_old_words_with_it() {
    let mut house = House::new();
    let mut text = next_charter(&house);
    text.change_delay_s = 0;
    let mut swift = text.clone();
    change_charter(&mut house, &swift);
    house.later(86_400);
    house.does(Event::Ticked);
    let case = house.pay(2_000 * MILLI);
    house.approve("ann", &case);
    assert_eq!(house.case(&case).approvals.len(), 1);
    swift.version += 1;
    swift.previous = Some(house.book.charter_digest());
    swift.approvers[0].key = public("ann-new");
    change_charter(&mut house, &swift);
    house.does(Event::Ticked);
    assert_eq!(house.book.charter(), &swift);
    assert_eq!(house.case(&case).approvals.len(), 0);
}

#[test]
fn a_charter_that_skips_reseats_or_moves_is_not_put_in_force() {
    let spoils: [&dyn Fn(&mut CharterText); 5] = [
        &|t| t.version += 1,
        &|t| t.previous = Some(Digest::ZERO),
        &|t| t.cosigners.reverse(),
        &|t| t.log.origin = "example.org/other".to_owned(),
        &|t| t.policy.limits.fact_age_s += 1,
    ];
    for spoil in spoils {
        let mut house = House::new();
        let mut text = next_charter(&house);
        spoil(&mut text);
        let case = change_charter(&mut house, &text);
        assert_eq!(house.outcome(&case), "Refused");
    }
}

pub(crate) fn list(account: AccountId) -> Action {
    let beneficiary = serde_json::from_value(serde_json::json!("00".repeat(32))).unwrap();
    Action::ListAddress { account, beneficiary, owner_kind: OwnerKind::Client }
}

#[test]
fn a_listed_recipient_waits_before_it_is_used_and_a_struck_one_is_a_stranger_again() {
    let mut house = House::new();
    house.administer(list(recipient()));
    assert_eq!(house.book.listed().count(), 1);
    let early = house.pay(200 * MILLI);
    assert_eq!(house.outcome(&early), "Refused", "it waits an hour");
    house.later(3_600);
    let case = house.pay(200 * MILLI);
    assert_eq!(code(house.warrant(&case)), "ok", "listed: nobody need agree");
    let upper = recipient().as_str().replace("0xfb", "0xFB").replace("0xfB", "0xFB");
    let misspelt = house.administer(list(id(&upper)));
    assert_eq!(house.outcome(&misspelt), "Refused", "one account has one spelling");
    let missing = house.administer(Action::RemoveAddress { account: other_recipient() });
    assert_eq!(house.outcome(&missing), "Refused");
    house.administer(Action::RemoveAddress { account: recipient() });
    assert_eq!(house.book.listed().count(), 0);
    assert_eq!(code(house.warrant(&case)), "quorum_not_met", "the stricter answer wins");
}

#[test]
fn a_revoked_credential_files_nothing_and_signs_nothing() {
    let mut house = House::new();
    let case = house.pay(50 * MILLI);
    house.administer(Action::RevokeCredential { credential: id("cred-trader") });
    assert_eq!(code(house.warrant(&case)), "credential_unknown");
    let intent = house.transfer_of(agent("trader"), 50 * MILLI);
    assert_eq!(code(house.file(&intent)), "no_credential");
    let token = Digest::of("quorate/token/v1", b"trader");
    assert!(house.book.credential_by_token(&token, house.now).is_none());
    let twice = house.admit_agent("trader", NOON.plus_s(86_400));
    assert_eq!(house.outcome(&twice), "Refused", "no credential is used twice");
}

#[test]
fn a_recipient_is_called_by_the_name_that_opens_its_listing_and_by_no_other() {
    let opening = |salt: u8, name: &str| {
        quorate_terms::commitment::Opening::new([salt; 16], "intent.beneficiary", name).unwrap()
    };
    let mut house = House::new();
    let right = opening(7, "Corner shop");
    let beneficiary = right.commitment().unwrap();
    let action =
        Action::ListAddress { account: recipient(), beneficiary, owner_kind: OwnerKind::Client };
    house.administer(action);
    let mut denies = house.founding.policy.clone();
    denies.addresses.deny = [recipient(), other_recipient()].into();
    let denies = quorate_policy::Policy::load(&denies).unwrap();
    // Only whom a policy names is asked about.
    let named = quorate_policy::reach::accounts;
    assert_eq!(house.book.beneficiaries(&named(house.book.policy())), []);
    assert_eq!(house.book.beneficiaries(&named(&denies)), [beneficiary]);
    let told = |house: &House, opened: &[quorate_terms::commitment::Opening]| -> Vec<String> {
        let said = quorate_policy::words(&denies, &house.book.names(opened)).into_iter();
        said.filter(|one| one.field == "addresses.deny").map(|one| one.text).collect()
    };
    let is = |called: &str| format!("Never pays `{}`{called}.", recipient());
    let other = format!("Never pays `{}`.", other_recipient());
    let on_the_list = [is(" (on the address list)"), other.clone()];
    let with_name = [is(" (on the address list as `Corner shop`)"), other.clone()];
    let sorted = |mut lines: Vec<String>, expected: &[String]| {
        let mut expected = expected.to_vec();
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected);
    };
    sorted(told(&house, &[]), &on_the_list);
    sorted(told(&house, &[opening(8, "Corner shop"), opening(7, "Corner shop ")]), &on_the_list);
    sorted(told(&house, &[opening(7, "another"), right.clone()]), &with_name);
    // A party that goes on from a snapshot knows the same.
    let bytes = house.book.to_snapshot().unwrap();
    let restored = quorate_custody::Book::from_snapshot(&house.founding, &bytes).unwrap();
    let opened = std::slice::from_ref(&right);
    assert_eq!(restored.names(opened), house.book.names(opened));
    house.administer(Action::RemoveAddress { account: recipient() });
    assert_eq!(house.book.beneficiaries(&named(&denies)), []);
    sorted(told(&house, &[right]), &[is(""), other]);
}
