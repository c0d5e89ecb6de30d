//! Approvals by passkey: they count only where the charter says that the person's view is, and only onwards.

use quorate_custody::{Book, Event, Refusal, State};
use quorate_terms::CaseId;
use quorate_terms::approval::{Approval, ApprovalBody, Proof};
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::Body;
use quorate_terms::intent::Action;
use quorate_terms::passkey::{Assertion, Blob, ViewSeat};

use crate::authenticator::{Authenticator, Said, view};
use crate::house::*;

/// A house whose approver ann has a phone.
struct Phoned {
    house: House,
    phone: Authenticator,
    home: ViewSeat,
}

impl Phoned {
    fn new() -> Self {
        let phone = Authenticator::new();
        let home = view("home", 7800);
        let house = House::with(seated(&phone, &home));
        Self { house, phone, home }
    }

    /// What ann's phone would sign of a case.
    fn body(&self, case: &CaseId) -> ApprovalBody {
        let mut body = self.house.approval("ann", case).body;
        body.credential = id("ann-phone");
        body
    }

    fn said(&self, body: &ApprovalBody) -> Said {
        Said::at(&self.home, &body.digest().unwrap())
    }

    /// What becomes of an approval by ann's phone where it counts this far, said by the rest of the world as given.
    fn approve(
        &mut self,
        case: &CaseId,
        counter: u32,
        lie: impl FnOnce(&mut Said),
    ) -> Result<(), Refusal> {
        let body = self.body(case);
        let mut said = self.said(&body);
        lie(&mut said);
        let assertion = self.phone.asserts_at(&said, counter);
        let proof = Proof::Passkey { view: self.home.view.clone(), assertion };
        self.take(Approval { body, proof })
    }

    fn take(&mut self, approval: Approval) -> Result<(), Refusal> {
        self.house.event(Event::ApprovalCame(Box::new(approval))).map(drop)
    }
}

/// The charter in which ann has this phone at this view, and another view exists; its changes come without a delay.
fn seated(phone: &Authenticator, home: &ViewSeat) -> CharterText {
    let mut text = charter();
    text.change_delay_s = 0;
    text.views = vec![home.clone(), view("provider", 7801)];
    text.approvers[0].passkeys = vec![phone.passkey("ann-phone", home)];
    text
}

#[test]
fn a_passkey_at_its_own_view_approves_and_everyone_counts_it() {
    let mut phoned = Phoned::new();
    let case = phoned.house.pay(2_000 * MILLI);
    phoned.approve(&case, 1, |_| {}).unwrap();
    phoned.house.approve("bo", &case);
    assert_ne!(phoned.house.case(&case).state, State::AwaitApprovals);
    assert_eq!(phoned.house.follower.book().case(&case), phoned.house.book.case(&case));
}

#[test]
fn t03_a_page_that_is_no_view_collects_nothing_that_counts() {
    let mut phoned = Phoned::new();
    let case = phoned.house.pay(2_000 * MILLI);
    let desk = |said: &mut Said| said.origin = "http://localhost:7700".to_owned();
    let other_view = |said: &mut Said| said.origin = "http://localhost:7801".to_owned();
    let other_party = |said: &mut Said| said.rp_id = "desk.example".to_owned();
    let framed = |said: &mut Said| said.beside = r#","crossOrigin":true"#.to_owned();
    let unverified = |said: &mut Said| said.flags = 0x01;
    let lies: [fn(&mut Said); 5] = [desk, other_view, other_party, framed, unverified];
    for lie in lies {
        let refused = phoned.approve(&case, 1, lie).unwrap_err();
        assert!(refused.to_string().contains("assertion."), "{refused}");
    }
    assert!(phoned.house.case(&case).approvals.is_empty());
}

/// What a desk that lies writes of an approval by ann's phone: as for a good one, with what was really said in its place.
fn written(phoned: &Phoned, case: &CaseId, assertion: Assertion) -> Body {
    let body = phoned.body(case);
    let home = phoned.home.view.clone();
    let good = phoned.phone.asserts_at(&phoned.said(&body), u32::MAX);
    let good = Approval { body, proof: Proof::Passkey { view: home.clone(), assertion: good } };
    let came = Event::ApprovalCame(Box::new(good));
    let mut records = phoned.house.book.step(came, phoned.house.now).unwrap().records.into_iter();
    match records.next() {
        Some(Body::Approved(mut approved)) => {
            approved.approval.proof = Proof::Passkey { view: home, assertion };
            Body::Approved(approved)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn t03_a_desk_that_writes_down_what_was_said_elsewhere_convinces_nobody() {
    let mut phoned = Phoned::new();
    let case = phoned.house.pay(2_000 * MILLI);
    let desk = |said: &mut Said| said.origin = "http://localhost:7700".to_owned();
    let other_view = |said: &mut Said| said.origin = "http://localhost:7801".to_owned();
    let other_party = |said: &mut Said| {
        said.origin = "https://desk.example".to_owned();
        said.rp_id = "desk.example".to_owned();
    };
    let lies: [fn(&mut Said); 3] = [desk, other_view, other_party];
    for lie in lies {
        let mut said = phoned.said(&phoned.body(&case));
        lie(&mut said);
        let assertion = phoned.phone.asserts_at(&said, 1);
        let entry = written(&phoned, &case, assertion);
        let refusal = phoned.house.lie(entry);
        assert!(refusal.to_string().contains("assertion."), "{refusal}");
    }
    assert!(phoned.house.case(&case).approvals.is_empty());
}

#[test]
fn t03_a_desk_that_writes_an_assertion_twice_or_an_old_one_convinces_nobody() {
    let mut phoned = Phoned::new();
    let cases = [0, 1].map(|more| phoned.house.pay((2_000 + more) * MILLI));
    let said = phoned.said(&phoned.body(&cases[0]));
    let assertion = phoned.phone.asserts_at(&said, 7);
    let entry = written(&phoned, &cases[0], assertion.clone());
    phoned.house.good(vec![entry.clone()]);
    let twice = phoned.house.lie(entry);
    assert!(matches!(twice.code.as_str(), "duplicate" | "counter_went_back"), "{twice}");
    let elsewhere = written(&phoned, &cases[1], assertion);
    let refusal = phoned.house.lie(elsewhere);
    assert!(refusal.to_string().contains("challenge"), "{refusal}");
    for counter in [7, 6, 0] {
        let said = phoned.said(&phoned.body(&cases[1]));
        let old = phoned.phone.asserts_at(&said, counter);
        let entry = written(&phoned, &cases[1], old);
        assert_eq!(phoned.house.lie(entry).code, "counter_went_back", "{counter}");
    }
    assert!(phoned.house.case(&cases[1]).approvals.is_empty());
}

#[test]
fn t03_what_was_signed_for_one_case_says_nothing_of_another() {
    let mut phoned = Phoned::new();
    let (case, other) = (phoned.house.pay(2_000 * MILLI), phoned.house.pay(2_001 * MILLI));
    let digest = phoned.body(&case).digest().unwrap();
    let said = Said::at(&phoned.home, &digest);
    let assertion = phoned.phone.asserts(&said);
    let proof = Proof::Passkey { view: phoned.home.view.clone(), assertion };
    let approval = Approval { body: phoned.body(&other), proof };
    assert!(phoned.take(approval).unwrap_err().to_string().contains("challenge"));
}

#[test]
fn a_counter_that_goes_back_or_stands_still_is_refused_as_a_copy() {
    let mut phoned = Phoned::new();
    let cases = [0, 1, 2].map(|more| phoned.house.pay((1_100 + more) * MILLI));
    phoned.approve(&cases[0], 7, |_| {}).unwrap();
    for counter in [7, 6, 0] {
        let refused = phoned.approve(&cases[1], counter, |_| {}).unwrap_err();
        assert_eq!(refused.code, "counter_went_back", "{counter}");
    }
    phoned.approve(&cases[1], 8, |_| {}).unwrap();
    let snapshot = phoned.house.book.to_snapshot().unwrap();
    let restored = Book::from_snapshot(&phoned.house.founding, &snapshot).unwrap();
    let body = phoned.body(&cases[2]);
    let assertion = phoned.phone.asserts_at(&phoned.said(&body), 8);
    let proof = Proof::Passkey { view: phoned.home.view.clone(), assertion };
    let refused = restored.check_approval(&Approval { body, proof }, phoned.house.now).unwrap_err();
    assert_eq!(refused.code, "counter_went_back", "a restart forgets no counter");
}

#[test]
fn an_authenticator_that_does_not_count_may_go_on_not_counting() {
    let mut phoned = Phoned::new();
    let cases = [0, 1].map(|more| phoned.house.pay((2_000 + more) * MILLI));
    for case in cases {
        phoned.approve(&case, 0, |_| {}).unwrap();
    }
}

#[test]
fn a_passkey_of_another_seat_or_none_is_refused() {
    let mut phoned = Phoned::new();
    let case = phoned.house.pay(2_000 * MILLI);
    let (stranger, home) = (Authenticator::new(), phoned.home.clone());
    let mut body = phoned.body(&case);
    let assertion = stranger.asserts_at(&phoned.said(&body), 1);
    let proof = Proof::Passkey { view: home.view.clone(), assertion: assertion.clone() };
    let refused = phoned.take(Approval { body: body.clone(), proof }).unwrap_err();
    assert!(refused.to_string().contains("assertion.signature"), "{refused}");
    for (approver, view) in [("bo", "home"), ("ann", "provider"), ("ann", "nowhere")] {
        body.approver = id(approver);
        let proof = Proof::Passkey { view: id(view), assertion: assertion.clone() };
        let refused = phoned.take(Approval { body: body.clone(), proof }).unwrap_err();
        assert_eq!(refused.code, "wrong_credential", "{approver} at {view}");
    }
}

/// Who received or lost a credential, in the entries from an index on.
fn credentials(bodies: impl Iterator<Item = Body>) -> Vec<String> {
    let told = |body: Body| match body {
        Body::CredentialEnrolled(one) => Some(format!("+{} {}", one.credential, one.kind)),
        Body::CredentialRevoked(one) => Some(format!("-{}", one.credential)),
        _ => None,
    };
    bodies.filter_map(told).collect()
}

impl Phoned {
    /// Puts a changed charter in force; gives what was written of credentials.
    fn reseat(&mut self, change: impl FnOnce(&mut CharterText)) -> Vec<String> {
        let house = &mut self.house;
        let mut next = house.book.charter().clone();
        next.version += 1;
        next.previous = Some(house.book.charter_digest());
        change(&mut next);
        let before = house.entries.len();
        house.administer(Action::ChangeCharter { charter: Box::new(next) });
        house.does(Event::Ticked);
        credentials(house.entries[before..].iter().map(|entry| entry.body.clone()))
    }
}

#[test]
fn founding_and_charter_changes_write_who_holds_which_passkey() {
    let mut phoned = Phoned::new();
    let founding = credentials(quorate_custody::founding(&phoned.house.founding).into_iter());
    let ann = ["+key-ann ed25519_file", "+ann-phone passkey"];
    assert_eq!(founding, [&ann[..], &["+key-bo ed25519_file", "+key-cy ed25519_file"]].concat());
    let tablet = Authenticator::new().passkey("ann-tablet", &phoned.home);
    let written = phoned.reseat(|text| text.approvers[0].passkeys = vec![tablet]);
    assert_eq!(written, ["-ann-phone", "+ann-tablet passkey"]);
}

#[test]
fn a_new_passkey_under_an_old_name_counts_from_the_start() {
    let mut phoned = Phoned::new();
    let case = phoned.house.pay(1_100 * MILLI);
    phoned.approve(&case, 900, |_| {}).unwrap();
    let (new, home) = (Authenticator::new(), phoned.home.clone());
    let passkey = new.passkey("ann-phone", &home);
    phoned.reseat(|text| text.approvers[0].passkeys = vec![passkey]);
    assert!(phoned.house.case(&case).approvals.is_empty(), "the old key's word is gone");
    phoned.phone = new;
    let case = phoned.house.pay(1_101 * MILLI);
    phoned.approve(&case, 1, |_| {}).unwrap();
}

#[test]
fn what_was_said_at_a_view_that_moves_no_longer_counts() {
    let mut phoned = Phoned::new();
    let case = phoned.house.pay(1_100 * MILLI);
    phoned.approve(&case, 1, |_| {}).unwrap();
    phoned.house.approve("bo", &case);
    let other = phoned.house.pay(1_101 * MILLI);
    phoned.approve(&other, 2, |_| {}).unwrap();
    phoned.reseat(|text| text.views[0].origin = "http://localhost:7899".to_owned());
    assert!(phoned.house.case(&other).approvals.is_empty());
    let refused = phoned.approve(&other, 3, |_| {}).unwrap_err();
    assert!(refused.to_string().contains("assertion.client_data.origin"), "{refused}");
    let seats: Vec<_> =
        phoned.house.case(&case).approvals.keys().map(ToString::to_string).collect();
    assert_eq!(seats, ["bo"], "what was said elsewhere stands");
}

#[test]
fn a_charter_that_seats_passkeys_amiss_is_refused() {
    let (phone, home) = (Authenticator::new(), view("home", 7800));
    let sound = seated(&phone, &home);
    sound.check().unwrap();
    type Spoil = fn(&mut CharterText);
    let spoils: [(&str, Spoil); 7] = [
        ("no such view", |text| text.views.clear()),
        ("one origin twice", |text| text.views[1].origin = text.views[0].origin.clone()),
        ("one name twice", |text| text.views[1].view = text.views[0].view.clone()),
        ("one passkey in two seats", |text| {
            text.approvers[1].passkeys = text.approvers[0].passkeys.clone();
        }),
        ("a passkey under the file's name", |text| {
            text.approvers[0].passkeys[0].credential = text.approvers[0].credential.clone();
        }),
        ("a handle that no authenticator gives", |text| {
            text.approvers[0].passkeys[0].handle = Blob::new(vec![0; 15]).unwrap();
        }),
        ("a page without security", |text| text.views[1].origin = "http://example.org".to_owned()),
    ];
    for (what, spoil) in spoils {
        let mut text = sound.clone();
        spoil(&mut text);
        assert!(text.check().is_err(), "{what}");
    }
    let again = CharterText::from_canonical(&sound.to_canonical().unwrap()).unwrap();
    assert_eq!(again, sound);
}
