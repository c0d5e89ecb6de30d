//! How a delegation begins and ends: by time, by a charter, and at once by either of the two.

use quorate_custody::State;
use quorate_terms::checklist::Shown;
use quorate_terms::entry::DelegationEnded;

use super::*;
use crate::authenticator::{Authenticator, view};

#[test]
fn a_stand_in_before_the_beginning_counts_nothing() {
    let mut house = House::new();
    let mut given = delegation(&house, "ann", "sam");
    given.from = house.now.plus_s(600);
    delegate(&mut house, &given);
    let early = house.pay(2_000 * MILLI);
    refused(&mut house, ("sam", "ann"), &early, "not_standing");
    let before = word(&house, ("sam", "ann"), &early, Word::Approve);
    house.later(600);
    refused_word(&mut house, before, "not_standing");
    assert_eq!(says(&mut house, ("sam", "ann"), &early), "ok");
}

#[test]
fn a_stand_in_after_the_end_counts_nothing() {
    let (mut house, given) = house();
    house.later(AWAY_S - 1);
    let case = house.pay(2_000 * MILLI);
    house.later(1);
    refused(&mut house, ("sam", "ann"), &case, "not_standing");
    // Whether the end was written down or not.
    house.does(Event::Ticked);
    assert_eq!(house.book.delegation(&given.id).unwrap().ended.as_ref().unwrap().cause, "lapsed");
    refused(&mut house, ("sam", "ann"), &case, "not_standing");
    assert_eq!(house.does(Event::Ticked).records.len(), 0, "its end is written down once");
    let next = delegation(&house, "ann", "sue");
    delegate(&mut house, &next);
    assert_eq!(says(&mut house, ("sue", "ann"), &case), "ok");
}

/// Sam stands in for ann for ten minutes, and bo and sam have agreed to a payment.
fn agreed_for_ten_minutes(house: &mut House) -> (Delegation, CaseId) {
    let mut given = delegation(house, "ann", "sam");
    given.until = house.now.plus_s(600);
    delegate(house, &given);
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(house, ("sam", "ann"), &case), "ok");
    house.approve("bo", &case);
    (given, case)
}

#[test]
fn a_word_given_in_time_lapses_with_the_delegation() {
    let mut house = House::new();
    let (_, case) = agreed_for_ten_minutes(&mut house);
    house.draft(&case);
    house.warrant_at(&case, house.now.plus_s(599)).unwrap();
    let lapsed = house.warrant_at(&case, house.now.plus_s(600));
    assert_eq!(code(lapsed), "quorum_not_met");
}

#[test]
fn a_stand_in_who_is_seated_later_stands_no_more() {
    let (mut house, given) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    let mut text = next_charter(&house);
    text.change_delay_s = 0;
    text.approvers.push(seat("dan", "sam"));
    change_charter(&mut house, &text);
    house.does(Event::Ticked);
    assert_eq!(house.book.delegation(&given.id).unwrap().phase(house.now), Phase::Ended);
    assert!(house.case(&case).stand_ins.is_empty(), "and what was said goes with it");
    refused(&mut house, ("sam", "ann"), &case, "not_standing");
}

#[test]
fn a_stand_in_who_is_seated_with_the_same_keys_keeps_them() {
    let (mut house, given) = house();
    let mut text = next_charter(&house);
    text.change_delay_s = 0;
    text.approvers.push(ApproverSeat { approver: id("dan"), ..given.as_seat() });
    change_charter(&mut house, &text);
    let step = house.does(Event::Ticked);
    assert_eq!(house.book.delegation(&given.id).unwrap().phase(house.now), Phase::Ended);
    let told = kinds(&step);
    assert!(told.iter().any(|kind| kind == "CredentialEnrolled"), "{told:?}");
    assert!(!told.iter().any(|kind| kind == "CredentialRevoked"), "{told:?}");
}

#[test]
fn a_charter_that_drops_the_view_of_a_stand_in_s_passkey_ends_it() {
    let home = view("home", 7800);
    let mut text = charter();
    (text.views, text.change_delay_s) = (vec![home.clone()], 0);
    let mut house = House::with(text);
    let mut given = delegation(&house, "ann", "sam");
    given.stand_in.passkeys = vec![Authenticator::new().passkey("sam-phone", &home)];
    delegate(&mut house, &given);
    let mut text = next_charter(&house);
    text.views.clear();
    change_charter(&mut house, &text);
    let step = house.does(Event::Ticked);
    assert_eq!(house.book.delegation(&given.id).unwrap().phase(house.now), Phase::Ended);
    let gone = kinds(&step).iter().filter(|kind| *kind == "CredentialRevoked").count();
    assert_eq!(gone, 2, "the key in a file and the passkey");
}

#[test]
fn a_charter_that_changes_the_seat_ends_it_and_another_change_does_not() {
    for (change, expected) in [(true, Phase::Ended), (false, Phase::Standing)] {
        let (mut house, given) = house();
        let mut text = next_charter(&house);
        text.change_delay_s = 0;
        match change {
            true => text.approvers[0].key = public("ann-new"),
            false => text.approvers[1].key = public("bo-new"),
        }
        change_charter(&mut house, &text);
        let step = house.does(Event::Ticked);
        assert_eq!(house.book.charter(), &text);
        assert_eq!(house.book.delegation(&given.id).unwrap().phase(house.now), expected);
        let told = step.records.iter().any(|body| {
            matches!(body, Body::CredentialRevoked(one)
            if one.credential.as_str() == "key-sam")
        });
        assert_eq!(told, change, "the stand-in's credential is taken with it");
    }
}

#[test]
fn either_takes_it_back_at_once_and_nobody_gives_it_back() {
    for (signer, by, told) in
        [("ann", Ender::Seat, "approver:ann"), ("sam", Ender::StandIn, "stand_in:p-sam")]
    {
        let (mut house, given) = house();
        let case = house.pay(2_000 * MILLI);
        assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
        house.approve("bo", &case);
        house.draft(&case);
        for (other, by) in [("bo", by), ("ann", Ender::StandIn), ("sam", Ender::Seat)] {
            let forged = Event::EndingCame(Box::new(ending(&house, other, &given, by)));
            assert_eq!(code(house.event(forged)), "bad_ending");
        }
        let end = ending(&house, signer, &given, by);
        let step = house.does(Event::EndingCame(Box::new(end.clone())));
        assert_eq!(kinds(&step), ["DelegationEnded", "CredentialRevoked"]);
        let ended = house.book.delegation(&given.id).unwrap().ended.clone().unwrap();
        assert_eq!((ended.by.as_str(), ended.cause.as_str()), (told, "taken_back"));
        assert!(house.does(Event::EndingCame(Box::new(end))).records.is_empty());
        assert_eq!(code(house.warrant(&case)), "quorum_not_met", "at once, drafted or not");
        assert_eq!(asked(&mut house, &given), "bad_delegation");
        let again = Delegation { id: id("again"), ..given };
        assert_eq!(asked(&mut house, &again), "key_in_use");
    }
}

#[test]
fn an_ending_for_another_vault_or_delegation_ends_nothing() {
    type Spoil = (fn(&mut EndingBody), &'static str);
    let (mut house, given) = house();
    let spoils: [Spoil; 3] = [
        (|body| body.vault = id("elsewhere"), "bad_ending"),
        (|body| body.v = 2, "bad_ending"),
        (|body| body.delegation = id("leave-9"), "unknown_delegation"),
    ];
    for (spoil, expected) in spoils {
        let mut body = ending(&house, "ann", &given, Ender::Seat).body;
        spoil(&mut body);
        let wrong = Ending { signature: signed("ann", &body), body };
        assert_eq!(code(house.event(Event::EndingCame(Box::new(wrong)))), expected);
    }
    assert_eq!(house.book.delegation(&given.id).unwrap().phase(house.now), Phase::Standing);
}

#[test]
fn an_operator_takes_it_back_and_nobody_need_agree() {
    let (mut house, given) = house();
    let action = || Action::EndDelegation { delegation: given.id.clone() };
    let intent = house.intent(person("op"), action());
    let case = house.file(&intent).unwrap();
    assert_eq!(house.outcome(&case), "Done");
    assert_eq!(house.book.delegation(&given.id).unwrap().phase(house.now), Phase::Ended);
    let again = house.intent(person("op"), action());
    let case = house.file(&again).unwrap();
    assert_eq!(house.outcome(&case), "Refused");
    let by_agent = house.intent(agent("trader"), action());
    let case = house.file(&by_agent).unwrap();
    assert_eq!(house.outcome(&case), "Refused", "agents do not administer");
}

#[test]
fn a_stand_in_s_credential_ends_with_the_delegation_and_is_not_revoked_beside_it() {
    let mut house = House::new();
    let home = view("home", 7800);
    let mut text = charter();
    text.views = vec![home.clone()];
    let mut seen = House::with(text);
    let phone = Authenticator::new().passkey("sam-phone", &home);
    for (house, passkeys) in [(&mut house, Vec::new()), (&mut seen, vec![phone])] {
        let mut given = delegation(house, "ann", "sam");
        given.stand_in.passkeys = passkeys;
        delegate(house, &given);
        let names: Vec<_> = given.stand_in.credentials().cloned().collect();
        for credential in &names {
            let action = Action::RevokeCredential { credential: credential.clone() };
            let intent = house.intent(person("op"), action);
            let refusal = house.file(&intent).unwrap_err();
            assert_eq!(refusal.code, "stands_in");
            assert_eq!(refusal.next, "run `quorate delegation end ann-by-sam`");
        }
        assert_eq!(house.book.delegation(&given.id).unwrap().phase(house.now), Phase::Standing);
        house.administer(Action::EndDelegation { delegation: given.id });
        for credential in names {
            let intent = house.intent(person("op"), Action::RevokeCredential { credential });
            assert_eq!(code(house.file(&intent)), "unknown_credential", "nothing stands any more");
        }
        let of_seat = house.book.charter().approvers[0].credential.clone();
        let intent = house.intent(person("op"), Action::RevokeCredential { credential: of_seat });
        assert_eq!(code(house.file(&intent)), "seated", "a charter ends what a charter gives");
    }
}

#[test]
fn a_case_that_loses_a_stand_in_s_word_before_it_is_drafted_asks_again() {
    for taken_back in [true, false] {
        let mut house = House::new();
        let (given, case) = agreed_for_ten_minutes(&mut house);
        assert_eq!(house.case(&case).state, State::AwaitSnapshot);
        if taken_back {
            let end = ending(&house, "sam", &given, Ender::StandIn);
            house.does(Event::EndingCame(Box::new(end)));
        } else {
            house.later(600);
            assert!(house.draft(&case).records.is_empty(), "over, and not written down yet");
            house.does(Event::Ticked);
        }
        assert_eq!(house.case(&case).state, State::AwaitApprovals);
        assert_eq!(counted(&house, &case), "1 of 2 approved");
        assert!(house.draft(&case).records.is_empty(), "nothing is drafted meanwhile");
        house.approve("ann", &case);
        house.draft(&case);
        house.warrant(&case).unwrap();
    }
}

#[test]
fn a_leaver_who_stands_in_has_something_to_give_back() {
    let (mut house, given) = house();
    let shows = |house: &House| house.book.shows(&id("p-sam"), Shown::SeatEnded, house.now);
    assert!(!shows(&house));
    house.administer(Action::EndDelegation { delegation: given.id });
    assert!(shows(&house));
}

#[test]
fn a_cosigner_honours_an_end_at_its_own_door_whatever_the_desk_says() {
    let (mut house, given) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    house.approve("bo", &case);
    house.draft(&case);
    house.warrant(&case).unwrap();
    let signed = ending(&house, "ann", &given, Ender::Seat);
    house.follower.book().check_ending(&signed).unwrap();
    house.own_entry(Body::DelegationEnded(Box::new(DelegationEnded {
        id: given.id.clone(),
        by: "approver:ann".to_owned(),
        cause: "taken_back".to_owned(),
        signed: Some(signed),
        case: None,
    })));
    assert_eq!(code(house.warrant(&case)), "quorum_not_met");
}
