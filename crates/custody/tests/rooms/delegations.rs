//! Delegations: a stand-in counts as the seat, on transfers alone, for a while, and never beside the seat.

use std::collections::BTreeSet;

use proptest::prelude::*;
use quorate_custody::{Book, Event, Phase, State};
use quorate_terms::approval::{Approval, Proof, Verdict as Word};
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::ApproverSeat;
use quorate_terms::checklist::Shown;
use quorate_terms::delegation::{Delegation, Ender, Ending, EndingBody, StandIn};
use quorate_terms::entry::{Body, Delegated, DelegationEnded};
use quorate_terms::freeze::Scope;
use quorate_terms::intent::{Action, OpenWallet, SchemeName, Tier, Transfer};
use quorate_terms::{Amount, CaseId, Digest};

use crate::authenticator::{Authenticator, Said, view};
use crate::house::*;
use crate::people::{approved, change_charter, list, next_charter};

/// How long ann is away, in seconds.
const AWAY_S: u64 = 7 * 86_400;

fn stand_in(name: &str) -> StandIn {
    StandIn {
        person: id(&format!("p-{name}")),
        credential: id(&format!("key-{name}")),
        key: public(name),
        link: public(&format!("{name}-link")),
        passkeys: Vec::new(),
    }
}

fn delegation(house: &House, seat: &str, name: &str) -> Delegation {
    Delegation {
        id: id(&format!("{seat}-by-{name}")),
        seat: id(seat),
        stand_in: stand_in(name),
        from: house.now,
        until: house.now.plus_s(AWAY_S),
        above: None,
    }
}

fn delegate(house: &mut House, delegation: &Delegation) -> CaseId {
    let case = house.administer(Action::Delegate { delegation: Box::new(delegation.clone()) });
    assert_eq!(house.outcome(&case), "Done");
    case
}

/// What becomes of asking for a delegation.
fn asked(house: &mut House, delegation: &Delegation) -> String {
    let action = Action::Delegate { delegation: Box::new(delegation.clone()) };
    let intent = house.intent(person("op"), action);
    code(house.file(&intent))
}

/// A house whose charters come without a delay, in which sam stands in for ann.
fn house() -> (House, Delegation) {
    let mut text = charter();
    text.change_delay_s = 0;
    let mut house = House::with(text);
    let given = delegation(&house, "ann", "sam");
    delegate(&mut house, &given);
    (house, given)
}

/// What whoever bears this name would sign for a seat.
fn word(house: &House, (name, seat): (&str, &str), case: &CaseId, verdict: Word) -> Approval {
    let mut body = house.approval(seat, case).body;
    body.credential = id(&format!("key-{name}"));
    body.verdict = verdict;
    approval_of(name, body)
}

fn says(house: &mut House, who: (&str, &str), case: &CaseId) -> String {
    let said = word(house, who, case, Word::Approve);
    code(house.event(Event::ApprovalCame(Box::new(said))))
}

/// A stand-in's yes that the desk refuses, and that is void where a desk writes it all the same.
fn refused(house: &mut House, who: (&str, &str), case: &CaseId, expected: &str) {
    let said = word(house, who, case, Word::Approve);
    refused_word(house, said, expected);
}

fn refused_word(house: &mut House, said: Approval, expected: &str) {
    let event = Event::ApprovalCame(Box::new(said.clone()));
    assert_eq!(code(house.event(event)), expected);
    let lie = house.lie(Body::Approved(Box::new(approved(said))));
    assert_eq!(lie.code, expected);
    resume(house);
}

/// Goes on after a lie, so that what follows is not stopped by it.
fn resume(house: &mut House) {
    let voids: Vec<u64> = house.book.voids().map(|(index, _)| index).collect();
    for voided in voids {
        let resumes = ["bo", "cy"].map(|name| house.resume(name, voided)).to_vec();
        house.does(Event::ResumesCame { voided, resumes });
    }
}

fn ending(house: &House, signer: &str, given: &Delegation, by: Ender) -> Ending {
    let body =
        EndingBody { v: 1, vault: id(VAULT), delegation: given.id.clone(), by, at: house.now };
    Ending { signature: signed(signer, &body), body }
}

fn counted(house: &House, case: &CaseId) -> String {
    let book = &house.book;
    let tallies = house.case(case).tallies(book.charter(), book.policy(), house.now);
    tallies.iter().map(ToString::to_string).collect()
}

#[test]
fn a_stand_in_and_another_approver_suffice_and_a_cosigner_counts_alike() {
    let (mut house, given) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    assert_eq!(counted(&house, &case), "1 of 2 approved");
    house.approve("bo", &case);
    let book = &house.book;
    let votes = house.case(&case).votes(book.charter(), house.now);
    let people: Vec<_> = votes.iter().map(|vote| vote.person.as_str()).collect();
    assert_eq!(people, ["p-sam", "p-bo"]);
    assert_eq!(book.delegation(&given.id).unwrap().phase(house.now), Phase::Standing);
    house.draft(&case);
    house.warrant(&case).unwrap();
    let txid = house.sign(&case);
    house.settle(&case, &txid);
    assert_eq!(house.outcome(&case), "Settled");
}

#[test]
fn a_fold_with_delegations_comes_back_from_its_snapshot() {
    let (mut house, _) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    let bytes = house.book.to_snapshot().unwrap();
    let restored = Book::from_snapshot(&house.founding, &bytes).unwrap();
    assert_eq!(restored.to_snapshot().unwrap(), bytes);
    assert_eq!(restored.case(&case), house.book.case(&case));
}

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

#[test]
fn a_word_given_in_time_lapses_with_the_delegation() {
    let mut house = House::new();
    let mut given = delegation(&house, "ann", "sam");
    given.until = house.now.plus_s(600);
    delegate(&mut house, &given);
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    house.approve("bo", &case);
    house.draft(&case);
    house.warrant_at(&case, house.now.plus_s(599)).unwrap();
    let lapsed = house.warrant_at(&case, house.now.plus_s(600));
    assert_eq!(code(lapsed), "quorum_not_met");
}

#[test]
fn both_voices_of_a_seat_are_one() {
    let (mut house, _) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    refused(&mut house, ("sam", "ann"), &case, "duplicate");
    house.approve("ann", &case);
    assert_eq!(counted(&house, &case), "1 of 2 approved");
    assert_eq!(house.case(&case).state, State::AwaitApprovals);
    let votes = house.case(&case).votes(house.book.charter(), house.now);
    assert_eq!(votes.first().unwrap().person.as_str(), "p-ann", "the seat's own word displaces");
    let other = house.pay(1_500 * MILLI);
    house.approve("ann", &other);
    refused(&mut house, ("sam", "ann"), &other, "duplicate");
}

#[test]
fn the_seats_own_no_closes_what_a_stand_in_approved() {
    let (mut house, _) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    let no = word(&house, ("ann", "ann"), &case, Word::Reject);
    house.does(Event::ApprovalCame(Box::new(no)));
    assert_eq!(house.outcome(&case), "Rejected");
    let other = house.pay(1_500 * MILLI);
    let no = word(&house, ("sam", "ann"), &other, Word::Reject);
    house.does(Event::ApprovalCame(Box::new(no)));
    assert_eq!(house.outcome(&other), "Rejected", "a stand-in's no is the seat's");
}

#[test]
fn whoever_has_a_seat_stands_in_for_nobody() {
    let mut house = House::new();
    let spoils: [(&dyn Fn(&mut Delegation), &str); 12] = [
        (&|d| d.stand_in.person = id("p-bo"), "stand_in_seated"),
        (&|d| d.stand_in.person = id("p-ann"), "stand_in_seated"),
        (&|d| d.seat = id("dan"), "bad_delegation"),
        (&|d| d.stand_in.key = public("bo"), "key_in_use"),
        (&|d| d.stand_in.link = public("desk"), "key_in_use"),
        (&|d| d.stand_in.credential = id("key-ann"), "key_in_use"),
        (&|d| d.stand_in.credential = id("cred-trader"), "key_in_use"),
        (&|d| d.stand_in.link = d.stand_in.key, "malformed"),
        (&|d| d.until = d.from, "malformed"),
        (&|d| d.until = d.from.plus_s(30 * 86_400 + 1), "malformed"),
        (&|d| d.above = Some([].into()), "malformed"),
        (&|d| (d.from, d.until) = (NOON.minus_s(9), NOON), "bad_delegation"),
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
}

fn seat(name: &str, who: &str) -> ApproverSeat {
    ApproverSeat {
        approver: id(name),
        person: id(&format!("p-{who}")),
        credential: id(&format!("key-{name}")),
        key: public(name),
        link: public(&format!("{name}-link")),
        device: None,
        passkeys: Vec::new(),
    }
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
fn a_requester_who_stands_in_does_not_count() {
    let (mut house, _) = house();
    for asker in ["p-sam", "p-ann"] {
        let intent = house.transfer_of(person(asker), 1_500 * MILLI);
        let case = house.file_with_snapshot(&intent);
        refused(&mut house, ("sam", "ann"), &case, "own_request");
    }
}

#[test]
fn one_person_for_two_seats_is_one() {
    let (mut house, _) = house();
    let mut second = delegation(&house, "bo", "sam-2");
    second.stand_in.person = id("p-sam");
    delegate(&mut house, &second);
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    assert_eq!(says(&mut house, ("sam-2", "bo"), &case), "ok");
    assert_eq!(counted(&house, &case), "1 of 2 approved");
    assert_eq!(house.case(&case).state, State::AwaitApprovals);
    house.approve("cy", &case);
    assert_eq!(house.case(&case).state, State::AwaitSnapshot);
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
fn above_the_limit_the_seat_itself_must_speak() {
    let mut house = House::new();
    let mut given = delegation(&house, "ann", "sam");
    given.above = Some([(coin(CHAIN), Amount::from_u128(1_500 * MILLI))].into());
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

#[test]
fn a_receipt_holds_who_stood_in_and_how_it_ended() {
    let (mut house, given) = house();
    let case = house.pay(2_000 * MILLI);
    assert_eq!(says(&mut house, ("sam", "ann"), &case), "ok");
    let end = ending(&house, "sam", &given, Ender::StandIn);
    house.does(Event::EndingCame(Box::new(end)));
    let held = house.book.receipt_entries(&case, None).unwrap();
    let kind = |index: &u64| {
        let body = &house.entries[usize::try_from(*index).unwrap()].body;
        serde_json::to_value(body).unwrap()["type"].as_str().unwrap().to_owned()
    };
    let kinds: BTreeSet<String> = held.iter().map(kind).collect();
    for wanted in ["Delegated", "DelegationEnded"] {
        assert!(kinds.contains(wanted), "{kinds:?}");
    }
}

#[test]
fn a_stand_ins_own_passkey_counts_at_its_view_and_onwards_only() {
    let phone = Authenticator::new();
    let home = view("home", 7800);
    let mut text = charter();
    text.views = vec![home.clone()];
    let mut house = House::with(text);
    let mut given = delegation(&house, "ann", "sam");
    given.stand_in.passkeys = vec![phone.passkey("sam-phone", &home)];
    let lost = Delegation {
        stand_in: StandIn {
            passkeys: vec![phone.passkey("sam-phone", &view("away", 7801))],
            ..given.stand_in.clone()
        },
        ..given.clone()
    };
    assert_eq!(asked(&mut house, &lost), "bad_delegation");
    delegate(&mut house, &given);
    let said = |house: &House, case: &CaseId, counter| {
        let mut body = house.approval("ann", case).body;
        body.credential = id("sam-phone");
        let assertion = phone.asserts_at(&Said::at(&home, &body.digest().unwrap()), counter);
        Approval { body, proof: Proof::Passkey { view: home.view.clone(), assertion } }
    };
    let first = house.pay(1_500 * MILLI);
    let good = said(&house, &first, 7);
    assert_eq!(code(house.event(Event::ApprovalCame(Box::new(good)))), "ok");
    let party = house.case(&first).votes(house.book.charter(), house.now)[0].party.clone();
    assert_eq!(party, Some(home.operator.clone()), "parties are counted through it");
    let second = house.pay(1_600 * MILLI);
    let back = said(&house, &second, 7);
    assert_eq!(code(house.event(Event::ApprovalCame(Box::new(back)))), "counter_went_back");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is said in whatever order, each seat and each person counts once, and nobody outside a delegation.
    #[test]
    fn whatever_is_said_each_seat_and_each_person_counts_once(
        acts in prop::collection::vec(0_u8..9, 1..12),
    ) {
        let (mut house, given) = house();
        let case = house.pay(2_000 * MILLI);
        for act in acts {
            let _any = match act {
                0 => says(&mut house, ("ann", "ann"), &case),
                1 => says(&mut house, ("bo", "bo"), &case),
                2..=4 => says(&mut house, ("sam", "ann"), &case),
                5 => says(&mut house, ("sam", "bo"), &case),
                6 => {
                    let end = ending(&house, "ann", &given, Ender::Seat);
                    code(house.event(Event::EndingCame(Box::new(end))))
                }
                _ => {
                    house.later(700);
                    String::new()
                }
            };
            let Some(open) = house.book.case(&case) else { break };
            let votes = open.votes(house.book.charter(), house.now);
            let seats: BTreeSet<_> = votes.iter().map(|vote| &vote.approver).collect();
            let people: BTreeSet<_> = votes.iter().map(|vote| &vote.person).collect();
            prop_assert_eq!((seats.len(), people.len()), (votes.len(), votes.len()));
            let stood = votes.iter().any(|vote| vote.person.as_str() == "p-sam");
            let phase = house.book.delegation(&given.id).unwrap().phase(house.now);
            prop_assert!(!stood || phase == Phase::Standing);
            prop_assert_eq!(house.follower.book().case(&case), house.book.case(&case));
        }
    }
}
