//! An audit as its lines tell it. Nothing but [`super::machine`] makes or changes one.

use std::collections::{BTreeMap, BTreeSet};

use quorate_terms::{Digest, Timestamp};

use super::exhibit::Exhibit;
use super::record::{
    Change, Engagement, Found, Line, Options, Party, PastAudit, Record, Redaction, Request, Summary,
};
use super::signed::Certificate;
use super::workflow::{Role, Workflow};
use crate::ccss::designation::Designation;
use crate::ccss::grade::{Grade, Judged};
use crate::ccss::inherit::{Share, together};
use crate::ccss::requirement::Requirement;
use crate::ccss::sampling::Sample;
use crate::ccss::scope::Scope;
use crate::finding::State;

/// One audit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Audit {
    pub(crate) stage: String,
    pub(crate) engagement: Option<Engagement>,
    pub(crate) parties: BTreeMap<String, Party>,
    pub(crate) scope: Option<Scope>,
    pub(crate) options: Option<Options>,
    pub(crate) voided_lists: BTreeSet<String>,
    pub(crate) reviewer: Option<String>,
    pub(crate) declared: BTreeSet<String>,
    pub(crate) shares: BTreeMap<String, Share>,
    pub(crate) providers: BTreeMap<String, Timestamp>,
    pub(crate) exhibits: BTreeMap<String, Exhibit>,
    pub(crate) filed: BTreeMap<String, u32>,
    pub(crate) struck: BTreeSet<String>,
    pub(crate) opened: Vec<Opened>,
    pub(crate) samples: BTreeMap<String, Sample>,
    pub(crate) findings: BTreeMap<String, Found>,
    pub(crate) report: Option<Digest>,
    pub(crate) redaction: Option<Redaction>,
    pub(crate) approved: bool,
    pub(crate) review: Option<Digest>,
    pub(crate) comments: Vec<Thread>,
    pub(crate) reviewed: bool,
    pub(crate) summary: Option<Summary>,
    pub(crate) signed: BTreeSet<Role>,
    pub(crate) changes: Vec<Change>,
    pub(crate) request: Option<Request>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) accredited_until: Option<Timestamp>,
    pub(crate) granted: Option<bool>,
    pub(crate) mark: Option<Digest>,
    pub(crate) void: Option<String>,
    pub(crate) done: Vec<Done>,
}

/// That somebody looked at an exhibit.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Opened {
    /// Its tag.
    pub tag: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// A comment and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Thread {
    /// The requirement.
    pub on: Option<String>,
    /// What was asked.
    pub text: String,
    /// The answers.
    pub answers: Vec<String>,
    /// Whether the reviewer is content.
    pub closed: bool,
}

/// One step taken.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Done {
    /// The kind of record.
    pub act: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Audit {
    /// The stage in which it stands; empty before anybody was engaged.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// What was agreed.
    pub const fn engagement(&self) -> Option<&Engagement> {
        self.engagement.as_ref()
    }

    /// Why it counts for nothing any more.
    pub fn void(&self) -> Option<&str> {
        self.void.as_deref()
    }

    /// Everything on file, by tag.
    pub const fn exhibits(&self) -> &BTreeMap<String, Exhibit> {
        &self.exhibits
    }

    /// Whether an exhibit may not be cited any more.
    pub fn is_struck(&self, tag: &str) -> bool {
        self.struck.contains(tag)
    }

    /// How each requirement was judged.
    pub const fn findings(&self) -> &BTreeMap<String, Found> {
        &self.findings
    }

    /// The registrar's certificate on file.
    pub const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Steps taken, oldest first.
    pub fn done(&self) -> &[Done] {
        &self.done
    }

    /// Who looked at which exhibit.
    pub fn access_log(&self) -> &[Opened] {
        &self.opened
    }

    /// The tag that the next exhibit of a family gets.
    pub fn next_tag(&self, family: &str) -> String {
        let last = self.filed.get(family).copied().unwrap_or(0);
        format!("{family}_{}", last.saturating_add(1))
    }

    /// The one word that may be said of it. "Certified" needs a registrar's signed certificate on file, in date.
    pub fn word(&self, now: Timestamp) -> &'static str {
        if self.void.is_some() {
            return "void";
        }
        match &self.certificate {
            Some(held) if (held.valid_from..=held.valid_until).contains(&now) => return "certified",
            Some(_) => return "certificate not in date",
            None => {}
        }
        if self.mark.is_some() {
            return "marked";
        }
        if self.summary.is_some() && self.is_signed() {
            return "assessed";
        }
        if self.engagement.is_some() { "under audit" } else { "not begun" }
    }

    /// Levels by the findings on file, what is inherited included.
    pub fn grade(&self, requirements: &[Requirement]) -> Grade {
        let judged = |found: &Found| Judged {
            state: State::from(found.status),
            rationale: found.rationale.clone(),
        };
        let own = self.findings.iter().map(|(id, found)| (id.clone(), judged(found))).collect();
        let (designation, sought) = self
            .engagement
            .as_ref()
            .map_or((Designation::FullSystem, 0), |e| (e.designation, e.sought));
        Grade::of(requirements, &together(&own, &self.shares), designation, sought)
    }

    /// The summary, if a mark may rest on the audit: signed, not void, and decided by a scheme's yes or by a registrar's
    /// certificate in date.
    ///
    /// # Errors
    /// Why not, in plain words.
    pub fn markable(&self, now: Timestamp) -> Result<&Summary, &'static str> {
        let summary = self.summary.as_ref().filter(|_| self.is_signed());
        let summary = summary.ok_or("its summary is not signed")?;
        let certified = self.certificate.as_ref();
        let in_date = certified.is_some_and(|c| (c.valid_from..=c.valid_until).contains(&now));
        match self.granted {
            _ if self.void.is_some() => Err("it is void"),
            Some(false) => Err("the scheme said no"),
            Some(true) => Ok(summary),
            None if in_date => Ok(summary),
            None => Err("nobody has decided on it, or the certificate is not in date"),
        }
    }

    /// Who takes part, by id.
    pub const fn parties(&self) -> &BTreeMap<String, Party> {
        &self.parties
    }

    /// The registrar's newest list of reviewers.
    pub const fn options(&self) -> Option<&Options> {
        self.options.as_ref()
    }

    /// The scope as it is tested.
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// The redacted copy on file.
    pub const fn redaction(&self) -> Option<&Redaction> {
        self.redaction.as_ref()
    }

    /// What the reviewer asked, in order.
    pub fn comments(&self) -> &[Thread] {
        &self.comments
    }

    /// The summary on file.
    pub const fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// Requirements that a provider answers for, or shares.
    pub const fn shares(&self) -> &BTreeMap<String, Share> {
        &self.shares
    }

    /// Who takes part in a role.
    pub fn party_of(&self, role: Role) -> Option<&Party> {
        self.party(role)
    }

    pub(crate) fn party(&self, role: Role) -> Option<&Party> {
        self.parties.values().find(|party| party.role == role)
    }

    /// Auditor signed, and the reviewer where there is one.
    pub(crate) fn is_signed(&self) -> bool {
        self.signed.contains(&Role::Auditor)
            && (self.reviewer.is_none() || self.signed.contains(&Role::Reviewer))
    }

    /// Every earlier audit that anybody told of.
    pub(crate) fn past(&self) -> impl Iterator<Item = &PastAudit> {
        let told = self.engagement.iter().flat_map(|e| &e.past);
        told.chain(self.options.iter().flat_map(|options| &options.past))
    }

    /// Takes a line in. The machine has judged it.
    pub(crate) fn fold(&mut self, line: &Line, workflow: &Workflow) {
        match &line.record {
            Record::Engaged(engagement) => {
                self.parties =
                    engagement.parties.iter().map(|p| (p.person.clone(), p.clone())).collect();
                self.engagement = Some((**engagement).clone());
            }
            Record::OptionsAsked(_) => self.void_options(),
            Record::OptionsListed(options) => {
                self.void_options();
                self.options = Some(options.clone());
            }
            Record::ReviewerChosen(choice) => self.engage_reviewer(&choice.person),
            Record::Declared(_) => drop(self.declared.insert(line.by.clone())),
            Record::ScopeSet(scope) => self.scope = Some((**scope).clone()),
            Record::Decided(decision) => self.granted = Some(decision.granted),
            Record::ChangeDisclosed(change) => self.fold_change(change),
            Record::CertificateAsked(request) => self.request = Some((**request).clone()),
            Record::CertificateRefused(_) => self.request = None,
            Record::GivenUp(why) => self.void = Some(format!("it was given up: {}", why.why)),
            _ => self.fold_testing(line),
        }
        if let Some(next) = workflow.step(line.record.kind()).and_then(|step| step.next.as_ref()) {
            self.stage.clone_from(next);
        }
        self.done.push(Done {
            act: line.record.kind().to_owned(),
            by: line.by.clone(),
            at: line.at,
        });
    }

    fn fold_testing(&mut self, line: &Line) {
        match &line.record {
            Record::ExhibitFiled(filing) => {
                *self.filed.entry(filing.exhibit.item.family().to_owned()).or_default() =
                    super::guards::number_of(&filing.tag).unwrap_or(0);
                self.exhibits.insert(filing.tag.clone(), filing.exhibit.clone());
            }
            Record::ExhibitOpened(about) => self.opened.push(Opened {
                tag: about.tag.clone(),
                by: line.by.clone(),
                at: line.at,
                why: about.why.clone(),
            }),
            Record::ExhibitStruck(about) => drop(self.struck.insert(about.tag.clone())),
            Record::Sampled(drawn) => {
                drop(self.samples.insert(drawn.name.clone(), drawn.sample.clone()))
            }
            Record::Found(found) => drop(self.findings.insert(found.id.clone(), (**found).clone())),
            _ => self.fold_review(line),
        }
    }

    fn fold_review(&mut self, line: &Line) {
        match &line.record {
            Record::ReportWritten(paper) => {
                self.report = Some(paper.digest);
                (self.redaction, self.review) = (None, None);
                (self.approved, self.reviewed) = (false, false);
            }
            Record::Redacted(redaction) => {
                self.redaction = Some(redaction.clone());
                (self.approved, self.reviewed, self.review) = (false, false, None);
            }
            Record::ReviewOpened(paper) => self.review = Some(paper.digest),
            Record::RedactionApproved(_) => self.approved = true,
            Record::Commented(comment) => self.comments.push(Thread {
                on: comment.on.clone(),
                text: comment.text.clone(),
                answers: Vec::new(),
                closed: false,
            }),
            Record::Answered(answer) => {
                if let Some(thread) = self.thread_mut(answer.number) {
                    thread.answers.push(answer.text.clone());
                }
            }
            Record::CommentClosed(closing) => {
                if let Some(thread) = self.thread_mut(closing.number) {
                    thread.closed = true;
                }
            }
            Record::ReviewCompleted(_) => self.reviewed = true,
            Record::SummaryWritten(summary) => {
                self.summary = Some((**summary).clone());
                self.signed.clear();
            }
            Record::SummarySigned(_) => drop(self.signed.insert(line.role)),
            _ => {}
        }
    }

    fn void_options(&mut self) {
        if let Some(old) = self.options.take() {
            self.voided_lists.insert(old.list);
        }
        if let Some(person) = self.reviewer.take() {
            self.parties.remove(&person);
            self.declared.remove(&person);
        }
    }

    fn engage_reviewer(&mut self, person: &str) {
        let Some(options) = &self.options else { return };
        let Some(chosen) = options.reviewers.iter().find(|option| option.person == person) else {
            return;
        };
        let party = Party {
            person: chosen.person.clone(),
            name: chosen.name.clone(),
            number: Some(chosen.number.clone()),
            firm: chosen.firm.clone(),
            role: Role::Reviewer,
            key: chosen.key,
            audits: 0,
        };
        self.parties.insert(party.person.clone(), party);
        self.reviewer = Some(person.to_owned());
    }

    /// A major change after the tested period and before the summary was signed voids: the summary would speak of something
    /// that is no more. A later one, and a small one, is kept as a flag.
    fn fold_change(&mut self, change: &Change) {
        self.changes.push(change.clone());
        let tested = self.engagement.as_ref().map(|e| e.period.to);
        let signed = self
            .is_signed()
            .then(|| self.done.iter().rev().find(|d| d.act == "summary_signed"))
            .flatten();
        let before_summary = signed.is_none_or(|done| change.at <= done.at);
        if change.major && tested.is_some_and(|to| change.at > to) && before_summary {
            self.void =
                Some(format!("a major change came between audit and summary: {}", change.what));
            self.certificate = None;
        }
    }

    fn thread_mut(&mut self, number: u32) -> Option<&mut Thread> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.comments.get_mut(place)
    }
}
