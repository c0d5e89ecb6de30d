//! Who received and who lost which role and credential, when a charter comes into force.

use quorate_terms::CaseId;
use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::entry::{
    Body, CredentialEnrolled, CredentialRevoked, Founded, RoleEnded, RoleGranted,
};
use quorate_terms::freeze::Scope;

/// The first entries of every ledger: the charter, and who received which role and credential by it.
pub fn founding(charter: &CharterText) -> Vec<Body> {
    let mut bodies = vec![Body::Founded(Box::new(Founded { charter: charter.clone() }))];
    for seat in &charter.approvers {
        bodies.push(granted(charter, seat, None));
        bodies.push(enrolled(seat, None));
    }
    bodies
}

/// What a new charter takes and gives. A seat whose person, role or credential is another than before counts as both.
pub(super) fn reseated(before: &CharterText, after: &CharterText, case: CaseId) -> Vec<Body> {
    let mut bodies = Vec::new();
    for seat in &before.approvers {
        let kept = after.approver(&seat.approver).filter(|now| now.person == seat.person);
        if kept.is_none_or(|_| role(after, seat) != role(before, seat)) {
            bodies.push(ended(before, seat, case));
        }
        if kept.is_none_or(|now| now.credential != seat.credential || now.key != seat.key) {
            bodies.push(revoked(seat, case));
        }
    }
    for seat in &after.approvers {
        let was = before.approver(&seat.approver).filter(|was| was.person == seat.person);
        if was.is_none_or(|_| role(after, seat) != role(before, seat)) {
            bodies.push(granted(after, seat, Some(case)));
        }
        if was.is_none_or(|was| was.credential != seat.credential || was.key != seat.key) {
            bodies.push(enrolled(seat, Some(case)));
        }
    }
    bodies
}

fn role(charter: &CharterText, seat: &ApproverSeat) -> &'static str {
    if charter.governance.members.contains(&seat.approver) { "governor" } else { "approver" }
}

fn granted(charter: &CharterText, seat: &ApproverSeat, case: Option<CaseId>) -> Body {
    Body::RoleGranted(Box::new(RoleGranted {
        person: seat.person.clone(),
        case,
        role: role(charter, seat).to_owned(),
        scope: Scope::Vault,
    }))
}

fn ended(charter: &CharterText, seat: &ApproverSeat, case: CaseId) -> Body {
    Body::RoleEnded(Box::new(RoleEnded {
        person: seat.person.clone(),
        case,
        role: role(charter, seat).to_owned(),
        scope: Scope::Vault,
        cause: "charter".to_owned(),
    }))
}

fn enrolled(seat: &ApproverSeat, case: Option<CaseId>) -> Body {
    Body::CredentialEnrolled(Box::new(CredentialEnrolled {
        person: seat.person.clone(),
        case,
        credential: seat.credential.clone(),
        kind: "ed25519_file".to_owned(),
        phishing_resistant: true,
        factors: vec!["possession".to_owned(), "knowledge".to_owned()],
        device: seat.device,
    }))
}

fn revoked(seat: &ApproverSeat, case: CaseId) -> Body {
    Body::CredentialRevoked(CredentialRevoked {
        person: Some(seat.person.clone()),
        credential: seat.credential.clone(),
        case: Some(case),
        cause: "charter".to_owned(),
    })
}
