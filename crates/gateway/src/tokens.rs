//! Access tokens of an authorization server: whoever runs the desk may name one, and its tokens then stand for credentials that
//! the book admitted under a subject. A token grants nothing: who it speaks of, in which band and until when is the book's to
//! say, and its scopes only narrow that. It looks at most: nobody files or attests as a person because a server elsewhere says
//! who they are. A token that is bound to a key opens with a proof of that key for this request, and each proof once (RFC 9449).

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;

use quorate_terms::Digest;
use quorate_terms::credential::{Band, Role};

use crate::desk::Caller;
use crate::errors::{Code, Complaint};

/// The longest access token, in bytes.
pub(crate) const TOKEN_BYTES_MAX: usize = 4096;
/// The longest proof of a key, in bytes: one that holds an RSA key of 8192 bits fits.
pub(crate) const PROOF_BYTES_MAX: usize = 4096;

/// The widest role of whoever comes with an access token: whoever runs the server that issues it is no operator of this desk.
const WIDEST: Role = Role::Auditor;

/// What a token says that was checked.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// `subject_digest` of its issuer and subject.
    pub subject: Digest,
    /// Its scopes.
    pub scopes: BTreeSet<String>,
    /// How long it still holds.
    pub lasts: Duration,
    /// The proof that came with it, if it is bound to a key.
    pub proof: Option<Proven>,
}

/// How a request shows its access token.
#[derive(Clone, Copy)]
pub enum How<'a> {
    /// As whoever carries it (RFC 6750).
    Bearer,
    /// As whoever holds the key that it is bound to (RFC 9449).
    Proved(Proof<'a>),
}

/// A proof of a key, and the request that it must have been made for.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// What the `DPoP` header holds.
    pub text: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// Where the request went, as the metadata names this door, without a query.
    pub url: &'a str,
}

/// What tells a proof that held from others: it opens once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proven {
    /// The digest of its name.
    pub name: Digest,
    /// When it says that it was made, in seconds of Unix time.
    pub made_s: u64,
}

/// Whoever reads access tokens for the doors: knows the server's keys and the time.
#[async_trait]
pub trait ReadTokens: Send + Sync + 'static {
    /// The issuer, as the metadata of the doors names it.
    fn issuer(&self) -> &str;

    /// What proofs of a key may be signed with, as the metadata of the doors names it.
    fn proof_algorithms(&self) -> &[&'static str];

    /// Whether tokens that are bound to no key are refused.
    fn demands_proof(&self) -> bool;

    /// Checks a token that was issued for this resource, by signature, issuer, audience, type and time; and the proof of the
    /// key that it is bound to, if it is bound to one. The proof is not spent yet.
    ///
    /// # Errors
    /// [`Complaint`] of [`Code::CredentialInvalid`] when it does not hold here, saying why; of [`Code::ProofInvalid`] when its
    /// proof does not; of [`Code::DeskUnavailable`] while the server's keys cannot be had.
    async fn read(&self, token: &str, resource: &str, how: How<'_>) -> Result<Vouched, Complaint>;

    /// Spends a proof that [`ReadTokens::read`] found to hold, once the book knows the subject: whom nobody admitted fills no
    /// memory.
    ///
    /// # Errors
    /// [`Complaint`] of [`Code::ProofInvalid`] when it was shown before; of [`Code::RateLimited`] when so many were that no
    /// more are kept in mind.
    fn spend(&self, subject: Digest, proof: Proven) -> Result<(), Complaint>;
}

impl Vouched {
    /// The caller, as far as the scopes of the token go.
    pub(crate) fn narrowed(&self, caller: Caller) -> Result<Caller, Complaint> {
        let has = |scope: &str| self.scopes.contains(scope);
        if let Some(role) = caller.role {
            let widest = Role::ALL.into_iter().rev().find(|role| has(role.as_str()));
            let widest = widest.ok_or_else(|| no_scope(Code::RoleTooLow, Role::Viewer.as_str()))?;
            let role = role.min(widest).min(WIDEST);
            return Ok(Caller { role: Some(role), ..caller });
        }
        let widest = Band::ALL.into_iter().rev().find(|band| has(band.as_str()));
        let widest = widest.ok_or_else(|| no_scope(Code::BandTooLow, Band::Read.as_str()))?;
        Ok(Caller { band: caller.band.min(widest), ..caller })
    }
}

/// The roles that a token can have, whatever the book says of its subject.
pub(crate) fn roles() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| *role <= WIDEST)
}

fn no_scope(code: Code, least: &'static str) -> Complaint {
    let message = format!("the token has no scope of this desk; ask its server for `{least}`");
    Complaint::new(code, message).needing(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(band: Band, role: Option<Role>) -> Caller {
        Caller {
            credential: "bot-1".parse().unwrap(),
            agent: "bot".parse().unwrap(),
            band,
            wallets: BTreeSet::new(),
            owner: "per-1".parse().unwrap(),
            role,
        }
    }

    fn vouched(scopes: &str) -> Vouched {
        let scopes = scopes.split(' ').map(str::to_owned).collect();
        Vouched { subject: Digest::ZERO, scopes, lasts: Duration::from_mins(1), proof: None }
    }

    #[test]
    fn scopes_narrow_a_band_and_never_widen_it() {
        for (scopes, held, band) in [
            ("read", Band::Broadcast, Band::Read),
            ("openid sign read", Band::Broadcast, Band::Sign),
            ("broadcast", Band::Prepare, Band::Prepare),
            ("read prepare sign broadcast", Band::Read, Band::Read),
        ] {
            assert_eq!(
                vouched(scopes).narrowed(caller(held, None)).unwrap().band,
                band,
                "{scopes}"
            );
        }
        for none in ["", "openid", "operator", "READ", "reads"] {
            let no = vouched(none).narrowed(caller(Band::Broadcast, None)).unwrap_err();
            assert_eq!((no.code, no.needs), (Code::BandTooLow, Some("read")), "{none}");
        }
    }

    #[test]
    fn scopes_narrow_a_role_and_a_band_is_no_role() {
        let operator = || caller(Band::Read, Some(Role::Operator));
        for (scopes, held, role) in [
            ("viewer auditor", Role::Operator, Role::Auditor),
            ("viewer", Role::Operator, Role::Viewer),
            ("auditor", Role::Viewer, Role::Viewer),
            // Whatever the server and even the book say, a token files nothing as a person.
            ("operator", Role::Operator, Role::Auditor),
            ("operator", Role::Viewer, Role::Viewer),
        ] {
            let narrowed = vouched(scopes).narrowed(caller(Band::Read, Some(held))).unwrap();
            assert_eq!(narrowed.role, Some(role), "{scopes} {held}");
        }
        let no = vouched("broadcast").narrowed(operator()).unwrap_err();
        assert_eq!((no.code, no.needs), (Code::RoleTooLow, Some("viewer")));
    }
}
