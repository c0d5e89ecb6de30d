//! One audit under the CCSS workflow, step by step, from engagement to certificate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use quorate_assessor::audit::signed::{ACCREDITATION, CERTIFICATE, Certificate, digest_of};
use quorate_assessor::ccss::inherit::{PROVIDER_REPORT, ProviderReport};
use quorate_assessor::ccss::{Designation, Status};
use quorate_assessor::mark::Envelope;
use quorate_terms::{Digest, Timestamp};
use serde_json::{Value, json};

use crate::comparable;
use crate::people::Office;

const DAY_MS: u64 = 86_400_000;
/// Requirements that the provider's side answers for alone: where its shares lie, who reaches them, how it is tested.
const OWNED: [&str; 6] = ["1.03.1.1", "1.03.3.1", "1.03.3.2", "1.05.9.1", "2.01.2.1", "2.01.2.2"];

/// Who is audited, and as what.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) entity: &'static str,
    system: &'static str,
    designation: Designation,
    custody: Value,
    /// Id and version.
    standard: (&'static str, &'static str),
    workflow: &'static str,
    /// The level that is sought, by rank and by name.
    sought: (u8, &'static str),
    /// By the workflow's price list.
    fee_cents: u64,
}

impl Case {
    /// The standard as commands name it.
    pub(crate) fn standard(&self) -> String {
        format!("{} {}", self.standard.0, self.standard.1)
    }

    /// The second cosigner's operator.
    pub(crate) fn provider() -> Self {
        Self {
            id: "west-1",
            entity: "West Custody Ltd",
            system: "West cosigning",
            designation: Designation::Provider,
            custody: json!({ "supplies_only_a_part": true, "customers_funds": true, "holds_every_key": false, "providers": [] }),
            standard: ("ccss", "9.0"),
            workflow: "ccss-audit",
            sought: (2, "II"),
            fee_cents: 200_000,
        }
    }

    /// The vault's owner, who uses it.
    pub(crate) fn customer() -> Self {
        Self {
            id: "brickmere-1",
            entity: "Brickmere Treasury Ltd",
            system: "Treasury vault",
            designation: Designation::FullSystem,
            custody: json!({ "supplies_only_a_part": false, "customers_funds": true, "holds_every_key": false,
                "providers": [{ "name": "West Custody Ltd", "takes_part": true, "could_affect": true }] }),
            standard: ("ccss", "9.0"),
            workflow: "ccss-audit",
            sought: (2, "II"),
            fee_cents: 350_000,
        }
    }

    /// The same vault under the working draft.
    pub(crate) fn draft(id: &'static str) -> Self {
        Self {
            id,
            standard: ("wd", "0.1.0"),
            workflow: "waa-audit",
            sought: (1, "Baseline"),
            designation: Designation::SelfCustody,
            custody: json!({ "supplies_only_a_part": false, "customers_funds": false, "holds_every_key": true, "providers": [] }),
            ..Self::customer()
        }
    }
}

/// What came of an audit.
pub(crate) struct Course {
    /// Requirements that were judged.
    pub(crate) findings: usize,
    /// Requirements that pass by a comparable control, where the machine found a gap.
    pub(crate) comparable: Vec<String>,
    /// Requirements that a provider answers for.
    pub(crate) inherited: usize,
    /// The word that could be said of it until the registrar's certificate was on file, and the word since.
    pub(crate) words: (String, String),
    /// The rank that was reached.
    pub(crate) level: u8,
    statuses: BTreeMap<String, Status>,
    certificate: Digest,
    at: Timestamp,
}

impl Course {
    /// What a certified provider gives its customers, signed by the registrar.
    pub(crate) fn provider_report(&self, office: &Office, case: &Case) -> Envelope {
        let report = ProviderReport {
            v: 1,
            provider: case.entity.to_owned(),
            system: case.system.to_owned(),
            services: BTreeSet::from(["second cosigner".to_owned()]),
            standard: "ccss".to_owned(),
            version: "9.0".to_owned(),
            level: self.level,
            statuses: self.statuses.clone(),
            certificate: self.certificate,
            valid_from: self.at,
            valid_until: self.at.plus_s(364 * 86_400),
        };
        office.seal(PROVIDER_REPORT, &report, "reg")
    }
}

/// What came of an audit under the draft's programme.
pub(crate) struct Draft {
    /// Requirements that were judged.
    pub(crate) findings: usize,
    /// Those that pass by a comparable control.
    pub(crate) comparable: Vec<String>,
    /// The rank that the findings reach, and the rank that was sought.
    pub(crate) reached: (u8, u8),
    /// Whether the scheme said yes.
    pub(crate) granted: bool,
    /// The digest of the machine's results.
    pub(crate) results: String,
}

/// An audit under the draft's programme, up to the scheme's decision, which follows from the level that the findings reach.
/// `missing` is a requirement that this auditor finds not in place, whatever else is said of it.
pub(crate) fn run_draft(office: &Office, case: &Case, missing: Option<&str>) -> Draft {
    let audit = Audit { office, case, missing };
    audit.begin_draft();
    audit.file();
    let results = office.assess(&case.standard(), case.sought.1);
    let statuses = audit.find(&BTreeSet::new());
    let report = audit.report();
    let summary = audit.summarise(&report);
    let reached = (rank(&summary), case.sought.0);
    let granted = reached.0 >= reached.1;
    let why = format!("the findings reach rank {} of {} sought", reached.0, reached.1);
    audit.step("iss", &json!({ "act": "decided", "granted": granted, "reasons": [why] }));
    Draft {
        findings: statuses.len(),
        comparable: comparables(&statuses),
        reached,
        granted,
        results: results["sha256"].as_str().unwrap().to_owned(),
    }
}

/// The whole course of one audit under CCSS.
pub(crate) fn run(office: &Office, case: &Case, provider: Option<&Envelope>) -> Course {
    let audit = Audit { office, case, missing: None };
    audit.engage();
    let owned: BTreeSet<String> = provider.map(|report| audit.inherit(report)).unwrap_or_default();
    audit.file();
    let statuses = audit.find(&owned);
    let report = audit.report();
    audit.review();
    let summary = audit.summarise(&report);
    let before = audit.word();
    let certificate = audit.certify(&summary);
    Course {
        findings: statuses.len(),
        comparable: comparables(&statuses),
        inherited: owned.len(),
        words: (before, audit.word()),
        level: rank(&summary),
        statuses,
        certificate,
        at: now(),
    }
}

/// One audit, and who keeps its record.
pub(crate) struct Audit<'a> {
    pub(crate) office: &'a Office,
    pub(crate) case: &'a Case,
    pub(crate) missing: Option<&'a str>,
}

/// The requirements that pass by a comparable control.
fn comparables(statuses: &BTreeMap<String, Status>) -> Vec<String> {
    let passing = statuses.iter().filter(|(_, status)| **status == Status::Comparable);
    passing.map(|(id, _)| id.clone()).collect()
}

impl Audit<'_> {
    /// Records a step.
    pub(crate) fn step(&self, by: &str, record: &Value) -> Value {
        let path = self.office.paper("record.json", record);
        self.by(by, &["audit", "step", &path, "--audit", self.case.id])
    }

    /// A command by a person, whose key signs the step that comes of it.
    fn by(&self, person: &str, words: &[&str]) -> Value {
        let key = self.office.key(person).display().to_string();
        self.office.good(&[words, &["--by", person, "--sign-with", &key]].concat())
    }

    fn public(&self, person: &str) -> Value {
        json!(self.office.identity(person).public_key())
    }

    /// The word that its record allows to be said of it, as the entity sees it.
    fn word(&self) -> String {
        let seen = self.office.good(&["audit", "view", self.case.id, "--role", "entity"]);
        seen["word"].as_str().unwrap_or_default().to_owned()
    }

    /// What the auditor sees.
    fn seen(&self) -> Value {
        self.office.good(&["audit", "view", self.case.id, "--role", "auditor"])["seen"].clone()
    }

    fn engagement(&self) -> Value {
        let all = self.office.good(&["audit", "workflows"]);
        let ours = |w: &&Value| w["id"] == self.case.workflow;
        let digest = all.as_array().unwrap().iter().find(ours).unwrap()["digest"].clone();
        let party = |person: &str, firm: &str, role: &str| {
            json!({ "person": person, "name": person, "number": null, "firm": firm, "role": role,
                    "key": self.public(person), "audits": 2 })
        };
        let to = now().as_millis() - DAY_MS;
        json!({
            "act": "engaged", "audit": self.case.id, "workflow": digest, "standard": self.case.standard.0, "version": self.case.standard.1,
            "entity": self.case.entity, "system": self.case.system, "designation": self.case.designation,
            "designation_why": null, "sought": self.case.sought.0, "period": { "from": to - 365 * DAY_MS, "to": to }, "first": false,
            "parties": [party("eva", self.case.entity, "entity"), party("ann", "Alder Audit", "auditor")],
            "past": [], "readiness": null, "contract": "contract 7", "retention": "seven years, the auditor", "signed_steps": true,
        })
    }

    /// Engagement, accreditation by the scheme, declarations, scope.
    fn begin_draft(&self) {
        let mut engagement = self.engagement();
        let issuer = json!({ "person": "iss", "name": "iss", "number": null, "firm": "Marks Example", "role": "registrar",
                             "key": self.public("iss"), "audits": 1 });
        engagement["parties"].as_array_mut().unwrap().push(issuer);
        self.step("ann", &engagement);
        let accreditation = json!({ "v": 1, "number": "A-1", "name": "ann", "key": self.public("ann"),
            "standard": self.case.standard.0, "valid_from": now().as_millis() - DAY_MS,
            "valid_until": now().as_millis() + 900 * DAY_MS });
        let envelope = self.office.seal(ACCREDITATION, &accreditation, "iss");
        self.step("ann", &json!({ "act": "accredited", "envelope": envelope }));
        ["eva", "ann"].into_iter().for_each(|person| self.declare(person));
        self.step("ann", &self.scope());
    }

    fn declare(&self, person: &str) {
        let statements = json!(["I am independent of the other parties."]);
        let signature = self.office.sign(self.case.id, "declaration", person, &statements);
        self.step(
            person,
            &json!({ "act": "declared", "statements": statements, "signature": signature }),
        );
    }

    /// Contract, intent, reviewer, declarations, scope.
    fn engage(&self) {
        self.step("ann", &self.engagement());
        self.step("ann", &json!({ "act": "intent_filed", "reference": "letter 1" }));
        let reviewer = json!({ "person": "rolf", "name": "Rolf", "number": "R-1", "firm": "Rowan Reviews",
                               "key": self.public("rolf"), "steering": false });
        self.step("ann", &json!({ "act": "options_listed", "list": "list-1", "reviewers": [reviewer], "past": [] }));
        self.step("ann", &json!({ "act": "reviewer_chosen", "list": "list-1", "person": "rolf" }));
        ["eva", "ann", "rolf"].into_iter().for_each(|person| self.declare(person));
        self.step("ann", &self.scope());
    }

    fn scope(&self) -> Value {
        json!({ "act": "scope_set", "entity": self.case.entity, "systems": [{
            "name": self.case.system, "description": "a vault of two cosigners", "sought": self.case.sought.0, "custody": self.case.custody,
            "environment": {
                "people": ["two operators", "three approvers"], "processes": ["key generation", "signing", "backup"],
                "technology": ["two cosigners", "a desk", "two sites"],
                "validated": { "by": "ann", "at": now().as_millis() - DAY_MS, "sources": ["network diagram", "ledger"] },
                "exclusions": [{ "what": "the website", "why": "has no way to any cosigner" }] },
            "inventory": [{ "name": "key share", "kind": "key share", "place": "rack seventeen", "class": "secret",
                "criticality": "high", "holders": ["Alba Ost", "Nils Vest"], "depends_on": [] }],
        }] })
    }

    /// Takes the provider's report; gives what the provider answers for.
    fn inherit(&self, report: &Envelope) -> BTreeSet<String> {
        let owned: BTreeSet<String> = OWNED.iter().map(|id| (*id).to_owned()).collect();
        let owners: BTreeMap<&String, &str> = owned.iter().map(|id| (id, "provider")).collect();
        self.step("ann", &json!({ "act": "inherited", "envelope": report, "using": {
            "service": "second cosigner", "standard": "ccss", "version": "9.0", "sought": 2,
            "reviewed": now().as_millis() - 30 * DAY_MS, "grace": {}, "review_months": 12, "owners": owners } }));
        owned
    }

    /// An interview, and a document that lies sealed.
    fn file(&self) {
        let at = now().as_millis() - 3 * DAY_MS;
        self.step("ann", &json!({ "act": "exhibit_filed", "tag": "INTERVIEW_1", "exhibit": {
            "item": { "interview": { "name": "Greta Holm", "role": "custodian", "place": "by telephone",
                "duration": "40 minutes", "topics": "ceremonies, backups, drills", "findings": "two people each time",
                "at": at, "open": [] } },
            "owner": "Otto Owner", "represents": { "from": at - 300 * DAY_MS, "to": at }, "expires": null,
            "file": null, "kept_there": null } }));
        let file = self.office.path("handbook.pdf");
        fs::write(&file, b"%PDF-1.7 the handbook").unwrap();
        let item = self.office.paper("item.json", &json!({ "document": { "title": "Key handbook", "purpose": "keys",
            "version": "3", "place": "cabinet nine", "findings": "names boxes and people", "at": at, "open": [] } }));
        let phrase = self.office.path("words");
        let what = ["audit", "evidence", "add", self.case.id, &file, "--item", &item];
        let whose = ["--owner", "Otto Owner", "--from", "2025-12-01", "--to", "2026-10-01"];
        self.by("eva", &[&what[..], &whose, &["--passphrase-file", &phrase]].concat());
    }

    /// A finding for every requirement that is left, each from what the machine found and what people showed.
    fn find(&self, owned: &BTreeSet<String>) -> BTreeMap<String, Status> {
        let results = self.office.assess(&self.case.standard(), self.case.sought.1);
        let drafts = self.drafts(results["sha256"].as_str().unwrap());
        let mut statuses = BTreeMap::new();
        for finding in results["results"]["findings"].as_array().unwrap() {
            let id = finding["control"]["id"].as_str().unwrap().to_owned();
            if owned.contains(&id) {
                continue;
            }
            let record = self.judged(&id, finding, &drafts[&id]);
            let status: Status = serde_json::from_value(record["status"].clone()).unwrap();
            self.step("ann", &record);
            statuses.insert(id, status);
        }
        statuses
    }

    /// The digest of the machine's finding of each requirement, by which the auditor's names it.
    fn drafts(&self, results: &str) -> BTreeMap<String, Value> {
        let folder = self.office.path(&format!("{}-drafts", self.case.id));
        let words = ["audit", "draft", self.case.id, "--results", results, "--out", &folder];
        let written = self.office.good(&words)["drafts"].clone();
        let all = written.as_array().unwrap().iter();
        all.map(|one| (one["id"].as_str().unwrap().to_owned(), one["machine"].clone())).collect()
    }

    /// The auditor's finding of one requirement. Where the machine found a gap, it is not in place, unless a comparable control
    /// of its own is on the auditor's list; above the level sought it says so.
    fn judged(&self, id: &str, finding: &Value, machine: &Value) -> Value {
        let none = "not_applicable";
        let sought = finding["state"] != "not_sought";
        let gap = finding["state"] == "gap";
        let rationale = comparable::rationale(&self.case.standard(), id).filter(|_| gap);
        let status = match finding["state"].as_str().unwrap_or_default() {
            "not_sought" => json!({ "not_applicable": "not_sought" }),
            _ if self.missing == Some(id) => json!("not_in_place"),
            "gap" if rationale.is_none() => json!("not_in_place"),
            "gap" => json!("comparable"),
            "not_applicable" => json!({ "not_applicable": "evidenced" }),
            _ => json!("in_place"),
        };
        let cites = |tag: &str| if sought { json!({ "cites": [tag] }) } else { json!(none) };
        json!({ "act": "found", "id": id, "status": status, "statement": statement(finding, sought),
            "rationale": rationale, "samples": [], "machine": machine,
            "slots": { "interviews": cites("INTERVIEW_1"), "observations": none, "documents": cites("DOCUMENT_1"),
                "inspections": none, "decisions": none } })
    }

    fn report(&self) -> Value {
        let out = self.office.path(&format!("{}-report.json", self.case.id));
        let digest =
            self.office.good(&["audit", "report", self.case.id, "--out", &out])["digest"].clone();
        self.step("ann", &json!({ "act": "report_written", "digest": digest }));
        digest
    }

    /// A redacted copy, one comment of the reviewer, and the end of the review.
    fn review(&self) {
        let openings = self.office.path(&format!("{}-openings.json", self.case.id));
        self.by("ann", &["audit", "redact", self.case.id, "--openings", &openings]);
        let copy = self.seen()["redacted"]["digest"].clone();
        self.step("eva", &json!({ "act": "redaction_approved", "digest": copy }));
        self.step("ann", &json!({ "act": "review_opened", "digest": copy }));
        self.step("rolf", &json!({ "act": "commented", "number": 1, "on": "1.01.1.1", "text": "who saw the ceremony?" }));
        self.step("ann", &json!({ "act": "answered", "number": 1, "text": "two witnesses, named in the ledger" }));
        self.step("rolf", &json!({ "act": "comment_closed", "number": 1 }));
        let signature =
            self.office.sign_digest(self.case.id, "review", "rolf", copy.as_str().unwrap());
        self.step(
            "rolf",
            &json!({ "act": "review_completed", "digest": copy, "signature": signature }),
        );
    }

    fn summarise(&self, report: &Value) -> Value {
        let seen = self.seen();
        let grade = &seen["report"]["report"]["grade"];
        let level =
            |v: &Value| v["level"].as_u64().unwrap_or_default().min(self.case.sought.0.into());
        let aspects: BTreeMap<String, u64> = grade["aspects"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(id, a)| (id.clone(), level(a)))
            .collect();
        let reviewed = seen["review"]["complete"] == true;
        let reviewer = if reviewed { json!("Rolf (R-1)") } else { Value::Null };
        let mut summary = json!({
            "entity": self.case.entity, "standard": self.case.standard.0, "version": self.case.standard.1,
            "system": self.case.system,
            "designation": self.case.designation, "sought": self.case.sought.0, "level": level(grade), "aspects": aspects,
            "description": "a vault of two cosigners", "period": seen["engagement"]["period"],
            "auditor": "ann", "reviewer": reviewer, "report": report, "on": now(),
        });
        let plain = summary.clone();
        summary["act"] = json!("summary_written");
        self.step("ann", &summary);
        let digest = digest_of(&plain).unwrap();
        for person in ["ann", "rolf"].into_iter().take(1 + usize::from(reviewed)) {
            let signature = self.office.sign(self.case.id, "summary", person, &plain);
            self.step(
                person,
                &json!({ "act": "summary_signed", "digest": digest, "signature": signature }),
            );
        }
        plain
    }

    /// The request, and what the test registrar signs.
    fn certify(&self, summary: &Value) -> Digest {
        let digest = digest_of(summary).unwrap();
        self.step("ann", &json!({ "act": "certificate_asked", "summary": digest, "website": "brickmere.example",
            "contact": "security@brickmere.example", "system": self.case.system,
            "logo": { "name": "logo.png", "digest": Digest::sha256(b"logo"), "size": 900, "media": "image/png" },
            "logo_width": 512, "logo_height": 512, "unlapsed": false, "currency": "USD", "fee_cents": self.case.fee_cents,
            "copied_to": "rolf" }));
        let certificate = Certificate {
            v: 1,
            number: format!("TEST-{}", self.case.id),
            entity: self.case.entity.to_owned(),
            system: self.case.system.to_owned(),
            standard: "ccss".to_owned(),
            version: "9.0".to_owned(),
            designation: self.case.designation,
            level: rank(summary),
            summary: digest,
            valid_from: now(),
            valid_until: now().plus_s(365 * 86_400),
        };
        let envelope = self.office.seal(CERTIFICATE, &certificate, "reg");
        self.step("ann", &json!({ "act": "certified", "envelope": envelope }));
        digest_of(&certificate).unwrap()
    }
}

/// What the auditor writes about a requirement.
fn statement(finding: &Value, sought: bool) -> String {
    match &finding["machine"] {
        _ if !sought => "Level not sought.".to_owned(),
        Value::Null => "The custodian walked us through the chapter; its dates and signatures agree with what was told in the \
                        interview, and with two visits that nobody had announced."
            .to_owned(),
        machine => {
            let query = machine["query"].as_str().unwrap().get(..12).unwrap();
            let rows = machine["population"].as_u64().unwrap();
            let opened = rows.min(3);
            match rows {
                0 => format!(
                    "Query {query} over the verified book counted nothing of the kind, and the custodian knows of nothing."
                ),
                _ => format!(
                    "Query {query} over the verified book counted {rows}, of which {} are exceptions; {opened} were opened and \
                     compared with the custodian's interview and with signatures on paper.",
                    machine["exceptions"]
                ),
            }
        }
    }
}

/// The rank that a summary tells.
fn rank(summary: &Value) -> u8 {
    u8::try_from(summary["level"].as_u64().unwrap()).unwrap()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}
