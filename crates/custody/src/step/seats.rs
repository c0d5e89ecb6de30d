//! Who received and who lost which role and credential, when a charter comes into force.

use quorate_terms::charter::{ApproverSeat, CharterText};
use quorate_terms::delegation::Delegation;
use quorate_terms::entry::{
    Body, CredentialEnrolled, CredentialRevoked, Founded, RoleEnded, RoleGranted,
};
use quorate_terms::freeze::Scope;
use quorate_terms::passkey::PasskeyKey;
use quorate_terms::{CaseId, CredentialId, PublicKey};

/// The first entries of every ledger: the charter, and who received which role and credential by it.
pub fn founding(charter: &CharterText) -> Vec<Body> {
    let mut bodies = vec![Body::Founded(Box::new(Founded { charter: charter.clone() }))];
    for seat in &charter.approvers {
        bodies.push(granted(charter, seat, None));
        bodies.extend(held(seat).iter().map(|one| enrolled(seat, one, None)));
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
        let still = kept.map(held).unwrap_or_default();
        let gone = held(seat).into_iter().filter(|one| !still.contains(one));
        bodies.extend(gone.map(|one| revoked(seat, &one, Some(case), "charter")));
    }
    for seat in &after.approvers {
        let was = before.approver(&seat.approver).filter(|was| was.person == seat.person);
        if was.is_none_or(|_| role(after, seat) != role(before, seat)) {
            bodies.push(granted(after, seat, Some(case)));
        }
        let before = was.map(held).unwrap_or_default();
        let new = held(seat).into_iter().filter(|one| !before.contains(one));
        bodies.extend(new.map(|one| enrolled(seat, &one, Some(case))));
    }
    bodies
}

/// What whoever stands in for a seat receives: credentials, and no role.
pub(super) fn stands_in(delegation: &Delegation, case: CaseId) -> Vec<Body> {
    let seat = delegation.as_seat();
    held(&seat).iter().map(|one| enrolled(&seat, one, Some(case))).collect()
}

/// What is taken from whoever stood in.
pub(super) fn stood_in(delegation: &Delegation, case: Option<CaseId>, cause: &str) -> Vec<Body> {
    let seat = delegation.as_seat();
    held(&seat).iter().map(|one| revoked(&seat, one, case, cause)).collect()
}

/// What a charter takes from whoever stood in: all but what it seats for the same person.
pub(super) fn unseated(delegation: &Delegation, after: &CharterText, case: CaseId) -> Vec<Body> {
    let seat = delegation.as_seat();
    let own = after.approvers.iter().filter(|other| other.person == seat.person);
    let still: Vec<Held> = own.flat_map(held).collect();
    let gone = held(&seat).into_iter().filter(|one| !still.contains(one));
    gone.map(|one| revoked(&seat, &one, Some(case), "charter")).collect()
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

/// A credential of a seat, with its key.
#[derive(PartialEq, Eq)]
enum Held {
    File(CredentialId, PublicKey),
    Passkey(CredentialId, PasskeyKey),
}

fn held(seat: &ApproverSeat) -> Vec<Held> {
    let file = Held::File(seat.credential.clone(), seat.key);
    let passkeys = seat.passkeys.iter();
    let passkeys = passkeys.map(|passkey| Held::Passkey(passkey.credential.clone(), passkey.key));
    [file].into_iter().chain(passkeys).collect()
}

fn enrolled(seat: &ApproverSeat, held: &Held, case: Option<CaseId>) -> Body {
    let (credential, kind, factors, device) = match held {
        Held::File(credential, _) => {
            (credential, "ed25519_file", ["possession", "knowledge"], seat.device)
        }
        // A PIN, a finger or a face: the authenticator does not say which.
        Held::Passkey(credential, _) => {
            (credential, "passkey", ["possession", "user_verification"], None)
        }
    };
    Body::CredentialEnrolled(Box::new(CredentialEnrolled {
        person: seat.person.clone(),
        case,
        credential: credential.clone(),
        kind: kind.to_owned(),
        phishing_resistant: true,
        factors: factors.map(str::to_owned).to_vec(),
        device,
    }))
}

fn revoked(seat: &ApproverSeat, held: &Held, case: Option<CaseId>, cause: &str) -> Body {
    let (Held::File(credential, _) | Held::Passkey(credential, _)) = held;
    Body::CredentialRevoked(CredentialRevoked {
        person: Some(seat.person.clone()),
        credential: credential.clone(),
        case,
        cause: cause.to_owned(),
    })
}
