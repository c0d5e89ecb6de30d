//! Who is signed in, and what that lets them see and do: the office itself, which read the code where the server was started, or
//! a person of an audit, who signed a challenge with the key of the engagement.

use std::collections::BTreeSet;

use quorate_assessor::audit::record::Party;
use quorate_assessor::audit::{Audit, Role};
use quorate_terms::{Digest, PublicKey};

/// Somebody who is signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Visitor {
    /// Whoever reads what the server prints.
    Office,
    /// A person by id and key.
    Person {
        /// The id in the engagement.
        id: String,
        /// The key that signed the challenge.
        key: PublicKey,
        /// Whether the person is the auditor of any audit here, and so of the office.
        audits: bool,
    },
}

/// A visitor and the session in which questions are asked.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) who: Visitor,
    pub(super) session: Digest,
}

impl Visitor {
    /// Who it is, for the log.
    pub(super) const fn name(&self) -> &str {
        match self {
            Self::Office => "the office",
            Self::Person { id, .. } => id.as_str(),
        }
    }

    /// Whether the pages beside the visitor's own audits are shown.
    pub(super) const fn sees_office(&self) -> bool {
        match self {
            Self::Office => true,
            Self::Person { audits, .. } => *audits,
        }
    }

    /// What is said of who is signed in.
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Office => "the office",
            Self::Person { id, .. } => id,
        }
    }

    /// As what an audit is shown; none for who takes no part in it.
    pub(super) fn role(&self, audit: &Audit) -> Option<Role> {
        match self {
            Self::Office => Some(Role::Auditor),
            Self::Person { .. } => self.party(audit).map(|party| party.role),
        }
    }

    /// By whom the visitor may compose a step of these roles. The office composes for anybody, because nobody but the person's
    /// own key can sign it.
    pub(super) fn takes<'a>(&self, audit: &'a Audit, roles: &BTreeSet<Role>) -> Vec<&'a Party> {
        let all: Vec<&Party> = match self {
            Self::Office => audit.parties().values().collect(),
            Self::Person { .. } => self.party(audit).into_iter().collect(),
        };
        all.into_iter().filter(|party| roles.contains(&party.role)).collect()
    }

    fn party<'a>(&self, audit: &'a Audit) -> Option<&'a Party> {
        let Self::Person { id, key, .. } = self else { return None };
        audit.parties().get(id).filter(|party| party.key == *key)
    }
}
