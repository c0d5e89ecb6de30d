//! Receipts of cases for which people had to approve through views of two parties.

use quorate_terms::Term as _;
use quorate_terms::entry::{Approved, CharterActivated, CharterApproved};
use quorate_terms::passkey::ViewSeat;

use super::*;

/// The true story told of a treasury that demands two parties: ann and bo approve with passkeys, each at a view of theirs.
struct Told {
    bodies: Vec<Body>,
    charter: Digest,
}

impl Told {
    fn by(operators: [&str; 2]) -> Self {
        let run = |name: &str, port, operator: &str| ViewSeat {
            operator: operator.to_owned(),
            ..view(name, port)
        };
        let views = [run("home", 7800, operators[0]), run("host", 7801, operators[1])];
        let mut phones = [Authenticator::new(), Authenticator::new()];
        let mut bodies = story();
        let Body::Founded(founded) = &mut bodies[0] else { panic!("another kind") };
        founded.charter.views = views.to_vec();
        founded.charter.policy.quorums[0].parties = Some(2);
        for (at, (phone, view)) in phones.iter().zip(&views).enumerate() {
            founded.charter.approvers[at].passkeys =
                vec![phone.passkey(&format!("phone-{at}"), view)];
        }
        let policy = founded.charter.policy.digest().unwrap();
        let charter = founded.charter.digest().unwrap();
        let Body::Judged(judged) = &mut bodies[3] else { panic!("another kind") };
        judged.policy = policy;
        for ((at, body), (phone, view)) in
            bodies[4..6].iter_mut().enumerate().zip(phones.iter_mut().zip(&views))
        {
            let Body::Approved(approved) = body else { panic!("another kind") };
            approved.policy = policy;
            approved.approval.body.policy = policy;
            at_view(approved, &format!("phone-{at}"), phone, view);
        }
        Self { bodies, charter }
    }

    fn verify(self) -> Report {
        let policy = LogPolicy { charter: self.charter, ..pinned() };
        receipt::verify(&receipt(self.bodies), &policy)
    }

    /// Before the draft, the second view is given to somebody else, and given back where `back` says so.
    fn with_a_new_operator(mut self, back: bool) -> Self {
        let Body::Founded(founded) = &self.bodies[0] else { panic!("another kind") };
        let mut text = founded.charter.clone();
        let was = text.views[1].operator.clone();
        let drafted = self.bodies.split_off(6);
        for operator in ["Third Party", &was].into_iter().take(if back { 2 } else { 1 }) {
            let previous = text.digest().unwrap();
            text.version = text.version.wrapping_add(1);
            text.previous = Some(previous);
            text.views[1].operator = operator.to_owned();
            let charter = text.digest().unwrap();
            let case = case();
            let approved = CharterApproved { charter, case, text: text.clone() };
            let activated = CharterActivated { charter, case, previous };
            self.bodies.push(Body::CharterApproved(Box::new(approved)));
            self.bodies.push(Body::CharterActivated(Box::new(activated)));
        }
        self.bodies.extend(drafted);
        self
    }
}

fn at_view(approved: &mut Approved, name: &str, phone: &mut Authenticator, view: &ViewSeat) {
    approved.credential = id(name);
    let body = &mut approved.approval.body;
    body.credential = id(name);
    let said = Said::at(view, &body.digest().unwrap());
    let proof = Proof::Passkey { view: view.view.clone(), assertion: phone.asserts(&said) };
    approved.approval.proof = proof;
}

fn check(told: Told, expected: Verdict, words: &str) {
    let report = told.verify();
    let text = report.to_text(false);
    assert_eq!(verdicts(&report, "agreement"), [expected], "{text}");
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains(words), "{text}");
}

#[test]
fn a_receipt_names_the_parties_through_whose_views_people_agreed() {
    let told = Told::by(["Acme AG", "Host Ltd"]);
    check(told, Verdict::Proven, "2 of 2 parties: Acme AG, Host Ltd");
}

#[test]
fn t03_a_receipt_whose_story_lacks_the_second_party_is_refuted() {
    let told = Told::by(["Acme AG", "Acme AG"]);
    check(told, Verdict::Refuted, "1 of 2 parties: Acme AG");
    // Bo's word from a file is bo's word all the same, and nobody's view.
    let mut told = Told::by(["Acme AG", "Host Ltd"]);
    let Body::Approved(own) = &told.bodies[5] else { panic!("another kind") };
    let policy = own.policy;
    let mut file = approved("bo", 42, Word::Approve, 80_000);
    if let Body::Approved(approved) = &mut file {
        resigned(approved, policy);
    }
    told.bodies[5] = file;
    check(told, Verdict::Refuted, "2 of 2 needed, distinct and unexpired; 1 of 2 parties");
}

#[test]
fn t03_what_was_said_at_a_view_that_changed_hands_before_the_draft_is_not_counted() {
    for back in [false, true] {
        let told = Told::by(["Acme AG", "Host Ltd"]).with_a_new_operator(back);
        check(told, Verdict::Refuted, "1 of 2 needed");
    }
}
