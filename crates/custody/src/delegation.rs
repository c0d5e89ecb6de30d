//! A delegation as the book knows it, and what a stand-in's word is worth.

use quorate_terms::approval::Approval;
use quorate_terms::charter::ApproverSeat;
use quorate_terms::delegation::Delegation;
use quorate_terms::{CaseId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};

/// A delegation that the charter's quorum agreed to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Granted {
    /// What was agreed to.
    pub delegation: Delegation,
    /// The case.
    pub case: CaseId,
    /// When, by the book.
    pub at: Timestamp,
    /// How it ended before its time, or that its time was recorded as over.
    pub ended: Option<Ended>,
    /// The indices of the entries that granted and ended it. An end that a charter says has none of its own.
    pub entries: Vec<u64>,
}

/// How a delegation ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ended {
    /// When, by the book.
    pub at: Timestamp,
    /// Who ended it, as its entry says; `charter` for a charter that no longer fits it.
    pub by: String,
    /// `taken_back`, `lapsed` or `charter`.
    pub cause: String,
}

/// Where a delegation is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Agreed to; it has not begun.
    Granted,
    /// The stand-in's word counts.
    Standing,
    /// It counts no more, and never will again.
    Ended,
}

impl Granted {
    /// Where it is in its life at `at`.
    pub fn phase(&self, at: Timestamp) -> Phase {
        if self.ended.is_some() || at >= self.delegation.until {
            Phase::Ended
        } else if self.delegation.stands_at(at) {
            Phase::Standing
        } else {
            Phase::Granted
        }
    }

    /// Whether it was open at some time between a case's filing and the case's last entry, so that a word on the case may have
    /// been said under it.
    pub(crate) fn meets(&self, filed_at: Timestamp, last: u64) -> bool {
        let ended = self.ended.as_ref();
        self.delegation.until > filed_at
            && ended.is_none_or(|ended| ended.at >= filed_at)
            && self.entries.first().is_some_and(|granted| *granted < last)
    }
}

/// What a stand-in said of a case, with the delegation under which it was said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoodIn {
    /// The word.
    pub approval: Approval,
    /// The delegation. A word is forgotten where its delegation ends before its time.
    pub delegation: Delegation,
}

impl StoodIn {
    /// When the word lapses: with itself or with its delegation, whichever is first.
    pub fn expires_at(&self) -> Timestamp {
        self.approval.body.expires_at.min(self.delegation.until)
    }
}

/// Whose word an approval is: a seat's own, or a stand-in's for it.
pub(crate) struct Voice {
    /// The seat as whoever speaks fills it: with that person, credential and keys.
    pub(crate) seat: ApproverSeat,
    /// The person whose seat it is by the charter.
    pub(crate) holder: PersonId,
    /// The delegation, where a stand-in speaks.
    pub(crate) granted: Option<Granted>,
}
