//! Who can be signed in at the view, and what it asks of browsers.

use quorate_terms::approval::ApprovalBody;
use quorate_terms::passkey::Passkey;
use quorate_terms::{ApproverId, CredentialId};
use quorate_web::sessions;

/// Somebody who proved a passkey.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Signer {
    pub(super) approver: ApproverId,
    pub(super) credential: CredentialId,
}

/// What a browser was asked to sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    /// That somebody is there, with a passkey.
    SignIn,
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
