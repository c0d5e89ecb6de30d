//! What may be delegated to whom, and who agrees to it.

use quorate_terms::credential::AgentCredential;
use quorate_terms::entry::{AgentEnrolled, Delegated, DelegationEnded};
use quorate_terms::freeze::{Freeze, Resume, Scope};
use quorate_terms::intent::{OpenWallet, SchemeName, Tier, Transfer};
use quorate_terms::{Amount, Digest};

use super::*;
use crate::people::list;

#[test]
fn whoever_has_a_seat_stands_in_for_nobody() {
    type Spoil = (fn(&mut Delegation), &'static str);
    let mut house = House::new();
    let spoils: [Spoil; 12] = [
        (|d| d.stand_in.person = id("p-bo"), "stand_in_seated"),
        (|d| d.stand_in.person = id("p-ann"), "stand_in_seated"),
        (|d| d.seat = id("dan"), "bad_delegation"),
        (|d| d.stand_in.key = public("bo"), "key_in_use"),
        (|d| d.stand_in.link = public("desk"), "key_in_use"),
        (|d| d.stand_in.credential = id("key-ann"), "key_in_use"),
        (|d| d.stand_in.credential = id("cred-trader"), "key_in_use"),
        (|d| d.stand_in.link = d.stand_in.key, "malformed"),
        (|d| d.until = d.from, "malformed"),
        (|d| d.until = d.from.plus_s(30 * 86_400 + 1), "malformed"),
        (|d| d.above = Some([].into()), "malformed"),
        (|d| (d.from, d.until) = (NOON.minus_s(9), NOON), "bad_delegation"),
    ];
    for (spoil, expected) in spoils {
        let mut given = delegation(&house, "ann", "sam");
        spoil(&mut given);
        assert_eq!(asked(&mut house, &given), expected, "{given:?}");
    }
    let mut text = next_charter(&house);
    text.approvers.push(seat("dan", "sam"));
    change_charter(&mut house, &text);
    assert!(house.book.coming().is_some());
    let given = delegation(&house, "ann", "sam");
    assert_eq!(asked(&mut house, &given), "stand_in_seated", "nor whoever a waiting charter seats");
    let mut given = delegation(&house, "ann", "sue");
    given.stand_in.key = public("dan");
    assert_eq!(asked(&mut house, &given), "key_in_use", "nor with a key that waits to be seated");
}

#[test]
fn a_person_in_two_seats_has_one_delegation_and_speaks_instead_of_every_stand_in() {
    let mut text = charter();
    text.approvers[2].person = id("p-ann");
    let mut house = House::with(text);
    let first = delegation(&house, "ann", "sam");
    delegate(&mut house, &first);
    let second = delegation(&house, "cy", "sue");
    assert_eq!(asked(&mut house, &second), "already_delegated");
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    house.approve("cy", &case);
    assert_eq!(counted(&house, &case), "1 of 2 approved", "ann is back, in her other seat");
}

/// Leave for an agent under the name of sam's credential.
fn namesake() -> AgentCredential {
    AgentCredential { credential: id("key-sam"), ..credential("other", NOON.plus_s(86_400)) }
}

#[test]
fn no_agent_bears_the_name_of_a_stand_in_s_credential() {
    let (mut house, given) = house();
    let asks = |house: &mut House| {
        let action = Action::IssueCredential { credential: namesake() };
        let intent = house.intent(person("op"), action);
        code(house.file(&intent))
    };
    assert_eq!(asks(&mut house), "name_in_use");
    house.administer(Action::EndDelegation { delegation: given.id });
    assert_eq!(asks(&mut house), "name_in_use", "ended or not");
    house.admit_agent("other", NOON.plus_s(86_400));
    assert!(house.book.credential(&id("cred-other")).is_some(), "another name will do");
}

#[test]
fn an_agent_who_was_asked_for_before_its_namesake_stood_in_is_not_admitted() {
    let mut house = House::new();
    let action = Action::IssueCredential { credential: namesake() };
    let intent = house.intent(person("op"), action);
    let case = house.file(&intent).unwrap();
    house.approve("ann", &case);
    let given = delegation(&house, "ann", "sam");
    delegate(&mut house, &given);
    let last = approved(house.approval("bo", &case));
    house.good(vec![Body::Approved(Box::new(last))]);
    let credential = namesake();
    let enrolled = AgentEnrolled {
        agent: credential.agent.clone(),
        case,
        owner: credential.owner.clone(),
        band: credential.band,
        manifest: None,
        expires_at: credential.expires_at,
        credential,
    };
    assert_eq!(house.lie(Body::AgentEnrolled(Box::new(enrolled))).code, "name_in_use");
    assert!(house.book.credential(&id("key-sam")).is_none());
}

#[test]
fn a_delegation_cannot_be_passed_on() {
    let (mut house, _) = house();
    let further = delegation(&house, "sam", "sue");
    assert_eq!(asked(&mut house, &further), "bad_delegation", "a stand-in has no seat to delegate");
    let second = delegation(&house, "ann", "sue");
    assert_eq!(asked(&mut house, &second), "already_delegated");
    let mut second = delegation(&house, "bo", "sue");
    second.stand_in.key = public("sam");
    assert_eq!(asked(&mut house, &second), "key_in_use");
    let case = house.pay(2_000 * MILLI);
    refused(&mut house, ("sam", "bo"), &case, "wrong_credential");
}

#[test]
fn a_desk_that_grants_what_nobody_agreed_to_writes_void_entries() {
    let (mut house, given) = house();
    let case = house.pay(2_000 * MILLI);
    let other = delegation(&house, "bo", "sue");
    house.lie(Body::Delegated(Box::new(Delegated { delegation: other.clone(), case })));
    resume(&mut house);
    let ended = |signed, case, by: &str, cause: &str| {
        Body::DelegationEnded(Box::new(DelegationEnded {
            id: given.id.clone(),
            by: by.to_owned(),
            cause: cause.to_owned(),
            signed,
            case,
        }))
    };
    let forged = ending(&house, "bo", &given, Ender::Seat);
    let own = ending(&house, "ann", &given, Ender::Seat);
    for lie in [
        ended(None, None, "desk", "lapsed"),
        ended(None, Some(case), "case", "taken_back"),
        ended(Some(forged), None, "approver:ann", "taken_back"),
        ended(Some(own.clone()), None, "stand_in:p-sam", "taken_back"),
        ended(Some(own.clone()), Some(case), "case", "taken_back"),
    ] {
        house.lie(lie);
    }
    resume(&mut house);
    house.does(Event::EndingCame(Box::new(own.clone())));
    house.lie(ended(Some(own), None, "approver:ann", "taken_back"));
    assert!(house.book.delegation(&other.id).is_none());
}

#[test]
fn a_stand_in_changes_no_policy_charter_credential_or_recipient() {
    let (mut house, _) = house();
    let now = house.book.policy();
    let mut policy = now.document().clone();
    policy.version += 1;
    policy.previous = Some(now.digest());
    let open = OpenWallet {
        wallet: id("other"),
        chains: [id(CHAIN)].into(),
        scheme: SchemeName::Dkls23Secp256k1,
        tier: Tier::Hot,
        purpose: "ops".to_owned(),
    };
    let further = delegation(&house, "bo", "sue");
    let actions = [
        Action::ChangePolicy { policy: Box::new(policy) },
        Action::ChangeCharter { charter: Box::new(next_charter(&house)) },
        Action::IssueCredential { credential: credential("other", NOON.plus_s(86_400)) },
        list(recipient()),
        Action::OpenWallet(open),
        Action::Unfreeze { scope: Scope::Vault, lifts: [Digest::ZERO].into() },
        Action::Delegate { delegation: Box::new(further) },
    ];
    for action in actions {
        let intent = house.intent(person("op"), action);
        let case = house.file(&intent).unwrap();
        refused(&mut house, ("sam", "ann"), &case, "not_delegated");
    }
}

#[test]
fn a_stand_in_stops_nothing_and_resumes_nothing_as_the_seat() {
    let (mut house, _) = house();
    let frozen = house.freeze("ann", Scope::Vault);
    let forged = Freeze { signature: signed("sam", &frozen.body), ..frozen };
    assert_eq!(code(house.event(Event::FreezeCame(Box::new(forged)))), "bad_freeze");
    let (delegation, case) = (delegation(&house, "bo", "sue"), house.pay(2_000 * MILLI));
    house.lie(Body::Delegated(Box::new(Delegated { delegation, case })));
    let voided = house.book.voids().map(|(index, _)| index).next().unwrap();
    let own = house.resume("ann", voided);
    let forged = Resume { signature: signed("sam", &own.body), ..own };
    let resumes = vec![forged, house.resume("bo", voided)];
    assert_eq!(code(house.event(Event::ResumesCame { voided, resumes })), "void_entry");
}

#[test]
fn above_the_limit_the_seat_itself_must_speak() {
    let mut house = House::new();
    let mut given = delegation(&house, "ann", "sam");
    // Each of these transfers may spend 10 milli on its fee.
    given.above = Some([(coin(CHAIN), Amount::from_u128(1_510 * MILLI))].into());
    delegate(&mut house, &given);
    let within = house.pay(1_500 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &within), "ok");
    let above = house.pay(1_500 * MILLI + 1);
    refused(&mut house, ("sam", "ann"), &above, "above_delegation");
    house.approve("ann", &above);
    let unnamed =
        Transfer { asset: token(), amount: Amount::from_u128(1_500_000_000), ..transfer(1) };
    let intent = house.intent(agent("trader"), Action::Transfer(unnamed));
    let unnamed = house.file(&intent).unwrap();
    refused(&mut house, ("sam", "ann"), &unnamed, "above_delegation");
}
