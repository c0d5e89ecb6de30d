//! A proposed policy, looked at before anybody agrees to it: what it says and changes in words, what it newly allows, and what
//! the past would have been under it.

use quorate_custody::replay::{Answers, Report, Row};
use quorate_terms::entry::Outcome;
use quorate_terms::policy::PolicyDocument;
use quorate_terms::{CaseId, Digest, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shapes;

/// `desk.replay`: what would the last days have been under this policy?
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// The policy. Its version and predecessor are set for the asker.
    pub policy: PolicyDocument,
    /// How many days back, 1 to 366.
    #[serde(default = "ninety")]
    pub days: u32,
}

const fn ninety() -> u32 {
    90
}

/// Who says which recipients are told by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whom {
    /// The policy in force and the proposed one: it was filed, or an operator is about to file it.
    Filed,
    /// The policy in force alone: the proposed one is whatever somebody typed who need not know whom this vault pays.
    Typed,
}

/// The answer to `desk.replay`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayAnswer {
    /// Digest of the policy, as approvers would see it.
    #[schemars(with = "shapes::Hash")]
    pub policy: Digest,
    /// Its version.
    pub version: u64,
    /// What it changes, what widens first.
    pub changes: Vec<ChangeView>,
    /// What it newly allows or denies, what is looser first.
    pub reach: Vec<ReachView>,
    /// Whether every edge of both policies was asked about. Where not, what has no row is not known to be as it was.
    pub is_whole: bool,
    /// What was taken as given, and what could not be told.
    pub caveats: Vec<String>,
    /// Cases judged from here on were judged again.
    #[schemars(with = "u64")]
    pub from: Timestamp,
    /// And up to here.
    #[schemars(with = "u64")]
    pub to: Timestamp,
    /// How many cases went which way.
    pub totals: Totals,
    /// Cases whose answer differs or is not known, in the order of the book.
    pub rows: Vec<ReplayRow>,
}

/// How many cases of a replay went which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Judged twice.
    pub cases: u64,
    /// The answers then: allowed, required, denied.
    pub then: [u64; 3],
    /// The answers under the proposed policy, in the same order.
    pub now: [u64; 3],
    /// Looser.
    pub looser: u64,
    /// Others must agree.
    pub otherwise: u64,
    /// Stricter.
    pub stricter: u64,
    /// Something that the proposed policy weighs was not recorded.
    pub unknown: u64,
    /// Cases that differ and are not in the rows.
    pub left_out: u64,
}

/// One change.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeView {
    /// `widens`, `unclear` or `tightens`.
    pub way: String,
    /// What changes.
    pub field: String,
    /// In words.
    pub text: String,
}

/// Something that becomes possible, or impossible, or to which others must agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReachView {
    /// `looser`, `otherwise` or `stricter`.
    pub way: String,
    /// Who, how much of what, from where, to whom.
    pub what: String,
    /// What the policy in force answers.
    pub was: String,
    /// What the proposed one does.
    pub now: String,
}

/// A case that would have gone another way.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRow {
    /// The case.
    #[schemars(with = "shapes::Hash")]
    pub case: CaseId,
    /// When it was judged.
    #[schemars(with = "u64")]
    pub at: Timestamp,
    /// What was asked, in one line.
    pub summary: String,
    /// The answer then.
    pub was: String,
    /// The answer under the proposed policy; none where the past does not tell.
    pub now: Option<String>,
    /// `looser`, `otherwise` or `stricter`; none where the past does not tell.
    pub way: Option<String>,
    /// Why the proposed policy answers so.
    pub reasons: Vec<String>,
    /// What it weighs and the past did not record.
    pub unknown: Vec<String>,
    /// How the case ended.
    #[schemars(with = "Option<shapes::Outcome>")]
    pub outcome: Option<Outcome>,
}

impl Totals {
    /// The totals of a report.
    #[must_use]
    pub const fn of(report: &Report) -> Self {
        const fn three(answers: &Answers) -> [u64; 3] {
            [answers.allowed, answers.required, answers.denied]
        }
        Self {
            cases: report.cases,
            then: three(&report.then),
            now: three(&report.now),
            looser: report.looser,
            otherwise: report.otherwise,
            stricter: report.stricter,
            unknown: report.unknown,
            left_out: report.left_out,
        }
    }
}

impl ReplayRow {
    /// A row of a report, with its act in one line and the word for its way.
    #[must_use]
    pub fn of(row: &Row, summary: String, way: Option<String>) -> Self {
        Self {
            case: row.case,
            at: row.at,
            summary,
            was: row.was_said.clone(),
            now: row.now_said.clone(),
            way,
            reasons: row.reasons.iter().map(|reason| reason.message.clone()).collect(),
            unknown: row.unknown.iter().cloned().collect(),
            outcome: row.outcome,
        }
    }
}
