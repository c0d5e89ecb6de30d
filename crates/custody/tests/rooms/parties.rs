//! Quorums that demand views of several parties: the customer's and the provider's, so that no single one decides what
//! everybody who approved was shown.

use quorate_custody::{Book, Event, Refusal, State};
use quorate_terms::CaseId;
use quorate_terms::approval::{Approval, Proof};
use quorate_terms::canonical::Term as _;
use quorate_terms::charter::CharterText;
use quorate_terms::entry::{Body, Party, Warranted};
use quorate_terms::intent::Action;
use quorate_terms::judgment::Judgment;
use quorate_terms::passkey::ViewSeat;
use quorate_terms::policy::PolicyDocument;

use crate::authenticator::{Authenticator, Said, view};
use crate::house::*;

/// A house whose treasury is two people through views of two parties. Ann has a phone at the customer's view and a tablet at its
/// second one, bo has one at each, cy only a file.
struct Parted {
    house: House,
    views: [ViewSeat; 3],
    devices: [Authenticator; 4],
}

const HOME: usize = 0;
const SECOND: usize = 1;
const PROVIDER: usize = 2;
/// Whose credential each device is, and at which view.
const HELD: [(&str, &str, usize); 4] = [
    ("ann", "ann-phone", HOME),
    ("ann", "ann-tablet", SECOND),
    ("bo", "bo-tablet", SECOND),
    ("bo", "bo-phone", PROVIDER),
];

fn views() -> [ViewSeat; 3] {
    let run = |name: &str, port, operator: &str| ViewSeat {
        operator: operator.to_owned(),
        ..view(name, port)
    };
    [run("home", 7800, "Acme AG"), run("second", 7801, "Acme AG"), run("host", 7802, "Host Ltd")]
}

/// The policy in which the treasury demands views of so many parties.
fn demanding(parties: Option<u32>) -> PolicyDocument {
    let mut policy = policy();
    policy.quorums[0].parties = parties;
    policy
}

fn seated(devices: &[Authenticator], views: &[ViewSeat], parties: Option<u32>) -> CharterText {
    let mut text = charter_with(demanding(parties), &["price-1", "price-2", "watch", "lists"]);
    text.change_delay_s = 0;
    text.views = views.to_vec();
    for ((who, credential, at), device) in HELD.iter().zip(devices) {
        let seat = text.approvers.iter_mut().find(|seat| seat.approver == id(who)).unwrap();
        seat.passkeys.push(device.passkey(credential, &views[*at]));
    }
    text
}

impl Parted {
    fn new() -> Self {
        let (views, devices) = (views(), [(); 4].map(|()| Authenticator::new()));
        let mut house = House::founded(seated(&devices, &views, None));
        house.open_wallet("ops", &[CHAIN, MAINNET]);
        house.admit_agent("trader", NOON.plus_s(30 * 86_400));
        let mut this = Self { house, views, devices };
        this.change_policy(|policy| policy.quorums[0].parties = Some(2));
        this
    }

    fn change_policy(&mut self, change: impl FnOnce(&mut PolicyDocument)) {
        let policy = successor(&self.house, change);
        self.house.administer(Action::ChangePolicy { policy: Box::new(policy) });
    }

    fn change_charter(&mut self, change: impl FnOnce(&mut CharterText)) {
        let mut next = self.house.book.charter().clone();
        next.version += 1;
        next.previous = Some(self.house.book.charter_digest());
        next.policy = self.house.book.policy().document().clone();
        change(&mut next);
        self.house.administer(Action::ChangeCharter { charter: Box::new(next) });
        self.house.does(Event::Ticked);
    }

    /// An approval by a device at its view.
    fn approval(&mut self, credential: &str, case: &CaseId) -> Approval {
        let held = HELD.iter().position(|(_, name, _)| *name == credential).unwrap();
        let (who, _, at) = HELD[held];
        let mut body = self.house.approval(who, case).body;
        body.credential = id(credential);
        let said = Said::at(&self.views[at], &body.digest().unwrap());
        let assertion = self.devices[held].asserts(&said);
        Approval { body, proof: Proof::Passkey { view: self.views[at].view.clone(), assertion } }
    }

    fn approve(&mut self, credential: &str, case: &CaseId) -> Result<(), Refusal> {
        let approval = self.approval(credential, case);
        self.house.event(Event::ApprovalCame(Box::new(approval))).map(drop)
    }

    fn says(&self, case: &CaseId) -> String {
        let book = &self.house.book;
        let tallies = self.house.case(case).tallies(book.charter(), book.policy(), self.house.now);
        tallies.iter().map(ToString::to_string).collect()
    }
}

fn successor(house: &House, change: impl FnOnce(&mut PolicyDocument)) -> PolicyDocument {
    let now = house.book.policy();
    let mut next = now.document().clone();
    next.version += 1;
    next.previous = Some(now.digest());
    change(&mut next);
    next
}

#[test]
fn two_people_at_views_of_two_parties_suffice_and_everyone_counts_alike() {
    let mut parted = Parted::new();
    let case = parted.house.pay(2_000 * MILLI);
    parted.approve("ann-phone", &case).unwrap();
    assert_eq!(parted.says(&case), "1 of 2 approved, 1 of 2 parties");
    assert_eq!(parted.house.case(&case).state, State::AwaitApprovals);
    parted.approve("bo-phone", &case).unwrap();
    assert_eq!(parted.says(&case), "2 of 2 approved, 2 of 2 parties");
    parted.house.draft(&case);
    parted.house.warrant(&case).unwrap();
}

#[test]
fn t03_two_views_of_one_operator_are_one_party() {
    let mut parted = Parted::new();
    let case = parted.house.pay(2_000 * MILLI);
    parted.approve("ann-phone", &case).unwrap();
    parted.approve("bo-tablet", &case).unwrap();
    assert_eq!(parted.says(&case), "2 of 2 approved, 1 of 2 parties");
    assert_eq!(parted.house.case(&case).state, State::AwaitApprovals);
}

#[test]
fn t03_keys_in_files_are_people_s_words_and_no_party_s() {
    let mut parted = Parted::new();
    let case = parted.house.pay(2_000 * MILLI);
    for name in ["ann", "bo", "cy"] {
        parted.house.approve(name, &case);
    }
    assert_eq!(parted.says(&case), "3 of 2 approved, 0 of 2 parties");
    assert_eq!(parted.house.case(&case).state, State::AwaitApprovals);
    for device in ["ann-phone", "bo-phone"] {
        parted.approve(device, &case).unwrap();
    }
    assert_eq!(parted.says(&case), "3 of 2 approved, 2 of 2 parties");
    assert_ne!(parted.house.case(&case).state, State::AwaitApprovals);
}

#[test]
fn whoever_spoke_at_a_view_does_not_speak_again_and_neither_does_a_no() {
    let mut parted = Parted::new();
    let case = parted.house.pay(2_000 * MILLI);
    parted.approve("bo-tablet", &case).unwrap();
    assert_eq!(parted.approve("bo-phone", &case).unwrap_err().code, "duplicate");
    let file = parted.house.approval("bo", &case);
    let again = parted.house.event(Event::ApprovalCame(Box::new(file)));
    assert_eq!(again.unwrap_err().code, "duplicate");
    // Where nobody demands parties, one word stays one word.
    parted.change_policy(|policy| policy.quorums[0].parties = None);
    let case = parted.house.pay(2_001 * MILLI);
    parted.house.approve("ann", &case);
    assert_eq!(parted.approve("ann-phone", &case).unwrap_err().code, "duplicate");
}

/// A draft that the desk records as if everyone had agreed.
fn drafted(house: &House, case: CaseId) -> Body {
    let snapshot = house.snapshot(CHAIN);
    let draft =
        quorate_chains::draft(&transfer(2_000 * MILLI), &snapshot.account, &snapshot).unwrap();
    Body::Warranted(Box::new(Warranted {
        case,
        party: Party::Desk,
        draft: draft.digest(),
        bytes: hex::encode(draft.bytes()),
        chain: id(CHAIN),
        decoders: vec![quorate_chains::DECODER.to_owned()],
        decoded_intent: case.intent(),
        account: snapshot.account,
        nonce: 0,
        fee_max: draft.meaning().fee_max,
        replaces: None,
    }))
}

#[test]
fn t03_a_lying_desk_that_goes_on_without_the_second_party_is_refused_by_every_cosigner() {
    let mut parted = Parted::new();
    let case = parted.house.pay(2_000 * MILLI);
    parted.approve("ann-phone", &case).unwrap();
    parted.approve("bo-tablet", &case).unwrap();
    let body = drafted(&parted.house, case);
    parted.house.lie(body);
    assert!(parted.house.case(&case).live_draft().is_none(), "there is nothing to sign");
    // Nor does a desk help itself to a milder judgment.
    let intent = parted.house.transfer_of(agent("trader"), 2_001 * MILLI);
    let mut records =
        parted.house.book.step(filed(&intent, None), parted.house.now).unwrap().records;
    let Body::Judged(judged) = &mut records[1] else { panic!("a judgment") };
    judged.judgment = Judgment::Allow { because: Vec::new() };
    let verdicts = parted.house.record(records);
    assert!(matches!(verdicts[1], quorate_custody::Verdict::Void(_)), "{verdicts:?}");
}

#[test]
fn what_lapsed_at_a_cosigner_s_own_clock_brings_no_party_there() {
    let mut parted = Parted::new();
    let case = parted.house.pay(2_000 * MILLI);
    parted.approve("ann-phone", &case).unwrap();
    parted.house.later(900);
    parted.house.approve("cy", &case);
    parted.approve("bo-phone", &case).unwrap();
    parted.house.draft(&case);
    parted.house.later(1_000);
    // Ann's word has lapsed: bo and cy are two people still, and one party.
    assert_eq!(parted.says(&case), "2 of 2 approved, 1 of 2 parties");
    assert_eq!(code(parted.house.warrant(&case)), "quorum_not_met");
}

#[test]
fn a_view_that_another_operator_takes_over_no_longer_counts_as_before() {
    let mut parted = Parted::new();
    let case = parted.house.pay(2_000 * MILLI);
    parted.approve("bo-phone", &case).unwrap();
    parted.change_charter(|text| text.views[SECOND].operator = "Third Party".to_owned());
    parted.change_charter(|text| text.views[PROVIDER].operator = "Acme AG".to_owned());
    assert_eq!(parted.says(&case), "0 of 2 approved, 0 of 2 parties", "bo's word went with it");
    parted.approve("bo-phone", &case).unwrap();
    parted.approve("ann-phone", &case).unwrap();
    assert_eq!(parted.says(&case), "2 of 2 approved, 1 of 2 parties");
    assert_eq!(parted.house.case(&case).state, State::AwaitApprovals);
}

#[test]
fn the_charter_s_own_quorum_bears_no_name_of_the_policy_s_at_founding_either() {
    let mut text = charter();
    text.check().unwrap();
    text.governance.name = text.policy.quorums[0].name.clone();
    assert_eq!(text.check().unwrap_err().field(), "charter.governance");
    assert!(Book::new(text).is_err(), "people would count in one and be judged by the other");
}

#[test]
fn more_parties_than_passkeys_can_bring_are_refused_at_founding_and_at_each_change() {
    let (views, devices) = (views(), [(); 4].map(|()| Authenticator::new()));
    let whole = seated(&devices, &views, Some(2));
    whole.check().unwrap();
    type Spoil = fn(&mut CharterText);
    let spoils: [(&str, &str, Spoil); 4] = [
        ("one operator", "quorum `treasury`.parties", |text| {
            text.views[PROVIDER].operator = "Acme AG".to_owned();
        }),
        ("no passkey at the other's view", "quorum `treasury`.parties", |text| {
            text.approvers[1].passkeys.pop();
        }),
        ("one person for both", "quorum `treasury`.parties", |text| {
            text.approvers[0].person = text.approvers[1].person.clone();
        }),
        ("one operator in two spellings", "view `second`.operator", |text| {
            text.views[SECOND].operator = "ACME  ag".to_owned();
        }),
    ];
    for (what, field, spoil) in spoils {
        let mut text = whole.clone();
        spoil(&mut text);
        assert_eq!(text.check().unwrap_err().field(), field, "{what}");
        assert!(Book::new(text).is_err(), "{what}");
    }
    let mut governed = whole;
    governed.governance.parties = Some(2);
    governed.check().unwrap();
}

#[test]
fn nobody_is_asked_to_agree_to_a_policy_or_charter_whose_parties_can_never_be_mustered() {
    let mut parted = Parted::new();
    let next = successor(&parted.house, |policy| {
        let quorum = &mut policy.quorums[0];
        quorum.members = ["ann", "cy"].iter().map(|name| id(name)).collect();
    });
    let intent = parted.house.intent(person("op"), Action::ChangePolicy { policy: Box::new(next) });
    let refused = parted.house.file(&intent).unwrap_err().to_string();
    assert!(refused.contains("quorum `treasury`.parties"), "{refused}");
    assert!(refused.contains("asks for 2") && refused.contains("`Acme AG`"), "{refused}");
    let before = parted.house.book.charter_digest();
    parted.change_charter(|text| text.views[PROVIDER].operator = "Acme AG".to_owned());
    assert_eq!(parted.house.book.charter_digest(), before, "the charter was denied");
}

#[test]
fn governors_who_must_use_two_parties_views_still_resume_with_their_own_machines() {
    let mut parted = Parted::new();
    parted.change_charter(|text| text.governance.parties = Some(2));
    let action = Action::ChangePolicy { policy: Box::new(successor(&parted.house, |_| {})) };
    let case = parted.house.administer(action);
    assert_eq!(parted.says(&case), "2 of 2 approved, 0 of 2 parties", "files are not enough");
    parted.approve("ann-phone", &case).unwrap();
    parted.approve("bo-phone", &case).unwrap();
    assert!(parted.house.book.case(&case).is_none(), "it took effect");
    let other = parted.house.pay(2_000 * MILLI);
    let body = drafted(&parted.house, other);
    parted.house.lie(body);
    let voided = parted.house.book.size() - 1;
    let resumes = ["ann", "bo"].map(|name| parted.house.resume(name, voided)).to_vec();
    parted.house.does(Event::ResumesCame { voided, resumes });
    assert_eq!(parted.house.book.voids().count(), 0);
}
