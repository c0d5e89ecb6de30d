//! Entries about delegations: who stands in for whom, and until when.

use serde::{Deserialize, Serialize};

use crate::delegation::{Delegation, Ending};
use crate::id::{CaseId, DelegationId};

/// The charter's quorum agreed that somebody stands in for a seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delegated {
    /// The delegation, in full.
    pub delegation: Delegation,
    /// The case.
    pub case: CaseId,
}

/// A delegation ended. One that a charter ends has no entry of its own: the charter says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DelegationEnded {
    /// The delegation.
    pub id: DelegationId,
    /// Who ended it: `approver:<seat>` or `stand_in:<person>` by signature, `case`, or `desk` where its time was over.
    pub by: String,
    /// `taken_back` or `lapsed`.
    pub cause: String,
    /// The signed ending, unless a case or time ended it.
    pub signed: Option<Ending>,
    /// The case, if one ended it.
    pub case: Option<CaseId>,
}
