//! What an approver's tool says to the desk and what it answers. The host carries it, as JSON, over a mutual-TLS link whose
//! other end is a link key that the charter seats.

use quorate_terms::CaseId;
use quorate_terms::approval::Approval;
use quorate_terms::commitment::{Commitment, Opening};
use quorate_terms::delegation::Ending;
use quorate_terms::freeze::{Freeze, Resume};
use quorate_terms::quorum::Tally;
use serde::{Deserialize, Serialize};

use crate::case::State;
use crate::refusal::Refusal;

pub use quorate_terms::reading::{READ, READ_MAX, ReadAnswer, ReadRequest};

/// Brings something signed: [`Submit`], answered by [`SubmitAnswer`].
pub const SUBMIT: &str = "book.submit";
/// Asks for the values behind commitments: [`OpeningsRequest`], answered by [`OpeningsAnswer`].
pub const OPENINGS: &str = "book.openings";
/// Brings a signed freeze to a cosigner: a [`Freeze`]. Any answer but a refusal means that it holds.
pub const FREEZE: &str = "freeze";
/// Brings a signed [`Ending`] of a delegation to a cosigner. Any answer but a refusal means that it holds.
pub const ENDING: &str = "ending";

/// The most commitments that one [`OpeningsRequest`] may name.
pub const OPENINGS_MAX: usize = 64;

/// Something that an approver signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Submit {
    /// An approval or a rejection.
    Approval(Box<Approval>),
    /// A freeze.
    Freeze(Box<Freeze>),
    /// A delegation taken back.
    Ending(Box<Ending>),
    /// A yes to going on after a void entry. The desk gathers them until the quorum is met.
    Resume(Box<Resume>),
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "came", rename_all = "snake_case")]
pub enum SubmitAnswer {
    /// It is durable.
    Taken {
        /// The case that it is about, if it is about one.
        case: Option<CaseId>,
        /// What that case awaits now.
        state: Option<State>,
        /// How far the quorums have come: the case's, or for a resume the charter's own.
        tallies: Vec<Tally>,
    },
    /// The desk will not record it.
    Refused {
        /// Why, and what to do next.
        refusal: Refusal,
    },
}

/// Whose values are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningsRequest {
    /// At most [`OPENINGS_MAX`].
    pub commitments: Vec<Commitment>,
}

/// The values that still exist. The asker computes each commitment again; order means nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningsAnswer {
    /// One for each commitment that was not erased.
    pub openings: Vec<Opening>,
}
