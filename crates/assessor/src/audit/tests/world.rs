//! A small catalogue, six people with keys, and an audit's steps one after another.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signer as _, SigningKey};
use quorate_terms::{Digest, PublicKey, Signature, Timestamp, canonical};
use serde::Serialize;

use super::super::exhibit::*;
use super::super::file::FileEntry;
use super::super::personal::Openings;
use super::super::record::*;
use super::super::redact::{Wish, redact};
use super::super::signed::*;
use super::super::*;
use crate::ccss::designation::Designation;
use crate::ccss::inherit::Pin;
use crate::ccss::sampling::{Ipe, Risk, Sample, Seed, draw, population_digest};
use crate::ccss::scope::tests::whole;
use crate::ccss::status::{NotApplicable, Status};
use crate::ccss::{Requirement, Scope};
use crate::finding::Period;
use crate::mark::dsse::IN_TOTO;
use crate::mark::{Claim, Envelope, Signer, Statement, claim};

mod closing;
mod exhibits;
mod testing;

pub(super) use closing::*;
pub(super) use exhibits::*;
pub(super) use testing::*;

pub(super) const DAY_S: u64 = 86_400;
const SECRET: &str = "Greta Holm";

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(super) fn public(seed: u8) -> PublicKey {
    PublicKey::from_bytes(key(seed).verifying_key().to_bytes()).unwrap()
}

pub(super) fn envelope<T: Serialize>(kind: &str, payload: &T, seed: u8) -> Envelope {
    signed_by_all(kind, payload, &[seed])
}

fn signed_by_all<T: Serialize>(kind: &str, payload: &T, seeds: &[u8]) -> Envelope {
    let sign =
        |seed: u8| move |bytes: &[u8]| Signature::from_bytes(key(seed).sign(bytes).to_bytes());
    let signs: Vec<_> = seeds.iter().map(|seed| (*seed, sign(*seed))).collect();
    let signers: Vec<Signer<'_>> =
        signs.iter().map(|(seed, sign)| Signer { key: public(*seed), sign }).collect();
    Envelope::seal(kind, &canonical::to_bytes(payload, "payload").unwrap(), &signers)
}

/// Who signs with which key. 9 is the registrar's.
const PEOPLE: [(&str, u8); 6] =
    [("eva", 1), ("ann", 2), ("rolf", 3), ("ida", 4), ("ray", 5), ("reg", 9)];

pub(super) struct World {
    pub(super) workflow: Workflow,
    pub(super) requirements: Vec<Requirement>,
    pub(super) pins: Vec<Pin>,
    pub(super) audit: Audit,
    pub(super) now: Timestamp,
    pub(super) lines: Vec<Line>,
    /// Steps of the good path that are still to come, by kind.
    script: Vec<&'static str>,
    pub(super) taken: usize,
    /// Openings of what was committed to.
    pub(super) openings: Openings,
}

const CCSS: &str = include_str!("../../../../../standards/workflows/ccss-audit.toml");
const WAA: &str = include_str!("../../../../../standards/workflows/waa-audit.toml");

impl World {
    pub(super) fn ccss() -> Self {
        let script = vec![
            "engaged",
            "intent_filed",
            "options_listed",
            "reviewer_chosen",
            "declared eva",
            "declared ann",
            "declared rolf",
            "scope_set",
            "exhibit_filed interview",
            "exhibit_filed document",
            "exhibit_opened",
            "sampled",
            "found x.1",
            "found x.2",
            "found y.1",
            "report_written",
            "redacted",
            "redaction_approved",
            "review_opened",
            "commented",
            "answered",
            "comment_closed",
            "review_completed",
            "summary_written",
            "summary_signed ann",
            "summary_signed rolf",
            "certificate_asked",
            "certified",
        ];
        Self::new(CCSS, script)
    }

    pub(super) fn waa() -> Self {
        let script = vec![
            "engaged",
            "accredited",
            "declared eva",
            "declared ann",
            "scope_set",
            "exhibit_filed interview",
            "exhibit_filed document",
            "sampled",
            "found x.1",
            "found x.2",
            "found y.1",
            "report_written",
            "summary_written",
            "summary_signed ann",
            "decided",
            "mark_issued",
        ];
        Self::new(WAA, script)
    }

    fn new(workflow: &str, script: Vec<&'static str>) -> Self {
        let requirement = |id: &str, rank, text: &str| Requirement {
            id: id.to_owned(),
            group: id.split('.').next().unwrap().to_owned(),
            rank,
            text: text.to_owned(),
        };
        Self {
            workflow: Workflow::from_toml(workflow).unwrap(),
            requirements: vec![
                requirement(
                    "x.1",
                    1,
                    "Backups of key material are stored apart, protected against fire and water.",
                ),
                requirement("x.2", 2, "Backups are tested once a year by restoring them."),
                requirement("y.1", 1, "Access to key material is logged and the log is reviewed."),
            ],
            pins: vec![Pin { name: "Test registrar".to_owned(), key: public(9) }],
            audit: Audit::default(),
            now: Timestamp::from_millis(1_795_000_000_000),
            lines: Vec::new(),
            script,
            taken: 0,
            openings: Openings::new(),
        }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules { workflow: &self.workflow, requirements: &self.requirements, pins: &self.pins }
    }

    /// Takes a step, its values about people committed, signed if the person has a key.
    pub(super) fn take(&mut self, by: &str, mut record: Record) -> Result<(), Refusal> {
        self.commit(&mut record);
        let seed = PEOPLE.iter().find(|(person, _)| *person == by).map(|(_, seed)| *seed);
        let signature = seed.map(|seed| self.signs(by, &record, seed));
        self.take_as(by, record, signature)
    }

    /// Puts commitments into a record, as an office does, and keeps their openings.
    pub(super) fn commit(&mut self, record: &mut Record) {
        let Record::ExhibitFiled(filing) = record else { return };
        let mut salt = u8::try_from(self.openings.len()).unwrap();
        let mut next = || {
            salt += 1;
            [salt; 16]
        };
        for opening in filing.exhibit.commit(&mut next).unwrap() {
            self.openings.insert(opening.commitment().unwrap().digest(), opening);
        }
    }

    pub(super) fn signs(&self, by: &str, record: &Record, seed: u8) -> Signature {
        let message = step_to_sign("audit-1", self.audit.done().len(), by, record).unwrap();
        Signature::from_bytes(key(seed).sign(message.as_bytes()).to_bytes())
    }

    pub(super) fn take_as(
        &mut self,
        by: &str,
        record: Record,
        signature: Option<Signature>,
    ) -> Result<(), Refusal> {
        let event = Event { by: by.to_owned(), record, signature };
        let done = step(&self.audit, &event, self.now, &self.rules())?;
        self.lines.extend(done.records);
        self.audit = done.next;
        self.now = self.now.plus_s(60);
        Ok(())
    }

    /// Takes the next step of the good path.
    pub(super) fn go(&mut self) {
        let name = self.script[self.taken];
        let (by, record) = self.good(name);
        if let Err(refusal) = self.take(by, record) {
            panic!("{name}: {:?}", refusal.reasons);
        }
        self.taken += 1;
    }

    pub(super) fn run(&mut self) {
        while self.taken < self.script.len() {
            self.go();
        }
    }

    /// Runs the good path up to the first step of this name or kind.
    pub(super) fn run_before(&mut self, name: &str) {
        while !self.script[self.taken].starts_with(name) {
            self.go();
        }
    }

    pub(super) fn next_name(&self) -> Option<&'static str> {
        self.script.get(self.taken).copied()
    }

    /// The good record of that name, as the audit stands.
    pub(super) fn good(&self, name: &str) -> (&'static str, Record) {
        let (kind, rest) = name.split_once(' ').unwrap_or((name, ""));
        let who =
            PEOPLE.iter().find(|(person, _)| *person == rest).map_or("ann", |(person, _)| *person);
        match kind {
            "engaged" => ("ann", Record::Engaged(Box::new(self.engagement()))),
            "intent_filed" => {
                ("ann", Record::IntentFiled(Reference { reference: "letter 1".to_owned() }))
            }
            "options_listed" => ("ann", Record::OptionsListed(options("list-1"))),
            "reviewer_chosen" => ("ann", Record::ReviewerChosen(choice("list-1", "rolf"))),
            "declared" => (who, Record::Declared(self.declaration(who))),
            "scope_set" => ("ann", Record::ScopeSet(Box::new(scope()))),
            "exhibit_filed" if rest == "document" => {
                ("eva", self.filing("DOCUMENT_1", document(self.now)))
            }
            "exhibit_filed" => ("ann", self.filing("INTERVIEW_1", interview(self.now))),
            "exhibit_opened" => ("ann", Record::ExhibitOpened(about("DOCUMENT_1"))),
            "sampled" => {
                ("ann", Record::Sampled(Drawn { name: "drills".to_owned(), sample: self.sample() }))
            }
            "found" => ("ann", Record::Found(Box::new(self.found(rest)))),
            "report_written" => ("ann", Record::ReportWritten(Written { digest: self.report() })),
            "redacted" => ("ann", Record::Redacted(self.redaction())),
            "redaction_approved" => {
                ("eva", Record::RedactionApproved(Written { digest: self.copy() }))
            }
            "review_opened" => ("ann", Record::ReviewOpened(Written { digest: self.copy() })),
            "commented" => {
                let (on, text) = (Some("x.1".to_owned()), "who chose the sample?".to_owned());
                ("rolf", Record::Commented(Comment { number: 1, on, text }))
            }
            "answered" => {
                ("ann", Record::Answered(Answer { number: 1, text: "the seed".to_owned() }))
            }
            "comment_closed" => ("rolf", Record::CommentClosed(Closing { number: 1 })),
            "review_completed" => {
                ("rolf", Record::ReviewCompleted(self.signed("review", "rolf", self.copy())))
            }
            "summary_written" => ("ann", Record::SummaryWritten(Box::new(self.summary()))),
            "summary_signed" => {
                let digest = digest_of(self.audit.summary.as_ref().unwrap()).unwrap();
                (who, Record::SummarySigned(self.signed("summary", who, digest)))
            }
            "certificate_asked" => ("ann", Record::CertificateAsked(Box::new(self.request()))),
            "certified" => ("ann", sealed_certificate(&self.certificate(), 9)),
            "accredited" => (
                "ann",
                Record::Accredited(Sealed {
                    envelope: envelope(ACCREDITATION, &self.accreditation(), 9),
                }),
            ),
            "decided" => (
                "reg",
                Record::Decided(Decision {
                    granted: true,
                    reasons: vec!["level 1 is met".to_owned()],
                }),
            ),
            "mark_issued" => ("reg", Record::MarkIssued(Sealed { envelope: self.mark(&[2, 9]) })),
            other => panic!("no step {other}"),
        }
    }
}
