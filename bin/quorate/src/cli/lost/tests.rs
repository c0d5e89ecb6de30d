use super::*;
use crate::desk::engine::house::{charter as house, id, public};
use quorate_terms::passkey::{Passkey, PasskeyKey, ViewSeat};

/// A seat of a new machine for the same person.
fn new_machine(of: &ApproverSeat) -> ApproverSeat {
    ApproverSeat {
        key: public("new"),
        link: public("new-link"),
        credential: id("key-new"),
        passkeys: Vec::new(),
        ..of.clone()
    }
}

fn composed(text: &CharterText, approver: &str, lost: &Lost) -> Tried<CharterText> {
    compose((text, text.digest().unwrap()), &id(approver), lost)
}

/// A charter with a view and a passkey of ann's there.
fn with_passkey() -> CharterText {
    let mut text = house();
    text.views.push(ViewSeat {
        view: id("view"),
        origin: "http://localhost:7800".to_owned(),
        rp_id: "localhost".to_owned(),
        operator: "View Ltd".to_owned(),
        link: public("view-link"),
    });
    let mut point = [7; 65];
    point[0] = 4;
    let key = PasskeyKey::from_bytes(point).unwrap();
    text.approvers[0].passkeys.push(Passkey {
        view: id("view"),
        credential: id("pk-ann"),
        handle: quorate_terms::passkey::Blob::new(vec![7; 16]).unwrap(),
        key,
    });
    text.check().unwrap();
    text
}

#[test]
fn a_lost_machine_gives_way_to_a_new_one_and_nothing_else_changes() {
    let text = house();
    let new = new_machine(&text.approvers[1]);
    let after = composed(&text, "bo", &Lost::Machine(Box::new(new.clone()))).unwrap();
    assert_eq!(after.version, text.version + 1);
    assert_eq!(after.previous, Some(text.digest().unwrap()));
    let mut expected = text.clone();
    expected.approvers[1] = new;
    expected.version = after.version;
    expected.previous = after.previous;
    assert_eq!(after, expected);
}

#[test]
fn an_enrolment_of_somebody_else_or_with_a_key_of_the_lost_machine_is_refused() {
    let text = house();
    let bo = &text.approvers[1];
    let good = new_machine(bo);
    for (new, word) in [
        (ApproverSeat { approver: id("cy"), ..good.clone() }, "another seat"),
        (ApproverSeat { person: id("p-eve"), ..good.clone() }, "another seat or person"),
        (ApproverSeat { key: bo.key, ..good.clone() }, "lost machine"),
        (ApproverSeat { link: bo.link, ..good.clone() }, "lost machine"),
        (ApproverSeat { credential: bo.credential.clone(), ..good }, "lost machine"),
    ] {
        let trouble = composed(&text, "bo", &Lost::Machine(Box::new(new))).unwrap_err();
        assert!(trouble.why.contains(word), "{trouble}");
    }
}

#[test]
fn a_passkey_goes_alone_and_by_its_name_or_handle() {
    let text = with_passkey();
    let handle = text.approvers[0].passkeys[0].handle.to_string();
    for named in ["pk-ann", handle.as_str()] {
        let after = composed(&text, "ann", &Lost::Passkey(named.to_owned())).unwrap();
        assert!(after.approvers[0].passkeys.is_empty());
        assert_eq!(after.approvers[0].key, text.approvers[0].key);
    }
    for (approver, named) in [("ann", "pk-bo"), ("bo", "pk-ann"), ("eve", "pk-ann")] {
        let lost = Lost::Passkey(named.to_owned());
        assert!(composed(&text, approver, &lost).is_err(), "{approver} {named}");
    }
}

#[test]
fn a_passkey_without_which_a_quorum_lacks_its_parties_stays() {
    let mut text = with_passkey();
    text.governance.parties = Some(1);
    text.check().unwrap();
    let lost = Lost::Passkey("pk-ann".to_owned());
    assert!(composed(&text, "ann", &lost).is_err());
}

#[test]
fn a_seat_ends_only_where_every_quorum_can_still_be_met() {
    let mut text = house();
    for quorum in &mut text.policy.quorums {
        quorum.members.remove(&id("cy"));
    }
    let after = composed(&text, "cy", &Lost::Seat).unwrap();
    assert!(after.approver(&id("cy")).is_none() && !after.governance.members.contains(&id("cy")));
    let mut named = text.clone();
    named.policy.quorums.push(Quorum { name: id("payers"), ..named.governance.clone() });
    let trouble = composed(&named, "cy", &Lost::Seat).unwrap_err();
    assert!(trouble.why.contains("`payers`") && trouble.mend.contains("policy"), "{trouble}");
    let mut all = text.clone();
    all.governance.m = 3;
    let trouble = composed(&all, "cy", &Lost::Seat).unwrap_err();
    assert!(trouble.why.contains("never be met again"), "{trouble}");
    let mut twice = text;
    twice.approvers[1].person = twice.approvers[0].person.clone();
    let trouble = composed(&twice, "cy", &Lost::Seat).unwrap_err();
    assert!(trouble.why.contains("have 1"), "two seats of one person are one: {trouble}");
}

#[test]
fn a_change_that_nobody_is_left_to_agree_to_is_refused_before_it_is_filed() {
    let text = house();
    let agrees = |lost: &Lost, filer: &str| can_agree(&text, &id("bo"), lost, &id(filer)).is_ok();
    assert!(agrees(&Lost::Seat, "operator"));
    assert!(!agrees(&Lost::Seat, "p-ann"), "ann files and bo is mute: only cy is left");
    assert!(agrees(&Lost::Passkey("x".to_owned()), "p-ann"), "bo still has the key in a file");
    let text = with_passkey();
    assert!(can_agree(&text, &id("ann"), &Lost::Seat, &id("p-bo")).is_ok(), "by passkey");
}

#[test]
fn passkeys_that_go_with_the_machine_are_named() {
    let text = with_passkey();
    let new = Lost::Machine(Box::new(new_machine(&text.approvers[0])));
    let after = composed(&text, "ann", &new).unwrap();
    assert_eq!(gone(&text, &after, &id("ann")).as_deref(), Some("pk-ann"));
    let lost = Lost::Passkey("pk-ann".to_owned());
    let after = composed(&text, "ann", &lost).unwrap();
    assert_eq!(gone(&text, &after, &id("ann")), None, "it was meant to go");
}
