//! What an audit writes into the assessor's own ledger: one line for each step.

use std::collections::BTreeMap;

use quorate_terms::{Digest, Malformed, PublicKey, Signature, Timestamp, canonical};
use serde::{Deserialize, Serialize};

use super::exhibit::Exhibit;
use super::file::FileEntry;
use super::redact::Stroke;
pub use super::signed::Sealed;
use super::workflow::Role;
use crate::ccss::designation::Designation;
use crate::ccss::inherit::Use;
use crate::ccss::sampling::Sample;
use crate::ccss::scope::Scope;
use crate::ccss::status::Status;
use crate::finding::Period;
use crate::mark::Envelope;

/// One line: which audit, when, by whom, what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The audit's id.
    pub audit: String,
    /// When.
    pub at: Timestamp,
    /// The person, by id.
    pub by: String,
    /// As what.
    pub role: Role,
    /// What.
    pub record: Record,
    /// The person's, over [`super::signed::step_to_sign`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

impl Line {
    /// The bytes for the ledger.
    ///
    /// # Errors
    /// [`Malformed`] never happens for a line that was made or read here.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        canonical::to_bytes(self, "audit line")
    }

    /// Reads a line, in canonical form only.
    ///
    /// # Errors
    /// [`Malformed`] naming the reason.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        canonical::from_bytes(bytes, "audit line")
    }
}

/// A past fact of an audit. The event that asks for a step and the record of it are one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Record {
    /// Entity and auditor agreed.
    Engaged(Box<Engagement>),
    /// The registrar was told before signing.
    IntentFiled(Reference),
    /// A list of reviewers was asked for again, which voids the old one.
    OptionsAsked(Why),
    /// The registrar's list of reviewers.
    OptionsListed(Options),
    /// One of them was engaged.
    ReviewerChosen(Choice),
    /// A party signed its independence and liability.
    Declared(Declaration),
    /// The auditor validated the trusted environment: the scope as it is tested.
    ScopeSet(Box<Scope>),
    /// A provider's report was imported and duties were split.
    Inherited(Box<Inheritance>),
    /// Something was put on file.
    ExhibitFiled(Box<Filing>),
    /// Somebody looked at it.
    ExhibitOpened(About),
    /// It may not be cited any more. It stays on file.
    ExhibitStruck(About),
    /// A sample was drawn.
    Sampled(Drawn),
    /// The steering committee was asked how wording fits technology; its answer is an exhibit.
    RulingAsked(Question),
    /// A requirement was judged.
    Found(Box<Found>),
    /// The report on compliance was written.
    ReportWritten(Written),
    /// A redacted copy of it was made.
    Redacted(Redaction),
    /// The entity approved that copy.
    RedactionApproved(Written),
    /// The review began.
    ReviewOpened(Written),
    /// The reviewer asked something.
    Commented(Comment),
    /// The auditor answered.
    Answered(Answer),
    /// The reviewer is content with an answer.
    CommentClosed(Closing),
    /// The reviewer signed that the review is complete.
    ReviewCompleted(Signed),
    /// The summary was written.
    SummaryWritten(Box<Summary>),
    /// Auditor or reviewer signed it.
    SummarySigned(Signed),
    /// The entity disclosed a change.
    ChangeDisclosed(Change),
    /// A certificate was asked for.
    CertificateAsked(Box<Request>),
    /// The registrar's signed certificate came.
    Certified(Sealed),
    /// The registrar said no.
    CertificateRefused(Why),
    /// The scheme accredited the auditor.
    Accredited(Sealed),
    /// The scheme decided on the audit.
    Decided(Decision),
    /// A Trust Mark was issued.
    MarkIssued(Sealed),
    /// The audit was given up.
    GivenUp(Why),
}

/// Every kind of record, as a workflow names them.
pub const KINDS: [&str; 32] = [
    "engaged",
    "intent_filed",
    "options_asked",
    "options_listed",
    "reviewer_chosen",
    "declared",
    "scope_set",
    "inherited",
    "exhibit_filed",
    "exhibit_opened",
    "exhibit_struck",
    "sampled",
    "ruling_asked",
    "found",
    "report_written",
    "redacted",
    "redaction_approved",
    "review_opened",
    "commented",
    "answered",
    "comment_closed",
    "review_completed",
    "summary_written",
    "summary_signed",
    "change_disclosed",
    "certificate_asked",
    "certified",
    "certificate_refused",
    "accredited",
    "decided",
    "mark_issued",
    "given_up",
];

impl Record {
    /// Its kind, one of [`KINDS`].
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Engaged(_) => "engaged",
            Self::IntentFiled(_) => "intent_filed",
            Self::OptionsAsked(_) => "options_asked",
            Self::OptionsListed(_) => "options_listed",
            Self::ReviewerChosen(_) => "reviewer_chosen",
            Self::Declared(_) => "declared",
            Self::ScopeSet(_) => "scope_set",
            Self::Inherited(_) => "inherited",
            Self::ExhibitFiled(_) => "exhibit_filed",
            Self::ExhibitOpened(_) => "exhibit_opened",
            Self::ExhibitStruck(_) => "exhibit_struck",
            Self::Sampled(_) => "sampled",
            Self::RulingAsked(_) => "ruling_asked",
            Self::Found(_) => "found",
            Self::ReportWritten(_) => "report_written",
            Self::Redacted(_) => "redacted",
            Self::RedactionApproved(_) => "redaction_approved",
            Self::ReviewOpened(_) => "review_opened",
            Self::Commented(_) => "commented",
            Self::Answered(_) => "answered",
            Self::CommentClosed(_) => "comment_closed",
            Self::ReviewCompleted(_) => "review_completed",
            Self::SummaryWritten(_) => "summary_written",
            Self::SummarySigned(_) => "summary_signed",
            Self::ChangeDisclosed(_) => "change_disclosed",
            Self::CertificateAsked(_) => "certificate_asked",
            Self::Certified(_) => "certified",
            Self::CertificateRefused(_) => "certificate_refused",
            Self::Accredited(_) => "accredited",
            Self::Decided(_) => "decided",
            Self::MarkIssued(_) => "mark_issued",
            Self::GivenUp(_) => "given_up",
        }
    }
}

/// What entity and auditor agreed on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engagement {
    /// The audit's id.
    pub audit: String,
    /// Digest of the workflow's file.
    pub workflow: Digest,
    /// The standard.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// The audited body.
    pub entity: String,
    /// The system of its scope that is audited.
    pub system: String,
    /// As what it is certified.
    pub designation: Designation,
    /// Why, where it differs from what the decision rule gives.
    pub designation_why: Option<String>,
    /// The rank of the level that is sought.
    pub sought: u8,
    /// The testing period.
    pub period: Period,
    /// Whether it is the first audit of the system.
    pub first: bool,
    /// Who takes part from the start.
    pub parties: Vec<Party>,
    /// Earlier audits of this entity's systems, oldest first.
    pub past: Vec<PastAudit>,
    /// What an earlier readiness assessment by this auditor found.
    pub readiness: Option<Readiness>,
    /// Where the written contract with its confidentiality clause is kept.
    pub contract: String,
    /// How long the evidence is kept, and by whom.
    pub retention: String,
    /// Whether every step is signed by the person who takes it; else the office's word stands for that, and the report says
    /// so. Every engagement says one of the two; those of older ledgers that say nothing were not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_steps: Option<bool>,
}

/// One person who takes part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// A short id, unique in the audit.
    pub person: String,
    /// The name.
    pub name: String,
    /// The number that the programme gave.
    pub number: Option<String>,
    /// The organisation.
    pub firm: String,
    /// As what.
    pub role: Role,
    /// The key with which the person signs.
    pub key: PublicKey,
    /// How many audits the person has completed, for auditors.
    pub audits: u32,
}

/// An earlier audit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastAudit {
    /// The audited system.
    pub system: String,
    /// The entity.
    pub entity: String,
    /// Who audited, by id.
    pub auditor: String,
    /// Who reviewed, by id.
    pub reviewer: Option<String>,
    /// When the review was complete.
    pub at: Timestamp,
}

/// A readiness assessment by the same auditor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// Whether it said ready.
    pub ready: bool,
    /// Whether the auditor then helped to build the system.
    pub helped_build: bool,
}

/// A paper that was sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Where it can be found.
    pub reference: String,
}

/// A reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// In plain words.
    pub why: String,
}

/// The registrar's list of reviewers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The list's id.
    pub list: String,
    /// Who may be engaged.
    pub reviewers: Vec<Reviewer>,
    /// Earlier audits that the registrar knows of.
    pub past: Vec<PastAudit>,
}

/// One reviewer on a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewer {
    /// The id.
    pub person: String,
    /// The name.
    pub name: String,
    /// The number that the programme gave.
    pub number: String,
    /// The organisation.
    pub firm: String,
    /// The key.
    pub key: PublicKey,
    /// A member of the steering committee.
    pub steering: bool,
}

/// A reviewer from a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The list's id.
    pub list: String,
    /// The reviewer's id.
    pub person: String,
}

/// What a party declares, signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// What is declared.
    pub statements: Vec<String>,
    /// Over [`super::signed::to_sign`] of `declaration` and the statements' digest.
    pub signature: Signature,
}

/// A provider's report with how it is used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inheritance {
    /// The signed report.
    pub envelope: Envelope,
    /// How it is used, and who owns what.
    pub using: Use,
}

/// Something put on file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filing {
    /// Its tag, for example `INTERVIEW_2`.
    pub tag: String,
    /// What it is.
    pub exhibit: Exhibit,
}

/// Something about an exhibit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its tag.
    pub tag: String,
    /// Why.
    pub why: String,
}

/// A sample with its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// By which findings cite it.
    pub name: String,
    /// The sample.
    pub sample: Sample,
}

/// A question to the committee.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked.
    pub question: String,
    /// About which requirement.
    pub requirement: String,
}

/// How the auditor judged one requirement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The requirement.
    pub id: String,
    /// Its status.
    pub status: Status,
    /// What was found, in the auditor's own words.
    pub statement: String,
    /// Why a comparable control is as good, or why a qualified finding passes.
    pub rationale: Option<String>,
    /// What it rests on.
    pub slots: Slots,
    /// Samples that it rests on, by name.
    pub samples: Vec<String>,
    /// Digest of the machine's finding, if it was read.
    pub machine: Option<Digest>,
}

/// The five places for evidence. Each says what it cites, or that it is not applicable.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// Interviews.
    pub interviews: Slot,
    /// Observations.
    pub observations: Slot,
    /// Documents.
    pub documents: Slot,
    /// Inspections.
    pub inspections: Slot,
    /// Committee decisions.
    pub decisions: Slot,
}

/// One place for evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The tags that are cited; never none.
    Cites(Vec<String>),
    /// Said, not left blank.
    NotApplicable,
}

/// A paper by its digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// SHA-256 of its canonical bytes.
    pub digest: Digest,
}

/// How the redacted copy was made. Anyone who has the report makes the same copy from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// The report that it is a copy of.
    pub report: Digest,
    /// What was struck out, with commitments.
    pub strokes: Vec<Stroke>,
    /// SHA-256 of the copy.
    pub copy: Digest,
}

/// A reviewer's comment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    /// From 1, in order.
    pub number: u32,
    /// The requirement that it is about.
    pub on: Option<String>,
    /// What.
    pub text: String,
}

/// The auditor's answer to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The comment.
    pub number: u32,
    /// What.
    pub text: String,
}

/// That a comment needs no more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The comment.
    pub number: u32,
}

/// A signature over a paper.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The paper.
    pub digest: Digest,
    /// Over [`super::signed::to_sign`] of the paper's kind and digest.
    pub signature: Signature,
}

/// The summary report: no secrets; the entity may show it to anybody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The audited body.
    pub entity: String,
    /// The standard.
    pub standard: String,
    /// Its version.
    pub version: String,
    /// The system.
    pub system: String,
    /// As what.
    pub designation: Designation,
    /// The rank that was sought.
    pub sought: u8,
    /// The rank that was reached.
    pub level: u8,
    /// The level of each aspect.
    pub aspects: BTreeMap<String, u8>,
    /// System and environment, for strangers.
    pub description: String,
    /// The testing period.
    pub period: Period,
    /// The auditor, name and number.
    pub auditor: String,
    /// The reviewer, name and number.
    pub reviewer: Option<String>,
    /// The report that it sums up.
    pub report: Digest,
    /// Its date.
    pub on: Timestamp,
}

/// A change to what was audited.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What changed.
    pub what: String,
    /// When it was made.
    pub at: Timestamp,
    /// Whether it is major: architecture, keys, environment.
    pub major: bool,
}

/// What the registrar needs for a certificate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The signed summary.
    pub summary: Digest,
    /// For the listing.
    pub website: String,
    /// For the listing.
    pub contact: String,
    /// For the listing.
    pub system: String,
    /// JPEG or PNG.
    pub logo: FileEntry,
    /// In pixels.
    pub logo_width: u32,
    /// In pixels.
    pub logo_height: u32,
    /// Whether an earlier certificate has not lapsed.
    pub unlapsed: bool,
    /// ISO 4217.
    pub currency: String,
    /// The fee.
    pub fee_cents: u64,
    /// The reviewer, by id, who gets a copy.
    pub copied_to: String,
}

/// What the scheme decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Yes or no.
    pub granted: bool,
    /// Why.
    pub reasons: Vec<String>,
}
