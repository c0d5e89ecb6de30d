//! Who can be signed in at the view, and what it asks of browsers.

use quorate_terms::approval::ApprovalBody;
use quorate_terms::passkey::Passkey;
use quorate_terms::{ApproverId, CredentialId, Digest, PersonId, Timestamp};
use quorate_web::sessions;

use crate::trouble::{Done, Trouble};

/// Somebody who proved a passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Signer {
    pub(super) approver: ApproverId,
    /// The person in the seat, or who stands in for it.
    pub(super) person: PersonId,
    pub(super) credential: CredentialId,
}

/// What a browser was asked to sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    /// To make a passkey.
    NewPasskey,
    /// To use a new passkey for the first time: only then is it kept.
    FirstUse(Box<Passkey>),
    /// A word on a case.
    Word(Box<ApprovalBody>),
}

/// A session of the view.
pub(super) type Session = sessions::Session<Signer>;

/// Sessions and open questions of the view.
pub(super) type Sessions = sessions::Sessions<Signer, Ask>;

/// Refuses to end another session for somebody who proved their passkey long ago. One's own ends at any time.
pub(super) fn may_end(by: &Session, name: &Digest, now: Timestamp) -> Done<()> {
    if *name == by.name || by.is_fresh(now) {
        return Ok(());
    }
    let message = "you signed in too long ago to end another session";
    let next = "sign out, sign in with your passkey again and end it within 10 minutes";
    Err(Trouble::refused("sign_in_again", message, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_session_is_ended_shortly_after_the_passkey_was_proved_and_ones_own_at_any_time() {
        let begun = Timestamp::from_millis(1_795_262_400_000);
        let (approver, person) = ("cy".parse().unwrap(), "p-cy".parse().unwrap());
        let who = Signer { approver, person, credential: "phone".parse().unwrap() };
        let (name, other) = (Digest::sha256(b"this"), Digest::sha256(b"other"));
        let session = Session { name, who, begun, seen: begun };
        for (ended, after_s, expected) in [
            (&other, 0, true),
            (&other, sessions::FRESH_S - 1, true),
            (&other, sessions::FRESH_S, false),
            (&name, sessions::FRESH_S, true),
        ] {
            let may = may_end(&session, ended, begun.plus_s(after_s));
            assert_eq!(may.is_ok(), expected, "{after_s}");
            assert!(may.err().is_none_or(|no| no.code == "sign_in_again"));
        }
    }
}
