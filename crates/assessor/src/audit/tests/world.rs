//! A small catalogue, six people with keys, and an audit's steps one after another.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signer as _, SigningKey};
use quorate_terms::{Digest, PublicKey, Signature, Timestamp, canonical};
use serde::Serialize;

use super::super::exhibit::*;
use super::super::file::FileEntry;
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
        }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules { workflow: &self.workflow, requirements: &self.requirements, pins: &self.pins }
    }

    /// Takes a step, signed if the person has a key.
    pub(super) fn take(&mut self, by: &str, record: Record) -> Result<(), Refusal> {
        let seed = PEOPLE.iter().find(|(person, _)| *person == by).map(|(_, seed)| *seed);
        let signature = seed.map(|seed| self.signs(by, &record, seed));
        self.take_as(by, record, signature)
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

    pub(super) fn engagement(&self) -> Engagement {
        let party = |person: &str, name: &str, firm: &str, role, seed| Party {
            person: person.to_owned(),
            name: name.to_owned(),
            number: None,
            firm: firm.to_owned(),
            role,
            key: public(seed),
            audits: 2,
        };
        let to = self.now.minus_s(2 * DAY_S);
        Engagement {
            audit: "audit-1".to_owned(),
            workflow: self.workflow.digest,
            standard: self.workflow.text.standard.clone(),
            version: "9.0".to_owned(),
            entity: "Brickmere Treasury Ltd".to_owned(),
            system: "Treasury vault".to_owned(),
            designation: Designation::SelfCustody,
            designation_why: None,
            sought: 1,
            period: Period { from: to.minus_s(365 * DAY_S), to },
            first: false,
            parties: vec![
                party("eva", "Eva Entity", "Brickmere Treasury Ltd", Role::Entity, 1),
                party("ann", "Ann Auditor", "Alder Audit", Role::Auditor, 2),
                party("ida", "Ida Implementer", "Iron Works", Role::Implementer, 4),
                party("reg", "Reg Registrar", "Test registrar", Role::Registrar, 9),
            ],
            past: Vec::new(),
            readiness: None,
            contract: "contract 7".to_owned(),
            retention: "seven years, the auditor".to_owned(),
            signed_steps: true,
        }
    }

    pub(super) fn signed(&self, what: &str, who: &str, digest: Digest) -> Signed {
        Signed { digest, signature: self.sign(what, who, &digest) }
    }

    fn sign(&self, what: &str, who: &str, digest: &Digest) -> Signature {
        let seed = PEOPLE.iter().find(|(person, _)| *person == who).unwrap().1;
        let message = to_sign("audit-1", what, who, digest).unwrap();
        Signature::from_bytes(key(seed).sign(message.as_bytes()).to_bytes())
    }

    pub(super) fn declaration(&self, who: &str) -> Declaration {
        let statements = vec!["I am independent of the other parties.".to_owned()];
        let body = digest_of(&statements).unwrap();
        Declaration { statements, signature: self.sign("declaration", who, &body) }
    }

    fn filing(&self, tag: &str, exhibit: Exhibit) -> Record {
        Record::ExhibitFiled(Box::new(Filing { tag: tag.to_owned(), exhibit }))
    }

    pub(super) fn sample(&self) -> Sample {
        let ids: Vec<String> = (0..12).map(|n| format!("drill {n}")).collect();
        let seed = Seed { text: "checkpoint 77".to_owned(), source: "the book".to_owned() };
        Sample {
            population: Ipe {
                of: "drills".to_owned(),
                source: "the book".to_owned(),
                query: "SELECT idx FROM BackupDrilled".to_owned(),
                count: 12,
                by: "the auditor".to_owned(),
                at: self.now,
            },
            digest: population_digest(&ids).unwrap(),
            rhythm: Some("monthly".to_owned()),
            risk: Risk::Low,
            rationale: "alike, by one program".to_owned(),
            chosen: draw(&ids, &seed, 3).unwrap(),
            seed,
        }
    }

    pub(super) fn found(&self, id: &str) -> Found {
        let none = || Slot::NotApplicable;
        let unsought = id == "x.2";
        let cites = |tag: &str| if unsought { none() } else { Slot::Cites(vec![tag.to_owned()]) };
        let statement = "Three drills of March, June and October were opened: sealed steel plates lay \
                         in a bank's box, its visitor book names two custodians each time.";
        Found {
            id: id.to_owned(),
            status: if unsought {
                Status::NotApplicable(NotApplicable::NotSought)
            } else {
                Status::InPlace
            },
            statement: if unsought { "Level not sought.".to_owned() } else { statement.to_owned() },
            rationale: None,
            slots: Slots {
                interviews: cites("INTERVIEW_1"),
                observations: none(),
                documents: cites("DOCUMENT_1"),
                inspections: none(),
                decisions: none(),
            },
            samples: if unsought { Vec::new() } else { vec!["drills".to_owned()] },
            machine: None,
        }
    }

    pub(super) fn report(&self) -> Digest {
        self.audit.report_digest(&self.requirements).unwrap()
    }

    pub(super) fn redaction(&self) -> Redaction {
        let whole = report::report(&self.audit, &self.requirements);
        let musts = self
            .workflow
            .text
            .redact
            .iter()
            .filter(|must| !redact::places(&whole, &must.at).is_empty());
        let wishes: Vec<Wish> = musts
            .map(|must| Wish { at: must.at.clone(), commit: true, why: "confidential".to_owned() })
            .collect();
        let mut next = 0;
        let made = redact(&whole, &wishes, &mut || {
            next += 1;
            [next; 16]
        });
        let made = made.map_err(|e| e.to_string()).unwrap();
        Redaction {
            report: self.report(),
            strokes: made.strokes,
            copy: digest_of(&made.copy).unwrap(),
        }
    }

    pub(super) fn copy(&self) -> Digest {
        self.audit.redaction.as_ref().unwrap().copy
    }

    pub(super) fn summary(&self) -> Summary {
        let e = self.audit.engagement().unwrap();
        let grade = self.audit.grade(&self.requirements);
        Summary {
            entity: e.entity.clone(),
            standard: e.standard.clone(),
            version: e.version.clone(),
            system: e.system.clone(),
            designation: e.designation,
            sought: e.sought,
            level: grade.level.min(1),
            aspects: grade
                .aspects
                .iter()
                .map(|(id, a)| (id.clone(), a.level.min(1)))
                .collect::<BTreeMap<_, _>>(),
            description: "two cosigners".to_owned(),
            period: e.period,
            auditor: "Ann Auditor (A-1)".to_owned(),
            reviewer: self.audit.reviewer.as_ref().map(|_| "Rolf Reviewer (R-1)".to_owned()),
            report: self.audit.report.unwrap(),
            on: self.now,
        }
    }

    pub(super) fn request(&self) -> Request {
        Request {
            summary: digest_of(self.audit.summary.as_ref().unwrap()).unwrap(),
            website: "brickmere.example".to_owned(),
            contact: "security@brickmere.example".to_owned(),
            system: "Treasury vault".to_owned(),
            logo: file("logo.png", "image/png"),
            logo_width: 512,
            logo_height: 512,
            unlapsed: false,
            currency: "USD".to_owned(),
            fee_cents: 25_000,
            copied_to: "rolf".to_owned(),
        }
    }

    pub(super) fn certificate(&self) -> Certificate {
        let e = self.audit.engagement().unwrap();
        Certificate {
            v: 1,
            number: "C-1".to_owned(),
            entity: e.entity.clone(),
            system: e.system.clone(),
            standard: e.standard.clone(),
            version: e.version.clone(),
            designation: e.designation,
            level: 1,
            summary: self
                .audit
                .summary
                .as_ref()
                .map_or(Digest::sha256(b""), |s| digest_of(s).unwrap()),
            valid_from: self.now,
            valid_until: self.now.plus_s(365 * DAY_S),
        }
    }

    pub(super) fn accreditation(&self) -> Accreditation {
        Accreditation {
            v: 1,
            number: "A-1".to_owned(),
            name: "Ann Auditor".to_owned(),
            key: public(2),
            standard: "wd".to_owned(),
            valid_from: self.now.minus_s(DAY_S),
            valid_until: self.now.plus_s(300 * DAY_S),
        }
    }

    pub(super) fn mark(&self, seeds: &[u8]) -> Envelope {
        let seed = *seeds.last().unwrap();
        let e = self.audit.engagement().unwrap();
        let signatory =
            |name: &str, seed| claim::Signatory { name: name.to_owned(), key: public(seed) };
        let claim = Claim {
            v: 1,
            mark: "M-1".to_owned(),
            standard: claim::Standard {
                id: e.standard.clone(),
                version: e.version.clone(),
                digest: Digest::sha256(b"catalogue"),
                official: false,
            },
            level: "Baseline".to_owned(),
            scope: claim::Scope {
                entity: e.entity.clone(),
                system: e.system.clone(),
                designation: None,
                description: "two cosigners".to_owned(),
            },
            exclusions: Vec::new(),
            assessor: signatory("Ann Auditor", 2),
            issuer: signatory("Test registrar", seed),
            period: e.period,
            heads: Vec::new(),
            assessed_on: self.now,
            valid_from: self.now,
            valid_until: self.now.plus_s(365 * DAY_S),
            status: claim::StatusRef { list: "list".to_owned(), place: 0 },
            certificate: None,
        };
        signed_by_all(IN_TOTO, &Statement::new(claim, b"results").unwrap(), seeds)
    }
}

pub(super) fn sealed_certificate(certificate: &Certificate, seed: u8) -> Record {
    Record::Certified(Sealed { envelope: envelope(CERTIFICATE, certificate, seed) })
}

pub(super) fn scope() -> Scope {
    let mut scope = whole();
    scope.systems[0].sought = 1;
    scope
}

pub(super) fn reviewer(person: &str, name: &str, firm: &str, seed: u8) -> Reviewer {
    Reviewer {
        person: person.to_owned(),
        name: name.to_owned(),
        number: "R-1".to_owned(),
        firm: firm.to_owned(),
        key: public(seed),
        steering: false,
    }
}

pub(super) fn options(list: &str) -> Options {
    let reviewers = vec![
        reviewer("rolf", "Rolf Reviewer", "Rowan Reviews", 3),
        reviewer("ray", "Ray Reviewer", "Alder  AUDIT", 5),
    ];
    Options { list: list.to_owned(), reviewers, past: Vec::new() }
}

pub(super) fn choice(list: &str, person: &str) -> Choice {
    Choice { list: list.to_owned(), person: person.to_owned() }
}

pub(super) fn about(tag: &str) -> About {
    About { tag: tag.to_owned(), why: "to test it".to_owned() }
}

pub(super) fn file(name: &str, media: &str) -> FileEntry {
    FileEntry {
        name: name.to_owned(),
        digest: Digest::sha256(name.as_bytes()),
        size: 900,
        media: media.to_owned(),
    }
}

pub(super) fn document(now: Timestamp) -> Exhibit {
    let text = |t: &str| t.to_owned();
    Exhibit {
        item: Item::Document(Document {
            title: text("Backup policy"),
            purpose: text("says how copies are kept"),
            version: text("3"),
            place: text("cabinet nine"),
            findings: text("chapter two names boxes and people"),
            at: now.minus_s(30 * DAY_S),
            open: Vec::new(),
        }),
        owner: text("Otto Owner"),
        represents: Period { from: now.minus_s(300 * DAY_S), to: now.minus_s(DAY_S) },
        expires: Some(now.plus_s(200 * DAY_S)),
        file: Some(file("backup-policy-v3.pdf", "application/pdf")),
        kept_there: None,
    }
}

pub(super) fn interview(now: Timestamp) -> Exhibit {
    let text = |t: &str| t.to_owned();
    Exhibit {
        item: Item::Interview(Interview {
            name: text(SECRET),
            role: text("custodian"),
            place: text("by telephone"),
            duration: text("40 minutes"),
            topics: text("drills and the visitor book"),
            findings: text("two people each time"),
            at: now.minus_s(DAY_S),
            open: Vec::new(),
        }),
        owner: text("Otto Owner"),
        represents: Period { from: now.minus_s(300 * DAY_S), to: now.minus_s(DAY_S) },
        expires: None,
        file: None,
        kept_there: None,
    }
}

/// What the reviewer must never read in a good audit.
pub(super) fn secrets() -> BTreeSet<&'static str> {
    BTreeSet::from([
        SECRET,
        "by telephone",
        "cabinet nine",
        "Otto Owner",
        "backup-policy",
        "machine of Alba",
        "Bruno",
    ])
}
