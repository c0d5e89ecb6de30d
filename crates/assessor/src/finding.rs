//! What is found of one control: a state, and everything that a stranger needs to find the same.

use quorate_terms::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::standard::ControlKey;

/// How a control stands. There is no score; silence is never [`State::Met`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Everything that the control asks is shown.
    Met,
    /// A different control gives equal or similar protection, with its rationale on file.
    MetComparable,
    /// The part under this system's control is met; the rest belongs to the customer's system (CCSS: a provider's finding).
    Qualified,
    /// Shown not to be so.
    Gap,
    /// Shown that nothing here could fall under the control. Needs evidence; silence is not enough.
    EvidencedNotApplicable,
    /// Belongs to a level that this assessment does not seek. Never counts towards reaching that level.
    NotSought,
    /// It was shown once, by evidence that has expired or is older than the control allows.
    Stale,
    /// Not shown: not recorded, not attested, or the question failed.
    Unproven,
}

impl State {
    /// Every state, best first, as tables print them.
    pub const ALL: [Self; 8] = [
        Self::Met,
        Self::MetComparable,
        Self::Qualified,
        Self::EvidencedNotApplicable,
        Self::Gap,
        Self::Stale,
        Self::Unproven,
        Self::NotSought,
    ];

    /// One word or two for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::MetComparable => "met with a comparable control",
            Self::Qualified => "qualified",
            Self::Gap => "gap",
            Self::EvidencedNotApplicable => "not applicable, evidenced",
            Self::NotSought => "not sought",
            Self::Stale => "stale",
            Self::Unproven => "unproven",
        }
    }
}

/// One finding. Equal evidence gives equal bytes, so a finding can be compared, signed and traced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The control, by standard, version and id.
    pub control: ControlKey,
    /// How it stands.
    pub state: State,
    /// Why, in plain words, one line for each reason; for [`State::Unproven`] also what would prove it.
    pub reasons: Vec<String>,
    /// How the machine's part was decided, if it has one.
    pub machine: Option<MachinePart>,
    /// What people showed, by evidence tag (`DOCUMENT_3`) or by place in the assessor's own ledger.
    pub evidence: Vec<EvidenceRef>,
    /// The period that the finding speaks about.
    pub period: Period,
    /// When it was found.
    pub at: Timestamp,
}

/// The answer of a pair of queries, in the form that an auditor must record: query, population, exceptions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachinePart {
    /// Digest of the pair of queries with their parameters.
    pub query: Digest,
    /// How many rows the control speaks about.
    pub population: u64,
    /// How many of them break it.
    pub exceptions: u64,
    /// The first exceptions, each with the entry that shows it and why; at most [`EXCEPTIONS_MAX`].
    pub shown: Vec<Exception>,
    /// Places of the entries of the population, at most [`CITED_MAX`], newest last.
    pub cited: Vec<EntryRef>,
    /// The head of each book that the rows were verified against.
    pub heads: Vec<Head>,
}

/// The most exceptions that a finding lists; the count is always whole.
pub const EXCEPTIONS_MAX: usize = 50;
/// The most entries of a population that a finding cites; the count is always whole.
pub const CITED_MAX: usize = 50;

/// One row that breaks a control.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The entry that shows it; none when what is missing has no entry.
    pub entry: Option<EntryRef>,
    /// Why, in plain words.
    pub why: String,
}

/// One entry of one book.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRef {
    /// The origin of the book: the vault's, or the assessor's own.
    pub book: String,
    /// Its place there, from 0.
    pub index: u64,
}

/// A verified head of a book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The origin of the book.
    pub book: String,
    /// How many entries the head covers.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Digest,
}

/// What a person showed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRef {
    /// The tag in the evidence register, for example `INTERVIEW_2`.
    pub tag: String,
    /// Digest of what is on file; none for what may not leave the entity and is recorded as metadata.
    pub digest: Option<Digest>,
    /// The day until which it may be relied on.
    pub expires: Option<Timestamp>,
}

/// From and to, both included, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first instant.
    pub from: Timestamp,
    /// The last instant; never later than the newest verified head.
    pub to: Timestamp,
}
